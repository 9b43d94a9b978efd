"""What became of each package from one release to the next."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from comparing import ENTRIES, package

from release_builder.comparison import compare
from release_builder.comparison.inventory import File, Inventory
from release_builder.comparison.packages import from_file_name
from release_builder.digests import Digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_builder.comparison.packages import PackageFile

ONE, TWO = (Digest("md5", bytes([number]) * 16) for number in (1, 2))
STRONG = Digest("sha256", bytes(32))


def inventory(
    *packages: PackageFile,
    files: tuple[File, ...] = (),
    whole: bool = True,
    parts: Mapping[Digest, int | None] | None = None,
    template: int | None = None,
) -> Inventory:
    return Inventory("there", packages, files, whole, parts or {}, template)


def changes(
    old: tuple[PackageFile, ...], new: tuple[PackageFile, ...]
) -> list[tuple[str, str, str]]:
    """Kind, old and new version of what changed."""
    found = compare(inventory(*old), inventory(*new)).packages
    return [(each.kind.value, each.old_version, each.new_version) for each in found]


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        pytest.param("1.9-1", "1.10-1", "updated", id="numbers, not letters"),
        pytest.param("1.0~rc1-1", "1.0-1", "updated", id="a tilde is before"),
        pytest.param("1.0-2", "1.0-1", "downgraded", id="release"),
        pytest.param("1.0-1", "1.00-1", "rebuilt", id="equal as rpm sees it"),
    ],
)
def test_versions_are_compared_as_rpm_does(old: str, new: str, kind: str) -> None:
    found = changes((package("a", old),), (package("a", new),))

    assert found == [(kind, old, new)]


def test_an_epoch_beats_the_version() -> None:
    old, new = package("a", "9.0-1"), package("a", "1.0-1", epoch=1)

    assert changes((old,), (new,)) == [("updated", "9.0-1", "1:1.0-1")]


def test_where_only_a_file_name_is_known_epochs_do_not_count() -> None:
    named = from_file_name("Packages/bind-9.8-2.el6.i686.rpm", None, None)
    assert named
    same = package("bind", "9.8-2.el6", "i686", epoch=32)
    newer = package("bind", "9.9-1.el6", "i686", epoch=32)

    assert changes((named,), (same,)) == []
    assert changes((named,), (newer,)) == [("updated", "9.8-2.el6", "9.9-1.el6")]
    assert changes((newer,), (named,)) == [("downgraded", "9.9-1.el6", "9.8-2.el6")]


def test_packages_come_and_go() -> None:
    found = changes((package("a"), package("b")), (package("b"), package("c")))

    assert found == [("removed", "1.0-1", ""), ("added", "", "1.0-1")]


def test_the_same_version_with_other_bytes_is_rebuilt() -> None:
    found = changes((package("a"),), (package("a", content="other"),))

    assert found == [("rebuilt", "1.0-1", "1.0-1")]


def test_the_same_version_of_another_size_is_rebuilt_though_digests_are_unknown() -> None:
    old = replace(package("a"), digest=None)

    assert changes((old,), (replace(old, size=1),)) == [("rebuilt", "1.0-1", "1.0-1")]
    assert changes((old,), (replace(old, size=None),)) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param("1 2", "2 3", [("removed", "1-1", ""), ("updated", "2-1", "3-1")], id="on"),
        pytest.param("1", "1 2", [("updated", "1-1", "2-1")], id="one more"),
        pytest.param("1 2", "2", [("removed", "1-1", "")], id="an old one gone"),
        pytest.param("1 3", "2 3", [("added", "", "2-1"), ("removed", "1-1", "")], id="below"),
        pytest.param("2 3", "2", [("downgraded", "3-1", "2-1")], id="the newest gone"),
    ],
)
def test_of_several_versions_the_newest_are_compared(
    old: str, new: str, expected: list[tuple[str, str, str]]
) -> None:
    ours, theirs = (
        tuple(package("kernel", f"{version}-1") for version in each.split()) for each in (old, new)
    )

    assert sorted(changes(ours, theirs)) == sorted(expected)


def test_architectures_are_packages_of_their_own() -> None:
    old = (package("libc", "1-1", "i686"), package("libc", "1-1", "x86_64"))
    new = (package("libc", "2-1", "i686"), package("libc", "1-1", "x86_64"))

    assert changes(old, new) == [("updated", "1-1", "2-1")]


def test_a_package_that_became_noarch_is_the_same_package() -> None:
    old, new = package("a", "1-1", "x86_64"), package("a", "2-1", "noarch")

    (change,) = compare(inventory(old), inventory(new)).packages

    assert (change.kind, change.arch) == ("updated", "noarch")


def test_a_package_of_another_architecture_is_another_package() -> None:
    old, new = package("a", "1-1", "i686"), package("a", "1-1", "x86_64")

    assert changes((old,), (new,)) == [("removed", "1-1", ""), ("added", "", "1-1")]


def test_sizes_changelogs_and_bugs_are_told() -> None:
    old = package("a", "1.0-1", size=100, changes=ENTRIES[2:])
    new = package("a", "1.0-3", size=350, changes=ENTRIES)

    comparison = compare(inventory(old), inventory(new, package("b", size=1000)))
    change, added = comparison.packages

    assert (change.size_change, added.size_change, comparison.size_change) == (250, 1000, 1250)
    assert change.notes == tuple(entry.text for entry in ENTRIES[:2])
    assert change.bugs == comparison.bugs == (7001, 8123)
    assert (added.notes, added.bugs) == ((), ())


def test_an_unknown_size_is_no_size() -> None:
    comparison = compare(inventory(package("a", size=None)), inventory(package("a", "2-1")))

    assert comparison.packages[0].size_change is None
    assert comparison.size_change is None


def test_what_did_not_change_is_counted() -> None:
    same = [package(name) for name in "abc"]

    comparison = compare(inventory(*same, package("d")), inventory(*same, package("d", "2-1")))

    assert comparison.unchanged == 3


def test_other_files_are_compared_as_far_as_both_tell() -> None:
    old = (File("a", 1, ONE), File("b", 1, ONE), File("c", 1, ONE))
    new = (File("b", 1, ONE), File("c", 1, TWO), File("d", 1, ONE))

    whole = compare(inventory(files=old), inventory(files=new)).files
    named = compare(inventory(files=old, whole=False), inventory(files=new, whole=False)).files

    found = [(each.kind.value, each.path) for each in whole]
    assert found == [("removed", "a"), ("changed", "c"), ("added", "d")]
    assert [each.path for each in named] == ["c"]


def test_what_must_be_fetched_is_what_the_old_image_has_not() -> None:
    old = inventory(parts={ONE: 10})
    new = inventory(parts={ONE: 10, TWO: 500}, template=70)

    fetching = compare(old, new).fetching

    assert (fetching.count, fetching.part_bytes, fetching.template_bytes) == (1, 500, 70)
    assert (fetching.total, fetching.why) == (570, "")


@pytest.mark.parametrize(
    ("old", "new", "count", "why"),
    [
        pytest.param({ONE: 1}, {TWO: None}, 1, "no template", id="new parts of unknown size"),
        pytest.param({ONE: 1}, {STRONG: 1}, None, "md5 .* sha256", id="digests of two kinds"),
        pytest.param({}, {TWO: 1}, None, "digests of there", id="an old release without digests"),
    ],
)
def test_what_is_not_known_is_not_guessed(
    old: Mapping[Digest, int | None], new: Mapping[Digest, int | None], count: int | None, why: str
) -> None:
    fetching = compare(inventory(parts=old), inventory(parts=new)).fetching

    assert (fetching.count, fetching.part_bytes, fetching.total) == (count, None, None)
    assert re.search(why, fetching.why)


@pytest.mark.parametrize(
    ("path", "nevra"),
    [
        pytest.param("a/e-smith-base-5.6.0-20.el6.noarch.rpm", "e-smith-base-5.6.0-20.el6.noarch"),
        pytest.param("bash-4.2-1.src.rpm", "bash-4.2-1.src"),
        pytest.param("no-package.rpm", ""),
        pytest.param("a-1-1.noarch.txt", ""),
    ],
)
def test_file_names_tell_packages(path: str, nevra: str) -> None:
    found = from_file_name(path, None, None)

    assert (found.nevra if found else "") == nevra
