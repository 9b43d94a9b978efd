"""Any text as settings of other programs, which would run it: ~/.jigdo-lite, defaults.mk, wgetrc."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzz.decency import check_error, check_line

from release_builder.cli.jigdo_lite.settings import format_settings, parse_settings
from release_builder.cli.jigdo_lite.wget_options import read_wget_options
from release_builder.errors import DescriptorError
from release_builder.repository.defaults_mk import NAMES, format_defaults, parse_defaults

if TYPE_CHECKING:
    from collections.abc import Iterator


def seeds() -> Iterator[bytes]:
    """As the programs write them, and as an attacker would."""
    yield b"jigdo='http://a/b.jigdo'\ndebianMirror='http://x/it'\\''s/'\nscanMenu='/a /b'\n# c\n"
    yield b'wgetOpts="--tries=3 -T 5"\ntmpDir=$(rm -rf ~)\nfilesPerFetch=`id`\nPATH=/tmp\n;x=y\n'
    yield b"-e https_proxy=http://p:1/ --limit-rate=20k -t 3 --timeout=1 --ca-certificate='a b' -q"
    yield b"image_dir   := /srv/i # c\nmirror_dir=/m$$x\\#y\nimages_urlbase ?= $(shell id)\nx::=y\n"


def one_input(content: bytes) -> None:
    """What is written again says the same, and nothing is expanded."""
    text = content.decode("utf-8", "surrogateescape")
    settings, notes = parse_settings(text, "s")
    for note in notes:
        check_line(note)
        assert note.startswith("s:")
    assert parse_settings(format_settings(settings, text), "s")[0] == settings
    assert parse_settings(format_settings(settings), "s") == (settings, ())
    options = read_wget_options(text)
    assert options.proxies.keys() <= {"http_proxy", "https_proxy", "no_proxy"}
    try:
        values = parse_defaults(text, "d")
        assert values.keys() <= set(NAMES)
        assert parse_defaults(format_defaults(values), "d") == values
    except DescriptorError as error:
        check_error(error, content)
