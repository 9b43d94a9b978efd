"""Where this system's own apt gets Debian 12 from.

Source: sources.list(5) of apt 2.6, "one-line-style format" and "deb822-style format".
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder import process
from release_builder.errors import SurroundingsError
from rpm.interpreter.work import network

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

RELEASE: Final = "bookworm"
_SUITES: Final = frozenset({RELEASE, f"{RELEASE}-updates", f"{RELEASE}-security"})
_COMPONENT: Final = "main"
_KEYS: Final = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_LINE: Final = re.compile(r"deb\s+(?:\[[^]]*\]\s*)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<rest>.*)")
_FIELD: Final = re.compile(r"^(?P<name>[A-Za-z-]+):(?P<value>.*(?:\n[ \t].*)*)", re.MULTILINE)


def source_entries() -> dict[str, list[str]]:
    """A line for a sources.list for each place, by suite: of source packages, signed by Debian.

    Raises:
        SurroundingsError: apt knows no place of Debian's release.
    """
    keys = f"[signed-by={_KEYS}] " if _KEYS.exists() else ""
    entries: dict[str, list[str]] = {}
    for uri, suite in sorted(set(_configured())):
        entry = f"deb-src {keys}{uri} {suite} {_COMPONENT}\n"
        entries.setdefault(suite, []).append(entry)
    if RELEASE not in entries:
        raise SurroundingsError(
            f"apt has no place of Debian's release {RELEASE}",
            hint="add it to /etc/apt/sources.list.d/debian.sources",
        )
    return entries


def _configured() -> Iterator[tuple[str, str]]:
    wanted = ["LIST", "Dir::Etc::SourceList/f", "PARTS", "Dir::Etc::SourceParts/d"]
    told = process.run(["apt-config", "shell", *wanted], env=network()).stdout
    paths = dict(word.split("=", 1) for word in shlex.split(told))
    parts = Path(paths.get("PARTS", "/nowhere"))
    lists = [Path(paths.get("LIST", "/nowhere")), *sorted(parts.glob("*.list"))]
    for path in filter(Path.is_file, lists):
        yield from one_line_places(path.read_text("utf-8"))
    for path in sorted(parts.glob("*.sources")):
        yield from stanza_places(path.read_text("utf-8"))


def one_line_places(text: str) -> Iterator[tuple[str, str]]:
    """URI and suite of each place of ours in a .list file."""
    for line in text.splitlines():
        match = _LINE.fullmatch(line.partition("#")[0].strip())
        if match and _COMPONENT in match["rest"].split():
            yield from _ours([match["uri"]], [match["suite"]])


def stanza_places(text: str) -> Iterator[tuple[str, str]]:
    """URI and suite of each place of ours in a .sources file."""
    kept = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))
    for stanza in re.split(r"\n\s*\n", kept):
        fields = {
            match["name"].lower(): match["value"].split() for match in _FIELD.finditer(stanza)
        }
        off = fields.get("enabled") in (["no"], ["false"], ["0"])
        if (
            "deb" in fields.get("types", ())
            and not off
            and _COMPONENT in fields.get("components", ())
        ):
            yield from _ours(fields.get("uris", ()), fields.get("suites", ()))


def _ours(uris: Iterable[str], suites: Iterable[str]) -> Iterator[tuple[str, str]]:
    known = [suite for suite in suites if suite in _SUITES]
    return ((uri, suite) for uri in uris for suite in known)
