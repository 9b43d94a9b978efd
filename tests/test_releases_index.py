"""The index of all releases below a public root, and one that is not ours."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from page_samples import INDEX, PUBLISHED, RELEASE, image
from public_tree import local_shelf

from release_builder.descriptor.version import Stage
from release_builder.errors import WrongBytesError
from release_builder.pages.index_page import ListedRelease, index_json
from release_builder.public.place import SMALL
from release_builder.steps.releases_index import best_beside, enter, listed_releases, strike

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from release_builder.public.shelf import Shelf

BETA = "testing/9.0beta3"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


@pytest.fixture
def shelf(root: Path) -> Shelf:
    return local_shelf(root)


def publish(shelf: Shelf, version: str, stage: str = "beta", days: int = 0) -> None:
    """List ``version`` at a folder of its own, ``days`` after the first one."""
    page = replace(
        RELEASE, version=version, stage=stage, published=PUBLISHED + timedelta(days=days)
    )
    enter(shelf, f"at/{version}", page)


def called_newest(shelf: Shelf) -> list[str]:
    return [each.version for each in listed_releases(shelf) if each.is_newest]


def test_a_root_without_an_index_has_no_releases(shelf: Shelf) -> None:
    assert listed_releases(shelf) == ()


def test_a_release_is_listed_for_people_and_for_programs(root: Path, shelf: Shelf) -> None:
    enter(shelf, BETA, RELEASE)

    assert listed_releases(shelf) == (
        ListedRelease(
            version="9.0beta3",
            stage="beta",
            folder=BETA,
            published=PUBLISHED,
            arches=("x86_64", "i386"),
            size=2 * image("i386").size,
            is_newest=True,
        ),
    )
    assert f'href="{BETA}/index.html"' in (root / "index.html").read_text()
    assert json.loads((root / "index.json").read_text())["title"] == "SME Server"


def test_a_release_takes_its_own_place_and_leaves_others(shelf: Shelf) -> None:
    publish(shelf, "9.0beta2")
    publish(shelf, "9.0beta3", days=1)
    publish(shelf, "9.0beta2", days=2)

    assert [(each.version, each.published.day) for each in listed_releases(shelf)] == [
        ("9.0beta2", 3),
        ("9.0beta3", 2),
    ]


def test_two_images_of_one_arch_name_it_once(shelf: Shelf) -> None:
    images = (image("i386"), replace(image("i386"), name="b.iso"), image("x86_64"))

    enter(shelf, BETA, replace(RELEASE, images=images))

    assert listed_releases(shelf)[0].arches == ("i386", "x86_64")


def test_the_newest_of_a_stage_is_the_highest_version_and_not_the_last(shelf: Shelf) -> None:
    publish(shelf, "9.0beta10")
    publish(shelf, "9.0beta9", days=1)
    publish(shelf, "8.10", "final", days=2)
    publish(shelf, "8.9", "final", days=3)

    assert called_newest(shelf) == ["8.10", "9.0beta10"]


def test_without_the_newest_the_next_is_that(shelf: Shelf) -> None:
    publish(shelf, "9.0beta2")
    publish(shelf, "9.0beta3")

    strike(shelf, "at/9.0beta3", "SME Server")

    assert called_newest(shelf) == ["9.0beta2"]


def test_striking_the_last_release_leaves_an_empty_index(root: Path, shelf: Shelf) -> None:
    publish(shelf, "9.0beta3")

    strike(shelf, "at/9.0beta3", "SME Server")

    assert listed_releases(shelf) == ()
    assert "9.0beta3" not in (root / "index.html").read_text()


def test_what_is_not_listed_need_not_be_struck(shelf: Shelf) -> None:
    publish(shelf, "9.0beta3")

    strike(shelf, "at/9.0beta", "SME Server")

    assert called_newest(shelf) == ["9.0beta3"]


def state(path: Path) -> tuple[int, int]:
    """What tells a file from one that was written or replaced."""
    about = path.lstat()
    return about.st_ino, about.st_mtime_ns


def states(root: Path) -> list[tuple[int, int]]:
    return [state(root / name) for name in ("index.html", "index.json")]


def test_what_changes_nothing_writes_nothing(root: Path, shelf: Shelf) -> None:
    publish(shelf, "9.0beta2")
    publish(shelf, "9.0beta3")
    before = states(root)

    publish(shelf, "9.0beta2")
    strike(shelf, "at/9.0beta", "SME Server")

    assert states(root) == before


def test_nothing_is_struck_where_there_is_no_index(root: Path, shelf: Shelf) -> None:
    assert strike(shelf, BETA, "SME Server") == ""

    assert not (root / "index.html").exists()
    assert not (root / "index.json").exists()


def test_a_page_that_got_lost_comes_again(root: Path, shelf: Shelf) -> None:
    publish(shelf, "9.0beta3")
    (root / "index.html").unlink()

    publish(shelf, "9.0beta3")

    assert "9.0beta3" in (root / "index.html").read_text()


def foreign_text(page: Path) -> None:
    page.write_text("<h1>made by hand</h1>")


def foreign_empty(page: Path) -> None:
    page.touch()


def foreign_huge(page: Path) -> None:
    page.touch()
    os.truncate(page, SMALL + 1)


def foreign_link(page: Path) -> None:
    outside = page.parent.parent / "outside.html"
    outside.write_text("made by hand")
    page.symlink_to(outside)


@pytest.mark.parametrize("make", [foreign_text, foreign_empty, foreign_huge, foreign_link])
def test_a_page_that_is_not_ours_stays_and_that_is_told(
    root: Path, shelf: Shelf, make: Callable[[Path], None]
) -> None:
    make(root / "index.html")
    before = state(root / "index.html")

    notes = [enter(shelf, BETA, RELEASE), strike(shelf, BETA, "SME Server")]

    assert all("index.html in the public root is not ours" in note for note in notes)
    assert state(root / "index.html") == before
    assert json.loads((root / "index.json").read_text())["releases"] == []


def test_a_page_of_ours_is_replaced_without_a_word(root: Path, shelf: Shelf) -> None:
    publish(shelf, "9.0beta2")

    note = enter(shelf, BETA, RELEASE)

    assert note == ""
    assert "9.0beta3" in (root / "index.html").read_text()


def test_releases_that_are_entered_at_one_time_are_all_listed(root: Path, shelf: Shelf) -> None:
    versions = [f"9.0beta{number}" for number in range(1, 9)]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda version: publish(local_shelf(root), version), versions))

    assert sorted(each.version for each in listed_releases(shelf)) == versions


@pytest.fixture
def several(shelf: Shelf) -> Shelf:
    """A root with releases of three majors."""
    for version in ("9.0beta2", "9.0rc1", "9.0beta10", "10.0beta1"):
        publish(shelf, version)
    for version in ("9.2", "9.10", "8.2", "10.0"):
        publish(shelf, version, "final")
    return shelf


@pytest.mark.parametrize(
    ("stage", "major", "without", "folder"),
    [
        pytest.param(Stage.BETA, 9, "at/9.0rc1", "at/9.0beta10", id="without the best"),
        pytest.param(Stage.BETA, 9, "at/9.0beta2", "at/9.0rc1", id="without another"),
        pytest.param(Stage.FINAL, 9, "at/9.10", "at/9.2", id="final"),
        pytest.param(Stage.FINAL, 8, "at/8.2", None, id="without the only one"),
        pytest.param(Stage.BETA, 8, "at/8.1beta1", None, id="none of the stage"),
        pytest.param(Stage.FINAL, 9, "obsolete/9.0", None, id="none beside it"),
    ],
)
def test_the_best_release_of_a_stage_and_major_but_one_is_found(
    several: Shelf, stage: Stage, major: int, without: str, folder: str | None
) -> None:
    found = best_beside(several, without, stage, major)

    assert (found.folder if found else None) == folder


def other(**changes: object) -> bytes:
    """An index whose first release says something else."""
    document: dict[str, Any] = json.loads(index_json(INDEX))
    document["releases"][0].update(changes)
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff", id="other bytes"),
        pytest.param(b"[]", id="list"),
        pytest.param(b"null", id="null"),
        pytest.param(b"{}", id="no releases"),
        pytest.param(b'{"schema": 2, "releases": []}', id="another schema"),
        pytest.param(b'{"schema": 1, "releases": [1]}', id="release is a number"),
        pytest.param(b"[" * 100_000, id="nested too deeply"),
        pytest.param(other()[:-9], id="cut short"),
        pytest.param(other(version="nine"), id="version is none"),
        pytest.param(other(version=9), id="version is a number"),
        pytest.param(other(stage="gamma"), id="unknown stage"),
        pytest.param(other(folder="../8.0/"), id="folder leads out"),
        pytest.param(other(folder="/"), id="no folder"),
        pytest.param(other(folder=8), id="folder is a number"),
        pytest.param(other(published="yesterday"), id="no time"),
        pytest.param(other(published="2014-02-01T09:30:00"), id="no zone"),
        pytest.param(other(published="0001-01-01T00:00:00+23:00"), id="no year"),
        pytest.param(other(arches="i386"), id="arches are a text"),
        pytest.param(other(arches=["I 386"]), id="arch is none"),
        pytest.param(other(size="1"), id="size is a text"),
    ],
)
def test_an_index_that_is_not_ours_is_neither_read_nor_replaced(
    root: Path, shelf: Shelf, content: bytes
) -> None:
    (root / "index.json").write_bytes(content)

    with pytest.raises(WrongBytesError, match=r"index\.json in the public root is not ours"):
        enter(shelf, BETA, RELEASE)

    assert (root / "index.json").read_bytes() == content
    assert not (root / "index.html").exists()


def test_an_index_of_ours_is_read(root: Path, shelf: Shelf) -> None:
    (root / "index.json").write_bytes(other())

    assert [each.version for each in listed_releases(shelf)] == [
        "8.1",
        "8.0",
        "9.0beta3",
        "9.0beta2",
    ]
