"""ISO images that xorriso makes at test time, held against their files and against pycdlib."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pycdlib
import pytest
from builders import make_tree, noise, run

from release_builder.extents import Extent, Kind
from release_builder.media import find_layout

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.interop

DEEP = "/".join(f"level {number}" for number in range(1, 13))
SIZES = {
    "top": 1,
    "of two sectors": 2049,
    "folder/näme with ünlaute": 4096,
    "folder/" + "a long name " * 8: 700,
    f"{DEEP}/deepest": 9000,
    f"{DEEP}/beside": 5,
    "level 1/level 2/near": 300,
    **{f"many/package-{number:03}-1.0-1.noarch.rpm": 10 + number for number in range(200)},
}
ISOLINUX = "/usr/lib/ISOLINUX/isolinux.bin"
MBR = "/usr/lib/ISOLINUX/isohdpfx.bin"
BOOT = (
    *("-b", "isolinux/isolinux.bin", "-c", "isolinux/boot.cat"),
    *("-no-emul-boot", "-boot-load-size", "4"),
)
EFI = ("-eltorito-alt-boot", "-e", "isolinux/efi.img", "-no-emul-boot")

# Zeros come through the pipe, but take neither time nor room on the disk.
SPARSE_ISO = """
xorriso -as mkisofs -quiet -r -iso-level 3 "$1" |
    dd of="$2" bs=1M iflag=fullblock conv=sparse status=none
