"""The jigdo-lite look-alike where jigdo-lite is used: the wiki's commands, real pairs, a real server.

The program is a link called jigdo-lite, first in PATH.
"""

from __future__ import annotations

import filecmp
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from builders import jigdo_file_pair, make_image, make_tree, run, xorriso_image_with_pair
from web_server import serve

import release_builder

if TYPE_CHECKING:
    from builders import Pair

pytestmark = pytest.mark.interop

WIKI = "jigdo-lite --noask --scan ../../smeos/x86_64/ *.jigdo"
FOUND = "files required by the template"
GOOD = "Checksums match, image is good"


@dataclass(frozen=True, slots=True)
class Mirror:
    """A copy of a mirror's release: ``iso/x86_64`` with a pair, ``smeos/x86_64`` with its files.

    Attributes:
        root: The folder of both.
        pair: The pair, and its image in another place.
        path: What PATH is.
    """

    root: Path
    pair: Pair
    path: str

    @property
    def here(self) -> Path:
        return self.root / "iso" / "x86_64"

    @property
    def tree(self) -> Path:
        return self.root / "smeos" / "x86_64"

    @property
    def image(self) -> Path:
        return self.here / self.pair.image.name

    def shell(self, command: str, answers: str = "") -> subprocess.CompletedProcess[str]:
        """Type a command in ``here``."""
        return subprocess.run(
            ["bash", "-c", command],
            cwd=self.here,
            env={**os.environ, "PATH": self.path},
            input=answers,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=120,
            check=False,
        )

    def assert_built(self, ended: subprocess.CompletedProcess[str]) -> None:
        assert ended.returncode == 0, ended.stdout
        assert GOOD in ended.stdout
        assert filecmp.cmp(self.image, self.pair.image, shallow=False)
        assert not list(self.here.glob("*.tmp*"))


@pytest.fixture
def path(tmp_path: Path) -> str:
    """PATH, with a folder in front where jigdo-lite is ours."""
    folder = tmp_path / "bin"
    folder.mkdir()
    ours = folder / "release-builder-jigdo-lite"
    package = Path(release_builder.__file__).parent.parent
    ours.write_text(
        f"#!{sys.executable}\nimport sys\n\nsys.path.insert(0, {str(package)!r})\n"
        "from release_builder.cli.jigdo_lite import main\n\nmain()\n"
    )
    ours.chmod(0o755)
    (folder / "jigdo-lite").symlink_to(ours)
    return f"{folder}:{os.environ['PATH']}"


@pytest.fixture(params=["jigdo-file md5", "jigdo-file sha256", "xorriso md5", "xorriso sha256"])
def mirror(request: pytest.FixtureRequest, workdir: Path, path: str) -> Mirror:
    """With a pair of each writer."""
    writer, algorithm = request.param.split()
    tree = make_tree(workdir / "smeos" / "x86_64")
    here = workdir / "iso" / "x86_64"
    if writer == "jigdo-file":
        image = make_image(tree, workdir / "kept" / "cd.iso")
        pair = jigdo_file_pair(image, tree, here, algorithm=algorithm)
        return Mirror(workdir, pair, path)
    made = xorriso_image_with_pair(tree, workdir / "kept", algorithm=algorithm)
    here.mkdir(parents=True)
    jigdo = here / made.jigdo.name
    jigdo.write_text(made.jigdo.read_text())
    shutil.copy(made.template, here)
    return Mirror(workdir, replace(made, jigdo=jigdo, template=here / made.template.name), path)


@pytest.fixture
def plain(workdir: Path, path: str) -> Mirror:
    """With a pair of jigdo-file's, and no name that jigdo-lite would stumble over."""
    sizes = {f"Packages/p{number}.rpm": 2000 + number for number in range(6)}
    tree = make_tree(workdir / "smeos" / "x86_64", sizes)
    image = make_image(tree, workdir / "kept" / "cd.iso")
    return Mirror(workdir, jigdo_file_pair(image, tree, workdir / "iso" / "x86_64"), path)


@pytest.fixture
def theirs(plain: Mirror) -> Mirror:
    """The same place, for whom jigdo-lite is the original."""
    return replace(plain, path=os.environ["PATH"])


def test_the_wikis_commands_build_the_image_whatever_lies_there(mirror: Mirror) -> None:
    first = mirror.shell(f"cd {mirror.here}/; {WIKI}")
    mirror.assert_built(first)
    before = mirror.image.stat().st_mtime_ns

    second = mirror.shell(f"cd {mirror.here}/; {WIKI}")
    mirror.assert_built(second)
    assert mirror.image.stat().st_mtime_ns == before

    mirror.image.write_bytes(b"the ISO of another release")
    third = mirror.shell(f"cd {mirror.here}/; {WIKI}")
    mirror.assert_built(third)
    assert f"is aside/{mirror.image.name}" in third.stdout


