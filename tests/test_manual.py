"""Manual pages and completion tell of every command and option that there is."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from release_builder.cli.commands import cli
from release_builder.cli.jigdo_file import arguments as jigdo_file
from release_builder.cli.jigdo_file.options import COMMANDS
from release_builder.cli.jigdo_lite import arguments as jigdo_lite
from release_builder.errors import Status
from release_builder.manual import roff, write_manual
from release_builder.manual.help_texts import two_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
MAIN = "release-builder"
WHEN = 1_700_000_000  # 2023-11-14
SECTIONS = ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "FILES", "ENVIRONMENT")


def commands(
    command: click.Command = cli,
    name: str = MAIN,
    context: click.Context | None = None,
) -> Iterator[tuple[str, click.Command, click.Context]]:
    """Every command that click knows, with the name of its page."""
    inner = click.Context(command, context, info_name=name, **dict(command.context_settings))
    yield name, command, inner
    if isinstance(command, click.Group):
        for each in command.list_commands(inner):
            below = command.get_command(inner, each)
            assert below is not None
            yield from commands(below, f"{name}-{each}", inner)


@pytest.fixture(scope="module")
def manual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("manual")
    write_manual(folder, WHEN)
    return folder


def page(manual: Path, name: str) -> str:
    """A page's source, its escapes undone and its styles taken off."""
    text = (manual / "man1" / f"{name}.1").read_text()
    if text.startswith(".so "):
        text = (manual / text.split()[1]).read_text()
    for escape, meant in ((r"\-", "-"), (r"\(aq", "'"), (r"\(ga", "`"), (r"\e", "\\")):
        text = text.replace(escape, meant)
    return re.sub(r"\\f[BIRP]|\\&", "", text)


def options(text: str) -> set[str]:
    """The options that have an entry of their own."""
    entries = re.findall(r"^\.TP\n(-.*)$", text, re.MULTILINE)
    spelt = " ".join(entries).replace("--[no-]", "--no-") + " "
    spelt += " ".join(entries).replace("--[no-]", "--")
    return set(re.findall(r"--?[A-Za-z0-9][A-Za-z0-9-]*", spelt))


def test_every_command_has_a_page_with_every_option(manual: Path) -> None:
    for name, command, context in commands():
        text = page(manual, name)

        wanted = {
            spelling
            for param in command.get_params(context)
            if isinstance(param, click.Option)
            for spelling in (*param.opts, *param.secondary_opts)
        }
        assert wanted <= options(text), name


def test_every_page_is_of_a_command(manual: Path) -> None:
    others = {"release-builder-jigdo-file", "release-builder-jigdo-lite"}
    others |= {"puavo-img-repo", "puavo-update-repository"}
    others |= {f"release-builder-jigdo-file-{name}" for name in COMMANDS}

    written = {path.stem for path in (manual / "man1").iterdir()}

    assert written == {name for name, _, _ in commands()} | others


def test_every_program_of_the_package_has_a_page(manual: Path) -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]

    assert not [name for name in scripts if not (manual / "man1" / f"{name}.1").is_file()]


def test_the_page_of_jigdo_file_has_all_options_that_it_reads(manual: Path) -> None:
    read = {f"-{letter}" for letter in (*jigdo_file._SHORT, "0", "9")} - {"-c"}  # -c is hidden
    read |= {f"--{name}" for name in (*jigdo_file._WITH_VALUE, *jigdo_file._FLAGS)}
    read |= {f"--{jigdo_file._OUR_VALUE}", f"--{jigdo_file._OUR_FLAG}"}

    assert read <= options(page(manual, "release-builder-jigdo-file"))


def test_the_page_of_jigdo_lite_has_all_options_that_it_reads(manual: Path) -> None:
    read = {f"--{name.rstrip('=')}" for name in jigdo_lite._LONG} | {"-h", "-v"}

    assert read == options(page(manual, "release-builder-jigdo-lite"))


def test_every_page_has_all_sections_and_an_example(manual: Path) -> None:
    for path in (manual / "man1").iterdir():
        text = page(manual, path.stem)

        lacking = [title for title in SECTIONS if f"\n.SH {title}\n" not in text]
        assert not lacking, path.name
        shown = re.search(r"^(\.nf\n\.RS 4\n|    )(release-builder|puavo-)", text, re.MULTILINE)
        assert shown, f"{path.name} shows no example"


