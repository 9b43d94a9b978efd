"""Ready files for scheduled refreshes: what they say, that one kind is on, that nothing stays."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from release_builder.cli.install_cron import install_cron
from release_builder.errors import DescriptorError, Status, SurroundingsError
from release_builder.schedule import Kind, Schedule, parse_times, ready_files, sme_settings

CRON = "etc/cron.d/release-builder"
LOGROTATE = "etc/logrotate.d/release-builder"
SERVICE = "etc/systemd/system/release-builder-refresh.service"
TIMER = "etc/systemd/system/release-builder-refresh.timer"
ENABLED = "etc/systemd/system/timers.target.wants/release-builder-refresh.timer"
FRAGMENT = "etc/e-smith/templates-custom/etc/crontab/60release-builder"
FILES = {
    "cron.d": {CRON, LOGROTATE},
    "systemd": {SERVICE, TIMER, ENABLED, LOGROTATE},
    "sme": {FRAGMENT, LOGROTATE},
}
COMMAND = "release-builder refresh --deadline 4h --max-age 26h /etc/release-builder/releases.d"


@pytest.fixture
def system(tmp_path: Path) -> Path:
    """The root of a system that has cron, systemd, logrotate and e-smith's folders."""
    root = tmp_path / "system"
    for folder in ("cron.d", "logrotate.d", "systemd/system", "e-smith/templates-custom"):
        (root / "etc" / folder).mkdir(parents=True)
    (root / "etc/release-builder/releases.d").mkdir(parents=True)
    (root / "home/e-smith/db").mkdir(parents=True)
    return root


def run(system: Path, *arguments: str) -> Result:
    """The command as its user types it; what it raises is what the program would report."""
    return CliRunner().invoke(
        install_cron,
        ["--root", str(system), *arguments],
        standalone_mode=False,
        catch_exceptions=False,
    )


def files(system: Path) -> set[str]:
    return {str(path.relative_to(system)) for path in system.rglob("*") if not path.is_dir()}


def state(system: Path) -> dict[str, str | None]:
    """Every name below the root, with the text of what is no folder."""
    return {
        str(path.relative_to(system)): None if path.is_dir() else path.read_text()
        for path in system.rglob("*")
    }


def settings(system: Path, text: str) -> None:
    (system / "home/e-smith/db/configuration").write_text(text)


@pytest.mark.parametrize("kind", sorted(FILES))
def test_what_is_installed_is_removed_again_and_nothing_else(system: Path, kind: str) -> None:
    before = state(system)

    run(system, "--for", kind)
    installed = files(system)
    run(system, "--remove")

    assert installed == FILES[kind]
    assert state(system) == before


@pytest.mark.parametrize("kind", sorted(FILES))
@pytest.mark.parametrize("other", sorted(FILES))
def test_only_one_kind_is_on(system: Path, other: str, kind: str) -> None:
    run(system, "--for", other)

    told = run(system, "--for", kind).stdout

    assert files(system) == FILES[kind]
    gone = FILES[other] - FILES[kind]
    assert all(f"/{path}: removed" in told for path in gone)


def test_installing_twice_changes_nothing(system: Path) -> None:
    run(system, "--for", "systemd", "--at", "5 6 * * *")
    before = state(system)

    told = run(system, "--for", "systemd", "--at", "5 6 * * *").stdout

    assert state(system) == before
    assert f"/{ENABLED}: kept" in told
    assert not any(words in told for words in ("written", "linked", "now run"))


def test_a_timer_that_changes_is_started_anew(system: Path) -> None:
    run(system, "--for", "systemd")

    told = run(system, "--for", "systemd", "--at", "5 6 * * *").stdout

    assert "systemctl daemon-reload && systemctl restart release-builder-refresh.timer" in told


def test_the_folder_that_is_to_be_made_is_below_the_root(tmp_path: Path) -> None:
    root = tmp_path / "a system"
    (root / "etc/cron.d").mkdir(parents=True)

    told = run(root, "--for", "cron.d").stdout

    assert f"now run: mkdir -p '{root}/etc/release-builder/releases.d'\n" in told


def test_a_dry_run_prints_the_files_and_writes_nothing(system: Path) -> None:
    before = state(system)

    told = run(system, "--for", "cron.d", "--dry-run").stdout

    assert state(system) == before
    assert f"/{CRON}: would be written" in told
    assert f"    15 4 * * * root nice -n 10 /usr/bin/{COMMAND}\n" in told


