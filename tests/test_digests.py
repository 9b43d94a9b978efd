"""Digests as jigdo and sums files write them."""

from __future__ import annotations

import hashlib
import io

import pytest

from release_builder.digests import BLOCK, LENGTHS, Digest, digest_stream

_ABC = Digest("md5", hashlib.md5(b"abc").digest())


@pytest.mark.parametrize("algorithm", LENGTHS)
def test_the_length_of_the_digits_tells_the_algorithm(algorithm: str) -> None:
    value = hashlib.new(algorithm, b"abc").digest()

    digest = Digest.from_hex(value.hex().upper())

    assert digest == Digest(algorithm, value)
    assert str(digest) == f"{algorithm}:{value.hex()}"


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_jigdo_writes_base64url_without_padding(algorithm: str) -> None:
    digest = Digest(algorithm, b"\xfb\xff" * (LENGTHS[algorithm] // 2))

    text = digest.jigdo

    assert text.startswith("-__7__")
    assert "=" not in text
    assert Digest.from_jigdo(text) == digest


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param(_ABC.jigdo[:-1], id="short"),
        pytest.param(_ABC.jigdo + "==", id="padded"),
        pytest.param("+" * 22, id="the other base64"),
        pytest.param("é" * 22, id="not ASCII"),
        pytest.param("=" * 22, id="only padding"),
    ],
)
def test_what_jigdo_would_not_write_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Digest.from_jigdo(text)


@pytest.mark.parametrize("text", ["", "00", "zz" * 16, "0" * 33])
def test_what_is_no_digest_in_hexadecimal_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Digest.from_hex(text)


@pytest.mark.parametrize("algorithm", ["md5", "no-such"])
def test_a_digest_cannot_have_another_length(algorithm: str) -> None:
    with pytest.raises(ValueError, match="are no"):
        Digest(algorithm, bytes(15))


def test_a_stream_is_read_once_in_blocks_for_all_algorithms() -> None:
    content, told = bytes(2 * BLOCK + 5), list[int]()

    digests = digest_stream(io.BytesIO(content), ["md5", "sha256"], told.append)

    assert {name: digest.value for name, digest in digests.items()} == {
        "md5": hashlib.md5(content).digest(),
        "sha256": hashlib.sha256(content).digest(),
    }
    assert told == [BLOCK, BLOCK, 5]
