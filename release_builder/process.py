"""The one door to other programs."""

from __future__ import annotations

import codecs
import contextlib
import os
import shlex
import shutil
import signal
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import sh

from release_builder.errors import SurroundingsError, WrongBytesError
from release_builder.groups import end_group, outlive_group

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    Watch = Callable[[int], AbstractContextManager[None]]

_ANY_STATUS: Final = list(range(-64, 256))
_FILE_NAMES: Final = "file_names"
_MOST_OUTPUT: Final = 32 << 20  # bytes of stdout that are held: servers have a say in it
_STDERR_PIECE: Final = 4 << 10  # bytes
_STDERR_PIECES: Final = 256  # that are held, the last ones
_GRACE: Final = 30.0  # seconds that it has to end: what it writes may be going to a slow disk
_KEPT: Final = ("PATH", "HOME", "TMPDIR")
_PACKAGES: Final = {  # program → package on Debian, package on Enterprise Linux
    "createrepo_c": ("createrepo-c", "createrepo_c"),
    "gpg": ("gpg", "gnupg2"),
    "implantisomd5": ("isomd5sum", "isomd5sum"),
    "isohybrid": ("syslinux-utils", "syslinux"),
    "isolinux": ("isolinux syslinux-common", "syslinux"),
    "jigdo-file": ("jigdo-file", "jigdo"),
    "rdiff": ("rdiff", "librsync"),
    "rpmbuild": ("rpm", "rpm-build"),
    "rpmkeys": ("rpm", "rpm"),
    "rpmsign": ("rpm", "rpm-sign"),
    "ssh": ("openssh-client", "openssh-clients"),
    "unsquashfs": ("squashfs-tools", "squashfs-tools"),
}
_UNDER_WAY: Final[dict[int, sh.RunningCommand]] = {}  # by process id


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended.

    Attributes:
        status: Its exit status; minus the signal's number when a signal ended it.
        stdout: What it printed, when nobody listened.
        stderr: What it complained; of more than 1 MiB the end.
    """

    status: int
    stdout: str
    stderr: str


def find(program: str) -> str:
    """The path of ``program``.

    Raises:
        SurroundingsError: It is not installed.
    """
    path = shutil.which(program)
    if path is None:
        raise SurroundingsError(
            f"the program {program} is not installed", hint=installation_hint(program)
        )
    return path


def installation_hint(program: str) -> str:
    """How to get ``program``."""
    debian, enterprise = _PACKAGES.get(program, (program, program))
    return f"install it: apt-get install {debian}, or yum install {enterprise}"


def environment(
    extra: Mapping[str, str] | None = None, pass_on: Sequence[str] = ()
) -> dict[str, str]:
    """What another program gets to see: C locale, PATH, HOME, TMPDIR, and what is named."""
    kept = {name: os.environ[name] for name in (*_KEPT, *pass_on) if name in os.environ}
    return {"LC_ALL": "C", **kept, **(extra or {})}


def run(  # noqa: PLR0913 (each is a property of a process; no two belong together)
    argv: Sequence[str],
    *,
    stdin: bytes | Iterable[bytes] = b"",
    on_output: Callable[[bytes], None] | None = None,
    on_start: Callable[[str], None] | None = None,
    env: Mapping[str, str] | None = None,
    keep_open: Sequence[int] = (),
    watch: Watch | None = None,
) -> Outcome:
    """Run a program without a shell and wait for it.

    Args:
        argv: The program and its arguments.
        stdin: What it gets to read; pieces are asked for, in a thread, as it reads them.
        on_output: Gets stdout as it comes, in pieces; without it stdout is returned.
        on_start: Gets the command line as one could paste it into a shell.
        env: Its whole environment; default ``environment()``.
        keep_open: File descriptors that it inherits (a lock that outlives us with it).
        watch: Entered with its process id, which is its session's too; left when it has ended.

    Raises:
        SurroundingsError: The program is missing or cannot be started.
        WrongBytesError: It prints more than 32 MiB, and nobody listens.
    """
    if on_start:
        on_start(shlex.join(argv))
    if not isinstance(stdin, bytes):
        with _fed(stdin) as given:
            return _finish(argv, given, on_output, env, keep_open=keep_open, watch=watch)
    with tempfile.TemporaryFile() as given:
        given.write(stdin)
        given.seek(0)
        return _finish(argv, given, on_output, env, keep_open=keep_open, watch=watch)


def end_all() -> None:
    """Have every program end that ``run`` waits for in any thread, as when the user stops us."""
    for running in list(_UNDER_WAY.values()):
        with contextlib.suppress(ProcessLookupError):
            running.terminate()


def _finish(  # noqa: PLR0913 (as run)
    argv: Sequence[str],
    given: IO[bytes],
    on_output: Callable[[bytes], None] | None,
    env: Mapping[str, str] | None,
    *,
    keep_open: Sequence[int],
    watch: Watch | None,
) -> Outcome:
    collected = bytearray()

    def collect(piece: bytes) -> None:
        collected.extend(piece)
        if len(collected) > _MOST_OUTPUT:
            raise WrongBytesError(f"{argv[0]} prints more than {_MOST_OUTPUT:,} bytes")

    listener = on_output or collect
    read_end, write_end = os.pipe()
    running: sh.RunningCommand | None = None
    try:
        # A pipe of our own: sh would hold back a progress line, which ends in CR, until an LF.
        with os.fdopen(write_end, "wb") as out, given:
            running = _launch(argv, env, given, out, keep_open=keep_open)
        _UNDER_WAY[running.pid] = running
        with watch(running.pid) if watch else contextlib.nullcontext():
            while piece := os.read(read_end, 1 << 16):
                listener(piece)
            running.wait()
        if running.exit_code:
            end_group(running.pid)
    except BaseException:
        if running is not None:
            _end(running, _GRACE)
            outlive_group(running.pid, read_end)
        raise
    finally:
        if running is not None:
            _UNDER_WAY.pop(running.pid, None)
        os.close(read_end)
    stdout = collected.decode("utf-8", "surrogateescape")
    return Outcome(running.exit_code, stdout, running.stderr.decode("utf-8", "surrogateescape"))


@contextlib.contextmanager
def _fed(pieces: Iterable[bytes]) -> Iterator[IO[bytes]]:
    read_end, write_end = os.pipe()

    def feed() -> None:
        # A program that ends early has read what it wanted; its status tells the rest.
        with contextlib.suppress(BrokenPipeError), os.fdopen(write_end, "wb", buffering=0) as out:
            for piece in pieces:
                view = memoryview(piece)
                while view:
                    view = view[out.write(view) :]

    with ThreadPoolExecutor(1) as thread:
        feeding = thread.submit(feed)
        with os.fdopen(read_end, "rb") as given:
            yield given
        feeding.result()


@contextlib.contextmanager
def start(
    argv: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    grace: float = 5.0,
) -> Iterator[Callable[[], bool]]:
    """Run a program beside us for as long as the block lasts; it and its children end with it.

    Args:
        argv: The program and its arguments.
        log: Gets all that it prints.
        env: Its whole environment; default ``environment()``.
        grace: Seconds that it has to end after SIGTERM; SIGKILL follows.

    Yields:
        A function that tells whether it still runs.

    Raises:
        SurroundingsError: The program is missing or cannot be started.
    """
    with log.open("wb") as out, Path(os.devnull).open("rb") as nothing:
        running = _launch(argv, env, nothing, out, beside_us=True)
    try:
        yield running.is_alive
    finally:
        _end(running, grace)


def _launch(  # noqa: PLR0913 (what run and start have in common)
    argv: Sequence[str],
    env: Mapping[str, str] | None,
    stdin: IO[bytes],
    stdout: IO[bytes],
    *,
    keep_open: Sequence[int] = (),
    beside_us: bool = False,
) -> sh.RunningCommand:
    for descriptor in keep_open:
        os.set_inheritable(descriptor, True)  # noqa: FBT003 (a system call's own argument)
    try:
        return sh.Command(find(argv[0]))(
            *argv[1:],
            _bg=True,
            _bg_exc=False,
            _in=stdin,
            _out=stdout,
            _err_to_out=beside_us,
            _tty_out=False,
            _err_bufsize=_STDERR_PIECE,
            _internal_bufsize=_STDERR_PIECES,
            _env=dict(environment() if env is None else env),
            # Ctrl-C reaches us alone, and we end what we started; none can ask for a password.
            _new_session=not beside_us,
            _new_group=beside_us,
            _ok_code=_ANY_STATUS,
            _pass_fds=set(keep_open),
            _encoding=_FILE_NAMES,
        )
    except sh.ForkException as error:
        reason = str(error).strip().splitlines()[-1].strip()
        if "/proc/self/fd" in reason:
            raise SurroundingsError(
                f"{argv[0]} cannot be started: /proc is not mounted",
                hint="as root: mount -t proc proc /proc",
            ) from error
        raise SurroundingsError(f"{argv[0]} cannot be started: {reason}") from error


@codecs.register
def _file_names_codec(name: str) -> codecs.CodecInfo | None:
    """For sh, which encodes arguments: ours name files, and those are bytes of no encoding."""
    if name != _FILE_NAMES:
        return None
    return codecs.CodecInfo(
        lambda text, _errors="": (os.fsencode(text), len(text)),
        lambda raw, _errors="": (os.fsdecode(bytes(raw)), len(raw)),
        name=_FILE_NAMES,
    )


def _end(running: sh.RunningCommand, grace: float) -> None:
    with contextlib.suppress(ProcessLookupError):
        running.signal_group(signal.SIGTERM)
        try:
            running.wait(timeout=grace)
        except sh.TimeoutException:
            running.signal_group(signal.SIGKILL)
            running.wait()
