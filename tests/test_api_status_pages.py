"""From the history to the status page."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from test_state_history import DESCRIPTOR, FAILED, RUN, record

from release_builder.api.status_pages import status_files
from release_builder.state.history import MAX_AGE, open_history

if TYPE_CHECKING:
    from pathlib import Path


def test_a_run_that_could_not_read_the_descriptor_is_no_release_of_its_own(tmp_path: Path) -> None:
    unread = replace(FAILED, product="", version="", arch="", problem="it is not mounted")
    record(tmp_path, RUN, replace(RUN, descriptor="/srv/sme9.yaml"), unread)

    with open_history(tmp_path) as history:
        now = RUN.ended + timedelta(hours=1)
        files = status_files(tmp_path, history.releases(), history.runs(), now, MAX_AGE)

    releases = json.loads(files["status.json"])["releases"]
    assert [(each["descriptor"], each["state"]) for each in releases] == [
        (DESCRIPTOR, "failing"),
        ("/srv/sme9.yaml", "fresh"),
    ]
    assert "it is not mounted" in files["index.html"]
    assert f"smeserver x86_64 ({DESCRIPTOR})" in files["index.html"]
