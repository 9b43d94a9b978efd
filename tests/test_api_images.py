"""An image stands under its name only when it is right; what is not finished is gone on with."""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import subprocess
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import pytest
from builders import noise

from release_builder.api.images import MadeImage, make_image, write_image
from release_builder.digests import Digest
from release_builder.errors import (
    BusyError,
    IncompleteError,
    Status,
    SurroundingsError,
    WrongBytesError,
)
from release_builder.jigdo.entries import (
    Description,
    ImageInfo,
    MatchedFile,
    Run,
    TemplateError,
    UnmatchedData,
    format_description,
)
from release_builder.jigdo.input_files import read_input_files
from release_builder.jigdo.rsync_sum import rsync_sum
from release_builder.jigdo.unfinished import format_unfinished, read_unfinished
from release_builder.monitor import Monitor
from release_builder.state.digest_cache import no_cache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed import ReadableBuffer

    from release_builder.jigdo.sources import DigestCache

ONE, TWO = noise(9000, "one"), noise(150_000, "two")
GAP = noise(5000, "gap")
CONTENT = GAP[:2000] + ONE + TWO + GAP[2000:] + ONE  # ONE lies in it twice
AT_TWO = 2000 + len(ONE)
IMAGE, UNFINISHED, TEMPLATE = Path("x.iso"), Path("x.iso.tmp"), Path("x.template")


class Choice:
    """What a test is run with.

    Attributes:
        cache: Makes the cache; None if parts at hand are to be proven by the image as one.
    """

    cache: Callable[[], DigestCache | None]


@pytest.fixture(
    autouse=True,
    params=[pytest.param(no_cache, id="part by part"), pytest.param(lambda: None, id="as one")],
)
def place(workdir: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """The tests run beside their template; their files are in ``tree``."""
    monkeypatch.setattr(Choice, "cache", request.param, raising=False)
    monkeypatch.chdir(workdir)
    Path("tree").mkdir()
    write_template()


def digest_of(content: bytes, algorithm: str = "md5") -> Digest:
    return Digest(algorithm, hashlib.new(algorithm, content).digest())


def matched(content: bytes, algorithm: str = "md5") -> MatchedFile:
    return MatchedFile(len(content), rsync_sum(content[:1024]), digest_of(content, algorithm))


def description(
    algorithm: str = "md5", of: bytes = CONTENT, more: Iterable[Run] = ()
) -> Description:
    """That of CONTENT; ``of`` is what the image's digest is of."""
    runs = (
        UnmatchedData(2000),
        matched(ONE, algorithm),
        matched(TWO, algorithm),
        UnmatchedData(3000),
        matched(ONE, algorithm),
        *more,
    )
    length = sum(run.length for run in runs)
    return Description(ImageInfo(length, digest_of(of, algorithm), 1024), runs)


def write_template(told: Description | None = None, gap: bytes = GAP) -> None:
    told = told or description()
    stream = zlib.compress(gap)
    sizes = (16 + len(stream)).to_bytes(6, "little") + len(gap).to_bytes(6, "little")
    header = b"JigsawDownload template 1.2 test/1\r\n\r\n\r\n"
    TEMPLATE.write_bytes(header + b"DATA" + sizes + stream + format_description(told))


def put(**contents: bytes) -> None:
    """Write files into the tree."""
    for name, content in contents.items():
        Path("tree", name).write_bytes(content)


def make(*, force: bool = False, monitor: Monitor | None = None) -> MadeImage:
    inputs = read_input_files(["tree//"], [])
    return make_image(TEMPLATE, IMAGE, inputs, cache=Choice.cache(), monitor=monitor, force=force)


def unfinished(written: Iterable[int] = (), image: bytes = bytes(len(CONTENT))) -> bytes:
    """An unfinished image of CONTENT, as jigdo-file leaves it."""
    return image + format_unfinished(description(), frozenset(written))


def marks() -> frozenset[int]:
    with UNFINISHED.open("rb") as stream:
        return read_unfinished(stream, "t").written


def there() -> list[str]:
    """What stands beside the template and the tree."""
    return sorted(path.name for path in Path().iterdir() if path.name not in {"x.template", "tree"})


def assert_done(made: MadeImage) -> None:
    assert IMAGE.read_bytes() == CONTENT
    assert there() == ["x.iso"]
    assert made == MadeImage(
        complete=True,
        was_there=False,
        found=3,
        wanted=3,
        missing=(),
        wrong=made.wrong,
        unfinished=None,
    )


@pytest.mark.parametrize(
    "algorithm", [pytest.param("md5", id="md5"), pytest.param("sha256", id="sha256")]
)
def test_with_all_files_the_image_is_made(algorithm: str) -> None:
    write_template(description(algorithm))
    put(any_name=ONE, other=TWO)

    made = make()

    assert_done(made)
    assert made.wrong == ()


@pytest.mark.parametrize(
    "force", [pytest.param(False, id="plain"), pytest.param(True, id="by force")]
)
def test_an_image_of_no_parts_needs_no_files(force: bool) -> None:
    write_template(Description(ImageInfo(5000, digest_of(GAP), 1024), (UnmatchedData(5000),)))

    made = make(force=force)

    assert IMAGE.read_bytes() == GAP
    assert (made.complete, made.found, made.wanted) == (True, 0, 0)


def test_an_empty_image_is_made() -> None:
    write_template(Description(ImageInfo(0, digest_of(b""), 1024), ()), b"")

    assert make().complete
    assert IMAGE.read_bytes() == b""
    assert there() == ["x.iso"]


def test_an_image_that_is_there_and_right_is_done() -> None:
    IMAGE.write_bytes(CONTENT)
    before = IMAGE.stat()

    made = make()

    assert (made.complete, made.was_there, made.missing) == (True, True, ())
    assert (made.found, made.wanted) == (3, 3)
    assert IMAGE.stat() == before
    assert there() == ["x.iso"]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(b"", id="empty"),
        pytest.param(CONTENT[:-1] + b"?", id="last byte wrong"),
        pytest.param(CONTENT[:-1], id="short"),
        pytest.param(CONTENT + b"x", id="long"),
    ],
)
def test_another_file_under_the_images_name_is_replaced_only_by_force(other: bytes) -> None:
    put(one=ONE, two=TWO)
    IMAGE.write_bytes(other)

    with pytest.raises(SurroundingsError, match="there already, and not the image") as refused:
        make()

    assert "--force" in refused.value.hint
    assert IMAGE.read_bytes() == other
    assert there() == ["x.iso"]

    assert_done(make(force=True))


