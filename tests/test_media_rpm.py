from __future__ import annotations

import hashlib
import io
import struct
from typing import TYPE_CHECKING, cast

import pytest
from rpm_builder import ABOUT, KEY_ID, LEAD, PAYLOAD, header, intro, rpm, signature_packet

from release_builder.media.image import Image, MediaError, Window
from release_builder.media.rpm import Change, Package, check_payload, read_package
from release_builder.media.rpm_version import Evr

if TYPE_CHECKING:
    from typing import BinaryIO

BROKEN_TEXT = b"1234567x"  # the data of a header, without a NUL


def read(data: bytes, *, changes: bool = False) -> Package:
    return read_package(io.BytesIO(data), "tiny.rpm", changes=changes)


def with_entry(tag: int, kind: int, offset: int, count: int) -> bytes:
    """An RPM whose header has this entry alone."""
    entry = struct.pack(">IIII", tag, kind, offset, count)
    return LEAD + header({}) + intro(1, len(BROKEN_TEXT)) + entry + BROKEN_TEXT


def check(data: bytes) -> None:
    check_payload(io.BytesIO(data), "tiny.rpm")


def test_a_package_tells_what_it_is() -> None:
    data = rpm()

    package = read(data)

    assert package == Package(
        file="tiny.rpm",
        name="tiny",
        evr=Evr(3, "1.0", "2.el7"),
        arch="x86_64",
        size=len(data),
        source="tiny-1.0-2.el7.src.rpm",
        built=1_391_212_800,
        signed_by=None,
    )
    assert package.nevra == "tiny-3:1.0-2.el7.x86_64"
    assert package.key == ("tiny", "x86_64")


def test_a_package_without_source_package_is_one() -> None:
    about = {tag: value for tag, value in ABOUT.items() if tag != 1044}

    package = read(rpm(about))

    assert package.arch == "src"
    assert package.source == ""


def test_a_package_without_epoch_has_epoch_0() -> None:
    about = {tag: value for tag, value in ABOUT.items() if tag != 1003}

    assert read(rpm(about)).evr == Evr(0, "1.0", "2.el7")


@pytest.mark.parametrize("tag", [267, 268, 1002, 1005])
@pytest.mark.parametrize("version", [3, 4, 6])
def test_a_signature_names_its_key(tag: int, version: int) -> None:
    package = read(rpm(signature={tag: signature_packet(version=version)}))

    assert package.signed_by == KEY_ID


def test_the_signature_of_the_header_counts_before_the_old_one_of_all() -> None:
    old = signature_packet("f" * 16)

    package = read(rpm(signature={268: signature_packet(), 1002: old}))

    assert package.signed_by == KEY_ID


def test_a_signature_in_the_main_header_is_none() -> None:
    package = read(rpm({**ABOUT, 268: signature_packet()}))

    assert package.signed_by is None


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(b"\x00", id="no packet"),
        pytest.param(b"\x99\x00\x01\x04", id="a key"),
        pytest.param(signature_packet()[:12], id="cut short"),
        pytest.param(b"\x88\x0a\x04\x00\x01\x08\x00\x00\x00\x00\x00\x00", id="names no key"),
        pytest.param(b"\x88\x0c\x04\x00\x01\x08\x00\x00\x00\x02\x00\x00\x00\x00", id="no length"),
        pytest.param(b"\x88\x02\x05\x00", id="version 5"),
    ],
)
def test_a_broken_signature_is_an_error(packet: bytes) -> None:
    data = rpm(signature={268: packet})

    with pytest.raises(MediaError, match=r"tiny\.rpm: no RPM: its signature "):
        read(data)


@pytest.mark.parametrize("count", [pytest.param(1, id="one"), pytest.param(2, id="two")])
def test_changes_come_newest_first_as_they_stand(count: int) -> None:
    times, authors, texts = [20, 10][:count], ["B <b@x>", "A <a@x>"][:count], ["- b", "- a"][:count]
    data = rpm({**ABOUT, 1080: times, 1081: authors, 1082: texts})

    unasked, package = read(data), read(data, changes=True)

    changes = (Change(20, "B <b@x>", "- b"), Change(10, "A <a@x>", "- a"))
    assert package.changes == changes[:count]
    assert unasked.changes == ()


def test_a_changelog_with_a_missing_text_is_an_error() -> None:
    data = rpm({**ABOUT, 1080: [2, 1], 1081: ["B", "A"], 1082: ["- b"]})

    with pytest.raises(MediaError, match="no RPM: its changelog is broken"):
        read(data, changes=True)


