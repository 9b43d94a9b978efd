"""``mirrors probe`` asks nginx for the parts of a pair that jigdo-file made."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from builders import jigdo_file_pair, make_image, noise, run
from program import release_builder
from web_server import Tls, serve

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.interop

RATE = 400_000  # bytes a second
DAY = 86_400


@pytest.fixture
def root(workdir: Path) -> Path:
    """The tree that all mirrors have."""
    folder = workdir / "root"
    folder.mkdir()
    for name, size in (("small.rpm", 20_000), ("a part.rpm", 3 << 19), ("large.rpm", 3 << 20)):
        (folder / name).write_bytes(noise(size, name))
        os.utime(folder / name, (1e9, 1e9))
    return folder


@pytest.fixture
def stale(root: Path, workdir: Path) -> Path:
    """The same tree, but a day older."""
    folder = workdir / "stale"
    folder.mkdir()
    for each in root.iterdir():
        (folder / each.name).write_bytes(each.read_bytes())
        os.utime(folder / each.name, (1e9 - DAY, 1e9 - DAY))
    return folder


@pytest.fixture
def jigdo(root: Path, workdir: Path) -> Path:
    image = make_image(root, workdir / "cd.iso")
    return jigdo_file_pair(image, root, workdir / "pair").jigdo


def with_servers(jigdo: Path, *urls: str) -> Path:
    begin, found, end = jigdo.read_text().partition("Mirror=http://mirror.example/tree/\n")
    assert found
    jigdo.write_text(begin + "".join(f"Mirror={url}\n" for url in urls) + end)
    return jigdo


def test_the_quick_and_fresh_mirror_is_the_best(root: Path, stale: Path, jigdo: Path) -> None:
    with serve(root) as quick, serve(root, rate=RATE) as slow, serve(stale) as old:
        with_servers(jigdo, slow.url, old.url, quick.url)

        ended = release_builder("mirrors", "probe", "--json", jigdo, cwd=root)
        requests = quick.requests()

    first, second, third = ended.document["mirrors"]
    assert [first["url"], second["url"], third["url"]] == [quick.url, slow.url, old.url]
    assert RATE / 2 < second["bytes_per_second"] < 2 * RATE < first["bytes_per_second"]
    assert (first["behind"], third["behind"], third["stale"]) == (0, DAY, True)
    assert {request.path for request in requests} == {"/a%20part.rpm"}
    assert len(requests) == 3


def test_what_is_told_to_do_makes_the_image(root: Path, jigdo: Path, workdir: Path) -> None:
    with serve(root) as near:
        with_servers(jigdo, "http://127.0.0.1:1/", near.url)
        probed = release_builder("mirrors", "probe", jigdo, cwd=workdir)
        program, *arguments = probed.stdout.splitlines()[-1].split()

        ended = release_builder(*arguments, "-o", "made", cwd=workdir)

    assert program == "release-builder"
    assert (ended.status, ended.stderr) == (0, "")
    assert (workdir / "made" / "cd.iso").read_bytes() == (workdir / "cd.iso").read_bytes()


def test_a_certificate_is_trusted_or_told_why_not(root: Path, jigdo: Path, workdir: Path) -> None:
    tls = Tls(workdir / "certificate.pem", workdir / "key.pem")
    run(
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-batch"),
        *("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
        *("-out", str(tls.certificate), "-keyout", str(tls.key)),
    )
    with serve(root, tls=tls) as server:
        with_servers(jigdo, server.url)
        bundle = ("--ca-bundle", tls.certificate)

        strange = release_builder("mirrors", "probe", "--json", jigdo, cwd=workdir)
        trusted = release_builder("mirrors", "probe", "--json", *bundle, jigdo, cwd=workdir)

    (before,), (after,) = strange.document["mirrors"], trusted.document["mirrors"]
    assert (strange.status, before["answer"], before["trusted"]) == (1, "tls", False)
    assert "self-signed certificate" in before["detail"]
    assert (trusted.status, after["usable"], after["trusted"]) == (0, True, True)
