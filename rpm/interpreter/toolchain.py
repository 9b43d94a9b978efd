"""The compiler: zig from PyPI, under the names that configure scripts ask for."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING, Final

from release_builder.errors import SurroundingsError
from rpm.interpreter.work import network

if TYPE_CHECKING:
    from pathlib import Path

    from rpm.interpreter.work import Work

_REQUIREMENT: Final = "ziglang.txt"

# zig knows no --print-multiarch, and CPython's configure believes any answer; zig turns the
# sanitizer of undefined behaviour on where no -O is given, and refuses __DATE__ unless told.
_COMPILER: Final = """\
#!/bin/sh
case " $* " in *" --print-multiarch "*) exit 1 ;; esac
exec {zig} cc -target {target} {options} -O2 -Wno-date-time -ffile-prefix-map={folder}=/build "$@"
"""
_COMPANION: Final = '#!/bin/sh\nexec {zig} {name} "$@"\n'


def version(scripts: Path) -> str:
    """The pinned version of ziglang."""
    return (scripts / _REQUIREMENT).read_text("utf-8").split()[0].partition("==")[2]


def install(work: Work, scripts: Path) -> None:
    """Put zig into the work folder, and the names of a compiler into ``work.programs``.

    Args:
        work: The build.
        scripts: The folder with ziglang.txt: version and digest.

    Raises:
        SurroundingsError: pip is missing, or cannot reach PyPI.
    """
    packages = work.folder / "ziglang"
    try:
        work.run(
            work.folder,
            [
                *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
                *("--no-deps", "--only-binary", ":all:", "--require-hashes"),
                *("--target", str(packages), "--requirement", str(scripts / _REQUIREMENT)),
            ],
            network(),
        )
    except SurroundingsError as error:
        error.hint += "\nthe compiler comes from PyPI: pip must reach it, on x86_64"
        raise
    zig = shlex.quote(str(packages / "ziglang" / "zig"))
    work.programs.mkdir()
    _write(
        work.programs / "cc",
        _COMPILER.format(
            zig=zig,
            target=work.arch.target,
            options=" ".join(work.arch.options),
            folder=shlex.quote(str(work.folder)),
        ),
    )
    for name in ("ar", "ranlib"):
        _write(work.programs / name, _COMPANION.format(zig=zig, name=name))


def _write(path: Path, script: str) -> None:
    path.write_text(script, "utf-8")
    path.chmod(0o755)
