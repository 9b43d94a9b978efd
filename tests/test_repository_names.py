"""Names that clients compute themselves."""

from __future__ import annotations

import pytest

from release_builder.repository.names import ImageName, parse_image, rdiff_name

OLD = "puavo-os-amxa-buster-2021-04-13-192449-amd64.img"


def test_a_name_of_puavos_build_has_all_its_fields() -> None:
    image = parse_image(OLD)

    assert image == ImageName("puavo-os-amxa-buster", "2021-04-13-192449", "amd64")
    assert image is not None
    assert (str(image), image.id, image.version) == (OLD, OLD[:-4], "20210413192449")
    assert str(image.series) == "puavo-os-amxa-buster-amd64"
    assert image.series is not None
    assert image.series.dist == "buster"


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("install-puavo-os-amxa-buster-2021-04-13-192449-amd64.img", id="more before"),
        pytest.param("puavo-os-amxa-2021-04-13-192449-amd64.img", id="no distribution"),
        pytest.param("puavo-os-a-b-buster-2021-04-13-192449-amd64.img", id="class with a dash"),
        pytest.param("puavo-os-amxa-buster-2021-04-13-192449-x86-64.img", id="arch with a dash"),
        pytest.param("my images-2021-04-13-192449-amd64.img", id="blank"),
    ],
)
def test_other_images_have_no_fields_but_can_be_served(name: str) -> None:
    image = parse_image(name)

    assert image is not None
    assert image.series is None
    assert str(image) == name


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("puavo-os-amxa-buster.img", id="no stamp"),
        pytest.param("-2021-04-13-192449-amd64.img", id="nothing before"),
        pytest.param("a-2021-04-13-192449-.img", id="nothing after"),
        pytest.param("a-2021-04-13-192449-amd64.iso", id="no image"),
        pytest.param("a-2021-04-13-192449-amd64.img\n", id="line end"),
        pytest.param("a/b-2021-04-13-192449-amd64.img", id="folder"),
        pytest.param(".a-2021-04-13-192449-amd64.img", id="hidden"),
        pytest.param("\udcff-2021-04-13-192449-amd64.img", id="no UTF-8"),
        pytest.param("a-٢٠٢١-04-13-192449-amd64.img", id="other digits"),
        pytest.param("ä" * 100 + "-2021-04-13-192449-amd64.img", id="too long"),
    ],
)
def test_what_cannot_be_served_is_no_image(name: str) -> None:
    assert parse_image(name) is None


def test_the_first_stamp_is_the_one_that_counts() -> None:
    image = parse_image("a-2021-01-01-000000-b-2022-02-02-000000-amd64.img")

    assert image == ImageName("a", "2021-01-01-000000", "b-2022-02-02-000000-amd64")


def test_a_delta_has_all_but_one_stamp_from_its_source() -> None:
    source = ImageName("puavo-os-amxa-buster", "2021-04-13-192449", "amd64")
    target = ImageName("puavo-os-free-bullseye", "2022-02-10-101010", "arm64")

    name = rdiff_name(source, target)

    assert name == "puavo-os-amxa-buster-2021-04-13-192449--2022-02-10-101010-amd64.rdiff"
