"""From the working tree to packages, by rpmbuild."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder import __version__, process
from release_builder.epoch import NAME as EPOCH
from release_builder.errors import SurroundingsError
from rpm.packages.application import TREE, make_application
from rpm.packages.sources import write_archive

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rpm.packages.kinds import Kind

SPEC: Final = TREE / "rpm" / "release-builder.spec"
_WRITTEN: Final = re.compile(r"^Wrote: (.*)$", re.MULTILINE)


def _silent(_line: str) -> None:
    """For callers who want no progress."""


@dataclass(frozen=True, slots=True)
class Build:
    """One run that makes packages.

    Attributes:
        out: Where the packages go.
        work: A private folder; it needs about 100 MB.
        interpreters: By arch, as ``rpm.interpreter.built`` returns them.
        bundled: A folder of wheels, as ``application.wheels`` returns it.
        epoch: The time that all carries, in seconds since 1970.
        say: Gets a line a package.
    """

    out: Path
    work: Path
    interpreters: Mapping[str, Path]
    bundled: Path
    epoch: int
    say: Callable[[str], None] = _silent

    def prepare(self) -> None:
        """Pack the sources and zip the program; to be done before the rest.

        Raises:
            SurroundingsError: A program is missing or fails.
        """
        sources = self.work / "SOURCES"
        sources.mkdir(parents=True)
        self.out.mkdir(parents=True, exist_ok=True)
        shutil.copy(SPEC, self.spec)
        folder = f"release-builder-{__version__}"
        write_archive(sources / f"{folder}.tar.gz", TREE, folder, self.epoch)
        one = self.interpreters[max(self.interpreters)]  # all are of the same sources
        shutil.copy(one / "sources.json", sources / "interpreter-sources.json")
        for arch, interpreter in self.interpreters.items():
            python = interpreter / "bin/python3"
            make_application(self.application(arch), python, self.epoch, self.bundled)

    @property
    def spec(self) -> Path:
        """The spec that is built."""
        return self.work / SPEC.name

    def application(self, arch: str) -> Path:
        """The zip with the program for ``arch``."""
        return self.work / f"app-{arch}.zip"

    def binary(self, kind: Kind, arch: str) -> list[Path]:
        """Make the package and its subpackage for one release and arch.

        Raises:
            SurroundingsError: rpmbuild is missing or fails.
        """
        return self._run(
            *("-bb", "--target", f"{arch}-redhat-linux"),
            *("--define", f"dist .{kind.dist}"),
            *("--define", f"interpreter {self.interpreters[arch]}"),
            *("--define", f"application {self.application(arch)}"),
            *("--define", f"bundled {self.bundled}"),
        )

    def source(self) -> list[Path]:
        """Make the source package.

        Raises:
            SurroundingsError: rpmbuild is missing or fails.
        """
        return self._run("-bs", "--define", "dist %{nil}")

    def _run(self, *options: str) -> list[Path]:
        with tempfile.TemporaryDirectory(dir=self.work) as top:
            argv = rpmbuild_argv(options, self.work, Path(top))
            clean = {EPOCH: str(self.epoch), "TZ": "UTC", "HOME": top, "PYTHON": sys.executable}
            outcome = process.run(argv, env=process.environment(clean))
            if outcome.status:
                last = (outcome.stdout + outcome.stderr).splitlines()[-20:]
                raise SurroundingsError("rpmbuild failed", hint="\n".join(last))
            written = [Path(name) for name in _WRITTEN.findall(outcome.stdout)]
            made = []
            for path in sorted(written):
                made.append(self.out / path.name)
                shutil.move(path, made[-1])
                self.say(f"{made[-1]}  {made[-1].stat().st_size / 1e6:.1f} MB")
        return made


def rpmbuild_argv(options: Sequence[str], work: Path, top: Path) -> list[str]:
    """The command that makes packages of the spec.

    Args:
        options: What is to be made.
        work: Has the spec, and SOURCES.
        top: A folder for all that rpmbuild writes; a user need not be root.
    """
    return [
        *("rpmbuild", *options, "--nodeps"),
        *("--define", f"_topdir {top}"),
        *("--define", f"_sourcedir {work}/SOURCES"),
        *("--define", f"_rpmdir {top}"),
        *("--define", f"_srcrpmdir {top}"),
        *("--define", f"_dbpath {top}/db"),
        *("--define", f"_tmppath {top}/temporary"),
        *("--define", "_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm"),
        str(work / SPEC.name),
    ]
