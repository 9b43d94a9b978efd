"""An image fetched from a web server: the first, and one that has most of its parts here."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fetching import release_of
from web_server import serve

from faulting.world import Services, World

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_RELEASE: Final = release_of(12)


@contextlib.contextmanager
def _web_mirror(folder: Path) -> Iterator[Services]:
    """``folder/mirror``, served by nginx."""
    (folder / "mirror").mkdir()
    with serve(folder / "mirror", log=False) as server:
        yield Services({"url": server.url}, lambda: _workers(server.port))


def _workers(port: int) -> tuple[int, ...]:
    """The processes that listen on ``port``."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = {f"socket:[{each[9]}]" for each in lines if each[1].endswith(f":{port:04X}")}
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if listening & {str(file.readlink()) for file in (place / "fd").iterdir()}:
                found.append(int(place.name))
    return tuple(found)


def _prepare(folder: Path, services: Services) -> None:
    url = services.words["url"]
    for name, content in (_RELEASE.tree() | _RELEASE.pair(f"A={url}tree/")).items():
        path = folder / "mirror" / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _with_parts(folder: Path, services: Services) -> None:
    _prepare(folder, services)
    (folder / "here").mkdir()
    for name, content in list(_RELEASE.parts.items())[::2]:
        (folder / "here" / name).write_bytes(content)


def _finals(folder: Path) -> Mapping[str, tuple[Path, ...]]:
    kept = (folder / "kept").rglob("*.rpm")
    files = [*(folder / name for name in ("cd.iso", "cd.jigdo", "cd.template")), *kept]
    return {str(file.relative_to(folder)): (file,) for file in files}


def _world(name: str, *options: str) -> World:
    bounds = ("--timeout", "2", "--retries", "1", "--deadline", "20")
    return World(
        name=name,
        argv=("jigdo", "fetch", *bounds, *options, "{url}cd.jigdo"),
        prepare=_with_parts if "--scan" in options else _prepare,
        finals=_finals,
        volatile=("state/*.sqlite*", "home/*"),
        mirror=("mirror/tree/*", "mirror/cd.template"),
        services=_web_mirror,
    )


WORLDS: Final = (
    _world("fetch"),
    _world("fetch-the-rest", "--scan", "here", "--keep-parts", "kept", "--connections", "3"),
)
