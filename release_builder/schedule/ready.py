"""The texts of the ready files."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Final

from release_builder.errors import DescriptorError, printable
from release_builder.pages import render
from release_builder.schedule.times import Times, parse_times

CRON_FILE: Final = "/etc/cron.d/release-builder"
UNITS: Final = "/etc/systemd/system"
TIMER: Final = "release-builder-refresh.timer"
ENABLED: Final = f"{UNITS}/timers.target.wants/{TIMER}"
FRAGMENT: Final = "/etc/e-smith/templates-custom/etc/crontab/60release-builder"
LOGROTATE: Final = "/etc/logrotate.d/release-builder"
DESCRIPTORS: Final = "/etc/release-builder/releases.d"
DAILY: Final = parse_times("15 4 * * *")
MAX_AGE: Final = "26h"

# Plain to a shell, to cron, to systemd and to Perl alike.
_PATH: Final = re.compile(r"/[A-Za-z0-9/._+@:,=-]+")
_SPAN: Final = re.compile(r"(?:[0-9]{1,6}[wdhms]){1,5}")
_DEADLINE: Final = "4h"
_UNKNOWN: Final = "0" * 64
_MARK: Final = re.compile(
    r"((?:Written|Of)[A-Za-z' -]* release-builder[A-Za-z' -]*); sha256:([0-9a-f]{64})"
)


class Kind(StrEnum):
    """Who runs the refreshes."""

    CRON_D = "cron.d"
    SYSTEMD = "systemd"
    SME = "sme"


class Origin(StrEnum):
    """Whose a file is, as the mark in its first lines says."""

    OURS = "Written by release-builder install-cron"
    OURS_FOR_PACKAGED = "Written by release-builder install-cron over the package's"
    PACKAGED = "Of the package release-builder"
    CHANGED = "changed by hand"
    FOREIGN = "no mark of ours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What is to be run, and when.

    Attributes:
        at: When, in local time.
        program: The absolute path of release-builder.
        page: Folder of the status page; empty for none.
        metrics: File for Prometheus; empty for none.
        max_age: How old the last success may be before failures are told, such as ``26h``.

    Raises:
        DescriptorError: A path is not absolute or has an unusual character, or ``max_age`` is no
            span of time.
    """

    at: Times = DAILY
    program: str = "/usr/bin/release-builder"
    page: str = ""
    metrics: str = ""
    max_age: str = MAX_AGE

    def __post_init__(self) -> None:
        for path in (self.program, self.page, self.metrics):
            if path and not _PATH.fullmatch(path):
                raise DescriptorError(
                    f"'{printable(path)}' cannot stand in a schedule",
                    hint="name an absolute path of letters, digits and any of /._+@:,=-",
                )
        if not _SPAN.fullmatch(self.max_age):
            raise DescriptorError(
                f"'{printable(self.max_age)}' is no span of time",
                hint="write such as 90m, 26h or 2d",
            )

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders that refreshes write into because of these settings, sorted."""
        named = [self.page] if self.page else []
        named += [str(PurePosixPath(self.metrics).parent)] if self.metrics else []
        return tuple(sorted(set(named)))

    def command(self, *options: str) -> str:
        """The command line; no shell has to quote anything of it."""
        given = [*options, "--deadline", _DEADLINE, "--max-age", self.max_age]
        given += ["--page", self.page] if self.page else []
        given += ["--metrics", self.metrics] if self.metrics else []
        return " ".join([self.program, "refresh", *given, DESCRIPTORS])


_TEMPLATES: Final = {
    Kind.CRON_D: {CRON_FILE: "cron.d.j2"},
    Kind.SYSTEMD: {
        f"{UNITS}/release-builder-refresh.service": "refresh.service.j2",
        f"{UNITS}/{TIMER}": "refresh.timer.j2",
    },
    Kind.SME: {FRAGMENT: "crontab-fragment.j2"},
}


def ready_files(
    kind: Kind, schedule: Schedule, *, packaged: bool = False, over: bool = False
) -> dict[str, str]:
    """The files of ``kind``, logrotate's last.

    Args:
        kind: Who runs the refreshes.
        schedule: What is to be run, and when.
        packaged: They are for a package: what would be on as soon as it is there is off.
        over: The package has files of the same names, which come back when these are removed.

    Returns:
        Absolute path → text, which belongs into a file that all may read and root may write.
    """
    origin = Origin.PACKAGED if packaged else Origin.OURS_FOR_PACKAGED if over else Origin.OURS
    templates = {**_TEMPLATES[kind], LOGROTATE: "logrotate.j2"}
    return {
        path: _marked(
            render(
                f"schedule/{template}",
                mark=f"{origin}; sha256:{_UNKNOWN}",
                schedule=schedule,
                packaged=packaged,
            )
        )
        for path, template in templates.items()
    }


def origin(text: str) -> Origin:
    """Whose the file with this text is, and whether it is as it was written."""
    found = _MARK.search(text)
    if not found:
        return Origin.FOREIGN
    as_written = _marked(text.replace(found[2], _UNKNOWN, 1)) == text
    return Origin(found[1]) if as_written and found[1] in set(Origin) else Origin.CHANGED


def _marked(text: str) -> str:
    """``text`` with its own digest, taken while there are noughts in its place."""
    return text.replace(_UNKNOWN, hashlib.sha256(text.encode()).hexdigest(), 1)
