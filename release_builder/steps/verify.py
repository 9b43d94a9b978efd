"""Hold the image against everyone who says what it should be, and the tree against [Parts]."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from release_builder.descriptor.mirror import Kind
from release_builder.errors import IncompleteError, ReleaseBuilderError, printable
from release_builder.jigdo.tree_source import TreeSource
from release_builder.report import Finding, Outcome, Severity, StepResult, finding_of
from release_builder.steps.earlier import Held, held_against_history
from release_builder.steps.find_pair import find_pair
from release_builder.steps.image_file import measure
from release_builder.steps.image_packages import check_image_packages
from release_builder.steps.lint_signatures import Signatures
from release_builder.steps.tree_packages import TreePackages, check_tree_packages
from release_builder.steps.truth import truth_about
from release_builder.trust.assurance import DESCRIPTOR, last_signed
from release_builder.trust.ending import PROLONG
from release_builder.trust.expected import Expectation, compare

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from release_builder.jigdo.entries import MatchedFile
    from release_builder.steps import Context
    from release_builder.steps.find_pair import Pair
    from release_builder.steps.image_file import Measured
    from release_builder.steps.truth import Truth


def run(context: Context) -> StepResult:
    """Verify image and tree; what was hashed before and is unchanged is not read again.

    Raises:
        ReleaseBuilderError: As find_pair and truth_about.
    """
    plan = context.plan
    pair, roots = _pair(context)
    with pair.open_template() as stream:
        description = pair.read_template(stream).description
    made_here = pair.jigdo_path.parent == plan.workdir.pair
    truth = truth_about(plan, description.image, made_here=made_here)
    held = Held(truth) if made_here else held_against_history(plan, truth)
    ours = _of_ours(context, held.truth) if held.refused else None
    truth = ours or held.truth
    name = plan.workdir.image / plan.release.image
    problems = (
        *(Finding(Severity.WARNING, problem) for problem in truth.problems),
        *(finding_of(refused) for refused in truth.refused),
        *([finding_of(held.refused)] if held.refused else ()),
        *held.findings,
        *(Finding(Severity.NOTE, *_of_unknown(key)) for key in truth.unknown),
        *(Finding(Severity.WARNING, ending, PROLONG, news=True) for ending in truth.ending),
    )
    if not name.is_file():
        truth.agree()
        absent = Finding(
            Severity.INCOMPLETE, f"{name} is not there", hint="make it: release-builder build"
        )
        return StepResult(
            "verify", Outcome.INCOMPLETE, "no image to verify", findings=(*problems, absent)
        )
    found = measure(
        name,
        truth.algorithms,
        context.cache,
        full=plan.options.full,
        monitor=context.monitor,
    )
    parts = _verify_parts(context, pair, description.parts, roots)
    mismatches = tuple(_image_findings(context, truth, found))
    packages, within = TreePackages(), Signatures()
    if plan.options.full and not made_here:
        packages = check_tree_packages(context, pair, description.parts)
        if not mismatches and not ours:
            within = check_image_packages(context, name, pair, description, packages.absent)
    signed = packages.signatures.verified + within.verified
    findings = (
        *problems,
        *mismatches,
        *([_stays(name)] if ours and not mismatches else ()),
        *parts.findings,
        *packages.signatures.findings,
        *within.findings,
        *_absent_parts(pair, parts.absent, by_web=plan.release.mirror.kind is Kind.HTTP),
    )
    wrong = any(finding.severity.status for finding in findings)
    read = found.read or parts.read > 0
    return StepResult(
        "verify",
        Outcome.FAILED if wrong else Outcome.DONE if read else Outcome.UNCHANGED,
        "not all is as it should be" if wrong else _summary(truth, found, parts),
        counts={
            "image_bytes": found.size,
            "parts_right": parts.right,
            "parts_absent": len(parts.absent),
            "parts_read": parts.read,
            **({"packages_verified": signed} if signed else {}),
        },
        findings=findings,
        facts={
            "image": str(name),
            **{each: digest.hex for each, digest in sorted(found.digests.items())},
            "sources": ", ".join(dict.fromkeys(each.source for each in truth.expectations)),
            **_vouched(truth),
        },
        suspects=tuple(parts.suspects),
    )


def _vouched(truth: Truth) -> dict[str, str]:
    """By whose word the image is right, and what that is worth."""
    found = truth.assurance
    signed = last_signed(found.signatures, time.time())
    facts = {"assurance": str(found.level), "told": ", ".join(found.told)}
    if truth.signers:
        facts["signer"] = _signers(truth)
        facts["fingerprints"] = ", ".join(each.fingerprint for each in truth.signers)
    if signed is not None:
        facts["signed"] = f"{datetime.fromtimestamp(signed, UTC):%Y-%m-%dT%H:%M:%SZ}"
    return facts


def _image_findings(context: Context, truth: Truth, found: Measured) -> Iterator[Finding]:
    name = context.plan.workdir.image / context.plan.release.image
    for mismatch in compare(truth.expectations, found.digests, found.size):
        yield Finding(
            Severity.WRONG,
            f"{name}: {mismatch}",
            hint="make it anew with `release-builder build`; if the sources disagree, correct them",
            path=str(name),
        )


def _of_ours(context: Context, offered: Truth) -> Truth | None:
    """What the pair that we keep says of the image; None where it is the one of the tree.

    Args:
        context: Of the release, whose mirror steps back.
        offered: What is said of the image that the mirror has now.
    """
    plan = context.plan
    try:
        pair = find_pair(plan.workdir.pair, replace(plan.release, jigdo=("",)), context.cache)
        with pair.open_template() as stream:
            image = pair.read_template(stream).description.image
    except ReleaseBuilderError:
        return None
    if image.digest == offered.expectations[0].digest:
        return None
    source = f"pair/{printable(pair.template_path.name)}"
    pinned = (each for each in offered.expectations if each.source == DESCRIPTOR)
    return replace(offered, expectations=(Expectation(source, image.digest, image.length), *pinned))


def _of_unknown(key: str) -> tuple[str, str]:
    what = f"the unknown key {key} signed the sums as well"
    return what, "if it is the publisher's new one, add its file to `trust.sums`"


def _stays(name: Path) -> Finding:
    what = "is right by the pair in pair/; it is the mirror's copy in tree/ that steps back"
    return Finding(Severity.NOTE, f"{name} {what}", path=str(name))


def _absent_parts(pair: Pair, absent: list[MatchedFile], *, by_web: bool) -> Iterator[Finding]:
    """The image does not need them, but nobody could make it from this tree and pair again.

    Args:
        pair: Names them.
        absent: Parts that are not in the tree.
        by_web: Whether they are fetched one by one, so that they never are in the tree.
    """
    name = printable(pair.jigdo_path.name)
    nameless = [part for part in absent if part.digest not in pair.jigdo.parts]
    if nameless:
        yield Finding(
            Severity.WARNING,
            f"{len(nameless):,} parts that the template needs are not in [Parts] of {name}",
            hint="the .jigdo is cut off, or of another template",
        )
    if lost := 0 if by_web else len(absent) - len(nameless):
        yield Finding(
            Severity.WARNING,
            f"{lost:,} {'part' if lost == 1 else 'parts'} that {name} names"
            f" {'is' if lost == 1 else 'are'} not in the tree",
            hint="has the mirror lost them? an image made anew would need them from [Servers]",
        )


@dataclass(slots=True)
class _Parts:
    right: int = 0
    absent: list[MatchedFile] = field(default_factory=list)
    read: int = 0
    findings: list[Finding] = field(default_factory=list)
    suspects: list[str] = field(default_factory=list)


def _pair(context: Context) -> tuple[Pair, tuple[Path, ...]]:
    """The mirror's pair, or the one that we made ourselves; and where the files of [Parts] are."""
    plan, release = context.plan, context.plan.release
    tree, own = plan.workdir.tree, plan.workdir.pair
    try:
        return find_pair(tree, release, context.cache), (tree / release.tree, tree)
    except IncompleteError:
        if not (own / f"{release.image.removesuffix('.iso')}.jigdo").is_file():
            raise
    root = (release.mirror.local_path or tree) / release.tree
    return find_pair(own, replace(release, jigdo=("",)), context.cache), (root,)


