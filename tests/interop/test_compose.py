"""Composing with the real xorriso, isohybrid and implantisomd5; linting with the real rpm."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from builders import digest
from builders import run as call
from composing import VOLUME, Bench, make_bench, messages
from own_mounts import need_root

from release_builder import process
from release_builder.errors import DescriptorError, SurroundingsError
from release_builder.report import Outcome, Severity
from release_builder.steps import compose, xorriso

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_builder.demo.release import Release

pytestmark = pytest.mark.interop

CHECKER = shutil.which("checkisomd5")


@pytest.fixture
def bench(tmp_path: Path, small_release: Release) -> Bench:
    return make_bench(tmp_path, small_release)


def with_uefi(bench: Bench) -> None:
    """What UEFI starts: its content is no matter of ours."""
    (bench.tree / "images" / "efiboot.img").write_bytes(random.Random(1).randbytes(1440 << 10))
    os.utime(bench.tree / "images" / "efiboot.img", (1_391_212_800, 1_391_212_800))


def boot_report(image: Path) -> str:
    """What xorriso finds in an image to start it by."""
    return call(
        *("xorriso", "-no_rc", "-indev", str(image)),
        *("-report_el_torito", "plain", "-report_system_area", "plain"),
    )


def listed(image: Path, *options: str) -> list[str]:
    """The paths in an image, from its root."""
    found = call("xorriso", "-no_rc", *options, "-indev", str(image), "-find", "/").splitlines()
    return sorted(line.strip("'/") for line in found)


def test_the_image_starts_a_pc_from_disc_and_stick(bench: Bench) -> None:
    result = compose.run(bench.context)

    report = boot_report(bench.image)
    assert result.outcome is Outcome.DONE
    assert "El Torito boot img :   1  BIOS  y   none" in report
    assert "UEFI" not in report
    assert "El Torito img path :   1  /isolinux/isolinux.bin" in report
    assert "boot-info-table" in report
    assert "System area summary: MBR isohybrid" in report
    assert result.facts["boots"] == "BIOS, USB stick"
    assert result.facts["volume_id"] == VOLUME
    assert result.facts["md5"] == digest(bench.image).hex
    assert result.facts["sha256"] == digest(bench.image, "sha256").hex
    assert result.counts == {"files": 27, "bytes": bench.image.stat().st_size}
    assert result.findings == ()


def test_the_image_starts_by_uefi_where_the_tree_can(bench: Bench) -> None:
    with_uefi(bench)

    result = compose.run(bench.context)

    report = boot_report(bench.image)
    assert "El Torito boot img :   1  BIOS  y" in report
    assert "El Torito boot img :   2  UEFI  y" in report
    assert "El Torito img path :   2  /images/efiboot.img" in report
    assert "isohybrid" in report
    assert "GPT partition name" in report
    assert result.facts["boots"] == "BIOS, UEFI, USB stick"


def media_check(image: Path) -> int:
    return process.run(["checkisomd5", str(image)]).status


def test_the_media_check_passes(bench: Bench) -> None:
    with_uefi(bench)

    result = compose.run(bench.context)

    assert "MD5 implanted" in result.summary
    assert media_check(bench.image) == 0
    with bench.image.open("r+b") as image:
        image.seek(900_000)
        image.write(b"x" * 100)
    assert media_check(bench.image)  # so it can fail


def test_the_tree_is_as_it_was(bench: Bench) -> None:
    (bench.tree / "isolinux" / "boot.cat").write_bytes(b"of another image")
    before = {p: (p.lstat(), p.is_file() and p.read_bytes()) for p in bench.tree.rglob("*")}

    compose.run(bench.context)

    found = {p: (p.lstat(), p.is_file() and p.read_bytes()) for p in bench.tree.rglob("*")}
    for path, (status, content) in before.items():
        assert found[path][1] == content
        assert found[path][0].st_mtime_ns == status.st_mtime_ns
    assert found.keys() == before.keys()


def test_all_files_are_in_the_image_as_they_are(bench: Bench) -> None:
    long = bench.tree / "Packages" / ("a-package-with-a-long-name-" * 3 + "1.0-1.noarch.txt")
    long.write_bytes(b"long")
    (bench.tree / "licence").symlink_to("GPL")

    compose.run(bench.context)

    here = [str(path.relative_to(bench.tree)) for path in bench.tree.rglob("*")]
    assert listed(bench.image) == sorted(["", "isolinux/boot.cat", *here])
    joliet = listed(bench.image, "-read_fs", "norock")
    assert [name for name in joliet if name.endswith(f"/{long.name}")]
    out = bench.root / "out"
    call(
        *("xorriso", "-no_rc", "-osirrox", "on", "-indev", str(bench.image)),
        *("-extract", "/", str(out)),
    )
    for path in bench.tree.rglob("*"):
        copy = out / path.relative_to(bench.tree)
        if path.is_symlink():
            assert copy.readlink() == path.readlink()
        elif path.is_file() and path.name != "isolinux.bin":
            assert copy.read_bytes() == path.read_bytes()
            assert int(copy.stat().st_mtime) == int(path.stat().st_mtime)


def copied_in_another_order(source: Path, target: Path) -> None:
    """Other inodes, other times of folders; the times of files stay."""
    files = [path for path in source.rglob("*") if path.is_file()]
    random.Random(1).shuffle(files)
    for path in files:
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy)


def elsewhere(bench: Bench, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A copy of the tree, of another user in another country."""
    other = Bench(folder / "other [1]=*")
    copied_in_another_order(bench.tree, other.tree)
    home = other.root / "home"
    home.mkdir()
    (home / ".xorrisorc").write_text("-not_leaf GPL\n")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("HOME", str(home))
    return other


