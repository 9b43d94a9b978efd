"""Tests of ``refresh`` as cron runs it: silence, one block, one at a time."""

from __future__ import annotations

import filecmp
import os
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from builders import Mirror, next_release
from program import PROGRAM, Ended, release_builder

from release_builder.state.digest_cache import state_folder
from release_builder.state.history import open_history

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from release_builder.state.history import RecordedRun

pytestmark = pytest.mark.interop

_AT_ONCE = ("refresh", "--no-splay")


@pytest.fixture
def descriptor(mirror: Mirror, workdir: Path) -> Path:
    path = workdir / "sme9.yaml"
    path.write_text(f"{mirror.descriptor}workdir: .\n")
    return path


def refresh(*arguments: str | Path, cwd: Path) -> Ended:
    return release_builder(*_AT_ONCE, *arguments, cwd=cwd)


def runs() -> tuple[RecordedRun, ...]:
    with open_history(state_folder(os.environ), read_only=True) as history:
        return history.runs()


def is_silent(ended: Ended) -> bool:
    return not ended.stdout and not ended.stderr


def is_right(mirror: Mirror, workdir: Path) -> bool:
    image = workdir / "image" / mirror.release.image.name
    return filecmp.cmp(image, mirror.release.image, shallow=False)


def test_success_and_no_change_are_silent(descriptor: Path, mirror: Mirror, workdir: Path) -> None:
    nights = [refresh(descriptor, cwd=workdir) for _ in range(3)]

    assert [night.status for night in nights] == [0, 0, 0], nights[0].stderr
    assert all(map(is_silent, nights))
    assert is_right(mirror, workdir)
    assert [run.changed for run in runs()] == [False, False, True]


def test_a_folder_of_descriptors_is_gone_over_and_a_wrong_one_stops_nobody(
    mirror: Mirror, workdir: Path
) -> None:
    folder = workdir / "releases.d"
    folder.mkdir()
    (folder / "1-wrong.yaml").write_text("version: 9.0bta3\n")
    (folder / "2-right.yaml").write_text(f"{mirror.descriptor}workdir: {workdir}\n")
    (folder / "notes.txt").write_text("no descriptor")

    ended = refresh(folder, cwd=workdir)

    assert ended.status == 2
    assert is_right(mirror, workdir)
    assert ended.stderr.count("could not be refreshed") == 1
    assert "1-wrong.yaml:1:10: version: '9.0bta3' is not a version" in ended.stderr
    assert "2-right" not in ended.stderr
    assert "you         correct it; `release-builder validate`" in ended.stderr


def test_a_job_that_has_nothing_to_do_any_more_is_told(workdir: Path) -> None:
    (workdir / "releases.d").mkdir()
    (workdir / "releases.d" / "sme9.yaml.off").touch()

    ended = refresh(workdir / "releases.d", cwd=workdir)

    assert ended.status == 0
    assert "releases.d has no descriptor in it: nothing is kept fresh" in ended.stderr


def test_a_wrong_image_is_one_block_that_says_whose_turn_it_is(
    descriptor: Path, workdir: Path
) -> None:
    with descriptor.open("a") as text:
        text.write("digests: {md5: 00000000000000000000000000000000}\n")

    ended = refresh(descriptor, cwd=workdir)

    assert ended.status == 2
    assert not ended.stdout
    lines = ended.stderr.splitlines()
    assert lines[0] == "smeserver 9.0beta3 x86_64: could not be refreshed"
    labels = [line[2:13].strip() for line in lines[1:] if line[2:13].strip()]
    assert labels == ["descriptor", "step", "problem", "by itself", "you", "last good", "log"]
    log = lines[-1].split()[-1]
    assert "rsync" in (workdir / log).read_text()


def test_a_mirror_that_is_away_is_told_when_it_was_away_for_too_long(
    descriptor: Path, mirror: Mirror, workdir: Path
) -> None:
    nobody = mirror.release_url.replace(mirror.url.split("/")[2], "127.0.0.1:9")

    never = refresh("--mirror", nobody, descriptor, cwd=workdir)
    refresh(descriptor, cwd=workdir)
    young = refresh("--mirror", nobody, descriptor, cwd=workdir)
    old = refresh("--mirror", nobody, "--max-age", "0", descriptor, cwd=workdir)

    assert [never.status, young.status, old.status] == [1, 1, 1]
    assert "last good   never" in never.stderr
    assert is_silent(young)
    assert "not refreshed for too long" in old.stderr
    assert is_right(mirror, workdir)


