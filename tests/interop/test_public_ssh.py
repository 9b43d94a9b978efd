"""The public tree on another machine: a real sshd and rsync, on the loopback interface."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import time
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest
from public_tree import BETA, in_child, local_shelf, publish, text_of
from ssh_server import SshServer, make_ssh_server

from release_builder.errors import BusyError, IncompleteError, SurroundingsError, WrongBytesError
from release_builder.public.shelf import Shelf, open_shelf

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.interop

NO_EXCHANGE = """#!/bin/sh
case "$*" in
    *--exchange*|*"./testing/.9.0beta3/away ./testing/9.0beta3") echo no such luck >&2; exit 1 ;;
esac
exec /bin/mv "$@"
"""
BOTH = pytest.mark.parametrize(
    "links", [pytest.param(True, id="with links"), pytest.param(False, id="without links")]
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The root as the host sees it, which is this machine."""
    return tmp_path / "root"


@pytest.fixture
def server(tmp_path: Path) -> SshServer:
    return make_ssh_server(tmp_path / "an sshd")


@pytest.fixture
def running(server: SshServer) -> Iterator[SshServer]:
    with server.running():
        yield server


def shelf_at(
    root: Path, server: SshServer, *, links: bool = True, scratch: str = "a scratch"
) -> Shelf:
    return open_shelf(
        PurePosixPath(root),
        host="releases",
        ssh=server.command,
        links=links,
        scratch=root.parent / scratch,
    )


@BOTH
def test_a_release_becomes_public_and_is_taken_back(
    root: Path, running: SshServer, links: bool
) -> None:
    shelf = shelf_at(root, running, links=links)

    names = [publish(shelf, text).generation for text in ("first", "second")]
    public = text_of(root / BETA)
    with shelf.locked(BETA):
        back = shelf.rollback(BETA)

    assert public == "second"
    assert (back.generation, back.previous) == (names[0], names[1])
    assert text_of(root / BETA) == "first"
    assert (root / BETA).is_symlink() is links
    assert (root / "testing/9").is_symlink() is links
    assert [each.public for each in shelf.generations(BETA)] == [True, False]


def test_what_is_public_there_looks_as_if_it_was_published_there(
    tmp_path: Path, running: SshServer
) -> None:
    here, there = tmp_path / "here", tmp_path / "root"
    publish(local_shelf(here), "first")
    publish(shelf_at(there, running), "first")

    def looks(root: Path) -> set[tuple[str, int]]:
        release = (root / BETA).resolve()
        return {
            (str(path.relative_to(release)), path.stat().st_mode)
            for path in (release, *release.rglob("*"))
        }

    assert looks(there) == looks(here)
    assert (there / "testing/9").readlink() == Path("9.0beta3")
    assert {path.name for path in there.joinpath("testing").iterdir()} == {
        *("9", "9.0beta3", ".9.0beta3")
    }


@BOTH
def test_a_folder_from_before_becomes_the_first_generation(
    root: Path, running: SshServer, links: bool
) -> None:
    (root / BETA).mkdir(parents=True)
    (root / BETA / "notes.txt").write_text("old")
    os.utime(root / BETA, (1_400_000_000, 1_400_000_000))

    flip = publish(shelf_at(root, running, links=links), "new", [])

    assert flip.previous == "20140513T165320Z"
    assert text_of(root / BETA) == "new"
    assert (root / "testing/.9.0beta3/20140513T165320Z/notes.txt").read_text() == "old"
    assert (root / BETA / "notes.txt").samefile(
        root / "testing/.9.0beta3/20140513T165320Z/notes.txt"
    )


def test_old_generations_go_and_the_public_one_is_retired(root: Path, running: SshServer) -> None:
    shelf = shelf_at(root, running)
    names = [publish(shelf, text).generation for text in ("first", "second", "third")]

    with shelf.locked(BETA):
        removed = shelf.keep(BETA, 1)
        told = shelf.retire(BETA, "obsolete/9.0beta3")

    assert removed == (names[0],)
    assert told == ("testing/9",)
    assert (root / BETA).readlink() == Path("../obsolete/9.0beta3")
    assert text_of(root / BETA) == text_of(root / "obsolete/9.0beta3") == "third"
    assert len(shelf.generations("obsolete/9.0beta3")) == 1
    assert shelf.generations(BETA) == ()


