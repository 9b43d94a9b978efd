"""Files that are not read again."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from release_builder.errors import IncompleteError, WrongBytesError
from release_builder.repository.journal import Journal, read

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "image"
    path.write_bytes(b"an image")
    os.utime(path, ns=(0, 1_000_000_000))
    return path


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "work" / "journal"


def test_a_later_run_knows_what_was_read(image: Path, journal: Path) -> None:
    known = read(image)
    Journal(journal).remember(known)

    assert Journal(journal).known(image) == known


def test_what_was_never_read_is_not_known(image: Path, journal: Path) -> None:
    assert Journal(journal).known(image) is None


def test_another_link_that_we_make_is_known_too(image: Path, journal: Path) -> None:
    ours = Journal(journal)
    ours.remember(read(image))
    link = image.with_name("link")

    with ours.renaming(image):
        link.hardlink_to(image)

    assert Journal(journal).known(link) == replace(read(image), path=link)


def test_what_is_written_while_it_gets_another_name_is_not_known(
    image: Path, journal: Path
) -> None:
    ours = Journal(journal)
    ours.remember(read(image))

    with ours.renaming(image):
        rewrite(image)

    assert ours.known(image) is None


def test_who_trusts_nothing_knows_what_it_has_read_itself(image: Path, journal: Path) -> None:
    Journal(journal).remember(read(image))
    full = Journal(journal, full=True)
    before = full.known(image)

    full.sums_of(image)

    assert before is None
    assert full.known(image) == Journal(journal).known(image) == read(image)


def rewrite(image: Path) -> None:
    image.write_bytes(b"an IMAGE")


def exchange(image: Path) -> None:
    new = image.with_name("new")
    new.write_bytes(b"an IMAGE")
    os.utime(new, ns=(0, 1_000_000_000))
    new.rename(image)


def rot(image: Path) -> None:
    image.write_bytes(b"an IMAGE")
    os.utime(image, ns=(0, 1_000_000_000))


def truncate(image: Path) -> None:
    with image.open("r+b") as stream:
        stream.truncate(3)
    os.utime(image, ns=(0, 1_000_000_000))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(rewrite, id="other bytes in the same file"),
        pytest.param(exchange, id="another file of the same size and time"),
        pytest.param(rot, id="other bytes, with its old time"),
        pytest.param(truncate, id="cut off, with its old time"),
    ],
)
def test_a_changed_file_is_not_known(image: Path, journal: Path, change: object) -> None:
    Journal(journal).remember(read(image))

    assert callable(change)
    change(image)

    assert Journal(journal).known(image) is None


@pytest.mark.parametrize(
    "rest",
    [
        pytest.param(b'{"mark": {"dev', id="a line that was cut off"),
        pytest.param(b"\0" * 100, id="zeros after a power failure"),
        pytest.param(b'{"mark": 1}\n', id="JSON of another shape"),
    ],
)
def test_what_a_killed_run_left_does_no_harm(image: Path, journal: Path, rest: bytes) -> None:
    other = image.with_name("other")
    other.write_bytes(b"another")
    Journal(journal).remember(read(image))
    with journal.open("ab") as out:
        out.write(rest)

    Journal(journal).remember(read(other))

    assert Journal(journal).known(image) == read(image)
    assert Journal(journal).known(other) == read(other)


def test_the_journal_does_not_grow_for_ever(image: Path, journal: Path) -> None:
    known = read(image)
    for _ in range(2):
        growing = Journal(journal)
        for _ in range(1003):
            growing.remember(known)

    kept = Journal(journal)

    assert len(journal.read_bytes().split()) == 1
    assert kept.known(image) == known


def test_an_image_that_was_changed_since_is_refused(image: Path) -> None:
    known = read(image)
    known.check()
    rewrite(image)

    with pytest.raises(IncompleteError, match="was changed while it was read"):
        known.check()


def test_an_image_that_was_changed_but_for_its_time_is_refused(image: Path) -> None:
    known = read(image)
    os.link(image, image.with_name("another name"))
    known.check()
    rot(image)

    with pytest.raises(IncompleteError, match="was changed while it was read"):
        known.check()


def test_an_image_that_is_gone_is_refused(image: Path, journal: Path) -> None:
    known = read(image)
    image.unlink()

    gone = pytest.raises(IncompleteError, match=f"{image} is not there any more")

    with gone:
        known.check()
    with gone:
        read(image)
    with gone:
        Journal(journal).known(image)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        pytest.param(rewrite, IncompleteError, id="it was changed"),
        pytest.param(Path.unlink, IncompleteError, id="it is gone"),
        pytest.param(Path.exists, WrongBytesError, id="it is as it was"),
    ],
)
def test_what_fails_is_the_fault_of_an_image_that_was_changed(
    image: Path, change: Callable[[Path], object], error: type[Exception]
) -> None:
    known = read(image)

    def work() -> None:
        with known.unchanged():
            change(image)
            raise WrongBytesError("it is no image")

    with pytest.raises(error):
        work()


def test_an_image_that_changes_while_it_is_read_is_refused(image: Path) -> None:
    with pytest.raises(IncompleteError, match="was changed while it was read"):
        read(image, on_bytes=lambda _count: rewrite(image))
