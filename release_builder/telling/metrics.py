"""How releases stand, for Prometheus: a file for node_exporter's textfile collector.

Source: prometheus/docs, "Exposition formats", text format 0.0.4; prometheus/node_exporter,
README, "Textfile Collector": no timestamps, each series once in all files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import CollectorRegistry

from release_builder.errors import printable
from release_builder.telling import received

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from release_builder.state.history import RecordedRun, ReleaseState

    _Labels = tuple[str, str, str]
    _Standing = tuple[ReleaseState, RecordedRun]

_LABELS: Final = ("product", "arch", "descriptor")
_PREFIX: Final = "release_builder"
_GAUGES: Final[dict[str, tuple[str, Callable[[ReleaseState, RecordedRun], float]]]] = {
    "last_success_timestamp_seconds": (
        "When the last run that went well ended; 0 for never.",
        lambda state, _: state.last_success.timestamp() if state.last_success else 0,
    ),
    "last_run_timestamp_seconds": (
        "When the last run ended.",
        lambda _, run: run.ended.timestamp(),
    ),
    "last_run_status": ("Exit status of the last run; 0 for well.", lambda _, run: run.status),
    "run_duration_seconds": ("How long the last run took.", lambda _, run: run.seconds),
    "image_bytes": (
        "Size of the image of the last run that went well; 0 for none.",
        lambda state, _: state.image_size,
    ),
    "bytes_received": ("What the last run got from mirrors.", lambda _, run: received(run)),
}


def metrics(states: Sequence[ReleaseState]) -> bytes:
    """The text of the file; its names stay what they are, since alarms are made of them.

    A last success of 0 stands for never, so that an alarm on age needs no second rule.
    """
    registry = CollectorRegistry()
    registry.register(_Releases(_newest(states)))
    return generate_latest(registry)


class _Releases:
    """What a registry collects from."""

    def __init__(self, standings: dict[_Labels, _Standing]) -> None:
        self._standings = standings

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """A family for each name."""
        for name, (meaning, value) in _GAUGES.items():
            family = GaugeMetricFamily(f"{_PREFIX}_{name}", meaning, labels=_LABELS)
            for labels, (state, run) in self._standings.items():
                family.add_metric(labels, value(state, run))
            yield family
        # The version is no label of the others: an alarm shall outlive a new beta.
        info = GaugeMetricFamily(
            f"{_PREFIX}_release_info", "Always 1.", labels=(*_LABELS, "version")
        )
        for labels, (state, _) in self._standings.items():
            info.add_metric((*labels, printable(state.version)), 1)
        yield info


def _newest(states: Sequence[ReleaseState]) -> dict[_Labels, _Standing]:
    """The last to run of each set of labels: node_exporter refuses a file with a series twice."""
    ran = [(state, state.last_run) for state in states if state.last_run]
    newest: dict[_Labels, _Standing] = {}
    for state, run in sorted(ran, key=lambda each: each[1].started):
        labels = printable(state.product), printable(state.arch), printable(state.descriptor)
        newest[labels] = state, run
    return dict(sorted(newest.items(), key=lambda each: each[0]))
