"""A password in every place that takes one: it is told to its server, and to nobody else."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from bad_server import BadServer, Trouble
from fetching import release_of
from program import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from builders import Mirror

pytestmark = pytest.mark.interop

_SECRET = "c4n4ry"  # every password has it in it
_JIGDO_LITE = (
    sys.executable,
    "-c",
    "import sys; sys.argv[0] = 'jigdo-lite'; "
    "from release_builder.cli.jigdo_lite import main; main()",
)


@dataclass
class _Watch:
    """What was printed by commands, and the arguments and environments of all that they ran.

    Attributes:
        said: What each run printed.
        argvs: Of children, and their children.
        typed: What the user typed: a child has it too, until it is another program.
        environs: Of those.
    """

    folder: Path
    said: list[str] = field(default_factory=list)
    argvs: set[bytes] = field(default_factory=set)
    typed: set[bytes] = field(default_factory=set)
    environs: set[bytes] = field(default_factory=set)

    def run(self, *arguments: str | Path, env: Mapping[str, str] | None = None) -> int:
        """The status of a run of the program."""
        return self.run_program([*PROGRAM, *map(str, arguments)], env)

    def run_program(self, argv: list[str], env: Mapping[str, str] | None = None) -> int:
        """The status of a run of any program."""
        self.typed.add(b"".join(each.encode() + b"\0" for each in argv))
        with subprocess.Popen(
            argv,
            cwd=self.folder,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as program:
            over = threading.Event()
            watcher = threading.Thread(target=self._look, args=(program.pid, over))
            watcher.start()
            output, _ = program.communicate(timeout=60)
            over.set()
            watcher.join()
        self.said.append(output.decode())
        return program.returncode

    def _look(self, pid: int, over: threading.Event) -> None:
        while not over.wait(0.003):
            for child in _descendants(pid):
                for name, seen in (("cmdline", self.argvs), ("environ", self.environs)):
                    try:
                        seen.add(Path(f"/proc/{child}/{name}").read_bytes())
                    except OSError:  # it has ended
                        continue


def _descendants(pid: int) -> list[str]:
    found: list[str] = []
    waiting = [str(pid)]
    while waiting:
        tasks = Path(f"/proc/{waiting.pop()}/task")
        try:
            children = [each for task in tasks.iterdir() for each in _words(task / "children")]
        except OSError:
            continue
        found += children
        waiting += children
    return found


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []


@pytest.fixture
def watch(workdir: Path) -> _Watch:
    """Runs are in the folder for work."""
    return _Watch(workdir)


@contextmanager
def _server() -> Iterator[BadServer]:
    """A server that has the first part of an image only, and leads on for the second."""
    release = release_of(3, 3000)
    tree = release.tree()
    with BadServer({"/tree/00.rpm": tree["/tree/00.rpm"]}) as server:
        far = f"http://you:{_SECRET}-redirect@127.0.0.1:{server.port}"
        server.troubles["/tree/01.rpm"] = Trouble(redirect=f"{far}/away")
        server.troubles["/away"] = Trouble(
            status=500, headers=(("X-Odd", _SECRET),), redirect=f"{far}/../nowhere"
        )
        inside = f"http://them:{_SECRET}-servers@127.0.0.1:{server.port}/other/"
        server.content |= {
            "/cd.jigdo": release.jigdo(f"A={server.url}/tree/", f"B={inside}"),
            "/plain.jigdo": release.jigdo(f"A={server.url}/tree/"),
            "/cd.template": release.template,
        }
        yield server


def _with_user(url: str, what: str) -> str:
    return url.replace("://", f"://me:{_SECRET}-{what}@")


def _assert_kept(watch: _Watch, *but_in: str) -> None:
    """The secret is in no output, no file but those of ``but_in``, no argv, no environment."""
    assert [said for said in watch.said if _SECRET in said] == []
    root = watch.folder.parent
    files = [path for path in root.rglob("*") if path.is_file()]
    leaked = [path for path in files if _SECRET.encode() in path.read_bytes()]
    assert [path for path in leaked if path.name not in but_in] == []
    argvs = watch.argvs - watch.typed
    assert [argv for argv in argvs if _SECRET.encode() in argv] == []
    assert [each for each in watch.environs if _SECRET.encode() in each] == []


@pytest.mark.parametrize(
    "more",
    [
        pytest.param((), id="plain"),
        pytest.param(("-v",), id="verbose"),
        pytest.param(("--json",), id="json"),
        pytest.param(("--progress", "json"), id="events"),
        pytest.param(("--best", "1"), id="best"),
    ],
)
def test_passwords_of_urls_stay_with_their_servers(watch: _Watch, more: tuple[str, ...]) -> None:
    with _server() as server:
        url = _with_user(server.url, "url")
        options = ("--retries", "0", "--timeout", "3", *more)
        mirror = ("--uri", f"A={_with_user(server.url, 'uri')}/none/", "--mirror", url)
        statuses = [
            watch.run("jigdo", "fetch", *options, *mirror, f"{url}/plain.jigdo"),
            watch.run("jigdo", "fetch", *options, f"{url}/gone.jigdo"),
            watch.run("jigdo", "fetch", *options, f"{url}/tree/"),
            watch.run("jigdo", "fetch", *options, f"{url}:99999/x.jigdo"),
            watch.run("jigdo", "fetch", *options, f"http://me:{_SECRET}/@[x.jigdo"),
            watch.run("jigdo", "fetch", *options, f"ftp://me:{_SECRET}@x/x.jigdo"),
        ]
        assert [each.headers["authorization"] for each in server.asked("/plain.jigdo")]

    assert 0 not in statuses
    _assert_kept(watch)


def test_passwords_that_a_jigdo_names_are_not_told(watch: _Watch) -> None:
    with _server() as server:
        watch.run("jigdo", "fetch", "-v", "--retries", "0", f"{server.url}/cd.jigdo")
        watch.run("jigdo", "fetch", "--json", "--retries", "0", "cd.jigdo")
        watch.run("mirrors", "probe", "cd.jigdo")
        watch.run("mirrors", "probe", "--json", "cd.jigdo")
        watch.run("compare", "--json", "cd.jigdo", "cd.jigdo")

    _assert_kept(watch, "cd.jigdo", ".cd.jigdo.fetched")


def test_the_passwords_of_a_netrc_and_of_a_proxy_stay_with_them(watch: _Watch) -> None:
    netrc = watch.folder.parent / "home/.netrc"
    with _server() as server, BadServer() as proxy:
        netrc.write_text(f"machine 127.0.0.1 login me password {_SECRET}-netrc\n")
        netrc.chmod(0o600)
        env = {"http_proxy": f"http://me:{_SECRET}-proxy@127.0.0.1:{proxy.port}", "no_proxy": ""}
        for more in ((), ("-v",), ("--json",)):
            watch.run("jigdo", "fetch", *more, "--retries", "0", f"{server.url}/plain.jigdo")
            watch.run("jigdo", "fetch", *more, "--retries", "0", "http://far.test/a.jigdo", env=env)
            broken = {"http_proxy": f"socks5://me:{_SECRET}@x"}
            watch.run("jigdo", "fetch", *more, "http://far.test/a.jigdo", env=broken)
        netrc.write_text(f"machine 127.0.0.1 login me passwort {_SECRET}-netrc\n")
        watch.run("jigdo", "fetch", "-v", "--retries", "0", f"{server.url}/plain.jigdo")
        assert "authorization" in server.requests[0].headers
        assert "proxy-authorization" in proxy.requests[0].headers

    _assert_kept(watch, ".netrc")


def test_the_jigdo_lite_look_alike_keeps_what_its_settings_hold(watch: _Watch) -> None:
    settings = watch.folder.parent / "home/.jigdo-lite"
    with _server() as server:
        mirror = f"{_with_user(server.url, 'settings')}/debian/"
        settings.write_text(
            f"debianMirror='{mirror}'\n"
            f"wgetOpts='--password={_SECRET} --http-password {_SECRET} --header X:{_SECRET}"
            f" -e http_proxy=http://me:{_SECRET}@127.0.0.1:1 -e no_proxy=127.0.0.1'\n"
        )
        settings.chmod(0o600)
        jigdo = server.content["/plain.jigdo"].replace(b"=A:", b"=Debian:")
        server.content["/debian.jigdo"] = jigdo
        watch.run_program([*_JIGDO_LITE, "--noask", f"{server.url}/debian.jigdo"])

    assert watch.said
    _assert_kept(watch, ".jigdo-lite")
    assert settings.stat().st_mode & 0o077 == 0


_DESCRIPTOR = """version: 9.0beta3
arch: x86_64
mirror: {mirror}
workdir: .
notify:
  command: {hook}
  ping: {ping}
  mail: ops@example.org
  when: always
