"""The command line: the only place that prints or sets the exit status.

Nothing is imported here: jigdo_file shares this package, and must start fast and stay small.
"""

from __future__ import annotations

import importlib
import sys


def main() -> None:
    """Run the command that ``sys.argv`` names and end the process with its status."""
    try:
        commands = importlib.import_module("release_builder.cli.commands")
    except KeyboardInterrupt:  # that early nothing was begun
        sys.exit(130)
    commands.main()
