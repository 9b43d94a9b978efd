"""The folders of a run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from release_builder.errors import SurroundingsError
from release_builder.loader import load
from release_builder.plan.workdir import Workdir, workdir_of

if TYPE_CHECKING:
    from release_builder.descriptor.release import Release


def releases(folder: Path) -> tuple[Release, ...]:
    """Two releases of one descriptor."""
    path = folder / "sme8.yaml"
    path.write_text("version: 8.1beta3\narch: [i386, x86_64]\nmirror: rsync://h/m/\n")
    return load(path).releases()


def test_all_folders_lie_below_the_root_and_apart(workdir: Path) -> None:
    folders = Workdir(workdir)

    places = {folders.tree, folders.pair, folders.image, folders.aside, folders.lock}

    assert len(places) == 5
    assert {place.parent for place in places} == {workdir}


def test_without_a_given_folder_the_descriptor_says_where(workdir: Path) -> None:
    both = releases(workdir)

    found = [workdir_of(release, both, None).root for release in both]

    assert found == [workdir / "smeserver-i386", workdir / "smeserver-x86_64"]


def test_a_given_folder_is_taken_as_it_is_for_one_release(
    workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = releases(workdir)[:1]
    monkeypatch.chdir(workdir)

    found = workdir_of(one[0], one, Path("given"))

    assert found.root == workdir / "given"


def test_releases_of_one_run_never_share_a_given_folder(workdir: Path) -> None:
    both = releases(workdir)

    found = [workdir_of(release, both, workdir / "given").root.name for release in both]

    assert found == ["smeserver-i386", "smeserver-x86_64"]


@pytest.mark.parametrize("name", ["tree", "pair", "image", "upload", "aside"])
def test_a_link_of_another_user_leads_no_run_elsewhere(
    workdir: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    link = workdir / name
    link.symlink_to("elsewhere")
    Workdir(workdir).check_folders()

    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    if link.lstat().st_uid == 0:
        os.lchown(link, 54321, -1)

    with pytest.raises(SurroundingsError, match=rf"{name} is a link that user \S+ made") as raised:
        Workdir(workdir).check_folders()

    assert "remove it" in raised.value.hint
