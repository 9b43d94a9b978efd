"""CPython itself: one static program."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rpm.interpreter.work import Work

SOURCE: Final = "python3.11"
# musl gives a thread 128 KiB; a deep recursion in one needs what glibc gives, or nearly.
_STACK: Final = 4 << 20

_ABSENT: Final = (
    *("_ctypes", "_ctypes_test", "_tkinter", "_curses", "_curses_panel", "readline", "nis"),
    *("_dbm", "_gdbm", "_uuid", "ossaudiodev", "_crypt", "spwd", "_scproxy"),
)


def build(work: Work) -> None:
    """Build the interpreter and put it, stripped, into ``work.result``.

    Raises:
        SurroundingsError: A compiler or script failed; the message has its last lines.
    """
    work.stage("python: configure", lambda: _configure(work))
    work.stage("python: make", lambda: _make(work))


def _configure(work: Work) -> None:
    source, prefix = work.sources / SOURCE, work.prefix
    local = source / "Modules" / "Setup.local"
    local.unlink(missing_ok=True)
    local.symlink_to("Setup.stdlib")
    libraries = {
        "ZLIB": "-lz",
        "BZIP2": "-lbz2",
        "LIBLZMA": "-llzma",
        "LIBSQLITE3": "-lsqlite3",
    }
    flags = {f"{name}_LIBS": f"-L{prefix}/lib {value}" for name, value in libraries.items()}
    flags |= {f"{name}_CFLAGS": f"-I{prefix}/include" for name in libraries}
    work.run(
        source,
        [
            "./configure",
            "--prefix=/usr/lib/release-builder",
            *("--disable-shared", "--without-ensurepip", "--disable-test-modules"),
            *(f"--with-openssl={prefix}", "--with-ssl-default-suites=openssl"),
            *("--without-doc-strings", "--without-static-libpython"),
            # Nothing can be loaded into a static program, and musl's dlopen would only say so.
            *("ac_cv_func_dlopen=no", "ac_cv_lib_dl_dlopen=no"),
            *(f"py_cv_module_{name}=n/a" for name in _ABSENT),
        ],
        {
            "CC": "cc",
            "AR": "ar",
            "RANLIB": "ranlib",
            "CFLAGS": "-O2 -g0",
            "CPPFLAGS": f"-I{prefix}/include",
            "LDFLAGS": f"-static -L{prefix}/lib -Wl,-z,stack-size={_STACK}",
            "LINKFORSHARED": " ",
            "MODULE_BUILDTYPE": "static",
            **flags,
        },
    )


def _make(work: Work) -> None:
    source, program = work.sources / SOURCE, work.result / "bin" / "python3"
    work.run(source, ["make", "-j2", "python"])
    program.parent.mkdir(parents=True)
    shutil.copy(source / "python", program)
    work.run(work.folder, ["strip", "--strip-all", str(program)])
    program.chmod(0o755)
