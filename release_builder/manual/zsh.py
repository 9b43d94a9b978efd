"""Completion for zsh."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from release_builder.manual.definitions import FOLDER, PATH, WORD
from release_builder.pages import render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_builder.manual.definitions import Command, Option

_ACTIONS: Final = {PATH: "_files", FOLDER: "_files -/", WORD: " ", "": ""}


def zsh_completion(programs: Sequence[Command]) -> str:
    """The script that completes commands, options, their values, and files, with a word on each."""
    commands = [command for program in programs for command in program.walk()]
    return render(
        "manual/completion.zsh.j2",
        names=[program.page for program in programs],
        commands=[_row(command) for command in commands],
    )


def _row(command: Command) -> dict[str, object]:
    return {
        "function": f"__{'_'.join(command.words)}",
        "options": [one for each in command.all_options for one in _specifications(each)],
        "arguments": _ACTIONS[command.arguments],
        "commands": [
            _quoted(f"{name}:{each.summary}")
            for each in command.commands
            for name in (each.words[-1],)
        ],
        "shorts": {each.short: each.words[-1] for each in command.commands if each.short},
    }


def _specifications(option: Option) -> list[str]:
    """An option as _arguments wants it, apart for its names with and without a value."""
    flags = tuple(name for name in option.names if name not in option.valued)
    return [_specification(option, names) for names in (option.valued, flags) if names]


def _specification(option: Option, names: tuple[str, ...]) -> str:
    about = re.sub(r"([\[\]:\\])", r"\\\1", re.split(r"[.;](?:\s|$)", option.about)[0])
    called = option.value.strip("[]").replace(":", " ")
    value = f":{called}:{_action(option.kind)}" if names == option.valued else ""
    again = "*" if option.again else f"({' '.join(names)})"
    joined = [_joined(name, value) for name in names]
    spelt = f"{{{','.join(joined)}}}" if len(joined) > 1 else joined[0]
    return f"{_quoted(again)}{spelt}{_quoted(f'[{about}]{value}')}"


def _joined(name: str, value: str) -> str:
    """Zsh lets a long option's value follow = or a blank, a short one's nothing or a blank."""
    if not value:
        return name
    return f"{name}=" if name.startswith("--") else f"{name}+"


def _action(kind: str) -> str:
    return _ACTIONS.get(kind) or f"({kind.replace('|', ' ')})"


def _quoted(text: str) -> str:
    quoted = text.replace("'", "'\\''")
    return f"'{quoted}'"
