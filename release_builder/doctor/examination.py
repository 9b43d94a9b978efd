"""The whole examination, in the order of its report."""

from __future__ import annotations

import shutil
from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from release_builder.descriptor.mirror import Kind
from release_builder.doctor.checkup import Check, Examination, Mark, looked_at
from release_builder.doctor.clock import check_clock
from release_builder.doctor.folders import check_selinux, check_state, check_workdir
from release_builder.doctor.interpreter import check_interpreter
from release_builder.doctor.keys import check_keys
from release_builder.doctor.mirrors import WebServers, all_web_urls, check_mirror
from release_builder.doctor.programs import check_programs
from release_builder.doctor.schedule import check_history, check_schedule
from release_builder.doctor.system import read_system
from release_builder.state.digest_cache import state_folder

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from release_builder.descriptor.release import Release
    from release_builder.doctor.system import System
    from release_builder.plan import Plan

_BUILDING: Final = ("build", "refresh")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """What is examined.

    Attributes:
        plans: The releases in question.
        unread: What kept a descriptor from being read.
        environ: The environment.
        now: What the clock says, with a zone.
        offline: Ask no server.
        files: Files of other programs, and where they are; None: not installed.
    """

    plans: Sequence[Plan] = ()
    unread: Sequence[Check] = ()
    environ: Mapping[str, str]
    now: datetime
    offline: bool = False
    files: Mapping[str, Path | None]


def examine(patient: Patient) -> Examination:
    """Look at all that commands need; never an error, and nothing is changed."""
    system = read_system()
    releases = [plan.release for plan in patient.plans]
    checks = (
        *patient.unread,
        *looked_at("descriptors", "keys", lambda: check_keys(releases, patient.now)),
        *check_programs(system, _needs(releases)),
        *_check_files(patient, system),
        *looked_at("python", "python", check_interpreter),
        *looked_at(
            "clock", "clock", lambda: check_clock(system, patient.now, dict(patient.environ))
        ),
        *_check_folders(patient),
        *(() if patient.offline else _check_servers(patient, releases, system)),
        *_check_refreshes(patient),
    )
    return Examination(system.name, checks, _wanted(releases))


def _needs(releases: Sequence[Release]) -> dict[str, Collection[str]]:
    """By program, the commands that cannot do without it for these releases."""
    needs: dict[str, set[str]] = defaultdict(set)
    # Without descriptors: as of a mirror that is fetched from by rsync.
    if not releases or any(_runs_rsync(each) for each in releases):
        needs["rsync"] |= set(_BUILDING)
    for release in releases:
        if release.trust.sums:
            needs["gpg"] |= set(_BUILDING)
        if release.trust.packages:
            needs["gpg"].add("compose")
            needs["rpmkeys"].add("compose")
        if release.publish and release.publish.key:
            needs["gpg"].add("publish")
        if release.publish and release.publish.root.host:
            needs["ssh"].add("publish")
            needs["rsync"].add("publish")
        if release.notify.mail:
            needs["sendmail"].add("refresh")
    return {program: sorted(commands) for program, commands in needs.items()}


def _runs_rsync(release: Release) -> bool:
    """Whether its mirror is read by rsync: folders are where that is installed."""
    kind = release.mirror.kind
    return kind is Kind.RSYNC or (kind is Kind.LOCAL and shutil.which("rsync") is not None)


def _wanted(releases: Sequence[Release]) -> tuple[str, ...]:
    """What the descriptors are for; without any, what most would be for."""
    publish = ("publish",) if any(each.publish for each in releases) else ()
    return (*_BUILDING, *publish)


def _check_files(patient: Patient, system: System) -> Iterator[Check]:
    """The files that isolinux brings."""
    install = {
        "isohdpfx.bin": system.install("isolinux", "syslinux"),
        "isolinux.bin": system.install("isolinux syslinux-common", "syslinux"),
    }
    needed_by = {"isolinux.bin": ("demo",)}
    for name, path in patient.files.items():
        if path:
            yield Check("programs", name, Mark.OK, str(path))
        else:
            says = "not installed; images start from a USB stick, or at all, by it"
            yield Check(
                "programs", name, Mark.MISSING, says, install[name], needed_by.get(name, ())
            )


def _check_folders(patient: Patient) -> Iterator[Check]:
    yield from looked_at(
        "folders", "state folder", lambda: check_state(state_folder(patient.environ))
    )
    for plan in patient.plans:
        yield from looked_at("folders", plan.release.arch, partial(check_workdir, plan))
    yield from looked_at("folders", "SELinux", check_selinux)


def _check_servers(
    patient: Patient, releases: Sequence[Release], system: System
) -> Iterator[Check]:
    for release in {each.mirror.url: each for each in releases}.values():
        yield from looked_at("servers", release.mirror.url, partial(check_mirror, release))
    bundles = {each.fetch.ca_bundle for each in releases}
    for bundle in sorted(bundles, key=str):
        trusting_it = [each for each in releases if each.fetch.ca_bundle == bundle]
        yield from looked_at(
            "servers", "https", partial(_check_web, patient, trusting_it, bundle, system)
        )


def _check_web(
    patient: Patient, releases: Sequence[Release], bundle: Path | None, system: System
) -> Iterator[Check]:
    servers = WebServers(patient.environ, bundle, system, patient.now)
    for url, needed in all_web_urls(releases).items():
        yield from looked_at("servers", url, partial(servers.check, url, needed=needed))


def _check_refreshes(patient: Patient) -> Iterator[Check]:
    yield from looked_at("refreshes", "schedule", check_schedule)
    descriptors = {plan.release.descriptor.absolute() for plan in patient.plans}
    yield from looked_at(
        "refreshes",
        "history",
        lambda: check_history(state_folder(patient.environ), descriptors, patient.now),
    )
