"""Make the pair of an image from the tree that its files came from."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

from release_builder.errors import IncompleteError, SurroundingsError, printable
from release_builder.jigdo.input_files import read_input_files
from release_builder.report import Finding, Outcome, Severity, StepResult
from release_builder.steps.base_pair import as_base
from release_builder.steps.compose_tree import installer_tree
from release_builder.steps.find_pair import read_jigdo
from release_builder.steps.image_words import info, short_info
from release_builder.steps.make_pair import NEEDED, make_template
from release_builder.steps.pair_options import PairOptions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from release_builder.plan import Plan
    from release_builder.steps import Context
    from release_builder.steps.pair_options import MadePair

_MOST: Final = 0.25  # of an image in its template; more, and the tree is hardly the image's


def run(context: Context) -> StepResult:
    """Write the pair into the workdir, [Servers] pointing to where the tree will be public.

    Raises:
        IncompleteError: There is no image yet.
        DescriptorError: There is no tree, or the older .jigdo is none.
        SurroundingsError: A folder or file of the tree cannot be read.
        ReleaseBuilderError: As make_template.
    """
    plan = context.plan
    release, workdir = plan.release, plan.workdir
    image, tree = workdir.image / release.image, installer_tree(plan)
    if not image.is_file():
        raise IncompleteError(
            f"{image} is not there", hint="make it: release-builder compose, or build"
        )
    label = next(iter(release.servers))
    inputs = read_input_files([f"{tree}//"], [(label, str(tree))])
    if inputs.unread:
        raise SurroundingsError(inputs.unread[0], hint=NEEDED)
    workdir.pair.mkdir(exist_ok=True)
    jigdo = workdir.pair / f"{image.stem}.jigdo"
    template = jigdo.with_suffix(".template")
    made = make_template(
        image,
        inputs,
        template,
        jigdo,
        PairOptions(
            servers={label: plan.server_urls(label)},
            merge=_base(plan, label),
            short_info=short_info(plan),
            info=info(plan),
            demand_all=True,
        ),
        cache=context.cache,
        monitor=context.monitor,
        force=True,
    )
    new = _lay_out(plan, label, tree, jigdo) if plan.options.base else ()
    return StepResult(
        "pair",
        Outcome.DONE,
        _summary(made, template, new, workdir.upload),
        counts={
            "parts": made.parts,
            "bytes_in_template": made.bytes_unmatched,
            "template_size": template.stat().st_size,
            "files_to_upload": len(new),
        },
        findings=(
            *_findings(made, tree),
            *(Finding(Severity.NOTE, each) for each in inputs.problems),
        ),
        facts={"jigdo": str(jigdo), "template": str(template), "stage": plan.stage.value},
    )


def _base(plan: Plan, label: str) -> bytes:
    if plan.options.base is None:
        return b""
    content, jigdo = read_jigdo(plan.options.base)
    return as_base(content, jigdo.name, {label})


def _lay_out(plan: Plan, label: str, tree: Path, jigdo: Path) -> tuple[str, ...]:
    """Copy the parts that no older server has to where they can be uploaded from."""
    _, made = read_jigdo(jigdo)
    prefix = f"{label}:"
    target = plan.workdir.upload / plan.release.tree
    if plan.workdir.upload.exists():
        shutil.rmtree(plan.workdir.upload)
    names = sorted(
        place.removeprefix(prefix)
        for places in made.parts.values()
        for place in places
        if place.startswith(prefix)
    )
    for name in names:
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(tree / name, path)
    return tuple(names)


def _findings(made: MadePair, tree: Path) -> Iterator[Finding]:
    for problem in made.problems:
        yield Finding(Severity.WARNING, problem)
    if made.bytes_unmatched > _MOST * max(made.image.length, 1):
        share = made.bytes_unmatched / made.image.length
        yield Finding(
            Severity.WARNING,
            f"{share:.0%} of the image is in no file of {printable(str(tree))}: the template is that big",
            hint="is it the tree that the image was made from? release-builder jigdo map shows it",
        )


def _summary(made: MadePair, template: Path, new: tuple[str, ...], upload: Path) -> str:
    size = template.stat().st_size
    line = f"{made.parts:,} parts, a template of {size:,} bytes"
    return f"{line}; {len(new):,} files to upload in {upload}" if new else line
