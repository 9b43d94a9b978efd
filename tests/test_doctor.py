"""What the doctor finds on a machine: the real one, and file systems made for the purpose."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from gpg_home import BIRTH, GpgHome
from jsonschema import Draft202012Validator
from tls_servers import answering

from release_builder.api.doctors import examine_machine
from release_builder.cli.doctor import doctor
from release_builder.doctor.checkup import Check, Examination, Mark, looked_at
from release_builder.doctor.clock import check_against, check_clock
from release_builder.doctor.programs import PROGRAMS, check_programs
from release_builder.doctor.schedule import check_history, check_schedule
from release_builder.doctor.system import System, read_system
from release_builder.errors import Status
from release_builder.files import resource
from release_builder.state.history import open_history
from release_builder.state.history_records import RecordedRun
from release_builder.state.lock import hold
from release_builder.state.turns import take_turn

if TYPE_CHECKING:
    from collections.abc import Iterable

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
DEBIAN = System("Debian", "debian", 12)


def descriptor(workdir: Path, mirror: object, more: str = "") -> Path:
    path = workdir / "sme9.yaml"
    path.write_text(f"version: 9.0beta3\narch: x86_64\nmirror: {mirror}\n{more}")
    return path


def named(checks: Iterable[Check], name: str) -> Check:
    return next(each for each in checks if each.name == name)


@pytest.fixture
def fakes(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder whose programs are found first."""
    monkeypatch.setenv("PATH", f"{workdir}:/bin:/usr/bin")
    return workdir


def fake_program(folder: Path, name: str, says: str) -> None:
    """A program that says one thing, first in nobody's PATH but a test's."""
    path = folder / name
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{says}\nEND\n")
    path.chmod(0o755)


def file(root: Path, name: str, text: str = "") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("files", "name", "install"),
    [
        pytest.param(
            {"etc/os-release": 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian 12"\n'},
            "Debian 12",
            "apt-get install rdiff",
            id="debian",
        ),
        pytest.param(
            {"etc/os-release": 'ID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="8.9"\n'},
            "Linux",
            "dnf install epel-release && dnf install librsync",
            id="el8",
        ),
        pytest.param(
            {
                "etc/os-release": 'ID="centos"\nVERSION_ID="7"\nPRETTY_NAME="CentOS 7"\n',
                "etc/e-smith-release": "Koozali SME Server release 10.1\n",
            },
            "Koozali SME Server release 10.1",
            "yum install epel-release && yum install librsync",
            id="sme10",
        ),
        pytest.param(
            {"etc/redhat-release": "CentOS release 5.11 (Final)\n"},
            "CentOS release 5.11 (Final)",
            "yum install epel-release && yum install librsync",
            id="el5",
        ),
        pytest.param(
            {"etc/os-release": "ID='\nNAME=odd\n"},
            "odd",
            "apt-get install rdiff or yum install epel-release && yum install librsync",
            id="broken",
        ),
        pytest.param(
            {},
            "an unknown Linux",
            "apt-get install rdiff or yum install epel-release && yum install librsync",
            id="bare",
        ),
    ],
)
def test_a_system_tells_how_one_installs_there(
    tmp_path: Path, files: dict[str, str], name: str, install: str
) -> None:
    for path, text in files.items():
        file(tmp_path / "root", path, text)

    system = read_system(tmp_path / "root")

    assert system.name == name
    assert system.install("rdiff", "librsync", epel=True) == install


def test_a_program_that_is_missing_is_told_with_what_installs_it(
    workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(workdir))
    path = descriptor(workdir, "rsync://127.0.0.1:9/smeserver/")

    found = examine_machine([path])

    check = named(found.checks, "rsync")
    assert check.mark is Mark.MISSING
    assert "install rsync" in check.mend
    assert found.exit_status is Status.SURROUNDINGS
    assert next(each for each in found.commands if each.command == "build").lacks == ("rsync",)


def test_a_local_mirror_needs_no_rsync(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(workdir))
    (workdir / "mirror").mkdir()

    found = examine_machine([descriptor(workdir, "mirror/")])

    assert found.exit_status is Status.DONE


def test_a_local_mirror_is_read_by_the_rsync_that_is_there(fakes: Path) -> None:
    fake_program(fakes, "rsync", "rsync  version 3.2.7")

    found = examine_machine([descriptor(fakes, "mirror/")], offline=True)

    assert "build" in named(found.checks, "rsync").needed_by


