"""What is refused before any key is looked at."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from release_builder.errors import DescriptorError, Status
from release_builder.loader import InvalidDescriptorError
from release_builder.loader.source import MAX_BYTES, MAX_NODES, compose

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        pytest.param(b"", "1:1: the file has no keys", id="empty"),
        pytest.param(b"# only this\n", "1:1: the file has no keys", id="a comment only"),
        pytest.param(b"- a\n", "1:1: this is no mapping", id="a list"),
        pytest.param(
            b"a: b\n---\nc: d\n", "2:1: a second document starts here", id="two documents"
        ),
        pytest.param(b"a: \xe4\n", "1:4: the byte \\xe4 is not UTF-8", id="Latin-1"),
        pytest.param("ä: ü\nb: ".encode() + b"\xff", "2:4: the byte \\xff", id="after UTF-8"),
        pytest.param(b"\xef\xbb\xbfa: \xe4", "1:4: the byte \\xe4", id="after a byte order mark"),
        pytest.param("a: b".encode("utf-16"), "1:1: the byte \\xff is not UTF-8", id="UTF-16"),
        pytest.param(b"a: \x07\n", "1:4: the character U+0007 is not allowed", id="bell"),
        pytest.param(b"a:\n\tb: c\n", "2:1: found character '\\t'", id="tab"),
        pytest.param(b"a: [b\n", "2:1: ", id="open bracket"),
        pytest.param(b"a: [{b}/c]\n", "1:8: ", id="braces without quotes"),
        pytest.param(b"a: &x b\n", "1:4: anchors (&) and aliases (*)", id="anchor"),
        pytest.param(b"a: *x\n", "1:4: anchors (&) and aliases (*)", id="alias"),
        pytest.param(b"a: !!python/object:os.system b\n", "1:4: the tag ", id="tag"),
        pytest.param(b"a: " + b"[" * 100_000, "1:19: this is nested too deeply", id="deep list"),
        pytest.param(b"a: " + b"{b: " * 100_000, "nested too deeply", id="deep mapping"),
        pytest.param(b"a: [" + b"b," * MAX_NODES, "more than 10,000 values", id="long list"),
        pytest.param(b"a" * (MAX_BYTES + 1), "1:1: the file is larger than", id="large"),
    ],
)
def test_what_is_no_plain_yaml_is_refused_with_its_place(
    workdir: Path, data: bytes, complaint: str
) -> None:
    path = workdir / "sme.yaml"
    path.write_bytes(data)

    with pytest.raises(InvalidDescriptorError) as caught:
        compose(path)

    (only,) = caught.value.complaints
    assert complaint in str(only)
    assert str(only).startswith(f"{path}:")
    assert only.hint
    assert caught.value.status is Status.WRONG


def test_a_byte_order_mark_is_no_part_of_the_first_key(workdir: Path) -> None:
    path = workdir / "sme.yaml"
    path.write_bytes(b"\xef\xbb\xbfversion: 9\n")

    root = compose(path)

    assert root.value[0][0].value == "version"


def test_a_file_that_is_not_there_is_named_with_the_one_that_was_meant(workdir: Path) -> None:
    (workdir / "sme9.yaml").write_text("version: 9\n", encoding="utf-8")

    with pytest.raises(DescriptorError, match=r"there is no file .*smee9\.yaml") as caught:
        compose(workdir / "smee9.yaml")

    assert caught.value.hint == f"did you mean {workdir / 'sme9.yaml'}?"


def test_a_folder_that_is_not_there_is_named(workdir: Path) -> None:
    with pytest.raises(DescriptorError) as caught:
        compose(workdir / "configs" / "sme9.yaml")

    assert f"there is no folder {workdir / 'configs'}" in caught.value.hint


def test_a_folder_is_no_descriptor(workdir: Path) -> None:
    with pytest.raises(DescriptorError, match="is not a file"):
        compose(workdir)


def test_a_pipe_is_no_descriptor_and_is_not_waited_for(workdir: Path) -> None:
    os.mkfifo(workdir / "sme.yaml")

    with pytest.raises(DescriptorError, match="is not a file"):
        compose(workdir / "sme.yaml")
