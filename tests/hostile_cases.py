"""What means harm, class by class: the pairs, trees and homes that the table tries on programs.

The rows are those of the list of hostile inputs that SECURITY.md shows as a table.
"""

from __future__ import annotations

import gzip
import os
import zlib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from builders import noise
from hostile import (
    BOMB,
    DATA,
    GAP,
    HEADER,
    IMAGE,
    ONE,
    TWO,
    data,
    desc,
    image_entry,
    md5,
    part_entry,
    u48,
    unmatched,
)

from release_builder.jigdo.entries import parse_description
from release_builder.jigdo.rsync_sum import rsync_sum
from release_builder.jigdo.unfinished import format_unfinished

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NAME: Final = "smeserver-1.0-x86_64"
SERVER: Final = "http://server.invalid/"  # stands for the address of the server of a run
PLACE: Final = "/place/of/all"  # stands for the folder around the one that a program works in
BLOCK: Final = 1024  # bytes of a part that its rsync sum is of, in the templates here


def part(content: bytes, kind: int = 6, length: int | None = None) -> bytes:
    """The entry of a part with its right rsync sum, without which jigdo-file takes no file."""
    plain = part_entry(content, kind, length)
    return plain if kind == 3 else plain[:7] + rsync_sum(content[:BLOCK]) + plain[15:]


RUNS = (unmatched(1000), part(ONE), unmatched(2000), part(TWO), part(ONE))
DESC = desc(*RUNS, image_entry())
TEMPLATE = HEADER + DATA + DESC
SECTIONS = (
    f"# JigsawDownload\n\n[Jigdo]\nVersion=1.1\n[Image]\nFilename={NAME}.iso\nTemplate=t.template\n"
)
SERVERS = f"[Servers]\nAny={SERVER}\n"


def parts_of(one: str = "Any:one") -> str:
    return f"[Parts]\n{md5(ONE).jigdo}={one}\n{md5(TWO).jigdo}=Any:two\n"


JIGDO = SECTIONS + SERVERS + parts_of()


def _nothing(_work: Path, _image: Path) -> None:
    """All is as it should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A hostile input.

    Attributes:
        row: Of the list.
        what: It, in a few words.
        template: Of the pair.
        jigdo: Of the pair; SERVER and PLACE are put right for each run.
        image: What the pair describes; None if nothing is right.
        refused: What is wanted of us: True, that we make nothing; False, the image; None, either.
        part: The bytes of the part called "one" in the tree; None if it is not there.
        lay: Puts more into the folder of the run, told where the program makes its image.
        lists: The .jigdo alone is at stake, which print-missing-all reads and make-image does not.
        times: How often the program runs, its image removed after each run but the last.
        options: More of them for commands of jigdo-file.
        settings: Lines of ~/.jigdo-lite.
    """

    row: int
    what: str
    template: bytes = TEMPLATE
    jigdo: bytes = JIGDO.encode()
    image: bytes | None = IMAGE
    refused: bool | None = False
    part: bytes | None = ONE
    lay: Callable[[Path, Path], None] = _nothing
    lists: bool = False
    times: int = 1
    options: tuple[str, ...] = ()
    settings: str = ""

    @property
    def name(self) -> str:
        """Row and words."""
        return f"{self.row}: {self.what}"


CONTROL: Final = Case(row=0, what="nothing is wrong")


def _bad(row: int, what: str, template: bytes) -> Case:
    return Case(row=row, what=what, template=template, image=None, refused=True)


def _stray(what: str, location: str, servers: str = SERVERS) -> Case:
    jigdo = SECTIONS + servers + parts_of(location)
    return Case(row=7, what=what, jigdo=jigdo.encode(), refused=True, part=None)


def _named(what: str, name: str) -> Case:
    jigdo = JIGDO.replace(f"{NAME}.iso", name)
    return Case(row=8, what=what, jigdo=jigdo.encode(), refused=None)


def _labels(what: str, servers: str) -> Case:
    jigdo = f"{SECTIONS}[Servers]\n{servers}{parts_of()}"
    return Case(row=9, what=what, jigdo=jigdo.encode(), refused=None, lists=True)


