"""One target below atheris, with libFuzzer's own arguments: ``python -m fuzz.one TARGET …``."""

from __future__ import annotations

import sys

import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore] # no dependency
from fuzz import registry


def main() -> None:
    """Fuzz, or run the inputs that are named."""
    name = sys.argv.pop(1)
    with atheris.instrument_imports(include=["release_builder"]):
        target = registry.load(name)
    atheris.Setup(sys.argv, target.one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