def test_a_little_change_moves_and_hashes_that_much(
    descriptor: Path, mirror: Mirror, workdir: Path
) -> None:
    refresh(descriptor, cwd=workdir)
    following = next_release(mirror.release)
    changed_files = _keep_times(mirror.release.tree, following.tree)
    descriptor.write_text(f"{Mirror(following, mirror.url).descriptor}workdir: .\n")

    whole = sum(path.stat().st_size for path in following.tree.rglob("*") if path.is_file())

    changed = refresh("--json", descriptor, cwd=workdir)
    unchanged = refresh("--json", descriptor, cwd=workdir)

    assert changed.status == 0
    assert 0 < changed.counts("sync")["bytes_new"] < whole / 5
    assert 0 < changed.counts("assemble")["digests_computed"] <= len(changed_files) + 2
    assert set(unchanged.outcomes().values()) == {"unchanged"}
    assert unchanged.counts("sync")["bytes_received"] == 0
    assert "digests_computed" not in unchanged.counts("assemble")
    assert "digests_computed" not in unchanged.counts("verify")


def _keep_times(old: Path, new: Path) -> list[Path]:
    """Give files that did not change the times that they had; the others."""
    changed = []
    for path in new.rglob("*"):
        before = old / path.relative_to(new)
        if before.is_file() and filecmp.cmp(before, path, shallow=False):
            shutil.copystat(before, path)
        elif path.is_file():
            changed.append(path)
    return changed


