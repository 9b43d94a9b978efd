"""The packages' headers: what the rpm of each release can read and asks for."""

from __future__ import annotations

import struct
import subprocess
from typing import TYPE_CHECKING

import pytest
import rpmfile  # type: ignore[import-untyped]  # it has no hints
from rpm_roots import EPOCH

from release_builder.api.doctors import fit_packages
from rpm.packages.kinds import KINDS

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.interop

ALL = [
    pytest.param(name, kind.dist, arch, id=f"{name} {kind.dist} {arch}")
    for name in ("release-builder", "release-builder-jigdo")
    for kind in KINDS.values()
    for arch in kind.arches
]
FORMAT = {"rpmlib(CompressedFileNames)", "rpmlib(PayloadFilesHavePrefix)"}
# Main header: pre, post, preun, postun, triggers, verify, pretrans, posttrans, file triggers.
SCRIPTLETS = {1023, 1024, 1025, 1026, 1065, 1079, 1151, 1152, 5066, 5076}
LONG_SIZES = {5009, 271}
FILE_DIGESTS, FILE_DIGEST_ALGORITHM = 1035, 5011


def header_tags(path: Path) -> tuple[dict[int, list[str]], dict[int, list[str]]]:
    """By tag, the texts (or nothing) of the signature header and of the main one."""
    data = path.read_bytes()
    at, found = 96, []
    for _ in range(2):
        count, size = struct.unpack(">II", data[at + 8 : at + 16])
        store = at + 16 + 16 * count
        tags: dict[int, list[str]] = {}
        for i in range(count):
            tag, kind, offset, number = struct.unpack(">4I", data[at + 16 + 16 * i :][:16])
            texts = data[store + offset : store + size].split(b"\0", number)[:number]
            tags[tag] = [text.decode() for text in texts] if kind in {6, 8} else []
        found.append(tags)
        at = -(-(store + size) // 8) * 8
    return found[0], found[1]


def query(path: Path, wanted: str) -> list[str]:
    """What this machine's rpm prints of a package."""
    argv = ["rpm", "-qp", "--nosignature", "--qf", wanted, str(path)]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.fixture
def package(package_folder: Path, name: str, dist: str, arch: str) -> Path:
    return next(package_folder.glob(f"{name}-[0-9]*.{dist}.{arch}.rpm"))


@pytest.mark.parametrize(("name", "dist", "arch"), ALL)
def test_it_needs_rsync_and_nothing_that_the_release_lacks(
    package: Path, name: str, dist: str
) -> None:
    needs = set(query(package, "[%{REQUIRENAME}\n]"))

    ours = {"rsync"} if name == "release-builder" else {"release-builder"}
    newer = set() if dist == "el5" else {"rpmlib(FileDigests)"}
    assert needs == FORMAT | ours | newer


@pytest.mark.parametrize(("name", "dist", "arch"), ALL)
def test_our_own_doctor_lets_it_pass(package: Path, dist: str) -> None:
    (fitting,) = fit_packages([package], dist)

    assert fitting.fits, fitting
    assert not fitting.misfits


@pytest.mark.parametrize(("name", "dist", "arch"), ALL)
def test_it_gives_its_own_name_and_the_commands_that_it_has(
    package: Path, name: str, dist: str, arch: str
) -> None:
    gives = set(query(package, "[%{PROVIDENAME}\n]"))
    with rpmfile.open(str(package)) as opened:
        headers = dict(opened.headers)

    isa = {"i386": "x86-32", "x86_64": "x86-64"}[arch]
    jigdo = {"jigdo"} if name.endswith("jigdo") else set()
    assert gives == {name, f"{name}({isa})"} | jigdo
    assert set(query(package, "[%{CONFLICTNAME}\n]")) == jigdo
    assert headers["arch"].decode() == arch
    assert headers["release"].decode() == f"1.{dist}"


@pytest.mark.parametrize(("name", "dist", "arch"), ALL)
def test_its_files_have_the_digests_that_the_release_knows(package: Path, dist: str) -> None:
    _, main = header_tags(package)

    algorithm = query(package, "%{FILEDIGESTALGO}")
    assert algorithm == (["(none)"] if dist == "el5" else ["8"])
    assert (FILE_DIGEST_ALGORITHM in main) == (dist != "el5")
    lengths = {len(text) for text in main[FILE_DIGESTS] if text}
    assert lengths <= ({32} if dist == "el5" else {64})


@pytest.mark.parametrize(("name", "dist", "arch"), ALL)
def test_its_form_is_the_one_of_old_rpms(package: Path) -> None:
    lead = package.read_bytes()[:96]
    signature, main = header_tags(package)

    assert lead[4:6] == b"\3\0"
    assert lead[78:80] == b"\0\5"
    assert {1004, 269} <= signature.keys()  # MD5 and SHA-1 of the header
    assert not (LONG_SIZES & (signature.keys() | main.keys()))
    assert query(package, "%{PAYLOADFORMAT} %{PAYLOADCOMPRESSOR} %{PAYLOADFLAGS}") == [
        "cpio gzip 9"
    ]


@pytest.mark.parametrize(("name", "dist", "arch"), ALL)
def test_nothing_runs_when_it_comes_and_goes(package: Path) -> None:
    _, main = header_tags(package)

    assert not SCRIPTLETS & main.keys()


@pytest.mark.parametrize(("name", "dist", "arch"), ALL)
def test_no_name_or_version_is_of_a_newer_kind(package: Path) -> None:
    written = query(package, "[%{REQUIRENEVRS}\n][%{PROVIDENEVRS}\n][%{CONFLICTNEVRS}\n]%{EVR}\n")

    assert not [text for text in written if set("~^") & set(text) or text.startswith("(")]


@pytest.mark.parametrize(("name", "dist", "arch"), ALL)
def test_it_does_not_tell_who_built_it_and_when(package: Path) -> None:
    made = query(package, "%{BUILDHOST} %{BUILDTIME} %{VENDOR} %{PACKAGER}\n[%{FILEMTIMES}\n]")

    assert made[0] == f"reproducible {EPOCH} (none) (none)"
    assert all(int(time) <= EPOCH for time in made[1:])


@pytest.mark.parametrize(("name", "dist", "arch"), ALL)
def test_all_belongs_to_root_and_settings_are_kept(package: Path) -> None:
    rows = [
        line.split()
        for line in query(
            package,
            "[%{FILENAMES} %{FILEUSERNAME} %{FILEGROUPNAME} %{FILEMODES:perms} "
            "%{FILEFLAGS:fflags}|\n]",
        )
    ]

    assert {(row[1], row[2]) for row in rows} == {("root", "root")}
    assert not [row[0] for row in rows if row[3][5] == "w" and row[3][0] != "l"]
    settings = [row for row in rows if row[0].startswith("/etc") and row[3][0] == "-"]
    unkept = [row[0] for row in settings if row[4] != "cn|"]
    assert unkept in ([], ["/etc/bash_completion.d/release-builder"])


@pytest.mark.parametrize(
    ("dist", "there", "absent"),
    [
        pytest.param("el5", "/etc/cron.d/release-builder", "/usr/lib/systemd", id="el5"),
        pytest.param("el6", "/etc/cron.d/release-builder", "/usr/lib/systemd", id="el6"),
        pytest.param("el7", "/usr/lib/systemd/system/", "/etc/cron.d", id="el7"),
        pytest.param("el8", "/usr/lib/systemd/system/", "/etc/cron.d", id="el8"),
        pytest.param("el9", "/usr/lib/systemd/system/", "/etc/cron.d", id="el9"),
    ],
)
def test_what_runs_it_by_night_is_what_the_release_has(
    packages: dict[tuple[str, str], Path], dist: str, there: str, absent: str
) -> None:
    names = query(packages[dist, "x86_64"], "[%{FILENAMES}\n]")

    assert [name for name in names if name.startswith(there)]
    assert not [name for name in names if name.startswith(absent)]


def test_every_program_has_its_page(package_folder: Path) -> None:
    for package in package_folder.glob("*.el*.rpm"):
        names = query(package, "[%{FILENAMES}\n]")

        programs = [name.split("/")[-1] for name in names if name.startswith("/usr/bin/")]
        pages = [f"/usr/share/man/man1/{name}.1.gz" for name in programs]
        assert programs
        assert set(pages) <= set(names), package.name


def test_the_licence_of_everything_bundled_is_there(
    packages: dict[tuple[str, str], Path],
) -> None:
    names = query(packages["el5", "i386"], "[%{FILENAMES}\n]")

    licences = [name.split("/")[5].lower() for name in names if "/licences/" in name]
    for part in ("cpython", "openssl", "zlib", "bzip2", "xz", "sqlite", "musl", "click", "jinja2"):
        assert [name for name in licences if name.startswith(part)], part
