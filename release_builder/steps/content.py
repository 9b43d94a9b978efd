"""What a release consists of before it is public: the image, its pair, the tree."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from release_builder.descriptor.publishing import Preflight
from release_builder.digests import digest_stream
from release_builder.errors import DescriptorError, IncompleteError, WrongBytesError, printable
from release_builder.files import open_regular, safe_join
from release_builder.jigdo.template import read_template
from release_builder.steps.earlier import believed
from release_builder.steps.find_pair import find_jigdo, read_jigdo
from release_builder.steps.image_file import measure
from release_builder.steps.truth import truth_about
from release_builder.trust.assurance import Assurance, assurance
from release_builder.trust.expected import Expectation, compare

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from release_builder.descriptor.release import Release
    from release_builder.digests import Digest
    from release_builder.jigdo.entries import ImageInfo, MatchedFile
    from release_builder.jigdo.location import JigdoFile
    from release_builder.plan import Plan
    from release_builder.steps import Context
    from release_builder.steps.truth import Truth

SUMS: Final = ("md5", "sha256")  # the algorithms of published sums


@dataclass(frozen=True, slots=True)
class Content:
    """An image and its pair, all of them right.

    Attributes:
        image: Where the image lies.
        size: Of the image, in bytes.
        digests: Of the image, one for each of SUMS.
        jigdo: The text of the .jigdo, as it will be published.
        template: Where the template lies.
        parts: All that the image needs.
        locations: Where [Parts] says that each of them is.
        tree: The installer tree; None where the public one stays as it is.
        assurance: Whose word the image was held against.
    """

    image: Path
    size: int
    digests: Mapping[str, Digest]
    jigdo: bytes
    template: Path
    parts: tuple[MatchedFile, ...]
    locations: Mapping[Digest, tuple[str, ...]]
    tree: Path | None
    assurance: Assurance

    @property
    def jigdo_digests(self) -> Mapping[str, Digest]:
        """Of the .jigdo, one for each of SUMS."""
        return digest_stream(io.BytesIO(self.jigdo), SUMS)


def read_content(
    context: Context,
    image: Path,
    jigdo: Path,
    tree: Path | None,
    known: Iterable[Expectation] | None = None,
) -> Content:
    """The image and the pair at these places, held against one another.

    Args:
        context: Of the release.
        image: Where the image should be.
        jigdo: Where its .jigdo should be; the template lies beside it.
        tree: The installer tree, if it is to be public too.
        known: What else is known of the image; None for what the descriptor and sums files say.

    Raises:
        IncompleteError: One is not there.
        WrongBytesError: The image is not the template's, the template not the .jigdo's, or one
            of them not what it should be.
        SignatureError: The descriptor names keys, and none vouches for the image of a mirror.
        StepBackError: A mirror's image is older than what an earlier run found right.
        OSError: One cannot be read.
    """
    for path, how in ((image, "compose, or build"), (jigdo, "pair")):
        if not path.is_file():
            raise IncompleteError(
                f"{printable(str(path))} is not there", hint=f"make it: release-builder {how}"
            )
    text, said = read_jigdo(jigdo)
    template = jigdo.with_name(said.image.template_leaf)
    _check_template(context, template, said)
    with open_regular(template) as stream:
        description = read_template(stream, printable(template.name)).description
    if known is None:
        known = _believed(context.plan, description.image, said).expectations
    said_of_it = (_said_by(template, description.image), *known)
    algorithms = {each.digest.algorithm for each in said_of_it if each.digest}
    found = measure(image, {*SUMS, *algorithms}, context.cache, monitor=context.monitor)
    for mismatch in compare(said_of_it, found.digests, found.size):
        raise WrongBytesError(
            f"{printable(str(image))}: {mismatch}",
            hint="make image and pair anew: release-builder build, or compose",
        )
    content = Content(
        image=image,
        size=found.size,
        digests={each: found.digests[each] for each in SUMS},
        jigdo=text,
        template=template,
        parts=description.parts,
        locations=said.parts,
        tree=tree,
        assurance=assurance(said_of_it),
    )
    if tree:
        _check_whole(context, tree, content, jigdo.name)
    for name in changed_parts(context, tree, content) if tree else ():
        raise WrongBytesError(
            f"{printable(str(tree / name)) if tree else name} changed since the pair was made",
            hint="make image and pair anew: release-builder compose; or put the old file back",
        )
    return content


def _believed(plan: Plan, image: ImageInfo, said: JigdoFile) -> Truth:
    """What descriptor, sums files and history say; they refuse what comes from a mirror."""
    try:
        _, mirrored = read_jigdo(find_jigdo(plan.workdir.tree, plan.release))
        made_here = mirrored.image.template_digests != said.image.template_digests
    except (IncompleteError, DescriptorError):  # the tree has none, or those of other versions
        made_here = True
    if made_here:
        return truth_about(plan, image, made_here=True)
    return believed(plan, image).truth


def _check_whole(context: Context, tree: Path, content: Content, jigdo: str) -> None:
    """Let no tree become public that lacks parts; a preflight sees that with its own eyes."""
    publish = context.plan.release.publish
    if publish is None or publish.preflight is not Preflight.OFF:
        return
    own = own_parts(context.plan.release, content.parts, content.locations)
    absent = [name for name, _ in own if not (tree / name).exists()]
    if absent:
        raise IncompleteError(
            f"{printable(jigdo)} names parts that are not in the tree: {len(absent):,}, such as"
            f" {printable(absent[0])}; what becomes public would lack them",
            hint="sync again, or put them back; what is public stays as it is",
        )


def changed_parts(context: Context, tree: Path, content: Content) -> Iterator[str]:
    """The parts in ``tree`` that are not what the template says; those that are not there are none.

    Args:
        context: Its cache knows digests; of which release it is tells which labels mean the tree.
        tree: An installer tree.
        content: Tells the parts.
    """
    for name, part in own_parts(context.plan.release, content.parts, content.locations):
        path = safe_join(tree, name)
        if path.is_file() and not is_right(context, path, part):
            yield name


def is_right(context: Context, path: Path, part: MatchedFile) -> bool:
    """Whether the file at ``path`` is ``part``."""
    if path.stat().st_size != part.length:  # it may have no end
        return False
    algorithm = part.digest.algorithm
    return measure(path, [algorithm], context.cache).digests[algorithm] == part.digest


def own_parts(
    release: Release,
    parts: Iterable[MatchedFile],
    locations: Mapping[Digest, Sequence[str]],
) -> Iterator[tuple[str, MatchedFile]]:
    """The parts that [Parts] means to be in the release's own tree, each with its path below it."""
    labels = tuple(f"{label}:" for label in release.servers)
    for part in parts:
        for place in locations.get(part.digest, ()):
            label = next((each for each in labels if place.startswith(each)), None)
            if label is not None:
                yield place.removeprefix(label), part


def _check_template(context: Context, template: Path, said: JigdoFile) -> None:
    if not template.is_file():
        raise IncompleteError(
            f"{printable(str(template))}, which {said.name} names, is not there",
            hint="make the pair anew: release-builder pair",
        )
    wanted = {each.algorithm: each for each in said.image.template_digests}
    found = measure(template, wanted, context.cache).digests
    if found != wanted:
        raise WrongBytesError(
            f"{printable(str(template))} is not the template that {said.name} means",
            hint="make the pair anew: release-builder pair",
        )


def _said_by(template: Path, image: ImageInfo) -> Expectation:
    return Expectation(f"the template {printable(template.name)}", image.digest, image.length)
