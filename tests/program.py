"""The program as a user runs it: a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = (sys.executable, "-m", "release_builder")
KILLER = Path(__file__).with_name("killer.py")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run of the program ended."""

    status: int
    stdout: str
    stderr: str

    @property
    def document(self) -> dict[str, Any]:
        """What ``--json`` printed."""
        document = json.loads(self.stdout)
        assert isinstance(document, dict)
        return document

    def outcomes(self) -> dict[str, str]:
        """The outcome of each step of the first release."""
        return {step["step"]: step["outcome"] for step in self.document["releases"][0]["steps"]}

    def counts(self, step: str) -> dict[str, int]:
        """The counts of a step of the first release; of the last such step, if it ran twice."""
        steps = [each for each in self.document["releases"][0]["steps"] if each["step"] == step]
        counts: dict[str, int] = steps[-1]["counts"]
        return counts

    def messages(self) -> str:
        """All findings of the report, a line each."""
        releases = self.document.get("releases", [])
        steps = [step for release in releases for step in release["steps"]]
        places = [self.document, *steps]
        return "\n".join(
            finding["message"] for place in places for finding in place.get("findings", [])
        )


def release_builder(*arguments: str | Path, cwd: Path, env: dict[str, str] | None = None) -> Ended:
    """Run the program to its end."""
    return _run([*PROGRAM, *map(str, arguments)], cwd, env)


def killed_at(event: int, *arguments: str | Path, cwd: Path, watched: Path) -> Ended:
    """Run the program, and kill it as it is about to touch ``watched`` for the ``event``-th time."""
    killer = [sys.executable, str(KILLER), str(watched), str(event)]
    return _run([*killer, *map(str, arguments)], cwd, None)


def _run(argv: list[str], cwd: Path, env: dict[str, str] | None) -> Ended:
    ended = subprocess.run(
        argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    return Ended(
        ended.returncode,
        ended.stdout.decode("utf-8", "surrogateescape"),
        ended.stderr.decode("utf-8", "surrogateescape"),
    )
