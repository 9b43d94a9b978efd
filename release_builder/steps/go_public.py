"""Make a release public: staged, tried out, flipped, listed; or nothing of it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from release_builder.descriptor.publishing import Preflight
from release_builder.errors import DescriptorError
from release_builder.pages.release_page import ReleasePage
from release_builder.public.ibay import links_advice
from release_builder.public.shelf import open_shelf
from release_builder.report import Finding, Outcome, Severity, StepResult
from release_builder.steps import releases_index
from release_builder.steps.fill import FileNames, fill
from release_builder.steps.page_changes import with_changes
from release_builder.steps.record import NAME as RECORD
from release_builder.steps.record import Record, read_record
from release_builder.steps.stranger import try_out
from release_builder.trust.gpg import Keyring, check_secret_key

if TYPE_CHECKING:
    from release_builder.descriptor.publication import Publication
    from release_builder.plan import Plan
    from release_builder.public.shelf import Flip, Shelf
    from release_builder.steps import Context
    from release_builder.steps.content import Content
    from release_builder.trust.gpg import Signer


_TRIED: Final = {
    Preflight.URLS: "each part is where the .jigdo says, by the web server's word",
    Preflight.REBUILD: "the image was rebuilt with nothing but what is public now",
    Preflight.OFF: "whether a stranger can rebuild it was not tried",
}


@dataclass(frozen=True, slots=True)
class Public:
    """The public tree, as a release sees it.

    Attributes:
        publication: What the descriptor says of it.
        shelf: The tree.
        folder: Where the release lies.
        links: What leads there.
    """

    publication: Publication
    shelf: Shelf
    folder: str
    links: tuple[str, ...]

    def record(self, folder: str | None = None) -> Record | None:
        """What is public as ``folder``, by default the release's; None for nothing of ours.

        Raises:
            WrongBytesError: Its record is none.
        """
        name = f"{folder or self.folder}/{RECORD}"
        content = self.shelf.read(name)
        return None if content is None else read_record(content, name)


def public_of(plan: Plan) -> Public:
    """The public tree of the plan's release.

    Raises:
        DescriptorError: Its descriptor names none.
    """
    publication = plan.release.publish
    if publication is None:
        raise DescriptorError(
            f"{plan.release.descriptor} does not say where releases are published",
            hint="add `publish:` with `root:`, the folder that all of them lie below",
        )
    shelf = open_shelf(
        publication.root.path,
        host=publication.root.host,
        ssh=publication.ssh,
        links=publication.links,
        scratch=plan.workdir.root,
    )
    link = publication.link_at(plan.stage)
    return Public(publication, shelf, publication.folder_at(plan.stage), (link,) if link else ())


def signer_of(plan: Plan, publication: Publication) -> Signer | None:
    """Who will sign; found out before long work starts.

    Raises:
        ReleaseBuilderError: As check_secret_key.
        DescriptorError: The key is none of those that the descriptor trusts.
    """
    if publication.key is None:
        return None
    signer = check_secret_key(publication.key)
    if plan.release.keys:
        with Keyring(plan.release.keys) as keyring:
            if signer.fingerprint not in {each.fingerprint for each in keyring.signers}:
                raise DescriptorError(
                    f"{signer} is to sign, and is in none of the files of `keys:`",
                    hint="nobody who trusts these keys could verify it: add its public key",
                )
    return signer


def make_public(
    context: Context, step: str, public: Public, content: Content, page: ReleasePage
) -> StepResult:
    """Make ``content`` public; until all of it is tried out, nothing public is touched.

    Args:
        context: Of the release.
        step: For the result.
        public: Where.
        content: What.
        page: What the release's page tells, but for the images.

    Raises:
        ReleaseBuilderError: It is not public, and all is as it was.
    """
    publication, shelf = public.publication, public.shelf
    with shelf.locked(public.folder):
        before = public.record()
        if before and _is_public(before, content, FileNames.of(context.plan.release)):
            return _unchanged(step, public)
        release = context.plan.release
        page, notes = with_changes(context, public, content, page, before)
        staged = shelf.stage(public.folder, [release.tree] if content.tree else [])
        try:
            record = fill(context, publication, staged, content, page, before)
            shelf.upload(staged)
            findings = (*notes, *try_out(context, publication, staged, content))
            if any(finding.severity.status for finding in findings):
                shelf.discard(staged)
                return _refused(step, public, findings)
            flip = shelf.flip(staged, public.links)
        except BaseException:
            shelf.discard(staged)
            raise
        removed = shelf.keep(public.folder, publication.keep)
        releases_index.enter(shelf, public.folder, record.page)
    return _done(step, public, flip, findings, len(removed))


def page_of(plan: Plan, publication: Publication, signer: Signer | None) -> ReleasePage:
    """What the release's page tells before there is anything to compare it with."""
    folder, keys = publication.folder_at(plan.stage), plan.release.keys
    return ReleasePage(
        title=publication.title,
        version=plan.release.version.text,
        stage=plan.stage.value,
        published=_now(),
        images=(),
        signer=str(signer or ""),
        key_file=keys[0].name if keys and signer else "",
        previous="",
        changes=(),
        notes=(),
        folder_url=f"{publication.url}{folder}/" if publication.url else None,
        index="../" * (folder.count("/") + 1) + "index.html",
    )


