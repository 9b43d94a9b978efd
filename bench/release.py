"""A release as large as one likes: a tree of incompressible files, its image, its pair."""

from __future__ import annotations

import random
import shutil
import subprocess
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

NAME: Final = "smeserver-9.0beta3-x86_64"
_SEED: Final = 7
_LARGEST: Final = 60_000_000  # bytes
_SMALLEST: Final = 3_000


def make_release(root: Path, megabytes: int) -> Path:
    """A release of about ``megabytes`` below ``root``, made once.

    The sizes of the files follow a log-normal law that resembles the packages of an installer
    tree: 1,000 MB give about 2,250 files.

    Returns:
        The mirror's folder of the release.
    """
    mirror = root / "mirror"
    if mirror.is_dir():
        return mirror
    making = root / "making"
    shutil.rmtree(making, ignore_errors=True)
    tree, pair = making / "smeos/x86_64", making / "iso/x86_64"
    pair.mkdir(parents=True)
    _make_tree(tree, megabytes * 10**6)
    image = root / f"{NAME}.iso"
    _run("xorriso", "-as", "mkisofs", "-quiet", "-r", "-J", "-o", image, tree)
    _run(
        *("jigdo-file", "make-template", "--force", "--no-cache", "--report=quiet"),
        *(f"--image={image}", f"--jigdo={pair / NAME}.jigdo", f"--template={pair / NAME}.template"),
        f"--label=SMEmirror={tree}",
        "--uri=SMEmirror=http://mirror.contribs.org/releases/9/smeos/x86_64/",
        f"{tree}//",
    )
    making.rename(mirror)
    return mirror


def _make_tree(tree: Path, total: int) -> None:
    noise = random.Random(_SEED)
    packages = tree / "Packages"
    packages.mkdir(parents=True)
    made = number = 0
    while made < total:
        size = round(min(_LARGEST, max(_SMALLEST, noise.lognormvariate(11.8, 1.6))))
        name = f"package-{number:05d}-1.{number % 9}.el6.x86_64.rpm"
        (packages / name).write_bytes(noise.randbytes(size))
        made += size
        number += 1


def _run(*argv: str | Path) -> None:
    subprocess.run([str(each) for each in argv], check=True, capture_output=True)
