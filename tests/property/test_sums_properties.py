from __future__ import annotations

import os
from itertools import cycle
from typing import TYPE_CHECKING, Literal

from hypothesis import given
from hypothesis import strategies as st

from release_builder.digests import LENGTHS, Digest
from release_builder.trust.sums import SumsEntry, SumsError, parse_sums
from release_builder.trust.sums_file import sums_text

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = st.binary(min_size=1, max_size=20).filter(
    lambda raw: raw.strip() != b"" and not raw.startswith((b"/", b"./", b"*", b" ", b"-"))
)
DIGESTS = st.sampled_from(sorted(LENGTHS)).flatmap(
    lambda algorithm: st.binary(min_size=LENGTHS[algorithm], max_size=LENGTHS[algorithm]).map(
        lambda value: Digest(algorithm, value)
    )
)
PIECES = st.sampled_from(
    [
        *(b"\n", b"\r\n", b" ", b"  ", b" *", b"\\", b"(", b") = ", b"MD5 (", b"SHA256 (", b"# "),
        *(b": 12 bytes", b"x.iso", b"/", b"./", b"\xff", b"\xef\xbb\xbf", b"- ", b"0" * 32),
        *(b"a" * 64, b"0" * 17, b"-----BEGIN PGP SIGNED MESSAGE-----", b"Hash: SHA256"),
        b"-----BEGIN PGP SIGNATURE-----",
    ]
)


def gnu_line(raw: bytes, digest: Digest) -> bytes:
    name = raw.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    return (b"\\" if name != raw else b"") + digest.hex.encode() + b"  " + name + b"\n"


def bsd_line(raw: bytes, digest: Digest) -> bytes:
    name = raw.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    start = b"\\" if name != raw else b""
    return start + f"{digest.algorithm.upper()} (".encode() + name + f") = {digest.hex}\n".encode()


@given(
    st.lists(st.tuples(NAMES, DIGESTS)), st.lists(st.sampled_from([gnu_line, bsd_line]), min_size=1)
)
def test_what_is_written_as_gnu_and_bsd_do_is_read_back(
    files: list[tuple[bytes, Digest]], ways: list[Callable[[bytes, Digest], bytes]]
) -> None:
    lines = [way(*file) for way, file in zip(cycle(ways), files, strict=False)]

    entries = parse_sums(b"".join(lines), "SUMS")

    assert entries == tuple(
        SumsEntry(digest, None, os.fsdecode(raw), line)
        for line, (raw, digest) in enumerate(files, 1)
    )


@given(
    st.lists(
        st.tuples(
            NAMES.map(os.fsdecode).filter(lambda name: not {"/", "\0"} & set(name)),
            st.integers(0, 10**17),
            DIGESTS,
        ).filter(lambda entry: entry[0] not in {".", ".."})
    ),
    st.sampled_from(["gnu", "bsd"]),
)
def test_what_we_write_is_read_back(
    files: list[tuple[str, int, Digest]], style: Literal["gnu", "bsd"]
) -> None:
    entries = parse_sums(sums_text(files, style), "SUMS")

    digests = [(entry.file, entry.digest) for entry in entries if entry.digest]
    assert digests == [(name, digest) for name, _, digest in files]
    told = [(entry.file, entry.size) for entry in entries if entry.size is not None]
    unbroken = [(name, size) for name, size, _ in files if not {"\n", "\r"} & set(name)]
    assert told == (unbroken if style == "bsd" else [])


@given(st.one_of(st.binary(), st.lists(PIECES).map(b"".join)), st.sampled_from(["S", "x.iso.md5"]))
def test_any_bytes_give_entries_or_the_one_error(content: bytes, name: str) -> None:
    try:
        entries = parse_sums(content, name)
    except SumsError:
        return

    assert all(entry.file and entry.line > 0 for entry in entries)
