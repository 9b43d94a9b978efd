"""``doctor``: what this machine lacks, and which RPMs an Enterprise Linux can install."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from release_builder.api.doctors import examine_machine, fit_packages
from release_builder.cli.options import FILE, MIRROR, OFFLINE, WORKDIR, with_output
from release_builder.cli.show import print_document
from release_builder.cli.show_doctor import (
    examination_document,
    fitting_document,
    show_examination,
    show_fittings,
)
from release_builder.errors import Status
from release_builder.media.rpm_fit_systems import SYSTEMS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from release_builder.cli.options import Output


@click.command()
@click.argument("files", metavar="[FILE_OR_DIR]...", nargs=-1, type=FILE)
@click.option(
    "--rpm",
    "packages",
    metavar="FILE",
    multiple=True,
    type=FILE,
    help="Look at this RPM, not at the machine; with --for. Further FILEs are RPMs too.",
)
@click.option(
    "--for", "el", type=click.Choice(list(SYSTEMS)), help="Whose rpm is to install the RPMs."
)
@WORKDIR
@MIRROR
@OFFLINE
@with_output
def doctor(  # noqa: PLR0913 (one argument an option)
    *,
    files: Sequence[Path],
    packages: Sequence[Path],
    el: str | None,
    workdir: Path | None,
    mirror: str | None,
    offline: bool,
    output: Output,
) -> int:
    """Say what this machine lacks for each command, and how to mend it; nothing is changed.

    With descriptors (FILE, or DIR with some) their folders and servers are looked at too. The exit
    status is 0 if all is there that building and publishing them needs, without any: that building
    from an rsync mirror needs; else what these would end with: 3 where the machine lacks something,
    2 where a descriptor is wrong, 1 where a mirror does not answer.

    With --rpm and --for: whether an Enterprise Linux can install RPMs, by their headers; the exit
    status is 2 if it cannot.

    \b
    Example:
      release-builder doctor
      release-builder doctor sme9.yaml
      release-builder doctor /etc/release-builder/releases.d
      release-builder doctor --rpm new.rpm --for el5
    """
    if bool(packages) != bool(el):
        raise click.UsageError("--rpm and --for go together.")
    if el:
        return _fit([*packages, *files], el, output)
    found = examine_machine(files, workdir=workdir, mirror=mirror, offline=offline)
    if output.json:
        print_document("doctor", found.exit_status, examination_document(found))
    else:
        show_examination(found, output)
    return found.exit_status


def _fit(files: Sequence[Path], el: str, output: Output) -> int:
    fittings = fit_packages(files, el)
    due = {each.exit_status for each in fittings}
    wrong = Status.WRONG if Status.WRONG in due else None
    status = wrong or max(due, default=Status.DONE)
    if output.json:
        print_document("doctor", status, fitting_document(fittings, el))
    else:
        show_fittings(fittings, el, output)
    return status
