"""The targets: modules of ``targets/``, each with good inputs and one function."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Iterable

_FOLDER = Path(__file__).parent / "targets"


class Target(Protocol):
    """A reader of bytes from outside."""

    def seeds(self) -> Iterable[bytes]:
        """Good inputs, and bad ones that lead far."""

    def one_input(self, content: bytes) -> None:
        """Read ``content``; an exception that leaves this is a finding."""


def names() -> list[str]:
    """Of all targets."""
    return sorted(path.stem for path in _FOLDER.glob("[a-z]*.py"))


def load(name: str) -> Target:
    """The target called ``name``."""
    return cast("Target", importlib.import_module(f"fuzz.targets.{name}"))


def write_corpus(target: Target, folder: Path) -> None:
    """Write the seeds of ``target`` into ``folder``, a file each."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (folder / f"seed-{number:03}").write_bytes(seed)
