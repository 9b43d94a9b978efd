"""``status`` and ``history``: for people, for Nagios, for programs."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sqlite3
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from release_builder.cli.durations import DURATION, duration, span
from release_builder.cli.history import history, status
from release_builder.descriptor.refusal import RefusedError
from release_builder.errors import DescriptorError
from release_builder.files import resource
from release_builder.state.history import HISTORY_FILE, RecordedRun, RecordedStep, open_history

if TYPE_CHECKING:
    from collections.abc import Sequence

_SCHEMA = Draft202012Validator(json.loads(resource("data/history.schema.json").read_text()))
_PERFORMANCE = re.compile(r"[A-Za-z0-9_.-]+=(?:\d+s|U);\d+;\d+;0")
OK, WARNING, CRITICAL, UNKNOWN = range(4)


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended."""

    status: int
    stdout: str
    stderr: str

    @property
    def document(self) -> dict[str, Any]:
        """What ``--json`` printed, held against its schema."""
        document: dict[str, Any] = json.loads(self.stdout)
        _SCHEMA.validate(document)
        assert document["exit_status"] == self.status
        return document


def say(command: click.Command, *arguments: str | Path) -> Said:
    done = CliRunner().invoke(command, list(map(str, arguments)), standalone_mode=False)
    if done.exception:
        raise done.exception
    return Said(done.return_value, done.stdout, done.stderr)


def state_folder() -> Path:
    return Path(os.environ["RELEASE_BUILDER_STATE"])


def descriptor(folder: Path, name: str = "sme9.yaml", arch: str = "x86_64") -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"version: 9.0beta3\narch: {arch}\nmirror: rsync://127.0.0.1/none/\n")
    return path


def run_of(path: Path, hours: float) -> RecordedRun:
    """A good run that ended so many hours ago."""
    return RecordedRun(
        command="refresh",
        descriptor=str(path),
        product="smeserver",
        version="9.0beta3",
        arch="x86_64",
        started=datetime.now(UTC) - timedelta(hours=hours, seconds=10),
        seconds=10.0,
        changed=True,
        steps=(
            RecordedStep("sync", "done", 8.0, {"bytes_fetched": 5_000_000, "files_fetched": 7}),
            RecordedStep("verify", "unchanged", 2.0, {"parts_right": 36}),
        ),
    )


def failed_of(path: Path, hours: float) -> RecordedRun:
    return replace(
        run_of(path, hours),
        status=1,
        changed=False,
        steps=(RecordedStep("sync", "incomplete", 1.0, {}, "does not answer"),),
        problem="the mirror | does not\nanswer",
        hint="look at the network",
    )


def record(*runs: RecordedRun) -> None:
    with open_history(state_folder()) as opened:
        for run in runs:
            assert opened.record(run)


@pytest.fixture
def sme9(workdir: Path) -> Path:
    return descriptor(workdir)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("90m", 5400, id="minutes"),
        pytest.param("90min", 5400, id="minutes, longer"),
        pytest.param("26h", 93_600, id="hours"),
        pytest.param("2d", 172_800, id="days"),
        pytest.param("1w", 604_800, id="weeks"),
        pytest.param("1d12h", 129_600, id="two units"),
        pytest.param(" 1 D 30 m ", 88_200, id="capitals and blanks"),
        pytest.param("1.5h", 5400, id="a part of one"),
        pytest.param("45", 45, id="without a unit"),
        pytest.param("0", 0, id="none"),
    ],
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("h", id="no number"),
        pytest.param("2 fortnights", id="an unknown unit"),
        pytest.param("-1h", id="negative"),
        pytest.param("1h2d", id="the larger unit last"),
        pytest.param("1h1h", id="a unit twice"),
        pytest.param("1h30", id="a number without a unit behind one that has it"),
        pytest.param("nan", id="nan"),
        pytest.param("1e9", id="an exponent"),
        pytest.param("٢h", id="digits of another script"),
        pytest.param("4000d", id="more than ten years"),
    ],
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(RefusedError, match="write such as 90m, 26h or 2d"):
        duration(text)


def test_an_option_that_is_no_duration_says_what_to_write() -> None:
    with pytest.raises(click.BadParameter, match="write such as 90m"):
        DURATION.convert("soon", None, None)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (119.9, "120 s"), (120, "2 min"), (7199, "119 min"), (172_800, "2 days")],
)
def test_a_span_is_told_in_few_words(seconds: float, words: str) -> None:
    assert span(seconds) == words


def test_status_tells_of_each_release_when_it_was_built_last(sme9: Path, workdir: Path) -> None:
    other = descriptor(workdir, "sme8.yaml")
    record(run_of(sme9, 20), failed_of(sme9, 6), failed_of(sme9, 3), run_of(other, 2))

    said = say(status)

    assert said.status == 0
    assert [line.split()[:2] for line in said.stdout.splitlines()] == [
        ["fresh", "2"],
        ["failing", "20"],
    ]
    assert "2 runs without success since " in said.stderr
    assert "look at the network" in said.stderr


