"""What holds for any bytes at all; tests/fuzz looks longer for what does not."""

from __future__ import annotations

import io
import time
import zlib

import pytest
from hostile import DESC, HEADER, IMAGE, TEMPLATE, data, desc, image_entry, unfinished, unmatched
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from release_builder.jigdo.entries import (
    TemplateError,
    format_description,
    parse_description,
)
from release_builder.jigdo.input_files import read_files_from
from release_builder.jigdo.location import parse_jigdo
from release_builder.jigdo.syntax import JigdoError
from release_builder.jigdo.template import read_template
from release_builder.jigdo.unfinished import format_unfinished, parse_unfinished, read_unfinished

SIZES = {1: 22, 2: 6, 3: 22, 4: 22, 5: 26, 6: 30, 7: 30, 8: 42, 9: 46, 10: 46}


@st.composite
def entries(draw: st.DrawFn, kinds: dict[str, tuple[int, ...]]) -> bytes:
    """Entries of a DESC part: runs of some ``kinds``, then an image that is as long as they."""
    algorithm = draw(st.sampled_from(sorted(kinds)))
    image = draw(st.sampled_from({"md5": (1, 5), "sha256": (8,)}[algorithm]))
    runs = draw(st.lists(st.sampled_from(kinds[algorithm]), max_size=6))
    made, total = b"", 0
    for kind in runs:
        length = draw(st.integers(1, 1 << 40))
        body = draw(st.binary(min_size=SIZES[kind] - 6, max_size=SIZES[kind] - 6))
        made += bytes([kind]) + length.to_bytes(6, "little") + body
        total += length
    digest = draw(st.binary(min_size=SIZES[image] - 7, max_size=SIZES[image] - 7))
    return made + bytes([image]) + total.to_bytes(6, "little") + digest + b"\1"


@given(entries({"md5": (2, 3, 4, 6, 7), "sha256": (2, 9, 10)}))
def test_an_unfinished_image_is_written_as_it_was_read(content: bytes) -> None:
    part = desc(content)

    read = parse_unfinished(part)

    assert format_unfinished(read.description, read.written) == part


@given(entries({"md5": (2, 3, 6), "sha256": (2, 9)}))
def test_a_description_is_written_as_it_was_read(content: bytes) -> None:
    part = desc(content)

    read = parse_description(part)

    assert format_description(read) == part


@given(st.binary(max_size=200))
def test_any_entries_are_written_as_they_were_read_or_refused(content: bytes) -> None:
    part = desc(content)

    try:
        read = parse_unfinished(part)
    except TemplateError:
        return

    assert format_unfinished(read.description, read.written) == part


@given(st.binary(max_size=300), st.binary(max_size=100))
@example(IMAGE, unfinished(b"", 1))
@example(b"", unfinished(IMAGE, 1))
def test_any_file_is_an_unfinished_image_or_none(image: bytes, tail: bytes) -> None:
    content = image + tail

    try:
        read = read_unfinished(io.BytesIO(content), "t")
    except TemplateError:
        return

    length = read.description.image.length
    assert content[length:] == format_unfinished(read.description, read.written)


def test_an_unfinished_image_that_was_cut_anywhere_is_none() -> None:
    for cut in range(len(DESC)):
        with pytest.raises(TemplateError, match=r"^t: no unfinished image"):
            read_unfinished(io.BytesIO(unfinished(IMAGE, 1)[: len(IMAGE) + cut]), "t")


def test_a_template_that_was_cut_anywhere_is_none() -> None:
    for cut in range(len(TEMPLATE)):
        with pytest.raises(TemplateError, match=r"^t: "):
            read_template(io.BytesIO(TEMPLATE[:cut]), "t")


@given(st.integers(0, 5000), st.integers(0, 5000), st.integers(0, 5000), st.integers(0, 5000))
def test_data_is_read_whole_or_refused(held: int, claimed: int, needed: int, cut: int) -> None:
    stream = zlib.compress(bytes(held))
    content = (
        HEADER
        + data(stream[: len(stream) - cut % 3], claimed)
        + desc(unmatched(needed), image_entry(length=needed))
    )

    length = 0
    try:
        reader = read_template(io.BytesIO(content), "t").unmatched()
        while piece := reader.read(1000):
            length += len(piece)
        reader.finish()
    except TemplateError:
        assert (held, cut % 3) != (needed, 0) or claimed != held
        return

    assert (length, cut % 3) == (held, 0)
    assert held == claimed == needed


LABELS = st.sampled_from("ABCDE")
SERVERS = st.lists(
    st.tuples(LABELS, st.sampled_from(["http://h/", "A:", "B:x/", "C:", "D:", "E:y", "F:"])),
    max_size=30,
)


@given(SERVERS, LABELS)
def test_labels_lead_to_a_few_urls_or_are_refused(
    servers: list[tuple[str, str]], label: str
) -> None:
    text = "[Image]\n[Servers]\n" + "".join(f"{name}={url}\n" for name, url in servers)
    jigdo = parse_jigdo(text.encode(), "t")

    try:
        urls = jigdo.urls(f"{label}:path")
    except JigdoError:
        return

    known = {name for name, _ in servers}
    assert 1 <= len(urls) <= 256
    assert all(url.endswith("path") for url in urls)
    assert not [url for url in urls if url.partition(":")[0] in known]


REPEATED = 3000  # times
SECONDS = 0.5  # for at most some 50 kB; a kB takes less than 1 ms
PIECES = st.lists(
    st.sampled_from(
        [
            *("[", "]", " ", "\t", "'", '"', "\\", "#", "=", ".", "0", "1", "x", "a=", "é", "\x0b"),
            *("[Include ", "Include", "Version=", "[Image]", "''", '""', "\\\\", "x ", "A:"),
        ]
    ),
    min_size=1,
    max_size=3,
).map("".join)


# Not shrunk: what takes long would take long over and over.
@settings(phases=[Phase.explicit, Phase.generate], max_examples=200)
@given(st.sampled_from(["Jigdo", "Image", "Servers", "Parts"]), PIECES, PIECES, PIECES)
@example("Jigdo", "[Include", " ", "x")
@example("Jigdo", "Version=", "0", "x")
@example("Servers", "A=", "'\"", "")
@example("Parts", "", "[", "")
def test_a_line_that_repeats_itself_takes_no_time(
    section: str, begin: str, again: str, end: str
) -> None:
    line = f"{begin}{again * REPEATED}{end}"

    before = time.process_time()
    parse_jigdo(f"[Image]\n[{section}]\n{line}\n".encode(), "t")

    assert time.process_time() - before < SECONDS


@given(st.binary())
def test_any_list_of_files_gives_names_that_are_its_lines(content: bytes) -> None:
    stream = io.BytesIO(content)

    names = [name.encode("utf-8", "surrogateescape") for name in read_files_from(stream)]

    assert b"" not in names
    assert content.startswith(b"\n".join(names))
