"""Composing: what is asked of the programs, and what is told when they fail.

What the real programs make of it is in interop/test_compose.py.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from composing import Bench, make_bench

from release_builder.descriptor.publishing import Compose
from release_builder.errors import DescriptorError, SurroundingsError, WrongBytesError
from release_builder.monitor import Monitor
from release_builder.steps import compose, xorriso
from release_builder.steps.xorriso import Image, failure, isohybrid_argv, xorriso_argv

if TYPE_CHECKING:
    from release_builder.demo.release import Release

IMAGE = Image(
    tree=Path("/tree"),
    out=Path("/out.iso"),
    left_out=("a/b*c",),
    compose=Compose(volume_id="SME 9"),
    uefi=False,
    hybrid=None,
    epoch=1_391_212_800,
)
UEFI = dataclasses.replace(IMAGE, uefi=True)
STICK = Path("/isohdpfx.bin")


@pytest.fixture
def bench(tmp_path: Path, small_release: Release) -> Bench:
    return make_bench(tmp_path, small_release)


def fake(bench: Bench, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a program first in PATH that is called xorriso."""
    folder = bench.root / "bin"
    folder.mkdir()
    program = folder / "xorriso"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


@pytest.mark.parametrize(
    ("image", "there", "absent"),
    [
        pytest.param(IMAGE, "-V|SME 9", "-e", id="volume id"),
        pytest.param(IMAGE, "-b|isolinux/isolinux.bin|-c|isolinux/boot.cat", "-isohybrid-mbr", id="BIOS"),
        pytest.param(IMAGE, "-not_paths|/tree/a/b*c|--|-as|mkisofs", "-eltorito-alt-boot", id="exclude"),
        pytest.param(UEFI, "-eltorito-alt-boot|-e|images/efiboot.img|-no-emul-boot", "-isohybrid-gpt-basdat", id="UEFI"),
        pytest.param(dataclasses.replace(IMAGE, hybrid=STICK), "-isohybrid-mbr|/isohdpfx.bin", "-isohybrid-gpt-basdat", id="stick"),
        pytest.param(dataclasses.replace(UEFI, hybrid=STICK), "/isohdpfx.bin|-isohybrid-gpt-basdat", "-append_partition", id="both"),
    ],
)  # fmt: skip
def test_xorriso_is_asked_for_what_the_tree_has(image: Image, there: str, absent: str) -> None:
    argv = xorriso_argv(image)

    assert there in "|".join(argv)
    assert absent not in argv


def test_isohybrid_is_given_a_number_that_is_not_random() -> None:
    assert isohybrid_argv(IMAGE) == ["isohybrid", "--id", "1391212800", "/out.iso"]
    assert "--uefi" in isohybrid_argv(UEFI)


def test_the_complaint_that_tells_why_is_told() -> None:
    lines = [
        "I:1: xorriso : NOTE : Tolerated problem event",
        "I:1: libisofs: MISHAP : Can't open file: /tree/a. Permission denied",
        "I:1: xorriso : aborting : -abort_on 'FAILURE' encountered 'FAILURE'",
        "I:1: xorriso : FAILURE : aborting the run",
    ]

    error = failure("xorriso", 32, lines)

    assert error.what == (
        "xorriso failed with status 32: Can't open file: /tree/a. Permission denied"
    )


def test_a_full_disk_is_told_as_such() -> None:
    lines = ["I:1: libburn : FATAL : SCSI error: No space left on device", "I:1: x : SORRY : later"]

    error = failure("xorriso", 5, lines)

    assert "No space left" in error.what
    assert "free some room" in error.hint


def test_a_program_that_dies_in_silence_is_told_too() -> None:
    assert failure("isohybrid", 1, []).what == "isohybrid failed with status 1: it said nothing"


def test_progress_is_told_from_what_xorriso_prints(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Heard(Monitor):
        done: list[int] = []  # noqa: RUF012 (one monitor)

        def progress(self, done: int, total: int | None = None, note: str = "") -> None:
            assert total == 1000
            self.done.append(done)

    fake(
        bench,
        monkeypatch,
        r"printf 'I:1: x : UPDATE :  25.5%% don'; printf 'e\nI:1: x : 100%% done\n'",
    )

    xorriso.make(IMAGE, 1000, Heard())

    assert Heard.done == [255, 1000]


def test_a_program_that_fails_leaves_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(
        bench,
        monkeypatch,
        'for each; do case $each in *.partial) echo x > "$each";; esac; done; exit 5',
    )
    bench.image.parent.mkdir(parents=True)
    bench.image.write_bytes(b"the old image")

    with pytest.raises(SurroundingsError, match="xorriso failed with status 5"):
        compose.run(bench.context)

    assert [each.name for each in bench.image.parent.iterdir()] == [bench.image.name]
    assert bench.image.read_bytes() == b"the old image"


def test_bytes_that_are_no_image_get_no_name(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(bench, monkeypatch, 'for each; do case $each in *.partial) echo x > "$each";; esac; done')

    with pytest.raises((WrongBytesError, SurroundingsError)):
        compose.run(bench.context)

    assert list(bench.image.parent.iterdir()) == []


def test_a_missing_xorriso_is_named(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(bench.root))

    with pytest.raises(SurroundingsError, match="xorriso is not installed"):
        compose.run(bench.context)


def test_a_missing_boot_file_is_named(bench: Bench) -> None:
    (bench.tree / "isolinux" / "isolinux.bin").unlink()

    with pytest.raises(WrongBytesError, match=r"isolinux/isolinux\.bin is not in"):
        compose.run(bench.context)


def test_a_time_that_is_none_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "today")

    with pytest.raises(DescriptorError, match="SOURCE_DATE_EPOCH is 'today'"):
        compose.run(bench.context)


def test_an_image_in_its_own_tree_is_refused(bench: Bench) -> None:
    bench.image.parent.parent.mkdir(exist_ok=True)
    bench.image.parent.symlink_to(bench.tree / "images")

    with pytest.raises(DescriptorError, match="in the tree that it is made of"):
        compose.run(bench.context)
