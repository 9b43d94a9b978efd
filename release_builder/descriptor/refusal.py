"""Why a value cannot be meant, and what to write instead."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class RefusedError(ValueError):
    """A value that a descriptor may not have.

    Attributes:
        what: What is wrong with it; it follows the name of the key and a colon.
        hint: What to write instead.
    """

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(f"{what}; {hint}")
        self.what = what
        self.hint = hint


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The one of ``known`` that ``word`` was most likely meant to be."""
    by_letters = {name.casefold(): name for name in known}
    begun = [name for letters, name in by_letters.items() if letters.startswith(word.casefold())]
    if word and begun:
        return begun[0]
    found = difflib.get_close_matches(word.casefold(), by_letters, n=1, cutoff=0.6)
    return by_letters[found[0]] if found else None


def suggestion(word: str, known: Iterable[str]) -> str:
    """``did you mean ...?`` where one of ``known`` is near, else all of them."""
    names = list(known)
    if found := nearest(word, names):
        return f"did you mean {found}?"
    return f"write {'one of ' if len(names) > 1 else ''}{', '.join(names)}"
