"""A pair that is made: of an image alone by the look-alike, and of a release's image and tree."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

from faulting.world import Services, World
from faulting.worlds_common import ENVIRONMENT, small_release
from faulting.worlds_publish import put_release

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_OLD: Final = b"an older pair\n"


def _image(folder: Path, _services: Services) -> None:
    release = small_release()
    (folder / "made").mkdir()
    shutil.copyfile(release.image, folder / "made/cd.iso")
    shutil.copytree(release.tree, folder / "tree")
    for name in ("cd.jigdo", "cd.template"):
        (folder / "made" / name).write_bytes(_OLD)


def _release(folder: Path, _services: Services) -> None:
    put_release(folder, small_release())
    shutil.rmtree(folder / "work/pair")


def _made(folder: Path) -> Mapping[str, tuple[Path, ...]]:
    return {name: (folder / "made" / name,) for name in ("cd.iso", "cd.jigdo", "cd.template")}


def _paired(folder: Path) -> Mapping[str, tuple[Path, ...]]:
    files = [*(folder / "work/pair").glob("[!.]*"), *(folder / "work/image").glob("*.iso")]
    return {str(file.relative_to(folder)): (file,) for file in files}


WORLDS: Final = (
    World(
        name="make-template",
        argv=("jigdo", "make-template", "--force", "--image=made/cd.iso", "tree//"),
        prepare=_image,
        finals=_made,
        watched=(
            "made",
            "state",
        ),  # what of the tree cannot be read is left out, as jigdo-file does
        environment=ENVIRONMENT,
    ),
    World(
        name="pair",
        argv=("pair", "sme-9.0beta3.yaml"),
        prepare=_release,
        finals=_paired,
        volatile=("work/.lock", "state/*.sqlite*", "home/*"),
        environment=ENVIRONMENT,
    ),
)
