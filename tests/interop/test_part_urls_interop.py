"""The URLs of parts beside those that jigdo-file prints, for pairs of its own making."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from builders import Pair, jigdo_file_pair, make_image, make_tree, run

from release_builder.jigdo.location import read_jigdo
from release_builder.jigdo.part_urls import PartLocator

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from release_builder.digests import Digest
    from release_builder.jigdo.part_urls import PartUrls

pytestmark = pytest.mark.interop

TREE = {
    "Packages/libstdc++-4.4.7_a~b.rpm": 5000,
    "Packages/plain-1.0-1.noarch.rpm": 3000,
    "images/a=b:c,d@e;f.img": 2000,
    "pool/m/x!y$z&(1)*.deb": 4000,
}


@pytest.fixture(params=["md5", "sha256"])
def pair(request: pytest.FixtureRequest, workdir: Path) -> Pair:
    """Its image is another one than what is asked for."""
    tree = make_tree(workdir / "tree", TREE)
    image = make_image(tree, workdir / "image.iso")
    return jigdo_file_pair(image, tree, workdir / "out", algorithm=request.param)


def printed(pair: Pair, *options: str) -> list[list[str]]:
    """What print-missing-all says of each part, in the order of the digests."""
    argv = ("jigdo-file", "print-missing-all", "--no-cache", *options)
    names = (f"--image={pair.jigdo.parent}/new.iso", f"--jigdo={pair.jigdo}")
    text = run(*argv, *names, f"--template={pair.template}")
    return [block.splitlines() for block in text.split("\n\n") if block]


def with_servers(pair: Pair, *lines: str, parts: Callable[[str], str] = lambda text: text) -> None:
    """Give the pair another [Servers], and change what is above it."""
    begin, _, rest = pair.jigdo.read_text().partition("[Servers]\n")
    _, _, behind = rest.partition("\n[")
    assert behind
    servers = "".join(f"{line}\n" for line in lines)
    pair.jigdo.write_text(parts(f"{begin}\n[{behind}") + f"\n[Servers]\n{servers}")


def ours(pair: Pair, **instead: list[str]) -> dict[Digest, PartUrls]:
    """Our own, in the order of the digests."""
    jigdo = read_jigdo(pair.jigdo)
    locator = PartLocator(jigdo, instead)
    return {digest: locator.urls(digest) for digest in sorted(jigdo.parts)}


def flat(found: dict[Digest, PartUrls], label: str = "") -> list[list[str]]:
    """As print-missing-all lists them; what ``label`` lacks for a server by digest is added."""
    return [
        [
            *(each.url for each in urls.http),
            *urls.others,
            *([f"{label}:{digest.jigdo}"] if label else []),
        ]
        for digest, urls in found.items()
    ]


def sum_label(pair: Pair) -> str:
    return "SHA256Sum" if "SHA256" in pair.jigdo.read_text() else "MD5Sum"


@pytest.mark.parametrize(
    "servers",
    [
        pytest.param(["Mirror=http://one/d/"], id="one"),
        pytest.param(["Mirror=http://b/", "Mirror=https://a/", "Mirror=http://b/"], id="several"),
        pytest.param(
            ["Mirror=Site:sub/", "Mirror=http://direct/", "Site=http://s1/", "Site=http://s2/x/"],
            id="nested",
        ),
        pytest.param(["Mirror=A:a/", "A=B:b/", "B=C:c/", "C=http://deep/"], id="deep"),
        pytest.param(["Mirror=http://last/ --try-last", "Mirror=http://h/"], id="last resort"),
        pytest.param(["Mirror='http://quoted/' --try-first=3 # why"], id="quoted, with options"),
        pytest.param(["Mirror=http://u:pw@[::1]:8080/d%20e/"], id="user, IPv6, port, escape"),
        pytest.param(["Mirror=http://h/no-slash"], id="no slash at the end"),
        pytest.param(["Other=http://h/"], id="label unknown"),
        pytest.param(["Mirror=ftp://h/"], id="no http"),
    ],
)
def test_all_that_jigdo_file_prints_is_found_in_its_order(pair: Pair, servers: list[str]) -> None:
    with_servers(pair, *servers)

    found = flat(ours(pair), sum_label(pair))

    assert found == [list(dict.fromkeys(block)) for block in printed(pair)]
    assert len(found) == len(TREE)


@pytest.mark.parametrize("server", ["http://by/digest/", "Mirror:by/"])
def test_a_server_by_digest_is_found(pair: Pair, server: str) -> None:
    with_servers(pair, "Mirror=http://h/", f"{sum_label(pair)}={server}")

    found = ours(pair)

    assert flat(found) == printed(pair)
    assert [urls.http[-1].location for urls in found.values()] == [
        f"{sum_label(pair)}:{digest.jigdo}" for digest in found
    ]


def test_several_locations_of_a_part_are_found(pair: Pair) -> None:
    def more(text: str) -> str:
        digest = min(read_jigdo(pair.jigdo).parts).jigdo
        return (
            f"{text}\n[Parts]\n{digest}=http://whole/url%20/x\n{digest}=Second:y\n{digest}=plain\n"
        )

    with_servers(pair, "Second=http://two/", "Mirror=http://one/", parts=more)

    found = flat(ours(pair), sum_label(pair))

    first = found[0]
    assert len(first) == 5
    assert [sorted(block) for block in found] == [sorted(block) for block in printed(pair)]
    assert [url for url in first if "://" in url] == [
        url for url in printed(pair)[0] if "://" in url
    ]


def test_own_mirrors_come_first_as_by_uri(pair: Pair) -> None:
    with_servers(pair, "Mirror=http://theirs/", "Site=http://site/")

    found = ours(pair, Mirror=["http://mine/", "Site:sub/"])

    uris = ("--uri=Mirror=http://mine/", "--uri=Mirror=Site:sub/")
    assert flat(found, sum_label(pair)) == printed(pair, *uris)
