"""Whose history is shown to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from release_builder.errors import SurroundingsError
from release_builder.state.history import HISTORY_FILE
from release_builder.state.history_folder import folder_to_read

if TYPE_CHECKING:
    from pathlib import Path

NAGIOS = 65534


@pytest.fixture
def roots(tmp_path: Path) -> Path:
    folder = tmp_path / "var"
    folder.mkdir()
    (folder / HISTORY_FILE).touch()
    return folder


def test_a_user_without_a_history_sees_that_of_root(roots: Path, tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path / "home")}

    assert folder_to_read(home, user=NAGIOS, system=roots) == roots
    assert folder_to_read({}, user=NAGIOS, system=roots) == roots


def test_a_user_with_a_history_sees_that(roots: Path, tmp_path: Path) -> None:
    own = tmp_path / "home" / ".local" / "state" / "release-builder"
    own.mkdir(parents=True)
    (own / HISTORY_FILE).touch()

    assert folder_to_read({"HOME": str(tmp_path / "home")}, user=NAGIOS, system=roots) == own


def test_who_names_a_folder_sees_that_one(roots: Path, tmp_path: Path) -> None:
    environ = {"RELEASE_BUILDER_STATE": str(tmp_path / "new")}

    assert folder_to_read(environ, user=NAGIOS, system=roots) == tmp_path / "new"


def test_where_root_has_none_there_is_none(tmp_path: Path) -> None:
    own = tmp_path / "home" / ".local/state/release-builder"

    assert folder_to_read({"HOME": str(tmp_path / "home")}, user=NAGIOS, system=tmp_path) == own
    with pytest.raises(SurroundingsError, match="HOME is not set"):
        folder_to_read({}, user=NAGIOS, system=tmp_path)
