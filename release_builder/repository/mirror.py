"""What lies in MIRROR_DIR: the files that are served, and our work state beside them.

A plain mirror is a folder with the work state hidden in it. One with generations is a link
``MIRROR -> .MIRROR/20261121T103000Z``, and the work state lies in ``.MIRROR/work``.
"""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.errors import DescriptorError, printable
from release_builder.files import check_link, real_path
from release_builder.repository.adoption import DIGESTS, SIGNATURES
from release_builder.repository.contents import META, RDIFFS
from release_builder.repository.names import parse_image

if TYPE_CHECKING:
    from collections.abc import Iterator

HIDDEN_WORK: Final = ".release-builder"  # in a plain mirror
AWAY: Final = "away"  # changes places with the public name, or just has
WORK_AWAY: Final = "work.away"  # the same with the work state of a plain mirror

_WORK: Final = "work"
_GENERATION: Final = re.compile(r"\d{8}T\d{6}Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Mirror:
    """A repository on this machine.

    Attributes:
        path: Its public name, absolute.
    """

    path: Path

    @property
    def store(self) -> Path:
        """Where generations lie, if there are any."""
        return self.path.with_name(f".{self.path.name}")

    @property
    def has_generations(self) -> bool:
        """Whether the public name is a link of ours."""
        return is_our_link(self.path)

    @property
    def work(self) -> Path:
        """Our work state: nothing of it is served."""
        hidden = self.path / HIDDEN_WORK
        is_away = hidden.is_symlink() or (not self.path.exists() and self.moved_work.is_dir())
        return self.moved_work if is_away or self.has_generations else hidden

    @property
    def moved_work(self) -> Path:
        """Where the work state lies once there are generations."""
        return self.store / _WORK

    @property
    def lock(self) -> Path:
        """The lock of whoever changes anything.

        It may move until it is held: whoever holds it looks here again.
        """
        return self.work / "lock"

    @property
    def staging(self) -> Path:
        """Where files are made until they get their name."""
        return self.work / "new"

    @property
    def orphans(self) -> Path:
        """Since when which file is of no use."""
        return self.work / "orphans.json"


def find_mirror(path: Path, image_dir: Path | None = None) -> Mirror:
    """The mirror that a user calls ``path``, to be changed; it need not be there yet.

    Args:
        path: MIRROR_DIR.
        image_dir: Where its images come from.

    Raises:
        DescriptorError: Both are one folder, in which cleaning would remove the images themselves;
            or as ``name_mirror``.
        SurroundingsError: A link of another user would let us write or delete elsewhere.
        OSError: A folder of ours cannot be read.
    """
    mirror = name_mirror(path)
    if image_dir is not None and real_path(mirror.path) == real_path(image_dir):
        raise DescriptorError(
            f"{printable(str(path))} is the folder of the images itself",
            hint="name another MIRROR_DIR; the default is IMAGE_DIR/mirror",
        )
    check_link(_absolute(path))
    _check_links(mirror)
    _finish_move(mirror)
    return mirror


def name_mirror(path: Path) -> Mirror:
    """The mirror that a user calls ``path``, to be read; it need not be there.

    A link that leads elsewhere is the user's own: the mirror is where it leads.

    Raises:
        DescriptorError: Links of ``path`` lead in a circle.
    """
    absolute = _absolute(path)
    mirror = Mirror(absolute if is_our_link(absolute) else real_path(absolute))
    if mirror.path.is_symlink() and not is_our_link(absolute):
        raise DescriptorError(
            f"{printable(str(path))} is a link that leads to itself", hint="name a folder"
        )
    return mirror


def is_our_link(path: Path) -> bool:
    """Whether ``path`` is a link to a generation of its own."""
    return served_generation(path) is not None


def served_generation(path: Path) -> str | None:
    """The generation of its own that ``path`` is a link to; None if it is none."""
    if not path.is_symlink():
        return None
    folder, _, name = os.fspath(path.readlink()).rpartition("/")
    return name if folder == f".{path.name}" and is_generation(name) else None


def is_generation(name: str) -> bool:
    """Whether ``name`` is that of a generation."""
    return _GENERATION.fullmatch(name) is not None


def served_files(root: Path) -> Iterator[tuple[str, Path]]:
    """The images and deltas in ``root`` by plain name, sorted; other files are not ours."""
    for path in _listed(root):
        if parse_image(path.name):
            yield path.name, path
    for path in _listed(root / RDIFFS):
        if path.suffix == ".rdiff" and "--" in path.name and path.name.isprintable():
            yield path.name, path


def place_of(root: Path, name: str) -> Path:
    """Where the image or delta ``name`` lies in ``root``."""
    return root / RDIFFS / name if name.endswith(".rdiff") else root / name


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 (resolve would follow our own link)


def _check_links(mirror: Mirror) -> None:
    """See that no link of somebody else leads away from where we write or delete."""
    check_link(mirror.store)
    for name in (HIDDEN_WORK, META, RDIFFS, SIGNATURES, DIGESTS):
        check_link(mirror.path / name)
    # All that lies there is ours, files too: the journal is written to where it is.
    for folder in (mirror.store, mirror.moved_work, mirror.path / HIDDEN_WORK):
        for path in _listed(folder) if folder.is_dir() else ():
            check_link(path)


def _finish_move(mirror: Mirror) -> None:
    """Bring the work state where a run was about to bring it that was cut off."""
    hidden, away = mirror.path / HIDDEN_WORK, mirror.store / WORK_AWAY
    with contextlib.suppress(FileNotFoundError):  # it has not been cut off, but just has done it
        if hidden.is_symlink() and not mirror.moved_work.exists():
            away.rename(mirror.moved_work)
        elif away.is_symlink() and mirror.moved_work.exists() and not os.path.lexists(hidden):
            away.rename(hidden)


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError:
        return []
