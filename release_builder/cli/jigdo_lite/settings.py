"""~/.jigdo-lite: what was answered before, and how wget is to be called.

Source: what jigdo-lite 0.8 writes: ``KEY='value'``, one a line. It runs the file as a shell
script; here it is data, and a line that is more than an assignment of fixed text says nothing.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from release_builder.errors import WrongBytesError, printable
from release_builder.files import open_regular, read_bounded, replacing

if TYPE_CHECKING:
    from pathlib import Path

_LONGEST: Final = 1 << 20  # bytes of the file
_LONGEST_LINE: Final = 16 << 10  # characters; shlex takes the square of it
_REMEMBERED: Final = 5  # paths in the menu, as jigdo-lite has it
_NEW_MODE: Final = 0o600  # a proxy's password may be in it
_FIELDS: Final = {
    "jigdo": "jigdo",
    "debianMirror": "debian_mirror",
    "nonusMirror": "non_us_mirror",
    "tmpDir": "tmp_dir",
    "jigdoOpts": "jigdo_options",
    "wgetOpts": "wget_options",
    "scanMenu": "scan_menu",
    "filesPerFetch": "files_per_fetch",
}
_ASSIGNMENT: Final = re.compile(
    # One word of text that no shell would change: no $, no command, no pattern, no tilde.
    r"[ \t]*+(?P<key>[A-Za-z_][A-Za-z0-9_]*+)="
    r"(?P<value>(?:'[^']*+'|\"[^\"$`\\]*+\"|\\.|[A-Za-z0-9_@%+=:,./-]++)*+)"
    r"[ \t\r]*+(?:(?<=[ \t])#.*+)?",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the file says; the defaults are jigdo-lite's own.

    Attributes:
        jigdo: The .jigdo that was asked for last.
        debian_mirror: URL for the label Debian.
        non_us_mirror: URL for the label Non-US.
        tmp_dir: Where jigdo-lite puts what it fetches.
        jigdo_options: For jigdo-file.
        wget_options: For wget.
        scan_menu: The paths that were scanned last, parted by blanks.
        files_per_fetch: How many files jigdo-lite fetches at a time.
    """

    jigdo: str = ""
    debian_mirror: str = ""
    non_us_mirror: str = ""
    tmp_dir: str = "."
    jigdo_options: str = "--cache jigdo-file-cache.db"
    wget_options: str = "-nv --passive-ftp --dot-style=mega --continue --timeout=30"
    scan_menu: str = ""
    files_per_fetch: str = "30"

    @property
    def scanned(self) -> tuple[str, ...]:
        """The paths of the menu, the last one first."""
        return tuple(path for path in re.split("[ \t]+", self.scan_menu) if path)

    def with_scanned(self, path: str) -> Settings:
        """These, with ``path`` first in the menu; the format has no room for one with blanks."""
        if re.search(r"\s", path) or not path:
            return self
        paths = dict.fromkeys((path, *self.scanned))
        return replace(self, scan_menu=" ".join(list(paths)[:_REMEMBERED]))


def parse_settings(text: str, name: str) -> tuple[Settings, tuple[str, ...]]:
    """Read the text of the file.

    Args:
        text: Its text.
        name: For notes.

    Returns:
        The settings, and a note for each line that is not understood.
    """
    values: dict[str, str] = {}
    notes = []
    for number, row in enumerate(text.split("\n"), 1):
        if not row.strip() or row.lstrip().startswith("#"):
            continue
        found = _assignment(row)
        if found:
            values[found[0]] = found[1]
        else:
            notes.append(f"{printable(name)}:{number}: not understood, and never run: ignored")
    return Settings(**{_FIELDS[key]: value for key, value in values.items()}), tuple(notes)


def format_settings(settings: Settings, text: str = "") -> str:
    """The text of the file with these settings; what else is in ``text``, the old one, stays."""
    left = {key: f"{key}={_quoted(getattr(settings, name))}" for key, name in _FIELDS.items()}
    rows = []
    for row in text.removesuffix("\n").split("\n") if text else ():
        found = _assignment(row)
        if not found:
            rows.append(row)
        elif found[0] in left:  # of two lines for a key the last counts: one is enough
            rows.append(left.pop(found[0]))
    return "".join(f"{row}\n" for row in (*rows, *left.values()))


class SettingsFile:
    """The file, and what is known of it.

    Args:
        path: Where it is or will be; None to keep nothing.

    Attributes:
        settings: What it says.
        notes: What the user should know of it.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path.resolve() if path else None  # who keeps it elsewhere has a link to it
        self._text = ""
        self._is_ours = True
        self.settings = Settings()
        self.notes: tuple[str, ...] = ()
        if self._path:
            self._read(self._path)

    def write(self, settings: Settings) -> None:
        """Remember ``settings``, at once or not at all.

        Raises:
            BusyError: Another process writes the file.
            OSError: It cannot be written.
        """
        if settings == self.settings:
            return
        self.settings = settings
        if self._path and self._is_ours:
            self._text = format_settings(settings, self._text)
            mode = self._path.stat().st_mode & 0o777 if self._path.exists() else _NEW_MODE
            with replacing(self._path, mode) as out:
                out.write(self._text.encode("utf-8", "surrogateescape"))

    def _read(self, path: Path) -> None:
        try:
            with open_regular(path) as stream:
                content = read_bounded(stream, _LONGEST, printable(str(path)))
        except FileNotFoundError:
            return
        except (WrongBytesError, OSError) as error:
            self._is_ours = False
            why = error.strerror if isinstance(error, OSError) else "too large"
            self.notes = (f"{printable(str(path))}: {why}: settings are not used",)
            return
        self._text = content.decode("utf-8", "surrogateescape")
        self.settings, self.notes = parse_settings(self._text, str(path))


def _assignment(row: str) -> tuple[str, str] | None:
    """Key and value of a line that sets one of our keys to fixed text."""
    found = _ASSIGNMENT.fullmatch(row) if len(row) <= _LONGEST_LINE else None
    if not found or found["key"] not in _FIELDS:
        return None
    return found["key"], "".join(shlex.split(found["value"]))


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "'\\''") + "'"
