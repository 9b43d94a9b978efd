"""A mirror in a local folder without rsync: it does as rsync does."""

from __future__ import annotations

import itertools
import os
import stat
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from release_builder import process
from release_builder.errors import (
    DescriptorError,
    IncompleteError,
    ReleaseBuilderError,
    SurroundingsError,
)
from release_builder.monitor import Monitor
from release_builder.transport import Pull, Transfer
from release_builder.transport.local import LocalMirror, open_mirror
from release_builder.transport.local_tree import read_tree
from release_builder.transport.rsync import RsyncMirror
from release_builder.transport.rsync_filter import Selection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EPOCH = 1_400_000_000
NAMES = ("a", "b", "c.iso", "Sums", "é", "x[1]")
PLACES = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map("/".join)
# kind, content, seconds, mode; for a link the content is where it leads
THINGS = st.tuples(
    st.sampled_from(("file", "file", "file", "folder", "link", "name")),
    st.sampled_from(("", "1", "2", "a" * 5000, "\0" * 9000 + "z")),
    st.integers(0, 2),
    st.sampled_from((0o644, 0o755, 0o700)),
)
TREES = st.dictionaries(PLACES, THINGS, max_size=9)
WANTED = st.sampled_from(
    (
        ("a/", "b/", "c.iso/", "Sums/", "é/", "x[[]1]/"),
        ("a/", "b/*.iso"),
        ("a/b/",),
        ("*.iso", "b/"),
        ("a/*", "a/**/b"),
        ("[!b-z]/", "**/Sums"),
    )
)
EXCLUDED = st.sampled_from(
    ((), ("*.iso",), ("/a/b",), ("b/",), ("a/b/Sums", "[[:upper:]]*"), ("b/***",))
)


def plant(root: Path, tree: dict[str, tuple[str, str, int, int]]) -> None:
    """Make what ``tree`` says as far as it is possible; later things yield to earlier ones."""
    root.mkdir()
    first: Path | None = None
    for place, (kind, content, second, mode) in tree.items():
        path = root / place
        if (
            path.is_symlink()
            or path.exists()
            or any(
                each.is_symlink() or each.is_file() for each in path.parents if each != root.parent
            )
        ):
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind == "folder":
            path.mkdir()
        elif kind == "link":
            path.symlink_to(content.strip("\0")[:8] or "nowhere")
        elif kind == "name" and first:
            os.link(first, path)
            continue
        else:
            path.write_text(content)
            path.chmod(mode)
            first = first or path
        os.utime(path, (EPOCH + second,) * 2, follow_symlinks=False)
    for path in (
        root,
        *(each for each in root.rglob("*") if each.is_dir() and not each.is_symlink()),
    ):
        os.utime(path, (EPOCH, EPOCH))


def seen(root: Path) -> dict[str, object]:
    """All of a tree that matters: kinds, modes, times, bytes, and which names are one file."""
    found: dict[str, object] = {}
    names: dict[int, str] = {}
    for path in sorted((root, *root.rglob("*"))):
        status, name = path.lstat(), str(path.relative_to(root))
        if stat.S_ISDIR(status.st_mode):
            content: object = None
        elif stat.S_ISLNK(status.st_mode):
            content = path.readlink()
        else:
            content = (path.read_bytes(), names.setdefault(status.st_ino, name))
        found[name] = (status.st_mode, int(status.st_mtime), content)
    return found


def told(transfer: Transfer, tree: Path) -> dict[str, object]:
    """What both must say; of a file's names rsync may take another as the first."""
    inodes = {
        moved.path: (tree / moved.path).lstat().st_ino
        for moved in transfer.fetched
        if "#" not in moved.path
    }
    return {
        "fetched": sorted((inodes.get(each.path, 0), each.length) for each in transfer.fetched),
        "deleted": sorted(transfer.deleted),
        "changes": transfer.changes,
        "listed": transfer.listed_size,
        "literal": transfer.literal,
        "vanished": transfer.vanished,
    }


