"""How the work for a repository is spread, and which images and deltas it has then."""

from __future__ import annotations

import functools
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from release_builder.errors import (
    DescriptorError,
    IncompleteError,
    ReleaseBuilderError,
    WrongBytesError,
    printable,
)
from release_builder.files import replacing
from release_builder.media.image import MediaError
from release_builder.media.squashfs import check_whole, read_definitions
from release_builder.report import SEVERITY_OF, Finding
from release_builder.repository import rdiff
from release_builder.repository.configuration import Compat
from release_builder.repository.description import Described
from release_builder.repository.journal import mark_of
from release_builder.spreading import run_dask, run_local
from release_builder.spreading.image_work import read_files
from release_builder.spreading.tasks import Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from release_builder.api.repository_options import WorkOptions
    from release_builder.monitor import Monitor
    from release_builder.repository.journal import Journal, Known
    from release_builder.spreading.image_work import Spread

CONF: Final = "puavo-conf"  # in the work folder: the definitions of each image, by SHA-256
LATEST_BLOCK: Final = 128  # bytes; the generator's since 2023-11-20

_READING_MEMORY: Final = 64 << 20  # bytes: unsquashfs unpacks some blocks ahead


@dataclass(frozen=True, slots=True)
class Workshop:
    """What all work for a repository has in common.

    Attributes:
        folder: For what is kept between runs.
        journal: Knows what was read.
        spread: Carries tasks out.
        monitor: Hears how far it is.
    """

    folder: Path
    journal: Journal
    spread: Spread
    monitor: Monitor


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of looking at images.

    Attributes:
        known: Their digests, by file name; what is no image, or could not be read, is left out.
        conf: Their puavo-conf definitions, by file name.
        read: How many were read; the others were known before.
        findings: What was wrong.
    """

    known: Mapping[str, Known]
    conf: Mapping[str, Mapping[str, object]]
    read: int
    findings: tuple[Finding, ...]

    def described(self) -> dict[str, Described]:
        """All that meta says of those that can be served."""
        return {name: Described(self.known[name].sums, conf) for name, conf in self.conf.items()}


def jobs_of(work: WorkOptions) -> int:
    """How many tasks are done at a time; default: one a core that we may use."""
    return work.jobs or len(os.sched_getaffinity(0))


def memory_of(work: WorkOptions) -> int:
    """Bytes that all tasks may take; default: half of this machine's."""
    own = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    return own if work.memory is None else work.memory


def spread_of(work: WorkOptions) -> Spread:
    """Who carries tasks out."""
    if work.scheduler is not None:
        return functools.partial(run_dask, scheduler=work.scheduler)
    return functools.partial(run_local, jobs=jobs_of(work), memory=memory_of(work))


def block_size(compat: Compat, old_size: int, librsync: str) -> int:
    """The block size of an image's signature, in bytes."""
    if compat is Compat.LATEST:
        return LATEST_BLOCK
    return rdiff.default_block_size(old_size, librsync)


def look_at_images(
    shop: Workshop, image_dir: Path, listed: Sequence[str], sources: Sequence[str]
) -> Looked:
    """Find out what there is to say of images.

    Args:
        shop: Where the work is done.
        image_dir: Where they lie.
        listed: Names of those that are to be served.
        sources: Names of further ones, that only deltas are made from.

    Returns:
        It; an image that is missing, being written, or no image is left out, and named.

    Raises:
        SurroundingsError: What would hit all of them: no room, no program.
        OSError: An image cannot be read, or the cache or the journal not be written.
    """
    findings: list[Finding] = []
    there: list[Path] = []
    new: dict[Path, int] = {}  # bytes
    for name in dict.fromkeys((*listed, *sources)):
        path = image_dir / name
        try:
            _check_there(path, is_listed=name in listed)
            if shop.journal.known(path) is None:
                new[path] = mark_of(path).size
        except (MediaError, IncompleteError) as problem:
            findings.append(finding_of_one(problem, path))
        else:
            there.append(path)
    known: dict[str, Known] = {}
    shop.monitor.begin("read images", sum(new.values()))
    try:
        for path, read, error in read_files(there, shop.journal, shop.spread):
            if read is None:
                findings.append(finding_of_one(error, path))
                continue
            known[path.name] = read
            shop.monitor.advance(read.sums.size if path in new else 0)
    finally:
        shop.monitor.end()
    conf: dict[str, Mapping[str, object]] = {}
    served = [known[name] for name in listed if name in known]
    for image, told, error in _definitions(served, shop):
        if told is None:
            findings.append(finding_of_one(error, image.path))
            del known[image.path.name]
        else:
            conf[image.path.name] = told
    return Looked(known, conf, len(new), tuple(findings))


def finding_of_one(error: ReleaseBuilderError | None, path: Path) -> Finding:
    """What to say of ``error``, if it is about one file and the others can do without it.

    Raises:
        ReleaseBuilderError: It is ``error``, and would be met again with the next file.
    """
    assert error is not None, path
    if not isinstance(error, (WrongBytesError, IncompleteError, DescriptorError)):
        raise error
    return Finding(SEVERITY_OF[error.status], error.what, error.hint, str(path))


def _definitions(
    images: Iterable[Known], shop: Workshop
) -> Iterator[tuple[Known, Mapping[str, object] | None, ReleaseBuilderError | None]]:
    unknown, cache = {}, shop.folder / CONF
    for image in images:
        if (told := _cached(cache / image.sums.sha256)) is not None:
            yield image, told, None
        else:
            unknown[f"puavo-conf of {image.path.name}"] = image
    tasks = [Task(key, definitions_of, (each,), _READING_MEMORY) for key, each in unknown.items()]
    for ended in shop.spread(tasks):
        image = unknown[ended.key]
        if not isinstance(ended.result, dict):
            yield image, None, ended.error
            continue
        cache.mkdir(parents=True, exist_ok=True)
        with replacing(cache / image.sums.sha256) as out:
            out.write(json.dumps(ended.result).encode())
        yield image, ended.result, None


def definitions_of(image: Known) -> dict[str, object]:
    """The puavo-conf definitions of an image; see read_definitions.

    Raises:
        IncompleteError: It was changed since it was read, or removed.
        ReleaseBuilderError: As read_definitions.
        OSError: It cannot be read.
    """
    with image.unchanged():
        return read_definitions(image.path)


def _cached(path: Path) -> Mapping[str, object] | None:
    try:
        told = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return told if isinstance(told, dict) else None


def _check_there(path: Path, *, is_listed: bool) -> None:
    """Let an image pass; what is none is not read whole, and no delta is made of it."""
    try:
        check_whole(path)
    except OSError as error:
        if path.is_file():
            raise
        raise IncompleteError(
            f"{printable(path.name)} is not in {printable(str(path.parent))}",
            hint="the configuration names it: bring it there, or correct config/images"
            if is_listed
            else "deltas from it were asked for (extra_rdiffs): bring it there, or leave them out",
        ) from error
