"""The program that makes images, and the one that makes disc images start from a stick."""

from __future__ import annotations

import codecs
import re
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder import process
from release_builder.errors import SurroundingsError, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_builder.descriptor.publishing import Compose
    from release_builder.monitor import Monitor

# The first sector of a hybrid image: Debian's and Enterprise Linux's places.
_HYBRID_SECTORS: Final = (
    "/usr/lib/ISOLINUX/isohdpfx.bin",
    "/usr/share/syslinux/isohdpfx.bin",
    "/usr/lib/syslinux/isohdpfx.bin",
    "/usr/lib/syslinux/bios/isohdpfx.bin",
)
_PERCENT: Final = re.compile(r"(\d{1,3}(?:\.\d+)?)% done|\b(\d{1,3}(?:\.\d+)?)%")
_COMPLAINT: Final = re.compile(r".*: (SORRY|MISHAP|FAILURE|FATAL) : (.*)")
_NO_ROOM: Final = ("No space left", "Disk quota exceeded", "exceeds free space")


@dataclass(frozen=True, slots=True)
class Image:
    """What xorriso is to make.

    Attributes:
        tree: Absolute path of the files.
        out: Absolute path of the image.
        left_out: Files and folders that stay out, by path below the tree.
        compose: Volume id and boot files.
        uefi: Whether UEFI's boot image is in the tree.
        hybrid: The first sector that lets it start from a stick; None: it does not.
        epoch: When it was made, in seconds since 1970.
    """

    tree: Path
    out: Path
    left_out: tuple[str, ...]
    compose: Compose
    uefi: bool
    hybrid: Path | None
    epoch: int


def hybrid_sector() -> Path | None:
    """The first sector of hybrid images, as isolinux brings it; None where it is not installed."""
    return next((path for path in map(Path, _HYBRID_SECTORS) if path.is_file()), None)


def xorriso_argv(image: Image) -> list[str]:
    """The command that makes ``image``."""
    compose = image.compose
    uefi = ("-eltorito-alt-boot", "-e", compose.efi, "-no-emul-boot") if image.uefi else ()
    left_out = [f"{image.tree}/{path}" for path in image.left_out]
    hybrid = ("-isohybrid-mbr", str(image.hybrid)) if image.hybrid else ()
    return [
        # It would read settings of this machine, and say how far it is on stderr.
        *("xorriso", "-no_rc", "-pkt_output", "on"),
        # mkisofs' own -m would take the characters *?[] of a name for a pattern.
        *(("-not_paths", *left_out, "--") if left_out else ()),
        *("-as", "mkisofs", "-V", compose.volume_id),
        *("-iso-level", "3", "-r", "-J", "-joliet-long"),  # level 3: files of 4 GiB and more
        *("-b", compose.boot, "-c", compose.catalog),
        *("-no-emul-boot", "-boot-load-size", "4", "-boot-info-table"),
        *uefi,
        *hybrid,
        *(("-isohybrid-gpt-basdat",) if hybrid and uefi else ()),
        *("-o", str(image.out), str(image.tree), "--"),
        # A copy of the tree has folders of other times.
        *("-find", "/", "-type", "d", "-exec", "alter_date", "b", f"={image.epoch}", "--"),
    ]


def isohybrid_argv(image: Image) -> list[str]:
    """The command that makes a finished image start from a stick too."""
    uefi = ("--uefi",) if image.uefi else ()
    # Its own number would be a random one.
    return ["isohybrid", "--id", str(image.epoch & 0xFFFFFFFF), *uefi, str(image.out)]


def make(image: Image, size: int, monitor: Monitor) -> None:
    """Make ``image``; the tree is not written to.

    Args:
        image: What to make.
        size: Bytes that it will have, about.
        monitor: Hears how far it is.

    Raises:
        SurroundingsError: xorriso is missing or fails; what it wrote is still there.
    """
    process.find("xorriso")
    monitor.begin(f"compose {image.out.name.removesuffix('.partial')}", size)
    listener = _Listener(size, monitor)
    try:
        outcome = process.run(
            xorriso_argv(image),
            on_output=listener,
            on_start=monitor.detail,
            env=_environment(image.epoch),
        )
    finally:
        monitor.end()
    if outcome.status:
        raise failure("xorriso", outcome.status, [*outcome.stderr.splitlines(), *listener.lines])


def call(argv: Sequence[str], monitor: Monitor, epoch: int) -> process.Outcome:
    """Run another program whose output depends on its arguments only.

    Raises:
        SurroundingsError: It is missing or fails.
    """
    outcome = process.run(argv, on_start=monitor.detail, env=_environment(epoch))
    if outcome.status:
        lines = [*outcome.stdout.splitlines(), *outcome.stderr.splitlines()]
        raise failure(Path(argv[0]).name, outcome.status, lines)
    return outcome


def failure(program: str, status: int, lines: Sequence[str]) -> SurroundingsError:
    """What ``program`` died of, by the ``lines`` that it printed."""
    full = next((line for line in lines if any(words in line for words in _NO_ROOM)), None)
    complaints = [found for line in lines if (found := _COMPLAINT.match(line))]
    # The last complaint is about the run as a whole; the one before it tells why.
    named = [found for found in complaints if "aborting" not in found[0]]
    last = full or (named[-1][2] if named else next((x for x in reversed(lines) if x.strip()), ""))
    return SurroundingsError(
        f"{program} failed with status {status}: {printable(last.strip()) or 'it said nothing'}",
        hint="free some room, or name another folder with --workdir" if full else "",
    )


def _environment(epoch: int) -> dict[str, str]:
    return process.environment({"SOURCE_DATE_EPOCH": str(epoch), "TZ": "UTC"})


class _Listener:
    """Tells the monitor how far xorriso is, and keeps its last lines."""

    def __init__(self, size: int, monitor: Monitor) -> None:
        self.lines: deque[str] = deque(maxlen=50)
        self._size = size
        self._monitor = monitor
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._rest = ""

    def __call__(self, piece: bytes) -> None:
        *lines, self._rest = re.split(r"[\r\n]", self._rest + self._decoder.decode(piece))
        for line in lines:
            if found := _PERCENT.search(line):
                share = float(found[1] or found[2]) / 100
                self._monitor.progress(round(self._size * min(share, 1)), self._size)
            elif line:
                self.lines.append(line)
