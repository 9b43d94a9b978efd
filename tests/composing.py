"""An installer tree that a test may spoil, and the steps that look at it and compose it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from builders import EPOCH
from builders import run as call

from release_builder.demo.installer_tree import createrepo_argv
from release_builder.loader import load
from release_builder.monitor import Monitor
from release_builder.plan import Options, Plan
from release_builder.plan.workdir import Workdir
from release_builder.state.digest_cache import no_cache
from release_builder.steps import Context

if TYPE_CHECKING:
    from pathlib import Path

    from release_builder.demo.release import Release
    from release_builder.jigdo.sources import DigestCache
    from release_builder.report import Severity, StepResult

VOLUME = "smeserver-9.0beta3-x86_64"
DESCRIPTOR = """\
version: 9.0beta3
arch: x86_64
mirror: {mirror}
tree: tree/
"""


@dataclass
class Bench:
    """A copy of the small release's tree, and what is written about it.

    Attributes:
        root: Everything of the test is below it.
        extra: Further lines of the descriptor.
        cache: Digests known from before.
    """

    root: Path
    extra: str = ""
    cache: DigestCache = field(default_factory=no_cache)
    monitor: Monitor = field(default_factory=Monitor)

    @property
    def tree(self) -> Path:
        return self.root / "mirror" / "tree"

    @property
    def image(self) -> Path:
        return self.root / "work" / "image" / f"{VOLUME}.iso"

    @property
    def context(self) -> Context:
        descriptor = self.root / "sme9.yaml"
        mirror = self.root / "mirror"
        descriptor.write_text(DESCRIPTOR.format(mirror=mirror) + self.extra)
        release = load(descriptor).releases()[0]
        plan = Plan(release, Workdir(self.root / "work"), ("lint", "compose"), Options())
        return Context(plan, None, self.cache, self.monitor)

    def package(self, number: int = 1) -> Path:
        """The ``number``-th package in order, from 0."""
        return sorted((self.tree / "Packages").iterdir())[number]

    def renew_metadata(self) -> None:
        """Write repodata of the packages as they are now."""
        shutil.rmtree(self.tree / "repodata")
        (self.tree / "repodata").mkdir()
        comps = self.tree / "repodata" / "comps.xml"
        comps.write_text("<comps/>")
        call(*createrepo_argv(self.tree, comps, EPOCH))

    def replace(self, path: str, old: str, new: str) -> None:
        """Change what a text file of the tree says."""
        file = self.tree / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))


def make_bench(root: Path, release: Release) -> Bench:
    """A bench with a copy of ``release``'s tree below ``root``."""
    shutil.copytree(release.tree, root / "mirror" / "tree", symlinks=True)
    return Bench(root)


def messages(result: StepResult, severity: Severity) -> list[str]:
    """What the findings of one severity say."""
    return [each.message for each in result.findings if each.severity is severity]
