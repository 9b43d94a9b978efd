"""What is wrong in a descriptor is said with its place and with what to write instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from release_builder.descriptor.mirror import Kind
from release_builder.errors import DescriptorError, Status
from release_builder.loader import InvalidDescriptorError, load

if TYPE_CHECKING:
    from pathlib import Path

THREE = "version: 9.0beta3\narch: x86_64\nmirror: rsync://host/module/\n"
MD5 = "a509d21d476f66b9d27135599b3e6936"
PROFILE = """\
name: own
arches: x86_64
image: own-{version}.iso
tree: os
jigdo: iso
servers: {Own: {beta: "http://h/b/", final: "http://h/f/"}}
include: GPL
"""


def write(folder: Path, text: str, name: str = "sme.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("written", ["9", "8.0", "8.10", "10.1", "7.1.3", "9.0beta3", "1e5", "08"])
@pytest.mark.parametrize("quotes", ["{}", "'{}'", '"{}"'])
def test_a_version_is_read_from_the_source_text(workdir: Path, written: str, quotes: str) -> None:
    text = THREE.replace("9.0beta3", quotes.format(written))

    if written == "1e5":
        with pytest.raises(InvalidDescriptorError, match="'1e5' is not a version"):
            load(write(workdir, text))
    else:
        assert load(write(workdir, text)).version.text == written


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        pytest.param("serverz: 1", "4:1: serverz: there is no such key; did you mean servers?"),
        pytest.param(
            "track: testing/9", "4:8: track: stands in the place of `version`; keep one of them"
        ),
        pytest.param("<<: {a: b}", "4:1: <<: there is no such key"),
        pytest.param("path: x", "4:1: path: there is no such key"),
        pytest.param("arch: i386", "4:1: arch: is here again, first at 2:1; keep one"),
        pytest.param("? [a]\n: b", "4:3: this key is no plain word"),
        pytest.param("tree:", "4:6: tree: has no value; write one, or remove the line"),
        pytest.param("tree: ''", "4:7: tree: has no value"),
        pytest.param('tree: "a\\nb"', "4:7: tree: 'a\\x0ab' has control characters"),
        pytest.param(
            "tree: {arch}", "4:7: tree: this must be a single value; write one; in quotes"
        ),
        pytest.param("tree: ../x", "4:7: tree: '../x' has .. in it"),
        pytest.param("tree: a/{ach}", "4:7: tree: {ach} is not known; did you mean {arch}?"),
        pytest.param("jigdo: [a, /b]", "4:12: jigdo: '/b' is absolute"),
        pytest.param("jigdo: []", "4:8: jigdo: is empty"),
        pytest.param("image: ../x.iso", "4:8: image: '../x.iso' is not the plain name of a file"),
        pytest.param("workdir: ../x", "4:10: workdir: '../x' has .. in it"),
        pytest.param("product: smeservr", "4:10: product: there is no product 'smeservr'; did you"),
        pytest.param(
            "product: debian", "4:10: product: there is no product 'debian'; write one of"
        ),
        pytest.param("product: ./own.yaml", "4:10: product: there is no file "),
        pytest.param("product: [a]", "4:10: product: this must be a single value"),
        pytest.param("sync: fast", "4:7: sync: this must have keys of its own"),
        pytest.param("sync: {max_delte: 1}", "4:8: sync.max_delte: there is no such key; did you"),
        pytest.param(
            "sync: {timeout: '9'}", "4:17: sync.timeout: '9' is not a whole number; write 9"
        ),
        pytest.param("sync: {timeout: 1.5}", "4:17: sync.timeout: '1.5' is not a whole number"),
        pytest.param("sync: {timeout: 0}", "4:17: sync.timeout: 0 is out of range; write 1 to"),
        pytest.param("sync: {timeout: -1}", "4:17: sync.timeout: -1 is out of range"),
        pytest.param("sync: {delete: 'no'}", "4:16: sync.delete: 'no' is neither true nor false"),
        pytest.param("sync: {delete: 1}", "4:16: sync.delete: '1' is neither true nor false"),
        pytest.param("sync: {bwlimit: fast}", "4:17: sync.bwlimit: 'fast' is not a bandwidth"),
        pytest.param("sync: {exclude: [[a]]}", "4:18: sync.exclude: this must be a single value"),
        pytest.param("fetch: fast", "4:8: fetch: this must have keys of its own"),
        pytest.param(
            "fetch: {retry: 3}", "4:9: fetch.retry: there is no such key; did you mean re"
        ),
        pytest.param("fetch: {mirror: 3}", "4:9: fetch.mirror: there is no such key; did you mean"),
        pytest.param("fetch: {connections: 257}", "4:22: fetch.connections: 257 is out of range"),
        pytest.param("fetch: {connections: 0}", "4:22: fetch.connections: 0 is out of range"),
        pytest.param("fetch: {retries: 101}", "4:18: fetch.retries: 101 is out of range; write 0"),
        pytest.param("fetch: {timeout: 0}", "4:18: fetch.timeout: 0 is out of range; write 1 to"),
        pytest.param("fetch: {deadline: 1h}", "4:19: fetch.deadline: '1h' is not a whole number"),
        pytest.param(
            "fetch: {limit_rate: 2mb}",
            "4:21: fetch.limit_rate: '2mb' is no speed; write bytes a second, or such as 500k, 2m",
        ),
        pytest.param("fetch: {ca_bundle: ''}", "4:20: fetch.ca_bundle: has no value"),
        pytest.param("fetch: {mirrors: []}", "4:18: fetch.mirrors: is empty; write at least one"),
        pytest.param(
            "fetch: {mirrors: ['http://a/', 'rsync://b/c/']}",
            "4:32: fetch.mirrors: 'rsync://b/c/' is on no web server; write http://host/path/",
        ),
        pytest.param(
            "fetch: {mirrors: ['htpp://a/']}",
            "4:19: fetch.mirrors: 'htpp://' is not supported; did you mean http://?",
        ),
        pytest.param(
            "fetch: {mirrors: ['http://a/{vresion}/']}",
            "4:19: fetch.mirrors: {vresion} is not known; did you mean {version}?",
        ),
        pytest.param("servers: {}", "4:10: servers: is empty"),
        pytest.param("servers: {A: x}", "4:14: servers.A: this must have keys of its own"),
        pytest.param("servers: {A: {beta: 'http://h/'}}", "4:14: servers.A.final: is missing; add"),
        pytest.param("servers: {'a b': {}}", "4:11: servers.a b: 'a b' is not a name"),
        pytest.param("digests: [a]", "4:10: digests: this must be a single value"),
        pytest.param("digests: {md5: x}", "4:16: digests.md5: 'x' is not a digest"),
        pytest.param("digests: {sha1: x}", "4:11: digests.sha1: there is no such key"),
        pytest.param(
            "digests:\n  size: 727,961,600",
            "5:9: digests.size: '727,961,600' is not a whole number; write 727961600",
        ),
        pytest.param(
            f"digests: {{i386: {{md5: {MD5}}}}}",
            "4:11: digests.i386: is not among the arches; write x86_64",
        ),
    ],
)
def test_a_wrong_line_is_refused_with_its_place(workdir: Path, line: str, complaint: str) -> None:
    path = write(workdir, f"{THREE}{line}\n")

    with pytest.raises(InvalidDescriptorError) as caught:
        load(path)

    assert any(str(one).startswith(f"{path}:{complaint}") for one in caught.value.complaints)
    assert all(one.hint for one in caught.value.complaints)
    assert caught.value.status is Status.WRONG


@pytest.mark.parametrize(
    ("arch", "complaint"),
    [
        pytest.param(
            "amd64", "2:7: arch: smeserver has no 'amd64'; did you mean x86_64?", id="alias"
        ),
        pytest.param(
            "x86-64", "2:7: arch: 'x86-64' is not an arch; did you mean x86_64?", id="dash"
        ),
        pytest.param("i368", "2:7: arch: smeserver has no 'i368'; did you mean i386?", id="typo"),
        pytest.param("s390x", "arch: smeserver has no 's390x'; write one of i386", id="other"),
        pytest.param("[i386, arm]", "2:14: arch: smeserver has no 'arm'", id="in a list"),
        pytest.param("[i386, i386]", "2:14: arch: 'i386' is here again", id="twice"),
        pytest.param("[]", "2:7: arch: is empty", id="none"),
    ],
)
def test_an_arch_that_the_product_has_not_is_refused(
    workdir: Path, arch: str, complaint: str
) -> None:
    path = write(workdir, THREE.replace("x86_64", arch))

    with pytest.raises(InvalidDescriptorError) as caught:
        load(path)

    assert complaint in str(caught.value)
    assert len(caught.value.complaints) == 1


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        pytest.param("image: a.iso\nworkdir: w\n", "4:8: image: is the same", id="image"),
        pytest.param(f"digests: {{md5: {MD5}}}\n", "4:10: digests: these are of one", id="digests"),
    ],
)
def test_what_is_of_one_image_is_refused_for_several_arches(
    workdir: Path, lines: str, complaint: str
) -> None:
    path = write(workdir, THREE.replace("x86_64", "[x86_64, i386]") + lines)

    with pytest.raises(InvalidDescriptorError) as caught:
        load(path)

    assert complaint in str(caught.value)


def test_all_that_is_wrong_is_said_at_once_in_the_order_of_the_file(workdir: Path) -> None:
    path = write(workdir, "tree: /x\nversion: 9.0bta3\narch: amd64\nmirror: ftp://h/\nxx: 1\n")

    with pytest.raises(InvalidDescriptorError) as caught:
        load(path)

    assert [(one.line, one.key) for one in caught.value.complaints] == [
        (1, "tree"),
        (2, "version"),
        (3, "arch"),
        (4, "mirror"),
        (5, "xx"),
    ]


def test_missing_keys_are_named_with_an_example(workdir: Path) -> None:
    path = write(workdir, "version: 9\n")

    with pytest.raises(InvalidDescriptorError) as caught:
        load(path)

    assert [one.key for one in caught.value.complaints] == ["arch", "mirror"]
    assert "add such as `arch: x86_64`" in str(caught.value)


def test_a_complaint_has_no_control_characters_of_the_file(workdir: Path) -> None:
    path = write(workdir, f'{THREE}"\\e[31m": 1\n')

    with pytest.raises(InvalidDescriptorError) as caught:
        load(path)

    assert str(caught.value).isprintable()
    assert "\\x1b[31m: there is no such key" in str(caught.value)


def test_the_mirror_of_the_command_line_goes_before_that_of_the_file(
    workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workdir)
    (workdir / "configs").mkdir()
    path = write(workdir / "configs", THREE)

    descriptor = load(path, mirror="copy")

    assert descriptor.mirror.kind is Kind.LOCAL
    assert descriptor.mirror.local_path == workdir / "copy"


def test_the_mirror_of_the_command_line_stands_in_for_a_missing_one(workdir: Path) -> None:
    path = write(workdir, "version: 9\narch: i386\n")

    descriptor = load(path, mirror="rsync://host/module")

    assert descriptor.mirror.url == "rsync://host/module/"


def test_a_wrong_mirror_of_the_command_line_is_refused(workdir: Path) -> None:
    with pytest.raises(DescriptorError, match="--mirror: 'ftp://' is not supported"):
        load(write(workdir, THREE), mirror="ftp://host/")


def test_a_profile_of_ones_own_lies_relative_to_the_descriptor(workdir: Path) -> None:
    write(workdir, PROFILE, "own.yaml")
    path = write(workdir, f"{THREE}product: ./own.yaml\n")

    (release,) = load(path).releases()

    assert (release.product, release.image) == ("own", "own-9.0beta3.iso")
    assert release.workdir == workdir / "own-x86_64"
    assert release.wanted == ("iso/", "os/", "GPL")


def test_what_is_wrong_in_a_profile_is_said_with_its_place_there(workdir: Path) -> None:
    profile = write(workdir, PROFILE.replace("tree: os", "tre: os"), "own.yaml")
    path = write(workdir, f"{THREE}product: own.yaml\nsync: 1\n")

    with pytest.raises(InvalidDescriptorError) as caught:
        load(path)

    assert [(one.file, one.line, one.key) for one in caught.value.complaints] == [
        (profile, 1, "tree"),
        (profile, 4, "tre"),
        (path, 5, "sync"),
    ]
