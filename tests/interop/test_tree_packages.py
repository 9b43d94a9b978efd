"""Packages of a mirror that nobody signed whom the descriptor trusts never come into an image."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from bad_server import BadServer
from fetching import Release
from gpg_home import GpgHome
from offering import Offer
from rpm_signing import build, sign

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.interop


@dataclass(frozen=True, slots=True)
class Packages:
    """One package, signed or not, and the key in ``key.asc``."""

    folder: Path
    key: str

    def release(self, *names: str) -> Release:
        """A release of these."""
        return Release({name: (self.folder / name).read_bytes() for name in names})


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    folder = tmp_path_factory.mktemp("packages")
    build(folder)
    with GpgHome() as home:
        ours = home.make_key("Ours <ours@example.org>")
        other = home.make_key("Other <other@example.org>")
        home.export(ours, folder / "key.asc")
        sign(folder, home, ours, "ours.rpm")
        sign(folder, home, other, "other.rpm")
    good = (folder / "ours.rpm").read_bytes()
    (folder / "changed.rpm").write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    return Packages(folder, ours)


@pytest.fixture
def offer(workdir: Path, packages: Packages) -> Offer:
    offer = Offer(workdir)
    offer.more = f"trust: {{packages: {packages.folder / 'key.asc'}}}\n"
    return offer


@pytest.mark.parametrize(
    ("name", "words"),
    [
        pytest.param("plain.rpm", "not signed", id="unsigned"),
        pytest.param("other.rpm", "which is none of the release's", id="strange key"),
        pytest.param("changed.rpm", "bad signature", id="changed"),
    ],
)
def test_a_package_that_is_not_rightly_signed_ends_the_build(
    offer: Offer, packages: Packages, name: str, words: str
) -> None:
    good = packages.release("ours.rpm")
    offer.offer(good)
    first = offer.run()
    offer.offer(packages.release("ours.rpm", name))

    built = offer.run()

    assert first.status == 0, first.messages()
    assert built.status == 2
    assert words in built.messages()
    assert name in built.messages()
    assert offer.holds(good)


def test_assemble_alone_looks_at_packages_too(offer: Offer, packages: Packages) -> None:
    offer.offer(packages.release("plain.rpm"))
    offer.run("sync")

    assembled = offer.run("assemble")

    assert assembled.status == 2
    assert "not signed" in assembled.messages()
    assert not offer.image.exists()


def test_verify_looks_at_packages_where_it_reads_all(offer: Offer, packages: Packages) -> None:
    offer.offer(packages.release("ours.rpm", "plain.rpm"))
    assert offer.run(more="").status == 0

    verified = offer.run("verify")
    full = offer.run("verify", "--full")

    assert verified.status == 0
    assert full.status == 2
    assert "not signed" in full.messages()
    assert full.counts("verify")["packages_verified"] == 1


def test_a_package_that_was_damaged_here_is_fetched_again(offer: Offer, packages: Packages) -> None:
    good = packages.release("ours.rpm")
    offer.offer(good)
    offer.run("sync")
    tree = offer.folder / "work" / "tree" / "smeos" / "x86_64" / "ours.rpm"
    before = tree.stat()
    tree.write_bytes((packages.folder / "changed.rpm").read_bytes())
    os.utime(tree, ns=(before.st_atime_ns, before.st_mtime_ns))

    built = offer.run()

    assert built.status == 0, built.messages()
    assert offer.holds(good)


def test_what_lay_there_under_the_name_says_nothing_of_what_comes_into_the_image(
    offer: Offer, packages: Packages
) -> None:
    offer.offer(packages.release("plain.rpm"))
    mirrored = offer.folder / "mirror" / "smeos" / "x86_64" / "plain.rpm"
    unsigned = mirrored.read_bytes()
    mirrored.write_bytes((packages.folder / "ours.rpm").read_bytes())
    first = offer.run()
    mirrored.write_bytes(unsigned)

    built = offer.run()

    assert (first.status, built.status) == (2, 2)
    assert "not signed: plain.rpm" in built.messages()
    assert not offer.image.exists()


@pytest.mark.parametrize("name", ["plain.rpm", "ours.rpm"])
def test_a_package_that_only_servers_have_is_looked_at_within_the_image(
    offer: Offer, packages: Packages, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    release = packages.release(name)
    offer.offer(release)
    (offer.folder / "mirror" / "smeos" / "x86_64" / name).unlink()
    with BadServer(release.tree()) as server:
        url = f"{server.url}/tree/"
        servers = f"servers: {{A: {{beta: '{url}', final: '{url}'}}}}\n"
        monkeypatch.setattr("offering.SERVERS", servers)
        built = offer.run()
        full = offer.run("verify", "--full")

    good = name == "ours.rpm"
    assert built.status == (0 if good else 2), built.messages()
    assert ("not signed" in built.messages()) is not good
    assert offer.image.exists() is good
    assert (full.outcomes() == {"verify": "done"}) is good
    if good:
        assert full.counts("verify")["packages_verified"] == 1


def test_a_package_is_one_whatever_it_is_called(offer: Offer, packages: Packages) -> None:
    offer.offer(Release({"x.bin": (packages.folder / "plain.rpm").read_bytes()}))

    built = offer.run()

    assert built.status == 2
    assert "not signed: x.bin" in built.messages()
    assert not offer.image.exists()


def test_without_rpmkeys_it_is_told(offer: Offer, packages: Packages, tmp_path: Path) -> None:
    offer.offer(packages.release("plain.rpm"))
    offer.run("sync")
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("gpg", "rsync"):
        (programs / name).symlink_to(f"/usr/bin/{name}")

    rewritten = offer.run("rewrite", env={**os.environ, "PATH": str(programs)})

    assert rewritten.status == 0
    assert (
        "nobody looked at the signatures of packages: the program rpmkeys is not"
        in rewritten.messages()
    )
