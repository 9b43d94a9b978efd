"""Packages that tests build and sign, by the real rpmbuild and rpmsign."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from gpg_home import BIRTH

from release_builder import process

if TYPE_CHECKING:
    from pathlib import Path

    from gpg_home import GpgHome

SPEC = """\
Name: tiny
Epoch: 3
Version: 1.0
Release: 2.el7
Summary: A summary to be changed
License: GPL
BuildArch: noarch
%description
Nothing.
%files
%changelog
* Mon Jan 06 2020 A. Büilder <a@example.org> 1.0-2
- Do two things [SME: 12]
- and a third
* Sun Jan 05 2020 B. Builder <b@example.org> 1.0-1
- Begin
"""


def build(folder: Path) -> None:
    spec = folder / "tiny.spec"
    spec.write_text(SPEC, "utf-8")
    call(
        *("rpmbuild", "-ba", "--quiet", "--nodeps"),
        *("--define", f"_topdir {folder}/top", "--define", f"_dbpath {folder}/db", str(spec)),
        HOME=str(folder),
    )
    shutil.copy(folder / "top/RPMS/noarch/tiny-1.0-2.el7.noarch.rpm", folder / "plain.rpm")
    shutil.copy(folder / "top/SRPMS/tiny-1.0-2.el7.src.rpm", folder / "source.rpm")


def sign(folder: Path, home: GpgHome, key: str, name: str) -> None:
    """Sign as on the day on which all keys were made: a minute later, one has expired."""
    path = shutil.copy(folder / "plain.rpm", folder / name)
    call(
        *("rpmsign", "--addsign", "--define", f"_gpg_name {key}"),
        *("--define", f"__gpg {process.find('gpg')}"),
        *("--define", f"_gpg_sign_cmd_extra_args --faked-system-time={BIRTH + 60}"),
        str(path),
        HOME=str(folder),
        GNUPGHOME=str(home.path),
    )


def call(*argv: str, **env: str) -> str:
    outcome = process.run(argv, env=process.environment(env))
    assert outcome.status == 0, outcome.stderr
    return outcome.stdout
