"""The page of a release: what to download, how to check it, what changed."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from release_builder.pages.texts import href, page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from release_builder.digests import Digest

_BUGS: Final = "https://bugs.koozali.org/show_bug.cgi?id={bug}"
_BUG_MARK: Final = re.compile(r"(\[[^\[\]0-9]*([0-9]{1,9})\])")  # such as [SME: 1234]


class ChangeKind(StrEnum):
    """What happened to a package, in the order in which it is counted."""

    UPDATED = "updated"
    ADDED = "added"
    REMOVED = "removed"
    DOWNGRADED = "downgraded"
    REBUILT = "rebuilt"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedImage:
    """An image and the files that lie beside it.

    Attributes:
        arch: Such as ``x86_64``.
        name: Of the image.
        folder: Where all its files lie below the release's, such as ``iso/x86_64/``.
        size: Of the image, in bytes.
        digests: Of the image.
        jigdo: Name of the .jigdo file.
        template: Name of the .template file.
        template_size: In bytes.
        parts: How many files of the mirrors it is made of.
        manifest: Name of the file that tells what it was made from.
        metalink: Name of the .meta4 file; empty for none.
        map_svg: Name of the picture of which bytes come from where; empty for none.
        sums: Names of the sums files.
        signatures: Names of the signatures of sums files: ``.asc`` holds what it signs, any other
            ending stands behind the name of what it signs.
    """

    arch: str
    name: str
    folder: str
    size: int
    digests: tuple[Digest, ...]
    jigdo: str
    template: str
    template_size: int
    parts: int
    manifest: str
    metalink: str
    map_svg: str
    sums: tuple[str, ...]
    signatures: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageChange:
    """What happened to a package since the previous release.

    Attributes:
        kind: What it was.
        name: Of the package.
        arch: Such as ``noarch``.
        old: The version before; empty if it was added.
        new: The version now; empty if it was removed.
        size_change: In bytes.
        notes: What its changelog says, a text for each entry.
        bugs: Numbers that these entries name.
    """

    kind: ChangeKind
    name: str
    arch: str
    old: str
    new: str
    size_change: int
    notes: tuple[str, ...]
    bugs: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasePage:
    """A release that the world may have.

    Attributes:
        title: What people call the product, such as ``SME Server``.
        version: Such as ``9.0beta3``.
        stage: ``beta`` or ``final``.
        published: When it became public; with its zone.
        images: One for each arch.
        signer: Who signed the sums; empty if nobody did.
        key_file: Name of the public key, in the release's folder; empty for none.
        previous: Version of the release that this one follows; empty for none.
        changes: Since ``previous``, in the order to be shown.
        notes: What the release manager says, a text for each paragraph.
        folder_url: The release's folder on the web, with a slash at the end; None where nobody
            knows.
        index: The way from the page to the index of all releases; empty for none.
        bug_url: Of a bug report, with ``{bug}`` for the number; empty for no links.
    """

    title: str
    version: str
    stage: str
    published: datetime
    images: tuple[PublishedImage, ...]
    signer: str
    key_file: str
    previous: str
    changes: tuple[PackageChange, ...]
    notes: tuple[str, ...]
    folder_url: str | None
    index: str = ""
    bug_url: str = _BUGS

    def bug_link(self, bug: int | str) -> str:
        """The URL of a bug report; empty where bugs have none."""
        return self.bug_url.replace("{bug}", str(bug))


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a text.

    Attributes:
        text: What is read.
        url: Where it leads; empty for nowhere.
    """

    text: str
    url: str = ""


def release_page(release: ReleasePage) -> str:
    """The text of the release's ``index.html``."""
    return page(
        "public/release.html.j2",
        release=release,
        counts=_counts(release.changes),
        strongest_first=_strongest_first,
        jigdo_commands=lambda image: _jigdo_commands(release, image),
        check_commands=lambda image: _check_commands(release, image),
        pieces=lambda change, note: tuple(_pieces(release, change, note)),
    )


def _counts(changes: tuple[PackageChange, ...]) -> str:
    kinds = [change.kind for change in changes]
    return ", ".join(f"{kinds.count(kind):,} {kind}" for kind in ChangeKind if kind in kinds)


def _strongest_first(digests: tuple[Digest, ...]) -> list[Digest]:
    return sorted(digests, key=lambda digest: len(digest.value), reverse=True)


def _jigdo_commands(release: ReleasePage, image: PublishedImage) -> tuple[str, ...]:
    """The commands that make the image, each in full."""
    name = f"{image.folder}{image.jigdo}"
    jigdo = f"{release.folder_url}{href(name)}" if release.folder_url else _quoted(image.jigdo)
    return (f"release-builder jigdo fetch {jigdo}", f"jigdo-lite {jigdo}")


def _check_commands(release: ReleasePage, image: PublishedImage) -> Iterator[tuple[str, str]]:
    """What each command is for, and the command; to be typed where the files were saved."""
    if image.signatures and release.key_file:
        yield "Import the key", f"gpg --import {_quoted(release.key_file)}"
    for digest in _strongest_first(image.digests)[:1]:
        named = (name for name in image.sums if digest.algorithm in name.lower().replace("-", ""))
        for sums in [*named, *image.sums][:1]:
            yield from _check_signature(image, sums)
            yield "Check the image", f"{digest.algorithm}sum -c --ignore-missing {_quoted(sums)}"


def _check_signature(image: PublishedImage, sums: str) -> Iterator[tuple[str, str]]:
    """How to see who signed ``sums``."""
    signatures = [name for name in image.signatures if name.rpartition(".")[0] == sums]
    # A clear-signed copy says nothing of the sums file beside it, so what is about that goes first.
    apart = [name for name in signatures if not name.endswith(".asc")]
    for name in (apart or signatures)[:1]:
        signed = f" {_quoted(sums)}" if apart else ""
        yield "Check who signed", f"gpg --verify {_quoted(name)}{signed}"


def _quoted(name: str) -> str:
    # A name that begins with a minus would be an option.
    return shlex.quote(f"./{name}" if name.startswith("-") else name)


def _pieces(release: ReleasePage, change: PackageChange, note: str) -> Iterator[Piece]:
    """``note`` with a link at each mark of a bug of ``change``."""
    end = 0
    for mark in _BUG_MARK.finditer(note):
        if int(mark[2]) in change.bugs:
            yield Piece(note[end : mark.start()])
            yield Piece(mark[1], release.bug_link(mark[2]))
            end = mark.end()
    yield Piece(note[end:])