def start(*arguments: str | Path, cwd: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*PROGRAM, *map(str, arguments)],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.fixture
def sleeping(descriptor: Path, workdir: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A refresh that has its turn and waits, as ``--splay`` has it."""
    with start("refresh", "--splay", "10d", descriptor, cwd=workdir) as process:
        log = workdir.parent / "state" / "refresh.log"
        while not log.exists() or "waits" not in log.read_text():
            assert process.poll() is None
            time.sleep(0.02)
        yield process
        process.kill()


def processor_seconds(process: subprocess.Popen[bytes]) -> tuple[int, float]:
    """Wait for ``process``: its status, and the processor's seconds that it took."""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, used.ru_utime + used.ru_stime


def test_of_ten_at_once_one_works_and_nine_say_75_in_under_a_second(
    descriptor: Path, mirror: Mirror, workdir: Path
) -> None:
    with descriptor.open("a") as text:
        text.write("sync: {bwlimit: 200}\n")  # so that it lasts until the last has come
    ten = [start(*_AT_ONCE, descriptor, cwd=workdir) for _ in range(10)]

    ended = [(*processor_seconds(each), each.communicate()) for each in ten]

    assert sorted(status for status, *_ in ended) == [0] + [75] * 9
    assert all(said == (b"", b"") for *_, said in ended)
    assert max(seconds for status, seconds, _ in ended if status == 75) < 1
    assert is_right(mirror, workdir)


def test_a_trigger_during_a_run_makes_it_go_over_once_more(
    descriptor: Path, workdir: Path, mirror: Mirror
) -> None:
    busy = workdir / "busy"
    busy.write_text(
        f"#!/bin/sh\nexport RELEASE_BUILDER_STATE={state_folder(os.environ)}\n"
        f"exec {sys.executable} -m release_builder refresh --no-splay {descriptor}\n"
    )
    busy.chmod(0o755)
    with descriptor.open("a") as text:
        text.write(f"notify: {{command: {busy}, when: change}}\n")

    ended = refresh(descriptor, cwd=workdir)

    assert ended.status == 0
    assert [run.changed for run in runs()] == [False, True]
    assert is_right(mirror, workdir)


def test_killing_the_holder_frees_the_turn(
    sleeping: subprocess.Popen[bytes], descriptor: Path, workdir: Path, mirror: Mirror
) -> None:
    meanwhile = refresh(descriptor, cwd=workdir)
    sleeping.kill()
    sleeping.wait()

    afterwards = refresh(descriptor, cwd=workdir)

    assert meanwhile.status == 75
    assert afterwards.status == 0
    assert is_right(mirror, workdir)


def test_a_stopped_refresh_says_so_and_leaves_the_turn(
    sleeping: subprocess.Popen[bytes], descriptor: Path, workdir: Path
) -> None:
    sleeping.send_signal(signal.SIGTERM)

    _, said = sleeping.communicate()

    assert sleeping.returncode == 130
    assert b"the refresh was stopped" in said
    assert refresh(descriptor, cwd=workdir).status == 0


def test_the_deadline_ends_a_run_that_may_go_on_tomorrow(
    descriptor: Path, workdir: Path, mirror: Mirror
) -> None:
    with descriptor.open("a") as text:
        text.write("sync: {bwlimit: 50k}\n")

    late = refresh("--deadline", "2s", descriptor, cwd=workdir)
    descriptor.write_text(f"{mirror.descriptor}workdir: .\n")
    following = refresh(descriptor, cwd=workdir)

    assert late.status == 1
    assert "the deadline of 2 s has passed" in late.stderr
    assert following.status == 0
    assert is_right(mirror, workdir)


def test_a_clock_that_cannot_be_right_stops_before_harm(descriptor: Path, workdir: Path) -> None:
    ended = subprocess.run(
        ["faketime", "1970-01-02", *PROGRAM, *_AT_ONCE, str(descriptor)],
        cwd=workdir,
        capture_output=True,
        check=False,
    )

    assert ended.returncode == 3
    assert b"this machine's clock says 1970-01-02" in ended.stderr
    assert not (workdir / "tree").exists()


BARE: dict[str, dict[str, Any]] = {
    "no environment": {"env": {}},
    "no HOME, no LANG": {"env": {"PATH": "/usr/bin:/bin"}},
    "another language": {"env": {"PATH": "/usr/bin:/bin", "LANG": "de_DE.UTF-8", "HOME": "/"}},
    "umask 077": {"umask": 0o077},
    "umask 000": {"umask": 0},
}


@pytest.mark.parametrize("around", BARE.values(), ids=BARE.keys())
def test_it_is_silent_and_right_in_odd_surroundings(
    descriptor: Path, workdir: Path, mirror: Mirror, around: dict[str, Any]
) -> None:
    environment = {**around.pop("env", os.environ), "RELEASE_BUILDER_STATE": str(workdir / "state")}

    ended = subprocess.run(
        [*PROGRAM, *_AT_ONCE, str(descriptor)],
        cwd="/",
        env=environment,
        capture_output=True,
        check=False,
        **around,
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")
    assert is_right(mirror, workdir)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_matter(
    descriptor: Path, workdir: Path, mirror: Mirror, closed: str
) -> None:
    command = f"{sys.executable} -m release_builder refresh --no-splay {descriptor} {closed}"

    ended = subprocess.run(["sh", "-c", command], cwd=workdir, capture_output=True, check=False)

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")
    assert is_right(mirror, workdir)


def test_what_is_new_is_published_once(descriptor: Path, workdir: Path, mirror: Mirror) -> None:
    with descriptor.open("a") as text:
        text.write("publish: {root: public, preflight: off}\n")

    nights = [refresh("--json", descriptor, cwd=workdir) for _ in range(2)]
    shutil.rmtree(workdir / "public")
    descriptor.write_text(descriptor.read_text().replace("root: public", "root: again"))
    elsewhere = refresh("--json", "-v", descriptor, cwd=workdir)

    assert [night.status for night in nights] == [0, 0], nights[0].messages()
    assert [night.outcomes().get("publish") for night in nights] == ["done", None]
    assert elsewhere.outcomes()["publish"] == "done"
    public = workdir / "again/testing/9.0beta3/iso/x86_64" / mirror.release.image.name
    assert filecmp.cmp(public, mirror.release.image, shallow=False)


def test_a_tree_that_lost_parts_does_not_become_public(descriptor: Path, workdir: Path) -> None:
    refresh(descriptor, cwd=workdir)
    next((workdir / "tree").rglob("*.rpm")).unlink()
    with descriptor.open("a") as text:
        text.write("publish: {root: public, preflight: off}\n")

    ended = release_builder("publish", descriptor, cwd=workdir)

    assert ended.status == 1
    assert "smeserver-9.0beta3-x86_64.jigdo names parts that are not in the tree: 1" in ended.stderr
    assert not (workdir / "public/testing").exists()


def test_room_that_is_to_stay_free_is_left_alone(descriptor: Path, workdir: Path) -> None:
    with descriptor.open("a") as text:
        text.write("retain: {free: 999999g}\n")

    ended = refresh(descriptor, cwd=workdir)

    assert ended.status == 3
    assert "are to stay free; nothing was fetched" in ended.stderr
    assert not list((workdir / "tree").rglob("*.rpm"))


def test_what_cannot_be_shown_is_told(descriptor: Path, workdir: Path) -> None:
    ended = refresh("--page", workdir / "sme9.yaml" / "page", descriptor, cwd=workdir)

    assert ended.status == 0
    assert "warning:" in ended.stderr
    assert "sme9.yaml/page" in ended.stderr


def test_the_status_page_and_the_metrics_follow_each_run(descriptor: Path, workdir: Path) -> None:
    shown = ("--page", workdir / "status", "--metrics", workdir / "sme.prom")

    refresh(*shown, descriptor, cwd=workdir)
    with descriptor.open("a") as text:
        text.write("digests: {md5: 00000000000000000000000000000000}\n")
    refresh(*shown, descriptor, cwd=workdir)

    page = (workdir / "status" / "index.html").read_text()
    assert "00000000000000000000000000000000" in page
    assert 'release_builder_last_run_status{arch="x86_64"' in (workdir / "sme.prom").read_text()


def test_a_beta_that_followed_is_built_and_told_once(mirror: Mirror, workdir: Path) -> None:
    descriptor = workdir / "sme.yaml"
    root = f"{mirror.url}releases/"
    descriptor.write_text(f"track: testing/9\narch: x86_64\nmirror: {root}\nworkdir: .\n")

    nights = [refresh(descriptor, cwd=workdir)]
    following = next_release(mirror.release)
    nights += [refresh(descriptor, cwd=workdir) for _ in range(2)]

    assert [night.status for night in nights] == [0, 0, 0], nights[1].stderr
    assert "9.0beta4 followed 9.0beta3" in nights[1].stdout
    assert is_silent(nights[2])
    assert is_right(Mirror(following, mirror.url), workdir)


def test_a_release_that_became_final_is_told_once_and_is_no_error(
    descriptor: Path, workdir: Path, mirror: Mirror
) -> None:
    refresh(descriptor, cwd=workdir)
    testing = mirror.release.mirror / "releases/testing"
    next_release(mirror.release, "9.0")
    shutil.rmtree(testing / "9.0beta3")
    (testing / "9.0").rename(mirror.release.mirror / "releases/9.0")

    nights = [refresh(descriptor, cwd=workdir) for _ in range(2)]

    assert [night.status for night in nights] == [0, 0], nights
    assert "9.0beta3 became the final: 9.0" in nights[0].stdout
    assert is_silent(nights[1])


def test_a_release_that_is_gone_is_told_once_after_a_while(
    descriptor: Path, workdir: Path, mirror: Mirror
) -> None:
    refresh(descriptor, cwd=workdir)
    shutil.rmtree(mirror.release.mirror / "releases/testing")
    (mirror.release.mirror / "releases/testing").mkdir()

    soon = refresh(descriptor, cwd=workdir)
    late = [refresh("--max-age", "0", descriptor, cwd=workdir) for _ in range(2)]

    assert [soon.status, *(night.status for night in late)] == [1, 1, 1], late
    assert is_silent(soon)
    assert "9.0beta3 is gone" in late[0].stderr
    assert is_silent(late[1])


def test_a_dry_run_tells_what_a_track_leads_to(mirror: Mirror, workdir: Path) -> None:
    descriptor = workdir / "sme.yaml"
    root = f"{mirror.url}releases/"
    descriptor.write_text(f"track: testing/9\narch: x86_64\nmirror: {root}\nworkdir: .\n")

    ended = release_builder("refresh", "--dry-run", descriptor, cwd=workdir)

    assert ended.status == 0, ended.stderr
    assert "9.0beta3" in ended.stdout


def test_a_deadline_that_leaves_no_time_is_refused(descriptor: Path, workdir: Path) -> None:
    assert refresh("--deadline", "0", descriptor, cwd=workdir).status == 2


def test_a_dry_run_touches_nothing(descriptor: Path, workdir: Path) -> None:
    before = sorted(workdir.rglob("*"))

    ended = release_builder("refresh", "--dry-run", descriptor, cwd=workdir)

    assert ended.status == 0, ended.stderr
    assert "fetch" in ended.stdout
    assert sorted(workdir.rglob("*")) == before
    assert not runs()
