"""A release that is not where it was: promoted, replaced, obsolete or gone."""

from __future__ import annotations

from pathlib import Path

import pytest
from upstream_tree import put

from release_builder.api.tracking import whereabouts_of
from release_builder.descriptor.mirror import Mirror
from release_builder.descriptor.version import Version
from release_builder.loader import find_profile, load
from release_builder.transport.listing import LocalLister
from release_builder.upstream.layout import Layout
from release_builder.upstream.whereabouts import Fate, Whereabouts, whereabouts

SME = Layout.of(find_profile("smeserver"))


def fate_of(version: str, root: Path) -> Whereabouts:
    mirror = Mirror.parse(str(root), Path("/"))
    return whereabouts(Version.parse(version), mirror, LocalLister(root), SME)


@pytest.mark.parametrize(
    ("there", "fate", "place", "message"),
    [
        pytest.param(
            ["testing/9.0beta3"], Fate.THERE, "testing/9.0beta3", "9.0beta3 is there", id="there"
        ),
        pytest.param(
            ["9.0"], Fate.PROMOTED, "9.0", "9.0beta3 became the final: 9.0, at 9.0", id="promoted"
        ),
        pytest.param(
            ["9.0", "obsolete/9.0beta3"],
            Fate.PROMOTED,
            "9.0",
            "9.0beta3 became the final: 9.0, at 9.0",
            id="promoted, and put aside",
        ),
        pytest.param(
            ["testing/9.0rc1"],
            Fate.REPLACED,
            "testing/9.0rc1",
            "9.0rc1 followed 9.0beta3, at testing/9.0rc1",
            id="replaced",
        ),
        pytest.param(
            ["testing/9.0beta2", "obsolete/9.0beta3", "9.1"],
            Fate.OBSOLETE,
            "obsolete/9.0beta3",
            "9.0beta3 is obsolete: the mirror moved it to obsolete/9.0beta3",
            id="obsolete",
        ),
        pytest.param(
            ["testing/9.0beta2", "8.0", "obsolete/9.0beta1"],
            Fate.GONE,
            "",
            "9.0beta3 is gone: the mirror has it neither at testing/9.0beta3 nor at "
            "obsolete/9.0beta3",
            id="gone",
        ),
    ],
)
def test_what_became_of_a_beta(
    workdir: Path, there: list[str], fate: Fate, place: str, message: str
) -> None:
    for folder in there:
        put(workdir, folder)

    found = fate_of("9.0beta3", workdir)

    assert (found.fate, found.message) == (fate, message)
    assert found.mirror == (f"{workdir.as_uri()}/{place}/" if place else "")


def test_the_hint_says_what_to_write(workdir: Path) -> None:
    put(workdir, "9.0")

    hint = fate_of("9.0beta3", workdir).hint

    assert hint == f"write `version: 9.0` and `mirror: {workdir.as_uri()}/9.0/`"


@pytest.fixture
def descriptor(workdir: Path) -> Path:
    path = workdir / "sme.yaml"
    mirror = workdir / "mirror/testing/9.0beta3"
    path.write_text(f"version: 9.0beta3\narch: x86_64\nmirror: {mirror}\n")
    return path


def test_the_root_follows_from_the_mirror_of_a_descriptor(workdir: Path, descriptor: Path) -> None:
    put(workdir / "mirror", "9.0")

    found = whereabouts_of(load(descriptor).releases()[0])

    assert found is not None
    assert found.fate is Fate.PROMOTED


def test_a_mirror_that_cannot_be_asked_tells_nothing(descriptor: Path) -> None:
    assert whereabouts_of(load(descriptor).releases()[0]) is None


def test_a_mirror_with_another_layout_tells_nothing(workdir: Path, descriptor: Path) -> None:
    put(workdir, "9.0")
    release = load(descriptor, mirror=str(workdir)).releases()[0]

    assert whereabouts_of(release) is None
