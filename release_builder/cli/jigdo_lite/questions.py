"""The questions: where the .jigdo is, where parts may lie, which Debian mirror is near."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.errors import (
    DescriptorError,
    ReleaseBuilderError,
    printable,
    surroundings,
    without_users,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from release_builder.cli.jigdo_lite.dialogue import Dialogue
    from release_builder.cli.jigdo_lite.offered import Offered
    from release_builder.cli.jigdo_lite.settings import Settings, SettingsFile
    from release_builder.jigdo.location import JigdoFile

# Label of [Parts] → the field of Settings that has its mirror
_MIRRORS: Final = {"Debian": "debian_mirror", "Non-US": "non_us_mirror"}
_COUNTRY: Final = re.compile("[A-Za-z]{2}")


def ask_jigdo(dialogue: Dialogue, file: SettingsFile) -> list[str]:
    """The .jigdo files that are wanted.

    Raises:
        DescriptorError: Nobody names one.
    """
    dialogue.text(
        "Which .jigdo file? Its URL, or its path on this machine; or several, with blanks between."
    )
    answer = dialogue.ask("jigdo", file.settings.jigdo)
    if not answer:
        raise DescriptorError("no .jigdo file is named", hint="give its URL; -h shows how")
    _remember(dialogue, file, replace(file.settings, jigdo=answer))
    return names_in(answer)


def names_in(answer: str) -> list[str]:
    """The URLs and paths that were typed: one file that is there, or several, quoted as in a shell."""
    if os.path.lexists(answer):
        return [answer]
    try:
        return shlex.split(answer)
    except ValueError:  # a quote without end
        return answer.split()


def ask_image(dialogue: Dialogue, images: Sequence[Offered], *, alone: bool) -> int:
    """The number of the image that is wanted.

    Args:
        dialogue: Who is asked.
        images: What the .jigdo offers.
        alone: Whether no other .jigdo waits for the answer.
    """
    if len(images) < 2:
        return 1
    if not alone:
        dialogue.text("Only the first is made: name this .jigdo alone to choose another.")
        return 1
    while True:
        answer = dialogue.ask("Number of image to download", "1")
        if re.fullmatch("[0-9]{1,3}", answer) and 0 < int(answer) <= len(images):
            return int(answer)
        dialogue.complain(f"{answer} is no number of the list")


def ask_scan(dialogue: Dialogue, file: SettingsFile) -> tuple[Path, ...]:
    """Where parts may lie; empty when there is no further place."""
    menu = file.settings.scanned
    dialogue.text(
        "",
        "Files that you have need not be fetched. Name a folder (one where an old",
        "image is mounted, too), an image or a file; or press Return to go on.",
    )
    if menu:
        dialogue.text("Places from before, to be named by their numbers:")
        dialogue.text(*(f"  {number}: {path}" for number, path in enumerate(menu, 1)))
    while answer := dialogue.ask("Files to scan"):
        if paths := scan_paths(answer, menu):
            settings = file.settings
            for path in reversed(paths):
                settings = settings.with_scanned(str(path))
            _remember(dialogue, file, settings)
            return paths
        dialogue.complain(f"{answer} is not there", "name something else, or press Return")
    return ()


def scan_paths(answer: str, menu: Sequence[str] = ()) -> tuple[Path, ...]:
    """What ``answer`` means: a number of the menu, a path, or several, quoted as in a shell.

    Returns:
        Real paths; none if one is not there.
    """
    if re.fullmatch("[0-9]{1,3}", answer) and 0 < int(answer) <= len(menu):
        answer = menu[int(answer) - 1]
    names = [answer]
    if not _exist(names):
        try:
            names = shlex.split(answer)
        except ValueError:  # a quote without end
            return ()
    return tuple(Path(_expanded(name)).resolve() for name in names) if _exist(names) else ()


def mirror_labels(jigdo: JigdoFile) -> tuple[str, ...]:
    """Which of Debian's labels ``jigdo`` uses."""
    locations = [location for each in jigdo.parts.values() for location in each]
    return tuple(
        label
        for label in _MIRRORS
        if any(location.startswith(f"{label}:") for location in locations)
    )


def ask_mirror(dialogue: Dialogue, file: SettingsFile, label: str) -> str:
    """The URL of a mirror for one of mirror_labels; empty for what the .jigdo names."""
    name = _MIRRORS[label]
    default: str = getattr(file.settings, name)
    dialogue.text(
        "",
        f"Parts are files of {label}. Name a mirror near you, such as",
        "http://deb.debian.org/debian/ or the two letters of your country; or press",
        f"Return for {'the one from before' if default else 'the servers of the .jigdo'}.",
    )
    while answer := dialogue.ask(f"{label} mirror", default):
        asked = dialogue.is_attended
        if url := mirror_url(answer, label):
            dialogue.text(f"{label}: {without_users(url)}")
            if asked:
                _remember(dialogue, file, replace(file.settings, **{name: url}))
            return url
        dialogue.complain(
            f"{without_users(answer)} is no mirror", "name one that begins with http:// or https://"
        )
        if not asked:
            break
    return ""


def mirror_url(answer: str, label: str) -> str:
    """The URL that ``answer`` means; empty if none. Debian has a mirror for each country."""
    if _COUNTRY.fullmatch(answer) and label == "Debian":
        return f"http://ftp.{answer.lower()}.debian.org/debian/"
    if answer.startswith(("http://", "https://")) and printable(answer) == answer:
        return answer if answer.endswith("/") else f"{answer}/"
    return ""


def _exist(names: Iterable[str]) -> bool:
    return all("\0" not in name and os.path.exists(_expanded(name)) for name in names)  # noqa: PTH110 (never an error)


def _expanded(name: str) -> str:
    return os.path.expanduser(name)  # noqa: PTH111 (an unknown user is no error)


def _remember(dialogue: Dialogue, file: SettingsFile, settings: Settings) -> None:
    """Keep an answer for the next run; where that cannot be done, this one goes on."""
    try:
        file.write(settings)
    except (ReleaseBuilderError, OSError) as error:
        said = surroundings(error) if isinstance(error, OSError) else error
        dialogue.once(f"{said.what}: your answers are not kept")