@pytest.mark.interop
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    mirror=TREES,
    copy=TREES,
    wanted=WANTED,
    excluded=EXCLUDED,
    delete=st.booleans(),
    delay=st.booleans(),
)
def test_any_tree_becomes_what_rsync_makes_of_it(  # noqa: PLR0917 (hypothesis names them)
    mirror: dict[str, tuple[str, str, int, int]],
    copy: dict[str, tuple[str, str, int, int]],
    wanted: tuple[str, ...],
    excluded: tuple[str, ...],
    delete: bool,
    delay: bool,
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plant(folder / "mirror", mirror)
        plant(folder / "rsync", copy)
        plant(folder / "ours", copy)
        theirs, ours = RsyncMirror(f"{folder}/mirror/"), LocalMirror(folder / "mirror")

        pulls = [
            Pull(
                folder / each,
                wanted,
                unwanted=("/a/c.iso",),
                excluded=excluded,
                delete=delete,
                delay_updates=delay,
            )
            for each in ("rsync", "ours")
        ]
        try:
            theirs.preview(pulls[0], Monitor())
            expected = theirs.pull(pulls[0], Monitor())
        except IncompleteError:  # a folder of ours stands where a file belongs
            with pytest.raises(SurroundingsError, match="in the way"):
                ours.pull(pulls[1], Monitor())
            return
        preview = ours.preview(pulls[1], Monitor())
        transfer = ours.pull(pulls[1], Monitor())

        assert seen(folder / "ours") == seen(folder / "rsync")
        assert told(transfer, folder / "mirror") == told(expected, folder / "mirror")
        assert replace(preview, literal=transfer.literal) == transfer
        assert not ours.preview(pulls[1], Monitor()).changes
        assert sorted(ours.names()) == sorted(theirs.names())


@pytest.mark.interop
@settings(max_examples=40, deadline=None)
@given(st.text("ab/*?[]!^-\\.é", min_size=2, max_size=7), st.booleans())
@example("[[:alpha:]]b", True)
@example("a/***", False)
@example("**/b", False)
@example("[b-a]", True)
@example("[]-]*", True)
@example("/a/[^b]", True)
def test_any_pattern_means_what_it_means_to_rsync(pattern: str, includes: bool) -> None:
    names = ("a", "b", "ab", "-", "]", "é", "a.b", "\\")
    rules = [f"--{'include' if includes else 'exclude'}={pattern}"]
    rules += ["--include=*/", "--exclude=*"] if includes else []
    with tempfile.TemporaryDirectory() as name:
        mirror = Path(name)
        for place in (*itertools.product(("a", "b"), names), *itertools.product("ba", "ab", names)):
            path = mirror / "/".join(place)
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                path.mkdir() if place[-1] in "ab" and len(place) == 2 else path.touch()
        argv = ["rsync", "-r", "-8", "--list-only", *rules, f"{mirror}/"]

        listed = process.run(argv).stdout.splitlines()
        passed = read_tree(mirror, Selection(rules)).entries

        assert sorted(passed) == sorted(line.split(None, 4)[4].removeprefix(".") for line in listed)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        pytest.param("/srv/mirror/", LocalMirror, id="a folder"),
        pytest.param("rsync://127.0.0.1/mirror/", RsyncMirror, id="a daemon"),
    ],
)
def test_without_rsync_a_folder_is_read_here(
    source: str,
    kind: type[LocalMirror | RsyncMirror],
    workdir: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", str(workdir))

    assert isinstance(open_mirror(source), kind)


def a_pull(tree: Path) -> Pull:
    return Pull(tree, ("a/",), delete=True)


def write(path: Path, content: str | bytes, second: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    os.utime(path, (EPOCH + second,) * 2)
    return path


class OnProgress(Monitor):
    """Does something once the first file has come."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._act: Callable[[], object] | None = act

    def progress(self, done: int, total: int | None = None, note: str = "") -> None:
        act, self._act = self._act, None
        if act:
            act()


@contextmanager
def nobody() -> Iterator[Path]:
    """A folder, and the rights of somebody whom modes hold back, as they do not hold back root."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        before = os.geteuid()
        if before == 0:
            os.seteuid(65534)
        try:
            yield folder
        finally:
            os.seteuid(before)


def test_what_a_killed_run_had_copied_is_not_copied_again(workdir: Path) -> None:
    write(workdir / "mirror/a/one", "1" * 100)
    write(workdir / "mirror/a/two", "2" * 100)
    write(workdir / "tree/a/.~tmp~/one", "1" * 100)
    write(workdir / "tree/a/.~tmp~/two", "2" * 99)

    transfer = LocalMirror(workdir / "mirror").pull(a_pull(workdir / "tree"), Monitor())

    assert (transfer.size, transfer.literal) == (200, 100)
    assert (workdir / "tree/a/two").read_text() == "2" * 100
    assert sorted(path.name for path in (workdir / "tree/a").iterdir()) == ["one", "two"]


def test_with_delayed_updates_nothing_is_in_its_place_before_all_has_come(workdir: Path) -> None:
    write(workdir / "mirror/a/one", "1")
    write(workdir / "mirror/a/two", "2")
    there: list[bool] = []
    monitor = OnProgress(lambda: there.append((workdir / "tree/a/one").exists()))

    LocalMirror(workdir / "mirror").pull(a_pull(workdir / "tree"), monitor)

    assert there == [False]


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(Path.unlink, id="away"),
        pytest.param(lambda path: (path.unlink(), path.symlink_to("one")), id="a link"),
        pytest.param(lambda path: write(path, "longer"), id="written"),
        pytest.param(lambda path: write(path, "3", second=9), id="another time"),
    ],
)
def test_a_file_that_changes_meanwhile_comes_with_the_next_pass(
    act: Callable[[Path], object], workdir: Path
) -> None:
    write(workdir / "mirror/a/one", "1")
    changed = write(workdir / "mirror/a/two", "2")
    mirror, pull = LocalMirror(workdir / "mirror"), a_pull(workdir / "tree")

    first = mirror.pull(pull, OnProgress(lambda: act(changed)))
    second = mirror.pull(pull, Monitor())

    assert (first.vanished, second.vanished) == (True, False)
    assert [each.path for each in first.fetched] == ["a/one"]
    assert seen(workdir / "tree") == seen(workdir / "mirror")


