"""What the program asks of its interpreter, tried by that interpreter itself.

usage: python3 -ISB selftest.py FOLDER

FOLDER is writable and has certificate.pem, key.pem (a server on 127.0.0.1) and stranger.pem.
Prints a line a step; the status is 1 when any failed, and the last line names those. Needs no
file of the system but /dev/urandom and /dev/null: it runs in an empty root, from Linux 2.6.18 up.
"""

from __future__ import annotations

import concurrent.futures
import fcntl
import hashlib
import http.server
import importlib
import mmap
import os
import pty
import selectors
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from collections.abc import Callable

MODULES: Final = (
    *("_bisect", "_blake2", "_bz2", "_csv", "_datetime", "_decimal", "_elementtree", "_hashlib"),
    *("_heapq", "_json", "_lzma", "_md5", "_multiprocessing", "_pickle", "_posixsubprocess"),
    *("_queue", "_random", "_sha1", "_sha256", "_sha512", "_socket", "_sqlite3", "_ssl"),
    *("_struct", "_zoneinfo", "array", "asyncio", "binascii", "bz2", "cmath"),
    *("fcntl", "grp", "gzip", "lzma", "math", "mmap", "multiprocessing.pool", "pyexpat"),
    *("resource", "select", "sqlite3", "ssl", "syslog", "tarfile", "termios", "unicodedata"),
    *("urllib.request", "xml.etree.ElementTree", "zipfile", "zlib", "zoneinfo"),
)
_HELLO: Final = b"hello"


def imports(_folder: Path) -> None:
    """Each module is there."""
    for name in MODULES:
        importlib.import_module(name)


def digests(_folder: Path) -> None:
    """MD5, SHA-1 and SHA-256 come from OpenSSL, and are right."""
    import _hashlib  # noqa: PLC0415 (its own step fails, not the whole file)

    known = {
        "md5": "5d41402abc4b2a76b9719d911017c592",
        "sha1": "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d",
        "sha256": "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
    }
    for name, digest in known.items():
        assert isinstance(getattr(hashlib, name)(), _hashlib.HASH), name
        assert hashlib.new(name, _HELLO, usedforsecurity=False).hexdigest() == digest, name


