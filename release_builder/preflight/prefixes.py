"""URLs that lead elsewhere for now: by the longest prefix that is known of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from release_builder.jigdo.part_urls import encoded_url

if TYPE_CHECKING:
    from collections.abc import Mapping

_Place = TypeVar("_Place")


class Prefixes(Generic[_Place]):
    """What URLs below certain folders lead to.

    Args:
        places: By the URL of a folder, with or without a slash at its end.

    Raises:
        WrongBytesError: A URL names no host.
    """

    def __init__(self, places: Mapping[str, _Place]) -> None:
        folders = ((f"{encoded_url(url).rstrip('/')}/", place) for url, place in places.items())
        self._places = sorted(folders, key=lambda each: len(each[0]), reverse=True)

    def find(self, url: str) -> tuple[_Place, str] | None:
        """The place that ``url`` leads to, and what of the URL follows its folder's.

        Args:
            url: Percent-encoded.

        Returns:
            None if it lies below none of the folders.
        """
        for folder, place in self._places:
            if url.startswith(folder):
                return place, url[len(folder) :]
        return None
