"""What the Python interface tells of images that it fetched."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from bad_server import BadServer, Trouble
from fetching import assert_image, assert_no_image, release_of, site

from release_builder import api
from release_builder.api import FetchedImage, FetchOptions, HttpOptions
from release_builder.digests import Digest
from release_builder.errors import DescriptorError, IncompleteError, Status, WrongBytesError
from release_builder.jigdo.entries import MatchedFile
from release_builder.monitor import Monitor
from release_builder.steps.part_servers import MissingPart
from release_builder.transport.http import Answer, Try

if TYPE_CHECKING:
    from collections.abc import Iterator

RELEASE = release_of(4)
FIRST = next(iter(RELEASE.parts))
OPTIONS = FetchOptions(http=HttpOptions(retries=0, timeout=30))
OUT = Path("out")


@pytest.fixture(autouse=True)
def place(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests run in an empty folder."""
    monkeypatch.chdir(workdir)


@pytest.fixture
def server() -> Iterator[BadServer]:
    with site(RELEASE) as server:
        yield server


def fetch(server: BadServer, **options: Any) -> FetchedImage:  # noqa: ANN401 (what FetchOptions takes)
    return api.fetch_image(f"{server.url}/cd.jigdo", OUT, replace(OPTIONS, **options))


def parts_asked(server: BadServer) -> list[str]:
    return [request.path for request in server.requests if request.path.startswith("/tree/")]


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_an_image_is_fetched_and_told(server: BadServer) -> None:
    fetched = fetch(server)

    assert_image(OUT, RELEASE)
    assert fetched == FetchedImage(
        image=OUT / "cd.iso",
        complete=True,
        was_there=False,
        digest=RELEASE.digest(RELEASE.image),
        length=len(RELEASE.image),
        found=4,
        wanted=4,
        bytes_fetched=sum(map(len, RELEASE.parts.values())),
    )
    assert fetched.status is Status.DONE
    assert names(OUT) == {"cd.iso", "cd.jigdo", "cd.template"}


def test_a_right_image_is_left_as_it_is(server: BadServer) -> None:
    fetch(server)
    before = (OUT / "cd.iso").stat()
    server.requests.clear()

    fetched = fetch(server)

    assert (fetched.complete, fetched.was_there, fetched.bytes_fetched) == (True, True, 0)
    assert (fetched.found, fetched.wanted, fetched.moved) == (4, 4, None)
    after = (OUT / "cd.iso").stat()
    assert (after.st_ino, after.st_ctime_ns) == (before.st_ino, before.st_ctime_ns)
    assert parts_asked(server) == []


def test_what_is_missing_is_told_and_got_the_next_time(server: BadServer) -> None:
    lost = server.content.pop(f"/tree/{FIRST}")

    fetched = fetch(server)

    (missing,) = fetched.missing
    url = f"{server.url}/tree/{FIRST}"
    assert (missing.name, missing.part.length, missing.urls) == (FIRST, len(lost), (url,))
    assert missing.tries == (Try(url, Answer.NOT_FOUND, "404 Not Found"),)
    assert (fetched.complete, fetched.found, fetched.wanted) == (False, 3, 4)
    assert fetched.status is Status.INCOMPLETE
    assert_no_image(OUT)

    server.content[f"/tree/{FIRST}"] = lost
    server.requests.clear()

    fetched = fetch(server)

    assert_image(OUT, RELEASE)
    assert (fetched.complete, fetched.found, fetched.bytes_fetched) == (True, 4, len(lost))
    assert parts_asked(server) == [f"/tree/{FIRST}"]


@pytest.mark.parametrize(
    ("trouble", "status"),
    [
        pytest.param(Trouble(body=b"x" * 20_000), Status.WRONG, id="wrong bytes"),
        pytest.param(Trouble(body=b"x"), Status.WRONG, id="wrong length"),
        pytest.param(Trouble(status=503), Status.INCOMPLETE, id="busy"),
        pytest.param(Trouble(status=403), Status.INCOMPLETE, id="forbidden"),
    ],
)
def test_what_never_comes_right_is_wrong(
    server: BadServer, trouble: Trouble, status: Status
) -> None:
    server.troubles[f"/tree/{FIRST}"] = trouble

    fetched = fetch(server)

    assert fetched.status is status
    assert [each.name for each in fetched.missing] == [FIRST]
    assert_no_image(OUT)


