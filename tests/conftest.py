"""What tests share: a home of their own, a finished release, a mirror of it."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
from builders import Mirror
from side_by_side import PROPERTY, plain

from release_builder.demo.daemon import rsync_daemon
from release_builder.demo.programs import missing_programs
from release_builder.demo.recipe import Recipe
from release_builder.demo.release import Release, make_release, release_key

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEFAULT_CACHE = Path.home() / ".cache" / "release-builder-tests"  # before HOME is the test's
_CACHE = Path(os.environ.get("RELEASE_BUILDER_TEST_CACHE", _DEFAULT_CACHE))
_PROXIES = ("http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy", "rsync_proxy")
_NOBODY = "http://127.0.0.1:9"  # what lies beyond the loopback interface answers: refused


# The same examples everywhere: a run that fails here fails there. For others:
# pytest --hypothesis-profile=default --hypothesis-seed=N
hypothesis.settings.register_profile("fixed", derandomize=True, deadline=None)
hypothesis.settings.load_profile("fixed")


@pytest.fixture(autouse=True)
def workdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in; nothing of the user's home or settings is seen or touched."""
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("RELEASE_BUILDER_STATE", str(tmp_path / "state"))
    for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "SOURCE_DATE_EPOCH"):
        monkeypatch.delenv(name, raising=False)
    for name in _PROXIES:  # they would stand between the tests and the loopback interface
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, _NOBODY)
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost,::1")
    return work


@pytest.fixture(scope="session")
def demo_release() -> Release:
    """The demo's release: 36 packages, 14 MB. To be read only: all tests share it."""
    return _cached(Recipe())


@pytest.fixture(scope="session")
def small_release() -> Release:
    """A release with 8 packages, 1 MB. To be read only: all tests share it."""
    return _cached(Recipe(packages=8, largest=96 << 10))


@pytest.fixture
def mirror(small_release: Release, tmp_path: Path) -> Iterator[Mirror]:
    """A copy of the small release that a test may change, served by a real rsync daemon."""
    copy = Release(tmp_path / "served", small_release.recipe)
    shutil.copytree(small_release.folder, copy.folder, symlinks=True)
    with rsync_daemon(copy.mirror) as url:
        yield Mirror(copy, url)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table of hostile inputs, if any were tried; its rows come from all workers."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    rows = [row for report in reports for name, row in report.user_properties if name == PROPERTY]
    if rows:
        terminalreporter.section("hostile inputs: what came of them")
        terminalreporter.write_line(plain(rows))


def _cached(recipe: Recipe) -> Release:
    """The release of ``recipe``, made once a machine; workers that want it too wait."""
    if missing := missing_programs():
        # `make test` has installed them: there, a skip would hide what was never tried.
        (pytest.fail if "CI" in os.environ else pytest.skip)("; ".join(missing))
    _CACHE.mkdir(parents=True, exist_ok=True)
    key = release_key(recipe)[:16]
    with (_CACHE / f"{key}.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return make_release(_CACHE / key, recipe)
