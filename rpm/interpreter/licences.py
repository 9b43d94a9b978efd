"""The licence of each thing that the interpreter holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rpm.interpreter.work import Work

# Component → its texts, from the work folder. CPython's list covers what it bundles (expat,
# libmpdec, Keccak, ...); zig gives musl and the compiler's run-time part.
_TEXTS: Final = {
    "bzip2": ("sources/bzip2/LICENSE",),
    "cpython": ("sources/python3.11/LICENSE", "sources/python3.11/Doc/license.rst"),
    "expat": ("sources/python3.11/Modules/expat/COPYING",),
    "musl": ("ziglang/ziglang/lib/libc/musl/COPYRIGHT",),
    "openssl": ("sources/openssl/LICENSE.txt",),
    "sqlite": ("sources/sqlite3/LICENSE.md",),
    "xz": ("sources/xz-utils/COPYING",),
    "zig": ("ziglang/ziglang/LICENSE",),
    "zlib": ("sources/zlib/LICENSE",),
}
NAMES: Final = tuple(f"{name}.txt" for name in sorted(_TEXTS))


def collect(work: Work) -> None:
    """Write licences/ below ``work.result``."""
    target = work.result / "licences"
    target.mkdir()
    for name, texts in _TEXTS.items():
        parts = [(work.folder / text).read_text("utf-8") for text in texts]
        (target / f"{name}.txt").write_text("\n\n".join(parts), "utf-8")
