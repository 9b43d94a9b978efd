"""What ``--json`` prints is what data/output.schema.json promises."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator
from program import release_builder

from release_builder.files import resource

if TYPE_CHECKING:
    from pathlib import Path

    from builders import Mirror
    from program import Ended

_SCHEMA = Draft202012Validator(json.loads(resource("data/output.schema.json").read_text()))


def assert_valid(ended: Ended, command: str, status: int) -> None:
    _SCHEMA.validate(ended.document)
    assert ended.document["command"] == command
    assert ended.document["exit_status"] == ended.status == status


@pytest.mark.interop
@pytest.mark.parametrize("command", ["plan", "sync", "rewrite", "assemble", "verify", "build"])
def test_commands_on_a_release(mirror: Mirror, workdir: Path, command: str) -> None:
    descriptor = workdir / "sme9.yaml"
    descriptor.write_text(mirror.descriptor)
    if command in {"rewrite", "assemble", "verify"}:
        release_builder("sync", descriptor, cwd=workdir)

    ended = release_builder(command, "--json", descriptor, cwd=workdir)

    assert_valid(ended, command, 1 if command == "verify" else 0)


@pytest.mark.parametrize(
    "command", ["plan", "sync", "rewrite", "assemble", "verify", "build", "validate"]
)
def test_commands_that_cannot_begin(workdir: Path, command: str) -> None:
    (workdir / "bad.yaml").write_text("version: x\nmirorr: /\n")

    ended = release_builder(command, "--json", "bad.yaml", cwd=workdir)

    assert_valid(ended, command, 2)


@pytest.mark.parametrize("command", ["plan", "sync", "build"])
def test_commands_that_fail(workdir: Path, command: str) -> None:
    text = "version: 9.0beta3\narch: x86_64\nmirror: rsync://127.0.0.1:1/none/\n"
    (workdir / "sme9.yaml").write_text(text)

    ended = release_builder(command, "--json", "sme9.yaml", cwd=workdir)

    assert_valid(ended, command, 1)


def test_validate(workdir: Path) -> None:
    text = "version: 9.0beta3\narch: x86_64\nmirror: rsync://127.0.0.1/module/\n"
    (workdir / "good.yaml").write_text(text)

    ended = release_builder("validate", "--json", "good.yaml", cwd=workdir)

    assert_valid(ended, "validate", 0)


def test_init(workdir: Path) -> None:
    ended = release_builder("init", "--json", "new.yaml", cwd=workdir)

    assert_valid(ended, "init", 0)
    assert (workdir / "new.yaml").is_file()


@pytest.mark.interop
def test_demo(workdir: Path) -> None:
    ended = release_builder("demo", "--json", cwd=workdir)

    assert_valid(ended, "demo", 0)
