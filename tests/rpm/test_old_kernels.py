"""The packages at work on the kernels of Enterprise Linux 5, 6 and 7, in a root that is empty."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from builders import digest, run
from fetching import release_of
from image_builder import NAMES, make_images
from old_kernels import KERNELS, run_under
from web_server import Tls, serve

from rpm.interpreter import selftest

if TYPE_CHECKING:
    from collections.abc import Callable

    from release_builder.demo.release import Release

pytestmark = [
    pytest.mark.interop,
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root enters another root"),
]

_HOME = "/usr/lib/release-builder"
_PROGRAM = "/usr/bin/release-builder"
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")


@dataclass(frozen=True, slots=True)
class Box:
    """A machine with an old kernel and nothing but the package.

    Attributes:
        kernel: A release of Enterprise Linux.
        root: Its files.
    """

    kernel: str
    root: Path

    @property
    def data(self) -> Path:
        """What it calls /data."""
        return self.root / "data"

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        return run_under(self.kernel, self.root, argv, env={"HOME": "/root", "LC_ALL": "C.UTF-8"})

    def program(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run(_PROGRAM, *arguments)

    def python(self, code: str) -> subprocess.CompletedProcess[str]:
        """Run ``code`` where release_builder can be imported."""
        path = f"import sys; sys.path += ['{_HOME}/app.zip']\n"
        return self.run(f"{_HOME}/bin/python3", "-IB", "-c", path + code)


@pytest.fixture(
    params=[
        pytest.param((kernel, arch), id=f"{kernel}-{arch}")
        for kernel in KERNELS
        for arch in ("x86_64", "i386")
        if (kernel, arch) != ("el7", "i386")
    ]
)
def box(request: pytest.FixtureRequest, installed: Callable[[str, str], Path]) -> Box:
    box = Box(request.param[0], installed(*request.param))
    box.data.mkdir()
    return box


def test_the_interpreter_does_all_that_the_program_asks_of_it(box: Box, tmp_path: Path) -> None:
    shutil.copy(selftest.__file__, box.data)
    _certificate(box.data, "certificate", "key")
    _certificate(box.data, "stranger", "stranger-key")

    ended = box.run(f"{_HOME}/bin/python3", "-ISB", "/data/selftest.py", "/data")

    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("kernels", "code", "answer"),
    [
        pytest.param("el5 el6 el7", "os.copy_file_range(3, 3, 1)", errno.ENOSYS, id="4.5"),
        pytest.param(
            "el5 el6 el7", "os.open('/tmp', os.O_RDWR | 0o20200000)", errno.EISDIR, id="3.11"
        ),
        pytest.param("el5 el6", "os.lseek(3, 0, os.SEEK_HOLE)", errno.EINVAL, id="3.1"),
        pytest.param("el5", "os.utime('/x', follow_symlinks=False)", errno.ENOSYS, id="2.6.22"),
        pytest.param("el5", "os.utime(3)", errno.EFAULT, id="2.6.22, of a descriptor"),
    ],
)
def test_what_is_younger_than_the_kernel_is_not_there(
    box: Box, kernels: str, code: str, answer: int
) -> None:
    ended = box.python(
        "import os; os.dup2(os.open('/x', os.O_CREAT | os.O_RDWR), 3)\n"
        f"try: {code}\n"
        "except OSError as error: sys.exit(error.errno)"
    )

    there = box.kernel not in kernels.split()
    assert (ended.returncode == answer) != there, ended.stderr


def test_what_the_system_has_does_not_run_there() -> None:
    code = "import threading; threading.Thread(target=print).start()"

    ended = run_under("el5", Path("/"), [sys.executable, "-I", "-c", code])

    assert ended.returncode == -signal.SIGABRT
    assert "futex" in ended.stderr


def test_a_descriptor_is_validated(box: Box) -> None:
    _descriptor(box)

    ended = box.program("validate", "/data/sme9.yaml")

    assert ended.returncode == 0, ended.stderr


def test_an_image_is_built_from_a_local_folder(box: Box, small_release: Release) -> None:
    _descriptor(box, small_release)
    link = box.data / "mirror/smeos/x86_64/latest"
    link.symlink_to("Packages")

    first = box.program("build", "/data/sme9.yaml")
    second = box.program("build", "--json", "/data/sme9.yaml")

    assert first.returncode == 0, first.stdout + first.stderr
    assert digest(_image(box, small_release)) == digest(small_release.image)
    steps = json.loads(second.stdout)["releases"][0]["steps"]
    assert {step["outcome"] for step in steps} == {"unchanged"}


def test_a_release_is_kept_fresh_from_a_local_folder(box: Box, small_release: Release) -> None:
    _descriptor(box, small_release)

    for _ in range(2):
        ended = box.program("refresh", "--no-splay", "/data/sme9.yaml")

        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
        assert digest(_image(box, small_release)) == digest(small_release.image)


def test_a_release_is_published_twice(box: Box, small_release: Release) -> None:
    (box.data / "public").mkdir()
    with serve(box.data / "public") as web:
        _descriptor(box, small_release, f"publish: {{root: /data/public, url: {web.url}}}\n")
        assert box.program("build", "/data/sme9.yaml").returncode == 0

        for _ in range(2):
            ended = box.program("publish", "/data/sme9.yaml")

            assert ended.returncode == 0, ended.stdout + ended.stderr
            folder = box.data / "public/testing/9.0beta3/iso/x86_64"
            assert digest(folder / small_release.image.name) == digest(small_release.image)


def test_an_image_is_fetched_over_https_from_whom_one_trusts(box: Box, tmp_path: Path) -> None:
    release, web = release_of(5), tmp_path / "web"
    tls = _certificate(tmp_path, "server", "server-key")
    shutil.copy(tls.certificate, box.data / "ca.pem")
    release.lay_out(web)
    with serve(web, tls=tls) as server:
        (web / "cd.jigdo").write_bytes(release.jigdo(f"A={server.url}tree/"))
        fetch = ("jigdo", "fetch", "-o", "/data/made", f"{server.url}cd.jigdo")

        stranger = box.program(*fetch)
        ended = box.program(*fetch, "--ca-bundle", "/data/ca.pem")

    assert stranger.returncode == 1
    assert "not to be trusted" in stranger.stderr
    assert ended.returncode == 0, ended.stderr
    assert (box.data / "made/cd.iso").read_bytes() == release.image


@pytest.mark.parametrize("compression", ["-9", "--bzip2"])
def test_a_pair_is_made_and_the_image_made_of_it(
    box: Box, compression: str, small_release: Release
) -> None:
    shutil.copytree(small_release.tree, box.data / "tree", symlinks=True)
    shutil.copy(small_release.image, box.data / "cd.iso")

    made = box.program(
        *("jigdo", "make-template", "--image=/data/cd.iso", "--label", "Base=/data/tree"),
        *(compression, "/data/tree//"),
    )
    rebuilt = box.program(
        "jigdo", "make-image", "--image=/data/new.iso", "-t", "/data/cd.template", "/data/tree"
    )

    assert made.returncode == 0, made.stderr
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert digest(box.data / "new.iso") == digest(small_release.image)
    assert (box.data / "cd.template").stat().st_size < small_release.image.stat().st_size / 2


@pytest.mark.parametrize(
    ("program", "command", "mirror"),
    [
        pytest.param("rsync", "build", "rsync://192.0.2.1/smeserver/", id="rsync"),
        pytest.param("xorriso", "compose", "/data/mirror", id="xorriso"),
    ],
)
def test_a_program_that_is_not_there_is_named(
    box: Box, program: str, command: str, mirror: str, small_release: Release
) -> None:
    path = _descriptor(box, small_release)
    path.write_text(path.read_text().replace("/data/mirror", mirror))

    ended = box.program(command, "/data/sme9.yaml")

    assert ended.returncode == 3, ended.stdout + ended.stderr
    assert program in ended.stdout + ended.stderr


def test_an_image_repository_names_the_programs_that_it_lacks(box: Box) -> None:
    make_images(box.data / "images", *NAMES[:2])

    ended = box.program("images", "update", "-r", "images.example.test", "/data/images")

    assert ended.returncode == 3, ended.stdout + ended.stderr
    assert re.search("rdiff|unsquashfs", ended.stderr)
    assert not (box.data / "images/mirror/CKSUMS").exists()


def test_an_image_repository_is_made_where_the_programs_are_put_in(
    installed: Callable[[str, str], Path],
) -> None:
    root = installed("el6", "x86_64")
    make_images(root / "data/images", *NAMES[:2])
    for name in ("rdiff", "unsquashfs"):
        _put_in(root, name)
    (root / "proc").mkdir(exist_ok=True)
    enter = f'mount -t proc proc "{root}/proc" && exec chroot "{root}" {_PROGRAM} "$@"'

    for words in ("update -r images.example.test /data/images", "verify /data/images/mirror"):
        ended = subprocess.run(
            ["unshare", "--mount", "sh", "-c", enter, "sh", "images", *words.split()],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"},
            capture_output=True,
            text=True,
            check=False,
        )

        assert ended.returncode == 0, ended.stdout + ended.stderr
    assert len((root / "data/images/mirror/CKSUMS").read_text().splitlines()) == 4


def _put_in(root: Path, program: str) -> None:
    """Copy a program of this machine, and the libraries that it needs, to their places."""
    path = shutil.which(program)
    assert path is not None
    for name in {path, *re.findall(r"(/\S+) \(", run("ldd", path))}:
        target = root / name.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(name, target)


def test_copies_keep_their_bytes_and_their_second(box: Box) -> None:
    (box.data / "from").write_bytes(os.urandom(3 << 20))
    os.utime(box.data / "from", (1_400_000_000, 1_400_000_000))

    ended = box.python(
        "from pathlib import Path\n"
        "from release_builder.copying import copy_file\n"
        "copy_file(Path('/data/from'), Path('/data/to'))"
    )

    assert ended.returncode == 0, ended.stderr
    assert (box.data / "to").read_bytes() == (box.data / "from").read_bytes()
    assert (box.data / "to").stat().st_mtime == 1_400_000_000


def test_where_names_cannot_change_places_nothing_changes(box: Box) -> None:
    for name in ("one", "two"):
        (box.data / name).write_text(name)

    ended = box.python(
        "from pathlib import Path\n"
        "from release_builder.public.exchange import exchange\n"
        "sys.exit(exchange(Path('/data/one'), Path('/data/two')))"
    )

    assert ended.returncode == 0, ended.stderr
    assert [(box.data / name).read_text() for name in ("one", "two")] == ["one", "two"]


def test_an_unfinished_image_is_known_even_where_holes_are_not(box: Box) -> None:
    size = 3 << 20
    whole, begun = os.urandom(size), os.urandom(size // 2).rstrip(b"\0")
    image = box.data / "cd.iso.partial"
    with image.open("wb") as out:
        for offset, content in enumerate((whole, begun, b"")):
            out.seek(offset * size)
            out.write(content)
        out.truncate(3 * size)

    ended = box.python(
        "from release_builder.digests import Digest\n"
        "from release_builder.jigdo.entries import MatchedFile\n"
        "from release_builder.jigdo.in_place import InPlace\n"
        "from release_builder.jigdo.rsync_sum import rsync_sum\n"
        f"image, size = open('/data/{image.name}', 'rb'), {size}\n"
        "part = MatchedFile(size, rsync_sum(image.read(1024)), Digest('md5', bytes(16)))\n"
        "places = [InPlace(image, index * size) for index in range(3)]\n"
        "print([place.may_hold(part, 1024) for place in places])\n"
        "print([place.held(size) for place in places])"
    )

    assert ended.returncode == 0, ended.stderr
    may_hold, held = map(json.loads, ended.stdout.lower().splitlines())
    assert may_hold == [True, False, False]
    assert held[0] == held[2] == 0
    assert 0 < held[1] <= len(begun)


def _certificate(folder: Path, name: str, key: str) -> Tls:
    """A certificate for localhost and 127.0.0.1 that only its own file vouches for."""
    tls = Tls(folder / f"{name}.pem", folder / f"{key}.pem")
    run(
        *("openssl", "req", "-x509", *_KEY, "-keyout", str(tls.key), "-out", str(tls.certificate)),
        *("-subj", "/CN=own", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"),
    )
    return tls


def _descriptor(box: Box, release: Release | None = None, more: str = "") -> Path:
    """A descriptor in the box, and the release on the mirror that it names."""
    if release:
        shutil.copytree(release.mirror / release.path, box.data / "mirror", symlinks=True)
    path = box.data / "sme9.yaml"
    lines = ("version: 9.0beta3", "arch: x86_64", "mirror: /data/mirror", "workdir: /data/work")
    path.write_text("\n".join((*lines, more)))
    return path


def _image(box: Box, release: Release) -> Path:
    return box.data / "work/image" / release.image.name