@pytest.mark.parametrize(
    ("name", "says", "mark", "words"),
    [
        pytest.param("rsync", "rsync  version 3.2.7", Mark.OK, "3.2.7", id="rsync"),
        pytest.param("rsync", "rsync  version 3.0.6", Mark.NOTE, "no progress", id="rsync of el6"),
        pytest.param("rsync", "rsync  version 2.6.9", Mark.WARNING, "publishing", id="old rsync"),
        pytest.param("xorriso", "xorriso 1.5.4\nlibjte 2", Mark.OK, "1.5.4", id="xorriso"),
        pytest.param("xorriso", "xorriso 1.5.4", Mark.NOTE, "without libjte", id="without jte"),
        pytest.param(
            "xorriso", "xorriso 1.1.2\nlibjte 1", Mark.WARNING, "USB stick", id="old xorriso"
        ),
        pytest.param("gpg", "gpg (GnuPG) 1.4.5", Mark.WARNING, "older than 2.0", id="old gpg"),
    ],
)
def test_what_a_program_cannot_do_is_told(
    fakes: Path, name: str, says: str, mark: Mark, words: str
) -> None:
    fake_program(fakes, name, says)

    check = named(examine_machine().checks, name)

    assert check.mark is mark
    assert words in check.says


def test_what_a_descriptor_asks_for_needs_its_programs(
    workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(workdir))
    (workdir / "mirror").mkdir()
    file(workdir, "key.asc")
    more = "keys: key.asc\npublish: {root: 'web@host:/srv/www', key: me}\n"

    found = examine_machine([descriptor(workdir, "mirror/", more)])

    lacks = {each.command: each.lacks for each in found.commands}
    assert lacks["build"] == ("gpg",)
    assert lacks["publish"] == ("rsync", "gpg", "ssh")
    assert "rpmkeys" in lacks["compose"]
    assert found.exit_status is Status.SURROUNDINGS