@pytest.mark.parametrize(
    "in_the_way",
    [
        pytest.param(IMAGE.mkdir, id="a folder"),
        pytest.param(lambda: os.mkfifo(IMAGE), id="a FIFO"),
        pytest.param(lambda: IMAGE.symlink_to("nowhere"), id="a link to nowhere"),
        pytest.param(lambda: IMAGE.symlink_to(IMAGE), id="a link to itself"),
    ],
)
def test_whatever_else_has_the_images_name_is_left_alone(in_the_way: Callable[[], None]) -> None:
    put(one=ONE, two=TWO)
    in_the_way()

    with pytest.raises(SurroundingsError, match="there already"):
        make()

    assert there() == ["x.iso"]


def test_with_force_an_old_image_stands_until_the_new_one_is_whole() -> None:
    IMAGE.write_bytes(b"old")
    put(one=ONE)

    made = make(force=True)

    assert not made.complete
    assert IMAGE.read_bytes() == b"old"


def test_when_nothing_is_found_nothing_is_written() -> None:
    put(other=noise(9000, "other"))

    made = make()

    assert there() == []
    assert made == MadeImage(
        complete=False,
        was_there=False,
        found=0,
        wanted=3,
        missing=(matched(ONE), matched(TWO)),
        wrong=(),
        unfinished=None,
    )


@pytest.mark.parametrize(
    ("name", "content", "written", "missing"),
    [
        pytest.param("one", ONE, {1, 4}, TWO, id="the part that lies there twice"),
        pytest.param("two", TWO, {2}, ONE, id="the other"),
    ],
)
def test_what_is_found_is_kept_marked_and_not_asked_for_again(
    name: str, content: bytes, written: set[int], missing: bytes
) -> None:
    put(**{name: content})

    first = make()

    assert there() == ["x.iso.tmp"]
    assert marks() == written
    assert UNFINISHED.stat().st_size == len(unfinished())
    assert (first.complete, first.found, first.wanted) == (False, len(written), 3)
    assert (first.missing, first.unfinished) == ((matched(missing),), UNFINISHED)

    Path("tree", name).unlink()
    put(rest=missing)

    assert_done(make())


