"""What an image still wants: parts neither in it nor at hand, and what their URLs answer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from bad_server import FOR_EVER, BadServer, Trouble
from fetching import Release, release_of
from program import release_builder

from release_builder import api
from release_builder.monitor import Monitor
from release_builder.plan import Options
from release_builder.report import Severity
from release_builder.transport.http import Answer, Try

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_builder.api import Wanting
    from release_builder.report import Finding

RELEASE = release_of(3)
NAMES = list(RELEASE.parts)
IMAGE = "smeserver-9.0-x86_64"
THERE = "it is there, and as long as the part; not read"


@pytest.fixture(autouse=True)
def place(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests run in an empty folder."""
    monkeypatch.chdir(workdir)


@pytest.fixture
def server() -> Iterator[BadServer]:
    with BadServer(RELEASE.tree()) as server:
        yield server


def lay_out(url: str, release: Release = RELEASE, name: str = IMAGE) -> Path:
    """A release of which the pair was synced, and no part: its descriptor."""
    folder = Path("work/tree/iso/x86_64")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.jigdo").write_bytes(release.jigdo("A=http://127.0.0.1:1/", name=name))
    (folder / f"{name}.template").write_bytes(release.template)
    descriptor = Path("sme.yaml")
    descriptor.write_text(
        "version: 9.0\narch: x86_64\nmirror: rsync://127.0.0.1:1/none/\nworkdir: work\n"
        f"servers: {{A: {{beta: '{url}', final: '{url}'}}}}\nfetch: {{retries: 0, timeout: 1}}\n"
    )
    return descriptor


def ask(
    *descriptors: Path, offline: bool = False, scan: tuple[Path, ...] = ()
) -> tuple[tuple[Wanting, ...], tuple[Finding, ...]]:
    plans = api.plans(list(descriptors), Options(offline=offline, scan=scan))
    return api.missing_parts(plans, Monitor())


def wanting(*descriptors: Path, offline: bool = False, scan: tuple[Path, ...] = ()) -> Wanting:
    found, failures = ask(*descriptors, offline=offline, scan=scan)
    assert failures == ()
    (only,) = found
    return only


def partial(content: bytes) -> Path:
    path = Path(f"work/image/{IMAGE}.iso.partial")
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


def test_each_part_is_told_with_what_its_url_answers(server: BadServer) -> None:
    del server.content[f"/tree/{NAMES[1]}"]
    server.content[f"/tree/{NAMES[2]}"] += b"!"

    found = wanting(lay_out(f"{server.url}/tree/"))

    urls = [f"{server.url}/tree/{name}" for name in NAMES]
    there, gone, longer = found.missing
    assert [each.name for each in found.missing] == NAMES
    assert [each.urls for each in found.missing] == [(url,) for url in urls]
    assert there.tries == (Try(urls[0], Answer.RIGHT, THERE),)
    assert gone.tries == (Try(urls[1], Answer.NOT_FOUND, "404 Not Found"),)
    assert [each.answer for each in longer.tries] == [Answer.WRONG_LENGTH]
    assert found.image == Path(f"work/image/{IMAGE}.iso").absolute()
    assert (found.parts, found.length) == (3, sum(map(len, RELEASE.parts.values())))


def test_nothing_is_fetched_and_nothing_is_written(server: BadServer) -> None:
    big = release_of(2, size=8 << 20)
    server.content = big.tree()
    descriptor = lay_out(f"{server.url}/tree/", big)
    before = sorted(Path().rglob("*"))

    found = wanting(descriptor)

    assert [each.tries[0].answer for each in found.missing] == [Answer.RIGHT] * 2
    assert all(request.sent < 8 << 20 for request in server.requests)
    assert sorted(Path().rglob("*")) == before


def test_offline_nobody_is_asked(server: BadServer) -> None:
    found = wanting(lay_out(f"{server.url}/tree/"), offline=True)

    assert server.requests == []
    assert [each.urls for each in found.missing] == [
        (f"{server.url}/tree/{name}",) for name in NAMES
    ]
    assert all(each.tries == () for each in found.missing)


def test_what_is_in_the_tree_is_not_missing(server: BadServer) -> None:
    descriptor = lay_out(f"{server.url}/tree/")
    packages = Path("work/tree/smeos/x86_64")
    packages.mkdir(parents=True)
    (packages / NAMES[1]).write_bytes(RELEASE.parts[NAMES[1]])

    found = wanting(descriptor)

    assert [each.name for each in found.missing] == [NAMES[0], NAMES[2]]
    assert len(server.requests) == 2


