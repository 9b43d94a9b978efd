"""Many who fetch a public release while other editions of it become public under the same name.

usage: public_load.py FOLDER SEED CLIENTS ROUNDS
"""

from __future__ import annotations

import collections
import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import threading
import time
import traceback
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from builders import noise
from program import PROGRAM
from publishing import Publisher
from web_server import serve

from release_builder.demo.recipe import Recipe
from release_builder.demo.release import Release, lay_out, make_release
from release_builder.monitor import Monitor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    _Work = Callable[["Public", Path, str, int], collections.Counter[str]]

_RECIPE: Final = Recipe(packages=8, largest=96 << 10)
_BETA: Final = "testing/9.0beta3/iso/x86_64/smeserver-9.0beta3-x86_64"
_FINAL: Final = "9.0/iso/x86_64/smeserver-9.0-x86_64"
_PATIENCE: Final = 300.0  # seconds for any one program
_PAUSE: Final = 0.1  # seconds, of who reads on and on: the cores are for the others
_RATES: Final = (30, 300)  # kB a second of a client: a release has about 1,000
_SLOW: Final = (60, 61)  # of one who is to see it change
_MORE: Final = 10  # rounds at most until somebody has
_CHANGED: Final = re.compile(r"published anew .*while|withdrawn while", re.DOTALL)
_THEIRS: Final = 2  # who run jigdo-lite
_THEIR_SECONDS: Final = "10"
_ARIA2C: Final = ["aria2c", "-q", "--no-conf", "--allow-overwrite", "-o"]


@dataclass
class Public:
    """What is public, and since when.

    Attributes:
        root: URL of the public root.
        last: How often something will have become public, about.
        times: For each name, what became public under it: the moments at which that began and had
            ended for certain, and the digest of the image.
        got: What was fetched: the name, the digest, when that began and ended.
        done: No more becomes public.
        changed: Somebody was told that what he fetches changed.
    """

    root: str
    last: int
    times: dict[str, list[tuple[float, float, str]]] = field(default_factory=dict)
    got: list[tuple[str, str, float, float]] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)
    changed: threading.Event = field(default_factory=threading.Event)

    @property
    def flips(self) -> int:
        """How often something became public."""
        return sum(map(len, self.times.values()))

    def became(self, name: str, since: float, image: str) -> None:
        """An image of that digest became public as ``name`` at some time after ``since``."""
        self.times.setdefault(name, []).append((since, time.monotonic(), image))

    def wrong(self) -> int:
        """How much of what was fetched was never public under its name meanwhile."""
        return sum(not self._was(*each) for each in self.got)

    def _was(self, name: str, image: str, begin: float, end: float) -> bool:
        known = self.times[name]
        ends = [*(over for _, over, _ in known[1:]), float("inf")]
        return any(
            image == each and since <= end and begin <= until
            for (since, _, each), until in zip(known, ends, strict=True)
        )


def editions(folder: Path, web: Publisher, count: int) -> Iterator[tuple[Path, str]]:
    """Releases of one name with other bytes: the descriptor of each, and its image's digest."""
    release = make_release(folder / "release", _RECIPE)
    for number in range(count):
        (release.tree / "images/install.img").write_bytes(noise(50_000, number))
        (release.tree / "images" / f"only-{number}.img").write_bytes(noise(30_000, number))
        (release.tree / "images" / f"only-{number - 1}.img").unlink(missing_ok=True)
        edition = Release(release.folder, replace(_RECIPE, epoch=_RECIPE.epoch + number))
        lay_out(edition, Monitor())
        place = folder / f"edition-{number}"
        place.mkdir()
        descriptor = replace(web, folder=place).prepare(edition)
        text = descriptor.read_text().replace("root: public\n", f"root: {web.root}\n")
        descriptor.write_text(text.replace("publish:\n", "publish:\n  preflight: off\n"))
        yield descriptor, digest(edition.image)


def make_public(public: Public, made: Sequence[tuple[Path, str]]) -> None:
    """Make each edition public as the beta, and that beta the final."""
    for descriptor, image in made:
        assert not public.done.is_set(), "somebody failed"
        for name, command in (
            (_BETA, ["publish"]),
            (_FINAL, ["promote", "--to", "9.0", "--same-image"]),
        ):
            since = time.monotonic()
            ended = _run([*PROGRAM, *command, descriptor.name], descriptor.parent)
            assert ended.returncode == 0, ended.stderr
            public.became(name, since, image)


def client(
    public: Public, folder: Path, name: str, seed: int, rates: tuple[int, int] = _RATES
) -> collections.Counter[str]:
    """Fetch an image until it is there, again where it changed meanwhile."""
    chance, seen = random.Random(seed), collections.Counter[str]()
    start = chance.choice([0, chance.randrange(public.last)])
    while public.flips < start and not public.done.is_set():
        time.sleep(0.05)
    image = folder / f"{name.rpartition('/')[2]}.iso"
    begin = time.monotonic()
    while not image.exists():
        rate = f"{chance.randrange(*rates)}k"
        argv = ["jigdo", "fetch", "--limit-rate", rate, "--connections", "2"]
        ended = _run(["nice", *PROGRAM, *argv, f"{public.root}{name}.jigdo"], folder)
        assert ended.returncode in {0, 1}, ended.stderr
        assert (ended.returncode == 0) == image.exists(), ended.stderr
        if ended.returncode:
            assert _CHANGED.search(ended.stderr), ended.stderr
            seen["changed"] += 1
            public.changed.set()
    public.got.append((name, digest(image), begin, time.monotonic()))
    seen["images"] += 1
    return seen


