"""Completion as the shells do it."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from release_builder.manual import write_manual

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.interop

PROMPT = "ready$ "
WAITING = (PROMPT.encode(), f"{PROMPT}\x1b[?2004h".encode())  # and with what pasting wants
PATIENCE = 60.0  # seconds until a shell must have said something
# What bash does when the tabulator is pressed; words as bash 4 parts them, in the order given.
BASH = """
script=$1 old=$2; shift 2
. "$script"
if [ "$old" ]; then enable -n compopt; fi
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_release_builder "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
if [ "${COMPREPLY[0]-}" ]; then printf '%s\\n' "${COMPREPLY[@]}"; fi
"""


@pytest.fixture(scope="module")
def manual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("manual")
    write_manual(folder, 1_700_000_000)
    return folder


def terminal(shell: list[str], folder: Path, settings: list[str], line: str) -> str:
    """What a shell on a terminal shows after ``line`` was typed, tabulators and all."""
    ours, theirs = pty.openpty()
    env = {"PATH": os.environ["PATH"], "TERM": "dumb", "HOME": str(folder), "PS1": PROMPT}
    with subprocess.Popen(
        shell, stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=env, process_group=0
    ) as running:
        os.close(theirs)
        try:
            for typed in (*settings, line):
                until_prompt(ours)
                os.write(ours, f"{typed}\n".encode())
            return until_prompt(ours)
        finally:
            running.kill()
            os.close(ours)


def until_prompt(terminal: int) -> str:
    """What is shown until the shell waits for the next line."""
    shown, last = b"", time.monotonic() + PATIENCE
    while not shown.endswith(WAITING):
        assert time.monotonic() < last, shown
        if select.select([terminal], [], [], 0.1)[0]:
            shown += os.read(terminal, 4096)
    return shown.decode()


def replies(manual: Path, *words: str, old: bool = False) -> list[str]:
    """What our function replies when the last of ``words`` is to be completed.

    Args:
        manual: Where the script is.
        words: As bash parts them.
        old: Whether bash lacks compopt, as before 4.0.
    """
    script = manual / "bash/release-builder"
    argv = ["bash", "--norc", "-uc", BASH, "bash", script, "old" if old else "", *words]
    # compopt works only where a key was pressed, and says so.
    ended = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert not ended.stderr
    return ended.stdout.splitlines()


@pytest.mark.parametrize("old", [False, True], ids=["bash 5", "no compopt"])
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("release-builder bui", ["build"], id="a command"),
        pytest.param("release-builder --ver", ["--version"], id="an option of the program"),
        pytest.param("/usr/bin/release-builder mir", ["mirrors"], id="called by its path"),
        pytest.param("release-builder mirrors ", ["probe"], id="the only command of a group"),
        pytest.param("release-builder build --ful", ["--full"], id="an option"),
        pytest.param("release-builder build --work", ["--workdir"], id="one with a value"),
        pytest.param("release-builder build --stage ", ["beta", "final"], id="its values"),
        pytest.param("release-builder build --stage f", ["final"], id="one of its values"),
        pytest.param("release-builder build --stage =", ["beta", "final"], id="after ="),
        pytest.param("release-builder build --stage = b", ["beta"], id="a value after ="),
        pytest.param("release-builder build --stage=b", ["beta"], id="as bash 3.2 parts it"),
        pytest.param("release-builder build --stage = beta --sca", ["--scan"], id="after a value"),
        pytest.param("release-builder build --stage=beta --sca", ["--scan"], id="after such a one"),
        pytest.param("release-builder build sme9.yaml --ful", ["--full"], id="after a file"),
        pytest.param("release-builder build --scan ", [], id="a file is bash's own"),
        pytest.param("release-builder build ", [], id="a descriptor too"),
        pytest.param("release-builder build -- --ful", [], id="no option after --"),
        pytest.param("release-builder nonsense --", [], id="nothing of what is not there"),
        pytest.param("release-builder jigdo fetch --limit", ["--limit-rate"], id="a subcommand"),
        pytest.param("release-builder jigdo mi --rep", ["--report"], id="a short name"),
        pytest.param("release-builder jigdo ls --js", ["--json"], id="its options"),
        pytest.param(
            "release-builder-jigdo-file mt --report = q", ["quiet"], id="the look-alike's values"
        ),
        pytest.param("release-builder-jigdo-file -i cd.iso ver", ["verify"], id="options first"),
        pytest.param("release-builder-jigdo-file --no-gr", ["--no-greedy-matching"], id="no-"),
        pytest.param("release-builder-jigdo-lite --no", ["--noask"], id="jigdo-lite"),
    ],
)
def test_bash_completes(manual: Path, line: str, expected: list[str], old: bool) -> None:
    assert replies(manual, *line.split(" "), old=old) == expected


def test_bash_completes_on_a_terminal(manual: Path, workdir: Path) -> None:
    (workdir / "old images").mkdir()
    (workdir / "old file").touch()

    typed = terminal(
        ["bash", "--norc", "-i"],
        workdir,
        [f". {manual}/bash/release-builder", "release-builder() { printf '<%s>' \"$@\"; echo; }"],
        "release-builder bui\t--workdir ol\t --stage=f\t",
    )

    assert "<build><--workdir><old images/><--stage=final>" in typed


def test_zsh_completes_on_a_terminal(manual: Path, workdir: Path) -> None:
    (workdir / "old images").mkdir()
    (workdir / "old file").touch()

    typed = terminal(
        ["zsh", "-f", "-i"],
        workdir,
        [
            f"fpath=({manual}/zsh $fpath); autoload -U compinit; compinit -D -u",
            "release-builder() { printf '<%s>' \"$@\"; echo; }",
        ],
        "release-builder bui\t--workdir ol\t --stage f\t",
    )

    assert "<build><--workdir><old images><--stage><final>" in typed
