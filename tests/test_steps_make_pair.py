"""A pair is made whole or not at all, from an image with or without a file system."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import iso_builder as iso
import pytest
from builders import digest as digest_of_file
from builders import noise

from release_builder.api.images import make_image
from release_builder.digests import Digest
from release_builder.errors import (
    DescriptorError,
    IncompleteError,
    SurroundingsError,
    WrongBytesError,
)
from release_builder.jigdo.entries import MatchedFile, UnmatchedData
from release_builder.jigdo.form import Form
from release_builder.jigdo.input_files import InputFile, InputFiles, read_input_files
from release_builder.jigdo.location import parse_jigdo
from release_builder.jigdo.template import read_template
from release_builder.monitor import Monitor
from release_builder.state.digest_cache import no_cache
from release_builder.steps.make_pair import make_template
from release_builder.steps.pair_options import MadePair, Match, PairOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ONE, TWO, INNER = noise(3000, "one"), noise(5000, "two"), noise(1500, "inner")
# TWO stands in the image once more, where its file system tells nothing of it.
HIDDEN_AT = 34 * iso.SECTOR + 100
ISO = iso.image(
    {
        iso.ROOT: iso.folder(
            iso.ROOT, iso.record(b"ONE.;1", 24, 3000), iso.record(b"TWO.;1", 27, 5000)
        ),
        24: ONE,
        27: TWO,
        34: bytes(100) + TWO,
    }
)
BROKEN_ISO = iso.image(
    {
        iso.ROOT: iso.folder(
            iso.ROOT, iso.record(b"ONE.;1", 24, 3000), iso.record(b"TWO.;1", 9999, 5000)
        ),
        24: ONE,
        27: TWO,
    }
)
NO_FILE_SYSTEM = b"no file system" + ONE + b"gap" + TWO
TREE = {"one": ONE, "sub/two": TWO}


class Listener(Monitor):
    """Remembers what it heard."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, int | None]] = []
        self.bytes = 0
        self.ended = 0

    def begin(self, what: str, total: int | None = None) -> None:
        self.begun.append((what, total))

    def advance(self, count: int) -> None:
        self.bytes += count

    def progress(self, done: int, total: int | None = None, note: str = "") -> None:
        self.bytes = done

    def end(self) -> None:
        self.ended += 1


