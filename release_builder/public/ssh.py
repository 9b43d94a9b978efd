"""The host of a public tree: small scripts that it runs, files that it gets."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import tempfile
import time
from typing import TYPE_CHECKING, Final

from release_builder import process
from release_builder.errors import (
    BusyError,
    IncompleteError,
    ReleaseBuilderError,
    SurroundingsError,
    printable,
)
from release_builder.public.links import leads_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path, PurePosixPath

# For ssh the first of several counts: what the user's command or config says goes before.
_OPTIONS: Final = (
    *("-o", "BatchMode=yes"),
    *("-o", "ConnectTimeout=15"),
    *("-o", "ServerAliveInterval=15"),
    *("-o", "ServerAliveCountMax=4"),
)
_PASSED_ON: Final = ("SSH_AUTH_SOCK",)
_SSH_FAILED: Final = 255
_LOST: Final = {10, 12, 30, 35, _SSH_FAILED}  # rsync's and ssh's own: the connection is gone
_DOOR: Final = {
    r"Permission denied|Host key verification failed|Too many authentication failures": (
        "see to it that ssh reaches it without a question"
    ),
}
_REFUSED: Final = {
    r"No space left|Disk quota exceeded": "free some room there",
    r"File too large": "raise the limit of a file's size there",
    r"Permission denied|Operation not permitted": "give that user the permission",
    r"Read-only file system": "name another folder",
    r"not found|No such file": "make it there, or install it there",
}
# What a login shell greets with comes before the mark.
_MARK: Final = "\1"
_PREAMBLE: Final = (
    'printf "\\001"\nset -eu\nLC_ALL=C; export LC_ALL\numask 022\ncd -- "$1"\nshift\n'
)
# Whether a name stays below the folder that it is relative to, whatever links are on the way.
INSIDE: Final = (
    "inside() { top=$(pwd -P); "
    'case $(readlink -m -- "$1")/ in "${top%/}"/*) ;; *) return 1 ;; esac; }; '
)
# Here: a sign of life each second for as long as we live; there: the lock for as long as these
# come. A kill -9 here, or a connection that is gone, lets it go.
_BEAT: Final = 'pid=$1; shift; while kill -0 "$pid" 2>/dev/null && echo; do sleep 1; done | "$@"'
_HOLD: Final = (
    INSIDE + 'echo begun; umask 022; { [ -d "$1" ] || mkdir "$1"; } && cd "$1" && '
    '{ inside "$2/.lock" || { echo astray; exit 1; }; } && mkdir -p "$2" && '
    "{ command -v flock >/dev/null || { echo flock: not found; exit 1; }; } && "
    'exec 9<>"$2/.lock" && { flock -w 3 9 || { echo busy; exit 1; }; } && '
    "echo held && while read -r beat; do echo; done"
)


class Host:
    """What ssh reaches.

    Args:
        name: ``host`` or ``user@host``.
        root: The folder there that names are relative to.
        ssh: The command that reaches it, with its options.
    """

    def __init__(self, name: str, root: PurePosixPath, ssh: str) -> None:
        self._name = name
        self._root = str(root)
        self._ssh = (*shlex.split(ssh), *_OPTIONS)
        self._shared: tuple[str, ...] = ()
        self._held: tuple[Callable[[], bool], ...] = ()
        self._keep_open: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{self._name}:{self._root}"

    def script(self, text: str, *arguments: str) -> str:
        """Have a POSIX shell there run ``text`` in the root folder.

        Args:
            text: The script; it gets ``arguments`` as ``$1`` and so on.
            arguments: Any texts; they are quoted.

        Returns:
            What it printed.

        Raises:
            IncompleteError: The host cannot be reached, or not any more.
            SurroundingsError: The script failed.
        """
        self._check_lock()
        command = shlex.join(["sh", "-s", "--", self._root, *arguments])
        outcome = process.run(
            [*self._ssh, *self._shared, self._name, command],
            stdin=os.fsencode(_PREAMBLE + text),
            env=process.environment(pass_on=_PASSED_ON),
            keep_open=self._keep_open,
        )
        if outcome.status:
            raise self._failure(outcome.status, outcome.stderr)
        return outcome.stdout.partition(_MARK)[2]

    def send(self, source: str, name: str, *options: str) -> None:
        """Bring the file or folder ``source`` to ``name``, as rsync does.

        Raises:
            IncompleteError: The host cannot be reached, or not any more.
            SurroundingsError: rsync failed, here or there.
        """
        self._check_lock()
        argv = ["rsync", "-rlpt", "-s", "--checksum", "--timeout=300", *options]
        outcome = process.run(
            [
                *argv,
                "-e",
                shlex.join((*self._ssh, *self._shared)),
                source,
                f"{self._name}:{self._root}/{name}",
            ],
            env=process.environment(pass_on=_PASSED_ON),
            keep_open=self._keep_open,
        )
        if outcome.status:
            raise self._failure(outcome.status, outcome.stderr)

    @contextlib.contextmanager
    def holding(self, store: str, log: Path, keep_open: int) -> Iterator[None]:
        """Hold the lock of the folder ``store`` there, which is made where missing.

        All that is done meanwhile goes over the connection that holds it. Other locks may be held
        inside: each has a connection of its own, and all of them must last.

        Args:
            store: The folder; the lock is its file ``.lock``.
            log: A file for what ssh says meanwhile.
            keep_open: A descriptor that all our programs inherit.

        Raises:
            BusyError: Somebody else holds it.
            WrongBytesError: The folder, or the lock, is a link that leads out of the root.
        """
        process.find(self._ssh[0])
        command = shlex.join(["sh", "-c", _HOLD, "sh", self._root, store])
        env = process.environment(pass_on=_PASSED_ON)
        with contextlib.ExitStack() as stack:
            # The path of a socket is short.
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="release-builder."))
            shared = ("-o", f"ControlPath={folder}/ssh")
            ssh = (*self._ssh, *shared, "-o", "ControlMaster=yes", self._name)
            argv = ["sh", "-c", _BEAT, "sh", str(os.getpid()), *ssh, command]
            is_alive = stack.enter_context(process.start(argv, log=log, env=env))
            self._wait_for_lock(is_alive, log, store)
            before = self._shared, self._held, self._keep_open
            self._shared = shared
            self._held, self._keep_open = (*self._held, is_alive), (*self._keep_open, keep_open)
            try:
                yield
            finally:
                self._shared, self._held, self._keep_open = before

    def _wait_for_lock(self, is_alive: Callable[[], bool], log: Path, store: str) -> None:
        ended = False
        while True:
            said = log.read_text("utf-8", "surrogateescape")
            words = said.split("\n")
            if "held" in words:
                return
            if "astray" in words:
                raise leads_out(store, str(self))
            if "busy" in words:
                raise BusyError(
                    f"another run publishes or changes what lies in {printable(f'{self}/{store}')}",
                    hint="wait until it has ended",
                )
            if ended:
                raise self._failure(1 if "begun" in words else _SSH_FAILED, said)
            ended = not is_alive()  # what it said last is read once more
            time.sleep(0.02)

    def _check_lock(self) -> None:
        if not all(is_held() for is_held in self._held):
            raise IncompleteError(
                f"the connection to {self._name} that held the lock is gone",
                hint="run it again later",
            )

    def _failure(self, status: int, stderr: str) -> ReleaseBuilderError:
        lines = [line for line in stderr.splitlines() if line.strip("* ")]
        lines = [line for line in lines if line != "begun" and not line.startswith("Warning: ")]
        where = printable(str(self))
        for pattern, hint in (_DOOR if status == _SSH_FAILED else _REFUSED).items():
            if line := next((line for line in lines if re.search(pattern, line)), ""):
                return SurroundingsError(f"{where}: {printable(line)}", hint=hint)
        said = printable(lines[0]) if lines else f"exit status {status}"
        if status in _LOST:
            return IncompleteError(f"{where} cannot be reached: {said}", hint="run it again later")
        return SurroundingsError(f"{where}: {said}")
