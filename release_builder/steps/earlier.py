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
from release_builder.trust.assurance import STRONG, last_signed
from release_builder.trust.expected import Expectation
from release_builder.trust.gpg_keys import day_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_builder.descriptor.release import Release
    from release_builder.jigdo.entries import ImageInfo
    from release_builder.plan import Plan
    from release_builder.state.history import Accepted
    from release_builder.steps.truth import Truth

_ALLOW = (
    "nothing was replaced. Ask who publishes it, or name another mirror; if it is meant, write"
    " `trust: {older: warn}` until it is built"
)


class OlderError(WrongBytesError):
    """An older release is offered under the name of a newer one."""


@dataclass(frozen=True, slots=True)
class Held:
    """What is expected of an image, in the light of what earlier runs found right.

    Attributes:
        truth: With what the history demands besides.
        refused: Why it is not to be taken; None: it is.
        findings: What should be known of it.
    """

    truth: Truth
    refused: OlderError | None = None
    findings: tuple[Finding, ...] = ()


def accepted_before(release: Release) -> tuple[Accepted, ...]:
    """What runs of the same descriptor found right, in their order; nothing without a history."""
    descriptor = os.path.abspath(release.descriptor)  # noqa: PTH100 (resolve() would follow links)
    try:
        folder = state_folder(os.environ)
    except ReleaseBuilderError:
        return ()
    with open_history(folder, read_only=True) as history:
        return history.accepted(descriptor, release.product, release.arch)


def refuse_older_version(release: Release) -> None:
    """Make sure that ``track:`` leads to no version before that of the last run.

    Raises:
        OlderError: It does, and the descriptor does not take that.
    """
    why = _older_version(release, accepted_before(release)) if release.track else ""
    if why and not release.trust.takes_older:
        raise OlderError(why, hint=_ALLOW)


def believed(plan: Plan, image: ImageInfo) -> Held:
    """What is expected of the image that the mirror offers, before anything of ours gives way to it.

    Args:
        plan: Of the release.
        image: What the template says.

    Raises:
        SignatureError: The descriptor names keys, and none vouches for it.
        OlderError: It is older than what an earlier run found right.
        ReleaseBuilderError: As truth_about.
    """
    truth = truth_about(plan, image)
    if truth.refused:
        raise truth.refused[0]
    held = held_against_history(plan.release, truth)
    if held.refused:
        raise held.refused
    return held


def held_against_history(release: Release, truth: Truth) -> Held:
    """Hold what is offered against what earlier runs found right.

    Args:
        release: Which.
        truth: What is said of its image.
    """
    before = accepted_before(release)
    if not before:
        return Held(truth)
    of_name = [each for each in before if _name(each) == (release.version.text, release.image)]
    why = (
        _older_version(release, before)
        or _older_image(of_name, truth)
        or _weaker(release, before[-1], truth)
    )
    if why and not release.trust.takes_older:
        return Held(truth, refused=OlderError(why, hint=_ALLOW))
    if why:
        return Held(truth, findings=(Finding(Severity.WARNING, why, news=True),))
    return _demanding(of_name[-1], truth) if of_name else Held(truth)


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
    """Why the image is one from before the last that came under its name; empty: it is not."""
    if not of_name or _is_same(of_name[-1], truth):
        return ""
    last, signed = of_name[-1], _signed(truth)
    if signed is not None and last.signed is not None:
        if signed > last.signed:  # whoever signs an old image anew means it
            return ""
        if signed < last.signed:
            return (
                f"another {printable(last.image)} is offered, signed on {day_of(signed)}; but"
                f" {_run(last)} found one right that was signed on {day_of(last.signed)}"
            )
    older = next((each for each in reversed(of_name) if _is_same(each, truth)), None)
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
    if lost:
        what = f"the mirror tells no {' and '.join(lost)} any longer; {_run(last)} knew it"
        findings.append(Finding(Severity.WARNING, what, news=True))
    signed = _signed(truth)
    if signed is not None and last.signed is not None and signed < last.signed:
        what = (
            f"the sums were signed on {day_of(signed)}, but {_run(last)} had some of"
            f" {day_of(last.signed)}; the image is the same"
        )
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


def _signed(truth: Truth) -> int | None:
    """When somebody last signed for it, in seconds since 1970."""
    return last_signed(truth.assurance.signatures, time.time())


def _name(accepted: Accepted) -> tuple[str, str]:
    return accepted.version, accepted.image


def _run(accepted: Accepted) -> str:
    when = f" of {accepted.at:%Y-%m-%d}" if accepted.at else ""
    return f"run {accepted.run}{when}"
