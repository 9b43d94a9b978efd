"""``puavo-img-repo`` and ``puavo-update-repository``, on our own engine.

What it does better: no root, a true exit status, ``--no-config`` is known, and without the folder
of puavo-os it works all the same.
"""

from __future__ import annotations

import getopt
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.api.repository_options import UpdateOptions
from release_builder.api.repository_update import update_repository
from release_builder.cli.failure import print_problem, report_failure
from release_builder.cli.options import Output
from release_builder.cli.show import show_report
from release_builder.cli.signals import take_signals
from release_builder.cli.streams import let_go_of_stdout, take_streams
from release_builder.errors import LACKS, ReleaseBuilderError, Status, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

REPOSITORY: Final = "images.amxa.ch"
PUAVO_OS: Final = Path("/puavo-os")

_SHORT: Final = {"-r": "--repository", "-p": "--puavo-os", "-n": "--no-config", "-h": "--help"}
_LONG: Final = ("repository=", "puavo-os=", "no-config", "no-files", "help")
_USAGE: Final = """Usage: {program} [OPTION]... IMAGE_DIR [MIRROR_DIR]

Makes MIRROR_DIR (default: IMAGE_DIR/mirror) the image repository of all images in IMAGE_DIR.

Options:
  -r, --repository=HOST  where clients find it: a host or a URL (default: {repository})
  -p, --puavo-os=DIR     the tree of puavo-os (default: {puavo_os}, if it is there)
  -n, --no-config        take config/images/*.json of that tree as they are; also --no-files
  -h, --help             show this

Example:
  {program} -r images.example.org /srv/images

Exit statuses:
  0  done, or nothing to do
  1  a source was missing: all else is done
  2  wrong words, or wrong bytes
  3  a program is missing, a permission, room
  75 another run is at work there
"""


def usage(program: str) -> str:
    """What ``program --help`` prints."""
    return _USAGE.format(program=program, repository=REPOSITORY, puavo_os=PUAVO_OS)


@dataclass(frozen=True, slots=True)
class Arguments:
    """What was said on the command line.

    Attributes:
        folders: IMAGE_DIR, and MIRROR_DIR where it was named.
        repository: Where clients find it; None where that was not said.
        puavo_os: The tree; None where it was not named.
        keep_config: Whether hand-made configurations count.
        help: Whether only the help is wanted.
    """

    folders: tuple[Path, ...] = ()
    repository: str | None = None
    puavo_os: Path | None = None
    keep_config: bool = False
    help: bool = False


class UsageError(Exception):
    """The command line cannot be meant."""


def main() -> None:
    """Run the command that ``sys.argv`` names and end the process with its status."""
    take_signals()
    take_streams()
    sys.exit(run(sys.argv[1:], Path(sys.argv[0]).name))


def run(argv: Sequence[str], program: str) -> Status:
    """Do what the command line says.

    Args:
        argv: What follows the program's name.
        program: What messages and the help call us.

    Returns:
        The exit status; see the design: unlike the original's it is 0 only if all is well.
    """
    try:
        status = _run(read_arguments(argv), program)
        sys.stdout.flush()
    except UsageError as error:
        print_problem("error", str(error), f"{program} --help shows the options")
        return Status.WRONG
    except BrokenPipeError:  # the reader has seen enough
        return Status.INTERRUPTED
    except (ReleaseBuilderError, KeyboardInterrupt, *LACKS) as error:
        return report_failure(error)
    finally:
        let_go_of_stdout()
    return status


def read_arguments(argv: Sequence[str]) -> Arguments:
    """What the command line means; options may stand before, between and behind the folders.

    Raises:
        UsageError: It cannot be meant.
    """
    try:
        pairs, folders = getopt.gnu_getopt(list(argv), "r:p:nh", _LONG)
    except getopt.GetoptError as error:
        raise UsageError(printable(error.msg)) from error
    given = {_SHORT.get(option, option): value for option, value in pairs}
    if "--help" in given:
        return Arguments(help=True)
    repository, puavo_os = given.get("--repository"), given.get("--puavo-os")
    if "" in {*folders, repository, puavo_os}:
        raise UsageError("an empty name is none")
    if not 1 <= len(folders) <= 2:
        raise UsageError("name IMAGE_DIR, and MIRROR_DIR if it is not IMAGE_DIR/mirror")
    return Arguments(
        folders=tuple(map(Path, folders)),
        repository=repository,
        puavo_os=None if puavo_os is None else Path(puavo_os),
        keep_config=not given.keys().isdisjoint({"--no-config", "--no-files"}),
    )


def _run(arguments: Arguments, program: str) -> Status:
    if arguments.help:
        sys.stdout.write(usage(program))
        return Status.DONE
    puavo_os = arguments.puavo_os
    if puavo_os is None and (PUAVO_OS.is_dir() or arguments.keep_config):
        puavo_os = PUAVO_OS
    image_dir, *mirror = arguments.folders
    options = UpdateOptions(
        image_dir=image_dir,
        mirror=mirror[0] if mirror else None,
        repository=arguments.repository,
        fallback=REPOSITORY,
        puavo_os=puavo_os,
        keep_config=arguments.keep_config,
    )
    output = Output(json=False, quiet=False, verbose=False, colour=None)
    report = update_repository(options, output.monitor())
    return Status(show_report(report, output))
