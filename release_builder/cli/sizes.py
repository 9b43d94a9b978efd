"""Amounts of bytes as users write them: ``800M``, ``4GiB``."""

from __future__ import annotations

from typing import Final

import click

from release_builder.descriptor.patterns import size
from release_builder.descriptor.refusal import RefusedError


class _Size(click.ParamType[int, object]):
    name = "size"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        try:
            return value if isinstance(value, int) else size(str(value))
        except RefusedError as error:
            self.fail(str(error), param, ctx)


SIZE: Final = _Size()
"""As in a descriptor."""
