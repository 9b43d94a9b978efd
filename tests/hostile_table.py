"""Every class of hostile input on the programs of today and on ours: a table, made by running them.

cd tests; python -m hostile_table  # as Markdown, for SECURITY.md
cd tests; python -m hostile_table --text "labels"  # plain, of the cases with these words
"""

from __future__ import annotations

import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from hostile_cases import CASES
from hostile_runs import run_case
from side_by_side import markdown, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hostile_runs import Outcome
    from side_by_side import Row

_LONGEST: Final = 96  # characters of an outcome


def row_of(outcomes: Sequence[Outcome]) -> Row:
    """The row of a case."""
    case = outcomes[0].case
    today = [each for each in outcomes if not each.program.is_ours]
    ours = [each for each in outcomes if each.program.is_ours]
    return case.row, case.what, _told(today), _told(ours)


def _told(outcomes: Iterable[Outcome]) -> str:
    """A line for each thing that came of it, with the programs that it came of."""
    names: dict[str, list[str]] = {}
    for outcome in outcomes:
        text = textwrap.shorten(outcome.text, _LONGEST, placeholder=" …")
        names.setdefault(text, []).append(outcome.program.name)
    return "\n".join(f"{', '.join(programs)}: {text}" for text, programs in names.items())


def main() -> None:
    """Run what the command line asks for, and print the table."""
    words = [word for word in sys.argv[1:] if word != "--text"]
    cases = [case for case in CASES if all(word in case.name for word in words)]
    with ThreadPoolExecutor(3) as pool:
        rows = [row_of(outcomes) for outcomes in pool.map(run_case, cases)]
    print(plain(rows) if "--text" in sys.argv else markdown(rows))  # noqa: T201 (a program)


if __name__ == "__main__":
    main()