def test_what_cannot_be_read_ends_the_pull_and_nothing_is_deleted() -> None:
    with nobody() as folder:
        write(folder / "mirror/a/one", "1")
        write(folder / "mirror/a/two", "2").chmod(0)
        write(folder / "tree/a/three", "3")
        mirror, pull = LocalMirror(folder / "mirror"), a_pull(folder / "tree")

        with pytest.raises(IncompleteError, match=r"(?s)read to the end.*two: Permission denied"):
            mirror.pull(pull, Monitor())

        assert sorted(path.name for path in (folder / "tree/a").iterdir()) == ["one", "three"]


def test_a_folder_that_cannot_be_read_is_never_taken_for_an_empty_one() -> None:
    with nobody() as folder:
        write(folder / "mirror/a/b/one", "1").parent.chmod(0)
        write(folder / "tree/a/b/one", "1")
        mirror, pull = LocalMirror(folder / "mirror"), a_pull(folder / "tree")

        for ask in (mirror.preview, mirror.pull):
            with pytest.raises(IncompleteError, match="a/b: Permission denied"):
                ask(pull, Monitor())

        for each in ("mirror", "tree"):
            (folder / each / "a/b").chmod(0o755)
        assert (folder / "tree/a/b/one").exists()


def test_folders_that_may_not_be_written_are_filled_all_the_same() -> None:
    with nobody() as folder:
        write(folder / "mirror/a/b/one", "1").parent.chmod(0o555)
        mirror, pull = LocalMirror(folder / "mirror"), a_pull(folder / "tree")
        mirror.pull(pull, Monitor())
        (folder / "mirror/a/b").chmod(0o755)
        write(folder / "mirror/a/b/one", "two", second=1)
        (folder / "mirror/a/b").chmod(0o555)

        mirror.pull(pull, Monitor())

        assert seen(folder / "tree") == seen(folder / "mirror")
        for each in ("mirror", "tree"):
            (folder / each / "a/b").chmod(0o755)


@pytest.mark.parametrize(
    ("make", "error"),
    [
        pytest.param(lambda _path: None, DescriptorError, id="absent"),
        pytest.param(Path.touch, DescriptorError, id="a file"),
    ],
)
def test_a_mirror_that_is_no_folder_is_told(
    make: Callable[[Path], object], error: type[ReleaseBuilderError], workdir: Path
) -> None:
    make(workdir / "mirror")
    mirror, pull = LocalMirror(workdir / "mirror"), a_pull(workdir / "tree")

    for ask in (
        lambda: mirror.preview(pull, Monitor()),
        lambda: mirror.pull(pull, Monitor()),
        mirror.names,
    ):
        with pytest.raises(error, match="no such place"):
            ask()


