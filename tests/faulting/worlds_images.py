"""An image repository that is brought up to date, and one that goes where it is served."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

from image_builder import NAMES, content, make_image, make_images
from image_repository import BASE_URL
from repository_builder import assert_nothing_wrong

from faulting.faults import FAULTS
from faulting.world import Services, World
from faulting.worlds_common import VOLATILE, carry_out, put_back_in_time, without_clock
from release_builder.repository.contents import read_contents
from release_builder.repository.mirror import place_of
from release_builder.repository.sums import sums_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from release_builder.repository.sums import Sums

_LATER: Final = "puavo-os-amxa-buster-2022-03-01-000000-amd64.img"
_SIZE: Final = 20_000  # bytes of noise in an image
_UPDATE: Final = ("images", "update", "-r", BASE_URL)
_FOLDERS: Final = ("images", "mirror")
# A signature that did not prove right is made anew, with another digest: the deltas are the same.
_VOLATILE: Final = (*VOLATILE, "*/signatures/*")


def _plain(folder: Path, _services: Services) -> None:
    make_images(folder / "images", *NAMES[:3], size=_SIZE)
    carry_out(folder, *_UPDATE, *_FOLDERS)
    _change(folder / "images")


def _copied(folder: Path, _services: Services) -> None:
    """What all may write is served as a copy: who spoils an image spoils none that is served."""
    images = folder / "images"
    make_images(images, *NAMES[:3], size=_SIZE)
    _open_to_all(images)
    carry_out(folder, *_UPDATE, *_FOLDERS)
    _change(images)
    _open_to_all(images)


def _open_to_all(images: Path) -> None:
    for image in images.iterdir():
        image.chmod(0o666)


def _generations(folder: Path, _services: Services) -> None:
    """All is made and only has to be served: else what befalls one rdiff makes a generation."""
    make_images(folder / "images", *NAMES[:3], size=_SIZE)
    carry_out(folder, *_UPDATE, "--generations", *_FOLDERS)
    public = folder / "mirror"
    put_back_in_time(public, folder / ".mirror")
    old = public.readlink()
    _change(folder / "images")
    carry_out(folder, *_UPDATE, *_FOLDERS)
    shutil.rmtree(public.resolve())
    public.unlink()
    public.symlink_to(old)


def _change(images: Path) -> None:
    """One is replaced, one is new, one is gone."""
    (images / NAMES[0]).unlink()
    make_image(images / NAMES[1], content("replaced", _SIZE))
    make_images(images, _LATER, size=_SIZE)


def _to_push(folder: Path, _services: Services) -> None:
    """One is new, one is gone; who replaces one under its old name cannot push it in one go."""
    images = folder / "images"
    make_images(images, *NAMES[:3], size=_SIZE)
    carry_out(folder, *_UPDATE, *_FOLDERS)
    carry_out(folder, "images", "push", "mirror", "served")
    (images / NAMES[0]).unlink()
    make_images(images, _LATER, size=_SIZE)
    carry_out(folder, *_UPDATE, *_FOLDERS)
    carry_out(folder, "images", "clean", "--grace", "0", "mirror")


def _check(folder: Path) -> None:
    assert_nothing_wrong(folder / "mirror")


def _check_pushed(folder: Path) -> None:
    """All that meta and CKSUMS tell of is there and right, though they come one after the other."""
    root = folder / "served"
    told = read_contents(root)
    for name, sums in told.files.items():
        assert _sums(place_of(root, name)) == sums, name
    for name, (crc, size) in (told.cksums or {}).items():
        found = _sums(place_of(root, name))
        assert found, f"CKSUMS tells of {name}"
        assert (found.cksum, found.size) == (crc, size), name


def _sums(path: Path) -> Sums | None:
    return sums_of(path) if path.exists() else None


def _files(root: str) -> Callable[[Path], Mapping[str, tuple[Path, ...]]]:
    """The images, each by itself: of what tells of them, ``check`` tells whether it is true."""
    return lambda folder: {name: (folder / root / name,) for name in (*NAMES[:3], _LATER)}


def _whole(folder: Path) -> Mapping[str, tuple[Path, ...]]:
    return {"mirror": (folder / "mirror",)}


WORLDS: Final = (
    World(
        name="images-update",
        argv=(*_UPDATE, *_FOLDERS),
        prepare=_plain,
        finals=_files("mirror"),
        check=_check,
        volatile=_VOLATILE,
    ),
    World(
        name="images-changing",
        argv=(*_UPDATE, *_FOLDERS),
        prepare=_copied,
        finals=_files("mirror"),
        check=_check,
        # Deltas of what the images were meanwhile stay until they are cleaned away.
        volatile=(*_VOLATILE, "*/deltas/*", "*/puavo-conf/*"),
        mirror=("images/*",),
        copied=("*",),  # ``check`` tells whether it is true
        without=(*FAULTS, "mirror-stalls"),  # all that the other world has; a folder cannot stall
    ),
    World(
        name="images-generations",
        argv=(*_UPDATE, "--generations", *_FOLDERS),
        prepare=_generations,
        watched=("mirror", ".mirror/next", ".mirror/away", ".mirror/gone"),
        finals=_whole,
        check=_check,
        volatile=_VOLATILE,
        alias=without_clock,
    ),
    World(
        name="images-push",
        argv=("images", "push", "mirror", "served"),
        prepare=_to_push,
        finals=_files("served"),
        check=_check_pushed,
        volatile=_VOLATILE,
    ),
)
