"""What may be compared: trees, .jigdo files, published releases, descriptors, the web."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from bad_server import BadServer, Trouble
from comparing import CHANGES, NEW, OLD, bytes_to_fetch, lay_out_release, lay_out_tree

from release_builder import api
from release_builder.errors import DescriptorError, IncompleteError, WrongBytesError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from release_builder.comparison import Comparison

HTTP = api.HttpOptions(retries=0, timeout=5)
PAGE = (("Content-Type", "text/html"),)


def changes(comparison: Comparison) -> dict[str, str]:
    return {change.name: change.kind.value for change in comparison.packages}


@pytest.fixture
def old(workdir: Path) -> Path:
    return lay_out_release(workdir / "9.0beta3", OLD)


@pytest.fixture
def new(workdir: Path) -> Path:
    return lay_out_release(workdir / "9.0beta4", NEW)


@pytest.fixture
def web(new: Path) -> Iterator[BadServer]:
    """A server with NEW, whose folders are answered with lists of what is in them."""
    files = {path for path in new.rglob("*") if path.is_file()}
    content = {f"/9/{path.relative_to(new)}": path.read_bytes() for path in files}
    troubles = {}
    for folder in ("", "iso/", "iso/x86_64/", "smeos/", "smeos/x86_64/"):
        names = sorted(
            f"{path.name}/" if path.is_dir() else path.name for path in (new / folder).iterdir()
        )
        links = "".join(f'<a href="{name}">{name}</a>\n' for name in names)
        content[f"/9/{folder}"] = f'<a href="../">up</a><a href="?C=N">Name</a>{links}'.encode()
        troubles[f"/9/{folder}"] = Trouble(headers=PAGE)
    with BadServer(content, troubles) as server:
        yield server


def compare(old: Path | str, new: Path | str, arch: str | None = None) -> Comparison:
    return api.compare_releases(str(old), str(new), api.CompareOptions(arch=arch, http=HTTP))


@pytest.mark.parametrize(
    "place",
    [
        pytest.param("", id="published"),
        pytest.param("smeos/x86_64", id="tree"),
        pytest.param("iso/x86_64", id="folder of a pair"),
        pytest.param("iso/x86_64/cd-x86_64.jigdo", id="jigdo"),
    ],
)
@pytest.mark.parametrize("other", ["", "smeos/x86_64", "iso/x86_64/cd-x86_64.jigdo"])
def test_any_two_can_be_compared(old: Path, new: Path, place: str, other: str) -> None:
    comparison = compare(old / place, new / other)

    assert changes(comparison) == CHANGES
    assert comparison.unchanged == 1
    assert [each.path for each in comparison.files if each.kind == "changed"] == ["images/boot.img"]
    assert comparison.fetching.part_bytes == bytes_to_fetch(OLD, NEW)
    has_template = "smeos" not in other
    size = (new / "iso/x86_64/cd.template").stat().st_size if has_template else None
    assert comparison.fetching.template_bytes == size
    assert comparison.problems == ()


def test_trees_tell_changelogs(old: Path, new: Path) -> None:
    assert compare(old, new).bugs == (7001, 8123)


def test_trees_are_read_in_the_algorithm_of_the_pair(workdir: Path, old: Path) -> None:
    strong = lay_out_release(workdir / "strong", replace(NEW, algorithm="sha256"))

    comparison = compare(old / "smeos/x86_64", strong)

    assert comparison.fetching.part_bytes == bytes_to_fetch(OLD, NEW)


def test_digests_of_two_algorithms_are_not_compared(workdir: Path, old: Path) -> None:
    strong = lay_out_release(workdir / "strong", replace(NEW, algorithm="sha256"))

    comparison = compare(old / "iso/x86_64", strong / "iso/x86_64")

    assert comparison.fetching.count is None
    assert "md5" in comparison.fetching.why
    assert "sha256" in comparison.fetching.why


def test_without_its_template_sizes_are_unknown(old: Path, new: Path) -> None:
    (new / "iso/x86_64/cd.template").unlink()

    comparison = compare(old, new / "iso/x86_64")

    assert changes(comparison) | {"signed": "rebuilt"} == CHANGES
    assert comparison.new.size is None
    assert (comparison.fetching.count, comparison.fetching.part_bytes) == (5, None)
    assert any("template" in each for each in comparison.problems)


def test_a_template_of_another_is_not_used(old: Path, new: Path) -> None:
    shutil.copyfile(old / "iso/x86_64/cd.template", new / "iso/x86_64/cd.template")

    comparison = compare(old, new / "iso/x86_64")

    assert comparison.fetching.part_bytes is None
    assert any("another's template" in each for each in comparison.problems)


def test_a_broken_package_counts_by_its_name_and_is_told(old: Path, new: Path) -> None:
    broken = new / "smeos/x86_64/Packages/mail-1.0-3.el6.sme.noarch.rpm"
    broken.write_bytes(b"no RPM at all" * 1000)

    comparison = compare(old, new)

    assert changes(comparison) == CHANGES
    assert any("mail-1.0-3" in each for each in comparison.problems)


def test_of_several_architectures_one_can_be_chosen(workdir: Path, old: Path) -> None:
    both = lay_out_release(workdir / "both", NEW)
    lay_out_release(both, OLD, "i386")
    lay_out_release(old, OLD, "i386")

    assert changes(compare(old, both, "i386")) == {}
    assert changes(compare(old, both, "x86_64")) == CHANGES
    with pytest.raises(DescriptorError, match="of aarch64 in it"):
        compare(old, both, "aarch64")


def test_generations_that_are_not_public_are_not_looked_at(old: Path, new: Path) -> None:
    lay_out_release(new / "iso" / ".next", OLD)
    (new / "iso/x86_64/.cd.jigdo").write_bytes(OLD.jigdo())

    assert changes(compare(old, new)) == CHANGES


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("absent", id="absent"),
        pytest.param("", id="no name"),
        pytest.param("empty", id="empty folder"),
        pytest.param("text", id="another file"),
        pytest.param("dangling", id="a link that leads nowhere"),
        pytest.param("ftp://a.example/", id="another protocol"),
        pytest.param("http://a.example/cd.iso", id="an image on the web"),
    ],
)
def test_what_is_no_release_is_refused(workdir: Path, old: Path, name: str) -> None:
    (workdir / "empty").mkdir()
    (workdir / "text").write_text("hello")
    (workdir / "dangling").symlink_to("nowhere")
    os.chdir(workdir)

    with pytest.raises(DescriptorError, match="is no release") as caught:
        compare(old, name)

    assert "installer tree" in caught.value.hint


def test_a_jigdo_that_is_none_is_refused(workdir: Path, old: Path) -> None:
    (workdir / "a.jigdo").write_text("hello")

    with pytest.raises(WrongBytesError, match=r"a\.jigdo"):
        compare(old, workdir / "a.jigdo")


def test_a_pipe_is_not_waited_for(workdir: Path, old: Path) -> None:
    os.mkfifo(workdir / "a.jigdo")

    with pytest.raises(OSError, match="not a regular file"):
        compare(old, workdir / "a.jigdo")


@pytest.mark.parametrize("path", ["/9/", "/9", "/9/iso/x86_64/cd-x86_64.jigdo"])
def test_a_release_on_the_web_is_read_by_its_jigdo(old: Path, web: BadServer, path: str) -> None:
    comparison = compare(old, web.url + path)

    assert changes(comparison) == CHANGES
    assert comparison.fetching.part_bytes == bytes_to_fetch(OLD, NEW)
    assert comparison.fetching.template_bytes == len(NEW.template)
    assert comparison.problems == ()


def test_of_a_large_template_only_the_end_is_fetched(old: Path, web: BadServer) -> None:
    large = replace(NEW, gap=os.urandom(1 << 20))
    web.content["/9/iso/x86_64/cd.template"] = large.template

    comparison = compare(old, f"{web.url}/9/iso/x86_64/cd-x86_64.jigdo")

    assert comparison.fetching.total == bytes_to_fetch(OLD, NEW) + len(large.template)
    ranges = [each.headers.get("range") for each in web.requests if each.path.endswith("template")]
    assert ranges == [None, f"bytes={len(large.template) - (1 << 17)}-"]


def test_a_web_release_without_its_template_is_compared_by_names(old: Path, web: BadServer) -> None:
    del web.content["/9/iso/x86_64/cd.template"]

    comparison = compare(old, f"{web.url}/9/")

    assert comparison.fetching.part_bytes is None
    assert any("not found" in each for each in comparison.problems)


def test_a_server_that_is_away_is_asked_again_later(old: Path) -> None:
    with pytest.raises(IncompleteError):
        compare(old, "http://127.0.0.1:1/9/")


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(
            b'<a href="http://elsewhere.example/cd.jigdo">elsewhere</a><a href="http://[">odd</a>',
            id="other servers",
        ),
        pytest.param(b"<![" * 9, id="begins of declarations"),
    ],
)
def test_a_page_without_a_jigdo_is_no_release(old: Path, page: bytes) -> None:
    with (
        BadServer({"/": page}, {"/": Trouble(headers=PAGE)}) as server,
        pytest.raises(DescriptorError, match=r"lead to no \.jigdo"),
    ):
        compare(old, f"{server.url}/")


def test_offline_nobody_is_asked(old: Path, web: BadServer) -> None:
    with pytest.raises(IncompleteError, match="on the web"):
        api.compare_releases(str(old), f"{web.url}/9/", api.CompareOptions(offline=True))

    assert web.requests == []


def write_descriptor(folder: Path) -> Path:
    path = folder / "sme.yaml"
    path.write_text(
        "version: 9.0beta4\narch: x86_64\nmirror: rsync://127.0.0.1:1/none/\nworkdir: w\n"
    )
    return path


def test_the_release_of_a_descriptor_is_read_in_its_workdir(workdir: Path, old: Path) -> None:
    lay_out_release(workdir / "w" / "tree", NEW)

    comparison = compare(old, write_descriptor(workdir))

    assert changes(comparison) == CHANGES
    assert comparison.fetching.template_bytes == len(NEW.template)


def test_the_tree_of_a_descriptor_suffices(workdir: Path, old: Path) -> None:
    lay_out_tree(workdir / "w/tree/smeos/x86_64", NEW)

    assert changes(compare(old, write_descriptor(workdir))) == CHANGES


def test_a_descriptor_whose_release_was_not_fetched_says_so(workdir: Path, old: Path) -> None:
    with pytest.raises(IncompleteError, match="fetched"):
        compare(old, write_descriptor(workdir))
