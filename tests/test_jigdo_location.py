"""What a .jigdo file says, and where its labels lead."""

from __future__ import annotations

import gzip
import hashlib
import time
from typing import TYPE_CHECKING

import pytest
from golden import GOLDEN

from release_builder.digests import Digest
from release_builder.errors import WrongBytesError
from release_builder.jigdo.location import (
    ImageSection,
    JigdoError,
    JigdoFile,
    Server,
    parse_jigdo,
    read_jigdo,
)
from release_builder.jigdo.syntax import split_words

if TYPE_CHECKING:
    from pathlib import Path

NAME = "t.jigdo"
PART = Digest("md5", bytes(range(16)))
SUM = Digest("md5", bytes(16))
IMAGE = "[Image]\nFilename=o.iso\nTemplate=t.template\n"


def parse(text: str) -> JigdoFile:
    return parse_jigdo(text.encode("utf-8", "surrogateescape"), NAME)


def with_part(value: str) -> JigdoFile:
    """A .jigdo file with one line in [Parts], its line 5."""
    return parse(f"{IMAGE}[Parts]\n{PART.jigdo}={value}\n")


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_what_jigdo_file_wrote_is_read(algorithm: str) -> None:
    content = (GOLDEN / f"{algorithm}.jigdo").read_bytes()
    image = (GOLDEN / "image.bin").read_bytes()
    template = (GOLDEN / f"{algorithm}.template").read_bytes()

    jigdo = parse_jigdo(content, NAME)

    def digest(data: bytes) -> Digest:
        return Digest(algorithm, hashlib.new(algorithm, data).digest())

    assert jigdo.generator == "jigdo-file/0.8.0"
    assert jigdo.image == ImageSection("image.bin", f"{algorithm}.template", (digest(template),))
    assert jigdo.servers == (Server("Base", "http://mirror.example/os/", (), 14),)
    assert jigdo.parts == {
        digest(image[2106:3136]): ("Base:b c#.bin",),
        digest(image[256:1806]): ("Base:a.txt",),
    }
    assert jigdo.problems == ()


def test_what_libjte_writes_is_read() -> None:
    jigdo = parse(
        "# JigsawDownload\n\n[Jigdo]\nVersion=1.1\nGenerator=libjte-2.0.0\n\n"
        "[Image]\nFilename=stdio:b.iso\nTemplate=http://localhost/dir/b.template\n"
        f"Template-MD5Sum={SUM.jigdo} \nInfo='It''s \"big\"'\n# Image size 10 bytes\n\n"
        f"[Parts]\n{PART.jigdo}=A:x\n{PART.jigdo}=A:x\n\n[Servers]\n"
    )

    assert (jigdo.version, jigdo.generator) == ("1.1", "libjte-2.0.0")
    assert jigdo.image.template_leaf == "b.template"
    assert jigdo.image.template_digests == (SUM,)
    assert jigdo.parts == {PART: ("A:x",)}
    assert jigdo.problems == ()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        pytest.param("", [], id="nothing"),
        pytest.param("  a\tb  ", ["a", "b"], id="blanks part words"),
        pytest.param("a#b c", ["a"], id="a comment begins inside a word"),
        pytest.param("# a", [], id="only a comment"),
        pytest.param("'a #\\b'", ["a #\\b"], id="single quotes are literal"),
        pytest.param('"a \\"b\\" \\\\ \\n #"', ['a "b" \\ n #'], id="double quotes know backslash"),
        pytest.param("a\\ b\\'\\#", ["a b'#"], id="backslash alone"),
        pytest.param("a'b'\"c\"\\d", ["abcd"], id="quotes inside a word"),
        pytest.param("''", [""], id="empty word"),
        pytest.param("''x", ["x"], id="empty quotes before a word"),
        pytest.param("a=b = c", ["a=b", "=", "c"], id="equals signs"),
        pytest.param("a\vb\u00a0c", ["a\vb\u00a0c"], id="only blank and tab part words"),
    ],
)
def test_values_are_split_as_jigdo_file_does(value: str, words: list[str]) -> None:
    split, ended = split_words(value)

    assert [word.text for word in split] == words
    assert ended


@pytest.mark.parametrize(
    ("value", "words"),
    [
        pytest.param("'un bal", ["un bal"], id="single quote"),
        pytest.param('a "un\\" bal', ["a", 'un" bal'], id="double quote"),
        pytest.param("back\\", ["back"], id="backslash"),
        pytest.param('"back\\', ["back"], id="backslash in quotes"),
    ],
)
def test_a_quote_without_end_takes_the_rest_of_the_line(value: str, words: list[str]) -> None:
    split, ended = split_words(value)

    assert [word.text for word in split] == words
    assert not ended


