"""Versions: what they are, how they are ordered, and what is meant by a typo."""

from __future__ import annotations

import pytest

from release_builder.descriptor.refusal import RefusedError
from release_builder.descriptor.version import Phase, Stage, Version


@pytest.mark.parametrize(
    ("text", "numbers", "phase", "count"),
    [
        pytest.param("9", (9, 0, 0), Phase.FINAL, 0, id="one number"),
        pytest.param("8.10", (8, 10, 0), Phase.FINAL, 0, id="two numbers"),
        pytest.param("7.1.3", (7, 1, 3), Phase.FINAL, 0, id="three numbers"),
        pytest.param("7.1alpha1", (7, 1, 0), Phase.ALPHA, 1, id="alpha"),
        pytest.param("9.0beta3", (9, 0, 0), Phase.BETA, 3, id="beta"),
        pytest.param("7.0pre4", (7, 0, 0), Phase.PRE, 4, id="pre"),
        pytest.param("8.0rc1", (8, 0, 0), Phase.RC, 1, id="rc"),
    ],
)
def test_a_version_is_read_into_its_parts(
    text: str, numbers: tuple[int, int, int], phase: Phase, count: int
) -> None:
    version = Version.parse(text)

    assert version == Version(numbers, phase, count, text)
    assert str(version) == text
    assert version.major == numbers[0]


def test_versions_are_ordered_as_they_were_released() -> None:
    texts = ["7.0beta9", "7.0pre1", "7.0rc3", "7.0", "7.1alpha1", "7.1beta1", "7.1", "7.1.3"]
    texts += ["8.0beta7", "8.0rc1", "8", "8.0", "8.1beta2", "8.1beta10", "8.2", "10.1", "10.10"]

    ordered = sorted(Version.parse(text) for text in reversed(texts))

    assert [version.text for version in ordered] == texts


def test_a_missing_number_counts_as_zero_but_the_text_tells_versions_apart() -> None:
    short, long = Version.parse("8"), Version.parse("8.0")

    assert Version.parse("8.0rc1") < short < long < Version.parse("8.0.1alpha1")
    assert short != long


@pytest.mark.parametrize(
    ("text", "stage"),
    [
        pytest.param("9.0beta3", Stage.BETA, id="beta"),
        pytest.param("8.0rc1", Stage.BETA, id="rc"),
        pytest.param("9", Stage.FINAL, id="final"),
    ],
)
def test_what_is_not_final_is_at_the_beta_stage(text: str, stage: Stage) -> None:
    version = Version.parse(text)

    assert version.stage is stage
    assert version.is_final == (stage is Stage.FINAL)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        pytest.param("9.0bta3", "9.0beta3", id="letter missing"),
        pytest.param("9.0-beta3", "9.0beta3", id="dash"),
        pytest.param("9.0 beta3", "9.0beta3", id="blank"),
        pytest.param("9.0.beta.3", "9.0beta3", id="dots"),
        pytest.param("9.0~rc1", "9.0rc1", id="tilde"),
        pytest.param("v9.0", "9.0", id="v"),
        pytest.param("9.0Beta3", "9.0beta3", id="capital"),
        pytest.param("9.0b3", "9.0beta3", id="short"),
        pytest.param("9.0beta", "9.0beta1", id="number missing"),
        pytest.param("9.0final", "9.0", id="final"),
        pytest.param(" 9.0", "9.0", id="blank before"),
    ],
)
def test_a_typo_is_refused_with_what_was_meant(text: str, meant: str) -> None:
    with pytest.raises(RefusedError) as caught:
        Version.parse(text)

    assert caught.value.hint == f"did you mean {meant}?"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("latest", id="a word"),
        pytest.param("9.0.1.2", id="four numbers"),
        pytest.param("9.", id="dot at the end"),
        pytest.param("9.0quux3", id="a word of no meaning"),
        pytest.param("9.0beta3\n", id="line end"),
        pytest.param("٩", id="a digit that is not ASCII"),
        pytest.param("../9", id="a path"),
        pytest.param("1" * 10, id="too many digits"),
    ],
)
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a version"):
        Version.parse(text)
