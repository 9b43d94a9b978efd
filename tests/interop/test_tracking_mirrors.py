"""What real mirrors have, an rsync daemon's and nginx's, is listed, followed and built."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from program import release_builder
from upstream_tree import link, put
from web_server import serve

from release_builder.api.tracking import Fate, whereabouts_of
from release_builder.demo.daemon import rsync_daemon
from release_builder.loader import load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from builders import Mirror
    from program import Ended

pytestmark = pytest.mark.interop

NOBODY = ["rsync://127.0.0.1:1/sme/", "http://127.0.0.1:1/sme/"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A mirror with four releases, one of them being filled, and with links."""
    root = tmp_path / "releases"
    put(root, "8.0")
    put(root, "8.0", arch="i386")
    put(root, "testing/9.0alpha1")
    put(root, "testing/9.0beta3")
    put(root, "testing/9.0beta4", "jigdo", "sums")
    put(root, "obsolete/8.0beta1")
    link(root, "testing/9", "9.0beta3")
    link(root, "8", "8.0")
    return root


@pytest.fixture(params=["rsync", "nginx"])
def url(request: pytest.FixtureRequest, root: Path) -> Iterator[str]:
    """The root, as each of them serves it."""
    if request.param == "rsync":
        with rsync_daemon(root) as found:
            yield found
    else:
        with serve(root, index=True) as server:
            yield server.url


def shown(ended: Ended) -> list[tuple[str, str, bool, list[str]]]:
    return [
        (each["version"], each["folder"], each["complete"], list(each["arches"]))
        for each in ended.document["releases"]
    ]


def descriptor(folder: Path, mirror: str) -> Path:
    path = folder / "sme9.yaml"
    path.write_text(f"track: testing/9\narch: x86_64\nmirror: {mirror}\n")
    return path


def test_both_list_the_same_releases(url: str, workdir: Path) -> None:
    ended = release_builder("releases", "--json", url, cwd=workdir)

    assert ended.status == 0
    assert (ended.document["product"], ended.document["mirror"]) == ("smeserver", url)
    assert shown(ended) == [
        ("8.0", "8.0/", True, ["i386", "x86_64"]),
        ("9.0alpha1", "testing/9.0alpha1/", True, ["x86_64"]),
        ("9.0beta3", "testing/9.0beta3/", True, ["x86_64"]),
        ("9.0beta4", "testing/9.0beta4/", False, ["x86_64"]),
    ]
    lacks = ended.document["releases"][-1]["arches"]["x86_64"]["lacks"]
    assert lacks == ["the template"]
    targets = {each["link"]: each["folder"] for each in ended.document["links"]}
    told = url.startswith("rsync:")
    assert targets == {
        "8": "8.0/" if told else None,
        "testing/9": "testing/9.0beta3/" if told else None,
    }


def test_people_get_a_table(url: str, workdir: Path) -> None:
    lines = release_builder("releases", url, cwd=workdir).stdout.split("\n")

    assert lines[0].split() == ["VERSION", "STAGE", "ARCHES", "FOLDER", "STATE", "LINKS"]
    assert "9.0beta4" in lines[4]
    assert "lacks x86_64: the template" in lines[4]


def test_a_link_is_followed_where_it_shows(root: Path, workdir: Path) -> None:
    put(root, "testing/9.0beta4")

    with rsync_daemon(root) as url:
        ended = release_builder("build", "--json", descriptor(workdir, url), cwd=workdir)

    assert ended.document["releases"][0]["version"] == "9.0beta3"


def test_the_newest_is_followed_where_links_do_not_show(root: Path, workdir: Path) -> None:
    put(root, "testing/9.0beta4")

    with serve(root, index=True) as server:
        path = descriptor(workdir, server.url)
        ended = release_builder("build", "--json", path, cwd=workdir)

    assert ended.document["releases"][0]["version"] == "9.0beta4"


def test_a_daemon_that_munges_links_shows_them_all_the_same(root: Path, workdir: Path) -> None:
    link(root, "testing/9", "/rsyncd-munged/9.0beta3")  # as "munge symlinks" has it

    with rsync_daemon(root) as url:
        ended = release_builder("releases", "--json", url, cwd=workdir)

    assert {"link": "testing/9", "folder": "testing/9.0beta3/"} in ended.document["links"]


def test_a_generation_behind_a_link_is_seen_through_a_daemon(root: Path, workdir: Path) -> None:
    (root / ".8.0").mkdir()
    (root / "8.0").rename(root / ".8.0/20261121T103000Z")
    link(root, "8.0", ".8.0/20261121T103000Z")

    with rsync_daemon(root) as url:
        ended = release_builder("releases", "--json", url, cwd=workdir)

    assert shown(ended)[0] == ("8.0", "8.0/", True, ["i386", "x86_64"])


