"""``status`` and ``history`` where something is odd: clocks, names, killed runs, removed files."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from test_cli_history import (
    CRITICAL,
    OK,
    WARNING,
    descriptor,
    failed_of,
    record,
    run_of,
    say,
    state_folder,
)
from test_state_history_killed import BEGUN

from release_builder.cli.history import history, status
from release_builder.state.history import KILLED, open_history

# Root may look at everything.
_AS_NOBODY = """
import os, sys
sys.path.insert(0, sys.argv[1])
from test_cli_history import say, status
if os.geteuid() == 0:
    os.seteuid(65534)
said = say(status, "--max-age", "26h")
print(int(said.status), said.stdout)
"""
RSYNC = "rsync: failed to connect to h (10.0.0.1): Connection refused (111)\nrsync error: x\ny"


@pytest.fixture
def sme9(workdir: Path) -> Path:
    return descriptor(workdir)


@pytest.fixture
def alike(workdir: Path) -> tuple[Path, Path]:
    """Two descriptors of one release, in folders of their own."""
    return descriptor(workdir / "a"), descriptor(workdir / "b")


def test_a_success_of_long_ago_is_stale_without_an_option(sme9: Path) -> None:
    record(run_of(sme9, 27))

    assert say(status).stdout.startswith("stale ")
    assert say(status, "--json").document["releases"][0]["standing"] == "stale"


def test_an_age_of_nothing_makes_all_stale(sme9: Path) -> None:
    record(run_of(sme9, 1))

    said = say(status, "--max-age", "0", "--json")

    assert said.document["releases"][0]["standing"] == "stale"


def test_a_failure_before_planning_is_one_of_the_releases_it_befell(sme9: Path) -> None:
    unread = replace(failed_of(sme9, 1), product="", version="", arch="", steps=())
    record(run_of(sme9, 3), unread)

    said, lines = say(status, "--max-age", "26h"), say(status).stdout.splitlines()

    assert said.status == WARNING
    assert said.stdout.count("age_") == 1
    assert [line.split()[0] for line in lines] == ["failing"]


def test_a_first_failure_before_planning_is_told_once(sme9: Path) -> None:
    record(replace(failed_of(sme9, 1), product="", version="", arch="", steps=()))

    said = say(status, "--max-age", "26h")

    assert said.status == CRITICAL
    assert said.stdout.split("|")[1].split() == ["age_smeserver_x86_64=U;93600;93600;0"]


@pytest.mark.parametrize("failed", [True, False])
def test_a_success_that_is_yet_to_come_is_critical(sme9: Path, *, failed: bool) -> None:
    ahead = run_of(sme9, -24 * 500)
    record(ahead, *([failed_of(sme9, 1)] if failed else []))

    said, words = say(status, "--max-age", "26h"), say(status)

    assert said.status == CRITICAL
    assert f"last success at {ahead.ended:%Y-%m-%d}" in said.stdout
    assert "=U;" in said.stdout
    assert words.stdout.startswith("stale ")
    assert "yet to come" in words.stderr


def test_releases_of_one_name_are_told_apart_by_their_descriptors(workdir: Path) -> None:
    record(run_of(descriptor(workdir, "a.yaml"), 1), run_of(descriptor(workdir, "b.yaml"), 99))

    for said in (say(status), say(history, "-q")):
        assert sorted(line.rpartition(" x86_64 ")[2][:3] for line in said.stdout.splitlines()) == [
            "(a)",
            "(b)",
        ]
    assert "smeserver 9.0beta3 x86_64 (b): last" in say(status, "--max-age", "26h").stdout


def test_descriptors_of_one_name_are_told_apart_by_their_paths(alike: tuple[Path, Path]) -> None:
    record(*(run_of(path, 1) for path in alike))

    said, data = say(status), say(status, "--max-age", "26h").stdout.split("|")[1]

    assert all(f"x86_64 ({path})" in said.stdout for path in alike)
    labels = [each.partition("=")[0] for each in data.split()]
    assert len(set(labels)) == len(labels) == 2


def test_labels_that_differ_in_a_sign_alone_have_a_number(workdir: Path) -> None:
    record(*(run_of(descriptor(workdir, f"sme{sign}9.yaml"), 1) for sign in " +"))

    data = say(status, "--max-age", "26h").stdout.split("|")[1]

    assert [each.partition("=")[0] for each in data.split()] == [
        "age_smeserver_x86_64_sme_9",
        "age_smeserver_x86_64_sme_9_2",
    ]


def test_the_errors_of_status_name_their_release(sme9: Path) -> None:
    record(run_of(sme9, 3), failed_of(sme9, 1))

    (line,) = (each for each in say(status).stderr.splitlines() if "error:" in each)

    assert line.strip().startswith("error: smeserver 9.0beta3 x86_64: 1 run without success")


def test_nagios_gets_the_first_line_of_what_a_program_said(sme9: Path) -> None:
    record(run_of(sme9, 3), replace(failed_of(sme9, 1), problem=RSYNC))

    said = say(status, "--max-age", "26h").stdout

    assert "(rsync: failed to connect to h (10.0.0.1): Connection refused (111))" in said
    assert "rsync error" not in said


def test_nagios_gets_no_endless_line(sme9: Path) -> None:
    record(run_of(sme9, 3), replace(failed_of(sme9, 1), problem="x" * 500))

    assert f"({'x' * 117}...) |" in say(status, "--max-age", "26h").stdout


def test_removed_descriptors_are_told_in_one_line_and_after_a_week_no_more(
    workdir: Path, sme9: Path
) -> None:
    record(
        run_of(sme9, 1),
        *(run_of(workdir / f"gone-{each}.yaml", 24 * each) for each in range(1, 10)),
    )

    said = say(status)

    (line,) = said.stderr.splitlines()
    assert line.count("gone-") == 6
    assert line.endswith(" are gone")
    assert say(status, "--max-age", "26h").status == OK


def test_a_descriptor_whose_name_is_no_utf_8_is_not_gone(workdir: Path) -> None:
    record(run_of(descriptor(workdir, "sme\udcff.yaml"), 1))

    said = say(status)

    assert said.stdout.startswith("fresh ")
    assert "gone" not in said.stderr


def test_a_release_that_is_worked_on_is_told_with_its_process(sme9: Path) -> None:
    with open_history(state_folder()) as opened:
        opened.begin(replace(BEGUN, descriptor=str(sme9)))
        said = say(status)

    assert said.stdout.startswith("never ")
    assert "its first run is under way" in said.stderr
    assert "build it" not in said.stderr
    assert "refresh of smeserver 9.0beta3 x86_64 is under way since 2026-01-02 03:04" in said.stderr
    assert f"process {os.getpid()} on {socket.gethostname()}" in said.stderr


def test_a_killed_run_is_in_status_and_history(sme9: Path) -> None:
    started = datetime.now(UTC) - timedelta(hours=1)
    killed = replace(BEGUN, descriptor=str(sme9), started=started, status=KILLED)
    record(run_of(sme9, 3), replace(killed, problem="it was killed"))

    assert say(history, "--limit", "1").stdout.endswith("  killed (0.0 s)\n")
    assert "it was killed" in say(status).stderr
    said = say(status, "--max-age", "26h")
    assert said.status == WARNING
    assert "(it was killed)" in said.stdout


def test_a_descriptor_that_may_not_be_looked_at_is_still_a_release(tmp_path: Path) -> None:
    hidden = descriptor(tmp_path / "hidden")
    record(run_of(hidden, 1))
    for folder in (tmp_path, *tmp_path.parents[:3]):  # with several workers there is one more
        if folder.stat().st_uid == os.geteuid():
            folder.chmod(folder.stat().st_mode | 0o011)
    hidden.parent.chmod(0)

    said = subprocess.run(
        [sys.executable, "-c", _AS_NOBODY, Path(__file__).parent],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout
    hidden.parent.chmod(0o700)

    assert said.startswith("0 RELEASES OK - 1 release")
