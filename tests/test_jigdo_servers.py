"""New URLs in [Servers], and nothing else new."""

from __future__ import annotations

import gzip

import pytest

from release_builder.digests import Digest
from release_builder.errors import DescriptorError
from release_builder.jigdo.location import JigdoError, parse_jigdo
from release_builder.jigdo.servers import Change, Rewrite, rewrite_servers
from release_builder.jigdo.syntax import quote_word, split_words

NAME = "t.jigdo"
PART = Digest("md5", bytes(range(16))).jigdo.encode()
WANTED = {"A": "http://new/8/"}
PLAIN = b"""\
# JigsawDownload
[Jigdo]
Version=1.2

[Image]
Filename=o.iso
Template=t.template

[Parts]
%s=A:x
[Servers]
# where it lies
A=http://old/beta/
"""
PLAIN = PLAIN % PART


def rewrite(content: bytes, wanted: dict[str, str] | None = None) -> Rewrite:
    return rewrite_servers(content, WANTED if wanted is None else wanted, NAME)


def servers(*lines: bytes) -> bytes:
    """A .jigdo file whose line 4 is the first of ``lines``, below [Servers]."""
    return b"\n".join([b"[Image]", b"Filename=o.iso", b"[Servers]", *lines, b""])


def test_the_url_of_a_label_is_replaced() -> None:
    rewritten = rewrite(PLAIN)

    assert rewritten == Rewrite(
        content=PLAIN.replace(b"http://old/beta/", b"http://new/8/"),
        changes=(Change("A", "http://old/beta/", "http://new/8/", 13),),
        unknown=(),
        notes=(),
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(b"A=x", b"A=http://new/8/", id="plain"),
        pytest.param(b" A\t=  x  ", b" A\t=  http://new/8/  ", id="blanks"),
        pytest.param(b"A=x --try-last # c", b"A=http://new/8/ --try-last # c", id="options"),
        pytest.param(b"A='x y' z", b"A=http://new/8/ z", id="single quotes"),
        pytest.param(b'A="x \\" y"z w', b"A=http://new/8/ w", id="double quotes"),
        pytest.param(b"A='x y", b"A=http://new/8/", id="quote without end"),
        pytest.param(b"A=x#c", b"A=http://new/8/#c", id="comment at once"),
        pytest.param(b"A=", b"A=http://new/8/", id="no value"),
        pytest.param(b"A= # c", b"A=http://new/8/ # c", id="only a comment"),
        pytest.param(b"A='' o", b"A=http://new/8/ o", id="empty word"),
        pytest.param(b"A=http://new/8", b"A=http://new/8/", id="slash missing"),
        pytest.param(b"A=http://new/8//", b"A=http://new/8/", id="slash too many"),
        pytest.param(b"A=B:x/", b"A=http://new/8/", id="another label"),
        pytest.param(b"A=x # caf\xe9", b"A=http://new/8/ # caf\xe9", id="latin-1"),
    ],
)
def test_all_but_the_url_stays(before: bytes, after: bytes) -> None:
    content = servers(b"# c", before, b"B=y")

    rewritten = rewrite(content)

    assert rewritten.content == servers(b"# c", after, b"B=y")
    assert [change.line for change in rewritten.changes] == [5]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(servers(b"A=http://new/8/"), id="right already"),
        pytest.param(servers(b"A='http://new/8/' o # c"), id="right in quotes"),
        pytest.param(servers(b"A=http://old/", b"A=http://new/8/"), id="second line is right"),
        pytest.param(servers(b"B=x"), id="label neither used nor listed"),
        pytest.param(servers(b"#A=x", b"[Comment]", b"A=x"), id="comments"),
        pytest.param(servers(b"B=x", b"[servers]", b"A=x"), id="another section"),
        pytest.param(gzip.compress(servers(b"A=http://new/8/")), id="gzip"),
    ],
)
def test_what_is_right_stays_as_it_came(content: bytes) -> None:
    rewritten = rewrite(content)

    assert rewritten.content == content
    assert rewritten.changes == ()
    assert rewritten.notes == ()


def test_of_several_lines_the_first_is_replaced_and_the_others_are_noted() -> None:
    rewritten = rewrite(servers(b"A=http://a/", b"A=http://b/ x", b"[Servers]", b"A=http://c/"))

    assert rewritten.content == servers(
        b"A=http://new/8/", b"A=http://b/ x", b"[Servers]", b"A=http://c/"
    )
    assert rewritten.notes == (
        f"{NAME}:5: A is http://b/ as well: left as it is",
        f"{NAME}:7: A is http://c/ as well: left as it is",
    )


def test_line_ends_and_bom_stay() -> None:
    content = b"\xef\xbb\xbf" + PLAIN.replace(b"\n", b"\r\n")

    rewritten = rewrite(content)

    assert rewritten.content == content.replace(b"http://old/beta/", b"http://new/8/")


