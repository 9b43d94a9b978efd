"""The jigdo-lite look-alike as a process of its own, asked through a pipe or not at all."""

from __future__ import annotations

import importlib.metadata
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from bad_server import BadServer, Trouble
from builders import make_tree, our_pair
from golden import GOLDEN, IMAGE, TREE, write_tree

from release_builder import __version__
from release_builder.api import Match
from release_builder.cli.jigdo_lite import main

if TYPE_CHECKING:
    from collections.abc import Iterator

GOOD = "OK: MD5 Checksums match, image is good!"
FOUND = "Found 3 of the 3 files required by the template"
PROGRAM = (
    sys.executable,
    "-c",
    "import sys; sys.argv[0] = 'jigdo-lite'; "
    "from release_builder.cli.jigdo_lite import main; main()",
)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended."""

    status: int
    out: str
    err: str

    def count(self, words: str) -> int:
        return (self.out + self.err).count(words)


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a user sits: a folder with a pair, its files in another, a server elsewhere."""

    here: Path
    tree: Path
    home: Path
    server: BadServer

    @property
    def image(self) -> Path:
        return self.here / "image.bin"

    def jigdo(self, name: str, *changes: tuple[str, str]) -> Path:
        """A .jigdo file with changes in its text; its servers are the loopback server."""
        text = (GOLDEN / "md5.jigdo").read_text()
        url = ("http://mirror.example/os/", f"{self.server.url}/os/")
        for old, new in (url, *changes):
            text = text.replace(old, new)
        path = self.here / name
        path.write_text(text)
        return path

    def settings(self, text: str = "") -> str:
        """What is in ~/.jigdo-lite; put there before if ``text`` says something."""
        path = self.home / ".jigdo-lite"
        if text:
            path.write_text(text)
        return path.read_text() if path.exists() else ""

    def run(self, *arguments: str, answers: str = "") -> Ended:
        """Run the program to its end; what it reads ends with the answers."""
        ended = subprocess.run(
            [*PROGRAM, *arguments],
            cwd=self.here,
            input=answers,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in ended.stderr, ended.stderr
        return Ended(ended.returncode, ended.stdout, ended.stderr)


@pytest.fixture
def server() -> Iterator[BadServer]:
    """A server with the parts; ``/iso/`` has the pair too."""
    files = {f"/os/{name}": content for name, content in TREE.items()}
    with BadServer(files) as running:
        yield running


@pytest.fixture
def desk(workdir: Path, server: BadServer) -> Desk:
    here, tree = workdir / "iso" / "x86_64", workdir / "tree"
    here.mkdir(parents=True)
    write_tree(tree)
    (here / "md5.template").write_bytes((GOLDEN / "md5.template").read_bytes())
    desk = Desk(here, tree, Path(os.environ["HOME"]), server)
    desk.jigdo("cd.jigdo")
    return desk


def publish(desk: Desk) -> str:
    """Put the pair on the server; the URL of its .jigdo."""
    for name in ("cd.jigdo", "md5.template"):
        path = desk.here / name
        desk.server.content[f"/iso/{name}"] = path.read_bytes()
        path.unlink()
    return f"{desk.server.url}/iso/cd.jigdo"


def test_the_look_alike_is_installed_under_its_name() -> None:
    (script,) = importlib.metadata.entry_points(
        group="console_scripts", name="release-builder-jigdo-lite"
    )

    assert script.load() is main


def test_the_version_and_the_help_are_jigdo_lites_in_form(desk: Desk) -> None:
    version, usage = desk.run("-v"), desk.run("-h")

    assert (version.status, usage.status) == (0, 0)
    assert version.out == f"jigdo-lite/{__version__} (release-builder)\n"
    assert usage.out.startswith("Usage: jigdo-lite [OPTIONS] [FILES or URLS...]\n")
    for option in ("-h, --help", "-v, --version", "--scan PATH", "--noask"):
        assert option in usage.out


def test_a_scan_builds_the_image_and_asks_no_server(desk: Desk) -> None:
    ended = desk.run("--noask", "--scan", "../../tree", "cd.jigdo")

    assert ended.status == 0, ended.err
    assert desk.image.read_bytes() == IMAGE
    assert FOUND in ended.err
    assert GOOD in ended.err
    assert desk.server.requests == []
    assert sorted(path.name for path in desk.here.iterdir()) == [
        "cd.jigdo",
        "image.bin",
        "md5.template",
    ]


@pytest.mark.parametrize(
    "arguments", [["--noask", "--scan", "../../tree"], []], ids=["unasked", "asking"]
)
def test_an_image_that_is_there_and_right_is_left_alone(desk: Desk, arguments: list[str]) -> None:
    desk.image.write_bytes(IMAGE)
    before = desk.image.stat().st_mtime_ns

    ended = desk.run(*arguments, "cd.jigdo")

    assert ended.status == 0, ended.err
    assert GOOD in ended.err
    assert "was there already" in ended.out
    assert desk.image.stat().st_mtime_ns == before
    assert ended.count("Files to scan") == 0


def test_a_wrong_image_is_moved_aside_and_kept(desk: Desk) -> None:
    desk.image.write_bytes(b"something dear")

    ended = desk.run("--noask", "--scan", "../../tree", "cd.jigdo")

    assert ended.status == 0, ended.err
    assert desk.image.read_bytes() == IMAGE
    assert (desk.here / "aside" / "image.bin").read_bytes() == b"something dear"
    assert ended.count("image.bin was there, but is another image: it is aside/image.bin") == 1


def test_parts_that_are_not_at_hand_come_from_the_servers(desk: Desk) -> None:
    (desk.tree / "a.txt").unlink()

    ended = desk.run("--noask", "--scan", "../../tree", "cd.jigdo")

    assert ended.status == 0, ended.err
    assert desk.image.read_bytes() == IMAGE
    assert [request.path for request in desk.server.requests] == ["/os/a.txt"]


def test_a_pair_from_the_web_stays_here_under_its_names(desk: Desk) -> None:
    url = publish(desk)

    ended = desk.run("--noask", url)

    assert ended.status == 0, ended.err
    assert sorted(path.name for path in desk.here.iterdir()) == [
        "cd.jigdo",
        "image.bin",
        "md5.template",
    ]
    assert desk.image.read_bytes() == IMAGE


def test_a_run_with_missing_parts_ends_and_the_next_one_goes_on(desk: Desk) -> None:
    content = desk.server.content.pop("/os/a.txt")

    first = desk.run("--noask", "cd.jigdo")
    desk.server.content["/os/a.txt"] = content
    second = desk.run("--noask", "cd.jigdo")

    assert first.status == 1
    assert "jigdo-lite: missing: a.txt\n" in first.err
    assert f"{desk.server.url}/os/a.txt: not found" in first.err
    assert "Found 1 of the 3 files required by the template" in first.err
    assert "image.bin is not finished: 1 part is missing (1.6 kB)\n" in first.err
    assert second.status == 0, second.err
    assert desk.image.read_bytes() == IMAGE
    assert len(desk.server.asked("/os/b%20c%23.bin")) == 1


def test_what_is_odd_about_a_jigdo_is_told_once(desk: Desk) -> None:
    desk.jigdo("cd.jigdo", ("Template-MD5Sum", "Template-Sum"))

    ended = desk.run("cd.jigdo", answers="../../tree/a.txt\n\n")

    assert ended.status == 0, ended.err
    assert ended.count("cd.jigdo has no digest of its template") == 1


def test_places_that_are_no_web_servers_are_not_asked(desk: Desk) -> None:
    desk.jigdo("cd.jigdo", (f"{desk.server.url}/os/", f"file:{desk.tree}/"))

    ended = desk.run("--noask", "cd.jigdo")

    assert ended.status == 1
    assert f"  not asked: file:{desk.tree}/a.txt\n" in ended.err


def test_a_part_that_is_wrong_everywhere_is_wrong_and_no_image_is_made(desk: Desk) -> None:
    desk.server.content["/os/a.txt"] = bytes(1550)

    ended = desk.run("--noask", "cd.jigdo")

    assert ended.status == 2
    assert "a.txt: wrong bytes" in ended.err
    assert not desk.image.exists()


@pytest.mark.parametrize(
    ("jigdo", "status", "what"),
    [
        pytest.param("none.jigdo", 2, "there is no file 'none.jigdo'", id="absent"),
        pytest.param("http://127.0.0.1:1/x.jigdo", 1, "unreachable", id="unreachable"),
        pytest.param("ftp://h/x.jigdo", 2, "only http", id="ftp"),
        pytest.param("md5.template", 2, "no .jigdo file", id="other file"),
    ],
)
def test_a_jigdo_that_is_not_to_be_had_is_told(
    desk: Desk, jigdo: str, status: int, what: str
) -> None:
    desk.settings("wgetOpts='--tries=1'\n")

    ended = desk.run("--noask", jigdo)

    assert (ended.status, ended.count(what)) == (status, 1), ended.err


def test_a_scan_that_is_not_there_is_told_and_the_servers_are_asked(desk: Desk) -> None:
    ended = desk.run("--noask", "--scan", "nowhere", "cd.jigdo")

    assert ended.status == 0, ended.err
    assert "jigdo-lite: nowhere is not there" in ended.err
    assert desk.image.read_bytes() == IMAGE


def test_a_mistake_on_the_command_line_touches_nothing(desk: Desk) -> None:
    before = sorted(desk.here.iterdir())

    ended = desk.run("cd.jigdo", "--noask")

    assert (ended.status, ended.out) == (2, "")
    assert sorted(desk.here.iterdir()) == before


def test_a_long_list_of_missing_parts_is_cut(desk: Desk) -> None:
    tree = make_tree(desk.here.parent / "parts", {f"p{number:02}": 2000 for number in range(13)})
    image = b"".join([bytes(100), *(path.read_bytes() for path in sorted(tree.iterdir()))])
    (desk.here / "many.iso").write_bytes(image)
    our_pair(desk.here / "many.iso", tree, desk.here, match=Match.CONTENT, url=desk.server.url)
    (desk.here / "many.iso").unlink()

    ended = desk.run("--noask", "many.jigdo")

    assert ended.status == 1
    assert ended.count("jigdo-lite: missing: ") == 10
    assert "13 parts are missing (26.0 kB); 3 not shown here" in ended.err


class TestSeveralImages:
    """Batch mode."""

    def test_all_are_built_and_the_worst_status_counts(self, desk: Desk) -> None:
        desk.jigdo("2.jigdo", ("image.bin", "second.bin"))

        ended = desk.run("--noask", "none.jigdo", "cd.jigdo", "2.jigdo")

        assert ended.status == 2
        assert desk.image.read_bytes() == IMAGE
        assert (desk.here / "second.bin").read_bytes() == IMAGE
        assert "2.jigdo (image 3 of 3)" in ended.out

    def test_a_list_in_braces_needs_no_shell(self, desk: Desk) -> None:
        for number in (1, 2, 3):
            desk.jigdo(f"cd-{number}.jigdo", ("image.bin", f"{number}.bin"))

        ended = desk.run("--noask", "--scan", "../../tree", "cd-{1,2,3}.jigdo")

        assert ended.status == 0, ended.err
        assert all((desk.here / f"{number}.bin").read_bytes() == IMAGE for number in (1, 2, 3))

    def test_answers_hold_for_all_images(self, desk: Desk) -> None:
        desk.jigdo("2.jigdo", ("image.bin", "second.bin"))

        ended = desk.run("cd.jigdo", "2.jigdo", answers="../../tree/a.txt\n\n")

        assert ended.status == 0, ended.err
        assert ended.count("Files to scan") == 2
        assert len(desk.server.asked("/os/b%20c%23.bin")) == 2
        assert desk.server.asked("/os/a.txt") == []

    def test_an_interrupt_ends_them_all(self, desk: Desk) -> None:
        desk.server.troubles["/os/a.txt"] = Trouble(stall_after=10)
        argv = [*PROGRAM, "--noask", "cd.jigdo", "cd.jigdo"]
        with subprocess.Popen(argv, cwd=desk.here, stderr=subprocess.PIPE, text=True) as running:
            while not desk.server.asked("/os/a.txt"):
                assert running.poll() is None
                time.sleep(0.02)
            running.send_signal(signal.SIGINT)
            _, err = running.communicate(timeout=60)

        assert running.returncode == 130
        assert "jigdo-lite: interrupted: the same command goes on from here\n" in err
        assert "Traceback" not in err


class TestAnswers:
    """From a pipe, as scripts give them."""

    def test_a_place_is_asked_for_before_any_server(self, desk: Desk) -> None:
        ended = desk.run("cd.jigdo", answers="../../tree\n")

        assert ended.status == 0, ended.err
        assert ended.out.count("Files to scan: ../../tree\n") == 1
        assert FOUND in ended.err
        assert desk.server.requests == []

    def test_places_are_asked_for_until_there_are_no_more(self, desk: Desk) -> None:
        ended = desk.run("cd.jigdo", answers="../../tree/a.\0txt\n../../nowhere\n\n")

        assert ended.status == 0, ended.err
        assert "Found 2 of the 3 files required by the template" in ended.err
        assert "jigdo-lite: ../../nowhere is not there" in ended.err
        assert [request.path for request in desk.server.requests] == ["/os/b%20c%23.bin"]

    def test_an_image_is_a_place_too(self, desk: Desk) -> None:
        (desk.here.parent / "old.bin").write_bytes(IMAGE)
        for name in ("old.template", "old.bin.template"):
            (desk.here.parent / name).write_bytes((GOLDEN / "md5.template").read_bytes())

        ended = desk.run("cd.jigdo", answers="../old.template\n\n")

        assert ended.status == 0, ended.err
        assert desk.image.read_bytes() == IMAGE

    def test_a_place_is_remembered_by_its_number(self, desk: Desk) -> None:
        first = desk.run("cd.jigdo", answers="../../tree\n")
        desk.image.unlink()

        second = desk.run("cd.jigdo", answers="1\n")

        assert first.status == second.status == 0
        assert f"  1: {desk.tree}\n" in second.out
        assert f"scanMenu='{desk.tree}'\n" in desk.settings()
        assert desk.server.requests == []

    @pytest.mark.parametrize(
        "command",
        [
            pytest.param('"$@" cd.jigdo </dev/null', id="no answers"),
            pytest.param('"$@" cd.jigdo <&-', id="closed"),
            pytest.param('yes nowhere | "$@" cd.jigdo', id="endless mistakes"),
            pytest.param("yes '' | \"$@\" cd.jigdo", id="endless defaults"),
            pytest.param('yes ../../tree/a.txt | "$@" cd.jigdo', id="endless places"),
            pytest.param('printf x | "$@" cd.jigdo', id="half a line"),
        ],
    )
    def test_nothing_is_asked_for_ever(self, desk: Desk, command: str) -> None:
        del desk.server.content["/os/b c#.bin"]

        ended = subprocess.run(
            ["bash", "-c", command, "bash", *PROGRAM],
            cwd=desk.here,
            capture_output=True,
            timeout=60,
            check=False,
        )

        assert ended.returncode == 1, ended.stderr
        assert b"missing: b c#.bin" in ended.stderr

    def test_noask_reads_nothing(self, desk: Desk) -> None:
        ended = desk.run("--noask", "cd.jigdo", answers="../../tree\n")

        assert ended.status == 0
        assert len(desk.server.requests) == 2
        assert desk.settings() == ""

    def test_an_answer_may_name_the_jigdo(self, desk: Desk) -> None:
        ended = desk.run(answers="cd.jigdo\n../../tree\n")

        assert ended.status == 0, ended.err
        assert "jigdo='cd.jigdo'\n" in desk.settings()

    def test_the_last_jigdo_is_offered_again(self, desk: Desk) -> None:
        desk.settings("jigdo='cd.jigdo'\n")

        asked = desk.run("--scan=../../tree", answers="\n")
        unasked = desk.run("--noask", "--scan=../../tree")

        assert (asked.status, unasked.status) == (0, 0)
        assert "[cd.jigdo]: " in asked.out

    def test_no_jigdo_at_all_is_a_mistake(self, desk: Desk) -> None:
        ended = desk.run("--noask")

        assert ended.status == 2
        assert "jigdo-lite: no .jigdo file is named" in ended.err

    def test_several_jigdos_may_be_named_at_once(self, desk: Desk) -> None:
        desk.jigdo("an other.jigdo", ("=image.bin", "=other.bin"))

        ended = desk.run(answers="cd.jigdo 'an other.jigdo'\n../../tree\n")

        assert ended.status == 0, ended.err
        assert desk.image.read_bytes() == (desk.here / "other.bin").read_bytes() == IMAGE


SECOND = """
[Image]
Filename=other.bin
Template=md5.template
Template-MD5Sum=uRc_IdK863eqTV_EhnejXA
ShortInfo=It's the "other"
Info=Small &amp;<br/><b>fine</b>

[Servers]"""


class TestTheMenu:
    """Of one .jigdo: the real program lets choose."""

    @pytest.fixture(autouse=True)
    def second(self, desk: Desk) -> None:
        desk.jigdo("cd.jigdo", ("\n[Servers]", SECOND))

    def test_an_answer_chooses_one(self, desk: Desk) -> None:
        ended = desk.run("--scan=../../tree", "cd.jigdo", answers="3\n2\n")

        assert ended.status == 0, ended.err
        assert '  1: image.bin\n  2: It\'s the "other" (other.bin)\nNumber of' in ended.out
        assert "jigdo-lite: 3 is no number of the list" in ended.err
        assert "Small & fine\n" in ended.out
        assert "ignored" not in ended.err
        assert (desk.here / "other.bin").read_bytes() == IMAGE
        assert not desk.image.exists()

    def test_its_template_alone_is_fetched(self, desk: Desk) -> None:
        desk.jigdo("cd.jigdo", ("\n[Servers]", SECOND), ("Template=md5", "Template=first"))
        text = (desk.here / "cd.jigdo").read_text()
        (desk.here / "cd.jigdo").write_text("md5".join(text.rsplit("first", 1)))
        url = publish(desk)

        ended = desk.run(url, answers="2\n")

        assert ended.status == 0, ended.err
        assert (desk.here / "other.bin").read_bytes() == IMAGE
        assert "/iso/first.template" not in {each.path for each in desk.server.requests}

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            pytest.param(["cd.jigdo"], "Number of image to download [1]: 1\n", id="alone"),
            pytest.param(["cd.jigdo", "cd.jigdo"], "Only the first is made", id="beside another"),
        ],
    )
    def test_the_first_is_taken_where_nobody_chooses(
        self, desk: Desk, arguments: list[str], said: str
    ) -> None:
        ended = desk.run("--noask", *arguments)

        assert ended.status == 0, ended.err
        assert said in ended.out
        assert desk.image.read_bytes() == IMAGE
        assert not (desk.here / "other.bin").exists()


