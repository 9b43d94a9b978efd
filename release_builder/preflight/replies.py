"""What servers said of the parts that they should have, and what that means."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from release_builder.preflight.summary import severity_of, summed_up
from release_builder.report import Finding, Severity
from release_builder.transport.http import Answer
from release_builder.transport.http.asker import LENGTH_UNTOLD
from release_builder.transport.http.urls import shown

if TYPE_CHECKING:
    from release_builder.preflight.part_places import Place, PlacedPart
    from release_builder.preflight.prefixes import Prefixes
    from release_builder.transport.http import Try

_UNSERVED: Final = frozenset({Answer.NOT_FOUND, Answer.FORBIDDEN})
_REBUILD: Final = "use `preflight: rebuild`"
_HINTS: Final = {
    Severity.WRONG: "upload what is missing, or correct `servers:`: no stranger can rebuild this",
    Severity.INCOMPLETE: "run it again when the servers answer, or correct `servers:`",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server said of a part.

    Attributes:
        placed: The part.
        place: Which of its places was asked.
        tries: Each URL that was asked, as it will be published, and what came of asking it where
            its file lies now. The last is right if any is.
    """

    placed: PlacedPart
    place: Place
    tries: tuple[tuple[str, Try], ...]

    @property
    def last(self) -> Try:
        """What decides."""
        return self.tries[-1][1]

    def __str__(self) -> str:
        said = "; ".join(_said(shown(url), each) for url, each in self.tries)
        return f"{self.placed.name}: {said}"


@dataclass(slots=True)
class _Lack:
    """What a server does not do for all parts."""

    count: int = 0
    example: str = ""

    def add(self, example: str) -> None:
        self.count += 1
        self.example = self.example or example


@dataclass(slots=True)
class Replies:
    """What all servers said.

    Attributes:
        staged: Where URLs lead that are not public yet.
    """

    staged: Prefixes[str]
    _wanted: Counter[str] = field(default_factory=Counter)  # parts by server, in order
    _failures: list[tuple[Severity, str]] = field(default_factory=list)
    _lacks: dict[str, dict[str, _Lack]] = field(default_factory=dict)  # by server, and what
    _serves: dict[str, bool] = field(default_factory=dict)  # by staged folder

    def expect(self, placed: PlacedPart) -> None:
        """A part whose places are going to be asked."""
        self._wanted.update(place.folder for place in placed.places)
        if not placed.places:
            why = "; ".join(placed.unasked) or "the .jigdo does not name it"
            self._failures.append((Severity.WRONG, f"{placed.name} has no URL: {why}"))

    def take(self, reply: Reply) -> None:
        """One more; those of the same part may come in any order."""
        folder = reply.place.folder
        for url, each in reply.tries:
            if found := self.staged.find(url):
                serves = each.answer not in _UNSERVED
                self._serves[found[0]] = self._serves.get(found[0], False) or serves
        if reply.last.answer is Answer.RIGHT:
            if reply.last.detail == LENGTH_UNTOLD:
                self._lack(folder, "does not tell the length of", reply.placed.name)
        elif reply.place is reply.placed.places[0]:
            severity = severity_of(each.answer for _, each in reply.tries)
            self._failures.append((severity, str(reply)))
        else:
            self._lack(folder, "does not give", str(reply))

    def findings(self) -> tuple[Finding, ...]:
        """See check_urls."""
        hints = dict(_HINTS)
        if unserved := [folder for folder, serves in self._serves.items() if not serves]:
            hints[Severity.WRONG] = _hint_of_unserved(unserved[0])
        warnings = (
            Finding(
                Severity.WARNING,
                f"{folder} {does} {lack.count:,} of {self._wanted[folder]:,} parts,"
                f" such as {lack.example}",
            )
            for folder in self._wanted
            for does, lack in self._lacks.get(folder, {}).items()
        )
        return (*summed_up(self._failures, hints), *warnings)

    def _lack(self, folder: str, does: str, example: str) -> None:
        self._lacks.setdefault(folder, {}).setdefault(does, _Lack()).add(example)


def _said(url: str, tried: Try) -> str:
    elsewhere = "" if tried.url == url else f" (asked at {tried.url})"
    detail = f" ({tried.detail})" if tried.detail else ""
    return f"{url}{elsewhere}: {tried.answer.value}{detail}"


def _hint_of_unserved(folder: str) -> str:
    names = urlsplit(folder).path.split("/")
    hidden = next((name for name in names if name.startswith(".")), "")
    if not hidden:
        return f"nothing of {shown(folder)} is served: let the web server serve it, or {_REBUILD}"
    return f"the web server does not serve hidden folders: let it serve `{hidden}/`, or {_REBUILD}"
