"""Move a beta out of the way once it is the final; who has its address is led on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_builder.report import Finding, Severity
from release_builder.steps import releases_index

if TYPE_CHECKING:
    from release_builder.steps.go_public import Public


def check_retirement(beta: Public) -> None:
    """See that nothing is in its way.

    Raises:
        DescriptorError: Another release is.
    """
    target, shelf = beta.publication.obsolete, beta.shelf
    if not shelf.is_retired(beta.folder, target):
        shelf.check_retire(beta.folder, target)


def retire(beta: Public) -> tuple[Finding, ...]:
    """Move it; its links go, and its old name leads to the new one.

    Raises:
        ReleaseBuilderError: It cannot be moved; doing it again goes on.
    """
    target, shelf = beta.publication.obsolete, beta.shelf
    with shelf.locked(beta.folder):
        led = shelf.retire(beta.folder, target)
    record = beta.record(target)
    notes = [releases_index.strike(shelf, beta.folder, beta.publication.title)]
    if record:
        notes.append(releases_index.enter(shelf, target, record.page))
    ours = [link for link in led if link in beta.links]
    for link in ours:
        shelf.drop_link(link)
    became = {link: "is gone" if link in ours else "is left as it is" for link in led}
    notes += [f"{link} {what}: it led to {beta.folder}" for link, what in became.items()]
    return tuple(Finding(Severity.NOTE, note) for note in dict.fromkeys(notes) if note)
