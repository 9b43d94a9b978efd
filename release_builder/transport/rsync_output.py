"""What rsync prints and how it ends, read once into values.

Source: rsync(1), "--out-format", "--itemize-changes", "--stats", "EXIT VALUES".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from release_builder.errors import (
    DescriptorError,
    IncompleteError,
    ReleaseBuilderError,
    StoppedError,
    SurroundingsError,
    WrongBytesError,
    printable,
)
from release_builder.transport import Moved, Transfer

if TYPE_CHECKING:
    from release_builder.monitor import Monitor

OUT_FORMAT: Final = "%i|%l|%b|%n"  # itemized change, bytes of the file, bytes sent, name

_LINE_END: Final = re.compile(rb"[\r\n]")
# Lines that a server wrote may come between: they are no numbers that int() would refuse.
_ITEM: Final = re.compile(r"([<>ch.*][^|]{1,11})\|(\d{1,19})\|(\d{1,19})\|(.*)", re.ASCII)
# A deletion may follow on the same line.
_PROGRESS: Final = re.compile(
    r"\s*(\d[\d,]{0,30})\s+\d+%\s+\S+/s\s+[\d:?]+\s*(?:\(xfe?r#\d+, \w+-chk=\d+/\d+\))?(.*)",
    re.ASCII,
)
_STATISTIC: Final = re.compile(
    r"(Total file size|Total bytes received|Literal data): (\d[\d,.]{0,30})(?: bytes)?$",
    re.ASCII,
)

VANISHED: Final = 24
_SEE_ABOVE: Final = "rsync's own words above say why"
_AGAIN: Final = (IncompleteError, "the mirror could not be read to the end", "run again later")
_MISUSE: Final = (DescriptorError, "the mirror refuses this", "check `mirror:` and `sync:`")
_READINGS: Final = {
    **dict.fromkeys((6, 10, 12, 23, 30, 35), _AGAIN),
    **dict.fromkeys((1, 2, 3, 4, 5), _MISUSE),
    20: (StoppedError, "it was stopped", "the same command goes on from here"),
    25: (
        DescriptorError,
        "more files are gone from the mirror than may be deleted here",
        "look at the mirror; if it is right, raise `max_delete:` below `sync:`",
    ),
}
_LONGEST_LINE: Final = 64 << 10  # bytes; a path has 4,096, and each of its bytes may be escaped
_SHOWN: Final = 500  # characters of a line
# rsync calls an error of our own side 23 too. The role in brackets tells whose it was; releases
# before 3.1 name the function only.
_LACK: Final = (
    r".*(?:No space left|Permission denied|Read-only file system|Disk quota|Too many open files"
    r"|Input/output error)"
)
_OUR_SIDE: Final = re.compile(
    r"^rsync: (?:\[(?:Receiver|receiver|generator)[^\]]*\] |mkstemp|recv_generator|delete_file|rename)"
    + _LACK,
    re.MULTILINE,
)
_DISCARDED: Final = re.compile(r"^.* -- discarding completed file", re.MULTILINE)
_EITHER_SIDE: Final = re.compile(r"^rsync: " + _LACK, re.MULTILINE)  # of a mirror that is a folder


class OutputReader:
    """Takes rsync's stdout in pieces and tells a monitor how far it is."""

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor
        self._rest = b""
        self._fetched: list[Moved] = []
        self._deleted: list[str] = []
        self._changes = 0
        self._finished_size = 0
        self._statistics: dict[str, int] = {}

    def feed(self, piece: bytes) -> None:
        """The next bytes of stdout.

        Raises:
            WrongBytesError: A line has no end.
        """
        *lines, self._rest = _LINE_END.split(self._rest + piece)
        if len(self._rest) > _LONGEST_LINE:
            raise WrongBytesError(
                f"rsync says a line of more than {_LONGEST_LINE:,} bytes",
                hint="a mirror that makes it do so means harm: name another",
            )
        for line in lines:
            self._line(line.decode("utf-8", "surrogateescape"))

    def transfer(self, *, vanished: bool = False) -> Transfer:
        """All that was read."""
        self.feed(b"\n")
        return Transfer(
            fetched=tuple(self._fetched),
            deleted=tuple(self._deleted),
            changes=self._changes,
            listed_size=self._statistics.get("Total file size", 0),
            received=self._statistics.get("Total bytes received", 0),
            literal=self._statistics.get("Literal data", 0),
            vanished=vanished,
        )

    def _line(self, line: str) -> None:
        if progress := _PROGRESS.fullmatch(line):
            self._tell(int(progress[1].replace(",", "")))
            line = progress[2]
        if item := _ITEM.fullmatch(line):
            self._item(item[1].rstrip(), int(item[2]), item[4])
        elif statistic := _STATISTIC.fullmatch(line):
            self._statistics[statistic[1]] = int(re.sub("[,.]", "", statistic[2]))

    def _item(self, change: str, length: int, path: str) -> None:
        self._changes += 1
        if change == "*deleting":
            self._deleted.append(path)
        elif change.startswith(">f"):
            self._fetched.append(Moved(path, length))
            self._finished_size += length
            self._tell(self._finished_size)

    def _tell(self, done: int) -> None:
        self._monitor.progress(done, note=f"{len(self._fetched):,} files")


def check_kept(complaints: str, mirror: str) -> None:
    """See that rsync kept what came: where it cannot hold it back, it ends with 0 all the same.

    Args:
        complaints: Its stderr.
        mirror: The URL that was asked.

    Raises:
        SurroundingsError: It did not.
    """
    if discarded := _DISCARDED.search(complaints):
        raise SurroundingsError(
            f"rsync {mirror}: {printable(discarded[0][:_SHOWN])}",
            hint="look at the room and the permissions there",
        )


def failure(status: int, complaints: str, mirror: str) -> ReleaseBuilderError:
    """The error that rsync's exit ``status`` and its own words amount to.

    Args:
        status: rsync's exit status, neither 0 nor VANISHED; negative for a signal.
        complaints: Its stderr.
        mirror: The URL that was asked.
    """
    ours = _EITHER_SIDE if mirror.startswith("/") else _OUR_SIDE
    kind, what, hint = _classify(status, complaints, ours)
    return kind(
        f"rsync {mirror}: {what} (rsync's status {status})\n{_own_words(complaints)}", hint=hint
    )


_Reading = tuple[type[ReleaseBuilderError], str, str]


def _classify(status: int, complaints: str, ours: re.Pattern[str]) -> _Reading:
    if status == 23 and ours.search(complaints):
        return SurroundingsError, "this machine could not take the files", _SEE_ABOVE
    if status in {5, 23} and any(map(_tells_of_no_root, complaints.splitlines())):
        return DescriptorError, "the mirror has no such place", "correct `mirror:`"
    if status == 5 and "auth failed" in complaints:
        return DescriptorError, "the mirror wants a password", "export RSYNC_PASSWORD"
    if status == 5 and "max connections" in complaints:
        status = 10  # the daemon's own "try again later" comes as an error of the protocol
    return _READINGS.get(status, (SurroundingsError, "rsync gave up", _SEE_ABOVE))


def _tells_of_no_root(line: str) -> bool:
    line = line.casefold()
    asked = "change_dir " in line or "link_stat " in line
    return "unknown module" in line or (asked and " failed: no such file" in line)


def _own_words(complaints: str) -> str:
    lines = [line for line in complaints.splitlines() if line.strip()]
    shown = lines if len(lines) <= 6 else [*lines[:5], f"… {len(lines) - 6} more lines", lines[-1]]
    return "\n".join(f"    {printable(line[:_SHOWN])}" for line in shown)