class TestMirrors:
    """Of Debian's labels."""

    @pytest.fixture
    def debian(self, desk: Desk) -> Desk:
        """The servers of the .jigdo do not have the parts."""
        desk.jigdo("cd.jigdo", ("Base", "Debian"), ("/os/", "/no/"))
        return desk

    def test_a_mirror_is_asked_for_and_remembered(self, debian: Desk) -> None:
        url = f"{debian.server.url}/os"

        ended = debian.run("cd.jigdo", answers=f"\nde?\n{url}\n")

        assert ended.status == 0, ended.err
        assert "jigdo-lite: de? is no mirror" in ended.err
        assert f"debianMirror='{url}/'\n" in debian.settings()
        assert debian.image.read_bytes() == IMAGE
        assert not any(request.path.startswith("/no/") for request in debian.server.requests)

    def test_the_mirror_from_before_is_the_default(self, debian: Desk) -> None:
        text = debian.settings(f"debianMirror='{debian.server.url}/os'\n")

        ended = debian.run("--noask", "cd.jigdo")

        assert ended.status == 0, ended.err
        assert debian.settings() == text
        assert debian.image.read_bytes() == IMAGE

    def test_without_a_mirror_the_jigdos_servers_are_asked(self, debian: Desk) -> None:
        ended = debian.run("--noask", "cd.jigdo")

        assert ended.status == 1
        assert debian.server.asked("/no/a.txt")
        assert ended.count("Found 0 of") == 0

    def test_a_mirror_from_before_that_cannot_be_used_is_told_once(self, debian: Desk) -> None:
        debian.settings("debianMirror='ftp://h/debian/'\n")

        ended = debian.run("--noask", "cd.jigdo")

        assert ended.status == 1
        assert ended.count("ftp://h/debian/ is no mirror") == 1

    def test_no_mirror_is_asked_for_when_all_is_at_hand(self, debian: Desk) -> None:
        ended = debian.run("cd.jigdo", answers="../../tree\n")

        assert ended.status == 0, ended.err
        assert ended.count("Debian mirror") == 0

    def test_one_answer_is_enough_for_all_images(self, debian: Desk) -> None:
        text = (debian.here / "cd.jigdo").read_text()
        (debian.here / "2.jigdo").write_text(text.replace("image.bin", "second.bin"))

        ended = debian.run("cd.jigdo", "2.jigdo", answers=f"\n{debian.server.url}/os/\n")

        assert ended.status == 0, ended.err
        assert ended.count("Debian mirror") == 1


