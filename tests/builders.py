"""Tiny trees, images and pairs, made by the programs whose formats we read and write."""

from __future__ import annotations

import dataclasses
import random
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from release_builder import process
from release_builder.demo.installer_tree import set_times
from release_builder.demo.release import Release, lay_out
from release_builder.digests import digest_stream
from release_builder.files import open_regular
from release_builder.jigdo.form import Form
from release_builder.jigdo.input_files import read_input_files
from release_builder.monitor import Monitor
from release_builder.state.digest_cache import no_cache
from release_builder.steps.make_pair import make_template
from release_builder.steps.pair_options import MadePair, Match, PairOptions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from release_builder.digests import Digest

EPOCH = 1_391_212_800  # 2014-02-01: the time of every file, so that images come out the same
# One file below a kilobyte, which jigdo leaves in the template; one of just a block; a large one;
# names that need quoting.
SIZES = {
    "a small file": 300,
    "Packages/block-1.0-1.noarch.rpm": 1024,
    "Packages/large-1.0-1.x86_64.rpm": 200_000,
    "Packages/middle-1.0-1.noarch.rpm": 5000,
    "Packages/it's #1.rpm": 3000,
    "images/initrd.img": 40_000,
}


@dataclass(frozen=True, slots=True)
class Pair:
    """A pair and the image that it was made from."""

    image: Path
    jigdo: Path
    template: Path


@dataclass(frozen=True, slots=True)
class Mirror:
    """A release and the rsync daemon that serves it.

    Attributes:
        release: Its files may be changed: they are this test's own.
        url: The root, such as ``rsync://127.0.0.1:40123/smeserver/``.
    """

    release: Release
    url: str

    @property
    def release_url(self) -> str:
        """What a descriptor calls ``mirror``."""
        return self.url + self.release.path

    @property
    def descriptor(self) -> str:
        """The three keys that suffice to build the release."""
        recipe = self.release.recipe
        return f"version: {recipe.version}\narch: {recipe.arch}\nmirror: {self.release_url}\n"


def noise(size: int, seed: object = 0) -> bytes:
    """``size`` bytes, the same ones for the same ``seed``."""
    return random.Random(repr(seed)).randbytes(size)


def make_tree(folder: Path, sizes: Mapping[str, int] = SIZES, seed: object = 0) -> Path:
    """Write a file of noise for each name; ``folder`` itself is returned."""
    for name, size in sizes.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(noise(size, (seed, name)))
    set_times(folder, EPOCH)
    return folder


def make_image(tree: Path, image: Path) -> Path:
    """The ISO 9660 image (with Rock Ridge and Joliet) of ``tree``, by xorriso."""
    image.parent.mkdir(parents=True, exist_ok=True)
    run("xorriso", "-as", "mkisofs", "-quiet", "-r", "-J", "-o", str(image), str(tree))
    return image


def jigdo_file_pair(
    image: Path,
    tree: Path,
    out: Path,
    *,
    algorithm: str = "md5",
    compression: str = "gzip",
    label: str = "Mirror",
    url: str = "http://mirror.example/tree/",
) -> Pair:
    """The pair of ``image`` and ``tree`` in the folder ``out``, by jigdo-file.

    Args:
        image: The image.
        tree: The files to match.
        out: Where the pair goes, named as the image is.
        algorithm: ``md5`` (format 1) or ``sha256`` (format 2).
        compression: ``gzip`` or ``bzip2``.
        label: What [Parts] and [Servers] call the tree.
        url: Where the tree lies, for [Servers].
    """
    pair = _pair(image, out)
    run(
        *("jigdo-file", "make-template", "--no-cache", "--report=noprogress"),
        *(f"--checksum-algorithm={algorithm}", f"--{compression}"),
        *(f"--label={label}={tree}", f"--uri={label}={url}"),
        *(f"--image={image}", f"--jigdo={pair.jigdo}", f"--template={pair.template}"),
        f"{tree}//",
    )
    return pair


