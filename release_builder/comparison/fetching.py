"""What a user who has the image of one release must fetch for that of another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from release_builder.comparison.inventory import total

if TYPE_CHECKING:
    from collections.abc import Iterable

    from release_builder.comparison.inventory import Inventory
    from release_builder.digests import Digest


@dataclass(frozen=True, slots=True)
class Fetching:
    """What must be fetched; None for what is not known.

    Attributes:
        count: How many parts.
        part_bytes: Bytes of them.
        template_bytes: Bytes of the template, of which all is new.
        why: Why something is not known; empty if all is.
    """

    count: int | None
    part_bytes: int | None
    template_bytes: int | None
    why: str = ""

    @property
    def total(self) -> int | None:
        """Bytes all together."""
        return total((self.part_bytes, self.template_bytes))


def to_fetch(old: Inventory, new: Inventory) -> Fetching:
    """What a user of the image of ``old`` must fetch for that of ``new``."""
    template = new.template_size
    if not old.parts or not new.parts:
        label = new.label if old.parts else old.label
        return Fetching(None, None, template, f"the digests of {label} are not known")
    algorithms = _algorithms(old.parts), _algorithms(new.parts)
    if algorithms[0].isdisjoint(algorithms[1]):
        first, second = (" and ".join(sorted(each)) for each in algorithms)
        why = f"digests by {first} cannot be compared with those by {second}"
        return Fetching(None, None, template, why)
    wanted = [size for digest, size in new.parts.items() if digest not in old.parts]
    why = "" if template is not None else f"{new.label} has no template at hand"
    return Fetching(len(wanted), total(wanted), template, why)


def _algorithms(digests: Iterable[Digest]) -> set[str]:
    return {digest.algorithm for digest in digests}
