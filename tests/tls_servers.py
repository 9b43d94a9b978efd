"""TLS servers on loopback that are wrong in one way each, with certificates of the real openssl."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from builders import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_KEY = ("-newkey", "rsa:2048", "-nodes")


@dataclass(frozen=True, slots=True)
class Keys:
    """An authority and what it signs, in a folder."""

    folder: Path

    @property
    def authority(self) -> Path:
        """Its certificate."""
        return self.folder / "ca.pem"

    @classmethod
    def made(cls, folder: Path) -> Keys:
        """A new authority."""
        run(
            *("openssl", "req", "-x509", *_KEY, "-keyout", str(folder / "ca.key")),
            *("-out", str(folder / "ca.pem"), "-subj", "/CN=test authority", "-days", "2"),
            *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        )
        return cls(folder)

    def signed(
        self, name: str = "localhost", *, days: str = "2", digest: str = "sha256"
    ) -> ssl.SSLContext:
        """What a server of ``name`` needs; with days below zero it has expired."""
        key, request, signed = (self.folder / f"{name}.{end}" for end in ("key", "csr", "pem"))
        run(
            *("openssl", "req", *_KEY, "-keyout", str(key), "-out", str(request)),
            *("-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"),
        )
        run(
            *("openssl", "x509", "-req", "-in", str(request), "-out", str(signed), f"-{digest}"),
            *("-CA", str(self.authority), "-CAkey", str(self.folder / "ca.key")),
            *("-CAcreateserial", "-copy_extensions", "copy", "-days", days),
        )
        return _server(signed, key)

    def self_signed(self) -> ssl.SSLContext:
        """What a server needs that signed its certificate itself."""
        key, signed = self.folder / "own.key", self.folder / "own.pem"
        run(
            *("openssl", "req", "-x509", *_KEY, "-keyout", str(key), "-out", str(signed)),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"),
        )
        return _server(signed, key)

    def trusting(self) -> ssl.SSLContext:
        """What trusts this authority alone."""
        return ssl.create_default_context(cafile=str(self.authority))


def _server(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


@contextlib.contextmanager
def answering(context: ssl.SSLContext | None, date: str = "") -> Iterator[int]:
    """A server on a port of its own, which it yields; without ``context`` it knows no TLS.

    Args:
        context: Its certificate and protocols.
        date: What its clock says, as http writes it.
    """
    head = "HTTP/1.0 200 OK\r\n" + (f"Date: {date}\r\n" if date else "") + "\r\n"
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.05)
        stop = threading.Event()

        def serve() -> None:
            while not stop.is_set():
                with contextlib.suppress(OSError):
                    plain, _ = listening.accept()
                    plain.settimeout(5)
                    with (
                        plain,
                        context.wrap_socket(plain, server_side=True) if context else plain as talk,
                    ):
                        if talk.recv(4096):
                            talk.sendall(head.encode())

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            stop.set()
            thread.join()
