"""Names and words of strangers: on the screen, in logs, on pages, in mails, in what others read."""

from __future__ import annotations

import email
import email.policy
import html.parser
import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from bad_server import BadServer, Trouble
from comparing import lay_out_tree, rpm_of
from fetching import Release, release_of
from program import release_builder
from screens import NASTY, assert_harmless, assert_harmless_on_a_terminal, on_a_terminal

from release_builder.jigdo.location import read_jigdo
from release_builder.media.rpm import Change

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from builders import Mirror

pytestmark = pytest.mark.interop

_LATIN = "\udce9\udcff"  # bytes that are no UTF-8
_NAMES = (NASTY, f"{NASTY}{_LATIN}", f"x {NASTY}")
_ANSWER = Trouble(
    raw=f"HTTP/1.1 404 \x1b[31m{NASTY}\x07\r\nX-Odd: {NASTY}\r\nContent-Type: text/html\r\n"
    f"Connection: close\r\n\r\n<title>{NASTY}</title>".encode()
)
_LEADS_ON = Trouble(
    raw=f"HTTP/1.1 302 x\r\nLocation: http://{NASTY}:99999/{NASTY}\r\n\r\n".encode()
)


def _strange_release() -> Release:
    parts = dict(zip(_NAMES, release_of(len(_NAMES), 3000).parts.values(), strict=True))
    return Release(parts)


def _strange_jigdo(release: Release, server: str) -> bytes:
    """A .jigdo that says odd things wherever it says anything."""
    text = release.jigdo(f"A={server}/tree/", f"'{NASTY}'={server}/{NASTY}")
    return text + (
        f"[Jigdo]\nGenerator='{NASTY}'\n[Image]\nShortInfo={NASTY}\nInfo={NASTY}\n"
        f"[{NASTY}]\n{NASTY}\n[Servers]\n{NASTY}={NASTY}\n\x1b[5m=http://\x1b[2J/\n"
        f"[Parts]\n{NASTY}=x\nAAAAAAAAAAAAAAAAAAAAAA='{NASTY}:{NASTY}'\n"
    ).encode("utf-8", "surrogateescape")


@pytest.fixture
def folder(workdir: Path) -> Iterator[Path]:
    """A folder with a strange pair, a tree of its parts, an image; its server says odd things."""
    release = _strange_release()
    with BadServer(everywhere=_ANSWER) as server:
        server.troubles[f"/tree/{_NAMES[0]}"] = _LEADS_ON
        server.content |= {
            "/cd.jigdo": _strange_jigdo(release, server.url),
            "/cd.template": release.template,
        }
        server.troubles |= dict.fromkeys(("/cd.jigdo", "/cd.template"), Trouble())
        (workdir / "cd.jigdo").write_bytes(server.content["/cd.jigdo"])
        (workdir / "cd.template").write_bytes(release.template)
        (workdir / "here.iso").write_bytes(release.image)
        (workdir / "url").write_text(f"{server.url}/cd.jigdo")
        (workdir / "odd").mkdir()
        for name, content in release.parts.items():
            (workdir / "odd" / name).write_bytes(content[::-1])
        (workdir / "odd" / f"{NASTY}.iso").write_bytes(release.image[:-1])
        yield workdir


