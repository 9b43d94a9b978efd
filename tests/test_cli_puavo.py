"""The command lines of puavo-img-repo and puavo-update-repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from release_builder.cli.puavo import REPOSITORY, Arguments, UsageError, read_arguments, run
from release_builder.errors import Status

TREE = Path("/tree")


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        pytest.param(["images"], Arguments((Path("images"),)), id="images"),
        pytest.param(["a", "b"], Arguments((Path("a"), Path("b"))), id="mirror"),
        pytest.param(["-r", "h", "a"], Arguments((Path("a"),), "h"), id="-r"),
        pytest.param(["--repository", "h", "a"], Arguments((Path("a"),), "h"), id="--repository"),
        pytest.param(["a", "--repository=h"], Arguments((Path("a"),), "h"), id="behind"),
        pytest.param(["-p", "/tree", "a"], Arguments((Path("a"),), None, TREE), id="-p"),
        pytest.param(["--puavo-os", "/tree", "a"], Arguments((Path("a"),), None, TREE), id="long"),
        *(
            pytest.param([word, "a"], Arguments((Path("a"),), keep_config=True), id=word)
            for word in ("-n", "--no-config", "--no-files")
        ),
        pytest.param(["-h", "-r", ""], Arguments(help=True), id="-h"),
        pytest.param(["--help"], Arguments(help=True), id="--help"),
    ],
)
def test_documented_options_are_known(argv: list[str], expected: Arguments) -> None:
    assert read_arguments(argv) == expected


@pytest.mark.parametrize(
    "argv",
    [
        pytest.param([], id="nothing"),
        pytest.param(["a", "b", "c"], id="three folders"),
        pytest.param(["--unknown", "a"], id="unknown"),
        pytest.param(["-r"], id="no value"),
        pytest.param(["-r", "", "a"], id="empty host"),
        pytest.param([""], id="empty folder"),
    ],
)
def test_what_cannot_be_meant_is_refused(argv: list[str]) -> None:
    with pytest.raises(UsageError):
        read_arguments(argv)


def test_usage_is_an_error_with_a_status(capsys: pytest.CaptureFixture[str]) -> None:
    status = run(["--wrong"], "puavo-img-repo")

    assert status == Status.WRONG
    assert "puavo-img-repo --help" in capsys.readouterr().err


def test_the_help_tells_the_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    status = run(["-h"], "puavo-update-repository")

    assert status == Status.DONE
    assert capsys.readouterr().out.startswith(
        "Usage: puavo-update-repository [OPTION]... IMAGE_DIR"
    )
    assert REPOSITORY == "images.amxa.ch"


def test_a_folder_that_is_not_there_is_a_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = run([str(tmp_path / "none")], "puavo-img-repo")

    assert status == Status.WRONG
    assert "there is no folder" in capsys.readouterr().err