def test_a_package_in_an_image_is_read_through_a_window() -> None:
    data = rpm()
    window = cast("BinaryIO", Window(Image(io.BytesIO(data)), 1 << 20))

    package = read_package(window, "tiny.rpm")
    check_payload(window, "tiny.rpm")

    assert package.name == "tiny"


@pytest.mark.parametrize("length", [0, 50, 96, 100, 112, 250, len(rpm()) - len(PAYLOAD) - 1])
def test_a_header_cut_short_is_an_error(length: int) -> None:
    data = rpm()[:length]

    with pytest.raises(MediaError, match=r"^tiny\.rpm: no RPM: it is cut short in its "):
        read(data)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(b"<html>" + bytes(200), "it does not begin as one", id="an error page"),
        pytest.param(LEAD + bytes(200), "signature header does not begin", id="lead only"),
        pytest.param(LEAD + intro(1 << 20, 0), "too large", id="many entries"),
        pytest.param(LEAD + intro(0, 1 << 31), "too large", id="much data"),
        pytest.param(LEAD + intro(9, 9), "cut short", id="data that is not there"),
        pytest.param(with_entry(1003, 4, 0, 1 << 30), "tag 1003 .* broken", id="many values"),
        pytest.param(with_entry(1003, 4, 0, 0), "tag 1003 .* broken", id="no value"),
        pytest.param(with_entry(1000, 4, 0, 1), "tag 1000 .* broken", id="wrong type"),
        pytest.param(with_entry(1003, 4, 8, 1), "tag 1003 .* runs out", id="value outside"),
        pytest.param(with_entry(1003, 4, 6, 1), "tag 1003 .* runs out", id="value that runs out"),
        pytest.param(with_entry(1000, 6, 7, 1), "tag 1000 .* runs out", id="text without end"),
        pytest.param(rpm({**ABOUT, 1000: ""}), "tells no name", id="no name"),
    ],
)
def test_what_is_no_rpm_is_an_error(data: bytes, why: str) -> None:
    with pytest.raises(MediaError, match=rf"^tiny\.rpm: no RPM: .*{why}"):
        read(data)


def test_a_tag_that_stands_twice_is_an_error() -> None:
    tag, other = struct.pack(">II", 1000, 6), struct.pack(">II", 1001, 6)
    data = rpm(signature={}).replace(other, tag)

    with pytest.raises(MediaError, match="tag 1000 of its header is broken"):
        read(data)


def test_a_name_of_any_bytes_is_fit_for_a_message() -> None:
    with pytest.raises(MediaError) as caught:
        read_package(io.BytesIO(b""), "a\nb\udcff.rpm")

    assert caught.value.what.startswith(r"a\x0ab\xff.rpm: no RPM")


def test_a_whole_package_passes() -> None:
    check(rpm())


@pytest.mark.parametrize(
    ("offset", "what"),
    [
        pytest.param(-1, "MD5 digest of header and payload", id="payload"),
        pytest.param(-len(PAYLOAD) - 70, "SHA1 digest of header", id="header"),
    ],
)
def test_a_changed_byte_is_found(offset: int, what: str) -> None:
    data = bytearray(rpm())
    data[offset] ^= 1

    with pytest.raises(MediaError, match=rf"tiny\.rpm: its {what} is wrong"):
        check(bytes(data))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(rpm()[:-1], "it is cut short: .* bytes, not ", id="cut short"),
        pytest.param(rpm()[: -len(PAYLOAD)], "it is cut short: ", id="no payload"),
        pytest.param(rpm() + b"x", "there is more than the RPM in it", id="too long"),
        pytest.param(rpm(signature={}), "carries no digest of its payload", id="no digest"),
        pytest.param(
            rpm({**ABOUT, 5092: ["00" * 32], 5093: 8}, {}),
            "SHA256 digest of payload is wrong",
            id="payload alone",
        ),
        pytest.param(
            rpm({**ABOUT, 5092: ["00" * 32], 5093: 99}, {}),
            "carries no digest of its payload",
            id="unknown kind of digest",
        ),
        pytest.param(
            rpm(signature={273: "00" * 32}), "SHA256 digest of header is wrong", id="header alone"
        ),
        pytest.param(rpm(signature={1004: bytes(4)}), "MD5 digest of .* is wrong", id="short MD5"),
    ],
)
def test_a_package_that_is_not_whole_is_an_error(data: bytes, why: str) -> None:
    with pytest.raises(MediaError, match=rf"^tiny\.rpm: .*{why}"):
        check(data)


def test_the_digest_of_the_payload_alone_suffices() -> None:
    digest = hashlib.sha512(PAYLOAD).hexdigest()

    check(rpm({**ABOUT, 5092: [digest.upper()], 5093: 10}, {}))
