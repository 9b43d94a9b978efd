"""What earlier runs found right, and whether what is offered now goes back behind it.

Signatures and digests do not tell: the older release was right as well, once. The history does.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from release_builder.descriptor.version import Version
from release_builder.digests import Digest
from release_builder.errors import ReleaseBuilderError, WrongBytesError, printable
from release_builder.report import Finding, Severity
from release_builder.state.digest_cache import state_folder
from release_builder.state.history import open_history
from release_builder.steps.truth import truth_about
from release_builder.trust.assurance import DESCRIPTOR, STRONG, last_signed
from release_builder.trust.expected import Expectation
from release_builder.trust.gpg_keys import told_apart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_builder.descriptor.release import Release
    from release_builder.jigdo.entries import ImageInfo
    from release_builder.plan import Plan
    from release_builder.state.history import Accepted
    from release_builder.steps.truth import Truth

_ALLOW = (
    "the image and the pair here stay as they were. Ask who publishes it, or name another mirror;"
    " if it is meant, write `trust: {older: warn}` until it is built"
)


class StepBackError(WrongBytesError):
    """What is offered goes back behind what was found right: an older release, most often."""


class WeakerError(StepBackError):
    """Another image of the same name is offered, with weaker digests than the last one."""


@dataclass(frozen=True, slots=True)
class Held:
    """What is expected of an image, in the light of what earlier runs found right.

    Attributes:
        truth: With what the history demands besides.
        refused: Why it is not to be taken; None: it is.
        findings: What should be known of it.
    """

    truth: Truth
    refused: StepBackError | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Before:
    """What runs of the same descriptor, or in the same workdir, found right.

    Attributes:
        images: In their order; nothing without a history.
        findings: Why not all is known of them.
    """

    images: tuple[Accepted, ...]
    findings: tuple[Finding, ...] = ()


def accepted_before(plan: Plan) -> Before:
    """What the history knows of the release."""
    release = plan.release
    descriptor = os.path.abspath(release.descriptor)  # noqa: PTH100 (resolve() would follow links)
    workdir = os.path.realpath(plan.workdir.root)
    try:
        folder = state_folder(os.environ)
    except ReleaseBuilderError as error:
        return Before((), (_blind(error.what, error.hint),))
    with open_history(folder, read_only=True) as history:
        images = history.accepted(descriptor, release.product, release.arch, workdir)
    return Before(images, tuple(map(_blind, history.notes)))


def refuse_older_version(plan: Plan) -> None:
    """Make sure that ``track:`` leads to no version before that of the last run.

    Raises:
        StepBackError: It does, and the descriptor does not take that.
    """
    release = plan.release
    why = _older_version(release, accepted_before(plan).images) if release.track else ""
    if why and not release.trust.takes_older:
        raise StepBackError(why, hint=_ALLOW)


def believed(plan: Plan, image: ImageInfo) -> Held:
    """What is expected of the image that the mirror offers, before anything of ours gives way to it.

    Args:
        plan: Of the release.
        image: What the template says.

    Raises:
        SignatureError: The descriptor names keys, and none vouches for it.
        StepBackError: It goes back behind what an earlier run found right.
        ReleaseBuilderError: As truth_about.
    """
    truth = truth_about(plan, image)
    if truth.refused:
        raise truth.refused[0]
    held = held_against_history(plan, truth)
    if held.refused:
        raise held.refused
    return held


def held_against_history(plan: Plan, truth: Truth) -> Held:
    """Hold what is offered against what earlier runs found right.

    Args:
        plan: Of the release.
        truth: What is said of its image.
    """
    release, before = plan.release, accepted_before(plan)
    images, findings = before.images, before.findings
    if not images:
        return Held(truth, findings=findings)
    of_name = [each for each in images if _name(each) == (release.version.text, release.image)]
    older = _older_version(release, images) or _older_image(of_name, truth)
    why = older or _weaker(release, (of_name or images)[-1], truth)
    # Whoever publishes a new version may well have stopped to tell SHA-256.
    if why and (older or of_name) and not release.trust.takes_older:
        error = StepBackError if older else WeakerError
        return Held(truth, error(why, hint=_ALLOW), findings)
    if why:
        return Held(truth, findings=(*findings, Finding(Severity.WARNING, why, news=True)))
    held = _demanding(of_name[-1], truth) if of_name else Held(truth)
    return replace(held, findings=(*findings, *held.findings))


def _older_version(release: Release, before: Sequence[Accepted]) -> str:
    if not release.track or not before:
        return ""
    last = before[-1]
    if Version.parse(last.version) <= release.version:
        return ""
    return (
        f"{release.track} leads back to {release.version}, but {_run(last)} found"
        f" {printable(last.version)} right"
    )


def _older_image(of_name: Sequence[Accepted], truth: Truth) -> str:
    """Why the image is one from before the last that came under its name; empty: it is not.

    One whose SHA-256 the descriptor names is what its author means.
    """
    if _is_pinned(truth) or not of_name or _is_same(of_name[-1], truth):
        return ""
    last, signed = of_name[-1], _signed(truth)
    if signed is not None and last.signed is not None:
        if signed > last.signed:  # whoever signs an old image anew means it
            return ""
        if signed < last.signed:
            now, then = told_apart(signed, last.signed)
            return (
                f"another {printable(last.image)} is offered, signed on {now}; but"
                f" {_run(last)} found one right that was signed on {then}"
            )
    # One that came after the last one did so for the first time was taken back since.
    first = next(n for n, each in enumerate(of_name) if each.is_of_image(last.digests))
    older = next((each for each in reversed(of_name[:first]) if _is_same(each, truth)), None)
    if older is None:
        return ""
    return (
        f"an older {printable(last.image)} is offered: the one of {_run(older)}, after which"
        f" {_run(last)} found another one right"
    )


def _weaker(release: Release, last: Accepted, truth: Truth) -> str:
    """Why weaker digests tell of a new image than of the last one; empty: they do not."""
    strong = STRONG.intersection(last.told)
    if not strong or STRONG.intersection(truth.assurance.algorithms) or _is_same(last, truth):
        return ""
    if Version.parse(last.version) > release.version:  # the descriptor now names an older one
        return ""
    return (
        f"of {printable(release.image)} there is {' and '.join(truth.assurance.algorithms)} alone,"
        f" but {_run(last)} found {printable(last.image)} right by {' and '.join(sorted(strong))}"
    )


def _demanding(last: Accepted, truth: Truth) -> Held:
    """``truth`` with the stronger digests that an earlier run knew of the same image."""
    if not _is_same(last, truth):
        return Held(truth)
    lost = sorted(STRONG.intersection(last.told).difference(truth.assurance.algorithms))
    said = tuple(
        Expectation(_run(last), Digest.from_hex(last.digests[each]), None) for each in lost
    )
    findings = []
    if lost and not truth.refused:  # else the mirror tells it, but is not believed
        what = f"the mirror tells no {' and '.join(lost)} any longer; {_run(last)} knew it"
        findings.append(Finding(Severity.WARNING, what, news=True))
    signed = _signed(truth)
    if signed is not None and last.signed is not None and signed < last.signed:
        now, then = told_apart(signed, last.signed)
        what = f"the sums were signed on {now}, but {_run(last)} had some of {then}"
        what += "; the image is the same"
        findings.append(Finding(Severity.WARNING, what, news=True))
    truth = replace(truth, expectations=(*truth.expectations, *said))
    return Held(truth, findings=tuple(findings))


def _is_same(accepted: Accepted, truth: Truth) -> bool:
    """Whether what is offered has the digests of ``accepted``, as far as both are known."""
    common = [
        each.digest.hex == accepted.digests[each.digest.algorithm]
        for each in truth.expectations
        if each.digest and each.digest.algorithm in accepted.digests
    ]
    return bool(common) and all(common)


def _is_pinned(truth: Truth) -> bool:
    return any(
        each.source == DESCRIPTOR and each.digest and each.digest.algorithm in STRONG
        for each in truth.expectations
    )


def _blind(note: str, hint: str = "") -> Finding:
    return Finding(Severity.WARNING, f"{note}: an older release cannot be noticed", hint)


def _signed(truth: Truth) -> int | None:
    """When somebody last signed for it, in seconds since 1970."""
    return last_signed(truth.assurance.signatures, time.time())


def _name(accepted: Accepted) -> tuple[str, str]:
    return accepted.version, accepted.image


def _run(accepted: Accepted) -> str:
    when = f" of {accepted.at:%Y-%m-%d}" if accepted.at else ""
    return f"run {accepted.run}{when}"
