"""What a sync asks the mirror for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from release_builder.loader import load
from release_builder.monitor import Monitor
from release_builder.plan.pulls import (
    packages_pull,
    repairing_pull,
    speaks_of_others,
    whole_pull,
)
from release_builder.transport.rsync import RsyncMirror

if TYPE_CHECKING:
    from pathlib import Path

    from release_builder.transport import Pull


def whole(workdir: Path, more: str = "") -> Pull:
    descriptor = workdir / "sme9.yaml"
    mirror = workdir / "mirror"
    descriptor.write_text(f"version: 9.0beta3\narch: x86_64\nmirror: {mirror}\n{more}")
    return whole_pull(load(descriptor).releases()[0], workdir / "tree")


def bring(workdir: Path, pull: Pull) -> set[str]:
    """What really comes from ``workdir/mirror``, by the real rsync."""
    transfer = RsyncMirror(f"{workdir}/mirror/").pull(pull, Monitor())
    return {moved.path for moved in transfer.fetched}


def write(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def test_a_whole_pull_does_as_the_descriptor_says(workdir: Path) -> None:
    pull = whole(
        workdir,
        "sync: {delete: false, max_delete: 7, bwlimit: 500k, timeout: 9, exclude: ['*.src.rpm'],"
        " include: [notes/], partial: false, delay_updates: false}\n",
    )

    assert pull.into == workdir / "tree"
    assert pull.wanted == ("iso/x86_64/", "smeos/x86_64/", "notes/")
    assert pull.excluded == ("*.src.rpm",)
    assert (pull.delete, pull.max_delete, pull.partial, pull.delay_updates) == (
        False,
        7,
        False,
        False,
    )
    assert (pull.bwlimit, pull.timeout) == ("500k", 9)


def test_without_options_it_deletes_and_knows_no_limit(workdir: Path) -> None:
    pull = whole(workdir)

    assert (pull.delete, pull.max_delete, pull.bwlimit, pull.timeout) == (True, 1000, "", 300)


@pytest.mark.interop
def test_images_stay_where_they_are_but_boot_iso_is_a_part(workdir: Path) -> None:
    write(
        workdir / "mirror",
        "iso/x86_64/a.iso",
        "iso/x86_64/a.jigdo",
        "smeos/x86_64/c.iso",
        "smeos/x86_64/images/boot.iso",
        "smeos/i386/other.rpm",
        "contribs/x.rpm",
    )

    brought = bring(workdir, whole(workdir))

    assert brought == {"iso/x86_64/a.jigdo", "smeos/x86_64/images/boot.iso"}


@pytest.mark.interop
def test_the_first_pass_brings_packages_and_deletes_nothing(workdir: Path) -> None:
    pair = ["iso/x86_64/a.jigdo", "iso/x86_64/a.template", "iso/x86_64/md5sum.txt"]
    write(workdir / "mirror", *pair, "smeos/x86_64/new.rpm", "smeos/x86_64/summary.txt")
    write(workdir / "tree", "smeos/x86_64/old.rpm")

    brought = bring(workdir, packages_pull(whole(workdir)))

    assert brought == {"smeos/x86_64/new.rpm", "smeos/x86_64/summary.txt"}
    assert (workdir / "tree/smeos/x86_64/old.rpm").exists()


@pytest.mark.parametrize(
    ("path", "speaks"),
    [
        pytest.param("iso/x86_64/a.jigdo", True, id="jigdo"),
        pytest.param("iso/x86_64/a.template", True, id="template"),
        pytest.param("iso/x86_64/a.iso.md5", True, id="sum of one"),
        pytest.param("iso/x86_64/md5sum.txt", True, id="md5sum.txt"),
        pytest.param("iso/x86_64/SHA256SUMS", True, id="SHA256SUMS"),
        pytest.param("iso/x86_64/CHECKSUM", True, id="CHECKSUM"),
        pytest.param("iso/x86_64/sha256sum.txt.asc", True, id="signature"),
        pytest.param("smeos/a.jigdo/b.rpm", False, id="only the folder is called so"),
        pytest.param("smeos/x86_64/b.rpm", False, id="package"),
    ],
)
def test_pairs_and_sums_files_speak_of_others(path: str, *, speaks: bool) -> None:
    assert speaks_of_others(path) is speaks


@pytest.mark.interop
def test_a_repair_brings_just_what_it_names_however_it_is_called(workdir: Path) -> None:
    """Same size, same time, other bytes: only a look at the content shows it."""
    odd = ["a[1].rpm", "b*.rpm", "c?.rpm", "back\\slash.rpm", "d [x]\\y.rpm", "plain.rpm"]
    names = [f"smeos/x86_64/{name}" for name in odd]
    alike = [f"smeos/x86_64/{name}" for name in ("a1.rpm", "b2.rpm", "c3.rpm")]
    write(workdir / "mirror", *names, *alike, "gone/x.rpm")
    write(workdir / "tree", *alike, "smeos/x86_64/mine.rpm")
    pull = whole(workdir, "sync: {delay_updates: false}\n")
    bring(workdir, pull)
    for name in (*names, *alike):
        ours = workdir / "tree" / name
        ours.write_text(name[::-1])
        theirs = workdir / "mirror" / name
        theirs.touch()
        ours.touch()

    bring(workdir, repairing_pull(pull, names))

    contents = {name: (workdir / "tree" / name).read_text() for name in (*names, *alike)}
    assert contents == {name: name for name in names} | {name: name[::-1] for name in alike}
