"""Runs release-builder and kills it, as ``kill -9`` would, at a chosen change of a file.

usage: killer.py FOLDER N ARGUMENT...     (N counts what would change something below FOLDER)
"""

from __future__ import annotations

import os
import runpy
import signal
import sys

_CHANGES = {"os.rename", "os.remove", "os.truncate", "os.mkdir", "os.symlink", "os.chmod"}


def main() -> None:
    folder, at = sys.argv[1], int(sys.argv[2])
    seen = 0

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        if event == "open":
            flags = arguments[2] if len(arguments) > 2 else 0
            changes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR) != 0
        else:
            changes = event in _CHANGES
        if changes and (event == "os.truncate" or str(arguments[0]).startswith(folder)):
            seen += 1
            if seen == at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    sys.argv = ["release-builder", *sys.argv[3:]]
    runpy.run_module("release_builder", run_name="__main__")


main()
