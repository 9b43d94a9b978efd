"""Each of configs/ is planned against a mirror that is laid out as its real one is."""

from __future__ import annotations

import filecmp
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from builders import digest, jigdo_file_pair, make_image, make_tree
from program import release_builder

from release_builder.demo.daemon import rsync_daemon
from release_builder.loader import load

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.interop

CONFIGS = Path(__file__).parents[2] / "configs"
CONTRIBS = "http://mirror.contribs.org/releases"
FILES = {
    ".discinfo": 60,
    "Packages/first-1.0-1.noarch.rpm": 3000,
    "Packages/second-1.0-1.x86_64.rpm": 70_000,
    "images/boot.iso": 9000,
    "repodata/repomd.xml": 1200,
}


@dataclass(frozen=True, slots=True)
class Known:
    """A release as its mirror has, or had, it.

    Attributes:
        config: The file in configs/.
        arch: Its arch.
        tree: Where its packages lie.
        pair: Where its pair lies.
        servers: What [Servers] says, and what it has to say.
        label: The label of [Servers].
        folder: The name of its folder on the mirror, where the config names a link to it.
        image: The name that its pair has for the image.
    """

    config: str
    arch: str
    tree: str
    pair: str
    servers: tuple[str, str]
    image: str
    label: str = "SMEmirror"
    folder: str = ""


def sme(  # noqa: PLR0917 (the columns of the table below)
    version: str, config: str, arch: str, old: str, new: str, pair: str = "iso", folder: str = ""
) -> Known:
    """A release of SME Server; ``pair`` is where its .jigdo lies."""
    tree = f"smeos/{arch}/"
    servers = (f"{CONTRIBS}/{old}/{tree}", f"{CONTRIBS}/{new}/{tree}")
    image = f"smeserver-{version}-{arch}.iso"
    return Known(f"{config}.yaml", arch, tree, f"{pair}/{arch}/", servers, image, folder=folder)


_CENTOS = "http://mirror.centos.org/centos-5/5/os/i386/"
# Betas name the path of the final, where they never lay.
RELEASES = (
    sme("8.0rc1", "sme-8.0rc1", "i386", "8", "testing/8.0rc1"),
    sme("8.1beta2", "sme-8.1beta2", "i386", "8", "testing/8.1beta2", "smeos"),
    sme("8.1beta3", "sme-8.1beta3", "i386", "8", "testing/8.1beta3"),
    sme("8.1beta3", "sme-8.1beta3", "x86_64", "8", "testing/8.1beta3"),
    sme("9.0beta3", "sme-9.0beta3-i386", "i386", "9", "testing/9.0beta3"),
    sme("9.0beta3", "sme-9.0beta3-x86_64", "x86_64", "9", "testing/9.0beta3"),
    sme("9.2", "sme-9", "x86_64", "9", "9", folder="9.2"),
    sme("10.1", "sme-10.1", "x86_64", "10.1", "10"),
    Known(
        "centos-5.yaml",
        "i386",
        "os/i386/",
        "isos/i386/",
        (_CENTOS, _CENTOS),
        "CentOS-5.0-i386-bin-DVD.iso",
        label="Centosmirrors",
    ),
)

# A beta; one whose digest is known; a final behind a link; another product.
BUILT = ("sme-9.0beta3-x86_64.yaml", "sme-8.1beta2.yaml", "sme-9.yaml", "centos-5.yaml")


@dataclass(frozen=True, slots=True)
class Laid:
    """The mirror of all releases.

    Attributes:
        url: Of its one module.
        root: What it serves.
        images: The images that the pairs were made from, by config and arch.
    """

    url: str
    root: Path
    images: dict[tuple[str, str], Path]

    def path(self, known: Known) -> str:
        """Where the release lies below the module, as the URL of its real mirror has it."""
        real = urlsplit(load(CONFIGS / known.config).mirror.url).path
        return real.lstrip("/").removeprefix("smeserver/")


@pytest.fixture(scope="module")
def laid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laid]:
    served = tmp_path_factory.mktemp("served")
    with rsync_daemon(served) as url:
        mirror = Laid(url, served, {})
        for number, known in enumerate(RELEASES):
            made = tmp_path_factory.mktemp(f"made{number}")
            lay_out(known, served / mirror.path(known), made)
            mirror.images[known.config, known.arch] = made / known.image
        yield mirror


