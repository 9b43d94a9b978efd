"""Whether refreshes are scheduled here, and how the last ones went."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.doctor.checkup import Check, Mark
from release_builder.doctor.system import text_of
from release_builder.errors import printable
from release_builder.spans import span
from release_builder.state.history import open_history
from release_builder.state.lock import holder
from release_builder.state.turns import turn_lock

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

_TOPIC: Final = "refreshes"
_UNIT: Final = "release-builder-refresh.timer"
_CRON: Final = ("etc/cron.d/release-builder", "etc/crontab")
_COMMAND: Final = "release-builder refresh"
_OLD: Final = 48 * 3600  # seconds since the last success that deserve a look


def check_schedule(root: Path = Path("/")) -> Iterator[Check]:
    """Look for the timer, the cron job or the entry of a crontab below ``root``."""
    kind, mend = "systemd", ""
    enabled = root / "etc/systemd/system/timers.target.wants" / _UNIT
    if enabled.is_symlink() or enabled.exists():
        yield Check(_TOPIC, "schedule", Mark.OK, f"the timer {_UNIT} is turned on")
        return
    for name in _CRON:
        if any(_COMMAND in line for line in _active(root / name)):
            yield Check(_TOPIC, "schedule", Mark.OK, f"in /{name}")
            return
    if not (root / "run/systemd/system").is_dir():
        kind = "sme" if (root / "etc/e-smith").is_dir() else "cron.d"
    places = (root / "etc/systemd/system", root / "usr/lib/systemd/system")
    if any((folder / _UNIT).exists() for folder in places):
        mend = f"systemctl enable --now {_UNIT}"
    says = "nothing refreshes releases by itself here, as far as root's own jobs tell"
    install = f"release-builder install-cron --for {kind}"
    yield Check(_TOPIC, "schedule", Mark.NOTE, says, mend or install)


def check_history(folder: Path, descriptors: Collection[Path], now: datetime) -> Iterator[Check]:
    """Tell when each release was last built well, and who refreshes it now.

    Args:
        folder: The state folder.
        descriptors: The absolute paths of those in question; none: all that are known.
        now: The time, with a zone.
    """
    wanted = {str(path) for path in descriptors}
    with open_history(folder, read_only=True) as history:
        states = [each for each in history.releases() if not wanted or each.descriptor in wanted]
        for note in history.notes:
            yield Check(_TOPIC, "history", Mark.WARNING, printable(note))
    for state in states:
        name = printable(f"{state.product} {state.version} {state.arch}")
        age = state.age(now)
        if age is None:
            says, mark = f"never built well, in {_counted(state.runs, 'run')}", Mark.WARNING
        else:
            says = f"last built well {span(age)} ago"
            mark = Mark.WARNING if age > _OLD or state.failing_since else Mark.OK
        last = state.last_run
        if last and last.problem:
            says += f"; then: {printable(last.problem)}"
        mend = (last and last.hint) or "release-builder history tells more"
        yield Check(_TOPIC, name, mark, says, printable(mend) if mark is Mark.WARNING else "")
    known = {each.descriptor for each in states}
    for descriptor in sorted(wanted | known):
        name = printable(Path(descriptor).name)
        if at_work := holder(turn_lock(folder, Path(descriptor))):
            says = f"under way now: {printable(at_work)}"
            yield Check(_TOPIC, name, Mark.NOTE, says, "wait until it has ended")
        elif descriptor not in known:
            yield Check(_TOPIC, name, Mark.NOTE, "not built on this machine so far")


def _active(path: Path) -> Iterator[str]:
    return (line for line in text_of(path).splitlines() if not line.lstrip().startswith("#"))


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")
