"""What a finished interpreter must be, whatever its build said.

Source: System V ABI, "Object Files" and "Program Loading" (ELF headers).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from release_builder import process
from release_builder.errors import SurroundingsError, WrongBytesError
from rpm.interpreter.work import ARCHES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MAGIC: Final = b"\x7fELF"
_MACHINE_AT: Final = 18  # e_machine, two bytes
# Class byte → e_phoff, e_phentsize and e_phnum: their offsets and formats.
_TABLE: Final = {1: (28, "<I", 42), 2: (32, "<Q", 54)}
_NEEDS_LOADER: Final = {2: "PT_DYNAMIC", 3: "PT_INTERP"}


def check(result: Path, arch: str, builder: Path, selftest: Path, scratch: Path) -> None:
    """Refuse an interpreter that is not what it should be.

    Args:
        result: The folder of the interpreter.
        arch: What it should run on.
        builder: Where it was built: no file may name it.
        selftest: The script that it must pass.
        scratch: A folder for the self-test.

    Raises:
        WrongBytesError: It is of another arch, is not static, or names ``builder``.
        SurroundingsError: Its self-test failed, or does not run here.
    """
    program = result / "bin" / "python3"
    content = program.read_bytes()
    if machine(content) != ARCHES[arch].elf_machine:
        raise WrongBytesError(f"{program} is not made for {arch}")
    if needs := sorted(_NEEDS_LOADER.keys() & set(segments(content))):
        named = ", ".join(_NEEDS_LOADER[kind] for kind in needs)
        raise WrongBytesError(f"{program} is not static: it has {named}")
    for path in sorted(result.rglob("*")):
        if path.is_file() and bytes(builder) in path.read_bytes():
            raise WrongBytesError(f"{path} names the folder {builder} that it was built in")
    certificates(scratch)
    outcome = process.run([str(program), "-ISB", str(selftest), str(scratch)])
    if outcome.status:
        raise SurroundingsError(
            f"the interpreter for {arch} fails its self-test (status {outcome.status}):\n"
            f"{outcome.stdout}{outcome.stderr}",
            hint="i386 programs run on an x86_64 kernel that has IA32 emulation",
        )


def machine(content: bytes) -> int:
    """e_machine of an ELF file.

    Raises:
        WrongBytesError: It is none, or too short.
    """
    if not content.startswith(_MAGIC) or len(content) < 64 or content[4] not in _TABLE:
        raise WrongBytesError("not an ELF file")
    number: int = struct.unpack_from("<H", content, _MACHINE_AT)[0]
    return number


def segments(content: bytes) -> Iterator[int]:
    """p_type of each program header of an ELF file, whose ``machine`` could be read."""
    at, form, size_at = _TABLE[content[4]]
    (table,) = struct.unpack_from(form, content, at)
    size, number = struct.unpack_from("<HH", content, size_at)
    for index in range(number):
        yield struct.unpack_from("<I", content, table + index * size)[0]


def certificates(folder: Path) -> None:
    """Make what the self-test wants in ``folder``: a server's certificate, and a stranger's.

    Raises:
        SurroundingsError: The program openssl is missing, or fails.
    """
    for name, key in (("certificate", "key"), ("stranger", "stranger-key")):
        outcome = process.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650"),
                *("-keyout", str(folder / f"{key}.pem"), "-out", str(folder / f"{name}.pem")),
                *("-subj", "/CN=localhost"),
                *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
            ]
        )
        if outcome.status:
            raise SurroundingsError(f"openssl cannot make a certificate: {outcome.stderr}")
