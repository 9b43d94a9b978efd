from __future__ import annotations

import random

import pytest
from builders import run

from release_builder.media.rpm_version import Evr, compare

CHARACTERS = "0019aAbZ.~^_+"
IN_ONE_CALL = 2000


def by_rpm(pairs: list[tuple[str, str]]) -> list[int]:
    """What the real rpm says of each pair."""
    calls = " ".join(f'print(rpm.vercmp("{one}","{other}").." ")' for one, other in pairs)
    return [int(word) for word in run("rpm", "--eval", f"%{{lua:{calls}}}").split()]


def version(noise: random.Random) -> str:
    """A version that is often like another one."""
    return "1" + "".join(noise.choices(CHARACTERS, k=noise.randint(0, 6)))


@pytest.mark.interop
@pytest.mark.parametrize("seed", range(3))
def test_versions_compare_as_in_rpm(seed: int) -> None:
    noise = random.Random(seed)
    pairs = [(version(noise), version(noise)) for _ in range(IN_ONE_CALL)]

    theirs = by_rpm(pairs)

    ours = [compare(one, other) for one, other in pairs]
    assert list(zip(pairs, ours, strict=True)) == list(zip(pairs, theirs, strict=True))


@pytest.mark.interop
def test_epoch_version_and_release_compare_as_in_rpm() -> None:
    noise = random.Random("evr")
    rows = [
        tuple(Evr(noise.randint(0, 1), version(noise), version(noise)) for _ in range(2))
        for _ in range(IN_ONE_CALL)
    ]

    theirs = by_rpm([(str(one), str(other)) for one, other in rows])

    assert [(one > other) - (one < other) for one, other in rows] == theirs
