"""``make-image``: an image from its template and files, in one go or several."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from release_builder.api.images import make_image, write_image
from release_builder.cli.jigdo_file.files import cache_of, inputs_of
from release_builder.cli.jigdo_file.piped import seekable
from release_builder.errors import Status, WrongBytesError
from release_builder.jigdo.entries import TemplateError

if TYPE_CHECKING:
    from release_builder.api.images import MadeImage
    from release_builder.cli.jigdo_file.options import Options
    from release_builder.cli.jigdo_file.screen import Screen
    from release_builder.jigdo.input_files import InputFiles
    from release_builder.state.digest_cache import DigestCache


def run(options: Options, screen: Screen) -> Status:
    """Make the image, as far as the files of the command line go."""
    inputs = inputs_of(options, screen)
    try:
        with cache_of(options, screen) as cache:
            made = _made(options, inputs, cache, screen)
    except TemplateError:
        raise  # a damaged template is no wrong image
    except WrongBytesError as error:
        screen.complain(error.what, error.hint)
        return Status.WRONG
    for path, why in made.unreadable:
        screen.complain(f"{path}: {why}")
    for each in made.wrong:
        screen.complain(str(each))
    return _told(options.image, made, screen)


def _made(options: Options, inputs: InputFiles, cache: DigestCache, screen: Screen) -> MadeImage:
    with seekable(options.template) as template:
        if options.image == "-":
            return write_image(template, sys.stdout.buffer, inputs, cache=cache, monitor=screen)
        image, force = Path(options.image), options.force
        # Without a cache the parts' digests are of no further use: the image's proves them all.
        wanted = None if options.cache == "" else cache
        return make_image(template, image, inputs, cache=wanted, monitor=screen, force=force)


def _told(image: str, made: MadeImage, screen: Screen) -> Status:
    if made.was_there:
        screen.say(f"{image} is there already and right: nothing to do")
        return Status.DONE
    if made.complete:
        screen.say(f"{image} is made, and its digest is the template's")
        return Status.DONE
    if image == "-":
        noun = "part is" if len(made.missing) == 1 else "parts are"
        screen.complain(
            f"{len(made.missing):,} {noun} missing: nothing was written",
            hint="print-missing tells where to get them",
        )
        return Status.SURROUNDINGS
    found = f"{made.found:,} of {made.wanted:,} parts"
    if made.unfinished:
        screen.say(f"{found} are in {made.unfinished}")
    else:
        screen.say(f"{found} are among the files: nothing was written")
    screen.say("give more files to the same command; print-missing tells where to get them")
    return Status.INCOMPLETE
