"""A public beta that becomes the final, and moves out of its way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from faulting import worlds_publish
from faulting.world import Services, World
from faulting.worlds_common import ENVIRONMENT, VOLATILE, without_clock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def finals(folder: Path) -> Mapping[str, tuple[Path, ...]]:
    """Both releases under all their names, and the final's descriptor.

    The index changes with each of them; ``check`` tells whether it is true.
    """
    public = folder / "public"
    return {
        "beta": (folder / worlds_publish.PUBLIC,),
        "final": (public / "9.0",),
        "link to the final": (public / "9",),
        "obsolete": (public / "obsolete/9.0beta3",),
        "descriptor": (folder / "sme-9.0.yaml",),
    }


def _check(folder: Path) -> None:
    """What the index lists is there."""
    public = folder / "public"
    listed = json.loads((public / "index.json").read_bytes())["releases"]
    for each in listed:
        told = json.loads((public / each["folder"] / "release.json").read_bytes())
        assert told["version"] == each["version"], each


def _prepare(folder: Path, _services: Services) -> None:
    worlds_publish.publish(folder, range(1))


def _world(name: str, *options: str) -> World:
    return World(
        name=name,
        argv=("promote", "sme-9.0beta3.yaml", "--to", "9.0", "--same-image", *options),
        prepare=_prepare,
        finals=finals,
        check=_check,
        volatile=VOLATILE,
        alias=without_clock,
        environment=ENVIRONMENT,
    )


WORLDS: Final = (_world("promote"), _world("promote-obsolete", "--obsolete"))
