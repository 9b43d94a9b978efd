"""Inputs near good ones, the same for the same seed: what CI runs without a fuzzer."""

from __future__ import annotations

import itertools
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ODD_BYTES = b"\0\xff\x7f\x80\n\r\t\x1b \"'\\/.,:;=%$#<>[](){}&*-~09aA"
_ODD_WORDS = (
    *(b"../", b"\xc3\x28", b"\xed\xa0\x80", b"\xe2\x80\xae", b"\r\n", b"%00", b"1e999", b"NaN"),
    *(b"-1", b"99999999999999999999", b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff"),
)
_LONGEST = 64  # bytes of a change
_MOST = 6  # changes of an input


def mutations(seeds: Sequence[bytes], seed: int) -> Iterator[bytes]:
    """The seeds, then without end what comes of them.

    Args:
        seeds: Good inputs; one at least.
        seed: Another one, other inputs.
    """
    yield from seeds
    for number in itertools.count():
        random = Random(f"{seed} {number}")
        content = bytearray(random.choice(seeds))
        for _ in range(random.randint(1, _MOST)):
            _change(content, seeds, random)
        yield bytes(content)


def _change(content: bytearray, seeds: Sequence[bytes], random: Random) -> None:
    at = random.randint(0, len(content))
    length = random.randint(1, _LONGEST)
    match random.randint(0, 7):
        case 0 if at < len(content):
            content[at] ^= 1 << random.randint(0, 7)
        case 1:
            content[at : at + 1] = bytes([random.choice(_ODD_BYTES)])
        case 2:
            content[at:at] = random.choice(_ODD_WORDS)
        case 3:
            del content[at : at + length]
        case 4:
            content[at:at] = content[at : at + length] * random.randint(1, 9)
        case 5:
            other = random.choice(seeds)
            begin = random.randint(0, len(other))
            content[at : at + length] = other[begin : begin + length]
        case 6:
            del content[at:]
        case _:
            content[at : at + length] = random.randbytes(length)