def xorriso_image_with_pair(
    tree: Path,
    out: Path,
    *,
    algorithm: str = "md5",
    compression: str = "gzip",
    label: str = "Mirror",
    min_size: int = 1024,
) -> Pair:
    """The image of ``tree`` and its pair in the folder ``out``, both by xorriso (libjte).

    The .jigdo is as xorriso leaves it: [Servers] is empty and Template is below
    ``http://localhost/``. With a ``min_size`` below 1024 jigdo-file refuses the template.
    """
    pair = _pair(out / "image.iso", out)
    files = sorted(path for path in tree.rglob("*") if path.is_file())
    lines = (f"{digest(file, algorithm).hex}  {file.stat().st_size:12}  {file}" for file in files)
    sums = out / "checksum-list"
    sums.write_text("".join(f"{line}\n" for line in lines), "utf-8", "surrogateescape")
    run(
        *("xorriso", "-as", "mkisofs", "-quiet", "-r", "-J", "-o", str(pair.image)),
        *("-jigdo-jigdo", str(pair.jigdo), "-jigdo-template", str(pair.template)),
        *("-jigdo-checksum-algorithm", algorithm, "-jigdo-template-compress", compression),
        *("-jigdo-min-file-size", str(min_size), "-checksum-list", str(sums)),
        *("-jigdo-map", f"{label}={tree}/", str(tree)),
    )
    return pair


def next_release(release: Release, version: str = "9.0beta4") -> Release:
    """Put the release that follows ``release`` on the same mirror.

    One package is updated, one is new, one is gone; ``.discinfo`` and a boot image changed under
    the same name. ``testing/N`` points to the new release.
    """
    new = dataclasses.replace(release, recipe=dataclasses.replace(release.recipe, version=version))
    shutil.copytree(release.tree, new.tree)
    packages = sorted((new.tree / "Packages").iterdir())
    updated, gone = packages[1], packages[2]
    gone.unlink()
    with updated.open("ab") as package:
        package.write(noise(2000, version))
    updated.rename(updated.with_name(updated.name.replace("-1.el", "-2.el")))
    added = packages[3].name.replace("demo-", "demo-new-")
    shutil.copyfile(packages[3], new.tree / "Packages" / added)
    with (new.tree / "Packages" / added).open("ab") as package:
        package.write(noise(3000, version))
    (new.tree / "images" / "install.img").write_bytes(noise(50_000, version))
    discinfo = new.tree / ".discinfo"
    discinfo.write_text(discinfo.read_text().replace(release.recipe.version, version))
    set_times(new.tree, EPOCH + 86_400)
    lay_out(new, Monitor())
    return new


def digest(file: Path, algorithm: str = "md5") -> Digest:
    """The digest of a file."""
    with open_regular(file) as stream:
        return digest_stream(stream, [algorithm])[algorithm]


def run(*argv: str) -> str:
    """What a program that has to succeed prints; times in what it makes are fixed."""
    fixed = process.environment({"SOURCE_DATE_EPOCH": str(EPOCH)})
    outcome = process.run(argv, env=fixed)
    assert outcome.status == 0, outcome.stderr
    return outcome.stdout


def _pair(image: Path, out: Path) -> Pair:
    out.mkdir(parents=True, exist_ok=True)
    return Pair(image, out / f"{image.stem}.jigdo", out / f"{image.stem}.template")


def our_pair(
    image: Path,
    tree: Path,
    out: Path,
    *,
    algorithm: str = "md5",
    compression: str = "gzip",
    match: Match = Match.AUTO,
    url: str = "http://mirror.example/tree/",
) -> tuple[Pair, MadePair]:
    """As jigdo_file_pair, but our own; and what is told of it."""
    pair = _pair(image, out)
    made = make_template(
        image,
        read_input_files([f"{tree}//"], [("Mirror", str(tree))]),
        pair.template,
        pair.jigdo,
        PairOptions(
            form=Form(algorithm, compression),
            match=match,
            uris=(("Mirror", url),),
        ),
        cache=no_cache(),
    )
    return pair, made
