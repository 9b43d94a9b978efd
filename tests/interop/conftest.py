"""Fixtures of the tests that run programs of others."""

from __future__ import annotations

from pathlib import Path

import pytest
from hostile import IMAGE, JIGDO, ONE, TEMPLATE, TWO


@pytest.fixture
def work(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an image, its pair and its parts; tests run in it."""
    monkeypatch.chdir(workdir)
    Path("tree").mkdir()
    Path("tree/one").write_bytes(ONE)
    Path("tree/two").write_bytes(TWO)
    Path("old.iso").write_bytes(IMAGE)
    Path("t.template").write_bytes(TEMPLATE)
    Path("t.jigdo").write_text(JIGDO)
    return workdir
