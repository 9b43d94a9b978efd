"""The commands of the jigdo-file look-alike, and what its options become."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from release_builder.errors import ReleaseBuilderError, Status


class UsageError(ReleaseBuilderError):
    """The command line cannot be meant."""

    status = Status.SURROUNDINGS  # 3: jigdo-file's own for whatever it cannot go on after


class Report(Enum):
    """How much is said on stderr."""

    DEFAULT = "default"
    NO_PROGRESS = "noprogress"  # as default, but no progress line
    QUIET = "quiet"  # problems only
    GREP = "grep"  # problems only; make-template prints "offset file" to stdout for each match


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    Attributes:
        short: Its short name; empty when it has none.
        module: Which module of this package carries it out: ``run(options, screen) -> Status``.
        summary: What it does, for the help.
        needs: Which of image, jigdo and template must be named or deduced.
        stdin: What may be ``-`` for stdin, one of them at a time.
        stdout: What may be ``-`` for stdout, likewise.
    """

    short: str
    module: str
    summary: str
    needs: tuple[str, ...] = ()
    stdin: tuple[str, ...] = ()
    stdout: tuple[str, ...] = ()


COMMANDS: Final = {
    "make-template": Command(
        "mt",
        "make_template",
        "Make template and .jigdo of an image and its files.",
        ("image", "jigdo", "template"),
        stdin=("image", "merge"),
        stdout=("jigdo", "template"),
    ),
    "make-image": Command(
        "mi",
        "make_image",
        "Rebuild an image from its template and files.",
        ("image", "template"),
        stdin=("template",),
        stdout=("image",),
    ),
    "print-missing": Command(
        "pm",
        "missing",
        "Print where to get each file an image still lacks.",
        ("image", "jigdo", "template"),
        stdin=("jigdo", "template"),
    ),
    "print-missing-all": Command(
        "pma",
        "missing",
        "The same with all places of each file.",
        ("image", "jigdo", "template"),
        stdin=("jigdo", "template"),
    ),
    "verify": Command(
        "ver",
        "verify",
        "Check an image against its template.",
        ("image", "template"),
        stdin=("image", "template"),
    ),
    "scan": Command("sc", "sums", "Digest files now, for later commands to be quick."),
    "md5sum": Command("md5", "sums", "Print the MD5 of files as [Parts] writes it."),
    "sha256sum": Command("sha256", "sums", "Print the SHA-256 of files as [Parts] writes it."),
    "list-template": Command(
        "ls", "listing", "Print what a template or unfinished image holds.", ("template",)
    ),
}


@dataclass(frozen=True, slots=True)
class Options:
    """What was said on the command line.

    Attributes:
        command: A key of COMMANDS.
        image: The image as given or deduced, ``-`` as Command tells; empty when not known.
        jigdo: The .jigdo file likewise.
        template: The template likewise.
        files: Files and folders, ``//`` where [Parts] begins to name them.
        files_from: Files that list more of them, ``-`` for stdin.
        report: How much is said.
        force: Whether outputs replace what stands there.
        labels: Label and path of each --label.
        uris: Label and value of each --uri; the value is quoted as in a .jigdo file.
        algorithm: ``md5`` or ``sha256``: what make-template writes.
        compression: ``gzip`` or ``bzip2``.
        level: Of compression, 0 to 9.
        min_length: Bytes of the shortest part, at least 256.
        match: How parts are looked for: ``auto``, ``extents``, ``content`` or ``both``.
        greedy: Whether a match is taken though a larger one has begun.
        merge: A .jigdo file to build upon; empty for none.
        image_section: Whether [Image] is written.
        servers_section: Whether [Servers] is written.
        match_exec: A shell's command to run for each match; empty for none.
        cache: File of the digest cache; empty for none, None for the one of all commands.
        cache_days: How long an unused digest is kept in ``cache``; None for ever.
        hexadecimal: Whether digests are printed so.
        json: Whether list-template prints a JSON document.
        debug: Whether more is said.
    """

    command: str
    image: str
    jigdo: str
    template: str
    files: tuple[str, ...]
    files_from: tuple[str, ...]
    report: Report
    force: bool
    labels: tuple[tuple[str, str], ...]
    uris: tuple[tuple[str, str], ...]
    algorithm: str
    compression: str
    level: int
    min_length: int
    match: str
    greedy: bool
    merge: str
    image_section: bool
    servers_section: bool
    match_exec: str
    cache: str | None
    cache_days: int | None
    hexadecimal: bool
    json: bool
    debug: bool
