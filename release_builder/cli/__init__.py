"""The command line: the only place that prints or sets the exit status.

Nothing is imported here: jigdo_file shares this package, and must start fast and stay small.
"""

from __future__ import annotations

import importlib


def main() -> None:
    """Run the command that ``sys.argv`` names and end the process with its status."""
    importlib.import_module("release_builder.cli.commands").main()
