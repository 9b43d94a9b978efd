"""A mirror that offers one issue of a release after another, and who builds from it."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from builders import noise
from fetching import Release
from program import Ended, release_builder

if TYPE_CHECKING:
    from pathlib import Path

    from gpg_home import GpgHome

DAY = 86_400
_BEGAN = 1_700_000_000  # in seconds since 1970
SERVERS = "servers: {A: {beta: 'http://127.0.0.1:9/b/', final: 'http://127.0.0.1:9/f/'}}\n"


def issue(number: int, algorithm: str = "md5") -> Release:
    """An issue of a release: others have other bytes."""
    parts = {f"{at}.rpm": noise(3000 + at, (number, at)) for at in range(3)}
    return Release(parts, algorithm=algorithm)


@dataclass(slots=True)
class Offer:
    """A mirror in a folder, a descriptor beside it, and the workdir.

    Attributes:
        folder: Of all three.
        more: Further lines of the descriptor.
        version: What the descriptor asks for, and the mirror offers.
        home: Signs sums.
        key: What it signs with.
        tracks: Whether the descriptor follows what the mirror has.
        mirror: What the descriptor calls it.
        offered: How often something was.
    """

    folder: Path
    more: str = ""
    version: str = "9.0beta3"
    home: GpgHome | None = None
    key: str = ""
    tracks: bool = False
    mirror: str = "mirror"
    offered: int = 0

    @property
    def name(self) -> str:
        return f"smeserver-{self.version}-x86_64"

    @property
    def image(self) -> Path:
        return self.folder / "work" / "image" / f"{self.name}.iso"

    @property
    def pair(self) -> Path:
        return self.folder / "work" / "pair" / f"{self.name}.jigdo"

    def offer(self, release: Release, sums: str = "md5", signed: float | None = None) -> None:
        """Put ``release`` on the mirror, in the place of what is there.

        Args:
            release: With its pair.
            sums: Algorithms of the sums files beside it, parted by blanks.
            signed: When they are signed, in days from now; None: they are not.
        """
        shutil.rmtree(self.folder / "mirror", ignore_errors=True)
        place = self.folder / "mirror"
        if self.tracks:
            place = place / "testing" / self.version
        iso, tree = place / "iso" / "x86_64", place / "smeos" / "x86_64"
        iso.mkdir(parents=True)
        tree.mkdir(parents=True)
        for path, content in release.parts.items():
            (tree / path).write_bytes(content)
        (iso / f"{self.name}.jigdo").write_bytes(release.jigdo("A=http://x/", name=self.name))
        (iso / f"{self.name}.template").write_bytes(release.template)
        for algorithm in sums.split():
            digest = hashlib.new(algorithm, release.image).hexdigest()
            file = iso / f"{algorithm}sum.txt"
            file.write_text(f"{digest}  {self.name}.iso\n")
            if signed is not None:
                assert self.home
                at = int(time.time() + signed * DAY)
                argv = (f"--local-user={self.key}", "--armor", "--detach-sign", file)
                self.home.gpg(*argv, at=at)
        self.offered += 1  # files of the same size and second are the same to sync, as to rsync
        for file in place.rglob("*"):
            os.utime(file, times=(_BEGAN + self.offered, _BEGAN + self.offered))

    def run(
        self,
        command: str = "build",
        *options: str,
        more: str | None = None,
        env: dict[str, str] | None = None,
    ) -> Ended:
        """Run ``command`` with the descriptor; ``more`` stands in the place of its further lines."""
        what = "track: testing/9" if self.tracks else f"version: {self.version}"
        descriptor = self.folder / "sme9.yaml"
        descriptor.write_text(
            f"{what}\narch: x86_64\nmirror: {self.mirror}\nworkdir: work\n{SERVERS}"
            + (self.more if more is None else more)
        )
        return release_builder(command, "--json", *options, descriptor, cwd=self.folder, env=env)

    def holds(self, release: Release) -> bool:
        """Whether image and pair here are those of ``release``, whole."""
        if not self.pair.is_file() or self.image.read_bytes() != release.image:
            return False
        template = self.pair.with_suffix(".template")
        return template.read_bytes() == release.template
