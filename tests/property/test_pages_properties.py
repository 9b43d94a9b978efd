"""Whatever files are called, pages are text that the world can read, and links lead to the file."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from dataclasses import replace
from urllib.parse import unquote_to_bytes

from hypothesis import given
from hypothesis import strategies as st
from page_samples import PUBLISHED, RELEASE

from release_builder.digests import Digest
from release_builder.errors import printable
from release_builder.pages.metalink import Metalink, metalink
from release_builder.pages.release_page import release_page
from release_builder.pages.texts import href

NAMES = st.binary(min_size=1, max_size=30).map(lambda raw: os.fsdecode(raw.replace(b"/", b":")))


@given(NAMES)
def test_a_link_is_ascii_and_leads_to_the_file(name: str) -> None:
    link = href(name)

    assert unquote_to_bytes(link) == os.fsencode(name)
    assert link.isascii()
    assert not set(link) & set(" \"'<>&#?:\\")


@given(NAMES)
def test_a_metalink_is_well_formed(name: str) -> None:
    file = Metalink(
        name=name,
        size=1,
        digests=(Digest("sha256", bytes(32)),),
        urls=(f"https://one.example/{href(name)}",),
        published=PUBLISHED,
        generator="release-builder",
    )

    document = ET.fromstring(metalink(file).encode())

    assert [each.get("name") for each in document.iter() if "name" in each.attrib] == [
        printable(name)
    ]


@given(NAMES, st.text(max_size=30))
def test_a_page_is_utf_8_without_elements_of_others(name: str, text: str) -> None:
    signatures = (f"{name}.asc", f"{name}.sig")
    files = replace(RELEASE.images[0], sums=(name,), signatures=signatures)
    image = replace(files, name=name, jigdo=name, map_svg=name)
    change = replace(RELEASE.changes[0], name=text, old=text, new=text, notes=(text,))
    plain = release_page(replace(RELEASE, images=(RELEASE.images[0],), changes=(change,)))

    page = release_page(
        replace(RELEASE, images=(image,), changes=(change,), notes=(text, name), signer=text)
    )

    page.encode()
    assert page.count("<script") == plain.count("<script") == 1
    assert page.count("<li>") == plain.count("<li>") - 1  # a sums file less
