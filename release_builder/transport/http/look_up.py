"""Looking up a server's name: the system's own look-up takes as long as it likes."""

from __future__ import annotations

import contextlib
import socket
import threading


def look_up(host: str, port: int, seconds: float | None) -> None:
    """Wait until the system knows where ``host`` is, or that it does not.

    Who connects then looks it up once more: that is quick, and tells what is wrong with it.

    Args:
        host: A name or an address.
        port: Of it.
        seconds: To wait; None for as long as it takes.

    Raises:
        TimeoutError: It takes longer. It goes on in a thread that nobody waits for.
    """
    known = threading.Event()

    def ask() -> None:
        with contextlib.suppress(OSError, UnicodeError):
            socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        known.set()

    threading.Thread(target=ask, name=f"look up {host}", daemon=True).start()
    if not known.wait(seconds):
        raise TimeoutError("its name was not looked up in time")