def test_an_unfinished_image_stays_as_it_is_when_nothing_more_is_found() -> None:
    put(two=TWO)
    make()
    before = UNFINISHED.read_bytes()
    Path("tree/two").unlink()

    made = make()

    assert (made.found, made.unfinished) == (1, UNFINISHED)
    assert UNFINISHED.read_bytes() == before


def test_an_unfinished_image_looks_as_jigdo_file_writes_it() -> None:
    put(two=TWO)

    make()

    image = GAP[:2000] + bytes(9000) + TWO + GAP[2000:] + bytes(9000)
    assert UNFINISHED.read_bytes() == unfinished({2}, image)


def test_an_unfinished_image_of_jigdo_file_is_gone_on_with() -> None:
    image = GAP[:2000] + bytes(9000) + TWO + GAP[2000:] + bytes(9000)
    UNFINISHED.write_bytes(unfinished({2}, image))
    put(one=ONE)

    assert_done(make())


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(bytes(len(CONTENT)), id="nothing is in place"),
        pytest.param(CONTENT[:AT_TWO] + b"?" + CONTENT[AT_TWO + 1 :], id="the first byte is wrong"),
        pytest.param(
            CONTENT[: AT_TWO + 149_999] + b"?" + CONTENT[AT_TWO + 150_000 :],
            id="the last byte is wrong",
        ),
    ],
)
def test_marks_that_lie_do_no_harm(image: bytes) -> None:
    UNFINISHED.write_bytes(unfinished({1, 2, 4}, image))
    put(one=ONE, two=TWO)

    assert_done(make())


def test_a_strangers_file_in_the_place_of_the_unfinished_image_stays() -> None:
    UNFINISHED.write_bytes((b"precious" * len(CONTENT))[: len(CONTENT)])
    before = UNFINISHED.read_bytes()
    put(one=ONE, two=TWO)

    with pytest.raises(SurroundingsError, match="no unfinished image"):
        make()

    assert UNFINISHED.read_bytes() == before


def test_marks_that_lie_of_a_part_that_nobody_has_make_it_missing() -> None:
    UNFINISHED.write_bytes(unfinished({1, 2, 4}))
    put(one=ONE)

    made = make()

    assert made.missing == (matched(TWO),)
    assert marks() == {1, 4}
    assert there() == ["x.iso.tmp"]


def test_unmatched_bytes_come_from_the_template_whatever_is_there() -> None:
    UNFINISHED.write_bytes(unfinished({1, 2, 4}, b"x" * 2000 + CONTENT[2000:]))

    assert_done(make())


@pytest.mark.parametrize(
    "left",
    [
        pytest.param(b"", id="just made"),
        pytest.param(bytes(len(CONTENT)), id="made as long as the image"),
        pytest.param(CONTENT, id="whole, about to get its name"),
        pytest.param(CONTENT[:AT_TWO] + bytes(len(CONTENT) - AT_TWO), id="half"),
        pytest.param(unfinished(), id="marked, nothing in place"),
        pytest.param(unfinished(image=CONTENT), id="all in place, not marked"),
        pytest.param(unfinished()[:-7], id="the disk was full in the middle of the marks"),
        pytest.param(bytes(len(unfinished())), id="power failed before the marks were on disk"),
    ],
)
def test_what_a_killed_run_left_is_gone_on_with(left: bytes) -> None:
    UNFINISHED.write_bytes(left)
    put(one=ONE, two=TWO)

    assert_done(make())


