"""The servers of a release that moves from the beta's place to the final's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_builder.errors import WrongBytesError, printable
from release_builder.jigdo.location import parse_jigdo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_builder.plan import Plan


def moved_servers(
    jigdo: bytes, plan: Plan, beta_plan: Plan, beta: str, final: str
) -> dict[str, str]:
    """By URL of [Servers], the URL that the final has in its place.

    Args:
        jigdo: The beta's.
        plan: The final's.
        beta_plan: The beta's.
        beta: Where the beta lies below the public root.
        final: Where the final will.

    Raises:
        JigdoError: ``jigdo`` is none.
    """
    moves = dict(_labels(plan, beta_plan))
    for server in parse_jigdo(jigdo, "the beta's .jigdo").servers:
        if f"/{beta}/" in server.url:
            moves.setdefault(server.url, server.url.replace(f"/{beta}/", f"/{final}/"))
    return moves


def _labels(plan: Plan, beta_plan: Plan) -> Iterator[tuple[str, str]]:
    for label, server in beta_plan.release.servers.items():
        if label in plan.release.servers:
            yield server.of(beta_plan.stage), plan.release.servers[label].of(plan.stage)


def check_moved(jigdo: bytes, name: str, beta: str) -> None:
    """See that nothing in a final's .jigdo leads to the beta's place.

    Raises:
        WrongBytesError: Something does.
    """
    said = parse_jigdo(jigdo, name)
    urls = [server.url for server in said.servers]
    urls += [place for places in said.parts.values() for place in places]
    for url in urls:
        if f"/{beta}/" in url:
            raise WrongBytesError(
                f"{printable(name)} of the final would still name {printable(url)}",
                hint="make the final's pair anew: release-builder promote --compose, or pair",
            )
