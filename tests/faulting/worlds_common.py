"""What several worlds start from: small releases, and the program that sets a world up."""

from __future__ import annotations

import atexit
import functools
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from program import release_builder

from release_builder.demo.recipe import Recipe
from release_builder.demo.release import Release, make_release

if TYPE_CHECKING:
    from collections.abc import Mapping

EPOCH: Final = 1_600_000_000  # what SOURCE_DATE_EPOCH says: pages tell no other time
ENVIRONMENT: Final[Mapping[str, str]] = {"SOURCE_DATE_EPOCH": str(EPOCH)}
# Who held a lock last, and when; what only this machine's own clock and inodes tell.
VOLATILE: Final = ("state/*", "home/*", "*.lock", "*/lock", "*/journal", "*/orphans.json")
_PAST: Final = "20010101T0000{:02}Z"  # no clock of a trial goes that far back
_MOMENT: Final = re.compile(r"(?<!\d)(?!2001)\d{8}T\d{6}Z")


@functools.cache
def small_release(version: str = "9.0beta3", day: int = 0) -> Release:
    """A release of 4 packages, below 1 MB; to be read only.

    Args:
        version: A beta's.
        day: When it was made; another day gives other bytes under the same names.
    """
    folder = Path(tempfile.mkdtemp(prefix="release-builder-world."))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    epoch = Recipe().epoch + day * 86_400
    return make_release(folder, Recipe(version, packages=4, largest=32 << 10, epoch=epoch))


def carry_out(folder: Path, *arguments: str) -> None:
    """Run release-builder in a world, as its trials do; it has to end well."""
    for name in ("home", "state"):
        (folder / name).mkdir(exist_ok=True)
    own = {"HOME": str(folder / "home"), "RELEASE_BUILDER_STATE": str(folder / "state")}
    ended = release_builder(*arguments, cwd=folder, env={**os.environ, **own, **ENVIRONMENT})
    assert ended.status == 0, (arguments, ended)


def without_clock(path: str) -> str:
    """``path`` with MOMENT in the place of what the clock said in a trial."""
    return _MOMENT.sub("MOMENT", path)


def put_back_in_time(public: Path, store: Path) -> None:
    """Name the generations in ``store`` by moments long ago, always the same.

    Args:
        public: The link to the newest.
        store: The hidden folder that it leads into.
    """
    names = sorted(path.name for path in store.iterdir() if _MOMENT.fullmatch(path.name))
    current = public.readlink()
    for number, name in enumerate(names):
        old = _PAST.format(number)
        (store / name).rename(store / old)
        seconds = 978_307_200 + number  # 2001-01-01
        os.utime(store / old, (seconds, seconds))
        if name == current.name:
            public.unlink()
            public.symlink_to(current.with_name(old))
