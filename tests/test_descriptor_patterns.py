"""What the texts of a descriptor may look like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from release_builder.descriptor import patterns
from release_builder.descriptor.refusal import RefusedError
from release_builder.descriptor.version import Stage

if TYPE_CHECKING:
    from collections.abc import Callable


def test_placeholders_are_expanded() -> None:
    values = {"version": "9.0beta3", "major": "9", "arch": "x86_64", "product": "smeserver"}

    text = patterns.expand("{product}-{version}-{arch}/{major}/{major}", values)

    assert text == "smeserver-9.0beta3-x86_64/9/9"


def test_an_unknown_placeholder_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(RefusedError, match=r"\{verson\} is not known; did you mean \{version\}"):
        patterns.expand("a-{verson}", {"version": "9", "arch": "i386"})


@pytest.mark.parametrize("text", ["a{", "a}", "{{arch}}", "{arch"])
def test_a_single_brace_is_refused(text: str) -> None:
    with pytest.raises(RefusedError, match="single brace"):
        patterns.expand(text, {"arch": "i386"})


@pytest.mark.parametrize(
    ("check", "text", "normal"),
    [
        pytest.param(patterns.folder, "smeos/{arch}", "smeos/{arch}/", id="slash is added"),
        pytest.param(patterns.folder, "./a//b/./", "a/b/", id="folder is tidied"),
        pytest.param(patterns.path, "a/comps.xml", "a/comps.xml", id="file stays a file"),
        pytest.param(patterns.path, "a/b/", "a/b/", id="folder stays a folder"),
        pytest.param(patterns.image, "a-{version}.iso", "a-{version}.iso", id="image"),
        pytest.param(patterns.workdir, "~/sme/{arch}", "~/sme/{arch}", id="workdir"),
        pytest.param(patterns.rate, "500k", "500k", id="rate"),
        pytest.param(patterns.rate, "1.5m", "1.5m", id="rate with a point"),
        pytest.param(patterns.server, "http://h/{arch}/", "http://h/{arch}/", id="server"),
        pytest.param(patterns.exclude, "*.drpm", "*.drpm", id="exclude"),
        pytest.param(patterns.place, "./a//{version}/", "a/{version}", id="place is tidied"),
        pytest.param(patterns.tree_path, "isolinux/b.bin", "isolinux/b.bin", id="file of a tree"),
        pytest.param(patterns.volume_id, "x" * 32, "x" * 32, id="longest volume id"),
        pytest.param(patterns.volume_id, "x" * 31 + "{arch}", "x" * 31 + "{arch}", id="may fit"),
        pytest.param(patterns.title, "x" * 200, "x" * 200, id="longest title"),
        pytest.param(patterns.command, "ssh -i 'a b'", "ssh -i 'a b'", id="command"),
        pytest.param(patterns.key, "Build <b@h>", "Build <b@h>", id="key"),
        pytest.param(patterns.web_mirror, "http://h", "http://h/", id="mirror without a path"),
        pytest.param(
            patterns.web_mirror, "https://h/{version}", "https://h/{version}/", id="mirror"
        ),
    ],
)
def test_a_right_text_comes_out_in_its_normal_form(
    check: Callable[[str], str], text: str, normal: str
) -> None:
    assert check(text) == normal
    assert check(normal) == normal


@pytest.mark.parametrize(
    ("text", "speed"),
    [
        pytest.param("500", 500, id="bytes"),
        pytest.param("1.9", 1, id="a part of a byte"),
        pytest.param("500k", 512_000, id="with k"),
        pytest.param("1.5M", 1_572_864, id="with M"),
        pytest.param("0.001k", 1, id="the slowest"),
        pytest.param("2g", 2_147_483_648, id="with g"),
    ],
)
def test_a_speed_becomes_bytes_a_second(text: str, speed: int) -> None:
    assert patterns.speed(text) == speed


@pytest.mark.parametrize(
    ("check", "text"),
    [
        pytest.param(patterns.folder, "../a", id="folder that leads out"),
        pytest.param(patterns.folder, "a/../../b", id="folder that leads out later"),
        pytest.param(patterns.folder, "/a", id="absolute folder"),
        pytest.param(patterns.folder, "~/a", id="folder at home"),
        pytest.param(patterns.folder, "./", id="the mirror itself"),
        pytest.param(patterns.folder, "a*/", id="folder with a wildcard"),
        pytest.param(patterns.folder, "a b/", id="folder with a blank"),
        pytest.param(patterns.image, "a/b.iso", id="image in a folder"),
        pytest.param(patterns.image, "../b.iso", id="image that leads out"),
        pytest.param(patterns.image, "b.img", id="image with another ending"),
        pytest.param(patterns.image, ".iso", id="image without a name"),
        pytest.param(patterns.image, "-b.iso", id="image like an option"),
        pytest.param(patterns.workdir, "../a", id="workdir that leads out"),
        pytest.param(patterns.workdir, "~no.such.user/a", id="workdir of nobody"),
        pytest.param(patterns.rate, "fast", id="rate in words"),
        pytest.param(patterns.rate, "-1", id="rate below zero"),
        pytest.param(patterns.server, "http://h/a", id="server without trailing slash"),
        pytest.param(patterns.server, "http://h", id="server without a path"),
        pytest.param(patterns.server, "rsync://h/m/", id="server that browsers cannot read"),
        pytest.param(patterns.server, "http://h/a b/", id="server with a blank"),
        pytest.param(patterns.web_mirror, "rsync://h/m/", id="mirror that is on no web server"),
        pytest.param(patterns.web_mirror, "h/m/", id="mirror that is a folder here"),
        pytest.param(patterns.web_mirror, "http://me:secret@h/", id="mirror with a password"),
        pytest.param(patterns.web_mirror, "http://h/../", id="mirror that leads out"),
        pytest.param(patterns.web_mirror, "http://h/?a", id="mirror with a query"),
        pytest.param(patterns.speed, "fast", id="speed in words"),
        pytest.param(patterns.speed, "0", id="speed of nothing"),
        pytest.param(patterns.speed, "0.5", id="speed of half a byte"),
        pytest.param(patterns.speed, "0.0k", id="speed of nothing with a unit"),
        pytest.param(patterns.speed, "2m/s", id="speed with a wrong unit"),
        pytest.param(patterns.place, "../a", id="place that leads out"),
        pytest.param(patterns.place, ".", id="the root itself"),
        pytest.param(patterns.place, "a/.git", id="hidden place"),
        pytest.param(patterns.volume_id, "x" * 33, id="volume id that is too long"),
        pytest.param(patterns.volume_id, "x" * 32 + "{arch}", id="volume id that cannot fit"),
        pytest.param(patterns.volume_id, "SMÉ", id="volume id that is not ASCII"),
        pytest.param(patterns.volume_id, "SME ", id="volume id that ends in a blank"),
        pytest.param(patterns.volume_id, "a\tb", id="volume id with a tab"),
        pytest.param(patterns.title, "x" * 201, id="title that is too long"),
        pytest.param(patterns.command, "ssh 'a", id="command with an open quote"),
        pytest.param(patterns.command, " ", id="command that is blank"),
        pytest.param(patterns.command, "''", id="command with an empty name"),
        pytest.param(patterns.command, "-p 22", id="options without a command"),
        pytest.param(patterns.key, "--yes", id="key like an option"),
        pytest.param(patterns.one_of(Stage), "gamma", id="word that is not known"),
        pytest.param(patterns.arch, "x86 64", id="arch with a blank"),
        pytest.param(patterns.name, "a=b", id="label with an equals sign"),
        pytest.param(patterns.digest("md5"), "ab" * 32, id="SHA-256 as MD5"),
        pytest.param(patterns.digest("md5"), "xy" * 16, id="digest that is not hexadecimal"),
    ],
)
def test_a_wrong_text_is_refused(check: Callable[[str], object], text: str) -> None:
    with pytest.raises(RefusedError) as caught:
        check(text)

    assert caught.value.hint


@pytest.mark.parametrize(
    ("check", "top"),
    [
        pytest.param(patterns.path, "the mirror", id="path"),
        pytest.param(patterns.tree_path, "the tree", id="tree"),
        pytest.param(patterns.place, "the root", id="place"),
    ],
)
def test_a_path_that_leads_out_is_told_of_what(check: Callable[[str], str], top: str) -> None:
    with pytest.raises(RefusedError, match=f"below {top}"):
        check("../a")
