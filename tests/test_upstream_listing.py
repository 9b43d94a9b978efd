"""What folders have in them, as rsync and the pages of web servers show it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from bad_server import PORTAL, BadServer, Trouble
from hypothesis import given
from hypothesis import strategies as st

from release_builder.errors import DescriptorError, IncompleteError
from release_builder.transport.http import HttpOptions
from release_builder.transport.http.client import HttpClient
from release_builder.transport.http.listing import MAX_PAGE, HttpLister, parse_page
from release_builder.transport.listing import (
    LONGEST,
    Entry,
    EntryKind,
    LocalLister,
    RsyncLister,
    listing_rules,
    parse_listing,
)

if TYPE_CHECKING:
    from pathlib import Path

FILE, FOLDER, LINK = EntryKind.FILE, EntryKind.FOLDER, EntryKind.LINK
URL = "http://host/sme/releases/"
NGINX = """\
<html><head><title>Index of /sme/releases/</title></head><body>
<h1>Index of /sme/releases/</h1><hr><pre><a href="../">../</a>
<a href="8.0/">8.0/</a>                    21-Nov-2026 17:06       -
<a href="a%20b.txt">a b.txt</a>            21-Nov-2026 17:06      12
</pre><hr></body></html>
"""
APACHE = """\
<table><tr><th><a href="?C=N;O=D">Name</a></th><th><a href="?C=M;O=A">Last modified</a></th></tr>
<tr><td><a href="/sme/">Parent Directory</a></td></tr>
<tr><td><a href="8.0/">8.0/</a></td><td align="right">2014-06-28 20:34  </td></tr>
<tr><td><a href="a%20b.txt">a b.txt</a></td><td align="right">2014-06-28 20:34  </td></tr>
</table><address><a href="https://httpd.apache.org/">Apache</a></address>
"""
LIGHTTPD = """\
<tr class="d"><td class="n"><a href="../">..</a>/</td><td class="m">&nbsp;</td></tr>
<tr class="d"><td class="n"><a href="8.0/">8.0</a>/</td><td class="m">2014-Jun-28</td></tr>
<tr><td class="n"><a href="a%20b.txt">a b.txt</a></td><td class="m">2014-Jun-28</td></tr>
"""
ABSOLUTE = """\
<a href=/sme/releases/8.0/>8.0</a><A HREF='http://host/sme/releases/a%20b.txt'>a b.txt</A>
"""


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(NGINX, id="nginx"),
        pytest.param(APACHE, id="Apache"),
        pytest.param(LIGHTTPD, id="lighttpd"),
        pytest.param(ABSOLUTE, id="absolute"),
    ],
)
def test_the_lists_of_web_servers_are_read(page: str) -> None:
    assert parse_page(page, URL) == (Entry("8.0", FOLDER), Entry("a b.txt", FILE))


@pytest.mark.parametrize(
    "link",
    [
        "../x",
        "x/y",
        "..",
        ".",
        "./",
        "",
        "#x",
        "?x",
        "x?y",
        "//other/sme/releases/x",
        "https://host/sme/releases/x",
        "mailto:x",
        "javascript:x",
        "%2e%2e/",
        "a%2Fb",
        "a%0Ab",
        "http://[/",
    ],
)
def test_links_to_elsewhere_are_no_entries(link: str) -> None:
    assert parse_page(f'<a href="{link}">x</a><a name="x">', URL) == ()


@given(st.text())
def test_any_page_gives_plain_names(page: str) -> None:
    names = [entry.name for entry in parse_page(f'<a href="{page}">{page}', URL)]

    assert all(name not in {"", ".", ".."} and "/" not in name for name in names)


def test_a_page_with_too_many_links_is_cut_off() -> None:
    page = "".join(f'<a href="f{number}">' for number in range(LONGEST + 10))

    assert len(parse_page(page, URL)) == LONGEST


def test_rsync_is_asked_for_some_folders_and_nothing_below() -> None:
    rules = listing_rules(["", "testing/9.0/iso", "testing", "a[b"])

    testing = ["/testing/", "/testing/9.0/", "/testing/9.0/iso/", "/testing/9.0/iso/*"]
    assert rules == ["/*", *testing, "/testing/*", r"/a\[b/", r"/a\[b/*"]


LISTING = """\
Welcome to the mirror
drwxr-xr-x          4,096 2014/06/28 20:34:40 .
lrwxrwxrwx              3 2014/06/28 20:34:40 8 -> /rsyncd-munged/8.0
drwxr-xr-x          4,096 2014/06/28 20:34:40 8.0
-rw-r--r--  4,727,961,600 2014/06/28 20:34:40 8.0/a -> b c
drwxr-xr-x          4,096 2014/06/28 20:34:40 testing
lrwxrwxrwx              8 2014/06/28 20:34:40 testing/9 -> 9.0beta3
"""


def test_what_rsync_lists_is_sorted_into_folders() -> None:
    assert parse_listing(LISTING, ["", "8.0", "testing", "none"]) == {
        "": (Entry("8", LINK, "8.0"), Entry("8.0", FOLDER), Entry("testing", FOLDER)),
        "8.0": (Entry("a -> b c", FILE),),
        "testing": (Entry("9", LINK, "9.0beta3"),),
    }


@pytest.fixture
def tree(workdir: Path) -> Path:
    """A folder with what is odd in it."""
    for name in ("a b/c[1]/*", "a b/c1/x", "testing/9.0beta3/iso"):
        (workdir / name).mkdir(parents=True)
    (workdir / "testing/9").symlink_to("9.0beta3")
    (workdir / "testing/9.0beta3/iso/x.jigdo").touch()
    (workdir / "a b/c[1]/it's").touch()
    return workdir


def test_rsync_lists_what_the_file_system_has(tree: Path) -> None:
    names = ["", "a b", "a b/c[1]", "testing", "testing/9.0beta3/iso", "none", "none/x"]

    listed = RsyncLister(f"{tree}/").folders(names)

    assert listed == LocalLister(tree).folders(names)
    assert listed["a b/c[1]"] == (Entry("*", FOLDER), Entry("it's", FILE))
    assert "none" not in listed


def test_folders_behind_a_link_are_seen_in_local_mirrors(tree: Path) -> None:
    listed = LocalLister(tree).folders(["testing/9/iso"])

    assert listed == {"testing/9/iso": (Entry("x.jigdo", FILE),)}


def test_a_place_that_rsync_does_not_find_is_refused(workdir: Path) -> None:
    with pytest.raises(DescriptorError, match="the mirror has no such place"):
        RsyncLister(f"{workdir}/none/").folders([""])


def test_a_mirror_that_does_not_answer_rsync_may_do_so_later() -> None:
    with pytest.raises(IncompleteError, match="could not be read"):
        RsyncLister("rsync://127.0.0.1:1/module/").folders([""])


def listed(server: BadServer, *names: str) -> dict[str, tuple[Entry, ...]]:
    with HttpClient(HttpOptions(timeout=5), os.environ) as client:
        return HttpLister(client, f"{server.url}/sme/").folders(names or [""])


def test_folders_that_a_web_server_does_not_show_are_left_out() -> None:
    content = {"/sme/": b'<a href="a%20b/">', "/sme/a b/": b'<a href="x">'}
    troubles = {"/sme/secret/": Trouble(status=403)}

    with BadServer(content, troubles) as server:
        found = listed(server, "", "a b", "none", "secret")

    assert found == {"": (Entry("a b", FOLDER),), "a b": (Entry("x", FILE),)}


@pytest.mark.parametrize(
    ("trouble", "error", "message"),
    [
        pytest.param(Trouble(status=404), DescriptorError, "no such place", id="not found"),
        pytest.param(Trouble(status=403), DescriptorError, "lists no folders", id="forbidden"),
        pytest.param(Trouble(status=500), IncompleteError, "server error", id="server error"),
        pytest.param(Trouble(hang_up=True), IncompleteError, "cannot be listed", id="hang-up"),
        pytest.param(Trouble(cut_after=3), IncompleteError, "cut off", id="cut off"),
        pytest.param(
            Trouble(body=b" " * (MAX_PAGE + 1)), DescriptorError, "more than", id="too long"
        ),
    ],
)
def test_a_root_that_cannot_be_listed_says_why(
    trouble: Trouble, error: type[Exception], message: str
) -> None:
    with (
        BadServer({"/sme/": b"long enough"}, {"/sme/": trouble}) as server,
        pytest.raises(error, match=message),
    ):
        listed(server)


def test_a_folder_that_cannot_be_listed_now_is_not_taken_for_an_empty_one() -> None:
    with (
        BadServer({}, {"/sme/testing/": Trouble(status=503)}) as server,
        pytest.raises(IncompleteError, match="cannot be listed: busy"),
    ):
        listed(server, "testing")


def test_a_web_page_that_lists_nothing_is_an_empty_folder() -> None:
    with BadServer({"/sme/": PORTAL.body or b""}) as server:
        assert listed(server) == {"": ()}