def test_a_packed_file_comes_back_as_text() -> None:
    rewritten = rewrite(gzip.compress(PLAIN))

    assert rewritten.content == rewrite(PLAIN).content


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        pytest.param(b"[Servers]\n", b"[Servers]\nA=http://new/8/\n", 5, id="empty section"),
        pytest.param(b"[Servers]", b"[Servers]\nA=http://new/8/\n", 5, id="at the very end"),
        pytest.param(
            b"[Servers] # c\r\nB=b\r\n[Servers]\r\n",
            b"[Servers] # c\r\nA=http://new/8/\r\nB=b\r\n[Servers]\r\n",
            5,
            id="first of two, CR LF",
        ),
        pytest.param(b"", b"\n[Servers]\nA=http://new/8/\n", 6, id="no section"),
        pytest.param(b"# c", b"# c\n\n[Servers]\nA=http://new/8/\n", 7, id="no section, no LF"),
    ],
)
def test_a_label_that_only_parts_use_gets_a_line(before: bytes, after: bytes, line: int) -> None:
    start = b"[Image]\n[Parts]\n" + PART + b"=A:x\n"

    rewritten = rewrite(start + before)

    assert rewritten.content == start + after
    assert rewritten.changes == (Change("A", "", "http://new/8/", line),)


def test_lines_are_numbered_as_in_the_new_content() -> None:
    content = servers(b"A=a", b"A=b", b"[Parts]", PART + b"=B:x", PART + b"=C:x")

    rewritten = rewrite(content, {"A": "http://a/", "B": "http://b/", "C": "http://c/"})

    lines = rewritten.content.decode().split("\n")
    assert [lines[change.line - 1] for change in rewritten.changes] == [
        "B=http://b/",
        "C=http://c/",
        "A=http://a/",
    ]
    assert rewritten.notes == (f"{NAME}:7: A is b as well: left as it is",)


def test_labels_that_nobody_gave_a_url_for_are_told() -> None:
    content = servers(b"B=b", b"A=a", b"[Parts]", PART + b"='C d:x'", PART + b"=B:y")

    rewritten = rewrite(content)

    assert rewritten.unknown == ("C d", "B")


@pytest.mark.parametrize(
    "location",
    [
        pytest.param(b"http://h/x", id="URL"),
        pytest.param(b"file:/x", id="file"),
        pytest.param(b"/x", id="path"),
        pytest.param(b"x", id="no colon"),
        pytest.param(b":x", id="empty label"),
        pytest.param(b"=A:x", id="padded digest"),
        pytest.param(b"'#A:x'", id="would be a comment"),
        pytest.param(b"'[A:x'", id="would be a section"),
        pytest.param(b"' A:x'", id="would lose its blank"),
    ],
)
def test_what_cannot_be_a_label_is_none(location: bytes) -> None:
    content = servers(b"[Parts]", PART + b"=" + location)

    rewritten = rewrite(content, {"http": "x", "file": "x", "": "x", "=A": "x", "#A": "x"})

    assert rewritten == Rewrite(content, (), (), ())


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        pytest.param("http://h/x:y=z", "http://h/x:y=z", id="nothing special"),
        pytest.param("a b", "'a b'", id="blank"),
        pytest.param("a#b", "'a#b'", id="hash"),
        pytest.param('a"b', "'a\"b'", id="double quote"),
        pytest.param("a\\b", "'a\\b'", id="backslash"),
        pytest.param("a'b", '"a\'b"', id="single quote"),
        pytest.param("a'\"\\b", '"a\'\\"\\\\b"', id="all"),
    ],
)
def test_words_are_quoted_as_jigdo_file_does(text: str, quoted: str) -> None:
    assert quote_word(text) == quoted
    assert [word.text for word in split_words(quoted)[0]] == [text]


@pytest.mark.parametrize("url", ["", "http://h/\nB=evil", "http://h/\r", "a\tb", "\0"])
def test_a_url_that_would_break_the_line_is_refused(url: str) -> None:
    with pytest.raises(DescriptorError, match="is no URL for the server A"):
        rewrite(PLAIN, {"A": url})


@pytest.mark.parametrize("content", [b"", b"<html>", b"[Image]\n\0", b"\x1f\x8b"])
def test_what_is_no_jigdo_file_is_refused(content: bytes) -> None:
    with pytest.raises(JigdoError, match=f"^{NAME}:"):
        rewrite(content)


def test_what_was_rewritten_is_what_is_read() -> None:
    rewritten = rewrite(PLAIN, {"A": 'http://new/it\'s a "place"#1/'})

    assert parse_jigdo(rewritten.content, NAME).urls("A:x") == ('http://new/it\'s a "place"#1/x',)
