"""The names of the Python interface."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from builders import make_image, make_tree

from release_builder import api

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", api.__all__)
def test_every_name_is_there_and_says_what_it_is(name: str) -> None:
    assert getattr(api, name).__doc__


def test_a_name_that_is_not_there_is_told() -> None:
    with pytest.raises(AttributeError, match="has no make_tmplate"):
        getattr(api, "make_tmplate")  # noqa: B009 (mypy knows that it is not there)


@pytest.mark.interop
def test_a_pair_is_made_and_its_image_rebuilt_with_what_the_interface_offers(
    workdir: Path,
) -> None:
    tree = make_tree(workdir / "tree")
    image = make_image(tree, workdir / "cd.iso")
    inputs = api.read_input_files([f"{tree}//"], [("Base", str(tree))])
    options = api.PairOptions(
        form=api.Form(algorithm="sha256"), uris=(("Base", "http://mirror.example/"),)
    )
    template, jigdo = workdir / "cd.template", workdir / "cd.jigdo"

    made = api.make_template(image, inputs, template, jigdo, options)
    rebuilt = api.make_image(template, workdir / "new.iso", inputs)

    assert made.parts == 5
    assert rebuilt.complete
    assert (workdir / "new.iso").read_bytes() == image.read_bytes()
    assert api.parse_jigdo(jigdo.read_bytes(), "cd.jigdo").servers[0].label == "Base"
