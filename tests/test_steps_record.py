"""``release.json``: what a public release says of itself, read back as it was written."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from page_samples import NEXT_TO_NOTHING, RELEASE, image

from release_builder.digests import Digest
from release_builder.errors import WrongBytesError
from release_builder.steps.record import Record, RecordedFile, read_record, write_record

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Damage = Callable[[dict[str, Any]], object]

NAME = "testing/9.0beta3/release.json"
SUM = Digest("sha256", bytes(range(32)))
FILE = RecordedFile(7, (SUM, Digest("md5", bytes(16))))
RECORD = Record(RELEASE, {"iso/x86_64/": {"a.iso": FILE, "b.jigdo": FILE}, "iso/i386/": {}})


def changed(damage: Damage, record: Record = RECORD) -> bytes:
    """The record after something happened to its JSON."""
    document = json.loads(write_record(record))
    damage(document)
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(RECORD, id="all there is"),
        pytest.param(Record(NEXT_TO_NOTHING, {}), id="next to nothing"),
        pytest.param(Record(replace(RELEASE, images=()), {}), id="no image"),
    ],
)
def test_a_record_is_read_as_it_was_written(record: Record) -> None:
    written = write_record(record)

    assert read_record(written, NAME) == record
    assert write_record(read_record(written, NAME)) == written


def test_names_that_are_no_utf_8_are_read_as_they_were_written() -> None:
    name = "ü\udcff'.iso"
    page = replace(RELEASE, title="Ünïcode", images=(replace(image("i386"), name=name),))
    record = Record(page, {"iso/i386/": {name: FILE}})

    written = write_record(record)

    assert read_record(written, NAME) == record
    assert "Ünïcode".encode() in written


def test_times_are_written_in_utc() -> None:
    moment = datetime(2014, 2, 1, 9, 30, tzinfo=timezone(timedelta(hours=2)))

    written = write_record(Record(replace(RELEASE, published=moment), {}))

    assert json.loads(written)["published"] == "2014-02-01T07:30:00+00:00"
    assert read_record(written, NAME).page.published == moment
    assert read_record(written, NAME).page.published.tzinfo is UTC


def test_an_image_is_found_by_its_name() -> None:
    assert RECORD.image("smeserver-9.0beta3-i386.iso") == RELEASE.images[1]
    assert RECORD.image("smeserver-9.0beta3.iso") is None


def test_an_image_takes_the_place_of_the_one_of_its_name() -> None:
    new = replace(image("i386"), size=1)
    page = replace(RELEASE, notes=("new",), images=())

    record = RECORD.told_as(page).with_image(new, {"c.iso": FILE})

    assert record.page == replace(page, images=(new, image("x86_64")))
    assert "c.iso" in record.files["iso/i386/"]
    assert record.files["iso/x86_64/"] == RECORD.files["iso/x86_64/"]


def test_an_image_goes_with_its_files() -> None:
    gone = image("x86_64")
    beside = dict.fromkeys((gone.name, gone.jigdo, gone.template, "other.iso"), FILE)
    record = RECORD.with_image(gone, beside)

    left = record.without({(gone.folder, gone.name)})

    assert [each.arch for each in left.page.images] == ["i386"]
    assert not {gone.name, gone.jigdo, gone.template} & set(left.files[gone.folder])
    assert left.files[gone.folder]["other.iso"] == FILE


def test_an_image_of_the_same_name_in_another_folder_stays() -> None:
    other = replace(image("x86_64"), folder="old/")

    record = RECORD.with_image(other, {})

    assert len(record.page.images) == 3


def test_files_beside_an_image_stay_and_are_sorted() -> None:
    new = RecordedFile(8, (SUM,))

    record = RECORD.with_image(image("x86_64"), {"a.iso": new, "Z": new})

    assert list(record.files["iso/x86_64/"].items()) == [
        *(("Z", new), ("a.iso", new)),
        ("b.jigdo", FILE),
    ]


@pytest.mark.parametrize("schema", [2, 0, "1", None])
def test_another_schema_is_refused_with_a_clear_error(schema: object) -> None:
    content = changed(lambda document: document.update(schema=schema))

    with pytest.raises(WrongBytesError, match=f"{NAME} is of schema {schema}, and not") as caught:
        read_record(content, NAME)

    assert "version of release-builder" in caught.value.hint


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff", id="other bytes"),
        pytest.param(b"[]", id="list"),
        pytest.param(b"null", id="null"),
        pytest.param(b'{"schema": 1}', id="schema alone"),
        pytest.param(b"[" * 100_000, id="nested too deeply"),
        pytest.param(write_record(RECORD)[:-9], id="cut short"),
    ],
)
def test_what_is_no_record_is_refused(content: bytes) -> None:
    with pytest.raises(WrongBytesError, match=f"{NAME} does not say what is public") as caught:
        read_record(content, NAME)

    assert "publish the release anew" in caught.value.hint


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda d: d.pop("schema"), id="no schema"),
        pytest.param(lambda d: d.pop("files"), id="no files"),
        pytest.param(lambda d: d.pop("version"), id="no version"),
        pytest.param(lambda d: d.update(x=1), id="unknown key"),
        pytest.param(lambda d: d.update(title=1), id="title is a number"),
        pytest.param(lambda d: d.update(version="nine"), id="version is none"),
        pytest.param(lambda d: d.update(stage="gamma"), id="unknown stage"),
        pytest.param(lambda d: d.update(published="yesterday"), id="no time"),
        pytest.param(lambda d: d.update(published="2014-02-01T09:30:00"), id="no zone"),
        pytest.param(lambda d: d.update(published="0001-01-01T00:00:00+23:00"), id="no year"),
        pytest.param(lambda d: d.update(notes="text"), id="notes are no list"),
        pytest.param(lambda d: d.update(notes=[1]), id="note is a number"),
        pytest.param(lambda d: d.update(images=["a"]), id="image is a text"),
        pytest.param(lambda d: d["images"][0].update(size="1"), id="size is a text"),
        pytest.param(lambda d: d["images"][0].update(size=True), id="size is true"),
        pytest.param(lambda d: d["images"][0].update(size=1.5), id="size has a point"),
        pytest.param(lambda d: d["images"][0].update(name="../a.iso"), id="image leads out"),
        pytest.param(lambda d: d["images"][0].update(jigdo="/etc/x"), id=".jigdo leads out"),
        pytest.param(lambda d: d["images"][0].update(folder="../x/"), id="folder leads out"),
        pytest.param(lambda d: d["images"][0].update(sums=["../x"]), id="sums lead out"),
        pytest.param(lambda d: d["images"][0].update(digests={"md4": "00"}), id="algorithm"),
        pytest.param(lambda d: d["images"][0].update(digests={"md5": "00"}), id="short digest"),
        pytest.param(lambda d: d["images"][0].update(digests={"md5": 1}), id="digest is a number"),
        pytest.param(lambda d: d["images"][0].update(digests=[]), id="digests are a list"),
        pytest.param(lambda d: d["changes"][0].update(kind="lost"), id="unknown change"),
        pytest.param(lambda d: d["changes"][0].update(bugs=["1"]), id="bug is a text"),
        pytest.param(lambda d: d["changes"][0].update(old=None), id="null"),
        pytest.param(lambda d: d["files"].update({"../x/": {}}), id="files lead out"),
        pytest.param(lambda d: d["files"].update({"x/": {"a": {}}}), id="file without a size"),
        pytest.param(
            lambda d: d["files"].update({"x/": {"a": {"size": "1", "digests": {}}}}),
            id="file's size is a text",
        ),
        pytest.param(
            lambda d: d["files"].update({"x/": {"../a": {"size": 1, "digests": {}}}}),
            id="file leads out",
        ),
    ],
)
def test_a_damaged_record_is_refused(damage: Damage) -> None:
    with pytest.raises(WrongBytesError, match=f"{NAME} does not say what is public"):
        read_record(changed(damage), NAME)


def test_messages_have_no_control_characters_of_the_file() -> None:
    content = changed(lambda document: document.update({"a\x1b[2J": 1}))

    with pytest.raises(WrongBytesError) as caught:
        read_record(content, "a\x1b/release.json")

    assert "\x1b" not in str(caught.value)
