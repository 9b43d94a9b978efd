"""Signatures that the rpm of each release can read."""

from __future__ import annotations

import shutil
import struct
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest

from release_builder.errors import SurroundingsError
from rpm.packages.kinds import KINDS
from rpm.packages.signing import sign

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.interop

RSA, SHA1, SHA256 = 1, 2, 8  # RFC 4880, 9.1 and 9.4
OF_HEADER, OF_ALL = 268, 1002
MAIL = "packager@example.org"
KEY = f"""\
Key-Type: RSA
Key-Length: 2048
Name-Real: Packager
Name-Email: {MAIL}
"""


class Signature(NamedTuple):
    """What an OpenPGP signature packet says of itself."""

    version: int
    algorithm: int
    digest: int


def signatures(path: Path) -> dict[int, Signature]:
    """By tag of the signature header."""
    data = path.read_bytes()[96:]
    count = struct.unpack(">I", data[8:12])[0]
    found = {}
    for i in range(count):
        tag, _, offset, size = struct.unpack(">4I", data[16 + 16 * i :][:16])
        if tag in {OF_HEADER, OF_ALL}:
            at = 16 + 16 * count + offset
            found[tag] = parse(data[at : at + size])
    return found


def parse(packet: bytes) -> Signature:
    """Source: RFC 4880, 4.2 (old packet format, length of two bytes), 5.2.2 and 5.2.3."""
    assert packet[0] == 0x89
    body = packet[3:]
    if body[0] == 3:
        return Signature(3, body[15], body[16])
    return Signature(body[0], body[2], body[3])


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of both GnuPGs, with a key, and its public half beside as key.asc."""
    home = tmp_path_factory.mktemp("keys")
    home.chmod(0o700)
    gpg1 = ["gpg1", "--homedir", str(home), "--batch", "--quiet"]
    subprocess.run([*gpg1, "--gen-key"], input=KEY, text=True, check=True, capture_output=True)
    secret = subprocess.run([*gpg1, "--export-secret-keys"], check=True, capture_output=True)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet"]
    subprocess.run([*gpg, "--import"], input=secret.stdout, check=True, capture_output=True)
    public = subprocess.run([*gpg1, "--armor", "--export"], check=True, capture_output=True)
    (home / "key.asc").write_bytes(public.stdout)
    yield home
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=True)


@pytest.fixture
def public_key(keys: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of the key that both GnuPGs have now."""
    monkeypatch.setenv("GNUPGHOME", str(keys))
    return keys / "key.asc"


@pytest.mark.parametrize(
    ("dist", "expected"),
    [
        pytest.param("el5", {OF_HEADER: (3, RSA, SHA1), OF_ALL: (3, RSA, SHA1)}, id="el5"),
        pytest.param("el6", {OF_HEADER: (4, RSA, SHA256), OF_ALL: (4, RSA, SHA256)}, id="el6"),
        pytest.param("el7", {OF_HEADER: (4, RSA, SHA256), OF_ALL: (4, RSA, SHA256)}, id="el7"),
        pytest.param("el8", {OF_HEADER: (4, RSA, SHA256)}, id="el8"),
        pytest.param("el9", {OF_HEADER: (4, RSA, SHA256)}, id="el9"),
    ],
)
def test_a_signature_is_of_the_kind_that_the_release_reads(
    packages: dict[tuple[str, str], Path],
    public_key: Path,
    tmp_path: Path,
    dist: str,
    expected: dict[int, tuple[int, int, int]],
) -> None:
    package = tmp_path / "signed.rpm"
    shutil.copy(packages[dist, "x86_64"], package)

    sign([package], KINDS[dist], MAIL)

    assert signatures(package) == expected
    database = ["rpmkeys", "--dbpath", str(tmp_path / "db")]
    subprocess.run([*database, "--import", str(public_key)], check=True)
    checked = subprocess.run(
        [*database, "--checksig", str(package)], capture_output=True, text=True, check=False
    )
    assert checked.stdout == f"{package}: digests signatures OK\n"


def test_a_key_that_is_not_there_is_told(
    packages: dict[tuple[str, str], Path], public_key: Path, tmp_path: Path
) -> None:
    package = tmp_path / "signed.rpm"
    shutil.copy(packages["el5", "i386"], package)

    with pytest.raises(SurroundingsError, match="cannot sign the packages for el5") as told:
        sign([package], KINDS["el5"], "nobody@example.org")

    assert "gpg1 --import" in told.value.hint
    assert signatures(package) == {}
