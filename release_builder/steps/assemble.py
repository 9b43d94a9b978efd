"""Rebuild the image from the template and the parts that are here."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

from rich.filesize import decimal

from release_builder.errors import ReleaseBuilderError, WrongBytesError, printable
from release_builder.files import open_regular
from release_builder.jigdo.make_image import make_image
from release_builder.jigdo.sources import ImageSource, TreeSource
from release_builder.jigdo.template import read_template
from release_builder.plan.pair import find_pair
from release_builder.plan.truth import truth_about
from release_builder.report import Finding, Outcome, Severity, StepResult
from release_builder.steps.image_file import finish, measure, move_aside, unfinished
from release_builder.trust.expected import compare

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from release_builder.jigdo.entries import MatchedFile
    from release_builder.jigdo.make_image import Image
    from release_builder.jigdo.sources import PartSource
    from release_builder.jigdo.template import Template
    from release_builder.plan.pair import Pair
    from release_builder.plan.truth import Truth
    from release_builder.steps import Context


def run(context: Context) -> StepResult:
    """Make the image, if the right one is not there already.

    Raises:
        ReleaseBuilderError: As find_pair; the image that came out is not the one expected; there
            is no room for it.
    """
    plan = context.plan
    pair = find_pair(plan.workdir.tree, plan.release)
    with pair.open_template() as stream:
        template = pair.read_template(stream)
        truth = truth_about(plan, template.description.image)
        name = plan.workdir.image / plan.release.image
        findings: list[Finding] = []
        if os.path.lexists(name):
            if _is_right(context, name, truth):
                return _already_right(name, template)
            moved = move_aside(name, plan.workdir.aside)
            findings.append(
                Finding(
                    Severity.WARNING,
                    f"{name.name} was there but is not the image of {pair.jigdo_path.name}:"
                    f" moved to {moved}",
                    path=str(moved),
                )
            )
        return _make(context, pair, template, truth, findings)


def _make(
    context: Context, pair: Pair, template: Template, truth: Truth, findings: list[Finding]
) -> StepResult:
    plan, wanted = context.plan, template.description.image
    name = plan.workdir.image / plan.release.image
    partial = name.with_name(f"{name.name}.partial")
    tree = _tree_source(context, pair, template)
    context.monitor.begin(f"assemble {name.name}", wanted.length)
    try:
        with ExitStack() as older, unfinished(partial, wanted.length) as out:
            sources: list[PartSource] = [tree, *_older_images(context, older)]
            image = make_image(template, out, sources, truth.algorithms, context.monitor.advance)
    finally:
        context.monitor.end()
    if image.missing:
        return _incomplete(context, pair, tree, image, findings)
    mismatches = compare(truth.expectations, image.digests, wanted.length)
    if mismatches:
        raise WrongBytesError(
            f"{name.name} came out other than expected, though every part is right: "
            + "; ".join(str(mismatch) for mismatch in mismatches),
            hint=f"it is kept as {partial}, without its name",
        )
    finish(partial, name)
    status = name.stat()
    for digest in image.digests.values():
        context.cache.put(status, digest)
    parts = len(template.description.parts)
    summary = f"{name.name} made: {decimal(wanted.length)} from {parts:,} parts and the template"
    return StepResult(
        "assemble",
        Outcome.DONE,
        summary,
        counts=_counts(image),
        findings=(*findings, *_mended(image)),
        facts={"image": str(name), "digest": str(wanted.digest)},
    )


def _is_right(context: Context, name: Path, truth: Truth) -> bool:
    """Whether the image that is there is the one; what is no regular file is not."""
    if name.is_symlink() or not name.is_file():
        return False
    sizes = {each.size for each in truth.expectations if each.size is not None}
    if sizes != {name.stat().st_size}:
        return False
    options = context.plan.options
    found = measure(
        name, truth.algorithms, context.cache, full=options.full, monitor=context.monitor
    )
    return not compare(truth.expectations, found.digests, found.size)


def _already_right(name: Path, template: Template) -> StepResult:
    image = template.description.image
    return StepResult(
        "assemble",
        Outcome.UNCHANGED,
        f"{name.name} is already there, and right",
        counts={"bytes_written": 0, "parts_missing": 0},
        facts={"image": str(name), "digest": str(image.digest)},
    )


def _tree_source(context: Context, pair: Pair, template: Template) -> TreeSource:
    plan = context.plan
    tree = plan.workdir.tree
    return TreeSource(
        pair.jigdo.parts,
        (tree / plan.release.tree, tree),
        (tree, *plan.options.scan),
        (part.length for part in template.description.parts),
        context.cache,
    )


def _older_images(context: Context, open_files: ExitStack) -> Iterator[ImageSource]:
    """Images of earlier versions, as far as their pairs are still beside them."""
    workdir = context.plan.workdir
    for path in sorted(workdir.pair.glob("*.template")):
        image = workdir.image / f"{path.stem.removesuffix('.iso')}.iso"
        if image.is_file() and image.name != context.plan.release.image:
            try:
                stream = open_files.enter_context(open_regular(path))
                yield ImageSource(image, read_template(stream, path.name).description)
            except ReleaseBuilderError as error:  # it only would have saved some reading
                context.monitor.detail(f"{path.name} is of no use: {error.what}")


def _incomplete(
    context: Context, pair: Pair, tree: TreeSource, image: Image, findings: list[Finding]
) -> StepResult:
    """Some parts are not here: what was found is kept for the next run."""
    root = context.plan.workdir.tree
    suspects = {path for part in image.missing for path in tree.named(part.digest)}
    size = decimal(sum(part.length for part in image.missing))
    return StepResult(
        "assemble",
        Outcome.FAILED if suspects else Outcome.INCOMPLETE,
        f"{len(image.missing):,} parts ({size}) are not here; the others are kept",
        counts=_counts(image),
        findings=(*findings, *(_absent(part, pair, tree, image) for part in image.missing)),
        suspects=tuple(sorted(str(path.relative_to(root)) for path in suspects)),
    )


def _absent(part: MatchedFile, pair: Pair, tree: TreeSource, image: Image) -> Finding:
    locations = pair.jigdo.parts.get(part.digest, ())
    path = printable(locations[0].partition(":")[2]) if locations else "a part without a name"
    for named in tree.named(part.digest):
        size = named.stat().st_size
        digests = [each.found for each in image.wrong if each.where == printable(str(named))]
        found = digests[0] if digests and size == part.length else f"{size:,} bytes"
        return Finding(
            Severity.WRONG,
            f"{named} is not what [Parts] says: found {found},"
            f" expected {part.digest} ({part.length:,} bytes)",
            hint="sync it again; if it stays so, the mirror's pair and packages do not fit",
            path=path,
        )
    return Finding(
        Severity.INCOMPLETE,
        f"missing: {path} ({part.length:,} bytes, {part.digest})",
        hint="name a folder that has it with --scan, or run again later",
        path=path,
    )


def _mended(image: Image) -> Iterator[Finding]:
    for each in image.wrong:
        yield Finding(
            Severity.WARNING,
            f"{each.where} is not what [Parts] says ({each.found}); another source had it right",
        )


def _counts(image: Image) -> dict[str, int]:
    return {
        "bytes_written": image.bytes_copied + image.bytes_unmatched,
        "bytes_kept": image.bytes_kept,
        "bytes_copied": image.bytes_copied,
        "bytes_unmatched": image.bytes_unmatched,
        "parts_missing": len(image.missing),
    }
