"""The programs of today and ours that the table of hostile inputs is about, and how they are run."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hostile_cases import NAME

if TYPE_CHECKING:
    from collections.abc import Callable

    from hostile_cases import Case

TREE: Final = "tree/smeos/x86_64"  # where the parts are, below the folder of a run
_PATIENCE: Final = 4.0  # seconds for a program of today; all of these are done in a tenth
_OUR_PATIENCE: Final = 60.0  # seconds, on a machine that is busy
_TEMPLATE: Final = ("-t", "t.template")


@dataclass(frozen=True, slots=True)
class Program:
    """A program and the way it is run.

    Attributes:
        name: For the table.
        argv: Its command line, in the folder of the run.
        image: What it is to make there; empty if it makes none.
        is_ours: Whether the project answers for it.
        suits: Whether a case says anything about it.
    """

    name: str
    argv: tuple[str, ...]
    image: str
    is_ours: bool
    suits: Callable[[Case], bool]

    @property
    def patience(self) -> float:
        """Seconds that a run may take."""
        return _OUR_PATIENCE if self.is_ours else _PATIENCE


def _ours(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


_WHOLE: Final = _ours("release-builder")
_LISTING: Final = ("print-missing-all", *_TEMPLATE, "-j", f"{NAME}.jigdo", "-i", "new.iso")
_MAKING: Final = ("make-image", *_TEMPLATE, "-i", "new.iso", "tree")
_JIGIT: Final = (
    *("jigit-mkimage", *_TEMPLATE, "-j", f"{NAME}.jigdo", "-m", f"Any={TREE}", "-o", "new.iso"),
)
_LITE: Final = ("--noask", "--scan", "tree", f"{NAME}.jigdo")
_FETCH: Final = ("jigdo", "fetch", "--timeout", "2", "--retries", "0", "--scan", "tree")
_TODAY_LISTS: Final = "jigdo-file print-missing-all"


def _makes(case: Case) -> bool:
    return not case.lists and case.row != 13


def _lists(case: Case) -> bool:
    return case.lists


def _fetches(case: Case) -> bool:
    # A broken description is refused by the reader that all of ours have in common.
    return case.row in {0, 2, 4, 7, 8, 9, 10, 11, 12} and case.times == 1


def _builds(case: Case) -> bool:
    return case.row not in {9, 10, 13} and case.times == 1


def _asks(case: Case) -> bool:
    return not case.options


def _acts_like_lite(case: Case) -> bool:
    return case.row in {0, 8, 12, 13} and not case.options


def _is_read_by_jigit(case: Case) -> bool:
    return case.row in {0, 1, 2, 3, 4, 6}


PROGRAMS: Final = (
    Program("jigdo-file make-image", ("jigdo-file", *_MAKING), "new.iso", False, _makes),
    Program(_TODAY_LISTS, ("jigdo-file", *_LISTING), "", False, _lists),
    Program("jigit-mkimage", _JIGIT, "new.iso", False, _is_read_by_jigit),
    Program("jigdo-lite", ("jigdo-lite", *_LITE), f"{NAME}.iso", False, _asks),
    Program("make-image", (_WHOLE, "jigdo", *_MAKING), "new.iso", True, _makes),
    Program("print-missing-all", (_WHOLE, "jigdo", *_LISTING), "", True, _lists),
    Program("fetch", (_WHOLE, *_FETCH, f"{NAME}.jigdo"), f"{NAME}.iso", True, _fetches),
    Program(
        "build", (_WHOLE, "build", "--offline", "any.yaml"), f"image/{NAME}.iso", True, _builds
    ),
    Program(
        "jigdo-lite", (_ours("release-builder-jigdo-lite"), *_LITE), f"{NAME}.iso", True,
        _acts_like_lite,
    ),
)  # fmt: skip
