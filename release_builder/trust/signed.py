"""Whether a sums file is signed: in itself, or by a signature that lies beside it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from release_builder.errors import printable
from release_builder.files import open_regular, read_bounded
from release_builder.trust.gpg import ChangedError, SignatureError, UnknownKeyError
from release_builder.trust.sums import SUMS_LIMIT

if TYPE_CHECKING:
    from pathlib import Path

    from release_builder.trust.gpg import Keyring, Signature

SUFFIXES: Final = (".asc", ".sig", ".gpg")  # of signatures beside a file

# Up to the blank line that ends the armour's headers, without it.
_START: Final = re.compile(
    # Possessive: a line of megabytes must not be gone over again from each of its bytes.
    rb"^-----BEGIN PGP SIGNED MESSAGE-----[ \t]*+\r?$(?:\n(?=[^\S\n]*+\S)[^\n]*+)*\n",
    re.MULTILINE,
)


def signed_part(path: Path, content: bytes, keyring: Keyring) -> tuple[bytes, Signature]:
    """What of ``content`` is signed by a key that we trust, by whom and when.

    Args:
        path: The file. What lies beside it under its name and one of SUFFIXES is a signature,
            or a clear-signed copy as CentOS has them; each that is there must be right, but for
            one by an unknown key beside another.
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
        text, signature = keyring.verify_clear(content, where)
        return b"\n" * (content.count(b"\n", 0, start.end()) + 1) + text, signature
    beside = [path.with_name(path.name + suffix) for suffix in SUFFIXES]
    signatures: list[Signature] = []
    unknown: list[UnknownKeyError] = []
    for file in beside:
        if file.is_file():
            try:
                signatures.append(_signed_beside(content, where, file, keyring))
            except UnknownKeyError as error:
                unknown.append(error)
    if unknown and not signatures:
        raise unknown[0]
    if not signatures:
        raise SignatureError(
            f"{where} is not signed, and `trust.sums` asks for that",
            hint=f"fetch {printable(path.name)}.asc too, or ask who publishes it to sign it",
        )
    oldest = min(signatures, key=lambda each: each.made)
    keys = (*oldest.unknown, *(each.key for each in unknown))
    return content, replace(oldest, unknown=tuple(dict.fromkeys(keys)))


def _signed_beside(content: bytes, where: str, file: Path, keyring: Keyring) -> Signature:
    place = printable(str(file))
    with open_regular(file) as stream:
        copy = read_bounded(stream, SUMS_LIMIT, place)
    if not _START.search(copy):
        return keyring.verify_content(content, file, where)
    text, signature = keyring.verify_clear(copy, place)
    if _lines(text) != _lines(content):
        raise ChangedError(
            f"{where} is not what {signature.signer} signed in {place}",
            hint="fetch both again; if that does not help, tell who publishes them",
        )
    return signature


def _lines(text: bytes) -> list[bytes]:
    """The lines, without what a clear-signed text does not keep of them."""
    return [line.rstrip(b" \t\r") for line in text.rstrip().split(b"\n")]
