"""A pair from the web or a folder: the right template, or why there is none."""

from __future__ import annotations

import gzip
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
from bad_server import BadServer, Trouble
from builders import noise
from offers import md5

from release_builder.errors import (
    BusyError,
    DescriptorError,
    IncompleteError,
    ReleaseBuilderError,
    SurroundingsError,
    WrongBytesError,
)
from release_builder.locks import locked_beside
from release_builder.state.digest_cache import no_cache
from release_builder.steps.web_pair import FetchedPair, fetched_pair
from release_builder.transport.http import HttpOptions
from release_builder.transport.http.client import HttpClient

if TYPE_CHECKING:
    from collections.abc import Iterator

BEGIN = b"JigsawDownload template 1.2 test/1\r\n\r\n\r\n"
TEMPLATE = BEGIN + noise(3000, "template")
OTHER = BEGIN + noise(3000, "another template")
JIGDO = "/iso/cd.jigdo"


def jigdo(
    template: str = "cd.template", digest: bytes | None = TEMPLATE, image: str = "cd.iso"
) -> bytes:
    lines = ["[Jigdo]", "Version=1.1", "[Image]", f"Filename={image}"]
    if template:
        lines.append(f"Template={template}")
    if digest is not None:
        lines.append(f"Template-MD5Sum={md5(digest).jigdo}")
    return "\n".join([*lines, "[Parts]", "[Servers]", ""]).encode("utf-8", "surrogateescape")


def get(
    source: str | Path, *, offline: bool = False, aside: Path | None = Path("out/aside")
) -> FetchedPair:
    options = HttpOptions(retries=0, timeout=30)
    with HttpClient(options, os.environ) as client:
        return fetched_pair(
            str(source),
            Path("out"),
            None if offline else client,
            options,
            no_cache(),
            aside=aside,
        )


def asked(server: BadServer) -> list[str]:
    return [request.path for request in server.requests]


@pytest.fixture
def server() -> Iterator[BadServer]:
    """Has nothing yet."""
    with BadServer() as server:
        yield server


