"""Releases from web servers: a mirror of the web, parts that the rsync mirror lacks, what is missing."""

from __future__ import annotations

import filecmp
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from bad_server import FOR_EVER, BadServer, Trouble
from builders import next_release, noise
from fetching import holds, wait_until
from program import PROGRAM, release_builder
from web_server import Tls, serve

from release_builder.demo.release import lay_out
from release_builder.monitor import Monitor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from builders import Mirror
    from web_server import WebServer

    from release_builder.demo.release import Release

pytestmark = pytest.mark.interop


@contextmanager
def published(release: Release, workdir: Path) -> Iterator[tuple[WebServer, Path]]:
    """The release's mirror on the web, and a descriptor of it."""
    with serve(release.mirror) as server:
        yield server, describe(release, workdir, server.url)


def describe(release: Release, workdir: Path, url: str, more: str = "") -> Path:
    descriptor = workdir / "sme.yaml"
    recipe = release.recipe
    how = more if "fetch:" in more else f"fetch: {{retries: 0}}\n{more}"
    descriptor.write_text(
        f"version: {recipe.version}\narch: {recipe.arch}\nmirror: {url}{release.path}\n"
        f"workdir: work\n{how}"
    )
    return descriptor


@contextmanager
def badly_published(
    release: Release, workdir: Path, more: str = ""
) -> Iterator[tuple[BadServer, Path]]:
    """As published, by a server whose troubles the test chooses."""
    root = release.mirror
    content = {
        f"/{path.relative_to(root)}": path.read_bytes()
        for path in (root / release.path).rglob("*")
        if path.is_file()
    }
    with BadServer(content) as server:
        yield server, describe(release, workdir, f"{server.url}/", more)


def image_of(release: Release, workdir: Path) -> Path:
    return workdir / "work" / "image" / release.image.name


def some_part(release: Release) -> Path:
    return max((release.mirror / release.path / "smeos").rglob("*.rpm"))


def test_of_a_web_mirror_only_the_pair_and_the_parts_are_fetched(
    mirror: Mirror, workdir: Path
) -> None:
    release = mirror.release
    with published(release, workdir) as (server, descriptor):
        first = release_builder("build", "--json", descriptor, cwd=workdir)
        asked = [request.path for request in server.requests() if request.status == 200]
        second = release_builder("build", "--json", descriptor, cwd=workdir)

    assert first.status == 0, first.stderr
    assert first.outcomes() == {
        "fetch": "done",
        "rewrite": "done",
        "assemble": "done",
        "verify": "done",
    }
    assert filecmp.cmp(image_of(release, workdir), release.image, shallow=False)
    assert first.counts("assemble")["bytes_fetched"] > 0
    rpms = [path for path in asked if path.endswith(".rpm")]
    assert len(rpms) == len(set(rpms)) > 0
    assert not list((workdir / "work" / "tree").rglob("*.rpm"))
    assert second.status == 0
    assert set(second.outcomes().values()) == {"unchanged"}


def test_the_next_beta_takes_from_the_last_ones_image_what_did_not_change(
    mirror: Mirror, workdir: Path
) -> None:
    first, following = mirror.release, next_release(mirror.release)
    with serve(first.mirror) as server:
        release_builder("build", describe(first, workdir, server.url), cwd=workdir)
        before = len(server.requests())

        built = release_builder(
            "build", "--json", describe(following, workdir, server.url), cwd=workdir
        )
        asked = server.requests()[before:]

    old = {path.name: path for path in (first.mirror / first.path).rglob("*.rpm")}
    changed = {
        path.name
        for path in (following.mirror / following.path).rglob("*.rpm")
        if path.name not in old or not filecmp.cmp(path, old[path.name], shallow=False)
    }
    assert built.status == 0, built.stderr
    assert filecmp.cmp(image_of(following, workdir), following.image, shallow=False)
    # The new package begins like an old one: of it only the end is new, and in the template.
    fetched = {each.path.rpartition("/")[2] for each in asked if each.path.endswith(".rpm")}
    assert fetched
    assert fetched <= changed


