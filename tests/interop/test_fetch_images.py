"""``jigdo fetch`` as users run it, from real web servers that are well."""

from __future__ import annotations

import filecmp
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from bad_server import BadServer, Trouble
from builders import jigdo_file_pair, make_image, make_tree, noise, xorriso_image_with_pair
from fetching import (
    BOUNDS,
    Release,
    assert_image,
    assert_no_image,
    fetch,
    fetched,
    release_of,
    site,
)
from program import PROGRAM
from web_server import serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from web_server import WebServer

pytestmark = pytest.mark.interop

RELEASE = release_of(6)


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """The folder that is served."""
    folder = tmp_path / "web"
    folder.mkdir()
    return folder


@pytest.fixture
def server(web: Path) -> Iterator[WebServer]:
    """A server that has RELEASE."""
    with serve(web) as running:
        RELEASE.lay_out(web, f"A={running.url}tree/")
        yield running


def asked(server: WebServer) -> list[str]:
    return sorted(request.path for request in server.requests())


def parts_asked(server: WebServer) -> list[str]:
    return [path for path in asked(server) if path.endswith(".rpm")]


def test_the_pair_and_each_part_are_fetched_once_and_the_image_is_right(
    server: WebServer, workdir: Path
) -> None:
    ended = fetch(f"{server.url}cd.jigdo", cwd=workdir)

    assert ended.status == 0, ended.stderr
    assert_image(workdir, RELEASE)
    assert asked(server) == sorted(["/cd.jigdo", "/cd.template", *RELEASE.tree()])
    assert all(request.status == 200 for request in server.requests())
    assert sorted(path.name for path in workdir.iterdir()) == ["cd.iso", "cd.jigdo", "cd.template"]
    assert f"cd.iso: 126.0 kB, 120.0 kB of it fetched; {RELEASE.digest(RELEASE.image)}, as" in (
        ended.stdout
    )
    assert ended.stderr == ""


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
@pytest.mark.parametrize("writer", ["jigdo-file", "xorriso"])
def test_pairs_of_real_writers_are_fetched(
    web: Path, workdir: Path, writer: str, algorithm: str
) -> None:
    tree = make_tree(web / "tree")
    with serve(web) as server:
        url = f"{server.url}tree/"
        if writer == "jigdo-file":
            image = make_image(tree, workdir / "image.iso")
            jigdo_file_pair(image, tree, web, algorithm=algorithm, url=url)
            more: list[str] = []
        else:
            pair = xorriso_image_with_pair(tree, web, algorithm=algorithm)
            image = pair.image.rename(workdir / "image.iso")
            # It leaves [Servers] empty, and what it says of the template is for nobody.
            text = re.sub("Template=.*", "Template=image.template", pair.jigdo.read_text())
            pair.jigdo.write_text(text)
            more = ["--uri", f"Mirror={url}"]

        ended = fetch(*more, "-o", "made", f"{server.url}image.jigdo", cwd=workdir)

    assert ended.status == 0, ended.stderr
    assert filecmp.cmp(image, workdir / "made" / "image.iso", shallow=False)


def by_path(web: Path, _url: str) -> str:
    return str(web / "cd.jigdo")


def by_file_url(web: Path, _url: str) -> str:
    return (web / "cd.jigdo").as_uri()


def packed(web: Path, _url: str) -> str:
    jigdo = web / "cd.jigdo"
    jigdo.write_bytes(gzip.compress(jigdo.read_bytes()))
    return str(jigdo)


def packed_url(web: Path, url: str) -> str:
    packed(web, url)
    return f"{url}cd.jigdo"


def quoted_url(web: Path, url: str) -> str:
    (web / "cd.jigdo").rename(web / "my cd.jigdo")
    return f"{url}my%20cd.jigdo"


