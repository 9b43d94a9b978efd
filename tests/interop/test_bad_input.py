"""What goes wrong: each gets its message and its exit status, and nothing is lost."""

from __future__ import annotations

import filecmp
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from builders import noise
from own_mounts import need_root
from program import PROGRAM, killed_at, release_builder

from release_builder import process
from release_builder.demo.daemon import rsync_daemon
from release_builder.monitor import Monitor
from release_builder.transport import Pull
from release_builder.transport.rsync import RsyncMirror

if TYPE_CHECKING:
    from collections.abc import Iterator

    from builders import Mirror

pytestmark = pytest.mark.interop


@pytest.fixture
def descriptor(mirror: Mirror, workdir: Path) -> Path:
    path = workdir / "sme9.yaml"
    path.write_text(f"{mirror.descriptor}workdir: .\n")
    return path


@pytest.fixture
def small_disk(workdir: Path) -> Iterator[Path]:
    """A file system of 2 MB, empty."""
    need_root()
    disk = workdir / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], check=True)
    yield disk
    subprocess.run(["umount", disk], check=True)


def programs_without(name: str, folder: Path) -> dict[str, str]:
    """An environment whose PATH has every program but ``name``."""
    folder.mkdir()
    for place in os.environ["PATH"].split(":"):
        for program in Path(place).glob("*") if Path(place).is_dir() else ():
            if program.name != name and not (folder / program.name).is_symlink():
                (folder / program.name).symlink_to(program)
    return {**os.environ, "PATH": str(folder)}


def fake_rsync(folder: Path, script: str) -> dict[str, str]:
    """An environment in which ``script`` runs in the place of rsync; ``$RSYNC`` is the real one."""
    folder.mkdir()
    program = folder / "rsync"
    program.write_text(f"#!/bin/sh\nRSYNC={process.find('rsync')}\n{script}")
    program.chmod(0o755)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}


def test_without_rsync(descriptor: Path, workdir: Path, tmp_path: Path) -> None:
    env = programs_without("rsync", tmp_path / "bin")

    built = release_builder("build", descriptor, cwd=workdir, env=env)

    assert built.status == 3
    assert "the program rsync is not installed" in built.stderr
    assert "apt-get install rsync" in built.stderr


def test_a_mirror_that_refuses_the_connection(descriptor: Path, workdir: Path) -> None:
    built = release_builder(
        "build", "--mirror", "rsync://127.0.0.1:1/smeserver/", descriptor, cwd=workdir
    )

    assert built.status == 1
    assert "Connection refused" in built.stderr
    assert "run again later" in built.stderr


@pytest.mark.parametrize("command", ["build", "plan"])
def test_a_path_that_the_mirror_has_not(
    mirror: Mirror, descriptor: Path, workdir: Path, command: str
) -> None:
    url = f"{mirror.url}releases/testing/9.0beta33/"

    built = release_builder(command, "--mirror", url, descriptor, cwd=workdir)

    assert built.status == 2
    assert "no such place" in built.stderr
    assert "correct `mirror:`" in built.stderr


def test_an_arch_that_the_mirror_has_not(mirror: Mirror, descriptor: Path, workdir: Path) -> None:
    descriptor.write_text(descriptor.read_text().replace("x86_64", "i386"))

    built = release_builder("build", descriptor, cwd=workdir)

    assert built.status == 2
    assert "has nothing in iso/i386/, smeos/i386/; it has: iso/, smeos/" in built.stderr


def test_an_empty_mirror_deletes_nothing(
    mirror: Mirror, descriptor: Path, workdir: Path, tmp_path: Path
) -> None:
    release_builder("build", descriptor, cwd=workdir)
    (tmp_path / "unmounted").mkdir()

    with rsync_daemon(tmp_path / "unmounted") as url:
        built = release_builder("build", "--mirror", url, descriptor, cwd=workdir)

    assert built.status == 1
    assert "is empty; nothing is deleted" in built.stderr
    assert len(list((workdir / "tree").rglob("*.rpm"))) == 8


