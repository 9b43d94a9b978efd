"""Runs release-builder and kills it, as ``kill -9`` would, at a chosen moment.

usage: killer.py FOLDER N ARGUMENT...     (N counts what is opened or changed below FOLDER)
"""

from __future__ import annotations

import os
import runpy
import signal
import sys

_TOUCHES = {"open", "os.rename", "os.remove", "os.truncate", "os.mkdir"}


def main() -> None:
    folder, at = sys.argv[1], int(sys.argv[2])
    seen = 0

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        place = "" if not arguments else str(arguments[0])
        if event in _TOUCHES and (event == "os.truncate" or place.startswith(folder)):
            seen += 1
            if seen == at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    sys.argv = ["release-builder", *sys.argv[3:]]
    runpy.run_module("release_builder", run_name="__main__")


main()
