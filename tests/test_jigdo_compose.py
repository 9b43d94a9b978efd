"""The .jigdo text that we write, byte by byte, and what becomes of a file that it starts from."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest
from golden import GOLDEN

from release_builder.digests import Digest
from release_builder.errors import DescriptorError, WrongBytesError
from release_builder.jigdo.compose import ImageText, compose_jigdo, servers_of, used_labels
from release_builder.jigdo.input_files import Root
from release_builder.jigdo.location import ImageSection, parse_jigdo
from release_builder.jigdo.syntax import JigdoError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ONE, TWO, SUM = (Digest("md5", bytes([number]) * 16) for number in (1, 2, 3))
SUM_256 = Digest("sha256", bytes([4]) * 32)
IMAGE = ImageText("i.iso", "i.template", SUM)
TOP = "# JigsawDownload\n# What an image consists of, and where to get it; see jigdo-file(1)\n\n"
JIGDO = "[Jigdo]\nVersion=1.2\nGenerator=test/1\n\n"
IMAGE_LINES = f"[Image]\nFilename=i.iso\nTemplate=i.template\nTemplate-MD5Sum={SUM.jigdo}\n\n"
SERVER_LINES = "[Servers]\nA=file:t/\n\n"
PART_LINES = f"[Parts]\n{ONE.jigdo}=A:one\n"
START = "# JigsawDownload\n[Jigdo]\n"
EMPTY_SUM = "[Image]\nFilename=i.iso\nTemplate=i.template\nTemplate-MD5Sum=\n\n"


def compose(
    merge: str | bytes | None = None,
    *,
    image: ImageText | None = IMAGE,
    servers: Mapping[str, Sequence[str]] | None = {"A": ["file:t/"]},
    parts: Iterable[tuple[Digest, str]] = ((ONE, "A:one"),),
) -> bytes:
    return compose_jigdo(
        generator="test/1",
        version="1.2",
        image=image,
        servers=servers,
        parts=parts,
        merge=merge.encode() if isinstance(merge, str) else merge,
    )


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_what_jigdo_file_wrote_is_written_the_same_but_for_the_comment(algorithm: str) -> None:
    content = (GOLDEN / f"{algorithm}.jigdo").read_bytes()
    jigdo = parse_jigdo(content, "golden")
    (digest,) = jigdo.image.template_digests

    composed = compose_jigdo(
        generator=jigdo.generator,
        version=jigdo.version,
        image=ImageText(jigdo.image.filename, jigdo.image.template, digest),
        servers={server.label: [server.url] for server in jigdo.servers},
        parts=[(part, places[0]) for part, places in jigdo.parts.items()],
        merge=None,
    )

    _, _, golden = content.partition(b"\n\n")
    top, _, below = composed.partition(b"\n\n")
    assert below == golden
    assert top.splitlines()[0] == b"# JigsawDownload"  # jigit wants just that
    assert all(line.startswith(b"#") for line in top.splitlines())


def test_sections_that_nobody_wants_are_left_out() -> None:
    assert compose() == (TOP + JIGDO + IMAGE_LINES + SERVER_LINES + PART_LINES).encode()
    assert compose(image=None) == (TOP + JIGDO + SERVER_LINES + PART_LINES).encode()
    assert compose(servers=None) == (TOP + JIGDO + IMAGE_LINES + PART_LINES).encode()


def test_no_parts_leave_empty_sections() -> None:
    composed = compose(parts=[])

    assert composed == (TOP + JIGDO + IMAGE_LINES + "[Servers]\n\n[Parts]\n").encode()


@pytest.mark.parametrize(
    ("name", "written"),
    [
        pytest.param("a=b:c", "A:a=b:c", id="equals sign and colon"),
        pytest.param("[x]", "A:[x]", id="brackets"),
        pytest.param("--try-last", "A:--try-last", id="like an option"),
        pytest.param("a b", "'A:a b'", id="blank"),
        pytest.param(" a ", "'A: a '", id="blanks round it"),
        pytest.param("\ta", "'A:\ta'", id="tab"),
        pytest.param("#a", "'A:#a'", id="comment"),
        pytest.param('a"b', "'A:a\"b'", id="double quote"),
        pytest.param("a\\b", "'A:a\\b'", id="backslash"),
        pytest.param("a'b", '"A:a\'b"', id="single quote"),
        pytest.param("a'\"\\b", '"A:a\'\\"\\\\b"', id="all quotes"),
        pytest.param("a\rb", "A:a\rb", id="CR inside"),
        pytest.param("a\r", "'A:a\r'", id="CR at the end, which readers would drop"),
        pytest.param("'\r", '"A:\'\r"', id="CR behind a quote"),
        pytest.param("é\udcff\x01", "A:é\udcff\x01", id="bytes"),
    ],
)
def test_odd_names_are_quoted_so_that_they_are_read_as_they_are(name: str, written: str) -> None:
    image = ImageText(name, f"{name}x", SUM)

    content = compose(image=image, parts=[(ONE, f"A:{name}")])

    jigdo = parse_jigdo(content, "t")
    assert content.endswith(f"={written}\n".encode("utf-8", "surrogateescape"))
    assert jigdo.parts == {ONE: (f"A:{name}",)}
    assert jigdo.image == ImageSection(name, f"{name}x", (SUM,))
    assert jigdo.problems == ()


@pytest.mark.parametrize("name", ["A:a\nb", "A:a\0b", ""])
def test_a_name_that_cannot_be_written_is_refused(name: str) -> None:
    with pytest.raises(WrongBytesError, match="cannot have the name"):
        compose(parts=[(ONE, name)])
    with pytest.raises(WrongBytesError, match="cannot have the name"):
        compose(image=ImageText(name, "t", SUM))
    with pytest.raises(WrongBytesError, match="cannot have the name"):
        compose(image=ImageText("t", name, SUM))


def test_parts_are_sorted_as_jigdo_file_does() -> None:
    digest = Digest("md5", b"\x98" + bytes(15))  # begins with "m"
    places = ["'A:a b'", "'A:a bc'", "A:a\x01", "A:a:", "A:al", "A:a", "A:an", "A:é", "AA:a", "B:A"]

    content = compose(parts=[(digest, place.strip("'")) for place in [*reversed(places), "A:a"]])

    rows = [f"{digest.jigdo}={place}\n" for place in places]
    assert digest.jigdo.startswith("m")
    assert content.decode().partition("[Parts]\n")[2] == "".join(rows)


def test_parts_of_one_place_are_sorted_by_their_digests() -> None:
    content = compose(parts=[(TWO, "A:x"), (ONE, "A:x")])

    assert content.endswith(f"[Parts]\n{ONE.jigdo}=A:x\n{TWO.jigdo}=A:x\n".encode())


def test_only_servers_that_a_part_needs_are_written_and_as_they_are() -> None:
    servers = {"B": ['http://b/ "c', "'x y' --try-last"], "Z": ["http://z/"], "A": ["a'"]}

    content = compose(servers=servers, parts=[(ONE, "A:B:x"), (TWO, "B:x")])

    assert b"[Servers]\nB=http://b/ \"c\nB='x y' --try-last\nA=a'\n\n" in content


@pytest.mark.parametrize("label", ["", "a:b", " a", "#a", "[a", "a=b", "a\nb", "a\0b"])
def test_what_cannot_be_a_label_is_refused(label: str) -> None:
    with pytest.raises(DescriptorError, match="cannot be a label"):
        compose(servers={label: ["http://a/"]}, parts=[(ONE, f"{label}:x")])


@pytest.mark.parametrize("url", ["", " ", "'' x", "# http://a/", "http://a/\nB=x", "a\0"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(DescriptorError, match="is no URL for the label A"):
        compose(servers={"A": [url]})


@pytest.mark.parametrize("url", ["A:x", "'A:b c' --try-last"])
def test_a_label_that_would_lead_to_itself_is_refused(url: str) -> None:
    with pytest.raises(DescriptorError, match="would lead to itself"):
        compose(servers={"A": [url]})


def test_a_server_is_the_folder_itself_unless_the_user_says_otherwise() -> None:
    labels = {
        Root("", ""): "A",
        Root("/", ""): "B",
        Root("a b/", ""): "C",
        Root("tree/", "Base"): "Base",
        Root("/srv/", "Base"): "Base",
        Root("own/", "Own"): "Own",
    }
    uris = [("Base", "http://1/"), ("Base", "http://2/"), ("A", "http://a/"), ("", "http://n/")]

    servers = servers_of(labels, uris)

    assert servers == {
        "A": ("file:",),
        "B": ("file:/",),
        "C": ("'file:a b/'",),
        "Base": ("http://1/",),
        "Own": ("file:own/",),
    }
    assert servers_of(labels, [])["Base"] == ("file:tree/", "file:/srv/")


@pytest.mark.parametrize(
    ("merge", "composed"),
    [
        pytest.param("", TOP + JIGDO + IMAGE_LINES + SERVER_LINES + PART_LINES, id="nothing"),
        pytest.param(
            "# mine\n",
            TOP + "# mine\n\n" + JIGDO + IMAGE_LINES + SERVER_LINES + PART_LINES,
            id="a comment",
        ),
        pytest.param(
            f"# JigsawDownload\n# mine\n\n{EMPTY_SUM}",
            "# JigsawDownload\n# mine\n\n" + JIGDO + IMAGE_LINES + SERVER_LINES + PART_LINES,
            id="[Jigdo] goes before the first section",
        ),
        pytest.param(
            f"# JigsawDownload\n[Jigdo]\nVersion=1.0\n\n{EMPTY_SUM}",
            "# JigsawDownload\n[Jigdo]\nVersion=1.0\n\n" + IMAGE_LINES + SERVER_LINES + PART_LINES,
            id="[Jigdo] stays",
        ),
        pytest.param(
            "\ufeff# JigsawDownload\r\n[Jigdo]\r\n[Image]\r\nTemplate-MD5Sum=",
            f"# JigsawDownload\n[Jigdo]\n[Image]\nTemplate-MD5Sum={SUM.jigdo}\n\n"
            + SERVER_LINES
            + PART_LINES,
            id="BOM, CR LF, no end",
        ),
    ],
)
def test_what_a_merged_file_lacks_is_added(merge: str, composed: str) -> None:
    assert compose(merge).decode() == composed
    assert compose(gzip.compress(merge.encode())).decode() == composed


def below_start(content: bytes) -> str:
    """What ``content`` has below START, which needs nothing added."""
    assert content.startswith(START.encode())
    return content.decode().removeprefix(START)


@pytest.mark.parametrize(
    ("merge", "filled"),
    [
        pytest.param("Template-MD5Sum=", "Template-MD5Sum={}", id="nothing"),
        pytest.param(" Template-MD5Sum = ", " Template-MD5Sum ={} ", id="blanks"),
        pytest.param("Template-MD5Sum= # c", "Template-MD5Sum={} # c", id="a comment"),
        pytest.param("Template-MD5Sum=''", "Template-MD5Sum={}''", id="quotes round nothing"),
        pytest.param(
            "Template-MD5Sum=x\n[Image]\nTemplate-MD5Sum=",
            "Template-MD5Sum=x\n[Image]\nTemplate-MD5Sum={}",
            id="the second section",
        ),
        pytest.param(
            "Template-MD5Sum=\n[Image]\nTemplate-MD5Sum=",
            "Template-MD5Sum={}\n[Image]\nTemplate-MD5Sum=",
            id="only the first",
        ),
    ],
)
def test_an_empty_sum_of_the_template_is_filled_in(merge: str, filled: str) -> None:
    composed = below_start(compose(START + f"[Image]\n{merge}\nInfo=it's\n"))

    assert composed.startswith(f"[Image]\n{filled.format(SUM.jigdo)}\nInfo=it's\n\n[Servers]")


def test_the_sum_that_is_filled_in_is_the_one_of_its_algorithm() -> None:
    merge = "[Image]\nTemplate-MD5Sum=\nTemplate-SHA256Sum=\n"

    composed = below_start(compose(START + merge, image=ImageText("i", "t", SUM_256)))

    filled = f"[Image]\nTemplate-MD5Sum=\nTemplate-SHA256Sum={SUM_256.jigdo}\n\n[Servers]"
    assert composed.startswith(filled)


@pytest.mark.parametrize(
    "merge",
    [
        pytest.param("[Image]\nTemplate-MD5Sum=x\n", id="a sum is there"),
        pytest.param("[Image]\nTemplate-SHA256Sum=\n", id="another algorithm"),
        pytest.param("[Comment]\nTemplate-MD5Sum=\n", id="another section"),
    ],
)
def test_an_image_section_is_added_when_no_sum_is_to_be_filled_in(merge: str) -> None:
    composed = below_start(compose(START + merge))

    assert composed == f"{merge}\n{IMAGE_LINES}{SERVER_LINES}{PART_LINES}"


def test_without_image_section_nothing_is_filled_in() -> None:
    composed = below_start(compose(START + EMPTY_SUM, image=None))

    assert composed == EMPTY_SUM + SERVER_LINES + PART_LINES


@pytest.mark.parametrize(
    ("merge", "servers"),
    [
        pytest.param("[Servers]\n", "[Servers]\nA=file:t/\n", id="empty section"),
        pytest.param(
            "[Servers]\n# c\nQ=http://q/\n\n# d\n",
            "[Servers]\n# c\nQ=http://q/\nA=file:t/\n\n# d\n",
            id="below the last line",
        ),
        pytest.param(
            "[Servers]\nQ=q\n[Comment]\nR=r\n[Servers]\n\n# d\n",
            "[Servers]\nQ=q\n[Comment]\nR=r\n[Servers]\nA=file:t/\n\n# d\n",
            id="in the last section",
        ),
        pytest.param("[Servers]\nA=file:t/\n", "[Servers]\nA=file:t/\n", id="the same line"),
        pytest.param(
            "[Servers]\n A = 'file:t/' # c\n",
            "[Servers]\n A = 'file:t/' # c\n",
            id="the same words",
        ),
        pytest.param(
            "[Servers]\nA=file:t/ --try-last\n",
            "[Servers]\nA=file:t/ --try-last\nA=file:t/\n",
            id="another option",
        ),
        pytest.param(
            "[Servers]\nA=http://a/\n", "[Servers]\nA=http://a/\nA=file:t/\n", id="another URL"
        ),
        pytest.param("[Comment]\nA=file:t/\n", None, id="no section"),
    ],
)
def test_servers_join_those_that_are_there(merge: str, servers: str | None) -> None:
    composed = below_start(compose(START + merge, image=None))
    untouched = below_start(compose(START + merge, image=None, servers=None))

    expected = servers or f"{merge}\n{SERVER_LINES}".rstrip("\n") + "\n"
    assert composed == f"{expected}\n{PART_LINES}"
    assert untouched == f"{merge}\n{PART_LINES}"


def test_parts_move_to_the_end_and_comments_stay() -> None:
    merge = (
        f"[Parts] # p\n{TWO.jigdo} = B:two # c\n# d\n\n{SUM.jigdo}='B:it s' --opt\nno digest=C:x\n"
        f"[Servers]\nB=http://b/\n[Parts]\n {TWO.jigdo}= B:2\n{TWO.jigdo}=B:2\njunk\n[Comment]\nx\n"
    )

    composed = below_start(compose(START + merge, image=None))

    assert composed == (
        "# d\n[Servers]\nB=http://b/\nA=file:t/\njunk\n[Comment]\nx\n\n[Parts]\n"
        f"{SUM.jigdo}='B:it s' --opt\n{ONE.jigdo}=A:one\n{TWO.jigdo}=B:2\n"
        f"{TWO.jigdo}=B:two # c\nno digest=C:x\n"
    )


def test_a_part_that_can_be_found_already_is_not_added_and_needs_no_server() -> None:
    merge = f"[Parts]\n{ONE.jigdo}=B:1\n{TWO.jigdo}= # nowhere\n"
    servers = {"A": ["file:a/"], "C": ["file:c/"]}

    composed = below_start(
        compose(START + merge, image=None, servers=servers, parts=[(ONE, "A:one"), (TWO, "C:two")])
    )

    assert composed == (
        "\n[Servers]\nC=file:c/\n\n[Parts]\n"
        f"{TWO.jigdo}=# nowhere\n{ONE.jigdo}=B:1\n{TWO.jigdo}=C:two\n"
    )


def test_labels_that_a_merged_file_uses_are_known() -> None:
    merge = (
        f"[Image]\nFilename=I:x\n[Servers]\nA=file:a/\n B = C:sub/\n[Parts]\n{ONE.jigdo}='D d:x' E:x\n"
        f"{TWO.jigdo}=plain\n"
    )

    assert used_labels(merge.encode()) == {"A", "B", "D d"}
    assert used_labels(b"") == frozenset()


@pytest.mark.parametrize(
    ("merge", "what"),
    [
        pytest.param(b"[Jigdo]\na\0b\n", "--merge:2: a line with a NUL", id="NUL"),
        pytest.param(b"#" * 70_000, "--merge:1: a line with more than 65,536 bytes", id="line"),
        pytest.param(b"[Jigdo]\nVersion=3\n", "--merge:2: format version 3 needs", id="newer"),
        pytest.param(b"<html>\n", "--merge: no .jigdo file: it has no [section]", id="a page"),
        pytest.param(b"a=b\n", "--merge: no .jigdo file: it has no [section]", id="no section"),
        pytest.param(
            gzip.compress(b"[Jigdo]")[:-9], "--merge: its gzip stream is broken", id="cut"
        ),
    ],
)
def test_what_is_no_jigdo_text_is_not_merged(merge: bytes, what: str) -> None:
    with pytest.raises(JigdoError) as caught:
        compose(merge)
    with pytest.raises(JigdoError):
        used_labels(merge)

    assert caught.value.what.startswith(what)
