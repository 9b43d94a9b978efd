"""Releases as large as one likes: a tree of incompressible files, its image, its pair."""

from __future__ import annotations

import random
import shutil
import subprocess
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME: Final = "smeserver-9.0beta3-x86_64"
_SEED: Final = 7
_LARGEST: Final = 60_000_000  # bytes
_SMALLEST: Final = 3_000


def make_image(root: Path, megabytes: int, files: int | None = None) -> tuple[Path, Path]:
    """An image of about ``megabytes`` below ``root``, made once.

    Args:
        root: Where.
        megabytes: How large.
        files: Of how many files, all of one size; by default their sizes follow a log-normal law
            that resembles the packages of an installer tree: 1,000 MB give about 2,250 files.

    Returns:
        The tree and the image.
    """
    folder = root / f"image-{megabytes}-{files or 'packages'}"
    tree, image = folder / "tree", folder / f"{NAME}.iso"
    if not folder.is_dir():
        making = root / "making"
        shutil.rmtree(making, ignore_errors=True)
        total = megabytes * 10**6
        _make_tree(making / "tree", _equal_sizes(total, files) if files else _package_sizes(total))
        run(
            *("xorriso", "-as", "mkisofs", "-quiet", "-r", "-J"),
            *("-o", making / f"{NAME}.iso", making / "tree"),
        )
        making.rename(folder)
    return tree, image


def make_release(root: Path, megabytes: int) -> tuple[Path, Path]:
    """A release with the image of make_image and a pair by jigdo-file, made once.

    Returns:
        The mirror's folder of the release, and the image.
    """
    tree, image = make_image(root, megabytes)
    mirror = root / f"mirror-{megabytes}"
    if not mirror.is_dir():
        making = root / "making"
        shutil.rmtree(making, ignore_errors=True)
        pair = making / "iso/x86_64"
        pair.mkdir(parents=True)
        (making / "smeos").mkdir()
        (making / "smeos/x86_64").symlink_to(tree)
        run(
            *("jigdo-file", "make-template", "--no-cache", "--report=quiet", f"--image={image}"),
            *(f"--jigdo={pair / NAME}.jigdo", f"--template={pair / NAME}.template"),
            f"--label=SMEmirror={tree}",
            "--uri=SMEmirror=http://mirror.contribs.org/releases/9/smeos/x86_64/",
            f"{tree}//",
        )
        making.rename(mirror)
    return mirror, image


def run(*argv: str | Path) -> None:
    """Run a program that must succeed."""
    subprocess.run([str(each) for each in argv], check=True, capture_output=True)


def same(one: Path, other: Path) -> None:
    """A fast wrong image would be no figure at all."""
    run("cmp", one, other)


def _package_sizes(total: int) -> Iterator[int]:
    noise = random.Random(_SEED)
    while total > 0:
        size = round(min(_LARGEST, max(_SMALLEST, noise.lognormvariate(11.8, 1.6))))
        yield size
        total -= size


def _equal_sizes(total: int, files: int) -> Iterator[int]:
    yield from [total // files] * files


def _make_tree(tree: Path, sizes: Iterator[int]) -> None:
    noise = random.Random(_SEED)
    for number, size in enumerate(sizes):
        folder = tree / f"Packages{number // 1000:02d}"
        folder.mkdir(parents=True, exist_ok=True)
        name = f"package-{number:05d}-1.{number % 9}.el6.x86_64.rpm"
        (folder / name).write_bytes(noise.randbytes(size))
