"""What holds for images of any tree, and for any bytes at all."""

from __future__ import annotations

import io
import tarfile
import zipfile
from struct import pack

import pycdlib
import pytest
from builders import noise
from hypothesis import given, settings
from hypothesis import strategies as st
from iso_builder import (
    FOLDER,
    MORE,
    ROOT,
    SECTOR,
    continued,
    descriptor,
    entry,
    files,
    folder,
    image,
    named,
    record,
    sharing,
    twice,
)

from release_builder.extents import Kind
from release_builder.media import MediaError, find_layout


def golden_iso() -> bytes:
    """Both trees, a moved directory, a continued name, a file of two extents, a boot catalog."""
    catalog = b"\1" + bytes(29) + b"\x55\xaa\x88" + bytes(5) + pack("<HI", 4, 36)
    return image(
        {
            17: descriptor(2, root=30, escape=b"%/E"),
            18: b"\0CD001\1EL TORITO SPECIFICATION".ljust(71, b"\0") + pack("<I", 28),
            19: b"\xffCD001\1",
            28: catalog.ljust(64, b"\0"),
            ROOT: folder(
                ROOT,
                record(b"D", 24, SECTOR, flags=FOLDER, extra=named(b"d")),
                record(b"BIG", 36, SECTOR, flags=MORE, extra=named(b"big")),
                record(b"BIG", 37, 9, extra=named(b"big")),
                extra=sharing(),
            ),
            24: folder(
                24,
                record(b"M", 25, SECTOR, extra=named(b"m") + entry(b"CL", twice("I", 25))),
                record(b"R", 25, SECTOR, flags=FOLDER, extra=named(b"r") + entry(b"RE", b"")),
            ),
            25: folder(25, record(b"F", 36, 5, extra=named(b"f", 1) + continued(29, 8, 9))),
            29: bytes(8) + entry(b"NM", b"\0name"),
            30: folder(30, record(b"\0d", 31, SECTOR, flags=FOLDER)),
            31: folder(31, record(b"\0f", 36, 5)),
        }
    )


def golden_udf() -> bytes:
    disc = pycdlib.PyCdlib()
    disc.new(udf="2.60")
    disc.add_directory("/D", udf_path="/d")
    disc.add_fp(io.BytesIO(b"abc"), 3, "/D/F.;1", udf_path="/d/f")
    out = io.BytesIO()
    disc.write_fp(out)
    both = out.getvalue()
    return (
        both[: 16 * SECTOR]
        + both[18 * SECTOR : 21 * SECTOR].ljust(5 * SECTOR, b"\0")
        + both[21 * SECTOR :]
    )


def golden_tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in ("a", "ü", "long/" * 40):
            member = tarfile.TarInfo(name)
            member.size = 9
            archive.addfile(member, io.BytesIO(bytes(9)))
    return out.getvalue()


def golden_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in ("a", "ü", "folder/"):
            archive.writestr(name, name[:1])
    return out.getvalue()


def used(content: bytes) -> list[int]:
    """The offsets near which there is something to change."""
    return [at for at in range(0, len(content), 4) if any(content[at : at + 8])]


@st.composite
def changed(draw: st.DrawFn, content: bytes, places: list[int]) -> bytes:
    """``content`` with some bytes exchanged, and perhaps cut off."""
    other = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.sampled_from(places)) + draw(st.integers(0, 3))
        put = draw(st.binary(min_size=1, max_size=4) | st.sampled_from([b"\xff" * 4, bytes(4)]))
        other[at : at + len(put)] = put
    end = draw(st.just(len(other)) | st.integers(0, len(other)))
    return bytes(other[:end])


def check(content: bytes) -> None:
    """Read all extents; whatever is found is inside the image and named decently."""
    layout = find_layout(io.BytesIO(content))
    if layout is None:
        return
    words = ""
    try:
        for extent in layout.extents:
            assert 0 <= extent.offset < extent.offset + extent.length <= len(content)
            names = extent.name.split("/") if extent.name or extent.kind is Kind.FILE else ()
            assert not {"", ".", ".."}.intersection(names)
            assert "\0" not in extent.name
    except MediaError as error:
        words = error.what
    assert words.isprintable()


