"""What changed from one release to the next."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from release_builder.comparison.changelog import bugs_in, new_entries
from release_builder.comparison.fetching import to_fetch
from release_builder.media.rpm_version import Evr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from release_builder.comparison.fetching import Fetching
    from release_builder.comparison.inventory import File, Inventory
    from release_builder.comparison.packages import PackageFile
    from release_builder.media.rpm import Change


class Kind(StrEnum):
    """What became of a package or file."""

    UPDATED = "updated"
    ADDED = "added"
    REMOVED = "removed"
    DOWNGRADED = "downgraded"
    REBUILT = "rebuilt"  # the same version, other bytes: built or signed anew
    CHANGED = "changed"  # a file


@dataclass(frozen=True, slots=True)
class PackageChange:
    """What became of a package.

    Attributes:
        kind: What.
        old: The package as it was; None if it was added.
        new: The package as it is; None if it was removed.
        entries: Of its changelog, those that ``old`` has not; newest first.
        bugs: The numbers of the bugs that ``entries`` name.
    """

    kind: Kind
    old: PackageFile | None
    new: PackageFile | None
    entries: tuple[Change, ...] = ()
    bugs: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """Of the package."""
        return (self.new or self.old).name  # type: ignore[union-attr] # one is always there

    @property
    def arch(self) -> str:
        """Its architecture, the new one if it changed."""
        return (self.new or self.old).arch  # type: ignore[union-attr] # one is always there

    @property
    def old_version(self) -> str:
        """Such as ``1.2-3.el6``; empty if it was added."""
        return str(self.old.evr) if self.old else ""

    @property
    def new_version(self) -> str:
        """Such as ``1.2-4.el6``; empty if it was removed."""
        return str(self.new.evr) if self.new else ""

    @property
    def size_change(self) -> int | None:
        """Bytes that came in addition; None where unknown."""
        old, new = (each.size if each else 0 for each in (self.old, self.new))
        return None if old is None or new is None else new - old

    @property
    def notes(self) -> tuple[str, ...]:
        """The texts of ``entries``."""
        return tuple(entry.text.strip() for entry in self.entries)


@dataclass(frozen=True, slots=True)
class FileChange:
    """What became of a file that is no package."""

    kind: Kind
    path: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed from one release to the next.

    Attributes:
        old: The one.
        new: The other.
        packages: What changed, by name and architecture.
        unchanged: How many packages did not.
        files: What changed beside packages, by path, as far as both tell.
        fetching: What a user of the old image must fetch for the new one.
    """

    old: Inventory
    new: Inventory
    packages: tuple[PackageChange, ...]
    unchanged: int
    files: tuple[FileChange, ...]
    fetching: Fetching

    @property
    def problems(self) -> tuple[str, ...]:
        """What could not be read of either, one sentence each."""
        return tuple(dict.fromkeys((*self.old.problems, *self.new.problems)))

    @property
    def bugs(self) -> tuple[int, ...]:
        """The numbers of all bugs that changelogs name."""
        return tuple(sorted({bug for change in self.packages for bug in change.bugs}))

    @property
    def size_change(self) -> int | None:
        """Bytes of packages that came in addition; None where unknown."""
        old, new = self.old.size, self.new.size
        return None if old is None or new is None else new - old

    def of_kind(self, kind: Kind) -> tuple[PackageChange, ...]:
        """The packages that this became of."""
        return tuple(change for change in self.packages if change.kind is kind)


def compare(old: Inventory, new: Inventory) -> Comparison:
    """Compare two releases.

    Of a package that a release has in several versions, as kernels are, the newest ones are
    compared with each other; further versions are added or removed. A package of one architecture
    on both sides that became ``noarch``, or was it, is one package still.

    Cost: memory for the changes; time grows with the number of packages.
    """
    changes: list[PackageChange] = []
    for ours, theirs in _pairs(old.packages, new.packages):
        changes += _changes(ours, theirs)
    touched = {(each.new.path, each.new.digest) for each in changes if each.new}
    changes.sort(key=lambda change: (change.name, change.arch, change.kind))
    return Comparison(
        old=old,
        new=new,
        packages=tuple(changes),
        unchanged=sum((each.path, each.digest) not in touched for each in new.packages),
        files=tuple(_file_changes(old, new)),
        fetching=to_fetch(old, new),
    )


