"""Programs of today and ours, run on one hostile input each, in bounds; and what came of it.

Nothing is told in advance: what a run did is read from its exit status, its words and its folder.
"""

from __future__ import annotations

import hashlib
import os
import re
import signal
import stat
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bad_server import BadServer
from hostile import IMAGE, TWO
from hostile_cases import CONTROL, NAME, PLACE, SERVER
from hostile_programs import PROGRAMS, TREE

from release_builder.errors import printable

if TYPE_CHECKING:
    from hostile_cases import Case
    from hostile_programs import Program

_LONGEST_FILE: Final = 64 << 20  # bytes
_ADDRESSES: Final = 1 << 30  # bytes
_COMPLAINT: Final = re.compile(
    r"(?i)error|aaargh|invalid|upgrade|cannot|fail|no such|corrupt|match"
)
_MADE: Final = {
    "right": "right image",
    "wrong": "wrong image",
    "unlawful": "image of a pair that is wrong",
    "stray": "image with a file from outside",
    "kept": "what was there stays",
    "list": "right list",
    "other list": "another list",
}
_PROGRESS: Final = re.compile(r"[0-9]+%")
_BEFORE: Final = re.compile(
    r"^((Error|error|(release-builder )?[^ :]*(jigdo|jigit)[^ :]*( [a-z-]+)?): )+"
)
_DESCRIPTOR: Final = """version: 1.0
arch: x86_64
mirror: none/
workdir: .
servers: {Any: {beta: 'http://h/b/', final: 'http://h/f/'}}
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run.

    Attributes:
        program: Which.
        case: Of what.
        status: How it ended; None if it had to be stopped.
        made: A key of _MADE; empty if there is no image.
        outside: What changed outside the folder that it worked in.
        left: What it left there, and does not leave after a run that ends well.
        words: Of the first complaint.
    """

    program: Program
    case: Case
    status: int | None
    made: str
    outside: tuple[str, ...]
    left: tuple[str, ...]
    words: str

    @property
    def ended(self) -> str:
        """The class of what happened, in a few words."""
        status = self.status
        if status is None:
            said = f"never ends (stopped after {self.program.patience:.0f} s)"
        elif status < 0:
            name = signal.Signals(-status).name
            said = "fills the disk (stopped at 64 MiB)" if name == "SIGXFSZ" else f"crash ({name})"
        else:
            said = _MADE.get(self.made, "")
            if status:
                said = f"refused ({status}), {said}" if said else f"refused ({status})"
            elif self.made not in {"right", "list"}:
                said = f"{said or 'nothing'}, says 0"
        return f"{said}; CHANGED OUTSIDE: {' '.join(self.outside)}" if self.outside else said

    @property
    def text(self) -> str:
        """``ended``, what was complained of and what lies about."""
        words = f": {self.words}" if self.words and (self.status or not self.made) else ""
        left = f"; leaves {' '.join(self.left)}" if self.left else ""
        return f"{self.ended}{left}{words}"

    @property
    def is_bad(self) -> bool:
        """Whether a program may never end so, whatever the input."""
        wrong = self.status == 0 and self.made in {"wrong", "unlawful", "stray"}
        broken = self.status is None or not 0 <= self.status <= 75
        return wrong or broken or bool(self.outside)


def run_case(case: Case) -> list[Outcome]:
    """All programs that ``case`` says anything about, each in a folder of its own."""
    with ThreadPoolExecutor(4) as pool:  # most that do not end wait for something
        return list(pool.map(lambda each: run(each, case), _suited(case)))


def _suited(case: Case) -> list[Program]:
    return [each for each in PROGRAMS if each.suits(case)]


def run(program: Program, case: Case) -> Outcome:
    """What ``program`` makes of ``case``."""
    with tempfile.TemporaryDirectory(prefix="hostile-table.") as name:
        place = Path(name).resolve()
        files = {"/two": TWO, "/t.template": case.template}
        if case.part is not None:
            files["/one"] = case.part
        with BadServer(files) as server:
            _lay_out(place, case, server.url + "/")
            case.lay(place / "work", place / "work" / (program.image or "new.iso"))
            before = _contents(place)
            for _ in range(case.times - 1):
                _run(program, case, place, server.url + "/")
                (place / "work" / program.image).unlink(missing_ok=True)
            ended = _run(program, case, place, server.url + "/")
        return _judged(program, case, ended, place, before)


