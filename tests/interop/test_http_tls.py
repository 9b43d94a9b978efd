"""Certificates that the openssl program makes: which servers are trusted."""

from __future__ import annotations

import socket
import ssl
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from bad_server import BadServer, Trouble
from builders import run

from release_builder.transport.http import Answer, HttpError, HttpOptions
from release_builder.transport.http.client import HttpClient

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.interop

FILE = b"content" * 5000


@dataclass(frozen=True, slots=True)
class Authority:
    """Who signs certificates; its own is ``ca.pem``."""

    folder: Path

    @classmethod
    def made(cls, folder: Path) -> Authority:
        run(
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-keyout", str(folder / "ca.key"), "-out", str(folder / "ca.pem")),
            *("-subj", "/CN=test authority", "-days", "2"),
            *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        )
        return cls(folder)

    @property
    def bundle(self) -> Path:
        return self.folder / "ca.pem"

    def server(self, names: str = "IP:127.0.0.1", *, days: str = "2") -> ssl.SSLContext:
        """What a server needs for a certificate of ``names``; without days, it expired."""
        key, request, signed = (self.folder / f"server.{end}" for end in ("key", "csr", "pem"))
        run(
            *("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-keyout", str(key), "-out", str(request), "-subj", "/CN=server"),
            *("-addext", f"subjectAltName={names}"),
        )
        run(
            *("openssl", "x509", "-req", "-in", str(request), "-out", str(signed)),
            *("-CA", str(self.bundle), "-CAkey", str(self.folder / "ca.key")),
            *("-CAcreateserial", "-copy_extensions", "copy", "-days", days),
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(signed, key)
        return context


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.made(tmp_path)


def fetched(url: str, options: HttpOptions, environ: dict[str, str] | None = None) -> bytes:
    with HttpClient(options, environ or {}) as client, client.get(url) as body:
        return b"".join(body.blocks())


def refused(url: str, options: HttpOptions) -> HttpError:
    with pytest.raises(HttpError) as caught:
        fetched(url, options)
    return caught.value


def test_a_server_with_a_certificate_of_the_named_bundle_is_trusted(authority: Authority) -> None:
    with BadServer({"/a": FILE}, tls=authority.server()) as server:
        content = fetched(f"{server.url}/a", HttpOptions(ca_bundle=authority.bundle))

    assert content == FILE


def test_the_environment_names_whom_to_trust(authority: Authority) -> None:
    environ = {"SSL_CERT_FILE": str(authority.bundle)}

    with BadServer({"/a": FILE}, tls=authority.server()) as server:
        content = fetched(f"{server.url}/a", HttpOptions(), environ)

    assert content == FILE


def test_the_named_bundle_counts_more_than_that_of_the_environment(authority: Authority) -> None:
    options = HttpOptions(ca_bundle=authority.bundle)
    environ = {"SSL_CERT_FILE": "/nowhere.pem"}

    with BadServer({"/a": FILE}, tls=authority.server()) as server:
        content = fetched(f"{server.url}/a", options, environ)

    assert content == FILE


def test_a_server_may_be_known_by_its_name(authority: Authority) -> None:
    tls = authority.server("DNS:localhost")

    with BadServer({"/a": FILE}, tls=tls, host="localhost") as server:
        content = fetched(f"{server.url}/a", HttpOptions(ca_bundle=authority.bundle))

    assert content == FILE


def test_a_certificate_that_nobody_vouches_for_is_refused(authority: Authority) -> None:
    with BadServer({"/a": FILE}, tls=authority.server()) as server:
        error = refused(f"{server.url}/a", HttpOptions())

    assert error.answer is Answer.TLS
    assert error.detail == (
        "unable to get local issuer certificate: "
        "--ca-bundle FILE, or fetch: ca_bundle:, names whom to trust"
    )
    assert not server.requests


def test_a_self_signed_certificate_is_refused_unless_it_is_named(authority: Authority) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own, key = authority.folder / "own.pem", authority.folder / "own.key"
    run(
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
        *("-nodes", "-keyout", str(key), "-out", str(own), "-subj", "/CN=own", "-days", "2"),
        *("-addext", "subjectAltName=IP:127.0.0.1"),
    )
    tls.load_cert_chain(own, key)

    with BadServer({"/a": FILE}, tls=tls) as server:
        error = refused(f"{server.url}/a", HttpOptions())
        content = fetched(f"{server.url}/a", HttpOptions(ca_bundle=own))

    assert error.answer is Answer.TLS
    assert error.detail.startswith("self-signed certificate: --ca-bundle FILE")
    assert content == FILE


@pytest.mark.parametrize(
    ("names", "host"),
    [
        pytest.param("DNS:other.example.org", "localhost", id="name"),
        pytest.param("IP:127.0.0.2", "127.0.0.1", id="address"),
    ],
)
def test_a_certificate_of_another_server_is_refused(
    authority: Authority, names: str, host: str
) -> None:
    with BadServer({"/a": FILE}, tls=authority.server(names), host=host) as server:
        error = refused(f"{server.url}/a", HttpOptions(ca_bundle=authority.bundle))

    assert error.answer is Answer.TLS
    assert "mismatch" in error.detail
    assert not server.requests


def test_a_certificate_that_expired_is_refused(authority: Authority) -> None:
    with BadServer({"/a": FILE}, tls=authority.server(days="-1")) as server:
        error = refused(f"{server.url}/a", HttpOptions(ca_bundle=authority.bundle))

    assert (error.answer, error.detail) == (Answer.TLS, "certificate has expired")


def test_a_server_without_tls_is_not_to_be_trusted() -> None:
    with BadServer({"/a": FILE}) as server:
        error = refused(f"https{server.url.removeprefix('http')}/a", HttpOptions())

    assert (error.answer, error.detail) == (Answer.TLS, "does not speak TLS: http:// may do")


def test_a_server_that_hangs_up_in_the_handshake_is_cut_off() -> None:
    with socket.create_server(("127.0.0.1", 0)) as rude:

        def hang_up() -> None:
            connection, _address = rude.accept()
            with connection:
                connection.recv(1 << 16)

        thread = threading.Thread(target=hang_up)
        thread.start()
        error = refused(f"https://127.0.0.1:{rude.getsockname()[1]}/a", HttpOptions(timeout=5))
        thread.join()

    assert error.answer is Answer.CUT_OFF


def test_a_connection_with_tls_is_used_again(authority: Authority) -> None:
    options = HttpOptions(ca_bundle=authority.bundle)

    with (
        BadServer({"/a": FILE}, tls=authority.server()) as server,
        HttpClient(options, {}) as client,
    ):
        for start in (0, 100, 200):
            with client.get(f"{server.url}/a", start=start) as body:
                assert b"".join(body.blocks()) == FILE[start:]

    assert server.connections == 1


@pytest.mark.parametrize(
    ("trouble", "answer"),
    [
        pytest.param(Trouble(cut_after=12), Answer.CUT_OFF, id="cut"),
        pytest.param(Trouble(cut_after=12, reset=True), Answer.CUT_OFF, id="reset"),
        pytest.param(Trouble(hang_up=True), Answer.CUT_OFF, id="no-answer"),
        pytest.param(Trouble(stall_after=12), Answer.TIMEOUT, id="silent"),
    ],
)
def test_what_breaks_after_the_handshake_is_no_matter_of_trust(
    authority: Authority, trouble: Trouble, answer: Answer
) -> None:
    options = HttpOptions(timeout=1, ca_bundle=authority.bundle)

    with BadServer({"/a": FILE}, {"/a": trouble}, tls=authority.server()) as server:
        error = refused(f"{server.url}/a", options)

    assert error.answer is answer


def test_a_redirect_from_https_to_http_names_nobody(authority: Authority, workdir: Path) -> None:
    netrc = workdir / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")

    with BadServer({"/b": FILE}) as plain, BadServer(tls=authority.server()) as server:
        server.troubles["/a"] = Trouble(redirect=f"{plain.url}/b")
        options = HttpOptions(ca_bundle=authority.bundle)
        content = fetched(f"{server.url}/a", options, {"NETRC": str(netrc)})

    assert content == FILE
    assert "authorization" in server.requests[0].headers
    assert "authorization" not in plain.requests[0].headers


@pytest.mark.parametrize("with_tls", [False, True])
def test_a_proxy_makes_a_tunnel_and_sees_no_secret(authority: Authority, with_tls: bool) -> None:
    tls = authority.server()
    options = HttpOptions(ca_bundle=authority.bundle)

    with BadServer({"/a": FILE}, tls=tls) as server, BadServer(tls=tls if with_tls else None) as p:
        environ = {"https_proxy": p.url.replace("://", "://me:pw@")}
        content = fetched(f"{server.url.replace('://', '://you:too@')}/a", options, environ)

    assert content == FILE
    (tunnel,) = p.requests
    assert (tunnel.method, tunnel.path) == ("CONNECT", f"127.0.0.1:{server.port}")
    assert tunnel.headers["proxy-authorization"] == "Basic bWU6cHc="
    assert "authorization" not in tunnel.headers
    assert "proxy-authorization" not in server.requests[0].headers
    assert server.requests[0].headers["authorization"] == "Basic eW91OnRvbw=="


def test_the_server_behind_a_tunnel_must_be_trusted_too(authority: Authority) -> None:
    options = HttpOptions(ca_bundle=authority.bundle)

    with (
        BadServer({"/a": FILE}, tls=authority.server("DNS:other")) as server,
        BadServer() as proxy,
        pytest.raises(HttpError) as caught,
    ):
        fetched(f"{server.url}/a", options, {"https_proxy": proxy.url})

    assert caught.value.answer is Answer.TLS
