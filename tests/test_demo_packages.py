from __future__ import annotations

from pathlib import Path

import pytest

from release_builder.demo.packages import noise, plan_packages, rpmbuild_argv
from release_builder.demo.recipe import Recipe


def test_packages_grow_from_four_kilobytes_to_the_largest() -> None:
    largest = 1 << 20

    packages = plan_packages(36, "x86_64", largest)

    sizes = [package.size for package in packages]
    assert sizes[0] == 4096
    assert sizes[-1] == pytest.approx(largest, abs=1)
    assert sizes == sorted(sizes)


@pytest.mark.parametrize(
    "count", [pytest.param(1, id="one"), pytest.param(36, id="demo"), pytest.param(80, id="many")]
)
def test_no_two_packages_share_a_name(count: int) -> None:
    packages = plan_packages(count, "x86_64", 8192)

    assert len({package.name for package in packages}) == count


def test_some_packages_are_noarch_and_the_others_of_the_arch() -> None:
    packages = plan_packages(8, "i386", 8192)

    assert {package.arch for package in packages} == {"noarch", "i386"}


def test_noise_depends_on_its_seed_only() -> None:
    once, again, other = noise("a", 1000), noise("a", 1000), noise("b", 1000)

    assert once == again != other


def test_rpmbuild_keeps_to_its_private_folder() -> None:
    topdir = Path("/private/top")

    argv = rpmbuild_argv(topdir / "packages.spec", topdir, "x86_64")

    settings = {word.split()[0]: word.split()[1] for word in argv if word.startswith("_")}
    assert settings["_topdir"] == "/private/top"
    assert settings["_dbpath"].startswith("/private/top/")
    assert settings["_tmppath"].startswith("/private/top/")


@pytest.mark.parametrize(
    ("version", "dist"),
    [
        pytest.param("8.1beta2", ".el5.sme", id="SME 8"),
        pytest.param("9.0beta3", ".el6.sme", id="SME 9"),
        pytest.param("10.1", ".el7.sme", id="SME 10"),
    ],
)
def test_a_recipe_knows_the_enterprise_linux_below_the_release(version: str, dist: str) -> None:
    recipe = Recipe(version=version)

    assert recipe.dist == dist
