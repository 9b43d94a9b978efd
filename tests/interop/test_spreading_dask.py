"""Tasks on a real Dask cluster on loopback."""

from __future__ import annotations

import subprocess
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest
from dask_cluster import Cluster, dask_cluster
from distributed import Client
from image_pair import Place
from spread_work import fail, slow

from release_builder.errors import SurroundingsError, WrongBytesError
from release_builder.repository.journal import Known
from release_builder.repository.proof import prove
from release_builder.spreading import Ended, Task, run_dask, run_local
from release_builder.spreading.image_work import delta_tasks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.interop

MEMORY = 100 << 20


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with dask_cluster(tmp_path_factory.mktemp("cluster"), memory=MEMORY) as running:
        wait_for_workers(running)
        yield running


def wait_for_workers(cluster: Cluster) -> None:
    with Client(cluster.address, set_as_default=False) as client:  # type: ignore[no-untyped-call]
        client.wait_for_workers(len(cluster.workers), timeout=60)


def deltas(place: Place) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in (place.folder / "work/deltas").iterdir()}


def graph_of(place: Place) -> list[Task]:
    pairs = [(old, new) for old in range(5) for new in range(2, 5) if old != new]
    wanted = [place.wanted(old, new) for old, new in pairs]
    return delta_tasks(wanted, place.store, 3)


def test_a_cluster_makes_the_same_bytes_as_this_machine(cluster: Cluster, tmp_path: Path) -> None:
    here, there = Place(tmp_path / "here"), Place(tmp_path / "there")
    for place in (here, there):
        place.folder.mkdir()

    ours = list(run_local(graph_of(here), 2, MEMORY))
    theirs = list(run_dask(graph_of(there), cluster.address))

    assert not [ended for ended in (*ours, *theirs) if ended.error]
    assert len(deltas(there)) == 12
    assert deltas(there) == deltas(here)
    made = [ended.result for ended in theirs if isinstance(ended.result, Known)]
    assert {known.path.name for known in made} == set(deltas(there))


def test_a_lost_worker_costs_its_task_only(tmp_path: Path) -> None:
    tasks = [Task(f"t{n}", slow, (str(tmp_path), f"t{n}", 1.5)) for n in range(6)]
    last = Task("last", slow, (str(tmp_path), "last", 0), needs=tuple(task.key for task in tasks))

    with dask_cluster(tmp_path, memory=MEMORY) as cluster:
        wait_for_workers(cluster)
        running = run_dask([*tasks, last], cluster.address)
        ended = [next(running)]
        lost = wait_for_a_second_turn(tmp_path)
        cluster.kill(lost)
        ended += running

    assert {each.key: each.result for each in ended} == {
        task.key: f"made {task.key}" for task in [*tasks, last]
    }
    assert {path.name for path in tmp_path.glob("t?")} == {task.key for task in tasks}


def wait_for_a_second_turn(folder: Path) -> int:
    """The process of a worker that has begun another task and not ended it."""
    while True:
        for begun in sorted(folder.glob("*.by.*")):
            name, _, pid = begun.name.partition(".by.")
            if not (folder / name).exists():
                return int(pid)
        time.sleep(0.01)


def test_a_lost_worker_changes_no_byte(tmp_path: Path) -> None:
    here, there = Place(tmp_path / "here"), Place(tmp_path / "there")
    for place in (here, there):
        place.folder.mkdir()
    list(run_local(graph_of(here), 2, MEMORY))

    with dask_cluster(tmp_path, memory=MEMORY) as cluster:
        wait_for_workers(cluster)
        running = run_dask(graph_of(there), cluster.address)
        ended = [next(running), next(running)]
        cluster.kill(cluster.workers[0].pid)
        ended += running

    assert not [each for each in ended if each.error]
    assert deltas(there) == deltas(here)
    for old, new in ((0, 4), (4, 3)):
        wanted = there.wanted(old, new)
        prove(wanted.old.path, wanted.path(there.store), wanted.new.sums)


def test_failures_are_told_and_the_rest_is_done(cluster: Cluster, tmp_path: Path) -> None:
    work = partial(Task, function=slow)
    tasks = [
        Task("bad", fail, ("no delta",)),
        work("needy", arguments=(str(tmp_path), "needy", 0), needs=("bad",)),
        work("large", arguments=(str(tmp_path), "large", 0), memory=MEMORY + 1),
        work("good", arguments=(str(tmp_path), "good", 0), memory=MEMORY),
    ]

    ended = {each.key: each for each in run_dask(tasks, cluster.address)}

    for key in ("bad", "needy"):
        error = ended[key].error
        assert isinstance(error, WrongBytesError)
        assert (error.what, error.hint) == ("no delta", "a hint")
    assert isinstance(ended["large"].error, SurroundingsError)
    assert ended["good"] == Ended("good", "made good")
    assert not (tmp_path / "needy").exists()


def test_no_more_memory_is_taken_than_a_worker_has(cluster: Cluster, tmp_path: Path) -> None:
    half = MEMORY // 2 + 1
    tasks = [Task(f"t{n}", slow, (str(tmp_path), f"t{n}", 0.2), half) for n in range(6)]

    ended = list(run_dask(tasks, cluster.address))

    assert len(ended) == 6
    assert not [each for each in ended if each.error]


def test_workers_that_tell_no_memory_do_all_tasks(tmp_path: Path) -> None:
    task = Task("t", slow, (str(tmp_path), "t", 0), MEMORY)

    with dask_cluster(tmp_path, workers=1) as cluster:
        wait_for_workers(cluster)
        ended = list(run_dask([task], cluster.address))

    assert ended == [Ended("t", "made t")]


def test_a_scheduler_without_workers_is_told(tmp_path: Path) -> None:
    with (
        dask_cluster(tmp_path, workers=0) as cluster,
        pytest.raises(SurroundingsError, match="has no workers"),
    ):
        list(run_dask([Task("t", slow)], cluster.address))


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("tcp://127.0.0.1:1", id="nobody there"),
        pytest.param("no address at all", id="no address"),
        pytest.param("nowhere://127.0.0.1:1", id="no scheme of Dask's"),
    ],
)
def test_a_scheduler_that_does_not_answer_is_told(address: str) -> None:
    with pytest.raises(SurroundingsError, match="does not answer") as caught:
        list(run_dask([Task("t", slow)], address))

    assert "dask scheduler" in caught.value.hint


def test_what_is_no_address_is_told_once() -> None:
    code = (
        "from release_builder.errors import SurroundingsError\n"
        "from release_builder.spreading import Task, run_dask\n"
        "try:\n"
        "    list(run_dask([Task('t', print)], 'nobody'))\n"
        "except SurroundingsError as error:\n"
        "    print(error.what)\n"
    )

    ended = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert ended.stdout == "the scheduler nobody does not answer\n"
    assert ended.stderr == ""
