"""Refreshes of a release whose mirror changes, breaks and comes back; on a small disk, and killed.

usage: soaking.py FOLDER SEED ROUNDS     (FOLDER/disk is a file system of its own, and small)
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import gzip
import hashlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from builders import next_release, noise
from program import PROGRAM, Ended, killed_at, release_builder

from release_builder.demo.daemon import rsync_daemon
from release_builder.demo.installer_tree import set_times
from release_builder.demo.recipe import Recipe
from release_builder.demo.release import Release, lay_out, make_release
from release_builder.errors import Status
from release_builder.monitor import Monitor
from release_builder.state.history import open_history

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from release_builder.state.history import RecordedRun

_RECIPE: Final = Recipe(packages=8, largest=96 << 10)
_VERSIONS: Final = 6  # betas; after the last, its bytes change under the same names
_NOBODY: Final = "rsync://127.0.0.1:9/smeserver/"
_KEPT: Final = """
retain: {free: 0, images: 1}
publish: {root: public, preflight: off}
"""
_LEFT_OVER: Final = (".partial", ".tmp", ".~tmp~", ".new", "-journal")
_WEEK: Final = 8 * 86_400  # seconds, after which retention takes what was not finished
_UNREADY: Final = {Status.INCOMPLETE, Status.WRONG}  # what a broken mirror may end with


class Upstream:
    """A mirror.

    Attributes:
        release: The newest.
        images: The digests that the images of each name ever had.
        trees: What the trees of each version ever had, as ``files`` tells.
    """

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.release = make_release(folder, _RECIPE)
        self.images: dict[str, set[str]] = collections.defaultdict(set)
        self.trees: dict[str, list[dict[str, str]]] = collections.defaultdict(list)
        self._chance = chance
        self._undo: list[Callable[[], object]] = []
        self._changes = 0
        self._seconds = 0
        self._know()

    @property
    def is_whole(self) -> bool:
        return not self._undo

    @property
    def newest(self) -> str:
        """The digest of the newest image."""
        return digest(self.release.image)

    def change(self) -> str:
        """The next beta comes, or the last one changes."""
        self.mend()
        self._changes += 1
        if self._changes < _VERSIONS:
            self.release = next_release(self.release, f"9.0beta{3 + self._changes}")
        else:
            (self.release.tree / "images/install.img").write_bytes(noise(50_000, self._changes))
            recipe = dataclasses.replace(self.release.recipe, epoch=self._time())
            self.release = Release(self.release.folder, recipe)
            lay_out(self.release, Monitor())
        for folder in (self.release.tree, self.release.pair):
            set_times(folder, self._time())
        self._know()
        return f"changed to {self.release.recipe.version}"

    def damage(self) -> str:
        """Break it in one of the ways in which mirrors break."""
        package = self._chance.choice(self._packages())
        ways: dict[str, tuple[Path, bytes | None]] = {
            "no .jigdo": (self.release.jigdo, None),
            "no template": (self.release.template, None),
            "a template cut off": (self.release.template, self.release.template.read_bytes()[:999]),
            "a package lost": (package, None),
            "a package cut off": (package, package.read_bytes()[:-1]),
            "a package with other bytes": (package, noise(package.stat().st_size)),
            "wrong sums": (
                self.release.pair / "md5sum.txt",
                f"{'0' * 32}  {self.release.image.name}\n".encode(),
            ),
            "no sums": (self.release.pair / "md5sum.txt", None),
            "an empty tree": (self.release.tree, None),
            "no folder": (self.release.pair.parent.parent, None),
        }
        name = self._chance.choice(list(ways))
        place, instead = ways[name]
        stash = self.release.folder / "stash"
        place.rename(stash)
        if name == "an empty tree":
            place.mkdir()
            self._undo.append(place.rmdir)
        elif instead is not None:
            place.write_bytes(instead)
            os.utime(place, (self._time(), self._time()))
            self._undo.append(place.unlink)
        self._undo.append(lambda: stash.rename(place))
        return f"broken: {name}"

    def mend(self) -> str:
        for step in self._undo:
            step()
        self._undo.clear()
        return "mended"

    def _packages(self) -> list[Path]:
        """Those that the image has as parts: of others, nothing tells the right bytes."""
        raw = self.release.jigdo.read_bytes()
        text = (gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw).decode()
        folder = self.release.tree / "Packages"
        return [path for path in sorted(folder.iterdir()) if f":Packages/{path.name}\n" in text]

    def _time(self) -> int:
        """Another second for each change: rsync looks at no fractions."""
        self._seconds += 1
        return _RECIPE.epoch + self._seconds

    def _know(self) -> None:
        self.images[self.release.image.name].add(self.newest)
        self.trees[self.release.recipe.version].append(files(self.release.tree))


class Soak:
    """What follows the mirror."""

    def __init__(self, folder: Path, url: str, upstream: Upstream, chance: random.Random) -> None:
        self.folder = folder
        self.state = Path(os.environ["RELEASE_BUILDER_STATE"])
        self._url = url
        self._upstream = upstream
        self._chance = chance
        self._filler = folder / "filler"
        self._descriptor = folder / "sme.yaml"
        self._descriptor.write_text(
            f"track: testing/9\narch: x86_64\nmirror: {url}releases/\nworkdir: work{_KEPT}"
        )

    def calm(self) -> Ended:
        return self._refresh()

    def away(self) -> Ended:
        return self._refresh("--mirror", f"{_NOBODY}releases/")

    def late(self) -> Ended:
        return self._refresh("--deadline", f"{self._chance.choice([1, 1, 2])}s")

    def full(self) -> Ended:
        """Leave little room, or none."""
        room = os.statvfs(self.folder)
        left = self._chance.choice([0, 4 << 10, self._chance.randrange(2 << 20)])
        size = room.f_bavail * room.f_frsize - left
        with self._filler.open("wb") as out:
            if size > 0:
                os.posix_fallocate(out.fileno(), 0, size)
        try:
            return self._refresh()
        finally:
            self._filler.unlink()

    def killed_at_a_file(self) -> Ended:
        event = self._chance.randrange(1, 400)
        return killed_at(event, *self._arguments(), cwd=self.folder, watched=self.folder)

    def killed(self) -> Ended:
        return self._ended_by(signal.SIGKILL)

    def stopped(self) -> Ended:
        return self._ended_by(signal.SIGTERM)

    def runs(self) -> tuple[RecordedRun, ...]:
        with open_history(self.state, read_only=True) as history:
            assert not history.notes, history.notes
            return history.runs()

    def check(self) -> None:
        """Whether nothing wrong has a final name."""
        for image in (*self._images("work/image"), *self._images("public/testing")):
            assert digest(image) in self._upstream.images[image.name], image
        for sums in (self.folder / "public/testing").glob("[0-9]*/iso/x86_64/sha256sum.txt"):
            for line in sums.read_text().splitlines():
                expected, _, name = line.partition("  ")
                assert digest(sums.parent / name) == expected, sums.parent / name
        for tree in (self.folder / "public/testing").glob("[0-9]*.*/smeos/x86_64"):
            known, found = self._upstream.trees[tree.parent.parent.name], files(tree)
            # Without preflight, what a mirror lost may be missing; what is there is right.
            assert any(found.items() <= each.items() for each in known), tree
        if (link := self.folder / "public/testing/9").is_symlink():
            assert link.is_dir(), link

    def check_success(self) -> None:
        """Whether the newest is here and public, and the history says the same."""
        name = self._upstream.release.image.name
        public = self.folder / "public/testing/9/iso/x86_64" / name
        run = self.runs()[0]
        assert run.status == Status.DONE
        assert run.image_size == Path(run.image).stat().st_size
        assert Path(run.image) == self.folder / "work/image" / name
        assert {digest(Path(run.image)), digest(public)} == {self._upstream.newest}
        tree = self.folder / "public/testing/9/smeos/x86_64"
        assert files(tree) == files(self._upstream.release.tree)

    def settle(self) -> None:
        """Let a week pass over what was not finished, and see that all is right in the end."""
        past = time.time() - _WEEK
        for path in (self.folder / "work/image").glob("*.partial"):
            os.utime(path, (past, past))
        assert said(self.calm()) == (Status.DONE, "", "")
        self.check()
        self.check_success()
        left = [path for path in self.folder.rglob("*") if path.name.endswith(_LEFT_OVER)]
        left += (self.folder / "public").glob("**/next")
        assert not left, left
        told = release_builder("status", "--max-age", "1h", self._descriptor, cwd=self.folder)
        assert told.status == Status.DONE, told

    def _images(self, below: str) -> Iterator[Path]:
        return (path for path in (self.folder / below).rglob("*.iso") if path.is_file())

    def _arguments(self, *more: str) -> tuple[str, ...]:
        return ("refresh", "--no-splay", *more, str(self._descriptor))

    def _refresh(self, *more: str) -> Ended:
        return release_builder(*self._arguments(*more), cwd=self.folder)

    def _ended_by(self, number: signal.Signals) -> Ended:
        argv = [*PROGRAM, *self._arguments()]
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(self._chance.uniform(0.1, 2.5))
            process.send_signal(number)
            out, err = process.communicate()
            return Ended(process.returncode, out, err)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def files(tree: Path) -> dict[str, str]:
    """The digest of each file below ``tree``."""
    return {str(path.relative_to(tree)): digest(path) for path in tree.rglob("*") if path.is_file()}


def said(ended: Ended) -> tuple[int, str, str]:
    """What a run that went well may say is news only, and that the one before was killed."""
    news = "\n".join(line for line in ended.stdout.splitlines() if " followed " not in line)
    killed = re.compile(r"warning: the refresh of .* was killed, or the machine went down")
    wrong = "\n".join(line for line in ended.stderr.splitlines() if not killed.fullmatch(line))
    return ended.status, news, wrong


def soak(folder: Path, seed: int, rounds: int) -> collections.Counter[str]:
    """Refresh so many times; how often each thing happened, and how the runs ended."""
    chance, seen = random.Random(seed), collections.Counter[str]()
    upstream = Upstream(folder / "upstream", chance)
    with rsync_daemon(upstream.release.mirror) as url:
        follower = Soak(folder / "disk", url, upstream, chance)
        for number in range(rounds):
            happened = _upstream_lives_on(upstream, chance)
            way = chance.choices(*zip(*_ways(follower), strict=True))[0]
            ended = way()
            line = f"{number}: {happened or 'as before'}, {way.__name__}: {ended.status}"
            say("\n    ".join((line, *ended.stderr.splitlines()[:4])))
            seen.update(filter(None, (happened, way.__name__, f"status {ended.status}")))
            # A signal that comes while Python forks is told of and forgotten; nothing mends that.
            if way != follower.stopped or "Exception ignored in" not in ended.stderr:
                assert "Traceback" not in ended.stderr, ended.stderr
            assert ended.status in _allowed(follower, way, upstream), ended.stderr
            follower.check()
            if way == follower.calm and upstream.is_whole:
                assert said(ended) == (Status.DONE, "", ""), ended
            if ended.status == Status.DONE and upstream.is_whole and way != follower.full:
                follower.check_success()
        upstream.mend()
        follower.settle()
        seen["runs recorded"] = len(follower.runs())
    return seen


def _upstream_lives_on(upstream: Upstream, chance: random.Random) -> str:
    fate = chance.random()
    if not upstream.is_whole:
        return upstream.mend() if fate < 0.5 else ""
    if fate < 0.2:
        return upstream.change()
    return upstream.damage() if fate < 0.45 else ""


def _ways(soak: Soak) -> list[tuple[Callable[[], Ended], int]]:
    return [
        (soak.calm, 8),
        (soak.away, 2),
        (soak.late, 2),
        (soak.full, 4),
        (soak.killed_at_a_file, 4),
        (soak.killed, 3),
        (soak.stopped, 2),
    ]


def _allowed(soak: Soak, way: Callable[[], Ended], upstream: Upstream) -> set[int]:
    """The statuses with which a run may end."""
    of_way: dict[Callable[[], Ended], set[int]] = {
        soak.away: {Status.INCOMPLETE},
        soak.late: {Status.INCOMPLETE},
        soak.full: {Status.SURROUNDINGS},
        soak.killed_at_a_file: {-signal.SIGKILL},
        soak.killed: {-signal.SIGKILL},
        soak.stopped: {Status.INTERRUPTED, -signal.SIGTERM},
    }
    expected: set[int] = {Status.DONE, *of_way.get(way, ())}
    return expected if upstream.is_whole else expected | _UNREADY


def main() -> None:
    folder, seed, rounds = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    os.environ["RELEASE_BUILDER_STATE"] = str(folder / "disk" / "state")
    seen = soak(folder, seed, rounds)
    say(json.dumps({"seed": seed, "rounds": rounds, **dict(sorted(seen.items()))}))


if __name__ == "__main__":
    main()
