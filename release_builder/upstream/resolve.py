"""Which release a track leads to now: where the mirror's link does, or the newest complete one."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from release_builder.descriptor.track import Reached
from release_builder.descriptor.version import Version
from release_builder.errors import DescriptorError, IncompleteError
from release_builder.upstream.completeness import SUMS
from release_builder.upstream.layout import Layout
from release_builder.upstream.survey import survey

if TYPE_CHECKING:
    from release_builder.descriptor.model import Descriptor, Profile
    from release_builder.descriptor.track import Track
    from release_builder.transport.listing import Lister
    from release_builder.upstream.survey import Found, Survey

_AS_BEFORE: Final = "it was so before, and nothing newer is complete"
PATIENCE: Final = 2 * 86_400.0
"""Seconds after which a release that lacks nothing but its sums is taken without them."""


def resolve(
    descriptor: Descriptor, track: Track, lister: Lister, before: Reached | None, now: float
) -> Reached:
    """Where ``track`` leads.

    The link of the mirror has the first word. Where it does not show, or leads to what is not
    complete yet, the newest complete release counts that is not newer than what the link names.
    A newer final always wins: then the beta became it. It goes back behind ``before`` only when
    that is gone.

    Args:
        descriptor: Whose profile and arches count; ``mirror`` is the root.
        track: Its track.
        lister: Of the root.
        before: What it led to when it was asked last; None for never.
        now: Seconds since 1970.

    Raises:
        IncompleteError: Nothing is complete yet; or the mirror cannot be asked.
        DescriptorError: The mirror never had such a release.
    """
    layout = Layout.of(_profile_as_overruled(descriptor))
    there = survey(lister, layout, descriptor.arch, track.takes)
    following = _Following(descriptor, track, there, before, now)
    if not following.candidates and before is None:
        raise _never_there(descriptor, track, survey(lister, layout, descriptor.arch))
    return following.reached()


class _Following:
    """One look at what a mirror has.

    Attributes:
        candidates: The releases in the track's folder and the finals, which betas become; from
            the oldest to the newest.
    """

    def __init__(
        self,
        descriptor: Descriptor,
        track: Track,
        there: Survey,
        before: Reached | None,
        now: float,
    ) -> None:
        self._root = descriptor.mirror.url
        self._finals = posixpath.dirname(descriptor.profile.folder.final)
        self._arches = descriptor.arch
        self._track = track
        self._before = before
        self._now = now
        self.candidates = [
            each
            for each in there.releases
            if posixpath.dirname(each.folder) in {track.folder, self._finals}
        ]
        self._linked = next((each for each in self.candidates if track.text in each.links), None)

    def reached(self) -> Reached:
        """See resolve."""
        chosen, why = self._choice()
        newer = [each for each in self.candidates if not chosen or each.version > chosen.version]
        waits = "; ".join(filter(None, map(self._lacking, newer)))
        before = self._before
        since = before.since if before and before.waits == waits else self._now
        if not waits:
            since = 0.0
        if chosen:
            return Reached(chosen.version.text, self._root, chosen.folder, why, waits, since)
        if before:
            return replace(before, root=self._root, why=why, waits=waits, since=since)
        raise IncompleteError(
            f"{self._root} has no complete release of {self._track} yet: {waits}",
            hint="the mirror is being filled: run again later",
        )

    def _choice(self) -> tuple[Found | None, str]:
        """What is to be built, and why; None for what it was before, which is gone."""
        fit = [each for each in self.candidates if self._is_fit(each)]
        if self._linked:
            limit = self._linked.version
            fit = [each for each in fit if each.version <= limit or each.version.is_final]
        best = fit[-1] if fit else None
        if best and best == self._linked:  # who runs the mirror may well lead back
            return best, f"{self._track} leads to it"
        folder = self._before.folder if self._before else None
        before = next((each for each in self.candidates if each.folder == folder), None)
        if before and (best is None or best.version < before.version):
            return before, _AS_BEFORE
        if best:
            return best, self._why(best)
        bare = [each for each in self.candidates if self._lacks_only_sums(each)]
        if bare and self._before is None:
            return bare[-1], "no other is complete, and it lacks nothing but its sums"
        return None, _AS_BEFORE

    def _is_fit(self, found: Found) -> bool:
        if found.is_complete(self._arches):
            return True
        before = self._before
        waited = before and self._lacking(found) in before.waits and self._now - before.since
        return self._lacks_only_sums(found) and bool(waited and waited >= PATIENCE)

    def _lacks_only_sums(self, found: Found) -> bool:
        return all(each.endswith(f": {SUMS}") for each in found.missing(self._arches))

    def _why(self, chosen: Found) -> str:
        if chosen.version.is_final and self._track.folder != self._finals:
            return "it is final"
        if self._linked and chosen.version < self._linked.version:
            return f"it is the newest that is complete below {self._linked.version}"
        return "it is the newest that is complete"

    def _lacking(self, found: Found) -> str:
        missing = found.missing(self._arches)
        return f"{found.version} is not complete ({', '.join(missing)})" if missing else ""


def _profile_as_overruled(descriptor: Descriptor) -> Profile:
    """The profile, with what the descriptor says of the files in a release."""
    profile = descriptor.profile
    return replace(
        profile,
        image=descriptor.image or profile.image,
        tree=descriptor.tree or profile.tree,
        jigdo=descriptor.jigdo or profile.jigdo,
    )


def _never_there(descriptor: Descriptor, track: Track, there: Survey) -> DescriptorError:
    begins = dict.fromkeys(str(each.version.major) for each in there.releases)
    has = f"it has releases of {', '.join(begins)}" if begins else "it has no release at all"
    return DescriptorError(
        f"{descriptor.mirror.url} has no release of {track}",
        hint=f"{has}; correct `track:`, or `mirror:`, which must be the folder that it is below",
    )


def news_of(before: str, now: Version) -> str:
    """What to tell of ``now`` where ``before`` was told last; empty for nothing."""
    if before == now.text:
        return ""
    old = Version.parse(before)
    if old.numbers == now.numbers and now.is_final and not old.is_final:
        return f"{old} became the final: {now}"
    if old < now:
        return f"{now} followed {old}"
    return f"{old} is gone from the mirror: it is {now} again"
