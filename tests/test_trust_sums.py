from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from release_builder.digests import Digest
from release_builder.errors import SurroundingsError, WrongBytesError
from release_builder.trust.sums import (
    LINE_LIMIT,
    SUMS_LIMIT,
    SumsEntry,
    SumsError,
    find_sums,
    is_of,
    parse_sums,
)

if TYPE_CHECKING:
    from pathlib import Path

MD5 = Digest("md5", bytes(range(16)))
SHA1 = Digest("sha1", bytes(range(20)))
SHA256 = Digest("sha256", bytes(range(32)))
SHA512 = Digest("sha512", bytes(range(64)))

CLEAR_SIGNED = f"""\
{SHA1.hex}  x.iso
-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA256

{SHA256.hex} *x.iso\x20\x20
- -----
- {MD5.hex}  dashed.iso
-----BEGIN PGP SIGNATURE-----
Version: GnuPG v1

iQEcBAEBCAAGBQJ0123456789
=abcd
-----END PGP SIGNATURE-----
{SHA512.hex}  x.iso
"""
CUT_SHORT = CLEAR_SIGNED.partition("-----BEGIN PGP SIGNATURE-----")[0]


def names_and_digests(content: bytes, name: str = "md5sum.txt") -> list[tuple[str, Digest | None]]:
    return [(entry.file, entry.digest) for entry in parse_sums(content, name)]


@pytest.mark.parametrize(
    ("line", "file", "digest"),
    [
        pytest.param(f"{MD5.hex}  x.iso", "x.iso", MD5, id="GNU text"),
        pytest.param(f"{SHA256.hex} *x.iso", "x.iso", SHA256, id="GNU binary"),
        pytest.param(f"{SHA512.hex}  x.iso", "x.iso", SHA512, id="GNU SHA-512"),
        pytest.param(f"{SHA1.hex.upper()}  x.iso", "x.iso", SHA1, id="capitals"),
        pytest.param(f"{MD5.hex} x.iso", "x.iso", MD5, id="one blank"),
        pytest.param(f"{MD5.hex}\tx.iso", "x.iso", MD5, id="tab"),
        pytest.param(f"  {MD5.hex}  x.iso", "x.iso", MD5, id="indented"),
        pytest.param(f"{MD5.hex}   x y.iso", " x y.iso", MD5, id="blanks in the name"),
        pytest.param(rf"\{MD5.hex}  a\\b\nc\rd", "a\\b\nc\rd", MD5, id="GNU escaped"),
        pytest.param(rf"{MD5.hex}  a\nb", r"a\nb", MD5, id="backslash, not escaped"),
        pytest.param(f"MD5 (x.iso) = {MD5.hex}", "x.iso", MD5, id="BSD MD5"),
        pytest.param(f"SHA256 (x (1).iso) = {SHA256.hex}", "x (1).iso", SHA256, id="BSD brackets"),
        pytest.param(rf"\SHA1 (a\nb) = {SHA1.hex}", "a\nb", SHA1, id="BSD escaped"),
        pytest.param(f"SHA256(x.iso)= {SHA256.hex}", "x.iso", SHA256, id="OpenSSL 1"),
        pytest.param(f"SHA2-512(x.iso)= {SHA512.hex}", "x.iso", SHA512, id="OpenSSL 3"),
        pytest.param(f"SHA-256 (x.iso) = {SHA256.hex}", "x.iso", SHA256, id="dash"),
        pytest.param(f"{MD5.hex}  /build/iso/x.iso", "x.iso", MD5, id="absolute"),
        pytest.param(f"{MD5.hex} *././x.iso", "x.iso", MD5, id="dot folder"),
        pytest.param(f"MD5 (/build/x.iso) = {MD5.hex}", "x.iso", MD5, id="BSD absolute"),
        pytest.param(f"{MD5.hex}  i386/x.iso", "i386/x.iso", MD5, id="relative"),
        pytest.param(f"{'0' * 56}  x.iso", "x.iso", None, id="SHA-224"),
        pytest.param(f"SHA384 (x.iso) = {'0' * 96}", "x.iso", None, id="SHA-384"),
        pytest.param(f"BLAKE2b (x.iso) = {'0' * 128}", "x.iso", None, id="BLAKE2"),
    ],
)
def test_a_line_of_any_usual_format_is_read(line: str, file: str, digest: Digest | None) -> None:
    content = f"{line}\n".encode()

    entries = parse_sums(content, "md5sum.txt")

    assert entries == (SumsEntry(digest, None, file, 1),)


