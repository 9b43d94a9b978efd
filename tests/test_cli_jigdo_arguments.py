"""The command line of the jigdo-file look-alike: every option, every refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from release_builder.cli.jigdo_file.arguments import read_options, split
from release_builder.cli.jigdo_file.options import COMMANDS, Options, Report, UsageError
from release_builder.cli.jigdo_file.values import deduced
from release_builder.errors import Status

if TYPE_CHECKING:
    from pathlib import Path


def options(*argv: str) -> Options:
    return read_options(*split(argv))


@pytest.mark.parametrize(
    ("argv", "field", "value"),
    [
        pytest.param(["-i", "a.iso"], "image", "a.iso", id="-i"),
        pytest.param(["--image=a.iso"], "image", "a.iso", id="--image"),
        pytest.param(["--tem", "a"], "template", "a", id="abbreviated"),
        pytest.param(["-i", "a", "-ib"], "image", "b", id="last counts"),
        pytest.param(["-j", "a.jigdo"], "jigdo", "a.jigdo", id="-j"),
        pytest.param(["--j=a.jigdo"], "jigdo", "a.jigdo", id="--j is no abbreviation of --json"),
        pytest.param(["-t", "a.template"], "template", "a.template", id="-t"),
        pytest.param(["-r", "grep"], "report", Report.GREP, id="-r"),
        pytest.param(["--report=quiet"], "report", Report.QUIET, id="--report"),
        pytest.param([], "report", Report.DEFAULT, id="no report"),
        pytest.param(["-f"], "force", True, id="-f"),
        pytest.param(["--force", "--no-force"], "force", False, id="--no-force"),
        pytest.param(["-T", "a", "--files-from=b"], "files_from", ("a", "b"), id="-T"),
        pytest.param(["--label", "A=/x=y"], "labels", (("A", "/x=y"),), id="--label"),
        pytest.param(["--uri=A=u", "--uri=A="], "uris", (("A", "u"), ("A", "")), id="--uri again"),
        pytest.param([], "algorithm", "md5", id="no -C"),
        pytest.param(["-C", "sha256"], "algorithm", "sha256", id="-C"),
        pytest.param(["--checksum-alg=sha256"], "algorithm", "sha256", id="--checksum-algorithm"),
        pytest.param([], "compression", "gzip", id="no --bzip2"),
        pytest.param(["--gzip", "--bzip2"], "compression", "bzip2", id="--bzip2"),
        pytest.param(["--bzip2", "--gzip"], "compression", "gzip", id="--gzip"),
        pytest.param([], "level", 9, id="no level"),
        pytest.param(["-0"], "level", 0, id="-0"),
        pytest.param(["-95"], "level", 5, id="last level counts"),
        pytest.param([], "min_length", 1024, id="no --min-length"),
        pytest.param(["--min-length=300"], "min_length", 300, id="--min-length"),
        pytest.param(["--min-length=5"], "min_length", 256, id="--min-length below 256"),
        pytest.param(["--min-length=4k"], "min_length", 4096, id="k"),
        pytest.param(["--min-length=1M"], "min_length", 1 << 20, id="M"),
        pytest.param(["--min-length=1g"], "min_length", 1 << 30, id="g"),
        pytest.param([], "match", "auto", id="no --match"),
        pytest.param(["--match=both"], "match", "both", id="--match"),
        pytest.param(["--match-exec=x"], "match_exec", "x", id="--match-exec"),
        pytest.param(["--match-exec=x --debug=y"], "match_exec", "x --debug=y", id="two dashes"),
        pytest.param(["--mat=x"], "match_exec", "x", id="--mat is jigdo-file's abbreviation"),
        pytest.param(["--greedy-matching"], "greedy", True, id="--greedy-matching"),
        pytest.param(
            ["--greedy-matching", "--no-greedy-matching"],
            "greedy",
            False,
            id="--no-greedy-matching",
        ),
        pytest.param(["--merge=-"], "merge", "-", id="--merge"),
        pytest.param([], "image_section", True, id="no --no-image-section"),
        pytest.param(["--no-image-section"], "image_section", False, id="--no-image-section"),
        pytest.param(["--no-im", "--image-section"], "image_section", True, id="--image-section"),
        pytest.param(["--no-servers-section"], "servers_section", False, id="--no-servers-section"),
        pytest.param(
            ["--no-servers-section", "--servers-section"],
            "servers_section",
            True,
            id="--servers-section",
        ),
        pytest.param([], "cache", None, id="no --cache"),
        pytest.param(["-c", "f"], "cache", "f", id="-c"),
        pytest.param(["--cache=f", "--no-cache"], "cache", "", id="--no-cache"),
        pytest.param(["--no-cache", "--cache=f"], "cache", "f", id="--cache"),
        pytest.param([], "cache_days", 30, id="no --cache-expiry"),
        pytest.param(["--cache-expiry=86401"], "cache_days", 2, id="seconds"),
        pytest.param(["--cache-expiry=36h"], "cache_days", 2, id="hours"),
        pytest.param(["--cache-expiry=3D"], "cache_days", 3, id="days"),
        pytest.param(["--cache-expiry=2w"], "cache_days", 14, id="weeks"),
        pytest.param(["--cache-expiry=1m"], "cache_days", 30, id="months"),
        pytest.param(["--cache-expiry=1y"], "cache_days", 365, id="years"),
        pytest.param(["--cache-expiry=0"], "cache_days", None, id="0 expires nothing"),
        pytest.param(["--cache-expiry=off"], "cache_days", None, id="off"),
        pytest.param(["--hex"], "hexadecimal", True, id="--hex"),
        pytest.param(["--hex", "--no-hex"], "hexadecimal", False, id="--no-hex"),
        pytest.param(["--debug"], "debug", True, id="--debug"),
        pytest.param(["--debug=all,~x"], "debug", True, id="--debug with units"),
        pytest.param(["--debug", "--no-debug"], "debug", False, id="--no-debug"),
    ],
)
def test_an_option_is_understood(argv: list[str], field: str, value: object) -> None:
    before, behind = options(*argv, "md5sum"), options("md5sum", "file", *argv)

    assert getattr(before, field) == getattr(behind, field) == value
    assert (before.files, behind.files) == ((), ("file",))


@pytest.mark.parametrize(
    "argv",
    [
        pytest.param(["--readbuffer=128k"], id="--readbuffer"),
        pytest.param(["--checksum-block-size=1"], id="--checksum-block-size"),
        pytest.param(["--md5-block-size=0"], id="--md5-block-size"),
        pytest.param(["--check-files"], id="--check-files"),
        pytest.param(["--no-check-files"], id="--no-check-files"),
        pytest.param(["--scan-whole-file"], id="--scan-whole-file"),
        pytest.param(["--no-scan-whole-file"], id="--no-scan-whole-file"),
    ],
)
def test_an_option_without_effect_is_accepted(argv: list[str]) -> None:
    assert options(*argv, "md5sum", "a") == options("md5sum", "a")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_a_long_and_a_short_name(name: str) -> None:
    names = ["-i", "a.iso"]

    assert options(name, *names) == options(COMMANDS[name].short, *names)
    assert options(name, *names).command == name


def test_json_goes_with_list_template() -> None:
    assert options("ls", "-t", "a.template", "--json").json
    assert not options("ls", "-t", "a.template").json


def test_what_follows_two_dashes_is_a_file() -> None:
    assert options("md5sum", "--", "-x", "--", "--hex").files == ("-x", "--", "--hex")


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        pytest.param(("a.iso", "", ""), ("a.iso", "a.jigdo", "a.template"), id="of the image"),
        pytest.param(("a", "", ""), ("a", "a.jigdo", "a.template"), id="no extension"),
        pytest.param(("", "a.jigdo", ""), ("a", "a.jigdo", "a.template"), id="of the .jigdo"),
        pytest.param(("", "", "a.template"), ("a", "a.jigdo", "a.template"), id="of the template"),
        pytest.param(("", "a.j", "b.t"), ("a", "a.j", "b.t"), id="the .jigdo before the template"),
        pytest.param(("z", "a.j", ""), ("z", "a.j", "z.template"), id="the image before all"),
        pytest.param(("-", "a.j", ""), ("-", "a.j", "a.template"), id="stdin tells nothing"),
        pytest.param(("-", "", ""), ("-", "", ""), id="stdin alone tells nothing"),
        pytest.param(("d.d/a", "", ""), ("d.d/a", "d.d/a.jigdo", "d.d/a.template"), id="folder"),
        pytest.param(("a.b.c", "", ""), ("a.b.c", "a.b.jigdo", "a.b.template"), id="two dots"),
        pytest.param(("", "", "foo"), ("", "foo.jigdo", "foo"), id="no name for two files"),
        pytest.param(("x.jigdo", "", ""), ("x.jigdo", "", "x.template"), id="an image x.jigdo"),
        pytest.param(("", "", ".template"), ("", "", ".template"), id="nothing but extension"),
        pytest.param(("", "", ""), ("", "", ""), id="nothing"),
    ],
)
def test_names_are_deduced_as_jigdo_file_does(
    given: tuple[str, str, str], wanted: tuple[str, str, str]
) -> None:
    assert deduced(*given) == wanted


@pytest.mark.parametrize(
    ("argv", "what", "hint"),
    [
        pytest.param([], "no command", "-h shows", id="nothing"),
        pytest.param(["-f"], "no command", "-h shows", id="no command"),
        pytest.param(["frob"], "no command 'frob'", "-h shows", id="unknown command"),
        pytest.param(["make-tmplate"], "no command", "did you mean make-template?", id="mistyped"),
        pytest.param(["lst"], "no command 'lst'", "did you mean ls?", id="mistyped short name"),
        pytest.param(["ls", "--js"], "no option --js", "write --json in full", id="cut --json"),
        pytest.param(["ls", "--imge=x"], "no option --imge", "did you mean --image?", id="typo"),
        pytest.param(["ls", "--xyz"], "no option --xyz", "-h shows", id="unknown option"),
        pytest.param(["ls", "-Z"], "no option -Z", "-h shows", id="unknown letter"),
        pytest.param(["ls", "-i"], "-i needs a value", "-h shows", id="letter without value"),
        pytest.param(["ls", "--image"], "--image needs a value", "-h shows", id="no value"),
        pytest.param(["ls", "--match"], "--match needs a value", "-h shows", id="ours, no value"),
        pytest.param(["ls", "--force=1"], "--force takes no value", "-h shows", id="a value"),
        pytest.param(
            ["ls", "--no-c"], "--no-c may be one of several", "--no-cache or", id="ambiguous"
        ),
        pytest.param(["-r", "bad", "ls"], "no such report", "quiet or grep", id="report"),
        pytest.param(["-C", "sha1", "ls"], "no such algorithm", "md5 or sha256", id="algorithm"),
        pytest.param(["--match=x", "mt"], "no such match", "content or both", id="match"),
        pytest.param(["--min-length=", "mt"], "no number of bytes", "4096, 4k", id="no digits"),
        pytest.param(["--min-length=1T", "mt"], "no number of bytes", "4096, 4k", id="unit"),
        pytest.param(["--min-length=4G", "mt"], "too large", "less than 4G", id="too long"),
        pytest.param(["--readbuffer=x", "ls"], "--readbuffer=x", "4096, 4k", id="readbuffer"),
        pytest.param(["--md5-block-size=-1", "ls"], "--md5-block", "4096", id="block size"),
        pytest.param(["--cache-expiry=3s", "sc"], "no time", "36h, 30d", id="unknown time"),
        pytest.param(["--label", "A", "mt"], "--label A: no label", "Label=/path", id="label"),
        pytest.param(["--uri", "=x", "mt"], "--uri =x: no label", "Label=http", id="uri"),
        pytest.param(
            ["mt"], "make-template needs --image and --jigdo and --template", "one name", id="mt"
        ),
        pytest.param(["mi"], "make-image needs --image and --template", "one name", id="mi"),
        pytest.param(["pm", "-t", "x"], "print-missing needs --image", "one name", id="pm"),
        pytest.param(["pma"], "print-missing-all needs --image", "one name", id="pma"),
        pytest.param(["ver", "-i-"], "verify needs --template", "one name", id="ver"),
        pytest.param(["ls"], "list-template needs --template", "one name", id="ls"),
        pytest.param(["ls", "-t-"], "--template must be a file", "name one", id="stdin"),
        pytest.param(["mt", "-ix", "-j-", "-t-"], "share stdout", "name a file", id="stdout"),
        pytest.param(["mt", "-ix", "-jx", "-t-", "-rgrep"], "share stdout", "name", id="grep"),
        pytest.param(["mt", "-i-", "-jx", "--merge=-"], "share stdin", "name", id="merge"),
        pytest.param(["mi", "-ix", "-t-", "-T-"], "share stdin", "name", id="list and template"),
        pytest.param(["ver", "-i-", "-t-"], "share stdin", "name a file", id="image and template"),
        pytest.param(["pm", "-ix", "-j-", "-t-"], "share stdin", "name a file", id="two stdins"),
        pytest.param(["md5", "--json"], "--json goes with list-template", "leave", id="json"),
        pytest.param(["sc", "--no-cache"], "in vain", "name a --cache", id="scan for nothing"),
        pytest.param(["ls", "—hex"], "typographic dash", "did you mean --hex?", id="em dash"),
        pytest.param(["–t", "x", "ls"], "typographic dash", "did you mean -t?", id="en dash"),  # noqa: RUF001 (what this is about)
        pytest.param(["ls", "−−hex"], "typographic dash", "did you mean --hex?", id="minus"),  # noqa: RUF001 (likewise)
        pytest.param(["ls", "a\n"], "needs --template", "one name", id="control characters"),
    ],
)
def test_what_cannot_be_meant_is_refused(argv: list[str], what: str, hint: str) -> None:
    with pytest.raises(UsageError) as raised:
        options(*argv)

    assert what in raised.value.what
    assert hint in raised.value.hint
    assert raised.value.status is Status.SURROUNDINGS
    assert "\n" not in raised.value.what + raised.value.hint


def test_a_file_whose_name_begins_with_a_typographic_dash_is_one(
    workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workdir)
    (workdir / "—a").touch()

    assert options("md5sum", "—a").files == ("—a",)


def test_a_posix_command_line_ends_at_its_first_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSIXLY_CORRECT", "1")

    assert options("md5sum", "--hex").files == ("--hex",)


@pytest.mark.parametrize("option", ["-h", "-H", "-v", "--help-all", "--version"])
def test_help_and_version_come_before_all_other_meaning(option: str) -> None:
    given, arguments = split(["frob", option, "--report=bad"])

    assert given.has("help", "help-all", "version")
    assert arguments == ["frob"]
