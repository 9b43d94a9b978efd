"""Whatever a file is called and whatever a server: its URL is one, and means that file."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes, urlsplit

from hypothesis import assume, given
from hypothesis import strategies as st

from release_builder.digests import Digest
from release_builder.errors import WrongBytesError
from release_builder.jigdo.location import ImageSection, JigdoFile, Server
from release_builder.jigdo.part_urls import encoded_url, part_urls

DIGEST = Digest("md5", bytes(16))
# What names in .jigdo files are: bytes without NUL and line ends, bad UTF-8 by surrogateescape.
NAMES = (
    st.binary(min_size=1)
    .map(lambda name: name.translate(None, b"\0\n\r").decode("utf-8", "surrogateescape"))
    .filter(lambda name: name and ".." not in name.split("/"))
)
TEXTS = st.text(st.sampled_from("aB1/:@%#?[] é\udce9.\\+2e"), max_size=30)
SERVERS = st.sampled_from(
    ["http://h/", "https://u:p@h:8080/a/b%20c/", "http://[::1]:80/d", "HTTP://müller.example/é/"]
)


def jigdo(location: str, *servers: Server) -> JigdoFile:
    image = ImageSection("o.iso", "o.template", ())
    return JigdoFile("1.2", "", image, servers, {DIGEST: (location,)})


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


@given(NAMES, SERVERS)
def test_the_path_of_a_url_decodes_to_the_name_of_the_file(name: str, server: str) -> None:
    found = part_urls(jigdo(f"L:{name}", Server("L", server, (), 1)), DIGEST).http

    parts = urlsplit(found[0].url)
    folder = unquote_to_bytes(urlsplit(server).path)
    assert unquote_to_bytes(parts.path) == folder + encoded(name)
    assert (parts.query, parts.fragment) == ("", "")
    assert parts.hostname in {"h", "::1", "xn--mller-kva.example"}


@given(NAMES, SERVERS)
def test_the_other_reading_of_a_name_decodes_to_the_name_without_escapes(
    name: str, server: str
) -> None:
    _, *others = part_urls(jigdo(f"L:{name}", Server("L", server, (), 1)), DIGEST).http

    folder = unquote_to_bytes(urlsplit(server).path)
    for other in others:
        assert unquote_to_bytes(urlsplit(other.url).path) == folder + unquote_to_bytes(
            encoded(name)
        )
        assert unquote_to_bytes(encoded(name)) != encoded(name)


@given(st.sampled_from(["http://", "https://h/", "http://h", "ftp://", ""]), TEXTS, TEXTS)
def test_whatever_is_in_a_jigdo_file_its_urls_are_fit_to_be_sent(
    begin: str, server: str, name: str
) -> None:
    lines = (Server("L", begin + server, ("--try-last",), 1), Server("MD5Sum", "L:", (), 2))

    found = part_urls(jigdo(f"L:{name}", *lines), DIGEST)

    for url in (each.url for each in found.http):
        parts = urlsplit(url)
        assert parts.scheme in {"http", "https"}
        assert parts.hostname
        assert parts.port is None or parts.port < 1 << 16
        assert url.isascii()
        assert url.isprintable()
        assert not set(url) & set(' "<>\\^`{|}#')
        assert parts.geturl() in {url, url.removesuffix("?")}
    assert all(problem.isprintable() for problem in found.problems)


@given(st.sampled_from(["http://h/", "http://", "", "x:"]), TEXTS)
def test_a_url_that_was_encoded_stays_as_it_is(begin: str, text: str) -> None:
    try:
        once = encoded_url(begin + text)
    except WrongBytesError:
        assume(False)

    assert encoded_url(once) == once
