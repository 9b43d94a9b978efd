"""Bars on a terminal, lines in a pipe, nothing where nobody watches."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

# Runs in a process of its own: as leader of a session it takes the terminal that it opens.
_SCRIPT = """
import os, sys
if sys.argv[1]:
    os.open(sys.argv[1], os.O_RDWR)
from release_builder.cli.monitors import make_monitor
monitor = make_monitor(
    quiet="quiet" in sys.argv, verbose="verbose" in sys.argv,
    colour=False if "plain" in sys.argv else None,
)
monitor.detail("step sync [bold]")
monitor.detail("odd \\x1b[5m")
monitor.begin("sync [red] 9.0beta3", 3_000_000)
monitor.progress(1_500_000, note="7 files \\x1b[9m")
monitor.advance(300_000)
monitor.end()
monitor.begin("read \\x1b[7ma.iso")
monitor.progress(5, 10)
monitor.end()
monitor.end()
monitor.advance(1)
"""


@contextmanager
def terminal() -> Iterator[tuple[int, int]]:
    """The two ends of one: what a person has before them, what a program writes to."""
    screen, program = os.openpty()
    try:
        yield screen, program
    finally:
        os.close(screen)
        os.close(program)


def run(*words: str, tty: str = "", stderr: int = subprocess.PIPE) -> str:
    """What the script says on stderr, if that is a pipe; stdout stays empty in any case."""
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"):
        env.pop(name, None)
    ended = subprocess.run(
        [sys.executable, "-c", _SCRIPT, tty, *words],
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        start_new_session=True,
        check=True,
        timeout=60,
    )
    assert ended.stdout == b""
    return (ended.stderr or b"").decode()


def run_on_terminal(*words: str) -> str:
    """All that a person sees, control characters included."""
    with terminal() as (screen, program):
        run(*words, stderr=program)
        os.set_blocking(screen, False)
        try:
            return os.read(screen, 1 << 16).decode()
        except BlockingIOError:
            return ""


def test_a_terminal_gets_a_bar_with_bytes_and_files() -> None:
    seen = run_on_terminal()

    assert "sync [red] 9.0beta3" in seen
    assert "1.8/3.0 MB" in seen
    assert "7 files" in seen
    assert "\x1b[" in seen
    assert "step sync" not in seen


def test_a_bar_learns_its_total_later() -> None:
    assert "5/10 bytes" in run_on_terminal()


def test_without_colour_a_bar_is_still_a_bar() -> None:
    seen = run_on_terminal("plain")

    assert "1.8/3.0 MB" in seen
    assert "\x1b[3" not in seen


def test_a_pipe_with_a_person_behind_it_gets_plain_lines() -> None:
    with terminal() as (_, program):
        said = run(tty=os.ttyname(program))

    assert said == "sync [red] 9.0beta3 (3.0 MB) …\nread \\x1b[7ma.iso …\n"


def test_cron_hears_nothing() -> None:
    assert run() == ""


def test_cron_hears_everything_if_it_asks() -> None:
    assert run("verbose").splitlines() == [
        "step sync [bold]",
        "odd \\x1b[5m",
        "sync [red] 9.0beta3 (3.0 MB) …",
        "read \\x1b[7ma.iso …",
    ]


@pytest.mark.parametrize("more", [(), ("verbose",)])
def test_quiet_is_quiet_on_a_terminal_too(more: tuple[str, ...]) -> None:
    assert run_on_terminal("quiet", *more) == ""


def test_details_are_shown_above_the_bar_if_they_are_asked_for() -> None:
    assert "step sync [bold]" in run_on_terminal("verbose")
