"""The look-alike's make-template and make-image."""

from __future__ import annotations

import dataclasses
import io
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from golden import GOLDEN, IMAGE, write_tree
from lookalike import LookAlike
from test_media_udf import WHOLE as UDF_IMAGE

from release_builder.digests import Digest
from release_builder.jigdo.entries import format_description
from release_builder.jigdo.location import JigdoFile, parse_jigdo
from release_builder.jigdo.template import read_template

if TYPE_CHECKING:
    from collections.abc import Callable

A_TXT = Digest.from_jigdo("3emeG6gnZ_P2hjzxQRHW5g")
B_C = Digest.from_jigdo("OF_VZ93os92zic5hlrMwww")
PAIR = ("-i", "cd.iso", "-r", "quiet")


@pytest.fixture
def jigdo_file(capsysbinary: pytest.CaptureFixture[bytes]) -> LookAlike:
    return LookAlike(capsysbinary)


@pytest.fixture
def work(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that we are in, with an image, its two files in ``tree``, and its template."""
    monkeypatch.chdir(workdir)
    write_tree(workdir / "tree")
    (workdir / "cd.iso").write_bytes(IMAGE)
    shutil.copy(GOLDEN / "md5.template", workdir)
    return workdir


def made(name: str = "cd.jigdo") -> JigdoFile:
    return parse_jigdo(Path(name).read_bytes(), name)


def type_in(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))


def names() -> list[str]:
    return sorted(path.name for path in Path().iterdir())


def test_a_pair_is_made_of_an_image_and_its_files(work: Path, jigdo_file: LookAlike) -> None:
    printed = jigdo_file("mt", "-i", "cd.iso", "--label", "Base=tree", "tree//")

    assert printed == ""
    assert "match of a.txt at offset 256\n" in jigdo_file.err
    assert "match of b c#.bin at offset 2106\n" in jigdo_file.err
    assert "of 4,894 bytes 4,130 are in 2 files, 764 in the template" in jigdo_file.err
    assert made().parts == {A_TXT: ("Base:a.txt",), B_C: ("Base:b c#.bin",)}
    golden = jigdo_file("ls", "-t", "md5.template")
    assert jigdo_file("ls", "-i", "cd.iso") == golden


@pytest.mark.parametrize(
    ("report", "out", "err"),
    [
        pytest.param("noprogress", "", "match of ./tree/a.txt at offset 256\n", id="noprogress"),
        pytest.param("quiet", "", "", id="quiet"),
        pytest.param(
            "grep",
            "256 ./tree/a.txt\n2106 ./tree/b c#.bin\n3336 ./tree/a.txt\n",
            "",
            id="grep",
        ),
    ],
)
def test_matches_are_reported_as_asked(
    work: Path, jigdo_file: LookAlike, report: str, out: str, err: str
) -> None:
    printed = jigdo_file("mt", "--match=content", "-i", "cd.iso", "-r", report, "./tree")

    assert printed == out
    assert jigdo_file.err.startswith(err)
    assert bool(jigdo_file.err) == bool(err)


@pytest.mark.parametrize(
    ("options", "has"),
    [
        pytest.param(["-C", "sha256"], lambda: made().version == "2.0", id="sha256"),
        pytest.param(["--bzip2"], lambda: b"BZIP" in Path("cd.template").read_bytes(), id="bzip2"),
        pytest.param(
            ["-0"], lambda: IMAGE[:256] in Path("cd.template").read_bytes(), id="no compression"
        ),
        pytest.param(["--min-length=1200"], lambda: list(made().parts) == [A_TXT], id="length"),
        pytest.param(["--no-servers-section"], lambda: made().servers == (), id="no servers"),
        pytest.param(
            ["--no-image-section"],
            lambda: b"[Image]" not in Path("cd.jigdo").read_bytes(),
            id="no image",
        ),
        pytest.param(
            ["--label=Base=tree", "--uri=Base=http://x/"],
            lambda: made().urls("Base:a") == ("http://x/a",),
            id="uri",
        ),
        pytest.param(["-t", "x.t"], lambda: made().image.template == "x.t", id="template"),
        pytest.param(["-j", "x.j"], lambda: made("x.j").image.filename == "cd.iso", id="jigdo"),
    ],
)
def test_an_option_shapes_the_pair(
    work: Path, jigdo_file: LookAlike, options: list[str], has: Callable[[], bool]
) -> None:
    jigdo_file("mt", *PAIR, *options, "tree//")

    assert has()


def test_a_uri_that_is_not_used_is_told(work: Path, jigdo_file: LookAlike) -> None:
    jigdo_file("mt", *PAIR, "--uri=Base=http://x/", "tree//")

    assert "--uri Base=http://x/ is not used: no argument has the label Base" in jigdo_file.err


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        pytest.param("http://x/y", "URLs will read http://x/yNAME", id="no slash"),
        pytest.param("'http://x/y z' --try-last", "URLs will read http://x/y zNAME", id="quoted"),
        pytest.param("file:tree", "URLs will read file:treeNAME", id="folder"),
        pytest.param("http://x/", "", id="slash"),
        pytest.param("http://x/ --try-last", "", id="slash, and an option"),
    ],
)
def test_a_uri_that_does_not_end_in_a_slash_is_told(
    work: Path, jigdo_file: LookAlike, uri: str, told: str
) -> None:
    jigdo_file("mt", *PAIR, "--label=Base=tree", f"--uri=Base={uri}", "tree//")

    assert ("does not end in /" in jigdo_file.err) == bool(told)
    assert told in jigdo_file.err


@pytest.mark.parametrize("there", ["cd.jigdo", "cd.template"])
def test_outputs_are_replaced_with_force_alone(
    work: Path, jigdo_file: LookAlike, there: str
) -> None:
    Path(there).write_text("precious")

    jigdo_file("mt", *PAIR, "tree//", status=3)
    kept = Path(there).read_text()
    jigdo_file("mt", *PAIR, "tree//", "--force")

    assert f"{there} is there already" not in jigdo_file.err
    assert kept == "precious"
    assert Path(there).read_bytes() != b"precious"


def test_an_image_without_folders_has_no_extents(work: Path, jigdo_file: LookAlike) -> None:
    before = names()

    jigdo_file("mt", *PAIR, "--match=extents", "tree//", status=3)

    assert "--match=content" in jigdo_file.err
    assert names() == before


def test_what_to_install_for_udf_is_told(
    work: Path, jigdo_file: LookAlike, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pycdlib", None)
    Path("cd.iso").write_bytes(UDF_IMAGE)

    jigdo_file("mt", *PAIR, "tree//")

    assert "pip install release-builder[udf]" in jigdo_file.err


def test_without_files_the_template_holds_all_and_this_is_told(
    work: Path, jigdo_file: LookAlike
) -> None:
    jigdo_file("mt", *PAIR)

    assert "no files are given" in jigdo_file.err
    assert jigdo_file("ls", "-t", "cd.template").splitlines()[0].split() == [
        *("in-template", "0", "4894")
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["mistyped//"], id="no such folder"),
        pytest.param(["other"], id="not in the image"),
        pytest.param([], id="no files"),
    ],
)
@pytest.mark.parametrize("report", ["default", "quiet"])
def test_the_last_line_tells_that_no_file_was_matched(
    work: Path, jigdo_file: LookAlike, arguments: list[str], report: str
) -> None:
    Path("other").write_bytes(bytes(2000))

    jigdo_file("mt", "-i", "cd.iso", "-r", report, *arguments)

    last = jigdo_file.err.splitlines()[-1]
    assert last == "jigdo-file: no file was matched: the whole image is in the template"


def test_a_file_that_is_the_whole_image_is_matched(work: Path, jigdo_file: LookAlike) -> None:
    shutil.copy("cd.iso", "same.iso")

    jigdo_file("mt", *PAIR, "same.iso")

    assert "files cover the whole image" in jigdo_file.err
    assert "no file was matched" not in jigdo_file.err


def test_list_and_image_come_one_after_the_other_from_stdin(
    work: Path, jigdo_file: LookAlike, monkeypatch: pytest.MonkeyPatch
) -> None:
    type_in(monkeypatch, b"tree//a.txt\n\n" + IMAGE)

    jigdo_file("mt", "-i", "-", "-j", "cd.jigdo", "-T", "-", "-r", "quiet")

    assert made().parts == {A_TXT: ("A:a.txt",)}


@pytest.mark.parametrize("stdin", [False, True])
def test_a_jigdo_file_is_built_upon(
    work: Path, jigdo_file: LookAlike, monkeypatch: pytest.MonkeyPatch, stdin: bool
) -> None:
    text = f"[Servers]\nMy=http://my/\n[Parts]\n{A_TXT.jigdo}=My:a\n"
    type_in(monkeypatch, text.encode())
    Path("cd.jigdo").write_text(text)

    jigdo_file("mt", *PAIR, "-f", f"--merge={'-' if stdin else 'cd.jigdo'}", "tree//")

    assert made().parts[A_TXT] == ("My:a",)
    assert made().urls("My:a") == ("http://my/a",)
    assert B_C in made().parts


@pytest.mark.parametrize(
    ("image", "told"),
    [
        pytest.param("Filename=old.iso\nTemplate=old.template\n", False, id="to be filled in"),
        pytest.param(
            f"Filename=old.iso\nTemplate=old.template\nTemplate-MD5Sum={A_TXT.jigdo}\n",
            True,
            id="another",
        ),
    ],
)
def test_an_image_of_the_merged_file_that_stands_first_is_told(
    work: Path, jigdo_file: LookAlike, image: str, told: bool
) -> None:
    key = "" if told else "Template-MD5Sum=\n"
    Path("old.jigdo").write_text(f"[Image]\n{image}{key}[Parts]\n")

    jigdo_file("mt", *PAIR, "--merge=old.jigdo", "tree//")

    assert ("programs will make old.iso, not this one" in jigdo_file.err) == told


@pytest.mark.parametrize("other", [["-i", "-"], ["-T", "-"]])
def test_stdin_is_read_for_one_purpose(
    work: Path, jigdo_file: LookAlike, monkeypatch: pytest.MonkeyPatch, other: list[str]
) -> None:
    type_in(monkeypatch, b"")

    jigdo_file("mt", "-i", "cd.iso", "-t", "cd.template", *other, "--merge=-", status=3)

    assert "share stdin" in jigdo_file.err
    assert not Path("cd.template").exists()


def test_a_command_is_run_for_each_match(
    work: Path, jigdo_file: LookAlike, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OWN", "mine")
    shutil.copytree("tree", "top/tree")
    command = (
        'echo "$OWN|$LABEL|$LABELPATH|$MATCHPATH|$LEAF|$MD5SUM|$SHA256SUM|$FILE"; echo note >&2'
    )

    printed = jigdo_file(
        *("mt", *PAIR, "--match=content", "-C", "sha256", "--match-exec", command),
        *("--label=Base=top", "top//tree/a.txt", "tree/b c#.bin"),
    )

    a_txt = f"{A_TXT.jigdo}|zsB5dWGzd31bF4TtPYhMXtgUbWwoxTWLFkX2aRkaJr8"
    b_c = f"{B_C.jigdo}|8Hjp3vatlTBFzlxLA8zHHckIQ30jOov75IOt7bVE6dI"
    of_a, of_b = (
        f"mine|Base|top/|tree/|a.txt|{a_txt}|top/tree/a.txt\n",
        f"mine|||tree/|b c#.bin|{b_c}|tree/b c#.bin\n",
    )
    assert printed == of_a + of_b + of_a
    assert jigdo_file.err == "note\n" * 3


def test_a_command_that_fails_ends_it_all(work: Path, jigdo_file: LookAlike) -> None:
    before = names()

    printed = jigdo_file("mt", *PAIR, "--match-exec=echo $LEAF; exit 7", "tree//", status=3)

    assert printed == "a.txt\n"
    assert "ended with status 7 for tree/a.txt" in jigdo_file.err
    assert names() == before


def test_a_cache_that_breaks_on_the_way_is_told_and_stops_nothing(
    work: Path, jigdo_file: LookAlike
) -> None:
    code = "import sqlite3; sqlite3.connect('my.cache').execute('DROP TABLE digests')"

    jigdo_file(
        *("mt", *PAIR, "--match=content", "--cache=my.cache", "tree//a.txt"),
        f'--match-exec="{sys.executable}" -c "{code}" 2>&- || true',
    )

    assert "my.cache was damaged and is removed" in jigdo_file.err
    assert list(made().parts) == [A_TXT]


def test_a_name_that_is_no_utf8_is_kept(work: Path, jigdo_file: LookAlike) -> None:
    Path("tree/a.txt").rename(os.fsdecode(b"tree/\xe9"))

    printed = jigdo_file("mt", *PAIR, "-r", "grep", "--match-exec=echo $LEAF", "tree//")

    assert "256 tree/\udce9\n\udce9\n" in printed
    assert made().parts[A_TXT] == ("A:\udce9",)


def test_an_image_is_made_of_template_and_files(work: Path, jigdo_file: LookAlike) -> None:
    jigdo_file("make-image", "-t", "md5.template", "-i", "new.iso", "tree")

    assert Path("new.iso").read_bytes() == IMAGE
    assert "new.iso is made" in jigdo_file.err
    assert not Path("new.iso.tmp").exists()


def test_an_image_is_made_in_several_goes(work: Path, jigdo_file: LookAlike) -> None:
    parts = ("-t", "md5.template", "-i", "new.iso")

    jigdo_file("mi", *parts, "tree/a.txt", status=1)
    unfinished = jigdo_file.err
    missing = jigdo_file("pm", *parts, "-j", str(GOLDEN / "md5.jigdo"))
    jigdo_file("mi", *parts, "tree/b c#.bin")

    assert "2 of 3 parts are in new.iso.tmp" in unfinished
    assert missing == "http://mirror.example/os/b c#.bin\n"
    assert Path("new.iso").read_bytes() == IMAGE


def test_without_any_part_nothing_is_written(work: Path, jigdo_file: LookAlike) -> None:
    before = names()

    jigdo_file("mi", "-t", "md5.template", "-i", "new.iso", "none", status=1)

    assert "0 of 3 parts" in jigdo_file.err
    assert "`none'" in jigdo_file.err
    assert names() == before


def test_quiet_says_nothing_of_missing_parts(work: Path, jigdo_file: LookAlike) -> None:
    jigdo_file("mi", "-t", "md5.template", "-i", "new.iso", "-r", "quiet", "tree/a.txt", status=1)

    assert jigdo_file.err == ""


def test_an_image_that_is_there_and_right_is_done(work: Path, jigdo_file: LookAlike) -> None:
    jigdo_file("mi", "-t", "md5.template", "-i", "cd.iso")

    assert "already and right" in jigdo_file.err


def test_another_file_is_replaced_with_force_alone(work: Path, jigdo_file: LookAlike) -> None:
    Path("new.iso").write_bytes(b"precious")

    jigdo_file("mi", "-t", "md5.template", "-i", "new.iso", "tree", status=3)
    kept = Path("new.iso").read_bytes()
    jigdo_file("mi", "-t", "md5.template", "-i", "new.iso", "-f", "tree")

    assert kept == b"precious"
    assert Path("new.iso").read_bytes() == IMAGE


def test_an_image_goes_to_stdout(work: Path, jigdo_file: LookAlike) -> None:
    printed = jigdo_file("mi", "-t", "md5.template", "-i", "-", "tree")

    assert printed.encode("utf-8", "surrogateescape") == IMAGE


def test_an_image_with_missing_parts_does_not_go_to_stdout(
    work: Path, jigdo_file: LookAlike
) -> None:
    printed = jigdo_file("mi", "-t", "md5.template", "-i", "-", "tree/a.txt", status=3)

    assert printed == ""
    assert "1 part is missing: nothing was written" in jigdo_file.err


@pytest.mark.parametrize("image", ["new.iso", "-"])
def test_an_image_that_comes_out_wrong_is_never_status_0(
    work: Path, jigdo_file: LookAlike, image: str
) -> None:
    content = Path("md5.template").read_bytes()
    with Path("md5.template").open("rb") as stream:
        description = read_template(stream, "md5.template").description
    wrong = dataclasses.replace(description.image, digest=Digest("md5", bytes(16)))
    data = content.removesuffix(format_description(description))
    Path("bad.template").write_bytes(
        data + format_description(dataclasses.replace(description, image=wrong))
    )

    printed = jigdo_file("mi", "-t", "bad.template", "-i", image, "tree", status=2)

    assert printed == ""
    assert not Path("new.iso").exists()


def test_a_damaged_template_is_status_3(work: Path, jigdo_file: LookAlike) -> None:
    Path("bad.template").write_bytes(Path("md5.template").read_bytes()[:-1])

    jigdo_file("mi", "-t", "bad.template", "-i", "new.iso", "tree", status=3)

    assert "bad.template" in jigdo_file.err
    assert not Path("new.iso.tmp").exists()
