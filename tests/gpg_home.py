"""Keys that tests make and sign with, by the real gpg."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self

BIRTH = 1_577_836_800  # 2020-01-01, when the keys are made


class GpgHome:
    """A GNUPGHOME of its own, for as long as a ``with`` block lasts.

    Attributes:
        path: The folder; short, since the agent's socket lies in it.
    """

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="gpg-", dir="/tmp"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["gpgconf", "--kill", "all"], env=self._environment(), check=True)
        shutil.rmtree(self.path, ignore_errors=True)  # the agent takes its sockets away too

    def gpg(self, *arguments: str | Path, at: int | None = None, stdin: bytes = b"") -> bytes:
        """Run gpg, at another time where ``at`` tells seconds since 1970; what it prints."""
        time = [] if at is None else [f"--faked-system-time={at}!"]
        ended = subprocess.run(
            ["gpg", "--batch", "--no-tty", "--yes", "--pinentry-mode=loopback", *time, *arguments],
            env=self._environment(),
            input=stdin,
            capture_output=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr.decode()
        return ended.stdout

    def make_key(
        self,
        name: str,
        kind: str = "rsa2048",
        expires: str = "never",
        passphrase: str = "",
        at: int | None = BIRTH,
    ) -> str:
        """Make a key, now where ``at`` is None; its fingerprint."""
        options = (f"--passphrase={passphrase}", "--quick-gen-key", name, kind, "sign", expires)
        self.gpg(*options, at=at)
        listing = self.gpg("--with-colons", "--list-keys", f"={name}").decode()
        return next(line.split(":")[9] for line in listing.splitlines() if line[:4] == "fpr:")

    def export(self, key: str, file: Path) -> Path:
        """Write the public ``key`` to ``file``, armoured."""
        file.write_bytes(self.gpg("--armor", "--export", key))
        return file

    def forget_passphrases(self) -> None:
        """Make the agent ask again."""
        subprocess.run(["gpgconf", "--reload", "gpg-agent"], env=self._environment(), check=True)

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "GNUPGHOME": str(self.path), "LC_ALL": "C.UTF-8"}
