"""``jigdo fetch`` from servers some way off, whose connections it shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fetching import assert_image, fetched, release_of
from pipelining_server import PipeliningServer
from tls_servers import Keys

if TYPE_CHECKING:
    from pathlib import Path

    from pipelining_server import Manners

pytestmark = pytest.mark.interop

RELEASE = release_of(90, 4000)
CONNECTIONS = 3


def swap(answers: list[bytes]) -> list[bytes | float | None]:
    return [*reversed(answers)]


def hang_up_between(answers: list[bytes]) -> list[bytes | float | None]:
    return [answers[0], None]


@pytest.mark.parametrize(
    ("manners", "last"),
    [
        pytest.param(None, None, id="well"),
        pytest.param(None, 5, id="few requests a connection"),
        pytest.param(swap, None, id="out of order"),
        pytest.param(hang_up_between, None, id="one request a connection"),
    ],
)
def test_the_image_is_right_and_nothing_is_told(
    workdir: Path, manners: Manners | None, last: int | None
) -> None:
    with PipeliningServer(RELEASE.tree(), manners, last=last) as server:
        server.content |= RELEASE.pair(f"A={server.url}/tree/")

        told = fetched("--connections", str(CONNECTIONS), f"{server.url}/cd.jigdo", cwd=workdir)

        assert told["status"] == 0, told["stderr"]
        assert_image(workdir, RELEASE)
        assert told["notes"] == []
        assert server.most_at_once > 1
        assert server.most_open <= CONNECTIONS


def test_connections_of_https_are_shared_too(tmp_path: Path, workdir: Path) -> None:
    keys = Keys.made(tmp_path)
    with PipeliningServer(RELEASE.tree(), tls=keys.signed()) as server:
        url = server.url.replace("127.0.0.1", "localhost")
        server.content |= RELEASE.pair(f"A={url}/tree/")

        told = fetched(
            *("--connections", str(CONNECTIONS), "--ca-bundle", keys.authority),
            f"{url}/cd.jigdo",
            cwd=workdir,
        )

        assert told["status"] == 0, told["stderr"]
        assert_image(workdir, RELEASE)
        assert server.most_at_once > 1
        assert server.most_open <= CONNECTIONS
