"""The look-alike beside jigdo-file itself: the same command lines, the same stdout and status."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

import pytest
from builders import (
    Pair,
    jigdo_file_pair,
    make_image,
    make_tree,
    noise,
    run,
    xorriso_image_with_pair,
)

from release_builder.jigdo.syntax import quote_word

pytestmark = pytest.mark.interop

ODD = {
    "it's": 2000,
    'a "quoted" name': 2100,
    "hash #1": 2200,
    "back\\slash": 2300,
    "a=b:c": 2400,
    os.fsdecode(b"latin\xe9"): 2500,
    "deep/er/plain.rpm": 150_000,
    "tiny": 100,
}
LOOK_ALIKE = (sys.executable, "-c", "from release_builder.cli.jigdo_file import main; main()")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    status: int
    stdout: bytes


def ended(program: tuple[str, ...], arguments: tuple[str, ...], stdin: bytes = b"") -> Ended:
    with TemporaryFile() as given:  # jigdo-file seeks in a template: a pipe would not do
        given.write(stdin)
        given.seek(0)
        made = subprocess.run([*program, *arguments], stdin=given, capture_output=True, check=False)
    return Ended(made.returncode, made.stdout)


def same(*arguments: str, stdin: bytes = b"", with_cache: str = "--no-cache") -> Ended:
    """What both say."""
    arguments = (*arguments, with_cache) if with_cache else arguments
    theirs = ended(("jigdo-file",), arguments, stdin)
    ours = ended(LOOK_ALIKE, arguments, stdin)
    assert ours == theirs
    return ours


@pytest.fixture
def tree(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files with odd names, below the folder that we are in."""
    monkeypatch.chdir(workdir)
    make_tree(workdir / "tree", ODD)
    return Path("tree")


@pytest.fixture(params=["md5", "sha256", "bzip2", "xorriso"])
def pair(request: pytest.FixtureRequest, tree: Path) -> Pair:
    """A pair by jigdo-file or xorriso; its image is out of the way."""
    if request.param == "xorriso":
        Path("out").mkdir()
        made = xorriso_image_with_pair(tree.absolute(), Path("out"))
        made.jigdo.write_bytes(with_quotes(made.jigdo.read_bytes()))
    else:
        image = make_image(tree, Path("full/cd.iso"))
        algorithm = "sha256" if request.param == "sha256" else "md5"
        compression = "bzip2" if request.param == "bzip2" else "gzip"
        out = Path("out")
        made = jigdo_file_pair(image, tree, out, algorithm=algorithm, compression=compression)
    return made


def with_quotes(jigdo: bytes) -> bytes:
    """A .jigdo of libjte, which quotes nothing in [Parts], as it reads the names of others.

    jigdo-file cuts them off at a blank or a #; that we do not is another test.
    """
    head, parts = jigdo.replace(b"Generator=libjte", b"Generator=others").split(b"[Parts]\n")
    lines = (line.split("=", 1) for line in os.fsdecode(parts).splitlines() if "=" in line)
    quoted = "".join(f"{digest}={quote_word(place)}\n" for digest, place in lines)
    return head + b"[Parts]\n" + os.fsencode(quoted)


def names(pair: Pair) -> tuple[str, ...]:
    """The options that name a pair whose image is not there yet."""
    return ("-i", "new.iso", "-j", str(pair.jigdo), "-t", str(pair.template))


@pytest.mark.parametrize("options", [[], ["--hex"], ["-r", "quiet"]])
def test_a_template_is_listed_alike(pair: Pair, options: list[str]) -> None:
    assert b"need-file" in same("ls", "-t", str(pair.template), *options).stdout


@pytest.mark.parametrize("options", [[], ["--hex"]])
def test_an_unfinished_image_is_listed_alike(pair: Pair, tree: Path, options: list[str]) -> None:
    ended(
        ("jigdo-file",), ("mi", *names(pair), "--no-cache", str(tree / "deep"), str(tree / "it's"))
    )

    assert same("ls", "-t", "new.iso.tmp", *options).stdout.count(b"have-file") == 2


