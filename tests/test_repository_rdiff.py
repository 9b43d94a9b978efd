"""What rdiff is asked, and what it is expected to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from release_builder.errors import (
    IncompleteError,
    ReleaseBuilderError,
    StoppedError,
    SurroundingsError,
    WrongBytesError,
)
from release_builder.repository import rdiff

FULL = (  # rdiff of librsync 2.3.2
    "librsync: ERROR: (rs_outfilebuf_drain) error draining buf to file: No space left on device\\n"
    "rdiff: Failed, IO error.\\n"
)


@pytest.mark.parametrize(
    ("size", "version", "expected"),
    [
        pytest.param(10_900_000, "2.3.2", 3200, id="a small image"),
        pytest.param(345_000_000, "2.3.4", 18560, id="an image"),
        pytest.param(65_536, "2.3.0", 256, id="the least"),
        pytest.param(0, "2.3.2", 256, id="nothing"),
        pytest.param(345_000_000, "2.0.2", 2048, id="fixed before 2.3"),
        pytest.param(345_000_000, "0.9.7", 2048, id="fixed in the oldest"),
        pytest.param(345_000_000, "3.0", 18560, id="the next"),
    ],
)
def test_the_default_block_size_is_the_versions(size: int, version: str, expected: int) -> None:
    assert rdiff.default_block_size(size, version) == expected


def test_memory_for_a_delta_grows_with_the_number_of_blocks() -> None:
    fine, coarse = rdiff.delta_memory(345_000_000, 128), rdiff.delta_memory(345_000_000, 18560)

    # 146.5 MB and 3.3 MB were measured, for all 32 bytes of the strong sums.
    assert 146_500_000 < fine < 1.2 * 146_500_000
    assert 3_300_000 < coarse < 20_000_000


def test_what_rdiff_is_asked() -> None:
    folder = Path("/w")

    for version, slow, digest in (
        ("2.3.2", False, ["--hash=md4"]),
        ("1.0.0", True, ["--hash=blake2"]),
        ("0.9.7", False, []),
    ):
        assert rdiff.signature_argv(128, "/i/old image", folder / "s", version, slow=slow) == [
            *("rdiff", "--block-size=128", "--sum-size=16", *digest),
            *("signature", "/i/old image", "/w/s"),
        ]
    assert rdiff.delta_argv(folder / "s", "-", folder / "d") == [
        *("rdiff", "delta", "/w/s", "-", "/w/d"),
    ]
    assert rdiff.patch_argv(Path("/i/old"), folder / "d") == [
        *("rdiff", "--input-size=1048576", "--output-size=1048576"),
        *("patch", "/i/old", "/w/d", "-"),
    ]


@pytest.mark.parametrize(
    ("script", "error", "words"),
    [
        pytest.param("kill -15 $$", StoppedError, "rdiff delta: .*stopped", id="stopped"),
        pytest.param("kill -9 $$", IncompleteError, "rdiff delta: status -9", id="killed"),
        pytest.param(
            f"printf '{FULL}' >&2; exit 100",
            SurroundingsError,
            "rdiff delta: error draining buf to file: No space left",
            id="disk full",
        ),
        pytest.param("echo bad >&2; exit 106", WrongBytesError, "rdiff delta: bad", id="corrupt"),
    ],
)
def test_what_its_end_means(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    script: str,
    error: type[ReleaseBuilderError],
    words: str,
) -> None:
    fake = tmp_path / "rdiff"
    fake.write_text(f"#!/bin/sh\n{script}\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    with pytest.raises(error, match=words):
        rdiff.run(rdiff.delta_argv(tmp_path / "s", "-", tmp_path / "d"))


@pytest.mark.interop
def test_what_it_cannot_write_is_told_with_the_reason_and_the_place(tmp_path: Path) -> None:
    image = tmp_path / "image"
    image.write_bytes(bytes(9000))
    argv = rdiff.signature_argv(2048, str(image), tmp_path / "nowhere" / "new", rdiff.version())

    with pytest.raises(SurroundingsError) as raised:
        rdiff.run(argv, folder=tmp_path)

    assert re.fullmatch("rdiff signature: .*: No such file or directory", raised.value.what)
    assert str(tmp_path) in raised.value.hint


def test_a_version_that_is_none_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rdiff").write_text("#!/bin/sh\necho 'a toy'\n")
    (tmp_path / "rdiff").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    with pytest.raises(SurroundingsError, match="'a toy\\\\x0a': no version"):
        rdiff.version()


def test_a_piece_of_a_file_ends_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "image"
    path.write_bytes(b"0123456789")

    assert b"".join(rdiff.piece_of(path, 3, 4)) == b"3456"
    assert b"".join(rdiff.piece_of(path, 8, 100)) == b"89"
