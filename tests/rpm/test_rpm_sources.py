"""Where the interpreter's sources come from, and which build of it serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from release_builder import process
from release_builder.errors import DescriptorError, IncompleteError, SurroundingsError
from rpm.interpreter import built, places, sources, store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rpm.interpreter.sources import Source

pytestmark = pytest.mark.interop

OUT_OF_REACH = "deb http://127.0.0.1:9/debian bookworm main\n"


def test_an_unknown_arch_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DescriptorError, match="no interpreter for 'riscv64'"):
        built("riscv64", tmp_path)


def test_a_cache_with_a_blank_in_its_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DescriptorError, match="nothing can be built in"):
        built("i386", tmp_path / "my cache")


@pytest.fixture
def apt_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes the places that the system's apt uses those that are given."""

    def use(places: str) -> None:
        (tmp_path / "places.list").write_text(places)
        settings = {
            "Dir::Etc::SourceList": tmp_path / "places.list",
            "Dir::Etc::SourceParts": "/dev/null",
            "Acquire::Retries::Delay": "false",
        }
        lines = (f'{name} "{value}";\n' for name, value in settings.items())
        (tmp_path / "apt.conf").write_text("".join(lines))
        monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))

    return use


def test_without_an_index_and_without_a_build_one_shall_come_again(
    tmp_path: Path, apt_knows: Callable[[str], None]
) -> None:
    apt_knows(OUT_OF_REACH)

    with pytest.raises(IncompleteError, match="index of Debian's sources cannot be fetched"):
        built("i386", tmp_path / "cache")


def test_without_an_index_the_newest_build_of_these_scripts_serves(
    tmp_path: Path, apt_knows: Callable[[str], None]
) -> None:
    # given builds of these scripts and of others
    apt_knows(OUT_OF_REACH)
    ours = store.Store(tmp_path / "cache" / "interpreter", "i386")
    old, new = (ours.place((sources.Source("zlib", version, ""),)) for version in ("1", "2"))
    for folder in (old, new, old.parent / "i386-0123456789ab-0123456789ab"):
        folder.mkdir(parents=True)
    new.touch()

    # when
    said: list[str] = []
    found = built("i386", tmp_path / "cache", said.append)

    # then
    assert found == new
    assert "an older build is used" in said[0]


def test_apt_without_a_place_of_debian_12_is_refused(
    tmp_path: Path, apt_knows: Callable[[str], None]
) -> None:
    apt_knows(OUT_OF_REACH.replace("bookworm", "trixie"))

    with pytest.raises(SurroundingsError, match="no place of Debian's release bookworm"):
        built("i386", tmp_path / "cache")


DEBIAN = "http://debian.example.org/debian"


@pytest.mark.parametrize(
    ("text", "suites"),
    [
        pytest.param(f"deb {DEBIAN} bookworm main\n", ["bookworm"], id="plain"),
        pytest.param(f"deb {DEBIAN} bookworm contrib main # ours\n", ["bookworm"], id="comment"),
        pytest.param(
            f"deb [arch=amd64 trusted=no] {DEBIAN} bookworm main", ["bookworm"], id="options"
        ),
        pytest.param(f"deb {DEBIAN} bookworm contrib\n", [], id="component"),
        pytest.param(f"deb {DEBIAN} trixie main\n", [], id="release"),
        pytest.param(f"#deb {DEBIAN} bookworm main\n", [], id="off"),
        pytest.param(f"deb-src {DEBIAN} bookworm main\n", [], id="sources"),
        pytest.param("deb file:/pool ./\n", [], id="flat"),
    ],
)
def test_the_places_of_a_list_are_read(text: str, suites: list[str]) -> None:
    assert list(places.one_line_places(text)) == [(DEBIAN, suite) for suite in suites]


STANZA = (
    f"Types: deb\nURIs: {DEBIAN}\nSuites: bookworm bookworm-updates\nComponents: main contrib\n"
)


