from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from release_builder import process
from release_builder.transport.silence import Guard

if TYPE_CHECKING:
    from pathlib import Path

_BUSY = "import time\nfor _ in range(20):\n    open('/proc/stat').read()\n    time.sleep(0.1)"
_KEEPS_ALIVE = """
import os, time
read, write = os.pipe()
while True:
    os.write(write, b'still here')
    time.sleep(0.1)
"""


def test_a_program_that_only_waits_is_ended() -> None:
    guard, begun = Guard(0.5), time.monotonic()

    outcome = process.run(["sleep", "30"], watch=guard.watch)

    assert guard.has_ended_it
    assert outcome.status == -15
    assert time.monotonic() - begun < 10


def test_what_goes_out_is_no_sign_of_the_mirror() -> None:
    guard = Guard(1)

    process.run([sys.executable, "-c", _KEEPS_ALIVE], watch=guard.watch)

    assert guard.has_ended_it


def test_a_program_that_reads_is_left_alone() -> None:
    guard = Guard(1)

    outcome = process.run([sys.executable, "-c", _BUSY], watch=guard.watch)

    assert outcome.status == 0
    assert not guard.has_ended_it


def test_a_child_that_reads_counts() -> None:
    guard = Guard(1)

    outcome = process.run(["sh", "-c", f'{sys.executable} -c "$0"; true', _BUSY], watch=guard.watch)

    assert outcome.status == 0
    assert not guard.has_ended_it


def test_no_patience_is_any_time() -> None:
    guard = Guard(0)

    assert process.run(["sleep", "1"], watch=guard.watch).status == 0


def test_a_program_that_prints_is_left_alone() -> None:
    guard = Guard(1)
    deleting = "import os, time\nfor _ in range(20):\n    os.write(1, b'*'); time.sleep(0.1)"

    outcome = process.run([sys.executable, "-c", deleting], on_output=guard.hear, watch=guard.watch)

    assert outcome.status == 0
    assert not guard.has_ended_it


def test_a_program_that_deletes_without_a_word_is_left_alone(tmp_path: Path) -> None:
    guard = Guard(1)
    deleting = (
        "import os, sys, time\nos.chdir(sys.argv[1])\n"
        "for _ in range(20):\n"
        "    for each in range(2000):\n"
        "        os.symlink('.', str(each)); os.unlink(str(each))\n"
        "    time.sleep(0.1)"
    )

    outcome = process.run([sys.executable, "-c", deleting, str(tmp_path)], watch=guard.watch)

    assert outcome.status == 0
    assert not guard.has_ended_it
