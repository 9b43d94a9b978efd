"""Completion for bash from 3.2 on, which needs nothing but bash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_builder.pages import render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_builder.manual.definitions import Command


def bash_completion(programs: Sequence[Command]) -> str:
    """The script that completes commands, options, their values, and files."""
    commands = [command for program in programs for command in program.walk()]
    return render(
        "manual/completion.bash.j2",
        names=[program.page for program in programs],
        commands=[_row(command) for command in commands],
    )


def _row(command: Command) -> dict[str, str]:
    """What may follow a command, as words that no shell has to quote."""
    options = command.all_options
    flags = [name for each in options for name in each.names if name not in each.valued]
    valued = [f"{name}={each.kind}" for each in options for name in each.valued]
    *before, last = command.words
    names = [last, command.short] if command.short else [last]
    return {
        "pattern": "|".join(f"'{' '.join((*before, name))}'" for name in names),
        "commands": " ".join(each.words[-1] for each in command.commands),
        "flags": " ".join(flags),
        "valued": " ".join(valued),
        "arguments": command.arguments or "none",
    }
