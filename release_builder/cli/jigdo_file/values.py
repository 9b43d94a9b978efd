"""Values of options: sizes, times, labels, names of files."""

from __future__ import annotations

import re
from typing import Final

from release_builder.cli.jigdo_file.options import UsageError
from release_builder.errors import printable

_SIZE: Final = re.compile(r"([0-9]{1,15})([kKmMgG]?)")
_UNITS: Final = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}  # bytes
_AGE: Final = re.compile(r"([0-9]{1,15})([hdwmyHDWMY]?)")
_SPANS: Final = {
    "": 1,
    "h": 3600,
    "d": 86_400,
    "w": 7 * 86_400,
    "m": 30 * 86_400,
    "y": 365 * 86_400,
}
_EXTENSIONS: Final = {"image": "", "jigdo": ".jigdo", "template": ".template"}


def size(option: str, text: str) -> int:
    """The bytes that ``text`` means, such as 128k."""
    found = _SIZE.fullmatch(text)
    if not found:
        raise UsageError(
            f"--{option}={printable(text)}: no number of bytes",
            hint="write it as 4096, 4k, 1M or 1G",
        )
    return int(found[1]) * _UNITS[found[2].lower()]


def days(option: str, text: str) -> int | None:
    """The days, rounded up, that ``text`` means, such as 36h; None for ever."""
    found = _AGE.fullmatch(text)
    if text == "off":
        return None
    if not found:
        raise UsageError(
            f"--{option}={printable(text)}: no time",
            hint="write it in seconds, or as 36h, 30d, 4w, 6m, 1y; off keeps all for ever",
        )
    return -(-int(found[1]) * _SPANS[found[2].lower()] // 86_400) or None


def choice(option: str, text: str, allowed: tuple[str, ...]) -> str:
    """``text``, if it is one of ``allowed``."""
    if text not in allowed:
        raise UsageError(
            f"--{option}={printable(text)}: no such {option.rpartition('-')[2]}",
            hint=f"choose {', '.join(allowed[:-1])} or {allowed[-1]}",
        )
    return text


def labelled(option: str, text: str) -> tuple[str, str]:
    """Label and value of ``Label=value``."""
    label, equals, value = text.partition("=")
    if not equals or not label:
        example = "Label=/path" if option == "label" else "Label=http://server.example/"
        raise UsageError(
            f"--{option} {printable(text)}: no label", hint=f"write --{option} {example}"
        )
    return label, value


def deduced(image: str, jigdo: str, template: str) -> tuple[str, str, str]:
    """The three names, those that are empty made from the others by another extension.

    As in jigdo-file: the first that is given counts, ``-`` tells nothing, and no name is taken
    for two files.
    """
    names = {"image": image, "jigdo": jigdo, "template": template}
    given = [name for name in names.values() if name and name != "-"]
    if given:
        folder, slash, leaf = given[0].rpartition("/")
        stem = leaf.rpartition(".")[0] if "." in leaf else leaf
        for kind, extension in _EXTENSIONS.items():
            name = folder + slash + stem + extension
            if stem and not names[kind] and name not in given:
                names[kind] = name
    return names["image"], names["jigdo"], names["template"]
