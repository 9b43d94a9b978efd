"""Metadata of a package repository."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from typing import TYPE_CHECKING

import pytest

from release_builder.digests import Digest
from release_builder.errors import WrongBytesError
from release_builder.media.repodata import (
    Listed,
    UnknownCompressionError,
    read_primary,
    read_repomd,
)

if TYPE_CHECKING:
    from collections.abc import Callable

SHA1, SHA256 = "ab" * 20, "cd" * 32
REPOMD = f"""<?xml version="1.0" encoding="UTF-8"?>
<repomd xmlns="http://linux.duke.edu/metadata/repo" xmlns:rpm="http://linux.duke.edu/metadata/rpm">
  <revision>1</revision>
  <data type="primary">
    <location href="repodata/primary.xml.gz"/>
    <checksum type="sha">{SHA1}</checksum>
    <open-checksum type="sha256">{SHA256}</open-checksum>
    <timestamp>1</timestamp>
  </data>
  <data type="group">
    <checksum type="sha256">
      {SHA256}
    </checksum>
    <location href="repodata/comps.xml"/><size>12</size>
  </data>
</repomd>
"""
PACKAGE = f"""
<package type="rpm">
  <name>a</name><arch>noarch</arch>
  <checksum type="sha256" pkgid="YES">{SHA256}</checksum>
  <summary>it &lt;does&gt; all &amp; more</summary>
  <size package="123" installed="1" archive="2"/>
  <location href="Packages/a-1-1.noarch.rpm"/>
  <format><rpm:entry name="b"/><file>/a</file><size package="7"/></format>
</package>"""
HEAD = (
    '<metadata xmlns="http://linux.duke.edu/metadata/common"'
    ' xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="1">'
)
PRIMARY = f"{HEAD}{PACKAGE}</metadata>"


def primary(text: str) -> list[Listed]:
    return list(read_primary(io.BytesIO(text.encode()), "primary.xml"))


def test_a_repomd_lists_its_files() -> None:
    found = read_repomd(io.BytesIO(REPOMD.encode()))

    assert found == (
        Listed("repodata/primary.xml.gz", None, Digest("sha1", b"\xab" * 20), "primary"),
        Listed("repodata/comps.xml", 12, Digest("sha256", b"\xcd" * 32), "group"),
    )


@pytest.mark.parametrize(
    ("compress", "ending"),
    [
        pytest.param(bytes, "xml", id="plain"),
        pytest.param(gzip.compress, "xml.gz", id="gzip"),
        pytest.param(bz2.compress, "xml.bz2", id="bzip2"),
        pytest.param(lzma.compress, "xml.xz", id="xz"),
    ],
)
def test_a_primary_lists_its_packages(compress: Callable[[bytes], bytes], ending: str) -> None:
    stream = io.BytesIO(compress(PRIMARY.encode()))

    found = list(read_primary(stream, f"primary.{ending}"))

    digest = Digest("sha256", b"\xcd" * 32)
    assert found == [Listed("Packages/a-1-1.noarch.rpm", 123, digest, "package")]


def test_another_compression_is_said_to_be_unknown() -> None:
    with pytest.raises(UnknownCompressionError, match="zst"):
        list(read_primary(io.BytesIO(b""), "primary.xml.zst"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("", "no element", id="empty"),
        pytest.param("noise", "syntax error", id="noise"),
        pytest.param(PRIMARY[:-20], "unclosed|no element", id="cut off"),
        pytest.param("<html/>", "no metadata", id="another root"),
        pytest.param(
            '<!DOCTYPE m [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + PRIMARY.replace("it ", "&b;"),
            "document type",
            id="entities",
        ),
        pytest.param(PRIMARY.replace("Packages/", "../../"), "out of its folder", id="path above"),
        pytest.param(PRIMARY.replace('<location href="Packages/a', '<place href="'), "leads? out|would lead", id="no place"),
        pytest.param(PRIMARY.replace(SHA256, "abc"), "no digest", id="cut digest"),
        pytest.param(PRIMARY.replace('type="sha256"', 'type="crc"'), "no digest", id="other digest"),
        pytest.param(PRIMARY.replace("123", "many"), "no size", id="size"),
        pytest.param(PRIMARY.replace("123", "-1"), "no size", id="less than nothing"),
        pytest.param(PRIMARY.replace("123", "1" * 20), "no size", id="huge"),
        pytest.param(PRIMARY.replace(SHA256, "a" * 5000), "characters", id="long text"),
        pytest.param(
            PRIMARY.replace("<location", '<location xml:base="http://other.example/"'),
            "elsewhere",
            id="elsewhere",
        ),
    ],
)  # fmt: skip
def test_a_broken_primary_is_refused(text: str, words: str) -> None:
    with pytest.raises(WrongBytesError, match=words) as caught:
        primary(text)

    assert caught.value.what.startswith("primary.xml: ")


@pytest.mark.parametrize(
    ("content", "ending"),
    [
        pytest.param(gzip.compress(PRIMARY.encode())[:-9], "gz", id="gzip, cut off"),
        pytest.param(b"noise", "gz", id="no gzip"),
        pytest.param(gzip.compress(PRIMARY.encode())[:12] + b"\xff" * 40, "gz", id="gzip, spoilt"),
        pytest.param(b"noise", "bz2", id="no bzip2"),
        pytest.param(bz2.compress(PRIMARY.encode())[:-9], "bz2", id="bzip2, cut off"),
        pytest.param(b"noise", "xz", id="no xz"),
        pytest.param(lzma.compress(PRIMARY.encode())[:-9], "xz", id="xz, cut off"),
    ],
)
def test_a_broken_compression_is_refused(content: bytes, ending: str) -> None:
    with pytest.raises(WrongBytesError, match=f"primary.xml.{ending}: it cannot be read"):
        list(read_primary(io.BytesIO(content), f"primary.xml.{ending}"))


def test_a_bomb_is_let_lie() -> None:
    bomb = gzip.compress(HEAD.encode() + b" " * (8 << 20) + b"</metadata>")

    with pytest.raises(WrongBytesError, match="more than 3,145,728 bytes"):
        list(read_primary(io.BytesIO(bomb), "primary.xml.gz", most=3 << 20))
