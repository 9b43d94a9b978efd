"""A network of a test's own: two machines with public addresses and names, which nobody else sees.

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
_SET_UP_FAR = """
set -e
ip link set lo up
echo ready
exec cat
"""
_JOIN = """
set -e
ip link add near type veth peer name far netns "$FAR"
ip address add 10.99.0.1/30 dev near
ip link set near up
"""
_JOIN_FAR = """
set -e
ip address add 10.99.0.2/30 dev far
ip link set far up
for address in $ADDRESSES; do ip address add "$address" dev lo; done
"""
_ROUTE = """
set -e
for address in $ADDRESSES; do ip route add "$address" via 10.99.0.2; done
"""


@dataclass(frozen=True, slots=True)
class OwnNetwork:
    """A network that stands.

    Attributes:
        inside: What stands before the argv of a program that is to be on the near machine.
        far: The same, of the machine beside it.
    """

    inside: tuple[str, ...]
    far: tuple[str, ...]

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
    scratch: Path,
    addresses: Sequence[str],
    far_addresses: Sequence[str],
    names: Mapping[str, Sequence[str]],
) -> Iterator[OwnNetwork]:
    """Have such a network for as long as the block lasts.

    Args:
        scratch: An empty folder.
        addresses: Of the near machine, with the length of their prefix, such as ``8.8.4.4/32``.
        far_addresses: Of the other.
        names: What a name server says of each: one address after another, the last for ever.
    """
    resolv = scratch / "resolv.conf"
    resolv.write_text("nameserver 127.0.0.53\noptions timeout:5\n")
    environ = {**os.environ, "ADDRESSES": " ".join(addresses), "RESOLV": str(resolv)}
    user = () if os.geteuid() == 0 else ("--map-root-user",)
    argv = ["unshare", "--net", "--mount", *user, "sh", "-c", _SET_UP]
    with contextlib.ExitStack() as stack:
        inside = stack.enter_context(_holding(argv, environ))
        far = stack.enter_context(
            _holding([*inside, "unshare", "--net", "sh", "-c", _SET_UP_FAR], environ)
        )
        environ |= {"FAR": _pid(far), "ADDRESSES": " ".join(far_addresses)}
        for where, script in ((inside, _JOIN), (far, _JOIN_FAR), (inside, _ROUTE)):
            subprocess.run([*where, "sh", "-c", script], env=environ, check=True)
        told = [f"{name}={','.join(each)}" for name, each in names.items()]
        stack.enter_context(_running([*inside, sys.executable, str(_NAMES), *told]))
        yield OwnNetwork(inside, far)


@contextlib.contextmanager
def _holding(argv: Sequence[str], environ: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """Namespaces for as long as a process lives: what leads into them."""
    root = () if os.geteuid() == 0 else ("--user", "--preserve-credentials")
    with subprocess.Popen(
        argv, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        try:
            assert holder.stdout
            assert holder.stdout.readline() == b"ready\n"
            yield ("nsenter", f"--target={holder.pid}", "--net", "--mount", *root)
        finally:
            holder.communicate()  # its input ends, and so does it


def _pid(inside: Sequence[str]) -> str:
    return inside[1].partition("=")[2]


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
