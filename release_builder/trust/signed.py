"""Whether a sums file is signed: in itself, or by a signature that lies beside it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from release_builder.errors import printable
from release_builder.files import open_regular, read_bounded
from release_builder.trust.gpg import ChangedError, SignatureError
from release_builder.trust.sums import SUMS_LIMIT

if TYPE_CHECKING:
    from pathlib import Path

    from release_builder.trust.gpg import Keyring, Signer

SUFFIXES: Final = (".asc", ".sig", ".gpg")  # of signatures beside a file

# Up to the blank line that ends the armour's headers, without it.
_START: Final = re.compile(
    rb"^-----BEGIN PGP SIGNED MESSAGE-----[ \t]*\r?$(?:\n.*\S.*$)*\n", re.MULTILINE
)


def signed_part(path: Path, content: bytes, keyring: Keyring) -> tuple[bytes, Signer]:
    """What of ``content`` is signed by a key that we trust, and by whom.

    Args:
        path: The file. What lies beside it under its name and one of SUFFIXES is a signature,
            or a clear-signed copy as CentOS has them; each that is there must be right.
        content: Its bytes.
        keyring: The keys.

    Returns:
        The signed text, in which every line has the number that it has in ``content``.

    Raises:
        SignatureError: It is not signed by one of them.
        OSError: A signature cannot be read.
    """
    where = printable(str(path))
    if start := _START.search(content):
        text, signer = keyring.verify_clear(content, where)
        return b"\n" * (content.count(b"\n", 0, start.end()) + 1) + text, signer
    beside = [path.with_name(path.name + suffix) for suffix in SUFFIXES]
    signers = [
        _signed_beside(content, where, signature, keyring)
        for signature in beside
        if signature.is_file()
    ]
    if not signers:
        raise SignatureError(
            f"{where} is not signed, and `keys:` asks for that",
            hint=f"fetch {printable(path.name)}.asc too, or ask who publishes it to sign it",
        )
    return content, signers[0]


def _signed_beside(content: bytes, where: str, signature: Path, keyring: Keyring) -> Signer:
    place = printable(str(signature))
    with open_regular(signature) as stream:
        copy = read_bounded(stream, SUMS_LIMIT, place)
    if not _START.search(copy):
        return keyring.verify_content(content, signature, where)
    text, signer = keyring.verify_clear(copy, place)
    if _lines(text) != _lines(content):
        raise ChangedError(
            f"{where} is not what {signer} signed in {place}",
            hint="fetch both again; if that does not help, tell who publishes them",
        )
    return signer


def _lines(text: bytes) -> list[bytes]:
    """The lines, without what a clear-signed text does not keep of them."""
    return [line.rstrip(b" \t\r") for line in text.rstrip().split(b"\n")]
