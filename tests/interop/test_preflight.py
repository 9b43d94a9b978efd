"""What nginx serves is asked for, and rebuilt, as a stranger will."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from builders import digest, jigdo_file_pair, make_image, make_tree
from web_server import serve

from release_builder.jigdo.template import read_template
from release_builder.monitor import Monitor
from release_builder.preflight.rebuild import rebuild
from release_builder.preflight.urls import check_urls
from release_builder.report import Finding, Severity
from release_builder.transport.http import HttpOptions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from builders import Pair
    from web_server import WebServer

    from release_builder.jigdo.entries import MatchedFile

pytestmark = pytest.mark.interop

OPTIONS = HttpOptions(retries=0, timeout=5)
LARGE = "Packages/large-1.0-1.x86_64.rpm"
ODD = "Packages/it's #1.rpm"
HIDE = r"location ~ /\. { return 403; }"
NO_HEAD = "if ($request_method = HEAD) { return 405; }"


@dataclass(frozen=True, slots=True)
class Staged:
    """A release below a web server's root, in ``.8/next/``; ``8/`` will lead there.

    Attributes:
        root: What the web server serves.
        tree: The release's folder.
        pair: Its pair, whose [Servers] names ``http://mirror.example/tree/``.
    """

    root: Path
    tree: Path
    pair: Pair

    @property
    def parts(self) -> tuple[MatchedFile, ...]:
        with self.pair.template.open("rb") as stream:
            return read_template(stream, "template").description.parts

    def jigdo(self, *urls: str) -> bytes:
        """The .jigdo with other servers."""
        begin, found, end = self.pair.jigdo.read_text().partition(
            "Mirror=http://mirror.example/tree/\n"
        )
        assert found
        return "".join([begin, *(f"Mirror={url}\n" for url in urls), end]).encode()

    def check(self, server: WebServer, *mirrors: str, hidden: bool = True) -> tuple[Finding, ...]:
        moved = {f"{server.url}8/": f"{server.url}.8/next/"} if hidden else {}
        return self.check_moved(moved, f"{server.url}8/", *mirrors)

    def check_moved(self, moved: Mapping[str, str], *urls: str) -> tuple[Finding, ...]:
        return check_urls(
            self.jigdo(*urls), "cd.jigdo", moved, OPTIONS, Monitor(), template_parts=self.parts
        )


@pytest.fixture
def staged(workdir: Path) -> Staged:
    root = workdir / "root"
    tree = make_tree(root / ".8" / "next")
    image = make_image(tree, workdir / "cd.iso")
    return Staged(root, tree, jigdo_file_pair(image, tree, workdir / "pair"))


def test_a_staged_tree_that_is_whole_passes(staged: Staged) -> None:
    with serve(staged.root) as server:
        findings = staged.check(server)
        requests = server.requests()

    assert findings == ()
    assert {request.method for request in requests} == {"HEAD"}
    assert all(request.path.startswith("/.8/next/") for request in requests)
    assert len(requests) == len(staged.parts) == 5


def test_parts_that_are_missing_or_cut_short_are_named(staged: Staged) -> None:
    (staged.tree / ODD).unlink()
    with (staged.tree / LARGE).open("r+b") as part:
        part.truncate(1000)

    with serve(staged.root) as server:
        findings = staged.check(server)

    said = {each.message for each in findings}
    assert {each.severity for each in findings} == {Severity.WRONG}
    assert said == {
        f"{LARGE}: {server.url}8/{LARGE} (asked at {server.url}.8/next/{LARGE}):"
        " wrong length (1,000 in the place of 200,000 bytes)",
        f"{ODD}: {server.url}8/Packages/it's%20%231.rpm"
        f" (asked at {server.url}.8/next/Packages/it's%20%231.rpm): not found (404 Not Found)",
    }


def test_a_server_that_hides_the_staged_folder_is_told_so(staged: Staged) -> None:
    with serve(staged.root, more=HIDE) as server:
        findings = staged.check(server)

    assert [each.severity for each in findings] == [Severity.WRONG] * 5
    assert "let it serve `.8/`" in findings[-1].hint


def test_a_server_that_forbids_all_is_wrong(staged: Staged) -> None:
    with serve(staged.root, users={"me": "secret"}) as server:
        findings = staged.check(server, hidden=False)

    assert [each.severity for each in findings] == [Severity.WRONG] * 5
    assert "forbidden (401 Unauthorized)" in findings[0].message


def test_a_server_that_leads_to_a_login_page_is_wrong(staged: Staged) -> None:
    (staged.root / "login.html").write_text("<title>who are you</title>")
    with serve(staged.root, more="location /8/ { return 302 /login.html; }") as server:
        findings = staged.check(server, hidden=False)

    assert [each.severity for each in findings] == [Severity.WRONG] * 5
    assert f"a web page ({server.url}login.html)" in findings[0].message


def test_a_server_that_refuses_head_is_asked_for_bytes(staged: Staged) -> None:
    with serve(staged.root, more=NO_HEAD) as server:
        findings = staged.check(server)
        requests = server.requests()

    gets = [request for request in requests if request.method == "GET"]
    assert findings == ()
    assert {(request.status, request.sent, request.range) for request in gets} == {
        (206, 1, "bytes=0-0")
    }


def test_a_server_that_is_gone_may_come_back(staged: Staged) -> None:
    with serve(staged.root) as server:
        pass

    findings = staged.check(server)

    assert [each.severity for each in findings] == [Severity.INCOMPLETE] * 5
    assert "unreachable" in findings[0].message


def test_a_mirror_that_is_not_up_to_date_is_a_warning(staged: Staged, workdir: Path) -> None:
    old = workdir / "old"
    shutil.copytree(staged.tree, old)
    (old / LARGE).unlink()

    with serve(staged.root) as server, serve(old) as mirror:
        findings = staged.check(server, mirror.url)

    assert [each.severity for each in findings] == [Severity.WARNING]
    assert f"{mirror.url} does not give 1 of 5 parts, such as {LARGE}" in findings[0].message


def test_the_image_that_jigdo_file_took_apart_is_rebuilt(staged: Staged, workdir: Path) -> None:
    url = "http://mirror.example/8/"

    rebuilt = rebuild(
        staged.jigdo(url),
        "cd.jigdo",
        staged.pair.template,
        {url: staged.tree},
        workdir,
        OPTIONS,
        Monitor(),
        image=[digest(staged.pair.image, "sha256")],
    )

    assert rebuilt.findings == ()
    assert rebuilt.digests["sha256"] == digest(staged.pair.image, "sha256")
