"""``release-builder`` where a stream is closed, full, or read by nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from program import PROGRAM
from test_cli_jigdo_program import shell

from release_builder.cli.failure import report_failure
from release_builder.errors import Status

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("where", ["/dev/full", "&-"])
@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        pytest.param(("init", "new.yaml"), 0, id="done"),
        pytest.param(("plan", "none.yaml"), 2, id="no such file"),
        pytest.param(("frob",), 2, id="no such command"),
    ],
)
def test_a_stderr_that_takes_nothing_changes_no_status(
    workdir: Path, arguments: tuple[str, ...], status: int, where: str
) -> None:
    ended = shell(f'cd {workdir}; "$@" 2>{where}', PROGRAM, *arguments)

    assert ended.returncode == status
    assert bool(ended.stdout) == (status == 0)


def test_a_closed_stdout_is_told_when_something_is_to_be_printed(workdir: Path) -> None:
    ended = shell('"$@" >&-', PROGRAM, "--version")

    assert ended.returncode == 3
    assert ended.stderr == "error: stdout is closed\n       send it to /dev/null\n"


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("plan", "none.yaml"), id="an error"),
        pytest.param(("validate", "-q", "new.yaml"), id="quiet"),
    ],
)
def test_a_closed_stdout_is_no_matter_where_nothing_is_printed(
    workdir: Path, arguments: tuple[str, ...]
) -> None:
    shell(f'cd {workdir}; "$@"', PROGRAM, "init", "new.yaml")

    usual = shell(f'cd {workdir}; "$@"', PROGRAM, *arguments)
    closed = shell(f'cd {workdir}; "$@" >&-', PROGRAM, *arguments)

    assert (closed.returncode, closed.stderr) == (usual.returncode, usual.stderr)
    assert usual.stdout == ""


def test_an_interruption_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    status = report_failure(KeyboardInterrupt())

    assert status is Status.INTERRUPTED
    assert capsys.readouterr().err.startswith("error: interrupted\n")


def test_a_full_disk_behind_stdout_is_told_once(workdir: Path) -> None:
    ended = shell('"$@" >/dev/full', PROGRAM, "--version")

    assert ended.returncode == 3
    what, hint = ended.stderr.splitlines()
    assert what == "error: stdout takes nothing more: No space left on device"
    assert "name another folder" not in hint


def test_a_full_disk_behind_stdout_is_told_by_the_look_alike(workdir: Path) -> None:
    (workdir / "a").write_text("a")

    ended = shell(f'cd {workdir}; "$@" >/dev/full', PROGRAM, "jigdo", "md5sum", "a")

    assert ended.returncode == 3
    assert "stdout takes nothing more" in ended.stderr
