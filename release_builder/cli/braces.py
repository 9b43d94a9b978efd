"""Lists in braces, for URLs that no shell has expanded."""

from __future__ import annotations

import re
from typing import Final

from release_builder.errors import DescriptorError

_INNERMOST: Final = re.compile(r"\{([^{}]*,[^{}]*)\}")
_MOST: Final = 1000  # words


def expand_braces(text: str) -> list[str]:
    """``cd-{1,2}.jigdo`` as ``cd-1.jigdo`` and ``cd-2.jigdo``, the first list varying slowest.

    Lists may have lists in them. Braces without a comma between them stay as they are. A word
    comes once, however often the lists say it.

    Raises:
        DescriptorError: That would be more than 1,000 words.
    """
    words = [text]
    while any(_INNERMOST.search(word) for word in words):
        # Once: the innermost list is taken first, and those around it are then there twice.
        words = list(dict.fromkeys(each for word in words for each in _expanded(word)))
        if len(words) > _MOST:
            raise DescriptorError(f"{text[:80]} stands for more than {_MOST:,} names")
    return words


def _expanded(word: str) -> list[str]:
    found = _INNERMOST.search(word)
    if not found:
        return [word]
    before, after = word[: found.start()], word[found.end() :]
    return [before + choice + after for choice in found[1].split(",")]