def subprocesses(_folder: Path) -> None:
    """A program gets its input, answers, and its status comes back."""
    script = "import sys; print(sys.stdin.read().upper()); sys.exit(7)"
    argv = [sys.executable, "-ISB", "-c", script]
    done = subprocess.run(argv, input="hello", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (7, "HELLO\n", "")


def threads(_folder: Path) -> None:
    """A pool works, and a wait ends when its time is over."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda number: number * number, range(1000))) == 332833500
    begun = time.monotonic()
    assert not threading.Event().wait(0.05)
    assert 0.04 < time.monotonic() - begun < 5


def locks(folder: Path) -> None:
    """A lock that one holds is refused to another, and comes free with its holder."""
    path = folder / "lock"
    with path.open("wb") as first, path.open("wb") as second:
        fcntl.flock(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert not _is_free(second)
        fcntl.flock(first, fcntl.LOCK_UN)
        assert _is_free(second)
        fcntl.lockf(first, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_free(lock: BinaryIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def file_system(folder: Path) -> None:
    """Files are written, copied, linked, dated, replaced, listed and removed."""
    below = folder / "files" / "gr\u00f6\u00dfe \udcff"  # UTF-8, and a byte that is none
    below.mkdir(parents=True)
    one, two = below / "one", below / "two"
    with one.open("wb") as out:
        out.write(_HELLO)
        out.flush()
        os.fsync(out.fileno())
        os.truncate(out.fileno(), 1 << 20)
    os.utime(one, ns=(10**18, 10**18))
    shutil.copy2(one, two)
    assert two.stat().st_mtime == 10**9
    assert two.read_bytes()[:6] == _HELLO + b"\0"
    (below / "link").symlink_to("two")
    (below / "hard").hardlink_to(two)
    two.chmod(0o600)
    one.replace(two)
    assert not one.exists()
    assert sorted(entry.name for entry in os.scandir(below)) == ["hard", "link", "two"]
    with two.open("rb") as read, tempfile.TemporaryFile(dir=folder) as copy:
        assert os.pread(read.fileno(), 4, 1) == b"ello"
        shutil.copyfileobj(read, copy)
        assert copy.tell() == 1 << 20
    descriptor = os.open(below, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(descriptor)
    os.close(descriptor)
    shutil.rmtree(folder / "files")
    assert os.statvfs(folder).f_blocks > 0


def memory_maps(folder: Path) -> None:
    """A file is read and changed as memory."""
    path = folder / "mapped"
    path.write_bytes(bytes(8192))
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
        memory[4096:4101] = _HELLO
        memory.flush()
    assert path.read_bytes()[4096:4101] == _HELLO


def selector(_folder: Path) -> None:
    """A wait for a socket ends with its first byte, or with its time."""
    ours, theirs = socket.socketpair()
    with ours, theirs, selectors.DefaultSelector() as waiting:
        waiting.register(ours, selectors.EVENT_READ)
        assert waiting.select(0.01) == []
        theirs.send(_HELLO)
        assert [key.fileobj for key, _ in waiting.select(5)] == [ours]
        assert ours.recv(99) == _HELLO


def signals(_folder: Path) -> None:
    """A signal reaches its handler, and ends a program."""
    got: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, _frame: got.append(number))
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    deadline = time.monotonic() + 5
    while not got and time.monotonic() < deadline:
        time.sleep(0.01)
    signal.signal(signal.SIGALRM, before)
    assert got == [signal.SIGALRM]
    argv = [sys.executable, "-ISB", "-c", "import time; time.sleep(60)"]
    with subprocess.Popen(argv) as sleeper:
        sleeper.terminate()
        assert sleeper.wait(10) == -signal.SIGTERM


def database(folder: Path) -> None:
    """SQLite keeps what two connections write by turns."""
    path = folder / "database"
    with sqlite3.connect(path) as writer, sqlite3.connect(path) as reader:
        assert writer.execute("pragma journal_mode=wal").fetchone() == ("wal",)
        writer.execute("create table files (name text primary key, size integer)")
        writer.executemany("insert into files values (?, ?)", ((str(n), n) for n in range(999)))
        writer.commit()
        assert reader.execute("select sum(size) from files").fetchone() == (498501,)
    writer.close()
    reader.close()


def terminal(_folder: Path) -> None:
    """A terminal of our own, where the system has any."""
    if not Path("/dev/ptmx").exists() or not Path("/dev/pts").is_dir():
        return
    ours, theirs = pty.openpty()
    os.write(theirs, _HELLO)
    assert os.read(ours, 99) == _HELLO
    os.close(ours)
    os.close(theirs)


def recursion(_folder: Path) -> None:
    """A thread's stack is deep enough."""

    def down(left: int) -> int:
        return 1 + down(left - 1) if left else 0

    def down_through_c(left: int) -> int:
        return 1 + max(map(down_through_c, [left - 1])) if left else 0

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    try:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            assert pool.submit(down, 9000).result() == 9000
            assert pool.submit(down_through_c, 4000).result() == 4000
    finally:
        sys.setrecursionlimit(limit)


def randomness(_folder: Path) -> None:
    """Random bytes come at once, and differ."""
    assert len({os.urandom(16) for _ in range(99)}) == 99
    assert len({ssl.RAND_bytes(16) for _ in range(99)}) == 99
    assert uuid.uuid4() != uuid.uuid4()


class _Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(_HELLO)))
        self.end_headers()
        self.wfile.write(_HELLO)

    def log_message(self, *_arguments: object) -> None:
        """Nothing: the steps alone speak."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_arguments: object) -> None:
        """Nothing: a client that does not trust us hangs up."""


def https(folder: Path) -> None:
    """A server is trusted by its certificate, and by no other."""
    given = folder.parent
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(given / "certificate.pem", given / "key.pem")
    with _Server(("127.0.0.1", 0), _Hello) as server:
        server.socket = ours.wrap_socket(server.socket, server_side=True)
        running = threading.Thread(target=server.serve_forever, daemon=True)
        running.start()
        try:
            assert _is_trusted(server.server_port, given / "certificate.pem")
            assert not _is_trusted(server.server_port, given / "stranger.pem")
        finally:
            server.shutdown()
            running.join()


def _is_trusted(port: int, authority: Path) -> bool:
    trust = ssl.create_default_context(cafile=str(authority))
    handlers = (urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust))
    opener = urllib.request.build_opener(*handlers)
    try:
        with opener.open(f"https://127.0.0.1:{port}/", timeout=60) as answer:
            return bool(answer.read() == _HELLO)
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            return False
        raise


STEPS: Final[tuple[Callable[[Path], None], ...]] = (
    *(imports, digests, subprocesses, threads, locks, file_system, memory_maps, selector),
    *(signals, database, terminal, recursion, randomness, https),
)


def main(folder: Path) -> int:
    """Do all steps; the exit status: 1 when any failed."""
    failed: list[str] = []
    for step in STEPS:
        begun = time.monotonic()
        try:
            with tempfile.TemporaryDirectory(dir=folder) as scratch:
                step(Path(scratch))
        except Exception:
            failed.append(step.__name__)
            sys.stdout.write(f"{step.__name__}: FAILED\n{traceback.format_exc()}")
        else:
            sys.stdout.write(f"{step.__name__}: ok, {time.monotonic() - begun:.2f} s\n")
        sys.stdout.flush()
    sys.stdout.write(f"failed: {' '.join(failed)}\n" if failed else "all passed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).absolute()))
