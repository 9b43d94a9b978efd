"""``mirrors probe``: what is measured, and what is said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml
from bad_server import BadServer, Trouble
from builders import noise, our_pair
from program import release_builder

from release_builder import api
from release_builder.digests import Digest
from release_builder.errors import DescriptorError
from release_builder.loader import load
from release_builder.transport.http import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from program import Ended

PART = b"p" * 50_000
OLD, NEW = "Sat, 08 Sep 2001 01:46:40 GMT", "Sun, 09 Sep 2001 01:46:40 GMT"
IMAGE = "[Jigdo]\nVersion=1.1\n[Image]\nFilename=a.iso\nTemplate=a.template"
CIRCLE = f"{IMAGE}\n[Parts]\n{'m' * 22}=A:p\n[Servers]\nA=B:\nB=A:\n"
GONE = "http://127.0.0.1:1/"


def probe(*arguments: str | Path, cwd: Path) -> Ended:
    return release_builder("mirrors", "probe", "--timeout", "5", *arguments, cwd=cwd)


def urls(ended: Ended) -> list[str]:
    return [each["url"] for each in ended.document["mirrors"]]


def write_jigdo(folder: Path, servers: str, parts: str = "A:p.rpm", name: str = "a.jigdo") -> Path:
    key = Digest("md5", b"m" * 16).jigdo
    lines = [f"{key}={part}" for part in parts.split()]
    path = folder / name
    path.write_text("\n".join([IMAGE, "[Parts]", *lines, "[Servers]", servers, ""]), "utf-8")
    return path


def write_descriptor(folder: Path, *lines: str) -> Path:
    path = folder / "sme.yaml"
    three = ["version: 9.0", "arch: x86_64", "mirror: rsync://127.0.0.1:1/none/"]
    path.write_text("\n".join([*three, *lines, ""]), encoding="utf-8")
    return path


@pytest.fixture
def server() -> Iterator[BadServer]:
    """Three mirrors: one is quick, one slow, one stale."""
    files = {f"/{mirror}/p.rpm": PART for mirror in ("quick", "slow", "stale")}
    dated = {
        f"/{mirror}/p.rpm": Trouble(headers=(("Last-Modified", date),), pause=pause, piece=5000)
        for mirror, date, pause in (("quick", NEW, 0), ("slow", NEW, 0.02), ("stale", OLD, 0))
    }
    with BadServer(files, dated) as server:
        yield server


def test_the_mirrors_of_a_jigdo_are_ranked_and_the_dead_come_last(
    workdir: Path, server: BadServer
) -> None:
    mirrors = [GONE, *(f"{server.url}/{name}/" for name in ("none", "stale", "slow", "quick"))]
    jigdo = write_jigdo(workdir, "\n".join(f"A={url}" for url in mirrors))

    ended = probe("--json", jigdo, cwd=workdir)

    assert ended.status == 0
    quick, slow, stale, dead, absent = ended.document["mirrors"]
    assert [each["url"].removeprefix(server.url) for each in (quick, slow, stale)] == [
        "/quick/",
        "/slow/",
        "/stale/",
    ]
    assert [each["answer"] for each in (stale, dead, absent)] == [
        "right",
        "unreachable",
        "not_found",
    ]
    assert (quick["behind"], stale["behind"], stale["stale"]) == (0, 86_400, True)
    assert quick["seconds_for_10_mb"] < slow["seconds_for_10_mb"]
    assert quick["file"] == f"{server.url}/quick/p.rpm"


def test_people_read_what_each_mirror_is_worth_and_what_to_do(
    workdir: Path, server: BadServer
) -> None:
    write_jigdo(
        workdir, f"A={server.url}/stale/\nA={server.url}/quick/\nA={GONE}", name="my a.jigdo"
    )

    ended = probe("my a.jigdo", cwd=workdir)

    assert (ended.status, ended.stderr) == (0, "")
    lines = ended.stdout.splitlines()
    assert lines[0] == "A  by p.rpm"
    assert [line.split()[-1] for line in lines[2:8:2]] == [
        f"{server.url}/quick/",
        f"{server.url}/stale/",
        GONE,
    ]
    assert lines[3].strip() == "http; of 2001-09-09 01:46 UTC"
    assert lines[5].strip() == "http; of 2001-09-08 01:46 UTC; 24 h older than the newest"
    assert lines[7].strip() == "unreachable (Connection refused)"
    assert lines[-1] == (f"release-builder jigdo fetch --uri A={server.url}/quick/ 'my a.jigdo'")


def test_scripts_get_the_best_urls_and_nothing_else(workdir: Path, server: BadServer) -> None:
    mirrors = [f"A={server.url}/{name}/" for name in ("none", "stale", "slow", "quick")]
    jigdo = write_jigdo(workdir, "\n".join(mirrors))

    ended = probe("--best", "2", jigdo, cwd=workdir)

    assert ended.stdout == f"{server.url}/quick/\n{server.url}/slow/\n"
    assert (ended.status, ended.stderr) == (0, "")


def test_labels_that_lead_to_others_are_followed(workdir: Path, server: BadServer) -> None:
    servers = f"A=Near:quick/\nA=Far:stale/\nB=Near:slow/\nNear={server.url}/\nFar={server.url}/"
    jigdo = write_jigdo(workdir, servers, "A:p.rpm B:p.rpm")

    ended = probe("--json", jigdo, cwd=workdir)

    found = [
        (each["label"], each["url"].removeprefix(server.url)) for each in ended.document["mirrors"]
    ]
    assert sorted(found) == [("A", "/quick/"), ("A", "/stale/"), ("B", "/slow/")]
    assert ended.document["exit_status"] == ended.status == 0


def test_a_server_with_files_under_their_digests_is_measured_by_one(workdir: Path) -> None:
    key = Digest("md5", b"m" * 16).jigdo
    with BadServer({f"/{key}": PART}) as server:
        jigdo = write_jigdo(workdir, f"MD5Sum={server.url}/", "elsewhere")

        ended = probe("--json", jigdo, cwd=workdir)

    (mirror,) = ended.document["mirrors"]
    assert (mirror["file"], mirror["usable"]) == (f"{server.url}/{key}", True)


@pytest.mark.parametrize(
    ("name", "escaped"),
    [
        pytest.param("'a b#.rpm'", "a%20b%23.rpm", id="blank and hash"),
        pytest.param("'a%20b.rpm'", "a%2520b.rpm", id="a name that looks escaped"),
        pytest.param("x/é.rpm", "x/%C3%A9.rpm", id="not ASCII"),
    ],
)
def test_names_are_escaped_as_web_servers_want_them(workdir: Path, name: str, escaped: str) -> None:
    key = Digest("md5", b"m" * 16).jigdo
    path = workdir / "a.jigdo"
    path.write_text(
        f"{IMAGE}\n[Parts]\n{key}='A:{name.strip(chr(39))}'\n[Servers]\nA={GONE}\n", "utf-8"
    )

    (mirror,) = api.probe_mirrors(path, api.ProbeOptions(timeout=1))

    assert mirror.file == f"{GONE}{escaped}"


def test_a_part_that_is_a_whole_sample_is_measured(workdir: Path) -> None:
    tree = workdir / "tree"
    tree.mkdir()
    for name, size in (("a-small", 5000), ("b-large", 4 << 20), ("c-medium", 3 << 19)):
        (tree / name).write_bytes(noise(size, name))
    image = workdir / "a.iso"
    files = [each.read_bytes() for each in sorted(tree.iterdir())]
    image.write_bytes(b"".join([bytes(2048), *files]))
    with BadServer({f"/{each.name}": each.read_bytes() for each in tree.iterdir()}) as server:
        pair, _ = our_pair(image, tree, workdir / "pair", url=f"{server.url}/")

        (mirror,) = api.probe_mirrors(pair.jigdo)
        server.content["/c-medium"] = b"another"
        (wrong,) = api.probe_mirrors(pair.jigdo)
        pair.template.unlink()
        (unsized,) = api.probe_mirrors(pair.jigdo)

    assert (mirror.file, mirror.usable) == (f"{server.url}/c-medium", True)
    assert wrong.answer is Answer.WRONG_LENGTH
    # Where no length is known it is the one in the middle.
    assert (unsized.file, unsized.usable) == (f"{server.url}/b-large", True)


def test_a_marker_lies_below_the_mirror_or_at_its_root(workdir: Path) -> None:
    date = Trouble(headers=(("Last-Modified", NEW),))
    content = {"/a/p.rpm": PART, "/a/x/TIME": b"", "/TIME": b""}
    with BadServer(content, {"/a/x/TIME": date, "/TIME": date}) as server:
        jigdo = write_jigdo(workdir, f"A={server.url}/a/")
        for marker in ("x/TIME", "/TIME"):
            (mirror,) = api.probe_mirrors(jigdo, api.ProbeOptions(marker=marker))
            assert mirror.modified == 1e9, marker

    asked = [request.path for request in server.requests]
    assert (asked.count("/a/x/TIME"), asked.count("/TIME")) == (1, 1)


@pytest.mark.parametrize("marker", ["http://elsewhere/TIME", "//elsewhere/TIME"])
def test_a_marker_of_another_host_is_refused(workdir: Path, marker: str) -> None:
    jigdo = write_jigdo(workdir, f"A={GONE}")

    with pytest.raises(DescriptorError, match="elsewhere/TIME is no path on a mirror"):
        api.probe_mirrors(jigdo, api.ProbeOptions(marker=marker))


def test_one_more_mirror_of_a_jigdo_can_be_named(workdir: Path, server: BadServer) -> None:
    jigdo = write_jigdo(workdir, f"A={GONE}")

    ended = probe("--json", "--mirror", f"{server.url}/quick", jigdo, cwd=workdir)

    assert urls(ended) == [f"{server.url}/quick/", GONE]


def test_the_mirrors_of_a_descriptor_are_those_that_parts_come_from(workdir: Path) -> None:
    tree = "smeos/x86_64/"
    folders = {f"/{each}/{tree}": b"<html>a list</html>" for each in ("mirror", "near/9.0", "own")}
    with BadServer(folders) as server:
        path = write_descriptor(
            workdir,
            f"fetch: {{mirrors: '{server.url}/near/{{version}}/'}}",
            f"servers: {{A: {{beta: 'http://h/', final: '{server.url}/own/{tree}'}}}}",
        )

        ended = probe("--json", "--mirror", f"{server.url}/mirror/", path, cwd=workdir)

    found = {each["url"].removeprefix(server.url) for each in ended.document["mirrors"]}
    roots = {each["mirror"].removeprefix(server.url) for each in ended.document["mirrors"]}
    assert found == {f"/near/9.0/{tree}", f"/own/{tree}", f"/mirror/{tree}"}
    assert roots == {"/near/9.0/", "/own/", "/mirror/"}
    assert all(each["usable"] for each in ended.document["mirrors"])


def test_a_synced_release_is_measured_by_its_parts(workdir: Path) -> None:
    root = workdir / "smeserver-x86_64" / "tree"
    tree = root / "smeos" / "x86_64"
    tree.mkdir(parents=True)
    (tree / "p.rpm").write_bytes(noise(1 << 20))
    image = workdir / "smeserver-9.0-x86_64.iso"
    image.write_bytes(bytes(2048) + (tree / "p.rpm").read_bytes())
    our_pair(image, tree, root / "iso" / "x86_64")
    with BadServer({"/m/smeos/x86_64/p.rpm": noise(1 << 20)}) as server:
        path = write_descriptor(
            workdir,
            f"fetch: {{mirrors: '{server.url}/m/'}}",
            f"servers: {{Mirror: {{beta: '{GONE}', final: '{GONE}'}}}}",
        )

        ended = probe("--json", path, cwd=workdir)

    first, second = ended.document["mirrors"]
    assert (first["file"], first["usable"]) == (f"{server.url}/m/smeos/x86_64/p.rpm", True)
    assert second["file"] == f"{GONE}p.rpm"


def test_the_lines_for_the_descriptor_are_right(workdir: Path) -> None:
    marker = "smeos/x86_64/TIME"
    with BadServer({f"/{each}/{marker}": PART for each in ("a", "b")}) as server:
        mirrors = f"fetch: {{mirrors: ['{server.url}/a/', '{GONE}', '{server.url}/b/']}}"
        path = write_descriptor(workdir, mirrors)

        ended = probe("--marker", "TIME", path, cwd=workdir)

    lines = ended.stdout.partition("write into")[2].partition("\n")[2]
    write_descriptor(workdir, *yaml.dump(yaml.safe_load(lines)).splitlines())
    (release,) = load(path).releases()
    assert sorted(release.fetch.mirrors) == [f"{server.url}/a/", f"{server.url}/b/"]


def test_the_best_of_a_descriptor_are_mirrors_as_a_descriptor_names_them(workdir: Path) -> None:
    with BadServer({"/a/smeos/x86_64/TIME": PART}) as server:
        path = write_descriptor(workdir, f"fetch: {{mirrors: '{server.url}/a/'}}")

        ended = probe("--marker", "TIME", "--best", "1", path, cwd=workdir)

    assert ended.stdout == f"{server.url}/a/\n"


def test_releases_of_several_arches_are_kept_apart(workdir: Path) -> None:
    path = write_descriptor(
        workdir, f"servers: {{A: {{beta: '{GONE}', final: '{GONE}{{arch}}/'}}}}"
    )
    path.write_text(path.read_text().replace("arch: x86_64", "arch: [i386, x86_64]"))

    mirrors = api.probe_mirrors(path, api.ProbeOptions(timeout=1))

    assert {(each.label, each.url) for each in mirrors} == {
        ("A (i386)", f"{GONE}i386/"),
        ("A (x86_64)", f"{GONE}x86_64/"),
    }


@pytest.mark.parametrize("options", [(), ("--best", "1"), ("--json",), ("-q",)])
def test_the_status_is_1_where_no_mirror_can_be_used(
    workdir: Path, options: tuple[str, ...]
) -> None:
    jigdo = write_jigdo(workdir, f"A={GONE}")

    ended = probe(*options, jigdo, cwd=workdir)

    assert ended.status == 1
    assert ("no mirror of" in ended.stderr) == ("--json" not in options)


def test_servers_that_hide_their_folders_call_for_a_marker(workdir: Path) -> None:
    with BadServer(everywhere=Trouble(status=403)) as server:
        path = write_descriptor(workdir, f"fetch: {{mirrors: '{server.url}'}}")
        path.write_text(f"{path.read_text()}servers: {{A: {{beta: '{GONE}', final: '{GONE}'}}}}\n")

        ended = probe(path, cwd=workdir)

    assert ended.status == 1
    assert "name a file in it with --marker" in ended.stderr


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        pytest.param("a.yaml", "version: 9\nmirorr: x\n", "mirorr: there is no", id="descriptor"),
        pytest.param("a.yaml", None, "there is no file", id="no descriptor"),
        pytest.param("a.jigdo", "\0\1", "a.jigdo", id="no .jigdo"),
        pytest.param(
            "a.jigdo", f"{IMAGE}\n[Servers]\nA=file:/a/\n", "names no web server", id="no server"
        ),
        pytest.param("a.jigdo", CIRCLE, "circle", id="circle"),
    ],
)
def test_what_cannot_be_meant_ends_with_2(
    workdir: Path, name: str, text: str | None, said: str
) -> None:
    if text is not None:
        (workdir / name).write_text(text)

    ended = probe(name, cwd=workdir)

    assert (ended.status, ended.stdout) == (2, "")
    assert said in ended.stderr


@pytest.mark.parametrize(
    "option",
    [
        pytest.param(("--offline",), id="offline"),
        pytest.param(("--best", "0"), id="none of the best"),
        pytest.param(("--timeout", "0"), id="no time"),
        pytest.param(("--mirror", "rsync://h/m/"), id="mirror that is on no web server"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(workdir: Path, option: tuple[str, ...]) -> None:
    jigdo = write_jigdo(workdir, f"A={GONE}")

    ended = probe(*option, jigdo, cwd=workdir)

    assert (ended.status, ended.stdout) == (2, "")


def test_a_synced_release_without_parts_is_measured_all_the_same(workdir: Path) -> None:
    folder = workdir / "smeserver-x86_64" / "tree" / "iso" / "x86_64"
    (workdir / "empty").mkdir()
    (workdir / "smeserver-9.0-x86_64.iso").write_bytes(noise(9000))
    our_pair(workdir / "smeserver-9.0-x86_64.iso", workdir / "empty", folder)
    path = write_descriptor(workdir, f"servers: {{A: {{beta: '{GONE}', final: '{GONE}'}}}}")

    (mirror,) = api.probe_mirrors(path, api.ProbeOptions(timeout=1))

    assert (mirror.label, mirror.file) == ("A", GONE)