def test_words_beyond_the_first_are_options() -> None:
    jigdo = parse(
        f"{IMAGE}[Servers]\nA=http://a/ --try-last 'x y'\n[Parts]\n{PART.jigdo}=A:x opt\n"
    )

    assert jigdo.servers == (Server("A", "http://a/", ("--try-last", "x y"), 5),)
    assert jigdo.parts == {PART: ("A:x",)}


def test_sections_come_in_any_order_and_number() -> None:
    jigdo = parse(
        f"[Parts]\n{PART.jigdo}=A:1\n[Servers]\nA=http://a/\n{IMAGE}"
        f"[ Parts ] # more\n {SUM.jigdo} = B:2 \n{PART.jigdo}=B:1\n\t[Servers]\nB=http://b/\n"
    )

    assert jigdo.parts == {PART: ("A:1", "B:1"), SUM: ("B:2",)}
    assert [server.label for server in jigdo.servers] == ["A", "B"]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\xef\xbb\xbf[Image]\nFilename=o.iso\n", id="BOM before a section"),
        pytest.param(b"\xef\xbb\xbf# c\n[Image]\nFilename=o.iso\n", id="BOM before a comment"),
        pytest.param(b"# c\r\n[Image]\r\nFilename=o.iso\r\n", id="CR LF"),
        pytest.param(b"[Image]\nFilename=o.iso", id="no LF at the end"),
        pytest.param(gzip.compress(b"[Image]\nFilename=o.iso\n"), id="gzip"),
    ],
)
def test_every_dress_of_the_text_is_accepted(content: bytes) -> None:
    jigdo = parse_jigdo(content, NAME)

    assert jigdo.image.filename == "o.iso"
    assert jigdo.problems == ()


def test_names_that_are_no_utf_8_are_kept() -> None:
    jigdo = with_part("A:caf\udce9.deb")

    assert jigdo.parts[PART][0].encode("utf-8", "surrogateescape") == b"A:caf\xe9.deb"


def test_only_the_first_image_counts() -> None:
    jigdo = parse(f"{IMAGE}[Image]\nFilename=p.iso\nTemplate-MD5Sum={SUM.jigdo}\n")

    assert jigdo.image == ImageSection("o.iso", "t.template", ())
    assert jigdo.problems == (f"{NAME}:4: only the first [Image] section counts: ignored",)


@pytest.mark.parametrize(
    ("number", "image"),
    [
        pytest.param(1, ImageSection("o.iso", "t.template", ()), id="first"),
        pytest.param(2, ImageSection("p.iso", "", (SUM,)), id="second"),
        pytest.param(3, ImageSection("", "", ()), id="none"),
    ],
)
def test_another_image_may_be_meant(number: int, image: ImageSection) -> None:
    text = f"{IMAGE}[Image]\nFilename=p.iso\nTemplate-MD5Sum={SUM.jigdo}\n"

    jigdo = parse_jigdo(text.encode(), NAME, number)

    assert (jigdo.image, jigdo.problems) == (image, ())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("[Parts]\nx\n", "5: neither key=value nor a comment: ignored", id="no equals"),
        pytest.param("[Parts]\n=A:x\n", "5: neither key=value", id="no key"),
        pytest.param("[servers]\nA=x\n", "4: no section is called [servers] (it is spelt [Servers])", id="case"),
        pytest.param("[Foo]\nA=x\n", "4: no section is called [Foo]: ignored", id="unknown section"),
        pytest.param("[Ser vers]\n", "4: a broken [section] line", id="broken section"),
        pytest.param("[Parts]]\n", "4: a broken [section] line", id="two brackets"),
        pytest.param("[Parts\n", "4: a broken [section] line", id="no bracket"),
        pytest.param("[Include http://x/%5D]\n", "4: [Include http://x/%5D] is not followed", id="include"),
        pytest.param("[Servers]\nA=\n", "5: A has no value: ignored", id="empty value"),
        pytest.param("[Servers]\nA='' x\n", "5: A has no value: ignored", id="empty word"),
        pytest.param("[Servers]\nA='http://a/\n", "5: a quote or backslash has no end", id="quote"),
        pytest.param("[Parts]\nabc=A:x\n", "5: abc is no digest of a part: ignored", id="short digest"),
        pytest.param(f"[Parts]\n{PART.jigdo}==A:x\n", "5: a digest is written without =", id="padded key"),
        pytest.param("[Parts]\n\x1bé=A:x\n", "5: \\x1bé is no digest", id="unprintable key"),
        pytest.param("Template-MD5Sum=abc\n", "4: abc is no md5 digest: ignored", id="template digest"),
        pytest.param(f"Template-SHA256Sum={SUM.jigdo}\n", f"4: {SUM.jigdo} is no sha256", id="other digest"),
        pytest.param("[Jigdo]\nVersion=new\n", "5: new is no version", id="no version"),
    ],
)  # fmt: skip
def test_a_line_that_says_nothing_is_told(text: str, problem: str) -> None:
    jigdo = parse(IMAGE + text)

    assert len(jigdo.problems) == 1
    assert jigdo.problems[0].startswith(f"{NAME}:{problem}")


