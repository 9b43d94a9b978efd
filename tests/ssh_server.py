"""A host that ssh reaches: a real sshd on the loopback interface, with keys of its own."""

from __future__ import annotations

import contextlib
import getpass
import os
import shlex
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from release_builder import process

if TYPE_CHECKING:
    from collections.abc import Iterator

_HOST = "127.0.0.1"
_PATIENCE = 60.0  # seconds until it must answer
_DAEMON = """
Port {port}
ListenAddress {host}
HostKey "{folder}/host_key"
AuthorizedKeysFile "{folder}/key.pub"
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
SetEnv "HOME={folder}"
"""
_CLIENT = """
Host releases
    HostName {host}
    Port {port}
    User {user}
    IdentityFile "{folder}/key"
    IdentitiesOnly yes
    UserKnownHostsFile "{folder}/known_hosts"
    StrictHostKeyChecking yes
"""


@dataclass(frozen=True, slots=True)
class SshServer:
    """Where it listens, and how it is reached as the host ``releases``."""

    folder: Path
    port: int

    @property
    def command(self) -> str:
        """The ssh command, with an option."""
        return f"ssh -F {shlex.quote(str(self.folder / 'client'))}"

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Have it answer while the block lasts; its sessions end with it."""
        if os.geteuid() == 0:  # where sshd puts its children that have no rights
            Path("/run/sshd").mkdir(exist_ok=True)
        argv = ["/usr/sbin/sshd", "-D", "-e", "-f", str(self.folder / "daemon")]
        log = self.folder / "log"
        with process.start(argv, log=log, grace=0.5) as is_alive:
            deadline = time.monotonic() + _PATIENCE
            while not _answers(self.port):
                assert is_alive(), log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.02)
            yield

    def sessions(self) -> list[int]:
        """The processes that hold its connections."""
        listening = [int(pid) for pid in _children(os.getpid()) if _is_daemon(pid, self.folder)]
        return [int(pid) for parent in listening for pid in _children(parent)]


def make_ssh_server(folder: Path) -> SshServer:
    """Keys and configuration in ``folder``, for a port that is free now."""
    folder.mkdir()
    for key in ("host_key", "key"):
        keygen = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)]
        subprocess.run(keygen, check=True)
    with socket.socket() as holder:
        holder.bind((_HOST, 0))
        port = holder.getsockname()[1]
    values = {"folder": folder, "port": port, "host": _HOST, "user": getpass.getuser()}
    (folder / "daemon").write_text(_DAEMON.format(**values))
    (folder / "client").write_text(_CLIENT.format(**values))
    host_key = (folder / "host_key.pub").read_text()
    (folder / "known_hosts").write_text(f"[{_HOST}]:{port} {host_key}")
    return SshServer(folder, port)


def _children(parent: int) -> list[str]:
    stats = (path.read_text() for path in Path("/proc").glob("[0-9]*/stat"))
    fields = [(stat.split()[0], stat.rsplit(")", 1)[1].split()[1]) for stat in stats]
    return [pid for pid, its_parent in fields if int(its_parent) == parent]


def _is_daemon(pid: str, folder: Path) -> bool:
    return os.fsencode(folder) in Path("/proc", pid, "cmdline").read_bytes()


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((_HOST, port), 1) as answer:
        return answer.recv(4) == b"SSH-"
    return False
