"""The file for Prometheus, as a parser of its own reads it."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from page_samples import EVIL
from prometheus_client.parser import text_string_to_metric_families
from status_samples import FAILED, FRESH, MIB, NEVER, ODD_STATES, STATES

from release_builder.api.telling import write_metrics
from release_builder.errors import BusyError, printable
from release_builder.locks import open_locked
from release_builder.telling.metrics import metrics

if TYPE_CHECKING:
    from pathlib import Path

NAMES = [
    "release_builder_last_success_timestamp_seconds",
    "release_builder_last_run_timestamp_seconds",
    "release_builder_last_run_status",
    "release_builder_run_duration_seconds",
    "release_builder_image_bytes",
    "release_builder_bytes_received",
    "release_builder_release_info",
]


def samples(text: bytes) -> dict[tuple[str, str, str], float]:
    """Values by name, descriptor's name and arch."""
    found = [
        each for family in text_string_to_metric_families(text.decode()) for each in family.samples
    ]
    values = {
        (each.name, each.labels["descriptor"].rpartition("/")[2], each.labels["arch"]): each.value
        for each in found
    }
    assert len(values) == len(found), "a series is there twice"
    return values


def test_the_names_are_those_that_alarms_are_made_of() -> None:
    families = list(text_string_to_metric_families(metrics(STATES).decode()))

    assert [family.name for family in families] == NAMES
    assert {family.type for family in families} == {"gauge"}
    assert all(family.documentation for family in families)


def test_a_release_is_told_in_numbers() -> None:
    values = samples(metrics(STATES))

    of = ("smeserver.yaml", "i386")
    assert values[NAMES[0], *of] == FAILED.started.timestamp() - 24.1 * 3600 + 3
    assert values[NAMES[1], *of] == FAILED.ended.timestamp()
    assert values[NAMES[2], *of] == 3
    assert values[NAMES[3], *of] == 95
    assert values[NAMES[4], *of] == 694 * MIB
    assert values[NAMES[5], *of] == 12_000_000


def test_what_never_went_well_is_as_old_as_can_be() -> None:
    values = samples(metrics(STATES))

    of = ("smeserver-old.yaml", "i386")
    assert values[NAMES[0], *of] == 0
    assert values[NAMES[1], *of] == NEVER.ended.timestamp()


def test_a_new_version_continues_the_series_of_the_old() -> None:
    old, new = STATES[0], replace(STATES[0], version="9.0beta4", last_run=FAILED)
    assert FAILED.started > FRESH[0].started

    text = metrics([new, old])

    assert samples(text)[NAMES[2], "smeserver.yaml", "x86_64"] == FAILED.status
    assert text == metrics([old, new])
    assert b"9.0beta4" not in b"".join(
        line for line in text.splitlines() if b"release_info" not in line
    )


def test_a_release_that_never_ran_has_no_series() -> None:
    assert samples(metrics([replace(STATES[0], last_run=None)])) == {}


def test_any_name_can_be_read_back() -> None:
    (family, *_) = text_string_to_metric_families(metrics(ODD_STATES).decode())

    assert family.samples[0].labels["product"] == printable(EVIL)


def test_the_file_is_there_for_others_to_read(tmp_path: Path) -> None:
    path = tmp_path / "collected/release-builder.prom"
    path.parent.mkdir()
    before = os.umask(0o077)
    try:
        write_metrics(path, STATES)
    finally:
        os.umask(before)

    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert samples(path.read_bytes()) == samples(metrics(STATES))
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_file_that_another_writes_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "release-builder.prom"
    path.write_text("before")

    with open_locked(tmp_path / ".release-builder.prom.new"), pytest.raises(BusyError):
        write_metrics(path, STATES)

    assert path.read_text() == "before"


def test_the_library_needs_neither_threads_nor_ctypes_nor_the_multiprocess_folder(
    tmp_path: Path,
) -> None:
    script = (
        "import sys, threading\n"
        "from release_builder.telling.metrics import metrics\n"
        "metrics([])\n"
        "print('ctypes' in sys.modules, threading.active_count())"
    )
    shared = tmp_path / "shared"
    shared.mkdir()
    env = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(shared)}

    told = subprocess.run(
        [sys.executable, "-c", script], env=env, check=True, capture_output=True, text=True
    )

    assert told.stdout.split() == ["False", "1"]
    assert list(shared.iterdir()) == []


def test_no_value_has_a_time_of_its_own() -> None:
    values = [line for line in metrics(STATES).decode().splitlines() if not line.startswith("#")]

    assert all(re.fullmatch(r"\w+\{.*\} [0-9.e+]+", line) for line in values)
