"""Both forms of config/images/DIST.json, the folder they lie in, and defaults.mk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from release_builder.errors import DescriptorError
from release_builder.repository.configuration import (
    Compat,
    Configuration,
    Series,
    check_apart,
    format_configuration,
    parse_configuration,
    scan_images,
)
from release_builder.repository.configuration_files import (
    read_configurations,
    write_configurations,
)
from release_builder.repository.defaults_mk import format_defaults, parse_defaults

ORIGINAL = Path(__file__).parent / "data/repository/original/buster.json"
OLD, NEW = (f"puavo-os-amxa-buster-202{year}-04-13-192449-amd64.img" for year in (1, 2))
FREE = "puavo-os-free-buster-2022-02-04-140532-amd64.img"
WITH_EXTRA = Configuration("buster", (Series("amxa", (OLD, NEW), {NEW: (FREE,)}),))
PLAIN = Configuration("buster", (Series("amxa", (OLD, NEW)), Series("free", (FREE,))))


def test_the_originals_own_file_is_read_and_written_the_same() -> None:
    text = ORIGINAL.read_text()

    found = parse_configuration(text, ORIGINAL)

    assert [len(series.images) for series in found.series] == [4, 1]
    assert format_configuration(found, Compat.SEED) == text


@pytest.mark.parametrize(
    ("configuration", "compat"),
    [
        pytest.param(PLAIN, Compat.SEED, id="lists"),
        pytest.param(PLAIN, Compat.LATEST, id="objects"),
        pytest.param(WITH_EXTRA, Compat.LATEST, id="extra"),
    ],
)
def test_what_is_written_is_read(configuration: Configuration, compat: Compat) -> None:
    text = format_configuration(configuration, compat)

    assert parse_configuration(text, Path("buster.json")) == configuration


def test_lists_cannot_tell_of_extra_deltas() -> None:
    with pytest.raises(DescriptorError, match=r"amxa has extra_rdiffs.*\n.*--compat 2024"):
        format_configuration(WITH_EXTRA, Compat.SEED)


def test_both_forms_may_stand_in_one_file() -> None:
    text = json.dumps({"amxa": {"images": [OLD, NEW]}, "free": [FREE]})

    assert parse_configuration(text, Path("buster.json")) == PLAIN


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("{", "buster.json: not JSON: .*line 1", id="cut off"),
        pytest.param("[" * 100_000, "buster.json: not JSON", id="deep"),
        pytest.param("[]", "an object", id="list of series"),
        pytest.param('{"a": [], "a": []}', "a key twice", id="series twice"),
        pytest.param('{"": []}', "named like a file", id="no name"),
        pytest.param('{"../a": []}', "named like a file", id="folder"),
        pytest.param('{".a": []}', "named like a file", id="hidden"),
        pytest.param('{"a": "b"}', "a: it must be a list of images, or", id="text"),
        pytest.param('{"a": {}}', "a: it must be a list of images, or", id="no images"),
        pytest.param('{"a": {"images": [], "b": 1}}', "a: it must be a list", id="unknown key"),
        pytest.param('{"a": {"images": 1}}', "a list of images", id="number"),
        pytest.param('{"a": [1]}', "1 is no image's name", id="number in list"),
        pytest.param('{"a": ["../b.img"]}', "is no image's name", id="no image"),
        pytest.param(json.dumps({"a": [OLD, OLD]}), "named twice", id="image twice"),
        pytest.param('{"a": {"images": [], "extra_rdiffs": []}}', "object: target", id="extra"),
        pytest.param(
            json.dumps({"a": {"images": [OLD], "extra_rdiffs": {NEW: [OLD]}}}),
            "is not among images",
            id="target of another series",
        ),
        pytest.param(
            json.dumps({"a": {"images": [OLD], "extra_rdiffs": {OLD: [OLD]}}}),
            "from itself",
            id="source is target",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, words: str) -> None:
    with pytest.raises(DescriptorError, match=words):
        parse_configuration(text, Path("buster.json"))


def test_a_folder_is_scanned_by_fields_and_date(tmp_path: Path) -> None:
    for name in (NEW, OLD, FREE, FREE.replace("buster", "busterx"), "notes.txt"):
        (tmp_path / name).touch()
    odd = ["a b.img", f"install-{OLD}"]
    for name in odd:
        (tmp_path / name).touch()
    (tmp_path / FREE.replace("free", "folder")).mkdir()

    found = scan_images(tmp_path)

    assert [told.dist for told in found.configurations] == ["buster", "busterx"]
    assert found.configurations[0].series == (
        Series("puavo-os-amxa-buster-amd64", (OLD, NEW)),
        Series("puavo-os-free-buster-amd64", (FREE,)),
    )
    assert found.ignored == tuple(odd)
    assert found.no_files == (FREE.replace("free", "folder"),)


def test_the_folder_tells_of_what_is_written_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "config images"
    write_configurations(folder, [PLAIN, Configuration("sid", ())], Compat.SEED)

    write_configurations(folder, [PLAIN], Compat.LATEST)

    assert read_configurations(folder) == (PLAIN,)
    assert [path.name for path in folder.iterdir()] == ["buster.json"]


def test_what_cannot_be_written_leaves_the_old_files(tmp_path: Path) -> None:
    write_configurations(tmp_path, [PLAIN], Compat.SEED)

    with pytest.raises(DescriptorError):
        write_configurations(tmp_path, [Configuration("a", ()), WITH_EXTRA], Compat.SEED)

    assert read_configurations(tmp_path) == (PLAIN,)


def test_a_series_of_two_distributions_is_refused() -> None:
    with pytest.raises(DescriptorError, match=r"amxa stands in buster\.json and sid\.json"):
        check_apart([PLAIN, Configuration("sid", PLAIN.series)])


def test_a_folder_without_configuration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DescriptorError, match="no configuration"):
        read_configurations(tmp_path)


def test_a_configuration_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'{"\xff": []}')

    with pytest.raises(DescriptorError, match="not UTF-8"):
        read_configurations(tmp_path)


def test_defaults_look_as_the_original_writes_them() -> None:
    values = {"image_dir": "/srv/my images", "debootstrap_suite": "buster"}

    text = format_defaults(values)

    assert text == (
        "   image_dir               := /srv/my images\n   debootstrap_suite       := buster\n"
    )


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("/srv/a b", id="blank"),
        pytest.param("/srv/a#b", id="comment"),
        pytest.param("/srv/$(shell date)$$", id="dollars"),
        pytest.param("", id="empty"),
    ],
)
def test_defaults_that_are_written_are_read(value: str) -> None:
    values = {"image_dir": value, "mirror_dir": "/srv/m"}

    assert parse_defaults(format_defaults(values), "defaults.mk") == values


def test_all_ways_to_set_a_variable_are_understood() -> None:
    text = "# image_dir = no\nimage_dir=/a # why\nmirror_dir ?= /b\nimage_dir := /c\nother = $(x)\n"

    assert parse_defaults(text, "defaults.mk") == {"image_dir": "/c", "mirror_dir": "/b"}


def test_what_only_make_can_expand_is_refused() -> None:
    with pytest.raises(DescriptorError, match=r"defaults\.mk:2: mirror_dir refers to another"):
        parse_defaults("\nmirror_dir = $(image_dir)/mirror\n", "defaults.mk")


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("/a\nall: evil", id="line end"),
        pytest.param(" /a", id="blank before"),
        pytest.param("/a\\", id="goes on"),
    ],
)
def test_what_no_line_can_hold_is_refused(value: str) -> None:
    with pytest.raises(DescriptorError, match=r"image_dir: .* cannot stand in"):
        format_defaults({"image_dir": value})
