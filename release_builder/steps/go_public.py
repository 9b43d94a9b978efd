"""Make a release public: staged, tried out, flipped, listed; or nothing of it."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from release_builder.epoch import source_date_epoch
from release_builder.errors import DescriptorError, ReleaseBuilderError, printable
from release_builder.pages.release_page import ReleasePage
from release_builder.public.ibay import links_advice
from release_builder.public.shelf import open_shelf
from release_builder.report import Finding, Outcome, Severity, StepResult
from release_builder.steps import releases_index
from release_builder.steps.fill import KEY, fill, record_of
from release_builder.steps.finish_public import (
    finish,
    leading,
    overtaken,
    public_damage,
    same,
    same_trees,
)
from release_builder.steps.page_changes import with_changes
from release_builder.steps.record import NAME as RECORD
from release_builder.steps.record import Record, read_record
from release_builder.steps.stranger import try_out
from release_builder.trust.gpg import Keyring, check_secret_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_builder.descriptor.publication import Publication
    from release_builder.plan import Plan
    from release_builder.public.shelf import Flip, Shelf
    from release_builder.steps import Context
    from release_builder.steps.content import Content
    from release_builder.trust.gpg import Signer


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
        place = folder or self.folder
        if self.shelf.current(place) is None:  # or it leads to another release
            return None
        name = f"{place}/{RECORD}"
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
    link = publication.link_at(plan.stage) if publication.links else None
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
    trust = plan.release.trust
    if trust.sums:
        with Keyring(trust.sums, trust.fingerprints) as keyring:
            if signer.fingerprint not in {each.fingerprint for each in keyring.signers}:
                raise DescriptorError(
                    f"{signer} is to sign, and is in none of the files of `trust.sums`",
                    hint="nobody who trusts these keys could verify it: add its public key",
                )
    return signer


def make_public(
    context: Context,
    step: str,
    public: Public,
    contents: Sequence[tuple[Plan, Content]],
    page: ReleasePage,
) -> StepResult:
    """Make ``contents`` public together; until all is tried out, nothing public is touched.

    What is public just so is only finished: its links, the index.

    Args:
        context: Of the release.
        step: For the result.
        public: Where.
        contents: What, by the plan of each arch.
        page: What the release's page tells, but for the images.

    Raises:
        ReleaseBuilderError: All is as it was.
    """
    publication, shelf = public.publication, public.shelf
    if not publication.root.host:  # elsewhere the lock makes the root that is looked into
        releases_index.check(shelf)
    with shelf.locked(public.folder):
        releases_index.check(shelf)
        before, here = public.record(), shelf.local(public.folder)
        _check_signed(before, publication)
        page, notes = with_changes(context, public, contents, page, before)
        record = record_of(context, publication, contents, page, before)
        damaged: tuple[str, ...] = ()
        if before and same(before, record):
            damaged = tuple(dict.fromkeys(public_damage(context, record, contents, here)))
            if not damaged and same_trees(contents, here):
                findings = finish(public, before, context.plan.release.version)
                return _unchanged(step, public, findings)
        trees = [plan.release.tree for plan, content in contents if content.tree]
        staged = shelf.stage(public.folder, trees)
        try:
            fill(context, publication, staged, contents, record, here)
            shelf.upload(staged)
            links, _ = leading(public, context.plan.release.version)
            tried = [try_out(context, plan, public, staged, links) for plan, _ in contents]
            findings = (*notes, *(finding for each in tried for finding in each.findings))
            if any(finding.severity.status for finding in findings):
                shelf.discard(staged)
                return _refused(step, public, findings)
            findings += (*overtaken(public, context.plan, links), *_mended(public, damaged))
            flip = shelf.flip(staged, links)
        except BaseException:
            with contextlib.suppress(ReleaseBuilderError, OSError):
                shelf.discard(staged)
            raise
        gone = (flip.previous or "") if damaged else ""
        after = finish(public, record, context.plan.release.version, gone)
    words = tuple(dict.fromkeys(each.words for each in tried))
    return _done(step, public, flip, words, (*findings, *after))


def _mended(public: Public, damaged: tuple[str, ...]) -> tuple[Finding, ...]:
    if not damaged:
        return ()
    others = f" and {len(damaged) - 1:,} others" if len(damaged) > 1 else ""
    return (
        Finding(
            Severity.WARNING,
            f"{public.folder}/{printable(damaged[0])}{others} had been damaged or lost, and came"
            " anew; nobody goes back to that generation",
            hint="who writes there besides, or is it the disk? `publish` alone should",
        ),
    )


def _check_signed(before: Record | None, publication: Publication) -> None:
    if before and before.page.signer and not publication.key:
        raise DescriptorError(
            f"what is public is signed by {before.page.signer}, and this would not be",
            hint="add `key:` below `publish:`; or take it back first: publish --rollback",
        )


def page_of(plan: Plan, publication: Publication, signer: Signer | None) -> ReleasePage:
    """What the release's page tells before there is anything to compare it with."""
    folder, epoch = publication.folder_at(plan.stage), source_date_epoch(os.environ)
    return ReleasePage(
        title=publication.title,
        version=plan.release.version.text,
        stage=plan.stage.value,
        published=datetime.fromtimestamp(int(time.time()) if epoch is None else epoch, UTC),
        images=(),
        signer=str(signer or ""),
        key_file=KEY if signer else "",
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


def _unchanged(step: str, public: Public, findings: tuple[Finding, ...]) -> StepResult:
    return StepResult(
        step,
        Outcome.UNCHANGED,
        f"{public.folder} is public already, just so",
        findings=findings,
        facts=_facts(public, public.shelf.current(public.folder) or ""),
    )


def _refused(step: str, public: Public, findings: tuple[Finding, ...]) -> StepResult:
    due = [finding.severity for finding in findings if finding.severity.status]
    wrong = any(severity is not Severity.INCOMPLETE for severity in due)
    return StepResult(
        step,
        Outcome.FAILED if wrong else Outcome.INCOMPLETE,
        f"a stranger could not rebuild it: {public.folder} is as it was",
        findings=findings,
    )


def _done(
    step: str, public: Public, flip: Flip, words: tuple[str, ...], findings: tuple[Finding, ...]
) -> StepResult:
    where = f"public as {public.folder}, generation {flip.generation}"
    notes = (Finding(Severity.NOTE, note) for note in flip.notes)
    return StepResult(
        step,
        Outcome.FAILED if any(each.severity.status for each in findings) else Outcome.DONE,
        "\n".join((where, *words)),
        findings=(*ibay_advice(public.publication), *findings, *notes),
        facts=_facts(public, flip.generation) | {"previous": flip.previous or ""},
    )


def _facts(public: Public, generation: str) -> dict[str, str]:
    publication = public.publication
    url = f"{publication.url}{public.folder}/" if publication.url else ""
    return {"folder": f"{publication.root}/{public.folder}", "generation": generation, "url": url}
