"""``jigdo fetch`` from servers that misbehave: the image is right, or the program says why not."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest
from bad_server import FOR_EVER, PORTAL, BadServer, Trouble, hops
from fetching import assert_image, assert_no_image, fetch, fetched, release_of, site

from release_builder.transport.http import Answer

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.interop

RELEASE = release_of(4)
BAD = "/tree/02.rpm"
FILE = RELEASE.parts["02.rpm"]
WRONG = FILE[:-1] + bytes([FILE[-1] ^ 1])
QUICK = ("--timeout", "0.5", "--retries", "1")
ONCE = ("--timeout", "0.4", "--retries", "0")
TROUBLES = [
    pytest.param(Trouble(status=500), Answer.SERVER_ERROR, id="500"),
    pytest.param(Trouble(status=404), Answer.NOT_FOUND, id="404"),
    pytest.param(Trouble(status=403), Answer.FORBIDDEN, id="403"),
    pytest.param(Trouble(status=400), Answer.REFUSED, id="400"),
    pytest.param(Trouble(status=503), Answer.BUSY, id="503"),
    pytest.param(Trouble(hang_up=True), Answer.CUT_OFF, id="hangs up"),
    pytest.param(Trouble(raw=b"nonsense\r\n\r\n"), Answer.SERVER_ERROR, id="speaks no http"),
    pytest.param(Trouble(cut_after=3), Answer.CUT_OFF, id="truncates"),
    pytest.param(Trouble(cut_after=3, reset=True), Answer.CUT_OFF, id="resets"),
    pytest.param(Trouble(delay=FOR_EVER), Answer.TIMEOUT, id="silent"),
    pytest.param(Trouble(stall_after=3), Answer.TIMEOUT, id="stalls"),
    pytest.param(Trouble(piece=10, pause=0.05), Answer.TIMEOUT, id="trickles"),
    pytest.param(Trouble(length_lie=9), Answer.WRONG_LENGTH, id="promises more"),
    pytest.param(Trouble(length_lie=-9), Answer.WRONG_LENGTH, id="promises less"),
    pytest.param(Trouble(body=FILE + b"more", chunked=True), Answer.WRONG_LENGTH, id="sends more"),
    pytest.param(Trouble(body=FILE[9:], chunked=True), Answer.WRONG_LENGTH, id="sends less"),
    pytest.param(Trouble(body=WRONG), Answer.WRONG_BYTES, id="wrong bytes"),
    pytest.param(PORTAL, Answer.WEB_PAGE, id="captive portal"),
    pytest.param(Trouble(redirect="/login.html"), Answer.WEB_PAGE, id="leads to a page"),
    pytest.param(Trouble(redirect=BAD), Answer.REDIRECTS, id="leads to itself"),
    pytest.param(Trouble(redirect="file:///etc/passwd"), Answer.BAD_URL, id="leads to a file"),
]


def lead_to_a_page(server: BadServer) -> None:
    server.content["/login.html"] = b"<title>Please log in</title>"
    server.troubles["/login.html"] = Trouble(headers=(("Content-Type", "text/html"),))


@pytest.mark.parametrize(("trouble", "answer"), TROUBLES)
def test_what_a_server_does_not_give_is_named_with_its_answer(
    workdir: Path, trouble: Trouble, answer: Answer
) -> None:
    with site(RELEASE, {BAD: trouble}) as server:
        lead_to_a_page(server)
        url = f"{server.url}{BAD}"

        told = fetched(*QUICK, f"{server.url}/cd.jigdo", cwd=workdir)
        shown = fetch(*ONCE, "cd.jigdo", cwd=workdir)

    wrong = answer in {Answer.WRONG_BYTES, Answer.WRONG_LENGTH}
    assert told["status"] == shown.status == (2 if wrong else 1), shown.stderr
    (missing,) = told["missing"]
    assert (missing["name"], missing["length"]) == ("02.rpm", len(FILE))
    (tried,) = missing["tries"]
    assert (tried["url"], tried["answer"]) == (url, answer.name.lower())
    assert f"{url}: {answer.value}" in shown.stderr
    assert "Traceback" not in shown.stderr
    assert not told["complete"]
    assert_no_image(workdir)


@pytest.mark.parametrize(("trouble", "answer"), TROUBLES)
def test_a_good_server_beside_a_bad_one_makes_the_image(
    workdir: Path, trouble: Trouble, answer: Answer
) -> None:
    with BadServer(RELEASE.tree(), {BAD: trouble}) as bad, BadServer(RELEASE.tree()) as good:
        lead_to_a_page(bad)
        bad.content |= RELEASE.pair(f"A={bad.url}/tree/", f"A={good.url}/tree/")

        ended = fetch(*QUICK, f"{bad.url}/cd.jigdo", cwd=workdir)

    assert ended.status == 0, ended.stderr
    assert_image(workdir, RELEASE)


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param([Trouble(status=500)] * 2, id="500"),
        pytest.param([Trouble(status=503, headers=(("Retry-After", "1"),))], id="busy"),
        pytest.param([Trouble(hang_up=True)] * 2, id="hangs up"),
        pytest.param([Trouble(cut_after=9000)] * 2, id="truncates"),
        pytest.param([Trouble(cut_after=9000, reset=True)] * 2, id="resets"),
        pytest.param([Trouble(stall_after=9000)], id="stalls"),
        pytest.param([Trouble(cut_after=9000), Trouble(ignore_range=True)], id="ignores Range"),
        pytest.param([Trouble(cut_after=9000), Trouble(range_shift=9)], id="another piece"),
        pytest.param([Trouble(cut_after=9000), Trouble(status=416)], id="no pieces"),
        pytest.param([Trouble(cut_after=9000, close=True)], id="keeps no connection"),
        pytest.param(Trouble(close=True), id="closes what it promised to keep"),
        pytest.param(Trouble(chunked=True), id="tells no length"),
        pytest.param(Trouble(redirect="/tree/01.rpm.moved"), id="moved"),
        pytest.param(
            Trouble(headers=(("Content-Type", "text/html"),)), id="calls a package a page"
        ),
    ],
)
def test_what_a_server_does_at_last_is_enough(
    workdir: Path, trouble: Trouble | list[Trouble]
) -> None:
    with site(RELEASE, {BAD: trouble}) as server:
        server.content["/tree/01.rpm.moved"] = FILE

        ended = fetch("--timeout", "0.5", f"{server.url}/cd.jigdo", cwd=workdir)

    assert ended.status == 0, ended.stderr
    assert_image(workdir, RELEASE)


def test_a_body_that_is_packed_unasked_is_no_part(workdir: Path) -> None:
    with site(RELEASE, {BAD: Trouble(gzip=True)}) as server:
        told = fetched(*QUICK, f"{server.url}/cd.jigdo", cwd=workdir)

    assert told["status"] == 2
    (tried,) = told["missing"][0]["tries"]
    assert tried["answer"] == "wrong_length"
    assert tried["detail"].endswith("compressed, though not asked for")
    assert_no_image(workdir)


def test_a_slow_server_keeps_no_part_from_a_fast_one(workdir: Path) -> None:
    release = release_of(2, 400_000)
    slow = Trouble(piece=1000, pause=0.05)  # 20 s for a part
    with BadServer(release.tree(), everywhere=slow) as bad, BadServer(release.tree()) as good:
        good.content |= release.pair(f"A={bad.url}/tree/", f"A={good.url}/tree/")
        began = time.monotonic()
        ended = fetch("--timeout", "30", f"{good.url}/cd.jigdo", cwd=workdir)
        took = time.monotonic() - began

    assert ended.status == 0, ended.stderr
    assert_image(workdir, release)
    assert took < 8
    assert any("range" in request.headers for request in good.requests)


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(Trouble(delay=FOR_EVER), id="silent"),
        pytest.param(Trouble(stall_after=100), id="stalls"),
    ],
)
def test_a_silent_server_keeps_no_part_from_another(workdir: Path, trouble: Trouble) -> None:
    with BadServer(RELEASE.tree(), everywhere=trouble) as bad, BadServer(RELEASE.tree()) as good:
        good.content |= RELEASE.pair(f"A={bad.url}/tree/", f"A={good.url}/tree/")

        ended = fetch(*("--timeout", "60", "--deadline", "8", f"{good.url}/cd.jigdo"), cwd=workdir)

    assert ended.status == 0, ended.stderr
    assert_image(workdir, RELEASE)


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        pytest.param(
            {"http_proxy": "http://me:secret@nonsense.invalid"},
            "the proxy nonsense.invalid (http_proxy): ",
            id="proxy",
        ),
        pytest.param({"SSL_CERT_FILE": "/nowhere.pem"}, "SSL_CERT_FILE=/nowhere.pem: ", id="CAs"),
    ],
)
def test_what_the_environment_names_wrong_is_told(
    workdir: Path, environ: dict[str, str], words: str
) -> None:
    env = {**os.environ, **environ}
    ended = fetch("--retries", "0", "http://far.test/cd.jigdo", cwd=workdir, env=env)

    assert ended.status in {1, 3}
    assert words in ended.stderr
    assert "secret" not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_redirects_are_followed_but_not_for_ever(workdir: Path) -> None:
    with site(RELEASE) as server:
        server.troubles |= hops(BAD, 3, "/end.rpm") | hops("/tree/01.rpm", 40, "/end.rpm")
        server.content["/end.rpm"] = FILE

        told = fetched(f"{server.url}/cd.jigdo", cwd=workdir)
        asked = len(server.requests)

    assert told["status"] == 1
    (missing,) = told["missing"]
    assert missing["name"] == "01.rpm"
    assert missing["tries"][0]["answer"] == "redirects"
    assert asked < 30


def test_a_server_that_lies_is_left_for_a_good_one_and_named(workdir: Path) -> None:
    release = release_of(40, 2000)
    wrong = {path: content[::-1] for path, content in release.tree().items()}
    with BadServer(wrong) as liar, BadServer(release.tree()) as good:
        good.content |= release.pair(f"A={liar.url}/tree/", f"A={good.url}/tree/")

        ended = fetch("--connections", "1", f"{good.url}/cd.jigdo", cwd=workdir)

    assert ended.status == 0, ended.stderr
    assert_image(workdir, release)
    assert f"note: {liar.url} gave wrong bytes: 1 of its files" in ended.stderr
    assert len(liar.requests) == 1


def test_a_server_of_another_release_is_asked_no_more_and_named(workdir: Path) -> None:
    release = release_of(80, 2000)
    wrong = {path: content[::-1] for path, content in release.tree().items()}
    with BadServer(wrong) as liar:
        liar.content |= release.pair(f"A={liar.url}/tree/")

        told = fetched(f"{liar.url}/cd.jigdo", cwd=workdir)

        asked = len(liar.requests)
    assert told["status"] == 2
    assert len(told["missing"]) == 80
    assert {tried["answer"] for part in told["missing"] for tried in part["tries"]} == {
        "wrong_bytes"
    }
    assert any(f"{liar.url} is not asked any more: wrong bytes" in note for note in told["notes"])
    assert asked < 60
    assert_no_image(workdir)


def test_nobody_there_is_said_in_time(workdir: Path) -> None:
    with BadServer() as gone:
        url = gone.url
    RELEASE.lay_out(workdir, f"A={url}/tree/")

    told = fetched("--retries", "0", "cd.jigdo", cwd=workdir)

    assert told["status"] == 1
    assert {part["tries"][0]["answer"] for part in told["missing"]} == {"unreachable"}
    assert_no_image(workdir)


@pytest.mark.parametrize(
    ("path", "trouble", "status", "words"),
    [
        pytest.param("/cd.jigdo", Trouble(status=404), 1, "not found (404", id="no jigdo"),
        pytest.param("/cd.jigdo", Trouble(status=500), 1, "server error (500", id="jigdo 500"),
        pytest.param("/cd.jigdo", PORTAL, 1, "a web page (Please log in", id="jigdo portal"),
        pytest.param("/cd.jigdo", Trouble(body=b""), 2, "no .jigdo file", id="empty jigdo"),
        pytest.param("/cd.jigdo", Trouble(stall_after=9), 1, "silent", id="jigdo stalls"),
        pytest.param("/cd.template", Trouble(status=404), 1, "not found (404", id="no template"),
        pytest.param("/cd.template", Trouble(body=b"x"), 2, "and should be md5:", id="another"),
        pytest.param("/cd.template", Trouble(cut_after=9), 1, "cut off", id="template cut"),
        pytest.param("/cd.template", PORTAL, 1, "a web page (Please log in", id="portal"),
    ],
)
def test_without_its_pair_no_image_is_begun(
    workdir: Path, path: str, trouble: Trouble, status: int, words: str
) -> None:
    with site(RELEASE, {path: trouble}) as server:
        told = fetched(*QUICK, f"{server.url}/cd.jigdo", cwd=workdir)

    assert told["status"] == status
    assert words in told["error"]["message"]
    assert told["error"]["hint"]
    assert not list(workdir.glob("*.iso*"))


@pytest.mark.parametrize("path", ["/cd.jigdo", "/cd.template"])
def test_a_pair_that_fails_twice_comes_at_last(workdir: Path, path: str) -> None:
    troubles = [Trouble(status=500), Trouble(cut_after=50)]
    with site(RELEASE, {path: troubles}) as server:
        ended = fetch(f"{server.url}/cd.jigdo", cwd=workdir)

    assert ended.status == 0, ended.stderr
    assert_image(workdir, RELEASE)


@pytest.mark.parametrize(
    ("path", "trouble"),
    [
        pytest.param("/cd.jigdo", Trouble(piece=9, pause=0.2), id="jigdo trickles"),
        pytest.param("/cd.jigdo", Trouble(delay=FOR_EVER), id="jigdo silent"),
        pytest.param("/cd.jigdo", Trouble(status=500), id="jigdo 500"),
        pytest.param(
            "/cd.jigdo", Trouble(status=503, headers=(("Retry-After", "60"),)), id="jigdo busy"
        ),
        pytest.param("/cd.template", Trouble(stall_after=100), id="template stalls"),
        pytest.param(BAD, Trouble(piece=100, pause=0.2), id="part trickles"),
        pytest.param(BAD, Trouble(stall_after=100), id="part stalls"),
        pytest.param(BAD, Trouble(delay=FOR_EVER), id="part silent"),
        pytest.param(BAD, Trouble(status=503, headers=(("Retry-After", "60"),)), id="part busy"),
        pytest.param(BAD, Trouble(status=500), id="part 500"),
    ],
)
def test_a_deadline_bounds_the_whole_run(workdir: Path, path: str, trouble: Trouble) -> None:
    with site(RELEASE, {path: trouble}) as server:
        began = time.monotonic()
        ended = fetch(
            *("--deadline", "1", "--timeout", "60", "--retries", "50"),
            *("--json", f"{server.url}/cd.jigdo"),
            cwd=workdir,
        )
        took = time.monotonic() - began

    assert ended.status == 1, ended.stderr
    assert took < 4
    assert "no_time" in ended.stdout or "out of time" in ended.stdout
    assert not (workdir / "cd.iso").exists()


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        pytest.param(
            Trouble(status=429, headers=(("Retry-After", "9" * 15),)),
            " (after: busy: 429 Too Many Requests)",
            id="busy",
        ),
        pytest.param(Trouble(delay=FOR_EVER), "", id="silent"),
    ],
)
def test_when_the_deadline_comes_first_the_last_answer_is_told(
    workdir: Path, trouble: Trouble, said: str
) -> None:
    with site(RELEASE, dict.fromkeys(RELEASE.tree(), trouble)) as server:
        one_by_one = ("--connections", "1", "--deadline", "1")
        ended = fetch(*one_by_one, f"{server.url}/cd.jigdo", cwd=workdir)

    assert ended.status == 1
    assert f"{server.url}/tree/00.rpm: out of time{said}\n" in ended.stderr
    assert ended.stderr.count("missing: ") == 1


def test_a_deadline_is_that_of_all_images_together(workdir: Path) -> None:
    stalls = {f"/{name}.jigdo": Trouble(delay=FOR_EVER) for name in "123"}
    with BadServer({}, stalls) as server:
        began = time.monotonic()
        ended = fetch("--deadline", "1", f"{server.url}/{{1,2,3}}.jigdo", cwd=workdir)
        took = time.monotonic() - began

    assert ended.status == 1
    assert ended.stderr.count("out of time") == 3
    assert took < 3
