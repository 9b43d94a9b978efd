"""RPMs byte by byte, so that each field can be wrong."""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Value = int | str | bytes | Sequence[int] | Sequence[str]

LEAD = b"\xed\xab\xee\xdb\x03\x00" + bytes(90)
KEY_ID = "0123456789abcdef"
ABOUT: Mapping[int, Value] = {
    1000: "tiny",
    1001: "1.0",
    1002: "2.el7",
    1003: 3,
    1006: 1_391_212_800,
    1022: "x86_64",
    1044: "tiny-1.0-2.el7.src.rpm",
}
PAYLOAD = b"payload " * 100


def header(values: Mapping[int, Value]) -> bytes:
    """A header: INT32 for numbers, STRING for text, BINARY for bytes, arrays for lists."""
    index, data = b"", b""
    for tag, given in values.items():
        value = [given] if isinstance(given, int) else given
        if isinstance(value, str):
            kind, count, piece = 6, 1, value.encode("utf-8", "surrogateescape") + b"\0"
        elif isinstance(value, bytes):
            kind, count, piece = 7, len(value), value
        elif isinstance(value[0], int):
            data += bytes(-len(data) % 4)
            kind, count, piece = 4, len(value), struct.pack(f">{len(value)}I", *value)
        else:
            kind, count = 8, len(value)
            piece = b"".join(str(each).encode() + b"\0" for each in value)
        index += struct.pack(">IIII", tag, kind, len(data), count)
        data += piece
    return intro(len(values), len(data)) + index + data


def intro(entries: int, length: int) -> bytes:
    """The start of a header."""
    return b"\x8e\xad\xe8\x01" + struct.pack(">4xII", entries, length)


def rpm(
    about: Mapping[int, Value] = ABOUT,
    signature: Mapping[int, Value] | None = None,
    payload: bytes = PAYLOAD,
) -> bytes:
    """An RPM; without ``signature`` one that carries all true digests and is not signed."""
    if signature is None:
        about = {**about, 5092: [hashlib.sha256(payload).hexdigest()], 5093: 8}
    main = header(about)
    if signature is None:
        signature = {
            269: hashlib.sha1(main).hexdigest(),
            273: hashlib.sha256(main).hexdigest(),
            1000: len(main) + len(payload),
            1004: hashlib.md5(main + payload).digest(),
        }
    first = header(signature)
    return LEAD + first + bytes(-len(first) % 8) + main + payload


def signature_packet(key_id: str = KEY_ID, version: int = 4) -> bytes:
    """An OpenPGP signature that names its key and proves nothing."""
    key = bytes.fromhex(key_id)
    if version == 3:
        body = b"\x03\x05\x00" + bytes(4) + key + b"\x01\x08" + bytes(20)
    elif version == 4:
        body = b"\x04\x00\x01\x08" + b"\x00\x00" + b"\x00\x0a\x09\x10" + key + bytes(20)
    else:
        area = b"\x22\x21\x06" + key + bytes(24)
        body = b"\x06\x00\x1b\x08" + len(area).to_bytes(4, "big") + area + bytes(24)
    return b"\x88" + bytes([len(body)]) + body
