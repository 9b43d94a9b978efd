"""Where a release is fetched from: an rsync module, a web server or a local folder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from release_builder.descriptor.refusal import RefusedError, nearest
from release_builder.errors import printable

_USAGE: Final = "write rsync://host/module/path/, http://host/path/ or a local folder"
_SCHEMES: Final = ("rsync", "http", "https", "file")
_DEFAULT_PORTS: Final = {"rsync": 873, "http": 80, "https": 443}
_DAEMON: Final = re.compile(r"((?:[^/@]*@)?(?:\[[^]/]*\]|[^]\[/:@]*))::(.*)", re.DOTALL)
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://.*", re.DOTALL)
_MISTYPED: Final = re.compile(r"(rsync|https?|file)(?::|//)", re.IGNORECASE)
_HOST: Final = re.compile(r"[a-z0-9][a-z0-9._-]*|[0-9a-f:.]*:[0-9a-f:.]*")  # the latter: IPv6
_USER: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
# Wildcards would be expanded by rsync's daemon; the rest never stands in a URL as it is.
_NOT_IN_PATHS: Final = re.compile(r"[\s*?\[\]\\#\"'<>|^`{}]")


class Kind(StrEnum):
    """How a mirror is read."""

    RSYNC = "rsync"
    HTTP = "http"  # with TLS or without
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Mirror:
    """A folder that the folders of a release lie below.

    Attributes:
        url: Its normal form, with one slash at the end.
        kind: How it is read.
        local_path: The folder, absolute; only for LOCAL.
    """

    url: str
    kind: Kind
    local_path: Path | None = None

    @classmethod
    def parse(cls, text: str, folder: Path) -> Mirror:
        """The mirror that ``text`` names.

        Args:
            text: ``rsync://host[:port]/module/path/``, ``host::module/path``, ``http://``,
                ``https://``, ``file:///path`` or the path of a local folder.
            folder: What a relative path is relative to.

        Raises:
            RefusedError: It names none, or carries a password.
        """
        if not text:
            raise RefusedError("an empty word is no address", _USAGE)
        if not text.isprintable():
            raise RefusedError(f"'{printable(text)}' has characters that no address has", _USAGE)
        if text.startswith("-"):
            raise RefusedError(f"'{text}' looks like an option", f"for a folder write ./{text}")
        if daemon := _DAEMON.fullmatch(text):
            text = f"rsync://{daemon[1]}/{daemon[2]}"
        if scheme := _SCHEME.fullmatch(text):
            return _from_url(scheme[1].lower(), text)
        if mistyped := _MISTYPED.match(text):
            raise RefusedError(
                f"'{_without_password(text)}' has no :// behind {mistyped[1]}",
                f"write {mistyped[1].lower()}://… or, for a local folder, ./{mistyped[1]}…",
            )
        if ":" in text.split("/", 1)[0]:
            raise RefusedError(
                f"'{_without_password(text)}' would go through ssh, which is not supported",
                f"write rsync://host/module/path/ or, for a local folder, ./{text.split(':')[0]}:…",
            )
        return _local(folder.absolute() / _home_expanded(text))

    @property
    def source(self) -> str:
        """As rsync names it: the URL, or the folder with a slash at its end."""
        return f"{self.local_path}/" if self.local_path else self.url

    def __str__(self) -> str:
        return self.url


def _from_url(scheme: str, text: str) -> Mirror:
    if scheme not in _SCHEMES:
        raise RefusedError(f"'{scheme}://' is not supported", _scheme_hint(scheme))
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise RefusedError(f"'{_without_password(text)}' is no address: {error}", _USAGE) from error
    if parts.password is not None:
        hint = "export RSYNC_PASSWORD instead" if scheme == "rsync" else "leave it out"
        raise RefusedError("a password does not belong into a descriptor", hint)
    if scheme == "file":
        return _from_file_url(parts)
    path = _url_path(text, parts)
    if scheme == "rsync" and path == "/":
        raise RefusedError(f"'{text}' names no module", "write rsync://host/module/path/")
    default = port in {None, _DEFAULT_PORTS[scheme]}
    place = _host(text, scheme, parts) + ("" if default else f":{port}")
    kind = Kind.RSYNC if scheme == "rsync" else Kind.HTTP
    return Mirror(f"{scheme}://{place}{path}", kind)


def _host(text: str, scheme: str, parts: SplitResult) -> str:
    host = parts.hostname or ""
    if not _HOST.fullmatch(host):
        raise RefusedError(f"'{text}' has no valid host name", _USAGE)
    user = parts.username
    if user is not None and (scheme != "rsync" or not _USER.fullmatch(user)):
        raise RefusedError(f"'{text}' has a user name that cannot be used", f"leave out {user}@")
    return (f"{user}@" if user else "") + (f"[{host}]" if ":" in host else host)


def _url_path(text: str, parts: SplitResult) -> str:
    if parts.query or parts.fragment or _NOT_IN_PATHS.search(parts.path) or text[-1] in "?#":
        raise RefusedError(
            f"'{text}' has characters that the address of a folder has not",
            "write the plain address of one folder, without wildcards, blanks, ? and #",
        )
    names = [name for name in parts.path.split("/") if name not in {"", "."}]
    if ".." in (unquote(name) for name in names):
        raise RefusedError(f"'{text}' has .. in it", "write the address without ..")
    return "".join(f"/{name}" for name in names) + "/"


def _from_file_url(parts: SplitResult) -> Mirror:
    path = unquote(parts.path)
    if parts.netloc not in {"", "localhost"} or not path.startswith("/"):
        raise RefusedError(f"'{parts.geturl()}' is not on this machine", "write file:///path/")
    if parts.query or parts.fragment or not path.isprintable():
        raise RefusedError(f"'{parts.geturl()}' names no folder", "write ? as %3F and # as %23")
    return _local(Path(path))


def _local(path: Path) -> Mirror:
    return Mirror(path.as_uri().rstrip("/") + "/", Kind.LOCAL, path)


def _home_expanded(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise RefusedError(f"'{text}': {error}", "write the folder's whole path") from error


def _scheme_hint(scheme: str) -> str:
    if scheme in {"ftp", "ftps", "ssh", "sftp", "scp", "git"}:
        return "write the http:// or rsync:// address of the same mirror"
    meant = nearest(scheme, _SCHEMES)
    return f"did you mean {meant}://?" if meant else _USAGE


def _without_password(text: str) -> str:
    return re.sub(r"[^/@]*@", "…@", text)
