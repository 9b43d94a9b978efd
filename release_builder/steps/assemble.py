"""Rebuild the image from the template and the parts that are here."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rich.filesize import decimal

from release_builder.errors import LACKS, ReleaseBuilderError, WrongBytesError
from release_builder.files import free_space
from release_builder.jigdo.entries import MatchedFile
from release_builder.jigdo.make_image import make_image
from release_builder.report import Finding, Outcome, Severity, StepResult, failed_step
from release_builder.steps.at_hand import parts_at_hand
from release_builder.steps.earlier import believed
from release_builder.steps.find_pair import find_pair
from release_builder.steps.image_file import finish, measure, move_aside, unfinished
from release_builder.steps.image_packages import check_image_packages
from release_builder.steps.missing import report_missing
from release_builder.steps.release_servers import release_servers
from release_builder.steps.room import make_room
from release_builder.steps.tree_packages import check_tree_packages
from release_builder.trust.expected import compare

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from release_builder.jigdo.image_result import Image
    from release_builder.jigdo.template import Template
    from release_builder.steps import Context
    from release_builder.steps.find_pair import Pair
    from release_builder.steps.truth import Truth
    from release_builder.trust.expected import Mismatch

_UNSIGNED: Final = "no image is made: packages are not signed as they should be"


def run(context: Context) -> StepResult:
    """Make the image, if the right one is not there already.

    Raises:
        ReleaseBuilderError: As find_pair and believed; the sources do not agree on the image.
    """
    plan = context.plan
    pair = find_pair(plan.workdir.tree, plan.release, context.cache)
    with pair.open_template() as stream:
        template = pair.read_template(stream)
        held = believed(plan, template.description.image)
        truth = held.truth
        truth.agree()
        name = plan.workdir.image / plan.release.image
        findings = () if "verify" in plan.steps else held.findings  # which tells them too
        if os.path.lexists(name) and _is_right(context, name, truth):
            return replace(_already_right(name, template), findings=findings)
        packages = check_tree_packages(context, pair, template.description.parts)
        findings += tuple(packages.signatures.findings)
        if any(each.severity.status for each in findings):
            return StepResult("assemble", Outcome.FAILED, _UNSIGNED, findings=findings)
        if os.path.lexists(name):
            moved = move_aside(name, plan.workdir.aside)
            what = f"{name.name} was there but is not the image of {pair.jigdo_path.name}"
            warning = Finding(Severity.WARNING, f"{what}: moved to {moved}", path=str(moved))
            findings = (*findings, warning)
        try:
            result = _make(context, pair, template, truth, packages.absent)
        except (ReleaseBuilderError, KeyboardInterrupt, *LACKS) as error:
            return failed_step("assemble", error, *findings)  # what was moved must be told
    return replace(result, findings=(*findings, *result.findings))


def _make(
    context: Context,
    pair: Pair,
    template: Template,
    truth: Truth,
    unseen: tuple[MatchedFile, ...],
) -> StepResult:
    plan, wanted = context.plan, template.description.image
    name = plan.workdir.image / plan.release.image
    partial = name.with_name(f"{name.name}.partial")
    if plan.options.make_room:
        _make_room(context, wanted.length, partial)
    at_hand = parts_at_hand(plan, pair, template, context.cache, context.monitor)
    servers = release_servers(plan, pair)
    runs = sum(isinstance(run, MatchedFile) for run in template.description.runs)
    context.monitor.begin("assemble", wanted.length)
    try:
        with unfinished(partial, wanted.length, plan.workdir.aside) as out:
            image = make_image(
                template,
                out,
                at_hand.sources,
                truth.algorithms,
                context.monitor.advance,
                far=servers,
                on_part=lambda count: context.monitor.note(f"{count:,} of {runs:,} parts"),
            )
    finally:
        context.monitor.end()
    notes = tuple(
        Finding(Severity.WARNING, each) for each in (*at_hand.places.notes, *servers.dropped)
    )
    if image.missing:
        findings, suspects = report_missing(context, servers, at_hand.tree, image)
        size = decimal(sum(part.length for part in image.missing))
        return StepResult(
            "assemble",
            Outcome.FAILED if suspects else Outcome.INCOMPLETE,
            f"{len(image.missing):,} parts ({size}) are missing or wrong; the others are kept",
            counts=_counts(image),
            findings=(*findings, *notes),
            suspects=suspects,
        )
    mismatches = compare(truth.expectations, image.digests, wanted.length)
    if any(mismatch.expectation is truth.expectations[0] for mismatch in mismatches):
        raise WrongBytesError(
            f"{name.name} came out wrong though every part is right: {mismatches[0]}",
            hint=f"the template itself is wrong; what came out is kept as {partial}",
        )
    if mismatches:
        raise _unexpected(name, mismatches, f"it is kept as {partial}")
    signatures = check_image_packages(context, partial, pair, template.description, unseen)
    notes = (*signatures.findings, *notes)
    if any(each.severity.status for each in notes):
        return StepResult("assemble", Outcome.FAILED, _UNSIGNED, findings=notes)
    finish(partial, name)
    status = name.stat()
    for digest in image.digests.values():
        context.cache.put(status, digest)
    parts = len(template.description.parts)
    summary = f"{name.name} made: {decimal(wanted.length)} from {parts:,} parts and the template"
    if image.bytes_fetched:
        summary += f"; {decimal(image.bytes_fetched)} fetched from [Servers]"
    return StepResult(
        "assemble",
        Outcome.DONE,
        summary,
        counts=_counts(image),
        findings=(*_mended(image), *notes),
        facts={"image": str(name), "digest": str(wanted.digest)},
    )


def _make_room(context: Context, length: int, partial: Path) -> None:
    plan = context.plan
    there = partial.stat().st_blocks * 512 if partial.is_file() else 0
    lacking = length - there + plan.release.retain.free - free_space(plan.workdir.root)
    if lacking > 0:
        make_room(plan, lacking, context.cache)


def _is_right(context: Context, name: Path, truth: Truth) -> bool:
    """Whether the image that is there is the one; what is no regular file is not.

    Raises:
        WrongBytesError: It is the template's image, but somebody else expects another.
    """
    if name.is_symlink() or not name.is_file():
        return False
    template = truth.expectations[0]
    if name.stat().st_size != template.size:
        return False
    options = context.plan.options
    found = measure(
        name, truth.algorithms, context.cache, full=options.full, monitor=context.monitor
    )
    mismatches = compare(truth.expectations, found.digests, found.size)
    if any(mismatch.expectation is template for mismatch in mismatches):
        return False
    if mismatches:
        raise _unexpected(name, mismatches, "it was left as it is")
    return True


def _unexpected(name: Path, mismatches: Iterable[Mismatch], rest: str) -> WrongBytesError:
    said = "; ".join(str(mismatch) for mismatch in mismatches)
    return WrongBytesError(
        f"{name.name} is what its template says, but not what others say: {said}",
        hint=f"correct `digests:`, or tell who runs the mirror; {rest}",
    )


def _already_right(name: Path, template: Template) -> StepResult:
    image = template.description.image
    return StepResult(
        "assemble",
        Outcome.UNCHANGED,
        f"{name.name} is already there, and right",
        counts={"bytes_written": 0, "parts_missing": 0},
        facts={"image": str(name), "digest": str(image.digest)},
    )


def _mended(image: Image) -> Iterator[Finding]:
    for each in image.wrong:
        yield Finding(Severity.WARNING, f"{each}; another source had it right")


def _counts(image: Image) -> dict[str, int]:
    return {
        "bytes_written": image.bytes_copied + image.bytes_fetched + image.bytes_unmatched,
        "bytes_kept": image.bytes_kept,
        "bytes_copied": image.bytes_copied,
        "bytes_fetched": image.bytes_fetched,
        "bytes_unmatched": image.bytes_unmatched,
        "parts_missing": len(image.missing),
    }
