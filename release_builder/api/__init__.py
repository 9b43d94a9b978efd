"""The Python interface: a function for each command, and the formats.

Names are loaded when they are first used: who makes a template need not load YAML.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from release_builder.api.images import MadeImage, make_image, write_image
    from release_builder.api.maps import draw_map
    from release_builder.api.pairs import MadePair, Match, PairOptions, make_template
    from release_builder.api.releases import (
        carry_out,
        complaints,
        init,
        plans,
        previews,
        schema,
    )
    from release_builder.jigdo.compose import compose_jigdo
    from release_builder.jigdo.entries import format_description, parse_description
    from release_builder.jigdo.input_files import read_input_files
    from release_builder.jigdo.location import parse_jigdo
    from release_builder.jigdo.make_template import Form
    from release_builder.jigdo.template import read_template
    from release_builder.state.digest_cache import open_cache, open_cache_file

__all__ = [
    "Form",
    "MadeImage",
    "MadePair",
    "Match",
    "PairOptions",
    "carry_out",
    "complaints",
    "compose_jigdo",
    "draw_map",
    "format_description",
    "init",
    "make_image",
    "make_template",
    "open_cache",
    "open_cache_file",
    "parse_description",
    "parse_jigdo",
    "plans",
    "previews",
    "read_input_files",
    "read_template",
    "schema",
    "write_image",
]

_MODULES: Final = {
    "api.images": ("MadeImage", "make_image", "write_image"),
    "api.maps": ("draw_map",),
    "api.pairs": ("MadePair", "Match", "PairOptions", "make_template"),
    "api.releases": ("carry_out", "complaints", "init", "plans", "previews", "schema"),
    "jigdo.compose": ("compose_jigdo",),
    "jigdo.entries": ("format_description", "parse_description"),
    "jigdo.input_files": ("read_input_files",),
    "jigdo.location": ("parse_jigdo",),
    "jigdo.make_template": ("Form",),
    "jigdo.template": ("read_template",),
    "state.digest_cache": ("open_cache", "open_cache_file"),
}
_MODULE_OF: Final = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"release_builder.api has no {name}")
    return getattr(importlib.import_module(f"release_builder.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return __all__
