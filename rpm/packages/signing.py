"""Signatures that each release's rpm can read.

rpm 4.4.2.3 of el5 calls signatures of OpenPGP version 4 bad, and GnuPG 2 writes no others: GnuPG 1
signs for el5, with RSA and SHA-1. The rpm of el9 refuses SHA-1.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.errors import SurroundingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rpm.packages.kinds import Kind

_SEARCHED: Final = f"{os.defpath}:/usr/local/bin"
_OLD: Final = ("--force-v3-sigs", "--digest-algo", "sha1")
_NEW: Final = ("--digest-algo", "sha256")


def sign(packages: Sequence[Path], kind: Kind, key: str) -> None:
    """Sign packages in place; gpg may ask for the passphrase on the terminal.

    Raises:
        SurroundingsError: A program is missing, or there is no such key for it.
    """
    argv = rpmsign_argv(packages, kind, key)
    # Not by release_builder.process: a program that it runs cannot ask for anything.
    ended = subprocess.run(argv, check=False)
    if ended.returncode:
        hint = f"is the secret key {key} there?"
        if kind.old_signature:
            hint += f" GnuPG 1 has keys of its own: gpg --export-secret-keys {key} | gpg1 --import"
        raise SurroundingsError(f"rpmsign cannot sign the packages for {kind.dist}", hint=hint)


def rpmsign_argv(packages: Sequence[Path], kind: Kind, key: str) -> list[str]:
    """The command that signs.

    Raises:
        SurroundingsError: rpmsign, gpg or gpg1 is not installed.
    """
    gpg = _absolute("gpg1", "gnupg1") if kind.old_signature else _absolute("gpg", "gnupg")
    options = _OLD if kind.old_signature else _NEW
    # rpm runs gpg without searching PATH; the first word after it is argv[0].
    command = (
        f"%{{__gpg}} {gpg.name} --no-verbose --no-armor {' '.join(options)}"
        ' -u "%{_gpg_name}" -sbo %{__signature_filename} %{__plaintext_filename}'
    )
    return [
        *(str(_absolute("rpmsign", "rpm")), "--addsign"),
        *(["--rpmv3"] if kind.payload_signed else []),
        *("--define", f"_gpg_name {key}"),
        *("--define", f"__gpg {gpg}"),
        *("--define", f"__gpg_sign_cmd {command}"),
        *map(str, packages),
    ]


def _absolute(program: str, package: str) -> Path:
    found = shutil.which(program, path=_SEARCHED)
    if found is None:
        raise SurroundingsError(f"{program} is not installed", hint=f"install {package}")
    return Path(found)
