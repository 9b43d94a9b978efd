"""The work folder of a repository."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from release_builder.repository.store import Store

if TYPE_CHECKING:
    from pathlib import Path

OLD, NEW = "a" * 64, "b" * 64


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "work", "2.3.2")


def put(store: Store, path: Path) -> Path:
    with store.making(path) as out:
        out.write_bytes(b"made")
    return path


def test_names_tell_what_it_was_made_of(store: Store) -> None:
    split = Store(store.folder, "2.3.4", split=True)

    assert store.signature(OLD, 128).name == f"{OLD}-128"
    assert store.delta(OLD, NEW, 128).name == f"{OLD}--{NEW}-128-2.3.2"
    assert split.delta(OLD, NEW, 128).name == f"{OLD}--{NEW}-128-2.3.4-split"


def test_what_is_made_has_its_name_only_when_it_is_whole(store: Store) -> None:
    path = store.delta(OLD, NEW, 128)

    with store.making(path) as out:
        out.write_bytes(b"made")
        before = path.exists()

    assert not before
    assert path.read_bytes() == b"made"
    assert not list((store.folder / "unfinished").iterdir())


def test_what_is_made_is_for_all_to_read(store: Store) -> None:
    before = os.umask(0o077)
    try:
        path = put(store, store.delta(OLD, NEW, 128))
    finally:
        os.umask(before)

    assert path.stat().st_mode & 0o777 == 0o644


def test_what_failed_leaves_nothing(store: Store) -> None:
    def stop_half_way() -> None:
        with store.making(store.signature(OLD, 128)) as out:
            out.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop_half_way()

    assert not [each for each in store.folder.rglob("*") if each.is_file()]


def test_two_may_make_the_same_at_the_same_time(store: Store) -> None:
    path = store.signature(OLD, 128)

    with store.making(path) as first, store.making(path) as second:
        first.write_bytes(b"made")
        second.write_bytes(b"made")

    assert path.read_bytes() == b"made"


def test_what_killed_runs_left_is_swept_away_and_the_rest_stays(store: Store) -> None:
    path = put(store, store.signature(OLD, 128))
    (store.folder / "unfinished" / "of-a-killed-run").mkdir()
    (store.folder / "unfinished" / "of-a-killed-run" / "new").touch()

    store.sweep()
    store.sweep()

    assert [each for each in store.folder.rglob("*") if each.is_file()] == [path]


def test_only_what_is_kept_is_not_discarded(store: Store, tmp_path: Path) -> None:
    kept = put(store, store.delta(OLD, NEW, 128))
    served = put(store, store.delta(NEW, OLD, 128))
    (tmp_path / "served.rdiff").hardlink_to(served)
    put(store, store.signature(OLD, 128))
    put(store, store.piece(kept, 0, 10))

    freed = store.discard({kept})

    assert [each for each in store.folder.rglob("*") if each.is_file()] == [kept]
    assert freed == 2 * len(b"made")
