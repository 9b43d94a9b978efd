"""What several commands read: the files of the command line, and their digests."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from release_builder.cli.jigdo_file.piped import opened
from release_builder.errors import ReleaseBuilderError, SurroundingsError, printable
from release_builder.jigdo.input_files import read_files_from, read_input_files, unused_labels
from release_builder.jigdo.sources import digest_of_file
from release_builder.state.digest_cache import (
    no_cache,
    open_cache,
    open_cache_file,
    state_folder,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from release_builder.cli.jigdo_file.options import Options
    from release_builder.cli.jigdo_file.screen import Screen
    from release_builder.digests import Digest
    from release_builder.jigdo.input_files import InputFile, InputFiles
    from release_builder.state.digest_cache import DigestCache


@contextlib.contextmanager
def cache_of(options: Options, screen: Screen) -> Iterator[DigestCache]:
    """The digest cache that the options ask for; a reason to stop for none but ``scan``."""
    cache = _opened(options)
    try:
        _tell_notes(cache, options, screen)
        yield cache
    finally:
        cache.close()
        _tell_notes(cache, options, screen)


def inputs_of(options: Options, screen: Screen) -> InputFiles:
    """The files that the command line and its lists name; what cannot be had is told."""
    inputs = read_input_files(_names(options), options.labels)
    for problem in inputs.problems:
        screen.complain(problem)
    for sentence in unused_labels(inputs, options.labels):
        screen.complain(sentence)
    return inputs


def digest_of(
    file: InputFile,
    algorithm: str,
    cache: DigestCache,
    on_bytes: Callable[[int], None] = lambda _count: None,
) -> Digest:
    """The digest of a file, from the cache if it is known.

    Raises:
        OSError: The file cannot be read.
    """
    return digest_of_file(file.path, algorithm, cache, on_bytes)


def _opened(options: Options) -> DigestCache:
    if options.cache:
        return open_cache_file(Path(options.cache), kept_days=options.cache_days)
    if options.cache is None:
        try:
            return open_cache(state_folder(os.environ))
        except ReleaseBuilderError:
            if options.command == "scan":
                raise
    return no_cache()


def _tell_notes(cache: DigestCache, options: Options, screen: Screen) -> None:
    """Say what is new of the cache to who asked for it."""
    notes, cache.notes = cache.notes, []
    for note in notes if options.cache or options.command == "scan" else ():
        screen.complain(note)


def _names(options: Options) -> Iterator[str]:
    yield from options.files
    for name in options.files_from:
        try:
            with opened(name) as stream:
                yield from read_files_from(stream)
        except OSError as error:
            raise SurroundingsError(
                f"--files-from={printable(name)}: {error.strerror}",
                hint="see that it is there, and that this user can read it",
            ) from error
