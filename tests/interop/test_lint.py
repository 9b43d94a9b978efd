"""Linting a tree whose packages are signed by the real rpmsign, with the metadata of createrepo_c."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from composing import Bench, make_bench, messages
from gpg_home import BIRTH, GpgHome

from release_builder import process
from release_builder.report import Outcome, Severity
from release_builder.steps import lint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from release_builder.demo.release import Release

pytestmark = pytest.mark.interop

WRONG = Severity.WRONG


@pytest.fixture
def bench(tmp_path: Path, small_release: Release) -> Bench:
    return make_bench(tmp_path, small_release)


@pytest.fixture(scope="module")
def home() -> Iterator[GpgHome]:
    with GpgHome() as opened:
        yield opened


def sign(home: GpgHome, key: str, *packages: Path) -> None:
    outcome = process.run(
        [
            *("rpmsign", "--addsign", "--define", f"_gpg_name {key}"),
            *("--define", f"__gpg {process.find('gpg')}"),
            *("--define", f"_gpg_sign_cmd_extra_args --faked-system-time={BIRTH + 60}"),
            *map(str, packages),
        ],
        env=process.environment({"GNUPGHOME": str(home.path)}),
    )
    assert outcome.status == 0, outcome.stderr


def packages(bench: Bench) -> list[Path]:
    return [bench.package(number) for number in range(8)]


@pytest.fixture(scope="module")
def ours(home: GpgHome) -> str:
    return home.make_key("Ours <ours@example.org>")


@pytest.fixture
def signed(bench: Bench, home: GpgHome, ours: str) -> Bench:
    """All packages are signed by a key that the descriptor names."""
    home.export(ours, bench.root / "ours.asc")
    sign(home, ours, *packages(bench))
    bench.renew_metadata()
    bench.extra = "keys: [ours.asc]\n"
    return bench


def test_packages_that_a_key_of_the_release_signed_are_right(signed: Bench) -> None:
    result = lint.run(signed.context)

    assert messages(result, WRONG) == []
    assert result.counts["packages_verified"] == 8
    (key,) = [name for name in result.facts if name.startswith("signed by ")]
    assert len(key.removeprefix("signed by ")) == 16
    assert result.facts[key] == "8 packages, Ours <ours@example.org>"


def test_without_keys_the_same_are_claims(signed: Bench) -> None:
    signed.extra = ""

    result = lint.run(signed.context)

    assert result.outcome is Outcome.DONE
    assert result.counts["packages_verified"] == 0
    (note,) = messages(result, Severity.NOTE)
    assert note.startswith("of 8 packages, claimed only: 8 signed by key ")


def test_unsigned_packages_are_refused_where_keys_are_named(
    signed: Bench, small_release: Release
) -> None:
    for number in (0, 3):
        package = signed.package(number)
        shutil.copy(small_release.tree / "Packages" / package.name, package)
    signed.renew_metadata()

    result = lint.run(signed.context)

    assert result.outcome is Outcome.FAILED
    assert messages(result, WRONG) == [
        f"2 packages are not signed: {signed.package(0).name}, {signed.package(3).name}"
    ]


def test_packages_that_another_key_signed_are_refused(signed: Bench, home: GpgHome) -> None:
    other = home.make_key("Other <other@example.org>")
    sign(home, other, signed.package(1))
    signed.renew_metadata()

    (told,) = messages(lint.run(signed.context), WRONG)

    assert told.startswith("1 package is signed by key ")
    assert told.endswith(f"which is none of the release's: {signed.package(1).name}")
    assert other[-8:].lower() in told


def test_packages_outlive_the_key_that_signed_them(signed: Bench, home: GpgHome) -> None:
    old = home.make_key("Old <old@example.org>", expires="1d")
    home.export(old, signed.root / "old.asc")
    signed.extra = "keys: [ours.asc, old.asc]\n"
    sign(home, old, signed.package(1))
    signed.renew_metadata()

    result = lint.run(signed.context)

    assert messages(result, WRONG) == []
    (told,) = messages(result, Severity.WARNING)
    assert told == (
        f"1 package is signed by a key that has expired since: {signed.package(1).name}"
    )


def test_a_changed_package_is_refused(signed: Bench) -> None:
    package = signed.package(1)
    with package.open("r+b") as out:
        out.seek(-100, os.SEEK_END)
        out.write(b"x")
    signed.renew_metadata()

    told = messages(lint.run(signed.context), WRONG)

    assert any(f"Packages/{package.name}: bad signature" in each for each in told)
    assert any("digest" in each for each in told)


def test_without_rpmkeys_nothing_is_called_verified(
    signed: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(signed.root))

    result = lint.run(signed.context)

    assert result.outcome is Outcome.FAILED
    assert messages(result, Severity.SURROUNDINGS) == ["the program rpmkeys is not installed"]
    assert "claimed only: 8 signed by key" in messages(result, Severity.NOTE)[0]


def test_metadata_of_before_are_stale(bench: Bench, home: GpgHome, ours: str) -> None:
    sign(home, ours, bench.package(2))
    with bench.package(4).open("ab") as out:
        out.write(b"more")
    shutil.copy(bench.package(3), bench.tree / "Packages" / "new-1-1.noarch.rpm")

    told = messages(lint.run(bench.context), WRONG)

    changed, longer = bench.package(2).name, bench.package(4).name
    assert any(f"{changed}: found sha256:" in each for each in told)
    assert any(f"{longer} has " in each and "the metadata say" in each for each in told)
    assert not any(f"{longer}: found" in each for each in told)
    assert "Packages/new-1-1.noarch.rpm is not in the metadata" in told


def test_several_repositories_are_one_tree(bench: Bench) -> None:
    """As Enterprise Linux 8 and later have it."""
    for name in ("BaseOS", "AppStream"):
        (bench.tree / name / "Packages").mkdir(parents=True)
    for number, package in enumerate(packages(bench)):
        package.rename(bench.tree / ("BaseOS", "AppStream")[number % 2] / "Packages" / package.name)
    shutil.rmtree(bench.tree / "repodata")
    for name in ("BaseOS", "AppStream"):
        process.run(
            ["createrepo_c", "--quiet", "--general-compress-type=xz", str(bench.tree / name)]
        )

    result = lint.run(bench.context)

    assert messages(result, WRONG) == messages(result, Severity.WARNING) == []
    assert result.counts["packages"] == 8
