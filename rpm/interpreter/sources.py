"""Debian's source packages, so that Debian's security patches are in.

Source: sources.list(5), apt-get(8), apt.conf(5) of apt 2.6; dsc(5) of dpkg 1.21.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from release_builder import process
from release_builder.errors import IncompleteError, SurroundingsError
from rpm.interpreter import places
from rpm.interpreter.work import network

NAMES: Final = ("bzip2", "openssl", "python3.11", "sqlite3", "xz-utils", "zlib")
_ALL: Final = "all.list"
_RELEASED: Final = "released.list"
_OS_RELEASE: Final = Path("/etc/os-release")
_PROGRAMS: Final = {  # what all stages run → its package
    "dpkg-source": "dpkg-dev",
    "make": "make",
    "openssl": "openssl",
    "patch": "patch",
    "perl": "perl",
    "strip": "binutils",
    "tclsh": "tcl",
    "xz": "xz-utils",
}
_OFFER: Final = re.compile(r"'\S+' (?P<name>[^_\s]+)_(?P<version>\S+)\.dsc \d+ (?P<digest>\S+)")


@dataclass(frozen=True, slots=True)
class Source:
    """A source package that the index offers.

    Attributes:
        name: The package.
        version: Debian's version, without an epoch.
        digest: Of its .dsc, which has the digests of all else, as ``SHA256:hex``.
    """

    name: str
    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class Index:
    """A private copy of the index of Debian's source packages.

    Attributes:
        folder: Holds the index; the caller removes it.
        listed: The file in it that lists where the index is from.
    """

    folder: Path
    listed: str = _ALL

    @classmethod
    def fetched(cls, folder: Path) -> Index:
        """Fetch the index of the places that this system's own apt uses.

        Raises:
            SurroundingsError: This is no Debian 12, a program is missing, or apt knows no place
                of Debian's.
            IncompleteError: The index cannot be reached.
        """
        _check_system()
        entries = places.source_entries()
        (folder / "lists" / "partial").mkdir(parents=True)
        (folder / "archives" / "partial").mkdir(parents=True)
        every = (entry for suite in sorted(entries) for entry in entries[suite])
        (folder / _ALL).write_text("".join(every), "utf-8")
        (folder / _RELEASED).write_text("".join(entries[places.RELEASE]), "utf-8")
        index = cls(folder)
        done = index.apt_get("update", "-o", "APT::Update::Error-Mode=any")
        if done.status:
            raise IncompleteError(
                f"the index of Debian's sources cannot be fetched: {_first_line(done.stderr)}",
                hint="try again when the network is back",
            )
        return index

    def released(self) -> Index:
        """The same, without what came after the last point release of Debian."""
        return replace(self, listed=_RELEASED)

    def apt_get(self, *arguments: str, inside: Path = Path("/")) -> process.Outcome:
        """Run apt-get with this index alone; it touches nothing of the system's.

        Args:
            arguments: Its command, and more options.
            inside: Where it runs, and puts what it downloads.
        """
        options = {
            "Dir::Etc::SourceList": self.folder / self.listed,
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::State::Lists": self.folder / "lists",
            "Dir::Cache": self.folder,
            "Acquire::Retries": 3,
            # The user _apt may not enter a private folder.
            "APT::Sandbox::User": "root",
        }
        settings = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
        argv = ["env", "-C", str(inside), "apt-get", "-qq", *settings, *arguments]
        return process.run(argv, env=network())

    def offered(self) -> tuple[Source, ...]:
        """The newest version of each of NAMES.

        Raises:
            SurroundingsError: One is not offered.
        """
        outcome = self.apt_get("source", "--print-uris", "--only-source", *NAMES)
        found = [
            Source(**match) for match in map(re.Match.groupdict, _OFFER.finditer(outcome.stdout))
        ]
        if sorted(source.name for source in found) != list(NAMES):
            raise SurroundingsError(
                f"apt does not offer the sources of {', '.join(NAMES)}: {outcome.stderr.strip()}"
            )
        return tuple(sorted(found, key=lambda source: source.name))

    def unpack(self, target: Path) -> None:
        """Download all of NAMES and unpack them, patched, into folders of ``target``.

        Raises:
            IncompleteError: A download failed.
            SurroundingsError: A package cannot be unpacked.
        """
        downloads = self.folder / "downloads"
        shutil.rmtree(downloads, ignore_errors=True)
        downloads.mkdir()
        target.mkdir(exist_ok=True)
        # The small descriptions first: an index may name what its mirror does not have.
        for part in ("--dsc-only", "--download-only"):
            done = self.apt_get(
                "source", "--download-only", part, "--only-source", *NAMES, inside=downloads
            )
            if done.status:
                raise IncompleteError(
                    f"Debian's sources cannot be downloaded: {_first_line(done.stderr)}",
                    hint="try again when the network is back",
                )
        for description in sorted(downloads.glob("*.dsc")):
            name = description.name.partition("_")[0]
            # Its digest came with the signed index.
            argv = ["dpkg-source", "--no-check", "-x", str(description), str(target / name)]
            done = process.run(argv)
            if done.status:
                raise SurroundingsError(
                    f"{description.name} cannot be unpacked: {done.stderr.strip()}"
                )
        shutil.rmtree(downloads)


def last_change(folder: Path) -> int:
    """When the newest of the unpacked sources was changed, in seconds since 1970."""
    argv = ["dpkg-parsechangelog", "--show-field", "Timestamp", "--file"]
    logs = [str(folder / name / "debian" / "changelog") for name in NAMES]
    return max(int(process.run([*argv, log]).stdout) for log in logs)


def _first_line(complaint: str) -> str:
    return complaint.strip().partition("\n")[0].removeprefix("E: ")


def _check_system() -> None:
    text = _OS_RELEASE.read_text("utf-8") if _OS_RELEASE.exists() else ""
    if f"VERSION_CODENAME={places.RELEASE}\n" not in text:
        raise SurroundingsError(
            "the interpreter is built from the sources of Debian 12, and this is another system",
            hint="build on Debian 12, or in a container of it",
        )
    for program, package in _PROGRAMS.items():
        if shutil.which(program) is None:
            raise SurroundingsError(
                f"the program {program} is not installed", hint=f"apt-get install {package}"
            )
