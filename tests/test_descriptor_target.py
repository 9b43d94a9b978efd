"""Where releases are published, as a descriptor names it."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from release_builder.descriptor.refusal import RefusedError
from release_builder.descriptor.target import Target

FOLDER = Path("/srv/build")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        pytest.param("/srv/www/releases", "/srv/www/releases", id="absolute"),
        pytest.param("public", "/srv/build/public", id="relative"),
        pytest.param("./public/", "/srv/build/public", id="with a slash at its end"),
        pytest.param("a b/ü", "/srv/build/a b/ü", id="with a blank"),
        pytest.param("~/public", "{home}/public", id="at home"),
        pytest.param("./a:b", "/srv/build/a:b", id="colon behind a slash"),
        pytest.param("/srv/a:/b", "/srv/a:/b", id="colon in an absolute path"),
        pytest.param("a..b", "/srv/build/a..b", id="dots in a name"),
        pytest.param("-a", "/srv/build/-a", id="dash"),
    ],
)
def test_a_local_folder_is_made_absolute(text: str, path: str) -> None:
    target = Target.parse(text, FOLDER)

    assert target == Target(PurePosixPath(path.format(home=Path.home())))
    assert str(target) == str(target.path)


@pytest.mark.parametrize(
    ("text", "host", "path"),
    [
        pytest.param("host:/srv/www", "host", "/srv/www", id="host"),
        pytest.param("me@host.example.org:/a", "me@host.example.org", "/a", id="user"),
        pytest.param("10.0.0.1:/a/", "10.0.0.1", "/a", id="number"),
        pytest.param("_me-2.x@h:/a+b/@c=d", "_me-2.x@h", "/a+b/@c=d", id="odd characters"),
    ],
)
def test_a_folder_of_a_host_is_told_as_ssh_takes_it(text: str, host: str, path: str) -> None:
    target = Target.parse(text, FOLDER)

    assert target == Target(PurePosixPath(path), host)
    assert str(target) == f"{host}:{path}"


def test_a_descriptor_may_be_named_by_a_path_with_dots() -> None:
    target = Target.parse("public", Path("/srv/www/../build"))

    assert target.path == PurePosixPath("/srv/www/../build/public")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        pytest.param("", "is no folder", id="nothing"),
        pytest.param("a\nb", "is no folder", id="two lines"),
        pytest.param("ssh://host/a", "is no folder", id="URL"),
        pytest.param("../public", "has .. in it", id="leads out"),
        pytest.param("/srv/../a", "has .. in it", id="leads out later"),
        pytest.param("/srv/{version}", "has a brace", id="placeholder"),
        pytest.param("~no.such.user/a", "no.such.user", id="home of nobody"),
        pytest.param("host:", "no plain, whole path", id="host alone"),
        pytest.param("host:a", "no plain, whole path", id="relative on a host"),
        pytest.param("host:~/a", "no plain, whole path", id="home on a host"),
        pytest.param("host:/a b", "no plain, whole path", id="blank on a host"),
        pytest.param("host:/a;reboot", "no plain, whole path", id="command on a host"),
        pytest.param("host:/a/../b", "no plain, whole path", id="leads out on a host"),
        pytest.param("host:/{major}", "no plain, whole path", id="placeholder on a host"),
        pytest.param(":/a", "no valid host name", id="no host"),
        pytest.param("-oProxyCommand=x:/a", "no valid host name", id="option as a host"),
        pytest.param("-me@host:/a", "no valid host name", id="option as a user"),
        pytest.param("[::1]:/a", "no valid host name", id="brackets"),
    ],
)
def test_what_names_no_folder_is_refused(text: str, what: str) -> None:
    with pytest.raises(RefusedError, match=what) as caught:
        Target.parse(text, FOLDER)

    assert caught.value.hint


def test_a_password_is_refused_and_not_shown() -> None:
    with pytest.raises(RefusedError, match="password") as caught:
        Target.parse("me:secret@host:/a", FOLDER)

    assert "secret" not in str(caught.value)
