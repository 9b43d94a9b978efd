"""A repository made of a folder of images, or brought to what that folder has now."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from release_builder.api.repository_listing import folder_below, list_in_index
from release_builder.api.repository_options import keep_configuration, settle
from release_builder.api.repository_report import about, report_of
from release_builder.api.repository_signing import drop_stale, sign_served
from release_builder.api.repository_work import (
    CONF,
    Looked,
    Workshop,
    block_size,
    finding_of_one,
    jobs_of,
    look_at_images,
    spread_of,
)
from release_builder.errors import printable
from release_builder.monitor import Monitor
from release_builder.public.exchange import exchange
from release_builder.report import Finding, Outcome, Severity, StepResult
from release_builder.repository import rdiff
from release_builder.repository.adoption import find_delta, find_signature
from release_builder.repository.contents import compose_contents
from release_builder.repository.deltas import Wanted
from release_builder.repository.generations import begin, heal
from release_builder.repository.journal import Journal, Known
from release_builder.repository.mirror import find_mirror
from release_builder.repository.publication import publish
from release_builder.repository.selection import ambiguous, pairs
from release_builder.repository.signatures import adopt_signature
from release_builder.repository.store import Store
from release_builder.spreading.image_work import have_deltas
from release_builder.trust.gpg_sign import check_secret_key

if TYPE_CHECKING:
    from pathlib import Path

    from release_builder.api.repository_options import Settings, UpdateOptions
    from release_builder.report import Report
    from release_builder.repository.mirror import Mirror
    from release_builder.repository.selection import Pair

_OURS: Final = "published"  # in the work folder: what is served is ours, not another program's


def update_repository(options: UpdateOptions, monitor: Monitor | None = None) -> Report:
    """Make the repository of a folder of images, or bring it up to date.

    Args:
        options: What is wanted.
        monitor: Hears how far it is.

    Returns:
        What was done. An image or a delta that could not be had is a finding, and the rest is
        published; where nothing more can be done, what was served stays.

    Raises:
        DescriptorError: What is wanted cannot be meant.
        SurroundingsError: There is no such secret key, or a link of another user would let us
            write elsewhere.
        OSError: A folder cannot be read.
    """
    options = replace(options, image_dir=options.image_dir.absolute())
    settings = settle(options)
    mirror = find_mirror(settings.mirror, options.image_dir)
    settings = replace(settings, mirror=mirror.path)
    if options.sign is not None:
        check_secret_key(options.sign)
    run = _Update(options, settings, mirror, monitor or Monitor())
    steps = {"images": run.look, "rdiffs": run.have_rdiffs, "publish": run.publish}
    if options.sign is not None:
        steps["sign"] = run.sign
    if options.list_in is not None:
        folder_below(mirror.path, options.list_in)
        steps["list"] = run.enlist
    dists = [each.dist for each in settings.configurations]
    return report_of("update", about(mirror.path, options.image_dir, dists), steps, mirror.lock)


class _Update:
    """A run, step by step; each relies on those before it."""

    def __init__(
        self, options: UpdateOptions, settings: Settings, mirror: Mirror, monitor: Monitor
    ) -> None:
        self._options = options
        self._settings = settings
        self._mirror = mirror
        self._monitor = monitor
        series = [each for told in settings.configurations for each in told.series]
        self._chosen = [(each, pairs(each, options.policy)) for each in series]
        self._looked = Looked({}, {}, 0, ())
        self._rdiffs: dict[Pair, Known] = {}

    def look(self) -> StepResult:
        """Read what is new of the images."""
        options, mirror = self._options, self._mirror
        heal(mirror)
        if options.generations:
            begin(mirror, exchange)
        self._folder = mirror.work
        self._store = Store(self._folder, rdiff.version(), options.work.split_deltas)
        self._store.sweep()
        self._journal = Journal(self._folder / "journal", full=options.full)
        if options.full:
            shutil.rmtree(self._folder / CONF, ignore_errors=True)
        keep_configuration(options, self._settings)
        self._shop = Workshop(self._folder, self._journal, spread_of(options.work), self._monitor)
        listed = [name for each, _ in self._chosen for name in each.images]
        sources = [pair.source for _, chosen in self._chosen for pair in chosen]
        self._looked = look_at_images(self._shop, options.image_dir, listed, sources)
        looked = self._looked
        size = sum(known.sums.size for known in looked.known.values())
        return StepResult(
            "images",
            _outcome(looked.findings, is_changed=looked.read > 0),
            f"{len(looked.known):,} images, {size:,} bytes; {looked.read:,} were read",
            counts={"images": len(looked.known), "bytes": size, "images_read": looked.read},
            findings=(*self._ignored(), *looked.findings),
        )

    def have_rdiffs(self) -> StepResult:
        """Make the deltas that are not there yet, each proven."""
        findings: list[Finding] = []
        wanted = self._wanted(findings)
        ready = {one for one in wanted if one.path(self._store).exists()}
        candidates = self._candidates(
            {one: pair for one, pair in wanted.items() if one not in ready}
        )
        self._monitor.begin("rdiffs", sum(one.new.sums.size for one in wanted))
        try:
            for one, known, error in have_deltas(
                list(wanted),
                self._store,
                self._journal,
                self._shop.spread,
                jobs=jobs_of(self._options.work),
                candidates=candidates,
            ):
                self._monitor.advance(one.new.sums.size)
                if known is None:
                    findings.append(finding_of_one(error, one.new.path))
                else:
                    self._rdiffs[wanted[one]] = known
        finally:
            self._monitor.end()
        made = sum(one not in ready and pair in self._rdiffs for one, pair in wanted.items())
        kept = sum(
            pair in self._rdiffs and self._rdiffs[pair].path.samefile(candidates[one])
            for one, pair in wanted.items()
            if one in candidates
        )
        size = sum(known.sums.size for known in self._rdiffs.values())
        return StepResult(
            "rdiffs",
            _outcome(findings, is_changed=made > 0),
            f"{len(self._rdiffs):,} rdiffs, {size:,} bytes; {made - kept:,} are new"
            + (f", {kept:,} were there and proved right" if kept else ""),
            counts={
                "rdiffs": len(self._rdiffs),
                "bytes": size,
                "rdiffs_new": made - kept,
                "rdiffs_adopted": kept,
            },
            findings=tuple(findings),
        )

    def publish(self) -> StepResult:
        """Let the mirror serve it."""
        images = self._looked.described()
        served = {
            pair: known
            for pair, known in self._rdiffs.items()
            if pair.target in images
            and self._options.policy.is_worthwhile(known.sums.size, images[pair.target].sums.size)
        }
        contents = compose_contents(
            self._chosen,
            images,
            {pair: known.sums for pair, known in served.items()},
            self._settings.base_url,
        )
        places = {name: self._looked.known[name].path for name in images}
        places |= {pair.rdiff: known.path for pair, known in served.items()}
        published = publish(
            self._mirror,
            contents,
            places,
            sums_of=self._journal.sums_of,
            renaming=self._journal.renaming,
            exchange=exchange,
            generations=self._options.generations,
        )
        drop_stale(self._mirror)
        (self._mirror.work / _OURS).touch()
        return StepResult(
            "publish",
            Outcome.DONE if published.is_changed else Outcome.UNCHANGED,
            f"{len(published.added):,} files are new, {len(published.replaced):,} others than "
            f"before, {len(published.dropped):,} no longer served",
            counts={
                "images": len(contents.images),
                "rdiffs": len(contents.rdiffs),
                "files_added": len(published.added),
                "files_replaced": len(published.replaced),
                "files_dropped": len(published.dropped),
            },
            facts={"mirror": str(self._mirror.path), "base_url": self._settings.base_url},
        )

    def sign(self) -> StepResult:
        """Put signatures beside meta and CKSUMS."""
        assert self._options.sign is not None
        made = sign_served(self._mirror, self._options.sign)
        return StepResult(
            "sign",
            Outcome.DONE if made else Outcome.UNCHANGED,
            f"{made:,} signatures are new",
            counts={"signatures_new": made},
        )

    def enlist(self) -> StepResult:
        """Tell of it in the index page of a public root."""
        assert self._options.list_in is not None
        findings = list_in_index(self._mirror, self._options.list_in)
        return StepResult("list", Outcome.DONE, str(self._options.list_in), findings=findings)

    def _wanted(self, findings: list[Finding]) -> dict[Wanted, Pair]:
        """The deltas between images that there are."""
        chosen = list(dict.fromkeys(pair for _, each in self._chosen for pair in each))
        twice = set(ambiguous(chosen))
        for pair in chosen:
            if pair in twice:
                message = f"{pair.rdiff} would be the name of two rdiffs: that to {pair.target} is left out"
                findings.append(Finding(Severity.WARNING, message, "give images other dates"))
        known = self._looked.known
        return {
            Wanted(known[pair.source], known[pair.target], self._block(known[pair.source])): pair
            for pair in chosen
            if pair not in twice and pair.source in known and pair.target in known
        }

    def _block(self, old: Known) -> int:
        return block_size(self._options.compat, old.sums.size, self._store.version)

    def _candidates(self, missing: dict[Wanted, Pair]) -> dict[Wanted, Path]:
        """What another program left in the mirror and may be right."""
        if (self._folder / _OURS).exists():
            return {}
        root, found = self._mirror.path.resolve(), {}
        for one, pair in missing.items():
            if path := find_delta(root, pair):
                found[one] = path
            old = find_signature(root, one.old.path)
            if old and old.block_size == one.block_size:
                adopt_signature(self._store, one.old, one.block_size, old.path)
        return found

    def _ignored(self) -> list[Finding]:
        named = "it has not the name of an image", "OSNAME-os-CLASS-DIST-YYYY-MM-DD-HHMMSS-ARCH.img"
        no_file = "it is no file", "put the image itself there, or remove it"
        told = [(name, *named) for name in self._settings.ignored]
        told += [(name, *no_file) for name in self._settings.no_files]
        return [
            Finding(
                Severity.NOTE,
                f"{printable(name)} is left out: {why}",
                hint,
                str(self._options.image_dir / name),
            )
            for name, why, hint in told
        ]


def _outcome(findings: tuple[Finding, ...] | list[Finding], *, is_changed: bool) -> Outcome:
    severities = {each.severity for each in findings}
    if Severity.WRONG in severities:
        return Outcome.FAILED
    if Severity.INCOMPLETE in severities:
        return Outcome.INCOMPLETE
    return Outcome.DONE if is_changed else Outcome.UNCHANGED