class TestSettings:
    """~/.jigdo-lite as a whole run takes it."""

    def test_commands_in_it_are_told_and_never_run(self, desk: Desk) -> None:
        desk.settings('touch PWNED\njigdo="$(touch PWNED)"\nexec false\n')

        ended = desk.run("--noask", "--scan=../../tree", "cd.jigdo")

        assert ended.status == 0, ended.err
        assert not (desk.here / "PWNED").exists()
        assert ended.count("not understood, and never run") == 3

    def test_a_run_without_answers_does_not_touch_it(self, desk: Desk) -> None:
        text = desk.settings("jigdo=old # mine\n")

        desk.run("--noask", "--scan=../../tree", "cd.jigdo")

        assert desk.settings() == text

    def test_wgets_proxy_is_ours(self, desk: Desk) -> None:
        desk.jigdo("cd.jigdo", (f"{desk.server.url}/os/", "http://mirror.example/os/"))
        desk.settings(f"wgetOpts='-nv -e http_proxy={desk.server.url}/'\n")

        ended = desk.run("--noask", "cd.jigdo")

        assert ended.status == 0, ended.err
        assert desk.image.read_bytes() == IMAGE
        assert desk.server.requests[0].path.startswith("http://mirror.example/os/")

    @pytest.mark.parametrize(
        ("line", "told"),
        [
            pytest.param("wgetOpts='-U x --mirror'", "wgetOpts: -U --mirror:", id="wget"),
            pytest.param("jigdoOpts='--cache x --greedy'", "jigdoOpts: --greedy:", id="jigdo"),
            pytest.param("tmpDir=/tmp", "tmpDir: not used", id="tmpDir"),
        ],
    )
    def test_what_has_no_effect_is_told_once(self, desk: Desk, line: str, told: str) -> None:
        desk.settings(f"{line}\n")

        ended = desk.run("--noask", "--scan=../../tree", "cd.jigdo", "cd.jigdo")

        assert ended.status == 0, ended.err
        assert ended.count(f"jigdo-lite: {told}") == 1

    @pytest.mark.parametrize(("options", "kept"), [("--no-cache", False), ("--cache x", True)])
    def test_digests_are_kept_unless_it_says_no(self, desk: Desk, options: str, kept: bool) -> None:
        desk.settings(f"jigdoOpts='{options}'\n")

        desk.run("--noask", "--scan=../../tree", "cd.jigdo")

        assert (Path(os.environ["RELEASE_BUILDER_STATE"]) / "digests.sqlite").exists() == kept
        assert not (desk.here / "x").exists()

    def test_answers_that_cannot_be_kept_are_no_failure(self, desk: Desk) -> None:
        (desk.home / ".jigdo-lite").symlink_to("no/such/folder")

        ended = desk.run("cd.jigdo", answers="../../tree\n")

        assert ended.status == 0, ended.err
        assert ended.count("your answers are not kept") == 1


