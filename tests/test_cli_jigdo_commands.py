"""What the jigdo-file look-alike prints and ends with: the commands that only read."""

from __future__ import annotations

import gzip
import io
import json
import shutil
from typing import TYPE_CHECKING

import pytest
from golden import GOLDEN
from jsonschema import Draft202012Validator
from lookalike import LookAlike

from release_builder import __version__
from release_builder.files import resource
from release_builder.jigdo.template import read_template
from release_builder.jigdo.unfinished import format_unfinished

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MD5_LINES = """\
in-template                  0          256
need-file-md5              256         1550                         3emeG6gnZ_P2hjzxQRHW5g  6xfVj0NcuS8
in-template               1806          300
need-file-md5             2106         1030                         OF_VZ93os92zic5hlrMwww  f2BJRrd1xlc
in-template               3136          200
need-file-md5             3336         1550                         3emeG6gnZ_P2hjzxQRHW5g  6xfVj0NcuS8
in-template               4886            8
image-info-md5            4894         1024                         aAtC5uo-tLrsnBi69ZS-JA
"""
SHA256_HEX_LINE = (
    "need-file-sha256          2106         1030"
    " f078e9def6ad953045ce5c4b03ccc71dc908437d233a8bfbe483adedb544e9d2 7f604946b775c657\n"
)
IMAGE_LENGTH = 4894
MISSING = """\
http://mirror.example/os/b c#.bin
MD5Sum:OF_VZ93os92zic5hlrMwww

http://mirror.example/os/a.txt
MD5Sum:3emeG6gnZ_P2hjzxQRHW5g

"""
A_TXT = "3emeG6gnZ_P2hjzxQRHW5g"


