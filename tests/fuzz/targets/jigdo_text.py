"""Any bytes as a .jigdo file: read, mapped to URLs, rewritten, merged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from golden import GOLDEN

if TYPE_CHECKING:
    from collections.abc import Iterator


import gzip

from release_builder.digests import Digest
from release_builder.jigdo.compose import ImageText, compose_jigdo, used_labels
from release_builder.jigdo.location import parse_jigdo
from release_builder.jigdo.servers import rewrite_servers
from release_builder.jigdo.syntax import JigdoError

_PART = Digest("sha256", b"a part that nobody else will have"[:32])
_IMAGE = ImageText("cd.iso", "cd.template", Digest("md5", bytes(16)))
_MOST_URLS = 257
_ODD = (
    b"\xef\xbb\xbf# c\r\n[Jigdo]\nVersion=2.0\nGenerator=libjte/1\n[Image]\nFilename=a b.iso\n"
    b"Template='t t.template' # c\nTemplate-MD5Sum=AAAAAAAAAAAAAAAAAAAAAA\n[Servers]\n"
    b"A=B:x/ --try-last\nB=http://a/\nB=http://b/\nC=D:\nD=C:\n[Include http://c/]\n[Comment]\n"
    b'[Parts]\nAAAAAAAAAAAAAAAAAAAAAA=A:"a \'b\\" c"\nAAAAAAAAAAAAAAAAAAAAAB=C:x\n'
)


def seeds() -> Iterator[bytes]:
    """What jigdo-file wrote, and what makes detours."""
    for path in sorted(GOLDEN.glob("*.jigdo")):
        yield path.read_bytes()
    yield _ODD
    yield gzip.compress(_ODD, mtime=0)


def one_input(content: bytes) -> None:
    """What it says, or a JigdoError."""
    for use in (_read, _rewrite, _merge):
        words = ""
        try:
            use(content)
        except JigdoError as error:
            words = error.what
        assert words.isprintable()


def _read(content: bytes) -> None:
    jigdo = parse_jigdo(content, "t")
    assert all(problem.startswith("t:") and problem.isprintable() for problem in jigdo.problems)
    for digest, locations in jigdo.parts.items():
        assert locations
        for location in (*locations, f"MD5Sum:{digest.jigdo}"):
            urls = jigdo.urls(location)
            assert 0 < len(urls) < _MOST_URLS
            assert all(urls)


def _rewrite(content: bytes) -> None:
    once = rewrite_servers(content, {"A": "http://a/", "Mirror": "http://m/"}, "t")
    again = rewrite_servers(once.content, {"A": "http://a/", "Mirror": "http://m/"}, "t")
    assert again.content == once.content


def _merge(content: bytes) -> None:
    label = next(label for label in map(str, range(1 << 20)) if label not in used_labels(content))
    merged = compose_jigdo(
        generator="test/1",
        version="2.0",
        image=_IMAGE,
        servers={label: ["file:/there/"]},
        parts=[(_PART, f"{label}:a name")],
        merge=content,
    )
    jigdo = parse_jigdo(merged, "t")
    assert jigdo.parts[_PART] == (f"{label}:a name",)
    assert jigdo.urls(f"{label}:a name") == ("file:/there/a name",)
