"""A release that is about to be public: a workdir with an image, and a real nginx for the root."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from program import release_builder
from web_server import serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from program import Ended
    from web_server import WebServer

    from release_builder.demo.release import Release

_DESCRIPTOR = """version: {version}
arch: x86_64
mirror: {stage}
workdir: work-{version}
publish:
  root: public
  url: {url}
servers:
  SMEmirror:
    beta: {url}testing/{{version}}/smeos/{{arch}}/
    final: {url}{{major}}/smeos/{{arch}}/
"""


@dataclass(frozen=True, slots=True)
class Publisher:
    """A release manager's machine.

    Attributes:
        folder: Has the descriptors.
        root: What the web server serves.
        web: The web server.
    """

    folder: Path
    root: Path
    web: WebServer

    def prepare(self, release: Release, version: str = "9.0beta3", more: str = "") -> Path:
        """The descriptor of ``release``, called ``version``, with the image made already.

        Args:
            release: Its tree and image are taken.
            version: What it is published as.
            more: Lines below ``publish:``.
        """
        stage = self.folder / f"stage-{version}"
        shutil.copytree(release.tree, stage / "smeos" / "x86_64")
        image = self.folder / f"work-{version}" / "image" / f"smeserver-{version}-x86_64.iso"
        image.parent.mkdir(parents=True)
        shutil.copyfile(release.image, image)
        path = self.folder / f"sme-{version}.yaml"
        text = _DESCRIPTOR.format(version=version, stage=stage.name, url=self.web.url)
        path.write_text(text.replace("publish:\n", f"publish:\n{more}"))
        assert self("pair", path).status == 0
        return path

    def __call__(self, *arguments: str | Path, **env: str) -> Ended:
        """Run release-builder."""
        return release_builder(*arguments, cwd=self.folder, env={**os.environ, **env})


@contextmanager
def publisher(folder: Path) -> Iterator[Publisher]:
    """A machine whose public root is served by nginx."""
    root = folder / "public"
    root.mkdir()
    with serve(root) as web:
        yield Publisher(folder, root, web)


def jigdo_lite(url: str, folder: Path) -> Path:
    """The image that the real jigdo-lite makes of the .jigdo at ``url``."""
    folder.mkdir()
    subprocess.run(
        ["jigdo-lite", "--noask", url], cwd=folder, check=True, capture_output=True, timeout=120
    )
    return next(folder.glob("*.iso"))