def _pairs(
    old: Iterable[PackageFile], new: Iterable[PackageFile]
) -> Iterator[tuple[list[PackageFile], list[PackageFile]]]:
    """By name and architecture, all versions that each release has, newest first."""
    names: dict[str, tuple[list[PackageFile], list[PackageFile]]] = defaultdict(lambda: ([], []))
    for side, packages in enumerate((old, new)):
        for package in packages:
            names[package.name][side].append(package)
    for sides in names.values():
        has_epochs = all(package.from_header for side in sides for package in side)
        ours, theirs = (_by_arch(side if has_epochs else _without_epochs(side)) for side in sides)
        gone, come = ours.keys() - theirs.keys(), theirs.keys() - ours.keys()
        if len(gone) == len(come) == 1 and "noarch" in gone | come:
            ours[come.pop()] = ours.pop(gone.pop())
        for arch in sorted(ours.keys() | theirs.keys()):
            yield ours.get(arch, []), theirs.get(arch, [])


def _by_arch(packages: Iterable[PackageFile]) -> dict[str, list[PackageFile]]:
    arches: dict[str, list[PackageFile]] = {}
    for package in sorted(packages, key=lambda each: each.evr, reverse=True):
        arches.setdefault(package.arch, []).append(package)
    return arches


def _without_epochs(packages: Iterable[PackageFile]) -> list[PackageFile]:
    """File names do not tell epochs: what is compared with them must not either."""
    return [replace(each, evr=Evr(0, each.evr.version, each.evr.release)) for each in packages]


def _changes(old: Sequence[PackageFile], new: Sequence[PackageFile]) -> Iterator[PackageChange]:
    """What became of the versions of one package; both newest first."""
    was, is_now = {each.nevra: each for each in old}, {each.nevra: each for each in new}
    for nevra in was.keys() & is_now.keys():
        if _differ(was[nevra], is_now[nevra]):
            yield _change(Kind.REBUILT, was[nevra], is_now[nevra])
    gone = [each for each in old if each.nevra not in is_now]
    come = [each for each in new if each.nevra not in was]
    if old and new and old[0].nevra != new[0].nevra:
        yield _change(_direction(old[0], new[0]), old[0], new[0])
        gone, come = _without(gone, old[0]), _without(come, new[0])
    yield from (PackageChange(Kind.REMOVED, each, None) for each in gone)
    yield from (PackageChange(Kind.ADDED, None, each) for each in come)


def _change(kind: Kind, old: PackageFile, new: PackageFile) -> PackageChange:
    entries = new_entries(old, new)
    return PackageChange(kind, old, new, entries, bugs_in(entries))


def _without(packages: list[PackageFile], one: PackageFile) -> list[PackageFile]:
    return [each for each in packages if each is not one]


def _direction(old: PackageFile, new: PackageFile) -> Kind:
    if old.evr == new.evr:  # as rpm sees it: 1.0 is 1.00
        return Kind.REBUILT
    return Kind.UPDATED if old.evr < new.evr else Kind.DOWNGRADED


def _differ(old: PackageFile | File, new: PackageFile | File) -> bool:
    """Whether the bytes of two files are known to be different."""
    digests = old.digest, new.digest
    if digests[0] and digests[1] and digests[0].algorithm == digests[1].algorithm:
        return digests[0] != digests[1]
    return old.size is not None and new.size is not None and old.size != new.size


def _file_changes(old: Inventory, new: Inventory) -> Iterator[FileChange]:
    was, is_now = ({file.path: file for file in each.files} for each in (old, new))
    for path in sorted(was.keys() | is_now.keys()):
        if path in was and path in is_now:
            if _differ(was[path], is_now[path]):
                yield FileChange(Kind.CHANGED, path)
        elif path in was and new.whole:
            yield FileChange(Kind.REMOVED, path)
        elif path in is_now and old.whole:
            yield FileChange(Kind.ADDED, path)
