"""The page of a release, as a reader without JavaScript gets it."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from page_samples import EVIL, EVIL_RELEASE, NEXT_TO_NOTHING, RELEASE

from release_builder.digests import Digest
from release_builder.errors import printable
from release_builder.pages.release_page import PublishedImage, ReleasePage, release_page

if TYPE_CHECKING:
    from collections.abc import Mapping

IMAGE = RELEASE.images[0]


class Seen(HTMLParser):
    """What a reader sees, and where the links of a page lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.sources: list[str] = []
        self.commands: list[str] = []
        self.texts: list[str] = []
        self.inside: str = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values: Mapping[str, str | None] = dict(attrs)
        self.inside = tag
        if tag == "a":
            self.links.append(values["href"] or "")
        elif "src" in values:
            self.sources.append(values["src"] or "")
        elif "data-copy" in values:
            self.commands.append("")
            self.inside = "copied"

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside == "copied":
            self.commands[-1] += data
        if self.inside not in {"script", "style"}:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())


def seen(release: ReleasePage = RELEASE) -> Seen:
    return Seen(release_page(release))


def with_image(image: PublishedImage, *, folder_url: str | None = None) -> ReleasePage:
    return replace(RELEASE, images=(image,), folder_url=folder_url)


def test_each_file_of_an_image_can_be_had() -> None:
    names = [
        *(IMAGE.name, IMAGE.jigdo, IMAGE.template, IMAGE.metalink, IMAGE.map_svg, IMAGE.manifest),
        *(*IMAGE.sums, *IMAGE.signatures),
    ]

    page = seen()

    assert {f"iso/x86_64/{name}" for name in names} <= set(page.links)
    assert {name.replace("x86_64", "i386") for name in names} <= {
        link.removeprefix("iso/i386/") for link in page.links
    }
    assert "iso/x86_64/smeserver-9.0beta3-x86_64.svg" in page.sources


def test_sizes_are_told_for_people_and_in_full() -> None:
    assert "728.0 MB (727,961,600 bytes)" in seen().text


def test_the_sums_are_told_the_strongest_first() -> None:
    sums = [text for text in seen().commands if " " not in text]

    assert sums[:2] == [IMAGE.digests[1].hex, IMAGE.digests[0].hex]


def test_the_jigdo_commands_can_be_typed_anywhere() -> None:
    url = "https://releases.example/testing/9.0beta3/iso/x86_64/smeserver-9.0beta3-x86_64.jigdo"

    page = seen()

    assert f"release-builder jigdo fetch {url}" in page.commands
    assert f"jigdo-lite {url}" in page.commands


@pytest.mark.parametrize(
    ("jigdo", "folder_url", "command"),
    [
        pytest.param("a.jigdo", None, "jigdo-lite a.jigdo", id="no URL"),
        pytest.param("a b.jigdo", None, "jigdo-lite 'a b.jigdo'", id="a blank"),
        pytest.param("-a.jigdo", None, "jigdo-lite ./-a.jigdo", id="a minus"),
        pytest.param(
            "a b.jigdo",
            "http://a.example/",
            "jigdo-lite http://a.example/iso/x86_64/a%20b.jigdo",
            id="a blank in a URL",
        ),
    ],
)
def test_a_shell_takes_the_command_as_it_is_meant(
    jigdo: str, folder_url: str | None, command: str
) -> None:
    page = seen(with_image(replace(IMAGE, jigdo=jigdo), folder_url=folder_url))

    assert command in page.commands


SHA512 = Digest("sha512", bytes(64))


