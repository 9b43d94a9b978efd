"""What holds for a run: arguments, defaults.mk of puavo-os, what is usual."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from release_builder.api.repository_options import (
    UpdateOptions,
    keep_configuration,
    parse_repository,
    settle,
)
from release_builder.errors import DescriptorError
from release_builder.repository.configuration import Compat

if TYPE_CHECKING:
    from pathlib import Path

OLD = "puavo-os-amxa-buster-2022-01-17-120001-amd64.img"
NEW = "puavo-os-amxa-buster-2022-01-20-173248-amd64.img"
OTHER = "puavo-os-amxa-bullseye-2022-02-01-000000-amd64.img"


@pytest.fixture
def image_dir(tmp_path: Path) -> Path:
    """A folder with images of two distributions; nothing looks into them."""
    folder = tmp_path / "images"
    folder.mkdir()
    for name in (NEW, OLD, OTHER):
        (folder / name).write_bytes(b"")
    return folder


@pytest.fixture
def puavo_os(tmp_path: Path) -> Path:
    """A tree of puavo-os, as far as an image repository needs one."""
    folder = tmp_path / "puavo-os"
    (folder / "config/images").mkdir(parents=True)
    return folder


@pytest.mark.parametrize(
    ("text", "url"),
    [
        pytest.param("images.example.org", "https://images.example.org", id="host"),
        pytest.param("localhost:8080", "https://localhost:8080", id="port"),
        pytest.param("example.org/a/b/", "https://example.org/a/b", id="path"),
        pytest.param("http://example.org", "http://example.org", id="http"),
        pytest.param("https://example.org/a//", "https://example.org/a", id="slashes"),
        pytest.param("[::1]:80", "https://[::1]:80", id="IPv6"),
    ],
)
def test_a_host_means_https(text: str, url: str) -> None:
    assert parse_repository(text) == url


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("https://", id="no host"),
        pytest.param("rsync://example.org/x", id="rsync"),
        pytest.param("two words", id="blank"),
        pytest.param("example.org\n", id="line end"),
        pytest.param("https://example.org/?a=b", id="query"),
        pytest.param("../mirror", id="folder"),
        pytest.param("https://..", id="dots"),
        pytest.param("example..org", id="empty label"),
        pytest.param("example.org/../..", id="path that leads up"),
        pytest.param("https://example.org/a/%2e%2E", id="the same, encoded"),
        pytest.param("example.org:port", id="port without a number"),
    ],
)
def test_what_is_no_web_server_is_refused(text: str) -> None:
    with pytest.raises(DescriptorError, match="is no web server"):
        parse_repository(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("https://me:c4n4ry@example.org/", id="URL"),
        pytest.param("me:c4n4ry@example.org", id="host"),
        pytest.param("https://me:c4n4ry/2@example.org", id="slash"),
        pytest.param("me:1\nc4n4ry/2@example.org", id="line end"),
        pytest.param("c4n4ry@example.org", id="user"),
    ],
)
def test_a_password_is_neither_taken_nor_shown(text: str) -> None:
    with pytest.raises(DescriptorError) as raised:
        parse_repository(text)

    assert "c4n4ry" not in str(raised.value)


def test_a_user_for_all_clients_is_refused_as_such() -> None:
    with pytest.raises(DescriptorError, match="user or password"):
        parse_repository("https://me:c4n4ry@example.org/")


def test_the_base_url_is_demanded(image_dir: Path) -> None:
    with pytest.raises(DescriptorError, match="where they find the repository"):
        settle(UpdateOptions(image_dir=image_dir))


def test_without_puavo_os_the_images_tell_all(image_dir: Path) -> None:
    settings = settle(UpdateOptions(image_dir=image_dir, repository="example.org"))

    found = {each.dist: [one.images for one in each.series] for each in settings.configurations}
    assert found == {"bullseye": [(OTHER,)], "buster": [(OLD, NEW)]}
    assert settings.mirror == image_dir / "mirror"


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DescriptorError, match="has no image"):
        settle(UpdateOptions(image_dir=tmp_path, repository="example.org"))


def test_defaults_mk_tells_what_arguments_do_not(image_dir: Path, puavo_os: Path) -> None:
    (puavo_os / "defaults.mk").write_text(
        f"image_dir := {image_dir}\nmirror_dir := /srv/mirror\n"
        "images_urlbase := https://made.example\n"
    )
    options = UpdateOptions(image_dir=image_dir, puavo_os=puavo_os, fallback="fallback.example")

    settings = settle(options)

    assert (str(settings.mirror), settings.base_url) == ("/srv/mirror", "https://made.example")


def test_arguments_win_over_defaults_mk(image_dir: Path, puavo_os: Path, tmp_path: Path) -> None:
    (puavo_os / "defaults.mk").write_text(
        f"image_dir := {image_dir}\nmirror_dir := /srv/mirror\n"
        "images_urlbase := https://made.example\n"
    )

    settings = settle(
        UpdateOptions(
            image_dir=image_dir,
            mirror=tmp_path / "mine",
            repository="mine.example",
            puavo_os=puavo_os,
        )
    )

    assert (settings.mirror, settings.base_url) == (tmp_path / "mine", "https://mine.example")


def test_the_mirror_of_other_images_is_left_alone(image_dir: Path, puavo_os: Path) -> None:
    (puavo_os / "defaults.mk").write_text("image_dir := /other\nmirror_dir := /srv/mirror\n")

    settings = settle(
        UpdateOptions(image_dir=image_dir, repository="example.org", puavo_os=puavo_os)
    )

    assert settings.mirror == image_dir / "mirror"


def test_a_tree_that_is_not_there_is_refused(image_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(DescriptorError, match="no tree of puavo-os"):
        settle(
            UpdateOptions(image_dir=image_dir, repository="example.org", puavo_os=tmp_path / "none")
        )


def test_no_config_needs_a_tree(image_dir: Path) -> None:
    with pytest.raises(DescriptorError, match="of which"):
        settle(UpdateOptions(image_dir=image_dir, repository="example.org", keep_config=True))


@pytest.mark.parametrize("compat", [pytest.param(each, id=each.value) for each in Compat])
def test_the_configuration_is_kept_for_puavo_os(
    image_dir: Path, puavo_os: Path, compat: Compat
) -> None:
    options = UpdateOptions(
        image_dir=image_dir, repository="example.org", puavo_os=puavo_os, compat=compat
    )

    keep_configuration(options, settle(options))

    kept = json.loads((puavo_os / "config/images/buster.json").read_text())
    told = [OLD, NEW] if compat is Compat.SEED else {"images": [OLD, NEW], "extra_rdiffs": {}}
    assert kept == {"puavo-os-amxa-buster-amd64": told}
    assert "https://example.org" in (puavo_os / "defaults.mk").read_text()
    assert "buster" in (puavo_os / "defaults.mk").read_text()


def test_with_no_config_hand_made_files_count_and_stay(image_dir: Path, puavo_os: Path) -> None:
    told = (
        '{"by hand": {"images": ["' + NEW + '"], "extra_rdiffs": {"' + NEW + '": ["' + OLD + '"]}}}'
    )
    path = puavo_os / "config/images/buster.json"
    path.write_text(told)
    options = UpdateOptions(
        image_dir=image_dir, repository="example.org", puavo_os=puavo_os, keep_config=True
    )

    settings = settle(options)
    keep_configuration(options, settings)

    (series,) = settings.configurations[0].series
    assert (series.name, series.images, dict(series.extra_rdiffs)) == (
        "by hand",
        (NEW,),
        {NEW: (OLD,)},
    )
    assert path.read_text() == told
