"""The status page, as a reader and a program get it."""

from __future__ import annotations

import json
import os
import re
import stat
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import jsonschema
import pytest
from status_samples import FRESH, NEVER, NOW, ODD_RUNS, ODD_STATES, RUNS, STATES, run, state

from release_builder.api.telling import write_status_page
from release_builder.files import resource

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from release_builder.state.history import RecordedRun, ReleaseState

SCHEMA = json.loads(resource("data/status-page.schema.json").read_text("utf-8"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "www/status"


def written(
    folder: Path, states: Sequence[ReleaseState] = STATES, runs: Sequence[RecordedRun] = RUNS
) -> str:
    """The page's text."""
    write_status_page(folder, states, runs, NOW)
    return (folder / "index.html").read_text("utf-8")


def words(page: str) -> str:
    """What is read on a page, all blanks alike."""
    body = page.partition("<body>")[2]
    return " ".join(re.sub(r"<[^>]*>", " ", body).split())


def test_each_release_stands_there_as_it_does(folder: Path) -> None:
    text = words(written(folder))

    assert "1 fresh 1 failing 1 stale 1 never built" in text
    assert "As of 2014-02-20 03:30 UTC" in text
    assert "29 min ago fresh until 2014-02-21 05:00 UTC" in text
    assert "smeserver i386 (smeserver) 9.0beta3 smeserver.yaml 24 h ago" in text
    assert "3 days ago stale since 2014-02-17 21:30 UTC" in text
    assert "never failing for 2 h" in text


def test_a_failure_is_told_with_what_to_do(folder: Path) -> None:
    text = words(written(folder))

    assert (
        "2014-02-20 03:12 UTC , stopped in assemble, after 95 s"
        " /var/lib/smeserver/i386/image: No space left on device"
        " What to do: free some room, or name another folder"
    ) in text


def test_where_nothing_failed_it_says_so(folder: Path) -> None:
    assert "Last failures None that is remembered." in words(written(folder, STATES[:1], FRESH))


def test_only_the_last_failures_and_runs_are_there(folder: Path) -> None:
    many = [replace(NEVER, started=NOW - timedelta(hours=hour)) for hour in range(50)]

    page = written(folder, STATES[3:], many)

    assert page.count('<p class="what">') == 10
    assert page.count("<tr>") == 1 + 1 + 1 + 10


def test_a_machine_that_keeps_nothing_says_how_to_begin(folder: Path) -> None:
    page = written(folder, (), ())

    assert "No run has ended yet." in page
    assert "release-builder refresh FILE" in page
    assert sorted(each.name for each in folder.iterdir()) == ["index.html", "status.json"]


def test_releases_of_one_name_are_told_apart_by_their_descriptors(folder: Path) -> None:
    text = words(written(folder))

    assert "smeserver i386 (smeserver)" in text
    assert "smeserver i386 (smeserver-old)" in text
    assert "smeserver x86_64 9.0beta3" in text


@pytest.mark.parametrize(
    ("image", "link"),
    [
        pytest.param("releases/a b.iso", "../releases/a%20b.iso", id="beside the page"),
        pytest.param("status/x.iso", "x.iso", id="below the page"),
        pytest.param("../x.iso", None, id="elsewhere"),
    ],
)
def test_an_image_that_lies_around_the_page_has_a_link(
    folder: Path, image: str, link: str | None
) -> None:
    path = os.path.normpath(folder.parent / image)

    page = written(folder, [replace(STATES[0], image=path)])

    links = re.findall(r'<a href="([^"]*)">', page.partition("<main")[2].partition("</main>")[0])
    assert links == ([link] if link else [])
    assert path.rpartition("/")[2] in page


@pytest.mark.parametrize(
    ("states", "runs"),
    [
        pytest.param(STATES, RUNS, id="some"),
        pytest.param((), (), id="none"),
        pytest.param(ODD_STATES, ODD_RUNS, id="odd names"),
        pytest.param([replace(STATES[0], last_run=None)], (), id="never ran"),
    ],
)
def test_the_document_is_what_its_schema_promises(
    folder: Path, states: Sequence[ReleaseState], runs: Sequence[RecordedRun]
) -> None:
    written(folder, states, runs)

    document = json.loads((folder / "status.json").read_text("ascii"))
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert len(document["releases"]) == len(states)


def test_programs_are_told_what_people_are(folder: Path) -> None:
    written(folder)

    document = json.loads((folder / "status.json").read_text())
    releases = {each["name"]: each for each in document["releases"]}
    assert [each["state"] for each in releases.values()] == ["fresh", "failing", "stale", "never"]
    assert (
        releases["smeserver i386 (smeserver)"]["hint"] == "free some room, or name another folder"
    )
    assert releases["smeserver x86_64"]["fresh_until"] == "2014-02-21T05:00:03Z"
    assert releases["smeserver i386 (smeserver-old)"]["last_success"] is None


def test_odd_names_stay_text(folder: Path) -> None:
    page = written(folder, ODD_STATES, ODD_RUNS)

    assert "<script" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("name", ["durations.svg", "sizes.svg"])
def test_a_chart_has_nothing_that_runs_or_comes_from_elsewhere(folder: Path, name: str) -> None:
    written(folder)

    text = (folder / name).read_text("utf-8")
    assert set(re.findall(r"https?://[^\"'\s<]*", text)) == {"http://www.w3.org/2000/svg"}
    tags = {each.tag.rpartition("}")[2] for each in ET.fromstring(text).iter()}
    assert tags <= {"svg", "defs", "style", "title", "desc", "g", "path", "rect", "circle", "text"}
    assert "<!--" not in text


def test_a_chart_tells_who_cannot_see_it(folder: Path) -> None:
    page = written(folder)

    assert re.search(r'alt="[^"]*smeserver x86_64: 40 runs, the newest 3 s, the most 23 min', page)
    root = ET.fromstring((folder / "sizes.svg").read_text("utf-8"))
    told = {each.tag.rpartition("}")[2]: str(each.text) for each in root}
    assert root[0].text == told["title"] == "How large images became"
    assert "the newest 727.7 MB" in told["desc"]


def test_the_same_history_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    written(folder)
    written(tmp_path / "www/again")

    for path in folder.iterdir():
        assert path.read_bytes() == (tmp_path / "www/again" / path.name).read_bytes()


def test_a_chart_has_no_more_lines_than_colours(folder: Path) -> None:
    runs = [run(f"release{number}", "i386", number + 1) for number in range(9)]

    written(folder, [state(each, each) for each in runs], runs)

    svg = (folder / "durations.svg").read_text("utf-8")
    assert [name for name in range(9) if f">release{name} i386<" in svg] == [0, 1, 2, 3, 4, 5]


def test_runs_that_say_nothing_of_a_release_are_not_shown(folder: Path) -> None:
    busy = replace(NEVER, status=75)
    verify = replace(NEVER, command="verify", problem="another command's")

    text = words(written(folder, STATES[3:], [busy, verify]))

    assert "Last runs" not in text
    assert "another command's" not in text


def test_the_files_are_there_for_a_web_server_to_read(folder: Path) -> None:
    before = os.umask(0o077)
    try:
        written(folder)
    finally:
        os.umask(before)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == dict.fromkeys(
        ["durations.svg", "index.html", "sizes.svg", "status.json"], 0o644
    )


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(OSError, match="file") as caught:
        written(tmp_path / "file/status")

    assert isinstance(caught.value, NotADirectoryError)
