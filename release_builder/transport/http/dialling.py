"""Connections that go only where they may."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

if TYPE_CHECKING:
    from release_builder.transport.http.reach import Reach


class DialledConnection(HTTPConnection):
    """A connection to an address that was looked at: a name may lead elsewhere the next moment.

    Attributes:
        reach: Knows which addresses may be asked.
    """

    reach: Reach

    def _new_conn(self) -> socket.socket:
        name, longest = self._dns_host, self.timeout
        until = None if longest is None else time.monotonic() + longest
        try:
            addresses = self.reach.addresses(name, self.port, self.timeout)
        except socket.gaierror as error:
            raise NameResolutionError(name, self, error) from error
        except TimeoutError as error:
            raise NewConnectionError(self, str(error)) from error
        except UnicodeError:
            return super()._new_conn()  # which words it
        for address in addresses:
            if until is not None:  # an address that is silent leaves half of the time to the others
                left = until - time.monotonic()
                if left <= 0:
                    raise ConnectTimeoutError(self, "its addresses were silent")
                self.timeout = left if address == addresses[-1] else left / 2
            self._dns_host = address  # the way to tell it to the base: TLS keeps the name
            try:
                connected = super()._new_conn()
            except (NewConnectionError, ConnectTimeoutError):
                if address == addresses[-1]:
                    raise
            else:
                connected.settimeout(longest)
                self.reach.met(name, self.port, address)
                return connected
            finally:
                self._dns_host, self.timeout = name, longest
        raise NewConnectionError(self, "its name has no address")
