"""The tree is looked over before an image is made of it: all at once, and nothing is written."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from composing import VOLUME, Bench, make_bench, messages

from release_builder.errors import DescriptorError, IncompleteError
from release_builder.loader import load
from release_builder.plan import Options, Plan
from release_builder.plan.workdir import Workdir
from release_builder.report import Outcome, Severity
from release_builder.steps import lint
from release_builder.steps.compose_tree import installer_tree, read_tree
from release_builder.steps.lint_packages import fits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from release_builder.demo.release import Release
    from release_builder.digests import Digest

WRONG = Severity.WRONG


@pytest.fixture
def bench(tmp_path: Path, small_release: Release) -> Bench:
    return make_bench(tmp_path, small_release)


@dataclass
class Memory:
    """A cache that tells what it learnt."""

    known: dict[tuple[int, str], Digest] = field(default_factory=dict)
    computed: int = 0

    def get(self, status: os.stat_result, algorithm: str) -> Digest | None:
        return self.known.get((status.st_ino, algorithm))

    def put(self, status: os.stat_result, digest: Digest) -> None:
        self.computed += 1
        self.known[status.st_ino, digest.algorithm] = digest


def stamps(tree: Path) -> dict[Path, tuple[int, int]]:
    """What changes when something is written."""
    return {path: (path.lstat().st_size, path.lstat().st_ctime_ns) for path in tree.rglob("*")}


def test_a_right_tree_is_fit(bench: Bench) -> None:
    before = stamps(bench.tree)

    result = lint.run(bench.context)

    assert result.outcome is Outcome.DONE
    assert messages(result, WRONG) == messages(result, Severity.WARNING) == []
    assert result.counts["packages"] == 8
    assert stamps(bench.tree) == before
    assert not bench.image.parent.exists()


def test_without_keys_signatures_are_told_as_claims(bench: Bench) -> None:
    result = lint.run(bench.context)

    assert messages(result, Severity.NOTE) == ["of 8 packages, claimed only: 8 unsigned"]


def _appended(path: str, text: str) -> Callable[[Bench], None]:
    def spoil(bench: Bench) -> None:
        with (bench.tree / path).open("a") as out:
            out.write(text)

    return spoil


def _gone(path: str) -> Callable[[Bench], None]:
    return lambda bench: (bench.tree / path).unlink()


def _replaced(path: str, old: str, new: str) -> Callable[[Bench], None]:
    return lambda bench: bench.replace(path, old, new)


def _linked(target: str) -> Callable[[Bench], None]:
    return lambda bench: (bench.tree / "link").symlink_to(target)


def _grub(bench: Bench) -> None:
    menu = bench.tree / "EFI" / "BOOT" / "grub.cfg"
    menu.parent.mkdir(parents=True)
    menu.write_text("linuxefi /vmlinuz inst.stage2=hd:LABEL=SME\\x209\n")


def _cut(bench: Bench) -> None:
    package = bench.package()
    os.truncate(package, package.stat().st_size - 1)


def _noise(bench: Bench) -> None:
    bench.package().write_bytes(b"no package")


def _fifo(bench: Bench) -> None:
    os.mkfifo(bench.tree / "pipe")


def _metadata_gone(bench: Bench) -> None:
    shutil.rmtree(bench.tree / "repodata")


def _primary_spoilt(bench: Bench) -> None:
    next((bench.tree / "repodata").glob("*-primary.xml.gz")).write_bytes(b"noise")


def _renamed(bench: Bench) -> None:
    package = bench.package()
    package.rename(package.with_name("other-1-1.noarch.rpm"))


def _package_gone(bench: Bench) -> None:
    bench.package().unlink()


CFG, INFO = "isolinux/isolinux.cfg", ".treeinfo"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        pytest.param(_gone("isolinux/isolinux.bin"), "the boot file, isolinux/isolinux.bin is not", id="no loader"),
        pytest.param(_gone("isolinux/ldlinux.c32"), "ldlinux.c32 is not in the tree", id="no module"),
        pytest.param(_gone(CFG), "the boot menu, isolinux/isolinux.cfg is not", id="no menu"),
        pytest.param(_gone("isolinux/initrd.img"), "line 11, loads it: isolinux/initrd.img is not", id="no initrd"),
        pytest.param(_replaced(CFG, "vmlinuz", "/kernel"), "line 10, loads it: kernel is not", id="no kernel"),
        pytest.param(_replaced(CFG, VOLUME, "SME"), "starts from the volume 'SME', and the volume id is", id="label"),
        pytest.param(_grub, "EFI/BOOT/grub.cfg, line 1: it starts from the volume 'SME 9'", id="label for UEFI"),
        pytest.param(_gone(".discinfo"), ".discinfo is not in the tree", id="no discinfo"),
        pytest.param(_replaced(".discinfo", "x86_64", "i386"), ".discinfo: the tree is for 'i386'", id="other arch"),
        pytest.param(_replaced(".discinfo", "1391212800.0", "then"), ".discinfo: its lines", id="discinfo"),
        pytest.param(_gone(INFO), ".treeinfo is not in the tree", id="no treeinfo"),
        pytest.param(_replaced(INFO, "arch = x86_64", "arch = ppc"), ".treeinfo: the tree is for 'ppc'", id="arch"),
        pytest.param(_replaced(INFO, "sha256:", "sha256:f"), "is no digest", id="treeinfo"),
        pytest.param(_appended("images/install.img", "x"), "images/install.img: found sha256:", id="checksum"),
        pytest.param(_gone("images/install.img"), "names it: images/install.img is not", id="no image"),
        pytest.param(_linked("../../up"), "link is a link to ../../up, which is not there", id="dangling"),
        pytest.param(_linked(".."), "link is a link to .., out of the tree", id="link out"),
        pytest.param(_linked("link"), "link is a link to link, which is not there", id="circle"),
        pytest.param(_fifo, "pipe is neither file, folder nor link", id="FIFO"),
        pytest.param(_metadata_gone, "repodata/repomd.xml is not in the tree", id="no metadata"),
        pytest.param(_primary_spoilt, "-primary.xml.gz: found sha256:", id="primary.xml"),
        pytest.param(_replaced("repodata/repomd.xml", "<repomd", "<repo"), "repodata/repomd.xml: ", id="repomd.xml"),
        pytest.param(_appended("repodata/comps.xml", "x"), "", id="a stray file"),
        pytest.param(_cut, "cut short", id="cut"),
        pytest.param(_noise, "no RPM", id="noise"),
        pytest.param(_renamed, "is called demo-backup-1.1.1-1.el6.sme.x86_64.rpm by its own header", id="name"),
        pytest.param(_package_gone, "is in the metadata, and not in the tree", id="package gone"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(bench: Bench, spoil: Callable[[Bench], None], words: str) -> None:
    spoil(bench)

    result = lint.run(bench.context)

    told = messages(result, WRONG)
    assert (result.outcome is Outcome.FAILED) == bool(words)
    assert any(words in each for each in told) == bool(words), told


def test_all_is_told_at_once(bench: Bench) -> None:
    for spoil in (_gone("isolinux/initrd.img"), _gone(".discinfo"), _linked(".."), _cut):
        spoil(bench)

    told = messages(lint.run(bench.context), WRONG)

    for words in ("initrd.img", ".discinfo", "out of the tree", "cut short", "say", "metadata"):
        assert any(words in each for each in told), words


def test_an_absolute_link_leaves_the_tree_of_the_image(bench: Bench) -> None:
    (bench.tree / "link").symlink_to(bench.tree / "GPL")

    told = messages(lint.run(bench.context), WRONG)

    assert len(told) == 1
    assert "out of the tree" in told[0]


def test_a_link_over_the_root_leaves_the_tree_of_the_image(bench: Bench) -> None:
    (bench.tree / "link").symlink_to(f"../{bench.tree.name}/GPL")

    told = messages(lint.run(bench.context), WRONG)

    assert len(told) == 1
    assert "out of the tree" in told[0]


def test_links_within_the_tree_are_fine(bench: Bench) -> None:
    (bench.tree / "licence").symlink_to("GPL")
    (bench.tree / "RPMS").symlink_to("Packages")
    package = bench.package()
    (bench.tree / "images" / package.name).symlink_to(f"../Packages/{package.name}")

    result = lint.run(bench.context)

    assert messages(result, WRONG) == []


def test_many_of_a_kind_are_counted(bench: Bench) -> None:
    for number in range(8):
        package = bench.package(number)
        os.truncate(package, package.stat().st_size - 1)

    told = messages(lint.run(bench.context), WRONG)

    assert sum("cut short" in each for each in told) == 5
    assert "3 more packages are not whole; 8 in all" in told


def test_a_package_that_is_there_twice_is_worth_a_look(bench: Bench) -> None:
    shutil.copy(bench.package(), bench.tree / "images")

    result = lint.run(bench.context)

    assert messages(result, Severity.WARNING) == [
        "demo-backup.x86_64 is there 2 times: 1.1.1-1.el6.sme, 1.1.1-1.el6.sme"
    ]


def test_an_image_that_is_too_large_is_foreseen(bench: Bench) -> None:
    bench.extra = "compose: {medium: cd}\n"
    with (bench.tree / "large").open("wb") as out:
        out.truncate(740_000_000)

    told = messages(lint.run(bench.context), Severity.WARNING)

    assert len(told) == 1
    assert "more than a cd holds: 737,280,000" in told[0]


def test_a_long_volume_id_is_refused(bench: Bench) -> None:
    bench.extra = "compose: {volume_id: 'a-product-with-a-long-name-{version}'}\n"

    told = messages(lint.run(bench.context), WRONG)

    assert any("has 35 characters, more than 32" in each for each in told)


def test_what_is_excluded_is_not_looked_at(bench: Bench) -> None:
    bench.extra = "compose: {exclude: ['*.orig', 'Packages/o*']}\n"
    (bench.tree / "Packages" / "old").mkdir()
    (bench.tree / "Packages" / "old" / "x.rpm").write_bytes(b"noise")
    (bench.tree / "a.orig").symlink_to("/nowhere")

    result = lint.run(bench.context)

    assert messages(result, WRONG) == []


def test_digests_are_remembered(bench: Bench) -> None:
    memory = Memory()
    bench.cache = memory

    lint.run(bench.context)
    first = memory.computed
    result = lint.run(bench.context)

    assert first > 8
    assert memory.computed == first
    assert messages(result, WRONG) == []


@pytest.mark.parametrize(
    ("package", "release", "right"),
    [
        pytest.param("noarch", "i386", True, id="noarch"),
        pytest.param("i686", "i386", True, id="i686 on i386"),
        pytest.param("i386", "x86_64", True, id="i386 on x86_64"),
        pytest.param("x86_64", "i386", False, id="x86_64 on i386"),
        pytest.param("x86_64", "x86_64", True, id="x86_64"),
        pytest.param("src", "x86_64", False, id="a source package"),
        pytest.param("aarch64", "aarch64", True, id="aarch64"),
        pytest.param("i386", "aarch64", False, id="i386 on aarch64"),
    ],
)
def test_a_package_fits_an_arch(package: str, release: str, right: bool) -> None:
    assert fits(package, release) is right


def test_a_tree_that_is_not_fetched_yet_is_incomplete(tmp_path: Path) -> None:
    descriptor = tmp_path / "sme9.yaml"
    descriptor.write_text("version: 9.0beta3\narch: x86_64\nmirror: rsync://h/m/\n")
    release = load(descriptor).releases()[0]
    plan = Plan(release, Workdir(tmp_path / "work"), ("lint",), Options())

    with pytest.raises(IncompleteError, match=r"no installer tree at .*/work/tree/smeos/x86_64"):
        installer_tree(plan)
    (tmp_path / "work" / "tree" / "smeos" / "x86_64").mkdir(parents=True)

    assert installer_tree(plan) == tmp_path / "work" / "tree" / "smeos" / "x86_64"


def test_a_local_mirror_without_a_tree_is_refused(bench: Bench) -> None:
    shutil.rmtree(bench.tree)

    with pytest.raises(DescriptorError, match="no installer tree"):
        lint.run(bench.context)


@pytest.mark.parametrize(
    ("pattern", "left_out"),
    [
        pytest.param("c*", ["a/b/c", "c"], id="a name, anywhere"),
        pytest.param("/c", ["c"], id="at the root"),
        pytest.param("a/b/c", ["a/b/c"], id="a path"),
        pytest.param("*/b/", ["a/b"], id="a folder"),
        pytest.param("*/c", [], id="no wildcard is a slash"),
        pytest.param("a[b]c", [], id="other names"),
    ],
)
def test_patterns_keep_files_out(tmp_path: Path, pattern: str, left_out: list[str]) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    for name in ("a/b/c", "a/d", "c"):
        (tmp_path / name).write_bytes(b"")

    tree = read_tree(tmp_path, [pattern])

    assert tree.left_out == left_out
    out = {path for path in ("a/b/c", "c") if path.startswith(tuple(left_out))}
    assert set(tree.files) == {"a/b/c", "a/d", "c"} - out


def test_the_size_counts_whole_sectors_and_hard_links_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    os.link(tmp_path / "a", tmp_path / "b")
    (tmp_path / "c").symlink_to("a")
    empty = read_tree(tmp_path, ["*"]).image_size()

    size = read_tree(tmp_path).image_size()

    assert size - empty == 2048 + 3 * 512
