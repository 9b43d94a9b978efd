"""The standard library: one zip of compiled modules, beside what CPython looks for.

Source: CPython 3.11, Modules/getpath.py (landmarks), PEP 273 (zips), PEP 552 (pyc files).
"""

from __future__ import annotations

import json
import time
import zipfile
from typing import TYPE_CHECKING, Final

from rpm.interpreter.cpython import SOURCE

if TYPE_CHECKING:
    from pathlib import Path

    from rpm.interpreter.work import Work

# For building, testing and drawing; for other systems; or for what cannot be loaded here.
_BALLAST: Final = frozenset(
    {
        *("__phello__", "_aix_support.py", "config-3.11", "ctypes", "curses", "distutils"),
        *("ensurepip", "idle_test", "idlelib", "lib2to3", "msilib", "pydoc_data", "site-packages"),
        *("test", "tests", "tkinter", "turtle.py", "turtledemo", "venv"),
    }
)

# Asked by zoneinfo; the rest of what stands there describes how it was built.
_SETTINGS: Final = {
    "TZPATH": "/usr/share/zoneinfo:/usr/lib/zoneinfo:/usr/share/lib/zoneinfo:/etc/zoneinfo"
}

# Runs in the new interpreter, since a pyc holds what one version of Python understands. One
# process and a fixed order: what is interned before decides on a few bytes of each pyc.
_COMPILE: Final = """\
import importlib._bootstrap_external as bootstrap, importlib.util, json, sys
with open(sys.argv[1]) as listed:
    jobs = json.load(listed)
for source, shown, target in jobs:
    with open(source, "rb") as file:
        text = file.read()
    code = compile(text, shown, "exec", dont_inherit=True, optimize=0)
    digest = importlib.util.source_hash(text)
    with open(target, "wb") as file:
        file.write(bootstrap._code_to_hash_pyc(code, digest, False))
"""


def build(work: Work) -> None:
    """Write lib/ below ``work.result``.

    Raises:
        SurroundingsError: The new interpreter cannot compile a module.
    """
    library, compiled = work.sources / SOURCE / "Lib", work.folder / "compiled"
    compiled.mkdir()
    _write_settings(work)
    names = sorted(
        path.relative_to(library).as_posix()
        for path in library.rglob("*.py")
        if not _BALLAST.intersection(path.relative_to(library).parts)
    )
    pieces = {f"{name}c": compiled / f"{number}.pyc" for number, name in enumerate(names)}
    jobs = [(str(library / name), f"python3.11/{name}", str(pieces[f"{name}c"])) for name in names]
    listed = work.folder / "compile.json"
    listed.write_text(json.dumps(jobs), "utf-8")
    _run(work, _COMPILE, str(listed))
    target = work.result / "lib" / "python3.11"
    (target / "lib-dynload").mkdir(parents=True)
    (target / "os.pyc").write_bytes(pieces["os.pyc"].read_bytes())
    write_zip(work.result / "lib" / "python311.zip", pieces, work.epoch)


def _write_settings(work: Work) -> None:
    name = _run(work, "import sysconfig; print(sysconfig._get_sysconfigdata_name())").strip()
    settings = work.sources / SOURCE / "Lib" / f"{name}.py"
    settings.write_text(f"build_time_vars = {_SETTINGS!r}\n", "utf-8")


def _run(work: Work, script: str, *arguments: str) -> str:
    place = {"PYTHONPATH": str(work.sources / SOURCE / "Lib"), "PYTHONDONTWRITEBYTECODE": "1"}
    argv = [str(work.result / "bin" / "python3"), "-S", "-c", script, *arguments]
    return work.run(work.folder, argv, place)


def write_zip(target: Path, pieces: dict[str, Path], epoch: int) -> None:
    """Write a zip that depends on nothing but the names and contents, and on ``epoch``.

    Stored, not deflated: an import is quicker, and the package is compressed as a whole.

    Args:
        target: The zip.
        pieces: Name in the zip → file.
        epoch: The date of all its members, in seconds since 1970.
    """
    date = time.gmtime(max(epoch, 315_532_800))[:6]  # a zip knows no year before 1980
    with zipfile.ZipFile(target, "w") as archive:
        for name in sorted(pieces):
            member = zipfile.ZipInfo(name, date)
            member.external_attr = 0o644 << 16
            archive.writestr(member, pieces[name].read_bytes())
