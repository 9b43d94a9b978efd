"""``md5sum``, ``sha256sum`` and ``scan``: digests of files, printed or remembered."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from release_builder.cli.jigdo_file.files import cache_of, digest_of, inputs_of
from release_builder.errors import Status, SurroundingsError, surroundings

if TYPE_CHECKING:
    from release_builder.cli.jigdo_file.options import Options
    from release_builder.cli.jigdo_file.screen import Screen
    from release_builder.jigdo.input_files import InputFile

_ALGORITHMS: Final = {"md5sum": "md5", "sha256sum": "sha256"}
_NOT_KEPT: Final = "scan is of no use without a cache: --cache=FILE names another"
_ESCAPES: Final = str.maketrans({"\\": r"\\", "\n": r"\n", "\r": r"\r"})


def run(options: Options, screen: Screen) -> Status:
    """Digest the files of the command line; ``scan`` prints nothing but problems."""
    algorithm = _ALGORITHMS.get(options.command, options.algorithm)
    with cache_of(options, screen) as cache:
        for file in inputs_of(options, screen).files:
            screen.begin(f"reading {file.path}", file.size)
            try:
                digest = digest_of(file, algorithm, cache, screen.advance)
            except OSError as error:
                screen.complain(surroundings(error).what)
                continue
            finally:
                screen.end()
            if options.command != "scan":
                shown = digest.hex if options.hexadecimal else digest.jigdo
                screen.result(_line(shown, _name(file)))
    if options.command == "scan" and options.cache != "" and not cache.keeps:
        raise SurroundingsError("what was read could not be kept", hint=_NOT_KEPT)
    return Status.DONE


def _line(shown: str, name: str) -> bytes:
    """As jigdo-file prints it; a name that would break the line as md5sum and its sisters do."""
    written = name.translate(_ESCAPES) if {"\n", "\r"} & set(name) else name
    begin = "\\" * (written != name)
    return os.fsencode(f"{begin}{shown}  {written}")


def _name(file: InputFile) -> str:
    """What follows the ``//``; the whole name where there is none."""
    return file.path if file.root.path == "/" else file.name
