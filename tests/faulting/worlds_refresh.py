"""What cron runs: a mirror that is followed has a new beta; the oldest image goes, a hook is told."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

from builders import next_release

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
    from collections.abc import Mapping
    from pathlib import Path

_DESCRIPTOR: Final = """track: testing/9
arch: x86_64
mirror: mirror/releases
workdir: work
publish: {root: public, preflight: off, keep: 1}
retain: {images: 0, free: 0}
notify: {command: sh hook.sh, when: change}
"""
# Whom it could not tell is no fault of a refresh, so what is told may be there or not.
_HOOK: Final = """
case $RELEASE_BUILDER_OCCASION in
change | recovery) mkdir -p told && : > "told/$RELEASE_BUILDER_VERSION" ;;
esac
"""
_ARGV: Final = (
    "refresh",
    "--no-splay",
    "--max-age",
    "0",
    "--page",
    "page",
    "--metrics",
    "refresh.prom",
    "sme.yaml",
)


def finals(folder: Path) -> Mapping[str, tuple[Path, ...]]:
    """The images, the releases, and what leads to the newest."""
    testing = folder / "public/testing"
    betas = ("9.0beta3", "9.0beta4")
    return {
        **{
            f"image {name}": (folder / f"work/image/smeserver-{name}-x86_64.iso",) for name in betas
        },
        **{f"release {name}": (testing / name,) for name in betas},
        "link": (testing / "9",),
        "page": (folder / "public/index.html",),
        "index": (folder / "public/index.json",),
    }


def _prepare(folder: Path, _services: Services) -> None:
    _first(folder, _services)
    carry_out(folder, *_ARGV)
    public = folder / "public/testing"
    put_back_in_time(public / "9.0beta3", public / ".9.0beta3")
    shutil.rmtree(folder / "told")
    release = small_release()
    shutil.copytree(small_release().folder, folder / "upstream", symlinks=True)
    new = next_release(type(release)(folder / "upstream", release.recipe))
    shutil.rmtree(folder / "mirror")
    new.mirror.rename(folder / "mirror")
    shutil.rmtree(folder / "upstream")


def _first(folder: Path, _services: Services) -> None:
    (folder / "sme.yaml").write_text(_DESCRIPTOR)
    (folder / "hook.sh").write_text(_HOOK)
    shutil.copytree(small_release().mirror, folder / "mirror", symlinks=True)


WORLDS: Final = (
    World(
        name="refresh",
        argv=_ARGV,
        prepare=_prepare,
        finals=finals,
        volatile=(*VOLATILE, "page/*", "refresh.prom", "told", "told/*"),
        mirror=("mirror/*/smeos/*/Packages/demo-[!n]*", "mirror/*.template"),
        alias=without_clock,
        environment=ENVIRONMENT,
    ),
)
