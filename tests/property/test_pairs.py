"""Whatever files there are and whatever is said of them: the pair of an image gives the image."""

from __future__ import annotations

import hashlib
import io
import tarfile
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from builders import noise
from hypothesis import given, settings
from hypothesis import strategies as st

from release_builder.api.images import make_image
from release_builder.extents import Extent, Kind
from release_builder.jigdo.entries import MatchedFile, UnmatchedData
from release_builder.jigdo.file_index import FileIndex
from release_builder.jigdo.form import Form
from release_builder.jigdo.input_files import InputFile, InputFiles, read_input_files
from release_builder.jigdo.location import parse_jigdo
from release_builder.jigdo.make_template import make_template
from release_builder.jigdo.match_content import ContentIndex
from release_builder.jigdo.template import read_template
from release_builder.steps.make_pair import make_template as make_pair
from release_builder.steps.pair_options import Match, PairOptions

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from release_builder.digests import Digest
    from release_builder.jigdo.entries import Description

SHORTEST = 256  # bytes: no block may be shorter
NAMES = ("a", "b", "sub/a", "sub/c", "sub/deep/b", "no suffix")


class Memory:
    """A cache of digests that forgets nothing."""

    def __init__(self) -> None:
        self.known: dict[tuple[int, str], Digest] = {}

    computed = 0

    def get(self, status: os.stat_result, algorithm: str, /) -> Digest | None:
        return self.known.get((status.st_ino, algorithm))

    def put(self, status: os.stat_result, digest: Digest, /) -> None:
        self.known[status.st_ino, digest.algorithm] = digest


@dataclass(frozen=True, slots=True)
class Case:
    """An image and what there is to take it apart.

    Attributes:
        image: Its bytes.
        tree: The files by their names.
        gone: Names of files that vanish after they were listed.
        extents: What is said of the image, true or not.
    """

    image: bytes
    tree: dict[str, bytes]
    gone: frozenset[str]
    extents: tuple[Extent, ...]


sizes = st.sampled_from([200, 256, 257, 300, 511, 512, 700, 1023, 1024, 1025, 3000])
forms = st.builds(
    Form,
    algorithm=st.sampled_from(["md5", "sha256"]),
    compression=st.sampled_from(["gzip", "bzip2"]),
    level=st.integers(0, 9),
    block_length=st.sampled_from([256, 257, 500, 1024]),
)


@st.composite
def contents(draw: st.DrawFn) -> bytes:
    """Few enough that files begin alike, repeat each other, or are all of one byte."""
    size, seed = draw(sizes), draw(st.integers(0, 2))
    run = draw(st.sampled_from([0, 0, 0, 1, 255, 256, 300, 5000]))
    return (draw(st.sampled_from([b"\0", b"x"])) * run + noise(5000, seed))[:size]


trees = st.dictionaries(st.sampled_from(NAMES), contents(), max_size=5)


@st.composite
def pieces(draw: st.DrawFn, tree: dict[str, bytes]) -> bytes:
    """A stretch of an image: one of the files, whole or not, or something else."""
    content = draw(st.sampled_from(sorted(tree.values())) if tree else contents())
    match draw(st.sampled_from(["file", "file", "file", "patched", "cut", "gap", "zeros"])):
        case "file":
            return content
        case "patched":
            at = draw(st.integers(0, len(content) - 1))
            return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        case "cut":
            return content[draw(st.integers(0, 300)) :]
        case "zeros":
            return bytes(draw(st.integers(0, 2000)))
        case _:
            return noise(draw(st.integers(0, 400)), "gap")


@st.composite
def images(draw: st.DrawFn, tree: dict[str, bytes]) -> bytes:
    image = bytearray().join(draw(st.lists(pieces(tree), max_size=7)))
    for content in (
        draw(st.lists(st.sampled_from(sorted(tree.values())), max_size=2)) if tree else ()
    ):
        at = draw(st.integers(0, len(image)))
        image[at : at + len(content)] = content  # over others, perhaps
    return bytes(image)


def places(image: bytes, tree: dict[str, bytes]) -> Iterator[Extent]:
    """Where the files really are, whether or not they overlap."""
    for name, content in tree.items():
        at = image.find(content)
        while at >= 0:
            yield Extent(at, len(content), Kind.FILE, name)
            at = image.find(content, at + len(content))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    tree = draw(trees)
    image = draw(images(tree))
    lies = st.builds(
        Extent,
        st.integers(-10, len(image) + 10),
        sizes,
        st.sampled_from([Kind.FILE, Kind.FILE, Kind.BOOT_IMAGE]),
        st.sampled_from([*NAMES, "a.;1", ""]),
    )
    said = [*places(image, tree), *draw(st.lists(lies, max_size=4))]
    kept = draw(st.lists(st.booleans(), min_size=len(said), max_size=len(said)))
    extents = [extent for extent, keep in zip(said, kept, strict=True) if keep]
    gone = frozenset(draw(st.sets(st.sampled_from(sorted(tree)), max_size=1)) if tree else ())
    return Case(image, tree, gone, tuple(draw(st.permutations(extents))))


def write_tree(root: Path, tree: dict[str, bytes]) -> InputFiles:
    for name, content in tree.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return read_input_files([f"{root}//"], [])


@contextmanager
def opened(content: bytes) -> Iterator[BinaryIO]:
    """A real file with ``content``."""
    with tempfile.TemporaryFile(buffering=0) as image:
        image.write(content)
        yield image


