"""A laptop that keeps its image up to date, as the clients of an image repository do.

It reads filename, size and sha512 of meta and nothing else, makes up the name of the rdiff from
the names of both images, never chains two rdiffs, and falls back to the whole image.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class NoUpdateError(Exception):
    """The client stays with what it has."""


@dataclass(slots=True)
class Client:
    """A laptop.

    Attributes:
        folder: Its images.
        server: The base URL of the repository.
        series: The names of the meta files that it follows.
        asked: The paths that it asked for, in order.
    """

    folder: Path
    server: str
    series: Sequence[str]
    asked: list[str] = field(default_factory=list)

    def update(self, current: str, wanted: str) -> str:
        """Get the image ``wanted``, from the image ``current`` if there is an rdiff.

        Returns:
            How: ``rdiff`` or ``image``.

        Raises:
            NoUpdateError: A meta file is missing, or nothing verifies.
        """
        known = self._meta()
        if wanted not in known:
            raise NoUpdateError(f"{wanted} is in no meta file")
        rdiff = rdiff_name(current, wanted)
        if rdiff in known and (self.folder / current).exists():
            delta = self._get(f"rdiffs/{rdiff}")
            if delta is not None and _is(delta, known[rdiff]):
                image = self._patched(current, delta)
                if image is not None and _is(image, known[wanted]):
                    (self.folder / wanted).write_bytes(image)
                    return "rdiff"
        image = self._get(wanted)
        if image is None or not _is(image, known[wanted]):
            raise NoUpdateError(f"{wanted} is not what meta says")
        (self.folder / wanted).write_bytes(image)
        return "image"

    def _meta(self) -> dict[str, dict[str, Any]]:
        known: dict[str, dict[str, Any]] = {}
        for name in self.series:
            content = self._get(f"meta/{name}.json")
            if content is None:
                raise NoUpdateError(f"there is no meta/{name}.json")
            for image in json.loads(content)[name]["images"]:
                known[image["filename"]] = image
                known.update((diff["filename"], diff) for diff in image["diffs"])
        return known

    def _get(self, path: str) -> bytes | None:
        self.asked.append(path)
        try:
            with urllib.request.urlopen(f"{self.server}/{quote(path)}", timeout=30) as answer:
                content: bytes = answer.read()
                return content
        except urllib.error.HTTPError as error:
            error.close()
            return None

    def _patched(self, current: str, delta: bytes) -> bytes | None:
        path = self.folder / "delta"
        path.write_bytes(delta)
        argv = ["rdiff", "patch", str(self.folder / current), str(path), "-"]
        ended = subprocess.run(argv, capture_output=True, check=False)
        path.unlink()
        return None if ended.returncode else ended.stdout


def rdiff_name(current: str, wanted: str) -> str:
    """What the rdiff between two images must be called; it is looked up nowhere."""
    stem = current.removesuffix(".img")
    for at in range(len(stem) - 16):
        if is_stamp(stem[at : at + 17]) and stem[at - 1] == stem[at + 17 : at + 18] == "-":
            head, own, tail = stem[:at], stem[at : at + 17], stem[at + 17 :]
            return f"{head}{own}--{_stamp(wanted)}{tail}.rdiff"
    raise NoUpdateError(f"{current} has no date in its name")


def is_stamp(text: str) -> bool:
    """Whether ``text`` is a moment such as ``2022-01-20-173248``."""
    parts = text.split("-")
    return [len(part) for part in parts] == [4, 2, 2, 6] and all(map(str.isdecimal, parts))


def _stamp(name: str) -> str:
    return next(name[at : at + 17] for at in range(len(name)) if is_stamp(name[at : at + 17]))


def _is(content: bytes, told: dict[str, Any]) -> bool:
    found = [len(content), hashlib.sha512(content).hexdigest()]
    return found == [told["size"], told["sha512"]]
