"""What ``install-cron`` writes, run by the real cron of Debian: who gets a mail, and who none."""

from __future__ import annotations

import itertools
import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from own_mounts import need_own_mounts, need_root
from program import release_builder

from release_builder.courtesy import splay
from release_builder.schedule import Kind, Schedule, parse_times, ready_files
from release_builder.schedule.ready import CRON_FILE, DESCRIPTORS
from release_builder.state.digest_cache import state_folder
from release_builder.state.history import open_history

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from builders import Mirror

    Jobs = Mapping[str, str]
    Mails = Mapping[str, str]

pytestmark = pytest.mark.interop

PATIENCE: Final = 120.0  # seconds: up to a minute until cron wakes up, and the runs themselves
SPLAY: Final = 600.0  # seconds, the default of `refresh`
OWN: Final = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
# Nothing of the machine's own cron is seen there: neither its jobs, nor who holds its place.
REPLACED: Final = """
mount --bind "$1/cron.d" /etc/cron.d
mount --bind "$1/crontab" /etc/crontab
mount --bind "$1/spool" /var/spool/cron
mount --bind "$1/sbin" /usr/sbin
mount -t tmpfs none /run
exec cron -f -L 0
"""
# A mail system that delivers into a folder, and release-builder, telling when it began and ended.
SENDMAIL: Final = '#!/bin/sh\ncat > "{mails}/new.$$" && mv "{mails}/new.$$" "{mails}/$$.mail"\n'
WRAPPED: Final = """#!/bin/sh
for folder; do :; done
name=${{folder##*/}}
: > "{marks}/$name.began"
RELEASE_BUILDER_STATE={state} {python} -m release_builder "$@"
status=$?
echo $status > "{marks}/$name.ended"
exit $status
"""


@dataclass(frozen=True, slots=True)
class Folders:
    """Where a schedule of the test has its things, and what becomes of it."""

    root: Path

    @property
    def marks(self) -> Path:
        return self.root / "marks"

    @property
    def mails(self) -> Path:
        return self.root / "mails"

    def marked(self, kind: str) -> dict[str, str]:
        return {path.stem: path.read_text().strip() for path in self.marks.glob(f"*.{kind}")}


@pytest.fixture
def folders(workdir: Path) -> Folders:
    folders = Folders(workdir / "cron")
    for name in ("cron.d", "spool/crontabs", "sbin", "marks", "mails"):
        (folders.root / name).mkdir(parents=True)
    (folders.root / "crontab").touch()
    return folders


def script(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def jobs(mirror: Mirror, workdir: Path, folders: Folders) -> Jobs:
    """The text of each job's file, with ``/etc/release-builder/releases.d`` led to its own."""
    wrapped = WRAPPED.format(
        marks=folders.marks, state=state_folder(os.environ), python=shlex.quote(sys.executable)
    )
    program = script(workdir / "release-builder", wrapped)
    schedule = Schedule(at=parse_times("* * * * *"), program=str(program))
    text = ready_files(Kind.CRON_D, schedule)[CRON_FILE]
    right = {name: describe(mirror, workdir / name) for name in ("new", "same", "wrong", "away")}
    for name in ("same", "away"):
        assert release_builder("refresh", "--no-splay", right[name], cwd=workdir).status == 0
    nobody = mirror.descriptor.replace(mirror.url.split("/")[2], "127.0.0.1:9")
    right["away"].write_text(f"{nobody}workdir: .\n")
    with right["wrong"].open("a") as descriptor:
        descriptor.write("digests: {md5: 00000000000000000000000000000000}\n")
    return {name: text.replace(DESCRIPTORS, str(path.parent)) for name, path in right.items()}


def describe(mirror: Mirror, folder: Path) -> Path:
    """A descriptor whose name has this host wait for less than a second."""
    folder.mkdir()
    names = (folder / f"{number}.yaml" for number in itertools.count())
    path = next(name for name in names if splay(SPLAY, socket.gethostname(), str(name)) < 1)
    path.write_text(f"{mirror.descriptor}workdir: .\n")
    return path


def by_cron(jobs: Jobs, folders: Folders) -> Mails:
    """Let the real cron run all jobs in the minute that follows."""
    need_root()
    need_own_mounts(OWN)
    shutil.copy2("/usr/sbin/cron", folders.root / "sbin")
    script(folders.root / "sbin/sendmail", SENDMAIL.format(mails=folders.mails))
    files = {name: folders.root / "cron.d" / name for name in jobs}
    for name, text in jobs.items():
        files[name].write_text(text)
        files[name].chmod(0o644)
    cron = [*OWN, "sh", "-ec", REPLACED, "sh", str(folders.root)]
    with subprocess.Popen(cron, stdin=subprocess.DEVNULL) as process:
        try:
            until(lambda: folders.marked("began").keys() == jobs.keys())
            for file in files.values():  # once is enough
                file.unlink()
            until(lambda: folders.marked("ended").keys() == jobs.keys())
            (daemon,) = children(process.pid)
            until(lambda: not children(daemon))  # each job's own cron sends the mail, and ends
        finally:
            process.kill()  # and with it all that it started
    texts = [path.read_text() for path in folders.mails.glob("*.mail")]
    return {name: text for text in texts for name in jobs if f"/{name}\n" in subject(text)}


def subject(mail: str) -> str:
    return next(line for line in mail.splitlines(keepends=True) if line.startswith("Subject: "))


def children(process: int) -> list[int]:
    text = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(number) for number in text.split()]


def until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def by_hand(jobs: Jobs, folders: Folders) -> Mails:
    """Do for each job what cron does: its environment, its shell, a mail if there is output."""
    mails = {}
    for name, text in jobs.items():
        *settings, line = [each for each in text.splitlines() if not each.startswith("#")]
        given = dict(setting.split("=", 1) for setting in settings)
        command = line.split(maxsplit=6)[6]  # behind the time and the user
        ended = subprocess.run(
            [given["SHELL"], "-c", command],
            cwd="/",
            env={"HOME": "/", "LOGNAME": "root", **given},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if ended.stdout:
            mails[name] = f"To: {given['MAILTO']}\nSubject: {command}\n\n{ended.stdout}"
    return mails


@pytest.mark.parametrize(
    "scheduler", [pytest.param(by_cron, id="cron"), pytest.param(by_hand, id="its environment")]
)
def test_only_a_failure_is_a_mail_and_that_is_one_block(
    jobs: Jobs, folders: Folders, scheduler: Callable[[Jobs, Folders], Mails]
) -> None:
    mails = scheduler(jobs, folders)

    assert folders.marked("ended") == {"new": "0", "same": "0", "wrong": "2", "away": "1"}
    assert mails.keys() == {"wrong"}, mails
    head, _, body = mails["wrong"].partition("\n\n")
    assert "To: root" in head.splitlines()
    first, *rest = body.splitlines()
    assert first == "smeserver 9.0beta3 x86_64: could not be refreshed"
    assert all(line.startswith("  ") for line in rest)
    assert "00000000000000000000000000000000" in body
    assert changes(jobs) == {"new": [True], "same": [True, False], "wrong": [], "away": [True]}


def changes(jobs: Jobs) -> dict[str, list[bool]]:
    """Of each job's runs that ended well, the oldest first, whether they brought something new."""
    with open_history(state_folder(os.environ), read_only=True) as history:
        runs = history.runs()[::-1]
    return {
        name: [run.changed for run in runs if f"/{name}/" in run.descriptor and not run.status]
        for name in jobs
    }
