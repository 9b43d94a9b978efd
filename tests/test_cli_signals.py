"""A stop from outside ends the run, wherever it comes."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

IN_A_FINALISER = """
import time
from release_builder.cli.signals import take_signals


class Slow:
    def __del__(self):
        print("now", flush=True)
        time.sleep(1)


take_signals()
try:
    Slow()
    time.sleep(60)
except KeyboardInterrupt:
    print("stopped")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_comes_while_a_finaliser_runs_is_not_lost(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", IN_A_FINALISER],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "now\n"
        running.send_signal(number)
        out, err = running.communicate(timeout=60)

    assert (out, err) == ("stopped\n", "")


def test_other_trouble_of_a_finaliser_is_still_told() -> None:
    program = IN_A_FINALISER.replace("time.sleep(1)", "1 / 0").replace("time.sleep(60)", "pass")

    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert "ZeroDivisionError" in ended.stderr
