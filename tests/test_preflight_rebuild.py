"""An image rebuilt from what is staged, and what keeps it from coming out right."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from bad_server import BadServer
from fetching import release_of
from offers import HEADER

from release_builder.digests import Digest
from release_builder.errors import SurroundingsError, WrongBytesError
from release_builder.jigdo.entries import (
    Description,
    ImageInfo,
    MatchedFile,
    format_description,
)
from release_builder.monitor import Monitor
from release_builder.preflight.rebuild import Rebuilt, rebuild
from release_builder.report import Severity
from release_builder.transport.http import HttpOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

RELEASE = release_of(4)
URL = "http://mirror.example/8/"
DIGEST = RELEASE.digest(RELEASE.image)
SHA256 = Digest("sha256", hashlib.sha256(RELEASE.image).digest())


@pytest.fixture(autouse=True)
def staged(workdir: Path) -> Path:
    """The staged tree; the template lies beside."""
    RELEASE.lay_out(workdir)
    (workdir / "scratch").mkdir()
    return workdir / "tree"


def run(
    workdir: Path,
    *servers: str,
    url: str = URL,
    tree: Path | None = None,
    jigdo: bytes | None = None,
    image: Sequence[Digest] = (),
    **options: float,
) -> Rebuilt:
    lines = (f"A={server}" for server in servers or (URL,))
    rebuilt = rebuild(
        jigdo or RELEASE.jigdo(*lines),
        "cd.jigdo",
        workdir / "cd.template",
        {url: tree or workdir / "tree"},
        workdir / "scratch",
        HttpOptions(retries=0, timeout=30, **options),  # type: ignore[arg-type] # limit_rate is an int
        Monitor(),
        image=image,
    )
    assert not list((workdir / "scratch").iterdir())
    return rebuilt


def test_an_image_comes_out_right(workdir: Path) -> None:
    rebuilt = run(workdir, image=[SHA256])

    assert rebuilt == Rebuilt((), {"md5": DIGEST, "sha256": SHA256})


def test_the_scratch_folder_is_made_if_it_is_not_there(workdir: Path) -> None:
    (workdir / "scratch").rmdir()

    rebuilt = run(workdir)

    assert rebuilt == Rebuilt((), {"md5": DIGEST})


def test_a_proxy_and_a_rate_are_not_for_our_own_server(
    workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "")  # the proxy of all tests refuses

    assert run(workdir, limit_rate=1000).findings == ()


def test_a_wrong_byte_in_a_part_is_named(workdir: Path, staged: Path) -> None:
    content = RELEASE.parts["02.rpm"]
    (staged / "02.rpm").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))

    rebuilt = run(workdir)

    (finding,) = rebuilt.findings
    assert finding.severity is Severity.WRONG
    assert finding.message == f"02.rpm: {URL}02.rpm: wrong bytes"
    assert finding.hint
    assert rebuilt.digests == {}


def test_what_we_may_not_read_is_no_fault_of_the_web_server(workdir: Path) -> None:
    unreadable = Path("/proc/sys/vm/drop_caches")  # not even by root
    jigdo = RELEASE.jigdo(f"A={URL}").replace(b"01.rpm", unreadable.name.encode())

    with pytest.raises(PermissionError) as caught:
        run(workdir, tree=unreadable.parent, jigdo=jigdo)

    assert caught.value.filename == str(unreadable)


def test_a_missing_part_is_named_though_a_mirror_has_it(workdir: Path, staged: Path) -> None:
    (staged / "01.rpm").unlink()
    with BadServer(RELEASE.tree()) as mirror:
        rebuilt = run(workdir, URL, f"{mirror.url}/tree/")

        assert not mirror.requests
    assert [each.message for each in rebuilt.findings] == [
        f"01.rpm: {URL}01.rpm: not found (404 Not Found)"
    ]


def test_many_missing_parts_are_summed_up(workdir: Path, staged: Path) -> None:
    for part in staged.iterdir():
        part.unlink()

    rebuilt = run(workdir)

    assert [each.severity for each in rebuilt.findings] == [Severity.WRONG] * 4


def test_parts_that_lie_elsewhere_are_asked_for_there(workdir: Path) -> None:
    with BadServer(RELEASE.tree()) as server:
        rebuilt = run(workdir, f"{server.url}/tree/")

        assert {request.path for request in server.requests} == set(RELEASE.tree())
    assert rebuilt == Rebuilt((), {"md5": DIGEST})


def test_parts_of_a_server_that_is_gone_may_come_later(workdir: Path) -> None:
    rebuilt = run(workdir, "http://127.0.0.1:9/")

    assert {each.severity for each in rebuilt.findings} == {Severity.INCOMPLETE}
    assert "00.rpm: http://127.0.0.1:9/00.rpm: unreachable" in rebuilt.findings[0].message


def test_a_url_that_leads_to_nothing_is_told_though_another_has_the_part(workdir: Path) -> None:
    rebuilt = run(workdir, f"{URL}old/", URL)

    (finding,) = rebuilt.findings
    assert finding.severity is Severity.WARNING
    assert "4 parts are not at every URL" in finding.message
    assert f"{URL}old/0" in finding.message
    assert rebuilt.digests == {"md5": DIGEST}


def test_a_part_without_a_url_is_named(workdir: Path) -> None:
    rebuilt = run(workdir, "file:/mnt/")

    assert rebuilt.findings[0].message == "00.rpm: file:/mnt/00.rpm is no http URL"
    assert {each.severity for each in rebuilt.findings} == {Severity.WRONG}


def test_an_image_other_than_the_published_one_is_wrong(workdir: Path) -> None:
    other = Digest("sha256", bytes(32))

    (finding,) = run(workdir, image=[other]).findings

    assert finding.severity is Severity.WRONG
    assert f"comes out as {SHA256}, the published image is {other}" in finding.message


def test_an_image_other_than_the_template_says_is_wrong(workdir: Path) -> None:
    template = workdir / "cd.template"
    content = template.read_bytes()
    assert content.count(DIGEST.value) == 1
    template.write_bytes(content.replace(DIGEST.value, bytes(16)))

    (finding,) = run(workdir).findings

    assert finding.severity is Severity.WRONG
    assert f"comes out as {DIGEST}, what its template says is md5:{'0' * 32}" in finding.message


def test_no_template_is_refused(workdir: Path) -> None:
    (workdir / "cd.template").write_bytes(b"<html>")

    with pytest.raises(WrongBytesError, match=r"cd\.template"):
        run(workdir)


def test_an_image_that_has_no_room_is_not_begun(workdir: Path) -> None:
    huge = 1 << 47
    run_of_image = MatchedFile(huge, bytes(8), DIGEST)
    described = format_description(Description(ImageInfo(huge, DIGEST, 1024), (run_of_image,)))
    (workdir / "cd.template").write_bytes(HEADER + described)

    with pytest.raises(SurroundingsError, match=r"bytes, .* are free") as caught:
        run(workdir)

    assert "preflight: urls" in caught.value.hint
