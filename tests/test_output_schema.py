"""What ``--json`` prints is what data/output.schema.json promises."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from bad_server import BadServer, Trouble
from fetching import release_of, site
from jsonschema import Draft202012Validator, ValidationError
from program import release_builder
from publishing import publisher
from web_server import serve

from release_builder.files import resource
from release_builder.transport.http import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from builders import Mirror
    from program import Ended
    from publishing import Publisher

    from release_builder.demo.release import Release

_OUTPUT = json.loads(resource("data/output.schema.json").read_text())
_FETCHED = json.loads(resource("data/jigdo-fetch.schema.json").read_text())
_SCHEMA = Draft202012Validator(_OUTPUT)
_FETCH = Draft202012Validator(_FETCHED)
_EVENT = Draft202012Validator({"$ref": "#/$defs/event", "$defs": _FETCHED["$defs"]})
_RELEASE = release_of(3)
_FIRST = next(iter(_RELEASE.parts))


@pytest.fixture
def web() -> Iterator[BadServer]:
    """A server with a pair and its parts."""
    with site(_RELEASE) as server:
        yield server


def assert_valid(
    ended: Ended, command: str, status: int, schema: Draft202012Validator = _SCHEMA
) -> None:
    schema.validate(ended.document)
    assert ended.document["command"] == command
    assert ended.document["exit_status"] == ended.status == status


@pytest.mark.interop
@pytest.mark.parametrize("command", ["plan", "sync", "rewrite", "assemble", "verify", "build"])
def test_commands_on_a_release(mirror: Mirror, workdir: Path, command: str) -> None:
    descriptor = workdir / "sme9.yaml"
    descriptor.write_text(mirror.descriptor)
    if command in {"rewrite", "assemble", "verify"}:
        release_builder("sync", descriptor, cwd=workdir)

    ended = release_builder(command, "--json", descriptor, cwd=workdir)

    assert_valid(ended, command, 1 if command == "verify" else 0)


@pytest.mark.interop
@pytest.mark.parametrize(
    ("command", "steps"), [("compose", ["lint", "compose", "pair"]), ("pair", ["pair"])]
)
def test_commands_on_a_tree(
    workdir: Path, small_release: Release, command: str, steps: list[str]
) -> None:
    image = workdir / "work" / "image" / "smeserver-9.0beta3-x86_64.iso"
    image.parent.mkdir(parents=True)
    if command == "pair":
        shutil.copyfile(small_release.image, image)
    (workdir / "sme9.yaml").write_text(
        f"version: 9.0beta3\narch: x86_64\nmirror: {small_release.mirror / small_release.path}\n"
        "workdir: work\nservers:\n  SMEmirror:\n"
        "    beta: http://mirror.example/testing/{version}/\n"
        "    final: http://mirror.example/{version}/\n"
    )

    ended = release_builder(command, "--json", "sme9.yaml", cwd=workdir)

    assert_valid(ended, command, 0)
    assert list(ended.outcomes()) == steps


@pytest.mark.interop
@pytest.mark.parametrize(
    ("command", "options", "status", "outcome"),
    [
        pytest.param("publish", [], 0, "unchanged", id="publish"),
        pytest.param("publish", ["--preflight=rebuild"], 0, "done", id="publish anew"),
        pytest.param("publish", ["--rollback"], 0, "done", id="rollback"),
        pytest.param("promote", ["--to=9.0"], 2, "failed", id="promote that is refused"),
        pytest.param("promote", ["--to=9.0", "--same-image"], 0, "done", id="promote"),
        pytest.param(
            "promote", ["--to=9.0", "--same-image", "--dry-run"], 0, "unchanged", id="dry run"
        ),
    ],
)
def test_commands_on_a_public_release(  # noqa: PLR0917 (a row's columns)
    workdir: Path,
    small_release: Release,
    command: str,
    options: list[str],
    status: int,
    outcome: str,
) -> None:
    with publisher(workdir) as manager:
        descriptor = manager.prepare(small_release, more="  preflight: off\n")
        manager("publish", descriptor)
        if "rebuild" in str(options) or "--rollback" in options:
            grow(manager, descriptor)
        if "--rollback" in options:
            manager("publish", descriptor)

        ended = manager(command, "--json", *options, descriptor)

    assert_valid(ended, command, status)
    assert list(ended.outcomes().values()) == [outcome]


def grow(manager: Publisher, descriptor: Path) -> None:
    """Make another image of the same release, and its pair."""
    (image,) = manager.folder.glob("work-*/image/*.iso")
    with image.open("ab") as out:
        out.write(bytes(2048))
    assert manager("pair", descriptor).status == 0


@pytest.mark.parametrize(
    "command",
    [
        *("plan", "sync", "rewrite", "assemble", "verify", "build", "validate"),
        *("compose", "pair", "publish"),
    ],
)
def test_commands_that_cannot_begin(workdir: Path, command: str) -> None:
    (workdir / "bad.yaml").write_text("version: x\nmirorr: /\n")

    ended = release_builder(command, "--json", "bad.yaml", cwd=workdir)

    assert_valid(ended, command, 2)


def test_promote_that_cannot_begin(workdir: Path) -> None:
    ended = release_builder("promote", "--json", "none.yaml", "--to", "9.0", cwd=workdir)

    assert_valid(ended, "promote", ended.status)
    assert ended.status > 0


@pytest.mark.parametrize("command", ["plan", "sync", "build"])
def test_commands_that_fail(workdir: Path, command: str) -> None:
    text = "version: 9.0beta3\narch: x86_64\nmirror: rsync://127.0.0.1:1/none/\n"
    (workdir / "sme9.yaml").write_text(text)

    ended = release_builder(command, "--json", "sme9.yaml", cwd=workdir)

    assert_valid(ended, command, 1)


def test_validate(workdir: Path) -> None:
    text = "version: 9.0beta3\narch: x86_64\nmirror: rsync://127.0.0.1/module/\n"
    (workdir / "good.yaml").write_text(text)

    ended = release_builder("validate", "--json", "good.yaml", cwd=workdir)

    assert_valid(ended, "validate", 0)


def test_init(workdir: Path) -> None:
    ended = release_builder("init", "--json", "new.yaml", cwd=workdir)

    assert_valid(ended, "init", 0)
    assert (workdir / "new.yaml").is_file()


@pytest.mark.interop
def test_demo(workdir: Path) -> None:
    ended = release_builder("demo", "--json", cwd=workdir)

    assert_valid(ended, "demo", 0)


@pytest.mark.interop
@pytest.mark.parametrize("command", ["plan", "build", "missing"])
def test_commands_on_a_release_of_the_web(mirror: Mirror, workdir: Path, command: str) -> None:
    release = mirror.release
    lost = max((release.mirror / release.path / "smeos").rglob("*.rpm"))
    lost.unlink()
    with serve(release.mirror) as server:
        (workdir / "sme9.yaml").write_text(
            f"version: {release.recipe.version}\narch: {release.recipe.arch}\n"
            f"mirror: {server.url}{release.path}\nfetch: {{retries: 0}}\n"
        )
        if command == "missing":
            release_builder("build", "sme9.yaml", cwd=workdir)

        ended = release_builder(command, "--json", "sme9.yaml", cwd=workdir)

    assert_valid(ended, command, 0 if command == "plan" else 1)
    if command == "missing":
        assert [each["tries"][0]["answer"] for each in ended.document["releases"][0]["missing"]]


@pytest.mark.parametrize("text", ["version: x\n", "version: 9.0\narch: x86_64\nmirror: h::m/\n"])
def test_missing_without_a_release_or_its_pair(workdir: Path, text: str) -> None:
    (workdir / "sme9.yaml").write_text(text)

    ended = release_builder("missing", "--json", "sme9.yaml", cwd=workdir)

    assert_valid(ended, "missing", ended.status)
    assert ended.status > 0
    assert ended.document["releases"] == []
    assert ended.document["findings"]


def test_probe(workdir: Path, web: BadServer) -> None:
    servers = ("A=http://127.0.0.1:1/", f"A={web.url}/none/", f"A={web.url}/tree/", "A=file:/x/")
    (workdir / "cd.jigdo").write_bytes(_RELEASE.jigdo(*servers))

    ended = release_builder("mirrors", "probe", "--json", "cd.jigdo", cwd=workdir)

    assert_valid(ended, "probe", 0)
    assert len(ended.document["mirrors"]) == 4


@pytest.mark.parametrize(
    ("name", "status"),
    [pytest.param("none.jigdo", 3, id="no file"), pytest.param("bad.jigdo", 2, id="no .jigdo")],
)
def test_probe_that_cannot_begin(workdir: Path, name: str, status: int) -> None:
    (workdir / "bad.jigdo").write_bytes(b"\0\1")

    ended = release_builder("mirrors", "probe", "--json", name, cwd=workdir)

    assert_valid(ended, "probe", status)


def fetch(*arguments: str, cwd: Path) -> Ended:
    bounds = ("--retries", "0", "--timeout", "10")
    return release_builder("jigdo", "fetch", "--json", *bounds, *arguments, cwd=cwd)


def test_fetch_of_an_image(workdir: Path, web: BadServer) -> None:
    first = fetch(f"{web.url}/cd.jigdo", cwd=workdir)
    second = fetch(f"{web.url}/cd.jigdo", cwd=workdir)

    assert_valid(first, "fetch", 0, _FETCH)
    assert_valid(second, "fetch", 0, _FETCH)
    assert [each["was_there"] for each in first.document["images"]] == [False]
    assert [each["was_there"] for each in second.document["images"]] == [True]
    assert first.document["images"][0]["bytes_fetched"] > 0


@pytest.mark.parametrize(
    ("trouble", "status", "answer"),
    [
        pytest.param(Trouble(status=404), 1, "not_found", id="nowhere"),
        pytest.param(Trouble(body=b"x" * 20_000), 2, "wrong_bytes", id="wrong"),
    ],
)
def test_fetch_of_an_image_that_lacks_a_part(
    workdir: Path, web: BadServer, trouble: Trouble, status: int, answer: str
) -> None:
    web.troubles[f"/tree/{_FIRST}"] = trouble
    web.content["/cd.jigdo"] = _RELEASE.jigdo(f"A={web.url}/tree/", "A=ftp://127.0.0.1/")
    (workdir / "cd.iso").write_bytes(b"mine")

    ended = fetch(f"{web.url}/cd.jigdo", cwd=workdir)

    assert_valid(ended, "fetch", status, _FETCH)
    (image,) = ended.document["images"]
    (missing,) = image["missing"]
    assert (missing["tries"][0]["answer"], len(missing["unasked"])) == (answer, 1)
    assert image["moved"]


def test_fetch_of_what_is_not_there_beside_what_is(workdir: Path, web: BadServer) -> None:
    ended = fetch(f"{web.url}/{{cd,none}}.jigdo", "none.jigdo", cwd=workdir)

    assert_valid(ended, "fetch", 2, _FETCH)
    right, absent, no_file = ended.document["images"]
    assert right["complete"]
    assert "not found" in absent["error"]["message"]
    assert "none.jigdo" in no_file["error"]["message"]


def test_of_several_images_what_is_wrong_speaks_louder_than_what_this_machine_lacks(
    workdir: Path, web: BadServer
) -> None:
    (workdir / "cd.jigdo").write_bytes(b"mine, and no .jigdo")

    ended = fetch("none.jigdo", f"{web.url}/cd.jigdo", cwd=workdir)

    assert_valid(ended, "fetch", 2, _FETCH)
    assert "is there already" in ended.document["images"][1]["error"]["message"]


def test_fetch_that_cannot_begin(workdir: Path) -> None:
    ended = fetch("{1,2}" * 10, cwd=workdir)

    assert_valid(ended, "fetch", 2)
    with pytest.raises(ValidationError):
        _FETCH.validate(ended.document)


def test_progress_of_a_fetch(workdir: Path, web: BadServer) -> None:
    web.troubles = dict.fromkeys(_RELEASE.tree(), Trouble(piece=4000, pause=0.2))

    ended = fetch("--progress=json", "-v", f"{web.url}/cd.jigdo", cwd=workdir)

    assert_valid(ended, "fetch", 0, _FETCH)
    events = [json.loads(line) for line in ended.stderr.splitlines()]
    for event in events:
        _EVENT.validate(event)
    kinds = [event["event"] for event in events]
    assert kinds.count("begin") == kinds.count("end") == 1
    assert {"progress", "detail"} <= set(kinds)
    (end,) = (event for event in events if event["event"] == "end")
    assert end["done"] == end["total"] == len(_RELEASE.image)


def test_a_missing_part_is_the_same_in_all_documents() -> None:
    shared = {"missing_part", "answer", "count"}

    fetched, printed = (
        {name: each["$defs"][name] for name in shared} for each in (_FETCHED, _OUTPUT)
    )

    assert fetched == printed


def test_every_answer_of_a_server_is_in_the_schema() -> None:
    assert _OUTPUT["$defs"]["answer"]["enum"] == [answer.name.lower() for answer in Answer]


@pytest.mark.parametrize("schema", [_OUTPUT, _FETCHED])
def test_a_schema_is_one_itself(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"complete": False}, "non-empty", id="nothing is missing"),
        pytest.param({"bytes_missing": 1}, "0 was expected", id="complete, but bytes are missing"),
        pytest.param({"more": 1}, "Additional properties", id="unknown key"),
        pytest.param({"digest": "md5:x"}, "does not match", id="no digest"),
    ],
)
def test_what_contradicts_itself_is_no_image(change: dict[str, object], said: str) -> None:
    image = {
        "jigdo": "cd.jigdo",
        "image": "cd.iso",
        "complete": True,
        "was_there": False,
        "assurance": "integrity",
        "digest": f"md5:{'0' * 32}",
        "length": 1,
        "parts": {"found": 1, "wanted": 1},
        "bytes_fetched": 1,
        "bytes_missing": 0,
        "missing": [],
        "wrong": [],
        "moved": None,
        "notes": [],
    }
    validator = Draft202012Validator({"$ref": "#/$defs/image", "$defs": _FETCHED["$defs"]})

    validator.validate(image)
    with pytest.raises(ValidationError, match=said):
        validator.validate(image | change)
