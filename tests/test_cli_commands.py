"""What every command makes of its words: names, addresses, and commands that are mistyped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from program import PROGRAM
from test_cli_jigdo_program import shell

from release_builder import api
from release_builder.plan import Options

if TYPE_CHECKING:
    import subprocess

SME9 = "version: 9.0beta3\narch: x86_64\nmirror: mirror\n"
LITTLE = """
import resource, threading
from release_builder import api
from release_builder.cli import commands

threading.stack_size({stack} << 20)
pages = int(open("/proc/self/statm").read().split()[0])
room = pages * resource.getpagesize() + ({more} << 20)
resource.setrlimit(resource.RLIMIT_AS, (room, room))
commands.main()
"""


def say(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What the program says in ``folder``."""
    return shell(f'cd {folder}; "$@"', PROGRAM, *arguments)


@pytest.fixture
def sme9(workdir: Path) -> Path:
    path = workdir / "sme9.yaml"
    path.write_text(SME9)
    (workdir / "mirror").mkdir()
    (workdir / "mirror" / "a").write_text("a")
    return path


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        pytest.param(("ver",), "verify", id="begun"),
        pytest.param(("biuld",), "build", id="mistyped"),
        pytest.param(("jigdo", "m"), "make-template", id="a letter"),
        pytest.param(("jigdo", "mak"), "make-template", id="the likelier of two"),
        pytest.param(("jigdo", "print"), "print-missing", id="a word of two"),
        pytest.param(("jigdo", "verfy"), "verify", id="mistyped for jigdo-file"),
    ],
)
def test_a_command_that_begins_so_is_the_likeliest(
    workdir: Path, words: tuple[str, ...], meant: str
) -> None:
    ended = say(workdir, *words)

    assert f"id you mean {meant}?" in ended.stderr


@pytest.mark.parametrize("command", ["build", "validate", "plan", "refresh", "status", "doctor"])
@pytest.mark.parametrize(
    ("name", "problem"),
    [
        pytest.param("", "the name is empty", id="empty"),
        pytest.param("http://me:HUSH@h/a.yaml", "http://…@h/a.yaml is a URL", id="URL"),
    ],
)
def test_what_is_no_name_of_a_file_is_told(
    workdir: Path, command: str, name: str, problem: str
) -> None:
    ended = say(workdir, command, name)

    assert ended.returncode == 2
    assert problem in ended.stderr
    assert "HUSH" not in ended.stderr + ended.stdout


@pytest.mark.parametrize(
    ("option", "value", "problem"),
    [
        pytest.param("--mirror", "", "an empty word is no address", id="no mirror"),
        pytest.param("--workdir", "", "names no folder", id="no folder"),
        pytest.param("--workdir", "sme9.yaml", "sme9.yaml is no folder", id="a file"),
    ],
)
def test_an_option_that_cannot_be_meant_is_usage(
    sme9: Path, option: str, value: str, problem: str
) -> None:
    ended = say(sme9.parent, "plan", option, value, sme9.name)

    assert ended.returncode == 2
    assert problem in ended.stderr


def test_a_descriptor_that_is_named_again_is_built_once(
    sme9: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = sme9.with_name("other.yaml")
    other.write_text(f"{SME9}workdir: other\n")
    monkeypatch.chdir(sme9.parent)

    plans = api.plans([sme9, other, Path(sme9.name)], Options(offline=True))

    assert [plan.release.descriptor.name for plan in plans] == ["sme9.yaml", "other.yaml"]


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("releases", "http//me:HUSH@127.0.0.1:1/"), id="no colon"),
        pytest.param(("releases", "--json", "http//me:HUSH@127.0.0.1:1/"), id="json"),
        pytest.param(("missing", "http://me:HUSH@127.0.0.1:1/a"), id="path"),
        pytest.param(("install-cron", "http://me:HUSH@h/"), id="an argument too many"),
        pytest.param(
            ("jigdo", "mt", "--image=x", "--uri", "A=http://u:HUSH@h/", "--label", "A=.", "x"),
            id="jigdo-file",
        ),
    ],
)
def test_a_password_in_the_wrong_place_is_not_told(workdir: Path, words: tuple[str, ...]) -> None:
    ended = say(workdir, *words)

    assert ended.stderr + ended.stdout
    assert "HUSH" not in ended.stderr + ended.stdout


def test_too_many_open_files_are_no_fault_of_a_file_of_ours(sme9: Path) -> None:
    ended = shell(f'cd {sme9.parent}; ulimit -n 9; "$@"', PROGRAM, "build", sme9.name)

    assert ended.returncode == 3
    assert "error: Too many open files\n" in ended.stderr
    assert ".py" not in ended.stderr


def test_little_memory_ends_a_command_with_a_message(sme9: Path) -> None:
    little = (PROGRAM[0], "-c", LITTLE.format(stack=0, more=5))

    ended = shell(f'cd {sme9.parent}; "$@"', little, "build", sme9.name)

    assert ended.returncode == 3
    assert "memory" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_refresh_that_can_start_no_thread_goes_on_and_is_in_the_history(sme9: Path) -> None:
    sme9.with_name("other.yaml").write_text(f"{SME9}workdir: other\n")
    little = (PROGRAM[0], "-c", LITTLE.format(stack=1024, more=512))

    ended = shell(f'cd {sme9.parent}; "$@"', little, "refresh", "--no-splay", ".")
    known = say(sme9.parent, "history")

    assert ended.returncode == 3
    assert "Traceback" not in ended.stderr
    assert known.stdout.count("no thread can be started") == 2
