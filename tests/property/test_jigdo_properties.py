"""What holds for all templates and .jigdo files, and for any bytes at all."""

from __future__ import annotations

import bz2
import gzip
import io
import zlib

from hypothesis import given
from hypothesis import strategies as st

from release_builder.digests import LENGTHS, Digest
from release_builder.jigdo.entries import (
    Description,
    ImageInfo,
    MatchedFile,
    Run,
    TemplateError,
    UnmatchedData,
    format_description,
    parse_description,
)
from release_builder.jigdo.location import JigdoError, JigdoFile, parse_jigdo
from release_builder.jigdo.servers import rewrite_servers
from release_builder.jigdo.syntax import quote_word, read_lines, split_words
from release_builder.jigdo.template import read_template

HEADER = b"JigsawDownload template 2.0 test/1\r\n\r\n\r\n"
NAME = "t"


def digests(algorithm: str) -> st.SearchStrategy[Digest]:
    return st.binary(min_size=LENGTHS[algorithm], max_size=LENGTHS[algorithm]).map(
        lambda value: Digest(algorithm, value)
    )


@st.composite
def descriptions(draw: st.DrawFn, longest: int = 1 << 40) -> Description:
    algorithm = draw(st.sampled_from(["md5", "sha256"]))
    matched: st.SearchStrategy[Run] = st.builds(
        MatchedFile,
        st.integers(1, longest),
        st.binary(min_size=8, max_size=8),
        digests(algorithm),
    )
    unmatched: st.SearchStrategy[Run] = st.builds(UnmatchedData, st.integers(0, longest))
    runs = tuple(draw(st.lists(matched | unmatched, max_size=20)))
    block_length = draw(st.integers(1, (1 << 32) - 1))
    length = sum(run.length for run in runs)
    return Description(ImageInfo(length, draw(digests(algorithm)), block_length), runs)


@given(descriptions())
def test_a_description_that_was_written_is_read_as_it_was(description: Description) -> None:
    assert parse_description(format_description(description)) == description


@given(st.binary(max_size=200))
def test_any_bytes_are_a_description_or_a_template_error(entries: bytes) -> None:
    length = (16 + len(entries)).to_bytes(6, "little")

    try:
        description = parse_description(b"DESC" + length + entries + length)
    except TemplateError:
        return

    assert sum(run.length for run in description.runs) == description.image.length


@given(descriptions(longest=500), st.data())
def test_data_that_was_packed_in_any_way_comes_back(
    description: Description, data: st.DataObject
) -> None:
    size = description.unmatched_length
    plain = data.draw(st.binary(min_size=size, max_size=size))
    content, rest = HEADER, plain
    while rest:
        piece, rest = rest[: (cut := data.draw(st.integers(0, len(rest))))], rest[cut:]
        kind, stream = data.draw(
            st.sampled_from([(b"DATA", zlib.compress(piece)), (b"BZIP", bz2.compress(piece))])
        )
        content += kind + (16 + len(stream)).to_bytes(6, "little")
        content += len(piece).to_bytes(6, "little") + stream
    content += format_description(description)

    template = read_template(io.BytesIO(content), NAME)
    reader, unpacked = template.unmatched(), b""
    while len(unpacked) < size:
        unpacked += reader.read(data.draw(st.integers(1, 600)))
    reader.finish()

    assert template.description == description
    assert unpacked == plain


def changed(content: bytes) -> st.SearchStrategy[bytes]:
    """``content`` with a few bytes exchanged, taken out or put in."""
    change = st.tuples(st.integers(0, len(content)), st.integers(0, 4), st.binary(max_size=4))

    def apply(changes: list[tuple[int, int, bytes]]) -> bytes:
        other = content
        for at, taken, put in changes:
            other = other[:at] + put + other[at + taken :]
        return other

    return st.lists(change, max_size=4).map(apply)


def golden_template() -> bytes:
    stream = zlib.compress(b"unmatched bytes" * 10)
    runs = (UnmatchedData(150), MatchedFile(9, bytes(8), Digest("md5", bytes(16))))
    return (
        HEADER
        + b"DATA"
        + (16 + len(stream)).to_bytes(6, "little")
        + (150).to_bytes(6, "little")
        + stream
        + format_description(Description(ImageInfo(159, Digest("md5", bytes(16)), 1024), runs))
    )