def test_a_dry_run_of_a_removal_removes_nothing(system: Path) -> None:
    run(system, "--for", "cron.d")
    before = state(system)

    told = run(system, "--remove", "--dry-run").stdout

    assert state(system) == before
    assert f"/{CRON}: would be removed" in told


def test_the_line_of_cron_has_what_was_asked_for(system: Path) -> None:
    run(
        *(system, "--for", "cron.d", "--at", "30 */6 * * 1-5", "--max-age", "2d"),
        *("--page", "/var/www/html/releases", "--metrics", "/var/lib/node/release-builder.prom"),
    )

    text = (system / CRON).read_text()
    assert "\nMAILTO=root\n" in text
    assert text.splitlines()[-1] == (
        "30 */6 * * 1-5 root nice -n 10 /usr/bin/release-builder refresh --deadline 4h "
        "--max-age 2d --page /var/www/html/releases --metrics /var/lib/node/release-builder.prom "
        "/etc/release-builder/releases.d"
    )
    assert (system / CRON).stat().st_mode & 0o777 == 0o644


def test_the_units_have_what_was_asked_for(system: Path) -> None:
    run(system, "--for", "systemd", "--at", "30 5 1 * mon", "--page", "/usr/local/www")

    service, timer = (system / SERVICE).read_text(), (system / TIMER).read_text()
    assert "\nSuccessExitStatus=1 75\n" in service
    assert "\nReadWritePaths=-/usr/local/www\n" in service
    assert "/usr/bin/release-builder refresh --no-splay --deadline 4h " in service
    assert "OnCalendar=*-*-01 05:30:00\nOnCalendar=Mon *-*-* 05:30:00\n" in timer
    assert "\nPersistent=true\n" in timer
    assert (system / ENABLED).resolve() == system / TIMER


@pytest.mark.parametrize(
    ("kind", "commands"),
    [
        pytest.param("cron.d", [], id="cron looks by itself"),
        pytest.param(
            "systemd",
            ["systemctl daemon-reload", "systemctl start release-builder-refresh.timer"],
            id="systemd",
        ),
        pytest.param("sme", ["/sbin/e-smith/expand-template /etc/crontab"], id="sme"),
    ],
)
def test_what_a_person_has_to_run_is_told(system: Path, kind: str, commands: list[str]) -> None:
    document = json.loads(run(system, "--for", kind, "--json").stdout)

    assert document["commands"] == commands


def test_what_stops_the_timer_is_told(system: Path) -> None:
    run(system, "--for", "systemd")

    told = run(system, "--remove").stdout

    assert "systemctl stop release-builder-refresh.timer && systemctl daemon-reload" in told


@pytest.mark.parametrize("arguments", [["--for", "cron.d"], ["--for", "systemd"], ["--remove"]])
def test_a_file_that_was_edited_is_left_alone(system: Path, arguments: list[str]) -> None:
    run(system, "--for", "cron.d")
    edited = (system / CRON).read_text().replace("15 4", "55 23")
    (system / CRON).write_text(edited)
    before = state(system)

    with pytest.raises(DescriptorError, match="was changed by hand"):
        run(system, *arguments)

    assert state(system) == before


def test_by_force_an_edited_file_is_put_where_cron_passes_it_over(system: Path) -> None:
    (system / CRON).write_text("1 1 * * * root mine\n")

    with pytest.raises(DescriptorError, match="was written by somebody else"):
        run(system, "--for", "systemd")
    run(system, "--for", "systemd", "--force")

    assert files(system) == {*FILES["systemd"], f"{CRON}.rpmsave"}
    assert (system / f"{CRON}.rpmsave").read_text() == "1 1 * * * root mine\n"


def test_what_was_saved_before_is_not_overwritten(system: Path) -> None:
    (system / CRON).write_text("1 1 * * * root mine\n")
    (system / f"{CRON}.rpmsave").write_text("older\n")

    with pytest.raises(SurroundingsError, match="is in the way"):
        run(system, "--for", "systemd", "--force")

    assert (system / f"{CRON}.rpmsave").read_text() == "older\n"


def test_what_a_stranger_wrote_stays_when_ours_is_removed(system: Path) -> None:
    (system / CRON).write_text("1 1 * * * root mine\n")

    told = run(system, "--remove").stdout

    assert "nothing to take away" in told
    assert files(system) == {CRON}


