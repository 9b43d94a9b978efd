"""Everyone who says what the right image is: its template, the descriptor, sums files."""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from release_builder.errors import DescriptorError, WrongBytesError, printable
from release_builder.spans import span
from release_builder.trust.assurance import DESCRIPTOR, STRONG, Assurance, Level, assurance
from release_builder.trust.ending import ending_soon
from release_builder.trust.expected import Expectation, Said, compare, expectations_from_sums
from release_builder.trust.gpg import Keyring, SignatureError
from release_builder.trust.gpg_keys import CLOCK_ERROR
from release_builder.trust.sums import find_sums

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from release_builder.descriptor.release import Release
    from release_builder.jigdo.entries import ImageInfo
    from release_builder.plan import Plan
    from release_builder.trust.gpg import Signer


@dataclass(frozen=True, slots=True)
class Truth:
    """What is expected of an image.

    Attributes:
        expectations: What it should be, and who says so.
        problems: Sums files that could not be read, or that a clock contradicts.
        refused: Why nobody whom the descriptor trusts vouches for it: sums files that do not count.
        ending: Keys that soon cannot sign any longer.
        made_here: Whether the pair was, by us.
    """

    expectations: tuple[Expectation, ...]
    problems: tuple[str, ...]
    refused: tuple[SignatureError, ...] = ()
    ending: tuple[str, ...] = ()
    made_here: bool = False

    @property
    def assurance(self) -> Assurance:
        """What it is worth that an image is so."""
        found = assurance(self.expectations)
        return replace(found, level=Level.OWN) if self.made_here else found

    @property
    def algorithms(self) -> frozenset[str]:
        """Those by which the image must be hashed to know whether it is right."""
        digests = (expectation.digest for expectation in self.expectations)
        return frozenset(digest.algorithm for digest in digests if digest)

    @property
    def signers(self) -> tuple[Signer, ...]:
        """Who signed what the sums files say."""
        signatures = (expectation.signature for expectation in self.expectations)
        return tuple(dict.fromkeys(each.signer for each in signatures if each))

    @property
    def unknown(self) -> tuple[str, ...]:
        """The keys that nobody named of those who signed besides."""
        signatures = (expectation.signature for expectation in self.expectations)
        return tuple(dict.fromkeys(key for each in signatures if each for key in each.unknown))

    def agree(self) -> None:
        """Make sure that nobody contradicts the template, as far as that shows beforehand.

        Raises:
            WrongBytesError: Somebody does: no image can be right for all.
        """
        template = self.expectations[0]
        known = {template.digest.algorithm: template.digest} if template.digest else {}
        size = template.size or 0
        comparable = [
            replace(each, digest=None)
            if each.digest and each.digest.algorithm not in known
            else each
            for each in self.expectations
        ]
        if mismatches := compare(comparable, known, size):
            said = "; ".join(str(mismatch) for mismatch in mismatches)
            raise WrongBytesError(
                f"the sources do not agree on the image, so none can be right: {said},"
                " which is what the template says",
                hint="correct `digests:`, or tell who runs the mirror; nothing was touched",
            )


def truth_about(plan: Plan, image: ImageInfo, *, made_here: bool = False) -> Truth:
    """What the template, the descriptor and the sums files beside .jigdo and image say.

    Where the descriptor has ``trust.sums``, sums files count if one of these keys signed them, and
    not too long ago.

    Args:
        plan: Of the release.
        image: What the template says.
        made_here: Whether the pair was, so that no sums file is expected.

    Raises:
        DescriptorError: The descriptor names a sums file that cannot be read, or a file of keys
            that holds none, or one that is not pinned.
        SurroundingsError: There are keys, and gpg is not installed.
    """
    release, trust = plan.release, plan.release.trust
    said = [Expectation("the template", image.digest, image.length)]
    said += [Expectation(DESCRIPTOR, digest, None) for digest in release.digests]
    if release.size is not None:
        said.append(Expectation(DESCRIPTOR, None, release.size))
    folders = (*(plan.workdir.tree / folder for folder in release.jigdo), plan.workdir.image)
    beside = [path for folder in folders for path in find_sums(folder, release.image)]
    now = time.time()
    ending: tuple[str, ...] = ()
    with Keyring(trust.sums, trust.fingerprints) if trust.sums else nullcontext() as keyring:
        if keyring:
            ending = tuple(ending_soon(keyring.keys, now))
        named = _named_sums(release, keyring)
        of_sums = expectations_from_sums(beside, release.image, keyring)
    # Within the workdir a short name says enough.
    root = f"{plan.workdir.root}/"
    said += named.expectations
    said += [replace(each, source=each.source.removeprefix(root)) for each in of_sums.expectations]
    stale = tuple(_stale(said, trust.max_age, now))
    problems = (*of_sums.problems, *_ahead(said, now))
    refused = (*named.refused, *of_sums.refused, *(error for _, error in stale))
    kept = [each for each in said if each not in {each for each, _ in stale}]
    truth = Truth(tuple(kept), problems, refused, ending, made_here)
    if not trust.sums or truth.signers or truth.refused:
        return truth
    return _unsigned(release, truth)


def _stale(
    said: Iterable[Expectation], max_age: float | None, now: float
) -> Iterator[tuple[Expectation, SignatureError]]:
    """Those of ``said`` that are too old to be believed."""
    for each in said:
        if each.signature and max_age and now - each.signature.made > max_age:
            yield (
                each,
                SignatureError(
                    f"{each.source} was signed on {each.signature.day}, longer ago than the"
                    f" {span(max_age)} of `trust.max_age`",
                    hint="does the mirror still follow? name another one; or ask the publisher to"
                    " sign anew. If the clock here is ahead, set it: release-builder doctor",
                ),
            )


def _ahead(said: Iterable[Expectation], now: float) -> Iterator[str]:
    """Signatures of the future: one of two clocks is wrong."""
    for each in said:
        if each.signature and each.signature.made > now + CLOCK_ERROR:
            yield (
                f"{each.source} was signed on {each.signature.day}, which is yet to come: the"
                " signer's clock was ahead, or the one here is behind (release-builder doctor)"
            )


def _unsigned(release: Release, truth: Truth) -> Truth:
    """``truth`` where no sums file speaks of the image, though a key should vouch for it."""
    what = (
        f"no signed sums file speaks of {printable(release.image)}, and `trust.sums` asks for one"
    )
    if truth.made_here or any(digest.algorithm in STRONG for digest in release.digests):
        return replace(truth, problems=(*truth.problems, what))
    refused = SignatureError(
        what,
        hint="ask who runs the mirror for sums and their signature; or write the image's SHA-256"
        " below `digests:`, where you have it from somebody whom you trust",
    )
    return replace(truth, refused=(refused,))


def _named_sums(release: Release, keyring: Keyring | None) -> Said:
    if release.sums is None:
        return Said(())
    said = expectations_from_sums([release.sums], release.image, keyring)
    if not said.expectations and not said.refused:
        problems = said.problems
        why = problems[0] if problems else f"{release.sums} does not list {release.image}"
        raise DescriptorError(f"{release.descriptor}: digests: {why}", hint="correct `digests:`")
    return said
