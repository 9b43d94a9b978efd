"""Mirrors: the forms that people write, and those that are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from release_builder.descriptor.mirror import Kind, Mirror
from release_builder.descriptor.refusal import RefusedError

FOLDER = Path("/srv/configs")


@pytest.mark.parametrize(
    ("text", "url"),
    [
        pytest.param("rsync://host/module/path/", "rsync://host/module/path/", id="normal form"),
        pytest.param("rsync://host/module", "rsync://host/module/", id="no slash at the end"),
        pytest.param("rsync://host//m//./p/", "rsync://host/m/p/", id="slashes and dots"),
        pytest.param("RSYNC://Host:873/Module/", "rsync://host/Module/", id="case and port"),
        pytest.param("rsync://host:8730/m/", "rsync://host:8730/m/", id="another port"),
        pytest.param("rsync://me@host/m/", "rsync://me@host/m/", id="user"),
        pytest.param("rsync://[::1]:8730/m/", "rsync://[::1]:8730/m/", id="IPv6"),
        pytest.param("host::module/path", "rsync://host/module/path/", id="double colon"),
        pytest.param("me@host::module", "rsync://me@host/module/", id="double colon and user"),
        pytest.param("[::1]::module", "rsync://[::1]/module/", id="double colon and IPv6"),
    ],
)
def test_an_rsync_module_has_one_normal_form(text: str, url: str) -> None:
    mirror = Mirror.parse(text, FOLDER)

    assert mirror == Mirror(url, Kind.RSYNC, None)
    assert mirror.source == url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        pytest.param("http://host/9.0beta3", "http://host/9.0beta3/", id="http"),
        pytest.param("https://host:443/a/", "https://host/a/", id="https"),
        pytest.param("http://host:8080", "http://host:8080/", id="root and port"),
    ],
)
def test_a_web_server_has_one_normal_form(text: str, url: str) -> None:
    mirror = Mirror.parse(text, FOLDER)

    assert mirror == Mirror(url, Kind.HTTP, None)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        pytest.param("/srv/sme 9/", "/srv/sme 9", id="absolute"),
        pytest.param("mirror", "/srv/configs/mirror", id="relative"),
        pytest.param("./a:b/c", "/srv/configs/a:b/c", id="with a colon"),
        pytest.param("../mirror/", "/srv/configs/../mirror", id="beside the descriptor's folder"),
        pytest.param("file:///srv/sme%209", "/srv/sme 9", id="file URL"),
        pytest.param("file://localhost/srv", "/srv", id="file URL with a host"),
    ],
)
def test_a_local_folder_is_known_by_its_path(text: str, path: str) -> None:
    mirror = Mirror.parse(text, FOLDER)

    assert (mirror.kind, mirror.local_path) == (Kind.LOCAL, Path(path))
    assert mirror.url == f"file://{path}/".replace(" ", "%20").replace("a:b", "a%3Ab")
    assert mirror.source == f"{path}/"


def test_a_tilde_is_the_home_folder() -> None:
    mirror = Mirror.parse("~/mirror", FOLDER)

    assert mirror.local_path == Path.home() / "mirror"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        pytest.param("rsync://me:secret@h/m/", "RSYNC_PASSWORD", id="password"),
        pytest.param("me:secret@h::m/", "RSYNC_PASSWORD", id="password and double colon"),
        pytest.param("http://me:secret@h/m/", "leave it out", id="password on the web"),
        pytest.param("http://me@h/m/", "leave out me@", id="user on the web"),
        pytest.param("ftp://h/m/", "http:// or rsync://", id="ftp"),
        pytest.param("ssh://h/m/", "http:// or rsync://", id="ssh"),
        pytest.param("rsnc://h/m/", "did you mean rsync", id="typo in the scheme"),
        pytest.param("http//h/m/", "write http://", id="no colon"),
        pytest.param("Https:/h/m/", "write https://", id="one slash"),
        pytest.param("rsync:me:secret@h/m/", "write rsync://", id="no slash"),
        pytest.param("me@h:/srv/m", "rsync://host/module", id="through ssh"),
        pytest.param("h:m", "./h:", id="through ssh or a folder"),
        pytest.param("rsync://h/", "rsync://host/module/path/", id="no module"),
        pytest.param("rsync://h", "rsync://host/module/path/", id="no path"),
        pytest.param("h::", "rsync://host/module/path/", id="no module after double colon"),
        pytest.param("rsync:///m/", "write rsync://", id="no host"),
        pytest.param("rsync://-oProxy/m/", "write rsync://", id="an option as host"),
        pytest.param("rsync://h:port/m/", "write rsync://", id="no port number"),
        pytest.param("rsync://[::1/m/", "write rsync://", id="half an IPv6 address"),
        pytest.param("rsync://h/m/../x/", "without ..", id="dots"),
        pytest.param("http://h/m/%2e%2e/x/", "without ..", id="hidden dots"),
        pytest.param("rsync://h/m/*/", "without wildcards", id="wildcard"),
        pytest.param("http://h/m/?a=b", "without wildcards", id="query"),
        pytest.param("http://h/m y/", "without wildcards", id="blank"),
        pytest.param("--rsh=x", "./--rsh=x", id="option"),
        pytest.param("rsync://h/m\n/", "write rsync://", id="control character"),
        pytest.param("file://h/srv", "file:///", id="file URL of another machine"),
        pytest.param("file:///srv?x", "%3F", id="file URL with a query"),
        pytest.param("~no.such.user/x", "whole path", id="no such user"),
        pytest.param("", "write rsync://", id="nothing"),
    ],
)
def test_what_is_no_mirror_is_refused_with_what_to_write(text: str, hint: str) -> None:
    with pytest.raises(RefusedError) as caught:
        Mirror.parse(text, FOLDER)

    assert hint in caught.value.hint
    assert "secret" not in str(caught.value)
    assert str(caught.value).isprintable()
