"""A repository that goes where it is served: by the real rsync, over the real ssh."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from ssh_server import make_ssh_server

from release_builder.api.repository_push import parse_target, push
from release_builder.errors import IncompleteError, SurroundingsError
from release_builder.monitor import Monitor

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.interop

FILES = {
    "puavo-os-amxa-buster-2022-01-17-120001-amd64.img": b"an image",
    "rdiffs/an rdiff.rdiff": b"a delta",
    "meta/puavo-os-amxa-buster-amd64.json": b"{}",
    "CKSUMS": b"1 8 an image\n",
    ".release-builder/journal": b"work",
    ".signatures/a.rdiff_signature": b"work",
}
PUBLIC = {name for name in FILES if not name.startswith(".")}


class Listener(Monitor):
    """Remembers what was begun."""

    def __init__(self) -> None:
        self.begun: list[str] = []

    def begin(self, what: str, total: int | None = None) -> None:
        self.begun.append(what)


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """A repository, as far as a push looks at it."""
    folder = tmp_path / "mirror"
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def files_of(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_folder_gets_all_but_the_work_files(mirror: Path, tmp_path: Path) -> None:
    target = tmp_path / "far" / "away"

    pushed = push(mirror, parse_target(str(target)), Monitor())

    assert files_of(target) == PUBLIC
    assert (pushed.sent, pushed.deleted) == (4, 0)
    assert pushed.size >= sum(len(FILES[name]) for name in PUBLIC)
    assert (target / "CKSUMS").stat().st_mode & 0o777 == 0o644


def test_a_second_push_sends_nothing(mirror: Path, tmp_path: Path) -> None:
    target = parse_target(str(tmp_path / "served"))
    push(mirror, target, Monitor())

    pushed = push(mirror, target, Monitor())

    assert (pushed.sent, pushed.size, pushed.deleted) == (0, 0, 0)


def test_what_a_killed_push_left_goes_and_hidden_files_of_others_stay(
    mirror: Path, tmp_path: Path
) -> None:
    target = tmp_path / "served"
    push(mirror, parse_target(str(target)), Monitor())
    theirs = {".htaccess", "rdiffs/.note", ".own/.a.img.abcdef"}
    left = {
        ".puavo-os-amxa-buster-2022-01-17-120001-amd64.img.5Ntijz",
        "rdiffs/.an rdiff.rdiff.QkKPAt",
        "rdiffs/.rsync-partial/an rdiff.rdiff",
        "meta/.~tmp~/puavo-os-amxa-buster-amd64.json",
        ".CKSUMS.F9kv3e",
    }
    for name in theirs | left:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).touch()

    pushed = push(mirror, parse_target(str(target)), Monitor())

    assert files_of(target) == PUBLIC | theirs
    assert not (target / "rdiffs/.rsync-partial").exists()
    assert pushed.deleted == 0


def test_nothing_goes_where_its_description_was_not_replaced_though_rsync_says_so(
    mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "served"
    push(mirror, parse_target(str(target)), Monitor())
    (mirror / "meta/puavo-os-amxa-buster-amd64.json").write_bytes(b"[]")
    image = "puavo-os-amxa-buster-2022-01-17-120001-amd64.img"
    (mirror / image).unlink()
    # As rsync 3.5.0 does where it cannot make the folder for what it holds back.
    program = tmp_path / "bin/rsync"
    program.parent.mkdir()
    real = shutil.which("rsync")
    skips = 'case " $* " in *" --dry-run "*) ;; *" --delay-updates "*) exit 0 ;; esac'
    program.write_text(f'#!/bin/sh\n{skips}\nexec {real} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")

    with pytest.raises(SurroundingsError, match="could not replace"):
        push(mirror, parse_target(str(target)), Monitor())

    assert (target / image).exists()


def test_what_is_named_comes_before_what_names_it_and_deletions_last(
    mirror: Path, tmp_path: Path
) -> None:
    listener = Listener()

    push(mirror, parse_target(str(tmp_path / "served")), listener)

    named = [each.removeprefix("push ") for each in listener.begun]
    assert named[:5] == ["images", "rdiffs", "meta", "CKSUMS", "what was pushed, again"]
    assert all("gone" in each for each in named[5:])


def test_what_is_gone_here_goes_there_and_files_of_others_stay(
    mirror: Path, tmp_path: Path
) -> None:
    served = tmp_path / "served"
    push(mirror, parse_target(str(served)), Monitor())
    for name in ("index.html", "rdiffs/README", "other/a.img"):
        (served / name).parent.mkdir(exist_ok=True)
        (served / name).write_bytes(b"of others")
    (mirror / "rdiffs/an rdiff.rdiff").unlink()

    pushed = push(mirror, parse_target(str(served)), Monitor())

    assert pushed.deleted == 1
    gone = {"rdiffs/an rdiff.rdiff"}
    assert files_of(served) == PUBLIC - gone | {"index.html", "rdiffs/README", "other/a.img"}


def test_meta_of_the_same_size_and_time_goes_over(mirror: Path, tmp_path: Path) -> None:
    served = tmp_path / "served"
    push(mirror, parse_target(str(served)), Monitor())
    meta = mirror / "meta/puavo-os-amxa-buster-amd64.json"
    before = meta.stat()
    meta.write_bytes(b"[]")
    os.utime(meta, ns=(before.st_atime_ns, before.st_mtime_ns))

    push(mirror, parse_target(str(served)), Monitor())

    assert (served / "meta/puavo-os-amxa-buster-amd64.json").read_bytes() == b"[]"


def test_with_full_a_rotted_image_there_is_sent_again(mirror: Path, tmp_path: Path) -> None:
    served, name = tmp_path / "served", "puavo-os-amxa-buster-2022-01-17-120001-amd64.img"
    target = parse_target(str(served))
    push(mirror, target, Monitor())
    before = (served / name).stat()
    (served / name).write_bytes(b"AN IMAGE")
    os.utime(served / name, ns=(before.st_atime_ns, before.st_mtime_ns))

    push(mirror, target, Monitor(), full=True)

    assert (served / name).read_bytes() == b"an image"


def test_a_generation_goes_over_whole_though_the_link_is_switched(
    mirror: Path, tmp_path: Path
) -> None:
    link = tmp_path / "link"
    link.symlink_to(mirror)

    push(link, parse_target(str(tmp_path / "served")), Monitor())

    assert files_of(tmp_path / "served") == PUBLIC


def test_a_host_gets_all_but_the_work_files(mirror: Path, tmp_path: Path) -> None:
    server = make_ssh_server(tmp_path / "an sshd")
    served = tmp_path / "srv with blanks"
    target = parse_target(f"releases:{served}")

    with server.running():
        first = push(mirror, target, Monitor(), ssh=server.command)
        (mirror / "CKSUMS").write_bytes(b"2 8 an image\n")
        second = push(mirror, target, Monitor(), ssh=server.command)

    assert files_of(served) == PUBLIC
    assert (first.sent, second.sent) == (4, 1)


def test_a_host_that_does_not_answer_is_tried_later(mirror: Path, tmp_path: Path) -> None:
    server = make_ssh_server(tmp_path / "an sshd")

    with pytest.raises(IncompleteError, match="cannot be reached"):
        push(mirror, parse_target("releases:/srv"), Monitor(), ssh=server.command)


def test_a_place_that_may_not_be_written_is_named(mirror: Path, tmp_path: Path) -> None:
    server = make_ssh_server(tmp_path / "an sshd")

    with server.running(), pytest.raises(SurroundingsError, match="releases:/proc/images"):
        push(mirror, parse_target("releases:/proc/images"), Monitor(), ssh=server.command)


def test_an_image_that_was_cut_off_goes_on_where_it_was(mirror: Path, tmp_path: Path) -> None:
    server = make_ssh_server(tmp_path / "an sshd")
    name, served = "puavo-os-amxa-buster-2022-01-17-120001-amd64.img", tmp_path / "served"
    content = os.urandom(3 << 20)
    (mirror / name).write_bytes(content)
    partial = served / ".rsync-partial"
    partial.mkdir(parents=True)
    (partial / name).write_bytes(content[: 2 << 20])

    with server.running():
        pushed = push(mirror, parse_target(f"releases:{served}"), Monitor(), ssh=server.command)

    assert (served / name).read_bytes() == content
    assert pushed.size < 2 << 20
    assert not partial.exists()
