"""The main job from end to end: a real rsync daemon, real pairs, real images."""

from __future__ import annotations

import filecmp
import shutil
from typing import TYPE_CHECKING

import pytest
from builders import (
    Mirror,
    digest,
    jigdo_file_pair,
    make_image,
    make_tree,
    next_release,
    noise,
    run,
    xorriso_image_with_pair,
)
from program import release_builder

from release_builder.demo.daemon import rsync_daemon

if TYPE_CHECKING:
    from pathlib import Path

    from builders import Pair

    from release_builder.demo.release import Release

pytestmark = pytest.mark.interop

_STEPS = ("sync", "rewrite", "assemble", "verify")
_TESTING = "http://mirror.contribs.org/releases/testing/9.0beta3/smeos/x86_64/"
_FINAL = "http://mirror.contribs.org/releases/9/smeos/x86_64/"


def describe(mirror: Mirror, workdir: Path, more: str = "") -> Path:
    descriptor = workdir / "sme9.yaml"
    descriptor.write_text(f"{mirror.descriptor}workdir: .\n{more}")
    return descriptor


def assert_right(release: Release, workdir: Path) -> None:
    """The image is the one that the pair was made from, bit for bit; jigdo-file says so too."""
    image = workdir / "image" / release.image.name
    assert filecmp.cmp(image, release.image, shallow=False)
    run("jigdo-file", "verify", f"--image={image}", f"--template={release.template}")
    assert not list(image.parent.glob("*.partial"))


def test_the_wiki_page_in_one_command(mirror: Mirror, workdir: Path) -> None:
    """9.0beta3 with [Servers] that names the final path, and an image in the way ("code 3")."""
    release = mirror.release
    descriptor = describe(mirror, workdir)
    (workdir / "image").mkdir()
    (workdir / "image" / release.image.name).write_bytes(b"an older image under the same name")
    assert f"SMEmirror={_FINAL}" in release.jigdo.read_text()

    first = release_builder("build", "--json", descriptor, cwd=workdir)
    second = release_builder("build", "--json", descriptor, cwd=workdir)

    assert first.status == 0, first.stderr
    assert first.outcomes() == {
        "sync": "done",
        "rewrite": "done",
        "assemble": "done",
        "verify": "done",
    }
    assert_right(release, workdir)
    aside = workdir / "aside" / release.image.name
    assert aside.read_bytes() == b"an older image under the same name"
    assert str(aside) in first.messages()
    assert f"SMEmirror={_TESTING}\n" in (workdir / "pair" / release.jigdo.name).read_text()
    assert second.status == 0
    assert set(second.outcomes().values()) == {"unchanged"}
    assert set(second.counts("sync").values()) == {0}
    assert second.counts("assemble") == {"bytes_written": 0, "parts_missing": 0}
    assert second.counts("verify")["parts_read"] == 0


def test_the_tree_stays_as_the_mirror_has_it(mirror: Mirror, workdir: Path) -> None:
    release_builder("build", describe(mirror, workdir), cwd=workdir)

    wanted = mirror.release.mirror / mirror.release.path
    ours = workdir / "tree"
    listed = {str(path.relative_to(wanted)) for path in wanted.rglob("*")}
    assert {str(path.relative_to(ours)) for path in ours.rglob("*")} == listed
    files = [name for name in listed if (wanted / name).is_file()]
    assert filecmp.cmpfiles(wanted, ours, files, shallow=False)[1:] == ([], [])


def test_the_next_beta_moves_only_what_changed(mirror: Mirror, workdir: Path) -> None:
    release_builder("build", describe(mirror, workdir), cwd=workdir)
    following = next_release(mirror.release)
    changed = _changed_bytes(mirror.release, following)
    descriptor = describe(Mirror(following, mirror.url), workdir)

    built = release_builder("build", "--json", descriptor, cwd=workdir)
    nights = [release_builder("build", "--json", descriptor, cwd=workdir) for _ in range(3)]

    assert built.status == 0, built.stderr
    assert_right(following, workdir)
    moved = built.counts("sync")["bytes_new"]
    assert 0 < moved <= changed
    assert built.counts("sync")["files_deleted"] > 0
    assert [night.counts("sync")["bytes_new"] for night in nights] == [0, 0, 0]
    assert [set(night.outcomes().values()) for night in nights] == [{"unchanged"}] * 3


