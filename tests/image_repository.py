"""An image repository as its user makes it: images, and the program run on them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from image_builder import make_images
from program import release_builder

if TYPE_CHECKING:
    from pathlib import Path

    from program import Ended

SERIES = "puavo-os-amxa-buster-amd64"
BASE_URL = "https://images.example.test"


@dataclass(frozen=True, slots=True)
class Repository:
    """Images, and the repository that is made of them.

    Attributes:
        folder: Where the program runs.
    """

    folder: Path

    @property
    def images(self) -> Path:
        """IMAGE_DIR, with a blank."""
        return self.folder / "the images"

    @property
    def mirror(self) -> Path:
        """MIRROR_DIR."""
        return self.folder / "mirror"

    def update(self, *options: str | Path) -> Ended:
        """Bring it up to date."""
        command = ("images", "update", "--json", "-r", BASE_URL, *options)
        return release_builder(*command, self.images, self.mirror, cwd=self.folder)

    def verify(self) -> Ended:
        """Have it checked."""
        return release_builder("images", "verify", "--json", self.mirror, cwd=self.folder)

    def clean(self, *options: str) -> Ended:
        """Have it cleaned."""
        return release_builder("images", "clean", "--json", *options, self.mirror, cwd=self.folder)

    def meta(self, series: str = SERIES) -> list[dict[str, Any]]:
        """What it says of the images of a series."""
        told: list[dict[str, Any]]
        told = json.loads((self.mirror / f"meta/{series}.json").read_bytes())[series]["images"]
        return told

    def named(self) -> set[str]:
        """The images and rdiffs that CKSUMS names."""
        lines = (self.mirror / "CKSUMS").read_text().splitlines()
        return {line.split(" ", 2)[2] for line in lines}

    def served(self) -> dict[str, bytes]:
        """All that clients can get, and its bytes."""
        return {
            str(path.relative_to(self.mirror)): path.read_bytes()
            for path in sorted(self.mirror.rglob("*"))
            if path.is_file()
            and not any(part[0] == "." for part in path.relative_to(self.mirror).parts)
        }


def make_repository(folder: Path, *names: str) -> Repository:
    """A repository that is still to be made, with its images."""
    repository = Repository(folder)
    make_images(repository.images, *names)
    return repository