def test_too_many_deletions_are_refused_before_the_first(
    mirror: Mirror, descriptor: Path, workdir: Path
) -> None:
    release_builder("build", descriptor, cwd=workdir)
    packages = sorted((mirror.release.tree / "Packages").iterdir())
    for package in packages[:3]:
        package.unlink()
    descriptor.write_text(f"{descriptor.read_text()}sync: {{max_delete: 2}}\n")

    built = release_builder("build", descriptor, cwd=workdir)

    assert built.status == 2
    assert "max_delete" in built.stderr
    assert len(list((workdir / "tree").rglob("*.rpm"))) == 8


def test_a_tree_that_does_not_fit(mirror: Mirror, workdir: Path, small_disk: Path) -> None:
    descriptor = workdir / "sme9.yaml"
    descriptor.write_text(mirror.descriptor)
    (small_disk / "in the way").write_bytes(noise(1_500_000))

    planned = release_builder("plan", "--workdir", small_disk, descriptor, cwd=workdir)
    built = release_builder("build", "--workdir", small_disk, descriptor, cwd=workdir)

    assert planned.status == 3
    assert built.status == 3
    assert "bytes are free" in built.stderr
    assert not (small_disk / "tree").exists()


def test_an_image_that_does_not_fit(mirror: Mirror, workdir: Path, small_disk: Path) -> None:
    descriptor = workdir / "sme9.yaml"
    descriptor.write_text(mirror.descriptor)

    full = release_builder("build", "--workdir", small_disk, descriptor, cwd=workdir)
    subprocess.run(["mount", "-o", "remount,size=9m", small_disk], check=True)
    roomy = release_builder("build", "--workdir", small_disk, descriptor, cwd=workdir)

    assert full.status == 3
    assert "the image still needs" in full.stderr
    assert roomy.status == 0, roomy.stderr


def test_a_disk_that_fills_up_while_rsync_writes(
    mirror: Mirror, descriptor: Path, workdir: Path, small_disk: Path, tmp_path: Path
) -> None:
    """Somebody else takes the room between our look at it and the transfer."""
    env = fake_rsync(
        tmp_path / "bin",
        f'case "$*" in *--dry-run*) ;; *--stats*) head -c 1500000 /dev/zero > {small_disk}/x;; esac\n'
        'exec "$RSYNC" "$@"\n',
    )

    full = release_builder("build", "--workdir", small_disk, descriptor, cwd=workdir, env=env)
    (small_disk / "x").unlink()
    subprocess.run(["mount", "-o", "remount,size=9m", small_disk], check=True)
    roomy = release_builder("build", "--workdir", small_disk, descriptor, cwd=workdir)

    assert full.status == 3
    assert "No space left on device" in full.stderr
    assert roomy.status == 0, roomy.stderr


def test_no_jigdo(mirror: Mirror, descriptor: Path, workdir: Path) -> None:
    mirror.release.jigdo.unlink()

    built = release_builder("build", descriptor, cwd=workdir)

    assert built.status == 1
    assert "no smeserver-9.0beta3-x86_64.jigdo in iso/x86_64/ or smeos/x86_64/" in built.stderr


def test_two_jigdo_files_that_differ(mirror: Mirror, descriptor: Path, workdir: Path) -> None:
    other = mirror.release.tree / mirror.release.jigdo.name
    other.write_bytes(mirror.release.jigdo.read_bytes() + b"# other\n")

    built = release_builder("build", descriptor, cwd=workdir)

    assert built.status == 2
    assert "several .jigdo files" in built.stderr
    assert "smeos/x86_64/" in built.stderr


def test_two_jigdo_files_that_agree(mirror: Mirror, descriptor: Path, workdir: Path) -> None:
    shutil.copy(mirror.release.jigdo, mirror.release.tree)

    built = release_builder("build", descriptor, cwd=workdir)

    assert built.status == 0, built.stderr


def test_a_template_that_is_not_the_one_meant(
    mirror: Mirror, descriptor: Path, workdir: Path
) -> None:
    with mirror.release.template.open("r+b") as template:
        template.seek(200)
        template.write(b"\xff")

    built = release_builder("build", descriptor, cwd=workdir)

    assert built.status == 2
    assert "is not the template that" in built.stderr
    assert not (workdir / "image").exists()