@pytest.mark.parametrize(
    ("image", "commands"),
    [
        pytest.param(
            IMAGE,
            [
                "gpg --import RPM-GPG-KEY-koozali",
                "gpg --verify sha256sum.txt.sig sha256sum.txt",
                "sha256sum -c --ignore-missing sha256sum.txt",
            ],
            id="detached signature",
        ),
        pytest.param(
            replace(IMAGE, signatures=("sha256sum.txt.asc",)),
            [
                "gpg --import RPM-GPG-KEY-koozali",
                "gpg --verify sha256sum.txt.asc",
                "sha256sum -c --ignore-missing sha256sum.txt",
            ],
            id="clear-signed",
        ),
        pytest.param(
            replace(IMAGE, signatures=()),
            ["sha256sum -c --ignore-missing sha256sum.txt"],
            id="not signed",
        ),
        pytest.param(
            replace(IMAGE, signatures=(), sums=("CHECKSUM",)),
            ["sha256sum -c --ignore-missing CHECKSUM"],
            id="a sums file without the word",
        ),
        pytest.param(
            replace(IMAGE, signatures=(), digests=(SHA512,), sums=("MD5SUMS", "SHA512SUMS")),
            ["sha512sum -c --ignore-missing SHA512SUMS"],
            id="the sums file of the digest",
        ),
        pytest.param(replace(IMAGE, signatures=(), sums=()), [], id="no sums files"),
    ],
)
def test_the_commands_that_check_an_image(image: PublishedImage, commands: list[str]) -> None:
    page = seen(with_image(image))

    assert [text for text in page.commands if re.match("gpg|sha|md5", text)] == commands


def test_the_signer_is_named() -> None:
    assert f"Signed by {RELEASE.signer}." in seen().text


def test_each_change_is_a_row() -> None:
    text = seen().text

    assert "2 updated, 1 added, 1 removed, 1 downgraded, 1 rebuilt" in text
    assert "e-smith-base noarch updated 5.6.0-9.el6.sme 5.6.0-10.el6.sme +1.2 kB" in text
    assert "smeserver-locale-el noarch added 2.4.0-12.el6.sme +88.2 kB" in text


def test_bugs_are_linked_in_the_entries_and_beside_them() -> None:
    page = release_page(RELEASE)

    link = '<a href="https://bugs.koozali.org/show_bug.cgi?id='
    assert f'{link}8121">[SME: 8121]</a>' in page
    assert f'{link}7963">7963</a>' in page


@pytest.mark.parametrize(
    ("note", "linked"),
    [
        pytest.param("Mend it [SME: 8121]", ["[SME: 8121]"], id="one"),
        pytest.param("[SME:8121] and [bug 7963]", ["[SME:8121]", "[bug 7963]"], id="two"),
        pytest.param("Mend it [SME: 99]", [], id="a number that is no bug's"),
        pytest.param("Mend 8121", [], id="no brackets"),
        pytest.param(f"[{'9' * 5000}]", [], id="a very long number"),
    ],
)
def test_a_mark_of_a_bug_is_a_link(note: str, linked: list[str]) -> None:
    change = replace(RELEASE.changes[0], notes=(note,))

    page = release_page(replace(RELEASE, changes=(change,)))

    assert re.findall(r">(\[[^<]*)</a>", page) == linked
    assert note in Seen(page).text


def test_a_bug_tracker_of_ones_own_is_linked() -> None:
    page = seen(replace(RELEASE, bug_url="https://bugs.example/{bug}?x={bug}"))

    assert "https://bugs.example/8121?x=8121" in page.links


def test_without_a_bug_tracker_bugs_are_plain_text() -> None:
    page = seen(replace(RELEASE, bug_url=""))

    assert "[SME: 8121]" in page.text
    assert "Bugs: 8121" in page.text
    assert "" not in page.links


def test_what_is_not_there_is_not_spoken_of() -> None:
    page = seen(NEXT_TO_NOTHING)

    for word in ("Signed", "gpg", "beta, for", "Notes", "meta4", ".svg", "All releases"):
        assert word not in page.text, word
    assert "No package changed." in page.text
    assert not page.sources


def test_a_first_release_has_no_changes() -> None:
    assert "Changes" not in seen(replace(NEXT_TO_NOTHING, previous="")).text


def test_a_beta_is_called_so() -> None:
    assert "A beta, for testing" in seen().text


def test_nothing_from_outside_becomes_part_of_the_page() -> None:
    page = release_page(EVIL_RELEASE)

    assert page.count("<script") == 1
    assert f"Signed by {printable(EVIL)}." in Seen(page).text
    assert "iso/x86_64/a%20b%27s%20%22c%22%20%231%2050%25%3F.iso" in Seen(page).links
    page.encode()


def test_nothing_is_loaded_from_elsewhere() -> None:
    page = release_page(RELEASE)

    assert not [source for source in Seen(page).sources if ":" in source]
    assert not re.findall(r"@import|url\(|<link (?!rel=\"icon\" href=\"data:)", page)


def test_the_same_release_gives_the_same_bytes() -> None:
    assert release_page(RELEASE) == release_page(replace(RELEASE))
