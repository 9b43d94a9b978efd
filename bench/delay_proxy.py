"""A far server: TCP on the loopback interface with a round trip that is felt.

Every byte arrives half a round trip after it was sent, either way; a new connection first waits a
whole one, as its handshake would. Bandwidth is what this machine gives, nothing is lost, and there
is no slow start: real lines are worse.

usage: python -m bench.delay_proxy PORT MILLISECONDS

It passes on to PORT of 127.0.0.1, prints its own port, and ends when its stdin does.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import IPPROTO_TCP, SHUT_WR, TCP_NODELAY, create_server, socket
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    _UnderWay = asyncio.Queue[tuple[float, bytes]]

_HOST: Final = "127.0.0.1"
_BLOCK: Final = 256 << 10
_BLOCKS: Final = 128  # on their way at a time, for each connection and direction


@contextmanager
def far_away(port: int, milliseconds: int) -> Iterator[int]:
    """A port that leads to ``port`` by a round trip; the proxy is a process of its own."""
    proxy = subprocess.Popen(
        [sys.executable, "-m", "bench.delay_proxy", str(port), str(milliseconds)],
        cwd=Path(__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for us, who then close its stdin
    )
    with proxy:
        assert proxy.stdout is not None
        yield int(proxy.stdout.readline())


def main() -> None:
    """Serve until stdin ends."""
    port, milliseconds = map(int, sys.argv[1:])
    asyncio.run(_serve(port, milliseconds / 1000))


async def _serve(port: int, round_trip: float) -> None:
    with create_server((_HOST, 0), backlog=128) as door:
        door.setblocking(False)  # noqa: FBT003 (a system call's own argument)
        print(door.getsockname()[1], flush=True)
        accepting = asyncio.create_task(_accept(door, port, round_trip))
        await asyncio.to_thread(sys.stdin.read)
        accepting.cancel()


async def _accept(door: socket, port: int, round_trip: float) -> None:
    loop = asyncio.get_running_loop()
    connections = set()
    while True:
        near, _ = await loop.sock_accept(door)
        connection = asyncio.create_task(_join(near, port, round_trip))
        connections.add(connection)  # the loop alone would not keep it
        connection.add_done_callback(connections.discard)


async def _join(near: socket, port: int, round_trip: float) -> None:
    """Carry bytes between a new connection and ``port``, until both have ended or one broke."""
    loop = asyncio.get_running_loop()
    open_from = loop.time() + round_trip
    with near, socket() as far, suppress(OSError):
        for each in (near, far):
            each.setblocking(False)  # noqa: FBT003 (a system call's own argument)
            each.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        await loop.sock_connect(far, (_HOST, port))
        try:
            async with asyncio.TaskGroup() as tasks:
                for source, sink in ((near, far), (far, near)):
                    under_way: _UnderWay = asyncio.Queue(_BLOCKS)
                    tasks.create_task(_depart(source, under_way, round_trip / 2, open_from))
                    tasks.create_task(_arrive(under_way, sink))
        except* OSError:
            pass  # leaving the block tells the other side


async def _depart(source: socket, under_way: _UnderWay, delay: float, open_from: float) -> None:
    loop = asyncio.get_running_loop()
    while True:
        block = await loop.sock_recv(source, _BLOCK)
        await under_way.put((max(loop.time(), open_from) + delay, block))
        if not block:
            return


async def _arrive(under_way: _UnderWay, sink: socket) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due, block = await under_way.get()
        if (wait := due - loop.time()) > 0:
            await asyncio.sleep(wait)
        if not block:
            sink.shutdown(SHUT_WR)
            return
        await loop.sock_sendall(sink, block)


if __name__ == "__main__":
    main()