OTHER = Description(
    ImageInfo(9300, digest_of(bytes(9300)), 1024), (UnmatchedData(300), matched(ONE))
)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(
            bytes(9300) + format_unfinished(OTHER, {1}),
            "of another template",
            id="another template",
        ),
        pytest.param(b"a user's own file", "x.iso.tmp: no unfinished image", id="something else"),
        pytest.param(noise(300_000), "x.iso.tmp: no unfinished image", id="something longer"),
    ],
)
def test_another_unfinished_image_is_given_up_only_by_force(content: bytes, problem: str) -> None:
    UNFINISHED.write_bytes(content)
    put(one=ONE, two=TWO)

    with pytest.raises(SurroundingsError, match=problem) as refused:
        make()

    assert "--force" in refused.value.hint
    assert UNFINISHED.read_bytes() == content

    assert_done(make(force=True))


def test_what_two_templates_have_in_common_is_kept_by_force() -> None:
    more = description(of=CONTENT + ONE, more=(matched(ONE),))
    UNFINISHED.write_bytes(CONTENT + ONE + format_unfinished(more, {1, 2, 4, 5}))

    made = make(force=True)  # no files at all

    assert_done(made)


@pytest.mark.parametrize(
    "force", [pytest.param(False, id="plain"), pytest.param(True, id="by force")]
)
def test_a_link_in_the_place_of_the_unfinished_image_is_refused(force: bool) -> None:
    Path("precious").write_bytes(b"precious")
    UNFINISHED.symlink_to("precious")
    put(one=ONE, two=TWO)

    with pytest.raises(SurroundingsError, match=r"x\.iso\.tmp cannot be written"):
        make(force=force)

    assert Path("precious").read_bytes() == b"precious"
    assert there() == ["precious", "x.iso.tmp"]


@pytest.mark.parametrize(
    "in_the_way",
    [
        pytest.param(UNFINISHED.mkdir, id="a folder"),
        pytest.param(lambda: os.mkfifo(UNFINISHED), id="a FIFO"),
        pytest.param(lambda: UNFINISHED.symlink_to("/dev/null"), id="a link to a device"),
    ],
)
def test_what_is_no_file_in_the_place_of_the_unfinished_image_is_refused(
    in_the_way: Callable[[], None],
) -> None:
    put(one=ONE, two=TWO)
    in_the_way()

    with pytest.raises(SurroundingsError, match=r"x\.iso\.tmp"):
        make(force=True)

    assert there() == ["x.iso.tmp"]


def test_an_image_in_a_missing_folder_is_an_error_of_the_surroundings() -> None:
    put(one=ONE, two=TWO)
    inputs = read_input_files(["tree//"], [])

    with pytest.raises(SurroundingsError, match=r"cannot be written: there is no folder .*no"):
        make_image(TEMPLATE, Path("no/x.iso"), inputs, cache=Choice.cache())


@pytest.mark.parametrize("begun", [pytest.param(False, id="anew"), pytest.param(True, id="begun")])
def test_a_template_with_a_wrong_digest_of_the_image_gives_no_image(begun: bool) -> None:
    told = description(of=b"something else")
    write_template(told)
    put(one=ONE, two=TWO)
    if begun:
        UNFINISHED.write_bytes(CONTENT + format_unfinished(told, {2}))

    with pytest.raises(WrongBytesError, match="every part is right, but the image has") as wrong:
        make()

    assert wrong.value.status == Status.WRONG
    assert there() == (["x.iso.tmp"] if begun else [])


def test_a_template_whose_data_ends_too_soon_gives_no_image() -> None:
    put(one=ONE, two=TWO)
    broken = bytearray(TEMPLATE.read_bytes())
    broken[200:210] = bytes(10)
    TEMPLATE.write_bytes(broken)

    with pytest.raises(TemplateError, match=r"x\.template"):
        make()

    assert not IMAGE.exists()

    write_template()
    assert_done(make())


def test_what_is_no_template_leaves_nothing() -> None:
    put(one=ONE, two=TWO)
    TEMPLATE.write_bytes(b"no template")

    with pytest.raises(TemplateError, match="is not a jigdo template"):
        make()

    assert there() == []


def test_files_that_only_begin_like_a_part_are_told() -> None:
    put(one=ONE, two=TWO[:-1] + b"?")

    made = make()

    assert [(wrong.part, wrong.where) for wrong in made.wrong] == [(matched(TWO), "tree/two")]
    assert made.missing == (matched(TWO),)
    assert there() == ["x.iso.tmp"]
    assert marks() == {1, 4}


