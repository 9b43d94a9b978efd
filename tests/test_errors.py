"""Who is at fault fixes the exit status, and no message carries control characters."""

from __future__ import annotations

import errno

import pytest

from release_builder.errors import (
    BusyError,
    DescriptorError,
    IncompleteError,
    ReleaseBuilderError,
    Status,
    StoppedError,
    SurroundingsError,
    WrongBytesError,
    printable,
    surroundings,
    without_passwords,
    without_users,
)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        pytest.param(IncompleteError, Status.INCOMPLETE, id="not all is there"),
        pytest.param(DescriptorError, Status.WRONG, id="the user"),
        pytest.param(WrongBytesError, Status.WRONG, id="the data"),
        pytest.param(SurroundingsError, Status.SURROUNDINGS, id="the machine"),
        pytest.param(BusyError, Status.BUSY, id="another run"),
        pytest.param(StoppedError, Status.INTERRUPTED, id="somebody stopped it"),
    ],
)
def test_the_class_fixes_the_status(kind: type[ReleaseBuilderError], status: Status) -> None:
    assert kind("what").status is status


def test_the_statuses_are_those_that_users_know() -> None:
    assert [status.value for status in Status] == [0, 1, 2, 3, 75, 130]


def test_the_hint_stands_below_what_happened() -> None:
    assert str(ReleaseBuilderError("what", hint="do this")) == "what\ndo this"
    assert str(ReleaseBuilderError("what")) == "what"


@pytest.mark.parametrize(
    ("error", "what", "hint"),
    [
        pytest.param(
            OSError(errno.ENOSPC, "No space left on device", "/a\x1bb"),
            "/a\\x1bb: No space left on device",
            "another folder",
            id="disk full",
        ),
        pytest.param(
            OSError(errno.ENAMETOOLONG, "File name too long", "/a"),
            "/a: File name too long",
            "shorten the name",
            id="long name",
        ),
        pytest.param(
            OSError(errno.EMFILE, "Too many open files"),
            "Too many open files",
            "ulimit",
            id="files",
        ),
        pytest.param(
            OSError(errno.EMFILE, "Too many open files", "/ours/step.py"),
            "Too many open files",
            "ulimit -n",
            id="a file of ours was one too many",
        ),
        pytest.param(MemoryError(), "there is not enough memory for this", "free", id="memory"),
        pytest.param(
            RuntimeError("can't start new thread"),
            "no thread can be started",
            "ulimit -u",
            id="threads",
        ),
        pytest.param(OSError(errno.EIO, "I/O error", "/a"), "/a: I/O error", "", id="disk broken"),
        pytest.param(OSError("only words"), "only words", "", id="without number"),
    ],
)
def test_an_error_of_the_system_says_where_and_what_to_do(
    error: OSError | MemoryError | RuntimeError, what: str, hint: str
) -> None:
    told = surroundings(error)

    assert told.what == what
    assert hint in told.hint


def test_a_mistake_of_our_own_is_not_the_machines() -> None:
    mistake = RecursionError("maximum recursion depth exceeded")

    with pytest.raises(RecursionError) as raised:
        surroundings(mistake)

    assert raised.value is mistake


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("plain é →", "plain é →", id="nothing to do"),
        pytest.param("a\x1b[31m\n", "a\\x1b[31m\\x0a", id="control characters"),
        pytest.param(b"\xe9".decode("utf-8", "surrogateescape"), "\\xe9", id="no UTF-8"),
        pytest.param("a\u202eb\u2028", "a\\u202eb\\u2028", id="turns the line round"),
        pytest.param("\U000e0001", "\\ue0001", id="beyond 16 bits"),
    ],
)
def test_what_a_terminal_would_obey_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("http://me:pw@host/a", "http://…@host/a", id="password"),
        pytest.param("'ssh://me:p/w@host/a' is odd", "'ssh://…@host/a' is odd", id="slash in it"),
        pytest.param("rsync://me@[::1 x", "rsync://…@[::1 x", id="no address"),
        pytest.param("http://a/ and http://u:p@b/", "http://a/ and http://…@b/", id="two URLs"),
        pytest.param("http://host/a, me@host", "http://host/a, me@host", id="none"),
    ],
)
def test_users_and_passwords_of_urls_are_not_told(text: str, told: str) -> None:
    assert without_users(text) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("'http://me:pw@host/a'", "'http://…@host/a'", id="URL"),
        pytest.param("http://me:p/w@host/a", "http://…@host/a", id="slash in it"),
        pytest.param("http://:pw@host/", "http://…@host/", id="no user"),
        pytest.param("http://me:123@host/", "http://…@host/", id="digits"),
        pytest.param("no http:/me:pw@host/a", "no http:/…@host/a", id="URL as a path"),
        pytest.param("http//me:pw@host", "http//…@host", id="no colon"),
        pytest.param("Foo=me:p@w@host/", "Foo=…@host/", id="label"),
        pytest.param("me:pw@host", "…@host", id="host alone"),
        pytest.param("http://a:1@b/ (c:2@d)", "http://…@b/ (…@d)", id="two"),
    ],
)
def test_a_password_is_in_no_message(text: str, told: str) -> None:
    error = DescriptorError(text, hint=text)

    assert (error.what, error.hint) == (told, told)
    assert str(error) == f"{told}\n{told}"
    assert printable(text) == told


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("rsync://me@host/module/", id="user of a URL"),
        pytest.param("me@host:folder/a@2x.png", id="user of ssh"),
        pytest.param("http://host:8080/a/b@1.0/", id="port"),
        pytest.param("http://host/a@b", id="path"),
        pytest.param("sme.yaml:3:9: mail: me@host", id="mail"),
        pytest.param("Base:folder/getty@.service", id="part"),
        pytest.param("Base:@scope", id="part that begins with it"),
    ],
)
def test_what_is_no_password_stays(text: str) -> None:
    assert without_passwords(text) == text