def _text(what: str, jigdo: bytes, *, row: int = 10, refused: bool | None = False) -> Case:
    image = None if refused and row == 11 else IMAGE
    return Case(row=row, what=what, jigdo=jigdo, refused=refused, lists=True, image=image)


def _lying(what: str, lay: Callable[[Path, Path], None], *, refused: bool | None = False) -> Case:
    return Case(row=12, what=what, lay=lay, refused=refused)


def _fifo(work: Path, _image: Path) -> None:
    os.mkfifo(work / "tree/smeos/x86_64/fifo")


def _zeros(work: Path, _image: Path) -> None:
    (work / "tree/smeos/x86_64/zeros").symlink_to("/dev/zero")


def _template_above(work: Path, _image: Path) -> None:
    for folder in (work, work / "tree/iso/x86_64"):
        (folder / "t.template").rename(folder.parent / "t.template")


def _image_there(content: bytes, _work: Path, image: Path) -> None:
    image.parent.mkdir(exist_ok=True)
    image.write_bytes(content)


def _unfinished_there(content: bytes, _work: Path, image: Path) -> None:
    image.parent.mkdir(exist_ok=True)
    for suffix in (".tmp", ".partial"):
        image.with_name(image.name + suffix).write_bytes(content)


def _unfinished_link(work: Path, image: Path) -> None:
    image.parent.mkdir(exist_ok=True)
    (work.parent / "victim").write_bytes(_EMPTY)
    for suffix in (".tmp", ".partial"):
        image.with_name(image.name + suffix).symlink_to(work.parent / "victim")


_LIE: Final = bytes(len(IMAGE)) + format_unfinished(parse_description(DESC), (1, 3, 4))
_EMPTY: Final = bytes(len(IMAGE)) + format_unfinished(parse_description(DESC), ())
_LOOP: Final = "Any=B:\nB=Any:\n"
_CHAIN: Final = "Any=L0:\n" + "".join(f"L{i}=L{i + 1}:\n" for i in range(60_000))
_DOUBLING: Final = "Any=L0:\n" + "".join(f"L{i}=L{i + 1}:a\nL{i}=L{i + 1}:b\n" for i in range(25))
_OTHER_DESC: Final = DATA + b"DESC" + u48(99) + DESC[10:]

