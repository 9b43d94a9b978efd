"""``jigdo``: jigdo-file's commands, which jigdo_file reads for itself, and those of our own."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

import click

from release_builder.cli import jigdo_file
from release_builder.cli.jigdo_file.options import COMMANDS

if TYPE_CHECKING:
    from release_builder.errors import Status

# name → module and function below cli, read only when its command is called
_OWN: Final = {"fetch": ("jigdo_fetch", "fetch"), "map": ("jigdo_map", "draw")}
_NAME: Final = "release-builder jigdo"
_SHORT: Final = {command.short: name for name, command in COMMANDS.items()}


class _Unparsed(click.Command):
    """A command that reads its arguments itself.

    Args:
        name: Its name.
        before: What its arguments begin with.
        summary: For the list of commands.
    """

    def __init__(self, name: str, before: tuple[str, ...], summary: str = "") -> None:
        # The argument is for the shell's completion alone.
        files = click.Argument(["files"], nargs=-1, type=click.Path())
        super().__init__(name, params=[files], short_help=summary, add_help_option=False)
        self._before = before

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.params["files"] = tuple(args)
        return []

    def invoke(self, ctx: click.Context) -> Status:
        return jigdo_file.run((*self._before, *ctx.params["files"]), _NAME, _OWN)


class _Commands(click.Group):
    """jigdo-file's commands and our own; the options of the former may come before them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        known = {*COMMANDS, *_SHORT, *_OWN, *ctx.help_option_names}
        if args and args[0] not in known:
            args = ["", *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        return [*COMMANDS, *_OWN]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 (click's signature)
        if not cmd_name:
            return _Unparsed(cmd_name, ())
        if name := _SHORT.get(cmd_name, cmd_name if cmd_name in COMMANDS else ""):
            short, summary = COMMANDS[name].short, COMMANDS[name].summary
            return _Unparsed(name, (name,), f"({short}) {summary}")
        if cmd_name not in _OWN:
            return None
        module, function = _OWN[cmd_name]
        command = getattr(importlib.import_module(f"release_builder.cli.{module}"), function)
        return command if isinstance(command, click.Command) else None


@click.group(cls=_Commands)
def jigdo() -> None:
    """Make pairs and images from files at hand, as jigdo-file does.

    The commands take jigdo-file's options; -h after any of them shows these.

    \b
    Example:
      release-builder jigdo make-template --image=cd.iso --label Base=tree \\
          --uri Base=http://mirror.example/tree/ tree//
    """
