"""The command line of the jigdo-lite look-alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from release_builder.cli.jigdo_lite.arguments import Options, read_arguments
from release_builder.errors import DescriptorError


@pytest.mark.parametrize(
    ("argv", "options"),
    [
        pytest.param([], Options(), id="nothing"),
        pytest.param(["a.jigdo"], Options(("a.jigdo",)), id="file"),
        pytest.param(
            ["--noask", "--scan", "../tree", "a", "b"],
            Options(("a", "b"), ("../tree",), ask=False),
            id="as in the wiki",
        ),
        pytest.param(["--scan=x", "a"], Options(("a",), ("x",)), id="scan="),
        pytest.param(["--scan=x", "--scan", "y"], Options((), ("x", "y")), id="two scans"),
        pytest.param(["--", "a"], Options(("a",)), id="end of options"),
        pytest.param(["-h"], Options(help=True), id="h"),
        pytest.param(["--help"], Options(help=True), id="help"),
        pytest.param(["-v", "a"], Options(version=True), id="v"),
        pytest.param(["--version"], Options(version=True), id="version"),
        pytest.param(
            ["http://h/cd-{1,2,10}.jigdo"],
            Options(("http://h/cd-1.jigdo", "http://h/cd-2.jigdo", "http://h/cd-10.jigdo")),
            id="list in braces",
        ),
        pytest.param(
            ["http://h/a HTTPS://h/b-{1,2}"],
            Options(("http://h/a", "HTTPS://h/b-1", "HTTPS://h/b-2")),
            id="URLs in one word",
        ),
        pytest.param(["a b.jigdo"], Options(("a b.jigdo",)), id="path with a blank"),
        pytest.param(["{a,b}-{1,2}"], Options(("a-1", "a-2", "b-1", "b-2")), id="two lists"),
    ],
)
def test_a_command_line_means(argv: list[str], options: Options) -> None:
    assert read_arguments(argv) == options


@pytest.mark.parametrize(
    ("argv", "what", "hint"),
    [
        pytest.param(["--frob"], "--frob", "-h shows", id="unknown"),
        pytest.param(["-x"], "-x", "-h shows", id="unknown letter"),
        pytest.param(["--scan"], "--scan", "-h shows", id="no value"),
        pytest.param(["--scan="], "--scan needs a path", "-h shows", id="empty value"),
        pytest.param(["--noask=1"], "--noask", "-h shows", id="value too many"),
        pytest.param([""], "empty name", "-h shows", id="empty name"),
        pytest.param(["a", "--noask"], "--noask is no file", "before the files", id="behind"),
        pytest.param(["a", "--scan=x"], "--scan=x is no file", "before the files", id="scan"),
        pytest.param(["a", "--frob"], "--frob is no file", "-h shows", id="unknown behind"),
        pytest.param(["\u2013noask", "a"], "\u2013noask is", "write --noask first", id="dash"),
        pytest.param(["{1,2}" * 10], "more than 1,000", "", id="too many names"),
    ],
)
def test_what_cannot_be_meant_is_refused(argv: list[str], what: str, hint: str) -> None:
    with pytest.raises(DescriptorError) as refused:
        read_arguments(argv)

    assert what in refused.value.what
    assert hint in refused.value.hint


@pytest.mark.parametrize("name", ["cd-{1,2}.jigdo", "--noask"])
def test_a_file_of_that_name_is_meant_by_its_name(
    workdir: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(workdir)
    Path(name).touch()

    assert read_arguments(["a", name]).jigdos == ("a", name)
