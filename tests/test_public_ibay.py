from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from release_builder.public.ibay import ibay_of, links_advice

IBAYS = PurePosixPath("/srv/ibays")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        pytest.param("/srv/ibays/mirror/html/releases", "mirror", id="inside"),
        pytest.param("/srv/ibays/mirror", "mirror", id="itself"),
        pytest.param("/srv/ibays", None, id="above"),
        pytest.param("/srv/ibays2/mirror", None, id="similar"),
        pytest.param("/srv/www", None, id="elsewhere"),
    ],
)
def test_an_ibay_is_the_folder_below_that_of_all(path: str, name: str | None) -> None:
    assert ibay_of(PurePosixPath(path), IBAYS) == name


def test_ibays_of_an_sme_server_are_known() -> None:
    assert ibay_of(PurePosixPath("/home/e-smith/files/ibays/www/html")) == "www"


def db_that_says(said: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.joinpath("db").write_text(
        f'#!/bin/sh\n[ "$*" = "accounts getprop mirror FollowSymLinks" ] && echo "{said}"\n'
    )
    folder.joinpath("db").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


@pytest.mark.parametrize(
    "said", [pytest.param("disabled", id="switched off"), pytest.param("", id="never set")]
)
def test_the_command_is_told_that_makes_the_server_follow_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    db_that_says(said, tmp_path, monkeypatch)

    assert links_advice(IBAYS / "mirror/html", IBAYS) == (
        "db accounts setprop mirror FollowSymLinks enabled; signal-event ibay-modify mirror"
    )


def test_nothing_is_told_where_links_are_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    db_that_says("enabled", tmp_path, monkeypatch)

    assert links_advice(IBAYS / "mirror/html", IBAYS) is None


def test_nothing_is_told_outside_of_ibays() -> None:
    assert links_advice(PurePosixPath("/srv/www"), IBAYS) is None


def test_without_the_program_links_count_as_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert links_advice(IBAYS / "mirror", IBAYS)
