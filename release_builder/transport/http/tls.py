"""Whose certificates are trusted."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import certifi

from release_builder.errors import DescriptorError, printable, surroundings

if TYPE_CHECKING:
    from pathlib import Path


def trusting(ca_bundle: Path | None = None) -> ssl.SSLContext:
    """What checks servers: certificate and name, always.

    Args:
        ca_bundle: Certificates in PEM format to trust in the place of Mozilla's, which certifi
            brings along: old systems have outdated ones.

    Raises:
        SurroundingsError: ``ca_bundle`` cannot be read.
        DescriptorError: It holds no certificate.
    """
    try:
        return ssl.create_default_context(cafile=ca_bundle or certifi.where())
    except ssl.SSLError as error:
        raise DescriptorError(
            f"{printable(str(ca_bundle))} holds no certificate",
            hint="name a file of certificates in PEM format (BEGIN CERTIFICATE)",
        ) from error
    except OSError as error:
        error.filename = error.filename or str(ca_bundle)
        raise surroundings(error) from error