@pytest.mark.parametrize(
    ("text", "suites"),
    [
        pytest.param(STANZA, ["bookworm", "bookworm-updates"], id="plain"),
        pytest.param(
            STANZA.replace("\nURIs", "\n# ours\nURIs"),
            ["bookworm", "bookworm-updates"],
            id="comment",
        ),
        pytest.param(STANZA.replace("bookworm-updates", "\n trixie"), ["bookworm"], id="folded"),
        pytest.param(STANZA + "Signed-By:\n .\n xyz\n", ["bookworm", "bookworm-updates"], id="key"),
        pytest.param("Types: deb\n\n" + STANZA, ["bookworm", "bookworm-updates"], id="second"),
        pytest.param(STANZA.replace("main", "stable"), [], id="component"),
        pytest.param(STANZA + "Enabled: no\n", [], id="off"),
        pytest.param(STANZA.replace("deb\n", "deb-src\n"), [], id="sources"),
    ],
)
def test_the_places_of_stanzas_are_read(text: str, suites: list[str]) -> None:
    assert list(places.stanza_places(text)) == [(DEBIAN, suite) for suite in suites]


@pytest.fixture
def index(tmp_path: Path) -> sources.Index:
    """An index of six tiny source packages, in a folder ``pool`` beside it."""
    pool = tmp_path / "pool"
    for number, name in enumerate(sources.NAMES):
        debian = pool / f"{name}-1.{number}" / "debian"
        (debian / "source").mkdir(parents=True)
        (debian / "source" / "format").write_text("3.0 (native)\n")
        (debian / "control").write_text(
            f"Source: {name}\nMaintainer: A <a@example.org>\n\nPackage: {name}\nArchitecture: all\n"
        )
        (debian / "changelog").write_text(
            f"{name} (1.{number}) bookworm; urgency=low\n\n  * Made.\n\n"
            f" -- A <a@example.org>  Sat, 01 Feb 2014 00:00:0{number} +0000\n"
        )
        done = process.run(["env", "-C", str(pool), "dpkg-source", "--build", str(debian.parent)])
        assert done.status == 0, done.stderr
    listed = process.run(["env", "-C", str(pool), "dpkg-scansources", "."])
    (pool / "Sources").write_text(listed.stdout)
    made = sources.Index(tmp_path / "index")
    (made.folder / "lists" / "partial").mkdir(parents=True)
    (made.folder / "archives" / "partial").mkdir(parents=True)
    (made.folder / made.listed).write_text(f"deb-src [trusted=yes] copy:{pool} ./\n")
    done = made.apt_get("update")
    assert done.status == 0, done.stderr
    return made


def named(found: tuple[Source, ...]) -> list[tuple[str, str]]:
    return [(source.name, source.version) for source in found]


def test_sources_are_unpacked_by_their_name_and_dated_by_the_newest(
    index: sources.Index, tmp_path: Path
) -> None:
    assert named(index.offered()) == [(name, f"1.{n}") for n, name in enumerate(sources.NAMES)]

    index.unpack(tmp_path / "sources")

    for name in sources.NAMES:
        assert (tmp_path / "sources" / name / "debian" / "control").is_file()
    assert sources.last_change(tmp_path / "sources") == 1_391_212_800 + 5


def test_an_offered_source_that_is_gone_asks_to_come_again(
    index: sources.Index, tmp_path: Path
) -> None:
    (tmp_path / "pool" / "openssl_1.1.dsc").unlink()

    with pytest.raises(IncompleteError, match=r"sources cannot be downloaded: .*openssl_1\.1\.dsc"):
        index.unpack(tmp_path / "sources")


def test_a_source_that_was_changed_is_refused(index: sources.Index, tmp_path: Path) -> None:
    (tarball,) = (tmp_path / "pool").glob("zlib_*.tar.*")
    content = bytearray(tarball.read_bytes())
    content[-1] ^= 1
    tarball.write_bytes(content)

    with pytest.raises(IncompleteError, match="sources cannot be downloaded"):
        index.unpack(tmp_path / "sources")


def test_a_changed_source_asks_for_a_new_build(tmp_path: Path) -> None:
    ours = store.Store(tmp_path, "i386")
    one, other = (sources.Source("zlib", "1", digest) for digest in ("SHA256:1", "SHA256:2"))

    assert ours.place((one,)) == ours.place((one,))
    assert ours.place((one,)) != ours.place((other,))
    assert ours.place((one,)) != store.Store(tmp_path, "x86_64").place((one,))