@pytest.mark.parametrize(
    ("content", "name", "file"),
    [
        pytest.param(MD5.hex, "x.iso.md5", "x.iso", id="no line end"),
        pytest.param(f"{MD5.hex} \n", "x.iso.MD5SUM", "x.iso", id="blank after"),
        pytest.param(f"{MD5.hex}  -\n", "d/x.iso.md5sum.txt", "x.iso", id="standard input"),
        pytest.param(f"{MD5.hex}\r\n", "/d/x.iso.sha256.asc", "x.iso", id="asc"),
        pytest.param(f"# sum\n\n{MD5.hex}\n", "x.iso.CHECKSUM", "x.iso", id="after a comment"),
    ],
)
def test_a_sum_alone_is_of_the_file_that_its_own_name_tells(
    content: str, name: str, file: str
) -> None:
    assert names_and_digests(content.encode(), name) == [(file, MD5)]


def test_a_CHECKSUM_with_sizes_and_several_algorithms_is_read_line_by_line() -> None:  # noqa: N802
    content = (
        f"# x.iso: 727961600 bytes\nMD5 (x.iso) = {MD5.hex}\nSHA256 (x.iso) = {SHA256.hex}\n"
        f"# y.iso: 5 bytes\nSHA256 (y.iso) = {SHA256.hex}\n"
    )

    entries = parse_sums(content.encode(), "CHECKSUM")

    assert entries == (
        SumsEntry(None, 727961600, "x.iso", 1),
        SumsEntry(MD5, None, "x.iso", 2),
        SumsEntry(SHA256, None, "x.iso", 3),
        SumsEntry(None, 5, "y.iso", 4),
        SumsEntry(SHA256, None, "y.iso", 5),
    )


def test_byte_order_mark_line_ends_of_dos_comments_and_prose_are_passed_over() -> None:
    content = f"\ufeff{MD5.hex}  x.iso\r\n\r\n# comment\r\nSums of our images\r\n".encode()

    assert names_and_digests(content) == [("x.iso", MD5)]


def test_a_name_that_is_no_utf_8_is_the_name_that_the_file_system_gives() -> None:
    raw = b"caf\xe9.iso"

    [entry] = parse_sums(MD5.hex.encode() + b"  " + raw + b"\n", "md5sum.txt")

    assert entry.file == os.fsdecode(raw)


def test_of_a_clear_signed_file_only_the_signed_text_counts() -> None:
    entries = parse_sums(CLEAR_SIGNED.encode(), "sha256sum.txt.asc")

    assert entries == (
        SumsEntry(SHA256, None, "x.iso", 5, signed=True),
        SumsEntry(MD5, None, "dashed.iso", 7, signed=True),
    )


