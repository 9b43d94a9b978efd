"""What the commands of ``images`` print with ``--json`` is what data/images.schema.json promises."""

from __future__ import annotations

import json
import signal
import subprocess
import urllib.request
from typing import TYPE_CHECKING

import pytest
from image_builder import NAMES
from image_repository import BASE_URL, make_repository
from jsonschema import Draft202012Validator
from program import PROGRAM, release_builder

from release_builder.files import resource

if TYPE_CHECKING:
    from pathlib import Path

    from image_repository import Repository

pytestmark = pytest.mark.interop

_TEXT = json.loads(resource("data/images.schema.json").read_text())
_SCHEMA = Draft202012Validator(_TEXT)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository of two images, and one that is none."""
    repository = make_repository(tmp_path / "here", *NAMES[:2])
    (repository.images / NAMES[2]).write_bytes(b"no squashfs")
    return repository


def test_the_schema_is_one_itself() -> None:
    Draft202012Validator.check_schema(_TEXT)


def test_all_that_is_told_of_a_repository(repository: Repository) -> None:
    updated = repository.update()
    pushed = release_builder(
        "images", "push", "--json", repository.mirror, "there", cwd=repository.folder
    )

    ended = [updated, repository.verify(), repository.clean(), pushed]

    for each in ended:
        _SCHEMA.validate(each.document)
        assert each.document["exit_status"] == each.status
    assert [each.document["command"] for each in ended] == ["update", "verify", "clean", "push"]
    assert [each.status for each in ended] == [2, 0, 0, 0]


@pytest.mark.parametrize("command", ["update", "verify", "clean", "push", "serve"])
def test_a_folder_that_is_not_there_is_told_too(tmp_path: Path, command: str) -> None:
    more = {"update": ["-r", BASE_URL], "push": ["there"]}.get(command, [])
    before = set(tmp_path.iterdir())

    ended = release_builder("images", command, "--json", "none", *more, cwd=tmp_path)

    _SCHEMA.validate(ended.document)
    assert ended.status == ended.document["exit_status"] == 2
    assert "there is no folder" in ended.messages()
    assert set(tmp_path.iterdir()) == before


def test_who_serves_says_where_and_ends_with_ctrl_c(repository: Repository) -> None:
    repository.update()
    argv = [*PROGRAM, "images", "serve", "--json", str(repository.mirror)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as serving:
        assert serving.stdout is not None
        lines: list[str] = []
        while not lines or lines[-1] != "}\n":
            lines.append(serving.stdout.readline())
            assert lines[-1]
        document = json.loads("".join(lines))
        with urllib.request.urlopen(f"{document['url']}/CKSUMS", timeout=60) as answer:
            content = answer.read()
        serving.send_signal(signal.SIGINT)
        status = serving.wait(timeout=60)

    _SCHEMA.validate(document)
    assert content == (repository.mirror / "CKSUMS").read_bytes()
    assert status == 0