def test_the_files_of_the_package_come_back(system: Path) -> None:
    packaged = ready_files(Kind.CRON_D, Schedule(), packaged=True)
    for path, text in packaged.items():
        (system / path[1:]).write_text(text)
    before = state(system)

    run(system, "--for", "cron.d")
    on = (system / CRON).read_text()
    run(system, "--for", "cron.d", "--at", "1 2 * * *")
    told = run(system, "--remove").stdout

    assert on.splitlines()[-1].startswith("15 4 ")
    assert f"/{CRON}: as the package has it" in told
    assert state(system) == before


def test_the_file_of_the_package_is_off() -> None:
    text = ready_files(Kind.CRON_D, Schedule(), packaged=True)[f"/{CRON}"]

    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert [line.split("=")[0] for line in lines] == ["SHELL", "PATH", "MAILTO"]


def test_a_timer_that_systemctl_enabled_goes_when_cron_takes_over(system: Path) -> None:
    (system / ENABLED).parent.mkdir()
    (system / ENABLED).symlink_to("/usr/lib/systemd/system/release-builder-refresh.timer")

    told = run(system, "--for", "cron.d").stdout

    assert "systemctl stop release-builder-refresh.timer" in told
    assert files(system) == FILES["cron.d"]


@pytest.mark.parametrize(
    ("kind", "folder"),
    [
        pytest.param("cron.d", "etc/cron.d", id="no cron"),
        pytest.param("systemd", "etc/systemd/system", id="no systemd"),
        pytest.param("sme", "etc/e-smith/templates-custom", id="no SME Server"),
    ],
)
def test_where_nobody_would_read_them_none_are_written(
    system: Path, kind: str, folder: str
) -> None:
    (system / folder).rmdir()

    with pytest.raises(SurroundingsError, match=folder) as caught:
        run(system, "--for", kind)

    assert caught.value.hint
    assert not files(system)


def test_without_logrotate_the_rest_is_installed(system: Path) -> None:
    (system / "etc/logrotate.d").rmdir()

    run(system, "--for", "cron.d")

    assert files(system) == {CRON}


def test_only_root_may_change_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)

    with pytest.raises(SurroundingsError, match="only root") as caught:
        run(Path("/"), "--for", "cron.d")

    assert caught.value.status == Status.SURROUNDINGS
    assert "--dry-run" in caught.value.hint


def test_an_sme_server_says_what_is_not_given(system: Path) -> None:
    settings(
        system,
        "release-builderish=service|Time|9 9 9 9 9\n"
        "release-builder=service|MaxAge|50h|Page|/srv/pages|Time|5 3 * * *|status|disabled\n",
    )

    document = json.loads(run(system, "--for", "sme", "--metrics", "/srv/a.prom", "--json").stdout)

    text = (system / FRAGMENT).read_text()
    assert "--max-age 50h --page /srv/pages --metrics /srv/a.prom " in text
    assert "'5 3 * * *'" in text
    assert document["commands"][0].endswith("config setprop release-builder status enabled")


def test_a_time_that_the_database_would_overrule_is_refused(system: Path) -> None:
    settings(system, "release-builder=service|Time|5 3 * * *\n")

    with pytest.raises(DescriptorError, match="configuration database has") as caught:
        run(system, "--for", "sme", "--at", "1 1 * * *")

    assert "config setprop release-builder Time '1 1 * * *'" in caught.value.hint


