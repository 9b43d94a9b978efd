"""Releases from their descriptors: plans, and what comes of them."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from release_builder import runner
from release_builder.api.histories import remember, under_way
from release_builder.api.tracking import settled, told
from release_builder.errors import LACKS, DescriptorError, ReleaseBuilderError
from release_builder.files import replacing, resource
from release_builder.loader import Complaint, InvalidDescriptorError, load, new_descriptor
from release_builder.monitor import Monitor
from release_builder.plan import BUILD, Options, Plan, steps_for
from release_builder.plan.workdir import workdir_of
from release_builder.preview import preview
from release_builder.report import Finding, Report, Severity, failed_step, finding_of
from release_builder.state.digest_cache import open_cache, state_folder
from release_builder.state.history import open_history

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from release_builder.descriptor.release import Release
    from release_builder.preview import Preview


def plans(
    descriptors: Sequence[Path],
    options: Options,
    steps: Sequence[str] = BUILD,
    mirror: str | None = None,
) -> tuple[Plan, ...]:
    """The plans for every release of ``descriptors``.

    Args:
        descriptors: Paths of YAML files.
        options: What was said beside them.
        steps: Which steps, in order.
        mirror: In the place of every descriptor's own.

    Raises:
        InvalidDescriptorError: With all that is wrong in all of them.
        DescriptorError: A file is not there; ``mirror`` is none.
    """
    wrong: list[Complaint] = []
    releases: list[Release] = []
    for path in {path.absolute(): path for path in descriptors}.values():
        try:
            # What is here already is not exchanged for a newer version.
            asked = not options.offline and "sync" in steps
            releases += settled(load(path, mirror), offline=not asked).releases()
        except InvalidDescriptorError as error:
            wrong += error.complaints
    if wrong:
        raise InvalidDescriptorError(wrong)
    for release in releases:
        if release.sums is not None and not release.sums.is_file():
            raise DescriptorError(
                f"{release.descriptor}: digests: there is no file {release.sums}",
                hint="correct `digests:`",
            )
    return tuple(
        Plan(
            release,
            workdir_of(release, releases, options.workdir),
            steps_for(release, steps),
            options,
        )
        for release in releases
    )


def carry_out(
    command: str, planned: Sequence[Plan], monitor: Monitor, scheduler: str | None = None
) -> Report:
    """Carry out ``planned``; the report says what came of each release.

    Args:
        command: What the user typed, for the report.
        planned: One for each release.
        monitor: Hears how far it is, but nothing of a cluster.
        scheduler: Of a Dask cluster, such as ``tcp://host:8786``, whose machines share the folders
            of the releases; None: all is done here.

    Raises:
        SurroundingsError: The state folder cannot be used; there is no such cluster.
    """
    started = datetime.now(UTC)
    of_plans = [each.release for plan in planned for each in plan.each]
    counts = not any(plan.options.dry_run or plan.options.promotion for plan in planned)
    with under_way(command, of_plans if counts else (), started) as warnings:
        if scheduler is None:
            report = _carry_out_here(command, planned, monitor)
        else:
            report = _carry_out_there(command, planned, scheduler)
        with open_history(state_folder(os.environ)) as history:
            report = replace(report, releases=told(report.releases, of_plans, history))
        if counts:
            warnings.extend(remember(report, started))
    return replace(report, findings=(*report.findings, *dict.fromkeys(warnings)))


def _carry_out_here(command: str, planned: Sequence[Plan], monitor: Monitor) -> Report:
    with open_cache(state_folder(os.environ)) as cache:
        report = runner.carry_out(command, planned, cache, monitor)
    notes = (Finding(Severity.WARNING, note) for note in cache.notes)
    return replace(report, findings=(*report.findings, *notes))


def _carry_out_there(command: str, planned: Sequence[Plan], scheduler: str) -> Report:
    """Each release on a machine of the cluster, with that machine's state folder."""
    # An extra: only who has a cluster waits for it.
    from release_builder.api.spread_releases import spread  # noqa: PLC0415

    def failed(number: int, error: ReleaseBuilderError) -> Report:
        plan = planned[number]
        return Report(command, (runner.release_report(plan, [failed_step(plan.steps[0], error)]),))

    work = [(command, (plan,), Monitor()) for plan in planned]
    reports = spread(_carry_out_here, work, scheduler, failed)
    return Report(
        command,
        tuple(release for report in reports for release in report.releases),
        tuple(finding for report in reports for finding in report.findings),
    )


def previews(planned: Sequence[Plan]) -> tuple[tuple[Preview, ...], tuple[Finding, ...]]:
    """What carrying out ``planned`` would fetch, delete and write; leaves nothing behind.

    Returns:
        The previews, and why others could not be made: a mirror that cannot say what it has is
        never "nothing to do".
    """
    made, failed = [], []
    with open_cache(state_folder(os.environ), read_only=True) as cache:
        for plan in planned:
            try:
                made.append(preview(plan, cache))
            except (ReleaseBuilderError, *LACKS) as error:
                failed.append(finding_of(error))
    return tuple(made), tuple(failed)


def init(path: Path, product: str, mirror: str | None = None) -> None:
    """Write a commented descriptor for ``product`` to ``path``.

    Raises:
        DescriptorError: ``path`` is there already; there is no such product; ``mirror`` is none.
    """
    if path.exists():
        raise DescriptorError(f"{path} is there already", hint="name another file")
    with replacing(path) as out:
        out.write(new_descriptor(product, mirror).encode())


def complaints(path: Path, mirror: str | None = None) -> tuple[Complaint, ...]:
    """All that is wrong in the descriptor at ``path``, not being there included.

    Args:
        path: A YAML file.
        mirror: In the place of the descriptor's own.
    """
    try:
        load(path, mirror)
    except InvalidDescriptorError as error:
        return error.complaints
    except ReleaseBuilderError as error:
        return (Complaint(path, 1, 1, "", error.what, error.hint or "name another file"),)
    return ()


def schema() -> str:
    """The JSON Schema of descriptors."""
    return resource("data/descriptor.schema.json").read_text(encoding="utf-8")
