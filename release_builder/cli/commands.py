"""``release-builder`` and all its commands."""

from __future__ import annotations

import importlib
import io
import sys
from typing import Final

import click

from release_builder import __version__
from release_builder.cli.failure import report_failure
from release_builder.cli.signals import take_signals
from release_builder.cli.streams import let_go_of_stdout, take_streams
from release_builder.descriptor.refusal import nearest
from release_builder.errors import LACKS, ReleaseBuilderError, Status, without_passwords

# name → module below cli; read only when its command is called, for a quick start
_COMMANDS: Final = {
    "demo": "demo",
    "init": "descriptors",
    "validate": "descriptors",
    "plan": "plan",
    "build": "steps",
    "sync": "steps",
    "rewrite": "steps",
    "assemble": "steps",
    "verify": "steps",
    "compare": "compare",
    "missing": "missing",
    "mirrors": "mirrors",
    "compose": "steps",
    "pair": "steps",
    "publish": "publish",
    "promote": "publish",
    "refresh": "refresh",
    "status": "history",
    "history": "history",
    "releases": "releases",
    "doctor": "doctor",
    "install-cron": "install_cron",
    "images": "images",
    "jigdo": "jigdo",
}

_HELP: Final = """Rebuild, verify and publish installation images.

A descriptor of three lines (version, arch, mirror) becomes a verified ISO:

\b
  release-builder init sme9.yaml
  release-builder plan sme9.yaml
  release-builder build sme9.yaml

\b
Exit statuses:
  0    done and verified, or nothing to do
  1    incomplete: run again later
  2    wrong: usage, descriptor, or bytes that do not verify
  3    surroundings: missing program, permission, disk full
  75   another run is at work in the same folder
  130  interrupted
"""


class _Commands(click.Group):
    """The commands in the order of a user's day."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        return list(_COMMANDS)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with a guess at what a mistyped command was meant to be."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            if meant := nearest(args[0], _COMMANDS):
                raise click.UsageError(f"{error.message} Did you mean {meant}?", ctx) from error
            raise

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 (click's signature)
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"release_builder.cli.{_COMMANDS[cmd_name]}")
        command = getattr(module, cmd_name.replace("-", "_"))
        return command if isinstance(command, click.Command) else None


@click.group(cls=_Commands, help=_HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", prog_name="release-builder")
def cli() -> None:
    """The group that all commands belong to."""


def main() -> None:
    """Run the command that ``sys.argv`` names and end the process with its status."""
    take_signals()
    take_streams()
    if isinstance(sys.stdout, io.TextIOWrapper):  # what a locale cannot say is no reason to stop
        sys.stdout.reconfigure(errors="replace")
    try:
        sys.exit(cli.main(standalone_mode=False) or Status.DONE)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as error:
        told = io.StringIO()
        error.show(told)
        click.echo(without_passwords(told.getvalue()), nl=False, err=True)
        sys.exit(Status.WRONG)
    except click.Abort:
        sys.exit(report_failure(KeyboardInterrupt()))
    except BrokenPipeError:  # whoever read us has seen enough
        sys.exit(Status.INTERRUPTED)
    except (ReleaseBuilderError, KeyboardInterrupt, *LACKS) as error:
        sys.exit(report_failure(error))
    finally:
        let_go_of_stdout()
