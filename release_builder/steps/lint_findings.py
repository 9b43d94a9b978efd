"""Many findings of one kind, told in few."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from release_builder.errors import printable
from release_builder.report import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_builder.report import Severity

_SHOWN: Final = 5  # of a kind


def shorten(findings: Sequence[Finding], what: str) -> list[Finding]:
    """The first of ``findings``, which are of one kind, and how many more there are.

    Args:
        findings: All of them.
        what: What they are, in the plural, such as ``packages that are not whole``.
    """
    if len(findings) <= _SHOWN + 1:
        return list(findings)
    more = Finding(
        findings[0].severity,
        f"{len(findings) - _SHOWN:,} more {what}; {len(findings):,} in all",
        hint=findings[0].hint,
    )
    return [*findings[:_SHOWN], more]


def counted(severity: Severity, paths: Sequence[str], what: str, hint: str = "") -> list[Finding]:
    """One finding about all ``paths``; none where there are none.

    Args:
        severity: Of the finding.
        paths: Below the tree.
        what: Such as ``not signed``.
        hint: What to do.
    """
    if not paths:
        return []
    named = ", ".join(printable(path.rpartition("/")[2]) for path in paths[:_SHOWN])
    more = f" and {len(paths) - _SHOWN:,} more" if len(paths) > _SHOWN else ""
    number = "1 package is" if len(paths) == 1 else f"{len(paths):,} packages are"
    return [Finding(severity, f"{number} {what}: {named}{more}", hint, path=printable(paths[0]))]
