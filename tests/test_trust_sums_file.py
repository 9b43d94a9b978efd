from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Literal

import pytest

from release_builder.digests import Digest, digest_stream
from release_builder.errors import WrongBytesError
from release_builder.trust.sums_file import sums_text

if TYPE_CHECKING:
    from pathlib import Path

MD5 = Digest("md5", bytes(range(16)))
SHA256 = Digest("sha256", bytes(range(32)))


def test_gnu_lines_have_digest_two_blanks_and_the_bare_name() -> None:
    text = sums_text([("x.iso", 5, SHA256), ("a.iso", 0, MD5)])

    assert text.decode() == f"{SHA256.hex}  x.iso\n{MD5.hex}  a.iso\n"


def test_bsd_lines_come_after_the_size() -> None:
    text = sums_text([("x.iso", 5, SHA256), ("a b.iso", 0, MD5)], "bsd")

    assert text.decode() == (
        f"# x.iso: 5 bytes\nSHA256 (x.iso) = {SHA256.hex}\n"
        f"# a b.iso: 0 bytes\nMD5 (a b.iso) = {MD5.hex}\n"
    )


@pytest.mark.parametrize("name", ["iso/x.iso", "/x.iso", "..", "", "."])
def test_a_name_that_is_not_bare_is_refused(name: str) -> None:
    with pytest.raises(WrongBytesError):
        sums_text([(name, 5, MD5)])


@pytest.mark.interop
@pytest.mark.parametrize("style", ["gnu", "bsd"])
@pytest.mark.parametrize("algorithm", ["md5", "sha256", "sha512"])
def test_coreutils_check_what_is_written(
    tmp_path: Path, algorithm: str, style: Literal["gnu", "bsd"]
) -> None:
    names = ["plain", "with blank ", "back\\slash", "new\nline", "cr\r", "(x) = 1", "*", "# x"]
    names.append(os.fsdecode(b"\xe9"))
    entries = []
    for number, name in enumerate(names):
        (tmp_path / name).write_bytes(bytes(number))
        with (tmp_path / name).open("rb") as stream:
            entries.append((name, number, digest_stream(stream, [algorithm])[algorithm]))
    argv = [f"{algorithm}sum", "--check", "--strict", "--quiet", "-"]

    checked = subprocess.run(
        argv, cwd=tmp_path, input=sums_text(entries, style), capture_output=True, check=False
    )

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
