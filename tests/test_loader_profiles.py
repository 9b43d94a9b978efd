"""What the profiles of products say of their releases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from release_builder.loader import InvalidDescriptorError, load

if TYPE_CHECKING:
    from pathlib import Path

OWN = """\
name: own
arches: [x86_64]
image: own-{version}-{arch}.iso
tree: os/{arch}/
jigdo: iso/{arch}/
servers: {Own: {beta: "http://h/{version}/", final: "http://h/{major}/"}}
"""


def descriptor(workdir: Path, product: str) -> Path:
    path = workdir / "a.yaml"
    path.write_text(
        f"version: 9.0\narch: x86_64\nmirror: rsync://host/module/\nproduct: {product}\n"
    )
    return path


@pytest.mark.parametrize(
    ("product", "systems"),
    [
        pytest.param(
            "smeserver", {"8": "el5", "9": "el6", "10": "el7", "11": "el8"}, id="smeserver"
        ),
        pytest.param("centos", {str(n): f"el{n}" for n in range(5, 10)}, id="centos"),
    ],
)
def test_a_profile_knows_which_enterprise_linux_its_versions_are(
    workdir: Path, product: str, systems: dict[str, str]
) -> None:
    profile = load(descriptor(workdir, product)).profile

    assert {major: el.name for major, el in profile.el.items()} == systems


def test_a_profile_need_not_know(workdir: Path) -> None:
    (workdir / "own.yaml").write_text(OWN)

    profile = load(descriptor(workdir, "own.yaml")).profile

    assert profile.el == {}


def test_an_unknown_enterprise_linux_is_refused_with_its_place(workdir: Path) -> None:
    (workdir / "own.yaml").write_text(f"{OWN}el: {{9: el4}}\n")

    with pytest.raises(InvalidDescriptorError, match=r"own\.yaml:7:9: .*'el4' is not known"):
        load(descriptor(workdir, "own.yaml"))