"""


def test_a_refresh_tells_nobody_a_password(watch: _Watch, mirror: Mirror) -> None:
    folder = watch.folder
    (folder / "bin").mkdir()
    for name in ("hook", "sendmail"):
        path = folder / "bin" / name
        path.write_text(f"#!/bin/sh\ncat > {name}.got\nenv > {folder}/{name}.env\n")
        path.chmod(0o755)
    env = {
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "RSYNC_PASSWORD": f"{_SECRET}-rsync",
        "https_proxy": f"http://me:{_SECRET}-proxy@127.0.0.1:1",
        "GPG_PASSPHRASE": _SECRET,
    }
    with BadServer(everywhere=Trouble(status=500)) as server:
        ping = f"{server.url}/{_SECRET}-uuid"
        known = {"mirror": mirror.release_url, "hook": folder / "bin/hook", "ping": ping}
        (folder / "sme.yaml").write_text(_DESCRIPTOR.format(**known))
        status = watch.run(
            *("refresh", "--no-splay", "--page", "page", "--metrics", "m.prom", "sme.yaml"), env=env
        )
        for command in ("build", "missing", "plan", "history", "status", "validate"):
            descriptor = () if command in {"history", "status"} else ("sme.yaml",)
            watch.run(command, "-v", *descriptor, env=env)
            if command != "validate":
                watch.run(command, "--json", *descriptor, env=env)
        assert server.connections, watch.said

    assert status == 0, watch.said
    assert (folder / "hook.env").exists()
    # rsync is asked for a password, and must be told: by its environment, as it wants it.
    watch.environs = {each for each in watch.environs if b"RSYNC_PASSWORD=" not in each}
    _assert_kept(watch, "sme.yaml")


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param("mirror: http://me:{secret}@x/y/", id="mirror"),
        pytest.param("mirror: rsync://me:{secret}@x/y/", id="rsync mirror"),
        pytest.param("mirror: me:{secret}@x::y/", id="rsync daemon"),
        pytest.param("mirror: http://me:{secret}@[x/", id="no address"),
        pytest.param(
            "mirror: /m\nservers: {{A: {{beta: 'http://me:{secret}@x/', final: 'http://x/'}}}}",
            id="servers",
        ),
        pytest.param("mirror: /m\nfetch: {{mirrors: ['http://me:{secret}@x/']}}", id="mirrors"),
        pytest.param(
            "mirror: /m\npublish: {{root: /p, url: 'http://me:{secret}@x/'}}", id="public URL"
        ),
        pytest.param(
            "mirror: /m\npublish: {{root: 'ssh://me:{secret}@x/p', url: 'http://x/'}}", id="ssh"
        ),
        pytest.param("mirror: /m\nnotify: {{ping: 'gopher://x/{secret}'}}", id="ping"),
        pytest.param("mirror: /m\nnotify: {{ping: 'http://me:{secret}@[/{secret}'}}", id="no ping"),
    ],
)
def test_a_descriptor_with_a_password_is_told_without_it(watch: _Watch, lines: str) -> None:
    text = f"version: 9.0beta3\narch: x86_64\n{lines.format(secret=_SECRET)}\n"
    (watch.folder / "sme.yaml").write_text(text)

    statuses = [watch.run("validate", "sme.yaml"), watch.run("plan", "--json", "sme.yaml")]

    assert 0 not in statuses, watch.said
    _assert_kept(watch, "sme.yaml")


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("releases", "{url}"), id="releases"),
        pytest.param(("releases", "rsync://me:{secret}@127.0.0.1:1/x/"), id="releases by rsync"),
        pytest.param(("compare", "{url}/cd.jigdo", "{url}/x/"), id="compare"),
        pytest.param(("compare", "--json", "ftp://me:{secret}@x/", "{url}/x/"), id="compare ftp"),
        pytest.param(("init", "{url}/9.0/"), id="init"),
        pytest.param(("plan", "--mirror", "{url}/", "a.yaml"), id="--mirror"),
        pytest.param(("mirrors", "probe", "--mirror", "{url}/", "p.jigdo"), id="probe"),
        pytest.param(("doctor", "--mirror", "{url}/"), id="doctor"),
        pytest.param(("images", "push", "x", "{url}/"), id="push"),
        pytest.param(("images", "push", "x", "rsync://me:{secret}@127.0.0.1:1/"), id="rsync push"),
    ],
)
def test_a_password_on_a_command_line_is_not_told(
    watch: _Watch, arguments: tuple[str, ...]
) -> None:
    with _server() as server:
        (watch.folder / "p.jigdo").write_bytes(server.content["/plain.jigdo"])
        (watch.folder / "a.yaml").write_text("version: 9.0beta3\narch: x86_64\nmirror: /m\n")
        url = _with_user(server.url, "argument")
        watch.run(*(each.format(url=url, secret=_SECRET) for each in arguments))

    assert watch.said
    _assert_kept(watch)
