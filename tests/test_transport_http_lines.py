"""Which requests share a connection."""

from __future__ import annotations

import pytest

from release_builder.transport.http.lines import Lines

ALLOWED = 2
NEAR, FAR = 0.001, 0.04  # seconds to a server and back
SHORT, LONG = 0.01, 1.0  # seconds that a file takes to come


def lines(round_trip: float = FAR, *, right: int = 8, fit: bool = True) -> Lines:
    """Those of a server that gave so many right files, its slowest answers first."""
    made = Lines()
    for at in range(right):
        line = made.begin(ALLOWED, SHORT)
        line.fit = fit
        made.timed(round_trip * (right - at))
        made.right(line)
        made.end(line)
    return made


@pytest.mark.parametrize(
    ("known", "shared"),
    [
        pytest.param(lines(), True, id="far"),
        pytest.param(lines(NEAR), False, id="near"),
        pytest.param(lines(right=7), False, id="not proven"),
        pytest.param(lines(fit=False), False, id="closes each, or a proxy is on the way"),
        pytest.param(Lines(), False, id="unknown"),
    ],
)
def test_connections_are_shared_where_it_is_proven_to_work_and_pays(
    known: Lines, *, shared: bool
) -> None:
    assert (known.depth > 1) == shared
    assert known.room(ALLOWED) == ALLOWED * known.depth
    assert known.begin(ALLOWED, SHORT).shared == shared


def test_a_connection_is_shared_only_when_no_other_may_be_opened() -> None:
    known = lines()

    taken = [known.begin(ALLOWED, SHORT) for _ in range(ALLOWED * known.depth)]

    assert len(set(taken)) == ALLOWED
    assert len(set(taken[:ALLOWED])) == ALLOWED
    assert known.room(ALLOWED) == 0


def test_nothing_waits_behind_a_long_file() -> None:
    known = lines()
    first, long = known.begin(ALLOWED, SHORT), known.begin(ALLOWED, LONG)

    behind = [known.begin(ALLOWED, SHORT) for _ in range(known.room(ALLOWED))]

    assert set(behind) == {first}
    known.end(long)
    assert known.begin(ALLOWED, SHORT) not in {first, long}


def test_a_server_that_failed_is_asked_one_by_one_from_then_on() -> None:
    known = lines()
    shared = [known.begin(ALLOWED, SHORT) for _ in range(3)]

    known.unfit()

    assert known.room(ALLOWED) == 0
    for line in shared:
        known.end(line)
    assert known.room(ALLOWED) == ALLOWED
    assert not known.begin(ALLOWED, SHORT).shared
