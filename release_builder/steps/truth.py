"""Everyone who says what the right image is: its template, the descriptor, sums files."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from release_builder.errors import DescriptorError, WrongBytesError, printable
from release_builder.trust.expected import Expectation, Said, compare, expectations_from_sums
from release_builder.trust.gpg import Keyring
from release_builder.trust.sums import find_sums

if TYPE_CHECKING:
    from release_builder.descriptor.release import Release
    from release_builder.jigdo.entries import ImageInfo
    from release_builder.plan import Plan
    from release_builder.trust.gpg import SignatureError, Signer


@dataclass(frozen=True, slots=True)
class Truth:
    """What is expected of an image.

    Attributes:
        expectations: What it should be, and who says so.
        problems: Sums files that could not be read.
        refused: Sums files that nobody signed whom the descriptor trusts; they do not count.
    """

    expectations: tuple[Expectation, ...]
    problems: tuple[str, ...]
    refused: tuple[SignatureError, ...] = ()

    @property
    def algorithms(self) -> frozenset[str]:
        """Those by which the image must be hashed to know whether it is right."""
        digests = (expectation.digest for expectation in self.expectations)
        return frozenset(digest.algorithm for digest in digests if digest)

    @property
    def signers(self) -> tuple[Signer, ...]:
        """Who signed what the sums files say."""
        signers = (expectation.signer for expectation in self.expectations)
        return tuple(dict.fromkeys(signer for signer in signers if signer))

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


def truth_about(plan: Plan, image: ImageInfo) -> Truth:
    """What the template, the descriptor and the sums files beside .jigdo and image say.

    Where the descriptor has ``keys:``, sums files count if one of these signed them.

    Raises:
        DescriptorError: The descriptor names a sums file that cannot be read, or a file of keys
            that holds none.
        SurroundingsError: There are keys, and gpg is not installed.
    """
    release = plan.release
    said = [Expectation("the template", image.digest, image.length)]
    said += [Expectation("the descriptor", digest, None) for digest in release.digests]
    if release.size is not None:
        said.append(Expectation("the descriptor", None, release.size))
    folders = (*(plan.workdir.tree / folder for folder in release.jigdo), plan.workdir.image)
    beside = [path for folder in folders for path in find_sums(folder, release.image)]
    with Keyring(release.keys) if release.keys else nullcontext() as keyring:
        named = _named_sums(release, keyring)
        of_sums = expectations_from_sums(beside, release.image, keyring)
    # Within the workdir a short name says enough.
    root = f"{plan.workdir.root}/"
    said += named.expectations
    said += [replace(each, source=each.source.removeprefix(root)) for each in of_sums.expectations]
    truth = Truth(tuple(said), of_sums.problems, (*named.refused, *of_sums.refused))
    if not release.keys or truth.signers or truth.refused:
        return truth
    unsaid = f"`keys:` are set, but no signed sums file speaks of {printable(release.image)}"
    return replace(truth, problems=(*truth.problems, unsaid))


def _named_sums(release: Release, keyring: Keyring | None) -> Said:
    if release.sums is None:
        return Said(())
    said = expectations_from_sums([release.sums], release.image, keyring)
    if not said.expectations and not said.refused:
        problems = said.problems
        why = problems[0] if problems else f"{release.sums} does not list {release.image}"
        raise DescriptorError(f"{release.descriptor}: digests: {why}", hint="correct `digests:`")
    return said
