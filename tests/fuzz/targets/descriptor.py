"""Any bytes as a descriptor, and as a profile."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from fuzz.decency import check_line

from release_builder.errors import DescriptorError
from release_builder.loader import InvalidDescriptorError, load, load_profile, new_descriptor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CONFIGS = Path(__file__).parents[3] / "configs"
_PROFILES = Path(__file__).parents[3] / "release_builder" / "data" / "profiles"
_FOLDER = tempfile.TemporaryDirectory()
_FILE = Path(_FOLDER.name, "d.yaml")


def seeds() -> Iterator[bytes]:
    """What the program writes and ships."""
    for path in (*sorted(_CONFIGS.glob("*.yaml")), *sorted(_PROFILES.glob("*.yaml"))):
        yield path.read_bytes()
    yield new_descriptor("smeserver", "/srv/mirror/").encode()
    yield b"version: 9.0\narch: [x86_64, i386]\nmirror: rsync://h/m/\ndigests: {i386: {md5: 0}}\n"
    yield b"track: testing/9\narch: x86_64\nmirror: https://u:p@h/\npublish: {root: /x, keep: 3}\n"


def one_input(content: bytes) -> None:
    """Releases below their folders, or complaints that each name a place in the file."""
    _FILE.write_bytes(content)
    for read in (_descriptor, load_profile):
        _complaints_of(read, content)


def _descriptor(path: Path) -> None:
    descriptor = load(path)
    for release in descriptor.releases():
        assert "/" not in release.image
        assert release.mirror.url.isprintable()


def _complaints_of(read: Callable[[Path], object], content: bytes) -> None:
    try:
        read(_FILE)
    except InvalidDescriptorError as error:
        _check(error, content.decode("utf-8", "replace").splitlines())
    except DescriptorError as error:
        check_line(error.what)


def _check(error: InvalidDescriptorError, lines: list[str]) -> None:
    assert error.complaints
    for one in error.complaints:
        assert 1 <= one.line <= len(lines) + 1 or one.file != _FILE
        assert one.column >= 1
        assert one.what
        assert one.hint
        check_line(str(one))
