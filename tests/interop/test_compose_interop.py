"""Our .jigdo text beside that of jigdo-file, and in the hands of the programs that read it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from builders import noise

from release_builder.digests import Digest
from release_builder.jigdo.compose import ImageText, compose_jigdo, servers_of, used_labels
from release_builder.jigdo.input_files import InputFiles, pick_labels, read_input_files
from release_builder.jigdo.location import parse_jigdo
from release_builder.process import run

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

pytestmark = pytest.mark.interop

PLAIN = ("a", "a-b", "ab", "b/c")
ODD = (
    *("a b", " a ", "\ta", "#a", "a#b", "a'b", 'a"b', "a\\b", "a'\"\\b", "'a'", "a=b", "=a", "a:b"),
    *(
        ":a",
        "[a",
        "a]",
        "a\rb",
        "\r",
        "a \r",
        "a\x01",
        "a\x0bb\x0c",
        "a\u00a0b",
        "é",
        "\udcff",
        "$a`b`",
    ),
)
OTHER, THIRD = "A" * 22, "B" * 21 + "A"  # digests of parts that are not here


@dataclass(frozen=True, slots=True)
class Made:
    """What jigdo-file made of an image, and we of the same arguments.

    Attributes:
        theirs: The .jigdo file of jigdo-file.
        ours: Our own.
        inputs: Where we found the files.
    """

    theirs: bytes
    ours: bytes
    inputs: InputFiles


@pytest.fixture(autouse=True)
def beside_the_tree(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(workdir)


def make_image(workdir: Path, names: Iterable[str]) -> None:
    """Files of noise, and an image that has them in the order of ``names``."""
    with (workdir / "i.iso").open("wb") as image:
        for name in names:
            path = workdir / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(noise(2000, name))
            image.write(b"between" + noise(2000, name))


def make(
    workdir: Path,
    arguments: Sequence[str],
    *,
    labels: Sequence[tuple[str, str]] = (),
    uris: Sequence[tuple[str, str]] = (),
    merge: bytes | None = None,
    algorithm: str = "md5",
) -> Made:
    """Let jigdo-file make a pair, and compose the .jigdo file of the same template."""
    (workdir / "m").write_bytes(merge or b"")
    outcome = run(
        [
            *("jigdo-file", "make-template", "--report=quiet", "--image=i.iso", "--force"),
            *("--checksum-algorithm", algorithm),
            *(word for label, path in labels for word in ("--label", f"{label}={path}")),
            *(word for label, url in uris for word in ("--uri", f"{label}={url}")),
            *(["--merge=m"] if merge is not None else []),
            *("--", *arguments),
        ]
    )
    assert outcome.status == 0, outcome.stderr

    image = (workdir / "i.iso").read_bytes()
    inputs = read_input_files(arguments, labels)
    contents = {file: Path(file.path).read_bytes() for file in inputs.files}
    found = sorted(
        (file for file in inputs.files if contents[file] in image),
        key=lambda file: image.index(contents[file]),
    )
    picked = pick_labels((file.root for file in found), used_labels(merge or b""))
    template = (workdir / "i.template").read_bytes()
    ours = compose_jigdo(
        generator="jigdo-file/0.8.0",
        version={"md5": "1.2", "sha256": "2.0"}[algorithm],
        image=ImageText("i.iso", "i.template", digest(template, algorithm)),
        servers=servers_of(picked, uris),
        parts=[(digest(contents[file], algorithm), file.location(picked)) for file in found],
        merge=merge,
    )
    return Made((workdir / "i.jigdo").read_bytes(), ours, inputs)


def digest(data: bytes, algorithm: str) -> Digest:
    return Digest(algorithm, hashlib.new(algorithm, data).digest())


def below_comment(content: bytes) -> bytes:
    assert content.startswith(b"# JigsawDownload\n")
    return content.partition(b"\n\n")[2]


@pytest.mark.parametrize(
    ("arguments", "labels", "uris"),
    [
        pytest.param(["t//", "u//"], [], [], id="in the order of the image"),
        pytest.param(["u//", "t//"], [], [], id="in the other order"),
        pytest.param(["t//a", "u//", "t//b", "t//ab"], [], [], id="mixed"),
        pytest.param(["t", "u/c"], [], [], id="relative, no cut"),
        pytest.param(["./t", "u/"], [], [], id="relative, dot"),
        pytest.param(["{cwd}/t", "u"], [], [], id="absolute, no cut"),
        pytest.param(["/{cwd}/t", "//{cwd}/u"], [], [], id="absolute, a cut at its begin"),
        pytest.param(["t//b//", "t///a", "u//"], [], [], id="the last // counts"),
        pytest.param(["nothing//", "u//", "x//"], [], [], id="roots without parts"),
        pytest.param(["t//", "u//"], [("L", "t")], [("L", "http://l/")], id="label and URL"),
        pytest.param(["t//", "u//"], [("L", "t/")], [("A", "http://a/")], id="URL without label"),
        pytest.param(["t//", "u//"], [("L", "t")], [("L", "1"), ("L", "2")], id="two URLs"),
        pytest.param(["t//", "u//"], [("L", "t"), ("L", "u")], [], id="one label for two"),
        pytest.param(["t//", "u//"], [("L", "t"), ("M", "t")], [], id="two labels for one"),
        pytest.param(["t//", "u//"], [("L", "t//"), ("M", "{cwd}/u")], [], id="labels of nothing"),
        pytest.param(["t", "{cwd}/u"], [("L", "t"), ("M", "/")], [], id="label for the slash"),
        pytest.param(["t//", "u//"], [("B", "t")], [], id="a letter that is taken"),
        pytest.param(["t//", "o o//"], [("L", "o o")], [("L", "'a b' c")], id="quotes in a URL"),
        pytest.param(["o o//", "t//"], [], [], id="quotes round a folder"),
        pytest.param(["t//odd"], [], [], id="odd names"),
    ],
)
@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_we_write_what_jigdo_file_writes(
    workdir: Path,
    arguments: list[str],
    labels: list[tuple[str, str]],
    uris: list[tuple[str, str]],
    algorithm: str,
) -> None:
    odd = (f"t/odd/{name}" for name in ODD if not name.endswith("\r"))  # those we quote
    make_image(workdir, ["u/c", *(f"t/{name}" for name in PLAIN), *odd, "o o/p"])
    arguments = [argument.format(cwd=workdir) for argument in arguments]
    labels = [(label, path.format(cwd=workdir)) for label, path in labels]

    made = make(workdir, arguments, labels=labels, uris=uris, algorithm=algorithm)

    assert b"=" in made.theirs.partition(b"[Parts]")[2]
    assert below_comment(made.ours) == below_comment(made.theirs)


def test_jigdo_file_finds_the_parts_that_we_name(workdir: Path) -> None:
    make_image(workdir, [*(f"t t/{name}" for name in (*PLAIN, *ODD)), "u/f"])
    made = make(workdir, ["t t//", f"{workdir}/u"], labels=[("L", "t t")])
    (workdir / "i.jigdo").write_bytes(made.ours)

    outcome = run(
        [
            *("jigdo-file", "print-missing-all", "--image=no.iso"),
            *("--jigdo=i.jigdo", "--template=i.template"),
        ]
    )

    # A blank line between parts; the last line of each is the name that its digest would have.
    printed = [block.split("\n")[:-1] for block in outcome.stdout.rstrip("\n").split("\n\n")]
    paths = [f"t t/{name}" for name in (*PLAIN, *ODD)] + [f"{workdir}/u/f"]
    assert outcome.stderr == ""
    assert sorted(printed) == sorted([path] for path in paths)
    assert sorted(file.path for file in made.inputs.files) == sorted(paths)


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_jigit_builds_the_image_from_what_we_wrote(workdir: Path, algorithm: str) -> None:
    make_image(workdir, (f"t/{name}" for name in PLAIN))
    labels = [("Base", "t")]
    made = make(workdir, ["t//"], labels=labels, algorithm=algorithm)
    (workdir / "i.jigdo").write_bytes(made.ours)

    outcome = run(
        [
            *("jigit-mkimage", "-j", "i.jigdo", "-t", "i.template"),
            *("-m", f"Base={workdir}/t", "-o", "built.iso"),
        ]
    )

    assert outcome.status == 0, outcome.stderr
    assert (workdir / "built.iso").read_bytes() == (workdir / "i.iso").read_bytes()


MERGED = [
    pytest.param("", id="nothing"),
    pytest.param("# c\n[Jigdo]\nVersion=1.0\nGenerator=mine\n# d\n", id="another generator"),
    pytest.param("# c\n\n[Image]\nFilename=x\nTemplate-MD5Sum=\nShortInfo=it's\n", id="empty sum"),
    pytest.param("[Image]\n Template-MD5Sum = # c\n[Image]\nTemplate-MD5Sum=\n", id="two of them"),
    pytest.param("[Image]\nTemplate-MD5Sum=x\n[Image]\nTemplate-MD5Sum=\n", id="the second"),
    pytest.param("[Image]\nFilename=x\nTemplate-MD5Sum=x\nTemplate-SHA256Sum=\n", id="no such sum"),
    pytest.param("[Servers]\nA=http://a/\n\n[Comment]\nA=file:t/\n", id="label that is taken"),
    pytest.param("[Servers]\n# c\n\n[Servers]\n# d\n\n# e\n[Image]\nTemplate-MD5Sum=", id="empty"),
    pytest.param("[Servers]\nL=http://l/\nL=file:t/\n[Comment]\n", id="the same server"),
    pytest.param("[Servers]\nL=file:t/ --try-last\n", id="the same server with an option"),
    pytest.param(
        f"[Servers]\nQ=http://q/\n[Parts]\n{OTHER}=Q:z\n# c\n{OTHER}=C:z\n\n{THIRD}=Q:z\n{OTHER}=Q:z\n"
        f"[Comment]\nany text\n[Parts]\n{THIRD}='Q:a b' --opt # c\n{OTHER}=Q:z --opt\n",
        id="parts that are elsewhere",
    ),
    pytest.param("[Parts]\n{a}=Q:other\n{a}=P:another\n", id="one part is known"),
    pytest.param("[Parts]\n{a}=L:1\n{c}=L:2\n[Image]\nTemplate-MD5Sum=\n", id="all are known"),
    pytest.param("[Jigdo]\r\n[Image]\r\nTemplate-MD5Sum=\r\n\r\n[Parts]\r\n{a}=x\r\n", id="CR LF"),
]


@pytest.mark.parametrize("label", ["L", ""])
@pytest.mark.parametrize("merge", MERGED)
def test_we_merge_as_jigdo_file_does(workdir: Path, merge: str, label: str) -> None:
    make_image(workdir, ["t/a", "t/b/c"])
    digests = {"a": digest(noise(2000, "t/a"), "md5"), "c": digest(noise(2000, "t/b/c"), "md5")}
    merge = merge.format(**{name: each.jigdo for name, each in digests.items()})
    labels = [(label, "t")] if label else []

    made = make(workdir, ["t//"], labels=labels, merge=merge.encode())

    ours, theirs = (
        [
            row
            for row in content.splitlines()
            if row.strip() and row[:7] not in {b"# Jigsa", b"# See <", b"# What "}
        ]
        for content in (made.ours, made.theirs)
    )
    assert ours == theirs
    assert parse_jigdo(made.ours, "ours").parts == parse_jigdo(made.theirs, "theirs").parts


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["t//"], id="a folder"),
        pytest.param(["t"], id="no cut"),
        pytest.param(["t//", "u//"], id="two that a link joins"),
        pytest.param(["u//", "t//", "t//"], id="the other way round"),
        pytest.param(["t//link", "t//a"], id="a link first"),
        pytest.param(["t//folder", "t//b/loop"], id="links to folders"),
        pytest.param(["t//no", "", "t/a/", "t//broken", "t//self", "a\r"], id="missing"),
    ],
)
def test_we_find_the_files_that_jigdo_file_finds(workdir: Path, arguments: list[str]) -> None:
    make_image(workdir, ["t/a", "t/b/c", "t/b/d/e", "u/f", "t/Z"])
    (workdir / "t" / "empty").touch()
    links = {"link": "a", "folder": "../u", "b/loop": "..", "broken": "nowhere", "self": "self"}
    for link, target in (links | {"b/d/out": "../../../u/f"}).items():
        (workdir / "t" / link).symlink_to(target)

    outcome = run(["jigdo-file", "md5sum", "--report=quiet", "--", *arguments])
    inputs = read_input_files(arguments, [])

    listed = {row.partition("  ")[2] for row in outcome.stdout.splitlines()}
    assert {file.name for file in inputs.files} == listed
    assert sorted(inputs.problems) == sorted(
        row.replace("\r", r"\x0d") for row in outcome.stderr.split("\n") if row
    )
