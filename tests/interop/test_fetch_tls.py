"""``jigdo fetch`` over https: which servers it believes."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from builders import run
from fetching import assert_image, fetch, fetched, release_of
from web_server import Tls, serve

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.interop

RELEASE = release_of(3)
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def self_signed(folder: Path, names: str = "IP:127.0.0.1") -> Tls:
    """A certificate that only its own file vouches for."""
    tls = Tls(folder / "own.pem", folder / "own.key")
    run(
        *("openssl", "req", "-x509", *_KEY, "-keyout", str(tls.key), "-out", str(tls.certificate)),
        *("-subj", "/CN=own", "-days", "2", "-addext", f"subjectAltName={names}"),
    )
    return tls


def signed(folder: Path) -> tuple[Tls, Path]:
    """A certificate for 127.0.0.1, and that of the authority which signed it."""
    tls, request = Tls(folder / "server.pem", folder / "server.key"), folder / "server.csr"
    ca, ca_key = folder / "ca.pem", folder / "ca.key"
    run(
        *("openssl", "req", "-x509", *_KEY, "-keyout", str(ca_key), "-out", str(ca)),
        *("-subj", "/CN=test authority", "-days", "2"),
        *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
    )
    run(
        *("openssl", "req", *_KEY, "-keyout", str(tls.key), "-out", str(request)),
        *("-subj", "/CN=server", "-addext", "subjectAltName=IP:127.0.0.1"),
    )
    run(
        *("openssl", "x509", "-req", "-in", str(request), "-out", str(tls.certificate)),
        *("-CA", str(ca), "-CAkey", str(ca_key), "-CAcreateserial"),
        *("-copy_extensions", "copy", "-days", "2"),
    )
    return tls, ca


def assert_refused(workdir: Path, url: str, words: str, *more: str | Path) -> None:
    """Neither the pair is taken from ``url`` nor, where that is at hand, a part."""
    ended = fetch(*more, f"{url}cd.jigdo", cwd=workdir)
    RELEASE.lay_out(workdir, f"A={url}tree/")
    shutil.rmtree(workdir / "tree")
    told = fetched(*more, "cd.jigdo", cwd=workdir)

    assert ended.status == told["status"] == 1
    assert f"{url}cd.jigdo: not to be trusted ({words}" in ended.stderr
    assert "name the file of certificates" in ended.stderr
    assert {part["tries"][0]["answer"] for part in told["missing"]} == {"tls"}
    assert len(told["missing"]) == len(RELEASE.parts)
    assert not (workdir / "cd.iso").exists()


def test_a_self_signed_server_is_refused_until_it_is_named(tmp_path: Path, workdir: Path) -> None:
    tls = self_signed(tmp_path)
    with serve(tmp_path / "work", tls=tls) as server:
        assert_refused(workdir, server.url, "self-signed certificate")
        assert not server.requests()
        RELEASE.lay_out(workdir, f"A={server.url}tree/")

        ended = fetch(
            *("--ca-bundle", tls.certificate, "-o", "made", f"{server.url}cd.jigdo"), cwd=workdir
        )

    assert ended.status == 0, ended.stderr
    assert_image(workdir / "made", RELEASE)


def test_a_server_of_an_authority_that_is_named_is_believed(tmp_path: Path, workdir: Path) -> None:
    tls, authority = signed(tmp_path)
    RELEASE.lay_out(tmp_path / "web")
    with serve(tmp_path / "web", tls=tls) as server:
        assert_refused(workdir, server.url, "unable to get local issuer certificate")
        (tmp_path / "web" / "cd.jigdo").write_bytes(RELEASE.jigdo(f"A={server.url}tree/"))

        ended = fetch(
            *("--ca-bundle", authority, "-o", "made", f"{server.url}cd.jigdo"), cwd=workdir
        )

    assert ended.status == 0, ended.stderr
    assert_image(workdir / "made", RELEASE)


def test_a_certificate_of_another_server_is_refused(tmp_path: Path, workdir: Path) -> None:
    tls = self_signed(tmp_path, "DNS:mirror.example")
    RELEASE.lay_out(tmp_path / "web")
    with serve(tmp_path / "web", tls=tls) as server:
        bundle = ("--ca-bundle", tls.certificate)

        assert_refused(workdir, server.url, "IP address mismatch", *bundle)

        assert not server.requests()


def test_of_a_server_that_is_not_believed_another_makes_up(tmp_path: Path, workdir: Path) -> None:
    RELEASE.lay_out(tmp_path / "web")
    with (
        serve(tmp_path / "web", tls=self_signed(tmp_path)) as strange,
        serve(tmp_path / "web") as good,
    ):
        RELEASE.lay_out(tmp_path / "web", f"A={strange.url}tree/", f"A={good.url}tree/")

        ended = fetch(f"{good.url}cd.jigdo", cwd=workdir)

    assert ended.status == 0, ended.stderr
    assert f"{strange.url.rstrip('/')} is not asked any more: not to be trusted" in ended.stderr
    assert_image(workdir, RELEASE)


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        pytest.param(b"", 2, "holds no certificate", id="empty"),
        pytest.param(b"-----BEGIN CERTIFICATE-----\nx\n", 2, "holds no certificate", id="broken"),
    ],
)
def test_a_file_without_certificates_is_said_to_be_none(
    workdir: Path, content: bytes, status: int, words: str
) -> None:
    (workdir / "ca.pem").write_bytes(content)

    ended = fetch("--ca-bundle", "ca.pem", "https://127.0.0.1:9/cd.jigdo", cwd=workdir)

    assert ended.status == status
    assert f"ca.pem {words}" in ended.stderr
