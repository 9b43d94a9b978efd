"""The manual pages before those who show them: man, groff, mandoc."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from release_builder.manual import write_manual

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def manual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("manual")
    write_manual(folder, 1_700_000_000)
    return folder


def run(*argv: str | Path, cwd: Path) -> tuple[str, str]:
    """What a program prints, and what it complains of."""
    ended = subprocess.run(
        argv,
        cwd=cwd,
        env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80", "MANPATH": str(cwd)},
        capture_output=True,
        text=True,
        check=True,
    )
    return ended.stdout, ended.stderr


def own_pages(manual: Path) -> list[Path]:
    """All but those that only lead to another."""
    pages = sorted((manual / "man1").iterdir())
    return [page for page in pages if not page.read_text().startswith(".so ")]


def test_groff_formats_every_page_without_a_warning(manual: Path) -> None:
    for page in sorted((manual / "man1").iterdir()):
        _, complaints = run("groff", "-s", "-man", "-ww", "-z", "-Tascii", page, cwd=manual)

        assert not complaints, page.name


def test_mandoc_has_no_warning_of_any_page(manual: Path) -> None:
    pages = own_pages(manual)

    told, _ = run("mandoc", "-T", "lint", "-W", "warning", *pages, cwd=manual)

    assert len(pages) > 15
    assert not told


def test_man_finds_and_shows_a_page_in_a_manual_tree(manual: Path) -> None:
    shown, complaints = run("man", "--warnings", "release-builder-jigdo-fetch", cwd=manual)

    assert not complaints
    assert "       --limit-rate RATE\n              Bytes a second: 500k, 2m.\n" in shown
    assert "       75     another run is at work in the same folder\n" in shown
    assert "           release-builder jigdo fetch http://mirror.example/iso/cd.jigdo\n" in shown


def test_a_command_of_jigdo_file_leads_to_its_programs_page(manual: Path) -> None:
    shown, complaints = run("man", "release-builder-jigdo-make-image", cwd=manual)

    assert not complaints
    assert shown.startswith("RELEASE-BUILDER-JIGDO-FILE(1)")


def test_no_line_is_broken_where_one_could_not_type_it(manual: Path) -> None:
    for page in own_pages(manual):
        shown, _ = run("man", "-l", page, cwd=manual)

        assert "\N{HYPHEN}" not in shown, page.name


def test_every_page_says_in_one_line_what_it_is_of(manual: Path) -> None:
    for page in own_pages(manual):
        told, _ = run("lexgrog", page, cwd=manual)

        assert told.startswith(f'{page}: "{page.stem} - ')
