"""The program and what it imports, as one zip."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder import process
from release_builder.errors import SurroundingsError
from rpm.interpreter.store import default_cache
from rpm.packages import places, zipped

if TYPE_CHECKING:
    from collections.abc import Sequence

TREE: Final = Path(__file__).parents[2]
BUNDLED: Final = TREE / "rpm" / "bundled.txt"


def wheels(cache: Path | None = None) -> Path:
    """A folder with the wheels that bundled.txt names, nothing else.

    They are fetched once; pip checks their digests.

    Args:
        cache: The folder of all caches; default ``default_cache()``.

    Raises:
        SurroundingsError: pip cannot fetch them.
    """
    above = (cache or default_cache()) / "wheels"
    done = above / sha256(BUNDLED.read_bytes()).hexdigest()[:16]
    if done.is_dir():
        return done
    above.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=above, prefix="new-") as new:
        fetched = Path(new, "wheels")
        _run(pip_argv(fetched), dict(os.environ))
        try:
            fetched.rename(done)
        except OSError:
            if not done.is_dir():  # another build was faster
                raise
    return done


def pip_argv(folder: Path) -> list[str]:
    """The command that fetches the wheels, the same ones on every machine."""
    return [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
        *("--require-hashes", "--no-deps", "--only-binary", ":all:"),
        *("--platform", "manylinux2014_x86_64", "--implementation", "cp"),
        *("--python-version", "3.11", "--abi", "cp311"),
        *("--requirement", str(BUNDLED), "--dest", str(folder)),
    ]


def make_application(out: Path, python: Path, epoch: int, bundled: Path) -> None:
    """Write the zip with the program, its data, and what it imports.

    Args:
        out: The zip.
        python: The interpreter that will read it: compiled modules are for one version only.
        epoch: The date of its members, in seconds since 1970.
        bundled: A folder of wheels.

    Raises:
        SurroundingsError: The interpreter cannot be run, or compiles something not.
    """
    with tempfile.TemporaryDirectory(prefix="release-builder-app-") as work:
        ours, theirs = Path(work, "ours"), Path(work, "theirs")
        # copytree follows the link release_builder/templates.
        shutil.copytree(
            TREE / "release_builder",
            ours / "release_builder",
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        for wheel in sorted(bundled.glob("*.whl")):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(theirs)
        script = Path(zipped.__file__)
        # Not -I: it would ignore the seed, on which the order of what is compiled may hang.
        argv = [str(python), "-PsB", str(script), str(out), places.APPLICATION, str(epoch)]
        _run([*argv, str(ours), str(theirs)], process.environment({"PYTHONHASHSEED": "0"}))


def licences(bundled: Path) -> dict[str, bytes]:
    """The texts of the licences of what is bundled: by ``NAME-VERSION/FILE``."""
    found = {}
    for wheel in sorted(bundled.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                package, _, inside = name.partition(".dist-info/")
                if Path(inside).name.startswith(("LICENSE", "AUTHORS", "NOTICE", "COPYING")):
                    found[f"{package}/{Path(inside).name}"] = archive.read(name)
    return found


def certificates(bundled: Path) -> bytes:
    """Mozilla's certificates, which certifi brings along."""
    (wheel,) = bundled.glob("certifi-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.read("certifi/cacert.pem")


def _run(argv: Sequence[str], env: dict[str, str]) -> None:
    outcome = process.run(argv, env=env)
    if outcome.status:
        raise SurroundingsError(
            f"{' '.join(argv[:4])} … failed with status {outcome.status}",
            hint=outcome.stderr.strip()[-2000:],
        )
