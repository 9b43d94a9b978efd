"""The program rdiff: what it is asked, and what its complaints mean."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from release_builder import process
from release_builder.digests import BLOCK
from release_builder.errors import (
    IncompleteError,
    StoppedError,
    SurroundingsError,
    WrongBytesError,
    printable,
)
from release_builder.files import open_regular

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

_STRONG: Final = 16  # bytes of digest a block: all that MD4 has, half of BLAKE2
_IO_ERROR: Final = 100  # librsync.h, rs_result: RS_IO_ERROR
_LIBRSYNC_SAYS: Final = re.compile(r"^librsync: ERROR: (?:\(\w+\) )?(.+)", re.MULTILINE)
_FIXED_BLOCK: Final = 2048  # bytes; the default before 2.3.0
_TABLE_ENTRY: Final = 12  # librsync, hashtable.c: a pointer and a 32-bit key a slot
_OWN_MEMORY: Final = 16 << 20  # bytes for the program itself, and for us beside it


def version() -> str:
    """The version of librsync that rdiff has, such as ``2.3.2``.

    Raises:
        SurroundingsError: It is not installed, or does not tell.
    """
    words = process.run(["rdiff", "--version"]).stdout
    found = re.search(r"librsync v?([0-9][0-9A-Za-z.]*)", words)
    if found is None:
        raise SurroundingsError(f"rdiff --version says '{printable(words[:80])}': no version")
    return found[1]


def default_block_size(size: int, librsync: str) -> int:
    """The block size that rdiff chooses for an image of ``size`` bytes, in bytes.

    Source: librsync 2.3.0, ``rs_sig_args``; before, it was fixed.
    """
    if _numbers(librsync) < (2, 3):
        return _FIXED_BLOCK
    return max(256, math.isqrt(size) & ~127)


def delta_memory(old_size: int, block_size: int) -> int:
    """Bytes that making a delta takes at most: the signature's table is loaded whole.

    Args:
        old_size: Of the image that the signature is of.
        block_size: Of the signature.
    """
    blocks = -(-old_size // block_size)
    slots = 1 << (blocks * 5 // 4).bit_length()  # a power of two, at most 4/5 full
    return _OWN_MEMORY + slots * _TABLE_ENTRY + blocks * (4 + 32)


def signature_argv(
    block_size: int, old: str, out: Path, librsync: str, *, slow: bool = False
) -> list[str]:
    """Ask for the signature of ``old`` (``-``: of stdin).

    Args:
        block_size: Bytes.
        old: A path.
        out: Where the signature goes.
        librsync: Its version.
        slow: Whether blocks that somebody made alike on purpose must be told apart. MD4 takes
            half the time of BLAKE2 and gives the same deltas but for such; the proof finds them.
    """
    digest = ["--hash=blake2" if slow else "--hash=md4"] if _numbers(librsync) >= (1, 0) else []
    options = [f"--block-size={block_size}", f"--sum-size={_STRONG}", *digest]
    return ["rdiff", *options, "signature", old, str(out)]


def delta_argv(signature: Path, new: str, out: Path) -> list[str]:
    """Ask for the delta from what ``signature`` is of to ``new`` (``-``: stdin)."""
    return ["rdiff", "delta", str(signature), new, str(out)]


def patch_argv(old: Path, delta: Path) -> list[str]:
    """Ask for what ``delta`` makes of ``old``, on stdout; large buffers halve its time."""
    buffers = [f"--input-size={BLOCK}", f"--output-size={BLOCK}"]
    return ["rdiff", *buffers, "patch", str(old), str(delta), "-"]


def run(
    argv: Sequence[str],
    *,
    stdin: bytes | Iterable[bytes] = b"",
    on_output: Callable[[bytes], None] | None = None,
    folder: Path | None = None,
) -> None:
    """Run rdiff.

    Args:
        argv: What it is asked.
        stdin: What it reads there.
        on_output: Gets what it prints.
        folder: Where the user should look if it cannot write.

    Raises:
        StoppedError: Somebody ended it with SIGTERM or SIGINT.
        IncompleteError: Another signal ended it, as the kernel does when memory is short.
        WrongBytesError: A signature or delta is broken.
        SurroundingsError: A file cannot be read or written, or rdiff is not installed.
    """
    outcome = process.run(argv, stdin=stdin, on_output=on_output)
    if outcome.status == 0:
        return
    what = f"{' '.join(argv[:1])} {_verb(argv)}: {_reason(outcome)}"
    if outcome.status in {-2, -15}:
        raise StoppedError(f"{what}: stopped", hint="the same command goes on from here")
    if outcome.status < 0:
        raise IncompleteError(what, hint="run again; give less --memory if memory was short")
    if outcome.status == _IO_ERROR:
        where = f"in {printable(str(folder))}" if folder else "there"
        raise SurroundingsError(what, hint=f"look at the room and the permissions {where}")
    raise WrongBytesError(what)


def _numbers(librsync: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", librsync)[:2])


def _reason(outcome: process.Outcome) -> str:
    """What rdiff complains of: first librsync says what, then rdiff that it failed."""
    words = outcome.stderr.strip()
    lines = _LIBRSYNC_SAYS.findall(words) or words.splitlines()
    return printable(lines[-1]) if lines else f"status {outcome.status}"


def _verb(argv: Sequence[str]) -> str:
    return next(word for word in argv[1:] if not word.startswith("-"))


def piece_of(path: Path, offset: int, length: int) -> Iterator[bytes]:
    """Those bytes of ``path``, block by block.

    Raises:
        OSError: It cannot be read.
    """
    with open_regular(path) as stream:
        stream.seek(offset)
        while length and (block := stream.read(min(BLOCK, length))):
            length -= len(block)
            yield block
