"""Other programs through the one door."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import itertools
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from release_builder import process
from release_builder.errors import SurroundingsError, WrongBytesError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def shell(script: str) -> process.Outcome:
    return process.run(["sh", "-c", script])


def test_status_and_words_are_kept_apart_and_bytes_are_not_lost() -> None:
    outcome = shell("printf 'out\\377'; echo err >&2; exit 7")

    assert outcome == process.Outcome(7, "out\udcff", "err\n")


def test_a_signal_is_a_negative_status() -> None:
    assert shell("kill -9 $$").status == -signal.SIGKILL


def test_a_program_reads_what_it_is_given_and_no_more() -> None:
    assert shell("cat; echo end").stdout == "end\n"
    assert process.run(["cat"], stdin=b"\0\xff").stdout == "\0\udcff"


def test_a_program_sees_little_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("RSYNC_PASSWORD", "known")
    monkeypatch.setenv("TMPDIR", "/tmp")
    monkeypatch.setenv("AWS_SECRET", "not for others")

    passed = process.environment({"TZ": "UTC"}, pass_on=["RSYNC_PASSWORD", "NOT_SET"])

    assert passed == {
        "LC_ALL": "C",
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "TMPDIR": "/tmp",
        "RSYNC_PASSWORD": "known",
        "TZ": "UTC",
    }
    assert "AWS_SECRET" not in shell("env").stdout


def test_output_comes_in_pieces_while_the_program_runs() -> None:
    """A progress line ends in CR; whoever waits for LF sees nothing until the end."""
    heard: list[tuple[float, bytes]] = []

    outcome = process.run(
        ["sh", "-c", "printf '1%%\\r'; sleep 0.3; printf '2%%\\r'"],
        on_output=lambda piece: heard.append((time.monotonic(), piece)),
    )

    assert b"".join(piece for _, piece in heard) == b"1%\r2%\r"
    assert heard[-1][0] - heard[0][0] > 0.2
    assert outcome.stdout == ""


def test_the_command_line_is_told_as_one_could_paste_it() -> None:
    told: list[str] = []

    process.run(["echo", "a b", "it's"], on_start=told.append)

    assert told == ["echo 'a b' 'it'\"'\"'s'"]


def test_arguments_are_bytes_of_no_encoding(workdir: Path) -> None:
    name = "caf\udce9 é"
    (workdir / name).touch()

    assert process.run(["ls", str(workdir / name)]).stdout == f"{workdir / name}\n"


def test_an_interruption_ends_the_program_too(workdir: Path) -> None:
    def interrupt(_piece: bytes) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        process.run(
            ["sh", "-c", 'echo begun; sleep 1; touch "$0/late"', str(workdir)], on_output=interrupt
        )

    time.sleep(1.3)
    assert not list(workdir.iterdir())


def test_a_descriptor_that_is_named_is_inherited(workdir: Path) -> None:
    with (workdir / "kept").open("wb") as kept:
        script = f"echo heard > /proc/$$/fd/{kept.fileno()}"
        inherited = process.run(["sh", "-c", script], keep_open=[kept.fileno()])
        closed = shell(script)

    assert inherited.status == 0
    assert closed.status != 0
    assert (workdir / "kept").read_bytes() == b"heard\n"


@pytest.mark.parametrize(
    ("program", "command"),
    [
        pytest.param("no-such", "apt-get install no-such, or yum install no-such", id="any"),
        pytest.param("rpmbuild", "apt-get install rpm, or yum install rpm-build", id="known"),
    ],
)
def test_a_missing_program_is_named_with_what_installs_it(
    monkeypatch: pytest.MonkeyPatch, workdir: Path, program: str, command: str
) -> None:
    monkeypatch.setenv("PATH", str(workdir))

    with pytest.raises(SurroundingsError) as caught:
        process.run([program])

    assert caught.value.what == f"the program {program} is not installed"
    assert command in caught.value.hint


def test_pieces_are_fed_as_the_program_reads_them() -> None:
    pieces = (bytes([number]) * 100_000 for number in range(10))

    outcome = process.run(["sha256sum"], stdin=pieces)

    whole = b"".join(bytes([number]) * 100_000 for number in range(10))
    assert outcome.stdout == f"{hashlib.sha256(whole).hexdigest()}  -\n"


def test_a_program_need_not_read_all_that_it_is_fed() -> None:
    outcome = process.run(["head", "-c", "3"], stdin=itertools.repeat(b"abc" * 100_000, 100))

    assert outcome.stdout == "abc"


def test_what_is_wrong_with_the_pieces_is_not_hidden() -> None:
    def pieces() -> Iterator[bytes]:
        yield b"begun"
        raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(OSError, match="Input/output error"):
        process.run(["cat"], stdin=pieces())


def test_a_missing_program_is_fed_nothing(monkeypatch: pytest.MonkeyPatch, workdir: Path) -> None:
    monkeypatch.setenv("PATH", str(workdir))

    with pytest.raises(SurroundingsError, match="no-such is not installed"):
        process.run(["no-such"], stdin=itertools.repeat(b"abc" * 100_000, 100))


def test_programs_of_all_threads_can_be_ended() -> None:
    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(process.run, ["sleep", "60"]) for _ in range(2)]
        while not all(future.done() for future in running):
            process.end_all()
            time.sleep(0.05)

    assert [future.result().status for future in running] == [-signal.SIGTERM] * 2


def test_a_program_that_does_not_end_is_killed_with_all_that_it_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process, "_GRACE", 0.5)
    begun = time.monotonic()

    def refuse(_piece: bytes) -> None:
        raise WrongBytesError("too much")

    with pytest.raises(WrongBytesError):
        process.run(
            ["sh", "-c", "trap '' TERM; (sleep 20)& echo begun; sleep 20; sleep 20"],
            on_output=refuse,
        )

    assert time.monotonic() - begun < 10


def test_a_lock_is_free_once_a_program_was_ended(tmp_path: Path) -> None:
    """What it started, which ends a little later, holds the lock as well."""
    lingers = "trap 'sleep 0.3; exit' TERM; echo begun; while :; do sleep 0.05; done"

    def refuse(_piece: bytes) -> None:
        raise WrongBytesError("too much")

    with (tmp_path / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(WrongBytesError):
            process.run(
                ["sh", "-c", f"({lingers})& exec sleep 20"],
                on_output=refuse,
                keep_open=[lock.fileno()],
            )

    with (tmp_path / "lock").open("rb") as next_one:
        fcntl.flock(next_one, fcntl.LOCK_EX | fcntl.LOCK_NB)