def jigdo_lite(public: Public, folder: Path, name: str, _seed: int) -> collections.Counter[str]:
    """The same with the real jigdo-lite, which may fail, or ask for what is gone for ever."""
    seen = collections.Counter[str]()
    while not public.done.is_set():
        out = folder / "lite"
        out.mkdir()
        bounded = ["timeout", "-k", "1", _THEIR_SECONDS, "jigdo-lite", "--noask"]
        begin = time.monotonic()
        _run([*bounded, f"{public.root}{name}.jigdo"], out)
        image = out / f"{name.rpartition('/')[2]}.iso"
        if image.exists():
            public.got.append((name, digest(image), begin, time.monotonic()))
        seen["images of jigdo-lite" if image.exists() else "failures of jigdo-lite"] += 1
        shutil.rmtree(out)
    return seen


def reader(
    argv: Sequence[str], public: Public, folder: Path, name: str, _seed: int
) -> collections.Counter[str]:
    """Read sums, a file of them, and the sums again: if these are the same, so is the file."""
    seen = collections.Counter[str]()
    url = f"{public.root}{name.rpartition('/')[0]}"
    leaves = [f"{name.rpartition('/')[2]}{end}" for end in (".jigdo", ".template", ".iso")]
    while not public.done.is_set():
        leaf = leaves[seen.total() % len(leaves)]
        got: list[bytes] = []
        for each in ("sha256sum.txt", leaf, "sha256sum.txt"):
            out = folder / "got"
            ended = _run(
                [*argv, str(out) if argv[0] == "wget" else out.name, f"{url}/{each}"], folder
            )
            got.append(out.read_bytes() if ended.returncode == 0 else b"")
            out.unlink(missing_ok=True)
        before, content, after = got
        if not before or before != after:
            seen["files changed"] += 1
        elif f"{hashlib.sha256(content).hexdigest()}  {leaf}\n".encode() in before:
            seen["files right"] += 1
        else:
            seen["files wrong"] += 1
        time.sleep(_PAUSE)
    return seen


def load(
    folder: Path, seed: int, clients: int, rounds: int
) -> tuple[collections.Counter[str], int]:
    """How many fetches ended how, and how many with wrong images."""
    root = folder / "public"
    root.mkdir()
    with serve(root, log=False) as web:
        coming = editions(folder, Publisher(folder, root, web), 1 + rounds + _MORE)
        made = list(islice(coming, 1 + rounds))
        public = Public(web.url, 2 * rounds)
        make_public(public, made[:1])
        work: list[_Work] = [client] * clients + [jigdo_lite] * _THEIRS
        work += [partial(reader, ["wget", "-q", "-O"]), partial(reader, _ARIA2C)]
        with ThreadPoolExecutor(len(work) + _MORE) as pool:

            def begin(each: _Work, number: int) -> Future[collections.Counter[str]]:
                place = _made(folder / f"user-{number}")
                return pool.submit(_watched, each, public, place, number, seed)

            ends = [begin(each, number) for number, each in enumerate(work)]
            more: list[Future[collections.Counter[str]]] = []
            try:
                make_public(public, made[1:])
                while not (public.changed.is_set() or all(each.done() for each in ends[:clients])):
                    time.sleep(0.1)
                for edition in coming:
                    if public.changed.is_set():
                        break
                    more.append(begin(partial(client, rates=_SLOW), len(work) + len(more)))
                    _wait_for_pair(folder / f"user-{len(work) + len(more) - 1}")
                    make_public(public, [edition])
                    more[-1].result()
            finally:
                public.done.set()
            seen = sum((each.result() for each in ends + more), collections.Counter[str]())
    seen += collections.Counter(clients=clients + len(more), flips=public.flips)
    return seen, public.wrong()


def _wait_for_pair(folder: Path) -> None:
    """Until somebody who fetches into ``folder`` has template and .jigdo, and goes on to parts."""
    end = time.monotonic() + _PATIENCE
    while not list(folder.glob("*.template")):
        assert time.monotonic() < end, "nothing came"
        time.sleep(0.05)


def _watched(
    work: _Work, public: Public, folder: Path, number: int, seed: int
) -> collections.Counter[str]:
    """Do ``work``; if it fails, all others end too."""
    try:
        return work(public, folder, (_BETA, _FINAL)[number % 2], seed * 1000 + number)
    except BaseException:
        traceback.print_exc()  # what the others then say would hide it
        public.done.set()
        raise


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _run(argv: Sequence[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=_PATIENCE,
    )


def main() -> None:
    folder, seed, clients, rounds = Path(sys.argv[1]), *map(int, sys.argv[2:])
    os.environ["RELEASE_BUILDER_STATE"] = str(folder / "state")
    began = time.monotonic()
    seen, wrong = load(folder, seed, clients, rounds)
    seconds = round(time.monotonic() - began)
    told = {"seed": seed, "seconds": seconds, "wrong": wrong, **dict(sorted(seen.items()))}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