_PAIR = ("--jigdo=cd.jigdo", "--template=cd.template")
_COMMANDS = [
    pytest.param(("jigdo", "fetch", "--noask", "URL"), id="fetch"),
    pytest.param(("jigdo", "fetch", "-v", "--keep-parts", "parts", "cd.jigdo"), id="fetch -v"),
    pytest.param(("jigdo", "fetch", "--scan", "odd", "cd.jigdo"), id="fetch --scan"),
    pytest.param(("jigdo", "fetch", "--json", "cd.jigdo"), id="fetch --json"),
    pytest.param(("jigdo", "fetch", "--progress", "json", "cd.jigdo"), id="fetch progress"),
    pytest.param(("jigdo", "fetch", "--best", "1", "cd.jigdo"), id="fetch --best"),
    pytest.param(("jigdo", "make-image", "--image=x.iso", *_PAIR, "odd"), id="make-image"),
    pytest.param(("jigdo", "verify", "--image=here.iso", *_PAIR), id="verify"),
    pytest.param(("jigdo", "list-template", "--template=cd.template"), id="list-template"),
    pytest.param(("jigdo", "scan", "odd"), id="scan"),
    pytest.param(("jigdo", "map", "here.iso", "map.svg", *_PAIR), id="map"),
    pytest.param(
        ("jigdo", "make-template", "--image=here.iso", "--jigdo=n.jigdo", "--template=n.t", "odd"),
        id="make-template",
    ),
    pytest.param(("mirrors", "probe", "cd.jigdo"), id="probe"),
    pytest.param(("compare", "cd.jigdo", "cd.jigdo"), id="compare"),
    pytest.param(("compare", "URL", "cd.jigdo"), id="compare with the web"),
    pytest.param(("compare", f"odd/{NASTY}.iso", "here.iso"), id="compare images"),
    pytest.param(("releases", "URL"), id="releases"),
    pytest.param(("jigdo", "fetch", f"http://127.0.0.1:1/{NASTY}.jigdo"), id="URL"),
    pytest.param(("jigdo", "fetch", f"{NASTY}.jigdo"), id="no such file"),
    pytest.param(("plan", f"{NASTY}.yaml"), id="no such descriptor"),
    pytest.param((NASTY,), id="no such command"),
    pytest.param(("doctor", "--rpm", f"odd/{NASTY}", "--for", "el7"), id="doctor --rpm"),
    pytest.param(("images", "update", "odd"), id="images update"),
]
# What scripts read: names byte by byte, as jigdo-file prints them.
_FOR_SCRIPTS = [
    pytest.param(("jigdo", "print-missing", "--image=x.iso", *_PAIR), id="print-missing"),
    pytest.param(("jigdo", "print-missing-all", "--image=x.iso", *_PAIR), id="print-missing-all"),
    pytest.param(("jigdo", "md5sum", "odd"), id="md5sum"),
]


def _named(folder: Path, arguments: tuple[str, ...]) -> list[str]:
    url = (folder / "url").read_text()
    return [url if each == "URL" else each for each in arguments]


@pytest.mark.parametrize("arguments", _COMMANDS)
def test_nothing_but_text_reaches_a_pipe(folder: Path, arguments: tuple[str, ...]) -> None:
    ended = release_builder(*_named(folder, arguments), cwd=folder)

    assert ended.stdout + ended.stderr or "scan" in arguments
    assert_harmless(ended.stdout)
    assert_harmless(ended.stderr)
    if "--json" in arguments:
        assert json.loads(ended.stdout)
    for line in ended.stderr.splitlines() if "json" in arguments else ():
        assert line[0] != "{" or json.loads(line)
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("arguments", [*_COMMANDS, *_FOR_SCRIPTS])
def test_nothing_of_a_stranger_drives_a_terminal(folder: Path, arguments: tuple[str, ...]) -> None:
    _, seen = on_a_terminal(*_named(folder, arguments), cwd=folder)

    assert seen
    assert_harmless_on_a_terminal(seen)


def test_the_jigdo_lite_look_alike_says_nothing_odd(folder: Path) -> None:
    program = (
        "import sys; sys.argv[0] = 'jigdo-lite'; "
        "from release_builder.cli.jigdo_lite import main; main()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, "--noask", (folder / "url").read_text()],
        cwd=folder,
        capture_output=True,
        check=False,
    )

    assert ended.returncode
    assert_harmless(ended.stdout)
    assert_harmless(ended.stderr)


def test_a_file_name_adds_no_line_to_a_jigdo(workdir: Path) -> None:
    """[Parts] has lines; a name that has several is no part."""
    release = release_of(2, 3000)
    (workdir / "here.iso").write_bytes(release.image)
    (workdir / "tree").mkdir()
    first, second = release.parts.values()
    (workdir / "tree" / "a\n[Servers]\nA=http:evil").write_bytes(first)
    (workdir / "tree" / "b").write_bytes(second)

    release_builder(
        *("jigdo", "make-template", "--image=here.iso", "--jigdo=n.jigdo", "--template=n.t"),
        "tree",
        cwd=workdir,
    )

    servers = {server.label: server.url for server in read_jigdo(workdir / "n.jigdo").servers}
    assert not any("evil" in url for url in servers.values())


