"""jigdo-lite, unchanged, on the look-alike in the place of jigdo-file."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from builders import jigdo_file_pair, make_image, make_tree

from release_builder import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.interop


@dataclass(frozen=True, slots=True)
class Lite:
    """jigdo-lite in a folder of its own, beside a jigdo-file that is ours."""

    program: Path

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it in the current folder."""
        return subprocess.run(
            [self.program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=120,
            check=False,
        )


@pytest.fixture
def lite(tmp_path: Path) -> Lite:
    original = shutil.which("jigdo-lite")
    assert original, "install jigdo-file: jigdo-lite comes with it"
    folder = tmp_path / "bin"
    folder.mkdir()
    shutil.copy(original, folder)
    ours = folder / "jigdo-file"
    ours.write_text(
        f"#!{sys.executable}\nfrom release_builder.cli.jigdo_file import main\n\nmain()\n"
    )
    ours.chmod(0o755)
    return Lite(folder / "jigdo-lite")


class _Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        """A test has nothing to say."""


@pytest.fixture
def server(workdir: Path) -> Iterator[str]:
    """The URL of the folder ``tree``."""
    make_tree(workdir / "tree")
    handler = functools.partial(_Silent, directory=os.fspath(workdir / "tree"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_port}/"
        serving.shutdown()


@pytest.fixture(params=["md5", "sha256"])
def image(
    request: pytest.FixtureRequest, workdir: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """An image; its pair lies in the empty folder that we are in."""
    # A name that needs quoting is asked for as it is by jigdo-lite, and no server knows it.
    (workdir / "tree" / "Packages" / "it's #1.rpm").unlink()
    made = make_image(workdir / "tree", workdir / "full" / "cd.iso")
    folder = workdir / "here"
    jigdo_file_pair(made, workdir / "tree", folder, algorithm=request.param, url=server)
    monkeypatch.chdir(folder)
    return made


def test_an_image_is_made_of_what_is_here(lite: Lite, image: Path) -> None:
    said = lite("--noask", "--scan", "../tree", "cd.jigdo")

    assert said.returncode == 0, said.stdout
    assert Path("cd.iso").read_bytes() == image.read_bytes()
    assert "is right" in said.stdout


def test_what_is_not_here_is_fetched(lite: Lite, image: Path) -> None:
    said = lite("--noask", "--scan", "../tree/images", "cd.jigdo")

    assert said.returncode == 0, said.stdout
    assert Path("cd.iso").read_bytes() == image.read_bytes()
    assert "Packages/large-1.0-1.x86_64.rpm" in said.stdout
    assert "initrd.img" not in said.stdout


def test_an_image_that_is_there_already_is_no_failure(lite: Lite, image: Path) -> None:
    lite("--noask", "--scan", "../tree", "cd.jigdo")

    again = lite("--noask", "--scan", "../tree", "cd.jigdo")

    assert again.returncode == 0, again.stdout
    assert "already and right" in again.stdout


def test_the_version_names_us(lite: Lite, workdir: Path) -> None:
    said = lite("--version")

    assert f"jigdo-lite/{__version__} (" in said.stdout
