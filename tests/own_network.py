"""A network of a test's own: public addresses and names on this machine, which nobody else sees.

Linux namespaces make it (unshare(1), nsenter(1), ip-address(8)); root is needed, or a kernel that
lets users be root in a namespace of theirs.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from program import PROGRAM, Ended

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_NAMES = Path(__file__).with_name("own_names.py")
_PATIENCE = 60  # seconds, for anything
_SET_UP = """
set -e
ip link set lo up
for address in $ADDRESSES; do ip address add "$address" dev lo; done
mount --bind "$RESOLV" /etc/resolv.conf
echo ready
exec cat
"""


@dataclass(frozen=True, slots=True)
class OwnNetwork:
    """A network that stands.

    Attributes:
        inside: What stands before the argv of a program that is to be in it.
    """

    inside: tuple[str, ...]

    def release_builder(self, *arguments: str | Path, cwd: Path) -> Ended:
        """Run the program in it to its end."""
        return self.run([*PROGRAM, *map(str, arguments)], cwd=cwd)

    def run(self, argv: Sequence[str], *, cwd: Path) -> Ended:
        """Run any program in it to its end; no proxy is on the way."""
        environ = {key: value for key, value in os.environ.items() if "_proxy" not in key.lower()}
        ended = subprocess.run(
            [*self.inside, "env", f"--chdir={cwd}", *argv],  # nsenter goes to the root
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)


@contextlib.contextmanager
def own_network(
    scratch: Path, addresses: Sequence[str], names: Mapping[str, Sequence[str]]
) -> Iterator[OwnNetwork]:
    """Have such a network for as long as the block lasts.

    Args:
        scratch: An empty folder.
        addresses: With the length of their prefix, such as ``8.8.4.4/32``.
        names: What a name server says of each: one address after another, the last for ever.
    """
    resolv = scratch / "resolv.conf"
    resolv.write_text("nameserver 127.0.0.53\noptions timeout:5\n")
    environ = {**os.environ, "ADDRESSES": " ".join(addresses), "RESOLV": str(resolv)}
    user = () if os.geteuid() == 0 else ("--map-root-user",)
    argv = ["unshare", "--net", "--mount", *user, "sh", "-c", _SET_UP]
    with contextlib.ExitStack() as stack:
        holder = stack.enter_context(
            subprocess.Popen(argv, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        )
        stack.callback(holder.communicate)  # its input ends, and so does it
        assert holder.stdout
        assert holder.stdout.readline() == b"ready\n"
        root = () if os.geteuid() == 0 else ("--user", "--preserve-credentials")
        inside = ("nsenter", f"--target={holder.pid}", "--net", "--mount", *root)
        told = [f"{name}={','.join(each)}" for name, each in names.items()]
        stack.enter_context(_running([*inside, sys.executable, str(_NAMES), *told]))
        yield OwnNetwork(inside)


@contextlib.contextmanager
def _running(argv: Sequence[str]) -> Iterator[None]:
    """A server that says a line when it is ready."""
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout
            assert server.stdout.readline()
            yield
        finally:
            server.terminate()
