"""What holds for all .jigdo text that we write, whatever it starts from."""

from __future__ import annotations

import gzip
import io

from hypothesis import given
from hypothesis import strategies as st

from release_builder.digests import LENGTHS, Digest
from release_builder.jigdo.compose import ImageText, compose_jigdo, used_labels
from release_builder.jigdo.input_files import read_files_from
from release_builder.jigdo.location import ImageSection, parse_jigdo
from release_builder.jigdo.syntax import JigdoError, quote_word

# Bytes that mean something somewhere, and any others that a name can have.
NAMES = (
    st.text("\ra'\"\\ #\t=:[]{}\udcff\u00e9", min_size=1)
    | st.binary(min_size=1).map(
        lambda raw: raw.replace(b"\n", b"").replace(b"\0", b"").decode("utf-8", "surrogateescape")
    )
).filter(bool)
LABELS = st.text("AZaz09-_'\"\\\u00e9", min_size=1, max_size=3)
PIECES = st.lists(
    st.sampled_from(
        [
            *("[Jigdo]", "[Image]", "[Servers]", "[Parts]", "[Comment]", "[Include http://x]"),
            *("Version=1.0", "Template-MD5Sum=", "Template-MD5Sum = # c", "A=http://a/", "B='b"),
            *(
                "AAAAAAAAAAAAAAAAAAAAAA=A:x",
                "AAAAAAAAAAAAAAAAAAAAAA=",
                "AAAAAAAAAAAAAAAAAAAAAA=B:y",
            ),
            *("# c", "", "junk", "[broken", "# JigsawDownload"),
        ]
    ),
    max_size=12,
).map(lambda rows: "\n".join(rows).encode())
IMAGE = ImageText("i.iso", "i.template", Digest("md5", bytes([9]) * 16))


def digests() -> st.SearchStrategy[Digest]:
    def of(algorithm: str) -> st.SearchStrategy[Digest]:
        length = LENGTHS[algorithm]
        return st.binary(min_size=length, max_size=length).map(lambda raw: Digest(algorithm, raw))

    return of("md5") | of("sha256")


@given(
    image=st.builds(ImageText, NAMES, NAMES, digests()),
    urls=st.dictionaries(LABELS, st.lists(NAMES, min_size=1, max_size=3, unique=True)),
    names=st.dictionaries(digests(), NAMES),
    data=st.data(),
)
def test_what_was_written_is_read_as_it_was(
    image: ImageText, urls: dict[str, list[str]], names: dict[Digest, str], data: st.DataObject
) -> None:
    labels = st.sampled_from([*urls, "Other"])
    parts = {digest: f"{data.draw(labels)}:{name}" for digest, name in names.items()}

    content = compose_jigdo(
        generator="test/1",
        version="2.0",
        image=image,
        servers={label: [f"{quote_word(url)} --opt" for url in urls[label]] for label in urls},
        parts=parts.items(),
        merge=None,
    )

    jigdo = parse_jigdo(content, "t")
    used = {place.partition(":")[0] for place in parts.values()}
    assert content.startswith(b"# JigsawDownload\n")
    assert (jigdo.version, jigdo.generator) == ("2.0", "test/1")
    assert jigdo.image == ImageSection(image.filename, image.template, (image.template_digest,))
    assert jigdo.parts == {digest: (place,) for digest, place in parts.items()}
    assert [(server.label, server.url, server.options) for server in jigdo.servers] == [
        (label, url, ("--opt",)) for label in urls if label in used for url in urls[label]
    ]
    assert jigdo.problems == ()


def composed(merge: bytes) -> bytes:
    return compose_jigdo(
        generator="test/1",
        version="1.2",
        image=IMAGE,
        servers={"L": ["file:l/"]},
        parts=[(Digest("md5", bytes(16)), "L:0"), (Digest("md5", bytes([1]) * 16), "L:1")],
        merge=merge,
    )


def body(content: bytes) -> set[bytes]:
    """The lines that say something, but for a sum that may be filled in."""
    rows = {row.strip() for row in content.splitlines()}
    return {row for row in rows if row and not row.startswith((b"Template-MD5Sum", b"[Parts]"))}


@given(PIECES)
def test_whatever_is_merged_keeps_its_lines_and_gets_all_that_is_new(merge: bytes) -> None:
    try:
        content = composed(merge)
    except JigdoError:
        assert not any(row.startswith(b"[") and row.endswith(b"]") for row in merge.splitlines())
        return

    jigdo = parse_jigdo(content, "t")
    sums = [row for row in content.splitlines() if IMAGE.template_digest.jigdo.encode() in row]
    assert body(merge) <= body(content)
    assert len(sums) == 1
    assert jigdo.parts[Digest("md5", bytes([1]) * 16)] == ("L:1",)
    assert jigdo.urls("L:1") == ("file:l/1",)
    assert ("L:0" in jigdo.parts[Digest("md5", bytes(16))]) == (
        not {"A:x", "B:y"} & set(jigdo.parts[Digest("md5", bytes(16))])
    )
    assert content.count(b"\n[Parts]\n") == 1
    assert "L" in used_labels(content)


@given(PIECES)
def test_to_merge_the_same_again_changes_nothing(merge: bytes) -> None:
    content = composed(b"[Jigdo]\n" + merge + b"\n[Image]\nTemplate-MD5Sum=\n")
    blank = content.replace(IMAGE.template_digest.jigdo.encode(), b"")

    again = composed(gzip.compress(blank))

    assert again == content


@given(st.binary(max_size=200))
def test_any_bytes_are_merged_or_a_jigdo_error(merge: bytes) -> None:
    try:
        content = composed(merge)
    except JigdoError:
        return

    assert parse_jigdo(content, "t").urls("L:1") == ("file:l/1",)


@given(st.lists(NAMES), st.binary())
def test_names_in_a_list_come_back_and_the_rest_is_left(names: list[str], rest: bytes) -> None:
    lines = "".join(f"{name}\n" for name in names).encode("utf-8", "surrogateescape")
    stream = io.BytesIO(lines + b"\n" + rest)

    read = list(read_files_from(stream))

    assert read == names
    assert stream.read() == rest
