"""``release-builder jigdo`` and ``release-builder-jigdo-file`` as processes of their own."""

from __future__ import annotations

import importlib.metadata
import json
import os
import pty
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from golden import GOLDEN
from jsonschema import Draft202012Validator
from program import PROGRAM, release_builder

from release_builder.cli.jigdo_file import main
from release_builder.cli.jigdo_file.options import COMMANDS
from release_builder.files import resource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIST = ("ls", "-t", str(GOLDEN / "md5.template"))
LOOK_ALIKE = (sys.executable, "-c", "from release_builder.cli.jigdo_file import main; main()")
BOTH = pytest.mark.parametrize(
    "program",
    [
        pytest.param(LOOK_ALIKE, id="release-builder-jigdo-file"),
        pytest.param((*PROGRAM, "jigdo"), id="release-builder jigdo"),
    ],
)


def shell(
    command: str, program: tuple[str, ...], *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Run a command of bash in which ``"$@"`` is the program with its arguments."""
    argv = ["bash", "-c", command, "bash", *program, *arguments]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


@pytest.fixture
def pair(workdir: Path) -> Path:
    """A folder with a pair and its image."""
    for name, golden in (
        ("cd.iso", "image.bin"),
        ("cd.template", "md5.template"),
        ("cd.jigdo", "md5.jigdo"),
    ):
        (workdir / name).write_bytes((GOLDEN / golden).read_bytes())
    return workdir


def test_the_look_alike_is_installed_under_its_name() -> None:
    (script,) = importlib.metadata.entry_points(
        group="console_scripts", name="release-builder-jigdo-file"
    )

    assert script.load() is main


def test_the_help_of_jigdo_lists_the_commands(workdir: Path) -> None:
    ended = release_builder("jigdo", "--help", cwd=workdir)

    assert ended.status == 0
    for name, command in COMMANDS.items():
        assert f"  {name} " in ended.stdout
        assert f"({command.short}) {command.summary}" in ended.stdout
    assert "  map " in ended.stdout
    assert "Example:\n    release-builder jigdo" in ended.stdout


@pytest.mark.parametrize("command", ["ls", "list-template"])
def test_the_help_of_a_command_is_the_look_alikes(workdir: Path, command: str) -> None:
    ended = release_builder("jigdo", command, "--help", cwd=workdir)

    assert ended.status == 0
    assert ended.stdout.startswith("Usage: release-builder jigdo COMMAND")


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([*LIST], id="command first"),
        pytest.param(["-r", "quiet", *LIST], id="option first"),
        pytest.param([f"--template={GOLDEN / 'md5.template'}", "list-template"], id="long"),
    ],
)
def test_arguments_reach_the_look_alike_as_they_are(workdir: Path, arguments: list[str]) -> None:
    ended = release_builder("jigdo", *arguments, cwd=workdir)

    assert (ended.status, ended.stderr) == (0, "")
    assert ended.stdout.count("need-file-md5") == 3


@pytest.mark.parametrize(
    ("arguments", "status", "err"),
    [
        pytest.param(["lst"], 3, "release-builder jigdo: there is no command 'lst'", id="typo"),
        pytest.param(["mapp"], 3, "did you mean map?", id="typo in our own"),
        pytest.param(["ls", "--frob"], 3, "there is no option --frob", id="option"),
        pytest.param(["mi", "-t", str(GOLDEN / "md5.template")], 1, "0 of 3 parts", id="missing"),
    ],
)
def test_exit_statuses_are_the_look_alikes(
    workdir: Path, arguments: list[str], status: int, err: str
) -> None:
    ended = release_builder("jigdo", *arguments, "-i", "new.iso", cwd=workdir)

    assert ended.status == status
    assert err in ended.stderr


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        pytest.param("release-builder jigdo list", "plain,list-template", id="command"),
        pytest.param("release-builder jigdo ls a", "file,a", id="file"),
    ],
)
def test_the_shell_completes_commands_and_files(words: str, completed: str) -> None:
    environment = {
        **os.environ,
        "_RELEASE_BUILDER_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
    }
    program = (
        "import sys; sys.argv[0] = 'release-builder'; from release_builder.cli import main; main()"
    )

    ended = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )

    assert ended.stdout.splitlines() == [completed]


def test_the_look_alike_loads_no_library_that_it_does_not_need() -> None:
    """Scripts start it by the hundred, and its memory is bounded."""
    code = (
        "import sys; from release_builder.cli.jigdo_file import run\n"
        "run(sys.argv[1:], 'x'); print(*sys.modules)"
    )

    ended = subprocess.run(
        [sys.executable, "-c", code, *LIST], capture_output=True, text=True, check=True
    )

    loaded = set(ended.stdout.splitlines()[-1].split())
    assert "release_builder.jigdo.template" in loaded
    assert not loaded & {"click", "rich", "yaml", "jinja2", "sh", "numpy", "sqlite3", "asyncio"}


@BOTH
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_an_interrupted_command_ends_with_130_and_leaves_nothing(
    pair: Path, program: tuple[str, ...], number: signal.Signals
) -> None:
    (pair / "a.txt").write_bytes((pair / "cd.iso").read_bytes()[256:1806])
    before = sorted(pair.iterdir())
    argv = ["mt", "-i", "cd.iso", "-t", "new.t", "-j", "new.j", "a.txt"]
    with subprocess.Popen(
        [*program, *argv, "-r", "quiet", "--match-exec=echo ready; exec sleep 60"],
        cwd=pair,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.readline() == b"ready\n"
        running.send_signal(number)
        err = running.stderr.read()

    assert running.returncode == 130
    (told,) = err.splitlines()
    assert told.endswith(b": interrupted: nothing was written")
    assert sorted(pair.iterdir()) == before


@BOTH
@pytest.mark.parametrize(
    ("command", "told"),
    [
        pytest.param(
            ("mi", "-i", "new.iso", "-t", "cd.template"),
            "new.iso.tmp stays, and the same command goes on with it",
            id="make-image",
        ),
        pytest.param(
            ("mi", "-i", "other.iso", "-t", "cd.template"),
            "nothing was written",
            id="make-image before it begins",
        ),
        pytest.param(("scan",), "the digests of what was read are kept", id="scan"),
        pytest.param(("md5sum",), "nothing was written", id="md5sum"),
    ],
)
def test_an_interrupted_command_tells_what_stays(
    pair: Path, program: tuple[str, ...], command: tuple[str, ...], told: str
) -> None:
    (pair / "new.iso.tmp").write_bytes(b"begun")
    os.mkfifo(pair / "names")
    with subprocess.Popen(
        [*program, *command, "-T", "names"], cwd=pair, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr is not None
        with (pair / "names").open("wb"):  # as soon as it is read
            running.send_signal(signal.SIGINT)
            err = running.stderr.read()

    assert running.returncode == 130
    assert err.partition(": ")[2] == f"interrupted: {told}\n"


@BOTH
@pytest.mark.parametrize(
    ("before", "status"),
    [pytest.param("", 130, id="not ignored"), pytest.param("trap '' HUP; ", 0, id="ignored")],
)
def test_a_hangup_that_is_ignored_stays_so(
    pair: Path, program: tuple[str, ...], before: str, status: int
) -> None:
    (pair / "a.txt").write_bytes((pair / "cd.iso").read_bytes()[256:1806])
    names = ["-i", "cd.iso", "-t", "new.t", "-j", "new.j", "a.txt"]

    ended = shell(
        f'cd {pair}; {before}exec "$@"', program, "mt", *names, "--match-exec=kill -HUP $PPID"
    )

    assert ended.returncode == status, ended.stderr


@BOTH
def test_a_reader_that_has_seen_enough_is_no_error(program: tuple[str, ...]) -> None:
    ended = shell('"$@" | true; exit ${PIPESTATUS[0]}', program, *LIST)

    assert (ended.returncode, ended.stderr) == (130, "")


@BOTH
def test_a_full_disk_behind_stdout_is_told(program: tuple[str, ...]) -> None:
    ended = shell('"$@" >/dev/full', program, *LIST)

    assert ended.returncode == 3
    assert "No space left" in ended.stderr
    assert len(ended.stderr.splitlines()) == 2


@BOTH
def test_closed_outputs_are_no_crash(program: tuple[str, ...]) -> None:
    no_stdout = shell('"$@" >&-', program, *LIST)
    no_stderr = shell('"$@" 2>&-', program, "frob")

    assert no_stdout.returncode == 3
    assert "stdout is closed" in no_stdout.stderr
    assert (no_stderr.returncode, no_stderr.stdout) == (3, "")


@BOTH
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param("mt -i - -t new.t -j new.j cd.jigdo", id="image of make-template"),
        pytest.param("mt -i cd.iso -t new.t -j new.j -T -", id="list of files"),
        pytest.param("mt -i cd.iso -t new.t -j new.j --merge=- cd.jigdo", id="merge"),
        pytest.param("ver -i - -t cd.template", id="image of verify"),
    ],
)
def test_a_closed_stdin_is_told_where_it_is_needed(
    pair: Path, program: tuple[str, ...], arguments: str
) -> None:
    before = sorted(pair.iterdir())

    ended = shell(f'cd {pair}; "$@" <&-', program, *arguments.split())

    assert ended.returncode == 3
    assert ended.stderr.partition(": ")[2] == "stdin is closed\n  name a file instead of -\n"
    assert sorted(pair.iterdir()) == before


@BOTH
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_what_needs_no_stream_does_without(
    pair: Path, program: tuple[str, ...], closed: str
) -> None:
    names = ["-i", "cd.iso", "-t", "new.t", "-j", "new.j"]

    ended = shell(f'cd {pair}; "$@" {closed}', program, "mt", "-r", "quiet", *names, "cd.jigdo")
    listed = shell(f'cd {pair}; "$@"', program, "ls", "-t", "new.t")

    assert ended.returncode == 0, ended.stderr
    assert listed.stdout.startswith("in-template")


@BOTH
@pytest.mark.parametrize("where", ["/dev/full", "&-", "&$unread"])
@pytest.mark.parametrize(
    ("image", "status"),
    [pytest.param("cd.iso", 0, id="right"), pytest.param("cd.jigdo", 2, id="wrong")],
)
def test_a_stderr_that_takes_nothing_changes_no_status(
    pair: Path, program: tuple[str, ...], where: str, image: str, status: int
) -> None:
    unread = "exec {unread}> >(:); wait $!"  # a pipe whose reader is gone

    ended = shell(
        f'cd {pair}; {unread}; "$@" 2>{where}', program, "ver", "-i", image, "-t", "cd.template"
    )

    assert ended.returncode == status


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Both ends of a terminal."""
    ends = pty.openpty()
    yield ends
    for end in ends:
        os.close(end)


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        pytest.param([], True, id="default"),
        pytest.param(["-r", "noprogress"], False, id="noprogress"),
        pytest.param(["-r", "quiet"], False, id="quiet"),
        pytest.param(["-r", "grep"], False, id="grep"),
    ],
)
def test_progress_is_shown_on_a_terminal(
    terminal: tuple[int, int], options: list[str], shown: bool
) -> None:
    ours, theirs = terminal
    argv = [*LOOK_ALIKE, "md5sum", *options, str(GOLDEN / "image.bin")]

    subprocess.run(argv, stdout=subprocess.PIPE, stderr=theirs, check=True)

    os.write(theirs, b"!")
    seen = os.read(ours, 1000)
    while not seen.endswith(b"!"):
        seen += os.read(ours, 1000)
    assert (b"\r  0%" in seen) == shown
    assert (b"reading " in seen) == shown
    assert seen.endswith(b"\r!" if shown else b"!")


