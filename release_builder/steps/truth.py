"""Everyone who says what the right image is: its template, the descriptor, sums files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from release_builder.errors import DescriptorError, WrongBytesError
from release_builder.trust.expected import Expectation, compare, expectations_from_sums
from release_builder.trust.sums import find_sums

if TYPE_CHECKING:
    from release_builder.descriptor.release import Release
    from release_builder.jigdo.entries import ImageInfo
    from release_builder.plan import Plan


@dataclass(frozen=True, slots=True)
class Truth:
    """What is expected of an image.

    Attributes:
        expectations: What it should be, and who says so.
        problems: Sums files that could not be read.
    """

    expectations: tuple[Expectation, ...]
    problems: tuple[str, ...]

    @property
    def algorithms(self) -> frozenset[str]:
        """Those by which the image must be hashed to know whether it is right."""
        digests = (expectation.digest for expectation in self.expectations)
        return frozenset(digest.algorithm for digest in digests if digest)

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

    Raises:
        DescriptorError: The descriptor names a sums file that cannot be read.
    """
    release = plan.release
    said = [Expectation("the template", image.digest, image.length)]
    said += [Expectation("the descriptor", digest, None) for digest in release.digests]
    if release.size is not None:
        said.append(Expectation("the descriptor", None, release.size))
    folders = (*(plan.workdir.tree / folder for folder in release.jigdo), plan.workdir.image)
    beside = [path for folder in folders for path in find_sums(folder, release.image)]
    of_sums, problems = expectations_from_sums(beside, release.image)
    said += _named_sums(release)
    # Within the workdir a short name says enough.
    root = f"{plan.workdir.root}/"
    said += [replace(each, source=each.source.removeprefix(root)) for each in of_sums]
    return Truth(tuple(said), problems)


def _named_sums(release: Release) -> tuple[Expectation, ...]:
    if release.sums is None:
        return ()
    said, problems = expectations_from_sums([release.sums], release.image)
    if not said:
        why = problems[0] if problems else f"{release.sums} does not list {release.image}"
        raise DescriptorError(f"{release.descriptor}: digests: {why}", hint="correct `digests:`")
    return said
