from __future__ import annotations

import os
import resource
import stat
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from public_tree import BETA, local_shelf, publish, text_of

from release_builder.copying import copy_file
from release_builder.errors import IncompleteError, SurroundingsError, WrongBytesError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_builder.public.shelf import Shelf
    from release_builder.public.staged import Staged


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    made = local_shelf(tmp_path / "root")
    with made.locked(BETA):
        yield made


@pytest.fixture
def staged(shelf: Shelf) -> Staged:
    return shelf.stage(BETA, [])


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system."""
    shared = Path("/dev/shm")
    if not shared.is_dir() or shared.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system")
    with tempfile.TemporaryDirectory(dir=shared) as folder:
        yield Path(folder)


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """The kernel refuses to let a file grow beyond ``size``."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


def a_file(path: Path, content: bytes = b"content", mode: int = 0o644) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    os.utime(path, ns=(10**18, 10**18 + 123))
    return path


def test_what_is_staged_is_hidden_beside_the_release(staged: Staged, tmp_path: Path) -> None:
    assert staged.hidden == "testing/.9.0beta3/next"
    assert staged.root == tmp_path / "root" / staged.hidden


def test_a_file_that_somebody_may_write_is_copied(staged: Staged, tmp_path: Path) -> None:
    source = a_file(tmp_path / "source")

    staged.add(source, "iso/x86_64/a.iso")
    with source.open("r+b") as again:
        again.write(b"CHANGED")

    copy = staged.root / "iso/x86_64/a.iso"
    assert copy.read_bytes() == b"content"
    assert copy.stat().st_mtime_ns == 10**18 + 123


def test_a_file_of_a_generation_of_this_root_is_linked(shelf: Shelf, tmp_path: Path) -> None:
    publish(shelf, "final", [], "9.0")
    source = tmp_path / "root/9.0/index.html"

    staged = shelf.stage(BETA, [])
    staged.add(source, "other.html")

    assert (staged.root / "other.html").samefile(source)


@pytest.mark.parametrize(
    "folder",
    [
        pytest.param("root/9.0", id="no generation"),
        pytest.param("root/.9.0/next", id="staged"),
        pytest.param("root/.9.0/20261399T000000Z", id="no moment"),
        pytest.param("root/9.0/20261121T103000Z", id="not hidden"),
        pytest.param("other/.9.0/20261121T103000Z", id="of another root"),
    ],
)
def test_what_may_not_be_ours_is_copied(staged: Staged, tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir(parents=True)
    source = a_file(tmp_path / folder / "source")

    staged.add(source, "file")

    assert not (staged.root / "file").samefile(source)
    assert (staged.root / "file").read_bytes() == b"content"


def test_a_copy_of_another_size_than_its_source_is_refused(tmp_path: Path) -> None:
    changing = Path("/proc/self/status")  # says that it is empty
    if not changing.exists():
        pytest.skip("there is no /proc")

    with pytest.raises(IncompleteError, match="was written while it was copied"):
        copy_file(changing, tmp_path / "copy")

    assert not (tmp_path / "copy").exists()


def test_a_large_file_with_holes_is_copied_whole(tmp_path: Path) -> None:
    source = tmp_path / "source"
    with source.open("wb") as out:
        for offset in (0, 3 << 20, 9 << 20):
            out.seek(offset)
            out.write(b"not empty")

    copy_file(source, tmp_path / "copy")

    assert (tmp_path / "copy").read_bytes() == source.read_bytes()


@pytest.mark.parametrize("name", ["index.html", "iso/x86_64/", "iso/x86_64/a.jigdo", "iso"])
def test_what_is_removed_is_not_staged_and_stays_public(
    tmp_path: Path, shelf: Shelf, name: str
) -> None:
    staged = shelf.stage(BETA, [])
    for each in ("index.html", "iso/x86_64/a.jigdo", "other"):
        staged.write(each, b"content")
    shelf.upload(staged)
    shelf.flip(staged)

    staged = shelf.stage(BETA, [])
    staged.remove(name)
    staged.remove("absent")
    staged.remove("absent/too")

    assert not os.path.lexists(staged.root / name)
    assert (staged.root / "other").exists()
    assert (tmp_path / "root" / BETA / name).exists()


@pytest.mark.parametrize("name", [".", "./", "a/../..", "/file", ""])
def test_what_is_staged_is_not_removed_as_a_whole(staged: Staged, name: str) -> None:
    staged.write("file", b"content")

    with pytest.raises(WrongBytesError):
        staged.remove(name)

    assert (staged.root / "file").exists()


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        pytest.param(0o600, 0o644, id="private"),
        pytest.param(0o700, 0o755, id="private program"),
        pytest.param(0o666, 0o644, id="for all to write"),
    ],
)
def test_a_file_whose_mode_is_not_fit_is_copied(
    staged: Staged, tmp_path: Path, mode: int, expected: int
) -> None:
    source = a_file(tmp_path / "source", mode=mode)

    staged.add(source, "file")

    copy = (staged.root / "file").stat()
    assert stat.S_IMODE(copy.st_mode) == expected
    assert stat.S_IMODE(source.stat().st_mode) == mode
    assert copy.st_mtime_ns == source.stat().st_mtime_ns
    assert (staged.root / "file").read_bytes() == b"content"


