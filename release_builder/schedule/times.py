"""When a schedule is due: cron's five fields, and systemd's words for them.

Sources: crontab(5) of Vixie cron 4.1 (minute, hour, day of the month, month, day of the week; when
both days are restricted either is enough), and systemd.time(7). systemd 219 knows no ranges of
numbers, so each value is listed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from release_builder.errors import DescriptorError, printable

_FIELDS: Final = (
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day of the month", 1, 31),
    ("month", 1, 12),
    ("day of the week", 0, 7),
)
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS: Final = (
    *("jan", "feb", "mar", "apr", "may", "jun"),
    *("jul", "aug", "sep", "oct", "nov", "dec"),
)
_LONGEST: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)  # days, by month
_PIECE: Final = re.compile(r"(?:\*|([0-9]{1,2})(?:-([0-9]{1,2}))?)(?:/([0-9]{1,2}))?")
_HINT: Final = "write minute, hour, day, month and day of the week, such as '15 4 * * *'"


@dataclass(frozen=True, slots=True)
class Times:
    """When a schedule is due, in local time.

    Attributes:
        text: Five fields as crontab(5) has them, a blank between them, names as numbers.
        values: What each of them allows; empty where it begins with ``*`` and has no step.
    """

    text: str
    values: tuple[tuple[int, ...], ...]

    def never_come(self) -> bool:
        """Whether no month that is allowed has a day that is."""
        _, _, days, months, _ = self.values
        if self._either_day() or not days:
            return False
        return all(_LONGEST[month - 1] < days[0] for month in months or range(1, 13))

    def on_calendar(self) -> tuple[str, ...]:
        """The same as values of systemd's ``OnCalendar=``, of which any is enough."""
        minutes, hours, days, months, weekdays = self.values
        names = tuple(dict.fromkeys(_DAYS[each % 7].capitalize() for each in weekdays))
        clock = f"{_listed(hours)}:{_listed(minutes)}:00"
        if self._either_day():
            return (
                f"*-{_listed(months)}-{_listed(days)} {clock}",
                f"{','.join(names)} *-{_listed(months)}-* {clock}",
            )
        day = f"{','.join(names)} " if names else ""
        return (f"{day}*-{_listed(months)}-{_listed(days)} {clock}",)

    def _either_day(self) -> bool:
        """Whether the day of the month or that of the week is enough: neither has a star."""
        fields = self.text.split()
        return not (fields[2][0] == "*" or fields[4][0] == "*")


def parse_times(text: str) -> Times:
    """What ``text`` means.

    Raises:
        DescriptorError: It is not five fields of cron, or a day that never comes.
    """
    fields = text.lower().split()
    if len(fields) != len(_FIELDS):
        raise DescriptorError(f"'{printable(text)}' is no time of five fields", hint=_HINT)
    fields[3] = _numbered(fields[3], _MONTHS, 1)
    fields[4] = _numbered(fields[4], _DAYS, 0)
    times = Times(" ".join(fields), tuple(map(_values, fields, range(len(_FIELDS)))))
    if times.never_come():
        raise DescriptorError(
            f"'{printable(text)}' never comes: none of these months has such a day", hint=_HINT
        )
    return times


def _numbered(field: str, names: tuple[str, ...], first: int) -> str:
    for number, name in enumerate(names, first):
        field = re.sub(rf"\b{name}\b", str(number), field)
    return field


def _values(field: str, number: int) -> tuple[int, ...]:
    if field == "*":
        return ()
    name, lowest, highest = _FIELDS[number]
    allowed: set[int] = set()
    for piece in field.split(","):
        found = _PIECE.fullmatch(piece)
        first, last, step = found.groups() if found else (None, None, "0")
        low = int(first or lowest)
        # 5/10 is 5 alone to cron, which wants a range before a step.
        high = int(last or first or highest)
        if (
            not found
            or step == "0"
            or (step and first and not last)
            or not (lowest <= low <= high <= highest)
        ):
            raise DescriptorError(
                f"'{printable(field)}' is no {name} from {lowest} to {highest}", hint=_HINT
            )
        allowed.update(range(low, high + 1, int(step or 1)))
    return tuple(sorted(allowed))


def _listed(values: tuple[int, ...]) -> str:
    return ",".join(f"{each:02}" for each in values) or "*"
