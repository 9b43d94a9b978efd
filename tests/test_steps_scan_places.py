"""What --scan may name: folders, files, and images of earlier releases."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest
from builders import noise
from iso_builder import FIRST, SECTOR, image, of_root, record

from release_builder.digests import Digest
from release_builder.jigdo.entries import (
    Description,
    ImageInfo,
    MatchedFile,
    Run,
    format_description,
)
from release_builder.jigdo.rsync_sum import rsync_sum
from release_builder.steps.scan_places import ScanPlaces, scan_places

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONTENT = noise(3000)
SECRET = noise(3000, "no file of the file system")
DATA = FIRST * SECTOR  # where CONTENT lies in an image
HIDDEN = DATA + 2 * SECTOR


def with_file(content: bytes = CONTENT) -> bytes:
    """An ISO 9660 image with one file, and something behind it that is none."""
    made = bytearray(of_root(record(b"A.RPM;1", FIRST, len(content))))
    made[DATA : DATA + len(content)] = content
    made[HIDDEN : HIDDEN + len(SECRET)] = SECRET
    return bytes(made)


def tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        member = tarfile.TarInfo("a.rpm")
        member.size = len(CONTENT)
        archive.addfile(member, io.BytesIO(CONTENT))
    return out.getvalue()


def stored_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.rpm", CONTENT)
    return out.getvalue()


def part(content: bytes, algorithm: str = "md5") -> MatchedFile:
    digest = Digest(algorithm, hashlib.new(algorithm, content).digest())
    return MatchedFile(len(content), rsync_sum(content[:1024]), digest)


def description(*runs: Run, algorithm: str = "md5") -> Description:
    digest = Digest(algorithm, hashlib.new(algorithm).digest())
    return Description(ImageInfo(sum(run.length for run in runs), digest, 1024), runs)


def template(content: bytes, algorithm: str = "md5") -> bytes:
    """The template of an image with two parts; its own data is left out, as it is never read."""
    # The bytes between must be parts too, or there would have to be data.
    gaps = (content[:DATA], content[DATA + 3000 : HIDDEN], content[HIDDEN + 3000 :])
    before, between, behind = (part(gap, algorithm) for gap in gaps)
    first = part(content[DATA : DATA + 3000], algorithm)
    second = part(content[HIDDEN : HIDDEN + 3000], algorithm)
    runs = (before, first, between, second, behind)
    header = b"JigsawDownload template 1.2 test/1\r\n\r\n\r\n"
    return header + format_description(description(*runs, algorithm=algorithm))


def jigdo(name: str) -> bytes:
    return f"[Image]\nFilename=x.iso\nTemplate={name}\n".encode()


def found(places: ScanPlaces, *wanted: MatchedFile) -> list[str]:
    """Where the sources say that each part may be; the first place of each."""
    sources = places.sources(description(*wanted, algorithm=wanted[0].digest.algorithm))
    return [
        next((each.where for source in sources for each in source.candidates(want)), "")
        for want in wanted
    ]


def write(path: Path, content: bytes | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(with_file() if content is None else content)
    return path


def test_all_that_was_given_stays(workdir: Path) -> None:
    given = [workdir, write(workdir / "a.rpm", CONTENT), write(workdir / "old.iso")]

    assert scan_places(given).files == tuple(given)


@pytest.mark.parametrize(
    ("name", "make", "offset"),
    [
        pytest.param("old.iso", with_file, DATA, id="ISO 9660"),
        pytest.param("backup.tar", tar, 512, id="tar"),
        pytest.param("backup", stored_zip, 35, id="zip, without extension"),
    ],
)
def test_an_image_has_the_files_in_it(
    workdir: Path, name: str, make: Callable[[], bytes], offset: int
) -> None:
    path = write(workdir / name, make())

    places = scan_places([path])

    assert found(places, part(CONTENT)) == [f"{path} at byte {offset:,}"]
    assert places.notes == ()


def test_a_file_that_is_no_image_is_none(workdir: Path) -> None:
    places = scan_places([write(workdir / "a.rpm", CONTENT)])

    assert places.images == ()
    assert places.notes == ()


def test_the_images_of_a_folder_are_known_by_their_names(workdir: Path) -> None:
    images = [write(workdir / name) for name in ("b.ISO", "c.iso")]
    write(workdir / "sub" / "a.iso")
    write(workdir / "old.img")
    (workdir / "folder.iso").mkdir()
    os.mkfifo(workdir / "fifo.iso")
    (workdir / "loop.iso").symlink_to("loop.iso")

    places = scan_places([workdir])

    assert places.images == tuple(images)
    assert places.notes == ()


def test_links_count_when_they_lead_to_what_was_given(workdir: Path, tmp_path: Path) -> None:
    write(tmp_path / "other" / "a.iso")
    (workdir / "other.iso").symlink_to(tmp_path / "other" / "a.iso")

    assert scan_places([workdir]).images == ()
    assert scan_places([workdir, tmp_path / "other"]).images == (workdir / "other.iso",)


def test_an_image_that_was_given_twice_is_one(workdir: Path) -> None:
    path = write(workdir / "a.iso")
    (workdir / "b.iso").symlink_to("a.iso")

    assert scan_places([path, workdir, path]).images == (path,)


@pytest.mark.parametrize("given", ["", "old.iso"])
@pytest.mark.parametrize(
    "files",
    [
        pytest.param(["old.template"], id="as jigdo-file names it"),
        pytest.param(["old.iso.template"], id="as pungi names it"),
        pytest.param(["old.jigdo", "other.template"], id="by its jigdo"),
        pytest.param(["old.iso.jigdo", "other.template"], id="by its jigdo, as pungi names it"),
    ],
)
def test_what_only_its_own_template_tells_is_found(
    workdir: Path, given: str, files: list[str]
) -> None:
    path = write(workdir / "old.iso")
    for name in files:
        is_jigdo = name.endswith(".jigdo")
        write(workdir / name, jigdo("other.template") if is_jigdo else template(with_file()))

    places = scan_places([workdir / given])

    assert found(places, part(SECRET)) == [f"{path} at byte {HIDDEN:,}"]
    assert places.notes == ()


@pytest.mark.parametrize(
    ("name", "template_name"),
    [
        pytest.param("old.iso", "old.template", id="beside an iso"),
        pytest.param("old.iso", "old.iso.template", id="behind its name"),
        pytest.param("old", "old.template", id="without extension"),
    ],
)
def test_a_template_that_was_given_means_the_image_beside_it(
    workdir: Path, name: str, template_name: str
) -> None:
    path = write(workdir / name)
    given = write(workdir / template_name, template(with_file()))

    places = scan_places([given])

    assert places.files == (given,)
    assert found(places, part(SECRET)) == [f"{path} at byte {HIDDEN:,}"]


def test_a_template_alone_is_but_a_file(workdir: Path) -> None:
    places = scan_places([write(workdir / "old.template", template(with_file()))])

    assert (places.images, places.notes) == ((), ())


def test_a_template_by_another_algorithm_tells_where_to_look(workdir: Path) -> None:
    path = write(workdir / "old.iso")
    write(workdir / "old.template", template(with_file()))

    places = scan_places([path])

    assert found(places, part(SECRET, "sha256")) == [f"{path} at byte {HIDDEN:,}"]


def test_what_nobody_asks_for_is_not_opened(workdir: Path) -> None:
    path = write(workdir / "old.iso")
    template_path = write(workdir / "old.template", template(with_file()))
    places = scan_places([workdir])
    sources = places.sources(description(part(CONTENT)))
    path.unlink()
    template_path.unlink()

    before = places.notes
    candidates = [list(source.candidates(part(CONTENT))) for source in sources]

    assert before == ()
    assert candidates == [[], []]
    assert places.notes == (f"{path}: No such file or directory",)


@pytest.mark.parametrize(
    ("name", "content", "note"),
    [
        pytest.param("old.template", b"junk", "is not a jigdo template", id="template"),
        pytest.param(
            "old.template",
            template(with_file() + b"more"),
            "is of an image of 81,924 bytes, old.iso has 81,920",
            id="template of another image",
        ),
        pytest.param("old.jigdo", b"junk", "no .jigdo file: it has no [Image] section", id="jigdo"),
        pytest.param("old.jigdo", jigdo("x/.."), "the name '..' would lead out", id="leaf"),
    ],
)
def test_a_pair_of_no_use_is_a_note(workdir: Path, name: str, content: bytes, note: str) -> None:
    path = write(workdir / "old.iso")
    write(workdir / name, content)

    places = scan_places([path])

    assert found(places, part(CONTENT), part(SECRET)) == [f"{path} at byte {DATA:,}", ""]
    (told,) = places.notes
    assert told.startswith(f"{workdir / name}: {note}")


def test_behind_a_template_of_no_use_comes_the_next(workdir: Path) -> None:
    path = write(workdir / "old.iso")
    write(workdir / "old.template", b"junk")
    write(workdir / "old.iso.template", template(with_file()))

    assert found(scan_places([path]), part(SECRET)) == [f"{path} at byte {HIDDEN:,}"]


def test_a_jigdo_whose_template_is_elsewhere_is_no_problem(workdir: Path) -> None:
    path = write(workdir / "old.iso")
    write(workdir / "old.jigdo", jigdo("http://h/elsewhere.template"))

    places = scan_places([path])

    assert found(places, part(CONTENT)) == [f"{path} at byte {DATA:,}"]
    assert places.notes == ()


@pytest.mark.parametrize(
    ("content", "note"),
    [
        pytest.param(b"", "has no file system or archive in it", id="empty"),
        pytest.param(CONTENT, "has no file system or archive in it", id="noise"),
        pytest.param(with_file()[: 20 * SECTOR], "outside the image", id="cut off"),
        pytest.param(image({17: b"junk"}), "", id="broken"),
    ],
)
def test_an_image_of_no_use_is_a_note(workdir: Path, content: bytes, note: str) -> None:
    path = write(workdir / "old\n.iso", content)

    places = scan_places([workdir])

    assert found(places, part(CONTENT)) == [""]
    (told,) = places.notes
    assert told.startswith(f"{workdir}/old\\x0a.iso: ")
    assert note in told
    assert path.read_bytes() == content


def test_a_given_file_that_cannot_be_read_is_a_note(workdir: Path) -> None:
    os.mkfifo(workdir / "fifo")

    places = scan_places([workdir / "fifo", workdir / "gone", write(workdir / "old.iso")])

    assert places.images == (workdir / "old.iso",)
    assert places.notes == ()


def test_a_damaged_image_spoils_no_other(workdir: Path) -> None:
    write(workdir / "a.iso", b"junk")
    good = write(workdir / "b.iso")

    places = scan_places([workdir])

    assert found(places, part(CONTENT)) == [f"{good} at byte {DATA:,}"]
    assert len(places.notes) == 1
