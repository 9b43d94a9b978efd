"""The ready files before those who read them: cron, systemd, logrotate, e-smith's templates."""

from __future__ import annotations

import subprocess
import sys
from typing import IO, TYPE_CHECKING

import pytest

from release_builder.schedule import Kind, Schedule, parse_times, ready_files

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.interop

# A program that is there, else systemd complains of that.
SCHEDULE = Schedule(program=sys.executable, page="/srv/pages", metrics="/srv/node/rb.prom")
FRAGMENT = "/etc/e-smith/templates-custom/etc/crontab/60release-builder"
# As e-smith fills its templates in: records of the database are hashes by the record's name.
FILL_IN = """
use Text::Template;
my ($file, %set) = @ARGV;
my $template = Text::Template->new(TYPE => 'FILE', SOURCE => $file) or die;
my $text = $template->fill_in(
    HASH => %set ? {'release-builder' => {%set}} : {}, BROKEN => sub { die $_[0], %{$_[1]} });
print $text;
"""


def run(*argv: str | Path) -> str:
    """What a program says on both of its outputs, if it is content."""
    ended = subprocess.run(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert not ended.returncode, ended.stdout
    return ended.stdout


def cron_takes(file: Path) -> bool:
    """Whether cron finds nothing wrong; -T is cronie's, whose -n means something else."""
    with file.open("rb") as text:  # the program is of another group, and the folder ours alone
        told = _crontab("-T", text)
        if "invalid option" in told.stderr:
            text.seek(0)
            told = _crontab("-n", text)
    return not told.returncode


def _crontab(option: str, text: IO[bytes]) -> subprocess.CompletedProcess[str]:
    argv = ["crontab", option, "-"]
    return subprocess.run(argv, stdin=text, capture_output=True, text=True, check=False)


def write(kind: Kind, folder: Path, *, packaged: bool = False) -> dict[str, Path]:
    """The files of ``kind`` in one folder, by their paths on a system."""
    written = {}
    for path, text in ready_files(kind, SCHEDULE, packaged=packaged).items():
        written[path] = folder / path[1:]
        written[path].parent.mkdir(parents=True, exist_ok=True)
        written[path].write_text(text)
        written[path].chmod(0o644)
    return written


def filled_in(fragment: Path, *settings: str) -> str:
    return run("perl", "-e", FILL_IN, fragment, *settings)


@pytest.mark.parametrize("packaged", [False, True])
def test_cron_reads_its_file(workdir: Path, packaged: bool) -> None:
    file = write(Kind.CRON_D, workdir, packaged=packaged)["/etc/cron.d/release-builder"]

    assert cron_takes(file)


@pytest.mark.parametrize("at", ["15 4 * * *", "*/7 1-5/2,23 1,15 jan-jun mon,fri", "0 0 * * 0,7"])
def test_what_we_take_for_a_time_cron_does_too(workdir: Path, at: str) -> None:
    line = workdir / "line"
    line.write_text(f"{parse_times(at).text} root true\n{at} root true\n")

    assert cron_takes(line)


def test_cron_would_say_so_of_a_line_that_is_wrong(workdir: Path) -> None:
    (workdir / "line").write_text("60 4 * * * root true\n")

    assert not cron_takes(workdir / "line")


def test_systemd_has_nothing_to_complain_of(workdir: Path) -> None:
    written = write(Kind.SYSTEMD, workdir)
    units = [path for path in written.values() if path.suffix in {".service", ".timer"}]

    assert len(units) == 2
    assert not run("systemd-analyze", "verify", "--man=no", "--recursive-errors=one", *units)


@pytest.mark.parametrize(
    "at", ["15 4 * * *", "*/7 1-5/2,23 1,15 jan-jun mon,fri", "0 0 */10 * 5", "0 0 * * 0,7"]
)
def test_systemd_knows_when_it_is_due(at: str) -> None:
    for value in parse_times(at).on_calendar():
        assert "Next elapse: " in run("systemd-analyze", "calendar", value)


def test_systemd_is_due_at_the_days_of_cron() -> None:
    values = parse_times("15 4 13 * 5").on_calendar()

    told = [
        run("systemd-analyze", "calendar", "--base-time=2026-11-01 UTC", each) for each in values
    ]

    assert "Fri 2026-11-13 04:15:00" in told[0]
    assert "Fri 2026-11-06 04:15:00" in told[1]


def test_logrotate_rotates_by_its_file(workdir: Path) -> None:
    file = write(Kind.CRON_D, workdir)["/etc/logrotate.d/release-builder"]

    told = run("logrotate", "-d", "-s", workdir / "state", file)

    assert "rotating pattern: /var/log/release-builder/*.log" in told
    assert "error" not in told.replace("/var/log/release-builder/*.log", "")


def test_the_fragment_of_an_sme_server_becomes_a_line_that_cron_reads(workdir: Path) -> None:
    fragment = write(Kind.SME, workdir)[FRAGMENT]

    crontab = workdir / "crontab"
    crontab.write_text(f"MAILTO=root\n{filled_in(fragment)}")

    assert f"\n15 4 * * * root nice -n 10 {sys.executable} refresh " in crontab.read_text()
    assert cron_takes(crontab)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param(("status", "enabled", "Time", "0 2 * * 6"), "0 2 * * 6 root", id="time"),
        pytest.param(("Time", "2 o'clock"), "15 4 * * * root", id="no time"),
        pytest.param(("Time", "0 2 * * 6 root evil\n#"), "15 4 * * * root", id="more than a time"),
    ],
)
def test_the_fragment_follows_the_database(
    workdir: Path, settings: tuple[str, ...], expected: str
) -> None:
    fragment = write(Kind.SME, workdir)[FRAGMENT]

    comment, line = filled_in(fragment, *settings).strip().splitlines()

    assert comment.startswith("# ")
    assert line.startswith(f"{expected} nice ")


def test_the_fragment_is_empty_where_the_database_says_disabled(workdir: Path) -> None:
    fragment = write(Kind.SME, workdir)[FRAGMENT]

    assert not filled_in(fragment, "status", "disabled").strip()