@pytest.mark.parametrize("section", ["[Comment]", "[comment]"])
def test_comment_sections_may_hold_anything(section: str) -> None:
    jigdo = parse(f"{section}\nwhat = ever 'you like\n\n{IMAGE}{section}\n=\n")

    assert jigdo.problems == ()


def test_entries_below_an_include_are_ignored_until_the_next_section() -> None:
    jigdo = parse(f"{IMAGE}[Servers]\nA=http://a/\n[Include http://x/]\nA=http://b/\n")

    assert [server.url for server in jigdo.servers] == ["http://a/"]


def test_entries_below_a_broken_section_belong_to_the_one_before() -> None:
    jigdo = parse(f"{IMAGE}[Servers]\n[Parts\nA=http://a/\n")

    assert [server.url for server in jigdo.servers] == ["http://a/"]


def test_a_flood_of_problems_is_not_kept() -> None:
    jigdo = parse(IMAGE + "x\n" * 10_000)

    assert len(jigdo.problems) == 100


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", "no .jigdo file", id="empty"),
        pytest.param(b"<html>\n<body>404\n", "no .jigdo file", id="web page"),
        pytest.param(b"[Jigdo]\nVersion=1.2\n[Parts]\n", r"has no \[Image\]", id="no image"),
        pytest.param(b"[Image]\nA=\0\n", "2: a line with a NUL", id="NUL"),
        pytest.param(b"[Image]\nA=" + b"x" * 70_000, "2: a line with more than 65,536", id="line"),
        pytest.param(gzip.compress(b"[Image]\n")[:-3], "gzip stream is broken", id="gzip cut"),
        pytest.param(gzip.compress(b"[Image]\n") + b"[x]", "gzip stream is broken", id="gzip and"),
        pytest.param(gzip.compress(bytes(65 << 20)), "larger than 67,108,864", id="gzip bomb"),
        pytest.param(gzip.compress(b"\n" * 1_100_000), "more than 524,288 lines", id="LF bomb"),
        pytest.param(b"[Jigdo]\nVersion=3\n[Image]\n", "2: format version 3 needs", id="version 3"),
        pytest.param(
            b"[Jigdo]\nVersion=99999999999.1\n[Image]\n", "needs a newer", id="version huge"
        ),
        pytest.param(
            b"[Jigdo]\nVersion=" + b"9" * 9000 + b"\n[Image]\n", "9{20} needs", id="endless version"
        ),
    ],
)
def test_a_useless_file_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(JigdoError, match=f"^{NAME}.*{words}"):
        parse_jigdo(content, NAME)


@pytest.mark.parametrize("version", ["1.0", "1.2", "2.0", "2.99", "0002", "0"])
def test_versions_up_to_2_are_read(version: str) -> None:
    jigdo = parse(f"[Jigdo]\nVersion={version}\n{IMAGE}")

    assert jigdo.version == version


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(f"[Include{' ' * 60_000}x", id="Include without end"),
        pytest.param(f"[{' ' * 60_000}x y", id="section without end"),
        pytest.param(f"[Jigdo]\nVersion={'0' * 60_000}x", id="version of zeros"),
    ],
)
def test_a_long_line_that_means_nothing_is_told_at_once(line: str) -> None:
    before = time.process_time()
    jigdo = parse(f"{IMAGE}{line}\n")

    assert time.process_time() - before < 0.5
    assert len(jigdo.problems) == 1


def test_a_file_is_named_as_its_path_is(tmp_path: Path) -> None:
    path = tmp_path / "x.jigdo"
    path.write_text(f"{IMAGE}x\n")

    assert read_jigdo(path) == parse_jigdo(path.read_bytes(), str(path))


def test_a_file_without_end_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "x.jigdo"
    with path.open("wb") as out:
        out.truncate(1 << 40)

    with pytest.raises(JigdoError, match=r"x\.jigdo is larger than 67,108,864 bytes"):
        read_jigdo(path)


def urls(servers: str, location: str) -> tuple[str, ...]:
    return parse(f"{IMAGE}[Servers]\n{servers}\n").urls(location)


