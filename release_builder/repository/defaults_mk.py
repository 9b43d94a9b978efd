"""``defaults.mk``: the variables of puavo-os' Makefile that a run of its generator sets.

Source: puavo-os, ``Makefile`` (its names), and the wrapper ``puavo-image-repository``, which
writes the file anew for each distribution. It is read as data: nothing is expanded.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from release_builder.errors import DescriptorError, printable

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES: Final = ("image_dir", "images_urlbase", "mirror_dir", "debootstrap_suite")

_LINE: Final = re.compile(r"\s*(?P<name>[A-Za-z_]\w*)\s*(?::{0,3}|\?)=\s*(?P<value>.*)")
_COMMENT: Final = re.compile(r"(?<!\\)#.*")


def parse_defaults(text: str, where: str) -> dict[str, str]:
    """The variables among ``NAMES`` that the text sets; the last setting of each counts.

    Raises:
        DescriptorError: One of them refers to another variable, which only make can expand.
    """
    values = {}
    for number, line in enumerate(text.splitlines(), 1):
        found = _LINE.fullmatch(_COMMENT.sub("", line))
        if found is None or found["name"] not in NAMES:
            continue
        value = found["value"].rstrip().replace("$$", "\0")
        if "$" in value:
            raise DescriptorError(
                f"{printable(where)}:{number}: {found['name']} refers to another variable",
                hint="write the value itself, or give it on the command line",
            )
        values[found["name"]] = value.replace("\0", "$").replace(r"\#", "#")
    return values


def format_defaults(values: Mapping[str, str]) -> str:
    """The text that sets ``values``; the inverse of ``parse_defaults``.

    Raises:
        DescriptorError: A value cannot stand in a line of a Makefile.
    """
    return "".join(
        f"   {name:<24}:= {_quoted(name, values[name])}\n" for name in NAMES if name in values
    )


def _quoted(name: str, value: str) -> str:
    if value != value.strip() or not value.isprintable() or value.endswith("\\"):
        raise DescriptorError(
            f"{name}: '{printable(value)}' cannot stand in defaults.mk",
            hint="it may neither begin nor end with a blank, nor have control characters",
        )
    return value.replace("$", "$$").replace("#", r"\#")
