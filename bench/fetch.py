"""An image fetched from a web server, near and far, beside jigdo-lite and aria2c."""

from __future__ import annotations

import shutil
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.delay_proxy import far_away
from bench.measure import Task, print_table
from bench.release import NAME, make_release, run, same

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from web_server import serve

if TYPE_CHECKING:
    from collections.abc import Callable

_ROUND_TRIP: Final = 40  # milliseconds
_CONNECTIONS: Final = 16
_HOST: Final = "127.0.0.1"
_URI: Final = "http://mirror.contribs.org/releases/9/smeos/x86_64/"  # as make_release has it
_PROJECT: Final = Path(__file__).parents[1]


def compare(root: Path, megabytes: int, runs: int) -> None:
    """Fetch a release by each, from beside us and from a round trip away."""
    mirror, image = make_release(root, megabytes)
    home = root / "fetch"
    shutil.rmtree(home, ignore_errors=True)
    served = home / "served"
    served.mkdir(parents=True)
    (served / "tree").symlink_to(mirror / "smeos/x86_64")
    with serve(served, log=False) as server, far_away(server.port, _ROUND_TRIP) as port:
        near = _publish(mirror, served / "near", server.port)
        far = _publish(mirror, served / "far", port)
        theirs, ours = partial(_jigdo_lite, home, image), partial(_ours, home, image)
        title = f"An image fetched: {megabytes:,} MB"
        print_table(f"{title}, from beside us", [theirs(near), ours(near)], runs)
        title += f", from {_ROUND_TRIP} ms away"
        aria2c = _aria2c(home, served / "tree", f"http://{_HOST}:{port}/tree/")
        print_table(title, [aria2c, ours(far)], runs)
        print_table(title, [theirs(far), ours(far)], 1)  # jigdo-lite takes minutes
        for task in (theirs(far), aria2c, ours(far)):
            task.prepare()  # compares what the last run left
    shutil.rmtree(home)


def _publish(mirror: Path, folder: Path, port: int) -> str:
    """Make a copy of the mirror's pair whose server is that port; the URL of its .jigdo."""
    folder.mkdir()
    pair = mirror / "iso/x86_64"
    (folder / f"{NAME}.template").symlink_to(pair / f"{NAME}.template")
    text = (pair / f"{NAME}.jigdo").read_text("utf-8")
    server = f"http://{_HOST}:{port}"
    (folder / f"{NAME}.jigdo").write_text(text.replace(_URI, f"{server}/tree/"), "utf-8")
    return f"{server}/{folder.name}/{NAME}.jigdo"


def _jigdo_lite(home: Path, image: Path, url: str) -> Task:
    here = home / "theirs"
    prepare = _renewing(here, lambda: same(here / f"{NAME}.iso", image))
    # It would take settings from HOME.
    argv = ["jigdo-lite", "--noask", url]
    return Task("jigdo-lite --noask", argv, here, prepare, {"HOME": str(here)})


def _ours(home: Path, image: Path, url: str) -> Task:
    here = home / "ours"
    prepare = _renewing(here, lambda: same(here / f"{NAME}.iso", image))
    argv = [
        *(sys.executable, "-m", "release_builder", "jigdo", "fetch"),
        *("--connections", str(_CONNECTIONS), "-o", str(here), url),
    ]
    environment = {"RELEASE_BUILDER_STATE": str(here / "state")}
    return Task("jigdo fetch", argv, _PROJECT, prepare, environment)


def _aria2c(home: Path, tree: Path, url: str) -> Task:
    """The parts alone: it makes no image."""
    here, wanted = home / "aria2c", home / "wanted"
    names = sorted(path.relative_to(tree) for path in tree.rglob("*") if path.is_file())
    wanted.write_text("".join(f"{url}{name}\n out={name}\n" for name in names), "utf-8")
    argv = [
        *("aria2c", "--no-conf", "--quiet", "--file-allocation=none"),
        *(f"-j{_CONNECTIONS}", "-i", str(wanted), "-d", str(here)),
    ]
    prepare = _renewing(here, lambda: run("diff", "-r", here, tree))
    return Task(f"aria2c -j{_CONNECTIONS}, download only", argv, home, prepare)


def _renewing(here: Path, check: Callable[[], None]) -> Callable[[], None]:
    """What compares all that the run before left in ``here``, and empties it."""

    def renew() -> None:
        if here.is_dir():
            check()
            shutil.rmtree(here)
        here.mkdir()

    return renew
