"""Mails, as sendmail gets them."""

from __future__ import annotations

import email
import email.policy
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from page_samples import EVIL

from release_builder.descriptor.refreshing import Notify
from release_builder.errors import SurroundingsError
from release_builder.report import (
    Finding,
    Outcome,
    ReleaseReport,
    Report,
    Severity,
    StepResult,
    document,
)
from release_builder.telling import Occasion, tell
from release_builder.telling.mail import message, send_mail

if TYPE_CHECKING:
    from email.message import EmailMessage
    from pathlib import Path

NOW = datetime(2014, 2, 20, 3, 30, tzinfo=UTC)
TEXT = "smeserver 9.0beta3 i386: assemble: no room\n  free some room"


def reported(product: str = "smeserver", findings: int = 1) -> dict[str, object]:
    finding = Finding(Severity.SURROUNDINGS, f"no room for {product}", "free some room")
    steps = (
        StepResult("sync", Outcome.DONE, "12 files\nmore", 3.25),
        StepResult("assemble", Outcome.FAILED, findings=(finding,) * findings),
    )
    release = ReleaseReport("/etc/sme.yaml", product, "9.0beta3", "i386", "/srv", steps)
    return document(Report("refresh", (release,)))


def mail_of(report: dict[str, object], occasion: Occasion = Occasion.FAILURE) -> EmailMessage:
    """The mail as whoever gets it reads it."""
    sent = message("admin@example.org", occasion, report, TEXT, host="box.example", now=NOW)
    return email.message_from_bytes(sent.as_bytes(), policy=email.policy.default)


def test_the_head_says_what_programs_need() -> None:
    mail = mail_of(reported())

    assert mail["To"] == "admin@example.org"
    assert mail["From"].addresses[0].domain == "box.example"
    assert mail["Date"].datetime == NOW
    assert mail["Message-ID"].endswith("@box.example>")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["MIME-Version"] == "1.0"
    assert mail.get_content_type() == "text/plain"


@pytest.mark.parametrize(
    ("occasion", "words"),
    [
        pytest.param(Occasion.FAILURE, "FAILED", id="failure"),
        pytest.param(Occasion.RECOVERY, "works again", id="recovery"),
        pytest.param(Occasion.CHANGE, "new image", id="change"),
        pytest.param(Occasion.SUCCESS, "all is well", id="success"),
    ],
)
def test_the_subject_says_what_happened_to_what(occasion: Occasion, words: str) -> None:
    subject = mail_of(reported(), occasion)["Subject"]

    assert subject == f"{words}: smeserver 9.0beta3 i386 on box.example"


def test_the_body_says_it_in_short_then_in_full() -> None:
    body = mail_of(reported()).get_content()

    assert body.startswith(TEXT)
    assert "  sync       done            3.2 s  12 files\n" in body
    assert "      surroundings: no room for smeserver\n          free some room\n" in body
    assert "/etc/sme.yaml" in body


def test_many_findings_are_counted() -> None:
    body = mail_of(reported(findings=25)).get_content()

    assert body.count("no room for smeserver") == 10
    assert "and 15 more" in body


def test_no_name_makes_a_header_or_an_undecodable_mail() -> None:
    mail = mail_of(reported(f"{EVIL}\nBcc: all@example.org"))

    assert mail["Bcc"] is None
    assert r"\x0aBcc: all@example.org" in mail["Subject"]
    assert EVIL[:20] in mail.get_content()


def test_a_report_of_no_release_is_told_too() -> None:
    assert (
        mail_of(document(Report("refresh")))["Subject"] == "FAILED: release-builder on box.example"
    )


@pytest.fixture
def sendmail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another sendmail than this machine's, which keeps what it gets."""
    program = tmp_path / "sendmail"
    program.write_text(
        f'#!/bin/sh\necho "$@" >{tmp_path}/options\ncat >{tmp_path}/sent\n'
        f"test ! -e {tmp_path}/broken || {{ echo queue is full >&2; exit 75; }}\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path


def test_sendmail_reads_from_the_mail_whom_it_goes_to(sendmail: Path) -> None:
    findings = tell(Notify(mail="admin"), Occasion.FAILURE, reported(), ".\nend", {})

    assert findings == ()
    assert (sendmail / "options").read_text().split() == ["-t", "-oi"]
    sent = (sendmail / "sent").read_text()
    assert "\nTo: admin\n" in sent
    assert "\n\n.\nend\n" in sent


def test_what_sendmail_says_is_told(sendmail: Path) -> None:
    (sendmail / "broken").touch()

    (finding,) = tell(Notify(mail="admin"), Occasion.FAILURE, reported(), "", {})

    assert "status 75: queue is full" in finding.message


def test_a_machine_without_sendmail_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))

    with pytest.raises(SurroundingsError, match="sendmail is not installed"):
        send_mail("admin", Occasion.FAILURE, reported(), TEXT, folders="")


def test_sendmail_is_found_where_the_path_of_cron_does_not_lead(
    sendmail: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sbin = sendmail / "sbin"
    sbin.mkdir()
    (sendmail / "sendmail").rename(sbin / "sendmail")
    monkeypatch.setenv("PATH", "/bin")

    send_mail("admin", Occasion.FAILURE, reported(), TEXT, folders=str(sbin))

    assert (sendmail / "sent").exists()
