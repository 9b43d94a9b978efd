"""Every part is asked for where the .jigdo says that it is; what fails is named."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from bad_server import PORTAL, BadServer, Trouble
from fetching import Release, release_of

from release_builder.jigdo.entries import MatchedFile
from release_builder.jigdo.location import JigdoError
from release_builder.monitor import Monitor
from release_builder.preflight.urls import check_urls
from release_builder.report import Finding, Severity
from release_builder.transport.http import HttpOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

RELEASE = release_of(4, size=2000)
NOBODY = "http://127.0.0.1:9/"
OPTIONS = HttpOptions(retries=0, timeout=5)
MISSING = Trouble(status=404)
HINT = "no stranger can rebuild this"


def check(
    *servers: str,
    moved: Mapping[str, str] | None = None,
    release: Release = RELEASE,
    options: HttpOptions = OPTIONS,
    more: str = "",
) -> tuple[Finding, ...]:
    """What is said of a .jigdo whose [Servers] has ``servers`` under the label A."""
    lines = (server if "=" in server else f"A={server}" for server in servers)
    parts = [MatchedFile(len(each), None, release.digest(each)) for each in release.parts.values()]
    return check_urls(
        release.jigdo(*lines, more=more),
        "cd.jigdo",
        moved or {},
        options,
        Monitor(),
        template_parts=parts,
    )


def said(findings: tuple[Finding, ...], severity: Severity) -> list[str]:
    return [each.message for each in findings if each.severity is severity]


def test_nothing_is_said_when_all_is_there() -> None:
    with BadServer(RELEASE.tree()) as server:
        assert check(f"{server.url}/tree/") == ()
        assert {request.method for request in server.requests} == {"HEAD"}
        assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("trouble", "severity", "words"),
    [
        pytest.param(MISSING, Severity.WRONG, "not found (404 Not Found)", id="missing"),
        pytest.param(Trouble(status=403), Severity.WRONG, "forbidden (403", id="forbidden"),
        pytest.param(Trouble(body=b"short"), Severity.WRONG, "5 in the place of 2,001", id="cut"),
        pytest.param(PORTAL, Severity.WRONG, "a web page", id="web page"),
        pytest.param(Trouble(redirect="/tree/01.rpm"), Severity.WRONG, "redirects", id="round"),
        pytest.param(Trouble(status=500), Severity.INCOMPLETE, "server error (500", id="error"),
        pytest.param(Trouble(hang_up=True), Severity.INCOMPLETE, "cut off", id="hangs up"),
    ],
)
def test_a_part_that_is_not_to_be_had_is_named(
    trouble: Trouble, severity: Severity, words: str
) -> None:
    with BadServer(RELEASE.tree(), {"/tree/01.rpm": trouble}) as server:
        (finding,) = check(f"{server.url}/tree/")

    assert finding.severity is severity
    assert finding.message.startswith(f"01.rpm: {server.url}/tree/01.rpm: ")
    assert words in finding.message
    assert finding.hint


def test_who_refuses_head_is_asked_all_the_same() -> None:
    with BadServer(RELEASE.tree(), {"/tree/00.rpm": [Trouble(status=405)]}) as server:
        findings = check(f"{server.url}/tree/", options=HttpOptions(connections=1, retries=0))

        assert findings == ()
        assert [request.method for request in server.requests] == ["HEAD", *["GET"] * 4]


def test_a_server_that_is_gone_is_not_asked_for_ever() -> None:
    release = release_of(500, size=1100)

    findings = check(NOBODY, release=release)

    assert {each.severity for each in findings} == {Severity.INCOMPLETE}
    assert "00.rpm: http://127.0.0.1:9/00.rpm: unreachable" in findings[0].message
    assert findings[-1].message == "and 490 more"
    assert "when the servers answer" in findings[-1].hint


def test_many_failures_are_summed_up_by_how_bad_they_are() -> None:
    release = release_of(40, size=1100)
    names = list(release.parts)
    troubles = {f"/tree/{name}": Trouble(status=500) for name in names[:15]}
    troubles |= {f"/tree/{name}": MISSING for name in names[15:36]}
    with BadServer(release.tree(), troubles) as server:
        findings = check(f"{server.url}/tree/", release=release)

    wrong = said(findings, Severity.WRONG)
    assert [each.partition(":")[0] for each in wrong] == [*names[15:25], "and 11 more"]
    assert said(findings, Severity.INCOMPLETE)[-1] == "and 5 more"
    assert [bool(each.hint) for each in findings].count(True) == 2


def test_a_mirror_that_lacks_parts_is_a_warning() -> None:
    lacking = {"/tree/01.rpm": MISSING, "/tree/03.rpm": Trouble(body=b"short")}
    with BadServer(RELEASE.tree()) as first, BadServer(RELEASE.tree(), lacking) as mirror:
        findings = check(f"{first.url}/tree/", f"{mirror.url}/tree/", NOBODY)

    assert [each.severity for each in findings] == [Severity.WARNING] * 2
    assert findings[0].message == (
        f"{mirror.url}/tree/ does not give 2 of 4 parts, such as"
        f" 01.rpm: {mirror.url}/tree/01.rpm: not found (404 Not Found)"
    )
    assert f"{NOBODY} does not give 4 of 4 parts, such as 00.rpm: " in findings[1].message


def test_the_first_server_must_have_all_though_a_mirror_has_it() -> None:
    with (
        BadServer(RELEASE.tree(), {"/tree/01.rpm": MISSING}) as first,
        BadServer(RELEASE.tree()) as mirror,
    ):
        findings = check(f"{first.url}/tree/", f"{mirror.url}/tree/")

    assert [each.severity for each in findings] == [Severity.WRONG]


def test_a_server_that_is_tried_last_is_a_mirror() -> None:
    with BadServer(RELEASE.tree()) as first, BadServer({}) as last:
        findings = check(f"A={last.url}/tree/ --try-last", f"{first.url}/tree/")

    assert [each.severity for each in findings] == [Severity.WARNING]
    assert f"{last.url}/tree/ does not give 4 of 4 parts" in findings[0].message


def test_a_length_that_is_not_told_is_a_warning() -> None:
    with BadServer(RELEASE.tree(), {"/tree/02.rpm": Trouble(chunked=True)}) as server:
        (finding,) = check(f"{server.url}/tree/")

    assert finding.severity is Severity.WARNING
    assert "does not tell the length of 1 of 4 parts, such as 02.rpm" in finding.message


def test_a_name_with_escapes_may_be_meant_in_either_way() -> None:
    release = Release({"a%20b.rpm": b"a" * 2000, "c%20d.rpm": b"c" * 2000})
    content = {"/a%20b.rpm": b"a" * 2000, "/c d.rpm": b"c" * 2000}
    with BadServer(content) as server:
        assert check(f"{server.url}/", release=release) == ()


def test_both_urls_of_a_missing_name_with_escapes_are_told() -> None:
    with BadServer({}) as server:
        (finding,) = check(f"{server.url}/", release=Release({"a%20b": b"a" * 2000}))

    assert f"{server.url}/a%2520b: not found" in finding.message
    assert f"{server.url}/a%20b: not found" in finding.message


@pytest.mark.parametrize(
    ("server", "words"),
    [
        pytest.param(
            "B=http://a.example/", "00.rpm has no URL: [Servers] has no label A", id="label"
        ),
        pytest.param("file:/mnt/", "00.rpm has no URL: file:/mnt/00.rpm is no http URL", id="file"),
        pytest.param("http:///x/", "00.rpm has no URL: A:00.rpm: ", id="no host"),
    ],
)
def test_a_part_without_a_url_is_wrong(server: str, words: str) -> None:
    findings = check(server)

    assert words in findings[0].message
    assert {each.severity for each in findings} == {Severity.WRONG}


def test_a_part_that_the_jigdo_does_not_name_is_wrong() -> None:
    stranger = MatchedFile(7, None, RELEASE.digest(b"another"))

    findings = check_urls(
        RELEASE.jigdo(), "cd.jigdo", {}, OPTIONS, Monitor(), template_parts=[stranger]
    )

    assert "the .jigdo does not name it" in findings[0].message
    assert str(RELEASE.digest(b"another")) in findings[0].message


def test_what_is_not_public_yet_is_asked_where_it_is_staged() -> None:
    staged = {f"/.8.1/next/{name}": content for name, content in RELEASE.parts.items()}
    with BadServer(staged, {"/.8.1/next/02.rpm": MISSING}) as server:
        public = f"{server.url}/8/"
        moved = {server.url: f"{server.url}/old/", public: f"{server.url}/.8.1/next"}
        (finding,) = check(public, moved=moved)

        assert {request.path.rpartition("/")[0] for request in server.requests} == {"/.8.1/next"}
    assert finding.message == (
        f"02.rpm: {public}02.rpm (asked at {server.url}/.8.1/next/02.rpm):"
        " not found (404 Not Found)"
    )
    assert HINT in finding.hint


def test_a_folder_with_a_longer_name_is_not_the_one_that_moved() -> None:
    with BadServer({f"/80/{name}": content for name, content in RELEASE.parts.items()}) as server:
        assert check(f"{server.url}/80/", moved={f"{server.url}/8": f"{server.url}/nothing/"}) == ()


@pytest.mark.parametrize("status", [403, 404])
def test_a_web_server_that_hides_the_staged_folder_is_told(status: int) -> None:
    with BadServer({}, everywhere=Trouble(status=status)) as server:
        moved = {f"{server.url}/8/": f"{server.url}/.8.1/next/"}
        findings = check(f"{server.url}/8/", moved=moved)

    assert [each.severity for each in findings] == [Severity.WRONG] * 4
    assert findings[-1].hint == (
        "the web server does not serve hidden folders: let it serve `.8.1/`,"
        " or use `preflight: rebuild`"
    )


def test_a_password_is_sent_but_never_told() -> None:
    with BadServer(RELEASE.tree(), everywhere=Trouble(status=500)) as server:
        first, mirror = (
            f"{server.url}/{folder}/".replace("://", "://me:secret@") for folder in ("a", "b")
        )
        findings = check(first, mirror, options=HttpOptions(connections=1, retries=0))

        assert "authorization" in server.requests[0].headers
    assert len(findings) == 5
    assert "secret" not in str(findings)


def test_no_jigdo_at_all_is_refused() -> None:
    with pytest.raises(JigdoError, match=r"cd\.jigdo"):
        check_urls(b"<html>", "cd.jigdo", {}, OPTIONS, Monitor(), template_parts=())


@pytest.mark.slow
def test_thousands_of_parts_take_seconds() -> None:
    release = release_of(2000, size=1100)
    with ExitStack() as stack:
        server = stack.enter_context(BadServer(release.tree()))
        assert check(f"{server.url}/tree/", release=release) == ()
        assert server.connections <= 8
