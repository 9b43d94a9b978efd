"""The command line, read as jigdo-lite reads it: options come before the files."""

from __future__ import annotations

import getopt
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from release_builder.cli.braces import expand_braces
from release_builder.errors import DescriptorError, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONG: Final = ("help", "version", "scan=", "noask")
_DASHES: Final = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212"  # text programs change what is typed
_WEB: Final = ("http://", "https://")
_HINT: Final = "-h shows the options"


@dataclass(frozen=True, slots=True)
class Options:
    """What was said on the command line.

    Attributes:
        jigdos: URLs and paths of .jigdo files.
        scan: Where parts may be found, as typed; empty to ask.
        ask: Whether questions may be asked.
        help: Whether only the help is wanted.
        version: Whether only the version is wanted.
    """

    jigdos: tuple[str, ...] = ()
    scan: tuple[str, ...] = ()
    ask: bool = True
    help: bool = False
    version: bool = False


def read_arguments(argv: Sequence[str]) -> Options:
    """What the command line means; lists in braces are expanded unless a file has that name.

    Raises:
        DescriptorError: It cannot be meant.
    """
    try:
        pairs, rest = getopt.getopt(list(argv), "hv", _LONG)
    except getopt.GetoptError as error:
        raise DescriptorError(printable(error.msg), hint=_HINT) from error
    options = {option for option, _ in pairs}
    scan = tuple(value for option, value in pairs if option == "--scan")
    if "" in scan:
        raise DescriptorError("--scan needs a path", hint=_HINT)
    shows = bool(options & {"-h", "--help", "-v", "--version"})
    return Options(
        jigdos=() if shows else tuple(each for word in rest for each in expanded(word)),
        scan=scan,
        ask="--noask" not in options,
        help=bool(options & {"-h", "--help"}),
        version=bool(options & {"-v", "--version"}),
    )


def expanded(word: str) -> list[str]:
    """The URLs and paths that one argument or answer stands for.

    Raises:
        DescriptorError: It is empty, an option in the wrong place, or stands for too many.
    """
    if os.path.lexists(word):
        return [word]
    if word.lower().startswith(_WEB) and len(words := word.split()) > 1:
        return [each for one in words for each in expanded(one)]
    if not word:
        raise DescriptorError("an empty name is no .jigdo file", hint=_HINT)
    if word[0] in _DASHES:
        meant = f"--{word.lstrip(_DASHES)}"
        known = meant.partition("=")[0] in {f"--{name.rstrip('=')}" for name in _LONG}
        place = f"options stand before the files: write {meant} first" if known else _HINT
        raise DescriptorError(f"{printable(word)} is no file", hint=printable(place))
    return expand_braces(word)