def test_without_links_a_retired_release_lies_elsewhere_and_a_withdrawn_one_nowhere(
    root: Path, running: SshServer
) -> None:
    shelf = shelf_at(root, running, links=False)
    for text in ("first", "second"):
        publish(shelf, text)
    os.utime(root / BETA, (10**9, 10**9))

    with shelf.locked(BETA):
        shelf.retire(BETA, "obsolete/9.0beta3")
    is_gone = not os.path.lexists(root / BETA)
    is_retired = shelf.is_retired(BETA, "obsolete/9.0beta3")
    text = text_of(root / "obsolete/9.0beta3")
    with shelf.locked("obsolete/9.0beta3"):
        withdrawn = shelf.withdraw("obsolete/9.0beta3")

    assert (is_gone, is_retired, text) == (True, True, "second")
    assert not os.path.lexists(root / "obsolete/9.0beta3")
    assert text_of(root / f"obsolete/.9.0beta3/{withdrawn}.back") == "second"


def test_another_time_of_the_folder_changes_nothing_there(root: Path, running: SshServer) -> None:
    shelf = shelf_at(root, running, links=False)
    names = [publish(shelf, "one").generation]
    os.utime(root / BETA, (10**9, 10**9))

    names.append(publish(shelf, "two").generation)

    assert [each.name for each in shelf.generations(BETA)] == names


def test_what_fails_between_two_renames_there_is_undone(root: Path, running: SshServer) -> None:
    shelf = shelf_at(root, running, links=False)
    publish(shelf, "first")
    programs = root.parent / "programs"
    programs.mkdir()
    (programs / "mv").write_text(NO_EXCHANGE)
    (programs / "mv").chmod(0o755)
    precede(running, f"PATH={programs}:$PATH")

    with pytest.raises(SurroundingsError):
        publish(shelf, "second")

    assert text_of(root / BETA) == "first"


def test_what_is_removed_is_not_public_there(root: Path, running: SshServer) -> None:
    shelf = shelf_at(root, running)
    publish(shelf, "first")

    with shelf.locked(BETA):
        staged = shelf.stage(BETA, [])
        staged.remove("SHA256SUMS")
        staged.remove("index.html")
        staged.write("index.html", b"again")
        shelf.upload(staged)
        shelf.flip(staged)

    assert not (root / BETA / "SHA256SUMS").exists()
    assert (root / BETA / "index.html").read_bytes() == b"again"
    assert (root / BETA / "iso/x86_64/a.jigdo").exists()


def test_what_is_staged_for_there_has_a_place_of_its_own_here(
    root: Path, running: SshServer
) -> None:
    shelf = shelf_at(root, running)

    with shelf.locked(BETA):
        staged = shelf.stage(BETA, [])

    scratch = root.parent / "a scratch"
    assert staged.root == scratch / "staged/testing/.9.0beta3/next"
    assert [path.name for path in scratch.iterdir()] == ["staged"]


def test_the_index_is_locked_there_inside_another_lock(root: Path, running: SshServer) -> None:
    shelf, other = shelf_at(root, running), shelf_at(root, running, scratch="other")

    with shelf.locked(BETA):
        with shelf.index_locked(0):
            shelf.replace_file("index.html", b"index")
            with pytest.raises(BusyError, match="another run"), other.index_locked(0):
                pass
        with pytest.raises(BusyError, match="another run"), other.locked(BETA):
            pass
        with other.index_locked(0):
            pass
        content = shelf.read("index.html")

    assert content == b"index"
    assert shelf.local(BETA) is None


def test_small_files_are_read_and_replaced(root: Path, running: SshServer) -> None:
    root.mkdir()
    shelf = shelf_at(root, running)

    shelf.replace_file("index.html", b"old")
    shelf.replace_file("index.html", b"new \xff\0\n")

    assert shelf.read("index.html") == b"new \xff\0\n"
    assert shelf.read("none") is None
    assert (root / "index.html").stat().st_mode & 0o777 == 0o644
    assert [path.name for path in root.iterdir()] == ["index.html"]
    with pytest.raises(WrongBytesError):
        shelf.read("../outside")


@pytest.mark.parametrize(
    "link",
    [
        pytest.param("testing", id="folder"),
        pytest.param("testing/.9.0beta3", id="store"),
        pytest.param("testing/.9.0beta3/.lock", id="lock"),
    ],
)
def test_no_lock_is_made_behind_a_link_that_leads_out_of_the_root(
    root: Path, running: SshServer, link: str
) -> None:
    elsewhere = root.parent / "elsewhere"
    (root / link).parent.mkdir(parents=True)
    elsewhere.mkdir()
    (root / link).symlink_to(elsewhere / "lock" if link.endswith("lock") else elsewhere)

    with pytest.raises(WrongBytesError, match="a link that leads out of releases:") as raised:
        publish(shelf_at(root, running), "first")

    assert raised.value.hint.startswith("remove it")
    assert list(elsewhere.iterdir()) == []


def test_a_fifo_in_the_place_of_the_lock_is_not_waited_for(root: Path, running: SshServer) -> None:
    (root / "testing/.9.0beta3").mkdir(parents=True)
    os.mkfifo(root / "testing/.9.0beta3/.lock")

    publish(shelf_at(root, running), "first")

    assert text_of(root / BETA) == "first"


