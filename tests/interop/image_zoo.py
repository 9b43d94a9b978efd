"""Images of many kinds, each with the files that it was made of."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pycdlib
from builders import EPOCH, SIZES, make_image, make_tree, noise, run

from release_builder.demo.installer_tree import set_times
from release_builder.demo.programs import boot_files

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

SECTOR: Final = 2048
# What has a meaning in a .jigdo file or a shell, and bytes that are no UTF-8.
ODD_NAMES: Final = (
    *("a b", " a ", "a\tb", "#a", "a#b", "a'b", 'a"b', "a\\b", "a'\"\\b", "$a`b`", "[a]", "-a"),
    *("a=b", "a:b", "a\x01", "a\rb", "a\r", "a \r", "é", "\udcff\udcfe"),
)


@dataclass(frozen=True, slots=True)
class Exhibit:
    """An image and the files that may be its parts."""

    image: Path
    tree: Path


def plain(folder: Path) -> Exhibit:
    """ISO 9660 with Rock Ridge and Joliet."""
    tree = make_tree(folder / "tree")
    return Exhibit(make_image(tree, folder / "i.iso"), tree)


def bootable(folder: Path) -> Exhibit:
    """With isolinux, whose first file has a table in the image that it has not in the tree."""
    tree = make_tree(folder / "tree", SIZES | {"isolinux/vmlinuz": 100_000})
    for file in boot_files():
        (tree / "isolinux" / file.name).write_bytes(file.read_bytes())
    set_times(tree, EPOCH)
    image = folder / "i.iso"
    run(
        *("xorriso", "-as", "mkisofs", "-quiet", "-r", "-J", "-o", str(image)),
        *("-b", "isolinux/isolinux.bin", "-c", "isolinux/boot.cat"),
        *("-no-emul-boot", "-boot-load-size", "4", "-boot-info-table", str(tree)),
    )
    return Exhibit(image, tree)


def hybrid(folder: Path) -> Exhibit:
    """One that starts from a disk too: its system area is a boot sector."""
    exhibit = bootable(folder)
    run("isohybrid", str(exhibit.image))
    return exhibit


def hard_links(folder: Path) -> Exhibit:
    """Files of several names, which share their bytes; and copies, which do not."""
    tree = make_tree(folder / "tree")
    large = tree / "Packages/large-1.0-1.x86_64.rpm"
    for name in ("linked", "a/linked"):
        (tree / name).parent.mkdir(exist_ok=True)
        os.link(large, tree / name)
    (tree / "copy").write_bytes(large.read_bytes())
    image = folder / "i.iso"
    run(
        *("xorriso", "-as", "mkisofs", "-quiet", "-r", "-J", "--hardlinks"),
        *("-o", str(image), str(tree)),
    )
    return Exhibit(image, tree)


def empty_files(folder: Path) -> Exhibit:
    """Files without bytes between others."""
    names = ("a", "b/c", "images/empty", "z")
    tree = make_tree(folder / "tree", SIZES | dict.fromkeys(names, 0))
    return Exhibit(make_image(tree, folder / "i.iso"), tree)


def short_names(folder: Path) -> Exhibit:
    """Neither Rock Ridge nor Joliet: no name is the file's own, nor is any size unique."""
    tree = make_tree(folder / "tree", {f"Some-Rather-Long-Name.{n}.Text": 3000 for n in range(9)})
    image = folder / "i.iso"
    run("xorriso", "-as", "mkisofs", "-quiet", "--norock", "-o", str(image), str(tree))
    return Exhibit(image, tree)


def two_sessions(folder: Path) -> Exhibit:
    """Grown: one file was replaced, one added, and what they replace is still there."""
    exhibit = plain(folder)
    for name in ("images/initrd.img", "new"):
        (exhibit.tree / name).write_bytes(noise(60_000, name))
    run(
        *("xorriso", "-dev", str(exhibit.image), "-update_r", str(exhibit.tree), "/"),
        *("-commit", "-end"),
    )
    return exhibit


def odd_names(folder: Path) -> Exhibit:
    """Names that need quoting, and bytes that are no text."""
    tree = make_tree(folder / "tree", {f"d/{name}": 2000 for name in ODD_NAMES})
    image = folder / "i.iso"
    run("xorriso", "-as", "mkisofs", "-quiet", "-r", "-o", str(image), str(tree))
    return Exhibit(image, tree)


def constant_files(folder: Path) -> Exhibit:
    """A file of zeros: wherever the image is empty, it could be that file."""
    tree = make_tree(folder / "tree")
    (tree / "zeros").write_bytes(bytes(8192))
    (tree / "ones").write_bytes(b"\1" * 8192)
    return Exhibit(make_image(tree, folder / "i.iso"), tree)


def all_files(folder: Path) -> Exhibit:
    """Files one behind the other, and nothing else."""
    return concatenation(folder, {"a": 1 << 21, "b": 300_000, "c": 1024})


def all_zeros(folder: Path, size: int = 98_400) -> Exhibit:
    """Nothing but zeros, and a file of them."""
    tree = make_tree(folder / "tree")
    (tree / "zeros").write_bytes(bytes(4096))
    return _written(folder, tree, bytes(size))