@pytest.mark.parametrize(
    "setting",
    [
        pytest.param("Time|99", id="time"),
        pytest.param("MaxAge|soon", id="span"),
        pytest.param("Page|pages", id="page"),
        pytest.param("Metrics|a.prom", id="metrics"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_said_to_be_of_the_database(
    system: Path, setting: str
) -> None:
    settings(system, f"release-builder=service|{setting}\n")

    with pytest.raises(DescriptorError, match="in the configuration database") as caught:
        run(system, "--for", "sme")

    assert setting.partition("|")[2] in caught.value.what
    assert "config setprop release-builder" in caught.value.hint


def test_what_is_given_counts_in_the_place_of_a_bad_setting(system: Path) -> None:
    settings(system, "release-builder=service|Page|pages|MaxAge|soon\n")

    run(system, "--for", "sme", "--page", "/srv/pages", "--max-age", "2d")

    assert "--max-age 2d --page /srv/pages " in (system / FRAGMENT).read_text()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", {}, id="empty"),
        pytest.param("release-builder=service\n", {}, id="no properties"),
        pytest.param("release-builder=service|status\n", {}, id="cut off"),
        pytest.param("release-builder=service|a|\n", {"a": ""}, id="empty value"),
        pytest.param(
            "# release-builder=x|a|b\nrelease-builder=service|a|b\\|c\\\\|d|e=f\n",
            {"a": "b|c\\", "d": "e=f"},
            id="escapes",
        ),
    ],
)
def test_the_database_is_read_as_data(system: Path, text: str, expected: dict[str, str]) -> None:
    settings(system, text)

    assert sme_settings(system) == expected


@pytest.mark.parametrize(
    ("text", "values"),
    [
        pytest.param("15 4 * * *", ["*-*-* 04:15:00"], id="daily"),
        pytest.param("*/20 * * * *", ["*-*-* *:00,20,40:00"], id="steps"),
        pytest.param("0 1-3,22 * * *", ["*-*-* 01,02,03,22:00:00"], id="ranges"),
        pytest.param("0 0 1 jan,7 *", ["*-01,07-01 00:00:00"], id="months"),
        pytest.param("0 0 * * Mon-Fri/2", ["Mon,Wed,Fri *-*-* 00:00:00"], id="weekdays"),
        pytest.param("0 0 * * 0,7", ["Sun *-*-* 00:00:00"], id="both Sundays"),
        pytest.param(
            "0 0 13 * 5", ["*-*-13 00:00:00", "Fri *-*-* 00:00:00"], id="either day is enough"
        ),
        pytest.param(
            "0 0 */10 * 5", ["Fri *-*-01,11,21,31 00:00:00"], id="both days, one with a star"
        ),
    ],
)
def test_systemd_is_due_when_cron_is(text: str, values: list[str]) -> None:
    assert list(parse_times(text).on_calendar()) == values


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("15 4 29 2 *", id="in leap years"),
        pytest.param("15 4 31 2,3 *", id="in one of two months"),
        pytest.param("15 4 31 2 mon", id="on a weekday too"),
        pytest.param("15 4 30,28 2 *", id="on one of two days"),
    ],
)
def test_a_day_that_comes_some_time_is_one(text: str) -> None:
    assert parse_times(text).on_calendar()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("15 4 31 2 *", id="never"),
        pytest.param("15 4 31 jun,sep *", id="never in either month"),
        pytest.param("15 4 30 2 */2", id="never, for both days must fit"),
        pytest.param("", id="nothing"),
        pytest.param("@daily", id="a word"),
        pytest.param("15 4 * *", id="four fields"),
        pytest.param("15 4 * * * root", id="six fields"),
        pytest.param("60 4 * * *", id="no minute"),
        pytest.param("15 24 * * *", id="no hour"),
        pytest.param("15 4 0 * *", id="no day"),
        pytest.param("15 4 * 13 *", id="no month"),
        pytest.param("15 4 * * 8", id="no weekday"),
        pytest.param("15 4-2 * * *", id="backwards"),
        pytest.param("5/10 4 * * *", id="a step from one value"),
        pytest.param("*/0 4 * * *", id="a step of nothing"),
        pytest.param("15 4 * * %", id="something else"),
        pytest.param("15 4 * * \u0661", id="foreign digits"),
    ],
)
def test_what_is_no_time_of_cron_is_refused(system: Path, text: str) -> None:
    with pytest.raises(DescriptorError) as caught:
        run(system, "--for", "cron.d", "--at", text or " ")

    assert "15 4 * * *" in caught.value.hint
    assert not files(system)


@pytest.mark.parametrize("option", ["--page", "--metrics"])
@pytest.mark.parametrize(
    "path",
    [
        pytest.param("pages", id="relative"),
        pytest.param("/srv/a b", id="blank"),
        pytest.param("/srv/%h", id="percent"),
        pytest.param("/srv/{x}", id="braces"),
        pytest.param("/srv/x\n* * * * * root evil", id="line"),
        pytest.param("/srv/'", id="quote"),
    ],
)
def test_a_path_that_a_schedule_would_read_otherwise_is_refused(
    system: Path, option: str, path: str
) -> None:
    with pytest.raises(DescriptorError, match="cannot stand in a schedule"):
        run(system, "--for", "cron.d", option, path)

    assert not files(system)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="neither"),
        pytest.param(["--remove", "--for", "sme"], id="both"),
        pytest.param(["--for", "cron"], id="unknown"),
        pytest.param(["--for", "sme", "--max-age", "soon"], id="no span"),
    ],
)
def test_what_cannot_be_meant_is_refused(system: Path, arguments: list[str]) -> None:
    before = state(system)

    with pytest.raises(click.UsageError):
        run(system, *arguments)

    assert state(system) == before
