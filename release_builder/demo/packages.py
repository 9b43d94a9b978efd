"""Some real RPMs: small ones and large ones, with and without an architecture."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from release_builder.demo.programs import call
from release_builder.pages import render

if TYPE_CHECKING:
    from pathlib import Path

    from release_builder.demo.recipe import Recipe
    from release_builder.monitor import Monitor

_SMALLEST: Final = 4096  # bytes
# fmt: off
_WORDS: Final = (
    "accounts", "backup", "cron", "dhcp", "dns", "email", "firewall", "groups", "horde", "ibays",
    "imap", "kernel", "ldap", "logs", "manager", "mysql", "nfs", "ntp", "openssl", "perl", "php",
    "printing", "proxy", "qmail", "quota", "radius", "samba", "spamassassin", "ssh", "tar",
    "updates", "vpn", "webmail", "xfsprogs", "yum", "zlib",
)
# fmt: on


@dataclass(frozen=True, slots=True)
class Package:
    """A package to be made.

    Attributes:
        name: Its name; its only file is called the same.
        version: Its version.
        arch: ``noarch`` or an architecture.
        size: Bytes of noise in it.
    """

    name: str
    version: str
    arch: str
    size: int


def plan_packages(count: int, arch: str, largest: int) -> tuple[Package, ...]:
    """``count`` packages of 4 kB to ``largest`` bytes, each larger than the one before.

    Every third is ``noarch``.
    """
    growth = (largest / _SMALLEST) ** (1 / max(count - 1, 1))
    return tuple(
        Package(
            name=f"demo-{_WORDS[i % len(_WORDS)]}{i // len(_WORDS) or ''}",
            version=f"1.{i % 7}.{i % 4}",
            arch="noarch" if i % 3 == 0 else arch,
            size=round(_SMALLEST * growth**i),
        )
        for i in range(count)
    )


def noise(seed: str, size: int) -> bytes:
    """``size`` bytes that no compressor shrinks; the same ones for the same ``seed``."""
    return random.Random(seed).randbytes(size)  # noqa: S311 (noise, no secret)


def rpmbuild_argv(spec: Path, topdir: Path, arch: str) -> list[str]:
    """The command that makes the packages of ``spec``, sources and results below ``topdir``."""
    return [
        *("rpmbuild", "-bb", "--quiet", "--nodeps", "--target", f"{arch}-linux"),
        *("--define", f"_topdir {topdir}"),
        *("--define", f"_dbpath {topdir}/db"),
        *("--define", f"_tmppath {topdir}/BUILD"),
        *("--define", f"_rpmdir {topdir}/RPMS"),
        *("--define", "_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm"),
        str(spec),
    ]


def make_packages(recipe: Recipe, topdir: Path, monitor: Monitor) -> Path:
    """Make the packages of ``recipe`` with rpmbuild.

    Args:
        recipe: What to make.
        topdir: A private folder, still absent, for all that rpmbuild needs.
        monitor: Told the command line.

    Returns:
        The folder with the RPMs.

    Raises:
        SurroundingsError: rpmbuild is missing or fails.
    """
    for folder in ("SOURCES", "BUILD", "RPMS", "db"):
        (topdir / folder).mkdir(parents=True)
    packages = plan_packages(recipe.packages, recipe.arch, recipe.largest)
    for package in packages:
        payload = noise(f"{recipe.version} {package.name}", package.size)
        (topdir / "SOURCES" / package.name).write_bytes(payload)
    spec = topdir / "packages.spec"
    text = render(
        "demo/packages.spec.j2", packages=packages, version=recipe.version, dist=recipe.dist
    )
    spec.write_text(text, "utf-8")
    argv = rpmbuild_argv(spec, topdir, recipe.arch)
    call(argv, monitor, home=topdir, epoch=recipe.epoch)
    return topdir / "RPMS"
