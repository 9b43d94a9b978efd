"""Parts taken out of an image: byte-equal, below their folder, and never anywhere else."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from offers import CONTENT, GAP, ONE, TWO, matched, md5, template

from release_builder.errors import SurroundingsError
from release_builder.jigdo.entries import Description, ImageInfo
from release_builder.jigdo.extract import extract_parts
from release_builder.jigdo.location import ImageSection, JigdoFile

if TYPE_CHECKING:
    from collections.abc import Container
    from pathlib import Path

    from release_builder.digests import Digest


def jigdo(parts: dict[bytes, list[str]]) -> JigdoFile:
    image = ImageSection("a.iso", "a.template", ())
    named = {md5(content): tuple(locations) for content, locations in parts.items()}
    return JigdoFile("1.2", "", image, (), named)


def extract(
    folder: Path,
    parts: dict[bytes, list[str]],
    missing: Container[Digest] = (),
    content: bytes = CONTENT,
) -> int:
    image = io.BytesIO(content)
    return extract_parts(image, template().description, jigdo(parts), missing, folder)


def files(folder: Path) -> dict[str, bytes]:
    """All that is in ``folder``, links too."""
    found = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def test_each_part_is_a_file_below_its_label(workdir: Path) -> None:
    count = extract(workdir / "kept", {ONE: ["A:Packages/one.rpm"], TWO: ["B:images/two.img"]})

    assert count == 2
    assert files(workdir) == {"kept/A/Packages/one.rpm": ONE, "kept/B/images/two.img": TWO}


def test_what_the_image_has_not_is_left_out(workdir: Path) -> None:
    hollow = CONTENT.replace(TWO, bytes(len(TWO)))

    count = extract(workdir, {ONE: ["A:one"], TWO: ["A:two"]}, {md5(TWO)}, hollow)

    assert count == 1
    assert files(workdir) == {"A/one": ONE}


def test_the_first_name_counts(workdir: Path) -> None:
    extract(workdir, {ONE: ["A:first", "B:second"]})

    assert files(workdir) == {"A/first": ONE}


def test_an_empty_part_is_an_empty_file(workdir: Path) -> None:
    empty = Description(ImageInfo(0, md5(b""), 1024), (matched(b""),))

    extract_parts(io.BytesIO(), empty, jigdo({b"": ["A:empty"]}), (), workdir)

    assert files(workdir) == {"A/empty": b""}


@pytest.mark.parametrize(
    ("location", "name"),
    [
        pytest.param("A:/etc/passwd", "A/etc/passwd", id="absolute"),
        pytest.param("A:./a//b/./c", "A/a/b/c", id="empty steps"),
        pytest.param("A:a:b", "A/a:b", id="a second colon"),
        pytest.param("A:a b#%2e%2e", "A/a b#%2e%2e", id="escapes mean nothing"),
        pytest.param("A:caf\udce9/\\..\\x", "A/caf\udce9/\\..\\x", id="odd bytes"),
        pytest.param("A:..a/b..", "A/..a/b..", id="dots in names"),
        pytest.param("é:a", "é/a", id="odd label"),
    ],
)
def test_odd_names_stay_below_their_label(workdir: Path, location: str, name: str) -> None:
    extract(workdir, {ONE: [location]})

    assert files(workdir) == {name: ONE}


@pytest.mark.parametrize(
    "location",
    [
        pytest.param("A:../../out", id="leads up"),
        pytest.param("A:a/../../../out", id="leads up on the way"),
        pytest.param("A:a/..", id="ends above"),
        pytest.param("..:out", id="label leads up"),
        pytest.param(".:out", id="label is the folder"),
        pytest.param("../A:out", id="label with a slash"),
        pytest.param("A/B:out", id="label with a folder"),
        pytest.param("/A:out", id="absolute label"),
        pytest.param(":out", id="no label"),
        pytest.param("out", id="no colon"),
        pytest.param("/out", id="absolute path"),
        pytest.param("http://127.0.0.1/out", id="URL"),
        pytest.param("A:", id="no path"),
        pytest.param("A:.", id="path is the folder"),
        pytest.param("A:/./", id="path of nothing"),
        pytest.param("A:a\0b", id="NUL"),
    ],
)
def test_a_name_that_is_none_of_a_file_below_its_label_is_passed_over(
    workdir: Path, location: str
) -> None:
    first = extract(workdir / "kept", {ONE: [location]})
    second = extract(workdir / "kept", {ONE: [location, "A:good"], TWO: ["A:two"]})

    assert (first, second) == (0, 2)
    assert files(workdir) == {"kept/A/good": ONE, "kept/A/two": TWO}


def test_of_two_parts_with_one_name_the_first_of_the_image_has_it(workdir: Path) -> None:
    parts = {TWO: ["A:same", "A:other"], ONE: ["A:same"]}

    first = extract(workdir, parts)
    again = extract(workdir, parts)

    assert (first, again) == (2, 0)
    assert files(workdir) == {"A/same": ONE, "A/other": TWO}


@pytest.mark.parametrize("other", ["A:./same", "A://same", "A:same"])
def test_a_part_without_a_name_of_its_own_is_left_out(workdir: Path, other: str) -> None:
    count = extract(workdir, {ONE: ["A:same"], TWO: [other]})

    assert count == 1
    assert files(workdir) == {"A/same": ONE}


def test_a_file_of_the_parts_length_is_left_alone(workdir: Path) -> None:
    (workdir / "A").mkdir()
    (workdir / "A/one").write_bytes(b"x" * len(ONE))

    count = extract(workdir, {ONE: ["A:one"]})

    assert count == 0
    assert files(workdir) == {"A/one": b"x" * len(ONE)}


@pytest.mark.parametrize(
    "there", [pytest.param(ONE[:-1], id="shorter"), pytest.param(ONE + b"x", id="longer")]
)
def test_a_file_of_another_length_is_replaced(workdir: Path, there: bytes) -> None:
    (workdir / "A").mkdir()
    (workdir / "A/one").write_bytes(there)

    count = extract(workdir, {ONE: ["A:one"]})

    assert count == 1
    assert files(workdir) == {"A/one": ONE}


@pytest.mark.parametrize(
    ("file", "folder"),
    [
        pytest.param("A", None, id="file for a label"),
        pytest.param("A/b", None, id="file for a folder"),
        pytest.param(None, "A/b/c", id="folder for the file"),
    ],
)
def test_what_stands_in_the_way_is_an_error_and_stays(
    workdir: Path, file: str | None, folder: str | None
) -> None:
    kept = workdir / "kept"
    if file:
        (kept / file).parent.mkdir(parents=True)
        (kept / file).write_bytes(b"mine")
    if folder:
        (kept / folder).mkdir(parents=True)

    with pytest.raises(OSError, match=r"exists|[Dd]irectory"):
        extract(kept, {ONE: ["A:b/c"]})

    assert files(workdir) == ({f"kept/{file}": b"mine"} if file else {})


@pytest.mark.parametrize(
    ("link", "target"),
    [
        pytest.param("A", "..", id="of the label"),
        pytest.param("A/b", "../../out", id="of a folder"),
        pytest.param("A/b/one", "../../../out/one", id="of the file"),
        pytest.param("A/b/one", "../../../out/none", id="to nothing"),
    ],
)
def test_a_link_out_of_the_folder_is_not_followed(workdir: Path, link: str, target: str) -> None:
    kept, out = workdir / "kept", workdir / "out"
    out.mkdir()
    (out / "one").write_bytes(b"mine")
    (kept / link).parent.mkdir(parents=True)
    (kept / link).symlink_to(target)

    with pytest.raises(SurroundingsError, match="is a link that leads out of") as raised:
        extract(kept, {ONE: ["A:b/one"]})

    assert "delete the link, or name another folder" in raised.value.hint
    assert [path.name for path in out.iterdir()] == ["one"]
    assert (out / "one").read_bytes() == b"mine"
    assert not (workdir / "b").exists()


def test_a_link_within_the_folder_is_followed_to_a_folder_but_not_to_a_file(workdir: Path) -> None:
    (workdir / "B").mkdir()
    (workdir / "B/mine").write_bytes(b"mine")
    (workdir / "A").symlink_to("B")
    (workdir / "B/one").symlink_to("mine")

    extract(workdir, {ONE: ["A:one"]})

    assert (workdir / "A").is_symlink()
    assert not (workdir / "B/one").is_symlink()
    assert (workdir / "B/one").read_bytes() == ONE
    assert (workdir / "B/mine").read_bytes() == b"mine"


def test_the_folder_itself_may_be_a_link(workdir: Path) -> None:
    (workdir / "real").mkdir()
    (workdir / "kept").symlink_to("real")

    extract(workdir / "kept", {ONE: ["A:one"]})

    assert files(workdir / "real") == {"A/one": ONE}


def test_parts_of_several_blocks_and_at_any_place_are_byte_equal(workdir: Path) -> None:
    image = GAP + CONTENT
    shifted = Description(
        ImageInfo(len(image), md5(image), 1024),
        (matched(GAP), *template().description.runs),
    )
    names = {GAP: ["A:gap"], ONE: ["A:one"], TWO: ["A:two"]}

    extract_parts(io.BytesIO(image), shifted, jigdo(names), (), workdir)

    assert files(workdir) == {"A/gap": GAP, "A/one": ONE, "A/two": TWO}
