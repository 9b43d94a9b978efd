"""Names of parts, images and files that lead where they should not."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hostile import IMAGE, IMAGE_SECTION, JIGDO, SERVERS, contents, parts_section
from hostile_pairs import ODD_FILES, READERS, WANTED, assert_made, assert_refused, run

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.interop


@pytest.mark.parametrize(
    ("location", "printed"),
    [
        pytest.param("Any:../../etc/passwd", "http://mirror.example/../../etc/passwd", id="up"),
        pytest.param("/etc/passwd", "/etc/passwd", id="absolute"),
        pytest.param("file:///etc/shadow", "///etc/shadow", id="file URL"),
        pytest.param("'Any:a b $(id)'", "http://mirror.example/a b $(id)", id="shell"),
        pytest.param("-rf", "-rf", id="dash"),
    ],
)
def test_print_missing_prints_a_place_as_it_stands(work: Path, location: str, printed: str) -> None:
    """As jigdo-file does: whoever fetches from there has to judge it."""
    Path("t.jigdo").write_text(IMAGE_SECTION + parts_section(location) + SERVERS)
    before = contents(work)

    ended = run("print-missing", *READERS["print-missing"])

    assert ended.status == 0, ended.err
    assert printed.encode() in ended.out.splitlines()
    assert contents(work) == before


def test_print_missing_prints_a_file_server_as_a_path(work: Path) -> None:
    Path("t.jigdo").write_text(IMAGE_SECTION + parts_section() + "[Servers]\nAny=file:/etc/\n")

    ended = run("print-missing", *READERS["print-missing"])

    assert sorted(ended.out.splitlines()) == [b"/etc/one", b"/etc/two"]


@pytest.mark.parametrize(
    "filename",
    ["../../esc.iso", "/esc.iso", "'o $(touch PWN) x.iso'", "-o.iso", "..", "'a\tb'", ""],
)
@pytest.mark.parametrize("command", ["make-image", "print-missing-all", "verify", "map"])
def test_the_name_of_the_image_in_a_jigdo_file_is_never_a_path(
    work: Path, command: str, filename: str
) -> None:
    jigdo = JIGDO.replace("Filename=cd.iso", f"Filename={filename}")
    Path("t.jigdo").write_text(jigdo.replace("cd.template", "../../t.template"))
    before = contents(work.parent)
    arguments = {**READERS, "print-missing-all": READERS["print-missing"]}[command]

    ended = run(command, *arguments, "-j", "t.jigdo")

    assert ended.status == 0, ended.err
    made = {"make-image": {"new.iso"}, "map": {"new.svg"}}.get(command, set())
    state = str(work.parent / "state")
    new = {path for path in contents(work.parent).keys() - before if not path.startswith(state)}
    assert {Path(path).name for path in new} == made


def test_the_name_of_an_image_is_deduced_from_the_name_of_the_jigdo_file(work: Path) -> None:
    Path("t.jigdo").write_text(JIGDO.replace("Filename=cd.iso", "Filename=../esc.iso"))

    ended = run("make-image", "-j", "t.jigdo", "tree")

    assert ended.status == 0, ended.err
    assert Path("t").read_bytes() == IMAGE


def test_names_of_parts_cannot_add_to_a_picture(work: Path) -> None:
    names = ("</title><script>alert(1)</script>", "]]>&amp;<!--\x01\x7f\ufffe", "\x1b[2J\udce9")
    for name in names:
        Path("t.jigdo").write_bytes(
            (IMAGE_SECTION + parts_section(f"'Any:{name}'")).encode("utf-8", "surrogateescape")
        )

        ended = run("map", *READERS["map"], "-j", "t.jigdo", "--force")

        assert ended.status == 0, ended.err
        drawn = ET.fromstring(Path("new.svg").read_bytes())
        assert not [each.tag for each in drawn.iter() if each.tag.endswith("script")]


@pytest.mark.parametrize("make", ODD_FILES)
def test_a_list_of_files_that_is_none_is_told(work: Path, make: Callable[[Path], None]) -> None:
    make(work / "odd")

    ended = run("make-image", *WANTED, "--files-from=odd", "tree")

    assert_refused(ended, 3, "--files-from=odd: ")


@pytest.mark.parametrize("make", ODD_FILES)
def test_a_list_may_name_what_is_no_file(work: Path, make: Callable[[Path], None]) -> None:
    make(work / "odd")
    Path("list").write_bytes(b"odd\n/dev/zero\n/dev/null\nx\0y\ntree\n\nnever read\n")

    ended = run("make-image", *WANTED, "--files-from=list")

    assert_made(ended)
    assert "never read" not in ended.err


def test_a_list_without_end_is_refused(work: Path) -> None:
    with Path("list").open("wb") as out:
        out.truncate(1 << 40)

    ended = run("make-image", *WANTED, "--files-from=list", "tree")

    assert_refused(ended, 3, "the list of files has a name of 65,536 bytes or more")


@pytest.mark.parametrize("make", ODD_FILES)
@pytest.mark.parametrize("command", ["md5sum", "scan"])
def test_what_is_no_file_has_no_digest(
    work: Path, command: str, make: Callable[[Path], None]
) -> None:
    make(work / "odd")

    ended = run(command, "odd", "tree")

    assert ended.status == 0
    assert ended.out.count(b"\n") == (2 if command == "md5sum" else 0)