def test_a_second_run_at_the_same_time_is_told_so_and_disturbs_nothing() -> None:
    put(one=ONE, two=TWO)

    class Second(Monitor):
        def begin(self, what: str, total: int | None = None) -> None:
            with pytest.raises(BusyError, match=r"another process writes x\.iso\.tmp"):
                make(force=True)

    assert_done(make(monitor=Second()))


class AtTheEnd(Monitor):
    """Does something when all parts are in their place."""

    def __init__(self, what: Callable[[], object]) -> None:
        super().__init__()
        self.end = what  # type: ignore[method-assign, assignment]


def test_what_was_put_in_the_place_of_an_unfinished_image_does_not_get_its_name() -> None:
    put(one=ONE, two=TWO)

    def another() -> None:
        UNFINISHED.unlink()
        UNFINISHED.write_bytes(b"another's")

    with pytest.raises(IncompleteError, match=r"x\.iso\.tmp was removed while it was written"):
        make(monitor=AtTheEnd(another))

    assert there() == ["x.iso.tmp"]
    assert UNFINISHED.read_bytes() == b"another's"


def test_an_unfinished_image_that_is_removed_meanwhile_is_told_as_such() -> None:
    put(one=ONE, two=TWO)

    with pytest.raises(IncompleteError, match=r"x\.iso\.tmp was removed while it was written"):
        make(monitor=AtTheEnd(UNFINISHED.unlink))

    assert there() == []
    assert_done(make())


def test_an_unfinished_image_that_is_cut_meanwhile_does_not_get_its_name() -> None:
    put(one=ONE, two=TWO)

    with pytest.raises(IncompleteError, match=r"x\.iso\.tmp was cut while it was written"):
        make(monitor=AtTheEnd(lambda: os.truncate(UNFINISHED, 0)))

    assert there() == ["x.iso.tmp"]
    assert_done(make())


def test_what_gets_the_images_name_meanwhile_stays() -> None:
    put(one=ONE, two=TWO)

    with pytest.raises(SurroundingsError, match="there already, and not the image"):
        make(monitor=AtTheEnd(lambda: IMAGE.write_bytes(b"precious")))

    assert IMAGE.read_bytes() == b"precious"