def test_a_file_of_another_file_system_is_copied(staged: Staged, elsewhere: Path) -> None:
    source = a_file(elsewhere / "source", mode=0o755)

    staged.add(source, "file")

    copy = (staged.root / "file").stat()
    assert (staged.root / "file").read_bytes() == b"content"
    assert copy.st_mtime_ns == source.stat().st_mtime_ns
    assert stat.S_IMODE(copy.st_mode) == 0o755


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b"content", True, id="the same bytes"),
        pytest.param(b"CONTENT", False, id="other bytes of the same size and time"),
    ],
)
def test_a_file_that_is_public_already_is_not_copied_again(
    shelf: Shelf, elsewhere: Path, tmp_path: Path, content: bytes, expected: bool
) -> None:
    staged = shelf.stage(BETA, [])
    staged.add(a_file(elsewhere / "source"), "iso/a.iso")
    shelf.upload(staged)
    shelf.flip(staged)

    staged = shelf.stage(BETA, ["iso/"])
    staged.add(a_file(elsewhere / "source", content), "iso/a.iso")

    public = tmp_path / "root" / BETA / "iso/a.iso"
    assert (staged.root / "iso/a.iso").samefile(public) is expected
    assert (staged.root / "iso/a.iso").read_bytes() == content
    assert public.read_bytes() == b"content"


def test_a_tree_comes_with_its_links_and_times(staged: Staged, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "inner").mkdir(parents=True)
    a_file(tree / "inner/one", b"1" * 10)
    a_file(tree / "two", b"2" * 20)
    (tree / "inner/link").symlink_to("../two")
    os.utime(tree / "inner", (10**9, 10**9))
    sizes: list[int] = []

    staged.add_tree(tree, "smeos/x86_64/", sizes.append)

    copy = staged.root / "smeos/x86_64"
    assert (copy / "inner/one").read_bytes() == b"1" * 10
    assert (copy / "inner/one").stat().st_mtime_ns == 10**18 + 123
    assert (copy / "inner/link").readlink() == Path("../two")
    assert (copy / "inner").stat().st_mtime == 10**9
    assert sizes == [10, 20]


def test_a_tree_can_be_the_whole_release(staged: Staged, tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    a_file(tmp_path / "tree/file")
    staged.write("file", b"before")

    staged.add_tree(tmp_path / "tree", ".")

    assert (staged.root / "file").read_bytes() == b"content"


@pytest.mark.parametrize(
    "target",
    [pytest.param("../../outside", id="relative"), pytest.param("/etc/passwd", id="absolute")],
)
def test_a_link_that_leads_out_of_a_tree_is_refused(
    staged: Staged, tmp_path: Path, target: str
) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "link").symlink_to(target)

    with pytest.raises(WrongBytesError, match=f"leads out of its tree, to {target}") as raised:
        staged.add_tree(tree, "smeos")

    assert raised.value.what.startswith(str(tree / "link"))
    assert "`sync: exclude:`, as link" in raised.value.hint


