"""What is of no use goes after a time of grace, and nothing else does."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

import pytest
from repository_builder import (
    FREE,
    ONE,
    THREE,
    TWO,
    assert_serves,
    make_offer,
    serve,
)

from release_builder.errors import WrongBytesError
from release_builder.repository.adoption import (
    OldSignature,
    find_delta,
    find_signature,
    recorded_sums,
)
from release_builder.repository.cleaning import GRACE, clean
from release_builder.repository.generations import generations, seconds_of
from release_builder.repository.mirror import find_mirror, served_files
from release_builder.repository.orphans import note_orphans
from release_builder.repository.selection import Pair
from release_builder.repository.sums import Sums, sums_of

if TYPE_CHECKING:
    from pathlib import Path

    from release_builder.repository.mirror import Mirror

OLD = {"amxa": {ONE: "one", TWO: "two"}, "free": {FREE: "free"}}
NEW = {"amxa": {TWO: "two", THREE: "three"}}
PAIR = Pair(ONE, TWO)
GOING = {ONE, FREE, PAIR.rdiff, Pair(TWO, ONE).rdiff}
NOW = 2_000_000_000


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    """A mirror that no longer tells of ``GOING``, whose time of grace begins at ``NOW``."""
    mirror = find_mirror(tmp_path / "mirror")
    serve(mirror.path, make_offer(tmp_path / "images", OLD))
    serve(mirror.path, make_offer(tmp_path / "images", NEW))
    mirror.orphans.unlink()
    note_orphans(mirror, NOW)
    return mirror


def names(mirror: Mirror) -> set[str]:
    return {name for name, _ in served_files(mirror.path)}


def test_what_is_of_no_use_waits_for_the_end_of_its_grace(mirror: Mirror) -> None:
    cleaned = clean(mirror, NOW + GRACE - 1)

    assert (cleaned.removed, set(cleaned.waiting), cleaned.freed) == ((), GOING, 0)
    assert names(mirror) > GOING


def test_what_is_of_no_use_goes_after_its_grace(mirror: Mirror, tmp_path: Path) -> None:
    (mirror.path / "index.html").touch()
    (tmp_path / "images" / FREE).unlink()

    cleaned = clean(mirror, NOW + GRACE)

    assert (set(cleaned.removed), cleaned.waiting) == (GOING, ())
    assert cleaned.freed == len("free")
    assert names(mirror) == {TWO, THREE, Pair(TWO, THREE).rdiff, Pair(THREE, TWO).rdiff}
    assert_serves(mirror.path, make_offer(tmp_path / "images", NEW))
    assert (mirror.path / "index.html").exists()
    assert (tmp_path / "images" / ONE).exists()


def test_a_dry_run_only_tells(mirror: Mirror) -> None:
    mirror.orphans.unlink()

    cleaned = clean(mirror, NOW, grace=0, dry=True)

    assert set(cleaned.removed) == GOING
    assert names(mirror) > GOING
    assert not mirror.orphans.exists()


def test_what_is_told_of_again_stays(mirror: Mirror, tmp_path: Path) -> None:
    serve(mirror.path, make_offer(tmp_path / "images", OLD))
    serve(mirror.path, make_offer(tmp_path / "images", NEW))

    cleaned = clean(mirror, NOW + 1, grace=NOW)

    assert cleaned.removed == ()
    assert set(cleaned.waiting) == GOING


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{", id="cut off"),
        pytest.param("[]", id="list"),
        pytest.param(f'{{"{ONE}": "1970"}}', id="no number"),
        pytest.param(f'{{"{ONE}": 9000000000}}', id="in the future"),
    ],
)
def test_damaged_records_only_delay(mirror: Mirror, text: str) -> None:
    mirror.orphans.write_text(text)

    assert clean(mirror, NOW, grace=1).removed == ()
    assert set(clean(mirror, NOW + 1, grace=1).removed) == GOING


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param("unlink", "has no meta files, so all in it would go", id="no meta"),
        pytest.param("damage", "is not what a repository's meta file must be", id="damaged meta"),
    ],
)
def test_a_mirror_that_does_not_tell_what_it_serves_keeps_all(
    mirror: Mirror, change: str, words: str
) -> None:
    meta = mirror.path / "meta/amxa.json"
    if change == "unlink":
        meta.unlink()
    else:
        meta.write_text("{}")
    before = names(mirror)

    with pytest.raises(WrongBytesError, match=words):
        clean(mirror, NOW + GRACE)

    assert names(mirror) == before


def test_generations_go_when_they_have_been_out_of_use_for_the_grace(tmp_path: Path) -> None:
    mirror = find_mirror(tmp_path / "mirror")
    for texts in ({"amxa": {ONE: "one"}}, {"amxa": {ONE: "one", TWO: "two"}}, OLD):
        serve(mirror.path, make_offer(tmp_path / "images", texts), generations=True)
    first, second, third = generations(mirror)
    ended = seconds_of(second)

    early = clean(mirror, ended + GRACE - 1)
    late = clean(mirror, ended + GRACE)

    assert (early.removed, late.removed) == ((), (first,))
    assert generations(mirror) == [second, third]
    assert_serves(mirror.path, make_offer(tmp_path / "images", OLD))


def test_work_files_of_the_original_go_with_what_they_are_of(mirror: Mirror) -> None:
    kept = [
        _put(mirror.path / ".signatures" / f"{TWO[:-4]}.rdiff_signature", b""),
        _put(mirror.path / ".checksums" / f"{TWO}.sha256sum", b""),
        _put(mirror.path / ".checksums" / "notes", b""),
    ]
    gone = [
        _put(mirror.path / ".signatures" / f"{ONE[:-4]}.rdiff_signature", b""),
        _put(mirror.path / ".checksums" / f"{ONE}.cksum", b""),
        _put(mirror.path / ".checksums" / f"{PAIR.rdiff}.sha512sum", b""),
    ]

    clean(mirror, NOW + GRACE)

    assert all(path.exists() for path in kept)
    assert not any(path.exists() for path in gone)


def test_a_delta_is_found_by_its_name(mirror: Mirror) -> None:
    assert find_delta(mirror.path, PAIR) == mirror.path / "rdiffs" / PAIR.rdiff
    assert find_delta(mirror.path, Pair(ONE, THREE)) is None


def signature(blocks: int, magic: int = 0x72730147, block: int = 2, strong: int = 32) -> bytes:
    return struct.pack(">III", magic, block, strong) + bytes(blocks * (4 + strong))


@pytest.mark.parametrize(
    ("content", "is_found"),
    [
        pytest.param(signature(2), True, id="whole"),
        pytest.param(signature(2, strong=8), True, id="short sums"),
        pytest.param(signature(2)[:-1], False, id="cut off"),
        pytest.param(signature(2)[:11], False, id="cut header"),
        pytest.param(b"", False, id="empty"),
        pytest.param(signature(1), False, id="of a smaller image"),
        pytest.param(signature(2, magic=0x72730236), False, id="delta"),
        pytest.param(signature(2, block=0), False, id="no blocks"),
    ],
)
def test_a_signature_must_fit_its_image(tmp_path: Path, content: bytes, is_found: bool) -> None:
    image = _put(tmp_path / ONE, b"one")
    path = _put(tmp_path / ".signatures" / f"{ONE[:-4]}.rdiff_signature", content)

    assert find_signature(tmp_path, image) == (OldSignature(path, 2) if is_found else None)


def test_a_signature_that_is_older_than_its_image_does_not_count(tmp_path: Path) -> None:
    image = _put(tmp_path / ONE, b"one")
    os.utime(_put(tmp_path / ".signatures" / f"{ONE[:-4]}.rdiff_signature", signature(2)), (1, 1))

    assert find_signature(tmp_path, image) is None


def test_an_image_without_signature_has_none(tmp_path: Path) -> None:
    assert find_signature(tmp_path, _put(tmp_path / ONE, b"one")) is None


def record(folder: Path, name: str, sums: Sums) -> None:
    """Write what coreutils print."""
    _put(folder / f"{name}.cksum", f"{sums.cksum} {sums.size} {name}\n".encode())
    _put(folder / f"{name}.sha256sum", f"{sums.sha256}  {name}\n".encode())
    _put(folder / f"{name}.sha512sum", f"{sums.sha512}  {name}\n".encode())


def test_digests_that_the_original_recorded_are_read(tmp_path: Path) -> None:
    sums = sums_of(_put(tmp_path / ONE, b"one"))

    record(tmp_path / ".checksums", ONE, sums)

    assert recorded_sums(tmp_path, ONE) == sums


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        pytest.param("cksum", None, id="missing"),
        pytest.param("cksum", b"1 2\n", id="no name"),
        pytest.param("sha256sum", b"ab  a\n", id="short"),
        pytest.param("sha512sum", b"\xff", id="no text"),
    ],
)
def test_digests_that_are_damaged_do_not_count(
    tmp_path: Path, kind: str, content: bytes | None
) -> None:
    record(tmp_path / ".checksums", ONE, Sums(1, 2, "a" * 64, "b" * 128))
    path = tmp_path / ".checksums" / f"{ONE}.{kind}"
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)

    assert recorded_sums(tmp_path, ONE) is None


def _put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
