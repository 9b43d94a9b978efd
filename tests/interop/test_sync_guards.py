"""A mirror that contradicts its own .jigdo takes nothing from us, and is asked again later."""

from __future__ import annotations

import filecmp
import os
from typing import TYPE_CHECKING

import pytest
from program import Ended, release_builder

if TYPE_CHECKING:
    from pathlib import Path

    from builders import Mirror

pytestmark = pytest.mark.interop


@pytest.fixture
def descriptor(mirror: Mirror, workdir: Path) -> Path:
    path = workdir / "sme9.yaml"
    path.write_text(f"{mirror.descriptor}workdir: .\n")
    assert release_builder("build", path, cwd=workdir).status == 0
    return path


def refresh(descriptor: Path) -> Ended:
    return release_builder("refresh", "--no-splay", descriptor, cwd=descriptor.parent)


def is_silent(ended: Ended) -> bool:
    return not ended.stdout and not ended.stderr


def lose_a_package(mirror: Mirror) -> str:
    """Remove one from the mirror; its name."""
    package = min((mirror.release.tree / "Packages").iterdir())
    package.unlink()
    return package.name


def has(workdir: Path, package: str) -> bool:
    return (workdir / "tree/smeos/x86_64/Packages" / package).is_file()


def is_right(mirror: Mirror, workdir: Path) -> bool:
    image = workdir / "image" / mirror.release.image.name
    return filecmp.cmp(image, mirror.release.image, shallow=False)


def with_another_template(jigdo: Path) -> None:
    """The .jigdo as it is once the new one came, and its template did not."""
    lines = jigdo.read_text().splitlines(keepends=True)
    old = next(line for line in lines if line.startswith("Template-MD5Sum="))
    digest = old.partition("=")[2].strip()
    other = ("A" if digest[0] != "A" else "B") + digest[1:]
    jigdo.write_text("".join(lines).replace(digest, other))


@pytest.mark.parametrize("by_rsync", [True, False], ids=["rsync", "folder"])
def test_a_part_that_the_mirror_lost_stays_here_in_silence(
    mirror: Mirror, descriptor: Path, workdir: Path, *, by_rsync: bool
) -> None:
    if not by_rsync:
        folder = str(mirror.release.mirror / mirror.release.path)
        descriptor.write_text(descriptor.read_text().replace(mirror.release_url, folder))
    package = lose_a_package(mirror)

    nights = [refresh(descriptor) for _ in range(2)]

    assert [night.status for night in nights] == [1, 1], nights[0].stderr
    assert all(map(is_silent, nights)), nights[0].stderr
    assert has(workdir, package)


@pytest.mark.parametrize("command", ["build", "plan"])
def test_a_part_that_the_mirror_lost_is_named(
    mirror: Mirror, descriptor: Path, workdir: Path, command: str
) -> None:
    package = lose_a_package(mirror)

    ended = release_builder(command, descriptor, cwd=workdir)

    assert ended.status == 1
    assert "lost 1 of the files that its iso/x86_64/smeserver-9.0beta3-x86_64.jigdo" in ended.stderr
    assert f"such as smeos/x86_64/Packages/{package}; nothing was touched" in ended.stderr
    assert "`delete: false`" in ended.stderr


def test_what_a_new_jigdo_names_stays_too(mirror: Mirror, descriptor: Path, workdir: Path) -> None:
    package = lose_a_package(mirror)
    with mirror.release.jigdo.open("a") as jigdo:
        jigdo.write("# another\n")

    ended = refresh(descriptor)

    assert ended.status == 1
    assert has(workdir, package)


def test_what_a_new_jigdo_no_longer_names_goes(
    mirror: Mirror, descriptor: Path, workdir: Path
) -> None:
    package = lose_a_package(mirror)
    jigdo = mirror.release.jigdo
    lines = jigdo.read_text().splitlines(keepends=True)
    jigdo.write_text("".join(line for line in lines if package not in line))

    ended = refresh(descriptor)

    assert ended.status == 0, ended.stderr
    assert not has(workdir, package)


def test_what_no_jigdo_names_goes(mirror: Mirror, descriptor: Path, workdir: Path) -> None:
    extra = mirror.release.tree / "Packages" / "README"
    extra.write_text("not in the image")
    refresh(descriptor)
    extra.unlink()
    was_here = has(workdir, "README")

    ended = refresh(descriptor)

    assert was_here
    assert ended.status == 0, ended.stderr
    assert not has(workdir, "README")


def test_a_mirror_that_cannot_read_its_jigdo_is_judged_by_the_share_of_what_goes(
    mirror: Mirror, descriptor: Path, workdir: Path
) -> None:
    package = lose_a_package(mirror)
    mirror.release.jigdo.write_text("half of a .jigdo")

    ended = release_builder("build", descriptor, cwd=workdir)

    assert ended.status == 2
    assert "no [Image] section" in ended.stderr
    assert not has(workdir, package)


def test_what_a_mirror_lost_for_good_is_kept_by_not_deleting(
    mirror: Mirror, descriptor: Path, workdir: Path
) -> None:
    package = lose_a_package(mirror)
    with descriptor.open("a") as text:
        text.write("sync: {delete: false}\n")

    ended = refresh(descriptor)

    assert ended.status == 0, ended.stderr
    assert has(workdir, package)


def test_a_new_jigdo_beside_the_old_template_is_waited_for_in_silence(
    mirror: Mirror, descriptor: Path, workdir: Path
) -> None:
    before = mirror.release.jigdo.read_bytes()
    with_another_template(mirror.release.jigdo)

    nights = [refresh(descriptor) for _ in range(2)]
    told = release_builder("build", descriptor, cwd=workdir)
    right_meanwhile = is_right(mirror, workdir)
    mirror.release.jigdo.write_bytes(before)
    after = refresh(descriptor)

    assert [night.status for night in nights] == [1, 1], nights[0].stderr
    assert all(map(is_silent, nights)), nights[0].stderr
    assert told.status == 1
    assert "is not the template that smeserver-9.0beta3-x86_64.jigdo means" in told.stderr
    assert "half-way through an update" in told.stderr
    assert right_meanwhile
    assert after.status == 0, after.stderr


@pytest.mark.parametrize("suffix", ["template", "jigdo"])
def test_a_pair_that_is_damaged_here_alone_is_fetched_again(
    mirror: Mirror, descriptor: Path, workdir: Path, suffix: str
) -> None:
    """Size and time are as on the mirror: a failing disk."""
    ours = workdir / "tree/iso/x86_64" / getattr(mirror.release, suffix).name
    status = ours.stat()
    if suffix == "jigdo":
        with_another_template(ours)
    else:
        ours.write_bytes(ours.read_bytes()[:-1] + b"\xff")
    os.utime(ours, ns=(status.st_atime_ns, status.st_mtime_ns))

    built = release_builder("build", "--json", descriptor, cwd=workdir)

    assert built.status == 0, built.messages()
    assert "fetched 1 of 2 anew" in built.messages()
    assert is_right(mirror, workdir)


def test_a_pair_that_does_not_fit_is_wrong_where_nobody_is_asked(
    mirror: Mirror, descriptor: Path, workdir: Path
) -> None:
    with_another_template(workdir / "tree/iso/x86_64" / mirror.release.jigdo.name)

    built = release_builder("build", "--offline", descriptor, cwd=workdir)

    assert built.status == 2
    assert "is not the template that" in built.stderr