"""


@pytest.fixture
def tree(workdir: Path) -> Path:
    """Files of many sorts of names, a hard link, a symbolic link and an empty file."""
    folder = make_tree(workdir / "tree", SIZES)
    os.link(folder / "top", folder / "hard link")
    (folder / "symbolic link").symlink_to("top")
    (folder / "empty").touch()
    return folder


def iso(tree: Path, *options: str) -> Path:
    image = tree.parent / "image.iso"
    run("xorriso", "-as", "mkisofs", "-quiet", *options, "-o", str(image), str(tree))
    return image


def extents(image: Path) -> list[Extent]:
    with image.open("rb") as stream:
        layout = find_layout(stream)
        assert layout is not None
        assert layout.format == "ISO 9660"
        return list(layout.extents)


def files(image: Path) -> dict[str, tuple[int, int]]:
    """Offset and length of each file; no name stands twice."""
    found = [each for each in extents(image) if each.kind is Kind.FILE]
    by_name = {each.name: (each.offset, each.length) for each in found}
    assert len(by_name) == len(found)
    return by_name


def contents(image: Path) -> dict[str, bytes]:
    whole = image.read_bytes()
    return {name: whole[at : at + length] for name, (at, length) in files(image).items()}


def real_files(tree: Path) -> dict[str, bytes]:
    paths = [path for path in tree.rglob("*") if path.is_file() and not path.is_symlink()]
    content = {str(path.relative_to(tree)): path.read_bytes() for path in paths}
    return {name: data for name, data in content.items() if data}


def as_pycdlib_sees(image: Path) -> dict[str, tuple[int, int]]:
    """Offset and length of each file under the best names that pycdlib finds."""
    disc = pycdlib.PyCdlib()
    disc.open(str(image))
    names = "iso_path"
    if disc.has_rock_ridge():
        names = "rr_path"
    elif disc.has_joliet():
        names = "joliet_path"
    found: dict[str, tuple[int, int]] = {}
    for folder, _, leaves in disc.walk(**{names: "/"}):
        for record in disc.list_children(**{names: folder}):
            path = disc.full_path_from_dirrecord(record, rockridge=names == "rr_path")
            if path.rpartition("/")[2] not in leaves:
                continue
            start, length, extent = record.extent_location() * 2048, 0, record
            while extent is not None:
                length += extent.get_data_length()
                extent = extent.data_continuation
            if length:
                found[path[1:].removesuffix(";1")] = start, length
    disc.close()
    return found


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(["-r"], id="Rock Ridge"),
        pytest.param(["-r", "-J", "-joliet-long"], id="Rock Ridge and Joliet"),
        pytest.param(["--norock", "-J", "-joliet-long", "-input-charset", "utf-8"], id="Joliet"),
        pytest.param(["-r", "--hardlinks"], id="hard links"),
        pytest.param(["-r", "-iso-level", "4"], id="ISO 9660:1999"),
    ],
)
def test_each_file_is_found_where_it_lies(tree: Path, options: list[str]) -> None:
    image = iso(tree, *options)

    assert contents(image) == real_files(tree)
    assert files(image) == as_pycdlib_sees(image)


@pytest.mark.parametrize("place", ["moved", ".moved", "many"])
def test_directories_too_deep_for_iso_9660_are_found_where_they_belong(
    tree: Path, place: str
) -> None:
    image = tree.parent / "image.iso"
    relocate = ("-compliance", "deep_paths_off", "-rr_reloc_dir", place)
    run("xorriso", "-outdev", str(image), *relocate, "-map", str(tree), "/", "-commit")

    folders = [each.name for each in extents(image) if each.kind is Kind.DIRECTORY]

    real = {"", *(str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_dir())}
    assert sorted(folders) == sorted(real | {place})
    assert contents(image) == real_files(tree)
    assert files(image) == as_pycdlib_sees(image)


@pytest.mark.parametrize("level", ["1", "2", "3", "4"])
def test_each_file_is_found_without_better_names(tree: Path, level: str) -> None:
    image = iso(tree, "--norock", "-iso-level", level)

    assert sorted(contents(image).values()) == sorted(real_files(tree).values())
    assert files(image) == {
        name.removesuffix("."): place for name, place in as_pycdlib_sees(image).items()
    }


def test_names_that_are_no_utf_8_and_long_ones_are_kept(tree: Path) -> None:
    for number, name in enumerate((b"caf\xe9", b"\xff" * 255, b"tab\there", b"x" * 255)):
        path = tree / os.fsdecode(name)
        path.write_bytes(noise(99, number))

    image = iso(tree, "-r", "-J")

    assert contents(image) == real_files(tree)


def test_directories_of_both_trees_are_found(tree: Path) -> None:
    image = iso(tree, "-r", "-J", "-joliet-long")

    found = [each.name for each in extents(image) if each.kind is Kind.DIRECTORY]

    real = sorted(["", *(str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_dir())])
    assert sorted(found[: len(real)]) == real
    assert sorted(found[len(real) :]) == real


def test_nothing_overlaps(tree: Path) -> None:
    image = iso(tree, "-r", "-J", "-joliet-long")

    end = 0
    for start, length in sorted({(each.offset, each.length) for each in extents(image)}):
        assert start >= end
        end = start + length


@pytest.fixture
def bootable(tree: Path) -> Path:
    """The tree with a boot loader and an image for EFI."""
    folder = make_tree(tree / "isolinux", {"efi.img": 10_000})
    with open(ISOLINUX, "rb") as loader:  # noqa: PTH123 - outside any folder of ours
        (folder / "isolinux.bin").write_bytes(loader.read())
    return tree


def boot(image: Path) -> list[tuple[Kind, int]]:
    kinds = {Kind.BOOT_CATALOG, Kind.BOOT_IMAGE}
    return [(each.kind, each.length) for each in extents(image) if each.kind in kinds]


def test_boot_files_are_files(bootable: Path) -> None:
    image = iso(bootable, "-r", *BOOT, *EFI)

    found = contents(image)

    assert boot(image) == []
    assert len(found.pop("isolinux/boot.cat")) == 2048
    assert found == real_files(bootable)
    assert files(image) == as_pycdlib_sees(image)


def test_hidden_boot_files_are_found_by_the_catalog(bootable: Path) -> None:
    hidden = ("--boot-catalog-hide", "-hide", "isolinux.bin", "-hide", "efi.img")
    image = iso(bootable, "-r", *BOOT, *EFI, *hidden)

    assert boot(image) == [
        (Kind.BOOT_CATALOG, 2048),
        (Kind.BOOT_IMAGE, 2048),
        (Kind.BOOT_IMAGE, 10_240),
    ]


def test_a_hybrid_image_is_read_as_any_other(bootable: Path) -> None:
    image = iso(bootable, "-r", "-J", "-joliet-long", *BOOT, "-isohybrid-mbr", MBR)

    found = contents(image)

    assert image.read_bytes()[510:512] == b"\x55\xaa"
    assert found.keys() == real_files(bootable).keys() | {"isolinux/boot.cat"}
    assert files(image) == as_pycdlib_sees(image)


@pytest.mark.slow
def test_a_file_of_more_than_four_gib_is_found_in_one_piece(tree: Path) -> None:
    length = (4 << 30) + 12_345
    big = tree / "big"
    big.touch()
    os.truncate(big, length)
    with big.open("r+b") as stream:
        stream.seek(-5, os.SEEK_END)
        stream.write(b"last!")

    image = tree.parent / "image.iso"
    try:
        run("sh", "-c", SPARSE_ISO, "sh", str(tree), str(image))
        found, theirs = files(image), as_pycdlib_sees(image)
        offset, size = found["big"]
        with image.open("rb") as stream:
            stream.seek(offset + length - 5)
            last = stream.read(5)
    finally:
        image.unlink(missing_ok=True)

    assert size == length
    assert last == b"last!"
    assert found == theirs
