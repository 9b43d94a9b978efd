"""Keys that soon cannot sign any longer: their owner has to prolong them before that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from release_builder.trust.gpg_keys import day_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from release_builder.trust.gpg_keys import Key

PROLONG: Final = "its owner has to prolong it; then put the new file in its place"
NOTICE: Final = 30 * 86_400  # seconds before a key ends that it is told


def ending_soon(keys: Iterable[Key], now: float) -> Iterator[str]:
    """Which of ``keys`` end within NOTICE, one sentence each; of ended ones signatures tell.

    Args:
        keys: As a keyring has them.
        now: Seconds since 1970.
    """
    for key in keys:
        ends = min((each for each in (key.expires, key.signs_until) if each), default=None)
        if ends and key.signs and now < ends <= now + NOTICE:
            yield f"the key of {key.signer} ends on {day_of(ends)}"