def _lay_out(place: Path, case: Case, url: str) -> None:
    work = place / "work"
    jigdo = case.jigdo.replace(SERVER.encode(), url.encode()).replace(PLACE.encode(), bytes(place))
    for folder in (work, work / "tree/iso/x86_64"):
        folder.mkdir(parents=True)
        (folder / "t.template").write_bytes(case.template)
        (folder / f"{NAME}.jigdo").write_bytes(jigdo)
    (work / TREE).mkdir(parents=True)
    (work / TREE / "two").write_bytes(TWO)
    if case.part is not None:
        (work / TREE / "one").write_bytes(case.part)
    (work / "any.yaml").write_text(_DESCRIPTOR)
    (place / "secret").write_bytes(IMAGE[1000:6000])
    (place / "home").mkdir()
    (place / "home/.jigdo-lite").write_text(case.settings)


@dataclass(frozen=True, slots=True)
class _Ended:
    status: int | None
    out: str
    err: str


def _run(program: Program, case: Case, place: Path, url: str) -> _Ended:
    options = case.options if "make-image" in program.argv else ()
    bounds = ["prlimit", f"--fsize={_LONGEST_FILE}", f"--as={_ADDRESSES}", "--core=0", "--"]
    out, err = place / "out", place / "err"
    with out.open("wb") as to_out, err.open("wb") as to_err:
        running = subprocess.Popen(
            [*bounds, *program.argv, *options],
            cwd=place / "work",
            env={
                **os.environ,
                "HOME": str(place / "home"),
                "RELEASE_BUILDER_STATE": str(place / "state"),
                "MALLOC_ARENA_MAX": "1",
                "LC_ALL": "C.UTF-8",
                "no_proxy": "127.0.0.1",
            },
            stdin=subprocess.DEVNULL,
            stdout=to_out,
            stderr=to_err,
            start_new_session=True,
        )
        status: int | None
        try:
            status = running.wait(program.patience)
        except subprocess.TimeoutExpired:
            status = None
        with suppress(ProcessLookupError):  # none of its own is left
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    return _Ended(status, _head(out).replace(url, SERVER), _head(err))


def _head(path: Path) -> str:
    with path.open("rb") as stream:
        return stream.read(1 << 20).decode("utf-8", "replace")


def _contents(place: Path) -> dict[str, str]:
    """All that lies in ``place``, by the path below it, and what shows that it changed."""
    found = {}
    for path in sorted(place.rglob("*")):
        status = path.lstat()
        shown = f"{status.st_ino} {status.st_mode}"
        if stat.S_ISREG(status.st_mode):
            with path.open("rb") as stream:
                shown = hashlib.file_digest(stream, "md5").hexdigest()
        found[str(path.relative_to(place))] = shown
    return found


def _judged(
    program: Program, case: Case, ended: _Ended, place: Path, before: dict[str, str]
) -> Outcome:
    after = _contents(place)
    changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    ours = ("work/", "work", "home/.jigdo-lite", "state", "out", "err")
    outside = tuple(name for name in changed if not name.startswith(ours))
    image = place / "work" / program.image
    usual = set() if case is CONTROL else _usual(program)
    left = [
        name.removeprefix("work/")
        for name in changed
        if name in after and name.startswith("work/") and name not in usual
    ]
    made = ""
    if program.image and image.is_file():
        made = _made(case, image.read_bytes(), kept=f"work/{program.image}" not in changed)
        left = [name for name in left if name != program.image]
    for name in [*left] if not made and program.image else ():
        path = place / "work" / name
        if path.is_file() and path.read_bytes() == IMAGE and case.image == IMAGE:
            made = "right"
            left[left.index(name)] = f"it as '{printable(name)}'"
    if not program.image and not ended.status:
        listed = {f"{SERVER}{name}" for name in ("one", "two")} <= set(ended.out.splitlines())
        made = "list" if listed else "other list"
    err, out = (said.replace(str(place), "…") for said in (ended.err, ended.out))
    words = _complaint(err, out)
    return Outcome(program, case, ended.status, made, outside, tuple(left), words)


@cache
def _usual(program: Program) -> frozenset[str]:
    """What lies there after a run that had nothing to complain of."""
    with_image = run(program, CONTROL)
    assert with_image.status == 0, with_image.text
    return frozenset(f"work/{name}" for name in with_image.left)


def _made(case: Case, content: bytes, *, kept: bool) -> str:
    if content == case.image:
        return "stray" if case.part is None else "right"
    if kept:
        return "kept"
    return "unlawful" if content == IMAGE else "wrong"


def _complaint(err: str, out: str) -> str:
    """The first line that looks like one, without the name of the program before it."""
    lines = [line for line in _lines(f"{err}\n{out}") if _COMPLAINT.search(line)]
    first = next(iter([*lines, *_lines(err)]), "")
    return _BEFORE.sub("", printable(first))


def _lines(said: str) -> list[str]:
    lines = (line.strip() for line in re.split("[\r\n]+", said))
    return [line for line in lines if line and not _PROGRESS.match(line)]
