"""Spans of time as users write them: ``90m``, ``26h``, ``2d``."""

from __future__ import annotations

import re
from typing import Final

import click

from release_builder.descriptor.refusal import RefusedError
from release_builder.spans import span

__all__ = ["DURATION", "duration", "span"]

_HOUR: Final = 3600
_SECONDS: Final = (7 * 24 * _HOUR, 24 * _HOUR, _HOUR, 60, 1)
_NUMBER: Final = r"([0-9]{1,9}(?:\.[0-9]{1,9})?)"
_SPAN: Final = re.compile(
    "".join(rf"(?:{_NUMBER}{unit})?" for unit in ("w", "d", "h", "m(?:in)?", "s"))
)
_PLAIN: Final = re.compile(_NUMBER)
_LONGEST: Final = 3650 * 24 * _HOUR
_USAGE: Final = "write such as 90m, 26h or 2d"


def duration(text: str) -> float:
    """The seconds that ``text`` means: numbers with w, d, h, m or s behind, such as ``1d12h``.

    A single number without a letter is of seconds; so is ``0``. Ten years are the most.

    Raises:
        RefusedError: It is no span of time.
    """
    words = "".join(text.lower().split())
    if plain := _PLAIN.fullmatch(words):
        seconds = float(plain[1])
    elif words and (found := _SPAN.fullmatch(words)):
        pieces = zip(found.groups(default="0"), _SECONDS, strict=True)
        seconds = sum(float(number) * unit for number, unit in pieces)
    else:
        raise RefusedError(f"'{text}' is no span of time", _USAGE)
    if seconds > _LONGEST:
        raise RefusedError(f"'{text}' is more than ten years", _USAGE)
    return seconds


class _Duration(click.ParamType[float, object]):
    name = "duration"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        try:
            return value if isinstance(value, float) else duration(str(value))
        except RefusedError as error:
            self.fail(str(error), param, ctx)


DURATION: Final = _Duration()
