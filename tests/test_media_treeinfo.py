"""What .treeinfo and .discinfo say."""

from __future__ import annotations

import pytest

from release_builder.digests import Digest
from release_builder.errors import WrongBytesError
from release_builder.media.image import MediaError
from release_builder.media.treeinfo import parse_discinfo, parse_treeinfo

SHA256 = "ab" * 32
EL6 = f"""\
[general]
name = SME Server-9.0beta3
timestamp = 1391212800.14
arch = x86_64
variant =

[stage2]
mainimage = images/install.img

[images-x86_64]
kernel = images/pxeboot/vmlinuz
Boot.iso = images/boot.iso

[images-xen]
kernel = images/pxeboot/vmlinuz

[checksums]
images/install.img = sha256:{SHA256}
images/Boot.iso = {"cd" * 16}
"""


def test_a_treeinfo_tells_arch_images_and_digests() -> None:
    found = parse_treeinfo(EL6.encode())

    assert found.arch == "x86_64"
    assert found.images == ("images/install.img", "images/pxeboot/vmlinuz", "images/boot.iso")
    assert found.digests == {
        "images/install.img": Digest("sha256", bytes.fromhex(SHA256)),
        "images/Boot.iso": Digest("md5", b"\xcd" * 16),
    }


def test_the_arch_may_stand_in_tree() -> None:
    assert parse_treeinfo(b"[tree]\narch = i386\n").arch == "i386"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("", "neither", id="empty"),
        pytest.param("arch = i386\n", "cannot be read", id="no section"),
        pytest.param("[general]\nfoo\n", "cannot be read", id="no value"),
        pytest.param("[general]\nname = \udcff\n", "cannot be read", id="no UTF-8"),
        pytest.param("[general]\n[checksums]\na = sha256:12\n", "no digest", id="cut digest"),
        pytest.param(f"[general]\n[checksums]\na = md5:{SHA256}\n", "no md5", id="other kind"),
        pytest.param(f"[general]\n[checksums]\n../a = {SHA256}\n", "out of", id="path above"),
        pytest.param("[general]\n[stage2]\nmainimage = /etc/passwd\n", "out of", id="absolute"),
    ],
)
def test_a_broken_treeinfo_is_refused(text: str, words: str) -> None:
    with pytest.raises(WrongBytesError, match=words):
        parse_treeinfo(text.encode("utf-8", "surrogateescape"))


def test_a_discinfo_tells_its_time() -> None:
    found = parse_discinfo(b"1391212800.000000\nSME Server 9.0beta3\nx86_64\n1\n")

    assert (found.timestamp, found.arch) == (1391212800, "x86_64")
    assert found.description == "SME Server 9.0beta3"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"1391212800.0\nSME Server\n", id="cut off"),
        pytest.param(b"today\nSME Server\ni386\n", id="no time"),
        pytest.param(b"inf\nSME Server\ni386\n", id="endless"),
        pytest.param(b"\xff\n\xff\n\xff\n", id="noise"),
    ],
)
def test_a_broken_discinfo_is_refused(content: bytes) -> None:
    with pytest.raises(MediaError, match="discinfo"):
        parse_discinfo(content)