def test_the_unfinished_image_of_another_process_is_not_touched() -> None:
    content = unfinished({2}, CONTENT)
    UNFINISHED.write_bytes(content)
    put(one=ONE, two=TWO)

    with UNFINISHED.open("rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        with pytest.raises(BusyError):
            make(force=True)

    assert UNFINISHED.read_bytes() == content


HUGE = description(more=(MatchedFile(1 << 47, bytes(8), digest_of(b"huge")),))


def test_an_image_for_which_there_is_no_room_is_an_error_of_the_surroundings() -> None:
    write_template(HUGE)
    put(one=ONE, two=TWO)

    with pytest.raises(SurroundingsError, match=r"the image needs [\d,]+ bytes more"):
        make()

    assert sum(path.stat().st_size for path in map(Path, there())) == 0


def test_of_an_image_for_which_there_is_no_room_nothing_is_left() -> None:
    write_template(HUGE)
    put(one=ONE, two=TWO)

    with pytest.raises(SurroundingsError):
        make()

    assert there() == []


MAKE = """
try:
    make_image(
        Path("x.template"),
        Path("x.iso"),
        read_input_files(["tree//"], []),
        cache=no_cache(),
        force="--force" in sys.argv,
    )
except OSError as error:
    sys.exit(error.strerror)
except BusyError as error:
    sys.exit(error.status)
"""
IMPORTS = """
import os, resource, sys
from pathlib import Path
from release_builder.api.images import make_image
from release_builder.errors import BusyError
from release_builder.jigdo.input_files import read_input_files
from release_builder.state.digest_cache import no_cache
"""
LIMITED = """
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
"""
FINISHED_BY_ANOTHER = """
def rename(event, arguments):
    if event == "fcntl.flock" and os.path.exists("x.iso.tmp"):
        os.rename("x.iso.tmp", "x.iso")
sys.addaudithook(rename)
"""


def python(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Make the image in another process, after ``script``."""
    argv = [sys.executable, "-c", IMPORTS + script + MAKE, *arguments]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "limit",
    [
        pytest.param(100_000, id="in the image"),
        pytest.param(len(CONTENT), id="at its end"),
        pytest.param(len(CONTENT) + 50, id="in what is behind it"),
    ],
)
def test_when_the_disk_is_full_the_same_command_finishes_later(limit: int) -> None:
    put(one=ONE, two=TWO)

    ended = python(LIMITED, str(limit))

    assert ended.returncode == 1
    assert "File too large" in ended.stderr
    assert not IMAGE.exists()

    assert_done(make())


@pytest.mark.parametrize(
    ("template", "options"),
    [
        pytest.param(description(), [], id="the same image"),
        pytest.param(OTHER, ["--force"], id="another image, by force"),
    ],
)
def test_an_image_that_another_process_finishes_meanwhile_stays_right(
    template: Description, options: list[str]
) -> None:
    """The other one renames it between our opening it and our locking it."""
    write_template(template, GAP[: template.unmatched_length])
    UNFINISHED.write_bytes(CONTENT)
    put(one=ONE, two=TWO)

    ended = python(FINISHED_BY_ANOTHER, *options)

    assert IMAGE.read_bytes() == CONTENT
    assert ended.returncode in {Status.DONE, Status.BUSY}, ended.stderr


def test_progress_ends_at_the_length_of_the_image() -> None:
    class Listener(Monitor):
        def __init__(self) -> None:
            self.totals: list[int | None] = []
            self.bytes = 0
            self.ended = 0

        def begin(self, what: str, total: int | None = None) -> None:
            self.totals.append(total)

        def advance(self, count: int) -> None:
            self.bytes += count

        def end(self) -> None:
            self.ended += 1

    put(one=ONE, two=TWO)
    UNFINISHED.write_bytes(unfinished({2}))  # a lie: some of it is done twice
    listener = Listener()

    make(monitor=listener)

    assert (listener.totals, listener.bytes, listener.ended) == ([len(CONTENT)], len(CONTENT), 1)


def write(out: BinaryIO) -> MadeImage:
    return write_image(TEMPLATE, out, read_input_files(["tree//"], []), cache=Choice.cache())


def test_a_whole_image_goes_to_the_stream() -> None:
    put(one=ONE, two=TWO)
    out = io.BytesIO()

    made = write(out)

    assert out.getvalue() == CONTENT
    assert (made.complete, made.found, made.unfinished) == (True, 3, None)
    assert there() == []


class Sip(io.RawIOBase):
    """A stream that takes little at a time, and at last nothing more."""

    def __init__(self, room: int) -> None:
        self.taken = b""
        self._room = room

    def write(self, data: ReadableBuffer, /) -> int | None:
        sip = bytes(data)[: min(100, self._room - len(self.taken))]
        self.taken += sip
        return len(sip) or None


def test_a_stream_gets_all_of_an_image_however_little_it_takes() -> None:
    put(one=ONE, two=TWO)
    out = Sip(len(CONTENT))

    assert write(cast("BinaryIO", out)).complete
    assert out.taken == CONTENT


def test_a_stream_that_takes_no_more_is_an_error() -> None:
    put(one=ONE, two=TWO)

    with pytest.raises(BlockingIOError, match="takes no more bytes"):
        write(cast("BinaryIO", Sip(len(CONTENT) - 1)))


def test_of_an_image_with_missing_parts_nothing_goes_to_the_stream() -> None:
    put(two=TWO)
    out = io.BytesIO()

    made = write(out)

    assert out.getvalue() == b""
    assert (made.complete, made.found, made.missing) == (False, 1, (matched(ONE),))
    assert there() == []


def test_of_a_wrong_image_nothing_goes_to_the_stream() -> None:
    put(one=ONE, two=TWO)
    write_template(description(of=b"something else"))
    out = io.BytesIO()

    with pytest.raises(WrongBytesError, match="every part is right"):
        write(out)

    assert out.getvalue() == b""


def test_a_file_beside_is_not_taken_for_an_unfinished_image_of_a_stream() -> None:
    UNFINISHED.write_bytes(unfinished({1, 2, 4}, CONTENT))

    made = write(io.BytesIO())

    assert not made.complete