@pytest.fixture
def pair(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that we are in, with a pair and its image."""
    monkeypatch.chdir(workdir)
    for name in ("image.bin", "md5.jigdo", "md5.template", "sha256.jigdo", "sha256.template"):
        shutil.copy(GOLDEN / name, workdir)
    return workdir


@pytest.fixture
def jigdo_file(capsysbinary: pytest.CaptureFixture[bytes]) -> LookAlike:
    return LookAlike(capsysbinary)


def write_unfinished(path: Path, template: str, written: Iterable[int]) -> None:
    """An image of ``template`` that has the runs ``written`` in their place."""
    with (GOLDEN / template).open("rb") as stream:
        description = read_template(stream, template).description
    path.write_bytes(bytes(IMAGE_LENGTH) + format_unfinished(description, set(written)))


def test_the_third_word_of_the_version_is_the_version(jigdo_file: LookAlike) -> None:
    """jigdo-lite takes it so."""
    assert jigdo_file("--version").split()[2] == __version__


@pytest.mark.parametrize(
    ("option", "shown", "hidden"),
    [
        pytest.param("-h", "--image=FILE", "--match-exec", id="-h"),
        pytest.param("-H", "--match-exec", "\t", id="-H"),
    ],
)
def test_help_shows_commands_options_and_an_example(
    jigdo_file: LookAlike, option: str, shown: str, hidden: str
) -> None:
    text = jigdo_file("md5sum", option, "none")

    assert "  make-template, mt  " in text
    assert shown in text
    assert hidden not in text
    assert "Example:\n  jigdo-file make-template" in text
    assert max(len(line) for line in text.splitlines()) <= 80


@pytest.mark.parametrize("argv", [[], ["frob"], ["ls"], ["md5sum", "--frob"]])
def test_a_usage_error_is_a_line_and_what_to_do(jigdo_file: LookAlike, argv: list[str]) -> None:
    out = jigdo_file(*argv, status=3)

    what, hint = jigdo_file.err.splitlines()
    assert out == ""
    assert what.startswith("jigdo-file: ")
    assert hint.startswith("  ")


def test_list_template_prints_jigdo_files_lines(pair: Path, jigdo_file: LookAlike) -> None:
    assert jigdo_file("list-template", "-t", "md5.template") == MD5_LINES
    assert jigdo_file("ls", "-j", "md5.jigdo") == MD5_LINES
    assert SHA256_HEX_LINE in jigdo_file("ls", "-t", "sha256.template", "--hex")


@pytest.mark.parametrize(
    ("template", "line"),
    [
        pytest.param(
            "md5.template",
            "have-file                2106         1030"
            "                         OF_VZ93os92zic5hlrMwww  f2BJRrd1xlc\n",
            id="md5",
        ),
        pytest.param(
            "sha256.template",
            "have-file-sha256         2106         1030"
            "    8Hjp3vatlTBFzlxLA8zHHckIQ30jOov75IOt7bVE6dI  f2BJRrd1xlc\n",
            id="sha256",
        ),
    ],
)
def test_list_template_tells_what_an_unfinished_image_has(
    pair: Path, jigdo_file: LookAlike, template: str, line: str
) -> None:
    write_unfinished(pair / "image.tmp", template, [3])

    printed = jigdo_file("ls", "-t", "image.tmp")

    assert line in printed
    assert printed.count("have-file") == 1
    assert printed.count("need-file") == 2


@pytest.mark.parametrize("name", ["md5.template", "sha256.template", "image.tmp"])
def test_list_template_prints_a_document_of_its_schema(
    pair: Path, jigdo_file: LookAlike, name: str
) -> None:
    write_unfinished(pair / "image.tmp", "md5.template", [3])
    schema = json.loads(resource("data/jigdo-ls.schema.json").read_text())

    document = json.loads(jigdo_file("ls", "--json", "-t", name))

    Draft202012Validator(schema).validate(document)
    assert document["template"]["file"] == name
    assert document["image"]["length"] == IMAGE_LENGTH
    entry = document["entries"][3]
    assert (entry["offset"], entry["length"]) == (2106, 1030)
    assert entry["kind"] == ("have-file" if name == "image.tmp" else "need-file")
    assert entry["rsync_sum"] == "7f604946b775c657"
    assert [each["kind"] for each in document["entries"][::2]] == ["in-template"] * 4


@pytest.mark.parametrize(
    ("name", "what"),
    [
        pytest.param("image.bin", "is not a jigdo template", id="another file"),
        pytest.param("none.template", "No such file", id="no file"),
        pytest.param("cut.template", "cut short", id="cut short"),
        pytest.param("bad.tmp", "no unfinished image", id="no unfinished image"),
    ],
)
def test_what_is_no_template_is_status_3(
    pair: Path, jigdo_file: LookAlike, name: str, what: str
) -> None:
    (pair / "cut.template").write_bytes((GOLDEN / "md5.template").read_bytes()[:-1])
    (pair / "bad.tmp").write_bytes(b"bad")

    assert jigdo_file("ls", "-t", name, status=3) == ""
    assert what in jigdo_file.err


def test_print_missing_prints_the_first_place_of_each_part(
    pair: Path, jigdo_file: LookAlike
) -> None:
    printed = jigdo_file("pm", "-i", "none", "-j", "md5.jigdo", "-t", "md5.template")

    assert printed == "http://mirror.example/os/b c#.bin\nhttp://mirror.example/os/a.txt\n"


def test_print_missing_all_prints_all_places_and_a_blank_line(
    pair: Path, jigdo_file: LookAlike
) -> None:
    assert jigdo_file("pma", "-i", "none", "-j", "md5.jigdo", "-t", "md5.template") == MISSING


def test_a_packed_jigdo_file_is_read(pair: Path, jigdo_file: LookAlike) -> None:
    (pair / "p.jigdo").write_bytes(gzip.compress((pair / "md5.jigdo").read_bytes()))

    assert jigdo_file("pma", "-i", "none", "-j", "p.jigdo", "-t", "md5.template") == MISSING


@pytest.mark.parametrize(
    ("written", "missing"),
    [
        pytest.param([], ["b c#.bin", "a.txt"], id="nothing"),
        pytest.param([3], ["a.txt"], id="a part"),
        pytest.param([1], ["b c#.bin", "a.txt"], id="a part in one of its two places"),
        pytest.param([1, 5], ["b c#.bin"], id="a part in both places"),
        pytest.param([1, 3, 5], [], id="all"),
    ],
)
def test_what_an_unfinished_image_has_is_not_missing(
    pair: Path, jigdo_file: LookAlike, written: list[int], missing: list[str]
) -> None:
    write_unfinished(pair / "i.iso.tmp", "md5.template", written)

    printed = jigdo_file("pm", "-i", "i.iso", "-j", "md5.jigdo", "-t", "md5.template")

    assert printed == "".join(f"http://mirror.example/os/{name}\n" for name in missing)


@pytest.mark.parametrize(
    "content",
    [pytest.param(b"", id="empty"), pytest.param(b"image" * 100, id="no DESC")],
)
def test_an_unfinished_image_that_is_none_is_told_and_not_believed(
    pair: Path, jigdo_file: LookAlike, content: bytes
) -> None:
    (pair / "i.iso.tmp").write_bytes(content)

    printed = jigdo_file("pma", "-i", "i.iso", "-j", "md5.jigdo", "-t", "md5.template")

    assert printed == MISSING
    assert "i.iso.tmp: no unfinished image" in jigdo_file.err


def test_an_unfinished_image_of_another_template_is_told_and_not_believed(
    pair: Path, jigdo_file: LookAlike
) -> None:
    write_unfinished(pair / "i.iso.tmp", "sha256.template", [1, 3, 5])

    printed = jigdo_file("pma", "-i", "i.iso", "-j", "md5.jigdo", "-t", "md5.template")

    assert printed == MISSING
    assert "i.iso.tmp is of another image or template" in jigdo_file.err


def test_an_image_that_is_there_misses_nothing(pair: Path, jigdo_file: LookAlike) -> None:
    assert jigdo_file("pma", "-i", "image.bin", "-j", "md5.jigdo", "-t", "md5.template") == ""


@pytest.mark.parametrize(
    ("uris", "places"),
    [
        pytest.param(["Base=u/"], ["u/a.txt", "http://mirror.example/os/a.txt"], id="before"),
        pytest.param(
            ["Base=u/", "Base=v/"],
            ["u/a.txt", "v/a.txt", "http://mirror.example/os/a.txt"],
            id="several",
        ),
        pytest.param(
            ["Base='http://q q/#'"],
            ["http://q q/#a.txt", "http://mirror.example/os/a.txt"],
            id="quoted",
        ),
        pytest.param(["Base="], ["a.txt", "http://mirror.example/os/a.txt"], id="empty"),
        pytest.param(
            ["Base=X:s/", "X=file:/x/"],
            ["/x/s/a.txt", "http://mirror.example/os/a.txt"],
            id="of a label",
        ),
        pytest.param(["MD5Sum=h/"], ["http://mirror.example/os/a.txt"], id="by digest"),
    ],
)
def test_uris_come_before_the_servers_of_the_file(
    pair: Path, jigdo_file: LookAlike, uris: list[str], places: list[str]
) -> None:
    options = [f"--uri={uri}" for uri in uris]
    by_digest = "h/" if "MD5Sum=h/" in uris else "MD5Sum:"

    printed = jigdo_file("pma", "-i", "none", "-j", "md5.jigdo", "-t", "md5.template", *options)

    assert printed.split("\n\n")[1].splitlines() == [*places, by_digest + A_TXT]


def test_a_uri_whose_quote_has_no_end_is_refused(pair: Path, jigdo_file: LookAlike) -> None:
    names = ("-i", "none", "-j", "md5.jigdo", "-t", "md5.template")

    jigdo_file("pm", *names, "--uri=Base='http://", status=3)

    assert "--uri: a quote or backslash has no end" in jigdo_file.err


@pytest.mark.parametrize(
    ("parts", "places"),
    [
        pytest.param("", [], id="not listed"),
        pytest.param("{}=file:/a b\n{}='file:c d'\n", ["/a", "c d"], id="local files"),
        pytest.param("{}=http://x/y\n{}=None:z\n", ["http://x/y", "None:z"], id="no labels"),
    ],
)
def test_a_part_is_looked_for_where_the_jigdo_file_says(
    pair: Path, jigdo_file: LookAlike, parts: str, places: list[str]
) -> None:
    (pair / "p.jigdo").write_text("[Image]\n[Parts]\n" + parts.format(A_TXT, A_TXT))

    printed = jigdo_file("pma", "-i", "none", "-j", "p.jigdo", "-t", "md5.template")

    assert printed.split("\n\n")[1].splitlines() == [*places, f"MD5Sum:{A_TXT}"]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        pytest.param(f"[Parts]\n{A_TXT}=A:x\n[Servers]\nA=http://h/\n", 0, id="parts"),
        pytest.param("[Servers]\nA=http://h/\n", 0, id="servers"),
        pytest.param("[Image]\n", 0, id="image alone"),
        pytest.param("<html>not found</html>\n", 3, id="a web page"),
        pytest.param("", 3, id="nothing"),
    ],
)
def test_where_parts_are_needs_no_image_section(
    pair: Path, jigdo_file: LookAlike, text: str, status: int
) -> None:
    (pair / "p.jigdo").write_text(text)

    printed = jigdo_file("pm", "-i", "none", "-j", "p.jigdo", "-t", "md5.template", status=status)

    assert ("http://h/x" in printed) == (A_TXT in text)
    assert ("it has no [Image] or [Parts] or [Servers] section" in jigdo_file.err) == (status == 3)


def test_names_keep_their_bytes(pair: Path, jigdo_file: LookAlike) -> None:
    text = f"[Image]\n[Parts]\n{A_TXT}=file:caf\udce9\n"
    (pair / "p.jigdo").write_bytes(text.encode("utf-8", "surrogateescape"))

    printed = jigdo_file("pm", "-i", "none", "-j", "p.jigdo", "-t", "md5.template")

    assert "caf\udce9\n" in printed


@pytest.mark.parametrize(
    ("text", "what"),
    [
        pytest.param("[Servers]\nA=B:\nB=A:\n", "lead in a circle: A → B → A", id="loop"),
        pytest.param("[Jigdo]\nVersion=3\n", "needs a newer program", id="newer"),
        pytest.param("no=text\0", "a line with a NUL", id="binary"),
    ],
)
def test_a_jigdo_file_that_cannot_be_meant_is_status_3(
    pair: Path, jigdo_file: LookAlike, text: str, what: str
) -> None:
    (pair / "p.jigdo").write_text(f"[Image]\n{text}[Parts]\n{A_TXT}=A:x\n")

    jigdo_file("pm", "-i", "none", "-j", "p.jigdo", "-t", "md5.template", status=3)

    assert what in jigdo_file.err


def test_lines_of_a_jigdo_file_that_say_nothing_are_told(pair: Path, jigdo_file: LookAlike) -> None:
    with (pair / "md5.jigdo").open("a") as out:
        out.write("nonsense\n")

    printed = jigdo_file("pma", "-i", "none", "-j", "md5.jigdo", "-t", "md5.template")

    assert printed == MISSING
    assert "md5.jigdo:19: neither key=value" in jigdo_file.err


@pytest.mark.parametrize("template", ["md5.template", "sha256.template"])
def test_verify_tells_that_an_image_is_right(
    pair: Path, jigdo_file: LookAlike, template: str
) -> None:
    out = jigdo_file("verify", "-i", "image.bin", "-t", template)

    assert out == ""
    assert "image.bin is right" in jigdo_file.err
    assert ("MD5 shows damage" in jigdo_file.err) == (template == "md5.template")


def test_verify_is_silent_when_it_should_be(pair: Path, jigdo_file: LookAlike) -> None:
    jigdo_file("verify", "-i", "image.bin", "-t", "md5.template", "-r", "quiet")

    assert jigdo_file.err == ""


@pytest.mark.parametrize(
    ("offset", "told"),
    [
        pytest.param(256, "1,550 bytes from 256 on, which should be Base:a.txt", id="a part"),
        pytest.param(
            3135, "1,030 bytes from 2,106 on, which should be Base:b c#.bin", id="its last byte"
        ),
        pytest.param(0, "256 bytes from 0 on, which the template holds itself", id="unmatched"),
        pytest.param(4893, "8 bytes from 4,886 on, which the template", id="the last byte"),
    ],
)
def test_verify_names_the_place_that_is_wrong(
    pair: Path, jigdo_file: LookAlike, offset: int, told: str
) -> None:
    content = bytearray((pair / "image.bin").read_bytes())
    content[offset] ^= 1
    (pair / "bad.iso").write_bytes(content)

    jigdo_file("verify", "-i", "bad.iso", "-t", "md5.template", "-r", "quiet", status=2)

    assert "bad.iso is wrong" in jigdo_file.err
    assert jigdo_file.err.count(": wrong: ") == 1
    assert told in jigdo_file.err


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param(lambda content: content[:3336], "has 3,336 bytes, it should", id="short"),
        pytest.param(lambda content: content + b"x", "has 4,895 bytes, it should", id="long"),
        pytest.param(lambda _: b"", "has 0 bytes, it should", id="empty"),
    ],
)
def test_verify_tells_a_wrong_length(
    pair: Path, jigdo_file: LookAlike, change: object, told: str
) -> None:
    assert callable(change)
    (pair / "bad.iso").write_bytes(change((pair / "image.bin").read_bytes()))

    jigdo_file("verify", "-i", "bad.iso", "-t", "md5.template", status=2)

    assert told in jigdo_file.err


def test_verify_without_a_jigdo_file_names_parts_by_their_digests(
    pair: Path, jigdo_file: LookAlike
) -> None:
    (pair / "md5.jigdo").unlink()
    (pair / "bad.iso").write_bytes(bytes(IMAGE_LENGTH))

    jigdo_file("verify", "-i", "bad.iso", "-t", "md5.template", status=2)

    assert f"which should be {A_TXT}" in jigdo_file.err


@pytest.mark.parametrize(
    ("change", "status"), [pytest.param(b"", 0, id="right"), pytest.param(b"x", 2, id="wrong")]
)
def test_verify_reads_an_image_from_stdin(
    pair: Path, jigdo_file: LookAlike, monkeypatch: pytest.MonkeyPatch, change: bytes, status: int
) -> None:
    content = (pair / "image.bin").read_bytes() + change
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))

    jigdo_file("verify", "-i", "-", "-t", "md5.template", status=status)


@pytest.mark.parametrize("name", ["none.iso", "."])
def test_verify_of_an_image_that_cannot_be_read_is_status_3(
    pair: Path, jigdo_file: LookAlike, name: str
) -> None:
    jigdo_file("verify", "-i", name, "-t", "md5.template", status=3)

    assert f"jigdo-file: {name}: " in jigdo_file.err