def _verify_parts(
    context: Context, pair: Pair, parts: tuple[MatchedFile, ...], roots: tuple[Path, ...]
) -> _Parts:
    """Hold every file of the tree that [Parts] names against the template's digest of it."""
    source = TreeSource(pair.jigdo.parts, roots, (), (), None, context.cache)
    result = _Parts()
    context.monitor.begin("verify the tree", sum(part.length for part in parts))
    try:
        for part in parts:
            paths = source.named(part.digest)
            if not paths:
                result.absent.append(part)
            for path in paths:
                _verify_part(context, path, part, result)
            context.monitor.advance(part.length)
    finally:
        context.monitor.end()
    return result


def _verify_part(context: Context, path: Path, part: MatchedFile, result: _Parts) -> None:
    algorithm, where = part.digest.algorithm, printable(str(path))
    try:
        size = path.stat().st_size
        if size == part.length:  # else it need not be read: it may be a hole of any length
            full = context.plan.options.full
            measured = measure(path, (algorithm,), context.cache, full=full)
            result.read += measured.read
            if measured.digests[algorithm] == part.digest:
                result.right += 1
                return
            found = f"found {measured.digests[algorithm]}, expected {part.digest}"
        else:
            found = f"it has {size:,} bytes, expected {part.length:,}"
    except OSError as error:  # the others can be looked at all the same
        result.findings.append(finding_of(error))
        return
    if path.is_relative_to(context.plan.workdir.tree):
        result.suspects.append(str(path.relative_to(context.plan.workdir.tree)))
    result.findings.append(
        Finding(
            Severity.WRONG,
            f"{where}: {found}, as the template says",
            hint="`release-builder build` fetches it again",
            path=where,
        )
    )


def _summary(truth: Truth, found: Measured, parts: _Parts) -> str:
    """What the image is and who says so; what that is worth; what of the tree is right."""
    sources = list(dict.fromkeys(each.source for each in truth.expectations))
    digests = ", ".join(f"{each} {digest.hex}" for each, digest in sorted(found.digests.items()))
    how = "read now" if found.read else "unchanged since it was hashed"
    absent = f", {len(parts.absent):,} not in the tree" if parts.absent else ""
    tree = f"; {parts.right:,} parts of the tree right{absent}" if parts.right else ""
    says = f"{_enumerated(sources)} say{'s' * (len(sources) == 1)}"
    return f"{digests}, as {says}\n{truth.assurance}\nimage {how}{tree}"


def _signers(truth: Truth) -> str:
    return _enumerated([str(signer) for signer in truth.signers])


def _enumerated(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
