from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from builders import run

from release_builder import process
from release_builder.demo.daemon import rsync_daemon

if TYPE_CHECKING:
    from pathlib import Path

    from builders import Mirror

pytestmark = pytest.mark.interop


def test_the_release_can_be_fetched(mirror: Mirror, workdir: Path) -> None:
    run("rsync", "-a", mirror.release_url, f"{workdir}/")

    fetched = workdir / "iso" / "x86_64" / mirror.release.jigdo.name
    assert fetched.read_bytes() == mirror.release.jigdo.read_bytes()


def test_links_arrive_as_they_are(mirror: Mirror, workdir: Path) -> None:
    run("rsync", "-a", f"{mirror.url}releases/testing/9", f"{workdir}/")

    assert str((workdir / "9").readlink()) == "9.0beta3"


def test_nothing_can_be_written(mirror: Mirror, workdir: Path) -> None:
    (workdir / "stray").touch()

    outcome = process.run(["rsync", str(workdir / "stray"), mirror.url])

    assert "read only" in outcome.stderr
    assert not (mirror.release.mirror / "stray").exists()


def test_two_daemons_have_two_ports(workdir: Path) -> None:
    with rsync_daemon(workdir) as first, rsync_daemon(workdir) as second:
        ports = {urlsplit(first).port, urlsplit(second).port}

    assert len(ports) == 2


def test_the_daemon_ends_with_its_block_even_by_an_error(workdir: Path) -> None:
    urls = []

    def fail(url: str) -> None:
        urls.append(url)
        raise KeyError

    with pytest.raises(KeyError), rsync_daemon(workdir) as url:
        fail(url)

    assert process.run(["rsync", *urls]).status == 10  # error in socket I/O


def test_a_folder_with_a_blank_can_be_served(workdir: Path) -> None:
    folder = workdir / "my mirror"
    folder.mkdir()
    (folder / "file").touch()

    with rsync_daemon(folder) as url:
        listing = run("rsync", url)

    assert listing.split()[-1] == "file"