@pytest.mark.parametrize(
    ("missing", "status"),
    [
        pytest.param([], Status.DONE, id="nothing"),
        pytest.param([Answer.NOT_FOUND], Status.INCOMPLETE, id="one"),
        pytest.param([Answer.NOT_FOUND, Answer.WRONG_BYTES], Status.WRONG, id="one is wrong"),
    ],
)
def test_the_status_is_that_of_the_worst_part(missing: list[Answer], status: Status) -> None:
    digest = Digest("md5", bytes(16))
    part = MatchedFile(1, None, digest)
    fetched = FetchedImage(
        Path("a"),
        complete=not missing,
        was_there=False,
        digest=digest,
        length=1,
        found=0,
        wanted=1,
        missing=tuple(MissingPart(part, "a", tries=(Try("u", answer),)) for answer in missing),
    )

    assert fetched.status is status


def test_what_is_at_hand_is_taken_and_what_lies_there_is_told(server: BadServer) -> None:
    tree = Path("tree")
    tree.mkdir()
    for name, content in RELEASE.parts.items():
        (tree / name).write_bytes(content)
    (tree / FIRST).write_bytes(b"!" + RELEASE.parts[FIRST][1:])

    fetched = fetch(server, scan=(tree,))

    assert_image(OUT, RELEASE)
    assert parts_asked(server) == [f"/tree/{FIRST}"]
    assert fetched.bytes_fetched == len(RELEASE.parts[FIRST])


def test_offline_nobody_is_asked_and_the_urls_are_told(server: BadServer) -> None:
    jigdo = RELEASE.lay_out(Path("pair"), f"A={server.url}/tree/")

    fetched = api.fetch_image(str(jigdo), OUT, replace(OPTIONS, offline=True))

    assert server.requests == []
    assert [each.urls for each in fetched.missing] == [
        (f"{server.url}/tree/{name}",) for name in RELEASE.parts
    ]
    assert all(each.tries == () for each in fetched.missing)
    assert (fetched.found, fetched.status) == (0, Status.INCOMPLETE)


@pytest.mark.parametrize("label", [pytest.param("A", id="its label"), pytest.param("", id="any")])
def test_the_servers_of_the_caller_come_first(server: BadServer, label: str) -> None:
    with BadServer(RELEASE.tree()) as mine:
        one_by_one = replace(OPTIONS.http, connections=1)
        fetched = fetch(server, servers=((label, f"{mine.url}/tree/"),), http=one_by_one)

        assert mine.requests[0].path == f"/tree/{FIRST}"

    assert fetched.complete
    assert f"/tree/{FIRST}" not in parts_asked(server)


def test_a_server_of_another_label_is_not_asked(server: BadServer) -> None:
    server.content["/cd.jigdo"] = RELEASE.jigdo(f"A={server.url}/tree/", "B=http://127.0.0.1:1/")

    with BadServer(RELEASE.tree()) as other:
        fetched = fetch(server, servers=(("B", f"{other.url}/tree/"),))

    assert fetched.complete
    assert other.requests == []


def test_a_server_of_no_label_is_refused(server: BadServer) -> None:
    with pytest.raises(DescriptorError, match="has no label B"):
        fetch(server, servers=(("B", "http://127.0.0.1:1/"),))

    assert parts_asked(server) == []


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("../out.iso", id="leads up"),
        pytest.param("/tmp/out.iso", id="absolute"),
        pytest.param("a/out.iso", id="in a folder"),
        pytest.param("..", id="dots"),
        pytest.param(".", id="the folder"),
    ],
)
def test_an_image_whose_name_is_none_is_refused(server: BadServer, name: str) -> None:
    jigdo = RELEASE.jigdo(f"A={server.url}/tree/")
    server.content["/cd.jigdo"] = jigdo.replace(b"Filename=cd.iso", b"Filename=" + name.encode())

    with pytest.raises(WrongBytesError, match=r"nobody calls|out of its folder|not the plain"):
        fetch(server)

    assert parts_asked(server) == []
    assert names(Path()) <= {"out/cd.jigdo", "out/cd.template"}


def test_an_image_without_a_name_has_its_templates(server: BadServer) -> None:
    jigdo = RELEASE.jigdo(f"A={server.url}/tree/")
    server.content["/cd.jigdo"] = jigdo.replace(b"Filename=cd.iso\n", b"")

    assert fetch(server).image == OUT / "cd"


def test_right_parts_that_make_a_wrong_image_leave_nothing(server: BadServer) -> None:
    content = RELEASE.template
    wrong = content.replace(RELEASE.digest(RELEASE.image).value, bytes(16))
    server.content |= {
        "/cd.jigdo": RELEASE.jigdo(f"A={server.url}/tree/", demanded=wrong),
        "/cd.template": wrong,
    }

    with pytest.raises(WrongBytesError, match="every part is right, but the image has md5:"):
        fetch(server)

    assert content != wrong
    assert names(OUT) == {"cd.jigdo", "cd.template"}


