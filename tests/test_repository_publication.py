"""A publication that finds what one before it has left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from repository_builder import ONE, TWO, make_offer, serve

from release_builder.repository.mirror import find_mirror

if TYPE_CHECKING:
    from pathlib import Path


def test_what_a_killed_run_did_not_come_to_note_is_noted_by_the_next(tmp_path: Path) -> None:
    mirror = find_mirror(tmp_path / "mirror")
    serve(mirror.path, make_offer(tmp_path / "images", {"amxa": {ONE: "one", TWO: "two"}}))
    offer = make_offer(tmp_path / "images", {"amxa": {TWO: "two"}})
    serve(mirror.path, offer)
    noted = mirror.orphans.read_bytes()
    mirror.orphans.unlink()

    published = serve(mirror.path, offer)

    assert not published.is_changed
    assert mirror.orphans.read_bytes().count(b'"') == noted.count(b'"') > 0