def test_no_progress_is_shown_in_a_pipe() -> None:
    ended = shell('"$@"', LOOK_ALIKE, "md5sum", str(GOLDEN / "image.bin"))

    assert ended.stderr == ""


def test_map_draws_the_image(pair: Path) -> None:
    ended = release_builder("jigdo", "map", "cd.iso", "cd.svg", cwd=pair)

    assert ended.status == 0, ended.stderr
    assert "cd.svg" in ended.stdout
    assert "<svg" in (pair / "cd.svg").read_text()


def test_map_prints_a_document_of_its_schema(pair: Path) -> None:
    schema = json.loads(resource("data/output.schema.json").read_text())

    made = release_builder("jigdo", "map", "--json", "cd.iso", "cd.svg", cwd=pair)
    again = release_builder("jigdo", "map", "--json", "cd.iso", "cd.svg", cwd=pair)

    for ended in (made, again):
        Draft202012Validator(schema).validate(ended.document)
    assert (made.status, made.document["svg"]) == (0, "cd.svg")
    assert again.status == 3


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["-f", "cd.iso"], id="force"),
        pytest.param(["-f", "-t", "cd.template", "-j", "cd.jigdo", "other.iso"], id="names"),
    ],
)
def test_map_takes_other_names(pair: Path, arguments: list[str]) -> None:
    (pair / "cd.svg").write_text("old")

    ended = release_builder("jigdo", "map", "-q", *arguments, "cd.svg", cwd=pair)

    assert (ended.status, ended.stdout) == (0, ""), ended.stderr
    assert "a.txt" in (pair / "cd.svg").read_text()


@pytest.mark.parametrize(
    ("names", "what"),
    [(("-", "cd.svg"), "IMAGE must be a file"), (("cd.iso", "-"), "SVG must be a file")],
)
def test_map_takes_files_alone(pair: Path, names: tuple[str, str], what: str) -> None:
    ended = release_builder("jigdo", "map", "-t", "cd.template", *names, cwd=pair)

    assert ended.status == 2
    assert what in ended.stderr
    assert not any((pair / name).exists() for name in ("cd.svg", "-"))


def test_map_without_the_image_says_what_it_drew(pair: Path) -> None:
    ended = release_builder("jigdo", "map", "-t", "cd.template", "none.iso", "cd.svg", cwd=pair)

    assert ended.status == 0
    assert "there is no none.iso" in ended.stderr
    assert ended.stdout == "cd.svg: a picture of cd.template; any web browser shows it\n"


def test_map_has_the_options_of_all_commands(workdir: Path) -> None:
    ended = release_builder("jigdo", "map", "--help", cwd=workdir)

    assert "Example:\n    release-builder jigdo map" in ended.stdout
    for option in ("--json", "--mirror", "--offline", "--no-color", "-q", "-v", "--help"):
        assert option in ended.stdout, option
