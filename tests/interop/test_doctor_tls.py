"""Which of certificate, name, clock, protocol and SNI keeps https from working."""

from __future__ import annotations

import socket
import ssl
import warnings
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest
from tls_servers import Keys, answering

from release_builder.doctor.system import System
from release_builder.doctor.tls import Cause, Diagnosis, diagnose
from release_builder.doctor.tls_words import advice, said

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.interop

EL6 = System("CentOS release 6.10", "enterprise", 6)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys.made(tmp_path_factory.mktemp("keys"))


def asked(keys: Keys, port: int, now: datetime | None = None, host: str = "localhost") -> Diagnosis:
    return diagnose(host, port, keys.trusting(), now=now or datetime.now(UTC), timeout=30)


def old_server(keys: Keys, *versions: ssl.TLSVersion) -> ssl.SSLContext:
    context = keys.signed()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = min(versions), max(versions)
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


def test_a_right_server_is_right(keys: Keys) -> None:
    with answering(keys.signed()) as port:
        found = asked(keys, port)

    assert (found.cause, found.protocol) == (Cause.NONE, "TLS 1.3")
    assert not found.needs_sni


def test_an_unknown_authority_is_named(keys: Keys, tmp_path: Path) -> None:
    other = Keys.made(tmp_path)

    with answering(other.signed()) as port:
        found = asked(keys, port)

    assert found.cause is Cause.AUTHORITY
    assert "signed by 'test authority'" in said(found)
    assert "ca_bundle:" in advice(found, EL6, "")
    assert "/my.pem" in advice(found, EL6, "/my.pem")


def test_a_certificate_that_signed_itself_is_told(keys: Keys) -> None:
    with answering(keys.self_signed()) as port:
        found = asked(keys, port)

    assert found.cause is Cause.SELF_SIGNED


def test_a_certificate_of_another_name_is_told_with_its_names(keys: Keys) -> None:
    with answering(keys.signed("mirror.example.org")) as port:
        found = asked(keys, port)

    assert found.cause is Cause.NAME
    assert said(found) == "its certificate is for mirror.example.org"


def test_an_expired_certificate_is_told_with_its_date(keys: Keys) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)

    with answering(keys.signed(days="-1"), format_datetime(datetime.now(UTC))) as port:
        found = asked(keys, port)

    assert found.cause is Cause.EXPIRED
    assert f"{yesterday:%Y-%m-%d}" in said(found)


def test_a_clock_that_is_wrong_is_not_blamed_on_the_server(keys: Keys) -> None:
    then = datetime.now(UTC) - timedelta(days=4000)

    with answering(keys.signed(days="-1"), format_datetime(then)) as port:
        found = asked(keys, port)

    assert found.cause is Cause.CLOCK
    assert f"its own says {then:%Y-%m-%d}" in said(found)
    assert "ntpdate" in advice(found, EL6, "")


@pytest.mark.parametrize(
    ("versions", "words"),
    [
        pytest.param((ssl.TLSVersion.TLSv1,), "TLS 1.0 only", id="1.0"),
        pytest.param((ssl.TLSVersion.TLSv1_1,), "TLS 1.1 only", id="1.1"),
        pytest.param(
            (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1), "TLS 1.1 and TLS 1.0 only", id="both"
        ),
    ],
)
def test_a_server_of_old_protocols_is_told_with_them(
    keys: Keys, versions: tuple[ssl.TLSVersion, ...], words: str
) -> None:
    with answering(old_server(keys, *versions)) as port:
        found = asked(keys, port)

    assert found.cause is Cause.OLD_PROTOCOL
    assert words in said(found)
    assert "http://" in advice(found, EL6, "")


def test_a_server_with_weak_ciphers_alone_is_told(keys: Keys) -> None:
    context = keys.signed()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AES128-SHA:@SECLEVEL=0")
    strict = keys.trusting()
    strict.set_ciphers("ECDHE+AESGCM")

    with answering(context) as port:
        found = diagnose("localhost", port, strict, now=datetime.now(UTC), timeout=30)

    assert found.cause is Cause.WEAK
    assert found.offers == ("TLS 1.2",)


def test_a_server_that_has_another_certificate_without_sni_is_told(
    keys: Keys, tmp_path: Path
) -> None:
    right, other = keys.signed(), Keys.made(tmp_path).signed("other.example.org")

    def choose(talk: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: object) -> None:
        if name == "localhost":
            talk.context = right

    other.set_servername_callback(choose)

    with answering(other) as port:
        found = asked(keys, port)

    assert found.cause is Cause.NONE
    assert found.needs_sni


def test_a_server_that_refuses_the_name_is_told(keys: Keys) -> None:
    context = keys.signed()
    refusal = ssl.AlertDescription.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
    context.set_servername_callback(lambda _talk, name, _context: refusal if name else None)

    with answering(context) as port:
        found = asked(keys, port)

    assert found.cause is Cause.SNI


def test_a_plain_web_server_speaks_no_tls(keys: Keys) -> None:
    with answering(None) as port:
        found = asked(keys, port)

    assert found.cause is Cause.NO_TLS
    assert "write http://" in advice(found, EL6, "")


def test_a_port_that_nobody_listens_at_is_unreachable(keys: Keys) -> None:
    with answering(None) as port:
        pass

    found = asked(keys, port)

    assert found.cause is Cause.UNREACHABLE
    assert "refused" in said(found)


def test_a_silent_server_is_unreachable(keys: Keys) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        found = diagnose(
            "localhost",
            listening.getsockname()[1],
            keys.trusting(),
            now=datetime.now(UTC),
            timeout=0.3,
        )

    assert (found.cause, found.detail) == (Cause.UNREACHABLE, "silent")
