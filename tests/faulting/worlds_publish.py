"""A release that becomes public: for the first time, and over older ones.

Taking one back is no world: each call of it goes one further back.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

from faulting.world import Services, World
from faulting.worlds_common import (
    ENVIRONMENT,
    VOLATILE,
    carry_out,
    put_back_in_time,
    small_release,
    without_clock,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from release_builder.demo.release import Release

DESCRIPTOR: Final = """version: 9.0beta3
arch: x86_64
mirror: testing/9.0beta3
workdir: work
publish: {{root: public, preflight: rebuild, keep: 1{more}}}
servers:
  SMEmirror:
    beta: http://releases.example.test/testing/{{version}}/smeos/{{arch}}/
    final: http://releases.example.test/{{major}}/smeos/{{arch}}/
"""
PUBLIC: Final = "public/testing/9.0beta3"
STORE: Final = "public/testing/.9.0beta3"


def put_release(folder: Path, release: Release, more: str = "") -> None:
    """Let ``folder`` have the image of ``release``, its tree and its pair, ready to be published."""
    (folder / "sme-9.0beta3.yaml").write_text(DESCRIPTOR.format(more=more))
    for name in ("testing", "work"):
        shutil.rmtree(folder / name, ignore_errors=True)
    shutil.copytree(release.tree, folder / "testing/9.0beta3/smeos/x86_64")
    image = folder / "work/image" / release.image.name
    image.parent.mkdir(parents=True)
    shutil.copyfile(release.image, image)
    carry_out(folder, "pair", "sme-9.0beta3.yaml")


def publish(folder: Path, days: range, more: str = "") -> None:
    """Make releases of several days public, one over the other; all of them long ago."""
    for day in days:
        put_release(folder, small_release(day=day), more)
        carry_out(folder, "publish", "sme-9.0beta3.yaml")
    if (folder / PUBLIC).is_symlink():
        put_back_in_time(folder / PUBLIC, folder / STORE)


def finals(folder: Path) -> Mapping[str, tuple[Path, ...]]:
    """The release, what leads to it, and both forms of the index."""
    public = folder / "public"
    return {
        "release": (folder / PUBLIC,),
        "link": (public / "testing/9",),
        "page": (public / "index.html",),
        "index": (public / "index.json",),
    }


def _first(folder: Path, _services: Services) -> None:
    put_release(folder, small_release())


def _over(folder: Path, _services: Services) -> None:
    publish(folder, range(2))
    put_release(folder, small_release(day=2))


def _over_folder(folder: Path, _services: Services) -> None:
    more = ", links: false"
    publish(folder, range(2), more)
    put_release(folder, small_release(day=2), more)


def _world(name: str, prepare: Callable[[Path, Services], None], *options: str) -> World:
    return World(
        name=name,
        argv=("publish", *options, "sme-9.0beta3.yaml"),
        prepare=prepare,
        finals=finals,
        volatile=VOLATILE,
        alias=without_clock,
        environment=ENVIRONMENT,
    )


WORLDS: Final = (
    _world("publish-first", _first),
    _world("publish-over", _over),
    _world("publish-folder", _over_folder),
)
