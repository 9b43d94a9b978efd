"""The places where an image still calls itself a beta."""

from __future__ import annotations

from typing import TYPE_CHECKING

import iso_builder
import pytest
from rpm_builder import ABOUT, rpm

from release_builder.descriptor.version import Version
from release_builder.errors import WrongBytesError
from release_builder.media import MediaError
from release_builder.steps.beta_words import beta_words

if TYPE_CHECKING:
    from pathlib import Path

RC = Version.parse("8.1rc1")


def write_image(folder: Path, volume_id: bytes = b"SME") -> Path:
    primary = bytearray(iso_builder.descriptor())
    primary[40:72] = volume_id.ljust(32)
    path = folder / "i.iso"
    path.write_bytes(iso_builder.image({16: bytes(primary)}))
    return path


def words(folder: Path, volume_id: bytes = b"SME", beta: Version = RC) -> tuple[str, ...]:
    """The lines for an image, and for the tree in ``folder``."""
    return beta_words(write_image(folder, volume_id), folder, beta)


def add(folder: Path, name: str, content: bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


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
    found = words(workdir, volume_id, Version.parse(beta))

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
    assert words(workdir, volume_id, Version.parse(beta)) == ()


def test_control_characters_of_an_image_are_not_told(workdir: Path) -> None:
    assert words(workdir, b"\x1bRC1") == ("the volume id is '\\x1bRC1'",)


def test_texts_of_the_tree_are_told_with_their_lines_in_order(workdir: Path) -> None:
    add(workdir, ".treeinfo", b"[general]\nversion = 8.1rc1\n")
    add(workdir, ".discinfo", b"123\nSME Server 8.1rc1\ni386\n")
    add(workdir, "isolinux/isolinux.cfg", b"label linux\n  menu label \tSME 8.1 RC 1\r\n")
    add(workdir, "isolinux/boot.msg", b"Welcome to \xff SME 8.1rc1\n")
    add(workdir, "EFI/BOOT/grub.cfg", b"search -l smeserver-8.1-rc1\n")
    add(workdir, "docs/README", b"8.1rc1\n")

    assert words(workdir) == (
        ".discinfo:2 says 'SME Server 8.1rc1'",
        ".treeinfo:2 says 'version = 8.1rc1'",
        "isolinux/isolinux.cfg:2 says 'menu label \\x09SME 8.1 RC 1'",
        "isolinux/boot.msg:1 says 'Welcome to � SME 8.1rc1'",
        "EFI/BOOT/grub.cfg:1 says 'search -l smeserver-8.1-rc1'",
    )


def test_a_long_line_is_cut(workdir: Path) -> None:
    add(workdir, ".discinfo", b"rc1 " + b"x" * 200)

    assert words(workdir) == (f".discinfo:1 says 'rc1 {'x' * 76}'",)


def test_a_text_of_many_megabytes_is_refused_by_its_name(workdir: Path) -> None:
    add(workdir, ".discinfo", bytes((1 << 20) + 1))

    with pytest.raises(WrongBytesError, match=r"\.discinfo"):
        words(workdir)


def test_release_packages_are_told_by_what_they_say_themselves(workdir: Path) -> None:
    release = {**ABOUT, 1000: "sme-release", 1001: "8.1", 1002: "0.rc1.el5"}
    add(workdir, "os/a-release-1.rpm", rpm(release))
    add(workdir, "b-release-8.1.rc1.rpm", rpm(ABOUT))
    add(workdir, "c-8.1rc1.rpm", rpm(release))

    (told,) = words(workdir)

    assert told.startswith("there is the package sme-release-")
    assert "8.1-0.rc1.el5" in told


def test_a_release_package_that_is_none_is_told_by_its_name(workdir: Path) -> None:
    add(workdir, "os/sme-release-8.1rc1.rpm", b"no RPM")

    assert words(workdir) == ("there is the package sme-release-8.1rc1.rpm",)


def test_without_a_tree_the_image_alone_is_asked(workdir: Path) -> None:
    add(workdir, ".discinfo", b"8.1rc1\n")

    assert beta_words(write_image(workdir, b"RC1"), None, RC) == ("the volume id is 'RC1'",)


def test_an_image_that_is_none_is_refused(workdir: Path) -> None:
    path = workdir / "i.iso"
    path.write_bytes(bytes(40_000))

    with pytest.raises(MediaError, match="no ISO 9660 image"):
        beta_words(path, None, RC)