# xorriso quotes no name: what it writes of one with a quote in it means another file.
@pytest.mark.parametrize("mirror", ["jigdo-file md5", "jigdo-file sha256"], indirect=True)
def test_what_is_not_at_hand_comes_from_a_web_server_whatever_its_name(mirror: Mirror) -> None:
    with serve(mirror.root) as server:
        text, url = mirror.pair.jigdo.read_text(), f"{server.url}smeos/x86_64/"
        mirror.pair.jigdo.write_text(text.replace("http://mirror.example/tree/", url))

        ended = mirror.shell("jigdo-lite --noask --scan ../../smeos/x86_64/images *.jigdo")

        asked = {request.path.rpartition("/")[2] for request in server.requests()}
    mirror.assert_built(ended)
    assert "it's%20%231.rpm" in asked
    assert "initrd.img" not in asked


def test_a_pair_comes_from_a_web_server_and_stays(plain: Mirror) -> None:
    with serve(plain.root) as server:
        shutil.move(plain.here, plain.root / "web")
        plain.here.mkdir()
        url = f"{server.url}web/cd.jigdo"

        ended = plain.shell(f"jigdo-lite {url}", "../../smeos/x86_64\n")

    plain.assert_built(ended)
    assert sorted(path.name for path in plain.here.iterdir()) == [
        "cd.iso",
        "cd.jigdo",
        "cd.template",
    ]


def test_an_old_iso_is_scanned_as_it_is(plain: Mirror) -> None:
    shutil.copy(plain.pair.image, plain.root / "old.iso")

    ended = plain.shell("jigdo-lite cd.jigdo", "../../old.iso\n")

    plain.assert_built(ended)
    assert f"Found 6 of the 6 {FOUND}" in ended.stdout


def test_an_image_that_the_original_began_is_gone_on_with(plain: Mirror) -> None:
    begun = "jigdo-file mi --no-cache -t cd.template -i cd.iso ../../smeos/x86_64/Packages/p0.rpm"
    plain.shell(begun)
    assert (plain.here / "cd.iso.tmp").exists()
    (plain.tree / "Packages" / "p0.rpm").unlink()

    ended = plain.shell(WIKI)

    plain.assert_built(ended)


def test_key_lines_are_the_originals(plain: Mirror, theirs: Mirror) -> None:
    """Scripts look for them."""
    ours_said = plain.shell(WIKI).stdout
    plain.image.unlink()
    theirs_said = theirs.shell(WIKI).stdout

    for line in (f"Found 6 of the 6 {FOUND}", f"OK: MD5 {GOOD}!", "Images offered by `cd.jigdo':"):
        assert line in ours_said
        assert line in theirs_said


def test_the_original_takes_the_answers_that_we_keep(plain: Mirror, theirs: Mirror) -> None:
    plain.assert_built(plain.shell("jigdo-lite", "cd.jigdo\n../../smeos/x86_64\n"))
    plain.image.unlink()

    ended = theirs.shell("timeout 60 jigdo-lite", "\n1\n")

    assert f"  1: {plain.tree}\n" in ended.stdout
    theirs.assert_built(ended)


def test_we_take_the_answers_that_the_original_keeps(plain: Mirror, theirs: Mirror) -> None:
    theirs.assert_built(theirs.shell("timeout 60 jigdo-lite", "cd.jigdo\n../../smeos/x86_64\n"))
    theirs.image.unlink()

    ended = plain.shell("jigdo-lite", "\n1\n")

    assert "[cd.jigdo]: " in ended.stdout
    assert "  1: ../../smeos/x86_64\n" in ended.stdout
    assert "not understood" not in ended.stdout
    plain.assert_built(ended)


def test_an_image_with_its_wrong_namesake_is_no_failure_as_it_is_with_the_original(
    plain: Mirror, theirs: Mirror
) -> None:
    plain.image.write_bytes(b"x")

    refused = theirs.shell(WIKI)
    ended = plain.shell(WIKI)

    assert "code 3" in refused.stdout
    plain.assert_built(ended)


def test_files_of_the_tree_are_never_touched(plain: Mirror) -> None:
    before = run("bash", "-c", f"cd {plain.tree}; find . -type f -printf '%p %T@ %s\\n' | sort")

    plain.shell(WIKI)

    after = run("bash", "-c", f"cd {plain.tree}; find . -type f -printf '%p %T@ %s\\n' | sort")
    assert after == before
