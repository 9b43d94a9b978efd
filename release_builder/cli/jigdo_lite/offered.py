"""The images that a .jigdo file offers, as jigdo-lite's menu has them."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from release_builder.jigdo.syntax import read_lines, split_words, unpack

if TYPE_CHECKING:
    from release_builder.jigdo.syntax import Line

_MOST: Final = 100  # more are no menu
_LONGEST: Final = 5000  # characters of an Info, as jigdo's documentation has it
_MARKUP: Final = re.compile(r"<[a-z/][^<>]*>")


@dataclass(frozen=True, slots=True)
class Offered:
    """One [Image] section.

    Attributes:
        name: Of the image; empty when not given.
        title: The ShortInfo; empty when not given.
        info: The Info without its markup; empty when not given.
    """

    name: str = ""
    title: str = ""
    info: str = ""

    def __str__(self) -> str:
        return (
            f"{self.title} ({self.name})" if self.title and self.name else self.title or self.name
        )


def offered_images(content: bytes, name: str) -> list[Offered]:
    """The first 100 images that a .jigdo file offers, in its order.

    Args:
        content: The file, packed or not.
        name: For messages.

    Raises:
        WrongBytesError: It is no .jigdo file.
    """
    images: list[Offered] = []
    for line in read_lines(unpack(content, name), name):
        if line.section != "Image":
            continue
        if line.opens and len(images) == _MOST:
            break
        if line.opens:
            images.append(Offered())
        elif line.key:
            images[-1] = _with(images[-1], line)
    return images


def _with(image: Offered, line: Line) -> Offered:
    if line.key == "Filename" and not image.name:
        words, _ = split_words(line.text, line.value_at)
        return replace(image, name=words[0].text if words else "")
    text = line.text[line.value_at :].strip()[:_LONGEST]  # quotes are just that
    if line.key == "ShortInfo" and not image.title:
        return replace(image, title=text)
    if line.key == "Info" and not image.info:
        return replace(image, info=" ".join(html.unescape(_MARKUP.sub(" ", text)).split()))
    return image