@pytest.mark.parametrize("source", [by_path, by_file_url, packed, packed_url, quoted_url])
def test_a_jigdo_may_be_named_in_many_ways(
    server: WebServer, web: Path, workdir: Path, source: Callable[[Path, str], str]
) -> None:
    ended = fetch(source(web, server.url), cwd=workdir)

    assert ended.status == 0, ended.stderr
    assert_image(workdir, RELEASE)


def test_a_list_in_braces_names_many(server: WebServer, web: Path, workdir: Path) -> None:
    other = release_of(2, 9000)
    for name, release in (("cd-1", RELEASE), ("cd-2", other)):
        (web / f"{name}.jigdo").write_bytes(release.jigdo(f"A={server.url}tree/", name=name))
        (web / f"{name}.template").write_bytes(release.template)
    for path, content in other.tree().items():
        (web / path.replace("/tree/", "tree/2-")).write_bytes(content)
    text = (web / "cd-2.jigdo").read_text().replace("A:", "A:2-")
    (web / "cd-2.jigdo").write_text(text)

    ended = fetch(f"{server.url}cd-{{1,2}}.jigdo", cwd=workdir)

    assert ended.status == 0, ended.stderr
    assert_image(workdir, RELEASE, "cd-1.iso")
    assert_image(workdir, other, "cd-2.iso")


def test_an_image_that_fails_does_not_hold_up_the_next(
    server: WebServer, web: Path, workdir: Path
) -> None:
    ended = fetch("--json", f"{server.url}{{none,cd}}.jigdo", cwd=workdir)

    assert ended.status == 1
    none, cd = ended.document["images"]
    assert "not found (404" in none["error"]["message"]
    assert cd["complete"]
    assert_image(workdir, RELEASE)


@pytest.mark.parametrize(
    ("template", "place"),
    [
        pytest.param("below/it's #1.template", "iso/below/it's #1.template", id="below"),
        pytest.param("../cd-a.template", "cd-a.template", id="above"),
        pytest.param("/cd-b.template", "cd-b.template", id="from the root"),
        pytest.param("{url}far/cd.template", "far/cd.template", id="URL"),
        pytest.param("{url}far/a%20b.template", "far/a b.template", id="encoded"),
    ],
)
def test_a_template_is_found_from_its_jigdo(
    server: WebServer, web: Path, workdir: Path, template: str, place: str
) -> None:
    (web / "cd.template").unlink()
    (web / "iso").mkdir()
    (web / place).parent.mkdir(parents=True, exist_ok=True)
    (web / place).write_bytes(RELEASE.template)
    jigdo = RELEASE.jigdo(f"A={server.url}tree/", template=template.format(url=server.url))
    (web / "iso" / "cd.jigdo").write_bytes(jigdo)

    ended = fetch(f"{server.url}iso/cd.jigdo", cwd=workdir)

    assert ended.status == 0, ended.stderr
    assert_image(workdir, RELEASE)


@pytest.mark.parametrize("by_web", [True, False])
def test_another_template_than_is_demanded_makes_no_image(
    server: WebServer, web: Path, workdir: Path, by_web: bool
) -> None:
    (web / "cd.jigdo").write_bytes(RELEASE.jigdo(f"A={server.url}tree/", demanded=b"another"))

    told = fetched(f"{server.url}cd.jigdo" if by_web else web / "cd.jigdo", cwd=workdir)

    assert told["status"] == 2
    assert "cd.template" in told["error"]["message"]
    assert told["error"]["hint"]
    assert not list(workdir.glob("*.iso*"))


def test_a_template_without_digest_is_taken_as_it_is(
    server: WebServer, web: Path, workdir: Path
) -> None:
    (web / "cd.jigdo").write_bytes(RELEASE.jigdo(f"A={server.url}tree/", demanded=b""))

    ended = fetch(f"{server.url}cd.jigdo", cwd=workdir)

    assert ended.status == 0, ended.stderr
    assert "no digest of its template" in ended.stderr
    assert_image(workdir, RELEASE)


