"""The servers of a .jigdo as one source of parts, and what is said of those that did not come."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import pytest
from builders import noise
from memory_client import MemoryClient, Reply
from offers import matched, md5

from release_builder.jigdo.far_parts import Place
from release_builder.jigdo.location import ImageSection, JigdoFile, Server
from release_builder.steps.part_servers import MissingPart, PartServers
from release_builder.transport.http import Answer, HttpOptions, Try
from release_builder.transport.http.fetcher import ServerFetcher
from release_builder.transport.http.server import ServerStatistics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

ONE, TWO = noise(3000, "one"), noise(5000, "two")
FILES = {"/one": ONE, "/two": TWO}
OPTIONS = HttpOptions(retries=0)


def jigdo(servers: Sequence[str], parts: Mapping[bytes, Sequence[str]] | None = None) -> JigdoFile:
    """Each server is a line of [Servers]: ``LABEL=URL``, and options."""
    lines = []
    for number, line in enumerate(servers, 1):
        label, _, rest = line.partition("=")
        url, *options = rest.split()
        lines.append(Server(label, url, tuple(options), number))
    named = {md5(content): tuple(each) for content, each in (parts or {}).items()}
    return JigdoFile("1.2", "", ImageSection("a.iso", "a.template", ()), tuple(lines), named)


def part_servers(
    client: MemoryClient | None,
    described: JigdoFile,
    first: Mapping[str, Sequence[str]] | None = None,
) -> PartServers:
    make_fetcher = partial(ServerFetcher, client, OPTIONS) if client else None
    return PartServers(described, first or {}, None, make_fetcher)


def fetch(servers: PartServers, content: bytes, folder: Path) -> bool:
    """Whether the part came; if so, it is in its place."""
    with (folder / "image").open("w+b", buffering=0) as out:
        came = servers.fetch(matched(content), Place(out, 100, matched(content), lambda _: None))
        assert not came or (folder / "image").read_bytes() == bytes(100) + content
    return came


def test_a_part_comes_from_the_server_of_its_label(workdir: Path) -> None:
    client = MemoryClient(FILES)
    servers = part_servers(client, jigdo(["A=http://a/", "B=http://b/x/"], {ONE: ["B:one"]}))

    assert fetch(servers, ONE, workdir)
    assert client.asked == ["http://b/x/one"]


def test_the_servers_given_are_asked_before_those_of_the_jigdo(workdir: Path) -> None:
    client = MemoryClient(FILES, {"http://mine/": Reply(error=Answer.NOT_FOUND)})
    described = jigdo(["A=http://a/"], {ONE: ["A:one"]})

    servers = part_servers(client, described, {"A": ["http://mine/"]})

    assert fetch(servers, ONE, workdir)
    assert client.asked == ["http://mine/one", "http://a/one"]


def test_the_servers_to_be_tried_last_are(workdir: Path) -> None:
    client = MemoryClient(FILES, {"http://b/": Reply(error=Answer.NOT_FOUND)})
    described = jigdo(["A=http://a/ --try-last", "A=http://b/"], {ONE: ["A:one"]})

    assert fetch(part_servers(client, described), ONE, workdir)
    assert client.asked == ["http://b/one", "http://a/one"]


def test_what_did_not_come_is_missing_with_every_answer(workdir: Path) -> None:
    client = MemoryClient(
        FILES,
        {
            "http://a/": Reply(error=Answer.NOT_FOUND, detail="404 Not Found"),
            "http://b/": Reply(content=ONE[:-1] + b"!"),
        },
    )
    described = jigdo(["A=http://a/", "A=http://b/"], {ONE: ["A:x/one", "ftp://f/one"]})
    servers = part_servers(client, described)

    came = fetch(servers, ONE, workdir)
    missing = servers.missing(matched(ONE))

    assert not came
    assert missing == MissingPart(
        matched(ONE),
        "x/one",
        urls=("http://a/x/one", "http://b/x/one"),
        tries=(
            Try("http://a/x/one", Answer.NOT_FOUND, "404 Not Found"),
            Try("http://b/x/one", Answer.WRONG_BYTES),
        ),
        unasked=("ftp://f/one",),
    )
    assert missing.is_wrong


def test_a_part_that_the_jigdo_does_not_name_is_called_by_its_digest(workdir: Path) -> None:
    servers = part_servers(MemoryClient({}), jigdo(["A=http://a/"]))

    came = fetch(servers, ONE, workdir)

    assert not came
    assert servers.missing(matched(ONE)) == MissingPart(matched(ONE), str(md5(ONE)))


def test_what_nobody_asked_for_has_its_urls_all_the_same() -> None:
    servers = part_servers(None, jigdo(["A=http://a/"], {ONE: ["A:one"]}))

    assert servers.missing(matched(ONE)) == MissingPart(matched(ONE), "one", urls=("http://a/one",))


@pytest.mark.parametrize(
    ("location", "name"),
    [
        pytest.param("A:Packages/a.rpm", "Packages/a.rpm", id="path"),
        pytest.param("A:/a.rpm", "a.rpm", id="absolute path"),
        pytest.param("A:a:b", "a:b", id="a second colon"),
        pytest.param("http://a/x/a.rpm", "x/a.rpm", id="URL"),
    ],
)
def test_a_missing_part_is_called_by_its_path(location: str, name: str) -> None:
    missing = part_servers(None, jigdo([], {ONE: [location]})).missing(matched(ONE))

    assert missing.name == name


def test_no_password_is_ever_told(workdir: Path) -> None:
    client = MemoryClient(FILES, {"http://": Reply(error=Answer.FORBIDDEN, detail="401")})
    described = jigdo(
        ["A=http://me:secret@a/", "B=ftp://me:secret@f/", "C=http://me:secret@c/"],
        {ONE: ["A:one", "B:one", "C:../one", "http://me:secret@d/one"]},
    )
    servers = part_servers(client, described)

    fetch(servers, ONE, workdir)
    missing = servers.missing(matched(ONE))

    assert missing.urls == ("http://a/one", "http://d/one")
    assert len(missing.tries) == 2
    assert len(missing.unasked) == 2
    assert "secret" not in repr(missing)
    assert "secret" not in "".join(map(str, (*servers.statistics, *servers.dropped)))


def test_what_was_not_asked_is_an_url_or_says_why() -> None:
    described = jigdo(["A=http://a/"], {ONE: ["A:../one", "Unknown:caf\udce9"]})

    missing = part_servers(None, described).missing(matched(ONE))

    assert missing.unasked == (
        "[Servers] has no label Unknown (for caf\\xe9): name a server with --uri Unknown=URL",
        "A:../one: leads out of its server's folder",
    )


@pytest.mark.parametrize(
    ("answers", "is_wrong"),
    [
        pytest.param([], False, id="nobody was asked"),
        pytest.param([Answer.WRONG_BYTES], True, id="wrong bytes"),
        pytest.param([Answer.WRONG_LENGTH], True, id="wrong length"),
        pytest.param([Answer.NOT_FOUND], False, id="nobody has it"),
        pytest.param([Answer.WRONG_BYTES, Answer.NOT_FOUND], True, id="others do not have it"),
        pytest.param([Answer.WRONG_BYTES, Answer.TIMEOUT], False, id="another may have it"),
        pytest.param([Answer.WRONG_LENGTH, Answer.BUSY], False, id="another has no time"),
        pytest.param([Answer.BAD_URL, Answer.REFUSED], False, id="nothing was to be had"),
    ],
)
def test_a_part_is_wrong_if_it_will_never_come_right(answers: list[Answer], is_wrong: bool) -> None:
    tries = tuple(Try(f"http://{number}/", answer) for number, answer in enumerate(answers))

    assert MissingPart(matched(ONE), "one", tries=tries).is_wrong is is_wrong


@pytest.mark.parametrize(
    ("servers", "first", "connections", "expected"),
    [
        pytest.param([], {}, None, 8, id="no server"),
        pytest.param(["A=http://a/"], {}, None, 8, id="one server"),
        pytest.param(["A=http://a/"], {"A": ["http://b/", "http://c/"]}, None, 24, id="more"),
        pytest.param([f"A=http://{each}/" for each in range(9)], {}, None, 32, id="the most"),
        pytest.param(["A=http://a/"], {}, 200, 200, id="as many as are asked for"),
        pytest.param(["A=http://a/"], {}, 1, 1, id="as few as are asked for"),
    ],
)
def test_so_many_parts_are_fetched_at_a_time(
    servers: list[str], first: dict[str, list[str]], connections: int | None, expected: int
) -> None:
    made = PartServers(jigdo(servers), first, connections, None)

    assert made.connections == expected


def test_who_asks_is_made_once_and_not_before_a_part_is_wanted(workdir: Path) -> None:
    made: list[ServerFetcher] = []
    both = threading.Barrier(2, timeout=60)

    def make() -> ServerFetcher:
        made.append(ServerFetcher(MemoryClient(FILES), OPTIONS))
        return made[-1]

    servers = PartServers(jigdo(["A=http://a/"], {ONE: ["A:one"]}), {}, None, make)
    servers.missing(matched(ONE))
    before = (len(made), servers.statistics, servers.dropped)

    def come(folder: Path) -> bool:
        folder.mkdir()
        both.wait()
        return fetch(servers, ONE, folder)

    with ThreadPoolExecutor(2) as threads:
        came = list(threads.map(come, [workdir / "a", workdir / "b"]))

    assert before == (0, (), ())
    assert came == [True, True]
    assert len(made) == 1
    assert [(each.server, each.files) for each in servers.statistics] == [("http://a", 2)]


def test_offline_nothing_comes_and_nothing_is_told(workdir: Path) -> None:
    servers = part_servers(None, jigdo(["A=http://a/"], {ONE: ["A:one"]}))

    came = fetch(servers, ONE, workdir)
    servers.stop()

    assert not came
    assert (servers.statistics, servers.dropped) == ((), ())
    assert servers.missing(matched(ONE)).tries == ()


def test_a_server_that_lies_is_named(workdir: Path) -> None:
    client = MemoryClient({}, {"http://liar/": Reply(content=b"x" * len(ONE))})
    parts = {noise(len(ONE), number): [f"A:{number}"] for number in range(3)}
    servers = part_servers(client, jigdo(["A=http://liar/"], parts))

    came = [fetch(servers, part, workdir) for part in parts]

    assert came == [False] * 3
    (dropped,) = servers.dropped
    assert dropped.startswith("http://liar ")
    assert "wrong bytes" in dropped


def test_who_was_stopped_fetches_no_more(workdir: Path) -> None:
    client = MemoryClient(FILES)
    servers = part_servers(client, jigdo(["A=http://a/"], {ONE: ["A:one"], TWO: ["A:two"]}))
    fetch(servers, ONE, workdir)

    servers.stop()

    assert not fetch(servers, TWO, workdir)
    assert client.asked == ["http://a/one"]


@pytest.mark.parametrize(
    ("statistics", "line"),
    [
        pytest.param(
            ServerStatistics("http://h", 3000, 2248, 1_000_000_000, 3, 0, 0.0451, 12e6),
            "http://h: 2,248 files, 1.0 GB, 3 errors, 45 ms, 12.0 MB/s a connection",
            id="busy",
        ),
        pytest.param(
            ServerStatistics("https://h:8443", 2, 1, 500, 1, 0, 1.5, 999.6),
            "https://h:8443: 1 file, 500 bytes, 1 error, 1500 ms, 1.0 kB/s a connection",
            id="one of each",
        ),
        pytest.param(
            ServerStatistics("http://h", 3, 0, 0, 3, 0, None, None),
            "http://h: 0 files, 0 bytes, 3 errors",
            id="never answered",
        ),
    ],
)
def test_what_a_server_did_is_a_line_for_people(statistics: ServerStatistics, line: str) -> None:
    assert str(statistics) == line
