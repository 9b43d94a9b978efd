"""What is told of a command, wherever its definition comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

WORD = "word"  # a value that nobody can guess
PATH = "path"  # a file or folder
FOLDER = "folder"


@dataclass(frozen=True, slots=True)
class Option:
    """One option.

    Attributes:
        names: All its spellings, dashes included.
        shown: Spellings and value as its help shows them, such as ``-o, --output-dir DIR``.
        value: What its value is called; empty when it takes none.
        valued: Those of the names that take a value.
        kind: WORD, PATH or FOLDER, or the values that there are with ``|`` between them.
        about: What it does, with default and range.
        again: Whether it may be given again.
    """

    names: tuple[str, ...]
    shown: str
    value: str = ""
    valued: tuple[str, ...] = ()
    kind: str = WORD
    about: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """One command, group or program.

    Attributes:
        words: How it is called, the program first.
        usage: What may follow the words, such as ``[OPTIONS] FILE...``.
        summary: One sentence without a full stop.
        about: Paragraphs; a tuple of lines is to be shown as it stands.
        examples: Lines that show it at work.
        options: Its options, each list under its title; the first has none.
        statuses: What its exit statuses mean; empty when they are the program's.
        arguments: What its arguments are, as ``Option.kind``; empty when it takes none.
        commands: The commands of a group.
        short: Another name of it; empty when it has none.
        same_as: The program whose page tells all about it; empty when it has a page of its own.
    """

    words: tuple[str, ...]
    usage: str
    summary: str
    about: tuple[str | tuple[str, ...], ...] = ()
    examples: tuple[str, ...] = ()
    options: tuple[tuple[str, tuple[Option, ...]], ...] = ()
    statuses: tuple[tuple[str, str], ...] = ()
    arguments: str = ""
    commands: tuple[Command, ...] = ()
    short: str = ""
    same_as: str = ""

    @property
    def page(self) -> str:
        """The name of its manual page."""
        return "-".join(self.words)

    @property
    def all_options(self) -> tuple[Option, ...]:
        """Its options, whatever title they stand below."""
        return tuple(option for _, options in self.options for option in options)

    def walk(self) -> Iterator[Command]:
        """It and all commands below it."""
        yield self
        for command in self.commands:
            yield from command.walk()
