"""``release-builder`` and its commands, read from click's definitions."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Final

import click

from release_builder.cli.commands import cli
from release_builder.cli.jigdo_file.options import COMMANDS
from release_builder.manual.definitions import FOLDER, PATH, WORD, Command, Option
from release_builder.manual.help_texts import JIGDO_FILE, jigdo_file, two_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

PROGRAM: Final = "release-builder"
_JIGDO: Final = (PROGRAM, "jigdo")
_KEPT: Final = "\b"  # click: the lines of this paragraph are not to be folded
_RANGES: Final = (
    (r"(\d+)<=x<=(\d+)", r"\1 to \2"),
    (r"0<x<=(\d+)", r"at most \1"),
    (r"x>=(\d+)", r"at least \1"),
    (r" ?\[([^\[\]]*)\]$", r" (\1)"),
)
_FOLDERS: Final = frozenset({"DIR"})
_PATHS: Final = re.compile(r"FILE|PATH|IMAGE")


def release_builder() -> Command:
    """The program with all its commands."""
    return _read(cli, (PROGRAM,), None)


def _read(command: click.Command, words: tuple[str, ...], parent: click.Context | None) -> Command:
    context = click.Context(command, parent, info_name=words[-1], **dict(command.context_settings))
    about, titled = _help(command.help or "")
    params = command.get_params(context)
    arguments = [each for each in params if isinstance(each, click.Argument)]
    options = [_option(each, context) for each in params if isinstance(each, click.Option)]
    return Command(
        words=words,
        usage=" ".join(command.collect_usage_pieces(context)),
        summary=_summary(command),
        about=about,
        examples=(*titled.get("Example", ()), *titled.get("Examples", ())),
        options=(("", tuple(options)),),
        statuses=two_columns(titled.get("Exit statuses", ())),
        arguments=_arguments(arguments),
        commands=_below(command, words, context),
    )


def _below(
    group: click.Command, words: tuple[str, ...], context: click.Context
) -> tuple[Command, ...]:
    if not isinstance(group, click.Group):
        return ()
    found = []
    for name in group.list_commands(context):
        if words == _JIGDO and name in COMMANDS:
            found.append(_look_alike(name))
        elif command := group.get_command(context, name):
            found.append(_read(command, (*words, name), context))
    return tuple(found)


def _look_alike(name: str) -> Command:
    """A command of jigdo-file, whose options its program's page tells."""
    summary = COMMANDS[name].summary.rstrip(".")
    program = jigdo_file()
    return Command(
        words=(*_JIGDO, name),
        usage="[OPTIONS] [FILES...]",
        summary=summary,
        options=program.options,
        arguments=program.arguments,
        short=COMMANDS[name].short,
        same_as=JIGDO_FILE,
    )


def _summary(command: click.Command) -> str:
    if command.short_help:
        return command.short_help.rstrip(".")
    first = inspect.cleandoc(command.help or "").split("\n\n")[0]
    return re.split(r"\.(?:\s|$)", " ".join(first.split()))[0]


def _help(
    text: str,
) -> tuple[tuple[str | tuple[str, ...], ...], dict[str, tuple[str, ...]]]:
    """A help text's paragraphs, and its blocks of lines by their titles."""
    about: list[str | tuple[str, ...]] = []
    titled = {}
    for paragraph in re.split(r"\n{2,}", inspect.cleandoc(text)):
        lines = paragraph.splitlines()
        if not lines[:1] or lines[0] != _KEPT:
            about.append(" ".join(paragraph.split()))
            continue
        title = lines[1]
        if title.endswith(":") and not title.startswith(" "):
            titled[title.rstrip(":")] = tuple(lines[2:])
        else:
            about.append(tuple(line.strip() for line in lines[1:]))
    return tuple(about), titled


def _option(option: click.Option, context: click.Context) -> Option:
    shown, about = option.get_help_record(context) or (", ".join(option.opts), "")
    takes_value = not (option.is_flag or option.count)
    value = option.make_metavar(context) if takes_value else ""
    names = (*option.opts, *option.secondary_opts)
    return Option(
        names=names,
        shown=shown,
        value=value,
        valued=names if value else (),
        kind=_kind(option.type, value),
        about=_ranges(" ".join(about.split())),
        again=option.multiple,
    )


def _ranges(about: str) -> str:
    """Ranges of click, such as ``1<=x<=256``, in words."""
    for pattern, words in _RANGES:
        about = re.sub(pattern, words, about)
    return about.strip()


def _kind(wanted: click.ParamType[object], value: str) -> str:
    if isinstance(wanted, click.Choice):
        return "|".join(str(each) for each in wanted.choices)
    if isinstance(wanted, click.Path):
        return PATH if wanted.file_okay else FOLDER
    return FOLDER if value in _FOLDERS else WORD


def _arguments(arguments: Sequence[click.Argument]) -> str:
    """What completes all of them: a word that only one of them takes does no harm."""
    if not arguments:
        return ""
    named = " ".join(each.metavar or each.human_readable_name for each in arguments)
    paths = any(isinstance(each.type, click.Path) for each in arguments)
    return PATH if paths or _PATHS.search(named.upper()) else WORD
