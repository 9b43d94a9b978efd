"""The index page of a public root lists an image repository, with a chart of its sizes."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import jsonschema
import pytest
from image_builder import NAMES
from image_repository import SERIES, make_repository
from public_tree import local_shelf

from release_builder.files import resource
from release_builder.steps.releases_index import strike

if TYPE_CHECKING:
    from pathlib import Path

    from image_repository import Repository

pytestmark = pytest.mark.interop

INDEX = json.loads(resource("data/releases-index.schema.json").read_text())


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Images; the folder that they are in is the public root too."""
    return make_repository(tmp_path / "root")


def index_of(repository: Repository) -> dict[str, object]:
    document: dict[str, object] = json.loads((repository.folder / "index.json").read_text())
    jsonschema.validate(document, INDEX)
    return document


def test_the_index_lists_the_repository(repository: Repository) -> None:
    ended = repository.update("--list-in", repository.folder)

    told = {name: ended.counts("publish")[name] for name in ("images", "rdiffs")}
    assert told == {"images": 4, "rdiffs": 9}
    rdiffs_size = ended.counts("rdiffs")["bytes"]
    size = ended.counts("images")["bytes"]
    listed = {"folder": "mirror/", **told, "size": size, "rdiffs_size": rdiffs_size}
    assert index_of(repository)["repositories"] == [listed]
    page = (repository.folder / "index.html").read_text()
    assert "4 images" in page
    assert 'src="mirror/images.svg"' in page


def test_the_chart_draws_images_and_rdiffs(repository: Repository) -> None:
    repository.update("--list-in", repository.folder)

    text = (repository.mirror / "images.svg").read_text()

    assert ET.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"
    assert f"{SERIES}: images" in text
    assert f"{SERIES}: rdiffs" in text


def test_a_second_run_lists_it_once_and_writes_nothing(repository: Repository) -> None:
    repository.update("--list-in", repository.folder)
    names = [repository.folder / "index.html", repository.mirror / "images.svg"]
    before = [path.stat().st_mtime_ns for path in names]

    repository.update("--list-in", repository.folder)

    assert [path.stat().st_mtime_ns for path in names] == before


def test_it_stays_listed_when_releases_change(repository: Repository) -> None:
    repository.update("--list-in", repository.folder)
    listed = index_of(repository)["repositories"]

    strike(local_shelf(repository.folder), "testing/1.0", "SME Server")

    assert index_of(repository)["repositories"] == listed


def test_a_repository_elsewhere_is_not_listed(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()

    ended = repository.update("--list-in", tmp_path / "other")

    assert ended.status == 2
    assert "does not lie below" in ended.messages()
    assert not repository.mirror.exists()


def test_the_repository_itself_is_no_public_root(repository: Repository) -> None:
    ended = repository.update("--list-in", repository.mirror)

    assert ended.status == 2
    assert "does not lie below" in ended.messages()
    assert not repository.mirror.exists()


def test_a_list_where_there_was_none_is_told_once(repository: Repository) -> None:
    first = repository.update("--list-in", repository.folder)
    second = repository.update("--list-in", repository.folder)

    assert (first.status, second.status) == (0, 0)
    assert "nothing was listed in" in first.messages()
    assert second.messages() == ""


def test_the_chart_shows_what_is_left(repository: Repository) -> None:
    repository.update("--list-in", repository.folder)
    before = (repository.mirror / "images.svg").read_text()
    (repository.images / NAMES[3]).unlink()

    repository.update("--list-in", repository.folder)

    assert (repository.mirror / "images.svg").read_text() != before
