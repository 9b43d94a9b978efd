"""An image built from a mirror: the first, one that is new on a mirror, and one that is there."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from builders import next_release

from faulting.world import Services, World
from faulting.worlds_common import carry_out, small_release
from release_builder.demo.daemon import rsync_daemon
from release_builder.demo.release import Release

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_DESCRIPTOR: Final = """version: {version}
arch: x86_64
mirror: {url}releases/testing/{version}/
workdir: work
sync: {{timeout: 2}}
"""
_FIRST, _NEXT = "9.0beta3", "9.0beta4"


@contextlib.contextmanager
def rsync_mirror(folder: Path) -> Iterator[Services]:
    """``folder/mirror``, served by an rsync daemon."""
    (folder / "mirror").mkdir()
    with rsync_daemon(folder / "mirror") as url:
        port = url.split(":")[2].split("/")[0]
        yield Services({"url": url}, lambda: _connections(port))


def _connections(port: str) -> tuple[int, ...]:
    """The processes of the daemon at ``port`` that talk to somebody, and itself."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (place / "cmdline").read_bytes().split(b"\0")
            if b"--daemon" in words and port.encode() in words:
                found.append(int(place.name))
    return tuple(found)


def _describe(folder: Path, version: str, services: Services) -> None:
    text = _DESCRIPTOR.format(version=version, url=services.words["url"])
    (folder / f"sme-{version}.yaml").write_text(text)


def _first(folder: Path, services: Services) -> None:
    shutil.copytree(small_release().mirror, folder / "mirror", symlinks=True, dirs_exist_ok=True)
    _describe(folder, _FIRST, services)


def _after_a_beta(folder: Path, services: Services) -> None:
    _first(folder, services)
    carry_out(folder, "build", f"sme-{_FIRST}.yaml")
    next_release(Release(folder, small_release().recipe), _NEXT)
    shutil.rmtree(folder / "image")
    _describe(folder, _NEXT, services)


def finals(folder: Path) -> Mapping[str, tuple[Path, ...]]:
    """Each image, each file of the pairs and of the tree: what rsync fetched is right at once."""
    files = [
        *(folder / "work/image").glob("*.iso"),
        *(folder / "work/pair").glob("[!.]*"),
        *(path for path in (folder / "work/tree").rglob("*") if _is_final(path)),
    ]
    return {str(file.relative_to(folder)): (file,) for file in files if file.is_file()}


def _is_final(path: Path) -> bool:
    """Whether it is none of those that rsync has under way."""
    return ".~tmp~" not in path.parts and (path.name[0] != "." or path.name == ".discinfo")


def _world(name: str, version: str, prepare: Callable[[Path, Services], None]) -> World:
    path = f"mirror/releases/testing/{version}"
    return World(
        name=name,
        argv=("build", f"sme-{version}.yaml"),
        prepare=prepare,
        finals=finals,
        watched=("work", "state"),
        volatile=("work/.lock", "state/*.sqlite*", "home/*"),
        copied=("work/tree/*",),
        # Nobody vouches for demo-new-dhcp, which the template holds: it is what the mirror has.
        mirror=(f"{path}/smeos/*/Packages/demo-[!n]*", f"{path}/iso/*/*.template"),
        services=rsync_mirror,
    )


WORLDS: Final = (_world("build", _FIRST, _first), _world("build-next", _NEXT, _after_a_beta))