def test_names_are_encoded_as_the_server_wants_them(web: Path, workdir: Path) -> None:
    names = [
        "a b",
        "a#b",
        "100%",
        "it's",
        'say "x"',
        "a%20b",
        "a?b",
        "a+b&c;d",
        "ü/é",
        "a:b",
        "[x]",
    ]
    names += [os.fsdecode(b"\xff\xfe"), "back\\slash", "~a", "a//b"]
    release = Release({name: noise(2000 + at, at) for at, name in enumerate(names)})
    with serve(web) as server:
        release.lay_out(web, f"A={server.url}tree/")

        told = fetched(f"{server.url}cd.jigdo", cwd=workdir)

        refused = [request for request in server.requests() if request.status != 200]

    assert told["status"] == 0, told
    assert not refused
    assert_image(workdir, release)


def test_a_part_that_is_wanted_twice_is_fetched_once(web: Path, workdir: Path) -> None:
    release = Release(RELEASE.parts, again=("00.rpm", "03.rpm", "00.rpm"))
    with serve(web) as server:
        release.lay_out(web, f"A={server.url}tree/")

        ended = fetch(f"{server.url}cd.jigdo", cwd=workdir)

        assert ended.status == 0, ended.stderr
        assert_image(workdir, release)
        assert parts_asked(server) == sorted(release.tree())


@pytest.mark.parametrize(
    "release",
    [
        pytest.param(Release({}), id="no parts"),
        pytest.param(Release(RELEASE.parts, gap=b""), id="nothing but parts"),
        pytest.param(Release({}, gap=b""), id="nothing at all"),
        pytest.param(Release({"zeros": b"\0" * 70_000}), id="zeros"),
    ],
)
def test_an_odd_image_is_an_image(web: Path, workdir: Path, release: Release) -> None:
    with serve(web) as server:
        release.lay_out(web, f"A={server.url}tree/")

        told = fetched(f"{server.url}cd.jigdo", cwd=workdir)

        assert told["status"] == 0, told
        assert_image(workdir, release)
        assert asked(server) == sorted(["/cd.jigdo", "/cd.template", *release.tree()])


@pytest.mark.parametrize("connections", [1, 16])
def test_so_many_parts_as_are_asked_for_come_at_a_time(workdir: Path, connections: int) -> None:
    release = release_of(32, 2000)
    with site(release, dict.fromkeys(release.tree(), Trouble(delay=0.05))) as server:
        ended = fetch("--connections", str(connections), f"{server.url}/cd.jigdo", cwd=workdir)

        assert ended.status == 0, ended.stderr
        assert server.busiest == connections
        assert server.connections <= connections + 1
    assert_image(workdir, release)


def test_eight_parts_come_from_each_server_unless_told_otherwise(workdir: Path) -> None:
    release = release_of(40, 2000)
    slow = dict.fromkeys(release.tree(), Trouble(delay=0.05))
    with site(release, slow) as server, BadServer(release.tree(), slow) as other:
        server.content |= release.pair(f"A={server.url}/tree/", f"A={other.url}/tree/")

        ended = fetch(f"{server.url}/cd.jigdo", cwd=workdir)

        assert ended.status == 0, ended.stderr
        assert (server.busiest, other.busiest) == (8, 8)


def test_parts_are_kept_as_files_when_that_is_asked_for(server: WebServer, workdir: Path) -> None:
    ended = fetch("--keep-parts", "kept", f"{server.url}cd.jigdo", cwd=workdir)

    assert ended.status == 0, ended.stderr
    kept = {path.name: path.read_bytes() for path in (workdir / "kept" / "A").iterdir()}
    assert kept == RELEASE.parts
    assert_image(workdir, RELEASE)


