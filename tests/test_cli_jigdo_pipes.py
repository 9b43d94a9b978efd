"""The look-alike with ``-`` and named pipes in the place of files."""

from __future__ import annotations

import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from golden import GOLDEN, IMAGE, write_tree
from lookalike import LookAlike

from release_builder.jigdo.location import parse_jigdo

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPLATE = (GOLDEN / "md5.template").read_bytes()
JIGDO = (GOLDEN / "md5.jigdo").read_bytes()
PROGRAM = (sys.executable, "-c", "from release_builder.cli.jigdo_file import main; main()")


@pytest.fixture
def jigdo_file(capsysbinary: pytest.CaptureFixture[bytes]) -> LookAlike:
    return LookAlike(capsysbinary)


@pytest.fixture(autouse=True)
def work(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that we are in, with an image, its two files in ``tree``, and its pair."""
    monkeypatch.chdir(workdir)
    write_tree(workdir / "tree")
    (workdir / "cd.iso").write_bytes(IMAGE)
    for name in ("md5.template", "md5.jigdo"):
        shutil.copy(GOLDEN / name, workdir)
    (workdir / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(workdir / "temporary"))
    return workdir


@pytest.fixture
def made(jigdo_file: LookAlike) -> tuple[bytes, bytes]:
    """The template and the .jigdo of ``cd.iso``, made as files and taken away."""
    jigdo_file("mt", "-i", "cd.iso", "-j", "cd.jigdo", "tree//")
    pair = Path("cd.template"), Path("cd.jigdo")
    contents = pair[0].read_bytes(), pair[1].read_bytes()
    for path in pair:
        path.unlink()
    return contents


def type_in(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))


@contextmanager
def pipe(name: str, content: bytes) -> Iterator[str]:
    """A named pipe that ``content`` comes from."""
    os.mkfifo(name)
    writer = threading.Thread(target=Path(name).write_bytes, args=[content], daemon=True)
    writer.start()
    yield name
    writer.join(10)
    assert not writer.is_alive(), "nobody read the pipe"


def test_a_template_goes_to_stdout(made: tuple[bytes, bytes], jigdo_file: LookAlike) -> None:
    printed = jigdo_file("mt", "-i", "cd.iso", "-t", "-", "-j", "cd.jigdo", "tree//")

    assert os.fsencode(printed) == made[0]
    assert Path("cd.jigdo").read_bytes() == made[1]
    assert "cd.jigdo and stdout are made" in jigdo_file.err


def test_a_jigdo_file_goes_to_stdout(made: tuple[bytes, bytes], jigdo_file: LookAlike) -> None:
    printed = jigdo_file("mt", "-i", "cd.iso", "-t", "cd.template", "-j", "-", "tree//")

    assert os.fsencode(printed) == made[1]
    assert Path("cd.template").read_bytes() == made[0]


def test_from_stdin_to_stdout(
    made: tuple[bytes, bytes], jigdo_file: LookAlike, monkeypatch: pytest.MonkeyPatch
) -> None:
    type_in(monkeypatch, IMAGE)

    printed = jigdo_file("mt", "-i", "-", "-t", "-", "-j", "cd.jigdo", "tree//")

    jigdo = parse_jigdo(Path("cd.jigdo").read_bytes(), "cd.jigdo")
    assert os.fsencode(printed) == made[0]
    assert (jigdo.image.filename, jigdo.image.template) == ("cd.iso", "cd.template")


def test_what_a_command_prints_is_not_mixed_into_a_template(
    made: tuple[bytes, bytes], jigdo_file: LookAlike
) -> None:
    printed = jigdo_file(
        "mt", "-i", "cd.iso", "-t", "-", "-j", "cd.jigdo", "--match-exec=echo $LEAF", "tree//"
    )

    assert os.fsencode(printed) == made[0]
    assert "b c#.bin\n" in jigdo_file.err


@pytest.mark.parametrize(
    "outputs",
    [
        pytest.param(["-t", "-", "-j", "cd.jigdo"], id="template"),
        pytest.param(["-t", "cd.template", "-j", "-"], id="jigdo"),
    ],
)
def test_what_stdout_does_not_take_leaves_no_half_a_pair(work: Path, outputs: list[str]) -> None:
    before = sorted(work.iterdir())

    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [*PROGRAM, "mt", "-i", "cd.iso", *outputs, "tree//"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert ended.returncode == 3
    assert "No space left" in ended.stderr
    assert sorted(work.iterdir()) == before


@pytest.mark.parametrize("image", ["new.iso", "-"])
def test_an_image_is_made_of_a_template_from_stdin(
    work: Path, jigdo_file: LookAlike, monkeypatch: pytest.MonkeyPatch, image: str
) -> None:
    type_in(monkeypatch, TEMPLATE)

    printed = jigdo_file("mi", "-i", image, "-t", "-", "tree")

    assert (os.fsencode(printed) if image == "-" else Path(image).read_bytes()) == IMAGE
    assert not any((work / "temporary").iterdir())


def test_an_image_is_verified_against_a_template_from_stdin(
    jigdo_file: LookAlike, monkeypatch: pytest.MonkeyPatch
) -> None:
    for content, status in ((TEMPLATE, 0), (TEMPLATE[:-1], 3), (b"", 3)):
        type_in(monkeypatch, content)

        jigdo_file("ver", "-i", "cd.iso", "-t", "-", status=status)


@pytest.mark.parametrize(
    ("jigdo", "template", "stdin"),
    [
        pytest.param("-", "md5.template", JIGDO, id="jigdo"),
        pytest.param("md5.jigdo", "-", TEMPLATE, id="template"),
    ],
)
def test_missing_parts_are_told_of_a_file_from_stdin(
    jigdo_file: LookAlike,
    monkeypatch: pytest.MonkeyPatch,
    jigdo: str,
    template: str,
    stdin: bytes,
) -> None:
    right = jigdo_file("pma", "-i", "none", "-j", "md5.jigdo", "-t", "md5.template")
    type_in(monkeypatch, stdin)

    assert jigdo_file("pma", "-i", "none", "-j", jigdo, "-t", template) == right
    assert "http://" in right


def test_a_jigdo_file_from_stdin_is_bounded(
    jigdo_file: LookAlike, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("release_builder.jigdo.syntax._LONGEST_TEXT", 100)
    type_in(monkeypatch, JIGDO)

    jigdo_file("pm", "-i", "none", "-j", "-", "-t", "md5.template", status=3)

    assert "larger than 100 bytes" in jigdo_file.err


@pytest.mark.parametrize(
    "argv",
    [
        pytest.param(["ver", "-i", "cd.iso", "-t", "in"], id="ver"),
        pytest.param(["mi", "-f", "-i", "new.iso", "-t", "in", "tree"], id="mi"),
        pytest.param(["pm", "-i", "none", "-j", "md5.jigdo", "-t", "in"], id="pm"),
    ],
)
def test_a_template_comes_through_a_named_pipe(jigdo_file: LookAlike, argv: list[str]) -> None:
    with pipe("in", TEMPLATE):
        jigdo_file(*argv)


def test_a_jigdo_file_to_merge_comes_through_a_named_pipe(jigdo_file: LookAlike) -> None:
    with pipe("in", b"[Servers]\nMy=http://my/\n"):
        jigdo_file("mt", "-i", "cd.iso", "-j", "cd.jigdo", "--merge=in", "tree//")

    assert b"My=http://my/" in Path("cd.jigdo").read_bytes()


def test_names_come_through_a_named_pipe(jigdo_file: LookAlike) -> None:
    with pipe("in", b"tree/a.txt\n"):
        assert jigdo_file("md5", "-T", "in") == "3emeG6gnZ_P2hjzxQRHW5g  tree/a.txt\n"


def test_a_list_that_cannot_be_read_is_told(jigdo_file: LookAlike) -> None:
    for name, why in (("none", "No such file"), ("tree", "not a regular file")):
        assert jigdo_file("md5", "-T", name, status=3) == ""
        assert f"--files-from={name}: {why}" in jigdo_file.err


def test_an_empty_device_is_an_empty_list(jigdo_file: LookAlike) -> None:
    assert jigdo_file("md5", "-T", "/dev/null") == jigdo_file.err == ""


@pytest.mark.parametrize("kind", ["fifo", "socket", "link to a fifo"])
@pytest.mark.parametrize(
    "argv",
    [
        pytest.param(["mt", "-i", "cd.iso", "-t", "out", "-j", "cd.jigdo"], id="template"),
        pytest.param(["mt", "-i", "cd.iso", "-t", "cd.template", "-j", "out"], id="jigdo"),
        pytest.param(["mi", "-i", "out", "-t", "md5.template"], id="image"),
    ],
)
def test_a_pipe_is_never_replaced_by_a_file(
    jigdo_file: LookAlike, kind: str, argv: list[str]
) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        if kind == "socket":
            server.bind("out")
        else:
            os.mkfifo("target" if kind == "link to a fifo" else "out")
        if kind == "link to a fifo":
            Path("out").symlink_to("target")

        jigdo_file(*argv, "-f", "tree", status=3)

    assert "out is there already, and is no file that could be replaced" in jigdo_file.err
    assert Path("out").is_socket() if kind == "socket" else Path("out").is_fifo()


@pytest.mark.parametrize("target", ["cd.iso", "tree", "none"])
def test_a_link_is_replaced_and_not_what_it_leads_to(
    jigdo_file: LookAlike, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    Path("out").symlink_to(target)

    jigdo_file("mi", "-f", "-i", "out", "-t", "md5.template", "tree")

    assert not Path("out").is_symlink()
    assert Path("out").read_bytes() == IMAGE
    assert Path("cd.iso").exists()


def test_a_named_pipe_that_nobody_writes_into_is_not_waited_for(jigdo_file: LookAlike) -> None:
    os.mkfifo("in")

    jigdo_file("ver", "-i", "cd.iso", "-t", "in", status=3)

    assert "nobody writes into" in jigdo_file.err
