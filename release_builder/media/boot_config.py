"""What boot menus name: the volume that they start from, and the files that isolinux loads.

Source: the manual of SYSLINUX, "Configuration"; dracut.cmdline(7) and Anaconda's boot options;
isolinux.cfg and grub.cfg of Enterprise Linux 5 to 9.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_BYTES: Final = 1 << 20  # of a menu

_LABEL: Final = re.compile(r"(?:CD)?LABEL=([^\s:\"']+)")
# A kickstart or a driver disk may well lie on another volume.
_ELSEWHERE: Final = re.compile(r"(?:inst\.)?(?:ks|dd|updates)=")
_SEARCHED: Final = re.compile(
    r"^\s*search\s.*(?:\s-l\s+|--label\s+|--fs-label\s+)('[^']*'|\"[^\"]*\"|\S+)"
)
_ESCAPED: Final = re.compile(r"\\x([0-9A-Fa-f]{2})")
_LOADED: Final = frozenset({"kernel", "linux", "com32"})


@dataclass(frozen=True, slots=True)
class Named:
    """Something that a menu names.

    Attributes:
        line: Where, from 1.
        text: The volume's label, or the file's path.
    """

    line: int
    text: str


def find_labels(content: bytes) -> tuple[Named, ...]:
    r"""The labels of the volumes that a menu starts from; ``\x20`` in them is a blank.

    They stand after ``LABEL=`` or ``CDLABEL=`` in a kernel's options, and in GRUB's ``search``.
    """
    return tuple(named for number, line in _lines(content) for named in _labels(number, line))


def find_loaded(content: bytes) -> tuple[Named, ...]:
    """The files that an isolinux.cfg loads: kernels, initrds, modules.

    A path is relative to the folder of isolinux.cfg, or begins with a slash at the image's root.
    """
    return tuple(
        Named(number, path)
        for number, line in _lines(content)
        for path in _loaded(*_keyword(line))
        if path
    )


def _lines(content: bytes) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(content.decode("utf-8", "surrogateescape").splitlines(), 1):
        if not line.lstrip().startswith("#"):
            yield number, line


def _labels(number: int, line: str) -> Iterator[Named]:
    for word in line.split():
        if not _ELSEWHERE.match(word):
            yield from (Named(number, _unescaped(text)) for text in _LABEL.findall(word))
    if found := _SEARCHED.match(line):
        yield Named(number, _unescaped(found[1].strip("'\"")))


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def _keyword(line: str) -> tuple[str, list[str]]:
    first, *words = line.split() or [""]
    return first.lower(), words


def _loaded(keyword: str, words: list[str]) -> Iterator[str]:
    if keyword in _LOADED:
        yield from words[:1]
    elif keyword == "initrd":
        yield from ",".join(words[:1]).split(",")
    elif keyword == "append":
        for word in words:
            if word.startswith("initrd="):
                yield from word.removeprefix("initrd=").split(",")
