"""Any bytes as the index.json and the release.json that lie in a public folder."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from fuzz.decency import check_error
from page_samples import RELEASE
from public_tree import local_shelf

from release_builder.digests import Digest
from release_builder.errors import WrongBytesError
from release_builder.steps.record import Record, RecordedFile, read_record, write_record
from release_builder.steps.releases_index import enter, listed_releases

if TYPE_CHECKING:
    from collections.abc import Iterator

_FOLDER = tempfile.TemporaryDirectory()
_ROOT = Path(_FOLDER.name)
_SHELF = local_shelf(_ROOT)
_INDEX = _ROOT / "index.json"


def seeds() -> Iterator[bytes]:
    """Both, as they are written; and JSON that goes far."""
    enter(_SHELF, "testing/9.0beta3", RELEASE)
    yield _INDEX.read_bytes()
    file = RecordedFile(7, (Digest("md5", bytes(16)),))
    yield write_record(Record(RELEASE, {"iso/": {"a.iso": file}}))
    yield b'{"schema": 1, "title": ' + b"[" * 3000
    yield b'{"schema": 1, "title": "\\ud800", "releases": [{"size": 1e999}], "count": 1}'


def one_input(content: bytes) -> None:
    """Folders below the root, and what is written again says the same; or a WrongBytesError."""
    _INDEX.write_bytes(content)
    try:
        for release in listed_releases(_SHELF):
            assert ".." not in release.folder.split("/")
            assert not release.folder.startswith("/")
    except WrongBytesError as error:
        check_error(error, content)
    try:
        record = read_record(content, "release.json")
        assert read_record(write_record(record), "release.json") == record
    except WrongBytesError as error:
        check_error(error, content, "release.json ")
