"""The time that reproducible output carries.

Source: reproducible-builds.org, "SOURCE_DATE_EPOCH specification", version 1.1.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from release_builder.errors import DescriptorError, printable

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME: Final = "SOURCE_DATE_EPOCH"

_LAST: Final = 253_402_300_799  # 9999-12-31T23:59:59Z: no date of more digits can be written
_DIGITS: Final = re.compile(r"[0-9]{1,99}")


def source_date_epoch(environ: Mapping[str, str]) -> int | None:
    """The time that output shall carry in the place of now, in seconds since 1970.

    Args:
        environ: The environment of the user.

    Returns:
        Seconds; None where the variable is empty or not set.

    Raises:
        DescriptorError: It is no whole number, or of no year up to 9999.
    """
    text = environ.get(NAME, "")
    if not text:
        return None
    # int() would take blanks, signs and foreign digits, and stumbles over thousands of digits.
    if not _DIGITS.fullmatch(text) or int(text) > _LAST:
        raise DescriptorError(
            f"{NAME} is '{printable(text[:80])}': no time in seconds since 1970",
            hint=f"set it to a whole number from 0 to {_LAST}, or unset it",
        )
    return int(text)