@dataclass(frozen=True, slots=True)
class Search:
    """Looks for files by their content."""

    index: ContentIndex[InputFile]

    def find(self, image: BinaryIO, begin: int, end: int, /) -> Iterator[tuple[int, InputFile]]:
        for match in self.index.find(image, begin, end):
            yield match.offset, match.file


def check_lengths(description: Description, image: bytes) -> None:
    """No part is too short, and all runs together are the image."""
    block_length = description.image.block_length or 0
    parts = [run.length for run in description.runs if isinstance(run, MatchedFile)]
    rest = [run.length for run in description.runs if isinstance(run, UnmatchedData)]
    assert min(parts, default=block_length) >= block_length
    assert sum(parts) + sum(rest) == len(image)
    assert all(rest)
    assert rest or not image  # the smallest part is spared: none here is large


def template_of(
    case: Case, inputs: InputFiles, form: Form, cache: Memory, search: str | None
) -> bytes:
    """The template; ``search`` is whether to look by content, and if so how."""
    out, told, matches = io.BytesIO(), list[int](), list[tuple[int, int]]()
    index = FileIndex(inputs.files, form.algorithm, cache)
    finder = None
    if search is not None:
        content = ContentIndex(index.files(), form.block_length, greedy=search == "greedy")
        finder = Search(content)
    with opened(case.image) as image:
        made = make_template(
            image,
            out,
            index,
            case.extents,
            form,
            finder=finder,
            on_bytes=told.append,
            on_match=lambda offset, file, _digest: matches.append((offset, file.size)),
        )
    assert sum(told) == len(case.image)
    ends = [0, *(offset + size for offset, size in matches)]
    assert all(end <= offset for end, (offset, _) in zip(ends, matches, strict=False))
    assert made.image.digest.value == hashlib.new(form.algorithm, case.image).digest()
    return out.getvalue()


@settings(max_examples=120)
@given(cases(), forms, st.sampled_from([None, "greedy", "longest"]))
def test_a_template_gives_its_image_whatever_was_said(
    case: Case, form: Form, search: str | None
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root, cache = Path(folder, "tree"), Memory()
        root.mkdir()
        inputs = write_tree(root, case.tree)
        for name in case.gone:
            (root / name).unlink()

        template = template_of(case, inputs, form, cache, search)

        with_known_digests = template_of(case, inputs, form, cache, search)
        assert template == template_of(case, inputs, form, Memory(), search) == with_known_digests
        check_lengths(read_template(io.BytesIO(template), "t").description, case.image)
        Path(folder, "t").write_bytes(template)
        made = make_image(
            Path(folder, "t"), Path(folder, "i"), read_input_files([f"{root}//"], []), cache=cache
        )
        assert made.complete
        assert Path(folder, "i").read_bytes() == case.image


@settings(max_examples=60)
@given(trees, forms, st.data())
def test_every_file_that_the_extents_tell_of_is_a_part(
    tree: dict[str, bytes], form: Form, data: st.DataObject
) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(tree)), max_size=6)) if tree else []
    image, extents = b"first", list[Extent]()
    for name in names:
        said = data.draw(st.sampled_from([name, f"x/{name}", "", *tree]))
        extents.append(Extent(len(image), len(tree[name]), Kind.FILE, said))
        image += tree[name] + b"then"
    with tempfile.TemporaryDirectory() as folder:
        inputs = write_tree(Path(folder), tree)

        content = template_of(
            Case(image, tree, frozenset(), tuple(extents)), inputs, form, Memory(), None
        )

    description = read_template(io.BytesIO(content), "t").description
    parts = [run.digest.value for run in description.runs if isinstance(run, MatchedFile)]
    long_enough = [tree[name] for name in names if len(tree[name]) >= form.block_length]
    assert parts == [hashlib.new(form.algorithm, each).digest() for each in long_enough]


def archive(members: list[tuple[str, bytes]]) -> bytes:
    """A tar archive: an image with a file system that tells where its files are."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


@settings(max_examples=60)
@given(trees, forms, st.sampled_from(Match), st.booleans(), st.data())
def test_a_pair_gives_its_image_in_every_way_of_looking(
    tree: dict[str, bytes], form: Form, match: Match, greedy: bool, data: st.DataObject
) -> None:
    members = st.tuples(st.sampled_from([*NAMES, "other"]), pieces(tree))
    image = data.draw(images(tree)) if data.draw(st.booleans()) else b""
    if match is Match.EXTENTS or not image:
        image = archive(data.draw(st.lists(members, min_size=1, max_size=5))) + image
    options = PairOptions(form, match, greedy)
    with tempfile.TemporaryDirectory() as folder:
        root, memory = Path(folder, "tree"), Memory()
        root.mkdir()
        inputs = write_tree(root, tree)
        iso, template, jigdo, again = (Path(folder, name) for name in "itja")
        iso.write_bytes(image)

        made = make_pair(iso, inputs, template, jigdo, options, cache=memory)

        with template.open("rb") as stream:
            description = read_template(stream, "t").description
        check_lengths(description, image)
        assert made.bytes_matched + made.bytes_unmatched == len(image)
        text = parse_jigdo(jigdo.read_bytes(), "j")
        assert set(text.parts) == {part.digest for part in description.parts}
        for digest, locations in text.parts.items():
            paths = [url.removeprefix("file:") for at in locations for url in text.urls(at)]
            contents_there = {Path(path).read_bytes() for path in paths}
            assert {hashlib.new(form.algorithm, each).digest() for each in contents_there} == {
                digest.value
            }
        assert make_image(template, again, inputs, cache=memory).complete
        assert again.read_bytes() == image
