"""Signatures, deltas and proofs with the real rdiff."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from image_pair import BLOCK_SIZE, Place

from release_builder.errors import IncompleteError, SurroundingsError, WrongBytesError
from release_builder.repository import rdiff
from release_builder.repository.deltas import adopt_delta, join_delta, make_delta, make_piece
from release_builder.repository.journal import read
from release_builder.repository.proof import compare, prove
from release_builder.repository.signatures import (
    adopt_signature,
    join_signature,
    sign,
    sign_piece,
)
from release_builder.repository.sums import sums_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.interop


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def theirs(*argv: str | Path, status: int = 0) -> None:
    assert subprocess.run(["rdiff", *argv], check=False).returncode == status


def delta_of(place: Place, old: int, new: int) -> Path:
    """As the original makes it: with full strong sums."""
    signature, delta = place.folder / "their.signature", place.folder / "their.delta"
    theirs("--force", f"--block-size={BLOCK_SIZE}", "signature", place.image(old), signature)
    theirs("--force", "delta", signature, place.image(new), delta)
    return delta


def files(place: Place) -> list[str]:
    folder = place.folder / "work"
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file())


@pytest.mark.parametrize(
    "size", [0, 1, 65_536, 65_537, 300_000, 10_900_000, pytest.param(16_000_000, id="16 MB")]
)
def test_the_default_block_size_is_rdiffs_own(place: Place, size: int) -> None:
    image, signature = place.folder / "image", place.folder / "signature"
    with image.open("wb") as out:
        out.truncate(size)

    theirs("signature", image, signature)

    told = int.from_bytes(signature.read_bytes()[4:8], "big")
    assert rdiff.default_block_size(size, rdiff.version()) == told


def test_a_delta_has_the_bytes_that_rdiff_gives_it_with_its_own_sums(place: Place) -> None:
    wanted = place.wanted(1, 2)

    sign(place.store, wanted.old, BLOCK_SIZE)
    made = make_delta(place.store, wanted)

    assert made.path.read_bytes() == delta_of(place, 1, 2).read_bytes()
    assert made.sums == sums_of(made.path)


def test_a_signature_in_pieces_has_the_bytes_of_the_whole(place: Place, tmp_path: Path) -> None:
    old = read(place.image(1))
    size, cut = old.sums.size, 100 * BLOCK_SIZE
    parts = ((0, cut), (cut, cut), (2 * cut, size - 2 * cut))

    for offset, length in reversed(parts):
        sign_piece(place.store, old, BLOCK_SIZE, offset, length)
    join_signature(place.store, old, BLOCK_SIZE, parts)

    argv = rdiff.signature_argv(BLOCK_SIZE, str(old.path), tmp_path / "whole", rdiff.version())
    subprocess.run(argv, check=True)
    joined = place.store.signature(old.sums.sha256, BLOCK_SIZE)
    assert joined.read_bytes() == (tmp_path / "whole").read_bytes()
    assert files(place) == [f"signatures/{joined.name}"]


def test_a_delta_in_pieces_is_another_that_every_rdiff_reads(tmp_path: Path) -> None:
    place = Place(tmp_path, split=True)
    wanted = place.wanted(1, 2)
    size = wanted.new.sums.size
    parts = ((0, size // 3), (size // 3, 7), (size // 3 + 7, size - size // 3 - 7))

    sign(place.store, wanted.old, BLOCK_SIZE)
    for offset, length in parts:
        make_piece(place.store, wanted, offset, length)
    made = join_delta(place.store, wanted, parts)

    theirs("patch", wanted.old.path, made.path, tmp_path / "patched")
    assert (tmp_path / "patched").read_bytes() == wanted.new.path.read_bytes()
    assert made.path.read_bytes() != delta_of(place, 1, 2).read_bytes()
    assert not list((place.folder / "work" / "pieces").iterdir())


def test_a_piece_that_has_rotted_is_no_end_of_it(tmp_path: Path) -> None:
    place = Place(tmp_path, split=True)
    wanted = place.wanted(1, 2)
    parts = ((0, 150_000), (150_000, wanted.new.sums.size - 150_000))
    sign(place.store, wanted.old, BLOCK_SIZE)
    for offset, length in parts:
        make_piece(place.store, wanted, offset, length)
    place.store.piece(wanted.path(place.store), *parts[1]).write_bytes(b"rotten")

    made = join_delta(place.store, wanted, parts)

    prove(wanted.old.path, made.path, wanted.new.sums)


def test_a_lost_worker_may_have_joined_the_pieces(tmp_path: Path) -> None:
    place = Place(tmp_path, split=True)
    wanted = place.wanted(1, 2)
    parts = ((0, 150_000), (150_000, wanted.new.sums.size - 150_000))
    sign(place.store, wanted.old, BLOCK_SIZE)
    for offset, length in parts:
        make_piece(place.store, wanted, offset, length)
    made = join_delta(place.store, wanted, parts)

    assert join_delta(place.store, wanted, parts) == made
    assert make_delta(place.store, wanted) == made


def test_what_has_rotted_in_the_store_is_made_anew(place: Place) -> None:
    wanted = place.wanted(1, 2)
    sign(place.store, wanted.old, BLOCK_SIZE)
    right = make_delta(place.store, wanted).path.read_bytes()
    cut_off(wanted.path(place.store))

    made = make_delta(place.store, wanted)

    assert made.path.read_bytes() == right


def cut_off(delta: Path) -> None:
    delta.write_bytes(delta.read_bytes()[:-50])


def exchange_a_byte(delta: Path) -> None:
    # The last literal byte of this delta stands in the middle of an edit.
    data = bytearray(delta.read_bytes())
    at = len(data) // 2
    data[at] ^= 1
    delta.write_bytes(data)


def exchange_all(delta: Path) -> None:
    delta.write_bytes(b"rs\x026\0")


BREAKAGES = [
    pytest.param(cut_off, id="cut off"),
    pytest.param(exchange_a_byte, id="one bit"),
    pytest.param(exchange_all, id="a delta of nothing"),
    pytest.param(lambda delta: delta.write_bytes(b""), id="empty"),
]


@pytest.mark.parametrize("spoil", BREAKAGES)
def test_a_wrong_delta_is_not_proven(place: Place, spoil: Callable[[Path], None]) -> None:
    wanted, delta = place.wanted(1, 2), delta_of(place, 1, 2)
    prove(wanted.old.path, delta, wanted.new.sums)
    compare(wanted.old.path, delta, wanted.new.path)

    spoil(delta)

    with pytest.raises(WrongBytesError):
        prove(wanted.old.path, delta, wanted.new.sums)
    with pytest.raises(WrongBytesError):
        compare(wanted.old.path, delta, wanted.new.path)


def test_a_delta_that_makes_more_than_is_wanted_is_not_proven(place: Place) -> None:
    wanted, delta = place.wanted(1, 2), delta_of(place, 1, 2)
    shorter = place.folder / "shorter"
    shorter.write_bytes(wanted.new.path.read_bytes()[:-1])

    with pytest.raises(WrongBytesError):
        compare(wanted.old.path, delta, shorter)
    with pytest.raises(WrongBytesError):
        prove(wanted.old.path, delta, sums_of(shorter))


def test_a_signature_that_is_of_another_image_is_made_anew(place: Place) -> None:
    wanted = place.wanted(1, 2)
    sign(place.store, wanted.old, BLOCK_SIZE)
    signature = wanted.signature(place.store)
    right = signature.read_bytes()
    # All entries moved by one: whole, and each block is found at the wrong place.
    signature.write_bytes(right[:12] + right[32:] + right[12:32])

    made = make_delta(place.store, wanted)

    prove(wanted.old.path, made.path, wanted.new.sums)
    assert signature.read_bytes()[:4] == b"rs\x01G"  # BLAKE2 now


def test_a_signature_of_the_original_is_taken_in(place: Place) -> None:
    wanted = place.wanted(1, 2)
    delta = delta_of(place, 1, 2)

    adopted = adopt_signature(place.store, wanted.old, BLOCK_SIZE, place.folder / "their.signature")
    made = make_delta(place.store, wanted)

    assert adopted
    assert made.path.read_bytes() == delta.read_bytes()


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[:-1]), id="cut off"),
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[:11]), id="no header"),
        pytest.param(lambda path: path.write_bytes(b"R" + path.read_bytes()[1:]), id="magic"),
        pytest.param(lambda path: path.unlink(), id="not there"),
    ],
)
def test_what_cannot_be_the_signature_is_not_taken_in(
    place: Place, spoil: Callable[[Path], object]
) -> None:
    delta_of(place, 1, 2)
    spoil(place.folder / "their.signature")

    adopted = adopt_signature(
        place.store, read(place.image(1)), BLOCK_SIZE, place.folder / "their.signature"
    )

    assert not adopted
    assert not files(place)


def test_a_signature_of_another_block_size_is_not_taken_in(place: Place) -> None:
    delta_of(place, 1, 2)

    adopted = adopt_signature(
        place.store, read(place.image(1)), 2 * BLOCK_SIZE, place.folder / "their.signature"
    )

    assert not adopted


def test_a_delta_of_the_original_is_taken_in_when_it_proves_right(place: Place) -> None:
    delta = delta_of(place, 1, 2)

    adopted = adopt_delta(place.store, place.wanted(1, 2), delta)

    assert adopted is not None
    assert adopted.path.samefile(delta)
    assert adopted == read(place.wanted(1, 2).path(place.store))


@pytest.mark.parametrize("spoil", BREAKAGES)
def test_a_wrong_delta_is_not_taken_in(place: Place, spoil: Callable[[Path], None]) -> None:
    delta = delta_of(place, 1, 2)
    spoil(delta)

    assert adopt_delta(place.store, place.wanted(1, 2), delta) is None
    assert not files(place)


def test_no_delta_is_made_of_an_image_that_has_changed(place: Place) -> None:
    wanted = place.wanted(1, 2)
    sign(place.store, wanted.old, BLOCK_SIZE)
    image = place.image(2)
    image.write_bytes(image.read_bytes()[::-1])

    with pytest.raises(IncompleteError, match="was changed"):
        make_delta(place.store, wanted)

    assert not wanted.path(place.store).exists()


def test_no_signature_is_made_of_an_image_that_has_changed(place: Place) -> None:
    old = read(place.image(1))
    os.utime(place.image(1), ns=(0, 1))

    with pytest.raises(IncompleteError, match="was changed"):
        sign(place.store, old, BLOCK_SIZE)
    with pytest.raises(IncompleteError, match="was changed"):
        sign_piece(place.store, old, BLOCK_SIZE, 0, 1024)

    assert not files(place)


def test_another_librsync_on_a_worker_makes_nothing(place: Place) -> None:
    wanted = place.wanted(1, 2)
    sign(place.store, wanted.old, BLOCK_SIZE)
    store = replace(place.store, version="0.0.1")

    with pytest.raises(SurroundingsError, match=r"the run's of 0\.0\.1"):
        make_delta(store, wanted)


def test_an_image_that_is_gone_is_named(place: Place) -> None:
    wanted = place.wanted(1, 2)
    place.image(1).unlink()

    with pytest.raises(IncompleteError, match=r"/1\.img is not there any more"):
        sign(place.store, wanted.old, BLOCK_SIZE)
    with pytest.raises(IncompleteError, match=r"/1\.img is not there any more"):
        sign_piece(place.store, wanted.old, BLOCK_SIZE, 0, 1024)
