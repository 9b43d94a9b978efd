"""Makes the packages for Enterprise Linux; `make rpm` runs it.

usage: python -m rpm.packages [--dist el5]… [--arch i386]… [--sign KEYID] [--out rpm/dist]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from release_builder.epoch import source_date_epoch
from release_builder.errors import ReleaseBuilderError
from rpm.interpreter import built
from rpm.packages.application import TREE, wheels
from rpm.packages.building import Build
from rpm.packages.kinds import ARCHES, KINDS
from rpm.packages.signing import sign
from rpm.packages.sources import last_commit


def main() -> int:
    """Do what the usage says; the exit status says who is at fault."""
    parser = argparse.ArgumentParser(prog="python -m rpm.packages")
    parser.add_argument("--dist", action="append", choices=sorted(KINDS))
    parser.add_argument("--arch", action="append", choices=ARCHES)
    parser.add_argument("--sign", metavar="KEYID", help="ID or mail address of a secret key")
    parser.add_argument("--out", type=Path, default=TREE / "rpm" / "dist")
    options = parser.parse_args()
    wanted = [
        (kind, arch)
        for kind in KINDS.values()
        for arch in kind.arches
        if kind.dist in (options.dist or KINDS) and arch in (options.arch or ARCHES)
    ]
    if not wanted:
        parser.error("there is no such package: only el5 and el6 have i386")
    try:
        committed = last_commit(TREE)  # before hours of work, whoever names the time
        given = source_date_epoch(os.environ)
        epoch = committed if given is None else given
        interpreters = {
            arch: built(arch, say=print) for arch in sorted({arch for _, arch in wanted})
        }
        with tempfile.TemporaryDirectory(prefix="release-builder-rpm-") as work:
            build = Build(options.out, Path(work, "work"), interpreters, wheels(), epoch, say=print)
            build.prepare()
            for kind, arch in wanted:
                made = build.binary(kind, arch)
                if options.sign:
                    sign(made, kind, options.sign)
            if not (options.dist or options.arch):
                build.source()
    except ReleaseBuilderError as error:
        print(f"error: {error.what}\n{error.hint}", file=sys.stderr)
        return error.status
    return 0


if __name__ == "__main__":
    sys.exit(main())
