"""What is installed from others: pinned by digest, and the same everywhere."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_ROOT = Path(__file__).parent.parent
_LOCKED = _ROOT / ".ci/locked"
_PIN = re.compile(r"(?P<requirement>[^\\]+?)(?P<digests>(?:[ \\\n]+--hash=sha256:[0-9a-f]{64})+)\n")


def pins(path: Path) -> dict[str, tuple[str, frozenset[str]]]:
    """Version and SHA-256 digests by name; every line that is no comment is one."""
    text = re.sub(r"(?m)^#.*\n", "", path.read_text())
    found: dict[str, tuple[str, frozenset[str]]] = {}
    at = 0
    while at < len(text):
        pin = _PIN.match(text, at)
        assert pin, f"not pinned by version and digest: {text[at : at + 60]!r}"
        requirement = Requirement(pin["requirement"])
        ((specifier),) = requirement.specifier
        assert specifier.operator == "=="
        digests = frozenset(re.findall(r"[0-9a-f]{64}", pin["digests"]))
        found[canonicalize_name(requirement.name)] = (specifier.version, digests)
        at = pin.end()
    return found


@pytest.mark.parametrize("what", ["demo", "test"])
def test_each_package_that_we_name_is_locked(what: str) -> None:
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]
    named = [*project["dependencies"]]
    if what == "test":
        named += project["optional-dependencies"]["test"]

    locked = pins(_LOCKED / f"{what}.txt")

    for each in map(Requirement, named):
        version, _ = locked[canonicalize_name(each.name)]
        assert each.specifier.contains(version), f"{each} is not {version}: make lock"


def test_what_those_need_is_locked_and_nothing_else_is_installed() -> None:
    locked = pins(_LOCKED / "test.txt")
    wanted, there = [("release-builder", "test")], {}

    while wanted:
        name, extra = wanted.pop()
        if (name, extra) in there:
            continue
        distribution = importlib.metadata.distribution(name)
        there[name, extra] = distribution.version
        for each in map(Requirement, distribution.requires or ()):
            if each.marker is None or each.marker.evaluate({"extra": extra}):
                one = canonicalize_name(each.name)
                wanted += [(one, ""), *((one, canonicalize_name(more)) for more in each.extras)]

    del there["release-builder", "test"]
    assert len(there) > 30
    for (name, _), version in there.items():
        assert locked[name][0] == version, f"{name} {version} is installed"


def test_whatever_is_installed_is_pinned_by_digest() -> None:
    lists = sorted(path.name for path in _LOCKED.iterdir() if pins(path))

    assert lists == ["demo.txt", "test.txt", "tools.txt"]


@pytest.mark.parametrize("subset", [".ci/locked/demo.txt", "rpm/bundled.txt"])
def test_demo_and_packages_have_what_the_tests_have(subset: str) -> None:
    locked = pins(_LOCKED / "test.txt")

    for name, (version, digests) in pins(_ROOT / subset).items():
        assert (version, digests <= locked[name][1]) == (locked[name][0], True), name
