"""Any text as what rsync lists, and as what it prints while it copies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzz.decency import check_line

from release_builder.monitor import Monitor
from release_builder.transport.listing import EntryKind, parse_listing
from release_builder.transport.rsync_output import OutputReader, failure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_builder.transport import Transfer


def seeds() -> Iterator[bytes]:
    """What rsync 3 says."""
    yield (
        b"drwxr-xr-x          4,096 2013/10/15 16:41:30 .\n"
        b"drwxr-xr-x          4,096 2013/10/15 16:41:30 testing\n"
        b"lrwxrwxrwx              8 2013/10/15 16:41:30 testing/9 -> /rsyncd-munged/9.0beta3\n"
        b"-rw-r--r--          1,234 2013/10/15 16:41:30 testing/a b\n"
    )
    yield (
        b"cd+++++++++|4096|0|a/\n>f+++++++++|1234|1270|a/b.rpm\n"
        b"\r          1,234  10%    1.18MB/s    0:00:00 (xfr#1, to-chk=2/4)*deleting  |0|0|a/old\r"
        b"\nTotal file size: 1,234 bytes\nLiteral data: 1,234 bytes\nTotal bytes received: 99\n"
    )
    yield b"rsync: [generator] mkstemp failed: No space left\nchange_dir x failed: No such file\n"


def one_input(content: bytes) -> None:
    """Entries of the folders that were asked for; the same, in whatever pieces it comes."""
    text = content.decode("utf-8", "surrogateescape")
    for folder, entries in parse_listing(text, ["", "testing", "a"]).items():
        assert folder in {"", "testing", "a"}
        assert all("/" not in entry.name for entry in entries)
        assert all(not entry.target or entry.kind is EntryKind.LINK for entry in entries)
    whole = _read([content])
    assert whole == _read([content[at : at + 7] for at in range(0, len(content), 7)])
    assert len(whole.fetched) + len(whole.deleted) <= whole.changes
    for line in failure(len(content) % 256, text, "rsync://h/m/").hint.split("\n"):
        check_line(line)


def _read(pieces: list[bytes]) -> Transfer:
    reader = OutputReader(Monitor())
    for piece in pieces:
        reader.feed(piece)
    return reader.transfer()