@pytest.mark.parametrize("option", ["--uri=A={}tree/", "--mirror={}tree/"])
def test_a_server_that_the_user_names_is_asked_first(
    server: WebServer, web: Path, workdir: Path, option: str
) -> None:
    with serve(web) as mine:
        ended = fetch(
            *("--connections", "1", option.format(mine.url), f"{server.url}cd.jigdo"), cwd=workdir
        )

        assert ended.status == 0, ended.stderr
        assert parts_asked(mine)
        first = mine.requests()[0].path
    assert_image(workdir, RELEASE)
    assert first not in asked(server)


def test_what_the_users_server_lacks_comes_from_the_others(
    server: WebServer, web: Path, tmp_path: Path, workdir: Path
) -> None:
    shutil.copytree(web, tmp_path / "mine")
    (tmp_path / "mine" / "tree" / "02.rpm").unlink()
    with serve(tmp_path / "mine") as mine:
        ended = fetch("--mirror", f"{mine.url}tree/", f"{server.url}cd.jigdo", cwd=workdir)

    assert ended.status == 0, ended.stderr
    assert "/tree/02.rpm" in parts_asked(server)
    assert_image(workdir, RELEASE)


def test_a_last_server_is_asked_only_for_what_no_other_has(
    server: WebServer, web: Path, tmp_path: Path, workdir: Path
) -> None:
    shutil.copytree(web, tmp_path / "usual")
    (tmp_path / "usual" / "tree" / "02.rpm").unlink()
    with serve(tmp_path / "usual") as usual:
        lines = f"A={server.url}tree/ --try-last", f"A={usual.url}tree/"
        (web / "cd.jigdo").write_bytes(RELEASE.jigdo(*lines))

        ended = fetch(f"{server.url}cd.jigdo", cwd=workdir)

        assert parts_asked(usual) == sorted(RELEASE.tree())
    assert ended.status == 0, ended.stderr
    assert parts_asked(server) == ["/tree/02.rpm"]
    assert_image(workdir, RELEASE)


def test_servers_of_a_label_make_up_for_one_another(
    server: WebServer, web: Path, tmp_path: Path, workdir: Path
) -> None:
    shutil.copytree(web, tmp_path / "other")
    for name in ("00.rpm", "02.rpm", "04.rpm"):
        (web / "tree" / name).unlink()
    for name in ("01.rpm", "03.rpm", "05.rpm"):
        (tmp_path / "other" / "tree" / name).unlink()
    with serve(tmp_path / "other") as other:
        lines = f"A={server.url}tree/", f"A={other.url}tree/"
        (web / "cd.jigdo").write_bytes(RELEASE.jigdo(*lines))

        ended = fetch(f"{server.url}cd.jigdo", cwd=workdir)

    assert ended.status == 0, ended.stderr
    assert_image(workdir, RELEASE)


def test_a_part_may_lie_in_other_places(server: WebServer, web: Path, workdir: Path) -> None:
    lost, digest = web / "tree" / "02.rpm", RELEASE.digest(RELEASE.parts["02.rpm"]).jigdo
    (web / "pool").mkdir()
    lost.rename(web / "pool" / "moved.rpm")
    more = f"{digest}=B:none.rpm\n{digest}=B:moved.rpm"
    lines = f"A={server.url}tree/", f"B={server.url}pool/"
    (web / "cd.jigdo").write_bytes(RELEASE.jigdo(*lines, more=more))

    ended = fetch(f"{server.url}cd.jigdo", cwd=workdir)

    assert ended.status == 0, ended.stderr
    assert_image(workdir, RELEASE)


@pytest.mark.parametrize(
    ("algorithm", "label"), [("md5", "MD5Sum"), ("sha256", "SHA256Sum")], ids=["md5", "sha256"]
)
def test_a_server_may_have_parts_under_their_digests(
    web: Path, workdir: Path, algorithm: str, label: str
) -> None:
    release = Release(RELEASE.parts, algorithm=algorithm)
    nameless = Release({}, algorithm=algorithm).jigdo(
        f"{label}={{url}}by-digest/", demanded=release.template
    )
    (web / "by-digest").mkdir()
    for content in release.parts.values():
        (web / "by-digest" / release.digest(content).jigdo).write_bytes(content)
    with serve(web) as server:
        (web / "cd.jigdo").write_bytes(nameless.replace(b"{url}", server.url.encode()))
        (web / "cd.template").write_bytes(release.template)

        ended = fetch(f"{server.url}cd.jigdo", cwd=workdir)

    assert ended.status == 0, ended.stderr
    assert_image(workdir, release)


