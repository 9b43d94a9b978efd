"""What is said to a server with each request."""

from __future__ import annotations

from typing import Final

from release_builder import __version__

_HEADERS: Final = {
    "User-Agent": f"release-builder/{__version__}",
    "Accept-Encoding": "identity",  # digests are of the bytes as they lie there
}


def request_headers(start: int, authorization: str | None) -> dict[str, str]:
    """The headers of a request.

    Args:
        start: The first byte of the file that is wanted.
        authorization: The secret that the server may be told; None for none.
    """
    headers = dict(_HEADERS)
    if start:
        headers["Range"] = f"bytes={start}-"
    if authorization:
        headers["Authorization"] = authorization
    return headers
