"""The installed command with a fault at any of its system calls: see tests/faulting.

Another seed or more points: FAULT_SEED, FAULT_POINTS. Thousands, and one alone, from tests/:
``python -m faulting --points 3000``, ``python -m faulting --replay NAME``.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

import pytest
from faulting.campaign import Tally, campaign, chunk, shares, staged
from faulting.faults import Point
from faulting.trial import stage
from faulting.world import World
from faulting.worlds import all_worlds

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from faulting.world import Services

pytestmark = pytest.mark.interop

SEED: Final = os.environ.get("FAULT_SEED", "1")
POINTS: Final = int(os.environ.get("FAULT_POINTS", "300"))
SIZE: Final = 25  # points of an item

# What a program may get wrong, and one that gets it right.
IN_PLACE: Final = "open('final', 'w').write('new' * 9)"
RIGHT: Final = """
import os
with open('.final.new', 'w') as out:
    out.write('new' * 9)
    out.flush()
    os.fsync(out.fileno())
os.replace('.final.new', 'final')
"""
LEAVES: Final = RIGHT.replace("'.final.new'", "f'.final.{os.getpid()}'")
SILENT: Final = f"try:\n    exec({RIGHT!r})\nexcept OSError:\n    pass"
FOR_EVER: Final = f"import time\ntry:\n    exec({RIGHT!r})\nexcept OSError:\n    time.sleep(60)"
BY_THE_CLOCK: Final = RIGHT.replace("'new' * 9", "str(__import__('time').time() // 86_400)")


def chunks() -> list[object]:
    """World, count and seed of each item: xdist spreads them."""
    return [
        pytest.param(name, min(SIZE, share - start), f"{SEED}/{start}", id=f"{name}-{start}")
        for name, share in shares(list(all_worlds()), POINTS).items()
        for start in range(0, share, SIZE)
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("world", "kind", "path", "fault"),
    [
        pytest.param(
            "build", "truncate", "*/Packages/.*", "mirror-stalls", id="rsync waited for ever"
        ),
        pytest.param("build", "create", "*/.vmlinuz.*", "emfile", id="the mirror was said to fail"),
        pytest.param(
            "build-next",
            "mkdir",
            "*/tree/iso/x86_64/.~tmp~",
            "enospc",
            id="an old file, and status 0",
        ),
        pytest.param(
            "images-push", "unlink", "*/served/*.img", "kill-one", id="half of rsync went on"
        ),
        pytest.param(
            "publish-first",
            "open",
            "*/public/index.json",
            "emfile",
            id="what was not there no file",
        ),
        pytest.param("pair", "list", "*/isolinux", "emfile", id="a folder unread, and status 0"),
        pytest.param(
            "pair", "open", "*/demo-backup-*.rpm", "eio", id="a file unread, and status 0"
        ),
    ],
)
def test_what_went_wrong_once_goes_well(world: str, kind: str, path: str, fault: str) -> None:
    with staged(all_worlds()[world]) as ready:
        at = ready.first(kind, path)
        verdict = ready.tryout(Point(world, kind, at, fault))

    assert verdict.injected
    assert not verdict.troubles, str(verdict)


@pytest.mark.slow
@pytest.mark.parametrize(("world", "count", "seed"), chunks())
def test_whatever_happens_it_never_lies_and_the_next_run_completes(
    world: str, count: int, seed: str
) -> None:
    tally = Tally()

    for verdict in chunk(world, count, seed):
        tally.add(verdict)

    print(f"FAULT_SEED={SEED}\n{tally.table()}")  # noqa: T201 (shown when it fails)
    assert not tally.failures, "\n".join(tally.failures)
    assert tally.injected.total() > count // 2


def test_a_world_that_breaks_is_told_and_the_others_go_on() -> None:
    tally = Tally()

    for verdict in campaign(["nowhere", "neither"], 2, seed=1, jobs=1):
        tally.add(verdict)

    assert [each.partition(":")[0] for each in tally.failures] == ["nowhere", "neither"]
    assert all("KeyError" in each for each in tally.failures)


def wrong_world(program: str, tmp_path: Path) -> tuple[World, tuple[str, ...]]:
    """A program of ours that has one file to make, and the command that runs it."""

    def prepare(folder: Path, _services: Services) -> None:
        (folder / "final").write_text("old")

    def finals(folder: Path) -> Mapping[str, tuple[Path, ...]]:
        return {"final": (folder / "final",)}

    script = tmp_path / "program.py"
    script.write_text(program)
    argv = (sys.executable, "-I", "-B", str(script))
    return World("wrong", (), prepare, finals, bound=5), argv


@pytest.mark.parametrize(
    ("program", "point", "words"),
    [
        pytest.param(IN_PLACE, "write:1:kill", "neither old nor new", id="written in place"),
        pytest.param(IN_PLACE, "create:1:eio", "a traceback", id="a traceback"),
        pytest.param(LEAVES, "write:1:kill", "absent became", id="names that nobody knows"),
        pytest.param(SILENT, "sync:1:eio", "done, but", id="silence"),
        pytest.param(FOR_EVER, "sync:1:eio", "too long", id="no end"),
        pytest.param(BY_THE_CLOCK, "create:1:clock-on", "neither old nor new", id="the clock"),
    ],
)
def test_a_program_that_is_wrong_is_caught(
    program: str, point: str, words: str, tmp_path: Path
) -> None:
    world, argv = wrong_world(program, tmp_path)
    (tmp_path / "stage").mkdir()
    with stage(world, tmp_path / "stage", argv) as ready:
        verdict = ready.tryout(Point.parse(f"wrong:{point}"))

    assert verdict.injected
    assert words in str(verdict)


def test_a_program_that_is_right_survives(tmp_path: Path) -> None:
    world, argv = wrong_world(RIGHT, tmp_path)
    (tmp_path / "stage").mkdir()
    with stage(world, tmp_path / "stage", argv) as ready:
        verdicts = [
            ready.tryout(Point("wrong", "rename", 1, each)) for each in ("kill", "clock-on")
        ]

    assert [each.troubles for each in verdicts] == [(), ()]