def test_what_is_in_a_folder_to_scan_is_not_missing(server: BadServer) -> None:
    Path("scanned").mkdir()
    Path("scanned/other name").write_bytes(RELEASE.parts[NAMES[0]])

    found = wanting(lay_out(f"{server.url}/tree/"), scan=(Path("scanned").absolute(),))

    assert [each.name for each in found.missing] == NAMES[1:]


def test_what_the_unfinished_image_has_is_not_missing(server: BadServer) -> None:
    whole = RELEASE.image
    second = whole.index(RELEASE.parts[NAMES[1]])
    third = whole.index(RELEASE.parts[NAMES[2]])
    descriptor = lay_out(f"{server.url}/tree/")
    unfinished = partial(whole[: third + 5000])
    damaged = bytearray(unfinished.read_bytes())

    first = wanting(descriptor)
    damaged[second + 5000] ^= 1
    unfinished.write_bytes(damaged)
    then = wanting(descriptor)

    assert [each.name for each in first.missing] == [NAMES[2]]
    assert [each.name for each in then.missing] == NAMES[1:]


def test_a_part_that_is_wanted_twice_is_missing_once(server: BadServer) -> None:
    twice = Release(RELEASE.parts, again=(NAMES[0],))

    found = wanting(lay_out(f"{server.url}/tree/", twice))

    assert [each.name for each in found.missing] == NAMES
    assert found.parts == 3


def test_of_a_right_image_nothing_is_missing_and_nobody_is_asked(server: BadServer) -> None:
    descriptor = lay_out(f"{server.url}/tree/")
    image = Path(f"work/image/{IMAGE}.iso")
    image.parent.mkdir()
    image.write_bytes(RELEASE.image)

    right = wanting(descriptor)
    image.write_bytes(RELEASE.image[:-1] + b"!")
    wrong = wanting(descriptor, offline=True)

    assert (right.missing, right.length) == ((), 0)
    assert len(wrong.missing) == 3
    assert server.requests == []


def test_what_never_was_a_file_is_no_unfinished_image() -> None:
    descriptor = lay_out("http://127.0.0.1:1/")
    Path(f"work/image/{IMAGE}.iso.partial").mkdir(parents=True)

    assert len(wanting(descriptor, offline=True).missing) == 3


def test_a_server_that_is_silent_is_not_waited_for_part_by_part() -> None:
    many = release_of(60, size=1100)
    with BadServer(everywhere=Trouble(delay=FOR_EVER)) as server:
        found = wanting(lay_out(f"{server.url}/tree/", many))

        asked = len(server.requests)

    assert {each.tries[0].answer for each in found.missing} == {Answer.TIMEOUT}
    assert len(found.missing) == 60
    assert all(each.tries[0].url == each.urls[0] for each in found.missing)
    assert asked <= 3 * 8  # eight at a time, until three have failed in a row


def test_a_server_that_answers_is_asked_for_every_part() -> None:
    many = release_of(30, size=1100)
    with BadServer() as server:
        found = wanting(lay_out(f"{server.url}/tree/", many))

    assert {each.tries[0].answer for each in found.missing} == {Answer.NOT_FOUND}
    assert len(server.requests) == 30


def test_people_read_what_was_asked_and_what_was_not(server: BadServer) -> None:
    named = RELEASE.digest(RELEASE.parts[NAMES[0]]).jigdo
    descriptor = lay_out(f"{server.url}/tree/")
    jigdo = Path(f"work/tree/iso/x86_64/{IMAGE}.jigdo")
    more = [f"{named}={place}" for place in ("ftp://127.0.0.1/a.rpm", "'http://a b/'")]
    jigdo.write_bytes(RELEASE.jigdo("A=x:/", name=IMAGE, more="\n".join(more)))

    ended = release_builder("missing", descriptor, cwd=Path.cwd())

    url = f"{server.url}/tree/{NAMES[0]}"
    digest = RELEASE.digest(RELEASE.parts[NAMES[0]])
    assert (ended.status, ended.stderr) == (1, "")
    assert [line.strip() for line in ended.stdout.splitlines()[:4]] == [
        f"20,000  {NAMES[0]}  {digest}",
        f"{url}: right ({THERE})",
        "not asked: ftp://127.0.0.1/a.rpm",
        "not asked: http://a b/: 'a b' is no host that can be asked",
    ]
    assert f"{IMAGE}.iso: 3 of 3 parts are missing (60.0 kB)" in ended.stdout


def test_a_release_without_its_pair_does_not_hinder_others(server: BadServer) -> None:
    good = lay_out(f"{server.url}/tree/")
    bad = Path("other.yaml")
    bad.write_text(good.read_text().replace("workdir: work", "workdir: empty"))

    found, (failure,) = ask(bad, good)

    assert [len(each.missing) for each in found] == [3]
    assert failure.severity is Severity.INCOMPLETE
    assert f"no {IMAGE}.jigdo" in failure.message
