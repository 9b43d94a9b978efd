"""Which Linux this is, and how one installs there."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from release_builder.errors import printable

_RELEASE_FILES: Final = ("etc/e-smith-release", "etc/redhat-release", "etc/debian_version")
_DEBIAN: Final = {"debian", "ubuntu"}
_ENTERPRISE: Final = {"rhel", "centos", "fedora", "rocky", "almalinux", "ol", "sme", "koozali"}
_LIMIT: Final = 1 << 16  # bytes of a file that is looked into


@dataclass(frozen=True, slots=True)
class System:
    """A Linux distribution, as its files tell.

    Attributes:
        name: What it calls itself.
        family: ``debian``, ``enterprise``, or empty for others.
        major: Its version's first number; 0 where that is not known.
    """

    name: str
    family: str = ""
    major: int = 0

    def install(self, debian: str, enterprise: str, *, epel: bool = False) -> str:
        """The command that installs a package.

        Args:
            debian: What Debian calls it.
            enterprise: What Enterprise Linux calls it; empty where it has none.
            epel: Whether Enterprise Linux has it in EPEL alone.
        """
        for_debian = f"apt-get install {debian}"
        tool = "dnf" if self.major >= 8 else "yum"
        first = f"{tool} install epel-release && " if epel else ""
        for_enterprise = f"{first}{tool} install {enterprise}" if enterprise else ""
        if self.family == "debian":
            return for_debian
        if self.family == "enterprise":
            return for_enterprise or "no package of Enterprise Linux has it"
        return " or ".join(filter(None, (for_debian, for_enterprise)))


def read_system(root: Path = Path("/")) -> System:
    """The system below ``root``, by its os-release, or the release file of an older one."""
    told = dict(_assignments(text_of(root / "etc/os-release")))
    if told:
        kinds = {told.get("ID", ""), *told.get("ID_LIKE", "").split()}
        name = told.get("PRETTY_NAME") or told.get("NAME") or "Linux"
        family = "debian" if kinds & _DEBIAN else "enterprise" if kinds & _ENTERPRISE else ""
        # An SME box has the os-release of the CentOS that it is made of.
        own = text_of(root / _RELEASE_FILES[0]).strip()
        return System(printable(own or name), family, _major(told.get("VERSION_ID", "")))
    for file in _RELEASE_FILES[:2]:
        if text := text_of(root / file).strip():
            return System(printable(text), "enterprise", _enterprise_major(file, text))
    if text := text_of(root / _RELEASE_FILES[2]).strip():
        return System(f"Debian {printable(text)}", "debian", _major(text))
    return System("an unknown Linux")


def text_of(path: Path) -> str:
    """The beginning of a text file; empty where it cannot be read."""
    with contextlib.suppress(OSError), path.open("rb") as stream:
        return stream.read(_LIMIT).decode("utf-8", "replace")
    return ""


def is_root() -> bool:
    """Whether nothing is forbidden to this user."""
    return os.geteuid() == 0


def _assignments(text: str) -> list[tuple[str, str]]:
    found = re.findall(r"^([A-Z_]+)=(.*)$", text, re.MULTILINE)
    pairs = []
    for name, value in found:
        with contextlib.suppress(ValueError):  # a quote that does not end
            pairs.append((name, " ".join(shlex.split(value))))
    return pairs


def _major(text: str) -> int:
    number = re.search(r"\d{1,4}", text)
    return int(number[0]) if number else 0


def _enterprise_major(file: str, text: str) -> int:
    major = _major(text)
    return major - 3 if file == _RELEASE_FILES[0] and major >= 8 else major  # SME 8 is of CentOS 5
