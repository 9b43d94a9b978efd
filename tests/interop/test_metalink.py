"""The real aria2c takes our metalinks, and refuses a file that is not what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from page_samples import PUBLISHED
from web_server import serve

from release_builder import process
from release_builder.digests import Digest, hasher
from release_builder.pages.metalink import Metalink, metalink
from release_builder.pages.texts import href

if TYPE_CHECKING:
    from pathlib import Path

    from web_server import WebServer

pytestmark = pytest.mark.interop

NAME = "a b#1.iso"
CONTENT = bytes(range(256)) * 1000
WRONG_SUM = 32  # aria2c's exit status, as its manual has it


def digests(content: bytes) -> tuple[Digest, ...]:
    found = []
    for algorithm in ("md5", "sha256"):
        digest = hasher(algorithm)
        digest.update(content)
        found.append(Digest(algorithm, digest.digest()))
    return tuple(found)


def download(workdir: Path, server: WebServer, folders: list[str], content: bytes) -> int:
    """The exit status of aria2c, for a metalink that wants ``content``."""
    text = metalink(
        Metalink(
            name=NAME,
            size=len(content),
            digests=digests(content),
            urls=tuple(f"{server.url}{folder}/{href(NAME)}" for folder in folders),
            published=PUBLISHED,
            generator="release-builder",
        )
    )
    (workdir / "a.meta4").write_text(text, "utf-8")
    argv = [
        *("aria2c", "--no-conf", "--quiet", "--dir", str(workdir / "out")),
        *("--metalink-file", str(workdir / "a.meta4")),
    ]
    return process.run(argv).status


def offer(folder: Path, content: bytes) -> None:
    folder.mkdir(parents=True)
    (folder / NAME).write_bytes(content)


def test_the_file_is_downloaded_under_its_name(workdir: Path) -> None:
    offer(workdir / "web/good", CONTENT)

    with serve(workdir / "web") as server:
        status = download(workdir, server, ["good"], CONTENT)

    assert status == 0
    assert (workdir / "out" / NAME).read_bytes() == CONTENT


def test_another_mirror_is_taken_where_one_has_no_file(workdir: Path) -> None:
    offer(workdir / "web/good", CONTENT)

    with serve(workdir / "web") as server:
        status = download(workdir, server, ["gone", "good"], CONTENT)

    assert status == 0
    assert (workdir / "out" / NAME).read_bytes() == CONTENT


def test_a_wrong_file_is_refused(workdir: Path) -> None:
    offer(workdir / "web/bad", CONTENT[:-1] + b"x")

    with serve(workdir / "web") as server:
        status = download(workdir, server, ["bad"], CONTENT)

    assert status == WRONG_SUM
