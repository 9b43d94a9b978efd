"""jigdo-lite's options, questions and key lines, on our own engine.

What it does better: it never loops, its exit status is true, an image that is there already is no
failure, and ``~/.jigdo-lite`` is read, never run.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.cli.jigdo_lite.arguments import expanded, read_arguments
from release_builder.cli.jigdo_lite.dialogue import Dialogue
from release_builder.cli.jigdo_lite.help_text import usage, version
from release_builder.cli.signals import take_signals
from release_builder.cli.streams import let_go_of_stdout, take_streams
from release_builder.errors import LACKS, ReleaseBuilderError, Status, StoppedError, surroundings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from release_builder.cli.jigdo_lite.arguments import Options
    from release_builder.cli.jigdo_lite.settings import Settings
    from release_builder.state.digest_cache import DigestCache

_CACHE: Final = re.compile(r"--cache(?:=|[ \t]+)\S+|--no-cache")  # ours does its work


def main() -> None:
    """Run the command that ``sys.argv`` names and end the process with its status."""
    take_signals()
    take_streams()
    sys.exit(run(sys.argv[1:], Path(sys.argv[0]).name))


def run(argv: Sequence[str], program: str) -> Status:
    """Build the images of the .jigdo files that are named, whatever comes.

    Args:
        argv: What follows the program's name.
        program: What messages and the help call us.

    Returns:
        The exit status: the worst of all images.
    """
    dialogue = Dialogue(program)
    try:
        return _guarded(dialogue, lambda: _run(argv, program, dialogue))
    except BrokenPipeError:  # the reader has seen enough
        return Status.INTERRUPTED
    except (KeyboardInterrupt, StoppedError):
        dialogue.complain("interrupted: the same command goes on from here")
        return Status.INTERRUPTED
    except LACKS as error:
        dialogue.complain(surroundings(error).what)
        return Status.SURROUNDINGS
    finally:
        dialogue.end()
        let_go_of_stdout()


def _guarded(dialogue: Dialogue, work: Callable[[], Status]) -> Status:
    """The status of ``work``; what ends it is told, but neither the user nor the reader does."""
    try:
        return work()
    except (BrokenPipeError, StoppedError):
        raise
    except ReleaseBuilderError as error:
        dialogue.complain(error.what, error.hint)
        return error.status
    except LACKS as error:
        said = surroundings(error)
        dialogue.complain(said.what, said.hint)
        return said.status


def _run(argv: Sequence[str], program: str, dialogue: Dialogue) -> Status:
    options = read_arguments(argv)
    if options.help or options.version:
        sys.stdout.write(version() if options.version else "")
        sys.stdout.write(usage(program) if options.help else "")
        sys.stdout.flush()
        return Status.DONE
    if not options.ask:
        dialogue.stop_asking()
    return _build(options, dialogue)


def _build(options: Options, dialogue: Dialogue) -> Status:
    # Not before it is needed: a mistake in the options is answered at once.
    from release_builder.cli.jigdo_lite.questions import ask_jigdo  # noqa: PLC0415
    from release_builder.cli.jigdo_lite.session import Session  # noqa: PLC0415
    from release_builder.cli.jigdo_lite.settings import SettingsFile  # noqa: PLC0415
    from release_builder.cli.jigdo_lite.wget_options import read_wget_options  # noqa: PLC0415

    home = os.environ.get("HOME")
    file = SettingsFile(Path(home) / ".jigdo-lite" if home else None)
    wget = read_wget_options(file.settings.wget_options)
    os.environ.update(wget.proxies)
    for note in (*file.notes, *_unused(file.settings, wget.ignored)):
        dialogue.complain(note)
    jigdos = options.jigdos or [
        each for name in ask_jigdo(dialogue, file) for each in expanded(name)
    ]
    worst = Status.DONE
    with _cache(file.settings) as cache:
        session = Session(dialogue, file, options.scan, wget.http, cache)
        for number, jigdo in enumerate(jigdos, 1):
            if len(jigdos) > 1:
                dialogue.text("", f"{jigdo} (image {number} of {len(jigdos)})")
            build = functools.partial(session.build, jigdo, alone=len(jigdos) == 1)
            worst = max(worst, _guarded(dialogue, build))
    return worst


def _unused(settings: Settings, wget_words: Sequence[str]) -> Iterator[str]:
    """What settings ask for and we do not do, a sentence each."""
    if wget_words:
        yield f"wgetOpts: {' '.join(wget_words)}: means nothing here, ignored"
    if words := _CACHE.sub("", settings.jigdo_options).strip():
        yield f"jigdoOpts: {words}: means nothing here, ignored"
    if settings.tmp_dir not in {"", "."}:
        yield "tmpDir: not used: what is unfinished lies beside the image"


def _cache(settings: Settings) -> DigestCache:
    """The cache of all our commands; it is never a reason to stop."""
    from release_builder.state.digest_cache import (  # noqa: PLC0415 (as above)
        no_cache,
        open_cache,
        state_folder,
    )

    if "--no-cache" not in settings.jigdo_options.split():
        with contextlib.suppress(ReleaseBuilderError):
            return open_cache(state_folder(os.environ))
    return no_cache()
