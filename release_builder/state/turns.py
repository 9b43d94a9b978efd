"""Whose turn it is to refresh: one at a time, and a trigger that came meanwhile is not lost."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.errors import BusyError, surroundings
from release_builder.state.lock import hold

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER: Final = "refresh"
_READABLE: Final = 40  # characters of a descriptor's name that its lock's name shows
_STATE: Final = "RELEASE_BUILDER_STATE names another folder"


class Turn:
    """The right to refresh what a descriptor describes.

    Args:
        mark: The file that says that somebody else wanted it meanwhile.
    """

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def wanted_again(self) -> bool:
        """Whether somebody came while it was taken; asked twice, it is so only once."""
        try:
            self._mark.unlink()
        except FileNotFoundError:
            return False
        return True


@contextlib.contextmanager
def take_turn(folder: Path, descriptor: Path) -> Iterator[Turn]:
    """Hold the turn for ``descriptor`` while the block runs.

    Args:
        folder: The state folder.
        descriptor: Path of the descriptor's file.

    Raises:
        BusyError: Another process has it. That one was told to go over it again.
        SurroundingsError: The folder cannot be used.
    """
    own = turn_lock(folder, descriptor)
    mark = own.with_suffix(".again")
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(hold(own, elsewhere=_STATE))
        except BusyError:
            try:
                mark.touch()
            except OSError as error:
                raise surroundings(error) from error
            # It may have ended just before it could see the mark.
            held.enter_context(hold(own))
            mark.unlink(missing_ok=True)
        yield Turn(mark)


def turn_lock(folder: Path, descriptor: Path) -> Path:
    """The lock of the turn for ``descriptor``, below the state folder ``folder``."""
    whole = os.path.realpath(descriptor)
    digest = hashlib.sha256(os.fsencode(whole)).hexdigest()[:12]
    return folder / FOLDER / f"{Path(whole).stem[:_READABLE]}-{digest}.lock"
