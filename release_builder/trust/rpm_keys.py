"""Which key signed which package, checked by the real rpmkeys with the named keys alone.

Source: rpmkeys(8); the lines of ``rpmkeys --checksig --verbose`` were found by experiment with
rpm 4.18.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.errors import printable
from release_builder.process import find
from release_builder.trust.rpm_keyring import KeyId, KnownKey, RpmKeyring

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

__all__ = ["Checked", "KeyId", "Verdict", "key_ids", "verify_packages"]

_AT_A_TIME: Final = 100  # packages for one rpmkeys
_LINE: Final = re.compile(
    r"\s++(?P<what>.*?)(?:, key (?:ID|fingerprint:?) (?P<key>[0-9A-Fa-f]{8,}))?"
    r": (?P<result>[A-Z]+)\b.*"
)


class Verdict(StrEnum):
    """What the signatures of a package are worth."""

    GOOD = "good"
    UNSIGNED = "unsigned"
    UNKNOWN_KEY = "unknown key"
    BAD = "bad"
    EXPIRED = "expired key"


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a package.

    Attributes:
        path: The package.
        verdict: The worst of what was found.
        key_id: The key that it is signed with, lower-case hexadecimal digits: 16 where it is one
            of the named keys, else as many as rpmkeys tells (rpm 4.18: 8). None: not signed, or
            not readable.
        signer: The name in the key; empty where the key is unknown.
        detail: What is wrong; empty when nothing is.
    """

    path: Path
    verdict: Verdict
    key_id: str | None = None
    signer: str = ""
    detail: str = ""


def key_ids(keys: Sequence[Path]) -> tuple[KeyId, ...]:
    """The keys in ``keys`` and their subkeys.

    Args:
        keys: Files, each with one public key or more, armoured or not.

    Raises:
        DescriptorError: A file cannot be read, or holds no public key.
        WrongBytesError: A file is larger than any key.
        SurroundingsError: gpg is not installed.
    """
    with tempfile.TemporaryDirectory(prefix="rpm-keys-") as folder:
        return tuple(known.id for known in RpmKeyring(Path(folder)).read(keys))


def verify_packages(
    paths: Sequence[Path],
    keys: Sequence[Path],
    on_file: Callable[[Path], object] = lambda _path: None,
    pinned: Collection[str] = (),
) -> tuple[Checked, ...]:
    """Verify digests and signatures of packages; the machine's own keyring does not count.

    Args:
        paths: The packages.
        keys: Files of public keys, as for key_ids.
        on_file: Told each package once it is done, in batches.
        pinned: Fingerprints of the primary keys that ``keys`` may hold; empty: any.

    Returns:
        One a package, in the order of ``paths``. A key that has expired by now makes EXPIRED even
        of what was signed before: whoever holds such a key can date a signature back.

    Raises:
        DescriptorError: A file of keys cannot be read, holds no public key, or one that is not
            pinned.
        WrongBytesError: A file of keys is larger than any key.
        SurroundingsError: rpmkeys or gpg is not installed, or rpmkeys cannot use a key.
    """
    find("rpmkeys")
    checked: list[Checked] = []
    with tempfile.TemporaryDirectory(prefix="rpm-keys-") as name:
        keyring = RpmKeyring(Path(name), pinned)
        known = keyring.read(keys)
        keyring.give_to_rpm()
        for start in range(0, len(paths), _AT_A_TIME):
            for each in _check(paths[start : start + _AT_A_TIME], known, keyring):
                checked.append(each)
                on_file(each.path)
    return tuple(checked)


def _check(
    paths: Sequence[Path], known: Sequence[KnownKey], keyring: RpmKeyring
) -> Iterator[Checked]:
    readable = [path for path in paths if path.is_file()]  # rpmkeys would wait for a FIFO
    found = dict(zip(readable, _ask(readable, keyring), strict=True)) if readable else {}
    for path in paths:
        if path in found:
            report, complaints = found[path]
            yield judge(path, report, known, complaints)
        else:
            yield Checked(path, Verdict.BAD, detail="no regular file")


def _ask(paths: Sequence[Path], keyring: RpmKeyring) -> list[tuple[list[str], str]]:
    """What rpmkeys reports on each of ``paths``, and what it complains of it."""
    with tempfile.TemporaryDirectory(prefix="packages-") as folder:
        # Names of our own: rpm expands wildcards, and fetches what looks like a URL.
        links = [Path(folder, f"{number}.rpm") for number in range(len(paths))]
        for link, path in zip(links, paths, strict=True):
            link.symlink_to(path.absolute())
        names = [str(link) for link in links]
        outcome = keyring.rpmkeys("--checksig", "--verbose", *names)
    reports = _reports(outcome.stdout)
    return [(reports.get(name, []), _complaints(outcome.stderr, name)) for name in names]


def _reports(output: str) -> dict[str, list[str]]:
    """The lines below the name of each file."""
    reports: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in output.split("\n"):
        if line.endswith(":") and not line.startswith((" ", "\t")):
            lines = reports.setdefault(line.removesuffix(":"), [])
        else:
            lines.append(line)
    return reports


def _complaints(output: str, name: str) -> str:
    lines = [line.partition(f"{name}: ")[2] for line in output.split("\n")]
    return "; ".join(printable(line) for line in lines if line)


def judge(
    path: Path, report: Sequence[str], known: Sequence[KnownKey], complaints: str = ""
) -> Checked:
    """What rpmkeys' report on one package means.

    Args:
        path: The package.
        report: The lines below its name.
        known: The keys that may sign.
        complaints: What rpmkeys said of it on stderr.
    """
    rows = [row for line in report if (row := _LINE.fullmatch(line))]
    signatures = [row for row in rows if row["key"]]
    key_id, key = _signer(signatures, known)
    name = key.id.name if key else ""
    wrong = [f"{row['what']}: {row['result']}" for row in rows if not _is_harmless(row)]
    if complaints or wrong or not rows:
        detail = complaints or "; ".join(wrong) or "rpmkeys finds no package in it"
        return Checked(path, Verdict.BAD, key_id, name, printable(detail))
    if not signatures:
        return Checked(path, Verdict.UNSIGNED)
    if key is None:
        return Checked(path, Verdict.UNKNOWN_KEY, key_id)
    if key.trouble:
        verdict = Verdict.EXPIRED if key.trouble == "expired" else Verdict.BAD
        return Checked(path, verdict, key_id, name, f"the key is {key.trouble}")
    return Checked(path, Verdict.GOOD, key_id, name)


def _signer(
    signatures: Sequence[re.Match[str]], known: Sequence[KnownKey]
) -> tuple[str | None, KnownKey | None]:
    """The key to report of several: an unknown one before an expired one before a good one."""
    found = [_key(row, known) for row in signatures]
    ranks = [2 if key and not key.trouble else 1 if key else 0 for _, key in found]
    return found[ranks.index(min(ranks))] if found else (None, None)


def _key(row: re.Match[str], known: Sequence[KnownKey]) -> tuple[str, KnownKey | None]:
    digits = row["key"].lower()[-16:]
    # rpmkeys says NOKEY where it lacks the key, whatever the last digits of ours are.
    same = (key for key in known if row["result"] != "NOKEY" and key.id.key_id.endswith(digits))
    key = next(same, None)
    return (key.id.key_id if key else digits), key


def _is_harmless(row: re.Match[str]) -> bool:
    # NOTFOUND: of several kinds of signature and digest no package has all.
    return row["result"] in {"OK", "NOKEY", "NOTFOUND"}
