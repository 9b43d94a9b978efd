"""Users and passwords: in URLs and in ~/.netrc."""

from __future__ import annotations

import base64
import errno
import netrc
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.errors import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_builder.transport.http.urls import Address

_LONGEST: Final = 1 << 20  # bytes of a netrc file


class Credentials:
    """What the user's netrc file knows.

    Args:
        environ: ``NETRC`` names the file; without it, it is ``.netrc`` in the home.
        home: In the place of ``HOME``.

    Attributes:
        notes: What the user should know: a file that cannot be used.
    """

    def __init__(self, environ: Mapping[str, str], home: Path | None = None) -> None:
        self.notes: tuple[str, ...] = ()
        self._hosts: Mapping[str, tuple[str, str, str]] = {}
        named = environ.get("NETRC", "")
        if home is None and environ.get("HOME"):
            home = Path(environ["HOME"])
        path = Path(named) if named else home / ".netrc" if home else None
        if path and (named or path.exists()):
            self._read(path)

    def _read(self, path: Path) -> None:
        try:
            self._hosts = _hosts(path)
        except netrc.NetrcParseError as error:
            self._note(path, f"line {error.lineno} cannot be read")  # its words may be a password
        except UnicodeDecodeError:
            self._note(path, "not text")
        except OSError as error:
            self._note(path, error.strerror or str(error))

    def _note(self, path: Path, why: str) -> None:
        self.notes = (f"{printable(str(path))} is not used: {printable(why)}",)

    def header(self, address: Address, *, anybody: bool) -> str | None:
        """The value of ``Authorization`` for ``address``; None if nobody is known there.

        Args:
            address: Its own user and password come first.
            anybody: Whether netrc's ``default`` counts, which names no host: not where only a
                redirect led.
        """
        if address.user is not None:
            return basic(address.user, address.password)
        found = self._hosts.get(address.host) or (self._hosts.get("default") if anybody else None)
        return basic(found[0], found[2]) if found else None


def _hosts(path: Path) -> Mapping[str, tuple[str, str, str]]:
    if not path.is_file():  # a FIFO would be waited for
        raise FileNotFoundError(0, "not a file")
    if path.stat().st_size > _LONGEST:
        raise OSError(errno.EFBIG, "too large")
    return netrc.netrc(str(path)).hosts


def basic(user: str, password: str) -> str:
    """The header by which ``user`` is let in (RFC 7617, in UTF-8)."""
    pair = f"{user}:{password}".encode("utf-8", "surrogateescape")
    return f"Basic {base64.b64encode(pair).decode('ascii')}"
