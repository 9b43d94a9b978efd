from __future__ import annotations

import pytest

from release_builder.trust.ending import NOTICE, ending_soon
from release_builder.trust.gpg_keys import Key, Signer

NOW = 1_600_000_000
PRINT = "A" * 40


@pytest.mark.parametrize(
    ("expires", "signs_until", "told"),
    [
        pytest.param(None, None, False, id="never"),
        pytest.param(NOW + NOTICE, None, True, id="in a month"),
        pytest.param(NOW + NOTICE + 1, None, False, id="later"),
        pytest.param(None, NOW + 1, True, id="its last subkey"),
        pytest.param(NOW + 2 * NOTICE, NOW + 1, True, id="its last subkey, before itself"),
        pytest.param(NOW, None, False, id="has ended"),
    ],
)
def test_keys_that_end_within_a_month_are_told(
    expires: int | None, signs_until: int | None, *, told: bool
) -> None:
    key = Key(
        Signer(PRINT, "Build"), (PRINT,), "u", 0, expires, signs=True, signs_until=signs_until
    )

    assert bool(list(ending_soon([key], NOW))) is told


def test_of_a_key_that_signs_no_longer_others_tell() -> None:
    key = Key(Signer(PRINT, "Build"), (PRINT,), "e", 0, NOW + 1, signs=False)

    assert list(ending_soon([key], NOW)) == []
