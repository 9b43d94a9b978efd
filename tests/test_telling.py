"""Who is told of a refresh, and on what occasion."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from release_builder.descriptor.refreshing import Notify, When
from release_builder.report import Outcome, ReleaseReport, Report, Severity, StepResult, document
from release_builder.telling import Occasion, occasion_of, tell

if TYPE_CHECKING:
    from pathlib import Path

RELEASES = tuple(
    ReleaseReport(
        descriptor="/etc/sme.yaml",
        product="smeserver",
        version="9.0beta3",
        arch=arch,
        workdir="/srv/sme",
        steps=(StepResult("sync", Outcome.DONE, "1 file"),),
    )
    for arch in ("i386", "x86_64")
)
DOCUMENT = document(Report("refresh", RELEASES))
ENDS = [Occasion.SUCCESS, Occasion.CHANGE, Occasion.FAILURE, Occasion.RECOVERY]


def script(folder: Path, text: str) -> Path:
    """A program of the user's."""
    path = folder / "hook"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("failed", "changed", "failure_was_told", "occasion"),
    [
        pytest.param(False, False, False, Occasion.SUCCESS, id="nothing new"),
        pytest.param(False, True, False, Occasion.CHANGE, id="something new"),
        pytest.param(False, False, True, Occasion.RECOVERY, id="well again"),
        pytest.param(False, True, True, Occasion.RECOVERY, id="well again and new"),
        pytest.param(True, False, False, Occasion.FAILURE, id="failed"),
        pytest.param(True, True, True, Occasion.FAILURE, id="failed again"),
    ],
)
def test_a_run_has_one_occasion(
    *, failed: bool, changed: bool, failure_was_told: bool, occasion: Occasion
) -> None:
    assert (
        occasion_of(failed=failed, changed=changed, failure_was_told=failure_was_told) is occasion
    )


@pytest.mark.parametrize(
    ("when", "told"),
    [
        pytest.param(When.FAILURE, {"failure", "recovery"}, id="failure"),
        pytest.param(When.CHANGE, {"failure", "recovery", "change"}, id="change"),
        pytest.param(When.ALWAYS, {"failure", "recovery", "change", "success"}, id="always"),
    ],
)
def test_the_command_runs_when_it_is_wanted(tmp_path: Path, when: When, told: set[str]) -> None:
    log = tmp_path / "log"
    hook = script(tmp_path, f'echo "$RELEASE_BUILDER_OCCASION" >>{log}')
    notify = Notify(command=str(hook), when=when)

    findings = [tell(notify, each, DOCUMENT, "", os.environ) for each in [Occasion.START, *ENDS]]

    assert findings == [()] * 5
    assert set(log.read_text().split()) == told


def test_the_command_reads_the_report(tmp_path: Path) -> None:
    hook = script(tmp_path, f"cat >{tmp_path}/got")

    assert tell(Notify(command=str(hook)), Occasion.FAILURE, DOCUMENT, "", os.environ) == ()

    got = json.loads((tmp_path / "got").read_text())
    assert got == json.loads(json.dumps(DOCUMENT))
    assert [release["arch"] for release in got["releases"]] == ["i386", "x86_64"]


def test_the_command_gets_its_words_as_a_shell_would_split_them(tmp_path: Path) -> None:
    hook = script(tmp_path, f'printf "%s\\n" "$@" >{tmp_path}/got')

    tell(Notify(command=f"{hook} 'a b' $c"), Occasion.FAILURE, DOCUMENT, "", os.environ)

    assert (tmp_path / "got").read_text() == "a b\n$c\n"


def test_the_command_sees_a_clean_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "of the user")
    hook = script(tmp_path, f"env >{tmp_path}/got")

    tell(Notify(command=str(hook)), Occasion.FAILURE, DOCUMENT, "", os.environ)

    seen = dict(line.split("=", 1) for line in (tmp_path / "got").read_text().splitlines())
    assert "SECRET" not in seen
    assert {name: text for name, text in seen.items() if name.startswith("RELEASE_BUILDER_")} == {
        "RELEASE_BUILDER_OCCASION": "failure",
        "RELEASE_BUILDER_STATUS": "0",
        "RELEASE_BUILDER_COMMAND": "refresh",
        "RELEASE_BUILDER_DESCRIPTOR": "/etc/sme.yaml",
        "RELEASE_BUILDER_PRODUCT": "smeserver",
        "RELEASE_BUILDER_VERSION": "9.0beta3",
        "RELEASE_BUILDER_ARCH": "i386 x86_64",
    }


@pytest.mark.parametrize(
    ("notify", "words"),
    [
        pytest.param(Notify(command="no-such-program-here"), "not installed", id="no command"),
        pytest.param(Notify(command="sh -c 'echo oh; exit 7'"), "status 7: oh", id="command fails"),
        pytest.param(Notify(ping="http://127.0.0.1:1/x"), "127.0.0.1: unreachable", id="no server"),
    ],
)
def test_who_cannot_be_told_is_a_warning(notify: Notify, words: str) -> None:
    (finding,) = tell(notify, Occasion.FAILURE, DOCUMENT, "", {})

    assert finding.severity is Severity.WARNING
    assert words in finding.message
    assert finding.hint


def test_one_who_cannot_be_told_does_not_keep_it_from_the_next(tmp_path: Path) -> None:
    hook = script(tmp_path, f"touch {tmp_path}/told")
    notify = Notify(ping="http://127.0.0.1:1/x", command=str(hook))

    findings = tell(notify, Occasion.FAILURE, DOCUMENT, "", {})

    assert len(findings) == 1
    assert (tmp_path / "told").exists()


def test_nobody_is_told_where_nobody_is_named() -> None:
    assert tell(Notify(), Occasion.FAILURE, DOCUMENT, "", {}) == ()


def test_the_report_is_for_nobody_elses_eyes(tmp_path: Path) -> None:
    folder = "$(dirname $(readlink /proc/self/fd/0))"
    hook = script(tmp_path, f'stat -c %a "{folder}" >{tmp_path}/mode')

    tell(Notify(command=str(hook)), Occasion.FAILURE, DOCUMENT, "", os.environ)

    assert (tmp_path / "mode").read_text() == "700\n"
