"""The places where an image still calls itself a beta."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import iso_builder
import pytest
from rpm_builder import ABOUT, rpm

from release_builder.descriptor.version import Version
from release_builder.errors import WrongBytesError
from release_builder.media import MediaError
from release_builder.steps.beta_words import beta_words

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

RC = Version.parse("8.1rc1")
RELEASE = {**ABOUT, 1000: "sme-release", 1001: "8.1", 1002: "0.rc1.el5"}
PACKAGE = "there is the package sme-release-3:8.1-0.rc1.el5.x86_64"


def write_image(
    folder: Path, files: Mapping[str, bytes], volume_id: bytes = b"SME", *, plain: bool = False
) -> Path:
    """An image of ``files``, with Rock Ridge names unless ``plain``."""
    folders: dict[str, list[bytes]] = {"": []}
    for name in files:
        folders.update((str(each), []) for each in PurePosixPath(name).parents if each.name)
    blocks = {name: iso_builder.ROOT + number for number, name in enumerate(folders)}
    sectors, free = {}, iso_builder.ROOT + len(folders)

    def enter(path: str, block: int, length: int, flags: int = 0) -> None:
        parent, _, leaf = path.rpartition("/")
        name = leaf.encode() if plain else b"A.;1"
        extra = b"" if plain else iso_builder.named(leaf.encode())
        folders[parent].append(iso_builder.record(name, block, length, flags=flags, extra=extra))

    for name, content in files.items():
        enter(name, free, len(content))
        sectors[free] = content
        free += -(-len(content) // iso_builder.SECTOR)
    for name in filter(None, folders):
        enter(name, blocks[name], iso_builder.SECTOR, iso_builder.FOLDER)
    for name, records in folders.items():
        extra = b"" if name or plain else iso_builder.sharing()
        sectors[blocks[name]] = iso_builder.folder(blocks[name], *records, extra=extra)
    primary = bytearray(iso_builder.descriptor())
    primary[40:72] = volume_id.ljust(32)
    path = folder / "i.iso"
    path.write_bytes(iso_builder.image({16: bytes(primary), **sectors}, max(40, free)))
    return path


@pytest.mark.parametrize(
    ("volume_id", "beta"),
    [
        pytest.param(b"smeserver-8.1rc1-i386", "8.1rc1", id="version"),
        pytest.param(b"SME_8.1_RC1", "8.1rc1", id="underscores"),
        pytest.param(b"SMESERVER8RC1", "8.1rc1", id="run together"),
        pytest.param(b"SME RC 1", "8.1rc1", id="blank"),
        pytest.param(b"SME rc.01", "8.1rc1", id="zero"),
        pytest.param(b"SME 8.1 RC", "8.1rc1", id="without a number"),
        pytest.param(b"SME 9.0-beta", "9.0beta3", id="beta without a number"),
        pytest.param(b"Beta3", "9.0beta3", id="word alone"),
        pytest.param(b"9.0ALPHA2 x86_64", "9.0alpha2", id="alpha"),
    ],
)
def test_a_volume_id_that_names_the_beta_is_told(
    workdir: Path, volume_id: bytes, beta: str
) -> None:
    found = beta_words(write_image(workdir, {}, volume_id), Version.parse(beta))

    assert found == (f"the volume id is '{volume_id.decode()}'",)


@pytest.mark.parametrize(
    ("volume_id", "beta"),
    [
        pytest.param(b"smeserver-8.1-i386", "8.1rc1", id="final"),
        pytest.param(b"smeserver-8.1rc10", "8.1rc1", id="a later one"),
        pytest.param(b"SRC1 ARC 1", "8.1rc1", id="within a word"),
        pytest.param(b"SME 8.1 RC-TOOLS", "8.1rc1", id="word of another meaning"),
        pytest.param(b"SME 18.1 RC", "8.1rc1", id="another version"),
        pytest.param(b"SME 9.0 beta2", "9.0beta3", id="an earlier one"),
    ],
)
def test_a_volume_id_that_names_something_else_is_fine(
    workdir: Path, volume_id: bytes, beta: str
) -> None:
    assert beta_words(write_image(workdir, {}, volume_id), Version.parse(beta)) == ()


def test_control_characters_of_an_image_are_not_told(workdir: Path) -> None:
    image = write_image(workdir, {}, b"\x1bRC1")

    assert beta_words(image, RC) == ("the volume id is '\\x1bRC1'",)


def test_texts_of_the_image_are_told_with_their_lines_in_order(workdir: Path) -> None:
    files = {
        ".treeinfo": b"[general]\nversion = 8.1rc1\n",
        ".discinfo": b"123\nSME Server 8.1rc1\ni386\n",
        "isolinux/isolinux.cfg": b"label linux\n  menu label \tSME 8.1 RC 1\r\n",
        "isolinux/boot.msg": b"Welcome to \xff SME 8.1rc1\n",
        "EFI/BOOT/grub.cfg": b"search -l smeserver-8.1-rc1\n",
        "docs/README": b"8.1rc1\n",
        "docs/isolinux/isolinux.cfg": b"8.1rc1\n",
    }

    assert beta_words(write_image(workdir, files), RC) == (
        ".discinfo:2 says 'SME Server 8.1rc1'",
        ".treeinfo:2 says 'version = 8.1rc1'",
        "isolinux/isolinux.cfg:2 says 'menu label \\x09SME 8.1 RC 1'",
        "isolinux/boot.msg:1 says 'Welcome to � SME 8.1rc1'",
        "EFI/BOOT/grub.cfg:1 says 'search -l smeserver-8.1-rc1'",
    )


def test_an_image_with_plain_names_is_looked_through_as_well(workdir: Path) -> None:
    files = {
        "_DISCINFO.;1": b"SME 8.1rc1\n",
        "ISOLINUX/ISOLINUX.CFG;1": b"SME 8.1rc1\n",
        "OS/SME_RELEASE_8_1.RPM;1": rpm(RELEASE),
    }

    found = beta_words(write_image(workdir, files, plain=True), RC)

    assert found == (
        "_DISCINFO:1 says 'SME 8.1rc1'",
        "ISOLINUX/ISOLINUX.CFG:1 says 'SME 8.1rc1'",
        PACKAGE,
    )


def test_a_long_line_is_cut(workdir: Path) -> None:
    image = write_image(workdir, {".discinfo": b"rc1 " + b"x" * 200})

    assert beta_words(image, RC) == (f".discinfo:1 says 'rc1 {'x' * 76}'",)


def test_a_text_of_many_megabytes_is_refused_by_its_name(workdir: Path) -> None:
    image = write_image(workdir, {".discinfo": bytes((1 << 20) + 1)})

    with pytest.raises(WrongBytesError, match=r"^\.discinfo in the image is larger"):
        beta_words(image, RC)


def test_release_packages_are_told_by_what_they_say_themselves(workdir: Path) -> None:
    files = {
        "b-release-8.1.rc1.rpm": rpm(ABOUT),
        "c-8.1rc1.rpm": rpm(RELEASE),
        "os/a-release-1.rpm": rpm(RELEASE),
    }

    assert beta_words(write_image(workdir, files), RC) == (PACKAGE,)


def test_of_a_release_package_the_header_is_enough(workdir: Path) -> None:
    content = rpm(RELEASE) + bytes(5 << 20)

    image = write_image(workdir, {"sme-release-1.rpm": content})

    assert beta_words(image, RC) == (PACKAGE,)


def test_a_release_package_that_is_none_is_told_by_its_name(workdir: Path) -> None:
    image = write_image(workdir, {"os/sme-release-8.1rc1.rpm": b"no RPM"})

    assert beta_words(image, RC) == ("there is the package sme-release-8.1rc1.rpm",)


def test_an_image_that_is_none_is_refused(workdir: Path) -> None:
    path = workdir / "i.iso"
    path.write_bytes(bytes(40_000))

    with pytest.raises(MediaError, match="no ISO 9660 image"):
        beta_words(path, RC)


@pytest.mark.parametrize(
    "sectors",
    [
        pytest.param({iso_builder.ROOT: bytes(iso_builder.SECTOR)}, id="no root"),
        pytest.param(
            {
                iso_builder.ROOT: iso_builder.folder(
                    iso_builder.ROOT, iso_builder.record(b"A", 99, 9)
                )
            },
            id="file outside",
        ),
    ],
)
def test_an_image_with_a_broken_file_system_is_refused(
    workdir: Path, sectors: dict[int, bytes]
) -> None:
    path = workdir / "i.iso"
    path.write_bytes(iso_builder.image(sectors))

    with pytest.raises(MediaError):
        beta_words(path, RC)