def test_a_file_name_adds_no_line_to_a_list_of_sums(workdir: Path) -> None:
    (workdir / "tree").mkdir()
    (workdir / "tree" / f"a\n{'0' * 32}  victim").write_bytes(b"a" * 2000)

    ended = release_builder("jigdo", "md5sum", "--hex", "tree", cwd=workdir)

    assert ended.status == 0
    assert len(ended.stdout.splitlines()) == 1
    assert ended.stdout.startswith("\\")


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://127.0.0.1:{port}/a\r\nX-Evil: 1\r\n/b.jigdo", id="CR LF"),
        pytest.param("http://127.0.0.1:{port}/a\nX-Evil: 1/b.jigdo", id="LF"),
        pytest.param("http://x\r\nX-Evil: 1@127.0.0.1:{port}/b.jigdo", id="in the user"),
        pytest.param("http://127.0.0.1:{port}/b.jigdo?a\r\nX-Evil: 1", id="in the query"),
        pytest.param("http://x%0d%0aX-Evil:1@127.0.0.1:{port}/b.jigdo", id="escaped user"),
        pytest.param("http://127.0.0.1:{port}/%0d%0aX-Evil:%201/b.jigdo", id="escaped path"),
    ],
)
def test_a_url_adds_no_header_to_a_request(workdir: Path, url: str) -> None:
    with BadServer() as server:
        release_builder("jigdo", "fetch", url.format(port=server.port), cwd=workdir)

    assert [each for each in server.requests if "x-evil" in each.headers] == []


@pytest.mark.parametrize("location", ["/b\rX-Evil: 1", "/b%0d%0aX-Evil:%201", "//x\x0bX-Evil: 1/"])
def test_a_redirect_adds_no_header_to_a_request(workdir: Path, location: str) -> None:
    with BadServer() as server:
        server.troubles["/a.jigdo"] = Trouble(redirect=location)
        release_builder("jigdo", "fetch", f"{server.url}/a.jigdo", cwd=workdir)

    assert server.asked("/a.jigdo")
    assert [each for each in server.requests if "x-evil" in each.headers] == []


def test_a_netrc_adds_no_header_to_a_request(workdir: Path) -> None:
    netrc = workdir.parent / "home/.netrc"
    netrc.write_text('machine 127.0.0.1 login "me\r\nX-Evil: 1" password "p\r\nX-Evil: 1"\n')
    netrc.chmod(0o600)

    with BadServer() as server:
        release_builder("jigdo", "fetch", f"{server.url}/a.jigdo", cwd=workdir)

    assert server.requests
    assert [each for each in server.requests if "x-evil" in each.headers] == []


# A release of a mirror, refreshed and told of everywhere


_DESCRIPTOR = """version: 9.0beta3
arch: x86_64
mirror: {mirror}
workdir: .
image: smeserver-{{version}}-{{arch}}.iso
servers: {{SMEmirror: {{beta: '{server}/', final: '{server}/'}}}}
notify:
  mail: ops@example.org
  command: {hook}
  ping: {server}/ping
  when: always
"""


@pytest.fixture
def told(mirror: Mirror, workdir: Path) -> Iterator[Path]:
    """A workdir whose mirror has strange files, and a strange .jigdo, after a refresh."""
    tree = mirror.release.tree
    for name in _NAMES:
        (tree / name).write_text("strange")
    (jigdo,) = mirror.release.mirror.rglob("*.jigdo")
    text = jigdo.read_bytes().splitlines(keepends=True)
    at = next(number for number, line in enumerate(text) if line.startswith(b"[Parts]")) + 1
    digest, _, place = text[at].partition(b"=")
    (tree / place.decode().strip().partition(":")[2]).unlink()
    text[at] = digest + f"='{NASTY}:{NASTY}'\n[{NASTY}]\n\x1b[7m\n[Parts]\n".encode()
    jigdo.write_bytes(b"".join(text))
    (workdir / "bin").mkdir()
    _script(workdir / "bin/sendmail", f"cat > {workdir}/mail")
    odd = f"cat > {workdir}/told.json; printf '\\033[31m\\342\\200\\256x\\007'; exit 3"
    hook = _script(workdir / "bin/hook", odd)
    with BadServer(everywhere=_ANSWER) as server:
        known = {"mirror": mirror.release_url, "server": server.url, "hook": hook}
        (workdir / "sme.yaml").write_text(_DESCRIPTOR.format(**known))
        yield workdir


