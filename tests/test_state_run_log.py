"""Tests of the log of runs."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from release_builder.state.run_log import log_file, open_log


def test_lines_have_their_time_and_process(tmp_path: Path) -> None:
    path = tmp_path / "new" / "refresh.log"

    with open_log(path) as log:
        log.line("sync done")

    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} \[\d+\] sync done\n", path.read_text("utf-8")
    )


def test_a_second_run_writes_behind_the_first(tmp_path: Path) -> None:
    for text in ("one", "two"):
        with open_log(tmp_path / "log") as log:
            log.line(text)

    assert re.findall("one|two", (tmp_path / "log").read_text("utf-8")) == ["one", "two"]


def test_what_a_mirror_says_forges_no_lines(tmp_path: Path) -> None:
    with open_log(tmp_path / "log") as log:
        log.line("a\n2026 forged \x1b[31m \udcff")

    assert (tmp_path / "log").read_text("utf-8").count("\n") == 1
    assert r"a\x0a2026 forged \x1b[31m \xff" in (tmp_path / "log").read_text("utf-8")


def test_a_long_log_is_rotated(tmp_path: Path) -> None:
    with open_log(tmp_path / "log") as log:
        for _ in range(90):
            log.line("x" * 50_000)

    assert (tmp_path / "log").stat().st_size < 4 << 20
    assert (tmp_path / "log.1").exists()


def test_a_log_that_cannot_be_written_hinders_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with open_log(tmp_path / "file" / "log") as log:
        log.line("lost")

    assert log.path is None
    assert "File exists" in log.problem


def test_a_full_disk_hinders_nobody() -> None:
    with open_log(Path("/dev/full")) as log:
        log.line("lost")

    assert not log.problem


def test_the_syslog_gets_headlines_alone(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as syslog:
        syslog.bind(str(tmp_path / "dev-log"))
        syslog.settimeout(5)

        with open_log(tmp_path / "log", str(tmp_path / "dev-log")) as log:
            log.line("a detail")
            log.headline("all is well")
            log.headline("all is lost", failed=True)

        first, second = syslog.recv(1024), syslog.recv(1024)
    assert re.fullmatch(rb"<78>release-builder\[\d+\]: all is well", first)  # cron.info
    assert re.fullmatch(rb"<75>release-builder\[\d+\]: all is lost", second)  # cron.err


@pytest.mark.parametrize(
    ("state", "log"),
    [
        ("/var/lib/release-builder", "/var/log/release-builder/refresh.log"),
        (
            "/home/me/.local/state/release-builder",
            "/home/me/.local/state/release-builder/refresh.log",
        ),
    ],
)
def test_the_log_is_with_the_systems_or_with_the_users(state: str, log: str) -> None:
    assert log_file(Path(state)) == Path(log)
