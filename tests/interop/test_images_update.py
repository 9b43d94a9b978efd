"""``images update`` and what clients find then: with the real rdiff and unsquashfs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from gpg_home import GpgHome
from image_builder import CONF, NAMES, content, make_image, make_images
from image_repository import BASE_URL, SERIES, make_repository

if TYPE_CHECKING:
    from pathlib import Path

    from image_repository import Repository

pytestmark = pytest.mark.interop

OTHER = "puavo-os-free-bullseye-2022-02-04-140532-amd64.img"
PUAVO = (
    "import sys; from release_builder.cli.puavo import main; sys.argv[0] = 'puavo-img-repo'; main()"
)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Four images of one series, no repository yet."""
    return make_repository(tmp_path / "here")


def rdiffs_of(repository: Repository) -> dict[str, int]:
    """The inode of each rdiff that is served."""
    return {path.name: path.stat().st_ino for path in (repository.mirror / "rdiffs").iterdir()}


def flip(path: Path) -> None:
    """Other bytes in the same file, with its old time."""
    status, content = path.stat(), bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def pretend_nothing_changed(repository: Repository, path: Path) -> None:
    """What a rotten disk does: the journal's stamps of the file are those that it has."""
    journal, status = repository.mirror / ".release-builder/journal", path.stat()
    lines = [json.loads(line) for line in journal.read_bytes().split()]
    (*_, last) = (each for each in lines if each["mark"]["inode"] == status.st_ino)
    last["mark"]["ctime_ns"] = status.st_ctime_ns
    journal.write_text("".join(f"{json.dumps(each, separators=(',', ':'))}\n" for each in lines))


def test_a_folder_of_images_becomes_a_repository(repository: Repository) -> None:
    ended = repository.update()

    assert ended.status == 0
    assert [image["filename"] for image in repository.meta()] == list(NAMES)
    assert [len(image["diffs"]) for image in repository.meta()] == [0, 3, 3, 3]
    assert repository.meta()[0]["puavo-conf"] == CONF
    assert repository.meta()[0]["urls"] == [f"{BASE_URL}/{NAMES[0]}"]
    assert (repository.mirror / NAMES[0]).samefile(repository.images / NAMES[0])
    assert repository.verify().status == 0


def test_a_second_run_has_nothing_to_do(repository: Repository) -> None:
    repository.update()
    before = {path: path.stat() for path in repository.mirror.rglob("*") if path.is_file()}

    ended = repository.update()

    assert set(ended.outcomes().values()) == {"unchanged"}
    changed = {
        path.name for path, stat in before.items() if path.stat().st_mtime_ns != stat.st_mtime_ns
    }
    assert changed <= {"lock", "published"}  # and not the journal, which tells what was read


@pytest.mark.parametrize("options", [(), ("--generations",)])
def test_after_a_new_image_nothing_is_read_again(
    repository: Repository, options: tuple[str, ...]
) -> None:
    (repository.images / NAMES[3]).rename(repository.folder / NAMES[3])
    repository.update(*options)
    (repository.folder / NAMES[3]).rename(repository.images / NAMES[3])

    new, again = repository.update(*options), repository.update(*options)

    assert new.counts("images")["images_read"] == 1
    assert new.counts("rdiffs")["rdiffs_new"] == len(rdiffs_of(repository)) - 6
    assert set(again.outcomes().values()) == {"unchanged"}
    assert again.counts("images")["images_read"] == 0


@pytest.mark.parametrize("at", [NAMES[3], "rdiffs"])
def test_what_verify_finds_rotten_is_made_anew(repository: Repository, at: str) -> None:
    repository.update()
    whole = (repository.images / NAMES[3]).read_bytes()
    path = repository.mirror / at
    path = path if path.is_file() else next(path.iterdir())
    flip(path)
    found = repository.verify()
    if at != "rdiffs":
        (repository.images / NAMES[3]).unlink()
        (repository.images / NAMES[3]).write_bytes(whole)

    ended = repository.update()

    assert "images update --full" in found.stdout
    assert (found.status, ended.status) == (2, 0)
    assert repository.verify().status == 0