def test_status_tells_of_an_arch_that_never_ran(workdir: Path) -> None:
    both = descriptor(workdir, arch="[x86_64, i386]")
    record(run_of(both, 1))

    said = say(status, both)

    lines = said.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["fresh", "never"]
    assert "smeserver i386" in lines[1]
    assert "release-builder build" in said.stderr


def test_status_without_any_run_says_what_to_do() -> None:
    assert "release-builder refresh FILE" in say(status).stdout
    assert "release-builder refresh FILE" in say(history).stdout


def test_a_quiet_status_tells_of_nothing_that_is_well(sme9: Path, workdir: Path) -> None:
    record(run_of(sme9, 1), failed_of(descriptor(workdir, "b.yaml"), 1))

    assert [line.split()[0] for line in say(status, "-q").stdout.splitlines()] == ["never"]


def test_a_folder_stands_for_the_descriptors_in_it(workdir: Path) -> None:
    inside = descriptor(workdir, "releases.d/b.yaml")
    descriptor(workdir, "releases.d/a.yml")
    (workdir / "releases.d/notes.txt").touch()
    record(run_of(inside, 1), run_of(descriptor(workdir, "other.yaml"), 1))

    states = say(status, inside.parent, "--json").document["releases"]

    assert [(Path(each["descriptor"]).name, each["standing"]) for each in states] == [
        ("a.yml", "never"),
        ("b.yaml", "fresh"),
    ]


def test_the_same_file_by_a_roundabout_path_is_the_same_release(sme9: Path) -> None:
    record(run_of(sme9, 1))

    (sme9.parent / "x").mkdir()

    states = say(status, sme9.parent / "x" / ".." / sme9.name, "--json").document["releases"]

    assert [each["runs"] for each in states] == [1]


def test_a_file_that_is_not_there_is_refused(workdir: Path) -> None:
    with pytest.raises(DescriptorError, match="there is no file"):
        say(status, workdir / "none.yaml")


def test_a_release_whose_descriptor_is_gone_is_no_release(sme9: Path) -> None:
    record(run_of(sme9, 100))
    sme9.unlink()

    said = say(status, "--json")

    assert said.document["releases"] == []
    assert "is gone" in said.document["findings"][0]["message"]


def test_an_arch_that_the_descriptor_has_no_longer_is_no_release(sme9: Path) -> None:
    record(run_of(sme9, 1), replace(run_of(sme9, 900), arch="i386"))

    assert [each["arch"] for each in say(status, "--json").document["releases"]] == ["x86_64"]


def test_a_broken_descriptor_hides_nothing(sme9: Path) -> None:
    record(run_of(sme9, 100))
    sme9.write_text("version: nine\narch: x86_64\nmirror: rsync://h/m/\n")

    said = say(status, "--json")

    assert [each["arch"] for each in said.document["releases"]] == ["x86_64"]
    assert "sme9.yaml:1:" in said.document["findings"][0]["message"]


@pytest.mark.parametrize(
    ("good", "bad", "code", "word"),
    [
        pytest.param(3, None, OK, "OK - 1 release, oldest success 3 h ago", id="young"),
        pytest.param(3, 1, WARNING, "WARNING - smeserver 9.0beta3 x86_64: last", id="failed since"),
        pytest.param(50, None, CRITICAL, "CRITICAL - smeserver 9.0beta3 x86_64: last", id="old"),
        pytest.param(50, 1, CRITICAL, "CRITICAL - ", id="old and failed"),
        pytest.param(None, 1, CRITICAL, "no success yet", id="never a success"),
        pytest.param(None, None, UNKNOWN, "UNKNOWN - no run is recorded", id="no history"),
    ],
)
def test_status_is_a_nagios_check(
    sme9: Path, good: float | None, bad: float | None, code: int, word: str
) -> None:
    runs = [] if good is None else [run_of(sme9, good)]
    runs += [] if bad is None else [failed_of(sme9, bad)]
    record(*runs) if runs else None

    said = say(status, "--max-age", "26h")

    assert said.status == code
    assert said.stdout.count("\n") == 1
    assert said.stdout.startswith("RELEASES ")
    assert word in said.stdout
    assert said.stdout.count("|") == (0 if code == UNKNOWN else 1)


def test_the_performance_data_has_the_age_of_each_release(sme9: Path, workdir: Path) -> None:
    never = descriptor(workdir, "8.yaml", arch="i386")
    record(run_of(sme9, 3), replace(failed_of(never, 1), arch="i386"))

    said = say(status, "--max-age", "26h")

    data = said.stdout.split("|")[1].split()
    assert all(_PERFORMANCE.fullmatch(each) for each in data)
    assert data[0] == "age_smeserver_i386=U;93600;93600;0"
    assert data[1].startswith("age_smeserver_x86_64=1080")


