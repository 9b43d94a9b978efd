"""Keys as gpg lists them, and the one way to start gpg.

Source: GnuPG 2.2, doc/DETAILS ("Format of the colon listings").
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from release_builder.errors import DescriptorError, printable
from release_builder.process import Outcome, run

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

CLOCK_ERROR: Final = 2 * 3600.0  # seconds that clocks may differ
_SECRET_READ: Final = 9  # of the words of IMPORT_RES
_LAST: Final = 253_402_300_799  # 9999-12-31

# Names are UTF-8 whatever the locale.
_ALWAYS = ("gpg", "--batch", "--no-tty", "--display-charset=utf-8", "--utf8-strings")


@dataclass(frozen=True, slots=True)
class Signer:
    """Whose key it is.

    Attributes:
        fingerprint: Of the key, not of a subkey; hexadecimal digits in upper case.
        name: As the key has it, such as ``Koozali Build <build@example.org>``; unchecked.
    """

    fingerprint: str
    name: str

    def __str__(self) -> str:
        return f"{printable(self.name)} (key {self.fingerprint[-16:]})"


@dataclass(frozen=True, slots=True)
class Signature:
    """A good signature.

    Attributes:
        signer: Who made it.
        made: When, by the signer's clock; seconds since 1970.
        unknown: Keys that signed the same besides, and that nobody named.
    """

    signer: Signer
    made: int
    unknown: tuple[str, ...] = ()

    @property
    def day(self) -> str:
        """The day on which it was made, in UTC, such as ``2020-01-02``."""
        return day_of(self.made)


@dataclass(frozen=True, slots=True)
class Key:
    """A key with its subkeys.

    Attributes:
        signer: Whose it is.
        fingerprints: Its own and those of its subkeys.
        validity: gpg's letter, such as ``e`` for expired and ``r`` for revoked.
        created: When the youngest part of it that signs was made; seconds since 1970.
        expires: When it ends, in seconds since 1970; None: never.
        signs: Whether it can sign now.
        signs_until: When the last part of it that signs ends, as ``expires``.
    """

    signer: Signer
    fingerprints: tuple[str, ...]
    validity: str
    created: int
    expires: int | None
    signs: bool
    signs_until: int | None = None

    @property
    def expired(self) -> str:
        """``expired on 2020-01-02``, or ``expired`` where only a subkey has."""
        if self.expires is None:
            return "expired"
        return f"expired on {day_of(self.expires)}"


def day_of(seconds: int) -> str:
    """The day, in UTC, of a time in seconds since 1970; a far one is the last there is."""
    return str(datetime.fromtimestamp(min(seconds, _LAST), UTC).date())


def told_apart(one: int, other: int) -> tuple[str, str]:
    """The days of two times as day_of; with the minutes where it is the same day."""
    days = day_of(one), day_of(other)
    if days[0] != days[1] or max(one, other) > _LAST:
        return days
    first, second = (
        f"{datetime.fromtimestamp(each, UTC):%Y-%m-%d %H:%M} UTC" for each in (one, other)
    )
    return first, second


def check_pinned(fingerprints: Iterable[str], pinned: Collection[str], where: str) -> None:
    """Make sure that a file holds no key that nobody named.

    Args:
        fingerprints: Of the primary keys in it.
        pinned: Those that it may hold; empty: any.
        where: The file, for the message.

    Raises:
        DescriptorError: It holds another.
    """
    for fingerprint in fingerprints:
        if pinned and fingerprint not in pinned:
            raise DescriptorError(
                f"{where} holds the key {fingerprint}, which is none of `trust.fingerprints`",
                hint="was the file replaced? ask the publisher, by another way, for the"
                " fingerprint; only if it is this one, add it",
            )


def check_public(said: Iterable[tuple[str, list[str]]], where: str) -> None:
    """Make sure that a file that was imported holds no secret key.

    Args:
        said: The words of gpg's status lines.
        where: The file, for the message.

    Raises:
        DescriptorError: It does.
    """
    for word, rest in said:
        if word == "IMPORT_RES" and len(rest) > _SECRET_READ and rest[_SECRET_READ] != "0":
            raise DescriptorError(
                f"{where} holds a secret key: it does not belong here, where others may read it",
                hint=f"export the public one: gpg --armor --export NAME > {where}; if others could"
                " read the file, revoke the key",
            )


def run_gpg(arguments: Iterable[str], env: Mapping[str, str], stdin: bytes = b"") -> Outcome:
    """Run gpg, which asks nothing.

    Raises:
        SurroundingsError: It is not installed.
    """
    return run((*_ALWAYS, *arguments), stdin=stdin, env=env)


def parse_keys(listing: str) -> tuple[Key, ...]:
    """The keys of what ``gpg --with-colons`` lists, secret or public ones."""
    records = [line.split(":") for line in listing.split("\n")]
    starts = [n for n, record in enumerate(records) if record[0] in {"pub", "sec"}]
    return tuple(_key(records[a:b]) for a, b in pairwise([*starts, len(records)]))


def last_complaint(outcome: Outcome) -> str:
    """The last line that gpg complained with, fit for a message."""
    lines = [line for line in outcome.stderr.split("\n") if line.startswith("gpg: ")]
    return printable(lines[-1].removeprefix("gpg: ")) if lines else f"status {outcome.status}"


def _key(records: list[list[str]]) -> Key:
    main = records[0]
    prints = tuple(record[9] for record in records if record[0] == "fpr")
    names = [_unescaped(record[9]) for record in records if record[0] == "uid"]
    signing = [
        record
        for record in records
        if record[0] in {"pub", "sec", "sub", "ssb"} and "s" in record[11]
    ]
    ends = [int(record[6]) if record[6] else _LAST for record in signing]
    return Key(
        Signer(prints[0], next(iter(names), "a key without name")),
        prints,
        main[1],
        max((int(record[5] or 0) for record in signing), default=0),
        int(main[6]) if main[6] else None,
        # Capital letters: what the key can do now, with what is left of its subkeys.
        "S" in main[11],
        None if max(ends, default=_LAST) == _LAST else max(ends),
    )


def _unescaped(text: str) -> str:
    """The name that gpg's C escapes spell."""
    return re.sub(r"\\x([0-9a-f]{2})", lambda escape: chr(int(escape[1], 16)), text)
