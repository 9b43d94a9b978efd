"""The files of the manual."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from release_builder.files import replacing
from release_builder.manual.bash import bash_completion
from release_builder.manual.click_commands import release_builder
from release_builder.manual.help_texts import PUAVO, jigdo_file, jigdo_lite, puavo
from release_builder.manual.pages import pages
from release_builder.manual.zsh import zsh_completion

if TYPE_CHECKING:
    from pathlib import Path


def write_manual(folder: Path, when: int | None) -> None:
    """Write manual pages and completion into ``folder``, as packages install them.

    ``man1/`` has the pages, ``bash/release-builder`` and ``zsh/_release-builder`` complete the
    program and its look-alikes. The same program and time give the same bytes.

    Args:
        folder: Made if it is not there.
        when: What the pages are dated, in seconds since 1970; None for today.

    Raises:
        OSError: A file cannot be written.
    """
    programs = (release_builder(), jigdo_file(), jigdo_lite(), *map(puavo, PUAVO))
    written = pages(programs, int(time.time()) if when is None else when)
    texts = {f"man1/{name}": text for name, text in written.items()}
    texts["bash/release-builder"] = bash_completion(programs)
    texts["zsh/_release-builder"] = zsh_completion(programs)
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as out:
            out.write(text.encode())