def test_a_web_mirror_that_is_half_updated_is_waited_for_once_there_is_an_image(
    mirror: Mirror, workdir: Path
) -> None:
    release = mirror.release
    with badly_published(release, workdir) as (server, descriptor):
        assert release_builder("build", descriptor, cwd=workdir).status == 0
        before = image_of(release, workdir).read_bytes()
        (release.tree / "images/install.img").write_bytes(noise(50_000, "the next"))
        lay_out(release, Monitor())
        names = ("md5sum.txt", release.template.name, release.jigdo.name)
        changed = [release.tree / "images/install.img", *(release.pair / name for name in names)]
        new = {f"/{path.relative_to(release.mirror)}": path.read_bytes() for path in changed}
        jigdo = list(new)[-1]
        server.content[jigdo] = new[jigdo]

        half = release_builder("build", descriptor, cwd=workdir)
        shutil.rmtree(workdir / "work" / "pair")
        first = release_builder("build", descriptor, cwd=workdir)
        kept = image_of(release, workdir).read_bytes()
        server.content |= new
        whole = release_builder("build", descriptor, cwd=workdir)

    assert half.status == 1, half.stderr
    assert "half-way through an update" in half.stderr
    assert first.status == 2, first.stderr
    assert kept == before
    assert whole.status == 0, whole.stderr
    assert filecmp.cmp(image_of(release, workdir), release.image, shallow=False)


def test_a_plan_for_a_web_mirror_touches_nothing(mirror: Mirror, workdir: Path) -> None:
    with published(mirror.release, workdir) as (_, descriptor):
        shown = release_builder("plan", descriptor, cwd=workdir)
        planned = release_builder("plan", "--json", descriptor, cwd=workdir)

    assert shown.status == planned.status == 0, shown.stderr
    assert "fetch the pair, and " in shown.stdout
    step = planned.document["plans"][0]["steps"][0]
    assert step["step"] == "fetch"
    assert step["parts_to_fetch"]["count"] > 0
    assert not (workdir / "work").exists()


def test_offline_no_web_server_is_asked(mirror: Mirror, workdir: Path) -> None:
    release = mirror.release
    with published(release, workdir) as (server, descriptor):
        release_builder("build", descriptor, cwd=workdir)
        image_of(release, workdir).unlink()
        before = len(server.requests())

        built = release_builder("build", "--offline", "--json", descriptor, cwd=workdir)
        after = len(server.requests())

    assert built.status == 1
    assert built.outcomes()["fetch"] == "skipped"
    assert "missing: " in built.messages()
    assert after == before


def test_what_the_rsync_mirror_lacks_comes_from_servers(mirror: Mirror, workdir: Path) -> None:
    release = mirror.release
    web = workdir / "web"
    shutil.copytree(release.mirror / release.path / "smeos", web / "smeos")
    lost = some_part(release)
    lost.unlink()
    with serve(web) as server:
        servers = f"{{beta: {server.url}smeos/x86_64/, final: {server.url}none/}}"
        more = f"servers: {{SMEmirror: {servers}}}\n"
        descriptor = describe(release, workdir, mirror.url, more)

        refused = release_builder("build", "--offline", "--json", descriptor, cwd=workdir)
        built = release_builder("build", "--json", descriptor, cwd=workdir)
        asked = server.requests()

    assert refused.status != 0
    assert built.status == 0, built.messages()
    assert filecmp.cmp(image_of(release, workdir), release.image, shallow=False)
    assert [request.path.rpartition("/")[2] for request in asked] == [lost.name]


def test_what_nobody_has_is_listed_with_every_answer(mirror: Mirror, workdir: Path) -> None:
    release = mirror.release
    lost = some_part(release)
    size = lost.stat().st_size
    lost.unlink()
    with published(release, workdir) as (server, descriptor):
        built = release_builder("build", "--json", descriptor, cwd=workdir)
        listed = release_builder("missing", "--json", descriptor, cwd=workdir)
        shown = release_builder("missing", descriptor, cwd=workdir)
        before = len(server.requests())
        offline = release_builder("missing", "--offline", descriptor, cwd=workdir)
        after = len(server.requests())

    url = f"{server.url}{release.path}{lost.relative_to(release.mirror / release.path)}"
    assert built.status == listed.status == shown.status == offline.status == 1
    assert f"{url}: not found (404 Not Found)" in built.messages()
    (wanting,) = listed.document["releases"]
    (missing,) = wanting["missing"]
    assert wanting["bytes_missing"] == missing["length"] == size
    assert missing["name"].endswith(lost.name)
    assert missing["tries"] == [{"url": url, "answer": "not_found", "detail": "404 Not Found"}]
    assert f"{url}: not found (404 Not Found)" in shown.stdout
    assert f"1 of {wanting['parts']} parts are missing" in shown.stdout
    assert url in offline.stdout
    assert after == before


