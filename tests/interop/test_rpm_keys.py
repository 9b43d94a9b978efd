"""Packages made by the real rpmbuild, and signed by the real rpmsign with keys of the real gpg."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from gpg_home import GpgHome
from rpm_signing import build, call, sign

from release_builder.errors import DescriptorError
from release_builder.media.image import MediaError
from release_builder.media.rpm import Change, check_payload, read_package
from release_builder.trust.rpm_keys import Checked, Verdict, key_ids, verify_packages

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.interop

QUERY = "%{NAME}|%{EPOCH}:%{VERSION}-%{RELEASE}|%{SOURCERPM}|%{BUILDTIME}|%{RSAHEADER:pgpsig}"


@dataclass(frozen=True, slots=True)
class Zoo:
    """Packages of one make, signed or not, and the keys.

    Attributes:
        folder: To be read only.
        ours: Id of the key in ``ours.asc``.
    """

    folder: Path
    ours: str

    def verify(self, name: str, *keys: str) -> Checked:
        """What comes of one package."""
        path = self.folder / name
        (checked,) = verify_packages([path], [self.folder / key for key in keys])
        assert checked.path == path
        return checked

    def bytes(self, name: str) -> bytes:
        """A package."""
        return (self.folder / name).read_bytes()


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zoo]:
    """All packages and keys: a second of work."""
    folder = tmp_path_factory.mktemp("rpms")
    build(folder)
    with GpgHome() as home:
        ours, other, old = (
            home.make_key(f"{name} <{name}@example.org>", expires=expires)
            for name, expires in (("ours", "never"), ("other", "never"), ("old", "1d"))
        )
        for key, name in ((ours, "ours"), (other, "other"), (old, "old")):
            home.export(key, folder / f"{name}.asc")
            sign(folder, home, key, f"{name}.rpm")
        (folder / "both.asc").write_bytes(home.gpg("--armor", "--export", ours, other))
        (folder / "binary.gpg").write_bytes(home.gpg("--export", ours))
        yield Zoo(folder, ours[-16:].lower())


@pytest.mark.parametrize("name", ["plain.rpm", "ours.rpm"])
def test_a_package_says_what_rpm_says(zoo: Zoo, name: str) -> None:
    theirs = call("rpm", "-qp", "--nosignature", "--qf", QUERY, str(zoo.folder / name))

    package = read_package(io.BytesIO(zoo.bytes(name)), name)

    ours = (package.name, str(package.evr), package.source, str(package.built))
    assert list(ours) == theirs.split("|")[:4]
    assert theirs.endswith(f"Key ID {package.signed_by}" if package.signed_by else "(none)")


def test_the_changelog_is_read(zoo: Zoo) -> None:
    package = read_package(io.BytesIO(zoo.bytes("plain.rpm")), "plain.rpm", changes=True)

    assert package.changes == (
        Change(
            1_578_312_000,
            "A. Büilder <a@example.org> 1.0-2",
            "- Do two things [SME: 12]\n- and a third",
        ),
        Change(1_578_225_600, "B. Builder <b@example.org> 1.0-1", "- Begin"),
    )


def test_a_source_package_is_known_as_such(zoo: Zoo) -> None:
    package = read_package(io.BytesIO(zoo.bytes("source.rpm")), "source.rpm")

    assert package.nevra == "tiny-3:1.0-2.el7.src"


@pytest.mark.parametrize("name", ["plain.rpm", "ours.rpm", "source.rpm"])
def test_whole_packages_pass(zoo: Zoo, name: str) -> None:
    check_payload(io.BytesIO(zoo.bytes(name)), name)


@pytest.mark.parametrize(
    ("keep", "flip", "why"),
    [
        pytest.param(-9, None, "cut short", id="cut short"),
        pytest.param(None, -9, "payload is wrong", id="payload"),
        pytest.param(None, "A summary", "header is wrong", id="header"),
    ],
)
def test_what_happened_to_a_package_is_seen_by_rpm_and_by_us(
    zoo: Zoo, workdir: Path, keep: int | None, flip: int | str | None, why: str
) -> None:
    data = bytearray(zoo.bytes("ours.rpm")[:keep])
    if flip:
        data[data.index(flip.encode()) if isinstance(flip, str) else flip] ^= 1
    path = workdir / "broken.rpm"
    path.write_bytes(data)

    (checked,) = verify_packages([path], [zoo.folder / "ours.asc"])

    assert checked.verdict is Verdict.BAD
    assert "BAD" in checked.detail
    with path.open("rb") as stream, pytest.raises(MediaError, match=why):
        check_payload(stream, path.name)


def test_a_changed_header_is_found_though_the_digests_were_made_anew(
    zoo: Zoo, workdir: Path
) -> None:
    data = zoo.bytes("ours.rpm")
    start = data.rindex(b"\x8e\xad\xe8\x01")
    old, new = data[start:], data[start:].replace(b"A summary", b"B summary")
    payload = int.from_bytes(old[8:12], "big") * 16 + int.from_bytes(old[12:16], "big") + 16
    front = data[:start].replace(hashlib.md5(old).digest(), hashlib.md5(new).digest())
    for make in (hashlib.sha1, hashlib.sha256):
        was, is_now = (make(each[:payload]).hexdigest().encode() for each in (old, new))
        front = front.replace(was, is_now)
    path = workdir / "forged.rpm"
    path.write_bytes(front + new)

    (checked,) = verify_packages([path], [zoo.folder / "ours.asc"])

    assert checked.verdict is Verdict.BAD
    assert "Signature: BAD" in checked.detail
    with path.open("rb") as stream:
        check_payload(stream, path.name)


@pytest.mark.parametrize(
    ("name", "keys", "verdict"),
    [
        pytest.param("ours.rpm", ["ours.asc"], Verdict.GOOD, id="ours"),
        pytest.param("ours.rpm", ["binary.gpg"], Verdict.GOOD, id="key without armour"),
        pytest.param("other.rpm", ["both.asc"], Verdict.GOOD, id="second key of a file"),
        pytest.param("other.rpm", ["ours.asc", "other.asc"], Verdict.GOOD, id="second file"),
        pytest.param("plain.rpm", ["ours.asc"], Verdict.UNSIGNED, id="unsigned"),
        pytest.param("other.rpm", ["ours.asc"], Verdict.UNKNOWN_KEY, id="another's"),
        pytest.param("ours.rpm", [], Verdict.UNKNOWN_KEY, id="no keys"),
        pytest.param("old.rpm", ["ours.asc", "old.asc"], Verdict.EXPIRED, id="expired"),
        pytest.param("tiny.spec", ["ours.asc"], Verdict.BAD, id="no package"),
        pytest.param("missing.rpm", ["ours.asc"], Verdict.BAD, id="missing"),
        pytest.param("top", ["ours.asc"], Verdict.BAD, id="folder"),
    ],
)
def test_a_package_gets_its_verdict(zoo: Zoo, name: str, keys: list[str], verdict: Verdict) -> None:
    checked = zoo.verify(name, *keys)

    assert checked.verdict is verdict
    assert bool(checked.signer) is (verdict in {Verdict.GOOD, Verdict.EXPIRED})


def test_the_key_that_signed_is_the_one_that_is_claimed(zoo: Zoo) -> None:
    checked = zoo.verify("ours.rpm", "both.asc")
    package = read_package(io.BytesIO(zoo.bytes("ours.rpm")), "ours.rpm")
    (ours,) = key_ids([zoo.folder / "ours.asc"])

    assert checked.key_id == package.signed_by == ours.key_id == zoo.ours
    assert checked.signer == ours.name == "ours <ours@example.org>"


def test_many_packages_of_any_name_are_told_in_order(zoo: Zoo, workdir: Path) -> None:
    names = ["a b[1-2]*.rpm", "new\nline.rpm", os.fsdecode(b"\xff.rpm"), "http:x.rpm", "%p:.rpm"]
    paths = [workdir / name for name in names * 41]
    for number, name in enumerate(names):
        shutil.copy(zoo.folder / ("ours.rpm" if number % 2 else "plain.rpm"), workdir / name)
    told: list[Path] = []

    checked = verify_packages(paths, [zoo.folder / "ours.asc"], told.append)

    assert told == [each.path for each in checked] == paths
    by_name = {each.path.name: each.verdict for each in checked}
    good = [name for name in names if by_name[name] is Verdict.GOOD]
    assert good == [names[1], names[3]]
    assert {each.verdict for each in checked} == {Verdict.GOOD, Verdict.UNSIGNED}


def test_a_fifo_is_not_waited_for(zoo: Zoo, workdir: Path) -> None:
    os.mkfifo(workdir / "fifo.rpm")

    (checked,) = verify_packages([workdir / "fifo.rpm"], [zoo.folder / "ours.asc"])

    assert checked.detail == "no regular file"


def test_macros_of_the_user_do_not_count(zoo: Zoo) -> None:
    Path("~/.rpmmacros").expanduser().write_text("%_keyring nonsense\n%_pkgverify_flags 0xffffff\n")

    checked = zoo.verify("ours.rpm", "ours.asc")

    assert checked.verdict is Verdict.GOOD


def test_a_file_without_a_key_is_refused(zoo: Zoo) -> None:
    with pytest.raises(DescriptorError, match=r"tiny\.spec holds no public key"):
        zoo.verify("ours.rpm", "tiny.spec")


def test_nothing_stays_behind(zoo: Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "t"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)

    zoo.verify("ours.rpm", "ours.asc")

    assert list(folder.iterdir()) == []
