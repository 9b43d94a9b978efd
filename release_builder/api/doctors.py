"""What ails this machine, and which RPMs an Enterprise Linux can install."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from release_builder.api.refreshes import descriptors_in
from release_builder.api.releases import plans
from release_builder.demo.programs import boot_files
from release_builder.doctor.checkup import Check, Examination, Mark
from release_builder.doctor.examination import Patient, examine
from release_builder.errors import (
    DescriptorError,
    ReleaseBuilderError,
    Status,
    SurroundingsError,
    printable,
    surroundings,
)
from release_builder.files import open_regular
from release_builder.media.image import MediaError
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

_AGAIN: Final = "fetch it again, or build it again"


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

    Their headers alone are read, and whether they are as long as these say: what they need of
    other packages is not judged.

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
                traits = read_traits(stream, str(file))
                if traits.lacking:
                    says = f"it is cut short: {traits.lacking:,} bytes are not there"
                    raise MediaError(f"{printable(str(file))}: {says}", hint=_AGAIN)
                return Fitting(file, misfits(traits, release))
        except FileNotFoundError:
            says = f"there is no {printable(str(file))}"
            return Fitting(file, problem=SurroundingsError(says, hint="name another file"))
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

    Nothing is changed, and nothing but names, sizes, dates and certificates is asked of servers.

    Args:
        descriptors: Paths of YAML files, and of folders with some; one that cannot be read is a
            finding.
        workdir: In the place of the descriptors' own.
        mirror: In the place of the descriptors' own.
        offline: Ask no server.
    """
    found: list[Path] = []
    readable: list[Path] = []
    unread: list[Check] = []
    options = Options(workdir, offline)
    for path in descriptors:
        try:
            inside = descriptors_in([path])
            if not inside:
                what = f"{printable(str(path))} has no descriptor in it"
                raise DescriptorError(what, hint="they end in .yaml")
            found += inside
        except (ReleaseBuilderError, OSError) as error:
            unread.append(_unread(path, error))
    for path in dict.fromkeys(found):
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
    return Check(
        "descriptors", path.name or str(path), Mark.MISSING, known.what, mend, by, known.status
    )


def _boot_file() -> Path | None:
    try:
        return boot_files()[0]
    except SurroundingsError:
        return None
