"""``jigdo fetch`` of a release that is much like one that is at hand: only what is new travels."""

from __future__ import annotations

import filecmp
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from builders import jigdo_file_pair, make_image, make_tree, next_release, noise
from fetching import fetch, fetched
from web_server import serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from builders import Mirror
    from web_server import WebServer

pytestmark = pytest.mark.interop

SIZES = {f"Packages/{at:02}.rpm": 30_000 + 17 * at for at in range(20)}
CHANGED = ("Packages/03.rpm", "Packages/11.rpm")
ADDED = "Packages/new.rpm"
LOOK_ALIKE = (sys.executable, "-c", "from release_builder.cli.jigdo_lite import main; main()")


@dataclass(frozen=True, slots=True)
class Desk:
    """Two releases, the newer one on a server.

    Attributes:
        old: The image of the older one.
        new: What the image of the newer one must be.
        server: Has the newer one's ``cd.jigdo``, its template and its files.
        travels: What has to come from there, beside the pair: bytes by path.
    """

    old: Path
    new: Path
    server: WebServer
    travels: dict[str, int]

    def sent(self) -> dict[str, int]:
        """What the server gave beside the pair: bytes by path."""
        sent: dict[str, int] = {}
        for request in self.server.requests():
            if request.path.startswith("/tree/"):
                sent[request.path] = sent.get(request.path, 0) + request.sent
        return sent


@pytest.fixture(params=["md5", "sha256"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    tree = make_tree(tmp_path / "old", SIZES)
    old = make_image(tree, tmp_path / "images" / "old.iso")
    shutil.copytree(tree, tmp_path / "web" / "tree")
    tree = tmp_path / "web" / "tree"
    for at, name in enumerate((*CHANGED, ADDED)):
        (tree / name).write_bytes(noise(40_000 + at, ("new", name)))
    (tree / "Packages" / "07.rpm").rename(tree / "moved-elsewhere.rpm")
    new = make_image(tree, tmp_path / "images" / "cd.iso")
    with serve(tmp_path / "web") as server:
        url = f"{server.url}tree/"
        jigdo_file_pair(new, tree, tmp_path / "web", algorithm=request.param, url=url)
        travels = {f"/tree/{name}": (tree / name).stat().st_size for name in (*CHANGED, ADDED)}
        yield Desk(old, new, server, travels)


def test_from_an_old_image_alone_only_what_changed_travels(desk: Desk, workdir: Path) -> None:
    told = fetched("--scan", desk.old, f"{desk.server.url}cd.jigdo", cwd=workdir)

    assert told["status"] == 0, told
    assert filecmp.cmp(workdir / "cd.iso", desk.new, shallow=False)
    assert desk.sent() == desk.travels
    assert told["bytes_fetched"] == sum(desk.travels.values())


def test_the_look_alike_takes_an_old_image_too(desk: Desk, workdir: Path) -> None:
    ended = subprocess.run(
        [*LOOK_ALIKE, "--noask", "--scan", desk.old, f"{desk.server.url}cd.jigdo"],
        cwd=workdir,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert filecmp.cmp(workdir / "cd.iso", desk.new, shallow=False)
    assert desk.sent() == desk.travels


def test_the_image_of_that_name_is_moved_aside_and_taken_from(desk: Desk, workdir: Path) -> None:
    shutil.copy(desk.old, workdir / "cd.iso")

    ended = fetch(f"{desk.server.url}cd.jigdo", cwd=workdir)

    assert ended.status == 0, ended.stderr
    assert filecmp.cmp(workdir / "cd.iso", desk.new, shallow=False)
    assert filecmp.cmp(workdir / "aside" / "cd.iso", desk.old, shallow=False)
    assert "cd.iso was there, but is another: it is aside/cd.iso" in ended.stderr
    assert desk.sent() == desk.travels


def test_what_is_no_image_is_moved_aside_and_told(desk: Desk, workdir: Path) -> None:
    (workdir / "cd.iso").write_bytes(b"x")

    told = fetched("--scan", desk.old, f"{desk.server.url}cd.jigdo", cwd=workdir)

    assert told["status"] == 0, told
    assert told["moved"] == "aside/cd.iso"
    assert (workdir / "aside" / "cd.iso").read_bytes() == b"x"
    assert filecmp.cmp(workdir / "cd.iso", desk.new, shallow=False)


def test_a_folder_of_old_images_is_a_source(desk: Desk, tmp_path: Path, workdir: Path) -> None:
    desk.new.unlink()
    desk.old.rename(tmp_path / "images" / "OLD.ISO")

    ended = fetch("--scan", tmp_path / "images", f"{desk.server.url}cd.jigdo", cwd=workdir)

    assert ended.status == 0, ended.stderr
    assert desk.sent() == desk.travels


def test_a_spoilt_old_image_spoils_nothing(desk: Desk, workdir: Path) -> None:
    content = bytearray(desk.old.read_bytes())
    at = content.index(noise(SIZES["Packages/05.rpm"], (0, "Packages/05.rpm")))
    content[at + 20_000] ^= 1
    desk.old.write_bytes(content)

    ended = fetch("--scan", desk.old, f"{desk.server.url}cd.jigdo", cwd=workdir)

    assert ended.status == 0, ended.stderr
    assert filecmp.cmp(workdir / "cd.iso", desk.new, shallow=False)
    spoilt = "Packages/05.rpm"
    assert desk.sent() == {**desk.travels, f"/tree/{spoilt}": SIZES[spoilt]}


def test_a_cut_old_image_gives_what_it_has(desk: Desk, workdir: Path) -> None:
    with desk.old.open("r+b") as old:
        old.truncate(desk.old.stat().st_size // 2)

    ended = fetch("--scan", desk.old, f"{desk.server.url}cd.jigdo", cwd=workdir)

    assert ended.status == 0, ended.stderr
    assert filecmp.cmp(workdir / "cd.iso", desk.new, shallow=False)
    assert len(desk.travels) < len(desk.sent()) < len(SIZES)


def test_the_last_betas_image_is_a_source_for_the_next_beta(mirror: Mirror, workdir: Path) -> None:
    old, new = mirror.release, next_release(mirror.release)
    before = {path.name: path for path in old.tree.rglob("*") if path.is_file()}
    changed = sum(
        path.stat().st_size
        for path in new.tree.rglob("*")
        if path.is_file()
        and not (path.name in before and filecmp.cmp(path, before[path.name], shallow=False))
    )
    with serve(new.mirror) as server:
        (jigdo,) = (new.mirror / new.path).rglob(f"{new.image.stem}.jigdo")
        (label,) = {line.split("=")[0] for line in servers_of(jigdo)}
        base = f"{server.url}{new.tree.relative_to(new.mirror)}/"

        ended = fetch(
            *("--scan", old.image, "--uri", f"{label}={base}", "-o", "made"),
            f"{server.url}{jigdo.relative_to(new.mirror)}",
            cwd=workdir,
        )

        sent = sum(each.sent for each in server.requests() if each.path.startswith(f"/{new.path}s"))
    assert ended.status == 0, ended.stderr
    assert filecmp.cmp(workdir / "made" / new.image.name, new.image, shallow=False)
    assert 0 < sent <= changed


def servers_of(jigdo: Path) -> list[str]:
    """The lines of [Servers]."""
    section = jigdo.read_text().partition("[Servers]\n")[2].partition("\n[")[0]
    return [line for line in section.splitlines() if "=" in line]
