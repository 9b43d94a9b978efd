"""Manual pages."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from release_builder import __version__
from release_builder.manual import places, roff
from release_builder.manual.click_commands import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_builder.manual.definitions import Command


def pages(programs: Sequence[Command], when: int) -> dict[str, str]:
    """The text of every page.

    Args:
        programs: The program itself first, then its look-alikes.
        when: What the pages are dated, in seconds since 1970.

    Returns:
        File name, such as ``release-builder-build.1`` → text.
    """
    main = programs[0]
    written = {}
    for program in programs:
        for command in program.walk():
            if command.same_as:
                text = f".so man1/{command.same_as}.1\n"
            else:
                text = _page(command, programs, command.statuses or main.statuses, when)
            written[f"{command.page}.1"] = text
    return written


def _page(
    command: Command,
    programs: Sequence[Command],
    statuses: Sequence[tuple[str, str]],
    when: int,
) -> str:
    day = time.strftime("%Y-%m-%d", time.gmtime(when))
    name = command.page
    summary = command.summary[:1].lower() + command.summary[1:]
    parts = [
        r'.\" Written by "python -m release_builder.manual" from the definitions of the commands.',
        f'.TH "{roff.plain(name.upper())}" "1" "{day}" "release-builder {__version__}" "User Commands"',
        ".nh",  # a name that is broken in two cannot be typed
        ".ad l",
        ".SH NAME",
        rf"{roff.plain(name)} \- {roff.prose(summary, width=0)}",
        ".SH SYNOPSIS",
        _synopsis(command),
        ".SH DESCRIPTION",
        *_description(command),
        *_commands(command),
        ".SH OPTIONS",
    ]
    for title, options in command.options:
        parts += [f'.SS "{title}"'] if title else []
        parts.append(roff.tagged((roff.term(each.shown), each.about) for each in options))
    parts += [".SH EXIT STATUS", roff.tagged((roff.bold(code), text) for code, text in statuses)]
    parts += _places(command)
    if command.examples:
        parts += [".SH EXAMPLES", roff.as_it_stands(command.examples)]
    parts += [".SH SEE ALSO", _see_also(command, programs)]
    return "\n".join(parts) + "\n"


def _synopsis(command: Command) -> str:
    return f"{roff.bold(' '.join(command.words))} {roff.term(command.usage)}"


def _description(command: Command) -> list[str]:
    found = []
    for each in command.about or (f"{command.summary}.",):
        if isinstance(each, str):
            found += [".PP", roff.prose(each)]
        else:
            found += [".PP", roff.as_it_stands(each)]
    return found[1:]


def _commands(group: Command) -> list[str]:
    if not group.commands:
        return []
    rows = []
    for each in group.commands:
        names = ", ".join(roff.bold(name) for name in (each.words[-1], each.short) if name)
        rows.append((names, f"{each.summary}."))
    return [".SH COMMANDS", roff.tagged(rows)]


def _places(command: Command) -> list[str]:
    """What a program reads and keeps; on the pages of its commands, where that is told."""
    if len(command.words) > 1:
        told = rf"Those of {roff.bold(command.words[0])}(1)."
        return [".SH FILES", told, ".SH ENVIRONMENT", told]
    files, variables = (
        tuple((name, text) for name, programs, text in rows if command.page in programs)
        for rows in (places.FILES, places.VARIABLES)
    )
    return [
        ".SH FILES",
        roff.tagged((roff.bold(name), text) for name, text in files),
        ".SH ENVIRONMENT",
        roff.tagged((roff.bold(name), text) for name, text in variables),
    ]


def _see_also(command: Command, programs: Sequence[Command]) -> str:
    if len(command.words) == 1:
        near = [each.page for each in (*command.commands, *programs) if not each.same_as]
    else:
        near = [PROGRAM, *(["-".join(command.words[:-1])] if len(command.words) > 2 else [])]
        near += [each.page for each in command.commands]
        near += [each.same_as for each in command.commands if each.same_as][:1]
    names = dict.fromkeys(each for each in near if each != command.page)
    return ",\n".join(f"{roff.bold(each)}(1)" for each in names)
