"""The folder ``config/images``: a file for each distribution."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from release_builder.errors import DescriptorError, printable
from release_builder.files import open_regular, read_bounded, replacing, sync_folder
from release_builder.repository.configuration import (
    check_apart,
    format_configuration,
    parse_configuration,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from release_builder.repository.configuration import Compat, Configuration

_MOST_BYTES: Final = 16 << 20


def read_configurations(folder: Path) -> tuple[Configuration, ...]:
    """What the files of ``folder`` tell, by distribution.

    Raises:
        DescriptorError: There is none, one cannot be meant, or two tell of one series.
        OSError: One cannot be read.
    """
    paths = sorted(path for path in folder.glob("*.json") if not path.name.startswith("."))
    if not paths:
        raise DescriptorError(
            f"{printable(str(folder))}: no configuration",
            hint="without --no-config it is made of the images that there are",
        )
    configurations = tuple(parse_configuration(_text(path), path) for path in paths)
    check_apart(configurations)
    return configurations


def write_configurations(
    folder: Path, configurations: Sequence[Configuration], compat: Compat
) -> None:
    """Let ``folder`` tell of ``configurations`` and of no other distribution.

    Raises:
        DescriptorError: The form of ``compat`` cannot tell it.
        OSError: A file cannot be written.
    """
    texts = {f"{told.dist}.json": format_configuration(told, compat) for told in configurations}
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        with replacing(folder / name) as out:
            out.write(text.encode())
    for path in folder.glob("*.json"):
        if path.name not in texts:
            path.unlink()
    sync_folder(folder)


def _text(path: Path) -> str:
    with open_regular(path) as stream:
        content = read_bounded(stream, _MOST_BYTES, printable(os.fspath(path)))
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise DescriptorError(f"{printable(str(path))}: not UTF-8") from error
