"""Every target of tests/fuzz holds for its seeds and for some thousand inputs near them."""

from __future__ import annotations

import time
from typing import Final

import pytest
from fuzz import registry
from fuzz.mutations import mutations

pytestmark = pytest.mark.slow

_SEED: Final = 1
_SECONDS: Final = 1.5
_MOST: Final = 4000  # inputs
_LEAST: Final = 20


@pytest.mark.parametrize("name", registry.names())
def test_a_reader_of_bytes_from_outside_keeps_its_word(name: str) -> None:
    target = registry.load(name)
    seeds = list(target.seeds())
    end = time.monotonic() + _SECONDS

    for number, content in enumerate(mutations(seeds, _SEED)):
        try:
            target.one_input(content)
        except BaseException as error:
            error.add_note(
                f"{name}, input {number} of seed {_SEED}: bytes.fromhex('{content.hex()}')"
            )
            raise
        if number >= _MOST or (time.monotonic() > end and number >= len(seeds) + _LEAST):
            break

    assert number >= len(seeds) + _LEAST
