"""Sums over windows: which of them are known."""

from __future__ import annotations

import sys

import pytest
from builders import noise

from release_builder.jigdo.rolling import WORD, KnownSums, uses_numpy, window_sum

WORDS = 127
WIDTH = WORDS * WORD


@pytest.fixture(params=[pytest.param(False, id="plain"), pytest.param(True, id="numpy")])
def numpy(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.mark.parametrize(
    "chunk",
    [
        pytest.param(noise(4000), id="noise"),
        pytest.param(b"\xff" * 4000, id="largest words"),
        pytest.param(noise(3001), id="half a word at the end"),
    ],
)
def test_the_sum_at_each_word_is_that_of_the_window_alone(numpy: bool, chunk: bytes) -> None:
    for place in range(0, len(chunk) - WIDTH + 1, WORD):
        known = KnownSums([window_sum(chunk[place : place + WIDTH])], WORDS, numpy=numpy)

        assert place in known.find(chunk)


def test_only_known_sums_are_found(numpy: bool) -> None:
    chunk = noise(20_000)
    wanted = [0, 8, 4096, 18_984]
    sums = [window_sum(chunk[place : place + WIDTH]) for place in wanted]
    # A sum that differs in its highest bit alone passes the first look, and no more.
    others = [window_sum(chunk[place : place + WIDTH]) ^ 1 << 63 for place in (16, 5000)]

    assert KnownSums([*sums, *others, *sums], WORDS, numpy=numpy).find(chunk) == wanted


@pytest.mark.parametrize("length", [0, 8, WIDTH - 1])
def test_what_is_shorter_than_a_window_has_none(numpy: bool, length: int) -> None:
    known = KnownSums([0], WORDS, numpy=numpy)

    assert known.find(bytes(length)) == []
    assert known.find(bytes(WIDTH)) == [0]


def test_nothing_is_found_when_nothing_is_known(numpy: bool) -> None:
    known = KnownSums([], WORDS, numpy=numpy)

    assert not known
    assert known.find(bytes(WIDTH)) == []


def test_without_numpy_the_sums_are_done_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    had_numpy = uses_numpy()
    monkeypatch.setitem(sys.modules, "numpy", None)

    known = KnownSums([0], WORDS)

    assert had_numpy
    assert not uses_numpy()
    assert known.find(bytes(WIDTH)) == [0]
