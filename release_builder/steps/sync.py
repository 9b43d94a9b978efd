"""Make the tree like the mirror: packages first, what speaks of them last."""

from __future__ import annotations

import errno
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rich.filesize import decimal

from release_builder.errors import (
    IncompleteError,
    ReleaseBuilderError,
    SurroundingsError,
    WrongFileError,
)
from release_builder.files import free_space
from release_builder.plan.pulls import (
    packages_pull,
    repairing_pull,
    speaks_of_others,
    whole_pull,
)
from release_builder.report import Finding, Outcome, Severity, StepResult
from release_builder.steps.earlier import refuse_older_version
from release_builder.steps.find_pair import find_jigdo, find_pair
from release_builder.steps.guards import check_apart, check_preview
from release_builder.steps.room import make_room

if TYPE_CHECKING:
    from release_builder.plan import Plan
    from release_builder.steps import Context
    from release_builder.transport import Pull, Transfer, Transport

_TRIES: Final = 3  # passes over a mirror that changes under our hands


def run(context: Context) -> StepResult:
    """Bring the tree up to date; what is here already is not fetched again.

    Raises:
        IncompleteError: The mirror cannot be reached, is empty, has lost parts, keeps changing,
            or has a .jigdo and a template that do not fit any more.
        DescriptorError: The mirror has no such release, or too much would be deleted.
        StepBackError: What `track:` leads to is older than what was here before.
        SurroundingsError: rsync is missing, or there is no room.
    """
    plan, transport = context.plan, context.transport
    if transport is None:
        return StepResult("sync", Outcome.SKIPPED, "offline: the tree is taken as it is")
    check_apart(plan)
    refuse_older_version(plan)
    if plan.workdir.tree.exists() and not plan.workdir.tree.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "not a folder", str(plan.workdir.tree))
    whole = whole_pull(plan.release, plan.workdir.tree)
    if context.suspects:
        return _repair(context, transport, whole)
    preview = transport.preview(whole, context.monitor)
    check_preview(plan, transport, preview)
    if not preview.changes:
        _forget_held_back(plan)
        result = _result(plan, [preview], Outcome.UNCHANGED)
        return _with_pair(context, transport, whole, result)
    _check_room(context, preview)
    # The deletions were judged above; rsync counts folders too.
    whole = replace(whole, max_delete=max(whole.max_delete, len(preview.deleted)))
    context.monitor.begin("sync", preview.size)
    try:
        result = _result(plan, _pull(context, transport, whole), Outcome.DONE)
    finally:
        context.monitor.end()
    return _with_pair(context, transport, whole, result)


def _check_room(context: Context, preview: Transfer) -> None:
    plan, making = context.plan, context.plan.options.make_room
    free, here = free_space(plan.workdir.tree), plan.workdir.held_back()
    need = preview.size - here + (plan.release.retain.free if making else 0)
    if making and need > free:
        free += make_room(plan, need - free, context.cache)
    if need > free:
        kept = f", and {plan.release.retain.free:,} are to stay free" if making else ""
        raise SurroundingsError(
            f"{plan.workdir.tree}: {preview.size - here:,} bytes are to be fetched,"
            f" {free:,} bytes are free{kept}; nothing was fetched",
            hint="free some room, or name another folder with --workdir",
        )


def _pull(context: Context, transport: Transport, whole: Pull) -> list[Transfer]:
    """Two passes, and more as long as packages changed between them."""
    passes = [transport.pull(packages_pull(whole), context.monitor)]
    for _ in range(_TRIES):
        last = transport.pull(whole, context.monitor)
        passes.append(last)
        if not last.vanished and all(speaks_of_others(file.path) for file in last.fetched):
            _forget_held_back(context.plan)
            return passes
    raise IncompleteError(
        f"{context.plan.release.mirror.url} changes while it is read, {_TRIES} times in a row",
        hint="the mirror is being updated: run again later",
    )


def _forget_held_back(plan: Plan) -> None:
    """Remove what a killed run left of files that are no longer wanted."""
    for folder in plan.workdir.held_back_folders():
        if folder.is_symlink() or not folder.is_dir():  # no sync has made it
            folder.unlink()
        else:
            shutil.rmtree(folder)


def _with_pair(
    context: Context, transport: Transport, whole: Pull, result: StepResult
) -> StepResult:
    """``result``, once the pair fits; what of ours is damaged is fetched again.

    Where nothing was made here yet, the step that reads the pair refuses it instead: nobody
    should wait in silence for a first image.

    Raises:
        IncompleteError: The mirror's .jigdo and template do not fit: it is being updated.
    """
    tree, release = context.plan.workdir.tree, context.plan.release
    made = any(context.plan.workdir.pair.glob("*.jigdo"))
    wrong = _wrong_template(context) if made and "rewrite" in context.plan.steps else None
    if not wrong:
        return result
    pair = (find_jigdo(tree, release), wrong.path)
    suspects = tuple(str(path.relative_to(tree)) for path in pair)
    repaired = _repair(replace(context, suspects=suspects), transport, whole)
    if still := _wrong_template(context):
        raise IncompleteError(still.what, hint=still.hint)
    if result.outcome is Outcome.UNCHANGED:
        return repaired
    return replace(result, findings=repaired.findings)


def _wrong_template(context: Context) -> WrongFileError | None:
    try:
        find_pair(context.plan.workdir.tree, context.plan.release, context.cache)
    except WrongFileError as error:
        return error
    except ReleaseBuilderError:  # the step that needs the pair tells
        pass
    return None


def _repair(context: Context, transport: Transport, whole: Pull) -> StepResult:
    context.monitor.begin("sync again what is wrong")
    try:
        transfer = transport.pull(repairing_pull(whole, context.suspects), context.monitor)
    finally:
        context.monitor.end()
    names = ", ".join(context.suspects[:3]) + (", …" if len(context.suspects) > 3 else "")
    result = _result(context.plan, [transfer], Outcome.DONE)
    finding = Finding(
        Severity.WARNING,
        f"files of the tree with other bytes than the pair says: {names};"
        f" fetched {len(transfer.fetched)} of {len(context.suspects)} anew",
        hint="if this happens again, check the disk"
        if transfer.fetched
        else "the mirror has them no other way",
    )
    return replace(result, findings=(finding,))


def _result(plan: Plan, passes: list[Transfer], outcome: Outcome) -> StepResult:
    fetched = {moved.path: moved.length for each in passes for moved in each.fetched}
    counts = {
        "files_fetched": len(fetched),
        "bytes_fetched": sum(fetched.values()),
        "bytes_received": sum(each.received for each in passes),
        "bytes_new": sum(each.literal for each in passes),
        "files_deleted": sum(len(each.deleted) for each in passes),
    }
    if outcome is Outcome.UNCHANGED:
        summary = "the tree is as the mirror has it; nothing fetched"
        counts = dict.fromkeys(counts, 0)
    elif not fetched and not counts["files_deleted"]:
        summary = "only times and modes had changed"
    else:
        new = counts["bytes_new"]
        of_it = f", {decimal(new)} of it new" if new < counts["bytes_fetched"] else ""
        summary = (
            f"{len(fetched):,} files fetched ({decimal(counts['bytes_fetched'])}{of_it}),"
            f" {counts['files_deleted']:,} deleted"
        )
    return StepResult(
        "sync", outcome, summary, counts=counts, facts={"tree": str(plan.workdir.tree)}
    )