def flip_a_byte(path: Path) -> None:
    """Another content under the same size and time, as a failing disk makes it."""
    status = path.stat()
    with path.open("r+b") as file:
        file.seek(status.st_size // 2)
        byte = file.read(1)[0]
        file.seek(status.st_size // 2)
        file.write(bytes([byte ^ 1]))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def largest_package(tree: Path) -> Path:
    return max((tree / "Packages").iterdir(), key=lambda path: path.stat().st_size)


def test_a_part_that_is_wrong_on_the_mirror(
    mirror: Mirror, descriptor: Path, workdir: Path
) -> None:
    package = largest_package(mirror.release.tree)
    flip_a_byte(package)

    built = release_builder("build", descriptor, cwd=workdir)

    assert built.status == 2
    assert f"Packages/{package.name} is not what [Parts] says: found md5:" in built.stderr
    assert not (workdir / "image" / mirror.release.image.name).exists()


def test_a_part_that_is_wrong_here_is_fetched_again(
    mirror: Mirror, descriptor: Path, workdir: Path
) -> None:
    release_builder("sync", descriptor, cwd=workdir)
    name = largest_package(mirror.release.tree).name
    flip_a_byte(workdir / "tree/smeos/x86_64/Packages" / name)

    built = release_builder("build", "--json", descriptor, cwd=workdir)

    assert built.status == 0, built.messages()
    assert f"smeos/x86_64/Packages/{name}; fetched 1 of 1 anew" in built.messages()
    image = workdir / "image" / mirror.release.image.name
    assert filecmp.cmp(image, mirror.release.image, shallow=False)


def test_a_part_that_is_wrong_here_stays_wrong_offline(
    mirror: Mirror, descriptor: Path, workdir: Path
) -> None:
    release_builder("build", descriptor, cwd=workdir)
    name = largest_package(mirror.release.tree).name
    flip_a_byte(workdir / "tree/smeos/x86_64/Packages" / name)

    verified = release_builder("verify", descriptor, cwd=workdir)

    assert verified.status == 2
    assert f"Packages/{name}: found md5:" in verified.stderr


def test_missing_parts_are_listed_and_the_rest_is_kept(
    mirror: Mirror, descriptor: Path, workdir: Path
) -> None:
    release_builder("sync", descriptor, cwd=workdir)
    package = largest_package(workdir / "tree/smeos/x86_64")
    content = package.read_bytes()
    package.unlink()

    short = release_builder("assemble", "--json", descriptor, cwd=workdir)
    tree = workdir / "tree/smeos/x86_64/Packages"
    tree.rename(workdir / "away")  # what was found is not read again
    (workdir / "rest").mkdir()
    (workdir / "rest" / "renamed").write_bytes(content)
    whole = release_builder("assemble", "--json", "--scan", "rest", descriptor, cwd=workdir)

    assert short.status == 1
    assert f"missing: Packages/{package.name} ({len(content):,} bytes, md5:" in short.messages()
    assert whole.status == 0, whole.messages()
    assert whole.counts("assemble")["bytes_copied"] == len(content)
    image = workdir / "image" / mirror.release.image.name
    assert filecmp.cmp(image, mirror.release.image, shallow=False)


def test_a_digest_that_the_descriptor_expects_otherwise(
    mirror: Mirror, descriptor: Path, workdir: Path
) -> None:
    descriptor.write_text(f"{descriptor.read_text()}digests: {{md5: {'0' * 32}}}\n")

    built = release_builder("build", descriptor, cwd=workdir)

    assert built.status == 2
    assert f"the descriptor says md5:{'0' * 32}, found md5:" in built.stderr
    assert not (workdir / "image" / mirror.release.image.name).exists()


def test_a_sums_file_that_says_otherwise(mirror: Mirror, descriptor: Path, workdir: Path) -> None:
    release_builder("build", descriptor, cwd=workdir)
    (workdir / "image/SHA256SUMS").write_text(f"{'1' * 64}  {mirror.release.image.name}\n")

    verified = release_builder("verify", descriptor, cwd=workdir)

    assert verified.status == 2
    assert "image/SHA256SUMS:1 says sha256:1111" in verified.stderr


def test_a_workdir_that_is_read_only(
    mirror: Mirror, descriptor: Path, workdir: Path, small_disk: Path
) -> None:
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)

    built = release_builder("build", "--workdir", small_disk, descriptor, cwd=workdir)

    assert built.status == 3
    assert "Read-only file system" in built.stderr
    assert "--workdir" in built.stderr


def test_a_state_that_cannot_be_written(descriptor: Path, workdir: Path) -> None:
    env = {**os.environ, "RELEASE_BUILDER_STATE": "/proc/no/such"}

    built = release_builder("build", descriptor, cwd=workdir, env=env)

    assert built.status == 3
    assert "RELEASE_BUILDER_STATE" in built.stderr


def test_a_mirror_that_changes_all_the_time(
    mirror: Mirror, descriptor: Path, workdir: Path, tmp_path: Path
) -> None:
    victim = largest_package(mirror.release.tree)
    env = fake_rsync(tmp_path / "bin", f'date +%s%N >> "{victim}"\n"$RSYNC" "$@"\n')

    built = release_builder("build", descriptor, cwd=workdir, env=env)
    held = release_builder("build", descriptor, cwd=workdir)

    assert built.status == 1
    assert "changes while it is read" in built.stderr
    assert held.status == 2  # the package is not what the pair says: that is for good


def test_an_old_rsync_gets_no_option_that_it_does_not_know(
    mirror: Mirror, descriptor: Path, workdir: Path, tmp_path: Path
) -> None:
    env = fake_rsync(
        tmp_path / "bin",
        'case "$*" in *--version*) echo "rsync  version 3.0.9  protocol version 30"; exit;;\n'
        '*--info*|*no-human*) echo "rsync: unknown option" >&2; exit 1;; esac\n'
        'exec "$RSYNC" "$@"\n',
    )

    built = release_builder("build", descriptor, cwd=workdir, env=env)

    assert built.status == 0, built.stderr


def test_one_bad_release_does_not_stop_the_others(
    mirror: Mirror, descriptor: Path, workdir: Path
) -> None:
    bad = workdir / "bad.yaml"
    bad.write_text(f"version: 9.0beta9\narch: x86_64\nmirror: {mirror.url}none/\nworkdir: bad\n")

    built = release_builder("build", "--json", bad, descriptor, cwd=workdir)

    assert built.status == 2
    steps = [release["steps"][-1]["outcome"] for release in built.document["releases"]]
    assert steps == ["skipped", "done"]
    assert (workdir / "image" / mirror.release.image.name).is_file()


def test_a_second_run_in_the_same_folder_waits_for_nobody(
    mirror: Mirror, descriptor: Path, workdir: Path, tmp_path: Path
) -> None:
    env = fake_rsync(tmp_path / "bin", "sleep 30\n")
    with subprocess.Popen([*PROGRAM, "build", descriptor], cwd=workdir, env=env) as first:
        while not (workdir / ".lock").exists() or not (workdir / ".lock").read_bytes():
            time.sleep(0.05)

        second = release_builder("build", descriptor, cwd=workdir)
        first.send_signal(signal.SIGTERM)

    assert second.status == 75
    assert f"{first.pid}" in second.stderr
    assert first.returncode == 130


@pytest.mark.parametrize("first", range(1, 9))
def test_killed_anywhere_the_next_run_finishes(
    mirror: Mirror, descriptor: Path, workdir: Path, first: int
) -> None:
    """Kill -9 at each file that is opened, made or renamed, in every eighth of them here."""
    image = workdir / "image" / mirror.release.image.name
    for event in range(first, 1000, 8):
        for name in ("tree", "pair", "image", "aside"):
            shutil.rmtree(workdir / name, ignore_errors=True)
        (workdir / "image").mkdir()
        image.write_bytes(b"an older image")

        killed = killed_at(event, "build", descriptor, cwd=workdir, watched=workdir)
        half_way = image.read_bytes() if image.exists() else b""
        healed = release_builder("build", descriptor, cwd=workdir)

        assert killed.status in {0, -signal.SIGKILL}
        assert half_way in {b"", b"an older image", mirror.release.image.read_bytes()}
        assert healed.status == 0, healed.stderr
        assert filecmp.cmp(image, mirror.release.image, shallow=False)
        assert sorted(path.name for path in image.parent.iterdir()) == [image.name]
        assert len(list((workdir / "pair").iterdir())) == 2
        if killed.status == 0:  # there are not so many
            assert event > 40
            return
    pytest.fail("never came to an end undisturbed")


@pytest.mark.parametrize("with_rsync", [True, False])
def test_killed_in_the_transfer_the_next_run_finishes(
    mirror: Mirror, descriptor: Path, workdir: Path, *, with_rsync: bool
) -> None:
    """What rsync held back until the end is neither lost nor counted as to be deleted."""
    descriptor.write_text(f"{descriptor.read_text()}sync: {{bwlimit: 300, max_delete: 1}}\n")
    with subprocess.Popen([*PROGRAM, "build", descriptor], cwd=workdir) as building:
        while len(list((workdir / "tree").rglob(".~tmp~/*"))) < 4:
            time.sleep(0.05)
        rsync = subprocess.check_output(["pgrep", "-P", str(building.pid)], text=True)
        building.kill()
        if with_rsync:
            os.killpg(os.getpgid(int(rsync)), signal.SIGKILL)

    planned = release_builder("plan", "--json", descriptor, cwd=workdir)
    healed = release_builder("build", descriptor, cwd=workdir)

    assert building.returncode == -signal.SIGKILL
    plan = planned.document["plans"][0]
    assert len(plan["steps"][0]["delete"]) <= 1  # the file that rsync was at
    assert plan["bytes_to_write"] < plan["steps"][0]["bytes_to_fetch"] + plan["steps"][2]["bytes"]
    assert healed.status == 0, healed.stderr
    names = [path.name for path in (workdir / "tree").rglob("*")]
    assert not [name for name in names if name.startswith(".~tmp~") or ".rpm." in name]


def test_what_a_killed_sync_held_back_is_removed_when_it_is_no_longer_wanted(
    mirror: Mirror, descriptor: Path, workdir: Path
) -> None:
    held_back = workdir / "tree/smeos/x86_64/Packages/.~tmp~"
    held_back.mkdir(parents=True)
    (held_back / "of-another-release.rpm").write_bytes(noise(1000))

    built = release_builder("build", descriptor, cwd=workdir)

    assert built.status == 0, built.stderr
    assert not held_back.exists()


def test_a_folder_that_lost_all_its_files_is_not_emptied_here(
    mirror: Mirror, descriptor: Path, workdir: Path
) -> None:
    """The disk with the packages is not mounted; iso/ is still there."""
    release_builder("build", descriptor, cwd=workdir)
    shutil.rmtree(mirror.release.tree)
    mirror.release.tree.mkdir()

    built = release_builder("build", descriptor, cwd=workdir)

    assert built.status == 1
    assert "files in smeos/x86_64/; nothing is deleted here" in built.stderr
    assert len(list((workdir / "tree").rglob("*.rpm"))) == 8


def test_a_mirror_that_lost_most_of_its_files_is_not_followed(
    mirror: Mirror, descriptor: Path, workdir: Path
) -> None:
    release_builder("build", descriptor, cwd=workdir)
    for name in ("Packages", "repodata"):
        shutil.rmtree(mirror.release.tree / name)

    built = release_builder("build", descriptor, cwd=workdir)

    assert built.status == 1
    assert "files in smeos/x86_64/; nothing is deleted here" in built.stderr
    assert len(list((workdir / "tree").rglob("*.rpm"))) == 8


def test_a_tree_that_lost_some_parts_is_told_even_to_cron(
    mirror: Mirror, descriptor: Path, workdir: Path
) -> None:
    release_builder("build", descriptor, cwd=workdir)
    largest_package(workdir / "tree/smeos/x86_64").unlink()

    built = release_builder("build", "-q", "--offline", descriptor, cwd=workdir)

    assert built.status == 0  # the image is right; it only could not be made again
    assert "1 part that smeserver-9.0beta3-x86_64.jigdo names is not in the tree" in built.stderr


def test_a_mirror_that_went_back_does_not_take_our_pair(
    mirror: Mirror, descriptor: Path, workdir: Path
) -> None:
    release_builder("build", descriptor, cwd=workdir)
    jigdo = mirror.release.jigdo
    jigdo.rename(jigdo.with_name(jigdo.name.replace("beta3", "beta2")))

    built = release_builder("build", descriptor, cwd=workdir)
    verified = release_builder("verify", descriptor, cwd=workdir)

    assert built.status == 1
    assert f"no longer has iso/x86_64/{jigdo.name}; nothing was touched" in built.stderr
    assert verified.status == 0


def test_a_jigdo_that_was_cut_off_is_told(mirror: Mirror, descriptor: Path, workdir: Path) -> None:
    content = mirror.release.jigdo.read_bytes()
    mirror.release.jigdo.write_bytes(content[: content.index(b"[Parts]") + 100])

    built = release_builder("build", descriptor, cwd=workdir)

    assert built.status == 0
    assert "are not in [Parts] of" in built.stderr


def test_a_reader_that_went_away_changes_nothing(
    mirror: Mirror, descriptor: Path, workdir: Path
) -> None:
    command = f"{sys.executable} -m release_builder build sme9.yaml | true; echo ${{PIPESTATUS[0]}}"

    ended = subprocess.run(["bash", "-c", command], cwd=workdir, capture_output=True, check=True)

    assert ended.stdout == b"0\n"


def test_another_release_on_the_mirror_is_not_taken_for_ours(
    mirror: Mirror, descriptor: Path, workdir: Path
) -> None:
    """The mirror's link still leads to the beta before."""
    descriptor.write_text(descriptor.read_text().replace("9.0beta3", "9.0beta4", 1))

    built = release_builder("build", "--mirror", mirror.release_url, descriptor, cwd=workdir)

    assert built.status == 2
    assert "no smeserver-9.0beta4-x86_64.jigdo" in built.stderr
    assert "there is iso/x86_64/smeserver-9.0beta3-x86_64.jigdo" in built.stderr
    assert not (workdir / "image").exists()


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_sources_that_do_not_agree_cost_nobody_an_image(
    mirror: Mirror, descriptor: Path, workdir: Path, algorithm: str
) -> None:
    release_builder("build", descriptor, cwd=workdir)
    digits = "0" * (32 if algorithm == "md5" else 64)
    name = mirror.release.image.name
    (mirror.release.pair / "md5sum.txt").write_text(f"{digits}  {name}\n")

    built = release_builder("build", descriptor, cwd=workdir)

    assert built.status == 2
    assert f"md5sum.txt:1 says {algorithm}:{digits}" in built.stderr
    assert filecmp.cmp(workdir / "image" / name, mirror.release.image, shallow=False)


def test_releases_that_share_a_tree_are_told_so(
    mirror: Mirror, descriptor: Path, workdir: Path
) -> None:
    other = workdir / "other.yaml"
    other.write_text(f"{descriptor.read_text()}".replace(mirror.release_url, f"{mirror.url}none/"))

    built = release_builder("build", "--json", descriptor, other, cwd=workdir)

    assert built.document["releases"][0]["steps"][-1]["outcome"] == "done"
    assert "share" in built.document["findings"][0]["message"]


def test_an_image_that_cannot_be_written_is_no_fault_of_its_parts(
    mirror: Mirror, descriptor: Path, workdir: Path
) -> None:
    release_builder("sync", descriptor, cwd=workdir)
    (workdir / "image").mkdir()
    (workdir / "image" / mirror.release.image.name).write_bytes(b"another image")
    limited = f"ulimit -f 600; exec {sys.executable} -m release_builder assemble --json sme9.yaml"

    ended = subprocess.run(["bash", "-c", limited], cwd=workdir, capture_output=True, check=False)

    assert ended.returncode == 3
    assert b"File too large" in ended.stdout
    assert b"[Parts]" not in ended.stdout
    assert b"moved to" in ended.stdout  # what was moved before is told all the same


def test_many_wrong_files_and_odd_names_are_fetched_again(
    mirror: Mirror, workdir: Path, tmp_path: Path
) -> None:
    """More names than a command line holds, some with wildcards, one that is no UTF-8."""
    served = tmp_path / "many"
    names = [f"{'deep/' * 20}file {number}" for number in range(3000)]
    names += ["a*b", "[c]", "back\\slash", b"no \xff utf-8".decode("utf-8", "surrogateescape")]
    for place, content in ((served, "right"), (workdir / "tree", "wrong")):
        for name in names:
            path = place / "smeos" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
            os.utime(path, (0, 0))
    (workdir / "tree/smeos/axb").write_text("not asked for")

    with rsync_daemon(tmp_path) as url:
        mirror_of_many = RsyncMirror(f"{url}many/")
        pull = Pull(workdir / "tree", (), only=tuple(f"smeos/{name}" for name in names))
        transfer = mirror_of_many.pull(pull, Monitor())

    assert len(transfer.fetched) == len(names)
    assert {(workdir / "tree/smeos" / name).read_text() for name in names} == {"right"}
    assert (workdir / "tree/smeos/axb").read_text() == "not asked for"
