from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from release_builder.descriptor.refusal import RefusedError
from release_builder.descriptor.trusting import Older, Trust, age, fingerprint
from release_builder.loader import InvalidDescriptorError, load

if TYPE_CHECKING:
    from pathlib import Path

PRINT = "0123456789ABCDEF0123456789ABCDEF01234567"
THREE = "version: 9.0\narch: x86_64\nmirror: /srv/sme\n"
PROFILE = """\
name: own
arches: [x86_64]
image: own-{version}.iso
tree: os/
jigdo: iso/
servers: {A: {beta: 'http://h/b/', final: 'http://h/f/'}}
"""


def trust(workdir: Path, text: str) -> Trust:
    path = workdir / "sme9.yaml"
    path.write_text(THREE + text)
    return load(path).releases()[0].trust


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(PRINT, id="plain"),
        pytest.param(PRINT.lower(), id="small"),
        pytest.param("0123 4567 89AB CDEF 0123  4567 89AB CDEF 0123 4567", id="as gpg prints it"),
        pytest.param("0x" + PRINT, id="as servers have it"),
    ],
)
def test_a_fingerprint_is_read_as_programs_print_it(text: str) -> None:
    assert fingerprint(text) == PRINT


@pytest.mark.parametrize("text", ["89ABCDEF01234567", "01234567", "x" * 40, PRINT + "0", ""])
def test_less_than_a_fingerprint_names_no_key(text: str) -> None:
    with pytest.raises(RefusedError):
        fingerprint(text)


@pytest.mark.parametrize(("text", "days"), [("24h", 1), ("90d", 90), ("2w", 14)])
def test_an_age_has_a_unit(text: str, days: int) -> None:
    assert age(text) == days * 86_400


def test_keys_are_short_for_both(workdir: Path) -> None:
    assert trust(workdir, "keys: a\n") == Trust(sums=(workdir / "a",), packages=(workdir / "a",))


def test_a_profile_is_trusted_where_the_descriptor_says_nothing(workdir: Path) -> None:
    folder = workdir / "profiles"
    folder.mkdir()
    (folder / "own.yaml").write_text(
        f"{PROFILE}trust: {{sums: a, packages: b, fingerprints: {PRINT}, older: warn}}\n"
    )

    found = trust(workdir, "product: profiles/own.yaml\ntrust: {packages: c, older: refuse}\n")

    assert found == Trust(
        sums=(folder / "a",),
        packages=(workdir / "c",),
        fingerprints=(PRINT,),
        older=Older.REFUSE,
    )
    assert not found.takes_older


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        pytest.param(
            "keys: a\ntrust: {sums: b}\n",
            "4:7: keys: is short for `trust.sums` and `trust.packages`, which are here too;",
            id="both",
        ),
        pytest.param(
            "trust:\n  max_age: 9d\n",
            "5:12: trust.max_age: is of signatures, and none is asked for;",
            id="age of nothing",
        ),
        pytest.param(
            f"trust: {{fingerprints: {PRINT}}}\n",
            "4:23: trust.fingerprints: pins nothing: no file of keys is named;",
            id="fingerprints of nothing",
        ),
        pytest.param(
            "trust: {sums: a, fingerprints: [89ABCDEF01234567]}\n",
            "4:33: trust.fingerprints: '89ABCDEF01234567' is too short:",
            id="a key id",
        ),
        pytest.param(
            "trust: {sums: a, fingerprints: xyz}\n",
            "4:32: trust.fingerprints: 'xyz' is no fingerprint;",
            id="no digits",
        ),
        pytest.param(
            "trust: {older: wran}\n",
            "4:16: trust.older: 'wran' is not known; did you mean warn?",
            id="misspelt",
        ),
    ],
)
def test_what_pins_nothing_is_complained_of(workdir: Path, lines: str, complaint: str) -> None:
    with pytest.raises(InvalidDescriptorError, match=re.escape(complaint)):
        trust(workdir, lines)


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        pytest.param("trust: {sums: []}\n", "4:15: trust.sums", id="sums"),
        pytest.param("trust: {packages: []}\n", "4:19: trust.packages", id="packages"),
        pytest.param("trust: {sums: a, fingerprints: []}\n", "4:32: trust.fingerprints", id="pins"),
        pytest.param("keys: []\n", "4:7: keys", id="short"),
    ],
)
def test_a_list_of_nobody_switches_nothing_off(workdir: Path, lines: str, place: str) -> None:
    complaint = f"{place}: is empty; leave it out, or name whom to trust"
    with pytest.raises(InvalidDescriptorError, match=re.escape(complaint)):
        trust(workdir, lines)
