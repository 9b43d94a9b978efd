"""Finding the pair of a release: .jigdo files have no fixed place and no fixed name."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from golden import GOLDEN

from release_builder.errors import (
    DescriptorError,
    IncompleteError,
    WrongBytesError,
    WrongFileError,
)
from release_builder.loader import load
from release_builder.state.digest_cache import open_cache
from release_builder.steps.find_pair import find_pair

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from release_builder.descriptor.release import Release
    from release_builder.state.digest_cache import DigestCache

STEM = "smeserver-9.0beta3-x86_64"
JIGDO = (GOLDEN / "md5.jigdo").read_bytes().replace(b"image.bin", f"{STEM}.iso".encode())
TEMPLATE = (GOLDEN / "md5.template").read_bytes()
ISO, TREE = "iso/x86_64/", "smeos/x86_64/"


@pytest.fixture
def release(workdir: Path) -> Release:
    """Its tree is ``workdir``."""
    descriptor = workdir.parent / "sme9.yaml"
    descriptor.write_text("version: 9.0beta3\narch: x86_64\nmirror: rsync://h/m/\n")
    return load(descriptor).releases()[0]


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[DigestCache]:
    with open_cache(tmp_path / "state") as opened:
        yield opened


def write(root: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


@pytest.mark.parametrize(
    ("jigdo", "template"),
    [
        pytest.param(f"{ISO}{STEM}.jigdo", f"{ISO}md5.template", id="in iso"),
        pytest.param(f"{TREE}{STEM}.jigdo", f"{TREE}md5.template", id="in the tree, as 8.1beta2"),
        pytest.param(f"{ISO}{STEM}.iso.jigdo", f"{ISO}md5.template", id="as pungi names it"),
        pytest.param(f"{ISO}other.jigdo", f"{ISO}md5.template", id="under another name"),
        pytest.param(f"{ISO}{STEM}.jigdo", f"{TREE}md5.template", id="template elsewhere"),
        pytest.param(f"{ISO}{STEM}.jigdo", f"{ISO}{STEM}.template", id="template renamed"),
        pytest.param(f"{ISO}x.jigdo", f"{ISO}x.template", id="template named as the .jigdo"),
    ],
)
def test_a_pair_is_found(
    workdir: Path, release: Release, cache: DigestCache, jigdo: str, template: str
) -> None:
    write(workdir, {jigdo: JIGDO, template: TEMPLATE})

    pair = find_pair(workdir, release, cache)

    assert (pair.jigdo_path, pair.template_path) == (workdir / jigdo, workdir / template)
    assert pair.content == JIGDO
    with pair.open_template() as stream:
        read = pair.read_template(stream)
    assert read.description.image.length == (GOLDEN / "image.bin").stat().st_size


def test_the_images_own_name_wins(workdir: Path, release: Release, cache: DigestCache) -> None:
    other = JIGDO + b"# another\n"
    write(
        workdir,
        {f"{ISO}{STEM}.jigdo": JIGDO, f"{ISO}a.jigdo": other, f"{ISO}md5.template": TEMPLATE},
    )

    assert find_pair(workdir, release, cache).content == JIGDO


def test_the_same_jigdo_in_both_places_is_one(
    workdir: Path, release: Release, cache: DigestCache
) -> None:
    names = (f"{ISO}{STEM}.jigdo", f"{TREE}{STEM}.jigdo")
    write(workdir, dict.fromkeys(names, JIGDO) | {f"{ISO}md5.template": TEMPLATE})

    assert find_pair(workdir, release, cache).jigdo_path == workdir / names[0]


def test_several_that_differ_are_for_the_user_to_tell_apart(
    workdir: Path, release: Release, cache: DigestCache
) -> None:
    write(workdir, {f"{ISO}a\x1b.jigdo": JIGDO, f"{ISO}b.jigdo": JIGDO + b"#\n"})

    with pytest.raises(DescriptorError, match=r"a\\x1b\.jigdo, .*b\.jigdo") as caught:
        find_pair(workdir, release, cache)

    assert "`image:`" in caught.value.hint


@pytest.mark.parametrize("there", [{}, {f"{ISO}{STEM}.template": TEMPLATE}])
def test_without_a_jigdo_there_is_hope(
    workdir: Path, release: Release, cache: DigestCache, there: dict[str, bytes]
) -> None:
    write(workdir, there)

    with pytest.raises(IncompleteError, match=f"no {STEM}.jigdo in {ISO} or {TREE}"):
        find_pair(workdir, release, cache)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("smeserver-9.0beta2-x86_64.jigdo", id="version"),
        pytest.param("smeserver-9.0beta3-i386.jigdo", id="arch"),
    ],
)
def test_the_jigdo_of_another_release_is_not_taken_for_ours(
    workdir: Path, release: Release, cache: DigestCache, name: str
) -> None:
    write(workdir, {f"{ISO}{name}": JIGDO, f"{ISO}md5.template": TEMPLATE})

    with pytest.raises(DescriptorError, match=f"there is {ISO}{name}") as caught:
        find_pair(workdir, release, cache)

    assert "`image:`" in caught.value.hint


@pytest.mark.parametrize("name", [f"{STEM}.jigdo", "any.jigdo"])
def test_what_is_no_file_is_no_jigdo(
    workdir: Path, release: Release, cache: DigestCache, name: str
) -> None:
    (workdir / ISO).mkdir(parents=True)
    os.mkfifo(workdir / ISO / name)

    with pytest.raises(WrongBytesError, match=f"{ISO}{name} is no file"):
        find_pair(workdir, release, cache)


def test_a_jigdo_whose_template_is_still_to_come(
    workdir: Path, release: Release, cache: DigestCache
) -> None:
    write(workdir, {f"{ISO}{STEM}.jigdo": JIGDO})

    with pytest.raises(IncompleteError, match="is here, its template is not"):
        find_pair(workdir, release, cache)


def test_the_template_that_has_the_digest_is_meant(
    workdir: Path, release: Release, cache: DigestCache
) -> None:
    write(
        workdir,
        {
            f"{ISO}{STEM}.jigdo": JIGDO,
            f"{ISO}md5.template": b"of the beta before",
            f"{TREE}md5.template": TEMPLATE,
        },
    )

    assert find_pair(workdir, release, cache).template_path == workdir / TREE / "md5.template"


def test_a_template_with_another_digest_is_named_so_that_it_can_be_fetched_again(
    workdir: Path, release: Release, cache: DigestCache
) -> None:
    write(workdir, {f"{ISO}{STEM}.jigdo": JIGDO, f"{ISO}md5.template": TEMPLATE + b"x"})

    with pytest.raises(WrongFileError, match=r"found md5:.*, expected md5:") as caught:
        find_pair(workdir, release, cache)

    assert caught.value.path == workdir / ISO / "md5.template"
    assert caught.value.hint


def test_without_a_digest_the_first_template_is_taken(
    workdir: Path, release: Release, cache: DigestCache
) -> None:
    lines = [line for line in JIGDO.splitlines() if not line.startswith(b"Template-MD5Sum")]
    write(workdir, {f"{ISO}{STEM}.jigdo": b"\n".join(lines), f"{ISO}md5.template": TEMPLATE})

    assert find_pair(workdir, release, cache).template_path == workdir / ISO / "md5.template"


@pytest.mark.parametrize("name", ["..", "http://h/", "x/."])
def test_a_template_without_a_plain_name_is_refused(
    workdir: Path, release: Release, cache: DigestCache, name: str
) -> None:
    content = JIGDO.replace(b"Template=md5.template", f"Template={name}".encode())
    write(workdir, {f"{ISO}{STEM}.jigdo": content, f"{ISO}{STEM}.template": TEMPLATE})

    with pytest.raises(WrongBytesError):
        find_pair(workdir, release, cache)
