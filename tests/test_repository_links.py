"""Whose links in a mirror are followed by who writes there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import pytest
from repository_builder import ONE, make_offer, serve

from release_builder.errors import SurroundingsError
from release_builder.repository.mirror import find_mirror, name_mirror

if TYPE_CHECKING:
    from pathlib import Path

OFFER: Final = {"amxa": {ONE: "one"}}
IN_WORK: Final = (
    *("deltas", "signatures", "pieces", "unfinished", "puavo-conf", "new"),
    *("journal", "published"),  # written to where they are
)
PLAIN: Final = (
    *("mirror", "mirror/rdiffs", "mirror/meta", "mirror/.signatures", "mirror/.checksums"),
    *("mirror/.release-builder", ".mirror"),
    *(f"mirror/.release-builder/{name}" for name in IN_WORK),
)
OF_GENERATIONS: Final = (
    *("mirror", "mirror/rdiffs", "mirror/meta", "mirror/.signatures", "mirror/.checksums"),
    *(".mirror", ".mirror/GENERATION", ".mirror/work", ".mirror/next"),
    *(f".mirror/work/{name}" for name in IN_WORK),
)


@pytest.mark.parametrize(
    ("has_generations", "name"),
    [
        *(pytest.param(False, name, id=name) for name in PLAIN),
        *(pytest.param(True, name, id=f"generations: {name}") for name in OF_GENERATIONS),
    ],
)
def test_only_a_link_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_generations: bool, name: str
) -> None:
    serve(tmp_path / "mirror", make_offer(tmp_path / "images", OFFER), generations=has_generations)
    generation = (tmp_path / "mirror").resolve().name
    link = tmp_path / name.replace("GENERATION", generation)
    if not link.is_symlink():
        (tmp_path / "elsewhere").mkdir()
        if link.exists():
            link.rename(tmp_path / "elsewhere/moved")
        link.symlink_to(tmp_path / "elsewhere/moved")
    find_mirror(tmp_path / "mirror")

    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    if not os.getuid():
        os.lchown(link, 54321, -1)

    with pytest.raises(SurroundingsError, match=rf"{link} is a link that user \S+ made"):
        find_mirror(tmp_path / "mirror")
    assert name_mirror(tmp_path / "mirror").path.is_relative_to(tmp_path)


def test_a_move_that_was_cut_off_is_not_finished_with_a_link_of_another_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(tmp_path / "mirror", make_offer(tmp_path / "images", OFFER), generations=True)
    planted = tmp_path / ".mirror/work.away"
    planted.symlink_to(tmp_path / "elsewhere")
    if not os.getuid():
        os.lchown(planted, 54321, -1)
        os.lchown(tmp_path / "mirror", 12345, -1)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)

    with pytest.raises(SurroundingsError, match="is a link that user"):
        find_mirror(tmp_path / "mirror")

    assert planted.is_symlink()


def test_links_and_files_that_are_not_ours_are_nobodys_business(tmp_path: Path) -> None:
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror/index.html").symlink_to("elsewhere")
    (tmp_path / ".mirror").touch()
    if not os.getuid():
        os.lchown(tmp_path / "mirror/index.html", 54321, -1)

    assert find_mirror(tmp_path / "mirror").path == tmp_path / "mirror"
