"""Whether the clock can be right, by what is known without asking, and by what servers say."""

from __future__ import annotations

import os
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import certifi

from release_builder.doctor.checkup import Check, Mark
from release_builder.errors import printable
from release_builder.spans import span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_builder.doctor.system import System

_TOPIC: Final = "clock"
_TOLERATED: Final = timedelta(minutes=5)
_ZONES: Final = "zoneinfo/"


def check_clock(system: System, now: datetime, environ: dict[str, str]) -> Iterator[Check]:
    """Hold the clock against the age of this program, and tell the time zone.

    Args:
        system: Whose commands set it.
        now: What it says, with a zone.
        environ: The environment.
    """
    oldest = _oldest()
    if now < oldest:
        says = f"it says {_written(now)}, but this program is from {oldest:%Y-%m-%d} or later"
        needed_by = ("build", "refresh", "jigdo fetch", "publish")
        yield Check(_TOPIC, "clock", Mark.MISSING, says, _set(system), needed_by)
    else:
        yield Check(_TOPIC, "clock", Mark.OK, _written(now))
    zone = environ.get("TZ") or _local_zone() or "UTC, since nothing else is set"
    offset = datetime.fromtimestamp(now.timestamp()).astimezone().strftime("%z")
    yield Check(_TOPIC, "time zone", Mark.OK, printable(f"{zone} ({offset})"))


def check_against(host: str, theirs: datetime, now: datetime, system: System) -> Iterator[Check]:
    """Hold the clock against the one of a server.

    Args:
        host: Whose.
        theirs: What the server's clock says.
        now: What ours says.
        system: Whose commands set it.
    """
    gap = now - theirs
    if abs(gap) > _TOLERATED:
        side = "ahead of" if gap > timedelta() else "behind"
        says = f"{span(abs(gap).total_seconds())} {side} {printable(host)}'s ({_written(theirs)})"
        yield Check(_TOPIC, "clock", Mark.WARNING, says, _set(system))


def _oldest() -> datetime:
    """Before this nobody can run the program: its certificates are dated."""
    numbers = re.fullmatch(r"(\d{4})\.(\d{1,2})\.(\d{1,2})", certifi.__version__)
    year, month, day = map(int, numbers.groups()) if numbers else (2024, 2, 2)
    # A zone ahead of ours may be a day further.
    return datetime(year, month, day, tzinfo=UTC) - timedelta(days=1)


def _set(system: System) -> str:
    if system.family == "enterprise" and system.major in range(5, 7):
        return "service ntpd stop; ntpdate -u pool.ntp.org; service ntpd start"
    return "timedatectl set-ntp true, or: date -u -s 'YYYY-MM-DD HH:MM'"


def _local_zone() -> str:
    try:
        target = os.path.realpath("/etc/localtime")
    except OSError:
        return ""
    if _ZONES in target:
        return target.partition(_ZONES)[2]
    return time.tzname[0] if Path(target).exists() else ""


def _written(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