def test_a_clear_signed_file_of_dos_is_read() -> None:
    content = CLEAR_SIGNED.replace("\n", "\r\n").encode()

    assert len(parse_sums(content, "sha256sum.txt.asc")) == 2


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\n# none yet\n", id="comments"),
        pytest.param(
            b"-----BEGIN PGP SIGNATURE-----\n\niQEc\n=ab\n-----END PGP SIGNATURE-----\n",
            id="detached signature",
        ),
    ],
)
def test_a_file_without_sums_that_is_no_mistake_says_nothing(content: bytes) -> None:
    assert parse_sums(content, "CHECKSUM.asc") == ()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"<!DOCTYPE html>\n<p>404", ":1: this is no sums file", id="error page"),
        pytest.param(b"\x1f\x8b\x08\x00", ":1: this is no sums file", id="binary"),
        pytest.param(b"# x\n0123456789abcdef0  x.iso\n", ":2: a sum of 17 digits", id="GNU digits"),
        pytest.param(b"MD5 (x.iso) = 0123\n", ":1: a sum of 4 digits is no MD5", id="BSD digits"),
        pytest.param(
            f"MD5 (x.iso) = {SHA256.hex}".encode(), ":1: a sum of 64 digits", id="BSD algorithm"
        ),
        pytest.param(f"{MD5.hex}\n".encode(), ":1: a sum without the name", id="no name"),
        pytest.param(f"{MD5.hex}  /build/\n".encode(), ":1: a sum without the name", id="folder"),
        pytest.param(rf"\{MD5.hex}  a\tb".encode(), ":1: a backslash", id="escape"),
        pytest.param(rf"\{MD5.hex}  a\ "[:-1].encode(), ":1: a backslash", id="escape at the end"),
        pytest.param(CUT_SHORT.encode(), ": the clear-signed text is cut", id="cut short"),
        pytest.param(b"\n" + b"x" * (LINE_LIMIT + 1), ":2: a line of more than", id="long line"),
        pytest.param(b"#\n" * (SUMS_LIMIT // 2 + 1), ": larger than", id="large file"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_its_place(content: bytes, words: str) -> None:
    with pytest.raises(SumsError) as raised:
        parse_sums(content, "a/md5sum.txt")

    assert raised.value.what.startswith(f"a/md5sum.txt{words}")
    assert isinstance(raised.value, WrongBytesError)


def test_a_name_from_outside_reaches_messages_in_printable_form() -> None:
    with pytest.raises(SumsError) as raised:
        parse_sums(b"prose", "evil\x1b[2J\udcff")

    assert raised.value.what.startswith(r"evil\x1b[2J\xff:1: ")


def test_the_files_that_may_speak_of_an_image_are_found(tmp_path: Path) -> None:
    wanted = [
        "CHECKSUM", "CHECKSUM.asc", "Fedora-11-i386-CHECKSUM", "MD5SUM", "MD5SUMS", "SHA1SUM",
        "SHA256SUMS", "SHA512SUM", "X.ISO.MD5", "checksum.txt", "md5sum.txt", "sha1sum.txt.asc",
        "sha256sum.txt", "x.iso.CHECKSUM", "x.iso.SHA256SUM", "x.iso.md5sum", "x.iso.md5sum.asc",
        "x.iso.sha1", "x.iso.sha256", "x.iso.sha512sum",
    ]  # fmt: skip
    for name in [*wanted, "x.iso", "y.iso.md5", "README", "md5sum.py", "x.iso.asc", "amd5sum"]:
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "sha512sum.txt").mkdir()
    (tmp_path / "sha1sum.txt").symlink_to("../elsewhere")
    (tmp_path.parent / "elsewhere").touch()
    (tmp_path / "sha256sum.txt").unlink()
    (tmp_path / "sha256sum.txt").symlink_to("README")  # stays in the folder

    found = find_sums(tmp_path, "x.iso")

    assert found == [tmp_path / name for name in sorted(wanted)]


def test_a_folder_that_is_not_there_has_no_sums_files(tmp_path: Path) -> None:
    assert find_sums(tmp_path / "none", "x.iso") == []


def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(SurroundingsError, match="file: Not a directory"):
        find_sums(tmp_path / "file", "x.iso")


@pytest.mark.parametrize(
    ("name", "is_its_own"),
    [
        pytest.param("x.iso.md5", True, id="own"),
        pytest.param("y.iso.md5", False, id="another's"),
        pytest.param("md5sum.txt", False, id="of many"),
    ],
)
def test_a_sums_file_of_one_image_is_known_by_its_name(name: str, is_its_own: bool) -> None:
    assert is_of(name, "x.iso") is is_its_own


@pytest.mark.interop
@pytest.mark.parametrize("options", [pytest.param([], id="GNU"), pytest.param(["--tag"], id="BSD")])
@pytest.mark.parametrize("program", ["md5sum", "sha1sum", "sha256sum", "sha512sum"])
def test_what_coreutils_write_is_read(tmp_path: Path, program: str, options: list[str]) -> None:
    names = ["plain", "with blank ", "back\\slash", "new\nline", "(x) = 1", os.fsdecode(b"\xe9")]
    for name in names:
        (tmp_path / name).write_bytes(name.encode("utf-8", "surrogateescape"))

    argv = [program, *options, "--", *names]
    content = subprocess.run(argv, cwd=tmp_path, stdout=subprocess.PIPE, check=True).stdout
    entries = parse_sums(content, "SUMS")

    assert [entry.file for entry in entries] == names
    assert {entry.digest.algorithm for entry in entries if entry.digest} == {program[:-3]}
