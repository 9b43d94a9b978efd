"""The C libraries that the interpreter holds: static, without what it never calls."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rpm.interpreter.work import Work

# Without getrandom (Linux before 3.17) OpenSSL waits for /dev/random to become readable, for
# minutes on a box that gathers little entropy; told that there is no such memory segment, it
# reads /dev/urandom at once, as CPython does.
_SEED: Final = "-DOPENSSL_RAND_SEED_DEVRANDOM_SHM_ID=-1"
_OPENSSL: Final = (
    *("no-shared", "no-dso", "no-engine", "no-module", "no-tests", "no-async", "no-legacy"),
    *("no-comp", "no-ssl3", "no-weak-ssl-ciphers", "no-afalgeng", "no-devcryptoeng"),
    # What an old box has; certifi's bundle is named by the program itself.
    *("--prefix=/usr", "--openssldir=/etc/pki/tls", "--libdir=lib"),
)

# zig's runtime lacks what libcrypto asks on i386; CPython's configure would then find OpenSSL
# unusable, and drop it without a word. Aligned words up to 4 bytes are lock-free on each 80486.
_ATOMIC: Final = """\
#include <stddef.h>
_Bool is_lock_free(size_t size, const volatile void *pointer) __asm__("__atomic_is_lock_free");
_Bool is_lock_free(size_t size, const volatile void *pointer)
{ (void)pointer; return size == 1 || size == 2 || size == 4; }
"""

_SQLITE: Final = (
    *("-DSQLITE_THREADSAFE=1", "-DSQLITE_OMIT_LOAD_EXTENSION", "-DSQLITE_DQS=0"),
    *("-DSQLITE_ENABLE_COLUMN_METADATA", "-DHAVE_USLEEP=1", "-DSQLITE_ENABLE_MATH_FUNCTIONS"),
)


def build(work: Work) -> None:
    """Build all of them and install them below ``work.prefix``.

    Raises:
        SurroundingsError: A compiler or script failed; the message has its last lines.
    """
    for folder in ("include", "lib"):
        (work.prefix / folder).mkdir(parents=True)
    work.stage("zlib", lambda: _zlib(work))
    work.stage("bzip2", lambda: _bzip2(work))
    work.stage("xz", lambda: _xz(work))
    work.stage("sqlite", lambda: _sqlite(work))
    work.stage("openssl", lambda: _openssl(work))


def _zlib(work: Work) -> None:
    source = work.sources / "zlib"
    flags = {"CC": "cc", "AR": "ar", "RANLIB": "ranlib", "CFLAGS": "-O2"}
    work.run(source, ["./configure", "--static", f"--prefix={work.prefix}"], flags)
    work.run(source, ["make", "-j2", "libz.a"])
    _install(work, "zlib", ("zlib.h", "zconf.h"), "libz.a")


def _bzip2(work: Work) -> None:
    flags = ["CC=cc", "AR=ar", "RANLIB=ranlib", "CFLAGS=-O2 -D_FILE_OFFSET_BITS=64"]
    work.run(work.sources / "bzip2", ["make", "-j2", "libbz2.a", *flags])
    _install(work, "bzip2", ("bzlib.h",), "libbz2.a")


def _xz(work: Work) -> None:
    source = work.sources / "xz-utils"
    tools = ("xz", "xzdec", "lzmadec", "lzmainfo", "lzma-links", "scripts", "doc")
    off = [f"--disable-{tool}" for tool in (*tools, "shared", "nls", "rpath")]
    work.run(
        source,
        ["./configure", f"--prefix={work.prefix}", "--enable-static", *off],
        {"CC": "cc", "AR": "ar", "RANLIB": "ranlib", "CFLAGS": "-O2"},
    )
    work.run(source, ["make", "-j2", "-C", "src/liblzma", "install"])


def _sqlite(work: Work) -> None:
    source = work.sources / "sqlite3"
    work.run(source, ["./configure", "--disable-tcl"], {"CC": "cc", "CFLAGS": "-O1"})
    work.run(source, ["make", "sqlite3.c"])
    work.run(source, ["cc", *_SQLITE, "-O2", "-c", "sqlite3.c", "-o", "sqlite3.o"])
    work.run(source, ["ar", "rcs", "libsqlite3.a", "sqlite3.o"])
    _install(work, "sqlite3", ("sqlite3.h",), "libsqlite3.a")


def _openssl(work: Work) -> None:
    source = work.sources / "openssl"
    (source / "atomic.c").write_text(_ATOMIC, "utf-8")
    work.run(
        source,
        ["./Configure", work.arch.openssl, *_OPENSSL, _SEED],
        {"CC": "cc", "AR": "ar", "RANLIB": "ranlib"},
    )
    work.run(source, ["make", "-j2", "build_libs"])
    if work.arch.name == "i386":
        work.run(source, ["cc", "-O2", "-c", "atomic.c", "-o", "atomic.o"])
        work.run(source, ["ar", "r", "libcrypto.a", "atomic.o"])
    work.run(source, ["make", "install_dev", f"DESTDIR={work.prefix.parent}"])


def _install(work: Work, name: str, headers: tuple[str, ...], library: str) -> None:
    for header in headers:
        shutil.copy(work.sources / name / header, work.prefix / "include")
    shutil.copy(work.sources / name / library, work.prefix / "lib")
