"""What a .jigdo says of its image to people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from release_builder.descriptor.version import Stage
from release_builder.loader import load
from release_builder.plan import Options, Plan
from release_builder.plan.workdir import Workdir
from release_builder.steps.image_words import info, short_info

if TYPE_CHECKING:
    from pathlib import Path


def plan(folder: Path, *lines: str, version: str = "9.0beta3", stage: Stage | None = None) -> Plan:
    path = folder / "sme.yaml"
    three = [f"version: {version}", "arch: i386", "mirror: /srv/mirror"]
    path.write_text("\n".join([*three, *lines, ""]), encoding="utf-8")
    return Plan(load(path).releases()[0], Workdir(folder), ("pair",), Options(stage=stage))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        pytest.param((), "smeserver 9.0beta3 for i386", id="product"),
        pytest.param(
            ("publish: {root: /srv}",), "SME Server 9.0beta3 for i386", id="title of the profile"
        ),
        pytest.param(
            ('publish: {root: /srv, title: "Ü\'s <own>"}',),
            "Ü's <own> 9.0beta3 for i386",
            id="title of the descriptor",
        ),
    ],
)
def test_the_short_info_names_product_version_and_arch(
    workdir: Path, lines: tuple[str, ...], words: str
) -> None:
    assert short_info(plan(workdir, *lines)) == words


@pytest.mark.parametrize(
    ("version", "stage", "words", "folder"),
    [
        pytest.param("9.0beta3", None, "9.0beta3 for i386, a test release:", "testing/9.0beta3"),
        pytest.param("9.0", None, "9.0 for i386, the final release:", "9.0"),
        pytest.param("9.0", Stage.BETA, "9.0 for i386, a test release:", "testing/9.0"),
    ],
    ids=["beta", "final", "final that is tested"],
)
def test_the_info_tells_the_stage_and_where_the_page_is(
    workdir: Path, version: str, stage: Stage | None, words: str, folder: str
) -> None:
    publish = "publish: {root: /srv, url: 'http://h/r'}"

    text = info(plan(workdir, publish, version=version, stage=stage))

    assert text.startswith(f"SME Server {words} an image")
    assert text.endswith(f" More about it: http://h/r/{folder}/")


@pytest.mark.parametrize("lines", [(), ("publish: {root: /srv}",)], ids=["nowhere", "no URL"])
def test_without_a_url_the_info_names_none(workdir: Path, lines: tuple[str, ...]) -> None:
    assert "More about it" not in info(plan(workdir, *lines))


def test_the_info_is_one_line(workdir: Path) -> None:
    text = info(plan(workdir, "publish: {root: /srv, url: 'http://h/'}"))

    assert text.isprintable()
    assert "  " not in text