def test_the_same_tree_gives_the_same_bytes(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_uefi(bench)
    first = compose.run(bench.context).facts
    other = elsewhere(bench, tmp_path, monkeypatch)

    second = compose.run(other.context).facts

    assert second["sha256"] == first["sha256"]
    assert first["boots"] == "BIOS, UEFI, USB stick"


def test_isohybrid_gives_the_same_bytes_too(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xorriso, "_HYBRID_SECTORS", ())
    first = compose.run(bench.context)
    other = elsewhere(bench, tmp_path, monkeypatch)

    second = compose.run(other.context)

    assert second.facts["sha256"] == first.facts["sha256"]
    assert "MBR isohybrid" in boot_report(bench.image)
    assert first.findings == ()


def test_isohybrid_is_random_for_uefi_and_that_is_said(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xorriso, "_HYBRID_SECTORS", ())
    with_uefi(bench)

    result = compose.run(bench.context)

    assert result.facts["boots"] == "BIOS, UEFI, USB stick"
    assert len(messages(result, Severity.WARNING)) == 1
    assert "random numbers" in messages(result, Severity.WARNING)[0]


def test_the_time_of_the_image_can_be_given(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    first = compose.run(bench.context).facts
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1400000000")

    second = compose.run(bench.context)

    assert second.outcome is Outcome.DONE
    assert second.facts["sha256"] != first["sha256"]
    assert "2014051316532000" in call("xorriso", "-no_rc", "-indev", str(bench.image), "-pvd_info")


def test_an_image_that_is_right_already_stays(bench: Bench) -> None:
    compose.run(bench.context)
    before = bench.image.stat()

    result = compose.run(bench.context)

    after = bench.image.stat()
    assert result.outcome is Outcome.UNCHANGED
    assert (after.st_ino, after.st_ctime_ns) == (before.st_ino, before.st_ctime_ns)
    assert [each.name for each in bench.image.parent.iterdir()] == [bench.image.name]


def test_what_is_excluded_stays_out(bench: Bench) -> None:
    bench.extra = "compose: {exclude: ['*.msg', 'images/pxe*', 'odd [[]*']}\n"
    held_back = bench.tree / "Packages" / ".~tmp~"
    held_back.mkdir()
    for name in ("odd [1]*", "odd 1"):  # the former is no pattern, and stays out alone
        (bench.tree / name).write_bytes(b"odd")
    (held_back / "half.rpm").write_bytes(b"half")

    result = compose.run(bench.context)

    found = listed(bench.image)
    assert "isolinux/vmlinuz" in found
    assert not [path for path in found if "pxeboot" in path or path.endswith(".msg")]
    assert not [path for path in found if ".~tmp~" in path]
    assert [path for path in found if "odd" in path] == ["odd 1"]
    assert result.counts["files"] == 25


def test_an_image_too_large_for_a_cd_gets_no_name(bench: Bench) -> None:
    bench.extra = "compose: {medium: cd}\n"
    with (bench.tree / "large").open("wb") as out:
        out.truncate(740_000_000)

    with pytest.raises(DescriptorError, match="more than a cd holds: 737,280,000"):
        compose.run(bench.context)

    assert list(bench.image.parent.iterdir()) == []


def test_a_loader_that_no_stick_can_start_is_told(bench: Bench) -> None:
    loader = bench.tree / "isolinux" / "isolinux.bin"
    content = bytearray(loader.read_bytes())
    content[64:68] = bytes(4)
    loader.write_bytes(content)

    result = compose.run(bench.context)

    assert result.facts["boots"] == "BIOS"
    assert messages(result, Severity.WARNING) == [
        "starting from a USB stick is left out: isolinux/isolinux.bin cannot do that"
    ]
    assert "isohybrid" not in boot_report(bench.image).partition("System area")[2]


def test_without_implantisomd5_that_is_said(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = bench.root / "bin"
    programs.mkdir()
    (programs / "xorriso").symlink_to(shutil.which("xorriso") or "")
    monkeypatch.setenv("PATH", str(programs))

    result = compose.run(bench.context)

    assert result.outcome is Outcome.DONE
    assert messages(result, Severity.WARNING) == [
        "the implanted MD5 is left out: the program implantisomd5 is not installed"
    ]
    assert "implanted" not in result.summary


@pytest.mark.parametrize(
    "checker",
    [
        pytest.param(f'exec {CHECKER} "$@"', id="the real checker"),
        pytest.param("echo garbage", id="one that lies too"),
    ],
)
def test_an_implanter_that_lies_is_caught(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, checker: str
) -> None:
    programs = bench.root / "bin"
    programs.mkdir()
    for name, script in (("implantisomd5", "exit 0"), ("checkisomd5", checker)):
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")

    with pytest.raises(SurroundingsError, match="isomd5"):
        compose.run(bench.context)

    assert list(bench.image.parent.iterdir()) == []


def test_a_full_disk_is_told_before_anything_is_written(bench: Bench) -> None:
    with (bench.tree / "large").open("wb") as out:
        out.truncate(1 << 43)  # 8 TiB, of which none is on disk

    with pytest.raises(SurroundingsError, match=r"needs about .* bytes are free"):
        compose.run(bench.context)

    assert list(bench.image.parent.iterdir()) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system on which an image just seems to fit."""
    need_root()
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", disk], check=True)
    try:
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_disk_that_fills_up_meanwhile_is_told(
    bench: Bench, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.image.parent.parent.mkdir(exist_ok=True)
    bench.image.parent.symlink_to(small_disk)
    programs = bench.root / "bin"
    programs.mkdir()
    hungry = programs / "xorriso"  # takes the room, then is the real one
    hungry.write_text(
        f'#!/bin/sh\nhead -c 2500000 /dev/zero > {small_disk}/other\nexec {shutil.which("xorriso")} "$@"\n'
    )
    hungry.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")

    with pytest.raises(SurroundingsError, match=r"xorriso failed .*(?i:no space|free space)"):
        compose.run(bench.context)

    assert [each.name for each in small_disk.iterdir()] == ["other"]


def test_a_file_of_more_than_four_gibibytes_goes_in(bench: Bench) -> None:
    """It is sparse here and the image is not kept: what counts is that xorriso takes it."""
    argv = xorriso.xorriso_argv(
        xorriso.Image(
            tree=bench.tree,
            out=Path("/dev/null"),
            left_out=(),
            compose=bench.context.plan.release.compose,
            uefi=False,
            hybrid=None,
            epoch=1,
        )
    )
    with (bench.tree / "large").open("wb") as out:
        out.truncate((4 << 30) + 1)

    argv[argv.index("mkisofs") + 1 : argv.index("mkisofs") + 1] = ["-print-size"]

    assert int(call(*argv).split("R:1:")[-1].split()[0]) > (4 << 30) // 2048
