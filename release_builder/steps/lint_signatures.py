"""Which key signed which package of an installer tree, and whether it is one of the release's."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from release_builder.errors import ReleaseBuilderError, printable
from release_builder.report import Finding, Severity, finding_of
from release_builder.steps.lint_findings import counted, shorten
from release_builder.trust.rpm_keys import Checked, Verdict, verify_packages

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from release_builder.descriptor.trusting import Trust
    from release_builder.media.rpm import Package
    from release_builder.monitor import Monitor
    from release_builder.steps.compose_tree import TreeFiles

_RENEW: Final = "where its owner has prolonged the key, put the new file below `trust.packages`"
_SIGN: Final = "sign them: rpmsign --addsign"


@dataclass(slots=True)
class Signatures:
    """Who signed the packages of a tree.

    Attributes:
        verified: How many are signed by a key of the release.
        facts: By ``signed by KEY``, how many packages that key signed; claimed, or verified where
            the release has keys.
        findings: What is wrong, or not verified.
    """

    verified: int = 0
    facts: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def check_signatures(
    tree: TreeFiles, packages: Mapping[str, Package], trust: Trust, monitor: Monitor
) -> Signatures:
    """Hold the signatures of ``packages`` against its keys; without any, tell what they claim.

    Args:
        tree: Where they are.
        packages: By path below the tree.
        trust: Names the keys.
        monitor: Hears how far the reading is, and of each package who signed it.
    """
    if not packages:
        return Signatures()
    if not trust.packages:
        return _claimed(packages)
    paths = {tree.root / path: path for path in packages}
    sizes = {path: tree.files[path].st_size for path in packages}
    monitor.begin("verify the signatures", sum(sizes.values()))
    try:
        checked = verify_packages(
            list(paths),
            trust.packages,
            on_file=lambda path: monitor.advance(sizes[paths[path]]),
            pinned=trust.fingerprints,
        )
    except ReleaseBuilderError as error:
        result = _claimed(packages)
        result.findings.insert(0, finding_of(error))
        return result
    finally:
        monitor.end()
    for each in checked:
        by = each.signer or f"key {each.key_id}"
        said = by if each.verdict is Verdict.GOOD else f"{each.verdict}, {by}"
        monitor.detail(f"{printable(paths[each.path])}: {printable(said)}")
    return verified(checked, paths)


def _claimed(packages: Mapping[str, Package]) -> Signatures:
    by_key: dict[str, int] = defaultdict(int)
    for package in packages.values():
        by_key[package.signed_by or ""] += 1
    unsigned = by_key.pop("", 0)
    told = [f"{count:,} signed by key {key}" for key, count in sorted(by_key.items())]
    if unsigned:
        told.append(f"{unsigned:,} unsigned")
    note = Finding(
        Severity.NOTE,
        f"of {_number(len(packages))}, claimed only: {', '.join(told)}",
        hint="name the files of the public keys below `trust.packages` to have the signatures verified",
    )
    facts = {f"signed by {key}": f"{_number(n)}, claimed" for key, n in sorted(by_key.items())}
    return Signatures(facts=facts, findings=[note])


def verified(
    checked: Sequence[Checked], paths: Mapping[Path, str], unsigned: str = _SIGN
) -> Signatures:
    """Who signed packages, and what is wrong with those of which nobody did who is trusted.

    Args:
        checked: What rpmkeys found.
        paths: By path, what messages call it.
        unsigned: What to do about packages without a signature.
    """
    result = Signatures()
    by_signer: dict[tuple[str, str], int] = defaultdict(int)
    for each in checked:
        if each.verdict is Verdict.GOOD:
            result.verified += 1
            by_signer[each.key_id or "", each.signer] += 1
    for (key, signer), count in sorted(by_signer.items()):
        name = f", {printable(signer)}" if signer else ""
        result.facts[f"signed by {key}"] = f"{_number(count)}{name}"
    result.findings += _wrong(checked, paths, unsigned)
    return result


def _wrong(checked: Sequence[Checked], paths: Mapping[Path, str], hint: str) -> Iterator[Finding]:
    bad = [_bad(each, paths[each.path]) for each in checked if each.verdict is Verdict.BAD]
    yield from shorten(bad, "packages have a bad signature")
    # rpm takes them: releases live longer than the keys that their packages were signed with.
    expired = [paths[each.path] for each in checked if each.verdict is Verdict.EXPIRED]
    yield from counted(Severity.WARNING, expired, "signed by a key that has expired since", _RENEW)
    unsigned = [paths[each.path] for each in checked if each.verdict is Verdict.UNSIGNED]
    yield from counted(Severity.WRONG, unsigned, "not signed", hint)
    unknown: dict[str, list[str]] = defaultdict(list)
    for each in checked:
        if each.verdict is Verdict.UNKNOWN_KEY:
            unknown[each.key_id or "unknown"].append(paths[each.path])
    for key, found in sorted(unknown.items()):
        yield from counted(
            Severity.WRONG,
            found,
            f"signed by key {key}, which is none of the release's",
            "if the key is to be trusted, add its file below `trust.packages`",
        )


def _bad(checked: Checked, path: str) -> Finding:
    detail = f": {printable(checked.detail)}" if checked.detail else ""
    return Finding(
        Severity.WRONG,
        f"{printable(path)}: bad signature{detail}",
        hint="fetch it again, or sign it again",
        path=printable(path),
    )


def _number(count: int) -> str:
    return "1 package" if count == 1 else f"{count:,} packages"
