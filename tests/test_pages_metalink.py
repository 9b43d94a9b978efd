"""Metalinks say all that a program needs to download a file and to tell a wrong one."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import Final

import pytest
from page_samples import EVIL, PUBLISHED

from release_builder.digests import Digest
from release_builder.errors import printable
from release_builder.pages.metalink import Metalink, metalink

FILE: Final = Metalink(
    name="a.iso",
    size=2048,
    digests=(Digest("md5", bytes(16)), Digest("sha256", bytes(32))),
    urls=("https://one.example/a.iso", "https://two.example/a.iso"),
    published=PUBLISHED,
    generator="release-builder/1.0",
)


def test_a_metalink_looks_as_rfc_5854_says() -> None:
    assert metalink(FILE) == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<metalink xmlns="urn:ietf:params:xml:ns:metalink">\n'
        "  <generator>release-builder/1.0</generator>\n"
        "  <published>2014-02-01T09:30:00Z</published>\n"
        '  <file name="a.iso">\n'
        "    <size>2048</size>\n"
        f'    <hash type="sha-256">{"0" * 64}</hash>\n'
        f'    <hash type="md5">{"0" * 32}</hash>\n'
        '    <url priority="1">https://one.example/a.iso</url>\n'
        '    <url priority="2">https://two.example/a.iso</url>\n'
        "  </file>\n"
        "</metalink>\n"
    )


def test_names_are_escaped() -> None:
    name = EVIL.replace("/", "")

    document = ET.fromstring(metalink(replace(FILE, name=name)).encode())

    (file,) = document.iter("{urn:ietf:params:xml:ns:metalink}file")
    assert file.get("name") == printable(name)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"urls": ()}, id="nowhere"),
        pytest.param({"digests": ()}, id="nothing to tell it by"),
        pytest.param({"name": "../a.iso"}, id="another folder"),
    ],
)
def test_what_would_be_no_use_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="no metalink"):
        replace(FILE, **changes)  # type: ignore[arg-type] # the rows have fields of several types
