"""An unsquashfs that fails for no fault of the image."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from image_builder import NAMES, make_images

from release_builder.errors import IncompleteError, SurroundingsError
from release_builder.media.squashfs import read_definitions

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.interop


@pytest.mark.parametrize(
    ("does", "error", "words"),
    [
        pytest.param("kill -9 $$", IncompleteError, "killed by signal 9", id="killed"),
        pytest.param(
            "echo 'FATAL: write_file: because No space left on device' >&2; exit 1",
            SurroundingsError,
            "No space left",
            id="full disk",
        ),
    ],
)
def test_what_befalls_unsquashfs_is_not_taken_for_the_image(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    does: str,
    error: type[Exception],
    words: str,
) -> None:
    (image,) = make_images(tmp_path, NAMES[0])
    program = tmp_path / "bin/unsquashfs"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{does}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")

    with pytest.raises(error, match=words):
        read_definitions(image)
