"""Make a public beta the final, in one verified step."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from release_builder.errors import DescriptorError, IncompleteError, ReleaseBuilderError, printable
from release_builder.jigdo.renamed import renamed
from release_builder.report import Finding, Outcome, Severity, StepResult
from release_builder.steps.beta_words import beta_words
from release_builder.steps.compose_tree import installer_tree
from release_builder.steps.content import read_content
from release_builder.steps.file_names import FileNames
from release_builder.steps.go_public import make_public, page_of, public_of, signer_of
from release_builder.steps.image_words import info, short_info
from release_builder.steps.moved_servers import check_moved, moved_servers
from release_builder.steps.retire import check_retirement, retire
from release_builder.trust.expected import Expectation

if TYPE_CHECKING:
    from pathlib import Path

    from release_builder.plan import Plan, Promotion
    from release_builder.steps import Context
    from release_builder.steps.content import Content
    from release_builder.steps.go_public import Public

_HOW: Final = (
    "--same-image makes these very bytes the final; --compose builds it anew from the final's tree"
)


def run(context: Context) -> StepResult:
    """Publish the beta's images under the final's names, [Servers] pointing to the final's place.

    Raises:
        IncompleteError: The beta is not public.
        ReleaseBuilderError: Nothing is public that was not before.
    """
    plan, promotion = context.plan, _promotion(context.plan)
    beta_plan = _beta(plan)
    beta, final = public_of(beta_plan), public_of(plan)
    signer = signer_of(plan, final.publication)
    if promotion.obsolete:
        check_retirement(beta)
    with beta.shelf.locked(beta.folder):  # nobody replaces it meanwhile
        contents = [(each, _promoted(context, each, beta, final)) for each in plan.each]
        honest = _honest(promotion, contents)
        if honest and not promotion.same_image:
            honest[-1] = replace(honest[-1], hint=_HOW)
            return StepResult(
                "promote", Outcome.FAILED, "nothing was changed", findings=tuple(honest)
            )
        if promotion.dry_run:
            changes = "\n".join(_changes(plan, beta, final))
            findings = (*honest, *_unready(plan))
            return StepResult("promote", Outcome.UNCHANGED, changes, findings=findings)
        page = page_of(plan, final.publication, signer)
        made = make_public(context, "promote", final, contents, page)
    made = replace(made, findings=(*honest, *made.findings, *_unready(plan)))
    if promotion.obsolete and made.outcome in {Outcome.DONE, Outcome.UNCHANGED}:
        made = replace(made, findings=(*made.findings, *retire(beta)))
    return made


def _promotion(plan: Plan) -> Promotion:
    promotion = plan.options.promotion
    if promotion is None:
        raise DescriptorError("nobody says which beta is to be the final")
    return promotion


def _beta(plan: Plan) -> Plan:
    beta = _promotion(plan).beta
    return replace(plan, release=beta, options=replace(plan.options, stage=beta.version.stage))


def _honest(promotion: Promotion, contents: list[tuple[Plan, Content]]) -> list[Finding]:
    """Where the images still call themselves a beta."""
    severity = Severity.WARNING if promotion.same_image else Severity.WRONG
    several = len(contents) > 1
    return [
        Finding(severity, f"it still calls itself a beta: {word}{of_arch}")
        for plan, content in contents
        for of_arch in [f" ({plan.release.arch})" if several else ""]
        for word in beta_words(content.image, promotion.beta.version)
    ]


def _unready(plan: Plan) -> list[Finding]:
    """Why the final's descriptor cannot be built from as it is."""
    mirror, beta = plan.release.mirror, _promotion(plan).beta.mirror
    folder = mirror.local_path
    if mirror == beta:
        why = "is still the beta's tree"
    elif folder and not folder.is_dir():
        why = "is not there yet"
    else:
        return []
    return [
        Finding(
            Severity.WARNING,
            f"{plan.release.descriptor}: `mirror:` {printable(mirror.url)} {why}",
            hint="name the final's own tree there before it is built from",
        )
    ]


def _promoted(context: Context, plan: Plan, beta: Public, final: Public) -> Content:
    """What is public of the beta, verified, with the final's names and servers in its .jigdo."""
    beta_plan, names = _beta(plan), FileNames.of(plan.release)
    content = _published(replace(context, plan=beta_plan), beta)
    texts = {
        "Filename": names.image,
        "Template": names.template,
        "ShortInfo": short_info(plan),
        "Info": info(plan),
    }
    servers = moved_servers(content.jigdo, plan, beta_plan, beta.folder, final.folder)
    jigdo = renamed(content.jigdo, names.jigdo, texts, servers)
    check_moved(jigdo, names.jigdo, beta.folder)
    return replace(content, jigdo=jigdo)


def _published(context: Context, beta: Public) -> Content:
    """What is public of the beta on one arch: from the public tree if that is on this machine."""
    plan = context.plan
    folder = beta.folder
    if beta.shelf.is_retired(folder, beta.publication.obsolete):  # by a run that was cut off then
        folder = beta.publication.obsolete
    record, here = beta.record(folder), beta.shelf.local(folder)
    image = record.image(plan.release.image) if record else None
    if image is None:
        raise IncompleteError(
            f"{beta.publication.root}/{beta.folder} has no {plan.release.image} that we published",
            hint=f"publish it: release-builder publish {plan.release.descriptor}",
        )
    known = tuple(
        Expectation("the published release.json", each, image.size) for each in image.digests
    )
    if here is None:
        place, jigdo = plan.workdir.image / image.name, plan.workdir.pair / image.jigdo
        tree = _tree(plan)
    else:
        place, jigdo = here / image.folder / image.name, here / image.folder / image.jigdo
        tree = here / plan.release.tree
    return read_content(context, place, jigdo, tree if tree and tree.is_dir() else None, known)


def _tree(plan: Plan) -> Path | None:
    try:
        return installer_tree(plan)
    except ReleaseBuilderError:
        return None


def _changes(plan: Plan, beta: Public, final: Public) -> list[str]:
    """What promoting would do, a line each."""
    lines = [f"{final.folder}/ would hold what {beta.folder}/ holds"]
    for each in plan.each:
        old, new = FileNames.of(_beta(each).release), FileNames.of(each.release)
        pairs = ((old.image, new.image), (old.jigdo, new.jigdo), (old.template, new.template))
        lines += [f"{before} → {after}" for before, after in pairs]
        for label in each.release.servers:
            before, after = (one.server_urls(label)[0] for one in (_beta(each), each))
            lines.append(f"[Servers] {label}: {before} → {after}")
    lines += [f"{link} would lead to {final.folder}" for link in final.links]
    key = final.publication.key
    lines.append(
        "sums, manifest, pages would be made anew" + (f", signed with {key}" if key else "")
    )
    lines.append(f"{plan.release.descriptor} would be its descriptor")
    if _promotion(plan).obsolete:
        lines.append(f"{beta.folder} would move to {beta.publication.obsolete}")
    return lines
