"""Ready files for scheduled refreshes: for cron, systemd and the SME Server; on and off."""

from __future__ import annotations

from release_builder.schedule.changes import Change, Deed, afterwards, to_install, to_remove
from release_builder.schedule.ready import Kind, Schedule, ready_files
from release_builder.schedule.sme_settings import sme_settings
from release_builder.schedule.times import Times, parse_times

__all__ = [
    "Change",
    "Deed",
    "Kind",
    "Schedule",
    "Times",
    "afterwards",
    "parse_times",
    "ready_files",
    "sme_settings",
    "to_install",
    "to_remove",
]
