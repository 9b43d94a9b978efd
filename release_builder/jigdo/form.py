"""How a template is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from release_builder.jigdo.template_writer import COMPRESSIONS, VERSIONS

_SHORTEST_BLOCK: Final = 256  # bytes, as in jigdo-file
_SMALLEST_LEVEL: Final = 9


@dataclass(frozen=True, slots=True)
class Form:
    """How a template is written.

    Attributes:
        algorithm: ``md5`` (format 1.2) or ``sha256`` (format 2.0).
        compression: ``gzip`` or ``bzip2``.
        level: 0 to 9, from fast to small.
        block_length: Bytes that each rsync sum covers; no part is shorter. At least 256.

    Raises:
        ValueError: One is none of these.
    """

    algorithm: str = "md5"
    compression: str = "gzip"
    level: int = 9
    block_length: int = 1024

    def __post_init__(self) -> None:
        if self.algorithm not in VERSIONS:
            raise ValueError(f"'{self.algorithm}' is no algorithm of templates: md5 or sha256")
        if self.compression not in COMPRESSIONS:
            raise ValueError(f"'{self.compression}' is no compression of templates: gzip or bzip2")
        if not 0 <= self.level <= _SMALLEST_LEVEL:
            raise ValueError(f"a level of {self.level} is not within 0 to 9")
        if self.block_length < _SHORTEST_BLOCK:
            raise ValueError(f"a block length of {self.block_length} bytes is below 256")
