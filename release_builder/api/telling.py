"""What others look at to see how releases stand: a file for Prometheus, a page for people."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from release_builder.files import replacing
from release_builder.state.history import MAX_AGE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from release_builder.state.history import RecordedRun, ReleaseState


def write_metrics(path: Path, states: Sequence[ReleaseState]) -> None:
    """Write the file for node_exporter's textfile collector.

    Args:
        path: Of the file; node_exporter reads those whose names end in ``.prom``.
        states: Of all releases.

    Raises:
        BusyError: Another process is writing it.
        OSError: It cannot be written.
    """
    # prometheus-client takes its time: only who wants it waits.
    from release_builder.telling.metrics import metrics  # noqa: PLC0415

    _write(path, metrics(states))


def write_status_page(
    folder: Path,
    states: Sequence[ReleaseState],
    runs: Sequence[RecordedRun],
    now: datetime,
    max_age: float = MAX_AGE,
) -> None:
    """Write ``index.html``, its charts and ``status.json``.

    Args:
        folder: Made if missing.
        states: Of all releases.
        runs: Of them, newest first.
        now: With its zone.
        max_age: Seconds after its last success until a release is stale.

    Raises:
        BusyError: Another process is writing them.
        OSError: They cannot be written.
    """
    # pygal takes its time too.
    from release_builder.api.status_pages import status_files  # noqa: PLC0415

    texts = status_files(folder, states, runs, now, max_age)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        _write(folder / name, text.encode())


def _write(path: Path, content: bytes) -> None:
    with replacing(path) as out:
        out.write(content)
        os.fchmod(out.fileno(), 0o644)  # whatever the umask: others read it
