"""``images verify``: what is wrong is found, named, and has its status."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from image_builder import NAMES
from image_repository import SERIES, Repository, make_repository
from program import release_builder
from repository_client import rdiff_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.interop

RDIFF = f"rdiffs/{rdiff_name(NAMES[0], NAMES[1])}"
META = f"meta/{SERIES}.json"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A repository of two images, for all tests here."""
    repository = make_repository(tmp_path_factory.mktemp("made"), *NAMES[:2])
    assert repository.update().status == 0
    return repository


@pytest.fixture
def repository(made: Repository, tmp_path: Path) -> Repository:
    """One of its own to spoil."""
    shutil.copytree(made.mirror, tmp_path / "mirror")
    return Repository(tmp_path)


def replace(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    replace(path, bytes(content))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    replace(path, text.replace(old, new).encode())


def tell_of_another_delta(mirror: Path) -> None:
    """An rdiff that is what meta says, but makes something else."""
    content = (mirror / f"rdiffs/{rdiff_name(NAMES[1], NAMES[0])}").read_bytes()
    repository = Repository(mirror.parent)
    told = {image["filename"]: image["diffs"][0] for image in repository.meta()}
    wrong, right = told[NAMES[0]], told[NAMES[1]]
    replace(mirror / RDIFF, content)
    for key in ("cksum", "sha256", "sha512"):
        edit(mirror / META, right[key], wrong[key])
    edit(mirror / META, f'"size":{right["size"]},', f'"size":{wrong["size"]},')
    edit(
        mirror / "CKSUMS",
        f"{right['cksum']} {right['size']} {right['filename']}",
        f"{wrong['cksum']} {wrong['size']} {right['filename']}",
    )


def test_a_right_one_is_right(repository: Repository) -> None:
    ended = repository.verify()

    assert (ended.status, ended.messages()) == (0, "")
    assert ended.counts("verify")["rdiffs"] == 2


@pytest.mark.parametrize(
    ("spoil", "status", "words"),
    [
        pytest.param(
            lambda m: (m / NAMES[0]).unlink(), 1, "is named, but not there", id="image gone"
        ),
        pytest.param(lambda m: (m / RDIFF).unlink(), 1, "is named, but not there", id="rdiff gone"),
        pytest.param(lambda m: flip(m / NAMES[0]), 2, f"{NAMES[0]}: its bytes", id="image rotten"),
        pytest.param(lambda m: flip(m / RDIFF), 2, f"{RDIFF}: its bytes", id="rdiff rotten"),
        pytest.param(lambda m: replace(m / NAMES[1], b"x"), 2, "has 1 bytes; meta", id="size"),
        pytest.param(tell_of_another_delta, 2, "does not make", id="another delta"),
        pytest.param(lambda m: (m / "CKSUMS").unlink(), 2, "there is no", id="no CKSUMS"),
        pytest.param(lambda m: edit(m / "CKSUMS", NAMES[0], "x.img"), 2, "CKSUMS lacks", id="line"),
        pytest.param(lambda m: replace(m / "CKSUMS", b"?"), 2, "no line of cksum", id="no line"),
        pytest.param(lambda m: replace(m / META, b"{}"), 2, "not what a repository's", id="meta"),
        pytest.param(
            lambda m: edit(m / META, '"cksum":"', '"cksum":"1'), 2, "do not agree", id="CRC"
        ),
    ],
)
def test_what_is_wrong_is_found(
    repository: Repository, spoil: Callable[[Path], object], status: int, words: str
) -> None:
    spoil(repository.mirror)

    ended = repository.verify()

    assert ended.status == status
    assert words in ended.messages()


def test_what_nobody_names_is_named(repository: Repository) -> None:
    (repository.mirror / "rdiffs/left.rdiff").write_bytes(b"")

    ended = repository.verify()

    assert ended.status == 0
    assert "rdiffs/left.rdiff is named by no meta file" in ended.messages()


def test_files_of_others_are_none_of_its_business(repository: Repository) -> None:
    (repository.mirror / "index.html").write_bytes(b"")
    (repository.mirror / "README").write_bytes(b"")

    assert repository.verify().messages() == ""


@pytest.mark.parametrize("command", ["verify", "clean", "push", "serve"])
def test_a_folder_that_is_no_repository_is_left_alone(tmp_path: Path, command: str) -> None:
    (tmp_path / "work" / NAMES[0]).write_bytes(b"mine")
    target = [tmp_path / "target"] if command == "push" else []

    ended = release_builder("images", command, tmp_path / "work", *target, cwd=tmp_path)

    assert ended.status == 2
    assert (tmp_path / "work" / NAMES[0]).read_bytes() == b"mine"
    assert not (tmp_path / "target").exists()


def test_what_is_not_whole_is_not_pushed(repository: Repository, tmp_path: Path) -> None:
    (repository.mirror / RDIFF).unlink()

    ended = release_builder(
        "images", "push", "--json", repository.mirror, tmp_path / "target", cwd=tmp_path
    )

    assert ended.status == 2
    assert "nothing went over" in ended.messages()
    assert not (tmp_path / "target").exists()
