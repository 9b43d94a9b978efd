"""Every class of hostile input on the programs of today and on ours: a table, made by running them.

cd tests; python -m hostile_table  # as Markdown, for SECURITY.md
cd tests; python -m hostile_table --text "labels"  # plain, of the cases with these words
"""

from __future__ import annotations

import argparse
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
    parser = argparse.ArgumentParser(
        prog="python -m hostile_table", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--text", action="store_true", help="plain, not as Markdown")
    parser.add_argument("words", nargs="*", metavar="WORD", help="only cases with all these words")
    options = parser.parse_args()
    cases = [case for case in CASES if all(word in case.name for word in options.words)]
    if not cases:
        parser.error(f"no case has all of these words: {' '.join(options.words)}")
    with ThreadPoolExecutor(3) as pool:
        rows = [row_of(outcomes) for outcomes in pool.map(run_case, cases)]
    sys.stdout.write(f"{plain(rows) if options.text else markdown(rows)}\n")


if __name__ == "__main__":
    main()
