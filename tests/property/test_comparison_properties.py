"""Comparisons of any two releases add up, and the end of any file is a template's or is refused."""

from __future__ import annotations

from contextlib import suppress

import hypothesis.strategies as st
from comparing import NEW, package
from hypothesis import given

from release_builder.comparison import Kind, compare
from release_builder.comparison.inventory import Inventory
from release_builder.comparison.pair import lengths_at_end
from release_builder.jigdo.entries import TemplateError

OPPOSITE = {
    Kind.ADDED: Kind.REMOVED,
    Kind.REMOVED: Kind.ADDED,
    Kind.UPDATED: Kind.DOWNGRADED,
    Kind.DOWNGRADED: Kind.UPDATED,
    Kind.REBUILT: Kind.REBUILT,
}
packages = st.builds(
    package,
    name=st.sampled_from("ab"),
    evr=st.sampled_from(["1-1", "2-1", "10-1", "1.0-1", "1.00-1"]),
    arch=st.sampled_from(["noarch", "x86_64"]),
    epoch=st.sampled_from([0, 1]),
    content=st.sampled_from("xy"),
    header=st.booleans(),
)
releases = st.lists(packages, max_size=8, unique_by=lambda each: each.nevra).map(
    lambda found: Inventory("there", tuple(found), (), whole=True, parts={}, template_size=None)
)


@given(releases)
def test_a_release_does_not_differ_from_itself(release: Inventory) -> None:
    comparison = compare(release, release)

    assert comparison.packages == ()
    assert comparison.unchanged == len(release.packages)


@given(releases, releases)
def test_the_way_back_undoes_the_way_there(old: Inventory, new: Inventory) -> None:
    there, back = compare(old, new), compare(new, old)

    undone = [(OPPOSITE[each.kind], each.name, each.new_version) for each in there.packages]
    found = [(each.kind, each.name, each.old_version) for each in back.packages]
    assert sorted(undone) == sorted(found)


@given(st.binary(min_size=6, max_size=200), st.integers(6, 1000))
def test_the_end_of_any_file_is_a_templates_or_is_refused(tail: bytes, size: int) -> None:
    with suppress(TemplateError):
        lengths_at_end(tail, size)


@given(st.integers(6, len(NEW.template)))
def test_any_end_of_a_template_tells_its_parts_or_how_much_more_it_takes(count: int) -> None:
    template = NEW.template

    found = lengths_at_end(template[-count:], len(template))
    if isinstance(found, int):
        assert found > count
        found = lengths_at_end(template[-found:], len(template))

    assert found == {NEW.digest(part): len(part) for part in NEW.parts.values()}