def _script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def _run_all(folder: Path) -> dict[str, str]:
    """The output of everything that tells of the release."""
    env = {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
    commands = {
        "plan": ("plan", "-v", "sme.yaml"),
        "refresh": (
            "refresh",
            "--no-splay",
            "--page",
            "page",
            "--metrics",
            "metrics.prom",
            "sme.yaml",
        ),
        "build": ("build", "-v", "sme.yaml"),
        "build --json": ("build", "--json", "sme.yaml"),
        "missing": ("missing", "--offline", "sme.yaml"),
        "history": ("history", "-v"),
        "history --json": ("history", "--json"),
        "status": ("status",),
        "nagios": ("status", "--max-age", "1h"),
    }
    said = {}
    for name, arguments in commands.items():
        ended = release_builder(*arguments, cwd=folder, env=env)
        said[name] = ended.stdout + ended.stderr
        assert "Traceback" not in ended.stderr
        if "--json" in name:
            json.loads(ended.stdout)
    return said


def test_a_strange_release_is_told_of_in_plain_text_everywhere(told: Path) -> None:
    said = _run_all(told)

    for output in said.values():
        assert_harmless(output)
    assert "\\x1b" in said["build"]
    state = told.parent / "state"
    texts = [path for path in state.rglob("*") if path.suffix in {".log", ".json"}]
    texts += [told / "mail", told / "told.json", told / "metrics.prom"]
    texts += [path for path in (told / "page").rglob("*") if path.suffix in _TEXTS]
    assert {path.suffix for path in texts} >= {".log", ".prom", ".html", ".json", ""}
    for path in texts:
        assert_harmless(path.read_bytes())
    mail = email.message_from_bytes((told / "mail").read_bytes(), policy=email.policy.default)
    assert set(mail) <= _HEADERS
    assert_harmless(mail["Subject"])
    assert_harmless(mail.get_content())
    for page in (told / "page").rglob("*.html"):
        assert_inert(page.read_text())


_TEXTS = {".html", ".svg", ".json", ".txt", ".xml", ".meta4", ".css", ".js"}
_HEADERS = {
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "Content-Type",
    "Content-Transfer-Encoding",
    "MIME-Version",
}


class _Page(html.parser.HTMLParser):
    """Collects what a page could do, besides being read."""

    def __init__(self) -> None:
        super().__init__()
        self.deeds: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            scheme = re.match(r"\s*([a-zA-Z][\w+.-]*):", value or "")
            if name.startswith("on"):
                self.deeds.append(f"{tag} {name}={value}")
            leads = name in {"href", "src", "action"} and tag != "link"
            if leads and scheme and scheme[1] not in {"http", "https"}:
                self.deeds.append(f"{tag} {name}={value}")
        if tag == "img" and dict(attrs).get("src") == "x":
            self.deeds.append("img of a stranger")


def assert_inert(text: str) -> None:
    """Nothing of a stranger on the page is more than text."""
    page = _Page()
    page.feed(text)
    assert page.deeds == []


def test_a_comparison_of_strange_packages_is_inert(workdir: Path) -> None:
    line = f"- {NASTY} [SME: 1] javascript:alert(1)"
    entries = (Change(1_400_000_000, f"{NASTY} <a@b> 1.0-2", line),)
    old = Release({"Packages/a-1.0-1.noarch.rpm": rpm_of("a", "1.0-1")})
    new = Release(
        {
            "Packages/a-1.0-2.noarch.rpm": rpm_of("a", "1.0-2", entries=entries),
            f"Packages/{NASTY}.rpm": rpm_of(NASTY, f"1-{NASTY}", NASTY),
            f"images/{NASTY}{_LATIN}": b"image",
        }
    )
    lay_out_tree(workdir / "old", old)
    lay_out_tree(workdir / NASTY, new)

    ended = release_builder("compare", "-v", "old", f"./{NASTY}", "--html", "c.html", cwd=workdir)
    document = release_builder("compare", "--json", "old", f"./{NASTY}", cwd=workdir)

    assert_harmless(ended.stdout + ended.stderr)
    assert_harmless(document.stdout)
    json.loads(document.stdout)
    assert_harmless((workdir / "c.html").read_bytes())
    assert_inert((workdir / "c.html").read_text())
