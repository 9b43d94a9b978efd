"""The command line, read as jigdo-file reads it: options anywhere, long ones abbreviated."""

from __future__ import annotations

import getopt
import os
import re
from typing import TYPE_CHECKING, Final

from release_builder.cli.jigdo_file.options import COMMANDS, Options, Report, UsageError
from release_builder.cli.jigdo_file.values import choice, days, deduced, labelled, size
from release_builder.errors import printable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

_SHORT: Final = {
    "c": "cache",
    "C": "checksum-algorithm",
    "f": "force",
    "h": "help",
    "H": "help-all",
    "i": "image",
    "j": "jigdo",
    "r": "report",
    "t": "template",
    "T": "files-from",
    "v": "version",
}
_WITH_VALUE: Final = (
    *("image", "jigdo", "template", "files-from", "report", "cache", "cache-expiry", "label"),
    *("uri", "checksum-algorithm", "min-length", "merge", "match-exec", "readbuffer"),
    *("checksum-block-size", "md5-block-size"),
)
_SWITCHES: Final = (
    *("force", "check-files", "scan-whole-file", "greedy-matching", "image-section"),
    *("servers-section", "hex", "debug"),
)
_FLAGS: Final = (
    *("help", "help-all", "version", "gzip", "bzip2", "no-cache"),
    *_SWITCHES,
    *(f"no-{name}" for name in _SWITCHES),
)
_DEBUG: Final = re.compile(r"--de?b?u?g?=")
# Not jigdo-file's: known by their full names only, so that all its abbreviations stay what they are.
_OUR_VALUE: Final = "match"
_OUR_FLAG: Final = "json"
_SIZES: Final = ("readbuffer", "checksum-block-size", "md5-block-size")
_SHORTEST_PART: Final = 256  # bytes
_LONGEST_PART: Final = (1 << 32) - 1  # bytes: a template has four bytes for it
_TYPED_DASHES: Final = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
_HINT: Final = "-h shows the commands and options"


class Given:
    """The options as they stand on the command line, under their long names.

    Args:
        pairs: Name and value of each, in order.
    """

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._pairs = tuple(pairs)

    def has(self, *names: str) -> bool:
        """Whether any of ``names`` is given."""
        return any(name in names for name, _ in self._pairs)

    def all(self, name: str) -> tuple[str, ...]:
        """The values of an option that may be given again."""
        return tuple(value for each, value in self._pairs if each == name)

    def last(self, name: str, default: str = "") -> str:
        """The value that counts."""
        return (default, *self.all(name))[-1]

    def last_of(self, *names: str) -> str:
        """The name of the one that was given last; the first of them when none was."""
        return (names[0], *(name for name, _ in self._pairs if name in names))[-1]

    def on(self, name: str, *, default: bool = False) -> bool:
        """Whether a switch is on; ``no-NAME`` turns it off."""
        names = (name, f"no-{name}") if default else (f"no-{name}", name)
        return self.last_of(*names) == name


def split(argv: Sequence[str]) -> tuple[Given, list[str]]:
    """Part the options from the other arguments.

    Raises:
        UsageError: An option is unknown, ambiguous, or has a value too few or too many.
    """
    # Its value is optional, which getopt does not know; and we have no units to choose from.
    argv = ["--debug" if _DEBUG.match(argument) else argument for argument in argv]
    spelt = {argument.partition("=")[0] for argument in argv}
    names = [*(f"{name}=" for name in _WITH_VALUE), *_FLAGS]
    names += [f"{_OUR_VALUE}="] if f"--{_OUR_VALUE}" in spelt else []
    names += [_OUR_FLAG] if f"--{_OUR_FLAG}" in spelt else []
    letters = "".join(f"{key}{':' if name in _WITH_VALUE else ''}" for key, name in _SHORT.items())
    try:
        pairs, rest = getopt.gnu_getopt(argv, f"{letters}0123456789", names)
    except getopt.GetoptError as error:
        raise _explained(error) from error
    return Given([_long(option, value) for option, value in pairs]), rest


def read_options(given: Given, arguments: Sequence[str], others: Collection[str] = ()) -> Options:
    """What a command line without -h, -H and -v means.

    Args:
        given: The options.
        arguments: What else stands there, the command first.
        others: Commands of the caller's own; a mistake may mean one of them.

    Raises:
        UsageError: It cannot be meant.
    """
    _refuse_typed_dashes(arguments)
    if not arguments:
        raise UsageError("no command", hint=_HINT)
    command = _command(arguments[0], others)
    names = (given.last("image"), given.last("jigdo"), given.last("template"))
    image, jigdo, template = deduced(*names)
    for option in _SIZES:
        for value in given.all(option):
            size(option, value)
    options = Options(
        command=command,
        image=image,
        jigdo=jigdo,
        template=template,
        files=tuple(arguments[1:]),
        files_from=given.all("files-from"),
        report=_report(given),
        force=given.on("force"),
        labels=tuple(labelled("label", text) for text in given.all("label")),
        uris=tuple(labelled("uri", text) for text in given.all("uri")),
        algorithm=choice(
            "checksum-algorithm", given.last("checksum-algorithm", "md5"), ("md5", "sha256")
        ),
        compression=given.last_of("gzip", "bzip2"),
        level=int(given.last("level", "9")),
        min_length=_min_length(given),
        match=choice("match", given.last("match", "auto"), ("auto", "extents", "content", "both")),
        greedy=given.on("greedy-matching"),
        merge=given.last("merge"),
        image_section=given.on("image-section", default=True),
        servers_section=given.on("servers-section", default=True),
        match_exec=given.last("match-exec"),
        cache=_cache(given),
        cache_days=days("cache-expiry", given.last("cache-expiry", "30d")),
        hexadecimal=given.on("hex"),
        json=given.has("json"),
        debug=given.on("debug"),
    )
    _check_together(options)
    return options


