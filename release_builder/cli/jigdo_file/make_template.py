"""``make-template``: the pair of an image and its files."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from release_builder.cli.jigdo_file.files import cache_of, digest_of, inputs_of
from release_builder.cli.jigdo_file.options import Report
from release_builder.cli.jigdo_file.piped import opened
from release_builder.digests import BLOCK
from release_builder.errors import Status, SurroundingsError, printable
from release_builder.jigdo.form import Form
from release_builder.jigdo.input_files import unused_uris
from release_builder.jigdo.syntax import read_content, split_words
from release_builder.steps.make_pair import make_template
from release_builder.steps.pair_options import Match, PairOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_builder.cli.jigdo_file.options import Options
    from release_builder.cli.jigdo_file.screen import Screen
    from release_builder.digests import Digest
    from release_builder.jigdo.input_files import InputFile
    from release_builder.state.digest_cache import DigestCache

_ALGORITHMS: Final = ("md5", "sha256")


def run(options: Options, screen: Screen) -> Status:
    """Make the template and the .jigdo file."""
    inputs = inputs_of(options, screen)
    for sentence in unused_uris(inputs, options.uris):
        screen.complain(sentence)
    for sentence in _misread_urls(options.uris):
        screen.complain(sentence)
    if not inputs.files:
        screen.complain("no files are given: the template will hold the whole image")
    merged = _merged(options)
    with cache_of(options, screen) as cache:
        matches = _Matches(options, screen, cache)
        with _outputs(options) as (template, jigdo):
            made = make_template(
                sys.stdin.buffer if options.image == "-" else Path(options.image),
                inputs,
                template,
                jigdo,
                _pair_options(options, merged),
                cache=cache,
                monitor=screen,
                on_match=matches,
                force=options.force,
            )
    for problem in made.problems:
        screen.complain(problem)
    names = ("stdout" if name == "-" else name for name in (options.jigdo, options.template))
    screen.say(
        f"{' and '.join(names)} are made: of {made.image.length:,} bytes"
        f" {made.bytes_matched:,} are in {made.parts:,} files, {made.bytes_unmatched:,} in the"
        " template"
    )
    if not matches.seen:
        screen.complain("no file was matched: the whole image is in the template")
    return Status.DONE


def _misread_urls(uris: tuple[tuple[str, str], ...]) -> Iterator[str]:
    """A sentence for each URL that jigdo will not part from the names behind it."""
    for label, value in uris:
        words, _ended = split_words(value)
        if words and not words[0].text.endswith("/"):
            yield f"--uri {label}={value} does not end in /: URLs will read {words[0].text}NAME"


@contextmanager
def _outputs(options: Options) -> Iterator[tuple[Path, Path]]:
    """Where template and .jigdo go: what is for stdout is made in a temporary folder first."""
    if "-" not in {options.template, options.jigdo}:
        yield Path(options.template), Path(options.jigdo)
        return
    with TemporaryDirectory() as folder:
        if options.jigdo == "-":
            file = Path(options.template)
            made = Path(folder, "jigdo")
            yield file, made
        else:
            file = Path(options.jigdo)
            made = Path(folder, f"{file.stem}.template")  # as [Image] will call it
            yield made, file
        try:
            with made.open("rb") as stream:
                shutil.copyfileobj(stream, sys.stdout.buffer, BLOCK)
            sys.stdout.flush()
        except BaseException:
            file.unlink(missing_ok=True)  # of no use without the other
            raise


def _pair_options(options: Options, merged: bytes) -> PairOptions:
    return PairOptions(
        form=Form(options.algorithm, options.compression, options.level, options.min_length),
        match=Match(options.match),
        greedy=options.greedy,
        image_section=options.image_section,
        servers_section=options.servers_section,
        uris=options.uris,
        merge=merged,
    )


def _merged(options: Options) -> bytes:
    if not options.merge:
        return b""
    with opened(options.merge) as stream:
        return read_content(stream, "--merge")


@dataclass(slots=True)
class _Matches:
    """Hears of each file that is found in the image."""

    options: Options
    screen: Screen
    cache: DigestCache
    seen: int = 0

    def __call__(self, offset: int, file: InputFile, digest: Digest) -> None:
        """``file``, which has ``digest``, lies at ``offset``."""
        self.seen += 1
        if self.options.report is Report.GREP:
            self.screen.result(f"{offset} ".encode() + os.fsencode(file.path))
        self.screen.say(f"match of {file.name} at offset {offset}")
        if self.options.match_exec:
            self._execute(file, digest)

    def _execute(self, file: InputFile, digest: Digest) -> None:
        """Run the user's command, in the user's own environment as any shell would."""
        from release_builder import process  # noqa: PLC0415 (its libraries take 6 MB)

        digests = {
            algorithm: digest
            if algorithm == digest.algorithm
            else digest_of(file, algorithm, self.cache)
            for algorithm in _ALGORITHMS
        }
        outputs = {self.options.template, self.options.jigdo}
        folder, slash, leaf = file.name.rpartition("/")
        variables = {
            "LABEL": file.root.label,
            "LABELPATH": file.root.path,
            "MATCHPATH": folder + slash,
            "LEAF": leaf,
            "MD5SUM": digests["md5"].jigdo,
            "SHA256SUM": digests["sha256"].jigdo,
            "FILE": file.path,
        }
        ended = process.run(
            ["sh", "-c", self.options.match_exec],
            env={**os.environ, **variables},
            on_output=self._beside if "-" in outputs else self.screen.pass_on,
        )
        self.screen.pass_on_errors(ended.stderr)
        if ended.status:
            raise SurroundingsError(
                f"the command of --match-exec ended with status {ended.status}"
                f" for {printable(file.path)}",
                hint="nothing was written; end a command that may fail with: || true",
            )

    def _beside(self, output: bytes) -> None:
        """What the command prints, when stdout is for the template or the .jigdo."""
        self.screen.pass_on_errors(os.fsdecode(output))
