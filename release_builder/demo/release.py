"""A release as a mirror has it: the tree, and the pair of an image that lies elsewhere."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from release_builder.demo.installer_tree import make_installer_tree
from release_builder.demo.programs import boot_files, call, versions
from release_builder.demo.recipe import Recipe
from release_builder.digests import digest_stream
from release_builder.errors import SurroundingsError
from release_builder.files import open_regular, resource
from release_builder.monitor import Monitor

if TYPE_CHECKING:
    from pathlib import Path

_LABEL: Final = "SMEmirror"
# Where the release will be once it is final. A beta's pair that says so sends its users to
# files that are not there yet: the trouble that `rewrite` ends.
_FINAL_SERVER: Final = "http://mirror.contribs.org/releases/{major}/smeos/{arch}/"
_STAMP: Final = ".release-builder-demo"  # holds the key of a finished release


@dataclass(frozen=True, slots=True)
class Release:
    """A finished release.

    Attributes:
        folder: Holds ``mirror/`` and ``image/``.
        recipe: What it was made from.
    """

    folder: Path
    recipe: Recipe

    @property
    def mirror(self) -> Path:
        """The root of what a mirror serves."""
        return self.folder / "mirror"

    @property
    def path(self) -> str:
        """Where the release lies below the mirror's root, with a slash at its end."""
        return f"releases/testing/{self.recipe.version}/"

    @property
    def tree(self) -> Path:
        """The installer tree on the mirror."""
        return self.mirror / self.path / "smeos" / self.recipe.arch

    @property
    def pair(self) -> Path:
        """The folder on the mirror that has the pair and the image's MD5, but no image."""
        return self.mirror / self.path / "iso" / self.recipe.arch

    @property
    def jigdo(self) -> Path:
        """The .jigdo file on the mirror."""
        return self.pair / f"{self.recipe.name}.jigdo"

    @property
    def template(self) -> Path:
        """The template on the mirror."""
        return self.pair / f"{self.recipe.name}.template"

    @property
    def image(self) -> Path:
        """The image that the pair was made from, outside the mirror: to compare with."""
        return self.folder / "image" / f"{self.recipe.name}.iso"


def make_release(
    folder: Path, recipe: Recipe | None = None, monitor: Monitor | None = None
) -> Release:
    """The release of ``recipe``, made now or, where ``folder`` has just that one, before.

    Args:
        folder: Where: absent, empty, or a release of ours that may be replaced.
        recipe: What to make; default the demo's.
        monitor: Told the command lines.

    Raises:
        SurroundingsError: ``folder`` has other things in it, or a program is missing or fails.
        OSError: ``folder`` cannot be written.
    """
    release = Release(folder.absolute(), recipe or Recipe())
    key, stamp = release_key(release.recipe), release.folder / _STAMP
    if stamp.is_file() and stamp.read_text("ascii") == key:
        return release
    _make_room(release.folder)
    release.tree.parent.mkdir(parents=True)
    make_installer_tree(release.tree, release.recipe, monitor or Monitor())
    lay_out(release, monitor or Monitor())
    stamp.write_text(key, "ascii")
    return release


def _make_room(folder: Path) -> None:
    stamp = folder / _STAMP
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()) and not stamp.is_file():
        raise SurroundingsError(
            f"{folder} has files in it that are not the demo's",
            hint="empty it, or name another folder",
        )
    # The empty stamp stays while the rest goes and comes: a run that is cut off leaves a folder
    # that the next one knows as ours, and unfinished.
    stamp.write_bytes(b"")
    for stale in folder.iterdir():
        if stale != stamp:
            shutil.rmtree(stale)


def release_key(recipe: Recipe) -> str:
    """Tells apart what would differ: the recipe, our own text, the programs, the boot files."""
    folders = (resource("demo"), resource("templates/demo"))
    ours = (file for folder in folders for file in folder.iterdir() if file.is_file())
    state = sha256(repr((recipe, versions())).encode())
    for file in (*sorted(ours, key=lambda file: file.name), *boot_files()):
        state.update(file.read_bytes())
    return state.hexdigest()


def lay_out(release: Release, monitor: Monitor) -> None:
    """Master the image of ``release.tree`` and put its pair and its MD5 beside it.

    Raises:
        SurroundingsError: A program is missing or fails.
    """
    recipe = release.recipe
    for folder in (release.image.parent, release.pair):
        folder.mkdir(parents=True, exist_ok=True)
    for argv in (xorriso_argv(release), jigdo_file_argv(release)):
        call(argv, monitor, home=release.folder, epoch=recipe.epoch)
    with open_regular(release.image) as stream:
        md5 = digest_stream(stream, ["md5"])["md5"]
    (release.pair / "md5sum.txt").write_text(f"{md5.hex}  {release.image.name}\n", "utf-8")
    link = release.mirror / "releases" / "testing" / recipe.major
    link.unlink(missing_ok=True)
    link.symlink_to(recipe.version)  # the current test release, as real mirrors have it


def xorriso_argv(release: Release) -> list[str]:
    """The command that masters the image of the tree: it starts a PC from a disc."""
    return [
        *("xorriso", "-as", "mkisofs", "-quiet"),
        *("-r", "-J", "-V", release.recipe.name),
        *("-b", "isolinux/isolinux.bin", "-c", "isolinux/boot.cat"),
        *("-no-emul-boot", "-boot-load-size", "4", "-boot-info-table"),
        *("-o", str(release.image)),
        str(release.tree),
    ]


def jigdo_file_argv(release: Release) -> list[str]:
    """The command that makes the pair; its [Servers] names the path of the final release."""
    recipe = release.recipe
    server = _FINAL_SERVER.format(major=recipe.major, arch=recipe.arch)
    return [
        *("jigdo-file", "make-template", "--force", "--no-cache", "--report=noprogress"),
        f"--image={release.image}",
        f"--jigdo={release.jigdo}",
        f"--template={release.template}",
        f"--label={_LABEL}={release.tree}",
        f"--uri={_LABEL}={server}",
        f"{release.tree}//",
    ]