@pytest.mark.parametrize(
    ("version", "fate"),
    [
        ("8.0beta1", Fate.PROMOTED),
        ("9.0alpha2", Fate.REPLACED),
        ("8.1beta1", Fate.OBSOLETE),
        ("10.0beta1", Fate.GONE),
    ],
)
def test_what_became_of_a_release_shows_on_both(
    url: str, root: Path, workdir: Path, version: str, fate: Fate
) -> None:
    put(root, "obsolete/8.1beta1")
    path = workdir / "sme.yaml"
    path.write_text(f"version: {version}\narch: x86_64\nmirror: {url}testing/{version}/\n")

    found = whereabouts_of(load(path).releases()[0])

    assert found is not None
    assert found.fate is fate


@pytest.mark.parametrize("url", NOBODY)
@pytest.mark.parametrize("command", ["releases", "init"])
def test_a_mirror_that_does_not_answer_may_do_so_later(
    workdir: Path, url: str, command: str
) -> None:
    ended = release_builder(command, url, cwd=workdir)

    assert ended.status == 1
    assert "run again later" in ended.stderr
    assert not list(workdir.glob("*.yaml"))


@pytest.mark.parametrize("url", NOBODY)
def test_a_track_is_not_given_up_for_a_mirror_that_does_not_answer(workdir: Path, url: str) -> None:
    ended = release_builder("build", "--json", descriptor(workdir, url), cwd=workdir)

    assert ended.status == 1


def test_a_web_server_that_lists_no_folders_is_told_from_one_that_is_down(
    root: Path, workdir: Path
) -> None:
    with serve(root) as server:
        ended = release_builder("releases", server.url, cwd=workdir)

    assert ended.status == 2
    assert "the server lists no folders: forbidden" in ended.stderr
    assert "name it by rsync" in ended.stderr


def test_what_init_writes_of_a_url_is_built(mirror: Mirror, workdir: Path) -> None:
    written = release_builder("init", mirror.release_url, "sme9.yaml", cwd=workdir)
    ended = release_builder("build", "sme9.yaml", "--json", cwd=workdir)

    recipe = mirror.release.recipe
    assert (written.status, ended.status) == (0, 0)
    assert f"{recipe.version} ({recipe.arch}) of {mirror.release_url}" in written.stdout
    assert ended.outcomes()["verify"] == "done"


def test_what_is_followed_is_built_and_stays_as_it_is_offline(
    mirror: Mirror, workdir: Path
) -> None:
    root = mirror.release_url.partition("testing/")[0]

    init = release_builder("init", root, "sme9.yaml", cwd=workdir)
    first = release_builder("build", "sme9.yaml", "--json", cwd=workdir)
    again = release_builder("build", "sme9.yaml", "--json", cwd=workdir)
    offline = release_builder("build", "--offline", "sme9.yaml", "--json", cwd=workdir)

    assert "track: " in (workdir / "sme9.yaml").read_text("utf-8")
    assert [each.status for each in (init, first, again, offline)] == [0, 0, 0, 0]
    assert first.outcomes() == dict.fromkeys(("sync", "rewrite", "assemble", "verify"), "done") | {
        "track": "unchanged"
    }
    assert again.outcomes()["sync"] == "unchanged"
    version = {each.document["releases"][0]["version"] for each in (first, again, offline)}
    assert version == {mirror.release.recipe.version}


def test_names_may_come_as_init_had_them_before(workdir: Path) -> None:
    ended = release_builder("init", "sme9.yaml", cwd=workdir)

    assert ended.status == 0
    assert (workdir / "sme9.yaml").read_text("utf-8").count("version: 9.0beta3") == 1


@pytest.mark.parametrize(
    "arguments",
    [("a.yaml", "b.yaml"), ("a.yaml", "http://h/"), ("http://h/", "http://i/"), ("1", "2", "3")],
)
def test_init_takes_one_url_and_one_file(workdir: Path, arguments: tuple[str, ...]) -> None:
    ended = release_builder("init", *arguments, cwd=workdir)

    assert ended.status == 2
    assert "at most one URL" in ended.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("init", "--mirror", "http://h/", "http://h/9.0/"), id="two mirrors"),
        pytest.param(("releases", "--offline", "http://h/"), id="listed offline"),
    ],
)
def test_what_cannot_be_meant_is_refused(workdir: Path, arguments: tuple[str, ...]) -> None:
    assert release_builder(*arguments, cwd=workdir).status == 2
