"""Make a public beta the final, in one verified step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.errors import IncompleteError
from release_builder.jigdo.renamed import renamed
from release_builder.report import Finding, Outcome, Severity, StepResult
from release_builder.steps import releases_index
from release_builder.steps.beta_words import beta_words
from release_builder.steps.content import read_content
from release_builder.steps.fill import FileNames
from release_builder.steps.go_public import make_public, page_of, public_of, signer_of
from release_builder.steps.image_words import info, short_info
from release_builder.trust.expected import Expectation

if TYPE_CHECKING:
    from release_builder.plan import Plan
    from release_builder.steps import Context
    from release_builder.steps.content import Content
    from release_builder.steps.go_public import Public

_HOW: Final = (
    "--same-image makes these very bytes the final; --compose builds it anew from the final's tree"
)


def run(context: Context) -> StepResult:
    """Publish the beta's image under the final's names, [Servers] pointing to the final's place.

    Raises:
        IncompleteError: The beta is not public.
        ReleaseBuilderError: Nothing is public that was not before.
    """
    plan, beta_plan = context.plan, _beta(context.plan)
    promotion = plan.options.promotion
    assert promotion is not None  # who makes the plan sees to that
    beta, final = public_of(beta_plan), public_of(plan)
    signer = signer_of(plan, final.publication)
    content = _promoted(plan, beta_plan, _published(context, beta_plan, beta))
    words = beta_words(content.image, content.tree, promotion.beta.version)
    severity = Severity.WARNING if promotion.same_image else Severity.WRONG
    honest = [Finding(severity, f"it still calls itself a beta: {word}") for word in words]
    if honest and not promotion.same_image:
        honest[-1] = replace(honest[-1], hint=_HOW)
        return StepResult("promote", Outcome.FAILED, "nothing was changed", findings=tuple(honest))
    if promotion.dry_run:
        changes = "\n".join(_changes(plan, beta_plan, beta, final))
        return StepResult("promote", Outcome.UNCHANGED, changes, findings=tuple(honest))
    page = page_of(plan, final.publication, signer)
    made = make_public(context, "promote", final, content, page)
    findings = (*honest, *made.findings)
    if promotion.obsolete and made.outcome in {Outcome.DONE, Outcome.UNCHANGED}:
        findings += _retire(beta)
    return replace(made, findings=findings)


def _beta(plan: Plan) -> Plan:
    promotion = plan.options.promotion
    assert promotion is not None
    options = replace(plan.options, stage=promotion.beta.version.stage)
    return replace(plan, release=promotion.beta, options=options)


def _published(context: Context, plan: Plan, beta: Public) -> Content:
    """What is public of the beta, verified: from the public tree if that is here."""
    record = beta.record()
    image = record.image(plan.release.image) if record else None
    if image is None:
        raise IncompleteError(
            f"{beta.publication.root}/{beta.folder} has no {plan.release.image} that we published",
            hint=f"publish it: release-builder publish {plan.release.descriptor}",
        )
    known = tuple(
        Expectation("the published release.json", each, image.size) for each in image.digests
    )
    root = beta.publication.root
    if root.host:
        folder, tree = plan.workdir.pair, plan.workdir.tree / plan.release.tree
        place = plan.workdir.image / image.name
    else:
        folder = Path(root.path) / beta.folder / image.folder
        tree = Path(root.path) / beta.folder / plan.release.tree
        place = folder / image.name
    return read_content(
        context, place, folder / image.jigdo, tree if tree.is_dir() else None, known
    )


def _promoted(plan: Plan, beta_plan: Plan, content: Content) -> Content:
    """``content`` with the final's names and servers in its .jigdo."""
    names = FileNames.of(plan.release)
    texts = {
        "Filename": names.image,
        "Template": names.template,
        "ShortInfo": short_info(plan),
        "Info": info(plan),
    }
    return replace(
        content, jigdo=renamed(content.jigdo, names.jigdo, texts, _moves(plan, beta_plan))
    )


def _moves(plan: Plan, beta_plan: Plan) -> dict[str, str]:
    """By URL of a beta's server, that of the final's."""
    return {
        old: new
        for label in beta_plan.release.servers
        for old, new in zip(beta_plan.server_urls(label), plan.server_urls(label), strict=False)
    }


def _changes(plan: Plan, beta_plan: Plan, beta: Public, final: Public) -> list[str]:
    """What promoting would do, a line each."""
    old, new = FileNames.of(beta_plan.release), FileNames.of(plan.release)
    lines = [
        f"{final.folder}/ would hold what {beta.folder}/ holds",
        *(
            f"{before} → {after}"
            for before, after in zip(
                (old.image, old.jigdo, old.template),
                (new.image, new.jigdo, new.template),
                strict=True,
            )
        ),
        *(f"[Servers] {before} → {after}" for before, after in _moves(plan, beta_plan).items()),
        *(f"{link} would lead to {final.folder}" for link in final.links),
        "sums, manifest, pages would be made anew"
        + (f", signed with {final.publication.key}" if final.publication.key else ""),
        f"{plan.release.descriptor} would be its descriptor",
    ]
    promotion = plan.options.promotion
    if promotion and promotion.obsolete:
        lines.append(f"{beta.folder} would move to {beta.publication.obsolete}")
    return lines


def _retire(beta: Public) -> tuple[Finding, ...]:
    """Move the beta out of the way, once it is the final."""
    target, shelf = beta.publication.obsolete, beta.shelf
    record = beta.record()
    with shelf.locked(beta.folder):
        dead = shelf.move(beta.folder, target)
    releases_index.strike(shelf, beta.folder, beta.publication.title)
    if record:
        releases_index.enter(shelf, target, record.page)
    ours = [link for link in dead if link in beta.links]
    for link in ours:
        shelf.drop_link(link)
    became = {link: "is gone" if link in ours else "leads nowhere now" for link in dead}
    return tuple(
        Finding(Severity.NOTE, f"{link} {what}: it led to {beta.folder}")
        for link, what in became.items()
    )
