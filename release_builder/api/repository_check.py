"""Whether an image repository is what it says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from release_builder.errors import DescriptorError, WrongBytesError, printable
from release_builder.report import SEVERITY_OF, Finding, Outcome, Severity, StepResult
from release_builder.repository.contents import CKSUMS, RDIFFS, read_contents
from release_builder.repository.names import parse_image
from release_builder.repository.proof import prove
from release_builder.repository.sums import sums_of
from release_builder.spreading.tasks import Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from release_builder.errors import ReleaseBuilderError
    from release_builder.monitor import Monitor
    from release_builder.repository.contents import Told
    from release_builder.repository.sums import Sums
    from release_builder.spreading.image_work import Spread

_READING: Final = 16 << 20  # bytes of memory that the reading, or the patching, of a file takes
_MADE: Final = "name the folder that images update made"
_AGAIN: Final = "images update makes it anew"
_FULL: Final = "images update --full makes it anew"
_RIGHT: Final = "bring the right one to IMAGE_DIR, then images update --full"


def read_told(folder: Path) -> Told:
    """Read meta and CKSUMS of the repository ``folder``; of its images and rdiffs nothing.

    Raises:
        DescriptorError: There is no such folder.
        WrongBytesError: It has neither of them, or one is not what it must be.
        OSError: It cannot be read.
    """
    try:
        next(folder.iterdir(), None)
    except FileNotFoundError as error:
        raise DescriptorError(f"there is no folder {printable(str(folder))}", hint=_MADE) from error
    told = read_contents(folder)
    if not told.metas and told.cksums is None:
        raise WrongBytesError(
            f"{printable(str(folder))} is no image repository: it has neither meta nor CKSUMS",
            hint=_MADE,
        )
    return told


def check_shape(folder: Path, told: Told) -> Iterator[Finding]:
    """What can be seen without reading images and rdiffs: names, sizes, and who says what."""
    for name, sums in _files(told).items():
        try:
            size = (folder / name).stat().st_size
        except FileNotFoundError:
            message = f"{printable(name)} is named, but not there"
            yield Finding(Severity.INCOMPLETE, message, _AGAIN, str(folder / name))
        else:
            if size != sums.size:
                message = f"{printable(name)} has {size:,} bytes; meta says {sums.size:,}"
                yield _wrong(message, folder / name, _RIGHT if name in told.images else _AGAIN)
    yield from _check_cksums(folder, told)
    yield from _orphans(folder, told)


def check_bytes(folder: Path, told: Told, spread: Spread, monitor: Monitor) -> Iterator[Finding]:
    """What all images and rdiffs say when they are read, and each rdiff when it is applied.

    Args:
        folder: The repository.
        told: What it says of itself; what is not there, or of another size, is left out.
        spread: Carries tasks out.
        monitor: Hears how far it is.
    """
    there = {name: sums for name, sums in _files(told).items() if _has_size(folder / name, sums)}
    right = set()
    tasks = [Task(name, sums_of, (folder / name,), _READING) for name in there]
    for ended in spread(tasks):
        sums = there[ended.key]
        monitor.advance(sums.size)
        if ended.error:
            yield _of_error(ended.error, folder / ended.key)
        elif ended.result != sums:
            message = f"{printable(ended.key)}: its bytes are not what meta says"
            hint = _RIGHT if ended.key in told.images else _FULL
            yield _wrong(message, folder / ended.key, hint)
        else:
            right.add(ended.key)
    proofs = [
        Task(
            name,
            prove,
            (folder / pair.source, folder / RDIFFS / name, told.images[pair.target]),
            _READING,
        )
        for name, (pair, _) in told.rdiffs.items()
        if f"{RDIFFS}/{name}" in right and pair.source in right
    ]
    for ended in spread(proofs):
        monitor.advance(told.images[told.rdiffs[ended.key][0].target].size)
        if ended.error:
            yield _of_error(ended.error, folder / RDIFFS / ended.key)


def work_of(told: Told) -> int:
    """Bytes that ``check_bytes`` reads and makes."""
    made = sum(told.images[pair.target].size for pair, _ in told.rdiffs.values())
    return made + sum(sums.size for sums in _files(told).values())


def result_of(told: Told, findings: Iterable[Finding]) -> StepResult:
    """What is to be said of a repository that was looked at."""
    found = tuple(findings)
    statuses = {each.severity for each in found}
    outcome = Outcome.DONE
    if statuses & {Severity.WRONG, Severity.SURROUNDINGS}:
        outcome = Outcome.FAILED
    elif Severity.INCOMPLETE in statuses:
        outcome = Outcome.INCOMPLETE
    size = sum(sums.size for sums in _files(told).values())
    return StepResult(
        "verify",
        outcome,
        f"{len(told.images):,} images, {len(told.rdiffs):,} rdiffs, {size:,} bytes",
        counts={"images": len(told.images), "rdiffs": len(told.rdiffs), "bytes": size},
        findings=found,
    )


def _files(told: Told) -> dict[str, Sums]:
    """What each file must be, by its path below the folder."""
    rdiffs = {f"{RDIFFS}/{name}": sums for name, (_, sums) in told.rdiffs.items()}
    return {**told.images, **rdiffs}


def _check_cksums(folder: Path, told: Told) -> Iterator[Finding]:
    path = folder / CKSUMS
    if told.cksums is None:
        yield _wrong(f"there is no {printable(str(path))}", path, _AGAIN)
        return
    for name, sums in told.files.items():
        line = told.cksums.get(name)
        if line is None:
            yield _wrong(f"CKSUMS lacks {printable(name)}", path, _AGAIN)
        elif line != (sums.cksum, sums.size):
            yield _wrong(f"CKSUMS and meta do not agree on {printable(name)}", path, _AGAIN)
    for name in sorted(told.cksums.keys() - told.files):
        message = f"CKSUMS names {printable(name)}, which no meta file does"
        yield Finding(Severity.WARNING, message, _AGAIN, str(path))


def _orphans(folder: Path, told: Told) -> Iterator[Finding]:
    lying = [
        *(each.name for each in folder.iterdir() if parse_image(each.name)),
        *(f"{RDIFFS}/{each.name}" for each in folder.glob(f"{RDIFFS}/[!.]*")),
    ]
    for name in sorted(set(lying) - _files(told).keys()):
        message = f"{printable(name)} is named by no meta file"
        yield Finding(Severity.NOTE, message, "images clean removes it", str(folder / name))


def _has_size(path: Path, sums: Sums) -> bool:
    return path.is_file() and path.stat().st_size == sums.size


def _of_error(error: ReleaseBuilderError, path: Path) -> Finding:
    return Finding(SEVERITY_OF[error.status], error.what, error.hint, str(path))


def _wrong(message: str, path: Path, hint: str = "") -> Finding:
    return Finding(Severity.WRONG, message, hint, str(path))