def test_releases_of_the_same_product_and_arch_have_labels_of_their_own(
    sme9: Path, workdir: Path
) -> None:
    record(run_of(sme9, 3), run_of(descriptor(workdir, "sme 10.yaml"), 3))

    data = say(status, "--max-age", "26h").stdout.split("|")[1].split()

    labels = [each.partition("=")[0] for each in data]
    assert labels == ["age_smeserver_x86_64_sme_10", "age_smeserver_x86_64_sme9"]


def test_nagios_names_a_few_of_many(workdir: Path) -> None:
    record(*(run_of(descriptor(workdir, f"{each}.yaml"), 99) for each in range(5)))

    said = say(status, "--max-age", "1d")

    assert said.stdout.count("last success 4 days ago") == 3
    assert "; and 2 more |" in said.stdout


def test_a_check_that_cannot_be_made_is_unknown_to_nagios(workdir: Path) -> None:
    said = say(status, "--max-age", "26h", workdir / "none.yaml")

    assert said.status == UNKNOWN
    assert said.stdout.startswith("RELEASES UNKNOWN - there is no file")


def test_a_history_that_cannot_be_read_is_no_empty_one(workdir: Path) -> None:
    state_folder().mkdir()
    (state_folder() / HISTORY_FILE).write_text("dear diary" * 100)

    for command in (status, history):
        said = say(command)
        assert said.status == 3
        assert "was damaged" in said.stderr
        assert "no run is recorded" not in said.stdout
    assert say(status, "--max-age", "26h").status == UNKNOWN


def test_a_row_that_cannot_be_read_is_no_empty_history(sme9: Path) -> None:
    with open_history(state_folder()) as known:
        known.record(RecordedRun(command="build", descriptor=str(sme9), started=datetime.now(UTC)))
    with contextlib.closing(sqlite3.connect(state_folder() / HISTORY_FILE)) as database, database:
        database.execute("UPDATE runs SET started = 'some day'")

    said = say(history)

    assert said.status == 3
    assert "it cannot be read" in said.stderr
    assert "no run is recorded" not in said.stdout
    assert say(status, "--max-age", "26h").stdout.startswith("RELEASES UNKNOWN")


def test_the_check_speaks_json_too(sme9: Path) -> None:
    record(run_of(sme9, 50))

    said = say(status, "--max-age", "26h", "--json")

    assert said.status == CRITICAL
    (release,) = said.document["releases"]
    assert release["standing"] == "stale"
    assert release["age"] // 3600 == 50
    assert release["last_run"]["steps"][0]["counts"]["files_fetched"] == 7


def test_history_lists_the_newest_runs_with_what_their_steps_did(sme9: Path) -> None:
    record(run_of(sme9, 5), replace(run_of(sme9, 3), changed=False), failed_of(sme9, 1))

    said = say(history, "--limit", "2")

    heads = [line for line in said.stdout.splitlines() if not line.startswith(" ")]
    assert [head.split("x86_64  ")[1] for head in heads] == [
        "incomplete (10.0 s)",
        "done, nothing new (10.0 s)",
    ]
    assert "bytes_fetched 5.0 MB" in said.stdout
    assert "files_fetched" not in said.stdout
    assert "does not answer" in said.stdout


def test_history_shows_all_numbers_or_none_of_them(sme9: Path) -> None:
    record(run_of(sme9, 5))

    assert "files_fetched 7" in say(history, "-v").stdout
    assert len(say(history, "-q").stdout.splitlines()) == 1


def test_the_history_of_one_file_has_no_runs_of_others(sme9: Path, workdir: Path) -> None:
    other, third = descriptor(workdir, "b.yaml"), descriptor(workdir, "c.yaml")
    record(*(run_of(path, 1) for path in (sme9, other, third, sme9)))

    runs = say(history, sme9, third, "--limit", "2", "--json").document["runs"]

    assert [run["id"] for run in runs] == [4, 3]


def test_a_run_that_could_not_begin_is_in_the_history(sme9: Path) -> None:
    record(replace(failed_of(sme9, 1), product="", version="", arch="", steps=()))

    said = say(history)

    assert "sme9.yaml  incomplete" in said.stdout
    assert "look at the network" in said.stderr


@pytest.mark.parametrize(
    "arguments", [("--max-age", "soon"), ("--limit", "0"), ("--limit", f"{2**64}")]
)
def test_options_that_mean_nothing_are_refused(arguments: Sequence[str]) -> None:
    command = status if "--max-age" in arguments else history

    with pytest.raises(click.BadParameter):
        say(command, *arguments)
