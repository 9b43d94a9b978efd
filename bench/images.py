"""An image repository, made by ours and by the programs that the original runs.

Theirs run one after another on the same files: three digests of every file, a signature of each
source, a delta of each pair. Ours also reads puavo-conf, proves each delta, and publishes.
"""

from __future__ import annotations

import os
import random
import shlex
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_OURS: Final = (str(Path(sys.executable).with_name("release-builder")), "images")
_NAME: Final = "puavo-os-bench-bookworm-2024-0{}-01-120000-amd64.img"
_FILE: Final = 5_000_000  # bytes of each file inside
_BLOCKS: Final[tuple[tuple[str, list[str]], ...]] = (
    ("2024", ["--block-size=128"]),
    ("seed", []),
)  # --compat, rdiff's options
_TARGETS: Final = 3


@dataclass(frozen=True, slots=True)
class Figures:
    """What a run took.

    Attributes:
        cpu: Seconds of all its processes together.
        wall: Seconds.
        megabytes: Peak memory of its processes together, in 10^6 bytes.
    """

    cpu: float
    wall: float
    megabytes: float


def compare(root: Path, megabytes: int, runs: int) -> None:
    """One pair both ways, five images, and five that have not changed.

    Args:
        root: For images and mirrors.
        megabytes: Of each image.
        runs: How often each is measured, in turn.
    """
    images = _make_images(root / f"images-{megabytes}", megabytes, 5)
    for compat, options in _BLOCKS:
        for count in (2, 5):
            folder = _linked(root / f"image-dir-{count}", images[:count])
            theirs, ours = root / "theirs", root / "ours"
            script = "\n".join(_script(folder, theirs, options))
            update = [*_OURS, "update", "-q", "-r", "bench", "--compat", compat]
            argv = [*update, str(folder), str(ours)]
            taken: dict[str, list[Figures]] = {}
            for _ in range(runs):
                _empty(theirs, ours)
                taken.setdefault("theirs", []).append(_measure(["sh", "-ec", script]))
                taken.setdefault("ours", []).append(_measure(argv))
                taken.setdefault("ours, nothing changed", []).append(_measure(argv))
            subprocess.run([*_OURS, "verify", "-q", str(ours)], check=True)
            _print(f"{count} images of {megabytes:,} MB, --compat {compat}", taken, runs)
            _empty(theirs, ours)


def _script(folder: Path, mirror: Path, options: Sequence[str]) -> Iterator[str]:
    images = sorted(folder.iterdir())
    for image in images:
        yield from _sums(image, mirror)
    for old in images:
        signature = mirror / f"{old.name}.signature"
        yield shlex.join(["rdiff", *options, "signature", str(old), str(signature)])
        for new in images[-_TARGETS:]:
            if new != old:
                delta = mirror / f"{old.stem}--{new.stem}.rdiff"
                yield shlex.join(["rdiff", "delta", str(signature), str(new), str(delta)])
                yield from _sums(delta, mirror)


def _sums(path: Path, mirror: Path) -> Iterator[str]:
    for program in ("cksum", "sha256sum", "sha512sum"):
        out = mirror / f"{path.name}.{program}"
        yield f"{program} {shlex.quote(str(path))} > {shlex.quote(str(out))}"


def _print(title: str, taken: dict[str, list[Figures]], runs: int) -> None:
    print(f"\n{title}; median of {runs} runs in turn")
    print(f"{'':<28}{'CPU s':>9}{'times':>8}{'wall s':>9}{'times':>8}{'peak MB':>9}")
    first: Figures | None = None
    for name, figures in taken.items():
        cpu, wall, size = (
            median(getattr(each, field) for each in figures)
            for field in ("cpu", "wall", "megabytes")
        )
        first = first or Figures(cpu, wall, size)
        print(
            f"{name:<28}{cpu:>9.2f}{cpu / first.cpu:>8.2f}"
            f"{wall:>9.2f}{wall / first.wall:>8.2f}{size:>9.0f}"
        )


def _measure(argv: Sequence[str]) -> Figures:
    started, before = time.monotonic(), os.times()
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = max(peak, _memory_below(process.pid))
        time.sleep(0.05)
    wall, after = time.monotonic() - started, os.times()
    if process.returncode:
        raise SystemExit(f"{shlex.join(argv)[:200]} ended with status {process.returncode}")
    cpu = after.children_user + after.children_system
    return Figures(cpu - before.children_user - before.children_system, wall, peak / 1e6)


def _memory_below(process: int) -> int:
    """The memory of a process and of all that it started, in bytes."""
    parents: dict[int, int] = {}
    sizes: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError, ValueError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            parents[int(folder.name)] = int(fields[1])
            sizes[int(folder.name)] = int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    return sum(size for each, size in sizes.items() if process in _line(each, parents))


def _line(process: int, parents: dict[int, int]) -> Iterator[int]:
    while process:
        yield process
        process = parents.get(process, 0)


def _make_images(folder: Path, megabytes: int, count: int) -> list[Path]:
    """Images that differ as a month's updates do: in some files, here and there."""
    images = [folder / _NAME.format(month + 1) for month in range(count)]
    if all(image.exists() for image in images):
        return images
    tree = folder / "tree"
    shutil.rmtree(folder, ignore_errors=True)
    definitions = tree / "usr/share/puavo-conf/definitions"
    definitions.mkdir(parents=True)
    (definitions / "bench.json").write_text('{"puavo.bench": {"default": "true"}}')
    own = random.Random(7)
    files = [tree / f"{number:04}" for number in range(megabytes * 10**6 // _FILE)]
    for file in files:
        file.write_bytes(own.randbytes(_FILE))
    for image in images:
        _pack(tree, image)
        for file in own.sample(files, max(1, len(files) // 5)):
            data = bytearray(file.read_bytes())
            at = own.randrange(len(data))
            data[at : at + own.randrange(100_000)] = own.randbytes(own.randrange(100_000))
            file.write_bytes(data)
    shutil.rmtree(tree)
    return images


def _pack(tree: Path, image: Path) -> None:
    # Noise does not compress; to try would only take time.
    options = ["-noI", "-noD", "-noF", "-noX", "-no-xattrs", "-no-progress", "-quiet"]
    subprocess.run(["mksquashfs", str(tree), str(image), "-all-root", *options], check=True)


def _linked(folder: Path, images: Sequence[Path]) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for image in images:
        (folder / image.name).hardlink_to(image)
    return folder


def _empty(*folders: Path) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