@pytest.mark.parametrize("command", ["pm", "pma"])
@pytest.mark.parametrize(
    "uris",
    [
        pytest.param([], id="no uri"),
        pytest.param(["--uri=Mirror=file:/my/"], id="file"),
        pytest.param(
            ["--uri", "Mirror='http://q q/'", "--uri", "Mirror=X:y/", "--uri", "X=ftp://x/"],
            id="quoted, several, of a label",
        ),
        pytest.param(["--uri", "MD5Sum=http://by/md5/", "--uri", "SHA256Sum=Y:"], id="digests"),
    ],
)
def test_missing_parts_are_printed_alike(
    pair: Pair, tree: Path, command: str, uris: list[str]
) -> None:
    nothing = same(command, *names(pair), *uris)
    ended(
        ("jigdo-file",), ("mi", *names(pair), "--no-cache", str(tree / "deep"), str(tree / "it's"))
    )
    unfinished = same(command, *names(pair), *uris)
    Path("new.iso").touch()
    finished = same(command, *names(pair), *uris)

    assert nothing.stdout.count(b"\n") > unfinished.stdout.count(b"\n") > 0
    assert finished == Ended(0, b"")


def test_missing_parts_of_nested_servers_are_printed_alike(pair: Pair) -> None:
    with pair.jigdo.open("a") as out:
        out.write(
            "[Servers]\nMirror=A:one/ --try-last\nMirror=B:\nA=http://a/\nA=file:/a/\nB=C:two/\n"
            "C='ftp://c c/'\nMD5Sum=A:md5/\n"
        )

    assert b"ftp://c c/two/" in same("pma", *names(pair)).stdout


@pytest.mark.parametrize("command", ["md5sum", "sha256sum"])
@pytest.mark.parametrize("options", [[], ["--hex"]])
def test_digests_are_printed_alike(tree: Path, command: str, options: list[str]) -> None:
    for argument in ("tree", "tree/", "./tree", "tree//", "./tree//deep", f"{tree.absolute()}"):
        arguments = (command, argument, *options, "--no-cache")
        theirs, ours = (ended(program, arguments) for program in (("jigdo-file",), LOOK_ALIKE))

        # jigdo-file takes the names of a folder as they come, we in the order of their bytes.
        assert ours.status == theirs.status == 0
        assert sorted(ours.stdout.splitlines()) == sorted(theirs.stdout.splitlines())
        assert ours.stdout.count(b"\n") == len(ODD) - 7 * argument.endswith("deep")


def test_digests_of_named_files_are_printed_alike(tree: Path) -> None:
    files = sorted(str(path) for path in tree.rglob("*") if path.is_file())
    listed = b"tree/tiny\ntree//hash #1\n\ntree/it's\n"
    Path("list").write_bytes(listed)

    same("md5sum", *reversed(files))
    same("md5sum", "-T", "-", "-T", "list", "tree/deep", stdin=listed)
    same("sha256sum", "none", "tree/tiny", "tree/tiny")
    assert same("md5sum", "--", "-x", "tree/tiny").stdout.endswith(b"  tree/tiny\n")


def test_digests_are_right_with_a_cache_where_jigdo_files_are_not(tree: Path) -> None:
    arguments = ("md5sum", "tree/tiny", "tree/it's")
    right = ended(("jigdo-file",), (*arguments, "--no-cache"))

    for _ in range(3):
        assert ended(LOOK_ALIKE, (*arguments, "--cache=jigdo-file-cache.db")) == right


@pytest.mark.parametrize(
    ("change", "status"),
    [
        pytest.param(lambda content: content, 0, id="right"),
        pytest.param(lambda content: content[:-1], 2, id="short"),
        pytest.param(lambda content: content + b"x", 2, id="long"),
        pytest.param(lambda content: b"x" + content[1:], 2, id="wrong"),
    ],
)
def test_images_are_verified_alike(pair: Pair, change: object, status: int) -> None:
    assert callable(change)
    Path("other.iso").write_bytes(change(pair.image.read_bytes()))

    assert same("ver", "-i", "other.iso", "-t", str(pair.template)) == Ended(status, b"")


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="nothing"),
        pytest.param(["frob"], id="no command"),
        pytest.param(["ls"], id="no template"),
        pytest.param(["ls", "-t", "none"], id="no such template"),
        pytest.param(["ls", "-t", "tree/tiny"], id="no template"),
        pytest.param(["ls", "-t", "-"], id="stdin"),
        pytest.param(["ls", "--frob"], id="no option"),
        pytest.param(["ls", "--check"], id="ambiguous"),
        pytest.param(["ls", "-i"], id="no value"),
        pytest.param(["ls", "-r", "x"], id="no report"),
        pytest.param(["md5", "--min-length=1T"], id="no size"),
        pytest.param(["md5", "--cache-expiry=1s"], id="no time"),
        pytest.param(["mt", "-i", "none.iso"], id="no image"),
        pytest.param(["mi", "-i", "a.iso"], id="no template of the image"),
        pytest.param(["ver", "-i", "none.iso", "-t", "none"], id="neither"),
        pytest.param(["pm", "-i", "a", "-t", "none", "-j", "none"], id="no pair"),
        pytest.param(["md5", "none"], id="no file"),
    ],
)
def test_what_cannot_be_done_ends_alike(tree: Path, arguments: list[str]) -> None:
    same(*arguments, with_cache="")


