"""Any text as the changelogs of two packages, and as versions that rpm would order."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from fuzz.choices import Choices

from release_builder.comparison.changelog import bugs_in, new_entries
from release_builder.comparison.packages import PackageFile, from_file_name
from release_builder.media.rpm import Change
from release_builder.media.rpm_version import Evr, compare

if TYPE_CHECKING:
    from collections.abc import Iterator


def seeds() -> Iterator[bytes]:
    """Authors, texts and versions."""
    yield b"\2\0\1A B <a@b> 1:1.0-2.el7\n\0\0- x [SME: 8123, 12]\n\0\3C - [2.0-1]\n\1\1- [bug 7]"
    yield b"\1\0\0smeserver-base-5.6.0-1.el6.sme.noarch.rpm\n1.0~rc1\n1.0^git\n1.0.\n01"


def one_input(content: bytes) -> None:
    """New entries are entries of the new one; an order that is one."""
    choices = Choices(content)
    first = choices.number(0, 3)
    entries = [
        Change(choices.number(0, 3), *(text.partition("\n")[::2]))
        for text in choices.rest().decode("utf-8", "surrogateescape").split("\0")
    ]
    evrs = [Evr(0, entry.author, entry.text) for entry in entries]
    old = PackageFile("a", "a", evrs[0], "noarch", built=first, changes=tuple(entries[:first]))
    new = PackageFile("b", "a", evrs[-1], "noarch", changes=tuple(entries))
    found = new_entries(old, new)
    assert set(found) <= set(entries)
    assert all(number < 10**9 for number in bugs_in(found))
    ordered = sorted(evrs)
    assert all(one <= other for one, other in pairwise(ordered))
    assert compare(entries[0].author, entries[-1].author) == -compare(
        entries[-1].author, entries[0].author
    )
    package = from_file_name(entries[0].author, None, None)
    assert package is None or package.nevra
