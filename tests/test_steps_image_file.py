"""The image as a file."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from release_builder.digests import Digest
from release_builder.errors import SurroundingsError
from release_builder.state.digest_cache import open_cache
from release_builder.steps.image_file import finish, measure, move_aside, unfinished

if TYPE_CHECKING:
    from pathlib import Path

ASIDE = "aside"
_TOO_MUCH = 1 << 60  # bytes that no disk has


def test_what_was_measured_is_not_read_again_unless_it_must(workdir: Path) -> None:
    path = workdir / "a.iso"
    path.write_bytes(b"abc")
    with open_cache(workdir / "state") as cache:
        first = measure(path, ["md5"], cache)
        second = measure(path, ["md5"], cache)
        more = measure(path, ["md5", "sha256"], cache)
        full = measure(path, ["md5"], cache, full=True)

    assert [each.read for each in (first, second, more, full)] == [True, False, True, True]
    assert first.digests == second.digests == full.digests
    assert more.digests["sha256"] == Digest("sha256", hashlib.sha256(b"abc").digest())
    assert {each.size for each in (first, second, more, full)} == {3}


def test_what_is_moved_aside_takes_the_place_of_nothing(workdir: Path) -> None:
    path, aside = workdir / "a.iso", workdir / "aside"
    names = []
    for content in ("first", "second"):
        path.write_text(content)
        names.append(move_aside(path, aside).name)
    path.symlink_to("nowhere")
    names.append(move_aside(path, aside).name)
    path.mkdir()
    names.append(move_aside(path, aside).name)

    assert names == ["a.iso", "a.iso.2", "a.iso.3", "a.iso.4"]
    assert [(aside / name).read_text() for name in names[:2]] == ["first", "second"]
    assert not os.path.lexists(path)


def test_an_unfinished_image_is_gone_on_with(workdir: Path) -> None:
    path = workdir / "image" / "a.iso.partial"
    with unfinished(path, 10, workdir / ASIDE) as out:
        out.write(b"begun")

    with unfinished(path, 10, workdir / ASIDE) as out:
        content = out.read()

    assert content == b"begun".ljust(10, b"\0")


@pytest.mark.parametrize("kind", ["link", "dangling link", "hard link", "fifo", "folder"])
def test_nothing_is_written_through_what_is_no_file(
    workdir: Path, tmp_path: Path, kind: str
) -> None:
    path, victim = workdir / "a.iso.partial", tmp_path / "victim"
    if kind != "dangling link":
        victim.write_text("precious")
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "hard link":
        path.hardlink_to(victim)
    else:
        path.symlink_to(victim)

    with unfinished(path, 10, workdir / ASIDE) as out:
        out.write(b"ours")

    assert path.read_bytes() == b"ours".ljust(10, b"\0")
    assert not path.is_symlink()
    assert not victim.exists() or victim.read_text() == "precious"
    assert [entry.name for entry in (workdir / ASIDE).iterdir()] == [path.name]


def test_an_image_that_does_not_fit_is_not_begun(workdir: Path) -> None:
    path = workdir / "a.iso.partial"

    with (
        pytest.raises(SurroundingsError, match="still needs") as caught,
        unfinished(path, _TOO_MUCH, workdir / ASIDE),
    ):
        pass

    assert not path.exists()
    assert "--workdir" in caught.value.hint


def test_what_an_unfinished_image_has_already_needs_no_room(workdir: Path) -> None:
    """A hole needs room, what was written does not."""
    path = workdir / "a.iso.partial"
    path.write_bytes(b"x" * 100_000)
    os.truncate(path, _TOO_MUCH >> 20)

    with pytest.raises(SurroundingsError) as caught, unfinished(path, _TOO_MUCH, workdir / ASIDE):
        pass

    needed = int(caught.value.what.split("still needs ")[1].split(" bytes")[0].replace(",", ""))
    assert _TOO_MUCH - 200_000 < needed <= _TOO_MUCH - 100_000


def test_the_finished_image_has_its_name(workdir: Path) -> None:
    partial, name = workdir / "a.iso.partial", workdir / "a.iso"
    partial.write_bytes(b"all of it")

    finish(partial, name)

    assert [path.name for path in workdir.iterdir()] == ["a.iso"]
    assert name.read_bytes() == b"all of it"
