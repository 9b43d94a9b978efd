"""What a plan is made of; each step is ``run(context) -> StepResult``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from release_builder.jigdo.sources import DigestCache
    from release_builder.monitor import Monitor
    from release_builder.plan import Plan
    from release_builder.transport import Transport


@dataclass(frozen=True, slots=True)
class Context:
    """What a step works with.

    Attributes:
        plan: What is to be done.
        transport: The mirror; None when there is none to be asked.
        cache: Digests known from before.
        monitor: Hears how far the step is.
        suspects: Files of the tree that are to be fetched anew, below its root.
    """

    plan: Plan
    transport: Transport | None
    cache: DigestCache
    monitor: Monitor
    suspects: tuple[str, ...] = ()
