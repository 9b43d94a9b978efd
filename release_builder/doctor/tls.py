"""Why https does not work with a server: what of certificate, name, clock, protocol and SNI is it.

Nothing is ever fetched over a connection that is not to be trusted: the doctor shakes hands, and
reads the date that the server tells.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from release_builder.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

# What OpenSSL numbers its verdicts with (x509_vfy.h).
_NOT_YET, _EXPIRED, _SELF, _SELF_IN_CHAIN, _WRONG_NAMES = 9, 10, 18, 19, {62, 63, 64}
_NO_CHECK_TIME: Final = ssl.VerifyFlags(0x200000)
_OFFERED: Final = (
    (ssl.TLSVersion.TLSv1_3, "TLS 1.3"),
    (ssl.TLSVersion.TLSv1_2, "TLS 1.2"),
    (ssl.TLSVersion.TLSv1_1, "TLS 1.1"),
    (ssl.TLSVersion.TLSv1, "TLS 1.0"),
)
_SAFE: Final = {"TLS 1.3", "TLS 1.2"}
_PLAIN: Final = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"}
_ANSWER: Final = 4096  # bytes
_CLOCK: Final = timedelta(hours=24)


class Cause(StrEnum):
    """What is wrong between this machine and a server."""

    NONE = "none"
    UNREACHABLE = "unreachable"
    NO_TLS = "no TLS"  # something else answers on that port
    OLD_PROTOCOL = "old protocol"
    WEAK = "weak"  # key, digest or cipher below what OpenSSL allows
    AUTHORITY = "authority"  # nobody that is trusted signed its certificate
    SELF_SIGNED = "self-signed"
    NAME = "name"
    EXPIRED = "expired"
    CLOCK = "clock"
    SNI = "SNI"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a server shows, trusted or not.

    Attributes:
        subject: Whose it is.
        issuer: Who signed it.
        names: Of hosts that it is for.
        ends: When it expires.
    """

    subject: str
    issuer: str
    names: tuple[str, ...]
    ends: datetime | None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What came of asking a server.

    Attributes:
        host: The server.
        port: Its port.
        cause: What is wrong.
        protocol: What was agreed upon; empty if nothing was.
        detail: More words, such as OpenSSL's.
        offers: The protocols that it speaks, where that was asked.
        needs_sni: Whether it has another certificate for those who do not name it.
        certificate: What it shows, where it was not to be trusted.
        date: What its clock says, where it was not to be trusted.
    """

    host: str
    port: int
    cause: Cause
    protocol: str = ""
    detail: str = ""
    offers: tuple[str, ...] = ()
    needs_sni: bool = False
    certificate: Certificate | None = None
    date: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Server:
    """Whom to ask, and how long to wait."""

    host: str
    port: int
    timeout: float

    @contextlib.contextmanager
    def shaken(self, context: ssl.SSLContext, name: str | None) -> Iterator[ssl.SSLSocket]:
        """A connection after the handshake."""
        with (
            socket.create_connection((self.host, self.port), self.timeout) as plain,
            context.wrap_socket(plain, server_hostname=name) as secure,
        ):
            yield secure


def diagnose(
    host: str, port: int, trusting: ssl.SSLContext, *, now: datetime, timeout: float = 10.0
) -> Diagnosis:
    """Find out whether https works with a server, and if not, why.

    Args:
        host: Name or address.
        port: Its port.
        trusting: What checks servers, as for downloads.
        now: What this machine's clock says.
        timeout: Seconds for each attempt.
    """
    server = _Server(host, port, timeout)
    try:
        with server.shaken(trusting, host) as secure:
            protocol = secure.version() or ""
            shown = secure.getpeercert(binary_form=True)
    except ssl.SSLCertVerificationError as error:
        return _of_certificate(server, error, now)
    except ssl.SSLError as error:
        return _of_handshake(server, error)
    except (TimeoutError, ConnectionError) as error:
        return _of_silence(server, error)
    except OSError as error:
        return Diagnosis(host, port, Cause.UNREACHABLE, detail=_words(error))
    return Diagnosis(
        host, port, Cause.NONE, _spelt(protocol), needs_sni=_without_sni(server) != shown
    )


def _of_certificate(
    server: _Server, error: ssl.SSLCertVerificationError, now: datetime
) -> Diagnosis:
    certificate, date = _shown(server)
    code = error.verify_code
    if code in {_NOT_YET, _EXPIRED}:
        off = date is not None and abs(now - date) > _CLOCK
        cause = Cause.CLOCK if off or (code == _NOT_YET and date is None) else Cause.EXPIRED
    elif code in _WRONG_NAMES:
        cause = Cause.NAME
    elif code == _SELF:
        cause = Cause.SELF_SIGNED
    elif "too weak" in error.verify_message or "too small" in error.verify_message:
        cause = Cause.WEAK
    else:
        cause = Cause.AUTHORITY
    return Diagnosis(
        server.host,
        server.port,
        cause,
        detail=printable(error.verify_message),
        certificate=certificate,
        date=date,
    )


def _of_handshake(server: _Server, error: ssl.SSLError) -> Diagnosis:
    reason = error.reason or ""
    if reason in _PLAIN:
        return Diagnosis(server.host, server.port, Cause.NO_TLS, detail=_words(error))
    if "UNRECOGNIZED_NAME" in reason and _without_sni(server):
        return Diagnosis(server.host, server.port, Cause.SNI, detail=_words(error))
    return _of_protocols(server, error, Cause.OTHER)


def _of_silence(server: _Server, error: OSError) -> Diagnosis:
    """A server that hangs up may do so over the protocol; one that nobody reaches cannot."""
    try:
        socket.create_connection((server.host, server.port), server.timeout).close()
    except OSError:
        return Diagnosis(server.host, server.port, Cause.UNREACHABLE, detail=_words(error))
    if isinstance(error, TimeoutError):
        return Diagnosis(server.host, server.port, Cause.UNREACHABLE, detail="silent")
    return _of_protocols(server, error, Cause.NO_TLS)


def _of_protocols(server: _Server, error: OSError, otherwise: Cause) -> Diagnosis:
    offers = tuple(name for version, name in _OFFERED if _speaks(server, version))
    cause = otherwise
    if offers:
        cause = Cause.WEAK if _SAFE & set(offers) else Cause.OLD_PROTOCOL
    return Diagnosis(server.host, server.port, cause, detail=_words(error), offers=offers)


def _speaks(server: _Server, version: ssl.TLSVersion) -> bool:
    context = _unverifying()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # that is what is asked for
            context.minimum_version = context.maximum_version = version
        context.set_ciphers("ALL:@SECLEVEL=0")
        with server.shaken(context, server.host):
            return True
    except (OSError, ValueError):
        return False


def _unverifying() -> ssl.SSLContext:
    """For diagnosis alone: what it connects to may be anybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _without_sni(server: _Server) -> bytes | None:
    """The certificate for those who do not name the server; None: it refuses them."""
    with contextlib.suppress(OSError), server.shaken(_unverifying(), None) as secure:
        return secure.getpeercert(binary_form=True)
    return None


