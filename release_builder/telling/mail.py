"""Mail, through the sendmail of this machine.

Source: RFC 5322 (the message), RFC 3834 (Auto-Submitted: nobody's holiday reply comes back).
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import TYPE_CHECKING, Any, Final

from release_builder import process
from release_builder.errors import SurroundingsError, printable
from release_builder.pages import render
from release_builder.telling.bounded import run_bounded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_builder.telling import Occasion

_FOLDERS: Final = "/usr/sbin:/usr/lib"  # cron's PATH has neither
_SUBJECTS: Final = {
    "failure": "FAILED",
    "recovery": "works again",
    "change": "new image",
    "success": "all is well",
}


def send_mail(
    address: str,
    occasion: Occasion,
    document: Mapping[str, Any],
    text: str,
    folders: str = _FOLDERS,
) -> None:
    """Hand a mail to sendmail.

    Args:
        address: Whom it goes to.
        occasion: Why.
        document: The report.
        text: The same for a person, short.
        folders: Where sendmail may be if it is not in ``PATH``, with colons between.

    Raises:
        SurroundingsError: sendmail is missing, refused, or took too long.
    """
    host = socket.gethostname() or "localhost"
    sent = message(address, occasion, document, text, host=host, now=datetime.now(UTC))
    program = shutil.which("sendmail") or shutil.which("sendmail", path=folders) or "sendmail"
    # -oi: a line with nothing but a dot does not end the message.
    ended = run_bounded([program, "-t", "-oi"], sent.as_bytes(), process.environment())
    if ended.status != 0:
        how = "took too long" if ended.status is None else f"failed with status {ended.status}"
        raise SurroundingsError(
            f"notify: mail: sendmail {how}" + (f": {ended.words}" if ended.words else ""),
            hint=f"see what the mail system has in its log of {address}",
        )


def message(  # noqa: PLR0913 (what a mail is made of)
    address: str,
    occasion: Occasion,
    document: Mapping[str, Any],
    text: str,
    *,
    host: str,
    now: datetime,
) -> EmailMessage:
    """The mail.

    Args:
        address: Whom it goes to.
        occasion: Why.
        document: The report.
        text: The same for a person, short.
        host: The name of this machine.
        now: With its zone.
    """
    releases = document.get("releases", ())
    names = ", ".join(
        dict.fromkeys(f"{each['product']} {each['version']} {each['arch']}" for each in releases)
    )
    mail = EmailMessage()
    mail["From"] = f"release-builder <{_user()}@{host}>"
    mail["To"] = address
    mail["Subject"] = printable(f"{_SUBJECTS[occasion]}: {names or 'release-builder'} on {host}")
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = make_msgid("release-builder", host)
    mail["Auto-Submitted"] = "auto-generated"
    body = render("status/mail.txt.j2", text=text, document=document, releases=releases, host=host)
    mail.set_content("\n".join(printable(line) for line in body.split("\n")))
    return mail


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a user that only a container knows, by number
        return "release-builder"
