"""What mirrors have, what is followed there, and what became of what is gone."""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.descriptor.mirror import Mirror
from release_builder.descriptor.refusal import RefusedError
from release_builder.descriptor.track import Reached
from release_builder.descriptor.version import Version
from release_builder.errors import DescriptorError, IncompleteError, ReleaseBuilderError, printable
from release_builder.files import replacing
from release_builder.loader import find_profile, load, new_descriptor, products
from release_builder.report import Finding, Outcome, Severity, StepResult
from release_builder.state.digest_cache import state_folder
from release_builder.state.history import open_history
from release_builder.upstream.asking import lister_of
from release_builder.upstream.layout import Layout
from release_builder.upstream.resolve import news_of, resolve
from release_builder.upstream.starting import Start, start_of, start_offline
from release_builder.upstream.survey import Survey, survey
from release_builder.upstream.whereabouts import Fate, Whereabouts, whereabouts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from release_builder.descriptor.model import Descriptor
    from release_builder.descriptor.release import Release
    from release_builder.descriptor.track import Track
    from release_builder.report import ReleaseReport
    from release_builder.state.history import History

__all__ = [
    "Available",
    "Fate",
    "Start",
    "Whereabouts",
    "available",
    "init_from",
    "settled",
    "told",
    "whereabouts_of",
]

_DEFAULT_PRODUCT: Final = "smeserver"


@dataclass(frozen=True, slots=True)
class Available:
    """What a mirror has of a product.

    Attributes:
        product: Whose releases.
        root: The folder that all of them lie below.
        survey: What is there.
    """

    product: str
    root: str
    survey: Survey


def settled(descriptor: Descriptor, *, offline: bool = False) -> Descriptor:
    """``descriptor`` with the version and the mirror that its ``track:`` leads to now.

    Args:
        descriptor: One without ``track:`` comes back as it is.
        offline: Ask no mirror: what a run told last counts, see ``told``.

    Raises:
        IncompleteError: The mirror cannot be asked, or has nothing complete yet; offline: nothing
            was built before.
        DescriptorError: The mirror has no such release; its layout is not the product's.
    """
    track = descriptor.track
    if track is None or track.reached:
        return descriptor
    with open_history(state_folder(os.environ), read_only=True) as history:
        before = _remembered(history.noted(_key(descriptor.path, track)))
    if offline:
        if before is None:
            raise IncompleteError(
                f"{descriptor.path}: nothing of {track} was built before",
                hint="build or sync it first, without --offline; or write `version:` in its place",
            )
        return descriptor.reaching(before)
    with lister_of(descriptor.mirror, descriptor.fetch.ca_bundle) as lister:
        return descriptor.reaching(resolve(descriptor, track, lister, before, time.time()))


def told(
    reports: Iterable[ReleaseReport], releases: Iterable[Release], history: History
) -> tuple[ReleaseReport, ...]:
    """``reports`` with a step before the others that tells where each track led, and why.

    A new version is told once, what is not complete each time.

    Args:
        reports: Of a run.
        releases: That it was about; those that follow nothing say nothing.
        history: Remembers what was told, and where each track led.
    """
    followed = {(str(each.descriptor), each.version.text): each for each in releases}
    return tuple(
        replace(each, steps=(*_track_step(release, history), *each.steps)) if release else each
        for each in reports
        for release in [followed.get((each.descriptor, each.version))]
    )


def whereabouts_of(release: Release) -> Whereabouts | None:
    """What became of a release whose folder is not where its descriptor says.

    Returns:
        None where the mirror cannot be asked, or nothing tells where to look.
    """
    with contextlib.suppress(ReleaseBuilderError, RefusedError, OSError):
        layout = Layout.of(load(release.descriptor).profile)
        url, place = release.mirror.url, layout.place(release.version)
        if not url.endswith(f"/{place}/"):
            return None
        root = Mirror.parse(url.removesuffix(f"{place}/"), Path.cwd())
        with lister_of(root, release.fetch.ca_bundle) as lister:
            return whereabouts(release.version, root, lister, layout)
    return None


