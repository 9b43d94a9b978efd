"""Files of public keys, and a keyring made of them alone that gpg and rpmkeys use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from release_builder.errors import DescriptorError, SurroundingsError, printable
from release_builder.files import open_regular, read_bounded
from release_builder.process import environment, find, run
from release_builder.trust.gpg_keys import (
    check_pinned,
    check_public,
    last_complaint,
    parse_keys,
    run_gpg,
)
from release_builder.trust.gpg_status import words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

    from release_builder.process import Outcome
    from release_builder.trust.gpg_keys import Key

KEYS_LIMIT: Final = 16 << 20  # bytes of a file of keys


@dataclass(frozen=True, slots=True)
class KeyId:
    """A key, or a subkey, that packages may be signed with.

    Attributes:
        key_id: 16 lower-case hexadecimal digits.
        name: Whose it is, as the key has it; unchecked.
        file: Where it stands.
    """

    key_id: str
    name: str
    file: Path


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key or subkey, and whether it may still be used.

    Attributes:
        id: Which it is.
        trouble: Empty, or ``expired`` or ``revoked``.
    """

    id: KeyId
    trouble: str


class RpmKeyring:
    """Public keys in a folder, for gpg and rpmkeys.

    Args:
        folder: A private one, with a short path; whoever made it removes it.
        pinned: Fingerprints of the primary keys that files may hold; empty: any.
    """

    def __init__(self, folder: Path, pinned: Collection[str] = ()) -> None:
        self._folder = folder
        self._pinned = pinned

    def read(self, files: Sequence[Path]) -> tuple[KnownKey, ...]:
        """Take in the keys of ``files``.

        Args:
            files: Each with one public key or more, armoured or not.

        Returns:
            The keys and their subkeys, in that order.

        Raises:
            DescriptorError: A file cannot be read, holds no public key, a secret one, or one that
                is not pinned.
            WrongBytesError: A file is larger than any key.
            SurroundingsError: gpg is not installed.
        """
        return tuple(
            KnownKey(KeyId(digits[-16:].lower(), key.signer.name, file), _trouble(key))
            for file in files
            for key in self._read(file)
            for digits in key.fingerprints
        )

    def give_to_rpm(self) -> None:
        """Let rpmkeys know all keys that were taken in.

        Raises:
            SurroundingsError: rpmkeys is not installed, or cannot use a key.
        """
        for key in parse_keys(self._gpg("--with-colons", "--list-keys").stdout):
            # Armoured, and one key a file: older versions of rpm take no other.
            file = self._folder / "key.asc"
            armoured = self._gpg("--armor", "--export", key.signer.fingerprint).stdout
            file.write_text(armoured, "ascii")
            outcome = self.rpmkeys("--import", str(file))
            if outcome.status:
                why = printable(" ".join(outcome.stderr.split()))
                raise SurroundingsError(
                    f"rpmkeys cannot use the key of {key.signer}: {why}",
                    hint="name a key of a kind that this machine's rpm knows, such as RSA",
                )

    def rpmkeys(self, *arguments: str) -> Outcome:
        """Run rpmkeys with these keys alone.

        Raises:
            SurroundingsError: It is not installed.
        """
        find("rpmkeys")
        # Another HOME: no ~/.rpmmacros.
        env = environment({"HOME": str(self._folder)})
        return run(rpmkeys_argv(self._folder, arguments), env=env)

    def _read(self, file: Path) -> tuple[Key, ...]:
        where = printable(str(file))
        try:
            with open_regular(file) as stream:
                content = read_bounded(stream, KEYS_LIMIT, where)
        except OSError as error:
            raise DescriptorError(
                f"{where}: {error.strerror or error}", hint="name a file with a public key"
            ) from error
        outcome = self._gpg(
            "--status-fd=1",
            "--with-colons",
            "--import-options=import-show",
            "--import",
            stdin=content,
        )
        check_public(words(outcome.stdout), where)
        keys = parse_keys(outcome.stdout)
        if not keys:
            raise DescriptorError(
                f"{where} holds no public key: {last_complaint(outcome)}",
                hint=f"export one: gpg --armor --export NAME > {where}",
            )
        check_pinned((key.signer.fingerprint for key in keys), self._pinned, where)
        return keys

    def _gpg(self, *arguments: str, stdin: bytes = b"") -> Outcome:
        env = environment({"GNUPGHOME": str(self._folder)})
        return run_gpg(("--no-options", "--no-autostart", *arguments), env, stdin)


def rpmkeys_argv(folder: Path, arguments: Iterable[str]) -> list[str]:
    """The command for rpmkeys with a database of its own in ``folder``."""
    return ["rpmkeys", f"--dbpath={folder}/db", *arguments]


def _trouble(key: Key) -> str:
    return {"e": "expired", "r": "revoked"}.get(key.validity, "")