def test_a_label_may_stand_for_a_folder_of_another(
    server: WebServer, web: Path, workdir: Path
) -> None:
    lines = "A=B:tree/", "B=C:", f"C={server.url}"
    (web / "cd.jigdo").write_bytes(RELEASE.jigdo(*lines))

    ended = fetch(f"{server.url}cd.jigdo", cwd=workdir)

    assert ended.status == 0, ended.stderr
    assert_image(workdir, RELEASE)


def test_offline_nobody_is_asked(server: WebServer, web: Path, workdir: Path) -> None:
    shutil.copytree(web / "tree", workdir / "tree")
    lost = workdir / "tree" / "02.rpm"
    content = lost.read_bytes()
    lost.unlink()

    incomplete = fetched("--offline", "--scan", "tree", web / "cd.jigdo", cwd=workdir)
    lost.write_bytes(content)
    complete = fetched("--offline", "--scan", "tree", web / "cd.jigdo", cwd=workdir)

    assert (incomplete["status"], complete["status"]) == (1, 0)
    assert [part["name"] for part in incomplete["missing"]] == ["02.rpm"]
    assert not server.requests()
    assert_image(workdir, RELEASE)


def test_a_url_offline_is_what_is_here_of_it(server: WebServer, workdir: Path) -> None:
    without = fetch("--offline", f"{server.url}cd.jigdo", cwd=workdir)

    assert without.status == 1
    assert "servers are not to be asked" in without.stderr
    assert not server.requests()


def test_what_is_at_hand_is_not_fetched(server: WebServer, web: Path, workdir: Path) -> None:
    (workdir / "mine").mkdir()
    for name in ("01.rpm", "04.rpm"):
        shutil.copy(web / "tree" / name, workdir / "mine")

    ended = fetch("--scan", "mine", f"{server.url}cd.jigdo", cwd=workdir)

    assert ended.status == 0, ended.stderr
    assert_image(workdir, RELEASE)
    assert parts_asked(server) == [f"/tree/0{at}.rpm" for at in (0, 2, 3, 5)]


def test_files_of_this_machine_are_read_only_where_the_user_says(web: Path, workdir: Path) -> None:
    """A .jigdo may name any file: only its digest would tell that it is none of its parts."""
    RELEASE.lay_out(web, f"A=file:{web}/tree/")

    told = fetched(web / "cd.jigdo", cwd=workdir)
    shown = fetch(web / "cd.jigdo", cwd=workdir)
    allowed = fetch("--scan", web / "tree", web / "cd.jigdo", cwd=workdir)

    assert told["status"] == shown.status == 1
    assert len(told["missing"]) == len(RELEASE.parts)
    assert f"not asked: file:{web}/tree/00.rpm" in shown.stderr
    assert "no server could be asked for them: name what has them with --scan" in shown.stderr
    assert allowed.status == 0, allowed.stderr
    assert_image(workdir, RELEASE)


@pytest.mark.parametrize("more", [(), ("--best", "1")], ids=["", "best"])
def test_a_right_image_is_done_and_nobody_is_asked(
    server: WebServer, web: Path, workdir: Path, more: tuple[str, ...]
) -> None:
    (workdir / "cd.iso").write_bytes(RELEASE.image)
    before = (workdir / "cd.iso").stat().st_mtime_ns

    told = fetched(*more, web / "cd.jigdo", cwd=workdir)
    shown = fetch(*more, web / "cd.jigdo", cwd=workdir)

    assert (told["status"], told["was_there"], told["complete"]) == (0, True, True)
    assert shown.status == 0
    assert "is already there, and right" in shown.stdout
    assert (workdir / "cd.iso").stat().st_mtime_ns == before
    assert not server.requests()


