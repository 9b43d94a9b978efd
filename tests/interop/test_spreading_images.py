"""The work for images as a graph, carried out with the real rdiff."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from image_pair import Place

from release_builder.repository.journal import Journal, Known
from release_builder.repository.proof import prove
from release_builder.spreading import Ended, Task, run_local
from release_builder.spreading.image_work import delta_tasks, have_deltas, read_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from release_builder.errors import ReleaseBuilderError
    from release_builder.repository.deltas import Wanted

pytestmark = pytest.mark.interop

MEMORY = 1 << 30


class Watched:
    """run_local, and what it was asked to do."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, tasks: Sequence[Task]) -> Iterator[Ended]:
        self.asked += [task.function.__name__ for task in tasks]
        return run_local(tasks, 2, MEMORY)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def spread() -> Watched:
    return Watched()


def have(
    place: Place,
    spread: Watched,
    wanted: Sequence[Wanted],
    candidates: Mapping[Wanted, Path] | None = None,
) -> dict[Wanted, Known | ReleaseBuilderError | None]:
    journal = Journal(place.folder / "journal")
    found = have_deltas(wanted, place.store, journal, spread, jobs=2, candidates=candidates or {})
    return {one: known or error for one, known, error in found}


def test_each_signature_is_made_once_and_each_delta_proves_right(
    place: Place, spread: Watched
) -> None:
    wanted = [place.wanted(0, 1), place.wanted(0, 2), place.wanted(2, 1), place.wanted(0, 1)]

    made = have(place, spread, wanted)

    assert sorted(spread.asked) == ["make_delta"] * 3 + ["sign"] * 2
    for one, known in made.items():
        assert isinstance(known, Known)
        prove(one.old.path, known.path, one.new.sums)


def test_a_delta_between_twins_of_images_is_made_once(place: Place, spread: Watched) -> None:
    place.image(1).write_bytes(place.image(0).read_bytes())
    wanted = [place.wanted(0, 2), place.wanted(1, 2)]

    made = have(place, spread, wanted)

    assert sorted(spread.asked) == ["make_delta", "sign"]
    assert made[wanted[0]] == made[wanted[1]] is not None
    assert have(place, spread, wanted) == made
    assert sorted(spread.asked) == ["make_delta", "sign"]


def test_what_is_there_is_not_made_again(place: Place, spread: Watched) -> None:
    wanted = [place.wanted(0, 1), place.wanted(1, 0)]
    before = have(place, Watched(), wanted)

    assert have(place, spread, wanted) == before
    assert spread.asked == []


def test_what_rotted_is_made_anew(place: Place, spread: Watched) -> None:
    wanted = [place.wanted(0, 1)]
    have(place, Watched(), wanted)
    path = wanted[0].path(place.store)
    right = path.read_bytes()
    path.write_bytes(right[:-9])

    have(place, spread, wanted)

    assert spread.asked == ["adopt_delta", "make_delta"]
    assert path.read_bytes() == right


def test_a_delta_whose_journal_is_lost_is_proven_and_not_made(
    place: Place, spread: Watched
) -> None:
    wanted = [place.wanted(0, 1)]
    before = have(place, Watched(), wanted)
    (place.folder / "journal").unlink()

    assert have(place, spread, wanted) == before
    assert spread.asked == ["adopt_delta"]


def test_deltas_of_another_program_are_taken_in_if_they_are_right(
    place: Place, spread: Watched, tmp_path: Path
) -> None:
    right, wrong = place.wanted(0, 1), place.wanted(1, 0)
    (tmp_path / "elsewhere").mkdir()
    made = have(Place(tmp_path / "elsewhere"), Watched(), [right])[right]
    assert isinstance(made, Known)

    taken = have(place, spread, [right, wrong], {right: made.path, wrong: made.path})

    assert sorted(spread.asked) == ["adopt_delta", "adopt_delta", "make_delta", "sign"]
    for one, known in taken.items():
        assert isinstance(known, Known)
        prove(one.old.path, known.path, one.new.sums)


def test_a_missing_source_fails_its_deltas_only(place: Place, spread: Watched) -> None:
    lost, good = place.wanted(3, 1), place.wanted(0, 1)
    lost.old.path.unlink()

    made = have(place, spread, [lost, good])

    assert isinstance(made[good], Known)
    assert not isinstance(made[lost], Known)
    assert made[lost] is not None


def test_digests_are_read_once(place: Place, spread: Watched) -> None:
    paths = [place.image(0), place.image(1), place.image(0)]
    journal = place.folder / "journal"

    first = {path: known for path, known, _ in read_files(paths, Journal(journal), spread)}
    again = {path: known for path, known, _ in read_files(paths, Journal(journal), spread)}

    assert again == first == {path: first[path] for path in paths}
    assert spread.asked == ["read", "read"]


def large(place: Place, name: int, size: int) -> None:
    """A sparse image, so that it costs no room and little time."""
    with (place.folder / f"{name}.img").open("wb") as out:
        out.truncate(size)
        out.write(bytes([name]) * 1000)


@pytest.mark.parametrize("split", [pytest.param(False, id="whole"), pytest.param(True, id="split")])
def test_large_images_are_cut_for_idle_cores(tmp_path: Path, split: bool) -> None:
    place = Place(tmp_path, split=split)
    large(place, 0, (192 << 20) + 5)
    large(place, 1, (192 << 20) + 5)
    one = place.wanted(0, 1)

    tasks = delta_tasks([one], place.store, 3)
    ended = {each.key: each for each in run_local(tasks, 2, MEMORY)}

    names = [task.function.__name__ for task in tasks]
    assert names[:4] == ["sign_piece"] * 3 + ["join_signature"]
    assert names[4:] == (["make_piece"] * 3 + ["join_delta"] if split else ["make_delta"])
    made = ended[tasks[-1].key].result
    assert isinstance(made, Known)
    prove(one.old.path, made.path, one.new.sums)
