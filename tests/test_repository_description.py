"""Meta files and CKSUMS, byte for byte as the original writes them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from release_builder.errors import WrongBytesError
from release_builder.repository.cksums import format_lines, parse_cksums
from release_builder.repository.configuration import Series, parse_configuration
from release_builder.repository.contents import compose_contents, read_contents
from release_builder.repository.description import Described, parse_meta, without
from release_builder.repository.selection import Pair, Policy, pairs
from release_builder.repository.sums import Sums

ORIGINAL = Path(__file__).parent / "data/repository/original"
METAS = {path.stem: path.read_bytes() for path in sorted(ORIGINAL.glob("puavo-os-*.json"))}
CKSUMS = (ORIGINAL / "CKSUMS").read_bytes()
URL = "https://images.example.test"
AMXA = "puavo-os-amxa-buster-amd64"
LAST = "puavo-os-amxa-buster-2022-01-20-173248-amd64.img"
SUMS = Sums(5, 7, "a" * 64, "b" * 128)


def original() -> tuple[
    list[tuple[Series, tuple[Pair, ...]]], dict[str, Described], dict[Pair, Sums]
]:
    """What the original was given, and the digests that it found."""
    path = ORIGINAL / "buster.json"
    series = parse_configuration(path.read_text(), path).series
    images: dict[str, Described] = {}
    rdiffs: dict[Pair, Sums] = {}
    for content in METAS.values():
        meta = parse_meta(content, "meta")
        rdiffs |= dict(meta.rdiffs.values())
        (said,) = json.loads(content).values()
        images |= {
            image["filename"]: Described(meta.images[image["filename"]], image["puavo-conf"])
            for image in said["images"]
        }
    return [(one, pairs(one, Policy())) for one in series], images, rdiffs


def test_meta_and_cksums_are_what_the_original_wrote() -> None:
    chosen, images, rdiffs = original()

    contents = compose_contents(chosen, images, dict(reversed(rdiffs.items())), f"{URL}/")

    assert contents.metas == METAS
    assert contents.cksums == CKSUMS
    assert (len(contents.images), len(contents.rdiffs)) == (5, 9)


def test_what_is_not_there_is_not_told_of() -> None:
    chosen, images, rdiffs = original()
    del images[LAST]
    gone = next(pair for pair in rdiffs if pair.target != LAST)
    del rdiffs[gone]

    contents = compose_contents(chosen, images, rdiffs, URL)

    assert len(contents.rdiffs) == 9 - 3 - 1
    assert f" {LAST}\n".encode() not in contents.cksums
    assert gone.rdiff.encode() not in contents.cksums
    assert LAST not in parse_meta(contents.metas[AMXA], "meta").images


def test_a_repository_that_was_written_is_read(tmp_path: Path) -> None:
    (tmp_path / "meta").mkdir()
    for series, content in METAS.items():
        (tmp_path / "meta" / f"{series}.json").write_bytes(content)
    (tmp_path / "CKSUMS").write_bytes(CKSUMS)

    told = read_contents(tmp_path)

    _, images, rdiffs = original()
    assert told.images == {name: image.sums for name, image in images.items()}
    assert dict(told.rdiffs.values()) == rdiffs
    assert told.cksums is not None
    assert format_lines(told.cksums) == CKSUMS
    assert told.files.keys() == told.cksums.keys()


def test_an_empty_folder_tells_of_nothing(tmp_path: Path) -> None:
    told = read_contents(tmp_path)

    assert (told.files, told.cksums) == ({}, None)


def test_two_series_must_agree_on_an_image(tmp_path: Path) -> None:
    (tmp_path / "meta").mkdir()
    for size in (1, 2):
        text = METAS[AMXA].replace(b'"size":10899456', b'"size":%d' % size)
        (tmp_path / f"meta/{size}.json").write_bytes(text)

    with pytest.raises(WrongBytesError, match=r"2\.json: .* is another file in another series"):
        read_contents(tmp_path)


def test_a_meta_file_can_keep_silent_about_files() -> None:
    rdiff = next(iter(parse_meta(METAS[AMXA], "meta").rdiffs))

    told = parse_meta(without(METAS[AMXA], {LAST, rdiff}), "meta")

    assert LAST not in told.images
    assert rdiff not in told.rdiffs
    assert (len(told.images), len(told.rdiffs)) == (3, 5)
    assert without(METAS[AMXA], frozenset()) == METAS[AMXA]


def changed(old: str, new: str) -> bytes:
    return METAS[AMXA].decode().replace(old, new).encode()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(METAS[AMXA][:-1], id="cut off"),
        pytest.param(b"", id="empty"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b'{"a": 1, "b": 2}', id="two series"),
        pytest.param(b"[]", id="list"),
        pytest.param(b'{"a": null}', id="nothing"),
        pytest.param(b'{"a": {"images": [{}]}}', id="no name"),
        pytest.param(changed('"filename":"puavo', '"filename":"../puavo'), id="path"),
        pytest.param(changed('"size":10899456', '"size":"10899456"'), id="text for a size"),
        pytest.param(changed('"cksum":"2055978542"', '"cksum":"x"'), id="no CRC"),
        pytest.param(changed("--2022-01-20-173248", "--2022-01-20-173249"), id="another target"),
        pytest.param(changed("amd64.rdiff", "amd64"), id="no delta"),
    ],
)
def test_other_meta_files_are_refused(content: bytes) -> None:
    with pytest.raises(WrongBytesError, match=r"meta/a\.json: it is not what"):
        parse_meta(content, "meta/a.json")


def test_a_delta_tells_its_source_whatever_the_names() -> None:
    source, target = "a--b-2021-01-01-000000-x-y.img", "c-2022-01-01-000000-amd64.img"
    pair = Pair(source, target)
    images = {name: Described(SUMS, {}) for name in (source, target)}
    series = Series("s", (source, target), {target: (source,)})

    contents = compose_contents([(series, (pair,))], images, {pair: SUMS}, URL)

    assert parse_meta(contents.metas["s"], "meta").rdiffs == {pair.rdiff: (pair, SUMS)}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"1 2 a", ":1: it is no line", id="no line end"),
        pytest.param(b"1 2 a\n1 2\n", ":2: it is no line", id="no name"),
        pytest.param(b"1 2 a/b\n", ":1: it is no line", id="path"),
        pytest.param(b"01 2 a\n", ":1: it is no line", id="zero before"),
        pytest.param(b"\n", ":1: it is no line", id="empty line"),
        pytest.param(b"1 2 a\n1 3 a\n", ":2: a is there twice", id="twice"),
    ],
)
def test_other_lines_of_cksums_are_refused(content: bytes, words: str) -> None:
    with pytest.raises(WrongBytesError, match=words):
        parse_cksums(content, "CKSUMS")


def test_cksums_takes_names_with_blanks() -> None:
    assert parse_cksums(b"1 2 a b.img\n", "CKSUMS") == {"a b.img": (1, 2)}


def test_what_a_meta_file_lacks_is_told_in_words() -> None:
    with pytest.raises(WrongBytesError) as raised:
        parse_meta(b'{"series": {}}', "m.json")

    assert raised.value.what.endswith("must be: 'images' is missing")
