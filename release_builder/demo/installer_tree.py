"""An installer tree as Enterprise Linux 6 has it, small and with real RPMs."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.demo.packages import make_packages, noise
from release_builder.demo.programs import boot_files, call
from release_builder.digests import digest_stream
from release_builder.files import open_regular
from release_builder.pages import render

if TYPE_CHECKING:
    from release_builder.demo.recipe import Recipe
    from release_builder.monitor import Monitor

# Boot images: path → size, in sizes of the largest package. They stand for what anaconda boots.
_IMAGES: Final = {
    "images/install.img": 2.0,
    "images/pxeboot/initrd.img": 1.5,
    "images/pxeboot/vmlinuz": 0.5,
}


def make_installer_tree(tree: Path, recipe: Recipe, monitor: Monitor) -> None:
    """Make the tree of ``recipe``: Packages, repodata, images, isolinux and what names them.

    Args:
        tree: Where; its parent exists, it does not.
        recipe: What to make.
        monitor: Told the command lines.

    Raises:
        SurroundingsError: A program is missing or fails.
    """
    # Not beside the tree: rpmbuild fails where a path has a blank in it.
    with tempfile.TemporaryDirectory(prefix="release-builder-rpmbuild.") as scratch:
        topdir = Path(scratch, "topdir")
        shutil.copytree(make_packages(recipe, topdir, monitor), tree / "Packages")
    _write_images(tree, recipe)
    _write_isolinux(tree, recipe)
    _write_labels(tree, recipe)
    set_times(tree, recipe.epoch)  # the metadata tell each package's time
    _write_repodata(tree, recipe, monitor)
    set_times(tree, recipe.epoch)


def set_times(tree: Path, epoch: int) -> None:
    """Give all below ``tree``, itself included, the same time, in seconds since 1970."""
    for path in (tree, *tree.rglob("*")):
        os.utime(path, (epoch, epoch), follow_symlinks=False)


def _write_images(tree: Path, recipe: Recipe) -> None:
    for name, share in _IMAGES.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(noise(f"{recipe.version} {name}", round(share * recipe.largest)))


def _write_isolinux(tree: Path, recipe: Recipe) -> None:
    folder = tree / "isolinux"
    folder.mkdir()
    for file in (*boot_files(), *(tree / "images/pxeboot").iterdir()):
        shutil.copyfile(file, folder / file.name)
    for name in ("isolinux.cfg", "boot.msg"):
        _write(folder / name, name, recipe, label=recipe.name)


def _write_labels(tree: Path, recipe: Recipe) -> None:
    digests = {}
    for name in _IMAGES:
        with open_regular(tree / name) as stream:
            digests[name] = digest_stream(stream, ["sha256"])["sha256"]
    _write(tree / ".treeinfo", "treeinfo", recipe, digests=digests)
    _write(tree / ".discinfo", "discinfo", recipe)
    _write(tree / "GPL", "GPL", recipe)


def _write_repodata(tree: Path, recipe: Recipe, monitor: Monitor) -> None:
    names = sorted(rpm.name.rsplit("-", 2)[0] for rpm in (tree / "Packages").iterdir())
    comps = tree / "repodata" / "comps.xml"
    comps.parent.mkdir()
    _write(comps, "comps.xml", recipe, names=names)
    call(createrepo_argv(tree, comps, recipe.epoch), monitor, home=tree.parent, epoch=recipe.epoch)


def createrepo_argv(tree: Path, comps: Path, epoch: int) -> list[str]:
    """The command that writes the metadata of the packages below ``tree``."""
    return [
        *("createrepo_c", "--quiet", "--no-database"),
        *("--workers", "1"),  # several write the packages in the order in which they finish
        *("--groupfile", str(comps)),
        *("--revision", str(epoch), "--set-timestamp-to-revision"),
        str(tree),
    ]


def _write(path: Path, template: str, recipe: Recipe, **values: object) -> None:
    text = render(
        f"demo/{template}.j2",
        version=recipe.version,
        arch=recipe.arch,
        epoch=recipe.epoch,
        **values,
    )
    path.write_text(text, "utf-8")
