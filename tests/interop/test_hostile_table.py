"""Every class of hostile input, today's programs beside ours; pytest prints the table at its end."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import hostile_table
import pytest
from hostile_cases import CASES, CONTROL
from hostile_runs import run_case
from hostile_table import row_of
from side_by_side import PROPERTY

if TYPE_CHECKING:
    from collections.abc import Callable

    from hostile_cases import Case

pytestmark = pytest.mark.interop

UNFINISHED = (".tmp", ".partial")  # what a run that lacks a part, or cannot trust one, goes on with


def test_all_programs_make_the_image_where_nothing_is_wrong() -> None:
    outcomes = run_case(CONTROL)

    assert {outcome.ended for outcome in outcomes} == {"right image"}


def test_words_that_no_case_has_are_a_mistake(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["hostile_table", "--text", "nobody calls it so"])

    with pytest.raises(SystemExit) as ended:
        hostile_table.main()

    assert ended.value.code == 2
    assert "no case has all of these words: nobody calls it so" in capsys.readouterr().err


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_ours_is_never_wrong_and_never_stuck(
    case: Case, record_property: Callable[[str, object], None]
) -> None:
    outcomes = run_case(case)
    record_property(PROPERTY, row_of(outcomes))

    for ours in (each for each in outcomes if each.program.is_ours):
        assert not ours.is_bad, f"{ours.program.name}: {ours.text}"
        if case.refused:
            assert ours.status, f"{ours.program.name}: {ours.text}"
        elif case.refused is False:
            assert ours.ended in {"right image", "right list"}, f"{ours.program.name}: {ours.text}"
        if not case.refused and ours.status == 0:
            assert ours.made in {"right", "list"}, f"{ours.program.name}: {ours.text}"
        if case.row < 12:  # there, what lay in the way is moved aside
            strays = [name for name in ours.left if not name.endswith(UNFINISHED)]
            named = [name for name in strays if name.startswith("it as ")]
            assert strays == named, f"{ours.program.name}: {ours.text}"
        assert "Traceback" not in ours.words