def test_the_second_run_by_url_asks_only_whether_there_is_a_newer_one(
    server: WebServer, workdir: Path
) -> None:
    fetch(f"{server.url}cd.jigdo", cwd=workdir)
    before = len(server.requests())

    ended = fetch(f"{server.url}cd.jigdo", cwd=workdir)

    assert ended.status == 0
    assert [request.path for request in server.requests()[before:]] == ["/cd.jigdo"]


def test_after_a_failure_only_what_is_missing_is_asked_for(
    server: WebServer, web: Path, workdir: Path
) -> None:
    lost = web / "tree" / "02.rpm"
    lost.rename(web / "lost")
    first = fetch("--json", f"{server.url}cd.jigdo", cwd=workdir)
    assert_no_image(workdir)
    (web / "lost").rename(lost)
    before = len(server.requests())

    second = fetch(f"{server.url}cd.jigdo", cwd=workdir)

    (told,) = first.document["images"]
    size = len(RELEASE.parts["02.rpm"])
    assert (first.status, second.status) == (1, 0)
    assert told["bytes_missing"] == size
    assert told["parts"] == {"found": 5, "wanted": 6}
    again = [request for request in server.requests()[before:] if "/tree/" in request.path]
    assert [(request.path, request.sent) for request in again] == [("/tree/02.rpm", size)]
    assert_image(workdir, RELEASE)


def test_what_is_missing_is_told_with_its_size_and_what_to_do(
    server: WebServer, web: Path, workdir: Path
) -> None:
    (web / "tree" / "02.rpm").unlink()

    ended = fetch(f"{server.url}cd.jigdo", cwd=workdir)

    assert ended.status == 1
    assert "missing: 02.rpm (20,002 bytes, md5:" in ended.stderr
    assert f"{server.url}tree/02.rpm: not found (404 Not Found)" in ended.stderr
    assert "1 part (20.0 kB) is missing; 5 of 6 are in cd.iso.tmp" in ended.stderr
    assert "run it again later" in ended.stderr


def test_progress_is_told_to_programs(server: WebServer, workdir: Path) -> None:
    ended = fetch("--progress=json", f"{server.url}cd.jigdo", cwd=workdir)

    events = [json.loads(line) for line in ended.stderr.splitlines()]
    assert ended.status == 0
    assert events[0] == {"event": "begin", "what": "fetch cd.iso", "total": len(RELEASE.image)}
    (end,) = [event for event in events if event["event"] == "end"]
    assert end["done"] == end["total"] == len(RELEASE.image)
    assert end["note"] == "6 of 6 parts"


def test_progress_goes_on_while_parts_come(workdir: Path) -> None:
    release = release_of(3, 60_000)
    with site(release, dict.fromkeys(release.tree(), Trouble(piece=6000, pause=0.2))) as server:
        ended = fetch("--progress=json", f"{server.url}/cd.jigdo", cwd=workdir)

    events = [json.loads(line) for line in ended.stderr.splitlines()]
    done = [event["done"] for event in events if event["event"] == "progress"]
    assert ended.status == 0
    assert len(done) >= 3
    assert done == sorted(done)
    assert all(event["rate"] > 0 for event in events if event["event"] == "progress")


def test_the_servers_are_shown_to_those_who_want_more(server: WebServer, workdir: Path) -> None:
    ended = fetch("-v", f"{server.url}cd.jigdo", cwd=workdir)

    assert ended.status == 0
    (line,) = [line for line in ended.stderr.splitlines() if server.url.rstrip("/") in line]
    assert "6 files" in line


def test_a_quiet_run_says_nothing_when_all_is_well(server: WebServer, workdir: Path) -> None:
    ended = fetch("-q", f"{server.url}cd.jigdo", cwd=workdir)

    assert (ended.status, ended.stdout, ended.stderr) == (0, "", "")