@pytest.mark.parametrize(
    "target", [pytest.param("loop", id="at once"), pytest.param("inner/back", id="by another")]
)
def test_a_link_that_leads_to_itself_is_refused(
    staged: Staged, tmp_path: Path, target: str
) -> None:
    tree = tmp_path / "tree"
    (tree / "inner").mkdir(parents=True)
    (tree / "inner/back").symlink_to("../loop")
    (tree / "loop").symlink_to(target)

    with pytest.raises(WrongBytesError, match="leads to itself") as raised:
        staged.add_tree(tree, "smeos")

    assert raised.value.hint


def test_names_that_are_skipped_are_left_out_of_every_folder(
    staged: Staged, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    for folder in ("kept/.held", ".held/inner"):
        (tree / folder).mkdir(parents=True)
        a_file(tree / folder / "file")
    for name in ("kept/a.jigdo", "kept/b.rpm", "a.jigdo", "a.jigdo.txt"):
        a_file(tree / name)
    (tree / "kept/link").symlink_to("/skipped")

    staged.add_tree(tree, "smeos", skip={".held", "a.jigdo", "link"})

    made = staged.root / "smeos"
    found = {str(path.relative_to(made)) for path in made.rglob("*")}
    assert found == {"kept", "kept/b.rpm", "a.jigdo.txt"}


def test_a_fifo_is_refused_not_waited_for(staged: Staged, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")

    with pytest.raises(WrongBytesError, match="not a regular file"):
        staged.add(tmp_path / "fifo", "file")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("../file", id="up"),
        pytest.param("/file", id="absolute"),
        pytest.param("", id="none"),
    ],
)
def test_no_name_leads_out_of_what_is_staged(staged: Staged, tmp_path: Path, name: str) -> None:
    source = a_file(tmp_path / "source")

    with pytest.raises(WrongBytesError):
        staged.write(name, b"x")
    with pytest.raises(WrongBytesError):
        staged.add(source, name)
    with pytest.raises(WrongBytesError):
        staged.add_tree(tmp_path / "home", name)

    assert list(staged.root.iterdir()) == []


def test_a_link_in_what_is_staged_does_not_lead_out_either(staged: Staged, tmp_path: Path) -> None:
    (staged.root / "link").symlink_to(tmp_path)

    with pytest.raises(WrongBytesError, match="leads out of"):
        staged.write("link/file", b"x")

    assert not (tmp_path / "file").exists()


def test_what_a_run_left_that_was_cut_off_is_not_in_the_next(shelf: Shelf) -> None:
    shelf.stage(BETA, []).write("left", b"over")

    staged = shelf.stage(BETA, [])

    assert list(staged.root.iterdir()) == []


def test_when_a_file_cannot_grow_nothing_is_staged_and_the_public_stays(tmp_path: Path) -> None:
    shelf = local_shelf(tmp_path / "root")
    publish(shelf, "first")
    source = a_file(tmp_path / "source", bytes(200_000), mode=0o600)

    with shelf.locked(BETA):
        staged = shelf.stage(BETA, [])
        with files_of_at_most(100_000), pytest.raises(SurroundingsError) as raised:
            staged.add(source, "iso/x86_64/a.iso")

    assert "iso/x86_64/a.iso: File too large" in raised.value.what
    assert raised.value.hint
    assert not staged.root.exists()
    assert text_of(tmp_path / "root" / BETA) == "first"
    assert publish(shelf, "second").previous
    assert text_of(tmp_path / "root" / BETA) == "second"


def test_a_tree_that_has_all_the_links_it_can_have_is_copied(shelf: Shelf, tmp_path: Path) -> None:
    staged = shelf.stage(BETA, [])
    staged.write("file", b"much linked")
    shelf.upload(staged)
    shelf.flip(staged)
    public = tmp_path / "root" / BETA / "file"
    most = os.pathconf(public, "PC_LINK_MAX")
    if most > 100_000:
        pytest.skip("this file system has no such limit")
    (tmp_path / "links").mkdir()
    for number in range(most - 1):
        os.link(public, tmp_path / "links" / str(number))

    clone = shelf.stage(BETA, []).root / "file"

    assert clone.read_bytes() == b"much linked"
    assert not clone.samefile(public)
    assert clone.stat().st_mtime_ns == public.stat().st_mtime_ns
