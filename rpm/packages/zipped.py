"""Packs folders of modules into one zip that Python imports from; run by the packages' own Python.

usage: python3 -PsB zipped.py ZIP NAME EPOCH FOLDER…

Only the standard library: the interpreter that will read the zip has nothing else. NAME is where
the zip will lie, for tracebacks; EPOCH is the date of its members, in seconds since 1970.
"""

from __future__ import annotations

import importlib.util
import marshal
import sys
import time
import zipfile
from pathlib import Path

# For compilers and checkers of types, and parts that no static interpreter can load.
_LEFT_OUT = {".so", ".pyi", ".pyx", ".pxd", ".c", ".h", ".typed", ".pyc"}


def members(folder: Path, name: str) -> dict[str, bytes]:
    """What is below ``folder``, modules compiled: by name in the zip."""
    found = {}
    for path in sorted(folder.rglob("*")):
        inside = str(path.relative_to(folder))
        if path.is_dir() or path.suffix in _LEFT_OUT or ".dist-info/" in inside:
            continue
        if path.suffix == ".py":
            found[f"{inside}c"] = _compiled(path.read_bytes(), f"{name}/{inside}")
        else:
            found[inside] = path.read_bytes()
    return found


def _compiled(source: bytes, name: str) -> bytes:
    """Source: PEP 552; flags 1: by digest of the source, which is not looked at again."""
    code = compile(source, name, "exec", dont_inherit=True)
    digest = importlib.util.source_hash(source)
    return importlib.util.MAGIC_NUMBER + b"\1\0\0\0" + digest + marshal.dumps(code)


def write(out: Path, found: dict[str, bytes], epoch: int) -> None:
    """Write the zip: same members, same bytes. They are stored: Python reads them faster so."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(found):
            info = zipfile.ZipInfo(name, time.gmtime(epoch)[:6])
            info.external_attr = 0o100644 << 16
            archive.writestr(info, found[name])


def main(argv: list[str]) -> None:
    """Do what the usage says."""
    out, name, epoch, *folders = argv
    found: dict[str, bytes] = {}
    for folder in sorted(folders):
        found |= members(Path(folder), name)
    write(Path(out), found, int(epoch))


if __name__ == "__main__":
    main(sys.argv[1:])
