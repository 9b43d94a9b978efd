"""Lays out the files of the packages below a folder; the spec's %install.

usage: python -m rpm.packages.contents --arch ARCH --dist .elN [--interpreter DIR]
           [--application ZIP] [--bundled DIR] FOLDER
"""

from __future__ import annotations

import argparse
import gzip
import os
import shutil
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from release_builder import process
from release_builder.epoch import NAME as EPOCH
from release_builder.errors import SurroundingsError
from release_builder.schedule import Kind as Scheduler
from release_builder.schedule import Schedule, ready_files
from rpm.interpreter import built
from rpm.packages import application, places
from rpm.packages.kinds import KINDS, Kind

_LAUNCHER: Final = """\
#!{python} -IB
import sys

sys.path.append("{application}")
from {module} import {function}

sys.exit({function}())
"""
# jigdo's own names, for a box without jigdo.
_ALIASES: Final = ("jigdo-file", "jigdo-lite")
_PUAVO: Final = ("puavo-img-repo", "puavo-update-repository")
_TO_UNITS: Final = "/etc/systemd/system"


@dataclass(frozen=True, slots=True)
class Contents:
    """The files of the packages, as they will lie on the machine that they are installed on.

    Attributes:
        root: The folder that stands for ``/``; empty or absent.
        kind: The release of Enterprise Linux.
        interpreter: As ``rpm.interpreter.built`` returns it.
        zipped: The program, as ``application.make_application`` writes it.
        epoch: The time that is written into manual pages, in seconds since 1970.
    """

    root: Path
    kind: Kind
    interpreter: Path
    zipped: Path
    epoch: int

    def lay_out(self, bundled: Path) -> None:
        """Write all files; ``bundled`` is the folder of wheels.

        Raises:
            SurroundingsError: The manual cannot be made.
        """
        self._interpreter()
        self._copy(self.zipped, places.APPLICATION)
        self._write(places.CERTIFICATES, application.certificates(bundled))
        for name, text in application.licences(bundled).items():
            self._write(f"{places.LICENCES}/{name}", text)
        self._programs()
        self._manual()
        self._settings()
        for folder in places.EMPTY:
            self._at(folder).mkdir(parents=True)

    def _interpreter(self) -> None:
        for name in ("bin", "lib"):
            shutil.copytree(self.interpreter / name, self._at(f"{places.HOME}/{name}"))
        shutil.copytree(self.interpreter / "licences", self._at(places.LICENCES))
        self._copy(self.interpreter / "sources.json", f"{places.HOME}/sources.json")
        self._copy(application.BUNDLED, f"{places.HOME}/bundled.txt")

    def _programs(self) -> None:
        project = tomllib.loads((application.TREE / "pyproject.toml").read_text("utf-8"))
        for name, entry in project["project"]["scripts"].items():
            module, _, function = entry.partition(":")
            text = _LAUNCHER.format(
                python=places.PYTHON,
                application=places.APPLICATION,
                module=module,
                function=function,
            )
            self._write(f"{places.PROGRAMS}/{name}", text.encode(), 0o755)
        for name in _ALIASES:
            self._link(f"{places.PROGRAMS}/{name}", f"release-builder-{name}")

    def _manual(self) -> None:
        with tempfile.TemporaryDirectory(prefix="release-builder-manual-") as work:
            made = Path(work)
            script = (
                "import runpy, sys; sys.path.append(sys.argv.pop(1));"
                "runpy.run_module('release_builder.manual', alter_sys=True, run_name='__main__')"
            )
            argv = [str(self.interpreter / "bin/python3"), "-IB", "-c", script, str(self.zipped)]
            outcome = process.run(
                [*argv, work], env=process.environment({EPOCH: str(self.epoch), "TZ": "UTC"})
            )
            if outcome.status:
                raise SurroundingsError("the manual cannot be made", hint=outcome.stderr[-2000:])
            for page in made.glob("man1/*.1"):
                self._page(page)
            for name in _ALIASES:
                self._link(f"{places.MANUAL}/{name}.1.gz", f"release-builder-{name}.1.gz")
            self._completion(made / "bash/release-builder")
            self._copy(made / "zsh/_release-builder", f"{places.ZSH}/_release-builder")

    def _page(self, page: Path) -> None:
        text, name = page.read_text("utf-8"), f"{places.MANUAL}/{page.name}.gz"
        if text.startswith(".so man1/"):  # the same page by another name
            self._link(name, f"{Path(text.split()[1]).name}.gz")
        else:
            self._write(name, gzip.compress(text.encode(), mtime=0))

    def _completion(self, made: Path) -> None:
        if not self.kind.systemd:
            self._copy(made, f"{places.BASH_UP_TO_EL6}/release-builder")
            return
        self._copy(made, f"{places.BASH}/release-builder")
        for name in _PUAVO:
            self._link(f"{places.BASH}/{name}", "release-builder")
        for name in _ALIASES:  # found by the name of the command
            self._link(f"{places.BASH}/release-builder-{name}", "release-builder")
            self._link(f"{places.BASH}/{name}", "release-builder")

    def _settings(self) -> None:
        for path in sorted((application.TREE / "configs").glob("*.yaml")):
            self._copy(path, f"{places.SAMPLES}/{path.name}.sample")
        scheduler = Scheduler.SYSTEMD if self.kind.systemd else Scheduler.CRON_D
        for name, text in ready_files(scheduler, Schedule(), packaged=True).items():
            self._write(name.replace(_TO_UNITS, places.UNITS), text.encode())

    def _at(self, name: str) -> Path:
        return self.root / name.removeprefix("/")

    def _write(self, name: str, data: bytes, mode: int = 0o644) -> None:
        path = self._at(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(mode)

    def _copy(self, source: Path, name: str) -> None:
        self._write(name, source.read_bytes())

    def _link(self, name: str, target: str) -> None:
        path = self._at(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)


def main() -> None:
    """Do what the usage says."""
    parser = argparse.ArgumentParser(prog="python -m rpm.packages.contents")
    parser.add_argument("--arch", required=True)
    parser.add_argument("--dist", required=True)
    parser.add_argument("--interpreter", type=Path)
    parser.add_argument("--application", type=Path)
    parser.add_argument("--bundled", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    bundled = options.bundled or application.wheels()
    interpreter = options.interpreter or built(options.arch)
    epoch = int(os.environ[EPOCH])
    with tempfile.TemporaryDirectory(prefix="release-builder-rpm-") as work:
        zipped = options.application or Path(work, "app.zip")
        if not options.application:
            application.make_application(zipped, interpreter / "bin/python3", epoch, bundled)
        kind = KINDS[options.dist.removeprefix(".")]
        Contents(options.folder, kind, interpreter, zipped, epoch).lay_out(bundled)


if __name__ == "__main__":
    main()
