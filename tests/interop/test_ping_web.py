"""Pings of a real web server over TLS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from web_server import Tls, serve

from release_builder import process
from release_builder.descriptor.refreshing import Notify
from release_builder.telling import Occasion, tell

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.interop

ANSWER = "location / { return 200 OK; }"


@pytest.fixture
def tls(tmp_path: Path) -> Tls:
    """A certificate of this machine's own making."""
    tls = Tls(tmp_path / "own.pem", tmp_path / "own.key")
    made = process.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-out", str(tls.certificate), "-keyout", str(tls.key)),
        ]
    )
    assert made.status == 0, made.stderr
    return tls


def test_a_watcher_hears_of_start_and_end_by_https(tmp_path: Path, tls: Tls) -> None:
    with serve(tmp_path, tls=tls, more=ANSWER) as server:
        notify = Notify(ping=f"{server.url}uuid")
        environ = {"SSL_CERT_FILE": str(tls.certificate)}

        findings = [
            tell(notify, occasion, {}, "all is well", environ)
            for occasion in (Occasion.START, Occasion.SUCCESS, Occasion.FAILURE)
        ]

        asked = [(each.method, each.path, each.status) for each in server.requests()]
    assert findings == [(), (), ()]
    assert asked == [
        ("POST", "/uuid/start", 200),
        ("POST", "/uuid", 200),
        ("POST", "/uuid/fail", 200),
    ]


def test_a_watcher_that_is_not_to_be_trusted_hears_nothing(tmp_path: Path, tls: Tls) -> None:
    with serve(tmp_path, tls=tls, more=ANSWER) as server:
        (finding,) = tell(
            Notify(ping=f"{server.url}uuid"), Occasion.FAILURE, {}, "no room", environ={}
        )

        # nginx counts a connection that ended in the handshake as no request.
        asked = [each for each in server.requests() if each.path]
    assert "not to be trusted" in finding.message
    assert asked == []
