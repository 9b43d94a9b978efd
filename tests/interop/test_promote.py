"""``promote``: a public beta becomes the final, in one verified step."""

from __future__ import annotations

import filecmp
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from publishing import Publisher, jigdo_lite, publisher

if TYPE_CHECKING:
    from collections.abc import Iterator

    from program import Ended

    from release_builder.demo.release import Release

pytestmark = pytest.mark.interop

BETA, FINAL = "testing/9.0beta3", "9.0"


@pytest.fixture
def manager(workdir: Path) -> Iterator[Publisher]:
    with publisher(workdir) as made:
        yield made


@pytest.fixture
def descriptor(manager: Publisher, small_release: Release) -> Path:
    """Of a beta that is public; its tree is the stage's folder called as the public one is."""
    path = manager.prepare(small_release)
    stage = manager.folder / BETA
    stage.parent.mkdir()
    (manager.folder / "stage-9.0beta3").rename(stage)
    path.write_text(path.read_text().replace("mirror: stage-9.0beta3", f"mirror: {BETA}"))
    assert manager("publish", path).status == 0
    return path


def promote(manager: Publisher, descriptor: Path, *options: str) -> Ended:
    return manager("promote", descriptor, "--to", "9.0", *options)


def test_strangers_rebuild_the_final_as_they_did_the_beta(
    manager: Publisher, descriptor: Path, small_release: Release, workdir: Path
) -> None:
    ended = promote(manager, descriptor, "--same-image")

    name = "iso/x86_64/smeserver-9.0-x86_64"
    url = f"{manager.web.url}{FINAL}/{name}.jigdo"
    jigdo = (manager.root / FINAL / f"{name}.jigdo").read_text()
    fetched = manager("jigdo", "fetch", "--noask", "-o", workdir / "ours", url)
    assert ended.status == 0, ended.stderr
    assert fetched.status == 0, fetched.stderr
    theirs = jigdo_lite(url, workdir / "theirs")
    for image in (theirs, workdir / "ours" / "smeserver-9.0-x86_64.iso"):
        assert filecmp.cmp(image, small_release.image, shallow=False)
    assert theirs.name == "smeserver-9.0-x86_64.iso"
    assert f"SMEmirror={manager.web.url}9/smeos/x86_64/\n" in jigdo
    assert "testing" not in jigdo
    assert (manager.root / "9").readlink() == Path("9.0")
    beta = f"{manager.web.url}{BETA}/iso/x86_64/smeserver-9.0beta3-x86_64.jigdo"
    assert jigdo_lite(beta, workdir / "beta").name == "smeserver-9.0beta3-x86_64.iso"


def test_the_final_has_a_descriptor_of_its_own(manager: Publisher, descriptor: Path) -> None:
    descriptor.write_text("# the release for schools\n" + descriptor.read_text())

    promote(manager, descriptor, "--same-image")

    final = manager.folder / "sme-9.0.yaml"
    text = final.read_text()
    assert text.startswith("# the release for schools\nversion: 9.0\narch: x86_64\nmirror: 9.0\n")
    assert manager("validate", final).status == 0
    listed = json.loads((manager.root / "index.json").read_text())["releases"]
    assert [(each["version"], each["stage"]) for each in listed] == [
        ("9.0", "final"),
        ("9.0beta3", "beta"),
    ]


@pytest.mark.parametrize(
    ("mirror", "exists", "warning"),
    [
        pytest.param(BETA, False, "9.0/ is not there yet", id="moved"),
        pytest.param(BETA, True, "", id="moved and there"),
        pytest.param("tree", True, "tree/ is still the beta's tree", id="not moved"),
    ],
)
def test_a_mirror_that_the_final_cannot_be_built_from_is_told(
    manager: Publisher, descriptor: Path, mirror: str, exists: bool, warning: str
) -> None:
    (manager.folder / "tree").symlink_to(BETA)
    descriptor.write_text(descriptor.read_text().replace(f"mirror: {BETA}", f"mirror: {mirror}"))
    if exists:
        (manager.folder / FINAL).mkdir()

    ended = promote(manager, descriptor, "--same-image")

    assert ended.status == 0, ended.stderr
    assert warning in ended.stderr
    assert ("sme-9.0.yaml: `mirror:`" in ended.stderr) is bool(warning)


def test_an_image_that_calls_itself_a_beta_is_not_promoted_unasked(
    manager: Publisher, descriptor: Path
) -> None:
    ended = promote(manager, descriptor)

    assert ended.status == 2
    assert ".treeinfo" in ended.stderr
    assert "--same-image" in ended.stderr
    assert not (manager.root / FINAL).exists()
    assert not (manager.folder / "sme-9.0.yaml").exists()


def test_a_dry_run_tells_all_and_changes_nothing(manager: Publisher, descriptor: Path) -> None:
    before = sorted(str(path) for path in manager.root.rglob("*"))

    ended = promote(manager, descriptor, "--same-image", "--dry-run", "--obsolete")

    assert ended.status == 0
    for words in (
        "smeserver-9.0beta3-x86_64.iso → smeserver-9.0-x86_64.iso",
        f"{manager.web.url}testing/9.0beta3/smeos/x86_64/ → {manager.web.url}9/smeos/x86_64/",
        "9 would lead to 9.0",
        "testing/9.0beta3 would move to obsolete/9.0beta3",
    ):
        assert words in ended.stdout
    assert sorted(str(path) for path in manager.root.rglob("*")) == before
    assert not (manager.folder / "sme-9.0.yaml").exists()


