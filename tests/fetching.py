"""Images to be fetched: small ones of known parts, their pairs on a server, the program at work."""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bad_server import BadServer
from builders import noise
from program import PROGRAM, Ended, release_builder

from release_builder.digests import Digest
from release_builder.jigdo.entries import (
    Description,
    ImageInfo,
    MatchedFile,
    Run,
    UnmatchedData,
    format_description,
)
from release_builder.jigdo.rsync_sum import rsync_sum
from release_builder.jigdo.syntax import quote_word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from bad_server import Trouble

# Every run ends by its own means; those that take half as long have failed already.
BOUNDS = ("--deadline", "40", "--timeout", "5", "--retries", "2")
_GAP = noise(3000, "gap")


@dataclass(frozen=True, slots=True)
class Release:
    """An image and what it is made of.

    Attributes:
        parts: What lies in the tree, by path; in image order.
        again: Parts that the image has once more, at its end.
        algorithm: Of all digests.
        gap: What the template holds, at the image's begin and once more at its end.
    """

    parts: Mapping[str, bytes]
    again: tuple[str, ...] = ()
    algorithm: str = "md5"
    gap: bytes = _GAP

    @property
    def image(self) -> bytes:
        return b"".join([self.gap, *self._contents(), self.gap])

    @property
    def template(self) -> bytes:
        image, gap = self.image, UnmatchedData(len(self.gap))
        parts = [MatchedFile(len(c), rsync_sum(c[:1024]), self.digest(c)) for c in self._contents()]
        runs: tuple[Run, ...] = (gap, *parts, gap) if self.gap else tuple(parts)
        stream = zlib.compress(self.gap * 2)
        data = b"DATA" + (16 + len(stream)).to_bytes(6, "little")
        data += (2 * len(self.gap)).to_bytes(6, "little") + stream
        head = b"JigsawDownload template 2.0 test/1\r\n\r\n\r\n"
        info = ImageInfo(len(image), self.digest(image), 1024)
        return head + data + format_description(Description(info, runs))

    def digest(self, content: bytes) -> Digest:
        return Digest(self.algorithm, hashlib.new(self.algorithm, content).digest())

    def jigdo(
        self,
        *servers: str,
        name: str = "cd",
        template: str = "",
        demanded: bytes | None = None,
        more: str = "",
    ) -> bytes:
        """The .jigdo.

        Args:
            servers: Lines of [Servers]; the label of all parts is ``A``.
            name: Of the image and its template, without what follows the dot.
            template: Where the template is said to be.
            demanded: The template whose digest is demanded; empty for none.
            more: Further lines of [Parts].
        """
        content = self.template if demanded is None else demanded
        kind = {"md5": "MD5Sum", "sha256": "SHA256Sum"}[self.algorithm]
        lines = [
            "[Jigdo]",
            "Version=2.0",
            "[Image]",
            f"Filename={name}.iso",
            f"Template={quote_word(template or f'{name}.template')}",
            f"Template-{kind}={self.digest(content).jigdo}" if content else "",
            "[Parts]",
            *(
                f"{self.digest(content).jigdo}={quote_word(f'A:{path}')}"
                for path, content in self.parts.items()
            ),
            more,
            "[Servers]",
            *servers,
        ]
        return "\n".join([*lines, ""]).encode("utf-8", "surrogateescape")

    def tree(self) -> dict[str, bytes]:
        """The parts as a BadServer has them, below ``/tree/``."""
        return {f"/tree/{path}": content for path, content in self.parts.items()}

    def pair(self, *servers: str) -> dict[str, bytes]:
        """The pair as a BadServer has it."""
        return {"/cd.jigdo": self.jigdo(*servers), "/cd.template": self.template}

    def lay_out(self, folder: Path, *servers: str) -> Path:
        """Write the pair to ``folder`` and the parts to ``folder/tree``; the .jigdo's path."""
        content = {**self.tree(), **self.pair(*servers)}
        for path, each in content.items():
            file = folder / path.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(each)
        return folder / "cd.jigdo"

    def _contents(self) -> list[bytes]:
        return [*self.parts.values(), *(self.parts[path] for path in self.again)]


def release_of(count: int, size: int = 20_000) -> Release:
    """A release of so many packages, of different lengths from ``size`` on."""
    return Release({f"{at:02}.rpm": noise(size + at, at) for at in range(count)})


@contextmanager
def site(
    release: Release, troubles: Mapping[str, Trouble | Sequence[Trouble]] | None = None
) -> Iterator[BadServer]:
    """A server that has the pair and the parts of ``release``, and troubles with some of them."""
    with BadServer(release.tree(), troubles) as server:
        server.content |= release.pair(f"A={server.url}/tree/")
        yield server


def fetch(*arguments: str | Path, cwd: Path, env: dict[str, str] | None = None) -> Ended:
    """Run ``release-builder jigdo fetch`` to its end; what ``arguments`` say counts last."""
    return release_builder("jigdo", "fetch", *BOUNDS, *arguments, cwd=cwd, env=env)


def fetched(*arguments: str | Path, cwd: Path, env: dict[str, str] | None = None) -> dict[str, Any]:
    """What ``--json`` says of the one image that was fetched; the status is as it says too."""
    ended = fetch("--json", *arguments, cwd=cwd, env=env)
    (image,) = ended.document["images"]
    assert isinstance(image, dict)
    return {"status": ended.status, "stderr": ended.stderr, **image}


@contextmanager
def fetching(*arguments: str | Path, cwd: Path) -> Iterator[subprocess.Popen[str]]:
    """The program, running; what is left of it is killed at the end."""
    argv = ["env", "--default-signal=INT", *PROGRAM, "jigdo", "fetch", *BOUNDS]
    with subprocess.Popen(
        [*argv, *map(str, arguments)],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        try:
            yield running
        finally:
            running.kill()


def wait_until(happened: Callable[[], bool], running: subprocess.Popen[str]) -> None:
    """Wait for something that ``running`` is to do; it ends by its own deadline if it does not."""
    while not happened():
        assert running.poll() is None, running.communicate()
        time.sleep(0.02)


def holds(unfinished: Path, parts: Iterable[bytes]) -> bool:
    """Whether all ``parts`` have been written to an image that is being made."""
    content = unfinished.read_bytes() if unfinished.exists() else b""
    return all(part in content for part in parts)


def assert_image(folder: Path, release: Release, name: str = "cd.iso") -> None:
    """The image stands in ``folder``, right, and nothing is left of its making."""
    assert (folder / name).read_bytes() == release.image
    assert not os.path.lexists(folder / f"{name}.tmp")


def assert_no_image(folder: Path, name: str = "cd.iso") -> None:
    """Nothing has the image's name; what there is of it has another."""
    assert not os.path.lexists(folder / name)
    assert (folder / f"{name}.tmp").is_file()