def test_a_full_update_proves_what_no_stamp_tells(repository: Repository) -> None:
    repository.update()
    rdiff = next((repository.mirror / "rdiffs").iterdir())
    flip(rdiff)
    pretend_nothing_changed(repository, rdiff)

    plain, full = repository.update(), repository.update("--full")

    assert plain.outcomes()["rdiffs"] == "unchanged"
    assert full.counts("images")["images_read"] == len(NAMES)
    assert repository.verify().status == 0


def test_cksums_and_meta_tell_of_all_distributions(repository: Repository) -> None:
    make_images(repository.images, OTHER)
    repository.update()
    make_images(repository.images, OTHER.replace("2022", "2023"))

    repository.update()

    assert {*NAMES, OTHER, OTHER.replace("2022", "2023")} <= repository.named()
    assert len(repository.meta("puavo-os-free-bullseye-amd64")) == 2
    assert repository.verify().status == 0


def test_an_image_that_is_dropped_leaves_meta_and_cksums_at_once(repository: Repository) -> None:
    repository.update()
    (repository.images / NAMES[3]).unlink()

    repository.update()

    assert [image["filename"] for image in repository.meta()] == list(NAMES[:3])
    assert not {name for name in repository.named() if "173248" in name}
    assert "173248" in "".join(rdiffs_of(repository))
    assert repository.verify().status == 0


def test_what_is_of_no_use_goes_after_its_time(repository: Repository) -> None:
    repository.update()
    (repository.images / NAMES[3]).unlink()
    repository.update()

    early, late = repository.clean("--grace", "1h"), repository.clean("--grace", "0")

    assert early.counts("clean")["files_removed"] == 0
    assert late.counts("clean")["files_removed"] == 6
    assert not {path.name for path in repository.mirror.rglob("*") if "173248" in path.name}
    assert repository.verify().messages() == ""


def test_an_image_replaced_under_its_name_is_noticed(repository: Repository) -> None:
    repository.update()
    before = repository.meta()[1]
    make_image(repository.images / NAMES[1], content("replaced"))

    ended = repository.update()

    assert ended.status == 0
    assert repository.meta()[1]["sha512"] != before["sha512"]
    assert repository.verify().status == 0


def test_a_source_that_is_missing_is_named_and_the_rest_is_done(
    repository: Repository, tmp_path: Path
) -> None:
    folder = tmp_path / "puavo-os/config/images"
    folder.mkdir(parents=True)
    told = (
        f'{{"{SERIES}": {{"images": ["{NAMES[2]}", "{NAMES[3]}"],'
        f' "extra_rdiffs": {{"{NAMES[3]}": ["{NAMES[0]}", "{NAMES[1]}"]}}}}}}'
    )
    (folder / "buster.json").write_text(told)
    (repository.images / NAMES[0]).unlink()

    ended = repository.update("-n", "-p", tmp_path / "puavo-os")

    assert ended.status == 1
    assert f"{NAMES[0]} is not in" in ended.messages()
    assert [len(image["diffs"]) for image in repository.meta()] == [1, 2]
    assert (folder / "buster.json").read_text() == told


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda image: image.write_bytes(b"no squashfs" * 1000), id="no squashfs"),
        pytest.param(lambda image: image.write_bytes(image.read_bytes()[:-9000]), id="cut off"),
        pytest.param(lambda image: image.write_bytes(b""), id="empty"),
    ],
)
def test_a_wrong_image_is_named_and_left_out(repository: Repository, spoil: object) -> None:
    assert callable(spoil)
    spoil(repository.images / NAMES[2])

    ended = repository.update()

    assert ended.status == 2
    assert NAMES[2] in ended.messages()
    assert NAMES[2] not in repository.named()
    assert len(repository.meta()) == 3
    assert repository.verify().status == 0


def test_a_mirror_of_puavos_generator_is_taken_over(repository: Repository) -> None:
    repository.update()
    shutil.rmtree(repository.mirror / ".release-builder")
    rotten = next((repository.mirror / "rdiffs").iterdir())
    rotten.write_bytes(rotten.read_bytes()[:-5] + b"12345")
    before = rdiffs_of(repository)

    ended = repository.update()

    assert ended.counts("rdiffs")["rdiffs_adopted"] == 8
    after = rdiffs_of(repository)
    assert {name for name in before if before[name] != after[name]} == {rotten.name}
    assert repository.verify().status == 0