def available(url: str, product: str | None = None) -> Available:
    """The releases that the mirror at ``url`` has.

    Args:
        url: Of the folder that all releases lie below, or of a place in it.
        product: Name of a profile, or path of a profile's file; None: the first that fits.

    Raises:
        IncompleteError: The mirror cannot be asked.
        DescriptorError: It is no mirror's; it has nothing like a release; no such product.
    """
    for name, layout in _layouts(product):
        root, _ = _parted(url, layout)
        with lister_of(root) as lister:
            there = survey(lister, layout, layout.profile.arches)
        if any(each.arches for each in there.releases):
            return Available(name, root.url, there)
    raise _nothing(url, product)


def init_from(url: str, path: Path, product: str | None = None, *, offline: bool = False) -> Start:
    """Write a commented descriptor for what ``url`` leads to.

    Args:
        url: Of a release, of a link to one, or of the folder that all releases lie below.
        path: Where it is written.
        product: As for ``available``.
        offline: Ask no mirror; the URL's words must do.

    Raises:
        IncompleteError: The mirror cannot be asked.
        DescriptorError: ``path`` is there already; ``url`` leads to nothing like a release.
    """
    if path.exists():
        raise DescriptorError(f"{path} is there already", hint="name another file")
    name, start = _start(url, product, offline=offline)
    text = new_descriptor(name, start.mirror, named=start.named, arches=start.arches)
    with replacing(path) as out:
        out.write(text.encode())
    return start


def _start(url: str, product: str | None, *, offline: bool) -> tuple[str, Start]:
    for name, layout in _layouts(product):
        root, place = _parted(url, layout)
        if offline:
            return name, start_offline(place, root, layout)
        with lister_of(root) as lister:
            if start := start_of(place, root, lister, layout):
                return name, start
    raise _nothing(url, product)


def _layouts(product: str | None) -> Iterator[tuple[str, Layout]]:
    """What a mirror may be laid out like, the likeliest first."""
    names = [product] if product else sorted(products(), key=lambda name: name != _DEFAULT_PRODUCT)
    for name in names:
        yield name, Layout.of(find_profile(name))


def _parted(url: str, layout: Layout) -> tuple[Mirror, str]:
    try:
        root, place = layout.root_and_place(Mirror.parse(url, Path.cwd()).url)
        return Mirror.parse(root, Path.cwd()), place
    except RefusedError as refused:
        raise DescriptorError(refused.what, hint=refused.hint) from refused


def _nothing(url: str, product: str | None) -> DescriptorError:
    return DescriptorError(
        f"{printable(url)} has nothing like a release of {product or ' or '.join(products())}",
        hint="name the folder that all releases lie below, or a profile with --product",
    )


def _track_step(release: Release, history: History) -> tuple[StepResult, ...]:
    if release.track is None or release.track.reached is None:
        return ()
    reached, key = release.track.reached, _key(release.descriptor, release.track)
    before = _remembered(history.noted(key))
    history.note(key, json.dumps(asdict(reached)))
    findings = []
    if before and (said := news_of(before.version, release.version)):
        findings.append(Finding(Severity.NOTE, f"{said} ({reached.why})", news=True))
    if reached.waits:
        hint = "it is built as soon as all is there"
        findings.append(Finding(Severity.NOTE, reached.waits, hint=hint))
    summary = f"{release.version}: {reached.why}"
    return (StepResult("track", Outcome.UNCHANGED, summary, findings=tuple(findings)),)


def _key(path: Path, track: Track) -> str:
    return f"track {path.absolute()} {track}"


def _remembered(text: str) -> Reached | None:
    """What was noted; None where it was nothing that makes sense."""
    with contextlib.suppress(ValueError, TypeError):
        reached = Reached(**json.loads(text))
        Version.parse(reached.version)
        return reached
    return None
