"""From a mirror's URL to the transport that speaks its protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_builder.errors import DescriptorError
from release_builder.transport.rsync import RsyncMirror

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_builder.transport import Transport


def open_mirror(source: str, keep_open: Sequence[int] = ()) -> Transport:
    """The transport for ``source``: ``rsync://…/`` or the absolute path of a folder.

    Raises:
        DescriptorError: Nothing here speaks that protocol.
    """
    if source.startswith(("http://", "https://")):
        raise DescriptorError(
            f"{source}: a tree cannot be mirrored over http",
            hint="name an rsync:// mirror or a local folder, or work --offline",
        )
    return RsyncMirror(source, keep_open)