@pytest.mark.parametrize(
    ("servers", "location", "found"),
    [
        pytest.param("A=http://a/", "A:x/y", ["http://a/x/y"], id="one"),
        pytest.param("A=http://a/\nA=http://b/", "A:x", ["http://a/x", "http://b/x"], id="two"),
        pytest.param("A=http://a/\nA=http://a/", "A:x", ["http://a/x"], id="twice the same"),
        pytest.param("A=http://a/", "A:b:c", ["http://a/b:c"], id="first colon counts"),
        pytest.param("A=http://a/", "http://h/x", ["http://h/x"], id="URL"),
        pytest.param("A=http://a/", "B:x", ["B:x"], id="unknown label"),
        pytest.param("A=http://a/", "A", ["A"], id="no colon"),
        pytest.param("A=http://a/", "/x", ["/x"], id="path"),
        pytest.param("A=http://a/", "A:../x", ["http://a/../x"], id="paths stay as they are"),
        pytest.param(
            "T=A:t/\nA=B:a/\nB=http://h/\nB=ftp://g/",
            "T:x",
            ["http://h/a/t/x", "ftp://g/a/t/x"],
            id="labels in labels",
        ),
        pytest.param(
            "T=A:1/\nT=http://t/\nT=A:2/\nA=http://a/\nA=http://b/",
            "T:x",
            ["http://a/1/x", "http://b/1/x", "http://t/x", "http://a/2/x", "http://b/2/x"],
            id="order of the lines",
        ),
    ],
)  # fmt: skip
def test_labels_become_urls(servers: str, location: str, found: list[str]) -> None:
    assert urls(servers, location) == tuple(found)


@pytest.mark.parametrize(
    ("servers", "words"),
    [
        pytest.param("A=A:x/", "circle: A → A", id="self"),
        pytest.param("A=B:x/\nB=C:\nC=A:", "circle: A → B → C → A", id="loop"),
        pytest.param("A=http://a/\nA=A:", "circle: A → A", id="loop beside a URL"),
    ],
)
def test_labels_that_lead_in_a_circle_are_named(servers: str, words: str) -> None:
    with pytest.raises(JigdoError, match=f"^{NAME}: .*{words}"):
        urls(servers, "A:x")


def test_a_long_chain_of_labels_is_refused() -> None:
    chain = "\n".join(f"L{i}=L{i + 1}:" for i in range(60_000))

    with pytest.raises(JigdoError, match="more than 64 labels"):
        urls(chain, "L0:x")


def test_64_labels_in_a_row_are_followed() -> None:
    chain = "\n".join(f"L{i}=L{i + 1}:" for i in range(64))

    assert urls(chain, "L0:x") == ("L64:x",)


def test_alternatives_that_multiply_are_refused() -> None:
    servers = "L0=http://h/\n" + "\n".join(
        f"L{i}=L{i - 1}:a/\nL{i}=L{i - 1}:b/" for i in range(1, 26)
    )

    assert len(urls(servers, "L8:x")) == 256
    with pytest.raises(JigdoError, match="leads to more than 256 URLs"):
        urls(servers, "L25:x")


def test_urls_may_have_65_536_characters() -> None:
    long = "x" * 40_000
    servers = f"A=B:{long}\nB=http://h/{long}\nC=B:{long[: 65_536 - 40_000 - 10]}\n"

    assert len(urls(servers, "C:x")[0]) == 65_536
    with pytest.raises(JigdoError, match="A → B leads to a URL of more than 65,536 characters"):
        urls(servers, "A:x")


def test_long_labels_are_cut_in_messages() -> None:
    label = "L" * 1000

    with pytest.raises(JigdoError) as caught:
        urls(f"{label}={label}:", f"{label}:x")

    assert caught.value.what.endswith(f" circle: {label[:40]} → {label[:40]}")


@pytest.mark.parametrize(
    ("template", "leaf"),
    [
        pytest.param("t.template", "t.template", id="leaf"),
        pytest.param("http://localhost/a/b.template", "b.template", id="URL"),
        pytest.param("../x/t.template", "t.template", id="relative"),
    ],
)
def test_the_template_has_a_plain_name(template: str, leaf: str) -> None:
    assert ImageSection("o.iso", template, ()).template_leaf == leaf


@pytest.mark.parametrize("template", ["", "http://h/", "x/..", "x/."])
def test_a_template_without_plain_name_is_refused(template: str) -> None:
    section = ImageSection("o.iso", template, ())

    with pytest.raises(WrongBytesError):
        _ = section.template_leaf


def test_a_name_that_libjte_did_not_quote_is_read_as_it_stands() -> None:
    key = "5tl_pwdBbmWAzI5tHnkOsw"
    text = (
        f"[Jigdo]\nVersion=1.1\nGenerator=libjte-2.0.0\n[Image]\n[Parts]\n{key}=M:it's #1 a.rpm\n"
    )

    jigdo = parse_jigdo(text.encode(), "x.jigdo")

    assert jigdo.parts == {Digest.from_jigdo(key): ("M:it's #1 a.rpm",)}
    assert jigdo.problems == ()
