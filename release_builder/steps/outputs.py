"""Outputs that must not destroy what is read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from release_builder.errors import DescriptorError, SurroundingsError, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from release_builder.jigdo.input_files import InputFile


def without_image(
    files: Sequence[InputFile], image: Path | BinaryIO, outputs: Sequence[Path]
) -> tuple[InputFile, ...]:
    """``files`` without the image, which is no part of itself.

    Raises:
        DescriptorError: One of them is an output.
    """
    for output in outputs:
        for file in _names_of(output, files):
            raise DescriptorError(f"{printable(file.path)} is to be a part and to be replaced")
    if not isinstance(image, Path):
        return tuple(files)
    same = {file.path for file in _names_of(image, files)}
    return tuple(file for file in files if file.path not in same)


def _names_of(path: Path, files: Sequence[InputFile]) -> Iterator[InputFile]:
    """Those of ``files`` that are the file at ``path``."""
    if path.exists():
        status = path.stat()
        for file in files:
            if file.size == status.st_size and path.samefile(file.path):
                yield file


def check_outputs(template: Path, jigdo: Path, image: Path | BinaryIO, *, force: bool) -> None:
    """See that the three are three files, and that nothing is replaced unasked.

    Raises:
        DescriptorError: Two are the same file.
        SurroundingsError: One is there already.
    """
    paths = [os.path.realpath(path) for path in (template, jigdo, image) if isinstance(path, Path)]
    if len(set(paths)) < len(paths):
        raise DescriptorError("the image, its template and its .jigdo must be three files")
    for path in (template, jigdo):
        check_replaceable(path, force=force)


def check_replaceable(path: Path, *, force: bool) -> None:
    """See that nothing stands at ``path``, or with ``force`` nothing but a file or link.

    Raises:
        SurroundingsError: Something does.
    """
    if not os.path.lexists(path):
        return
    # Whoever names a link to a pipe or device (as /dev/stdout is) means what it leads to.
    plain_link = path.is_symlink() and (path.is_dir() or not path.exists())
    replaceable = path.is_file() or plain_link
    if not replaceable or path.parent == Path("/dev"):
        what = "and is no file that could be replaced"
        raise SurroundingsError(
            f"{printable(str(path))} is there already, {what}", hint="name another file"
        )
    if not force:
        raise SurroundingsError(
            f"{printable(str(path))} is there already",
            hint="delete it, name another file, or say --force",
        )
