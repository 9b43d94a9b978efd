from __future__ import annotations

import contextlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rpm_builder import ABOUT, rpm, signature_packet

from release_builder.media.image import MediaError
from release_builder.media.rpm import check_payload, read_package
from release_builder.media.rpm_signature import issuer
from release_builder.media.rpm_version import compare

VERSIONS = st.text("0019aAbZ.~^_+", max_size=12)
PACKAGE = rpm(
    {**ABOUT, 1080: [2, 1], 1081: ["B", "A"], 1082: ["- b", "- a"]}, {268: signature_packet()}
)
WHOLE = rpm()
MAIN_HEADER = WHOLE.rindex(b"\x8e\xad\xe8\x01")


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """An RPM with some bytes changed and an end that may be missing."""
    data = bytearray(PACKAGE)
    for _ in range(draw(st.integers(0, 4))):
        data[draw(st.integers(96, len(data) - 1))] = draw(st.sampled_from((0, 1, 6, 8, 127, 255)))
    return bytes(data[: draw(st.integers(len(data) // 2, len(data)))])


@given(broken() | st.binary(max_size=300))
def test_any_bytes_are_a_package_or_the_one_error(data: bytes) -> None:
    why = ""

    try:
        read_package(io.BytesIO(data), "x.rpm", changes=True)
    except MediaError as error:
        why = error.what

    assert why.startswith("x.rpm: no RPM: ") or not why


@given(st.integers(MAIN_HEADER, len(WHOLE) - 1), st.integers(1, 255))
def test_any_changed_byte_behind_the_signature_header_is_found(offset: int, change: int) -> None:
    data = bytearray(WHOLE)
    data[offset] ^= change

    with pytest.raises(MediaError):
        check_payload(io.BytesIO(data), "x.rpm")


@given(st.binary(max_size=60) | st.binary(max_size=60).map(lambda body: b"\x88\x3c" + body))
def test_any_bytes_name_a_key_or_are_the_one_error(packet: bytes) -> None:
    key_id = ""

    with contextlib.suppress(ValueError):
        key_id = issuer(packet)

    assert len(key_id) in {0, 16}


@given(VERSIONS, VERSIONS, VERSIONS)
def test_versions_have_one_order(one: str, two: str, three: str) -> None:
    forth, back = compare(one, two), compare(two, one)

    assert forth == -back
    if forth <= 0 and compare(two, three) <= 0:
        assert compare(one, three) <= 0
