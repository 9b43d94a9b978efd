"""Any text is a value or is refused; what is a value is so in its normal form too."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from release_builder.descriptor import patterns
from release_builder.descriptor.mirror import Mirror
from release_builder.descriptor.refusal import RefusedError
from release_builder.descriptor.version import Version
from release_builder.loader import InvalidDescriptorError, load

VERSIONS = st.from_regex(
    r"[0-9]{1,3}(\.[0-9]{1,3}){0,2}((alpha|beta|pre|rc)[0-9]{1,2})?", fullmatch=True
)
NEAR_MIRRORS = st.text("abA.-_:/@[]%{}*? ~\x00é", max_size=20)
ADDRESSES = st.builds(
    "{}{}".format, st.sampled_from(["rsync://", "http://", "file://", "", "h::"]), NEAR_MIRRORS
)
KEYS = [
    "version",
    "arch",
    "mirror",
    "tree",
    "jigdo",
    "image",
    "workdir",
    "digests",
    "servers",
    "sync",
    "x",
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(VERSIONS)
def test_a_version_keeps_its_text(text: str) -> None:
    assert Version.parse(text).text == text


@given(VERSIONS, VERSIONS)
def test_versions_are_ordered_and_equal_only_when_written_alike(one: str, other: str) -> None:
    first, second = Version.parse(one), Version.parse(other)

    assert (first < second) + (first == second) + (first > second) == 1
    assert (first == second) == (one == other)


@given(st.text(max_size=20))
def test_any_text_is_a_version_or_refused(text: str) -> None:
    with contextlib.suppress(RefusedError):
        assert Version.parse(text).text == text


@given(ADDRESSES)
def test_any_text_is_a_mirror_with_one_normal_form_or_refused(text: str) -> None:
    folder = Path("/srv")

    with contextlib.suppress(RefusedError):
        mirror = Mirror.parse(text, folder)
        assert mirror.url.endswith("/")
        assert Mirror.parse(mirror.url, folder) == mirror


@pytest.mark.parametrize(
    "check", [patterns.folder, patterns.path, patterns.image, patterns.workdir, patterns.server]
)
@given(text=st.text("ab./{}~-* \x00é", max_size=12) | st.text(max_size=12))
def test_a_checked_pattern_expands_to_a_text_that_passes_too(check: object, text: str) -> None:
    assert callable(check)

    with contextlib.suppress(RefusedError):
        normal = check(text)
        expanded = patterns.expand(normal, dict.fromkeys(patterns.PLACEHOLDERS, "9.0beta3"))
        assert check(expanded) == expanded
        assert check(normal) == normal


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=80) | st.text(max_size=80).map(str.encode))
def test_any_bytes_are_a_descriptor_or_refused(workdir: Path, data: bytes) -> None:
    path = workdir / "sme.yaml"
    path.write_bytes(data)

    with contextlib.suppress(InvalidDescriptorError):
        load(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(keys=st.dictionaries(st.sampled_from(KEYS), VALUES))
def test_any_yaml_is_a_descriptor_or_refused(workdir: Path, keys: dict[str, object]) -> None:
    path = workdir / "sme.yaml"
    path.write_text(yaml.safe_dump(keys), encoding="utf-8")

    with contextlib.suppress(InvalidDescriptorError):
        load(path).releases()