def test_when_all_is_there_nothing_is_missing(mirror: Mirror, workdir: Path) -> None:
    with published(mirror.release, workdir) as (_, descriptor):
        release_builder("build", descriptor, cwd=workdir)

        listed = release_builder("missing", descriptor, cwd=workdir)

    assert listed.status == 0
    assert "no part is missing" in listed.stdout


def test_a_web_mirror_without_the_release_says_what_was_asked(
    mirror: Mirror, workdir: Path
) -> None:
    with serve(mirror.release.mirror) as server:
        descriptor = describe(mirror.release, workdir, server.url + "elsewhere/")

        built = release_builder("build", "--json", descriptor, cwd=workdir)

    assert built.status == 1
    assert "smeserver-9.0beta3-x86_64.jigdo: not found (404 Not Found)" in built.messages()
    assert not list((workdir / "work").rglob("*.jigdo"))


def test_parts_are_verified_wherever_they_come_from(mirror: Mirror, workdir: Path) -> None:
    release = mirror.release
    spoilt = some_part(release)
    content = bytearray(spoilt.read_bytes())
    content[-1] ^= 1
    spoilt.write_bytes(content)
    with published(release, workdir) as (_, descriptor):
        built = release_builder("build", "--json", descriptor, cwd=workdir)

    assert built.status == 2
    assert "wrong bytes" in built.messages()
    assert not image_of(release, workdir).exists()


def path_of(file: Path, release: Release) -> str:
    """Where a server of the release's mirror has ``file``."""
    return f"/{file.relative_to(release.mirror)}"


def test_a_mirror_that_fails_twice_for_each_file_is_a_mirror(mirror: Mirror, workdir: Path) -> None:
    release = mirror.release
    with badly_published(release, workdir, "fetch: {retries: 3, timeout: 2}\n") as (
        server,
        descriptor,
    ):
        twice = (Trouble(status=500), Trouble(cut_after=100))
        others = (path for path in server.content if not path.endswith(".jigdo"))
        server.troubles |= dict.fromkeys(others, twice)

        built = release_builder("build", "--json", descriptor, cwd=workdir)

    assert built.status == 0, built.messages()
    assert filecmp.cmp(image_of(release, workdir), release.image, shallow=False)


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        pytest.param(Trouble(delay=FOR_EVER), "out of time", id="silent"),
        pytest.param(Trouble(piece=10, pause=0.2), "out of time", id="trickles"),
        pytest.param(Trouble(redirect="file:///etc/passwd"), "no http URL", id="leads to a file"),
        pytest.param(Trouble(status=403), "forbidden (403", id="403"),
    ],
)
def test_a_build_ends_whatever_a_server_does(
    mirror: Mirror, workdir: Path, trouble: Trouble, words: str
) -> None:
    release = mirror.release
    part = some_part(release)
    with badly_published(release, workdir, "fetch: {deadline: 2}\n") as (server, descriptor):
        server.troubles[path_of(part, release)] = trouble
        began = time.monotonic()

        built = release_builder("build", "--json", descriptor, cwd=workdir)

        took = time.monotonic() - began
    assert built.status == 1
    assert f"{server.url}{path_of(part, release)}: {words}" in built.messages()
    assert took < 8
    assert not image_of(release, workdir).exists()


def test_a_build_that_was_stopped_fetches_nothing_twice(mirror: Mirror, workdir: Path) -> None:
    release = mirror.release
    part = path_of(some_part(release), release)
    with badly_published(release, workdir) as (server, descriptor):
        server.troubles[part] = Trouble(delay=FOR_EVER)
        wanted = [path for path in server.content if path.endswith(".rpm")]
        others = [server.content[path] for path in wanted if path != part]
        image = image_of(release, workdir)
        unfinished = image.with_name(f"{image.name}.partial")
        argv = ["env", "--default-signal=INT", *PROGRAM, "build", str(descriptor)]
        with subprocess.Popen(argv, cwd=workdir, stderr=subprocess.PIPE, text=True) as running:
            wait_until(lambda: holds(unfinished, others), running)
            running.send_signal(signal.SIGINT)
            running.communicate()
        server.troubles.clear()
        before = len(server.requests)

        built = release_builder("build", "--json", descriptor, cwd=workdir)

        again = [r.path for r in server.requests[before:] if r.path in wanted]
    assert running.returncode == 130
    assert built.status == 0, built.messages()
    assert again == [part]
    assert filecmp.cmp(image_of(release, workdir), release.image, shallow=False)