def lay_out(known: Known, folder: Path, made: Path) -> None:
    """Put ``known`` into ``folder``, and its image, which the mirror has as well, into ``made``."""
    if known.folder:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.symlink_to(known.folder)
        folder = folder.with_name(known.folder)
    tree = make_tree(folder / known.tree, FILES, known)
    image = make_image(tree, made / known.image)
    pair = jigdo_file_pair(image, tree, made / "pair", label=known.label, url=known.servers[0])
    beside = folder / known.pair
    beside.mkdir(parents=True, exist_ok=True)
    for file in (pair.jigdo, pair.template, image):
        shutil.copy(file, beside)
    (beside / "md5sum.txt").write_text(f"{digest(image).hex}  {image.name}\n")


def releases_of(config: str) -> list[Known]:
    return [known for known in RELEASES if known.config == config]


def below(folder: Path) -> dict[Path, int]:
    """All there is below ``folder``, with the time of its last change."""
    return {path: path.lstat().st_mtime_ns for path in (folder, *folder.rglob("*"))}


@pytest.mark.parametrize("config", sorted(path.name for path in CONFIGS.glob("*.yaml")))
def test_a_plan_says_what_a_build_would_do_and_leaves_nothing_behind(
    laid: Laid, workdir: Path, tmp_path: Path, config: str
) -> None:
    known = releases_of(config)
    mirror = laid.url + laid.path(known[0])
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    before = {folder: below(folder) for folder in (CONFIGS, laid.root, tmp_path)}

    planned = release_builder(
        *("plan", "--json", "--mirror", mirror, "--workdir", workdir / "w", CONFIGS / config),
        cwd=workdir,
        env={**os.environ, "TMPDIR": str(scratch)},
    )

    assert planned.status == 0, planned.stdout + planned.stderr
    del before[tmp_path][scratch]  # its time tells of files that came and went
    after = {folder: below(folder) for folder in before}
    del after[tmp_path][scratch]
    assert after == before
    plans = planned.document["plans"]
    assert [plan["arch"] for plan in plans] == [each.arch for each in known]
    for plan, each in zip(plans, known, strict=True):
        assert_planned(plan, each, laid, mirror)


def assert_planned(plan: dict[str, object], known: Known, laid: Laid, mirror: str) -> None:
    """The plan is what anyone who looks at the mirror would expect."""
    (release,) = (
        each for each in load(CONFIGS / known.config).releases() if each.arch == known.arch
    )
    steps = plan["steps"]
    assert isinstance(steps, list)
    sync, rewrite, assemble, _ = steps
    stem = known.image.removesuffix(".iso")
    names = [f"{known.tree}{name}" for name in FILES]
    names += [f"{known.pair}{name}" for name in (f"{stem}.jigdo", f"{stem}.template", "md5sum.txt")]
    root = laid.root / laid.path(known)
    wanted = {name: (root / name).stat().st_size for name in names}
    old, new = known.servers
    assert {each["path"]: each["bytes"] for each in sync["fetch"]} == wanted
    assert (sync["bytes_to_fetch"], sync["delete"]) == (sum(wanted.values()), [])
    assert sync["mirror"] == mirror
    assert rewrite["jigdo"] == f"{known.pair}{stem}.jigdo"
    assert [(each["label"], each["old"], each["new"]) for each in rewrite["changes"]] == (
        [(known.label, old, new)] if old != new else []
    )
    assert Path(assemble["image"]).name == release.image
    assert assemble["image_there"] is False
    assert assemble["bytes_exact"] is (release.size is not None)
    assert assemble["bytes"] == release.size or (assemble["bytes"] > 0 and not release.size)
    assert plan["findings"] == []


@pytest.mark.parametrize(
    "known",
    [known for known in RELEASES if known.config in BUILT],
    ids=lambda known: f"{known.config}-{known.arch}",
)
def test_it_is_the_image_of_the_mirror_that_is_built(
    laid: Laid, workdir: Path, known: Known
) -> None:
    """8.1beta2 has the digest of its real image, so ours must be refused."""
    text = (CONFIGS / known.config).read_text().replace("[i386, x86_64]", known.arch)
    (workdir / known.config).write_text(text)
    mirror = laid.url + laid.path(known)

    built = release_builder("build", "--mirror", mirror, known.config, cwd=workdir)

    image = workdir / f"{load(workdir / known.config).profile.name}-{known.arch}" / "image"
    if "digests:" in text:
        assert built.status == 2
        assert "the descriptor says md5:a509d21d476f66b9d27135599b3e6936, found" in built.stderr
        assert not list(image.glob("*.iso"))
    else:
        assert built.status == 0, built.stderr
        (made,) = image.iterdir()
        assert filecmp.cmp(made, laid.images[known.config, known.arch], shallow=False)
