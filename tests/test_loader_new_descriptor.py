"""What init writes is a descriptor at once, and says the truth about the defaults."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from release_builder.descriptor import patterns
from release_builder.descriptor.model import Descriptor, Fetch, Sync
from release_builder.descriptor.publishing import Compose, Places, Publish
from release_builder.descriptor.refreshing import Notify, Retain
from release_builder.descriptor.target import Target
from release_builder.descriptor.trusting import Older, Trust
from release_builder.errors import DescriptorError
from release_builder.loader import load, new_descriptor, products

if TYPE_CHECKING:
    from pathlib import Path

    from release_builder.descriptor.publication import Publication

PROFILE = """\
name: own
arches: [i386, x86_64]
image: own-{version}.iso
tree: os/{arch}/
jigdo: [iso/, jigdo/]
servers: {A: {beta: "http://h/b/", final: "http://h/f/"}, B: {beta: "http://i/", final: "http://i/"}}
"""
MIRRORS = """\
mirrors: ["http://near/sme/{version}/", "https://far/{arch}/"]
title: "Own: <a 'product'>"
folder: {beta: "b/{version}", final: "f/{version}"}
link: {beta: b/newest, final: newest}
obsolete: old/{version}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "new.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(params=[*products(), "own profile.yaml", "with mirrors.yaml"])
def product(request: pytest.FixtureRequest, workdir: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A product that comes with the program, or one of the user's own."""
    (workdir / "own profile.yaml").write_text(PROFILE, encoding="utf-8")
    (workdir / "with mirrors.yaml").write_text(PROFILE + MIRRORS, encoding="utf-8")
    monkeypatch.chdir(workdir)
    name: str = request.param
    return name


def test_a_new_descriptor_loads_without_complaint(workdir: Path, product: str) -> None:
    path = written(workdir, new_descriptor(product))

    descriptor = load(path)

    assert descriptor.product == product
    assert len(descriptor.releases()) == 1


def test_the_keys_behind_a_hash_are_the_defaults(workdir: Path, product: str) -> None:
    path = written(workdir, new_descriptor(product))
    as_written = load(path).releases()

    written(workdir, re.sub(r"^#(?=\S|  )", "", path.read_text("utf-8"), flags=re.MULTILINE))

    uncommented = load(path).releases()
    profile = load(path).profile
    publish = Publish(
        root=Target(PurePosixPath("/srv/www/releases")),
        url="https://www.example.org/releases/",
        key="build@example.org",
        link=profile.link or Places(beta="testing/{major}", final="{major}"),
    )
    examples = tuple(
        replace(
            release,
            publish=published(load(path), publish),
            sync=replace(release.sync, bwlimit="2m"),
            fetch=Fetch(
                connections=16,
                deadline=3600,
                limit_rate=patterns.BytesPerSecond(2 << 20),
                ca_bundle=workdir / "ca.pem",
                mirrors=release.fetch.mirrors
                or (f"https://mirror.example.org/releases/{release.version}/",),
            ),
            trust=Trust(
                sums=(workdir / "RPM-GPG-KEY-koozali",),
                packages=(workdir / "RPM-GPG-KEY-koozali",),
                fingerprints=("0123456789ABCDEF0123456789ABCDEF01234567",),
                max_age=90 * 86_400,
                older=Older.REFUSE,
            ),
            retain=Retain(days=30),
            notify=Notify(
                command="/usr/local/bin/told", mail="admin", ping="https://hc.example.org/UUID"
            ),
        )
        for release in as_written
    )
    assert uncommented == examples


def published(descriptor: Descriptor, publish: Publish) -> Publication | None:
    return replace(descriptor, publish=publish).releases()[0].publish


def test_each_key_stands_in_a_new_descriptor(workdir: Path, product: str) -> None:
    text = new_descriptor(product)

    known = [Descriptor, Sync, Fetch, Compose, Publish, Trust]
    keys = {each.name for cls in known for each in fields(cls)} - {"path", "profile"}
    written = re.findall(r"^(?:#  |# |#|)(\w+):", text, flags=re.MULTILINE)
    assert sorted(keys - set(written)) == []


def test_a_new_descriptor_of_an_unknown_product_is_refused() -> None:
    with pytest.raises(DescriptorError, match="--product: there is no product 'smesrver'"):
        new_descriptor("smesrver")
