"""What the packages' own interpreter costs: its start, and the rates of its digests."""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Final

from rpm.interpreter import built
from rpm.packages.application import make_application, wheels
from rpm.packages.kinds import ARCHES

_SYSTEM: Final = "/usr/bin/python3"
_PROGRAM: Final = (
    "import sys; sys.path.append(sys.argv.pop(1));"
    "from release_builder.cli import main; sys.exit(main())"
)
_RATE: Final = (
    "import hashlib, sys, time; data = bytes(1 << 28); began = time.perf_counter();"
    "getattr(hashlib, sys.argv[1])(data); print(len(data) / (time.perf_counter() - began) / 1e6)"
)


def compare(runs: int) -> None:
    """Starts in milliseconds, digests in MB a second; the system's Python stands first."""
    pythons = {arch: built(arch, say=print) / "bin/python3" for arch in sorted(ARCHES)}
    with tempfile.TemporaryDirectory() as folder:
        commands = {"system python -c pass": [_SYSTEM, "-c", "pass"]}
        for arch, python in pythons.items():
            zipped = Path(folder, f"{arch}.zip")
            make_application(zipped, python, 0x5F000000, wheels())
            program = [str(python), "-IB", "-c", _PROGRAM, str(zipped)]
            commands |= {
                f"{arch} python -c pass": [str(python), "-IB", "-c", "pass"],
                f"{arch} release-builder --version": [*program, "--version"],
                f"{arch} release-builder build --help": [*program, "build", "--help"],
            }
        print(f"\nstart; median of {5 * runs} runs in turn\n{'':<44}{'ms':>9}")
        for name, seconds in _starts(commands, 5 * runs).items():
            print(f"{name:<44}{1000 * seconds:>9.0f}")
    print(f"\ndigests; best of {runs} runs{'':<19}{'md5':>9}{'sha256':>9}  MB a second")
    for name, python in {"system": Path(_SYSTEM), **pythons}.items():
        md5, sha256 = (_rate(python, digest, runs) for digest in ("md5", "sha256"))
        print(f"{name:<44}{md5:>9.0f}{sha256:>9.0f}")


def _starts(commands: dict[str, list[str]], runs: int) -> dict[str, float]:
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, argv in commands.items():
            began = time.perf_counter()
            subprocess.run(argv, check=True, capture_output=True)
            taken[name].append(time.perf_counter() - began)
    return {name: median(seconds) for name, seconds in taken.items()}


def _rate(python: Path, digest: str, runs: int) -> float:
    argv = [str(python), "-c", _RATE, digest]
    said = [subprocess.run(argv, check=True, capture_output=True).stdout for _ in range(runs)]
    return max(map(float, said))
