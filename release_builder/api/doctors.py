"""What ails this machine, and which RPMs an Enterprise Linux can install."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from release_builder.api.releases import plans
from release_builder.demo.programs import boot_files
from release_builder.doctor.checkup import Check, Examination, Mark
from release_builder.doctor.examination import Patient, examine
from release_builder.errors import ReleaseBuilderError, Status, SurroundingsError, surroundings
from release_builder.files import open_regular
from release_builder.media.rpm_fit import misfits
from release_builder.media.rpm_fit_systems import system
from release_builder.media.rpm_fit_traits import read_traits
from release_builder.plan import Options
from release_builder.steps.xorriso import hybrid_sector

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from release_builder.media.rpm_fit import Misfit

__all__ = ["Check", "Examination", "Fitting", "Mark", "examine_machine", "fit_packages"]


@dataclass(frozen=True, slots=True)
class Fitting:
    """Whether an RPM can be installed.

    Attributes:
        file: The RPM.
        misfits: Why not, and what would be lost; empty where all fits.
        problem: What kept it from being read; None where it was.
    """

    file: Path
    misfits: tuple[Misfit, ...] = ()
    problem: ReleaseBuilderError | None = None

    @property
    def fits(self) -> bool:
        """Whether rpm installs it."""
        return self.problem is None and not any(each.refused for each in self.misfits)

    @property
    def exit_status(self) -> Status:
        """0 where it fits, 2 where it does not, 3 where it cannot be read."""
        if self.problem:
            return self.problem.status
        return Status.DONE if self.fits else Status.WRONG


def fit_packages(files: Sequence[Path], el: str) -> tuple[Fitting, ...]:
    """Whether the rpm of an Enterprise Linux reads and installs each of ``files``.

    Their headers alone are read: what they need of other packages is not judged.

    Args:
        files: RPMs, source packages included.
        el: ``el5``, ``el6``, ``el7``, ``el8`` or ``el9``.

    Raises:
        DescriptorError: There is no such Enterprise Linux.
    """
    release = system(el)

    def fitting(file: Path) -> Fitting:
        try:
            with open_regular(file) as stream:
                return Fitting(file, misfits(read_traits(stream, str(file)), release))
        except ReleaseBuilderError as error:
            return Fitting(file, problem=error)
        except OSError as error:
            return Fitting(file, problem=surroundings(error))

    return tuple(map(fitting, files))


def examine_machine(
    descriptors: Sequence[Path] = (),
    *,
    workdir: Path | None = None,
    mirror: str | None = None,
    offline: bool = False,
) -> Examination:
    """What this machine lacks for the commands, and for the releases of ``descriptors``.

    Nothing is changed, and nothing but names, dates and certificates is asked of servers.

    Args:
        descriptors: Paths of YAML files; one that cannot be read is a finding.
        workdir: In the place of the descriptors' own.
        mirror: In the place of the descriptors' own.
        offline: Ask no server.
    """
    readable: list[Path] = []
    unread: list[Check] = []
    options = Options(workdir, offline)
    for path in descriptors:
        try:
            plans([path], options, mirror=mirror)
        except (ReleaseBuilderError, OSError) as error:
            unread.append(_unread(path, error))
        else:
            readable.append(path)
    return examine(
        Patient(
            plans=plans(readable, options, mirror=mirror),
            unread=unread,
            environ=os.environ,
            now=datetime.now(UTC),
            offline=offline,
            files={"isohdpfx.bin": hybrid_sector(), "isolinux.bin": _boot_file()},
        )
    )


def _unread(path: Path, error: ReleaseBuilderError | OSError) -> Check:
    known = surroundings(error) if isinstance(error, OSError) else error
    mend = known.hint or f"release-builder validate {path}"
    by = ("build", "refresh")
    return Check("descriptors", path.name, Mark.MISSING, known.what, mend, by, known.status)


def _boot_file() -> Path | None:
    try:
        return boot_files()[0]
    except SurroundingsError:
        return None
