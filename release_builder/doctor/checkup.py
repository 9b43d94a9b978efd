"""What an examination of this machine found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from release_builder.errors import ReleaseBuilderError, Status, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# What a machine is examined for, in the order of the command line.
COMMANDS: Final = ("build", "refresh", "jigdo fetch", "compose", "publish", "images update", "demo")
# Which status speaks for an examination when several are due.
_PRECEDENCE: Final = (Status.WRONG, Status.SURROUNDINGS, Status.INCOMPLETE)


class Mark(StrEnum):
    """How a thing was found."""

    OK = "ok"
    NOTE = "note"  # worth knowing
    WARNING = "warning"  # works, but not as it should
    MISSING = "missing"  # what needs it does not work


@dataclass(frozen=True, slots=True)
class Check:
    """A thing that was looked at.

    Attributes:
        topic: What it belongs to, such as ``programs``.
        name: What it is, such as ``rsync``.
        mark: How it was found.
        says: What was found, for a person.
        mend: What mends it: a command where one does.
        needed_by: The commands that do not work while it is missing.
        fault: What such a command would end with.
    """

    topic: str
    name: str
    mark: Mark
    says: str
    mend: str = ""
    needed_by: tuple[str, ...] = ()
    fault: Status = Status.SURROUNDINGS


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a command would work here.

    Attributes:
        command: Its name.
        lacks: What is missing for it.
    """

    command: str
    lacks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Examination:
    """All that was found.

    Attributes:
        system: What this machine calls itself.
        checks: What was looked at, in order.
        wanted: The commands that the descriptors in question are for.
    """

    system: str
    checks: tuple[Check, ...]
    wanted: tuple[str, ...] = ()

    @property
    def commands(self) -> tuple[Readiness, ...]:
        """What is ready, by command."""
        return tuple(
            Readiness(command, tuple(dict.fromkeys(each.name for each in self._missing(command))))
            for command in COMMANDS
        )

    @property
    def exit_status(self) -> Status:
        """0 where all that the wanted commands need is there; else what they would end with."""
        due = {each.fault for command in self.wanted for each in self._missing(command)}
        return next((status for status in _PRECEDENCE if status in due), Status.DONE)

    def _missing(self, command: str) -> Iterable[Check]:
        return (
            each for each in self.checks if each.mark is Mark.MISSING and command in each.needed_by
        )


def looked_at(topic: str, name: str, look: Callable[[], Iterable[Check]]) -> tuple[Check, ...]:
    """What ``look`` finds; that it could not look is a finding too."""
    try:
        return tuple(look())
    except Exception as error:  # a doctor who faints helps nobody
        what = error.what if isinstance(error, ReleaseBuilderError) else f"{error}"
        hint = error.hint if isinstance(error, ReleaseBuilderError) else ""
        says = f"cannot be looked at: {printable(what) or type(error).__name__}"
        return (Check(topic, name, Mark.WARNING, says, hint),)
