"""``jigdo fetch`` stopped in the middle: the next run goes on, and fetches nothing twice."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from bad_server import FOR_EVER, Trouble
from builders import noise
from fetching import (
    BOUNDS,
    Release,
    assert_image,
    assert_no_image,
    fetch,
    fetched,
    fetching,
    holds,
    release_of,
    site,
    wait_until,
)
from own_mounts import need_root

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.interop

RELEASE = release_of(12)
SLOW = [f"/tree/{at:02}.rpm" for at in (3, 7, 11)]
BIG = Release({"first.rpm": noise(9000, 1), "big.rpm": noise(6 << 20, 2), "last.rpm": noise(99, 3)})
HALF = 3 << 20


@pytest.fixture
def small_disk(workdir: Path) -> Iterator[Path]:
    """A file system of 4 MB, empty."""
    need_root()
    disk = workdir / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], check=True)
    yield disk
    subprocess.run(["umount", disk], check=True)


@pytest.mark.parametrize(
    ("number", "status", "words"),
    [
        pytest.param(signal.SIGINT, 130, "interrupted", id="Ctrl-C"),
        pytest.param(signal.SIGTERM, 130, "", id="terminated"),
        pytest.param(signal.SIGKILL, -9, "", id="killed"),
    ],
)
def test_parts_that_came_are_not_fetched_again(
    workdir: Path, number: signal.Signals, status: int, words: str
) -> None:
    quick = [content for path, content in RELEASE.tree().items() if path not in SLOW]
    with site(RELEASE, dict.fromkeys(SLOW, Trouble(delay=FOR_EVER))) as server:
        url = f"{server.url}/cd.jigdo"
        with fetching("--connections", "6", url, cwd=workdir) as running:
            wait_until(lambda: holds(workdir / "cd.iso.tmp", quick), running)
            wait_until(lambda: all(server.asked(path) for path in SLOW), running)
            running.send_signal(number)
            _, err = running.communicate()
        assert_no_image(workdir)
        server.troubles.clear()
        before = len(server.requests)

        ended = fetch(url, cwd=workdir)

    assert running.returncode == status
    assert words in err
    assert "Traceback" not in err
    assert ended.status == 0, ended.stderr
    assert_image(workdir, RELEASE)
    assert sorted(r.path for r in server.requests[before:]) == ["/cd.jigdo", *SLOW]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "killed"])
def test_a_big_part_is_gone_on_with_where_it_was_cut(workdir: Path, number: signal.Signals) -> None:
    with site(BIG, {"/tree/big.rpm": Trouble(stall_after=HALF)}) as server:
        url = f"{server.url}/cd.jigdo"
        with fetching(url, cwd=workdir) as running:
            wait_until(lambda: any(r.sent == HALF for r in server.asked("/tree/big.rpm")), running)
            wait_until(lambda: held(workdir) >= HALF, running)
            running.send_signal(number)
            running.communicate()
        server.troubles.clear()

        ended = fetch(url, cwd=workdir)

        _, again = server.asked("/tree/big.rpm")
    size = len(BIG.parts["big.rpm"])
    begin = int(again.headers["range"].removeprefix("bytes=").removesuffix("-"))
    assert ended.status == 0, ended.stderr
    assert_image(workdir, BIG)
    assert HALF - (64 << 10) <= begin <= HALF
    assert again.sent == size - begin


def held(workdir: Path) -> int:
    """Bytes that the unfinished image takes on disk."""
    unfinished = workdir / "cd.iso.tmp"
    return unfinished.stat().st_blocks * 512 if unfinished.exists() else 0


def test_a_part_that_was_spoilt_after_it_was_cut_is_fetched_whole(workdir: Path) -> None:
    with site(BIG, {"/tree/big.rpm": Trouble(stall_after=HALF)}) as server:
        url = f"{server.url}/cd.jigdo"
        with fetching(url, cwd=workdir) as running:
            wait_until(lambda: held(workdir) >= HALF, running)
            running.kill()
            running.communicate()
        with (workdir / "cd.iso.tmp").open("r+b") as unfinished:
            unfinished.seek(1 << 20)
            unfinished.write(b"not what was there")
        server.troubles.clear()

        ended = fetch(url, cwd=workdir)

    assert ended.status == 0, ended.stderr
    assert_image(workdir, BIG)


def test_the_end_of_time_is_as_good_as_a_stop(workdir: Path) -> None:
    with site(BIG, {"/tree/big.rpm": Trouble(stall_after=HALF)}) as server:
        url = f"{server.url}/cd.jigdo"
        told = fetched("--deadline", "1.5", url, cwd=workdir)
        assert_no_image(workdir)
        server.troubles.clear()
        before = len(server.requests)

        ended = fetch(url, cwd=workdir)

    (missing,) = told["missing"]
    assert told["status"] == 1
    assert missing["tries"][0]["answer"] == "no_time"
    assert ended.status == 0, ended.stderr
    assert_image(workdir, BIG)
    jigdo, big = server.requests[before:]
    assert (jigdo.path, big.path) == ("/cd.jigdo", "/tree/big.rpm")
    assert big.sent <= len(BIG.parts["big.rpm"]) - HALF + (64 << 10)


def test_two_runs_at_once_do_not_write_one_image(workdir: Path) -> None:
    with site(RELEASE, {SLOW[0]: Trouble(delay=FOR_EVER)}) as server:
        with fetching(f"{server.url}/cd.jigdo", cwd=workdir) as running:
            wait_until(lambda: len(server.requests) == 2 + len(RELEASE.parts), running)
            before = len(server.requests)

            second = fetch("cd.jigdo", cwd=workdir)

            assert running.poll() is None
            assert len(server.requests) == before
        server.troubles.clear()
        third = fetch("cd.jigdo", cwd=workdir)

    assert second.status == 75
    assert "cd.iso.tmp" in second.stderr
    assert third.status == 0, third.stderr
    assert_image(workdir, RELEASE)


def test_the_unfinished_image_of_another_release_is_in_nobodys_way(workdir: Path) -> None:
    other = Release({**RELEASE.parts, "new.rpm": noise(5000, "new")})
    with site(RELEASE, {SLOW[0]: Trouble(status=404)}) as server:
        first = fetch(f"{server.url}/cd.jigdo", cwd=workdir)
    with site(other) as server:
        second = fetch(f"{server.url}/cd.jigdo", cwd=workdir)

    assert first.status == 1
    assert second.status == 0, second.stderr
    assert_image(workdir, other)
    assert (workdir / "aside" / "cd.iso.tmp").is_file()


def test_a_disk_that_is_too_small_is_not_begun_on(small_disk: Path, workdir: Path) -> None:
    with site(BIG) as server:
        told = fetched("-o", small_disk, f"{server.url}/cd.jigdo", cwd=workdir)

        parts = [request.path for request in server.requests if "/tree/" in request.path]
    assert told["status"] == 3
    assert f"the image needs {len(BIG.image):,} bytes more" in told["error"]["message"]
    assert told["error"]["hint"]
    assert not parts
    assert not list(small_disk.glob("*.iso*"))


def test_a_disk_that_fills_meanwhile_is_told_and_gone_on_from(
    small_disk: Path, workdir: Path
) -> None:
    release = release_of(6, 500_000)
    with site(release, {"/tree/05.rpm": Trouble(delay=1)}) as server:
        url = f"{server.url}/cd.jigdo"
        with fetching("-o", str(small_disk), "--connections", "1", url, cwd=workdir) as running:
            wait_until(lambda: bool(server.asked("/tree/05.rpm")), running)
            fill = small_disk / "other"
            with fill.open("wb", buffering=0) as other:
                while other.write(bytes(4096)) == 4096 and free(small_disk) > 8192:
                    pass
            _, err = running.communicate()
        fill.unlink()
        before = len(server.requests)

        ended = fetch("-o", small_disk, url, cwd=workdir)

        again = [request.path for request in server.requests[before:]]
    assert running.returncode == 3
    assert "No space left on device" in err
    assert "Traceback" not in err
    assert ended.status == 0, ended.stderr
    assert_image(small_disk, release)
    assert again == ["/cd.jigdo", "/tree/05.rpm"]


def free(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def test_a_file_that_may_not_grow_is_told(workdir: Path) -> None:
    with site(RELEASE) as server:
        limited = f'ulimit -f 100; exec {sys.executable} -m release_builder "$@"'
        argv = ["bash", "-c", limited, "fetch", "jigdo", "fetch", *BOUNDS]

        ended = subprocess.run(
            [*argv, f"{server.url}/cd.jigdo"],
            cwd=workdir,
            capture_output=True,
            text=True,
            check=False,
        )

    assert ended.returncode == 3
    assert "File too large" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (workdir / "cd.iso").exists()


def test_a_folder_that_may_not_be_written_is_told(workdir: Path) -> None:
    (workdir / "out").write_text("a file")
    with site(RELEASE) as server:
        ended = fetch("-o", "out/below", f"{server.url}/cd.jigdo", cwd=workdir)

    assert ended.status == 3
    assert "out/below" in ended.stderr
