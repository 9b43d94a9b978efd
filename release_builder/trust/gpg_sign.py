"""Sign with the user's own keys, by the real gpg and its agent.

Source: GnuPG 2.2, doc/DETAILS (FAILURE); libgpg-error, err-codes.h.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from release_builder.epoch import source_date_epoch
from release_builder.errors import DescriptorError, SurroundingsError, printable
from release_builder.files import open_regular, read_bounded, replacing
from release_builder.process import environment
from release_builder.trust.gpg_keys import Key, Signer, last_complaint, parse_keys, run_gpg
from release_builder.trust.gpg_status import words

TEXT_LIMIT: Final = 64 << 20  # bytes of a text that is signed

_PUBLIC_KEY: Final = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"
_NEEDS_PASSPHRASE: Final = {
    11,  # a wrong one
    62,  # nobody answered
    85,  # nobody may be asked
    99,  # somebody refused
    0x8000 | 102,  # there is no terminal to ask on
}


def sign_clear(text: Path, out: Path, key: str) -> None:
    """Write ``text`` and a signature of it to ``out``.

    Args:
        text: A small file of lines.
        out: Where to; appears whole or not at all.
        key: What gpg finds the secret key by. Times are SOURCE_DATE_EPOCH's where that is set.

    Raises:
        ReleaseBuilderError: As check_secret_key.
        OSError: A file cannot be read or written.
    """
    with open_regular(text) as stream:
        content = read_bounded(stream, TEXT_LIMIT, printable(str(text)))
    _write(out, _sign(_secret_key(key), "--clear-sign", stdin=content))


def sign_detached(data: Path, out: Path, key: str) -> None:
    """Write an armoured signature of ``data``, of any size, to ``out``; else as sign_clear."""
    open_regular(data).close()
    made = _sign(_secret_key(key), "--armor", "--detach-sign", "--", str(data.absolute()))
    _write(out, made)


def export_public_key(key: str) -> bytes:
    """What others check signatures with: the armoured public key of the secret key ``key``.

    It bears what its owner says of it, not what others certify.

    Raises:
        ReleaseBuilderError: As check_secret_key; nothing is signed.
    """
    found = _secret_key(key)
    outcome = run_gpg(
        (
            "--armor",
            "--export-options=export-minimal,no-export-attributes",
            "--export",
            "--",
            found.signer.fingerprint,
        ),
        _users_environment(),
    )
    if outcome.status or not outcome.stdout.startswith(_PUBLIC_KEY):
        raise SurroundingsError(
            f"gpg cannot export the public key of {found.signer}: {last_complaint(outcome)}",
            hint=f"try it by hand: gpg --armor --export {found.signer.fingerprint}",
        )
    return outcome.stdout.encode("ascii")


def check_secret_key(key: str) -> Signer:
    """Make sure that ``key`` can sign, before long work starts, by signing nothing.

    Raises:
        DescriptorError: Several keys fit, or the one that does is expired or revoked.
        SurroundingsError: There is no such secret key, it needs a passphrase that gpg-agent has
            not got, or gpg is not installed.
    """
    found = _secret_key(key)
    _sign(found, "--detach-sign")
    return found.signer


def _secret_key(name: str) -> Key:
    where = printable(name)
    listing = run_gpg(("--with-colons", "--list-secret-keys", "--", name), _users_environment())
    keys = parse_keys(listing.stdout)
    if not keys:
        raise SurroundingsError(
            f"there is no secret key '{where}' to sign with",
            hint="see which there are: gpg --list-secret-keys (of this user, of this GNUPGHOME)",
        )
    usable = [key for key in keys if key.signs]
    if not usable:
        key = keys[0]
        why = {"e": key.expired, "r": "is revoked"}.get(key.validity, "cannot sign")
        raise DescriptorError(
            f"the secret key of {key.signer} {why}",
            hint=f"prolong it: gpg --quick-set-expire {key.signer.fingerprint} 1y"
            if key.validity == "e"
            else "name another key",
        )
    if len(usable) > 1:
        found = ", ".join(str(key.signer) for key in usable)
        raise DescriptorError(
            f"{len(usable)} secret keys are called '{where}': {found}",
            hint="name the one that signs by its fingerprint",
        )
    return usable[0]


def _sign(key: Key, *arguments: str, stdin: bytes = b"") -> bytes:
    """What gpg writes to its output when it signs with ``key``."""
    outcome = run_gpg(
        (
            "--status-fd=2",
            "--output=-",
            "--digest-algo=SHA256",
            f"--local-user={key.signer.fingerprint}",
            *_asking(),
            *time_options(key),
            *arguments,
        ),
        _users_environment(),
        stdin,
    )
    if outcome.status == 0:
        return outcome.stdout.encode("utf-8", "surrogateescape")
    codes = [int(rest[-1]) & 0xFFFF for word, rest in words(outcome.stderr) if word == "FAILURE"]
    if _NEEDS_PASSPHRASE.intersection(codes):
        raise SurroundingsError(
            f"the secret key of {key.signer} needs a passphrase, and nobody can be asked",
            hint="let gpg-agent know it first:"
            f" gpg --local-user {key.signer.fingerprint} --output /dev/null --yes --sign /dev/null",
        )
    raise SurroundingsError(
        f"gpg cannot sign with the key of {key.signer}: {last_complaint(outcome)}",
        hint="try it by hand: gpg --local-user"
        f" {key.signer.fingerprint} --output /dev/null --yes --sign /dev/null",
    )


def _users_environment() -> dict[str, str]:
    return environment(pass_on=("GNUPGHOME", "GPG_TTY", "SSH_AUTH_SOCK"))


def _asking() -> tuple[str, ...]:
    """A passphrase may be asked where the user named a terminal for that, never in cron."""
    terminal = os.environ.get("GPG_TTY", "")
    return () if terminal and Path(terminal).is_char_device() else ("--pinentry-mode=error",)


def time_options(key: Key) -> tuple[str, ...]:
    """What makes ``key`` sign at SOURCE_DATE_EPOCH, where that is set.

    It never signs before it was made: nobody would accept that.

    Raises:
        DescriptorError: SOURCE_DATE_EPOCH is no time.
    """
    epoch = source_date_epoch(os.environ)
    if epoch is None:
        return ()
    return (f"--faked-system-time={max(epoch, key.created)}!",)


def _write(out: Path, content: bytes) -> None:
    with replacing(out) as stream:
        stream.write(content)