def test_every_page_explains_every_exit_status_of_its_program(manual: Path) -> None:
    for path in (manual / "man1").glob("*.1"):
        if "jigdo-file" in path.name or path.read_text().startswith(".so"):
            continue
        section = page(manual, path.stem).split(".SH EXIT STATUS")[1].split(".SH ")[0]

        told = {int(code) for code in re.findall(r"^\.TP\n(\d+)$", section, re.MULTILINE)}
        assert told, path.name
        assert told <= {*Status}, path.name
    assert "\n75\nanother run" in page(manual, MAIN)


def test_groups_and_pages_lead_to_one_another(manual: Path) -> None:
    for path in (manual / "man1").iterdir():
        near = page(manual, path.stem).split(".SH SEE ALSO")[1]

        named = re.findall(r"(\S+)\(1\)", near)
        assert named, path.name
        assert not [name for name in named if not (manual / "man1" / f"{name}.1").is_file()]


def test_every_variable_that_the_program_reads_is_told(manual: Path) -> None:
    source = "".join(path.read_text() for path in (ROOT / "release_builder").rglob("*.py"))
    read = set(re.findall(r"""environ(?:\.get\(|\[)"([A-Z_]+)\"""", source))

    told = page(manual, MAIN).split(".SH ENVIRONMENT")[1]

    assert "NETRC" in read
    assert not [name for name in read - {"HOME", "PATH"} if name not in told]


def test_the_same_program_and_time_give_the_same_bytes(tmp_path: Path) -> None:
    # Both by programs of their own: click remembers the -h of commands that tests call alone.
    places = {"plain": {}, "odd": {"COLUMNS": "30", "LANG": "tr_TR", "TZ": "Asia/Tokyo"}}

    for name, variables in places.items():
        ended = subprocess.run(
            [sys.executable, "-m", "release_builder.manual", tmp_path / name],
            env={"SOURCE_DATE_EPOCH": str(WHEN), **variables},
            capture_output=True,
            cwd=ROOT,
            check=True,
        )
        assert not ended.stdout + ended.stderr

    first, second = (
        {path.relative_to(top): path.read_bytes() for path in top.rglob("*") if path.is_file()}
        for top in (tmp_path / name for name in places)
    )
    assert first == second
    assert '"2023-11-14"' in page(tmp_path / "odd", MAIN)


@pytest.mark.parametrize("arguments", [[], ["a", "b"], ["--help"]])
def test_without_one_folder_the_usage_is_told(arguments: list[str], tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "release_builder.manual", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )

    assert ended.returncode
    assert "usage: " in ended.stderr
    assert not list(tmp_path.glob("*/man1"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("run `build` now", r"run \fBbuild\fR now", id="code"),
        pytest.param("``a-b`` too", r"\fBa\-b\fR too", id="code in two ticks"),
        pytest.param("with --no-ask, re-run", r"with \fB\-\-no\-ask\fR, re-run", id="option"),
        pytest.param(".jigdo files", r"\&.jigdo files", id="a dot is no request"),
        pytest.param("it's C:\\x", r"it\(aqs C:\ex", id="quote and backslash"),
        pytest.param("see ~/.netrc.", r"see \fB\(ti/.netrc\fR.", id="path"),
        pytest.param("a → b…", r"a \(-> b...", id="signs"),
        pytest.param("é", r"\[u00E9]", id="letters"),
    ],
)
def test_prose_becomes_roff(text: str, expected: str) -> None:
    assert roff.prose(text) == expected


def test_a_fold_before_a_dot_makes_no_request() -> None:
    text = f"{'x' * 75} .so /etc/passwd"

    assert [line[:3] for line in roff.prose(text).splitlines()] == ["xxx", r"\&."]


def test_columns_are_told_apart_by_the_first_row() -> None:
    lines = [
        "  -i, --image=FILE    the image",
        "                      or another",
        "  --a-long-name=VALUES",
        "                      its text",
        "  --first=BYTES, --second=BYTES,",
        "  --third             for all three",
    ]

    assert two_columns(lines) == (
        ("-i, --image=FILE", "the image or another"),
        ("--a-long-name=VALUES", "its text"),
        ("--first=BYTES, --second=BYTES, --third", "for all three"),
    )
