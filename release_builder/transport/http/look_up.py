"""Looking up a server's name: the system's own look-up takes as long as it likes."""

from __future__ import annotations

import socket
import threading

from urllib3.util.connection import allowed_gai_family


def look_up(host: str, port: int, seconds: float | None) -> list[str]:
    """The addresses of ``host``, in the order in which they should be tried.

    Args:
        host: A name or an address.
        port: Of it.
        seconds: To wait; None for as long as it takes.

    Raises:
        TimeoutError: It takes longer. It goes on in a thread that nobody waits for.
        OSError: There is no such name.
        UnicodeError: Nothing can have that name.
    """
    found: list[str] = []
    failed: list[OSError | UnicodeError] = []
    known = threading.Event()

    def ask() -> None:
        try:
            told = socket.getaddrinfo(host, port, allowed_gai_family(), socket.SOCK_STREAM)
            found.extend(dict.fromkeys(_zoned(*each[4]) for each in told))
        except (OSError, UnicodeError) as error:
            failed.append(error)
        known.set()

    threading.Thread(target=ask, name=f"look up {host}", daemon=True).start()
    if not known.wait(seconds):
        raise TimeoutError("its name was not looked up in time")
    for error in failed:
        raise error
    return found


def _zoned(address: str | int, _port: str | int, _flow: int = 0, zone: int = 0, /) -> str:
    """``address``; one of a single link says nothing without that link."""
    return f"{address}%{zone}" if zone else str(address)
