"""Write sums files, as coreutils and pungi do; the inverse of trust.sums.

Sources: GNU coreutils, src/digest.c (lines and escapes); pungi's CHECKSUM (sizes in comments).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from release_builder.files import check_leaf

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Literal

    from release_builder.digests import Digest

_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r"})


def sums_text(
    entries: Iterable[tuple[str, int, Digest]], style: Literal["gnu", "bsd"] = "gnu"
) -> bytes:
    """A sums file, which md5sum and its sisters check with ``-c``.

    Args:
        entries: Name, size in bytes and digest of each file, in the order that is wanted.
        style: ``gnu``: ``DIGEST  NAME``; ``bsd``: ``SHA256 (NAME) = DIGEST`` after a comment
            that tells the size.

    Raises:
        WrongBytesError: A name leads into a folder, so that it would hold on one machine only.
    """
    line = {"gnu": _gnu_line, "bsd": _bsd_lines}[style]
    text = "".join(line(check_leaf(name), size, digest) for name, size, digest in entries)
    return text.encode("utf-8", "surrogateescape")


def _gnu_line(name: str, _size: int, digest: Digest) -> str:
    written = name.translate(_ESCAPES)
    start = "\\" * (written != name)
    return f"{start}{digest.hex}  {written}\n"


def _bsd_lines(name: str, size: int, digest: Digest) -> str:
    written = name.translate(_ESCAPES)
    # Comments know no escapes: a name that breaks the line has none.
    comment = "" if {"\n", "\r"} & set(name) else f"# {name}: {size} bytes\n"
    start = "\\" * (written != name)
    return f"{comment}{start}{digest.algorithm.upper()} ({written}) = {digest.hex}\n"
