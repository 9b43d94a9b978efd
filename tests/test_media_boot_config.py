"""What boot menus name."""

from __future__ import annotations

import pytest

from release_builder.media.boot_config import find_labels, find_loaded


@pytest.mark.parametrize(
    ("line", "label"),
    [
        pytest.param("append initrd=initrd.img stage2=hd:LABEL=SME", "SME", id="el6"),
        pytest.param(r"append inst.stage2=hd:LABEL=CentOS\x207\x20x86_64 quiet", "CentOS 7 x86_64", id="el7"),
        pytest.param("  linuxefi /vmlinuz inst.stage2=hd:LABEL=Rocky-8-x86_64", "Rocky-8-x86_64", id="efi"),
        pytest.param("append root=live:CDLABEL=live rd.live.image", "live", id="live"),
        pytest.param("append inst.repo=hd:LABEL=SME:/repo", "SME", id="with a path"),
        pytest.param("search --no-floppy --set=root -l 'CentOS 7 x86_64'", "CentOS 7 x86_64", id="grub"),
        pytest.param("search --label SME --set", "SME", id="grub, unquoted"),
        pytest.param('append "root=live:LABEL=SME"', "SME", id="quoted"),
    ],
)  # fmt: skip
def test_the_label_of_the_volume_is_found(line: str, label: str) -> None:
    found = find_labels(f"# a menu\n{line}\n".encode())

    assert [(each.line, each.text) for each in found] == [(2, label)]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("append ks=hd:LABEL=OEMDRV:/ks.cfg", id="a kickstart elsewhere"),
        pytest.param("append inst.dd=hd:LABEL=DRIVERS", id="a driver disk"),
        pytest.param("# append stage2=hd:LABEL=old", id="a comment"),
        pytest.param("menu label LABEL it", id="a word"),
        pytest.param("search --file /vmlinuz", id="a search for a file"),
    ],
)
def test_what_is_no_label_of_this_volume_is_passed_over(line: str) -> None:
    assert find_labels(line.encode()) == ()


def test_what_isolinux_loads_is_found() -> None:
    menu = b"""\
DEFAULT vesamenu.c32
label linux
  KERNEL vmlinuz
  append initrd=initrd.img,/extra/ucode.img root=x
label memory
  linux /images/memtest
  initrd a.img,b.img
label disk
  localboot 0xffff
label check
  com32 check.c32
  kernel
"""

    found = [each.text for each in find_loaded(menu)]

    assert found == [
        *("vmlinuz", "initrd.img", "/extra/ucode.img"),
        *("/images/memtest", "a.img", "b.img", "check.c32"),
    ]


def test_bytes_of_no_encoding_are_no_trouble() -> None:
    assert find_loaded(b"\xff\xfe\n\x00kernel \xff\n") == ()
    assert [each.text for each in find_loaded(b"kernel \xff")] == ["\udcff"]
