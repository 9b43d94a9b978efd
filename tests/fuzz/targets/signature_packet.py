"""Any bytes as an OpenPGP signature, and as what gpg says of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rpm_builder import KEY_ID, signature_packet

from release_builder.media.rpm_signature import issuer, kind_of
from release_builder.trust.gpg_status import Verdict, read_status

if TYPE_CHECKING:
    from collections.abc import Iterator

_GOOD = f"[GNUPG:] NEWSIG\n[GNUPG:] GOODSIG {KEY_ID} A <a@b>\n"
_VALID = f"[GNUPG:] VALIDSIG {'A' * 40} 2020-01-01 1577836800 0 4 0 1 8 00 {'B' * 40}\n"


def seeds() -> Iterator[bytes]:
    """Packets of both versions, and verdicts."""
    yield signature_packet()
    yield signature_packet(version=3)
    yield (_GOOD + _VALID).encode()
    yield (
        _GOOD + _VALID + f"[GNUPG:] EXPKEYSIG {KEY_ID} A\n[GNUPG:] NO_PUBKEY {KEY_ID}\n"
    ).encode()


def one_input(content: bytes) -> None:
    """A key's id and words to show, or a ValueError; GOOD for nothing but good and valid."""
    for read in (issuer, kind_of):
        try:
            said = str(read(content))
        except ValueError:
            continue
        assert said.isprintable()
        assert read is not issuer or (len(said) == 16 and not set(said) - set("0123456789abcdef"))
    text = content.decode("utf-8", "replace")
    for status in (0, 2):
        found = read_status(text, status)
        if found.verdict is Verdict.GOOD:
            assert status == 0
            assert "[GNUPG:] GOODSIG" in text
            assert "[GNUPG:] VALIDSIG" in text
            assert not any(f"[GNUPG:] {bad.value} " in f"\n{text}" for bad in list(Verdict)[:2])
