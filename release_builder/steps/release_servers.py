"""The web servers that a release's parts are published on."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from release_builder.descriptor.mirror import Kind
from release_builder.descriptor.version import Stage
from release_builder.jigdo.location import parse_jigdo
from release_builder.jigdo.servers import rewrite_servers
from release_builder.steps.part_servers import PartServers
from release_builder.transport.http import HttpOptions

if TYPE_CHECKING:
    from release_builder.descriptor.release import Release
    from release_builder.plan import Plan
    from release_builder.steps.find_pair import Pair
    from release_builder.transport.http.fetcher import ServerFetcher


def release_servers(plan: Plan, pair: Pair) -> PartServers:
    """Those of [Servers], rewritten, and the descriptor's mirrors before them; none if offline."""
    release, stage = plan.release, plan.stage
    rewritten = rewrite_servers(pair.content, release.server_urls(stage), pair.jigdo.name)
    jigdo = parse_jigdo(rewritten.content, pair.jigdo.name)
    options = http_options(release)
    make_fetcher = None if plan.options.offline else partial(_fetcher, options)
    return PartServers(jigdo, release.part_servers(stage), options.connections, make_fetcher)


def http_options(release: Release) -> HttpOptions:
    """How the descriptor wants servers to be asked; all that it names may be anywhere."""
    fetch, publish, mirror = release.fetch, release.publish, release.mirror
    named = [mirror.url, *fetch.mirrors]
    named += [server.of(stage) for server in release.servers.values() for stage in Stage]
    if publish:
        named += [*filter(None, [publish.url]), *publish.mirrors]
    return HttpOptions(
        connections=fetch.connections,
        retries=fetch.retries,
        timeout=fetch.timeout,
        deadline=fetch.deadline,
        limit_rate=fetch.limit_rate,
        ca_bundle=fetch.ca_bundle,
        named=tuple(dict.fromkeys(named)),
        origin=None if mirror.kind is Kind.LOCAL else mirror.url,
    )


def _fetcher(options: HttpOptions) -> ServerFetcher:
    # Not before a part is wanted: urllib3 and the certificates take a tenth of a second.
    from release_builder.transport.http.client import HttpClient  # noqa: PLC0415
    from release_builder.transport.http.fetcher import ServerFetcher  # noqa: PLC0415

    return ServerFetcher(HttpClient(options, os.environ), options)