def test_a_preview_touches_nothing(workdir: Path) -> None:
    write(workdir / "mirror/a/one", "1")

    preview = LocalMirror(workdir / "mirror").preview(a_pull(workdir / "tree"), Monitor())

    assert [each.path for each in preview.fetched] == ["a/one"]
    assert not (workdir / "tree").exists()


def test_nothing_is_touched_when_too_much_would_be_deleted(workdir: Path) -> None:
    write(workdir / "mirror/a/one", "1")
    for name in ("two", "three"):
        write(workdir / "tree/a" / name, name)
    before = seen(workdir / "tree")

    with pytest.raises(DescriptorError, match="than may be deleted"):
        LocalMirror(workdir / "mirror").pull(
            replace(a_pull(workdir / "tree"), max_delete=1), Monitor()
        )

    assert seen(workdir / "tree") == before


def test_a_link_of_ours_leads_nothing_out_of_the_tree(workdir: Path) -> None:
    write(workdir / "mirror/a/b/one", "1")
    outside = write(workdir / "outside/two", "2").parent
    (workdir / "tree/a").mkdir(parents=True)
    (workdir / "tree/a/b").symlink_to(outside)

    LocalMirror(workdir / "mirror").pull(a_pull(workdir / "tree"), Monitor())

    assert seen(workdir / "tree/a") == seen(workdir / "mirror/a")
    assert [path.name for path in outside.iterdir()] == ["two"]


def test_new_files_are_never_written_through_a_link(workdir: Path) -> None:
    write(workdir / "mirror/a/one", "1")
    (workdir / "outside").mkdir()
    (workdir / "tree/a").mkdir(parents=True)
    (workdir / "tree/a/.~tmp~").symlink_to(workdir / "outside")

    with pytest.raises(SurroundingsError, match="a link stands where"):
        LocalMirror(workdir / "mirror").pull(a_pull(workdir / "tree"), Monitor())

    assert not list((workdir / "outside").iterdir())


def test_a_tree_that_cannot_be_written_is_told(workdir: Path) -> None:
    write(workdir / "mirror/a/one", "1")
    (workdir / "tree").touch()

    with pytest.raises(SurroundingsError, match="tree: "):
        LocalMirror(workdir / "mirror").pull(a_pull(workdir / "tree"), Monitor())


def test_holes_stay_holes(workdir: Path) -> None:
    content = b"x" + bytes(3 << 20) + b"y" + bytes(5000)
    write(workdir / "mirror/a/image", content)

    LocalMirror(workdir / "mirror").pull(a_pull(workdir / "tree"), Monitor())

    copy = workdir / "tree/a/image"
    assert copy.read_bytes() == content
    assert copy.stat().st_blocks * 512 < 1 << 20


def test_a_suspect_comes_anew_though_its_size_and_time_are_right(workdir: Path) -> None:
    for name in ("one", "two", "three"):
        write(workdir / "mirror/a" / name, name)
    write(workdir / "tree/a/one", "0ne")
    write(workdir / "tree/a/two", "two", second=5)
    write(workdir / "tree/a/four", "four")
    pull = replace(a_pull(workdir / "tree"), only=("a/one", "a/two"), delete=False)

    transfer = LocalMirror(workdir / "mirror").pull(pull, Monitor())

    assert [each.path for each in transfer.fetched] == ["a/one"]
    assert (workdir / "tree/a/one").read_text() == "one"
    assert (workdir / "tree/a/two").stat().st_mtime == EPOCH
    assert sorted(path.name for path in (workdir / "tree/a").iterdir()) == ["four", "one", "two"]


@pytest.mark.parametrize("rate", ["500", "500k", "0.5M"])
def test_a_limit_of_bytes_a_second_is_kept(rate: str, workdir: Path) -> None:
    write(workdir / "mirror/a/one", "1" * 200_000)
    write(workdir / "mirror/a/two", "2" * 200_000)
    started = time.monotonic()

    LocalMirror(workdir / "mirror").pull(replace(a_pull(workdir / "tree"), bwlimit=rate), Monitor())

    assert time.monotonic() - started > 0.5