def test_pairs_come_from_stdin_alike(pair: Pair, tree: Path) -> None:
    template, jigdo, image = (path.read_bytes() for path in (pair.template, pair.jigdo, pair.image))
    new = ("-i", "new.iso", "-j", str(pair.jigdo))

    missing = same("pma", *names(pair))

    assert same("pma", *new, "-t", "-", stdin=template) == missing
    assert same("pma", "-i", "new.iso", "-j", "-", "-t", str(pair.template), stdin=jigdo) == missing
    assert same("ver", "-i", str(pair.image), "-t", "-", stdin=template).status == 0
    assert same("mi", "-i", "-", "-t", "-", str(tree), stdin=template) == Ended(0, image)


def test_templates_written_to_stdout_are_good_to_the_other(tree: Path) -> None:
    image = make_image(tree, Path("cd.iso"))
    arguments = ("mt", "-i", "cd.iso", "-t", "-", "-j", "new.jigdo", "-f", "-r", "quiet", "tree//")

    for first, second in ((LOOK_ALIKE, ("jigdo-file",)), (("jigdo-file",), LOOK_ALIKE)):
        made = ended(first, (*arguments, "--no-cache"))
        verified = ended(second, ("ver", "-i", str(image), "-t", "-"), made.stdout)

        assert (made.status, verified.status) == (0, 0)


def test_images_are_begun_by_one_and_ended_by_the_other(pair: Pair, tree: Path) -> None:
    image = pair.image.read_bytes()
    some, rest = [str(tree / "deep"), str(tree / "it's")], str(tree)

    for first, second in ((LOOK_ALIKE, ("jigdo-file",)), (("jigdo-file",), LOOK_ALIKE)):
        begun = ended(first, ("mi", *names(pair), "--no-cache", *some))
        missing = same("pma", *names(pair))
        finished = ended(second, ("mi", *names(pair), "--no-cache", rest))

        assert (begun.status, finished.status) == (1, 0)
        assert missing.stdout
        assert Path("new.iso").read_bytes() == image
        Path("new.iso").unlink()


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
@pytest.mark.parametrize("match", ["extents", "content", "both"])
def test_jigdo_file_rebuilds_from_our_pairs(tree: Path, algorithm: str, match: str) -> None:
    image = make_image(tree, Path("cd.iso"))

    made = ended(
        LOOK_ALIKE,
        (
            *("mt", "-i", str(image), "-C", algorithm, f"--match={match}", "-r", "grep"),
            *("--label=Base=tree", "--uri=Base=file:tree/", "tree//"),
        ),
    )
    missing = same("pm", "-i", "new.iso", "-j", "cd.jigdo", "-t", "cd.template")
    run("jigdo-file", "mi", "--no-cache", "-t", "cd.template", "-i", "new.iso", "tree")

    assert made.status == 0
    assert len(made.stdout.splitlines()) >= len(ODD) - 1  # all but the tiny one
    assert len(missing.stdout.splitlines()) == len(ODD) - 1
    assert Path("new.iso").read_bytes() == image.read_bytes()


def test_the_same_matches_are_found_in_what_has_no_folders(tree: Path) -> None:
    pieces = [noise(500, 1)]
    for path in sorted(path for path in tree.rglob("*") if path.is_file()):
        pieces += [path.read_bytes(), noise(700, path.name)]
    Path("some.bin").write_bytes(b"".join(pieces))

    found = same("mt", "-i", "some.bin", "-r", "grep", "-f", "tree")
    listed = same("ls", "-i", "some.bin")

    assert found.stdout.count(b"\n") == len(ODD) - 1
    assert listed.stdout.count(b"need-file") == len(ODD) - 1
