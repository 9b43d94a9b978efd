"""The image repository of schools: checked, uploaded, looked at; ``repository_update`` makes it."""

from __future__ import annotations

import contextlib
import re
import time
from typing import TYPE_CHECKING, Final

from release_builder.api.repository_check import (
    check_bytes,
    check_shape,
    read_told,
    result_of,
    work_of,
)
from release_builder.api.repository_options import WorkOptions
from release_builder.api.repository_push import parse_target, push
from release_builder.api.repository_report import about, report_of
from release_builder.api.repository_work import spread_of
from release_builder.errors import WrongBytesError, printable
from release_builder.monitor import Monitor
from release_builder.report import Outcome, StepResult, failed_step
from release_builder.repository.cleaning import GRACE, clean
from release_builder.repository.mirror import find_mirror, name_mirror
from release_builder.repository.store import Store
from release_builder.transport.throwaway_server import ThrowawayServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from release_builder.report import Report
    from release_builder.repository.contents import Told
    from release_builder.repository.mirror import Mirror

_DIGEST: Final = re.compile("[0-9a-f]{64}")


def verify_repository(
    path: Path, monitor: Monitor | None = None, *, jobs: int | None = None
) -> Report:
    """Check all that a repository says of itself: sizes, digests, each rdiff by patching.

    Args:
        path: The repository; of one with generations, the one that is served now.
        monitor: Hears how far it is.
        jobs: How many files are read at a time; None: one a core.

    Returns:
        What is wrong: WRONG where bytes are, INCOMPLETE where files are missing. What nobody
        names is noted.
    """
    monitor, mirror = monitor or Monitor(), name_mirror(path)

    def check() -> StepResult:
        folder = mirror.path.resolve()
        told = read_told(folder)
        monitor.begin("verify", work_of(told))
        try:
            spread = spread_of(WorkOptions(jobs))
            found = (*check_shape(folder, told), *check_bytes(folder, told, spread, monitor))
        finally:
            monitor.end()
        return result_of(told, found)

    return report_of("verify", about(mirror.path), {"verify": check})


def push_repository(
    path: Path,
    target: str,
    monitor: Monitor | None = None,
    *,
    ssh: str = "ssh",
    full: bool = False,
) -> Report:
    """Bring a repository to where it is served.

    Args:
        path: The repository; nobody changes it meanwhile.
        target: ``HOST:/path``, reached by ssh, or a local path.
        monitor: Hears how far it is.
        ssh: The command that reaches the host.
        full: Whether images and rdiffs are compared by content, not by size and time.

    Returns:
        What went over. A repository that lacks what it names stays here.

    Raises:
        DescriptorError: ``target`` is no place, or there is no folder ``path``.
        SurroundingsError: A link of another user would let us write elsewhere.
        WrongBytesError: ``path`` is no repository.
        OSError: It cannot be read.
    """
    place, mirror = parse_target(target), _repository(path)

    def send() -> StepResult:
        folder = mirror.path.resolve()
        found = tuple(check_shape(folder, read_told(folder)))
        if any(each.severity.status for each in found):
            error = WrongBytesError(
                f"{printable(str(mirror.path))} is not whole: nothing went over",
                hint="images update makes it whole; images verify tells more",
            )
            return failed_step("push", error, *found)
        pushed = push(folder, place, monitor or Monitor(), ssh=ssh, full=full)
        return StepResult(
            "push",
            Outcome.DONE if pushed.sent or pushed.deleted else Outcome.UNCHANGED,
            f"{pushed.sent:,} files, {pushed.size:,} bytes went over; {pushed.deleted:,} are gone",
            counts={
                "files_sent": pushed.sent,
                "bytes_sent": pushed.size,
                "files_deleted": pushed.deleted,
            },
            facts={"target": str(place)},
        )

    return report_of("push", about(mirror.path), {"push": send}, mirror.lock)


def clean_repository(
    path: Path, monitor: Monitor | None = None, *, grace: float = GRACE, dry_run: bool = False
) -> Report:
    """Remove what a repository does not tell of any more: files, generations, work.

    Args:
        path: The repository.
        monitor: Hears what goes.
        grace: Seconds for which what went out of use stays: clients may be fetching it.
        dry_run: Whether only to tell.

    Returns:
        What went, or would.

    Raises:
        DescriptorError: There is no folder ``path``.
        SurroundingsError: A link of another user would let us delete elsewhere.
        WrongBytesError: ``path`` is no repository.
        OSError: It cannot be read.
    """
    monitor, mirror = monitor or Monitor(), _repository(path)

    def sweep() -> StepResult:
        cleaned = clean(mirror, int(time.time()), grace=int(grace), dry=dry_run)
        freed = cleaned.freed
        if not dry_run:
            store, told = Store(mirror.work, ""), read_told(mirror.path.resolve())
            freed += store.discard(_useful(store, told))
        for name in cleaned.removed:
            monitor.detail(f"{name} goes")
        count, waiting = len(cleaned.removed), len(cleaned.waiting)
        return StepResult(
            "clean",
            Outcome.DONE if count or freed else Outcome.UNCHANGED,
            f"{count:,} files {'would go' if dry_run else 'are gone'}, {freed:,} bytes; "
            f"{waiting:,} wait for their time",
            counts={"files_removed": count, "bytes_freed": freed, "files_waiting": waiting},
        )

    return report_of("clean", about(mirror.path), {"clean": sweep}, mirror.lock)


@contextlib.contextmanager
def serve_repository(path: Path) -> Iterator[str]:
    """Serve a repository to this machine, by http, as long as the block lasts.

    Yields:
        Its URL, without a slash at the end.

    Raises:
        DescriptorError: There is no such folder.
        WrongBytesError: It is none.
        OSError: It cannot be read, or no port is free.
    """
    read_told(path)
    with ThrowawayServer({"/": path}) as server:
        yield server.url


def _repository(path: Path) -> Mirror:
    """The repository ``path``; what is none must not get a lock, nor anything else of ours."""
    mirror = find_mirror(path)
    read_told(mirror.path)
    return mirror


def _useful(store: Store, told: Told) -> set[Path]:
    """What of ``store`` is of images that are served."""
    served = {sums.sha256 for sums in told.images.values()}
    return {
        path
        for path in store.folder.glob("*/*")
        if served.issuperset(_DIGEST.findall(path.name)) and path.parent.name != "pieces"
    }
