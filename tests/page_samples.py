"""Releases to make pages of: one like the real ones, one with all that names can have in them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from release_builder.digests import Digest
from release_builder.pages.index_page import IndexPage, ListedRelease
from release_builder.pages.release_page import (
    ChangeKind,
    PackageChange,
    PublishedImage,
    ReleasePage,
)

PUBLISHED: Final = datetime(2014, 2, 1, 9, 30, tzinfo=UTC)
EVIL: Final = "<script>alert('1')</script> & \"q\" #1 100%\udcff\x07"
_ENTRIES: Final = (
    "Do not answer twice when the queue is full [SME: 8121]",
    "Keep the owner's language in the server manager [SME: 7963]",
    "Apply the locale patch of 2014-01-16",
)


def image(arch: str) -> PublishedImage:
    name = f"smeserver-9.0beta3-{arch}"
    return PublishedImage(
        arch=arch,
        name=f"{name}.iso",
        folder=f"iso/{arch}/",
        size=727_961_600,
        digests=(Digest("md5", bytes(range(16))), Digest("sha256", bytes(range(100, 132)))),
        jigdo=f"{name}.jigdo",
        template=f"{name}.template",
        template_size=36_214_931,
        parts=1034,
        manifest=f"{name}.manifest.json",
        metalink=f"{name}.iso.meta4",
        map_svg=f"{name}.svg",
        sums=("md5sum.txt", "sha256sum.txt"),
        signatures=("sha256sum.txt.asc", "sha256sum.txt.sig"),
    )


def change(
    kind: ChangeKind, name: str, old: str, new: str, size: int, *, notes: int = 0
) -> PackageChange:
    return PackageChange(
        kind=kind,
        name=name,
        arch="noarch" if name.startswith(("e-smith", "smeserver")) else "x86_64",
        old=old,
        new=new,
        size_change=size,
        notes=_ENTRIES[:notes],
        bugs=(8121, 7963)[:notes],
    )


RELEASE: Final = ReleasePage(
    title="SME Server",
    version="9.0beta3",
    stage="beta",
    published=PUBLISHED,
    images=(image("x86_64"), image("i386")),
    signer="Koozali Build <build@koozali.example> (key 0123456789ABCDEF)",
    key_file="RPM-GPG-KEY-koozali",
    previous="9.0beta2",
    changes=(
        change(
            ChangeKind.UPDATED, "e-smith-base", "5.6.0-9.el6.sme", "5.6.0-10.el6.sme", 1204, notes=3
        ),
        change(
            ChangeKind.UPDATED, "e-smith-qmail", "2.4.0-2.el6.sme", "2.4.0-3.el6.sme", -96, notes=1
        ),
        change(ChangeKind.ADDED, "smeserver-locale-el", "", "2.4.0-12.el6.sme", 88_204),
        change(ChangeKind.REMOVED, "xorg-x11-fonts-misc", "7.2-9.1.el6", "", -6_020_412),
        change(ChangeKind.DOWNGRADED, "perl-Digest-SHA1", "2.13-1.el6", "2.12-2.el6", -1_030),
        change(ChangeKind.REBUILT, "kernel", "2.6.32-431.el6", "2.6.32-431.el6", 0),
    ),
    notes=(
        "Upgrades from 8.x by restoring a backup; there is no upgrade in place.",
        "Please report what you find before the release candidate.",
    ),
    folder_url="https://releases.example/testing/9.0beta3/",
    index="../../index.html",
)

EVIL_RELEASE: Final = replace(
    RELEASE,
    title=EVIL,
    signer=EVIL,
    notes=(EVIL,),
    previous=EVIL,
    key_file=EVIL.replace("/", ""),
    images=(
        replace(
            image("x86_64"),
            name='a b\'s "c" #1 50%?.iso',
            jigdo="-a b's #1.jigdo",
            sums=("sha256 <sums>.txt",),
            signatures=("sha256 <sums>.txt.sig",),
        ),
    ),
    changes=(
        replace(RELEASE.changes[0], name=EVIL, old=EVIL, new=EVIL, arch=EVIL, notes=(EVIL, EVIL)),
    ),
    folder_url=None,
)

NEXT_TO_NOTHING: Final = replace(
    RELEASE,
    version="9.0",
    stage="final",
    images=(replace(image("x86_64"), metalink="", map_svg="", signatures=()),),
    signer="",
    key_file="",
    changes=(),
    notes=(),
    folder_url=None,
    index="",
)


def listed(version: str, folder: str, day: int, *, newest: bool = False) -> ListedRelease:
    return ListedRelease(
        version=version,
        stage="beta" if folder.startswith("testing/") else "final",
        folder=folder,
        published=PUBLISHED.replace(day=day),
        arches=("x86_64", "i386"),
        size=1_455_923_200,
        is_newest=newest,
    )


INDEX: Final = IndexPage(
    title="SME Server",
    releases=(
        listed("8.0", "8.0", 2),
        listed("8.1", "8.1", 11, newest=True),
        listed("9.0beta2", "testing/9.0beta2", 14),
        listed("9.0beta3", "testing/9.0beta3", 26, newest=True),
    ),
)