@pytest.mark.parametrize(
    ("command", "status"),
    [
        pytest.param('"$@" >/dev/full', 3, id="full"),
        pytest.param('"$@" >&-', 3, id="closed"),
        pytest.param('"$@" 2>&-', 0, id="stderr closed"),
    ],
)
def test_outputs_that_take_nothing_are_no_crash(desk: Desk, command: str, status: int) -> None:
    argv = ["bash", "-c", command, "bash", *PROGRAM, "--noask", "--scan=../../tree", "cd.jigdo"]

    ended = subprocess.run(argv, cwd=desk.here, capture_output=True, timeout=60, check=False)

    assert ended.returncode == status, ended.stderr
    assert b"Traceback" not in ended.stderr


def test_nothing_in_the_settings_is_run(desk: Desk) -> None:
    evil = desk.home / "evil"
    evil.write_text("#!/bin/sh\ntouch PWNED\n")
    evil.chmod(0o755)
    tricks = "$(touch PWNED) `touch PWNED`; touch PWNED"
    rows = [
        f"jigdo={tricks}",
        f"tmpDir='{tricks}'",
        f"jigdoOpts='--cache x; {evil}'",
        f"wgetOpts='--use-askpass={evil} -e use_proxy=on {tricks}'",
        f"scanMenu='{tricks}'",
        f"filesPerFetch='{tricks}'",
        f"debianMirror='{tricks}'",
        f". {evil}",
        f"PATH={desk.home}:$PATH",
        "jigdo=$'$(touch PWNED)'",
        "jigdo=a\\",
        "; touch PWNED",
    ]
    desk.settings("\n".join(rows) + "\n")

    ended = desk.run("--noask", "cd.jigdo")

    assert ended.status == 0, ended.err
    assert ended.count("never run: ignored") >= 4
    assert list(desk.here.rglob("PWNED")) + list(desk.home.rglob("PWNED")) == []
