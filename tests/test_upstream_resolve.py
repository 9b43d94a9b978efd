"""What a track leads to: the link first, then the newest that is complete, and never backwards."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from upstream_tree import link, put

from release_builder.descriptor.track import Reached
from release_builder.descriptor.version import Version
from release_builder.errors import DescriptorError, IncompleteError
from release_builder.loader import load
from release_builder.transport.listing import LocalLister
from release_builder.upstream.resolve import PATIENCE, news_of, resolve

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from release_builder.descriptor.track import Track

NOW = 1_400_000_000.0


@pytest.fixture
def root(workdir: Path) -> Path:
    """A mirror with 8.0 and 9.0beta3, to which testing/9 leads."""
    put(workdir / "mirror", "8.0")
    put(workdir / "mirror", "testing/9.0beta3")
    link(workdir / "mirror", "testing/9", "9.0beta3")
    return workdir / "mirror"


@pytest.fixture
def follow(root: Path, workdir: Path) -> Callable[..., Reached]:
    """Follows a track on that mirror."""

    def _follow(
        track: str = "testing/9",
        before: Reached | None = None,
        now: float = NOW,
        more: str = "arch: x86_64",
    ) -> Reached:
        path = workdir / "sme.yaml"
        path.write_text(f"track: {track}\nmirror: {root}\n{more}\n")
        descriptor = load(path)
        followed: Track | None = descriptor.track
        assert followed is not None
        return resolve(descriptor, followed, LocalLister(root), before, now)

    return _follow


def test_the_link_has_the_first_word(root: Path, follow: Callable[..., Reached]) -> None:
    put(root, "testing/9.0beta4")

    reached = follow()

    assert (reached.version, reached.folder) == ("9.0beta3", "testing/9.0beta3")
    assert reached.why == "testing/9 leads to it"
    assert reached.root == f"{root.as_uri()}/"


def test_without_a_link_the_newest_counts(root: Path, follow: Callable[..., Reached]) -> None:
    put(root, "testing/9.0rc1")
    put(root, "testing/9.0beta10")
    put(root, "testing/10.0alpha1")
    (root / "testing/9").unlink()

    assert follow().version == "9.0rc1"


@pytest.mark.parametrize("lacks", ["jigdo", "template", "sums"])
def test_a_release_counts_as_soon_as_all_of_it_is_there(
    root: Path, follow: Callable[..., Reached], lacks: str
) -> None:
    there = [each for each in ("jigdo", "template", "sums") if each != lacks]
    put(root, "testing/9.0beta4", *there)
    link(root, "testing/9", "9.0beta4")

    early = follow()
    put(root, "testing/9.0beta4", lacks)
    late = follow(before=early)

    assert early.version == "9.0beta3"
    assert early.waits.startswith("9.0beta4 is not complete (x86_64: the ")
    assert (late.version, late.waits, late.since) == ("9.0beta4", "", 0.0)


def test_all_arches_are_waited_for(root: Path, follow: Callable[..., Reached]) -> None:
    put(root, "testing/9.0beta3", arch="i386")
    put(root, "testing/9.0beta4")
    link(root, "testing/9", "9.0beta4")

    reached = follow(more="arch: [i386, x86_64]")

    assert reached.version == "9.0beta3"
    assert reached.waits == "9.0beta4 is not complete (i386: all of it)"


def test_a_newer_final_wins_over_the_link(root: Path, follow: Callable[..., Reached]) -> None:
    put(root, "9.0")

    reached = follow()

    assert (reached.version, reached.folder, reached.why) == ("9.0", "9.0", "it is final")


def test_an_older_final_does_not_win(root: Path, follow: Callable[..., Reached]) -> None:
    put(root, "9.0")
    put(root, "testing/9.1beta1")
    link(root, "testing/9", "9.1beta1")

    assert follow().version == "9.1beta1"


def test_a_track_of_finals_takes_no_beta(root: Path, follow: Callable[..., Reached]) -> None:
    put(root, "9.0")
    put(root, "testing/9.1beta1")

    assert follow("9").version == "9.0"


def test_a_track_of_a_minor_version_takes_no_other(
    root: Path, follow: Callable[..., Reached]
) -> None:
    put(root, "testing/9.1beta1")
    put(root, "testing/9.2beta1")

    assert follow("testing/9.1").version == "9.1beta1"


def test_a_mirror_that_is_behind_does_not_lead_back(
    root: Path, follow: Callable[..., Reached]
) -> None:
    (root / "testing/9").unlink()
    put(root, "testing/9.0beta4", "jigdo")  # complete once, being changed now
    before = Reached("9.0beta4", "file:///x/", "testing/9.0beta4", "")

    reached = follow(before=before)

    assert reached.version == "9.0beta4"
    assert reached.why == "it was so before, and nothing newer is complete"


def test_a_link_may_lead_back(root: Path, follow: Callable[..., Reached]) -> None:
    put(root, "testing/9.0beta4")
    before = Reached("9.0beta4", "file:///x/", "testing/9.0beta4", "")

    assert follow(before=before).version == "9.0beta3"


def test_a_withdrawn_release_leads_back(root: Path, follow: Callable[..., Reached]) -> None:
    (root / "testing/9").unlink()
    before = Reached("9.0beta4", "file:///x/", "testing/9.0beta4", "")

    assert follow(before=before).version == "9.0beta3"


def test_nothing_followed_what_is_gone(root: Path, follow: Callable[..., Reached]) -> None:
    before = Reached("7.0", "file:///x/", "7.0", "")

    reached = follow("7", before=before)

    assert (reached.version, reached.folder) == ("7.0", "7.0")
    assert reached.root == f"{root.as_uri()}/"


def test_sums_that_never_come_are_not_waited_for_for_ever(
    root: Path, follow: Callable[..., Reached]
) -> None:
    put(root, "testing/9.0beta4", "jigdo", "template")
    link(root, "testing/9", "9.0beta4")

    first = follow(now=NOW)
    second = follow(before=first, now=NOW + PATIENCE - 1)
    third = follow(before=second, now=NOW + PATIENCE)
    fourth = follow(before=third, now=NOW + PATIENCE + 1)

    versions = [each.version for each in (first, second, third, fourth)]
    assert versions == ["9.0beta3", "9.0beta3", "9.0beta4", "9.0beta4"]


def test_a_template_is_waited_for_for_ever(root: Path, follow: Callable[..., Reached]) -> None:
    put(root, "testing/9.0beta4", "jigdo", "sums")

    first = follow(now=NOW)

    assert follow(before=first, now=NOW + 10 * PATIENCE).version == "9.0beta3"


def test_the_first_release_is_taken_without_its_sums(
    root: Path, follow: Callable[..., Reached]
) -> None:
    put(root, "testing/10.0beta1", "jigdo", "template")
    put(root, "testing/10.0alpha1", "sums")

    assert follow("testing/10").version == "10.0beta1"


def test_nothing_that_is_complete_yet_is_told(root: Path, follow: Callable[..., Reached]) -> None:
    put(root, "testing/10.0beta1", "jigdo")

    with pytest.raises(IncompleteError, match=r"no complete release of testing/10 yet: 10\.0beta1"):
        follow("testing/10")


def test_a_version_that_the_mirror_never_had_is_refused(follow: Callable[..., Reached]) -> None:
    with pytest.raises(DescriptorError, match="no release of testing/90") as refused:
        follow("testing/90")

    assert refused.value.hint.startswith("it has releases of 8, 9; correct `track:`")


def test_where_the_jigdo_lies_is_as_the_descriptor_says(
    root: Path, follow: Callable[..., Reached]
) -> None:
    put(root, "testing/9.0beta4", below="other")
    link(root, "testing/9", "9.0beta4")

    reached = follow(more="arch: x86_64\njigdo: 'other/{arch}'")

    assert reached.version == "9.0beta4"


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        ("9.0beta3", "9.0beta3", ""),
        ("9.0beta3", "9.0beta4", "9.0beta4 followed 9.0beta3"),
        ("9.0rc1", "9.0", "9.0rc1 became the final: 9.0"),
        ("9.0", "9.1beta1", "9.1beta1 followed 9.0"),
        ("9.0beta4", "9.1", "9.1 followed 9.0beta4"),
        ("9.0beta4", "9.0beta3", "9.0beta4 is gone from the mirror: it is 9.0beta3 again"),
    ],
)
def test_news_say_what_followed_what(before: str, now: str, said: str) -> None:
    assert news_of(before, Version.parse(now)) == said


def test_a_descriptor_that_follows_becomes_an_ordinary_one(
    root: Path, workdir: Path, follow: Callable[..., Reached]
) -> None:
    reached = follow()
    ordinary = workdir / "ordinary.yaml"
    ordinary.write_text(
        f"version: 9.0beta3\narch: x86_64\nmirror: {root}/testing/9.0beta3/\nworkdir: w\n"
    )
    following = workdir / "sme.yaml"
    following.write_text(f"{following.read_text()}workdir: w\n")

    (release,) = load(following).reaching(reached).releases()

    assert release.track is not None
    assert release.track.reached == reached
    assert replace(release, track=None, descriptor=ordinary) == load(ordinary).releases()[0]
