"""Whose certificates are trusted."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Final

import certifi

from release_builder.errors import DescriptorError, printable, surroundings

if TYPE_CHECKING:
    from collections.abc import Mapping

_VARIABLE: Final = "SSL_CERT_FILE"


def trusting(ca_bundle: Path | None, environ: Mapping[str, str]) -> ssl.SSLContext:
    """What checks servers: certificate and name, always.

    Args:
        ca_bundle: Certificates in PEM format to trust in the place of Mozilla's, which certifi
            brings along: old systems have outdated ones.
        environ: Names them where ``ca_bundle`` does not: in ``SSL_CERT_FILE``, as for openssl and
            curl.

    Raises:
        SurroundingsError: The file cannot be read.
        DescriptorError: It holds no certificate.
    """
    named = ca_bundle is None and environ.get(_VARIABLE)
    path = named or ca_bundle or _mozillas()
    try:
        return ssl.create_default_context(cafile=path)
    except ssl.SSLError as error:
        raise DescriptorError(
            f"{printable(str(path))} holds no certificate",
            hint="name a file of certificates in PEM format (BEGIN CERTIFICATE)"
            + (f", or unset {_VARIABLE}" if named else ""),
        ) from error
    except OSError as error:
        error.filename = f"{_VARIABLE}={named}" if named else error.filename or str(path)
        raise surroundings(error) from error


def _mozillas() -> Path:
    # OpenSSL reads no file within a zip: our packages have it beside.
    zipped = getattr(certifi.__loader__, "archive", None)
    return Path(zipped).with_name("cacert.pem") if zipped else Path(certifi.where())
