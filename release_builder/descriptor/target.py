"""Where releases are published: a local folder, or one on a host that ssh reaches."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from release_builder.descriptor.refusal import RefusedError

_USAGE: Final = "write a local folder, or host:/path for one that ssh reaches"
_NO_RELEASE: Final = "write what all releases lie below; `folder` says where one of them lies"
_HOST: Final = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9._-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*")
_NOT_IN_PATHS: Final = re.compile(r"[^A-Za-z0-9._/+@=-]")


@dataclass(frozen=True, slots=True)
class Target:
    """The folder that the folders of all published releases lie below.

    Attributes:
        path: Absolute; on ``host`` where there is one.
        host: ``host`` or ``user@host``, as ssh takes it; empty for this machine.
    """

    path: PurePosixPath
    host: str = ""

    @classmethod
    def parse(cls, text: str, folder: Path) -> Target:
        """The target that ``text`` names.

        Args:
            text: The path of a local folder, or ``[user@]host:/path``.
            folder: What a relative local path is relative to.

        Raises:
            RefusedError: It names none.
        """
        host, colon, path = text.partition(":")
        if not text.isprintable() or not text or "://" in text:
            raise RefusedError(f"'{text}' is no folder to publish in", _USAGE)
        if colon and "/" not in host:
            return cls(_remote(text, host, path), host)
        if "{" in text or "}" in text:
            raise RefusedError(f"'{text}' has a brace in it", _NO_RELEASE)
        if ".." in Path(text).parts:
            raise RefusedError(f"'{text}' has .. in it", "write the path without ..")
        try:
            local = Path(text).expanduser()
        except RuntimeError as error:
            raise RefusedError(f"'{text}': {error}", "write the folder's whole path") from error
        return cls(PurePosixPath(folder.absolute() / local))

    def __str__(self) -> str:
        return f"{self.host}:{self.path}" if self.host else str(self.path)


def _remote(text: str, host: str, path: str) -> PurePosixPath:
    if "@" in path.partition("/")[0]:
        raise RefusedError("a password does not belong into a descriptor", "let ssh use a key")
    if not _HOST.fullmatch(host):
        raise RefusedError(f"'{text}' has no valid host name", _USAGE)
    if not path.startswith("/") or _NOT_IN_PATHS.search(path) or ".." in path.split("/"):
        raise RefusedError(f"'{text}' has no plain, whole path", f"write {host}:/path/of/folder")
    return PurePosixPath(path)