def _shown(server: _Server) -> tuple[Certificate | None, datetime | None]:
    """The certificate of a server that is not to be trusted, and what its clock says."""
    raw, date = None, None
    with contextlib.suppress(OSError), server.shaken(_unverifying(), server.host) as secure:
        raw = secure.getpeercert(binary_form=True)
        date = _told_date(secure, server.host)
    if raw is None:
        return None, None
    # Python takes a certificate apart only where it was verified: here by itself.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME
    with contextlib.suppress(OSError):
        context.load_verify_locations(cadata=raw)
        with server.shaken(context, server.host) as secure:
            return _certificate(dict(secure.getpeercert() or {})), date
    return None, date


def _told_date(secure: ssl.SSLSocket, host: str) -> datetime | None:
    request = f"HEAD / HTTP/1.0\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    secure.sendall(request.encode("ascii", "replace"))
    answer = b""
    while len(answer) < _ANSWER and b"\r\n\r\n" not in answer and (piece := secure.recv(_ANSWER)):
        answer += piece
    found = re.search(rb"\r\nDate: *([^\r\n]{1,64})", answer, re.IGNORECASE)
    with contextlib.suppress(ValueError):
        date = parsedate_to_datetime(found[1].decode("ascii", "replace")) if found else None
        return date.replace(tzinfo=date.tzinfo or UTC) if date else None
    return None


def _certificate(told: dict[str, object]) -> Certificate:
    alternatives = told.get("subjectAltName", ())
    names = [str(each[1]) for each in alternatives] if isinstance(alternatives, tuple) else []
    ends = None
    with contextlib.suppress(ValueError):
        seconds = ssl.cert_time_to_seconds(str(told.get("notAfter")))
        ends = datetime.fromtimestamp(seconds, UTC)
    return Certificate(
        _name(told.get("subject")), _name(told.get("issuer")), tuple(map(printable, names)), ends
    )


def _name(told: object) -> str:
    """The common name, or the organisation, out of ((("commonName", …),), …)."""
    pairs = {}
    for entry in told if isinstance(told, tuple) else ():
        pairs.update(dict(entry))
    for wanted in ("commonName", "organizationName"):
        if wanted in pairs:
            return printable(str(pairs[wanted]))
    return "nobody"


def _spelt(version: str) -> str:
    """``TLS 1.3`` for ``TLSv1.3``."""
    return version.replace("TLSv", "TLS ")


def _words(error: OSError) -> str:
    if isinstance(error, ssl.SSLError) and error.reason:
        return printable(error.reason.lower().replace("_", " "))
    return printable(error.strerror or str(error))
