"""The user's own command, which gets the report."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from release_builder import process
from release_builder.errors import SurroundingsError, printable
from release_builder.telling.bounded import run_bounded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_builder.telling import Occasion


def run_hook(command: str, occasion: Occasion, document: Mapping[str, Any]) -> None:
    """Run ``command`` with ``document`` as JSON on its stdin.

    Args:
        command: Words as a shell would split them.
        occasion: Why; see ``hook_environment``.
        document: The report.

    Raises:
        SurroundingsError: It is missing, failed, or took too long.
    """
    argv = shlex.split(command)
    stdin = json.dumps(document, indent=2, default=str).encode() + b"\n"
    env = process.environment(hook_environment(occasion, document))
    ended = run_bounded(argv, stdin, env)
    if ended.status:
        raise SurroundingsError(
            f"notify: the command {printable(argv[0])} failed with status {ended.status}"
            + (f": {ended.words}" if ended.words else ""),
            hint="run it by hand with the output of --json on its stdin",
        )
    if ended.status is None:
        raise SurroundingsError(
            f"notify: the command {printable(argv[0])} took too long and was stopped",
            hint="let it end within a minute",
        )


def hook_environment(occasion: Occasion, document: Mapping[str, Any]) -> dict[str, str]:
    """What the command is told besides the report: variables named ``RELEASE_BUILDER_*``.

    Of a report of several releases these are the first one's, and all arches.
    """
    releases = document.get("releases", ())
    first = releases[0] if releases else {}
    told = {
        "OCCASION": occasion.value,
        "STATUS": document.get("exit_status", 0),
        "COMMAND": document.get("command", ""),
        **{name.upper(): first.get(name, "") for name in ("descriptor", "product", "version")},
        "ARCH": " ".join(dict.fromkeys(release["arch"] for release in releases)),
    }
    return {f"RELEASE_BUILDER_{name}": str(value) for name, value in told.items()}
