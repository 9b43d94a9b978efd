"""An image that may come from anywhere, made seekable."""

from __future__ import annotations

import shutil
import stat
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from release_builder.digests import BLOCK
from release_builder.errors import DescriptorError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def opened_image(image: Path | BinaryIO, folder: Path) -> Iterator[BinaryIO]:
    """The image, seekable; a stream is copied into ``folder`` first, under no name."""
    if isinstance(image, Path) and not _is_stream(image):
        with image.open("rb", buffering=0) as stream:
            yield stream
        return
    with tempfile.TemporaryFile(dir=folder) as copy:
        if isinstance(image, Path):
            with image.open("rb") as source:
                shutil.copyfileobj(source, copy, BLOCK)
        else:
            shutil.copyfileobj(image, copy, BLOCK)
        yield copy


def _is_stream(image: Path) -> bool:
    mode = image.stat().st_mode
    if stat.S_ISDIR(mode):
        raise DescriptorError(f"{image} is a folder, not an image")
    return not (stat.S_ISREG(mode) or stat.S_ISBLK(mode))