def test_bytes_come_no_faster_than_is_allowed(server: WebServer, workdir: Path) -> None:
    began = time.monotonic()

    ended = fetch("--limit-rate", "60k", f"{server.url}cd.jigdo", cwd=workdir)

    came = sum(request.sent for request in server.requests())
    assert ended.status == 0, ended.stderr
    assert time.monotonic() - began > came / (60 << 10) - 0.2  # the bucket is full at first


def test_a_proxy_of_the_environment_is_asked(workdir: Path) -> None:
    with BadServer(RELEASE.tree()) as proxy:
        proxy.content |= RELEASE.pair("A=http://mirror.example/tree/")
        env = {**os.environ, "http_proxy": proxy.url, "no_proxy": ""}

        ended = fetch("http://mirror.example/cd.jigdo", cwd=workdir, env=env)

        paths = {request.path for request in proxy.requests}
    assert ended.status == 0, ended.stderr
    assert_image(workdir, RELEASE)
    wanted = ["/cd.jigdo", "/cd.template", *RELEASE.tree()]
    assert paths == {f"http://mirror.example{path}" for path in wanted}


def test_the_users_password_is_found_and_told_to_nobody(web: Path, workdir: Path) -> None:
    netrc = workdir.parent / "home" / ".netrc"
    with serve(web, users={"me": "secret"}) as server:
        RELEASE.lay_out(web, f"A={server.url}tree/")

        refused = fetch(f"{server.url}cd.jigdo", cwd=workdir)
        netrc.write_text("machine 127.0.0.1 login me password secret\n")
        netrc.chmod(0o600)
        ended = fetch("-v", f"{server.url}cd.jigdo", cwd=workdir)

    assert refused.status == 1
    assert "forbidden (401" in refused.stderr
    assert ".netrc" in refused.stderr
    assert ended.status == 0, ended.stderr
    assert "secret" not in ended.stdout + ended.stderr
    assert_image(workdir, RELEASE)


def test_a_netrc_that_cannot_be_read_is_told(web: Path, workdir: Path) -> None:
    (workdir.parent / "home" / ".netrc").write_text("machine 127.0.0.1 secret\n")
    with serve(web, users={"me": "secret"}) as server:
        RELEASE.lay_out(web, f"A={server.url}tree/")

        ended = fetch(web / "cd.jigdo", cwd=workdir)

    assert ended.status == 1
    assert ".netrc is not used: line" in ended.stderr
    assert "secret" not in ended.stderr


def test_a_password_in_a_url_is_not_shown(web: Path, workdir: Path) -> None:
    with serve(web, users={"me": "secret"}) as server:
        url = server.url.replace("//", "//me:secret@")
        RELEASE.lay_out(web, f"A={url}tree/")
        (web / "tree" / "02.rpm").unlink()

        ended = fetch("-v", f"{url}cd.jigdo", cwd=workdir)
        told = fetch("--json", f"{url}cd.jigdo", cwd=workdir)

    assert ended.status == told.status == 1
    assert "02.rpm: not found" in ended.stderr
    assert "secret" not in ended.stdout + ended.stderr + told.stdout + told.stderr


PEAK = """
import resource, subprocess, sys
status = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(status)
"""


def test_memory_does_not_grow_with_the_image(web: Path, workdir: Path) -> None:
    release = Release({f"{at:02}.rpm": noise(5 << 20, at) for at in range(40)})
    with serve(web) as server:
        release.lay_out(web, f"A={server.url}tree/")
        # A process of its own between us and the program: its memory begins as large as ours.
        argv = [sys.executable, "-c", PEAK, *PROGRAM, "jigdo", "fetch", "-q", *BOUNDS]
        argv += ["--connections", "16", f"{server.url}cd.jigdo"]

        ended = subprocess.run(argv, cwd=workdir, capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) < 120 << 10
    assert_image(workdir, release)