def test_with_generations_the_mirror_becomes_a_link(repository: Repository) -> None:
    repository.update()
    plain = repository.served()

    ended = repository.update("--generations")

    assert ended.status == 0
    assert repository.mirror.is_symlink()
    assert repository.served() == plain
    assert repository.verify().status == 0


def test_the_policy_chooses_rdiffs(repository: Repository) -> None:
    repository.update("--targets", "2", "--sources", "1", "--no-downgrades")

    assert [len(image["diffs"]) for image in repository.meta()] == [0, 0, 1, 1]


def test_rdiffs_above_a_share_of_the_image_are_left_out(repository: Repository) -> None:
    repository.update("--largest-share", "1")

    assert [len(image["diffs"]) for image in repository.meta()] == [0, 0, 0, 0]


def test_like_2024_blocks_have_128_bytes(repository: Repository, tmp_path: Path) -> None:
    signature, delta = tmp_path / "signature", tmp_path / "delta"
    old, new = (str(repository.images / name) for name in NAMES[2:])
    for argv in (
        ["-b", "128", "signature", old, str(signature)],
        ["delta", str(signature), new, str(delta)],
    ):
        subprocess.run(["rdiff", *argv], check=True)

    repository.update("--compat", "2024")

    name = repository.meta()[3]["diffs"][2]["filename"]
    assert (repository.mirror / "rdiffs" / name).read_bytes() == delta.read_bytes()


def test_meta_and_cksums_are_signed(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    with GpgHome() as home:
        key = home.make_key("Images <images@example.test>")
        monkeypatch.setenv("GNUPGHOME", str(home.path))
        repository.update("--sign", key)
        (repository.images / NAMES[3]).unlink()
        ended, again = repository.update("--sign", key), repository.update("--sign", key)

        assert (ended.counts("sign"), again.counts("sign")) == (
            {"signatures_new": 2},
            {"signatures_new": 0},
        )
        for name in ("CKSUMS", f"meta/{SERIES}.json"):
            home.gpg("--verify", repository.mirror / f"{name}.asc", repository.mirror / name)


def test_a_signature_of_what_has_changed_does_not_stay(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    with GpgHome() as home:
        key = home.make_key("Images <images@example.test>")
        monkeypatch.setenv("GNUPGHOME", str(home.path))
        repository.update("--sign", key)
    (repository.images / NAMES[3]).unlink()

    repository.update()

    assert not list(repository.mirror.rglob("*.asc"))


def test_the_look_alike_writes_what_puavo_os_reads(repository: Repository, tmp_path: Path) -> None:
    tree = tmp_path / "puavo-os"
    tree.mkdir()
    argv = [sys.executable, "-c", PUAVO, "-p", str(tree), "-r", BASE_URL]

    ended = subprocess.run(
        [*argv, str(repository.images), str(repository.mirror)], capture_output=True, check=False
    )

    assert ended.returncode == 0, ended.stderr
    assert NAMES[3] in (tree / "config/images/buster.json").read_text()
    assert f"{repository.mirror}\n" in (tree / "defaults.mk").read_text()
    assert repository.verify().status == 0


def test_the_look_alike_has_the_documented_repository(repository: Repository) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PUAVO, str(repository.images)], capture_output=True, check=False
    )

    assert ended.returncode == 0, ended.stderr
    (repository.images / "mirror").rename(repository.mirror)
    assert repository.meta()[0]["urls"] == [f"https://images.amxa.ch/{NAMES[0]}"]


def test_a_fifo_with_the_name_of_an_image_is_told_to_be_no_file(repository: Repository) -> None:
    os.mkfifo(repository.images / OTHER)

    ended = repository.update()

    assert ended.status == 0
    assert f"{OTHER} is left out: it is no file" in ended.messages()


def test_images_of_the_same_bytes_are_served_both(repository: Repository) -> None:
    shutil.copy(repository.images / NAMES[0], repository.images / NAMES[1])

    ended = repository.update()

    assert ended.status == 0
    assert ended.counts("rdiffs")["rdiffs"] == 9
    assert repository.verify().status == 0


def test_without_puavo_os_nothing_is_written_elsewhere(repository: Repository) -> None:
    before = {path: path.stat().st_mtime_ns for path in repository.images.iterdir()}

    repository.update()

    assert {path.name for path in repository.folder.iterdir()} == {"the images", "mirror"}
    assert {path: path.stat().st_mtime_ns for path in repository.images.iterdir()} == before
