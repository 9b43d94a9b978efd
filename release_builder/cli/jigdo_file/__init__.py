"""jigdo-file's commands, options, output and exit statuses, on our own engine.

Nothing is imported before it is needed: scripts call these commands by the hundred.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from release_builder.cli.jigdo_file.arguments import Given, read_options, split
from release_builder.cli.jigdo_file.help_text import usage, version
from release_builder.cli.jigdo_file.options import COMMANDS, Report
from release_builder.cli.jigdo_file.screen import Screen
from release_builder.cli.signals import take_signals
from release_builder.cli.streams import let_go_of_stdout, take_streams
from release_builder.errors import LACKS, ReleaseBuilderError, Status, StoppedError, surroundings

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from release_builder.cli.jigdo_file.options import Options


def main() -> None:
    """Run the command that ``sys.argv`` names and end the process with its status."""
    take_signals()
    take_streams()
    sys.exit(run(sys.argv[1:], Path(sys.argv[0]).name))


def run(argv: Sequence[str], program: str, others: Collection[str] = ()) -> Status:
    """Carry out one command, whatever comes.

    Args:
        argv: What follows the program's name.
        program: What messages and the help call us.
        others: Commands that the program has besides; a mistake may mean one of them.

    Returns:
        The exit status.
    """
    screen, options = Screen(program, Report.DEFAULT), None
    try:
        given, arguments = split(argv)
        if given.has("help", "help-all", "version"):
            sys.stdout.write(_told(given, program))
            status = Status.DONE
        else:
            options = read_options(given, arguments, others)
            screen = Screen(program, options.report, debug=options.debug)
            status = _command(options.command)(options, screen)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough
        return Status.INTERRUPTED
    except (KeyboardInterrupt, StoppedError):
        screen.complain(f"interrupted: {_left(options)}")
        return Status.INTERRUPTED
    except ReleaseBuilderError as error:
        screen.complain(error.what, error.hint)
        return Status.SURROUNDINGS
    except LACKS as error:
        said = surroundings(error)
        screen.complain(said.what, said.hint)
        return Status.SURROUNDINGS
    finally:
        screen.end()
        let_go_of_stdout()
    return status


def _command(name: str) -> Callable[[Options, Screen], Status]:
    module = importlib.import_module(f"{__name__}.{COMMANDS[name].module}")
    command: Callable[[Options, Screen], Status] = module.run
    return command


def _told(given: Given, program: str) -> str:
    text = version(program) if given.has("version") else ""
    if given.has("help", "help-all"):
        text += usage(program, everything=given.has("help-all"))
    return text


def _left(options: Options | None) -> str:
    """What an interrupted command leaves."""
    if options and options.command == "make-image" and os.path.lexists(f"{options.image}.tmp"):
        return f"{options.image}.tmp stays, and the same command goes on with it"
    if options and options.command == "scan":
        return "the digests of what was read are kept"
    return "nothing was written"
