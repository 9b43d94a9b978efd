"""What answers mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from release_builder.cli.jigdo_lite.questions import mirror_url, names_in, scan_paths

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def places(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that we are in, with some to scan."""
    for name in ("a", "b", "a b", "it's", "1"):
        (workdir / name).mkdir()
    monkeypatch.chdir(workdir)
    monkeypatch.setenv("HOME", str(workdir))
    return workdir


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        pytest.param("a", ["a"], id="path"),
        pytest.param("a b", ["a b"], id="path with a blank"),
        pytest.param("b a", ["b", "a"], id="two paths"),
        pytest.param("'a b' a", ["a b", "a"], id="quoted"),
        pytest.param("it's", ["it's"], id="quote"),
        pytest.param("~/a", ["a"], id="home"),
        pytest.param("b/../a/", ["a"], id="detour"),
        pytest.param("1", ["b"], id="number"),
        pytest.param("./1", ["1"], id="path like a number"),
        pytest.param("2", [], id="number of what is gone"),
        pytest.param("3", [], id="number too large"),
        pytest.param("none", [], id="not there"),
        pytest.param("a none", [], id="one is not there"),
        pytest.param("'none", [], id="quote without end"),
        pytest.param("a" * 5000, [], id="too long"),
    ],
)
def test_an_answer_means_places(places: Path, answer: str, names: list[str]) -> None:
    menu = (str(places / "b"), str(places / "gone"))

    assert scan_paths(answer, menu) == tuple(places / name for name in names)


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        pytest.param("http://h/a.jigdo", ["http://h/a.jigdo"], id="URL"),
        pytest.param("http://h/a.jigdo  b", ["http://h/a.jigdo", "b"], id="several"),
        pytest.param("'no such' b", ["no such", "b"], id="quoted"),
        pytest.param("a b", ["a b"], id="a file with a blank"),
        pytest.param("http://h/it's b", ["http://h/it's", "b"], id="quote without end"),
    ],
)
@pytest.mark.usefixtures("places")
def test_an_answer_means_jigdos(answer: str, names: list[str]) -> None:
    assert names_in(answer) == names


@pytest.mark.parametrize(
    ("answer", "label", "url"),
    [
        pytest.param("http://h/debian/", "Debian", "http://h/debian/", id="URL"),
        pytest.param("https://h/debian", "Debian", "https://h/debian/", id="no slash"),
        pytest.param("DE", "Debian", "http://ftp.de.debian.org/debian/", id="country"),
        pytest.param("de", "Non-US", "", id="country that Non-US has none of"),
        pytest.param("Germany", "Debian", "", id="name of a country"),
        pytest.param("ftp://h/debian/", "Debian", "", id="ftp"),
        pytest.param("http://h/\x1b/", "Debian", "", id="control character"),
    ],
)
def test_an_answer_means_a_mirror(answer: str, label: str, url: str) -> None:
    assert mirror_url(answer, label) == url
