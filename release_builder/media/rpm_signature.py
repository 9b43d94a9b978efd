"""Which key an OpenPGP signature names as its own, and of what kind it is.

Source: RFC 9580, sections 4.2 (packet headers), 5.2 (signature packets) and 5.2.3 (subpackets).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGNATURE: Final = 2  # packet type
_ISSUER: Final = 16  # subpacket types
_ISSUER_FINGERPRINT: Final = 33
_KEYS: Final = {1: "RSA", 3: "RSA", 17: "DSA", 19: "ECDSA", 22: "EdDSA", 27: "Ed25519"}
_DIGESTS: Final = {1: "MD5", 2: "SHA1", 8: "SHA256", 9: "SHA384", 10: "SHA512", 11: "SHA224"}


@dataclass(frozen=True, slots=True)
class SignatureKind:
    """How a signature was made; the numbers are those of RFC 9580, sections 9.1 and 9.5.

    Attributes:
        version: Of its packet: 3, 4 or 6.
        key: Algorithm of the key.
        digest: Algorithm of the digest.
    """

    version: int
    key: int
    digest: int

    def __str__(self) -> str:
        key = _KEYS.get(self.key, f"key algorithm {self.key}")
        return f"V{self.version} {key}/{_DIGESTS.get(self.digest, f'digest {self.digest}')}"


def kind_of(packet: bytes) -> SignatureKind:
    """How a signature was made. Nothing is verified.

    Args:
        packet: One signature packet, header and all, of version 3, 4 or 6.

    Raises:
        ValueError: It is no signature, or cut short.
    """
    try:
        body = _body(packet)
        key, digest = body[15:17] if body[0] == 3 else body[2:4]
        return SignatureKind(body[0], key, digest)
    except (IndexError, ValueError) as error:
        raise ValueError("its signature is broken") from error


def issuer(packet: bytes) -> str:
    """The key that claims to have made a signature. Nothing is verified.

    Args:
        packet: One signature packet, header and all, of version 3, 4 or 6.

    Returns:
        The id of the key, 16 lower-case hexadecimal digits.

    Raises:
        ValueError: It is no signature, or names no key.
    """
    try:
        return _key_id(_body(packet)).hex()
    except (IndexError, StopIteration):
        raise ValueError("its signature is broken") from None


def _body(packet: bytes) -> bytes:
    head = packet[0]
    if head & 0xC0 == 0xC0:
        kind = head & 0x3F
        start = {255: 6}.get(packet[1], 2 if packet[1] < 192 else 3)
    else:
        kind = head >> 2 & 0x0F
        start = (2, 3, 5, 1)[head & 3]
    if not head & 0x80 or kind != _SIGNATURE:
        raise ValueError("its signature is no OpenPGP signature")
    return packet[start:]


def _key_id(body: bytes) -> bytes:
    version = body[0]
    if version == 3:
        return _whole(body[7:15], 8)
    if version not in {4, 6}:
        raise ValueError(f"its signature is of version {version}")
    width = 2 if version == 4 else 4
    hashed = 4 + width
    unhashed = hashed + _number(body[4:hashed]) + width
    end = unhashed + _number(body[unhashed - width : unhashed])
    areas = body[hashed : unhashed - width], body[unhashed:end]
    subpackets = [each for area in areas for each in _subpackets(area)]
    return next(
        _whole(data[1:][-8:] if data[0] == 4 else data[1:9], 8)
        if kind == _ISSUER_FINGERPRINT
        else _whole(data, 8)
        for kind, data in subpackets
        if kind in {_ISSUER, _ISSUER_FINGERPRINT}
    )


def _subpackets(area: bytes) -> Iterator[tuple[int, bytes]]:
    while area:
        first = area[0]
        if first < 192:
            start, length = 1, first
        elif first < 255:
            start, length = 2, (first - 192 << 8) + area[1] + 192
        else:
            start, length = 5, _number(area[1:5])
        yield area[start] & 0x7F, area[start + 1 : start + length]
        area = area[start + length :]


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _whole(data: bytes, length: int) -> bytes:
    if len(data) != length:
        raise IndexError(length)
    return data
