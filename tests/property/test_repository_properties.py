"""What the image repository writes, it reads; any other text is a value or the one error."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as some

from release_builder.errors import DescriptorError, WrongBytesError
from release_builder.repository.cksums import format_cksums, format_lines, parse_cksums
from release_builder.repository.configuration import (
    Compat,
    Configuration,
    Series,
    format_configuration,
    parse_configuration,
)
from release_builder.repository.contents import compose_contents
from release_builder.repository.defaults_mk import format_defaults, parse_defaults
from release_builder.repository.description import Described, parse_meta
from release_builder.repository.names import ImageName, parse_image
from release_builder.repository.selection import Policy, ambiguous, pairs
from release_builder.repository.sums import Sums

SUMS = some.builds(
    Sums,
    some.integers(0, 2**63 - 1),
    some.integers(0, 2**32 - 1),
    some.text("0123456789abcdef", min_size=64, max_size=64),
    some.text("0123456789abcdef", min_size=128, max_size=128),
)
PART = some.text("ab-. ö$#", min_size=1, max_size=8)
STAMP = some.sampled_from(["2021-01-01-000000", "2022-02-02-000000", "2023-03-03-000000"])
IMAGE = some.builds(ImageName, PART, STAMP, PART).map(str).filter(parse_image)


@some.composite
def some_series(draw: some.DrawFn) -> Series:
    name = draw(PART.filter(lambda name: name[0] != "."))
    images = draw(some.lists(IMAGE, unique=True, max_size=5))
    extra = {
        target: tuple(draw(some.lists(IMAGE.filter(target.__ne__), unique=True, max_size=2)))
        for target in images[:2]
    }
    return Series(name, tuple(images), {target: found for target, found in extra.items() if found})


SERIES = some_series()


@given(some.text())
def test_a_name_is_an_images_or_not(name: str) -> None:
    image = parse_image(name)

    assert image is None or str(image) == name


@given(some.lists(SERIES, unique_by=lambda series: series.name, max_size=3))
def test_a_configuration_that_can_be_written_is_read(series: list[Series]) -> None:
    configuration = Configuration("buster", tuple(series))

    for compat in Compat:
        with suppress(DescriptorError):
            text = format_configuration(configuration, compat)
            assert parse_configuration(text, Path("buster.json")) == configuration


@given(some.text())
def test_any_text_is_a_configuration_or_refused(text: str) -> None:
    with suppress(DescriptorError):
        parse_configuration(text, Path("buster.json"))


@given(SERIES, some.data())
def test_a_repository_is_read_as_it_was_written(series: Series, data: some.DataObject) -> None:
    chosen = pairs(series, Policy())
    images = {name: Described(data.draw(SUMS), {}) for name in series.images}
    rdiffs = {pair: data.draw(SUMS) for pair in set(chosen) - set(ambiguous(chosen))}

    contents = compose_contents([(series, chosen)], images, rdiffs, "https://a")

    meta = parse_meta(contents.metas[series.name], "meta")
    assert meta.images == {name: image.sums for name, image in images.items()}
    assert dict(meta.rdiffs.values()) == rdiffs
    assert parse_cksums(contents.cksums, "CKSUMS").keys() == meta.images.keys() | meta.rdiffs.keys()


@given(some.binary())
def test_any_bytes_are_a_meta_file_or_refused(content: bytes) -> None:
    with suppress(WrongBytesError):
        parse_meta(content, "meta")


@given(some.binary() | some.dictionaries(IMAGE, SUMS).map(format_cksums))
def test_cksums_is_the_same_when_it_was_read(content: bytes) -> None:
    with suppress(WrongBytesError):
        lines = parse_cksums(content, "CKSUMS")
        assert len(lines) < content.count(b"\n") or format_lines(lines) == content


@given(some.text())
def test_a_variable_is_read_as_it_was_written(value: str) -> None:
    with suppress(DescriptorError):
        text = format_defaults({"image_dir": value})
        assert parse_defaults(text, "defaults.mk") == {"image_dir": value}


@given(some.text())
def test_any_text_sets_variables_or_is_refused(text: str) -> None:
    with suppress(DescriptorError):
        parse_defaults(text, "defaults.mk")
