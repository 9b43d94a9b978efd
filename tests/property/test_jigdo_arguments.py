"""The look-alike's command line: whatever is typed is understood or refused."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from release_builder.cli.jigdo_file.arguments import read_options, split
from release_builder.cli.jigdo_file.options import COMMANDS, UsageError
from release_builder.cli.jigdo_file.values import deduced

NAMES = st.text("ab./-", max_size=6)
WORDS = st.one_of(
    st.sampled_from([*COMMANDS, "ls", "--", "-", "-i", "-fT", "--image=", "--l", "-5", "—hex"]),
    st.from_regex(r"--?[a-zA-Z-]{0,12}=?[0-9a-zA-Z=/-]{0,4}", fullmatch=True),
    st.text(st.characters(exclude_characters="\0"), max_size=8),
)


@given(st.lists(WORDS, max_size=6))
def test_any_command_line_is_understood_or_refused(argv: list[str]) -> None:
    with contextlib.suppress(UsageError):
        options = read_options(*split(argv))

        assert options.command in COMMANDS
        assert 256 <= options.min_length < 1 << 32


@given(st.tuples(NAMES, NAMES, NAMES))
def test_deduced_names_keep_those_given_and_differ(given_names: tuple[str, str, str]) -> None:
    names = deduced(*given_names)

    for before, after in zip(given_names, names, strict=True):
        assert after == before or not before
    new = [name for name, before in zip(names, given_names, strict=True) if name and not before]
    assert len({*new}) == len(new)
    assert not {*new} & {*given_names}
    assert deduced(*names) == names