@given(changed(golden_template()))
def test_a_damaged_template_gives_its_data_or_a_template_error(content: bytes) -> None:
    try:
        template = read_template(io.BytesIO(content), NAME)
        reader, length = template.unmatched(), 0
        while piece := reader.read(64):
            length += len(piece)
        reader.finish()
    except TemplateError:
        return

    assert length == template.description.unmatched_length


ODD = st.sampled_from("ab=#'\"\\ \t\r\v[]:/é\u00a0\u2028\ufeff\udce9")
LABELS = st.sampled_from(["A", "B", "Über", "a b"])
URLS = st.text(st.sampled_from("Ahtp:/.#'\" \\=é"), min_size=1, max_size=12)
QUOTED_URLS = URLS.map(quote_word)
VALUES = st.one_of(
    QUOTED_URLS,
    st.tuples(QUOTED_URLS, st.sampled_from([" -o", "#c", "  "])).map("".join),
    st.text(ODD, max_size=10),
)
LINES = st.one_of(
    st.sampled_from(
        ["[Image]", "[Servers]", "[Parts]", " [ Servers ] # c", "[servers]", "[Comment]", "[x", "#"]
    ),
    st.tuples(LABELS, st.sampled_from(["=", " = "]), VALUES).map("".join),
    st.tuples(
        digests("md5").map(lambda digest: digest.jigdo), st.just("="), LABELS, st.just(":x")
    ).map("".join),
    st.text(ODD, max_size=10),
)


@st.composite
def jigdo_files(draw: st.DrawFn) -> bytes:
    """The bytes of a .jigdo file in any dress."""
    lines = ["[Image]", *draw(st.lists(LINES, max_size=20))]
    end = draw(st.sampled_from(["\n", "\r\n"]))
    text = draw(st.sampled_from(["", "\ufeff"])) + end.join(lines)
    return (text + draw(st.sampled_from(["", end]))).encode("utf-8", "surrogateescape")


WANTED = st.dictionaries(LABELS, URLS, max_size=4)


@given(st.text(ODD))
def test_a_word_that_was_quoted_is_one_word(text: str) -> None:
    words, ended = split_words(quote_word(text))

    assert [word.text for word in words] == ([text] if text else [])
    assert ended


@given(st.binary() | jigdo_files() | st.binary().map(lambda tail: b"[Image]\n" + tail))
def test_any_bytes_are_a_jigdo_file_or_a_jigdo_error(content: bytes) -> None:
    try:
        jigdo = parse_jigdo(content, NAME)
        for locations in jigdo.parts.values():
            for location in locations:
                jigdo.urls(location)
    except JigdoError:
        return

    assert isinstance(jigdo, JigdoFile)


@given(jigdo_files(), WANTED)
def test_to_rewrite_again_changes_nothing(content: bytes, wanted: dict[str, str]) -> None:
    once = rewrite_servers(content, wanted, NAME)

    again = rewrite_servers(once.content, wanted, NAME)

    assert again.content == once.content
    assert again.changes == ()


@given(jigdo_files(), WANTED)
def test_only_the_lines_that_are_named_change(content: bytes, wanted: dict[str, str]) -> None:
    content += b"\n"
    rewritten = rewrite_servers(content, wanted, NAME)

    old, new = content.split(b"\n"), rewritten.content.split(b"\n")
    if not any(line.opens and line.section == "Servers" for line in read_lines(content, NAME)):
        assert rewritten.content.startswith(content)
        return
    more = len(new) - len(old)  # they stand together, above all that was replaced
    replaced = {change.line - 1 - more for change in rewritten.changes[more:]}
    named = {change.line - 1 for change in rewritten.changes}
    assert [line for number, line in enumerate(new) if number not in named] == [
        line for number, line in enumerate(old) if number not in replaced
    ]


@given(jigdo_files(), WANTED)
def test_after_a_rewrite_each_label_has_its_url(content: bytes, wanted: dict[str, str]) -> None:
    rewritten = rewrite_servers(content, wanted, NAME)

    servers = parse_jigdo(rewritten.content, NAME).servers
    found = {(server.label, server.url) for server in servers}
    assert all((change.label, change.new) in found for change in rewritten.changes)
    assert not {server.label for server in servers} - set(wanted) - set(rewritten.unknown)


@given(jigdo_files())
def test_packing_changes_nothing_but_the_dress(content: bytes) -> None:
    assert parse_jigdo(gzip.compress(content), NAME) == parse_jigdo(content, NAME)
