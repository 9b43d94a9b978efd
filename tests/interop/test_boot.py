"""The composed image starts a PC, as far as qemu is one: isolinux and a kernel say so."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from typing import TYPE_CHECKING

import pytest
from composing import Bench, make_bench

from release_builder import process
from release_builder.steps import compose

if TYPE_CHECKING:
    from pathlib import Path

    from release_builder.demo.release import Release

pytestmark = pytest.mark.interop

QEMU = "qemu-system-x86_64"
SECONDS = 90  # a busy machine emulates all of it
MENU = """\
serial 0 115200
default linux
prompt 1
timeout 5
label linux
  kernel vmlinuz
  append initrd=initrd.img stage2=hd:LABEL=smeserver-9.0beta3-x86_64
"""
HELLO = b"A kernel of release-builder's tests has started\r\n\0"
# 16-bit code: write what SI points to, up to a NUL, to the first serial port; then halt.
SPEAK = bytes.fromhex("8a24 46 84e4 740f bafd03 ec a820 74fb b2f8 88e0 ee ebea f4 ebfd")


def tiny_kernel() -> bytes:
    """A kernel that says HELLO: the header of the Linux/x86 boot protocol 2.04, and its code."""
    setup = bytearray(1024)
    setup[0x1F1] = 1  # sectors of setup, after the first
    setup[0x1FE:0x200] = b"\x55\xaa"
    setup[0x200:0x202] = b"\xeb\x66"  # jump over the header
    setup[0x202:0x208] = b"HdrS\x04\x02"
    setup[0x211] = 1  # loaded high
    setup[0x214:0x218] = (0x100000).to_bytes(4, "little")
    setup[0x22C:0x230] = (0x37FFFFFF).to_bytes(4, "little")  # where an initrd may end
    code = b"\xbe" + (0x300).to_bytes(2, "little") + SPEAK
    setup[0x268 : 0x268 + len(code)] = code
    setup[0x300 : 0x300 + len(HELLO)] = HELLO
    return bytes(setup) + bytes(4096)


@pytest.fixture
def bench(tmp_path: Path, small_release: Release) -> Bench:
    """A tree with a kernel that starts, and a menu that shows on the serial line."""
    if not shutil.which(QEMU):
        # `make test` has installed it: there, a skip would hide what was never tried.
        (pytest.fail if "CI" in os.environ else pytest.skip)(f"{QEMU} is not installed")
    bench = make_bench(tmp_path, small_release)
    (bench.tree / "isolinux" / "isolinux.cfg").write_text(MENU)
    (bench.tree / "isolinux" / "vmlinuz").write_bytes(tiny_kernel())
    return bench


def serial_line(folder: Path, until: str, drive: str) -> str:
    """What a PC with ``drive`` prints, up to the words ``until`` or until time is over."""
    heard = folder / "serial.log"
    argv = [
        *(QEMU, "-accel", "tcg", "-m", "64", "-display", "none", "-no-reboot"),
        *("-nic", "none", "-monitor", "none", "-serial", f"file:{heard}"),
        # SeaBIOS speaks here: what it finds to start.
        *("-chardev", f"file,id=bios,path={folder / 'bios.log'}"),
        *("-device", "isa-debugcon,iobase=0x402,chardev=bios"),
        *("-drive", f"format=raw,snapshot=on,{drive}"),
    ]
    end = time.monotonic() + SECONDS
    with process.start(argv, log=folder / "qemu.log") as runs:
        while time.monotonic() < end and runs():
            text = "".join(_text(folder / f"{each}.log") for each in ("serial", "bios", "qemu"))
            if until in text:
                return text
            time.sleep(0.1)
    return "".join(_text(folder / f"{each}.log") for each in ("serial", "bios", "qemu"))


def _text(path: Path) -> str:
    with contextlib.suppress(FileNotFoundError):
        return path.read_text("ascii", "replace")
    return ""


@pytest.mark.parametrize(
    "media", [pytest.param("cdrom", id="disc"), pytest.param("disk", id="stick")]
)
def test_a_pc_starts_from_the_image(bench: Bench, media: str) -> None:
    compose.run(bench.context)

    heard = serial_line(bench.root, "has started", f"file={bench.image},media={media}")

    assert "ISOLINUX" in heard
    assert "Loading vmlinuz... ok" in heard
    assert "Loading initrd.img...ok" in heard
    assert HELLO[:-3].decode() in heard


def test_an_image_without_its_boot_record_starts_no_pc(bench: Bench) -> None:
    """So the words above do come from the image."""
    compose.run(bench.context)
    with bench.image.open("r+b") as image:
        image.seek(17 * 2048)  # El Torito's descriptor
        image.write(bytes(2048))

    heard = serial_line(bench.root, "No bootable device", f"file={bench.image},media=cdrom")

    assert "No bootable device" in heard
    assert "ISOLINUX" not in heard