def test_when_the_lost_part_is_there_again_it_alone_is_fetched(
    mirror: Mirror, workdir: Path
) -> None:
    release = mirror.release
    lost = some_part(release)
    with published(release, workdir) as (server, descriptor):
        lost.rename(workdir / "lost")
        first = release_builder("build", "--json", descriptor, cwd=workdir)
        shutil.copy(workdir / "lost", lost)
        before = len(server.requests())

        second = release_builder("build", "--json", descriptor, cwd=workdir)

        again = [r.path for r in server.requests()[before:] if r.path.endswith(".rpm")]
    assert (first.status, second.status) == (1, 0), second.messages()
    assert again == [path_of(lost, release)]
    assert second.counts("assemble")["bytes_fetched"] == lost.stat().st_size


def test_a_mirror_over_https_is_believed_with_its_certificate(
    mirror: Mirror, workdir: Path
) -> None:
    release = mirror.release
    tls = Tls(workdir / "own.pem", workdir / "own.key")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-keyout", tls.key, "-out", tls.certificate, "-subj", "/CN=own"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    with serve(release.mirror, tls=tls) as server:
        strange = describe(release, workdir, server.url)
        refused = release_builder("build", "--json", strange, cwd=workdir)
        known = describe(release, workdir, server.url, "fetch: {ca_bundle: own.pem}\n")
        built = release_builder("build", "--json", known, cwd=workdir)

    assert refused.status == 1
    assert "not to be trusted (self-signed certificate: --ca-bundle FILE," in refused.messages()
    assert built.status == 0, built.messages()
    assert filecmp.cmp(image_of(release, workdir), release.image, shallow=False)


def test_what_a_silent_server_has_is_missing(mirror: Mirror, workdir: Path) -> None:
    release = mirror.release
    part = some_part(release)
    path = path_of(part, release)
    how = "fetch: {retries: 0, timeout: 1, deadline: 20}\n"
    with badly_published(release, workdir, how) as (server, descriptor):
        server.troubles[path] = Trouble(delay=FOR_EVER)
        release_builder("build", descriptor, cwd=workdir)

        listed = release_builder("missing", "--json", descriptor, cwd=workdir)

    (missing,) = listed.document["releases"][0]["missing"]
    assert listed.status == 1
    assert missing["tries"] == [{"url": f"{server.url}{path}", "answer": "timeout", "detail": ""}]
    assert listed.document["releases"][0]["bytes_missing"] == part.stat().st_size


def test_a_sums_file_that_cannot_be_had_is_told_and_not_believed(
    mirror: Mirror, workdir: Path
) -> None:
    release = mirror.release
    with published(release, workdir) as (_, descriptor):
        release_builder("build", descriptor, cwd=workdir)
    sums = f"{release.path}iso/x86_64/md5sum.txt"
    with serve(release.mirror, more=f"location = /{sums} {{ return 503; }}") as server:
        descriptor = describe(release, workdir, server.url)

        built = release_builder("build", "--json", descriptor, cwd=workdir)

    assert built.status == 0
    assert f"{server.url}{sums}: busy" in built.messages()
    assert not (workdir / "work" / "tree" / "iso" / "x86_64" / "md5sum.txt").exists()


def test_a_sums_file_that_contradicts_the_template_stops_the_build(
    mirror: Mirror, workdir: Path
) -> None:
    release = mirror.release
    sums = release.mirror / release.path / "iso" / "x86_64" / "md5sum.txt"
    sums.write_text(f"{'0' * 32}  {release.image.name}\n")
    with published(release, workdir) as (_, descriptor):
        built = release_builder("build", "--json", descriptor, cwd=workdir)

    assert built.status == 2
    assert not image_of(release, workdir).exists()


def test_before_the_first_fetch_the_advice_is_to_fetch(mirror: Mirror, workdir: Path) -> None:
    with published(mirror.release, workdir) as (_, descriptor):
        listed = release_builder("missing", descriptor, cwd=workdir)

    assert listed.status == 1
    assert "nothing of smeserver 9.0beta3 was fetched yet" in listed.stderr
    assert "release-builder build" in listed.stderr


def test_after_a_build_a_plan_fetches_nothing(mirror: Mirror, workdir: Path) -> None:
    with published(mirror.release, workdir) as (_, descriptor):
        release_builder("build", descriptor, cwd=workdir)

        planned = release_builder("plan", "--json", descriptor, cwd=workdir)

    assert planned.document["plans"][0]["steps"][0]["parts_to_fetch"] == {"count": 0, "bytes": 0}
