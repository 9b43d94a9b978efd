"""Lists in braces stand for the names that a shell would make of them."""

from __future__ import annotations

import pytest

from release_builder.cli.braces import expand_braces
from release_builder.errors import DescriptorError


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("cd.jigdo", ["cd.jigdo"], id="no list"),
        pytest.param("cd-{1,2,3}.jigdo", ["cd-1.jigdo", "cd-2.jigdo", "cd-3.jigdo"], id="a list"),
        pytest.param("{a,b}-{1,2}", ["a-1", "a-2", "b-1", "b-2"], id="the first varies slowest"),
        pytest.param("{a,b}", ["a", "b"], id="nothing around it"),
        pytest.param("cd{,-2}.iso", ["cd.iso", "cd-2.iso"], id="an empty choice"),
        pytest.param("{,}", [""], id="two empty choices"),
        pytest.param("{a,{b,c}}", ["a", "b", "c"], id="a list in a list"),
        pytest.param("{a,x{1,2}y}z", ["az", "x1yz", "x2yz"], id="a list within a choice"),
        pytest.param("{1,1}", ["1"], id="a name twice"),
        pytest.param("{a}", ["{a}"], id="one choice"),
        pytest.param("{}", ["{}"], id="empty braces"),
        pytest.param("a,b", ["a,b"], id="a comma without braces"),
        pytest.param("{a,b", ["{a,b"], id="no end"),
        pytest.param("a,b}", ["a,b}"], id="no begin"),
        pytest.param("}a,b{", ["}a,b{"], id="the wrong way round"),
        pytest.param("{{a,b}", ["{a", "{b"], id="one brace too many"),
        pytest.param("{x{1,2}}", ["{x1}", "{x2}"], id="a list in braces without a comma"),
        pytest.param("{é,\udce9}", ["é", "\udce9"], id="any characters"),
        pytest.param("", [""], id="nothing"),
    ],
)
def test_a_text_stands_for_words(text: str, words: list[str]) -> None:
    assert expand_braces(text) == words


def test_a_thousand_names_are_not_too_many() -> None:
    digits = "{0,1,2,3,4,5,6,7,8,9}"

    words = expand_braces(digits * 3)

    assert words == [f"{number:03}" for number in range(1000)]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{" + ",".join(map(str, range(1001))) + "}", id="one more"),
        pytest.param("{1,2}" * 64, id="many lists"),
    ],
)
def test_more_than_a_thousand_names_are_refused(text: str) -> None:
    with pytest.raises(DescriptorError, match="stands for more than 1,000 names") as raised:
        expand_braces(text)

    assert len(raised.value.what) < 200
