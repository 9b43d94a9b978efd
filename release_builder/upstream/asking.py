"""Who is asked what a mirror has."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from release_builder.descriptor.mirror import Kind
from release_builder.transport.http import HttpOptions
from release_builder.transport.http.client import HttpClient
from release_builder.transport.http.listing import HttpLister
from release_builder.transport.listing import LocalLister, RsyncLister

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from release_builder.descriptor.mirror import Mirror
    from release_builder.transport.listing import Lister

_TIMEOUT = 30.0  # seconds


@contextlib.contextmanager
def lister_of(mirror: Mirror, ca_bundle: Path | None = None) -> Iterator[Lister]:
    """What tells what ``mirror`` has, for as long as the block lasts.

    Args:
        mirror: The root.
        ca_bundle: Certificates to trust in the place of the usual ones.

    Raises:
        SurroundingsError: The file of certificates cannot be read.
        DescriptorError: It holds none.
    """
    if mirror.local_path is not None:
        yield LocalLister(mirror.local_path)
    elif mirror.kind is Kind.RSYNC:
        yield RsyncLister(mirror.source)
    else:
        options = HttpOptions(timeout=_TIMEOUT, ca_bundle=ca_bundle)
        with HttpClient(options, os.environ) as client:
            yield HttpLister(client, mirror.url)