def test_what_is_no_file_or_lies_elsewhere_is_not_read(root: Path, running: SshServer) -> None:
    (root / "folder").mkdir(parents=True)
    (root.parent / "outside").write_text("not for all")
    (root / "link").symlink_to("../outside")
    os.mkfifo(root / "fifo")
    shelf = shelf_at(root, running)

    for name, why in {"folder": "no file", "fifo": "no file", "link": "a link that"}.items():
        with pytest.raises(WrongBytesError, match=f"{name}.* is.* {why}") as raised:
            shelf.read(name)

        assert raised.value.hint.startswith("remove it")


def test_a_shell_that_greets_does_no_harm(root: Path, running: SshServer) -> None:
    precede(running, "echo Welcome to releases")
    (root / "8.1").mkdir(parents=True)
    (root / "index.html").write_bytes(b"index")

    shelf = shelf_at(root, running)

    assert shelf.read("index.html") == b"index"
    with shelf.locked("8.1"):
        pass


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("with blanks  and 'quotes\"", id="blanks and quotes"),
        pytest.param("$(touch gone) `touch gone`; #*", id="what a shell would do"),
        pytest.param("line\nbreak", id="line break"),
        pytest.param("-rf", id="option"),
        pytest.param(os.fsdecode(b"Gr\xfc\xdfe"), id="no UTF-8"),
    ],
)
def test_odd_names_stay_what_they_are(root: Path, running: SshServer, name: str) -> None:
    shelf = shelf_at(root, running)

    for text in (b"first", b"second"):
        with shelf.locked(BETA):
            staged = shelf.stage(BETA, [name])
            staged.write(f"{name}/{name}", text)
            shelf.upload(staged)
            shelf.flip(staged)

    assert (root / BETA / name / name).read_bytes() == b"second"
    assert shelf.read(f"{BETA}/{name}/{name}") == b"second"
    assert len(shelf.generations(BETA)) == 2


def test_the_public_release_is_the_old_one_until_the_flip(root: Path, running: SshServer) -> None:
    shelf = shelf_at(root, running)
    publish(shelf, "first")

    with shelf.locked(BETA):
        staged = shelf.stage(BETA, ["index.html"])
        staged.write("index.html", b"second")
        shelf.upload(staged)
        hidden = (root / staged.hidden / "index.html").read_bytes()
        public = text_of(root / BETA)

    assert hidden == b"second"
    assert public == "first"


def test_whoever_polls_sees_the_old_release_or_the_new_one(root: Path, running: SshServer) -> None:
    shelf = shelf_at(root, running)
    publish(shelf, "0")
    go_on = root.parent / "go on"
    go_on.touch()

    def poll() -> None:
        seen = []
        while go_on.exists():
            seen.append(text_of(root / BETA))
        assert list(dict.fromkeys(seen)) == ["0", "1", "2", "3"]

    reader = in_child(poll)
    try:
        for number in range(3):
            publish(shelf, str(number + 1))
        time.sleep(0.1)
    finally:
        go_on.unlink()
        status = os.waitstatus_to_exitcode(os.waitpid(reader, 0)[1])

    assert status == 0


def test_a_file_that_has_not_changed_is_linked_there(root: Path, running: SshServer) -> None:
    shelf = shelf_at(root, running)
    source = root.parent / "a.iso"
    source.write_bytes(b"image" * 1000)
    source.chmod(0o644)
    inodes = []

    for _ in range(2):
        with shelf.locked(BETA):
            staged = shelf.stage(BETA, ["iso/"])
            staged.add(source, "iso/a.iso")
            shelf.upload(staged)
            shelf.flip(staged)
        inodes.append((root / BETA / "iso/a.iso").stat().st_ino)

    assert inodes[0] == inodes[1]


def test_other_bytes_of_the_same_size_and_time_are_sent(root: Path, running: SshServer) -> None:
    shelf = shelf_at(root, running)
    source = root.parent / "a.iso"

    for content in (b"first", b"other"):
        source.unlink(missing_ok=True)
        source.write_bytes(content)
        os.utime(source, (10**9, 10**9))
        with shelf.locked(BETA):
            staged = shelf.stage(BETA, [])
            staged.add(source, "iso/a.iso")
            shelf.upload(staged)
            shelf.flip(staged)

    assert (root / BETA / "iso/a.iso").read_bytes() == b"other"
    old = shelf.generations(BETA)[0]
    assert (root / old.path / "iso/a.iso").read_bytes() == b"first"


def test_a_second_run_is_told_to_wait_wherever_it_runs(root: Path, running: SshServer) -> None:
    shelf, other = shelf_at(root, running), shelf_at(root, running, scratch="other")

    with shelf.locked(BETA):
        with pytest.raises(BusyError, match="another run"), other.locked(BETA):
            pass
        with pytest.raises(BusyError, match="another run"), local_shelf(root).locked(BETA):
            pass
    with other.locked(BETA):
        pass


