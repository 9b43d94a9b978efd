"""Where a repository is pushed to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from release_builder.api.repository_push import Target, parse_target, push
from release_builder.errors import (
    DescriptorError,
    IncompleteError,
    StoppedError,
    SurroundingsError,
)
from release_builder.monitor import Monitor

if TYPE_CHECKING:
    from pathlib import Path

    from release_builder.errors import ReleaseBuilderError


@pytest.mark.parametrize(
    ("text", "target"),
    [
        pytest.param("www:/srv/images", Target("www", "/srv/images"), id="host"),
        pytest.param("me@www:/srv/a b", Target("me@www", "/srv/a b"), id="user, blank"),
        pytest.param("/srv/images", Target("", "/srv/images"), id="path"),
        pytest.param("./www:/srv", Target("", "./www:/srv"), id="path with a colon"),
        pytest.param("images", Target("", "images"), id="name"),
    ],
)
def test_a_target_is_a_host_and_path_or_a_path(text: str, target: Target) -> None:
    assert parse_target(text) == target


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("www::module", id="daemon"),
        pytest.param("rsync://www/module", id="daemon's URL"),
        pytest.param("www:images", id="relative"),
        pytest.param("-oProxyCommand=x:/srv", id="option"),
        pytest.param("me:c4n4ry@www:/srv", id="password"),
        pytest.param("rsync://me:c4n4ry@www/srv", id="daemon's URL with a password"),
        pytest.param("me:c4n4ry/@2@www:/srv", id="password with a slash"),
    ],
)
def test_what_ssh_does_not_reach_is_refused(text: str) -> None:
    with pytest.raises(DescriptorError, match="is no place") as raised:
        parse_target(text)

    assert "c4n4ry" not in str(raised.value)


@pytest.mark.parametrize(
    ("does", "error", "words"),
    [
        pytest.param("kill -9 $$", IncompleteError, "killed by signal 9", id="killed"),
        pytest.param("kill $$", StoppedError, "stopped", id="stopped"),
        pytest.param(
            "echo 'rsync: mkstemp failed: Permission denied (13)' >&2; exit 23",
            SurroundingsError,
            "give that user the permission",
            id="no permission",
        ),
        pytest.param(
            "echo 'me@www: Permission denied (publickey).' >&2; exit 255",
            SurroundingsError,
            "without a question",
            id="no key",
        ),
        pytest.param(
            "echo 'rsync: mkstemp failed: Too many open files (24)' >&2; exit 11",
            SurroundingsError,
            "ulimit -n",
            id="too many files",
        ),
    ],
)
def test_how_rsync_ended_is_told_with_what_to_do(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    does: str,
    error: type[ReleaseBuilderError],
    words: str,
) -> None:
    program = tmp_path / "bin/rsync"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{does}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")

    with pytest.raises(error, match=words) as raised:
        push(tmp_path, Target("", str(tmp_path / "served")), Monitor())

    assert raised.type is error


def test_what_changed_between_two_looks_is_to_be_pushed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin/rsync"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho '>f.st......|5|CKSUMS'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")

    with pytest.raises(SurroundingsError, match="could not replace") as raised:
        push(tmp_path, Target("", str(tmp_path / "served")), Monitor())

    assert "it changed here meanwhile: run it again" in raised.value.hint