def ibay_advice(publication: Publication) -> tuple[Finding, ...]:
    """What an SME box must be told so that its web server follows our links."""
    advice = None
    if publication.links and not publication.root.host:
        advice = links_advice(publication.root.path)
    if advice is None:
        return ()
    return (
        Finding(
            Severity.WARNING,
            f"the web server does not follow links in {publication.root}",
            hint=f"{advice}, or set `links: false` below `publish:`",
        ),
    )


def _now() -> datetime:
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    return datetime.fromtimestamp(int(epoch) if epoch.isdecimal() else int(time.time()), UTC)


def _is_public(before: Record, content: Content, names: FileNames) -> bool:
    """Whether what is public has this image and this .jigdo, which names all parts."""
    files = before.files.get(names.folder, {})
    image, jigdo = files.get(names.image), files.get(names.jigdo)
    if not image or not jigdo:
        return False
    return set(image.digests) == set(content.digests.values()) and set(jigdo.digests) == set(
        content.jigdo_digests.values()
    )


def _unchanged(step: str, public: Public) -> StepResult:
    return StepResult(
        step,
        Outcome.UNCHANGED,
        f"{public.folder} is public already, just so",
        facts=_facts(public, public.shelf.current(public.folder) or ""),
    )


def _refused(step: str, public: Public, findings: tuple[Finding, ...]) -> StepResult:
    wrong = any(
        finding.severity is not Severity.INCOMPLETE
        for finding in findings
        if finding.severity.status
    )
    return StepResult(
        step,
        Outcome.FAILED if wrong else Outcome.INCOMPLETE,
        f"a stranger could not rebuild it: {public.folder} is as it was",
        findings=findings,
    )


def _done(
    step: str, public: Public, flip: Flip, findings: tuple[Finding, ...], removed: int
) -> StepResult:
    where = f"public as {public.folder}, generation {flip.generation}"
    led = f"; {', '.join(public.links)} leads there" if public.links else ""
    tried = f"\n{_TRIED[public.publication.preflight]}"
    notes = (Finding(Severity.NOTE, note) for note in flip.notes)
    return StepResult(
        step,
        Outcome.DONE,
        where + led + tried,
        counts={"generations_removed": removed},
        findings=(*ibay_advice(public.publication), *findings, *notes),
        facts=_facts(public, flip.generation) | {"previous": flip.previous or ""},
    )


def _facts(public: Public, generation: str) -> dict[str, str]:
    publication = public.publication
    url = f"{publication.url}{public.folder}/" if publication.url else ""
    return {"folder": f"{publication.root}/{public.folder}", "generation": generation, "url": url}