def test_a_run_that_was_killed_lets_the_lock_go(root: Path, running: SshServer) -> None:
    shelf = shelf_at(root, running)
    publish(shelf, "first")
    held = root.parent / "held"

    def hold() -> None:
        tempfile.tempdir = left  # what a killed run cannot remove
        with shelf.locked(BETA):
            shelf.stage(BETA, []).write("left", b"over")
            held.touch()
            time.sleep(60)

    with tempfile.TemporaryDirectory() as left:
        child = in_child(hold)
        while not held.exists():
            time.sleep(0.05)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        time.sleep(1.5)

    publish(shelf, "second")

    assert text_of(root / BETA) == "second"
    assert not (root / BETA / "left").exists()


def test_a_host_that_does_not_answer_is_to_be_tried_later(root: Path, server: SshServer) -> None:
    shelf = shelf_at(root, server)

    with pytest.raises(IncompleteError, match="Connection refused") as raised:
        publish(shelf, "first")
    with pytest.raises(IncompleteError, match="Connection refused"):
        shelf.read("index.html")

    assert raised.value.hint == "run it again later"


@pytest.mark.parametrize(
    "uploaded", [pytest.param(False, id="before upload"), pytest.param(True, id="before flip")]
)
def test_when_the_host_goes_away_the_old_release_stays_public(
    root: Path, server: SshServer, uploaded: bool
) -> None:
    shelf = shelf_at(root, server)
    with server.running():
        publish(shelf, "first")
        with pytest.raises(IncompleteError) as raised, shelf.locked(BETA):  # noqa: PT012 (the host goes in the middle)
            staged = shelf.stage(BETA, [])
            staged.write("index.html", b"second")
            if uploaded:
                shelf.upload(staged)
            kill_sessions(server)
            shelf.upload(staged) if not uploaded else shelf.flip(staged)
    seen = text_of(root / BETA)

    with server.running():
        publish(shelf, "third")

    assert raised.value.hint == "run it again later"
    assert seen == "first"
    assert text_of(root / BETA) == "third"


def test_a_host_that_does_not_let_us_in_is_told(root: Path, running: SshServer) -> None:
    (running.folder / "key.pub").write_text("")

    with pytest.raises(SurroundingsError, match="Permission denied") as raised:
        publish(shelf_at(root, running), "first")

    assert "without a question" in raised.value.hint


def test_a_host_that_is_another_one_is_told(root: Path, running: SshServer) -> None:
    (running.folder / "known_hosts").write_text("")

    with pytest.raises(SurroundingsError, match="Host key verification failed"):
        publish(shelf_at(root, running), "first")


def test_a_root_without_parent_is_told_and_not_made(root: Path, running: SshServer) -> None:
    place = PurePosixPath(root, "web")
    scratch = root.parent / "scratch"
    shelf = open_shelf(place, host="releases", ssh=running.command, scratch=scratch)

    with pytest.raises(SurroundingsError, match="No such file") as raised:
        publish(shelf, "first")

    assert raised.value.hint
    assert not root.exists()


def test_without_ssh_the_program_is_named(root: Path) -> None:
    shelf = open_shelf(PurePosixPath(root), host="h", ssh="no-such-ssh -x", scratch=root.parent)

    with pytest.raises(SurroundingsError, match="no-such-ssh is not installed"):
        publish(shelf, "first")


def test_when_files_cannot_grow_there_nothing_is_staged_there(
    root: Path, running: SshServer
) -> None:
    shelf = shelf_at(root, running)
    publish(shelf, "first")
    limit_file_size(running)

    with shelf.locked(BETA):
        staged = shelf.stage(BETA, [])
        staged.write("iso/x86_64/a.iso", os.urandom(1 << 20))
        with pytest.raises(SurroundingsError, match="File too large") as raised:
            shelf.upload(staged)

    assert raised.value.hint
    assert not (root / staged.hidden).exists()
    assert text_of(root / BETA) == "first"


def limit_file_size(server: SshServer) -> None:
    """Have all that runs on the host refuse to write files of more than 64 KiB."""
    precede(server, "trap '' XFSZ; ulimit -f 128")


def precede(server: SshServer, command: str) -> None:
    """Have the host's shell do something before what it is asked for."""
    key = server.folder / "key.pub"
    full = f'{command}; eval \\"$SSH_ORIGINAL_COMMAND\\"'
    key.write_text(f'command="{full}" {key.read_text()}')


def kill_sessions(server: SshServer) -> None:
    """End the connections of a host, as if it had lost its power."""
    for session in server.sessions():
        with contextlib.suppress(ProcessLookupError):
            os.kill(session, signal.SIGKILL)
    time.sleep(0.2)