CASES: Final = (
    _bad(1, "DESC cut by 1 byte", TEMPLATE[:-1]),
    _bad(1, "DESC cut by 40 bytes", TEMPLATE[:-40]),
    _bad(1, "template empty", b""),
    _bad(1, "template of a header only", HEADER),
    _bad(1, "trailing length 2^47", TEMPLATE[:-6] + u48(1 << 47)),
    _bad(1, "trailing length 20", TEMPLATE[:-6] + u48(20)),
    _bad(1, "leading length unlike the trailing", HEADER + _OTHER_DESC),
    _bad(2, "DATA claims 10 bytes", HEADER + data(zlib.compress(GAP), 10) + DESC),
    _bad(2, "DATA claims 2^47 bytes", HEADER + data(zlib.compress(GAP), 1 << 47) + DESC),
    _bad(2, "bomb: 300 MB of zeros", HEADER + data(BOMB, len(GAP)) + DESC),
    _bad(2, "DATA of length 0", HEADER + b"DATA" + u48(0) + u48(len(GAP)) + DESC),
    _bad(2, "broken zlib stream", HEADER + data(b"x" * 99, len(GAP)) + DESC),
    _bad(2, "data shorter than its runs", HEADER + data(zlib.compress(GAP[:99]), 99) + DESC),
    _bad(2, "data longer than its runs", HEADER + data(zlib.compress(GAP * 2), 6000) + DESC),
    _bad(3, "image length unlike the sum", HEADER + DATA + desc(*RUNS, image_entry(length=1))),
    _bad(3, "image entry missing", HEADER + DATA + desc(*RUNS)),
    _bad(3, "image entry first", HEADER + DATA + desc(image_entry(), *RUNS)),
    _bad(
        4, "wrong digest of the image", HEADER + DATA + desc(*RUNS, image_entry(b"", length=15000))
    ),
    _bad(
        4,
        "file longer than the template says",
        HEADER + DATA + desc(*RUNS[:4], part(ONE, length=4999), image_entry(length=14_999)),
    ),
    _bad(4, "two image entries", HEADER + DATA + desc(*RUNS, image_entry(), image_entry())),
    _bad(
        5,
        "unmatched run of 1 TiB",
        HEADER + DATA + desc(unmatched(1 << 40), image_entry(length=1 << 40)),
    ),
    _bad(
        5,
        "65,537 runs of 2^48 - 1 bytes",
        HEADER + DATA + desc(*[unmatched((1 << 48) - 1)] * 65537, image_entry(length=65535)),
    ),
    _bad(6, "entry of type 7", HEADER + DATA + desc(*RUNS[:4], part(ONE, 7), image_entry())),
    _bad(6, "entry of type 11", HEADER + DATA + desc(*RUNS[:4], part(ONE, 11), image_entry())),
    Case(
        row=6,
        what="entries of types 1 and 3",
        template=HEADER + DATA + desc(unmatched(3000), part(ONE, 3), image_entry(GAP + ONE, 1)),
        image=GAP + ONE,
    ),
    _bad(6, "block length 0", HEADER + DATA + desc(*RUNS, image_entry(block=0))),
    _stray("part Any:../../../../secret", "Any:../../../../secret"),
    _stray("part /…/secret", f"{PLACE}/secret"),
    _stray("part file:///…/secret", f"file://{PLACE}/secret"),
    _stray("server file:/…/", "Any:secret", f"[Servers]\nAny=file:{PLACE}/\n"),
    Case(row=7, what="FIFO among the files", lay=_fifo),
    Case(row=7, what="link to /dev/zero among the files", lay=_zeros),
    _named("Filename=../../esc.iso", "../../esc.iso"),
    _named("Filename='o $(touch PWNED) x.iso'", "'o $(touch PWNED) x.iso'"),
    _named("Filename=-o.iso", "-o.iso"),
    Case(
        row=8,
        what="Template=../t.template",
        jigdo=JIGDO.replace("=t.template", "=../t.template").encode(),
        refused=None,
        lay=_template_above,
    ),
    _labels("labels in a circle", _LOOP),
    _labels("label of itself", "Any=Any:x/\n"),
    _labels("chain of 60,000 labels", _CHAIN),
    _labels("2^25 alternatives", _DOUBLING),
    _text("CR LF", JIGDO.replace("\n", "\r\n").encode()),
    _text("BOM", b"\xef\xbb\xbf" + JIGDO.encode()),
    _text("a name in latin-1", JIGDO.encode() + b"[Info]\ncaf\xe9=\xe9\n"),
    _text("NUL", JIGDO.encode() + b"# \0\n", refused=True),
    _text("line of 20 MB", JIGDO.encode() + b"#" * 20_000_000, refused=True),
    _text("random bytes", noise(5000), refused=True),
    _text(".jigdo empty", b"", refused=True),
    _text("gzip", gzip.compress(JIGDO.encode(), mtime=0)),
    _text("quote without end", JIGDO.replace("Any=", "A='http://h/\nAny=").encode()),
    _text("a part without a place", f"{JIGDO}{md5(ONE).jigdo}=\n".encode()),
    _text("Version=3", JIGDO.replace("=1.1", "=3").encode(), row=11, refused=True),
    _text(
        "Version=99999999999", JIGDO.replace("=1.1", "=9" + "9" * 10).encode(), row=11, refused=True
    ),
    _bad(11, "template of version 99999999999", TEMPLATE.replace(b" 1.2 ", b" 99999999999 ")),
    _lying("right image there already", partial(_image_there, IMAGE)),
    _lying("another image there already", partial(_image_there, b"stale"), refused=None),
    _lying(
        "unfinished image of another release",
        partial(_unfinished_there, noise(99) + desc(unmatched(99), image_entry(noise(99)))),
        refused=None,
    ),
    _lying(
        "unfinished image that lies",
        partial(_unfinished_there, _LIE),
    ),
    _lying("unfinished image is a link", _unfinished_link, refused=None),
    Case(row=12, what="the same cache again", times=2, options=("--cache=cache",)),
    Case(row=13, what="~/.jigdo-lite: touch PWNED", settings="touch ../PWNED\n"),
    Case(
        row=13, what="~/.jigdo-lite: $(…) in a value", settings="debianMirror=$(touch ../PWNED)\n"
    ),
)