@pytest.fixture(autouse=True)
def place(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tests run beside their tree ``in/tree`` and make their pair in ``out``."""
    monkeypatch.chdir(workdir)
    (workdir / "in").mkdir()
    (workdir / "out").mkdir()
    return workdir


def write_tree(contents: Mapping[str, bytes] = TREE) -> None:
    for name, content in contents.items():
        path = Path("in/tree", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def image_of(content: bytes = ISO) -> Path:
    path = Path("in/x.iso")
    path.write_bytes(content)
    return path


TEMPLATE, JIGDO = Path("out/x.template"), Path("out/x.jigdo")
PLAIN = PairOptions()


def pair(
    image: bytes | Path | BinaryIO = ISO,
    options: PairOptions = PLAIN,
    *,
    inputs: InputFiles | None = None,
    template: Path = TEMPLATE,
    jigdo: Path = JIGDO,
    monitor: Monitor | None = None,
    on_match: Callable[[int, InputFile, Digest], object] = lambda _offset, _file, _digest: None,
    force: bool = False,
) -> MadePair:
    """The pair of an image and the tree; what a test does not care about has a value."""
    return make_template(
        image_of(image) if isinstance(image, bytes) else image,
        inputs or read_input_files(["in/tree//"], [("Base", "in/tree")]),
        template,
        jigdo,
        options,
        cache=no_cache(),
        monitor=monitor,
        on_match=on_match,
        force=force,
    )


def made_files() -> list[str]:
    return sorted(path.name for path in Path("out").iterdir())


def runs() -> list[tuple[int, bool]]:
    """Length of each run of the template, and whether it is a part."""
    with TEMPLATE.open("rb") as stream:
        found = read_template(stream, "t").description.runs
    return [(run.length, isinstance(run, MatchedFile)) for run in found]


def assert_rebuilds(content: bytes) -> None:
    """The template and the tree give the image."""
    image = Path("out/rebuilt.iso")
    made = make_image(TEMPLATE, image, read_input_files(["in/tree//"], []), cache=no_cache())
    assert made.complete
    assert image.read_bytes() == content
    image.unlink()


def md5(content: bytes) -> Digest:
    return Digest("md5", hashlib.md5(content).digest())


@pytest.mark.parametrize(
    ("algorithm", "version"),
    [pytest.param("md5", "1.2", id="md5"), pytest.param("sha256", "2.0", id="sha256")],
)
def test_a_pair_tells_the_same_in_both_files(algorithm: str, version: str) -> None:
    write_tree()

    made = pair(options=PairOptions(form=Form(algorithm, level=1)))

    jigdo = parse_jigdo(JIGDO.read_bytes(), "x.jigdo")
    assert (jigdo.version, jigdo.problems) == (version, ())
    assert (jigdo.image.filename, jigdo.image.template) == ("x.iso", "x.template")
    assert jigdo.image.template_digests == (made.template_digest,)
    assert made.template_digest == digest_of_file(TEMPLATE, algorithm)
    with TEMPLATE.open("rb") as stream:
        description = read_template(stream, "t").description
    assert set(jigdo.parts) == {part.digest for part in description.parts}
    assert description.image == made.image
    assert sorted(jigdo.parts.values()) == [("Base:one",), ("Base:sub/two",)]
    assert [(server.label, server.url) for server in jigdo.servers] == [("Base", "file:in/tree/")]
    assert made_files() == ["x.jigdo", "x.template"]
    assert_rebuilds(ISO)


def test_what_came_of_it_is_told() -> None:
    write_tree()

    made = pair()

    assert made.image.digest == md5(ISO)
    assert (made.parts, made.bytes_matched, made.bytes_unmatched) == (2, 8000, len(ISO) - 8000)
    assert made.problems == ()


def test_the_same_input_gives_the_same_files() -> None:
    write_tree()
    pair()
    first = TEMPLATE.read_bytes(), JIGDO.read_bytes()

    pair(force=True)

    assert (TEMPLATE.read_bytes(), JIGDO.read_bytes()) == first


@pytest.mark.parametrize(
    ("match", "content", "parts"),
    [
        pytest.param(Match.AUTO, ISO, 2, id="auto, a file system"),
        pytest.param(Match.EXTENTS, ISO, 2, id="extents, a file system"),
        pytest.param(Match.CONTENT, ISO, 3, id="content, a file system"),
        pytest.param(Match.BOTH, ISO, 3, id="both, a file system"),
        pytest.param(Match.AUTO, NO_FILE_SYSTEM, 2, id="auto, none"),
        pytest.param(Match.CONTENT, NO_FILE_SYSTEM, 2, id="content, none"),
        pytest.param(Match.BOTH, NO_FILE_SYSTEM, 2, id="both, none"),
    ],
)
def test_files_are_looked_for_as_one_chose(match: Match, content: bytes, parts: int) -> None:
    write_tree()

    pair(content, options=PairOptions(match=match))

    assert sum(is_part for _, is_part in runs()) == parts
    assert_rebuilds(content)


@pytest.mark.parametrize(
    ("greedy", "found"),
    [
        pytest.param(False, ["outer"], id="the one around"),
        pytest.param(True, ["inner"], id="the first to end"),
    ],
)
def test_of_a_file_inside_another_the_choice_is_the_users(greedy: bool, found: list[str]) -> None:
    write_tree({"inner": INNER, "outer": ONE[:500] + INNER + TWO})
    names: list[str] = []

    def hear(_offset: int, file: InputFile, _digest: Digest) -> None:
        names.append(file.name)

    content = b"before" + ONE[:500] + INNER + TWO + b"behind"
    pair(content, options=PairOptions(match=Match.CONTENT, greedy=greedy), on_match=hear)

    assert names == found
    assert_rebuilds(content)


def test_matches_are_told_in_image_order() -> None:
    write_tree()
    told: list[tuple[int, str, Digest]] = []

    def hear(offset: int, file: InputFile, digest: Digest) -> None:
        told.append((offset, file.name, digest))

    pair(on_match=hear, options=PairOptions(match=Match.BOTH))

    assert told == [
        (24 * iso.SECTOR, "one", md5(ONE)),
        (27 * iso.SECTOR, "sub/two", md5(TWO)),
        (HIDDEN_AT, "sub/two", md5(TWO)),
    ]


def test_a_broken_file_system_is_told_and_its_files_are_found_by_content() -> None:
    write_tree()

    made = pair(BROKEN_ISO)

    assert [is_part for _, is_part in runs()] == [False, True, False, True, False]
    (problem,) = made.problems
    assert problem.startswith("file 'TWO' at offset 20477952")
    assert problem.endswith(": its files are looked for by content")
    assert_rebuilds(BROKEN_ISO)


def test_an_image_without_file_system_is_told() -> None:
    write_tree()

    made = pair(NO_FILE_SYSTEM)

    assert made.problems == (
        "the image has no file system that we can read: its files are looked for by content",
    )


@pytest.mark.parametrize(
    "content", [pytest.param(BROKEN_ISO, id="broken"), pytest.param(NO_FILE_SYSTEM, id="none")]
)
def test_who_demands_a_file_system_gets_one_or_nothing(content: bytes) -> None:
    write_tree()

    with pytest.raises(WrongBytesError) as refused:
        pair(content, options=PairOptions(match=Match.EXTENTS))

    assert "--match=content" in refused.value.hint
    assert made_files() == []


@pytest.mark.parametrize(
    "present", [pytest.param(TEMPLATE, id="template"), pytest.param(JIGDO, id="jigdo")]
)
def test_what_is_there_already_is_replaced_only_by_force(present: Path) -> None:
    write_tree()
    present.write_bytes(b"old")

    with pytest.raises(SurroundingsError, match=rf"{present} is there already") as refused:
        pair()

    assert "--force" in refused.value.hint
    assert made_files() == [present.name]
    assert present.read_bytes() == b"old"

    pair(force=True)

    assert made_files() == ["x.jigdo", "x.template"]
    assert_rebuilds(ISO)


def test_a_link_that_leads_nowhere_is_there_already() -> None:
    write_tree()
    TEMPLATE.symlink_to("nowhere")

    with pytest.raises(SurroundingsError, match="is there already"):
        pair()

    assert TEMPLATE.is_symlink()
    assert made_files() == ["x.template"]


def test_with_force_a_link_is_replaced_and_what_it_led_to_stays() -> None:
    write_tree()
    Path("in/precious").write_bytes(b"precious")
    JIGDO.symlink_to("../in/precious")

    pair(force=True)

    assert not JIGDO.is_symlink()
    assert Path("in/precious").read_bytes() == b"precious"


BAD_MERGES = [
    pytest.param(b"no section\n", id="no .jigdo"),
    pytest.param(b"[Parts]\nx\0=y\n", id="NUL"),
    pytest.param(b"\x1f\x8bno gzip", id="broken gzip"),
]


@pytest.mark.parametrize("merge", BAD_MERGES)
@pytest.mark.parametrize(
    "force", [pytest.param(False, id="anew"), pytest.param(True, id="by force")]
)
def test_a_file_that_cannot_be_merged_leaves_all_as_it_was(merge: bytes, force: bool) -> None:
    write_tree()
    old = {TEMPLATE: b"old template", JIGDO: b"old jigdo"} if force else {}
    for path, content in old.items():
        path.write_bytes(content)

    with pytest.raises(WrongBytesError):
        pair(options=PairOptions(merge=merge), force=force)

    assert made_files() == sorted(path.name for path in old)
    assert all(path.read_bytes() == content for path, content in old.items())


def test_a_file_whose_name_no_jigdo_file_can_have_is_no_part_and_told() -> None:
    write_tree({"one": ONE, "sub/two\nlines": TWO})

    made = pair()

    assert made.parts == 1
    assert made.bytes_unmatched >= len(TWO)
    (problem,) = made.problems
    assert problem.startswith(r"in/tree/sub/two\x0alines: no .jigdo can name it")


def test_a_name_with_a_lines_end_does_not_matter_if_the_image_lacks_the_file() -> None:
    write_tree({**TREE, "other\nfile": noise(5000, "other")})

    pair()

    assert made_files() == ["x.jigdo", "x.template"]


def test_an_image_that_becomes_shorter_leaves_nothing() -> None:
    write_tree()
    image = image_of()
    threads = threading.active_count()

    def cut(_offset: int, _file: InputFile, _digest: Digest) -> None:
        os.truncate(image, HIDDEN_AT)

    with pytest.raises(IncompleteError, match=r"became shorter|changed while it was read"):
        pair(image, on_match=cut)

    assert made_files() == []
    assert threading.active_count() == threads


def test_an_error_of_the_one_who_hears_of_matches_leaves_nothing() -> None:
    write_tree()

    def refuse(_offset: int, _file: InputFile, _digest: Digest) -> None:
        raise SurroundingsError("the command failed")

    with pytest.raises(SurroundingsError, match="the command failed"):
        pair(on_match=refuse)

    assert made_files() == []


def test_a_jigdo_that_cannot_take_its_place_leaves_no_template() -> None:
    write_tree()
    JIGDO.mkdir()

    with pytest.raises((OSError, SurroundingsError)):
        pair(force=True)

    assert made_files() == ["x.jigdo"]


def test_one_name_for_both_files_is_refused() -> None:
    write_tree()

    with pytest.raises((DescriptorError, SurroundingsError)):
        pair(jigdo=TEMPLATE)

    assert made_files() == []


@pytest.mark.parametrize(
    ("template", "jigdo"),
    [
        pytest.param(Path("out/no/x"), JIGDO, id="template"),
        pytest.param(TEMPLATE, Path("out/no/x"), id="jigdo"),
    ],
)
def test_an_output_in_a_missing_folder_leaves_nothing(template: Path, jigdo: Path) -> None:
    write_tree()

    with pytest.raises((OSError, SurroundingsError)):
        pair(template=template, jigdo=jigdo)

    assert made_files() == []


def test_an_image_from_a_pipe_gives_the_same_template() -> None:
    write_tree()
    pair()
    expected = TEMPLATE.read_bytes()
    reading, writing = os.pipe()

    def write() -> None:
        with os.fdopen(writing, "wb") as stream:
            stream.write(ISO)

    writer = threading.Thread(target=write)
    writer.start()
    with os.fdopen(reading, "rb") as stream:
        pair(stream, force=True)
    writer.join()

    assert TEMPLATE.read_bytes() == expected
    assert made_files() == ["x.jigdo", "x.template"]


def test_an_image_that_is_a_fifo_gives_the_same_template() -> None:
    write_tree()
    pair()
    expected = TEMPLATE.read_bytes()
    os.mkfifo("in/fifo.iso")
    writer = threading.Thread(target=Path("in/fifo.iso").write_bytes, args=(ISO,))

    writer.start()
    pair(Path("in/fifo.iso"), force=True)
    writer.join()

    assert TEMPLATE.read_bytes() == expected
    assert made_files() == ["x.jigdo", "x.template"]


def test_an_image_from_a_stream_is_called_as_the_template_is() -> None:
    write_tree()

    pair(io.BytesIO(ISO))

    assert parse_jigdo(JIGDO.read_bytes(), "x").image.filename == "x.iso"


def test_a_folder_is_no_image() -> None:
    with pytest.raises(DescriptorError, match="in is a folder"):
        pair(Path("in"), inputs=read_input_files([], []))

    assert made_files() == []


def test_sections_are_left_out_on_demand() -> None:
    write_tree()

    pair(options=PairOptions(image_section=False, servers_section=False))

    text = JIGDO.read_text()
    assert "[Parts]" in text
    assert "[Image]" not in text
    assert "[Servers]" not in text


def test_a_label_gets_the_users_server() -> None:
    write_tree()

    pair(options=PairOptions(uris=(("Base", "http://mirror.example/tree/"),)))

    jigdo = parse_jigdo(JIGDO.read_bytes(), "x")
    assert jigdo.urls("Base:one") == ("http://mirror.example/tree/one",)


def test_files_without_a_label_get_one_that_the_merged_file_does_not_have() -> None:
    write_tree()
    merge = f"[Parts]\n{md5(b'else').jigdo}=A:else\n[Servers]\nA=http://else.example/\n".encode()

    pair(inputs=read_input_files(["in/tree//"], []), options=PairOptions(merge=merge))

    jigdo = parse_jigdo(JIGDO.read_bytes(), "x")
    assert jigdo.parts[md5(b"else")] == ("A:else",)
    assert jigdo.parts[md5(ONE)] == ("B:one",)
    assert jigdo.urls("B:one") == ("file:in/tree/one",)


@pytest.mark.parametrize("match", [pytest.param(each, id=each.value) for each in Match])
def test_a_file_that_cannot_be_read_is_a_problem_and_the_rest_is_found(match: Match) -> None:
    write_tree()
    inputs = read_input_files(["in/tree//"], [])
    Path("in/tree/one").unlink()
    os.mkfifo("in/tree/one")

    made = pair(inputs=inputs, options=PairOptions(match=match))

    (problem,) = made.problems
    assert problem.startswith("in/tree/one: not a regular file")
    assert made.parts == 1
    Path("in/tree/one").unlink()
    assert_rebuilds(ISO)


def test_files_shorter_than_a_block_are_not_even_opened() -> None:
    write_tree()
    inputs = read_input_files(["in/tree//"], [])
    Path("in/tree/one").unlink()

    made = pair(inputs=inputs, options=PairOptions(form=Form(block_length=3001)))

    assert made.problems == ()
    assert made.parts == 1


def test_files_of_which_the_image_has_none_are_told() -> None:
    write_tree({"other": noise(3000, "other"), "more": noise(7000)})

    made = pair()

    assert made.problems == ("none of the 2 files is in the image: the template has all of it",)
    assert runs() == [(len(ISO), False)]


def test_an_empty_image_is_told_and_has_a_template() -> None:
    write_tree()

    made = pair(b"", options=PairOptions(match=Match.CONTENT))

    assert "the image is empty: jigdo-file refuses its template" in made.problems
    assert_rebuilds(b"")


def test_an_image_that_large_files_cover_is_told() -> None:
    large = noise((1 << 20) + 1)
    write_tree({"large": large})

    made = pair(large)

    (_, crash) = made.problems
    assert "jigdo-file 0.8 crashes" in crash
    assert runs() == [(len(large), True)]


@pytest.mark.parametrize("match", [pytest.param(each, id=each.value) for each in Match])
def test_progress_ends_where_it_was_said_to_end(match: Match) -> None:
    write_tree()
    listener = Listener()

    pair(monitor=listener, options=PairOptions(match=match))

    ((what, total),) = listener.begun
    assert "x.iso" in what
    assert listener.bytes == total
    assert listener.ended == 1


def test_progress_ends_with_an_error_too() -> None:
    write_tree()
    listener = Listener()

    def refuse(_offset: int, _file: InputFile, _digest: Digest) -> None:
        raise SurroundingsError("the command failed")

    with pytest.raises(SurroundingsError):
        pair(monitor=listener, on_match=refuse)

    assert listener.ended == 1


def test_what_a_killed_run_left_is_no_hindrance() -> None:
    write_tree()
    Path("out/.x.template.new").write_bytes(b"half a template")
    Path("out/.x.jigdo.new").write_bytes(b"half a jigdo")

    pair()

    assert made_files() == ["x.jigdo", "x.template"]
    assert_rebuilds(ISO)


def test_unmatched_bytes_are_those_between_the_parts() -> None:
    write_tree()

    pair()

    with TEMPLATE.open("rb") as stream:
        template = read_template(stream, "t")
        data, at = template.unmatched(), 0
        for run in template.description.runs:
            if isinstance(run, UnmatchedData):
                assert data.read(run.length) == ISO[at : at + run.length]
            at += run.length
        data.finish()
    assert at == len(ISO)


def test_the_image_is_no_part_of_itself() -> None:
    write_tree()
    image = image_of()
    inside = Path("in/tree") / "image.bin"
    inside.hardlink_to(image)

    made = pair(options=PairOptions(match=Match.CONTENT))

    assert made.parts == len(TREE)


@pytest.mark.parametrize("name", ["template", "jigdo"])
def test_a_part_is_not_replaced_by_an_output(name: str) -> None:
    write_tree()
    output = Path("out") / f"x.{name}"
    output.hardlink_to(Path("in/tree") / next(iter(TREE)))
    before = output.read_bytes()

    with pytest.raises(DescriptorError, match="is to be a part and to be replaced"):
        pair(force=True)

    assert output.read_bytes() == before


def test_an_image_that_changes_while_it_is_read_has_no_pair() -> None:
    write_tree()
    image = image_of()

    def change(_offset: int, _file: InputFile, _digest: Digest) -> None:
        with image.open("r+b") as out:
            out.write(b"changed")

    with pytest.raises(IncompleteError, match="changed while it was read"):
        pair(on_match=change)

    assert made_files() == []