@pytest.fixture(autouse=True)
def place(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests run in a folder with an empty ``out``."""
    monkeypatch.chdir(workdir)
    Path("out").mkdir()


@pytest.mark.parametrize(
    ("name", "source"),
    [
        pytest.param("cd.jigdo", "cd.jigdo", id="relative path"),
        pytest.param("a b%20é.jigdo", "a b%20é.jigdo", id="odd path"),
        pytest.param("a b.jigdo", "file://{here}/a%20b.jigdo", id="file URL"),
        pytest.param("cd.jigdo", "file://localhost{here}/cd.jigdo", id="file URL with a host"),
        pytest.param("cd.jigdo", "file:cd.jigdo", id="relative file URL"),
        pytest.param("cd.jigdo", "{here}/cd.jigdo", id="absolute path"),
    ],
)
def test_a_jigdo_that_is_here_is_read_where_it_lies(name: str, source: str) -> None:
    Path(name).write_bytes(jigdo())
    Path("cd.template").write_bytes(TEMPLATE)

    pair = get(source.format(here=Path.cwd()))

    assert pair.jigdo.image.filename == "cd.iso"
    assert pair.template.samefile("cd.template")
    assert pair.notes == ()
    assert not list(Path("out").iterdir())


def test_a_packed_jigdo_is_unpacked(workdir: Path) -> None:
    Path("cd.jigdo").write_bytes(gzip.compress(jigdo()))
    Path("cd.template").write_bytes(TEMPLATE)

    assert get(workdir / "cd.jigdo").template == workdir / "cd.template"


def test_a_template_in_the_folder_will_do() -> None:
    Path("cd.jigdo").write_bytes(jigdo())
    Path("out/cd.template").write_bytes(TEMPLATE)

    assert get("cd.jigdo").template == Path("out/cd.template")


def test_a_wrong_template_beside_does_not_hide_the_right_one() -> None:
    Path("cd.jigdo").write_bytes(jigdo())
    Path("cd.template").write_bytes(OTHER)
    Path("out/cd.template").write_bytes(TEMPLATE)

    assert get("cd.jigdo").template == Path("out/cd.template")


def test_a_jigdo_that_names_no_template_means_that_of_its_own_name() -> None:
    Path("my.jigdo").write_bytes(jigdo(template=""))
    Path("my.template").write_bytes(TEMPLATE)

    assert get("my.jigdo").template == Path("my.template")


@pytest.mark.parametrize(
    "template",
    [
        pytest.param("http://localhost/tmp/cd.template", id="as xorriso leaves it"),
        pytest.param("http://gone.example/iso/cd.template", id="elsewhere"),
        pytest.param("/some/where/cd.template", id="path"),
    ],
)
def test_a_template_beside_is_right_whatever_its_url(template: str) -> None:
    Path("cd.jigdo").write_bytes(jigdo(template))
    Path("cd.template").write_bytes(TEMPLATE)

    assert get("cd.jigdo").template == Path("cd.template")


@pytest.mark.parametrize(
    ("template", "path"),
    [
        pytest.param("cd.template", "/iso/cd.template", id="beside the .jigdo"),
        pytest.param("../t/cd.template", "/t/cd.template", id="relative"),
        pytest.param("/t/cd.template", "/t/cd.template", id="from the root"),
        pytest.param("{url}/x/cd.template", "/x/cd.template", id="absolute"),
        pytest.param("'my cd.template'", "/iso/my%20cd.template", id="with a blank"),
        pytest.param("'c#d.template'", "/iso/c%23d.template", id="with a hash sign"),
    ],
)
def test_a_pair_on_the_web_is_fetched_into_the_folder(
    server: BadServer, template: str, path: str
) -> None:
    content = jigdo(template.format(url=server.url))
    server.content = {JIGDO: content, unquote(path): TEMPLATE}

    pair = get(server.url + JIGDO)

    assert pair.template == Path("out") / unquote(path).rpartition("/")[2]
    assert pair.template.read_bytes() == TEMPLATE
    assert Path("out/cd.jigdo").read_bytes() == content
    assert asked(server) == [JIGDO, path]
    assert pair.notes == ()


def test_of_a_jigdo_that_is_here_only_the_template_is_fetched(server: BadServer) -> None:
    Path("cd.jigdo").write_bytes(jigdo(f"{server.url}/cd.template"))
    server.content = {"/cd.template": TEMPLATE}

    pair = get("cd.jigdo")

    assert pair.template == Path("out/cd.template")
    assert asked(server) == ["/cd.template"]


def test_a_template_that_is_here_and_right_is_not_fetched_again(server: BadServer) -> None:
    Path("out/cd.template").write_bytes(TEMPLATE)
    server.content = {JIGDO: jigdo()}

    pair = get(server.url + JIGDO)

    assert pair.template == Path("out/cd.template")
    assert asked(server) == [JIGDO]


def test_an_old_pair_is_replaced(server: BadServer) -> None:
    old = b"JigsawDownload template 1.2 of the last release"
    Path("out/cd.jigdo").write_bytes(jigdo(digest=old))
    Path("out/cd.template").write_bytes(old)
    server.content = {JIGDO: jigdo(), "/iso/cd.template": TEMPLATE}

    pair = get(server.url + JIGDO)

    assert pair.template.read_bytes() == TEMPLATE
    assert Path("out/cd.jigdo").read_bytes() == jigdo()


def test_a_template_without_a_digest_is_taken_and_told() -> None:
    Path("cd.jigdo").write_bytes(jigdo(digest=None))
    Path("cd.template").write_bytes(OTHER)

    pair = get("cd.jigdo")

    assert pair.template == Path("cd.template")
    assert pair.notes == ("cd.jigdo has no digest of its template: taken as it is",)


def test_where_no_server_answers_the_copy_here_is_used_and_told() -> None:
    Path("out/cd.jigdo").write_bytes(jigdo())
    Path("out/cd.template").write_bytes(TEMPLATE)

    pair = get(f"http://127.0.0.1:1{JIGDO}")

    assert pair.template == Path("out/cd.template")
    (note,) = pair.notes
    assert note.startswith(f"http://127.0.0.1:1{JIGDO}: unreachable")
    assert note.endswith(": the copy that is here is used")


def test_where_the_jigdo_is_gone_no_other_of_its_name_is_used(server: BadServer) -> None:
    Path("out/cd.jigdo").write_bytes(jigdo())
    Path("out/cd.template").write_bytes(TEMPLATE)

    with pytest.raises(IncompleteError, match="not found"):
        get(server.url + JIGDO)


def test_a_jigdo_that_was_edited_is_kept(server: BadServer) -> None:
    edited = jigdo() + b"# my own line\n"
    Path("out/cd.jigdo").write_bytes(edited)
    server.content = {JIGDO: jigdo(), "/iso/cd.template": TEMPLATE}

    pair = get(server.url + JIGDO)

    assert Path("out/aside/cd.jigdo").read_bytes() == edited
    assert Path("out/cd.jigdo").read_bytes() == jigdo()
    assert pair.notes == ("cd.jigdo was there, and another: it is out/aside/cd.jigdo now",)


def test_offline_what_was_fetched_before_is_used(server: BadServer) -> None:
    Path("out/cd.jigdo").write_bytes(jigdo())
    Path("out/cd.template").write_bytes(TEMPLATE)

    pair = get(server.url + JIGDO, offline=True)

    assert (pair.template, pair.notes) == (Path("out/cd.template"), ())
    assert asked(server) == []


@pytest.mark.parametrize(
    ("here", "said"),
    [
        pytest.param([], "out/cd.jigdo is not here, and servers are not to be asked", id="nothing"),
        pytest.param(
            ["cd.jigdo"], "cd.jigdo is here, its template cd.template is not", id="no template"
        ),
    ],
)
def test_offline_what_is_not_here_is_not_to_be_had(
    server: BadServer, here: list[str], said: str
) -> None:
    for name in here:
        (Path("out") / name).write_bytes(jigdo())

    with pytest.raises(IncompleteError, match=re.escape(said)):
        get(server.url + JIGDO, offline=True)

    assert asked(server) == []


def test_a_wrong_template_here_is_told_where_no_other_is_to_be_had() -> None:
    Path("cd.jigdo").write_bytes(jigdo())
    Path("cd.template").write_bytes(OTHER)

    with pytest.raises(WrongBytesError, match=r"cd\.template is not the template that cd\.jigdo"):
        get("cd.jigdo")


def test_a_wrong_template_on_the_web_never_gets_its_name(server: BadServer) -> None:
    server.content = {JIGDO: jigdo(), "/iso/cd.template": OTHER}

    with pytest.raises(WrongBytesError, match=f"is {md5(OTHER)}, and should be {md5(TEMPLATE)}"):
        get(server.url + JIGDO)

    assert [path.name for path in Path("out").iterdir()] == ["cd.jigdo"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param({}, "/iso/cd.jigdo: not found", id="no .jigdo"),
        pytest.param({JIGDO: jigdo()}, "/iso/cd.template: not found", id="no template"),
    ],
)
def test_what_the_server_has_not_is_not_to_be_had(
    server: BadServer, content: dict[str, bytes], said: str
) -> None:
    server.content = content

    with pytest.raises(IncompleteError, match=re.escape(said)):
        get(server.url + JIGDO)


@pytest.mark.parametrize(
    ("source", "error", "said"),
    [
        pytest.param("{url}/iso/", DescriptorError, "names a folder", id="folder"),
        pytest.param("{url}", DescriptorError, "names a folder", id="host"),
        pytest.param("{url}/?a/cd.jigdo", DescriptorError, "names a folder", id="query"),
        pytest.param("{url}/iso/%2e%2e", WrongBytesError, "out of its folder", id="dots"),
        pytest.param("{url}/iso/..", WrongBytesError, "out of its folder", id="plain dots"),
        pytest.param("{url}/iso/.", WrongBytesError, "plain name", id="the folder itself"),
        pytest.param("{url}/a%2Fb.jigdo", WrongBytesError, "plain name", id="slash"),
        pytest.param("{url}/%2Fetc%2Fpasswd", WrongBytesError, "out of its folder", id="absolute"),
        pytest.param("{url}/a%00b", WrongBytesError, r"a\x00b", id="NUL"),
        pytest.param("ftp://h/cd.jigdo", DescriptorError, "only http, https", id="ftp"),
        pytest.param("file://h/cd.jigdo", DescriptorError, "only http, https", id="file elsewhere"),
        pytest.param("http://[h/cd.jigdo", DescriptorError, "is no address", id="no address"),
    ],
)
def test_a_source_that_names_no_file_is_refused_before_anyone_is_asked(
    server: BadServer, source: str, error: type[ReleaseBuilderError], said: str
) -> None:
    with pytest.raises(error, match=re.escape(said)):
        get(source.format(url=server.url))

    assert asked(server) == []
    assert not list(Path("out").iterdir())


@pytest.mark.parametrize(
    "template",
    [
        pytest.param("http://127.0.0.1/iso/..", id="dots"),
        pytest.param("..", id="nothing but dots"),
        pytest.param("a/.", id="the folder itself"),
        pytest.param("http://127.0.0.1/iso/", id="folder"),
    ],
)
def test_a_template_whose_name_is_none_is_refused(server: BadServer, template: str) -> None:
    server.content = {JIGDO: jigdo(template)}

    with pytest.raises(WrongBytesError, match=r"out of its folder|not the plain name"):
        get(server.url + JIGDO)

    assert asked(server) == [JIGDO]
    assert [path.name for path in Path("out").iterdir()] == ["cd.jigdo"]


@pytest.mark.parametrize(
    ("template", "image", "said"),
    [
        pytest.param("cd.template", ".profile", "nobody calls an image", id="hidden image"),
        pytest.param("x/.template", "cd.iso", "nobody calls an image", id="hidden template"),
        pytest.param("cd.template", "a\x1b[2J.iso", r"an image .* a\\x1b", id="image with control"),
        pytest.param("a\x9b2J.template", "cd.iso", "nobody calls", id="template with control"),
        pytest.param("cd.iso", "cd.iso", "have one name: cd.iso", id="image and template"),
        pytest.param("cd.template", "cd.jigdo", "have one name", id="image and .jigdo"),
        pytest.param("/t/cd.jigdo", "cd.iso", "have one name", id="template and .jigdo"),
    ],
)
def test_names_that_would_take_the_place_of_something_else_are_refused(
    server: BadServer, template: str, image: str, said: str
) -> None:
    server.content = {JIGDO: jigdo(template, image=image)}

    with pytest.raises(WrongBytesError, match=said):
        get(server.url + JIGDO)

    assert asked(server) == [JIGDO]
    assert [path.name for path in Path("out").iterdir()] == ["cd.jigdo"]


def test_the_case_of_a_scheme_does_not_matter(server: BadServer) -> None:
    server.content = {JIGDO: jigdo(), "/iso/cd.template": TEMPLATE}

    pair = get(f"HTTP{server.url.removeprefix('http')}{JIGDO}")

    assert pair.template == Path("out/cd.template")


def test_escapes_in_a_templates_name_lead_nowhere(server: BadServer) -> None:
    server.content = {JIGDO: jigdo("a%2F..%2Fb"), "/iso/a/../b": TEMPLATE}

    pair = get(server.url + JIGDO)

    assert pair.template == Path("out/a%2F..%2Fb")
    assert asked(server) == [JIGDO, "/iso/a%2F..%2Fb"]
    assert [path.name for path in Path().iterdir()] == ["out"]


@pytest.mark.parametrize("scheme", ["ftp://127.0.0.1/", "file:///", "rsync://127.0.0.1/"])
def test_a_template_is_asked_for_on_the_web_only(server: BadServer, scheme: str) -> None:
    server.content = {JIGDO: jigdo(f"{scheme}cd.template")}

    with pytest.raises(IncompleteError, match=r"its template cd\.template is not"):
        get(server.url + JIGDO)

    assert asked(server) == [JIGDO]


def test_a_jigdo_that_is_not_there_is_told() -> None:
    with pytest.raises(DescriptorError, match="there is no file"):
        get("none.jigdo")


def test_a_jigdo_that_cannot_be_read_is_told(server: BadServer) -> None:
    server.content = {JIGDO: b"\0\1\2"}

    with pytest.raises(WrongBytesError, match=rf"^{server.url}{JIGDO}:1: "):
        get(server.url + JIGDO)


def test_only_a_jigdo_is_replaced_by_a_jigdo(server: BadServer) -> None:
    Path("out/cd.jigdo").write_bytes(b"my thesis")
    server.content = {JIGDO: jigdo(), "/iso/cd.template": TEMPLATE}

    with pytest.raises(SurroundingsError, match=r"out/cd\.jigdo is there already, and is no"):
        get(server.url + JIGDO)

    assert Path("out/cd.jigdo").read_bytes() == b"my thesis"


def test_what_has_the_templates_name_and_is_none_is_kept(server: BadServer) -> None:
    Path("out/cd.template").write_bytes(b"my thesis")
    server.content = {JIGDO: jigdo(), "/iso/cd.template": TEMPLATE}

    pair = get(server.url + JIGDO)

    assert Path("out/cd.template").read_bytes() == TEMPLATE
    assert Path("out/aside/cd.template").read_bytes() == b"my thesis"
    (note,) = pair.notes
    assert note == "cd.template was there, and is no template: it is out/aside/cd.template now"


def test_while_the_template_is_not_had_nothing_is_moved(server: BadServer) -> None:
    Path("out/cd.template").write_bytes(b"my thesis")
    server.content = {JIGDO: jigdo()}

    with pytest.raises(IncompleteError, match="not found"):
        get(server.url + JIGDO)

    assert Path("out/cd.template").read_bytes() == b"my thesis"
    assert sorted(path.name for path in Path("out").iterdir()) == ["cd.jigdo", "cd.template"]


def test_in_a_folder_of_ours_nothing_but_a_template_is_replaced(server: BadServer) -> None:
    Path("out/cd.template").write_bytes(b"my thesis")
    server.content = {JIGDO: jigdo(), "/iso/cd.template": TEMPLATE}

    with pytest.raises(SurroundingsError, match=r"out/cd\.template is there already, and is no"):
        get(server.url + JIGDO, aside=None)

    assert Path("out/cd.template").read_bytes() == b"my thesis"


def test_a_pair_that_is_published_anew_between_two_requests_is_had_whole(server: BadServer) -> None:
    server.content = {JIGDO: jigdo(), "/iso/cd.template": TEMPLATE}
    server.troubles = {JIGDO: [Trouble(body=jigdo(digest=OTHER))]}

    pair = get(server.url + JIGDO)

    assert pair.template.read_bytes() == TEMPLATE
    assert Path("out/cd.jigdo").read_bytes() == jigdo()
    assert pair.notes == ()
    assert sorted(path.name for path in Path("out").iterdir()) == ["cd.jigdo", "cd.template"]


def test_a_template_that_got_another_name_meanwhile_is_had(server: BadServer) -> None:
    server.content = {JIGDO: jigdo("new.template"), "/iso/new.template": TEMPLATE}
    server.troubles = {JIGDO: [Trouble(body=jigdo())]}

    assert get(server.url + JIGDO).template == Path("out/new.template")


def test_a_pair_that_never_stands_still_is_to_be_had_later(server: BadServer) -> None:
    editions = [jigdo(digest=OTHER) + b"# %d\n" % number for number in range(99)]
    server.content = {"/iso/cd.template": TEMPLATE}
    server.troubles = {JIGDO: [Trouble(body=each) for each in editions]}

    with pytest.raises(IncompleteError, match="published anew again and again") as raised:
        get(server.url + JIGDO)

    assert "run it again" in raised.value.hint
    assert len(asked(server)) < 20


def test_a_jigdo_that_another_process_fetches_here_is_left_to_it(server: BadServer) -> None:
    server.content = {JIGDO: jigdo(), "/iso/cd.template": TEMPLATE}

    with locked_beside(Path("out/cd.jigdo")), pytest.raises(BusyError, match=r"cd\.jigdo"):
        get(server.url + JIGDO)

    assert asked(server) == []
    assert list(Path("out").iterdir()) == []
