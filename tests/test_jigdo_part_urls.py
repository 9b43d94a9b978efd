"""From [Parts] and [Servers] to what a web server can be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from release_builder.digests import Digest
from release_builder.errors import WrongBytesError
from release_builder.jigdo.location import JigdoFile, parse_jigdo
from release_builder.jigdo.part_urls import PartLocator, PartUrl, PartUrls, encoded_url, part_urls

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MD5 = Digest("md5", bytes(range(16)))
SHA256 = Digest("sha256", bytes(range(32)))


def jigdo(locations: Sequence[str], *servers: str, digest: Digest = MD5) -> JigdoFile:
    """A .jigdo with one part; ``servers`` are the lines of [Servers]."""
    parts = [f"{digest.jigdo}='{location}'" for location in locations]
    lines = ["[Image]", "Filename=o.iso", "[Parts]", *parts, "[Servers]", *servers, ""]
    return parse_jigdo("\n".join(lines).encode("utf-8", "surrogateescape"), "t.jigdo")


def urls(
    locations: Sequence[str], *servers: str, instead: Mapping[str, Sequence[str]] | None = None
) -> list[str]:
    return [each.url for each in part_urls(jigdo(locations, *servers), MD5, instead).http]


def test_a_label_is_replaced_by_its_server() -> None:
    assert part_urls(jigdo(["A:x/y.rpm"], "A=http://h/d/"), MD5) == PartUrls(
        (PartUrl("http://h/d/x/y.rpm", last=False, location="A:x/y.rpm"),), ()
    )


@pytest.mark.parametrize(
    ("locations", "servers", "wanted"),
    [
        pytest.param(
            ["A:x", "B:y"],
            ["B=http://b/", "A=http://a2/", "A=http://a1/"],
            ["http://a2/x", "http://a1/x", "http://b/y"],
            id="by locations, then by servers",
        ),
        pytest.param(
            ["A:x"],
            ["A=B:s/", "A=http://a/", "B=http://b1/", "B=https://b2/"],
            ["http://b1/s/x", "https://b2/s/x", "http://a/x"],
            id="labels that lead to labels",
        ),
        pytest.param(["http://h/x"], [], ["http://h/x"], id="a URL"),
        pytest.param(["HTTPS://h/x"], [], ["HTTPS://h/x"], id="a URL in capitals"),
        pytest.param(
            ["A:x", "B:x", "http://h/x"], ["A=http://h/", "B=http://h/"], ["http://h/x"], id="once"
        ),
        pytest.param(["A:b:c"], ["A=http://h/"], ["http://h/b:c"], id="the first colon counts"),
        pytest.param(["A:/x"], ["A=http://h"], ["http://h/x"], id="the name has the slash"),
        pytest.param(["A:x"], ["A=http://h/d"], ["http://h/dx"], id="the server is a prefix"),
        pytest.param(["A:x"], ["A=http://h/?f="], ["http://h/?f=x"], id="a query"),
        pytest.param([], ["A=http://h/"], [], id="no location"),
    ],
)
def test_urls_come_in_order(locations: list[str], servers: list[str], wanted: list[str]) -> None:
    assert urls(locations, *servers) == wanted


@pytest.mark.parametrize(
    ("name", "encoded"),
    [
        pytest.param("a b", "a%20b", id="blank"),
        pytest.param("#1?x", "%231%3Fx", id="hash and question mark"),
        pytest.param("naïve", "na%C3%AFve", id="UTF-8"),
        pytest.param("latin\udce9", "latin%E9", id="a byte that is no UTF-8"),
        pytest.param('"<>\\^`{|}[]', "%22%3C%3E%5C%5E%60%7B%7C%7D%5B%5D", id="signs"),
        pytest.param("100%", "100%25", id="percent"),
        pytest.param("%zz", "%25zz", id="no escape"),
        pytest.param("c++~1.0-2_a,=@!$&()*;", "c++~1.0-2_a,=@!$&()*;", id="signs that may stand"),
        pytest.param("\x01\x7f", "%01%7F", id="control"),
    ],
)
def test_the_name_of_a_file_is_encoded(name: str, encoded: str) -> None:
    assert urls([f"A:d/{name}"], "A=http://h/") == [f"http://h/d/{encoded}"]


def test_an_escape_in_a_name_is_first_taken_for_the_name() -> None:
    assert urls(["A:a%3a b%"], "A=http://h/", "A=http://i/") == [
        "http://h/a%253a%20b%25",
        "http://h/a%3a%20b%25",
        "http://i/a%253a%20b%25",
        "http://i/a%3a%20b%25",
    ]


def test_in_a_query_what_parts_it_is_encoded() -> None:
    assert urls(["A:d/c++&x=1"], "A=http://h/?f=") == ["http://h/?f=d/c%2B%2B%26x%3D1"]


@pytest.mark.parametrize(
    ("url", "encoded"),
    [
        pytest.param("http://h/a%20b", "http://h/a%20b", id="escapes stay"),
        pytest.param("http://h/a b%", "http://h/a%20b%25", id="what may not stand"),
        pytest.param("http://h/a#1", "http://h/a%231", id="a fragment is none"),
        pytest.param("http://h/?a=b&c", "http://h/?a=b&c", id="query"),
        pytest.param("http://h/é\udcff/", "http://h/%C3%A9%FF/", id="not ASCII"),
        pytest.param("http://u:p%40@h:80/", "http://u:p%40@h:80/", id="user, password, port"),
        pytest.param("http://u s:@p@h/", "http://u%20s:%40p@h/", id="odd user"),
        pytest.param("http://[::1]:8080/x", "http://[::1]:8080/x", id="IPv6"),
        pytest.param("http://müller.example/", "http://xn--mller-kva.example/", id="IDN"),
        pytest.param("http://a_b.example", "http://a_b.example", id="underscore"),
        pytest.param("it's #1.template", "it's%20%231.template", id="relative"),
        pytest.param("ftp://h/a b", "ftp://h/a%20b", id="no http"),
        pytest.param("", "", id="empty"),
    ],
)
def test_a_url_is_kept_but_for_what_may_not_stand_in_it(url: str, encoded: str) -> None:
    assert encoded_url(url) == encoded
    assert encoded_url(encoded) == encoded


BAD_HOSTS = [
    pytest.param("", id="none"),
    pytest.param("u@", id="only a user"),
    pytest.param("a b", id="blank"),
    pytest.param("h:99999", id="port too large"),
    pytest.param("h:x", id="port is no number"),
    pytest.param("[::1", id="bracket without end"),
    pytest.param("[:::1]", id="no address"),
    pytest.param("a..b", id="empty label"),
    pytest.param("a" * 64, id="label too long"),
    pytest.param("\udcff", id="no UTF-8"),
    pytest.param("h\\x", id="backslash"),
    pytest.param("h#x", id="fragment"),
    pytest.param("h#u@i", id="fragment or user"),
]


@pytest.mark.parametrize("host", BAD_HOSTS)
def test_a_url_without_a_host_is_refused(host: str) -> None:
    with pytest.raises(WrongBytesError, match="is no host that can be asked"):
        encoded_url(f"http://{host}/x")


@pytest.mark.parametrize("host", BAD_HOSTS)
def test_a_bad_server_spoils_no_other(host: str) -> None:
    found = part_urls(jigdo(["A:x"], f"A='http://{host}/'", "A=http://good/"), MD5)

    assert [each.url for each in found.http] == ["http://good/x"]
    (problem,) = found.problems
    assert problem.startswith("A:x: '")
    assert problem.isprintable()


@pytest.mark.parametrize(
    ("servers", "last"),
    [
        pytest.param(["A=http://h/ --try-last"], [True], id="of its server"),
        pytest.param(["A=http://h/"], [False], id="of none"),
        pytest.param(["A=http://h/ --try-first=3"], [False], id="another option"),
        pytest.param(["A=B:", "B=http://h/ --try-last"], [True], id="of the last label"),
        pytest.param(["A=B: --try-last", "B=http://h/"], [True], id="of the first label"),
        pytest.param(
            ["A=http://h/ --try-last", "A=http://i/"], [True, False], id="of one server of two"
        ),
        pytest.param(
            ["A=B:", "A=C:", "B=http://h/ --try-last", "C=http://h/"], [False], id="not every way"
        ),
    ],
)
def test_a_server_of_last_resort_is_told(servers: list[str], last: list[bool]) -> None:
    found = part_urls(jigdo(["A:x"], *servers), MD5)

    assert [each.last for each in found.http] == last


def test_what_one_location_has_last_another_may_have_at_once() -> None:
    found = part_urls(jigdo(["A:x", "B:x"], "A=http://h/ --try-last", "B=http://h/"), MD5)

    assert found.http == (PartUrl("http://h/x", last=False, location="B:x"),)


@pytest.mark.parametrize(
    ("digest", "label"),
    [pytest.param(MD5, "MD5Sum", id="md5"), pytest.param(SHA256, "SHA256Sum", id="sha256")],
)
@pytest.mark.parametrize("locations", [[], ["A:x"]])
def test_a_server_by_digest_is_asked_behind_the_others(
    digest: Digest, label: str, locations: list[str]
) -> None:
    lines = ("A=http://a/", "MD5Sum=http://m/", "SHA256Sum=http://s/ --try-last")
    pseudo = f"{label}:{digest.jigdo}"

    found = part_urls(jigdo(locations, *lines, digest=digest), digest)

    assert [each.location for each in found.http] == [*locations, pseudo]
    host = {"md5": "m", "sha256": "s"}[digest.algorithm]
    assert found.http[-1] == PartUrl(f"http://{host}/{digest.jigdo}", host == "s", pseudo)


def test_without_a_server_by_digest_there_is_no_such_url() -> None:
    assert part_urls(jigdo([]), MD5) == PartUrls((), ())


def test_the_users_own_mirrors_come_first() -> None:
    own = {"A": ["http://own1/", "http://own2/"], "B": ["A:b/"], "MD5Sum": ["http://m/"]}

    found = urls(["B:x", "A:y"], "A=http://a/", instead=own)

    assert found == [
        "http://own1/b/x",
        "http://own2/b/x",
        "http://a/b/x",
        "http://own1/y",
        "http://own2/y",
        "http://a/y",
        f"http://m/{MD5.jigdo}",
    ]


@pytest.mark.parametrize(
    ("location", "other"),
    [
        pytest.param("ftp://u:p@ss@h/x", "ftp://h/x", id="ftp"),
        pytest.param("file:/srv/a b", "file:/srv/a b", id="file"),
        pytest.param("Unknown:x", "Unknown:x", id="a label without server"),
        pytest.param("x/y", "x/y", id="a path"),
        pytest.param("http:x", "http:x", id="http without host"),
        pytest.param("F:x", "file:/srv/x", id="a server that is a folder"),
        pytest.param("N:x", "Unknown:n/x", id="a label that leads to none"),
    ],
)
def test_what_is_no_http_url_is_told_apart(location: str, other: str) -> None:
    found = part_urls(jigdo([location, "A:x"], "F=file:/srv/", "N=Unknown:n/", "A=http://a/"), MD5)

    assert [each.url for each in found.http] == ["http://a/x"]
    assert found.others == (other,)
    assert found.problems == ()


@pytest.mark.parametrize(
    ("location", "problem"),
    [
        pytest.param("A:../x", "A:../x: leads out of its server's folder", id="up"),
        pytest.param("A:x/..", "A:x/..: leads out of its server's folder", id="up at its end"),
        pytest.param("L:x", "L:x: t.jigdo: labels of [Servers] lead in a circle: L → L", id="loop"),
        pytest.param("S:x", "S:x: its server's URL has no slash behind the host", id="no slash"),
        pytest.param(
            "http://u:secret@/x", "http:///x: '' is no host that can be asked", id="no host"
        ),
        pytest.param(
            f"A:{'x' * 60000}é\x1b",
            f"A:{'x' * 198}: a URL of more than 65,536 characters",
            id="too long",
        ),
    ],
)
def test_what_cannot_be_meant_is_left_out_and_said(location: str, problem: str) -> None:
    if "x" * 60000 in location:
        location = location.replace("é", " " * 3000)

    found = part_urls(
        jigdo([location, "B:x"], "A=http://a/", "L=L:", "S=http://s", "B=http://b/"), MD5
    )

    assert [each.url for each in found.http] == ["http://b/x"]
    assert found.problems == (problem,)


def test_a_way_up_that_is_escaped_is_only_taken_for_a_name() -> None:
    found = part_urls(jigdo(["A:%2e%2E/a%2F..%2Fb"], "A=http://h/"), MD5)

    assert [each.url for each in found.http] == ["http://h/%252e%252E/a%252F..%252Fb"]
    assert found.problems == ("A:%2e%2E/a%2F..%2Fb: leads out of its server's folder",)


def test_dots_that_lead_nowhere_are_part_of_a_name() -> None:
    assert urls(["A:a..b/...x"], "A=http://h/") == ["http://h/a..b/...x"]


@pytest.mark.parametrize("scheme", ["http", "ftp"])
def test_a_part_with_urls_without_end_has_some(scheme: str) -> None:
    found = part_urls(jigdo([f"{scheme}://h/{number}" for number in range(1000)]), MD5)

    assert len(found.http) + len(found.others) == 257
    assert found.problems == (f"{scheme}://h/256: more than 256 URLs: no more",)


def test_a_locator_tells_of_every_part_the_same() -> None:
    text = jigdo(["A:x", "http://h/y"], "A=http://a/ --try-last", "MD5Sum=A:by/")
    own = {"A": ["http://own/"]}
    locator = PartLocator(text, own)

    assert [locator.urls(MD5) for _ in range(2)] == [part_urls(text, MD5, own)] * 2
    assert len(locator.urls(MD5).http) == 5