GOLDEN = {"ISO 9660": golden_iso(), "UDF": golden_udf(), "tar": golden_tar(), "zip": golden_zip()}

PLACES = {form: used(content) for form, content in GOLDEN.items()}


@pytest.mark.parametrize("form", list(GOLDEN))
@settings(max_examples=300)
@given(data=st.data())
def test_a_damaged_image_gives_decent_extents_or_a_media_error(
    form: str, data: st.DataObject
) -> None:
    check(data.draw(changed(GOLDEN[form], PLACES[form])))


@given(st.binary(max_size=SECTOR), st.binary(max_size=SECTOR), st.binary(max_size=SECTOR))
def test_any_bytes_in_descriptors_and_directories_are_read_or_refused(
    first: bytes, second: bytes, root: bytes
) -> None:
    check(image({16: b"\1CD001" + first[:2042], 17: second, ROOT: root}))
    check(image({ROOT: folder(ROOT, extra=sharing()) + root[: SECTOR - 200]}))


@given(st.binary(max_size=3000), st.sampled_from([b"PK\3\4", b"ustar"]))
def test_any_bytes_after_a_mark_are_read_or_refused(content: bytes, mark: bytes) -> None:
    at = 257 if mark == b"ustar" else 0
    check(content[:at].ljust(at, b"\0") + mark + content[at:])


NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="/*:;?\\"),
    min_size=1,
    max_size=20,
).filter(lambda name: name not in {".", ".."} and len(name.encode()) <= 40)


@st.composite
def trees(draw: st.DrawFn) -> dict[str, int]:
    """Paths and sizes of files, none of them a folder of another."""
    paths = st.lists(NAMES, min_size=1, max_size=9).map(tuple)
    drawn = draw(st.dictionaries(paths, st.integers(1, 5000), min_size=1, max_size=12))
    above = {path[:depth] for path in drawn for depth in range(1, len(path))}
    return {"/".join(path): size for path, size in drawn.items() if path not in above}


def disc_of(tree: dict[str, int], block: int, names: str) -> bytes:
    """The image of a tree, with better names of some sort than ISO 9660's."""
    disc = pycdlib.PyCdlib()
    disc.new(
        interchange_level=4,
        log_block_size=block,
        rock_ridge="1.09" if "Rock Ridge" in names else None,
        joliet=3 if "Joliet" in names else None,
        xa="XA" in names,
    )
    folders = {"": ""}

    for number, (path, size) in enumerate(tree.items()):
        parts = path.split("/")
        for depth in range(1, len(parts)):
            above, inside = "/".join(parts[: depth - 1]), "/".join(parts[:depth])
            if inside not in folders:
                folders[inside] = f"{folders[above]}/D{len(folders)}"
                rock, joliet = better(inside, names)
                disc.add_directory(folders[inside], rr_name=rock, joliet_path=joliet)
        place = f"{folders['/'.join(parts[:-1])]}/F{number}"
        rock, joliet = better(path, names)
        content = io.BytesIO(noise(size, path))
        disc.add_fp(content, size, place, rr_name=rock, joliet_path=joliet)
    out = io.BytesIO()
    disc.write_fp(out)
    return out.getvalue()


def better(path: str, names: str) -> tuple[str | None, str | None]:
    """The Rock Ridge name and the Joliet path of what stands at ``path``."""
    return (
        path.rpartition("/")[2] if "Rock Ridge" in names else None,
        f"/{path}" if "Joliet" in names else None,
    )


@pytest.mark.parametrize(
    "names", ["Rock Ridge", "Joliet", "Rock Ridge and Joliet", "Rock Ridge and XA"]
)
@given(tree=trees(), block=st.sampled_from([512, 1024, 2048]))
def test_each_file_of_any_tree_is_found_where_it_lies(
    names: str, tree: dict[str, int], block: int
) -> None:
    content = disc_of(tree, block, names)

    found = {path: content[at : at + size] for path, at, size in files(content)}

    assert found == {path: noise(size, path) for path, size in tree.items()}
