"""``compare``: what is said of two releases, and how it ends."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

import pytest
from comparing import ENTRIES, NEW, OLD, bytes_to_fetch, lay_out_release, rpm_of
from jsonschema import Draft202012Validator
from program import release_builder
from rich.filesize import decimal

from release_builder.files import resource

if TYPE_CHECKING:
    from pathlib import Path

    from program import Ended

SCHEMA = Draft202012Validator(json.loads(resource("data/compare.schema.json").read_text()))


@pytest.fixture
def releases(workdir: Path) -> Path:
    """A folder with the releases ``old`` and ``new``."""
    lay_out_release(workdir / "old", OLD)
    lay_out_release(workdir / "new", NEW)
    return workdir


def compare(*arguments: str, cwd: Path) -> Ended:
    return release_builder("compare", *arguments, cwd=cwd)


def test_the_changes_are_told_in_80_columns(releases: Path) -> None:
    come = len(NEW.parts["Packages/come-1.0-1.el6.sme.noarch.rpm"])
    gone = len(OLD.parts["Packages/gone-1.0-1.el6.sme.noarch.rpm"])

    ended = compare("old", "new", cwd=releases)

    assert (ended.status, ended.stderr) == (0, "")
    assert max(map(len, ended.stdout.splitlines())) <= 80
    words = " ".join(ended.stdout.split())
    assert "updated mail.noarch 1.0-1.el6.sme → 1.0-3.el6.sme +3.1 kB bugs 7001, 8123" in words
    assert f"added come.noarch 1.0-1.el6.sme +{decimal(come)}" in words
    assert f"removed gone.noarch 1.0-1.el6.sme -{decimal(gone)}" in words
    assert "downgraded slow.x86_64 1.10-1.el6.sme → 1.9-1.el6.sme 0" in words
    assert "rebuilt signed.noarch 1.0-1.el6.sme 0" in words
    assert "changed images/boot.img" in words
    assert "1 updated, 1 added, 1 removed, 1 downgraded, 1 rebuilt, 1 unchanged" in words
    assert "5 parts and the template" in words
    assert ENTRIES[0].text not in words


def test_changelogs_are_shown_to_those_who_want_more(releases: Path) -> None:
    words = " ".join(compare("-v", "old", "new", cwd=releases).stdout.split())

    for entry in ENTRIES[:2]:
        assert f"{entry.author} {entry.text}" in words
    assert "2014-02-04 A. Dev" in words
    assert ENTRIES[2].text not in words


def test_long_names_and_versions_have_lines_of_their_own(workdir: Path) -> None:
    name = "php-pear-Net-a-very-long-name-of-a-package-indeed"
    for side, evr in (("old", f"1.0.{'1' * 20}-1.el6"), ("new", f"1.0.{'2' * 20}-1.el6")):
        (workdir / side).mkdir()
        (workdir / side / f"{name}.rpm").write_bytes(rpm_of(name, evr))

    ended = compare("old", "new", cwd=workdir)

    assert max(map(len, ended.stdout.splitlines())) <= 80
    assert re.search(rf"^  {name}\.noarch +0$", ended.stdout, re.MULTILINE)
    assert re.search(r"^ +1\.0\.1+-1\.el6 → 1\.0\.2+-1\.el6$", ended.stdout, re.MULTILINE)


def test_names_from_outside_do_no_harm_to_a_terminal(workdir: Path) -> None:
    for side, evr in (("old", "1-1"), ("new", "2-\x1b[2J")):
        (workdir / side).mkdir()
        (workdir / side / "a.rpm").write_bytes(rpm_of("a\x1b[31m", evr))

    ended = compare("old", "new", cwd=workdir)

    assert "\x1b" not in ended.stdout
    assert r"a\x1b[31m.noarch" in ended.stdout


def test_of_a_jigdo_it_is_said_that_changelogs_are_unknown(releases: Path) -> None:
    ended = compare("old", "new/iso/x86_64/cd-x86_64.jigdo", cwd=releases)

    assert "changelogs  not known" in ended.stdout


def test_quiet_says_nothing_but_problems(releases: Path) -> None:
    (releases / "new/iso/x86_64/cd.template").unlink()

    ended = compare("-q", "old", "new", cwd=releases)

    assert (ended.status, ended.stdout) == (0, "")
    assert ended.stderr.startswith("warning: ")


def test_the_document_is_as_its_schema_says(releases: Path) -> None:
    ended = compare("--json", "old", "new", cwd=releases)

    SCHEMA.validate(ended.document)
    assert ended.status == ended.document["exit_status"] == 0
    mail = next(each for each in ended.document["packages"] if each["name"] == "mail")
    assert (mail["change"], mail["bugs"]) == ("updated", [7001, 8123])
    assert (mail["old"]["version"], mail["new"]["version"]) == ("1.0-1.el6.sme", "1.0-3.el6.sme")
    assert [entry["text"] for entry in mail["changelog"]] == [each.text for each in ENTRIES[:2]]
    wanted = ended.document["bytes_to_fetch"]
    assert wanted["total"] == bytes_to_fetch(OLD, NEW) + len(NEW.template)


def test_the_document_of_names_alone_is_as_its_schema_says(releases: Path) -> None:
    (releases / "new/iso/x86_64/cd.template").unlink()

    ended = compare("--json", "old/iso/x86_64", "new/iso/x86_64", cwd=releases)

    SCHEMA.validate(ended.document)
    assert ended.document["bytes_to_fetch"]["total"] is None


def test_a_page_is_written_that_loads_nothing(releases: Path) -> None:
    ended = compare("--html", "page.html", "old", "new", cwd=releases)

    page = (releases / "page.html").read_text()
    assert ended.status == 0
    assert '<a href="https://bugs.koozali.org/show_bug.cgi?id=8123">8123</a>' in page
    assert "Open &lt;port&gt; &amp; log" in page
    assert not re.search(r"(?:src|data-src)\s*=|@import|url\(", page)
    assert not re.search(r"<link(?![^>]*href=\"data:)", page)


def test_bugs_are_linked_to_where_the_user_has_them(releases: Path) -> None:
    pattern = "https://bugs.example/{bug}?x=1&y=2"

    compare("--html", "page.html", "--bug-url", pattern, "old", "new", cwd=releases)

    page = (releases / "page.html").read_text()
    assert '<a href="https://bugs.example/8123?x=1&amp;y=2">8123</a>' in page


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param("https://bugs.example/", id="without the number"),
        pytest.param("javascript:alert({bug})", id="no address"),
    ],
)
def test_a_pattern_that_makes_no_links_is_refused(releases: Path, pattern: str) -> None:
    ended = compare("--html", "page.html", "--bug-url", pattern, "old", "new", cwd=releases)

    assert ended.status == 2
    assert "makes no links" in ended.stderr
    assert not (releases / "page.html").exists()


def test_a_page_is_replaced_only_by_force(releases: Path) -> None:
    (releases / "page.html").write_text("precious")

    refused = compare("--html", "page.html", "old", "new", cwd=releases)
    kept = (releases / "page.html").read_text()
    forced = compare("--force", "--html", "page.html", "old", "new", cwd=releases)

    assert (refused.status, kept, forced.status) == (3, "precious", 0)
    assert "8123" in (releases / "page.html").read_text()


@pytest.mark.parametrize(
    ("new", "status", "words"),
    [
        pytest.param("absent", 2, "is no release", id="absent"),
        pytest.param("http://127.0.0.1:1/9/", 1, "unreachable", id="unreachable"),
        pytest.param("pipe.jigdo", 3, "not a regular file", id="unreadable"),
    ],
)
def test_the_status_says_who_is_at_fault(releases: Path, new: str, status: int, words: str) -> None:
    os.mkfifo(releases / "pipe.jigdo")

    ended = compare("old", new, "--timeout", "5", cwd=releases)

    assert ended.status == status
    assert words in ended.stderr


def test_equal_releases_have_no_changes(releases: Path) -> None:
    ended = compare("--json", "new", "new", cwd=releases)

    assert ended.document["packages"] == ended.document["files"] == []
    assert ended.document["unchanged"] == 5
    assert ended.document["bytes_to_fetch"]["parts"] == 0
