"""What a squashfs image defines for puavo-conf, as unsquashfs reads it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from image_builder import CONF, DEFINITIONS, NAMES, content, definitions, make_image, make_images

from release_builder.media.image import MediaError
from release_builder.media.squashfs import check_whole, read_definitions

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.interop


def test_definitions_are_merged_in_the_order_of_their_files(tmp_path: Path) -> None:
    image, *_others = make_images(tmp_path / "with a blank", NAMES[0])

    found = read_definitions(image)

    assert json.dumps(found) == json.dumps(CONF)


def test_the_builders_images_are_always_the_same_but_no_two_alike(tmp_path: Path) -> None:
    first, second = (make_images(tmp_path / name, *NAMES[:2]) for name in ("a", "b"))

    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert first[0].read_bytes() != first[1].read_bytes()


def test_lzo_as_puavo_packs_is_read(tmp_path: Path) -> None:
    image = make_image(tmp_path / "a.img", content("a", 1000), "-comp", "lzo")

    assert read_definitions(image) == CONF


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"etc/name": b"a"}, id="no folder"),
        pytest.param({f"{DEFINITIONS}/notes.txt": b"a"}, id="other files"),
        pytest.param({f"{DEFINITIONS}/more/a.json": b"{}"}, id="deeper"),
    ],
)
def test_an_image_without_definitions_has_none(tmp_path: Path, files: dict[str, bytes]) -> None:
    assert read_definitions(make_image(tmp_path / "a.img", files)) == {}


def test_an_image_whose_name_looks_like_an_option_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = make_image(tmp_path / "-a.img", content("a", 1000))
    monkeypatch.chdir(tmp_path)

    assert read_definitions(image.relative_to(tmp_path)) == CONF


@pytest.mark.parametrize(
    ("said", "words"),
    [
        pytest.param(b"{", "a.json: not JSON", id="cut off"),
        pytest.param(b"[]", "a.json: not an object", id="list"),
        pytest.param(b'{"a": NaN}', "NaN is not JSON", id="no number"),
        pytest.param(b'{"a": "\\ud800"}', "a.json: not JSON", id="half a character"),
        pytest.param(b'{"\xff": 1}', "a.json: not JSON", id="no UTF-8"),
        pytest.param(b"[" * 100_000, "a.json: not JSON", id="deep"),
        pytest.param(b'{"b": 1}', "b.json: b is defined elsewhere too", id="twice"),
    ],
)
def test_other_definitions_are_refused(tmp_path: Path, said: bytes, words: str) -> None:
    files = {f"{DEFINITIONS}/a.json": said, **definitions({"b.json": {"b": 2}})}

    with pytest.raises(MediaError, match=rf"image\.img: .*{words}"):
        read_definitions(make_image(tmp_path / "image.img", files))


def test_definitions_beyond_measure_are_refused(tmp_path: Path) -> None:
    files = {f"{DEFINITIONS}/a.json": bytes(65 << 20)}

    with pytest.raises(MediaError, match="too large"):
        read_definitions(make_image(tmp_path / "a.img", files))


def test_a_link_in_the_place_of_definitions_is_refused(tmp_path: Path) -> None:
    image = make_image(
        tmp_path / "a.img", {f"{DEFINITIONS}/b": b"{}"}, "-p", f"/{DEFINITIONS}/a.json s 777 0 0 b"
    )

    with pytest.raises(MediaError, match=r"a\.json: no regular file"):
        read_definitions(image)


@pytest.mark.parametrize(
    ("size", "words"),
    [
        pytest.param(0, "no squashfs image", id="empty"),
        pytest.param(95, "no squashfs image", id="cut superblock"),
        pytest.param(96, "cut off: it has 96 of", id="superblock alone"),
        pytest.param(100_000, "cut off: it has 100,000 of", id="half"),
    ],
)
def test_an_image_that_is_cut_off_is_refused(tmp_path: Path, size: int, words: str) -> None:
    (image,) = make_images(tmp_path, NAMES[0])
    image.write_bytes(image.read_bytes()[:size])

    with pytest.raises(MediaError, match=words):
        check_whole(image)


def test_an_image_of_something_else_is_refused(tmp_path: Path) -> None:
    image = tmp_path / "a.img"
    image.write_bytes(bytes(4096))

    with pytest.raises(MediaError, match="no squashfs image"):
        read_definitions(image)


def test_an_image_with_damaged_tables_is_refused(tmp_path: Path) -> None:
    (image,) = make_images(tmp_path, NAMES[0])
    whole = image.read_bytes()
    image.write_bytes(whole[:96] + bytes(len(whole) - 96))

    with pytest.raises(MediaError, match="unsquashfs cannot read it"):
        read_definitions(image)


@pytest.mark.parametrize(
    "work", [pytest.param("true", id="nothing"), pytest.param('echo {} > "$file"', id="less")]
)
def test_an_unsquashfs_that_is_silent_about_damage_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: str
) -> None:
    (image,) = make_images(tmp_path, NAMES[0])
    program = tmp_path / "bin/unsquashfs"
    program.parent.mkdir()
    program.write_text(
        f"""#!/bin/sh
if [ "$1" = -lls ]; then
    echo "-rw-r--r-- root/root 9 2022-01-01 00:00 root/{DEFINITIONS}/a.json"
else
    file=$3/{DEFINITIONS}/a.json
    mkdir -p "${{file%/*}}"
    {work}
fi
"""
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")

    with pytest.raises(MediaError, match=r"a\.json: damaged"):
        read_definitions(image)


def test_damaged_definitions_are_refused(tmp_path: Path) -> None:
    image = make_image(tmp_path / "a.img", definitions({"a.json": {"a": "b" * 1000}}))
    whole = bytearray(image.read_bytes())
    whole[96:104] = bytes(8)
    image.write_bytes(whole)

    with pytest.raises(MediaError, match=r"a\.img: "):
        read_definitions(image)
