"""Pairs that real programs make at test time, held against the image byte by byte."""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING

import pytest

from release_builder.digests import Digest
from release_builder.jigdo.entries import MatchedFile, UnmatchedData, format_description
from release_builder.jigdo.location import parse_jigdo
from release_builder.jigdo.servers import rewrite_servers
from release_builder.jigdo.template import read_template
from release_builder.process import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.interop

FILES = {
    "RPMS/one-1.0-1.noarch.rpm": 5000,
    "RPMS/two-1.0-1.noarch.rpm": 70_001,
    "images/boot.img": 300_000,
    "short": 100,
}


def call(*argv: str | Path) -> str:
    """What the program printed; it must end well."""
    outcome = run([str(word) for word in argv])
    assert outcome.status == 0, outcome.stderr
    return outcome.stdout


def digest(data: bytes, algorithm: str) -> Digest:
    return Digest(algorithm, hashlib.new(algorithm, data).digest())


@pytest.fixture
def tree(workdir: Path) -> Path:
    """A few files that do not compress, the first of them twice."""
    noise = random.Random(1)
    folder = workdir / "tree"
    for name, size in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(noise.randbytes(size))
    (folder / "again.rpm").write_bytes((folder / "RPMS/one-1.0-1.noarch.rpm").read_bytes())
    return folder


def jigdo_file(tree: Path, algorithm: str, compression: str) -> Path:
    """The image whose pair jigdo-file made."""
    iso = tree.parent / "i.iso"
    call("xorriso", "-as", "mkisofs", "-quiet", "-r", "-J", "-o", iso, tree)
    call(
        *("jigdo-file", "make-template", "--no-cache", "--report=quiet", f"--{compression}"),
        *("--checksum-algorithm", algorithm, "--image", iso),
        *("--label", f"Base={tree}", "--uri", "Base=http://old/"),
        f"{tree}//",
    )
    return iso


def xorriso(tree: Path, algorithm: str, compression: str) -> Path:
    """The image whose pair xorriso made together with it."""
    iso, sums = tree.parent / "i.iso", tree.parent / "sums"
    with sums.open("w") as out:
        for path in sorted(path for path in tree.rglob("*") if path.is_file()):
            data = path.read_bytes()
            out.write(f"{digest(data, algorithm).hex}  {len(data):12}  {path}\n")
    call(
        *("xorriso", "-as", "mkisofs", "-quiet", "-r", "-J", "-o", iso),
        *("-jigdo-jigdo", iso.with_suffix(".jigdo")),
        *("-jigdo-template", iso.with_suffix(".template")),
        *("-jigdo-checksum-algorithm", algorithm, "-checksum-list", sums),
        *("-jigdo-template-compress", compression, "-jigdo-map", f"Base={tree}/"),
        tree,
    )
    return iso


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
@pytest.mark.parametrize("compression", ["gzip", "bzip2"])
@pytest.mark.parametrize("make", [jigdo_file, xorriso])
def test_every_byte_and_digest_of_a_pair_is_the_images(
    tree: Path, make: Callable[[Path, str, str], Path], algorithm: str, compression: str
) -> None:
    iso = make(tree, algorithm, compression)
    image = iso.read_bytes()
    content = iso.with_suffix(".template").read_bytes()
    jigdo = parse_jigdo(iso.with_suffix(".jigdo").read_bytes(), "i.jigdo")

    with iso.with_suffix(".template").open("rb") as stream:
        template = read_template(stream, "i.template")
        reader, offset, unmatched = template.unmatched(), 0, b""
        for each in template.description.runs:
            piece = image[offset : offset + each.length]
            if isinstance(each, UnmatchedData):
                unmatched += piece
                assert reader.read(each.length) == piece
            else:
                assert digest(piece, algorithm) == each.digest
                assert each.digest in jigdo.parts
            offset += each.length
        reader.finish()

    assert offset == len(image) == template.description.image.length
    assert template.description.image.digest == digest(image, algorithm)
    assert content.endswith(format_description(template.description))
    assert digest(content, algorithm) in jigdo.image.template_digests
    assert (b"BZIP" in content) == (compression == "bzip2")
    # Every file that jigdo would take is there, with a name that leads to it.
    found = {each.digest for each in template.description.runs if isinstance(each, MatchedFile)}
    for name, size in FILES.items():
        part = digest((tree / name).read_bytes(), algorithm)
        assert (part in found) == (size >= 1024)
        assert (f"Base:{name}" in jigdo.parts.get(part, ())) == (size >= 1024)
    assert jigdo.problems == ()


@pytest.mark.parametrize(
    ("make", "name"),
    [
        pytest.param(xorriso, "plain.rpm", id="xorriso"),  # it never quotes
        pytest.param(jigdo_file, "plain.rpm", id="jigdo-file"),
        pytest.param(jigdo_file, "with space #1.rpm", id="name in single quotes"),
        pytest.param(jigdo_file, "it's.rpm", id="name in double quotes"),
        pytest.param(jigdo_file, 'it\'s "a\\b".rpm', id="name with escapes"),
    ],
)
@pytest.mark.parametrize("url", ["http://new/8/", 'http://new/it\'s a "place" #1\\/'])
def test_jigdo_file_reads_the_urls_that_we_wrote(
    tree: Path, make: Callable[[Path, str, str], Path], name: str, url: str
) -> None:
    (tree / name).write_bytes(random.Random(2).randbytes(3000))
    iso = make(tree, "md5", "gzip")
    pair = iso.with_suffix(".jigdo")
    pair.write_bytes(rewrite_servers(pair.read_bytes(), {"Base": url}, "i.jigdo").content)

    printed = call(
        *("jigdo-file", "print-missing-all", "--no-cache", "--jigdo", pair),
        *("--template", iso.with_suffix(".template"), "--image", tree / "none.iso"),
    )

    jigdo = parse_jigdo(pair.read_bytes(), "i.jigdo")
    theirs = {line for line in printed.splitlines() if line and not line.startswith("MD5Sum:")}
    assert theirs == {
        each for places in jigdo.parts.values() for place in places for each in jigdo.urls(place)
    }
    assert url + name in theirs