def nothing_matches(folder: Path) -> Exhibit:
    """No file of the tree."""
    return _written(folder, make_tree(folder / "tree"), noise(3 << 20, "image"))


def repeated(folder: Path) -> Exhibit:
    """The same file again and again, so that a match may begin inside another."""
    tree = make_tree(folder / "tree", {"short": 2000, "long": 70_001})
    short, long = (tree / "short").read_bytes(), (tree / "long").read_bytes()
    content = short[:1999] + short * 5 + long[:40_000] + long * 3 + short + b"end"
    return _written(folder, tree, content)


def tar(folder: Path) -> Exhibit:
    """An archive of the files, with names that need headers of their own."""
    tree = make_tree(folder / "tree", SIZES | {f"{'long' * 40}/{'name' * 30}": 5001})
    image = folder / "i.tar"
    with tarfile.open(image, "w", format=tarfile.GNU_FORMAT) as archive:
        archive.add(tree, "tree")
    return Exhibit(image, tree)


def zipped(folder: Path) -> Exhibit:
    """An archive with files stored as they are, and one that is packed."""
    tree = make_tree(folder / "tree")
    (tree / "text").write_bytes(b"".join(b"line %d\n" % number for number in range(1000)))
    image = folder / "i.zip"
    with zipfile.ZipFile(image, "w") as archive:
        for path in sorted(path for path in tree.rglob("*") if path.is_file()):
            packed = zipfile.ZIP_DEFLATED if path.name == "text" else zipfile.ZIP_STORED
            archive.write(path, path.relative_to(tree), packed)
    return Exhibit(image, tree)


def udf(folder: Path) -> Exhibit:
    """UDF alone: what pycdlib writes, without the ISO 9660 descriptors beside it."""
    tree = make_tree(folder / "tree")
    disc = pycdlib.PyCdlib()
    disc.new(udf="2.60")
    paths = sorted(tree.rglob("*"))  # a folder before what is in it
    for number, path in enumerate(paths):
        name = f"/{path.relative_to(tree)}"
        if path.is_dir():
            disc.add_directory(f"/D{number}", udf_path=name)
        else:
            disc.add_file(str(path), f"/F{number}.;1", udf_path=name)
    out = io.BytesIO()
    disc.write_fp(out)
    both = out.getvalue()
    area = range(16 * SECTOR, 24 * SECTOR, SECTOR)
    marks = [both[at : at + SECTOR] for at in area if both[at + 1 : at + 6] != b"CD001"]
    content = both[: area.start] + b"".join(marks).ljust(8 * SECTOR, b"\0") + both[area.stop :]
    return _written(folder, tree, content)


def concatenation(folder: Path, sizes: Mapping[str, int]) -> Exhibit:
    """Files one behind the other, in the order given."""
    tree = make_tree(folder / "tree", sizes)
    return _written(folder, tree, b"".join((tree / name).read_bytes() for name in sizes))


def empty(folder: Path) -> Exhibit:
    """An image without a byte."""
    return _written(folder, make_tree(folder / "tree"), b"")


def huge(folder: Path) -> Exhibit:
    """A file of more than 4 GiB, which ISO 9660 lists in pieces; mostly holes, as is the image."""
    tree = make_tree(folder / "tree", {"small": 5000})
    size = (4 << 30) + (100 << 20) + 1
    with (tree / "huge").open("wb") as file:
        file.truncate(size)
        for at in (0, size // 2, size - (1 << 20)):
            file.seek(at)
            file.write(noise(1 << 20, at))
    image = folder / "i.iso"
    write = ["xorriso", "-as", "mkisofs", "-quiet", "-iso-level", "3", "-r", "-o", "-", str(tree)]
    with subprocess.Popen(write, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as writer:
        sparse = ["dd", f"of={image}", "conv=sparse", "bs=1M", "iflag=fullblock", "status=none"]
        subprocess.run(sparse, stdin=writer.stdout, check=True)
    assert writer.returncode == 0
    return Exhibit(image, tree)


def many_files(folder: Path, count: int) -> Exhibit:
    """``count`` files of one or two kilobytes in a hundred folders."""
    tree = folder / "tree"
    for number in range(count):
        path = tree / f"d{number % 100}" / f"f{number}"
        if number < 100:
            path.parent.mkdir(parents=True)
        path.write_bytes(noise(1024 + number % 1024, number))
    return Exhibit(make_image(tree, folder / "i.iso"), tree)


ZOO: Final[Mapping[str, Callable[[Path], Exhibit]]] = {
    "plain": plain,
    "bootable": bootable,
    "hybrid": hybrid,
    "hard links": hard_links,
    "empty files": empty_files,
    "short names": short_names,
    "two sessions": two_sessions,
    "odd names": odd_names,
    "constant files": constant_files,
    "all files": all_files,
    "all zeros": all_zeros,
    "nothing matches": nothing_matches,
    "repeated": repeated,
    "tar": tar,
    "zip": zipped,
    "udf": udf,
}


def _written(folder: Path, tree: Path, content: bytes) -> Exhibit:
    folder.mkdir(parents=True, exist_ok=True)
    image = folder / "i.iso"
    image.write_bytes(content)
    return Exhibit(image, tree)