def _long(option: str, value: str) -> tuple[str, str]:
    """The long name of an option that getopt found, and its value."""
    if option[1:].isdigit():
        return "level", option[1:]
    return (option[2:] if option.startswith("--") else _SHORT[option[1:]]), value


def _explained(error: getopt.GetoptError) -> UsageError:
    """What getopt complains of, and what to write instead."""
    name = printable(error.opt)
    if not error.msg.startswith("option --"):
        if name in _SHORT:
            return UsageError(f"-{name} needs a value", hint=_HINT)
        return UsageError(f"there is no option -{name}", hint=_HINT)
    abbreviated, ours = (*_WITH_VALUE, *_FLAGS), (_OUR_VALUE, _OUR_FLAG)
    known = (*abbreviated, *ours)
    meant = [name] if name in known else [each for each in abbreviated if each.startswith(name)]
    if len(meant) > 1:
        likely = " or ".join(f"--{each}" for each in sorted(meant))
        return UsageError(f"--{name} may be one of several options", hint=f"write {likely}")
    if meant:
        needs = meant[0] in (*_WITH_VALUE, _OUR_VALUE)
        return UsageError(f"--{meant[0]} {'needs a' if needs else 'takes no'} value", hint=_HINT)
    in_full = next((f"write --{each} in full" for each in ours if each.startswith(name)), "")
    hint = in_full or _did_you_mean(name, known, before="--") or _HINT
    return UsageError(f"there is no option --{name}", hint=hint)


def _did_you_mean(word: str, known: Iterable[str], *, before: str = "") -> str:
    from release_builder.descriptor.refusal import nearest  # noqa: PLC0415 (for mistakes only)

    meant = nearest(word, known)
    return f"did you mean {before}{meant}?" if meant else ""


def _refuse_typed_dashes(arguments: Iterable[str]) -> None:
    """Text programs turn -- into a dash of their own; a file may have one in its name, though."""
    for argument in arguments:
        option = argument.lstrip(_TYPED_DASHES + "-")
        if argument[:1] in _TYPED_DASHES and argument and not os.path.lexists(argument):
            meant = f"--{option}" if len(option) > 1 else f"-{option}"
            raise UsageError(
                f"{printable(argument)} begins with a typographic dash",
                hint=f"did you mean {printable(meant)}? (a file: ./{printable(argument)})",
            )


def _command(word: str, others: Collection[str]) -> str:
    """The full name of the command."""
    names = {each: name for name, command in COMMANDS.items() for each in (name, command.short)}
    if word not in names:
        raise UsageError(
            f"there is no command '{printable(word)}'",
            hint=_did_you_mean(word, (*names, *others)) or _HINT,
        )
    return names[word]


def _report(given: Given) -> Report:
    names = tuple(report.value for report in Report)
    return Report(choice("report", given.last("report", "default"), names))


def _min_length(given: Given) -> int:
    length = max(size("min-length", given.last("min-length", "1k")), _SHORTEST_PART)
    if length > _LONGEST_PART:
        raise UsageError(
            f"--min-length={given.last('min-length')}: too large", hint="write less than 4G"
        )
    return length


def _cache(given: Given) -> str | None:
    if not given.has("cache", "no-cache"):
        return None
    return given.last("cache") if given.last_of("cache", "no-cache") == "cache" else ""


def _check_together(options: Options) -> None:
    """What no option shows alone."""
    names = {"image": options.image, "jigdo": options.jigdo, "template": options.template}
    command = COMMANDS[options.command]
    if missing := [f"--{need}" for need in command.needs if not names[need]]:
        raise UsageError(
            f"{options.command} needs {' and '.join(missing)}",
            hint="one name is enough where the others differ in their extension alone",
        )
    for need in command.needs:
        if names[need] == "-" and need not in {"image", *command.stdin, *command.stdout}:
            raise UsageError(f"{options.command}: --{need} must be a file", hint="name one")
    names["merge"] = options.merge
    stdin = [f"--{name}=-" for name in command.stdin if names[name] == "-"]
    if "-" in options.files_from and stdin != ["--image=-"]:  # an image may follow the list
        stdin.append("--files-from=-")
    stdout = [f"--{name}=-" for name in command.stdout if names[name] == "-"]
    if options.command == "make-template" and options.report is Report.GREP:
        stdout.append("--report=grep")
    for stream, shared in (("stdin", stdin), ("stdout", stdout)):
        if len(shared) > 1:
            raise UsageError(f"{' and '.join(shared)} share {stream}", hint="name a file for one")
    if options.json and options.command != "list-template":
        raise UsageError("--json goes with list-template only", hint="leave it out")
    if options.command == "scan" and options.cache == "":
        raise UsageError("scan --no-cache would be in vain", hint="name a --cache, or leave it out")
