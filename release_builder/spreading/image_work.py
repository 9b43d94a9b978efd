"""The heavy work of an image repository as tasks: digests, signatures, deltas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from release_builder.repository import journal as journals
from release_builder.repository import rdiff
from release_builder.repository.deltas import (
    Wanted,
    adopt_delta,
    join_delta,
    make_delta,
    make_piece,
)
from release_builder.repository.journal import Journal, Known
from release_builder.repository.signatures import join_signature, sign, sign_piece
from release_builder.spreading.tasks import Ended, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from release_builder.errors import ReleaseBuilderError
    from release_builder.repository.store import Store

    Spread = Callable[[Sequence[Task]], Iterator[Ended]]  # run_local or run_dask, all else given

STREAMING: Final = 24 << 20  # bytes of memory for what reads, signs or patches, and its rdiff
_SMALLEST_PIECE: Final = 64 << 20  # bytes; a shorter one is not worth another start of rdiff


def read_files(
    paths: Sequence[Path], journal: Journal, spread: Spread
) -> Iterator[tuple[Path, Known | None, ReleaseBuilderError | None]]:
    """The digests of files, of which only those are read that the journal does not know.

    Args:
        paths: The files.
        journal: Knows them afterwards.
        spread: Carries tasks out.

    Yields:
        Each file with its digests or with what was wrong; in no order.

    Raises:
        OSError: A file is not there, or the journal cannot be written.
    """
    unknown = {}
    for path in dict.fromkeys(paths):
        if known := journal.known(path):
            yield path, known, None
        else:
            unknown[f"digests of {path}"] = path
    tasks = [Task(key, journals.read, (path,), STREAMING) for key, path in unknown.items()]
    for ended in spread(tasks):
        yield unknown[ended.key], _remembered(ended, journal), ended.error


def have_deltas(  # noqa: PLR0913 (each is another's)
    wanted: Sequence[Wanted],
    store: Store,
    journal: Journal,
    spread: Spread,
    *,
    jobs: int,
    candidates: Mapping[Wanted, Path],
) -> Iterator[tuple[Wanted, Known | None, ReleaseBuilderError | None]]:
    """Proven deltas in the store, of which only those are made that are not there yet.

    Args:
        wanted: Which.
        store: Where they lie; signatures of another program may have been taken in there.
        journal: Knows them afterwards. What is in the store but was changed is proven anew.
        spread: Carries tasks out.
        jobs: How many of them run at a time: long ones are cut for as many.
        candidates: Files that may be the one or the other already.

    Yields:
        Each delta, as it lies in the store, or what was wrong; in no order.

    Raises:
        OSError: The journal cannot be written.
    """
    twins: dict[Path, list[Wanted]] = {}  # images of the same bytes have the same deltas
    for one in dict.fromkeys(wanted):
        twins.setdefault(one.path(store), []).append(one)
    places = {}
    for path, (first, *_) in twins.items():
        others = (candidates[one] for one in twins[path] if one in candidates)
        places[first] = path if path.exists() else next(others, None)
    for first, known, error in _have(places, store, journal, spread, jobs):
        yield from ((one, known, error) for one in twins[first.path(store)])


def _have(
    places: Mapping[Wanted, Path | None], store: Store, journal: Journal, spread: Spread, jobs: int
) -> Iterator[tuple[Wanted, Known | None, ReleaseBuilderError | None]]:
    missing, doubtful = [], {}
    for one, place in places.items():
        path = one.path(store)
        if place == path and (known := journal.known(path)):
            yield one, known, None
        elif place is not None and place.is_file():
            doubtful[_key(one)] = one, place
        else:
            missing.append(one)
    proofs = [
        Task(key, adopt_delta, (store, one, place), STREAMING)
        for key, (one, place) in doubtful.items()
    ]
    for ended in spread(proofs):
        one, _ = doubtful[ended.key]
        if ended.result is None and ended.error is None:
            missing.append(one)
        else:
            yield one, _remembered(ended, journal), ended.error
    made = {_key(one): one for one in missing}
    for ended in spread(delta_tasks(missing, store, jobs)):
        if ended.key in made:
            yield made[ended.key], _remembered(ended, journal), ended.error


def delta_tasks(wanted: Sequence[Wanted], store: Store, jobs: int) -> list[Task]:
    """What makes ``wanted``: signatures, each once, then deltas; in pieces for idle cores.

    Signatures are always cut so, as their bytes stay the same; deltas if the store is for such.

    Args:
        wanted: Each once.
        store: Where all goes.
        jobs: How many tasks run at a time.

    Returns:
        The tasks; the result of the last one of each delta is that as a Known.
    """
    olds = {one.signature(store): one for one in wanted if not one.signature(store).exists()}
    signing = {path: _sign_tasks(store, one, jobs // len(olds)) for path, one in olds.items()}
    pieces = jobs // len(wanted) if wanted and store.split else 1
    tasks = [task for each in signing.values() for task in each]
    for one in wanted:
        needs = [each[-1].key for each in (signing.get(one.signature(store)),) if each]
        tasks += _delta_tasks(store, one, pieces, tuple(needs))
    return tasks


def _sign_tasks(store: Store, one: Wanted, pieces: int) -> list[Task]:
    old, block = one.old, one.block_size
    key = f"signature of {old.path.name}, {old.sums.sha256[:16]}, blocks of {block}"
    parts = _parts(old.sums.size, pieces, block)
    if len(parts) == 1:
        return [Task(key, sign, (store, old, block), STREAMING)]
    tasks = [
        Task(f"{key}, from {offset}", sign_piece, (store, old, block, offset, length), STREAMING)
        for offset, length in parts
    ]
    needs = tuple(task.key for task in tasks)
    return [*tasks, Task(key, join_signature, (store, old, block, parts), STREAMING, needs)]


def _delta_tasks(store: Store, one: Wanted, pieces: int, needs: tuple[str, ...]) -> list[Task]:
    key = _key(one)
    memory = rdiff.delta_memory(one.old.sums.size, one.block_size)
    parts = _parts(one.new.sums.size, pieces, 1)
    if len(parts) == 1:
        return [Task(key, make_delta, (store, one), memory, needs)]
    tasks = [
        Task(f"{key}, from {offset}", make_piece, (store, one, offset, length), memory, needs)
        for offset, length in parts
    ]
    # The joining's last resort is the whole delta, for which the table is loaded once more.
    last_needs = tuple(task.key for task in tasks)
    return [*tasks, Task(key, join_delta, (store, one, parts), memory, last_needs)]


def _parts(size: int, pieces: int, step: int) -> tuple[tuple[int, int], ...]:
    pieces = max(1, min(pieces, size // _SMALLEST_PIECE))
    if pieces == 1:
        return ((0, size),)
    length = -(-size // (pieces * step)) * step
    return tuple((offset, min(length, size - offset)) for offset in range(0, size, length))


def _key(one: Wanted) -> str:
    return f"delta from {one.old.path.name} to {one.new.path.name}, blocks of {one.block_size}"


def _remembered(ended: Ended, journal: Journal) -> Known | None:
    if not isinstance(ended.result, Known):
        return None
    journal.remember(ended.result)
    return ended.result
