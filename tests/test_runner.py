"""What comes of a plan: of steps that end well, that fail, that are not reached."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from golden import GOLDEN

from release_builder import api, runner
from release_builder.monitor import Monitor
from release_builder.plan import BUILD, Options
from release_builder.report import Outcome, Report, Severity
from release_builder.state.digest_cache import open_cache
from release_builder.state.lock import hold

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

PARTS = {"a.txt": slice(256, 1806), "b c#.bin": slice(2106, 3136)}
TEMPLATE, PART = "iso/x86_64/md5.template", "smeos/x86_64/a.txt"


class Hook(Monitor):
    """Does something when a step or some work of it begins."""

    def __init__(self, when: str, then: Callable[[], object]) -> None:
        self._when = when
        self._then = then

    def begin(self, what: str, total: int | None = None) -> None:
        self.detail(what)

    def detail(self, text: str) -> None:
        if text.startswith(self._when):
            self._then()


def lay_out(root: Path) -> Path:
    """The release whose pair jigdo-file made, as a mirror has it."""
    pair, tree = root / "iso/x86_64", root / "smeos/x86_64"
    pair.mkdir(parents=True)
    tree.mkdir(parents=True)
    shutil.copy(GOLDEN / "md5.jigdo", pair / "smeserver-9.0beta3-x86_64.jigdo")
    shutil.copy(GOLDEN / "md5.template", pair)
    image = (GOLDEN / "image.bin").read_bytes()
    for name, extent in PARTS.items():
        (tree / name).write_bytes(image[extent])
    return root


@pytest.fixture
def tree(workdir: Path) -> Path:
    """The release as it lies in the workdir after a sync."""
    return lay_out(workdir / "tree")


@pytest.fixture
def mirror(workdir: Path) -> Path:
    return lay_out(workdir / "mirror")


def carry_out(
    workdir: Path,
    *,
    steps: Sequence[str] = BUILD,
    offline: bool = True,
    monitor: Monitor | None = None,
    mirror: str = "mirror",
    arch: str = "x86_64",
) -> Report:
    descriptor = workdir / "any.yaml"
    descriptor.write_text(
        f"version: 9.0beta3\narch: {arch}\nmirror: {mirror}\nworkdir: .\n"
        "servers: {Base: {beta: 'http://h/beta/', final: 'http://h/final/'}}\n"
    )
    plans = api.plans([descriptor], Options(offline=offline), steps)
    with open_cache(workdir / "state") as cache:
        return runner.carry_out("build", plans, cache, monitor or Monitor())


def outcomes(report: Report) -> list[tuple[str, Outcome]]:
    return [(step.step, step.outcome) for step in report.releases[0].steps]


def spoil(path: Path) -> None:
    """Other bytes of the same length under the same time."""
    status, content = path.stat(), path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_steps_that_end_well_follow_each_other(workdir: Path, tree: Path) -> None:
    report = carry_out(workdir)

    assert outcomes(report) == [
        ("sync", Outcome.SKIPPED),
        ("rewrite", Outcome.DONE),
        ("assemble", Outcome.DONE),
        ("verify", Outcome.DONE),
    ]
    release = report.releases[0]
    assert (release.product, release.version, release.arch) == ("smeserver", "9.0beta3", "x86_64")
    assert (report.exit_status, release.workdir) == (0, str(workdir))
    image = workdir / "image" / "smeserver-9.0beta3-x86_64.iso"
    assert image.read_bytes() == (GOLDEN / "image.bin").read_bytes()


def no_pair(workdir: Path) -> None:
    shutil.rmtree(workdir / "tree" / "iso")


def two_pairs(workdir: Path) -> None:
    (jigdo,) = (workdir / "tree/iso/x86_64").glob("*.jigdo")
    other = workdir / "tree/smeos/x86_64" / jigdo.name
    other.write_bytes(jigdo.read_bytes() + b"#\n")


def wrong_template(workdir: Path) -> None:
    spoil(workdir / "tree" / TEMPLATE)


def file_in_the_way(workdir: Path) -> None:
    (workdir / "pair").write_text("a file where a folder should be")


@pytest.mark.parametrize(
    ("lack", "what"),
    [
        pytest.param(MemoryError(), "there is not enough memory for this", id="memory"),
        pytest.param(
            RuntimeError("can't start new thread"), "no thread can be started", id="threads"
        ),
    ],
)
def test_what_the_machine_lacks_ends_the_step_not_the_run(
    workdir: Path, tree: Path, lack: BaseException, what: str
) -> None:
    report = carry_out(workdir, monitor=Hook("step assemble", lambda: fail(lack)))

    *_, assemble, verify = report.releases[0].steps
    assert (assemble.step, assemble.outcome) == ("assemble", Outcome.FAILED)
    assert [finding.message for finding in assemble.findings] == [what]
    assert (verify.outcome, report.exit_status) == (Outcome.SKIPPED, 3)


def fail(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize(
    ("prepare", "outcome", "severity", "suspects"),
    [
        pytest.param(no_pair, Outcome.INCOMPLETE, Severity.INCOMPLETE, (), id="incomplete"),
        pytest.param(two_pairs, Outcome.FAILED, Severity.WRONG, (), id="descriptor"),
        pytest.param(wrong_template, Outcome.FAILED, Severity.WRONG, (TEMPLATE,), id="bytes"),
        pytest.param(file_in_the_way, Outcome.FAILED, Severity.SURROUNDINGS, (), id="system"),
    ],
)
def test_an_error_ends_the_release_as_what_it_is(
    workdir: Path,
    tree: Path,
    *,
    prepare: Callable[[Path], None],
    outcome: Outcome,
    severity: Severity,
    suspects: tuple[str, ...],
) -> None:
    prepare(workdir)

    report = carry_out(workdir)

    _, rewrite, *rest = report.releases[0].steps
    (finding,) = rewrite.findings
    assert (rewrite.step, rewrite.outcome, rewrite.suspects) == ("rewrite", outcome, suspects)
    assert (finding.severity, report.exit_status) == (severity, severity.status)
    assert finding.hint or severity is Severity.SURROUNDINGS
    assert {step.outcome for step in rest} == {Outcome.SKIPPED}


@pytest.mark.parametrize("mistake", [ZeroDivisionError(), RuntimeError("dictionary changed")])
def test_a_mistake_of_our_own_stays_a_traceback(
    workdir: Path, tree: Path, mistake: Exception
) -> None:
    with pytest.raises(type(mistake)):
        carry_out(workdir, monitor=Hook("assemble", lambda: fail(mistake)))


def interrupt() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("when", ["assemble", "step assemble"])
def test_an_interruption_ends_the_whole_run_with_a_report(
    workdir: Path, tree: Path, when: str
) -> None:
    try:
        report = carry_out(workdir, monitor=Hook(when, interrupt), arch="[x86_64, i386]")
    except KeyboardInterrupt:  # it would end pytest
        pytest.fail("the report is lost")
    healed = carry_out(workdir)

    assert outcomes(report)[2:] == [("assemble", Outcome.FAILED), ("verify", Outcome.SKIPPED)]
    assert (report.exit_status, len(report.releases)) == (130, 1)
    assert "goes on from here" in report.all_findings()[-1].hint
    assert healed.exit_status == 0


def test_a_release_that_fails_does_not_stop_the_next(workdir: Path, tree: Path) -> None:
    report = carry_out(workdir, arch="[i386, x86_64]")

    assert [release.exit_status for release in report.releases] == [1, 0]
    assert report.exit_status == 1


def test_another_run_in_the_folder_is_not_disturbed(workdir: Path, tree: Path) -> None:
    with hold(workdir / ".lock"):
        report = carry_out(workdir)

    assert outcomes(report)[0] == ("sync", Outcome.FAILED)
    assert {step.outcome for step in report.releases[0].steps[1:]} == {Outcome.SKIPPED}
    assert report.exit_status == 75
    assert not (workdir / "pair").exists()


def test_to_verify_disturbs_nobody(workdir: Path, tree: Path) -> None:
    carry_out(workdir)

    with hold(workdir / ".lock"):
        report = carry_out(workdir, steps=["verify"], mirror="http://h/not/a/tree/")

    assert outcomes(report) == [("verify", Outcome.UNCHANGED)]


def test_a_web_mirror_that_nobody_reaches_is_to_be_asked_again(workdir: Path, tree: Path) -> None:
    report = carry_out(workdir, offline=False, mirror="http://h/a/tree/")

    assert outcomes(report)[0] == ("fetch", Outcome.INCOMPLETE)
    assert report.exit_status == 1


@pytest.mark.interop
@pytest.mark.parametrize(
    ("suspect", "step"),
    [pytest.param(TEMPLATE, "rewrite", id="template"), pytest.param(PART, "assemble", id="part")],
)
def test_a_suspect_is_fetched_once_more_and_its_step_done_again(
    workdir: Path, mirror: Path, suspect: str, step: str
) -> None:
    carry_out(workdir, offline=False, steps=["sync"])
    spoil(workdir / "tree" / suspect)

    report = carry_out(workdir, offline=False)

    names = [name for name, _ in outcomes(report)]
    assert names.count("sync") == 2
    assert names[names.index(step) - 1] == "sync"
    assert set(names) == set(BUILD)
    assert report.exit_status == 0
    assert suspect in report.all_findings()[0].message
    assert (workdir / "tree" / suspect).read_bytes() == (mirror / suspect).read_bytes()


@pytest.mark.interop
def test_what_stays_wrong_is_fetched_once_more_and_no_second_time(
    workdir: Path, mirror: Path
) -> None:
    spoil(mirror / PART)

    report = carry_out(workdir, offline=False)

    assert outcomes(report) == [
        ("sync", Outcome.DONE),
        ("rewrite", Outcome.DONE),
        ("sync", Outcome.DONE),
        ("assemble", Outcome.FAILED),
        ("verify", Outcome.SKIPPED),
    ]
    assert report.exit_status == 2


@pytest.mark.interop
def test_where_the_suspect_cannot_be_fetched_the_first_result_stands(
    workdir: Path, mirror: Path
) -> None:
    carry_out(workdir, offline=False, steps=["sync"])
    spoil(workdir / "tree" / PART)
    gone = Hook("step assemble", lambda: mirror.rename(workdir / "gone"))

    report = carry_out(workdir, offline=False, monitor=gone)

    assert outcomes(report)[2:] == [
        ("sync", Outcome.FAILED),
        ("assemble", Outcome.FAILED),
        ("verify", Outcome.SKIPPED),
    ]
    assert report.exit_status == 2


def test_a_workdir_that_has_the_state_leaves_the_history_to_others(
    workdir: Path, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELEASE_BUILDER_STATE", str(workdir))
    code = (
        "import pathlib, sys; from release_builder.state.history import open_history\n"
        "with open_history(pathlib.Path(sys.argv[1])) as history: print(history.notes)\n"
    )
    others: list[str] = []

    def look() -> None:
        argv = [sys.executable, "-c", code, str(workdir)]
        others.append(subprocess.check_output(argv, text=True, timeout=90))

    report = carry_out(workdir, monitor=Hook("step verify", look))

    assert (report.exit_status, others) == (0, ["[]\n"])


def test_a_link_of_another_user_ends_a_run_at_the_door(
    workdir: Path, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workdir / "elsewhere").mkdir()
    (workdir / "image").symlink_to("elsewhere")
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    if (workdir / "image").lstat().st_uid == 0:
        os.lchown(workdir / "image", 54321, -1)

    report = carry_out(workdir)

    assert report.exit_status == 3
    assert list((workdir / "elsewhere").iterdir()) == []