def test_the_beta_may_move_to_the_obsolete_ones(manager: Publisher, descriptor: Path) -> None:
    ended = promote(manager, descriptor, "--same-image", "--obsolete")

    assert ended.status == 0, ended.stderr
    assert (manager.root / BETA).readlink() == Path("../obsolete/9.0beta3")
    assert not (manager.root / "testing" / "9").is_symlink()
    moved = manager.root / "obsolete" / "9.0beta3" / "iso" / "x86_64"
    assert (moved / "smeserver-9.0beta3-x86_64.iso").is_file()
    assert (manager.root / FINAL / "iso" / "x86_64" / "smeserver-9.0-x86_64.iso").is_file()


def test_the_final_may_be_composed_anew(manager: Publisher, descriptor: Path) -> None:
    new = manager.folder / "new" / "smeos" / "x86_64"
    shutil.copytree(manager.folder / BETA / "smeos" / "x86_64", new)
    for path in (new / ".treeinfo", new / ".discinfo", new / "isolinux" / "isolinux.cfg"):
        path.write_text(path.read_text().replace("9.0beta3", "9.0"))

    ended = promote(manager, descriptor, "--compose", "--mirror", "new")

    assert ended.status == 0, ended.stderr
    assert (manager.root / FINAL / "iso" / "x86_64" / "smeserver-9.0-x86_64.iso").is_file()
    assert "mirror: new\n" in (manager.folder / "sme-9.0.yaml").read_text()


@pytest.mark.parametrize(
    ("to", "words"),
    [
        pytest.param("9.1", "did you mean --to 9.0?", id="another version"),
        pytest.param("9.0rc1", "is no final", id="another beta"),
        pytest.param("nine", "is not a version", id="none"),
    ],
)
def test_a_version_that_the_beta_cannot_become_is_refused(
    manager: Publisher, descriptor: Path, to: str, words: str
) -> None:
    ended = manager("promote", descriptor, "--to", to)

    assert ended.status == 2
    assert words in ended.stderr


def test_a_beta_that_is_not_public_is_not_promoted(
    manager: Publisher, small_release: Release
) -> None:
    ended = promote(manager, manager.prepare(small_release), "--same-image")

    assert ended.status == 1
    assert "release-builder publish" in ended.stderr


def test_a_beta_whose_image_was_damaged_is_not_promoted(
    manager: Publisher, descriptor: Path
) -> None:
    image = manager.root / BETA / "iso" / "x86_64" / "smeserver-9.0beta3-x86_64.iso"
    content = bytearray(image.read_bytes())
    content[50_000] ^= 1
    image.unlink()
    image.write_bytes(content)

    ended = promote(manager, descriptor, "--same-image")

    assert ended.status == 2
    assert "smeserver-9.0beta3-x86_64.iso" in ended.stderr
    assert not (manager.root / FINAL).exists()


def test_another_final_descriptor_is_not_replaced(manager: Publisher, descriptor: Path) -> None:
    (manager.folder / "sme-9.0.yaml").write_text("something else\n")

    ended = promote(manager, descriptor, "--same-image")

    assert ended.status == 2
    assert "is there already" in ended.stderr
    assert not (manager.root / FINAL).exists()


def test_going_back_takes_the_final_away_again(manager: Publisher, descriptor: Path) -> None:
    promote(manager, descriptor, "--same-image")
    final = manager.folder / "sme-9.0.yaml"

    ended = manager("publish", "--rollback", final)

    listed = json.loads((manager.root / "index.json").read_text())["releases"]
    assert ended.status == 0, ended.stderr
    assert not (manager.root / FINAL).exists()
    assert not (manager.root / "9").is_symlink()
    assert [each["version"] for each in listed] == ["9.0beta3"]
    assert (manager.root / BETA / "index.html").is_file()


def test_a_final_that_went_back_leaves_its_link_to_the_one_before(
    manager: Publisher, descriptor: Path, small_release: Release
) -> None:
    promote(manager, descriptor, "--same-image")
    later = manager.prepare(small_release, "9.1")
    overtaken = manager("publish", later)
    before = (manager.root / "9").readlink()

    ended = manager("publish", "--rollback", later)

    assert before == Path("9.1")
    assert "no longer to 9.0" in overtaken.stderr
    assert ended.status == 0, ended.stderr
    assert (manager.root / "9").readlink() == Path("9.0")


def test_an_older_release_does_not_take_the_link(
    manager: Publisher, descriptor: Path, small_release: Release
) -> None:
    ended = manager("publish", manager.prepare(small_release, "9.0beta2"))

    assert ended.status == 0
    assert "9.0beta3 is newer" in ended.stderr
    assert (manager.root / "testing" / "9").readlink() == Path("9.0beta3")


def test_a_server_that_the_descriptor_forgot_is_not_promoted(
    manager: Publisher, small_release: Release
) -> None:
    more = "  mirrors: http://127.0.0.1:9/copy/\n"
    descriptor = manager.prepare(small_release, more=more + "  preflight: off\n")
    manager("publish", descriptor)
    descriptor.write_text(descriptor.read_text().replace(more, ""))

    ended = promote(manager, descriptor, "--same-image")

    jigdo = manager.root / FINAL / "iso" / "x86_64" / "smeserver-9.0-x86_64.jigdo"
    assert ended.status == 0, ended.stderr
    assert "testing" not in jigdo.read_text()


def test_an_older_final_that_a_stranger_could_not_rebuild_is_not_published(
    manager: Publisher, descriptor: Path, small_release: Release
) -> None:
    later = manager.prepare(small_release, "9.1")
    next((manager.folder / "stage-9.1").rglob("Packages/*.rpm")).unlink()
    manager("pair", later)
    assert manager("publish", later).status == 0

    ended = promote(manager, descriptor, "--same-image")

    assert ended.status == 2  # its .jigdo names /9/, which leads to 9.1
    assert not (manager.root / FINAL).exists()
