"""Tests of turns: one refresh at a time, and no trigger is lost."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from release_builder.errors import BusyError
from release_builder.state.turns import take_turn

DESCRIPTOR = Path("sme9.yaml")
HOLDER = """
import sys
from pathlib import Path
from release_builder.state.turns import take_turn
with take_turn(Path(sys.argv[1]), Path(sys.argv[2])) as turn:
    print("held", flush=True)
    sys.stdin.read()
    print(turn.wanted_again(), turn.wanted_again(), flush=True)
"""


def holder(folder: Path, descriptor: Path = DESCRIPTOR) -> subprocess.Popen[str]:
    """A process that has the turn until its stdin is closed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, folder, descriptor],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_one_is_told_who_is_at_it(tmp_path: Path) -> None:
    with holder(tmp_path) as other:
        started = time.monotonic()

        with (
            pytest.raises(BusyError, match=f"process {other.pid} on"),
            take_turn(tmp_path, DESCRIPTOR),
        ):
            pass

        assert time.monotonic() - started < 1
        other.communicate()


def test_whoever_has_the_turn_hears_once_that_others_came(tmp_path: Path) -> None:
    with holder(tmp_path) as other:
        for _ in range(3):
            with pytest.raises(BusyError), take_turn(tmp_path, DESCRIPTOR):
                pass

        said, _ = other.communicate()

    assert said == "True False\n"


def test_nobody_came_where_nobody_came(tmp_path: Path) -> None:
    with take_turn(tmp_path, DESCRIPTOR) as turn:
        assert not turn.wanted_again()


def test_descriptors_of_one_name_in_two_folders_have_turns_of_their_own(tmp_path: Path) -> None:
    one, two = tmp_path / "a" / DESCRIPTOR, tmp_path / "b" / DESCRIPTOR

    with holder(tmp_path, one) as other:
        with take_turn(tmp_path, two):
            pass

        other.communicate()


def test_a_descriptor_by_two_paths_has_one_turn(tmp_path: Path) -> None:
    real, link = tmp_path / "real.yaml", tmp_path / "link.yaml"
    real.touch()
    link.symlink_to(real)

    with holder(tmp_path, real) as other:
        with pytest.raises(BusyError), take_turn(tmp_path, Path(f"{tmp_path}/./real.yaml")):
            pass
        with pytest.raises(BusyError), take_turn(tmp_path, link):
            pass
        other.communicate()


def test_a_killed_holder_frees_the_turn(tmp_path: Path) -> None:
    with holder(tmp_path) as other:
        other.kill()
        other.wait()

        with take_turn(tmp_path, DESCRIPTOR):
            pass
