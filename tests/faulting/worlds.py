"""All worlds, from the modules ``worlds_*`` beside this one."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import TYPE_CHECKING

import faulting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from faulting.world import World


@cache
def all_worlds() -> Mapping[str, World]:
    """Every world by its name, sorted."""
    modules = [each.name for each in pkgutil.iter_modules(faulting.__path__, "faulting.")]
    found = [
        world
        for name in modules
        if name.startswith("faulting.worlds_")
        for world in getattr(importlib.import_module(name), "WORLDS", ())
    ]
    names = sorted(world.name for world in found)
    assert len(set(names)) == len(names), names
    return {world.name: world for world in sorted(found, key=lambda each: each.name)}
