"""Make [Servers] of the .jigdo say where the tree really is on http."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_builder import files
from release_builder.digests import BLOCK
from release_builder.errors import printable
from release_builder.jigdo.servers import rewrite_servers
from release_builder.report import Finding, Outcome, Severity, StepResult
from release_builder.steps.earlier import believed
from release_builder.steps.find_pair import find_pair
from release_builder.steps.lint_signatures import Signatures
from release_builder.steps.tree_packages import check_tree_packages

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from release_builder.jigdo.servers import Rewrite
    from release_builder.steps import Context


def run(context: Context) -> StepResult:
    """Write the pair into the workdir; what the mirror gave stays as it came.

    Raises:
        ReleaseBuilderError: As find_pair and believed: then the pair of before stays.
    """
    plan = context.plan
    pair = find_pair(plan.workdir.tree, plan.release, context.cache)
    with pair.open_template() as stream:
        description = pair.read_template(stream).description
    believed(plan, description.image)
    wanted = plan.release.server_urls(plan.stage)
    name = printable(pair.jigdo_path.name)
    rewritten = rewrite_servers(pair.content, wanted, name)
    jigdo = plan.workdir.pair / pair.jigdo_path.name
    template = plan.workdir.pair / pair.template_path.name
    signatures = Signatures()
    if not _is(jigdo, rewritten.content) or not _is_copy(pair.template_path, template):
        signatures = check_tree_packages(context, pair, description.parts).signatures
    if any(finding.severity.status for finding in signatures.findings):
        what = "the pair of before stays: packages are not signed as they should be"
        return StepResult("rewrite", Outcome.FAILED, what, findings=tuple(signatures.findings))
    jigdo.parent.mkdir(exist_ok=True)
    written = [
        _write(jigdo, rewritten.content),
        _copy(pair.template_path, template),
    ]
    return StepResult(
        "rewrite",
        Outcome.DONE if any(written) else Outcome.UNCHANGED,
        summarise(rewritten, plan.stage.value, name),
        counts={"lines_changed": len(rewritten.changes) if any(written) else 0},
        findings=(
            *(() if "assemble" in plan.steps else signatures.findings),  # which tells them too
            *unknown_labels(rewritten, name, wanted),
            *(Finding(Severity.NOTE, note) for note in rewritten.notes),
            *(Finding(Severity.NOTE, problem) for problem in pair.jigdo.problems),
        ),
        facts={"jigdo": str(jigdo), "source": str(pair.jigdo_path), "stage": plan.stage.value},
    )


def summarise(rewritten: Rewrite, stage: str, name: str) -> str:
    """One line that says what became of [Servers]."""
    if rewritten.changes:
        return "; ".join(f"{change.label} → {change.new}" for change in rewritten.changes)
    if rewritten.unknown:
        return f"[Servers] of {name} has labels that nobody knows"
    return f"[Servers] of {name} already points to the {stage} path"


def unknown_labels(rewritten: Rewrite, name: str, known: Iterable[str]) -> tuple[Finding, ...]:
    """The labels of the .jigdo called ``name`` that are not among those ``known``."""
    listed = ", ".join(known)
    return tuple(
        Finding(
            Severity.WARNING,
            f"{name} uses the label {printable(label)}, which the descriptor does not know:"
            " its [Servers] lines stay as they are",
            hint=f"the descriptor knows {listed}; add `{printable(label)}:` with its beta and final URL below `servers:`",
        )
        for label in rewritten.unknown
    )


def _write(path: Path, content: bytes) -> bool:
    if _is(path, content):
        return False
    with files.replacing(path) as out:
        out.write(content)
    return True


def _copy(source: Path, target: Path) -> bool:
    if _is_copy(source, target):
        return False
    with files.open_regular(source) as stream, files.replacing(target) as out:
        while block := stream.read(BLOCK):
            out.write(block)
    return True


def _is(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


def _is_copy(one: Path, other: Path) -> bool:
    if not other.is_file() or one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as left, other.open("rb") as right:
        while block := left.read(BLOCK):
            if block != right.read(BLOCK):
                return False
    return True
