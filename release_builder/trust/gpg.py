"""Signatures, checked and made by the real gpg: who vouches for these bytes."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.errors import DescriptorError, WrongBytesError, printable
from release_builder.files import open_regular, read_bounded
from release_builder.process import Outcome, environment
from release_builder.trust.gpg_keys import (
    Key,
    Signature,
    Signer,
    check_pinned,
    check_public,
    last_complaint,
    parse_keys,
    run_gpg,
)
from release_builder.trust.gpg_sign import check_secret_key, sign_clear, sign_detached
from release_builder.trust.gpg_status import Verdict, read_status, words

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from types import TracebackType
    from typing import Self

__all__ = [
    "ChangedError",
    "Keyring",
    "Signature",
    "SignatureError",
    "Signer",
    "UnknownKeyError",
    "check_secret_key",
    "sign_clear",
    "sign_detached",
]

KEYS_LIMIT: Final = 16 << 20  # bytes of a file of keys
SIGNATURE_LIMIT: Final = 1 << 20  # bytes of a detached signature

# Nothing of the user's settings, no agent that would stay behind, no key from elsewhere; and who
# trusts whom is not asked, for the keys were named one by one.
_APART: Final = (
    "--no-options",
    "--no-autostart",
    "--no-auto-key-retrieve",
    "--trust-model=always",
    # A clock that is behind is no reason to refuse a key; whoever asks when it was signed sees it.
    "--ignore-time-conflict",
)

_REFUSALS: Final = {  # verdict → what, hint
    Verdict.CHANGED: (
        "{what} was changed after {signer} signed it",
        "fetch it again; if that does not help, tell who publishes it",
    ),
    Verdict.REVOKED_KEY: (
        "{what} is signed by {signer}, but that key is revoked",
        "do not use it: ask who publishes it for one that is signed anew",
    ),
    Verdict.EXPIRED_KEY: (
        "{what} is signed by {signer}, but that key {expired}",
        "get the key anew, it may have been prolonged; or ask who publishes it to sign it anew",
    ),
    Verdict.EXPIRED: (
        "{what} is signed by {signer}, but the signature has expired",
        "ask who publishes it to sign it anew",
    ),
}


class SignatureError(WrongBytesError):
    """Nobody whom we trust vouches for these bytes."""


class ChangedError(SignatureError):
    """Somebody whom we trust signed other bytes than these."""


class UnknownKeyError(SignatureError):
    """Nobody signed these bytes but with a key that was not named.

    Attributes:
        key: The end of its fingerprint.
    """

    def __init__(self, what: str, key: str, *, hint: str = "") -> None:
        super().__init__(what, hint=hint)
        self.key = key


class Keyring:
    """Public keys that are trusted, for as long as a ``with`` block lasts.

    Args:
        files: Each with one public key or more, armoured or not.
        pinned: Fingerprints of the primary keys that they may hold; empty: any.
    """

    def __init__(self, files: Sequence[Path], pinned: Collection[str] = ()) -> None:
        self._files = tuple(files)
        self._pinned = pinned
        self._folder = tempfile.TemporaryDirectory(prefix="gpg-")
        self._home = Path(self._folder.name)
        self._keys: tuple[Key, ...] = ()

    def __enter__(self) -> Self:
        """Read the keys.

        Raises:
            DescriptorError: A file cannot be read, holds no public key, a secret one, or one that
                is not pinned.
            SurroundingsError: gpg is not installed.
        """
        try:
            for file in self._files:
                self._import(file)
            self._keys = parse_keys(self._gpg("--with-colons", "--list-keys").stdout)
        except BaseException:
            self._folder.cleanup()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._folder.cleanup()

    @property
    def keys(self) -> tuple[Key, ...]:
        """The keys."""
        return self._keys

    @property
    def signers(self) -> tuple[Signer, ...]:
        """Whose keys they are."""
        return tuple(key.signer for key in self._keys)

    def verify_clear(self, content: bytes, what: str) -> tuple[bytes, Signature]:
        """The signed text in ``content``, and its signature.

        Args:
            content: A clear-signed text; what stands around it does not count.
            what: Its name, for messages.

        Returns:
            The text as gpg reads it: without blanks at the ends of lines.

        Raises:
            ChangedError: It is not as it was when it was signed.
            SignatureError: It is not signed, or by a key that is unknown, expired or revoked,
                or the signature has expired.
        """
        text = self._home / "text"
        outcome = self._gpg("--yes", f"--output={text}", "--verify", stdin=content)
        signature = self._signature(outcome, what)
        return text.read_bytes(), signature

    def verify_detached(self, data: Path, signature: Path) -> Signature:
        """Who signed ``data``, and when, of any size; for a small one see verify_content.

        Raises:
            ChangedError: It is not as it was when it was signed.
            SignatureError: As verify_clear.
            OSError: A file cannot be read.
        """
        open_regular(data).close()
        copy = self._copy_of(signature)
        outcome = self._gpg("--verify", str(copy), str(data.absolute()))
        return self._signature(outcome, printable(str(data)), signature)

    def verify_content(self, content: bytes, signature: Path, what: str) -> Signature:
        """Who signed ``content``, which messages call ``what``; errors as verify_detached."""
        outcome = self._gpg("--verify", str(self._copy_of(signature)), "-", stdin=content)
        return self._signature(outcome, what, signature)

    def _copy_of(self, signature: Path) -> Path:
        # gpg would wait for a FIFO, and read a huge file to its end.
        with open_regular(signature) as stream:
            content = read_bounded(stream, SIGNATURE_LIMIT, printable(str(signature)))
        copy = self._home / "signature"
        copy.write_bytes(content)
        return copy

    def _import(self, file: Path) -> None:
        where = printable(str(file))
        try:
            with open_regular(file) as stream:
                content = read_bounded(stream, KEYS_LIMIT, where)
        except OSError as error:
            raise DescriptorError(
                f"{where}: {error.strerror or error}", hint="name a file with a public key"
            ) from error
        imported = self._gpg("--import", stdin=content)
        said = words(imported.stdout)
        check_public(said, where)
        found = [rest[-1] for word, rest in said if word == "IMPORT_OK"]
        if not found:
            raise DescriptorError(
                f"{where} holds no public key that gpg can use",
                hint=f"export one: gpg --armor --export NAME > {where}",
            )
        check_pinned(found, self._pinned, where)

    def _gpg(self, *arguments: str, stdin: bytes = b"") -> Outcome:
        env = environment({"GNUPGHOME": str(self._home)})
        return run_gpg((*_APART, "--status-fd=1", *arguments), env, stdin)

    def _signature(self, outcome: Outcome, what: str, file: Path | None = None) -> Signature:
        verified = read_status(outcome.stdout, outcome.status)
        if verified.verdict is Verdict.GOOD:
            return Signature(self._key(verified.key).signer, verified.made, verified.unknown)
        if verified.verdict is Verdict.UNKNOWN_KEY:
            raise UnknownKeyError(
                f"{what} is signed by the unknown key {verified.key}",
                verified.key,
                hint=f"trusted: {', '.join(map(str, self.signers))}; if the other key is the"
                " publisher's, add its file to `trust.sums`",
            )
        if verified.verdict not in _REFUSALS:
            where = printable(str(file)) if file else what
            raise SignatureError(
                f"{where} holds no signature that gpg can check: {last_complaint(outcome)}",
                hint="fetch it again, or ask who publishes it to sign it",
            )
        key = self._key(verified.key)
        message, hint = _REFUSALS[verified.verdict]
        kind = ChangedError if verified.verdict is Verdict.CHANGED else SignatureError
        raise kind(message.format(what=what, signer=key.signer, expired=key.expired), hint=hint)

    def _key(self, digits: str) -> Key:
        return next(
            key for key in self._keys if any(each.endswith(digits) for each in key.fingerprints)
        )