def test_what_stood_there_is_moved_aside_and_told(server: BadServer) -> None:
    OUT.mkdir()
    (OUT / "cd.iso").write_bytes(b"mine")

    fetched = fetch(server)

    assert_image(OUT, RELEASE)
    assert fetched.moved == OUT / "aside" / "cd.iso"
    assert fetched.moved.read_bytes() == b"mine"
    assert not fetched.was_there


def test_a_link_to_the_right_image_is_no_image(server: BadServer) -> None:
    OUT.mkdir()
    Path("elsewhere.iso").write_bytes(RELEASE.image)
    (OUT / "cd.iso").symlink_to("../elsewhere.iso")

    fetched = fetch(server)

    assert_image(OUT, RELEASE)
    assert not (OUT / "cd.iso").is_symlink()
    assert fetched.moved == OUT / "aside" / "cd.iso"
    assert fetched.moved.is_symlink()


def test_parts_are_kept_as_files(server: BadServer) -> None:
    lost = server.content.pop(f"/tree/{FIRST}")

    fetch(server, keep_parts=Path("kept"))
    first = names(Path("kept"))
    server.content[f"/tree/{FIRST}"] = lost
    fetch(server, keep_parts=Path("kept"))

    assert first == {f"A/{name}" for name in RELEASE.parts if name != FIRST}
    assert {name: Path("kept/A", name).read_bytes() for name in RELEASE.parts} == RELEASE.parts


@pytest.mark.parametrize(
    "label", [pytest.param("..", id="dots"), pytest.param("../../B", id="leads up")]
)
def test_a_label_that_leads_astray_does_not_hinder_the_image(server: BadServer, label: str) -> None:
    jigdo = RELEASE.jigdo(f"A={server.url}/tree/", f"{label}={server.url}/tree/")
    server.content["/cd.jigdo"] = jigdo.replace(
        f"=A:{FIRST}".encode(), f"={label}:{FIRST}".encode()
    )

    fetched = fetch(server, keep_parts=Path("deep/kept"))

    assert fetched.complete
    assert_image(OUT, RELEASE)
    assert names(Path("deep")) == {f"kept/A/{name}" for name in RELEASE.parts if name != FIRST}


def test_progress_is_told_in_bytes_of_the_image(server: BadServer) -> None:
    class Listener(Monitor):
        def __init__(self) -> None:
            self.begun: list[tuple[str, int | None]] = []
            self.done = self.ended = 0
            self.details: list[str] = []

        def begin(self, what: str, total: int | None = None) -> None:
            self.begun.append((what, total))

        def advance(self, count: int) -> None:
            self.done += count

        def end(self) -> None:
            self.ended += 1

        def detail(self, text: str) -> None:
            self.details.append(text)

    heard = Listener()

    api.fetch_image(f"{server.url}/cd.jigdo", OUT, OPTIONS, monitor=heard)

    assert heard.begun == [("fetch cd.iso", len(RELEASE.image))]
    assert (heard.done, heard.ended) == (len(RELEASE.image), 1)
    assert any(text.startswith(f"{server.url}: 4 files, 80.0 kB, ") for text in heard.details)


def test_without_its_pair_there_is_no_image(server: BadServer) -> None:
    del server.content["/cd.template"]

    with pytest.raises(IncompleteError, match=r"cd\.template: not found"):
        fetch(server)

    assert parts_asked(server) == []


def test_an_image_that_is_published_anew_while_its_parts_come_is_told(server: BadServer) -> None:
    server.troubles = {"/cd.jigdo": [Trouble(body=server.content["/cd.jigdo"])]}
    server.content["/cd.jigdo"] += b"# the next one\n"
    server.content[f"/tree/{FIRST}"] = b"another"

    with pytest.raises(IncompleteError, match="was published anew while") as raised:
        fetch(server)

    assert "run it again" in raised.value.hint
    assert_no_image(OUT)


def test_an_image_that_is_withdrawn_while_its_parts_come_is_told(server: BadServer) -> None:
    server.troubles = {"/cd.jigdo": [Trouble(body=server.content["/cd.jigdo"])]}
    del server.content["/cd.jigdo"], server.content[f"/tree/{FIRST}"]

    with pytest.raises(IncompleteError, match="withdrawn while"):
        fetch(server)

    assert_no_image(OUT)


def test_the_next_run_makes_the_image_that_was_published_anew(server: BadServer) -> None:
    newer = release_of(5)
    old = dict(server.content)
    server.content |= {**newer.tree(), **newer.pair(f"A={server.url}/tree/")}
    server.content[f"/tree/{FIRST}"] = b"gone"
    server.troubles = {path: [Trouble(body=old[path])] for path in ("/cd.jigdo", "/cd.template")}
    with pytest.raises(IncompleteError, match="was published anew"):
        fetch(server)
    server.content |= newer.tree()

    assert fetch(server).complete

    assert_image(OUT, newer)