def test_without_descriptors_what_building_from_rsync_mirrors_needs_is_wanted(
    workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_rsync = examine_machine()
    monkeypatch.setenv("PATH", str(workdir))
    without = examine_machine()

    assert with_rsync.wanted == ("build", "refresh")
    assert with_rsync.exit_status is Status.DONE
    assert without.exit_status is Status.SURROUNDINGS


def test_a_folder_stands_for_the_descriptors_in_it(workdir: Path) -> None:
    path = descriptor(workdir, "mirror/")
    (workdir / "both.yml").write_text(path.read_text().replace("x86_64", "i386"))

    found = examine_machine([workdir, path], offline=True)

    folders = [each.name for each in found.checks if "workdir" in each.name]
    assert folders == [f"workdir of smeserver 9.0beta3 {arch}" for arch in ("i386", "x86_64")]
    assert found.exit_status is Status.DONE


def test_a_folder_without_descriptors_is_told(workdir: Path) -> None:
    found = examine_machine([workdir], offline=True)

    check = named(found.checks, workdir.name)
    assert check.says == f"{workdir} has no descriptor in it"
    assert found.exit_status is Status.WRONG


def test_where_no_program_can_be_started_that_is_told_in_plain_words(tmp_path: Path) -> None:
    checks = check_programs(DEBIAN, {"rsync": ["refresh"]}, [tmp_path / "fd"])

    check = named(checks, "/proc")
    assert (check.mark, check.mend) == (Mark.MISSING, "as root: mount -t proc proc /proc")
    assert check.needed_by == ("refresh", "compose", "images update", "demo")
    assert not [each for each in checks if "cannot be" in each.says and each is not check]


def test_where_programs_can_be_started_nothing_is_said_of_it(tmp_path: Path) -> None:
    names = [each.name for each in check_programs(DEBIAN, {}, [tmp_path / "fd", tmp_path])]

    assert names == [each.name for each in PROGRAMS]


def test_a_wrong_descriptor_is_a_finding_and_the_rest_is_looked_at(workdir: Path) -> None:
    bad = file(workdir, "bad.yaml", "version: 9\narc: x86_64\n")

    found = examine_machine([bad, workdir / "none.yaml"])

    assert found.exit_status is Status.WRONG
    assert "did you mean arch?" in named(found.checks, "bad.yaml").says
    assert named(found.checks, "none.yaml").mark is Mark.MISSING
    assert named(found.checks, "python").mark is Mark.OK


def test_a_key_that_is_not_there_is_told(workdir: Path) -> None:
    path = descriptor(workdir, "mirror/", "keys: gone.asc\n")

    found = examine_machine([path], offline=True)

    assert str(workdir / "gone.asc") in named(found.checks, "gone.asc").says
    assert found.exit_status is Status.WRONG


def test_a_mirror_that_is_not_there_is_told(workdir: Path) -> None:
    path = descriptor(workdir, "gone/")

    found = examine_machine([path])

    check = next(each for each in found.checks if each.topic == "servers")
    assert (check.mark, check.says) == (Mark.MISSING, "there is no such folder")
    assert found.exit_status is Status.SURROUNDINGS


def test_several_releases_have_a_folder_each_below_the_one_given(workdir: Path) -> None:
    one, other = descriptor(workdir, "mirror/"), workdir / "both.yaml"
    other.write_text(one.read_text().replace("x86_64", "i386"))

    found = examine_machine([one, other], workdir=workdir / "work", offline=True)

    folders = [each.says.partition(":")[0] for each in found.checks if "workdir" in each.name]
    assert folders == [f"{workdir}/work/smeserver-{arch}" for arch in ("x86_64", "i386")]


def test_offline_asks_no_server(workdir: Path) -> None:
    found = examine_machine([descriptor(workdir, "gone/")], offline=True)

    assert not [each for each in found.checks if each.topic == "servers"]
    assert found.exit_status is Status.DONE


def test_a_web_mirror_that_answers_is_right_and_one_that_does_not_may_come_back(
    workdir: Path,
) -> None:
    with answering(None) as port:
        path = descriptor(workdir, f"http://127.0.0.1:{port}/smeserver/")
        there = examine_machine([path])
    away = examine_machine([path])

    name = f"http://127.0.0.1:{port}"
    assert named(there.checks, name).says == "answers by http"
    assert there.exit_status is Status.DONE
    assert "refused" in named(away.checks, name).says
    assert away.exit_status is Status.INCOMPLETE


def test_the_clock_is_held_against_a_server(workdir: Path) -> None:
    with answering(None, "Sat, 01 Jan 2011 00:00:00 GMT") as port:
        found = examine_machine([descriptor(workdir, f"http://127.0.0.1:{port}/smeserver/")])

    clocks = [each for each in found.checks if each.name == "clock"]
    assert [each.mark for each in clocks] == [Mark.OK, Mark.WARNING]
    assert "ahead of 127.0.0.1's (2011-01-01 00:00 UTC)" in clocks[1].says


def test_a_server_behind_a_proxy_is_not_asked(
    workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "")

    found = examine_machine([descriptor(workdir, "https://127.0.0.1:9/smeserver/")])

    check = named(found.checks, "https://127.0.0.1:9")
    assert check.mark is Mark.NOTE
    assert "through the proxy" in check.says


def test_a_clock_older_than_this_program_is_wrong() -> None:
    before = datetime(2010, 1, 1, tzinfo=UTC)

    (clock, zone) = check_clock(DEBIAN, before, {"TZ": "Europe/Paris"})

    assert clock.mark is Mark.MISSING
    assert "timedatectl" in clock.mend
    assert zone.says.startswith("Europe/Paris")


def test_a_clock_that_is_a_little_off_is_right() -> None:
    assert list(check_against("host", NOW + timedelta(minutes=2), NOW, DEBIAN)) == []


def test_a_workdir_at_work_is_told(workdir: Path) -> None:
    path = descriptor(workdir, "mirror/")

    with hold(workdir / "smeserver-x86_64" / ".lock"):
        found = examine_machine([path], offline=True)

    notes = [each.says for each in found.checks if each.topic == "folders"]
    assert any(f"at work there now: process {os.getpid()}" in each for each in notes)


def test_a_folder_that_cannot_be_written_is_told(workdir: Path) -> None:
    file(workdir, "smeserver-x86_64", "a file in the place of the folder")

    found = examine_machine([descriptor(workdir, "mirror/")], offline=True)

    check = named(found.checks, "workdir of smeserver 9.0beta3 x86_64")
    assert check.mark is Mark.MISSING
    assert "is no folder" in check.says
    assert found.exit_status is Status.SURROUNDINGS


@pytest.mark.parametrize(
    ("files", "mark", "words"),
    [
        pytest.param({}, Mark.NOTE, "--for cron.d", id="nothing"),
        pytest.param({"run/systemd/system/x": ""}, Mark.NOTE, "--for systemd", id="systemd"),
        pytest.param({"etc/e-smith/x": ""}, Mark.NOTE, "--for sme", id="sme"),
        pytest.param(
            {"usr/lib/systemd/system/release-builder-refresh.timer": ""},
            Mark.NOTE,
            "systemctl enable --now",
            id="a timer that is off",
        ),
        pytest.param(
            {"etc/systemd/system/timers.target.wants/release-builder-refresh.timer": ""},
            Mark.OK,
            "is turned on",
            id="a timer",
        ),
        pytest.param(
            {"etc/cron.d/release-builder": "# 15 4 * * * root release-builder refresh /etc"},
            Mark.NOTE,
            "install-cron",
            id="a cron job that is off",
        ),
        pytest.param(
            {"etc/cron.d/release-builder": "15 4 * * * root release-builder refresh /etc"},
            Mark.OK,
            "/etc/cron.d/release-builder",
            id="a cron job",
        ),
        pytest.param(
            {"etc/crontab": "15 4 * * * root /usr/bin/release-builder refresh /etc"},
            Mark.OK,
            "/etc/crontab",
            id="a crontab",
        ),
    ],
)
def test_what_refreshes_releases_is_told(
    tmp_path: Path, files: dict[str, str], mark: Mark, words: str
) -> None:
    for path, text in files.items():
        file(tmp_path / "root", path, text)

    (check,) = check_schedule(tmp_path / "root")

    assert check.mark is mark
    assert words in f"{check.says} {check.mend}"


def run_at(when: datetime, status: int = 0, problem: str = "") -> RecordedRun:
    return RecordedRun(
        command="refresh",
        descriptor="/etc/sme9.yaml",
        product="smeserver",
        version="9.0",
        arch="x86_64",
        started=when,
        status=status,
        problem=problem,
    )


@pytest.mark.parametrize(
    ("runs", "mark", "says"),
    [
        pytest.param([run_at(NOW - timedelta(hours=3))], Mark.OK, "3 h ago", id="well"),
        pytest.param([run_at(NOW - timedelta(days=9))], Mark.WARNING, "9 days ago", id="long ago"),
        pytest.param(
            [run_at(NOW - timedelta(hours=30)), run_at(NOW - timedelta(hours=4), 3, "disk full")],
            Mark.WARNING,
            "30 h ago; then: disk full",
            id="failing since",
        ),
        pytest.param([run_at(NOW - timedelta(seconds=1))], Mark.OK, " 1 s ago", id="just now"),
        pytest.param(
            [run_at(NOW, 3, "disk full")], Mark.WARNING, "never built well, in 1 run;", id="never"
        ),
    ],
)
def test_the_last_success_is_told(
    tmp_path: Path, runs: list[RecordedRun], mark: Mark, says: str
) -> None:
    with open_history(tmp_path) as history:
        for run in runs:
            history.record(run)

    (check,) = check_history(tmp_path, [], NOW)

    assert check.name == "smeserver 9.0 x86_64"
    assert check.mark is mark
    assert says in check.says


def test_a_release_that_was_never_built_is_told(tmp_path: Path) -> None:
    (check,) = check_history(tmp_path / "none", [Path("/etc/sme9.yaml")], NOW)

    assert (check.mark, check.name) == (Mark.NOTE, "sme9.yaml")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("built", [True, False])
def test_a_refresh_that_is_under_way_is_told(tmp_path: Path, *, built: bool) -> None:
    path = Path("/etc/sme9.yaml")
    if built:
        with open_history(tmp_path) as history:
            history.record(run_at(NOW))

    with take_turn(tmp_path, path):
        during = [each.says for each in check_history(tmp_path, [path], NOW)]
    after = [each.says for each in check_history(tmp_path, [path], NOW)]

    assert during[-1].startswith(f"under way now: process {os.getpid()} on ")
    assert not [each for each in after if "under way" in each]


def test_a_refresh_that_is_under_way_is_told_without_descriptors_too(tmp_path: Path) -> None:
    with open_history(tmp_path) as history:
        history.record(run_at(NOW))

    with take_turn(tmp_path, Path("/etc/sme9.yaml")):
        says = [each.says for each in check_history(tmp_path, [], NOW)]

    assert "under way now" in says[-1]


def test_a_look_that_fails_is_a_finding() -> None:
    def look() -> list[Check]:
        raise ZeroDivisionError("of all things")

    (check,) = looked_at("clock", "clock", look)

    assert check.mark is Mark.WARNING
    assert check.says == "cannot be looked at: of all things"


def test_what_a_person_must_look_at_speaks_first() -> None:
    faults = (Status.INCOMPLETE, Status.SURROUNDINGS, Status.WRONG)
    checks = [
        Check("servers", fault.name, Mark.MISSING, "gone", "", ("build",), fault)
        for fault in faults
    ]

    statuses = [
        Examination("Linux", tuple(checks[:count]), ("build",)).exit_status
        for count in range(len(checks) + 1)
    ]

    assert statuses == [Status.DONE, *faults]


def test_every_program_is_looked_for_and_every_command_judged() -> None:
    found = examine_machine()

    names = {each.name for each in found.checks}
    assert {each.name for each in PROGRAMS} <= names
    assert {
        "python",
        "libraries",
        "kernel",
        "clock",
        "time zone",
        "state folder",
        "SELinux",
    } <= names
    assert [each.command for each in found.commands][:2] == ["build", "refresh"]


def test_the_command_tells_what_is_ready(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(workdir))

    ended = CliRunner().invoke(doctor, [], standalone_mode=False)

    assert ended.return_value == 3
    assert "  missing   xorriso: not installed; it writes images\n" in ended.stdout
    assert "jigdo fetch     ready" in ended.stdout
    assert "compose         needs xorriso" in ended.stdout


def test_quiet_leaves_out_what_is_in_order(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(workdir))

    ended = CliRunner().invoke(doctor, ["-q"], standalone_mode=False)

    assert "xorriso" in ended.stdout
    assert "python" not in ended.stdout
    assert "ready" not in ended.stdout


def test_json_is_as_its_schema_has_it(workdir: Path) -> None:
    path = descriptor(workdir, "gone/")

    ended = CliRunner().invoke(doctor, ["--json", str(path)], standalone_mode=False)

    document = json.loads(ended.stdout)
    schema = json.loads(resource("data/doctor.schema.json").read_text())
    Draft202012Validator(schema).validate(document)
    assert document["command"] == "doctor"
    assert document["exit_status"] == ended.return_value == 3
    assert document["wanted"] == ["build", "refresh"]


@pytest.mark.parametrize("arguments", [["--rpm", "a.rpm"], ["--for", "el5"]])
def test_an_rpm_and_a_release_go_together(arguments: list[str]) -> None:
    ended = CliRunner().invoke(doctor, arguments)

    assert ended.exit_code == 2
    assert "--rpm and --for go together" in ended.stderr


def test_an_rpm_is_a_file_and_a_password_is_not_repeated() -> None:
    ended = CliRunner().invoke(
        doctor, ["--json", "--for", "el5", "--rpm", "http://me:HUSH@h/x.rpm"]
    )

    assert ended.exit_code == 2
    assert "is a URL: name a file" in ended.stderr
    assert "me:HUSH" not in ended.stdout


@pytest.mark.interop
def test_keys_are_named_and_their_end_is_told(workdir: Path) -> None:
    with GpgHome() as home:
        for name, expires in (("lasting", "never"), ("ending", "20d"), ("ended", "2020-02-01")):
            at = BIRTH if name == "ended" else None
            home.export(
                home.make_key(f"{name} <k@example.org>", "ed25519", expires, at=at), workdir / name
            )
        wanted = home.make_key("wanted <k@example.org>", "ed25519")
    path = descriptor(workdir, "mirror/", "trust: {sums: [lasting, ending, ended]}\n")

    found = examine_machine([path], offline=True)
    pinned = descriptor(workdir, "mirror/", f"trust: {{sums: lasting, fingerprints: {wanted}}}\n")
    refused = examine_machine([pinned], offline=True)

    of_keys = [(each.name, each.mark) for each in found.checks if each.topic == "descriptors"]
    assert ("lasting", Mark.OK) in of_keys
    assert ("lasting", Mark.WARNING) not in of_keys
    assert ("ending", Mark.WARNING) in of_keys
    assert "expired on 2020-02-0" in named(found.checks, "ended").says
    assert named(refused.checks, "lasting").mark is Mark.MISSING
    assert refused.exit_status is Status.WRONG