def _changed_bytes(old: Release, new: Release) -> int:
    """Bytes of the files of ``new`` that ``old`` has not, or has with other bytes."""
    root_of_old, root_of_new = old.mirror / old.path, new.mirror / new.path
    names = [path.relative_to(root_of_new) for path in root_of_new.rglob("*") if path.is_file()]
    same, *_ = filecmp.cmpfiles(root_of_old, root_of_new, map(str, names), shallow=False)
    return sum((root_of_new / name).stat().st_size for name in names if str(name) not in same)


def test_the_last_image_is_a_source_of_parts(mirror: Mirror, workdir: Path) -> None:
    """What the tree lost is found in the image of the beta before."""
    descriptor = describe(mirror, workdir)
    release_builder("build", descriptor, cwd=workdir)
    following = next_release(mirror.release)
    descriptor = describe(Mirror(following, mirror.url), workdir)
    release_builder("sync", descriptor, cwd=workdir)
    kept = sorted((mirror.release.tree / "Packages").iterdir())[-1].name
    (workdir / "tree" / "smeos/x86_64/Packages" / kept).unlink()

    built = release_builder("build", "--offline", "--json", descriptor, cwd=workdir)

    assert built.status == 0, built.stderr
    assert_right(following, workdir)


@pytest.mark.parametrize("form", ["{}", "file://{}", "{}/"])
def test_a_local_folder_is_a_mirror_too(mirror: Mirror, workdir: Path, form: str) -> None:
    folder = mirror.release.mirror / mirror.release.path
    source = form.format(str(folder).rstrip("/"))

    built = release_builder("build", describe(mirror, workdir), "--mirror", source, cwd=workdir)

    assert built.status == 0, built.stderr
    assert_right(mirror.release, workdir)


@pytest.mark.parametrize("maker", ["jigdo-file", "xorriso"])
@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
@pytest.mark.parametrize("compression", ["gzip", "bzip2"])
def test_pairs_of_every_writer_become_their_images(
    tmp_path: Path, workdir: Path, maker: str, algorithm: str, compression: str
) -> None:
    release, pair = _lay_out(tmp_path, maker, algorithm, compression)
    descriptor = workdir / "any.yaml"
    with rsync_daemon(release) as url:
        descriptor.write_text(f"version: 1.0\narch: x86_64\nmirror: {url}\nworkdir: .\n")

        built = release_builder("build", "--json", descriptor, cwd=workdir)

    image = workdir / "image" / "smeserver-1.0-x86_64.iso"
    assert built.status == 0, built.stdout
    assert filecmp.cmp(image, pair.image, shallow=False)
    run("jigdo-file", "verify", f"--image={image}", f"--template={pair.template}")
    assert digest(image, algorithm).hex in built.stdout


def _lay_out(folder: Path, maker: str, algorithm: str, compression: str) -> tuple[Path, Pair]:
    """A mirror with a release of odd names, links and an empty file, and its pair."""
    release = folder / "served"
    tree = make_tree(release / "smeos" / "x86_64")
    (tree / "empty").touch()
    (tree / b"no \xff utf-8.rpm".decode("utf-8", "surrogateescape")).write_bytes(noise(2500))
    (tree / "link.rpm").symlink_to("Packages/large-1.0-1.x86_64.rpm")
    (tree / "hard.rpm").hardlink_to(tree / "Packages/middle-1.0-1.noarch.rpm")
    out = release / "iso" / "x86_64"
    if maker == "jigdo-file":
        image = make_image(tree, folder / "smeserver-1.0-x86_64.iso")
        made = jigdo_file_pair(
            image, tree, out, algorithm=algorithm, compression=compression, label="SMEmirror"
        )
    else:
        made = xorriso_image_with_pair(
            tree, out, algorithm=algorithm, compression=compression, label="SMEmirror"
        )
        (out / "checksum-list").unlink()
        image = folder / "made.iso"
        shutil.move(made.image, image)
        made = type(made)(image, made.jigdo, made.template)
    return release, made
