"""Texts that are written from templates."""

from __future__ import annotations

from pathlib import Path

import jinja2
import pytest

from release_builder.files import resource
from release_builder.pages import render

_FOLDER = Path(str(resource("templates")))
_VALUES: dict[str, object] = {"epoch": 1_391_212_800, "version": "9.0 & more", "arch": "x86_64"}
_TEMPLATES = sorted(path for path in _FOLDER.rglob("*") if path.is_file())


def test_plain_texts_are_filled_in_as_they_are() -> None:
    assert render("demo/discinfo.j2", **_VALUES).splitlines()[1] == "SME Server 9.0 & more"


def test_a_text_ends_as_its_template_does() -> None:
    assert render("demo/discinfo.j2", **_VALUES).endswith("\n")


def test_a_value_that_is_not_given_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError, match="version"):
        render("demo/discinfo.j2", epoch=0, arch="x86_64")


@pytest.mark.parametrize("path", _TEMPLATES, ids=lambda path: path.name)
def test_every_template_can_be_read(path: Path) -> None:
    jinja2.Environment(autoescape=True).parse(path.read_text("utf-8"))
