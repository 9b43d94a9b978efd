"""jigdo-file's commands, options, output and exit statuses, on our own engine.

Nothing is imported before it is needed: scripts call these commands by the hundred.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.cli.jigdo_file.arguments import Given, read_options, split
from release_builder.cli.jigdo_file.help_text import usage, version
from release_builder.cli.jigdo_file.options import COMMANDS, Report
from release_builder.cli.jigdo_file.screen import Screen
from release_builder.errors import (
    ReleaseBuilderError,
    Status,
    StoppedError,
    SurroundingsError,
    surroundings,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from types import FrameType

    from release_builder.cli.jigdo_file.options import Options

_NO_MEMORY: Final = "there is not enough memory for this"
_MEMORY_HINT: Final = "free some, or raise the limit (ulimit -v)"


def main() -> None:
    """Run the command that ``sys.argv`` names and end the process with its status."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, _interrupt)
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
    screen = Screen(program, Report.DEFAULT)
    try:
        if sys.stdout is None:
            raise SurroundingsError("stdout is closed", hint="send it to /dev/null")
        given, arguments = split(argv)
        if given.has("help", "help-all", "version"):
            sys.stdout.write(_told(given, program))
            status = Status.DONE
        else:
            options = read_options(given, arguments, others)
            screen = Screen(program, options.report, debug=options.debug)
            status = _command(options.command)(options, screen)
        sys.stdout.flush()
    except (KeyboardInterrupt, StoppedError, BrokenPipeError):  # user or reader has seen enough
        return Status.INTERRUPTED
    except ReleaseBuilderError as error:
        screen.complain(error.what, error.hint)
        return Status.SURROUNDINGS
    except OSError as error:
        said = surroundings(error)
        screen.complain(said.what, said.hint)
        return Status.SURROUNDINGS
    except MemoryError:
        screen.complain(_NO_MEMORY, _MEMORY_HINT)
        return Status.SURROUNDINGS
    finally:
        screen.end()
        _let_go_of_stdout()
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


def _let_go_of_stdout() -> None:
    """What stdout would not take must not be tried again when Python ends: that prints."""
    with contextlib.suppress(OSError):
        if sys.stdout is not None:
            sys.stdout.flush()
        return
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """A run that is stopped from outside ends as one that its user stopped."""
    raise KeyboardInterrupt
