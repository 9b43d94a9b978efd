"""What is fetched from a public server does not lead the program home: a real network tells."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from fetching import assert_image, release_of
from own_network import OwnNetwork, own_network

from release_builder import process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fetching import Release
    from program import Ended

pytestmark = pytest.mark.interop

_PUBLIC = "8.8.4.4"
_OWN = "8.8.8.8"  # public, of this machine
_HOME = "10.1.2.3"
_LAN = "10.1.2.4"
_JIGDO_LITE = (
    sys.executable,
    "-c",
    "import sys; sys.argv[0] = 'jigdo-lite'; "
    "from release_builder.cli.jigdo_lite import main; sys.exit(main())",
)
_FETCH = ("jigdo", "fetch", "--noask", "--deadline", "40", "--timeout", "5", "--retries", "1")
# How a stranger may write an address of ours; the private server is at each of them.
_HOMES = (
    "127.0.0.1:8080",
    "localhost:8080",
    "127.1:8080",
    "2130706433:8080",
    "0x7f.0.0.1:8080",
    "0177.0.0.1:8080",
    "0.0.0.0:8080",
    "[::1]:8080",
    "[::ffff:127.0.0.1]:8080",
    _HOME,
    _OWN,
    "169.254.169.254",
    "home.test",
    "both.test",
    "user:word@127.0.0.1:8080",
)
_CONF = """
user root;
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/errors;
events {{ worker_connections 256; }}
http {{
    default_type application/octet-stream;
    access_log off;
    keepalive_timeout 0;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {server}
}}
"""
_PUBLIC_SERVER = """
    server {{
        listen {public}:80;
        listen {lan}:80;
        root {folder}/../public;
        autoindex on;
        rewrite ^/away/(.*)$ http://127.0.0.1:8080/tree/$1 redirect;
    }}
"""
_PRIVATE_SERVER = """
    server {{
        listen 127.0.0.1:8080;
        listen [::1]:8080;
        listen {home}:80;
        listen {own}:80;
        listen 169.254.169.254:80;
        root {folder}/../private;
        access_log {folder}/../asked;
    }}
"""


class _World:
    """A public server, and a private one on this machine, which keeps a log."""

    def __init__(self, network: OwnNetwork, folder: Path, work: Path) -> None:
        self._network = network
        self._log = folder / "asked"
        self.public = folder / "public"
        self.private = folder / "private"
        self.work = work

    def run(self, *arguments: str | Path) -> Ended:
        """Run the program in the folder for its work."""
        return self._network.release_builder(*arguments, cwd=self.work)

    def run_jigdo_lite(self, *arguments: str) -> Ended:
        """Run the look-alike there."""
        return self._network.run([*_JIGDO_LITE, *arguments], cwd=self.work)

    def asked(self) -> list[str]:
        """The requests that the private server got."""
        time.sleep(0.1)  # nginx logs after the answer
        return self._log.read_text().splitlines()


@pytest.fixture
def world(tmp_path: Path, workdir: Path) -> Iterator[_World]:
    """Both servers; all that the private one has is worth a secret."""
    folder, scratch = tmp_path / "servers", tmp_path / "network"
    for each in ("public", "private"):
        (folder / each).mkdir(parents=True)
    scratch.mkdir()
    near = [f"{each}/32" for each in (_OWN, _HOME, "169.254.169.254")]
    far = [f"{each}/32" for each in (_PUBLIC, _LAN)]
    names = {
        "mirror.test": [_PUBLIC],
        "home.test": [_HOME],
        "both.test": ["127.0.0.1", _HOME],
        "lan.test": [_LAN],
        "rebound.test": [_PUBLIC, _PUBLIC, _HOME],
    }
    with contextlib.ExitStack() as stack:
        network = stack.enter_context(own_network(scratch, near, far, names))
        stack.enter_context(_nginx(network.far, folder / "far", _PUBLIC_SERVER))
        stack.enter_context(_nginx(network.inside, folder / "near", _PRIVATE_SERVER))
        yield _World(network, folder, workdir)


@contextlib.contextmanager
def _nginx(inside: tuple[str, ...], folder: Path, server: str) -> Iterator[None]:
    """A web server with what it keeps in ``folder``."""
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or process.find("nginx")
    folder.mkdir()
    told = server.format(folder=folder, public=_PUBLIC, lan=_LAN, home=_HOME, own=_OWN)
    conf = folder / "nginx.conf"
    conf.write_text(_CONF.format(folder=folder, server=told))
    argv = [*inside, nginx, "-p", str(folder), "-c", str(conf)]
    with subprocess.Popen(argv, stderr=subprocess.DEVNULL) as running:
        try:
            while not (folder / "pid").exists():
                assert running.poll() is None, (folder / "errors").read_text()
                time.sleep(0.02)
            yield
        finally:
            running.terminate()


def _lay_out(world: _World, release: Release, jigdo: str) -> None:
    """The pair is public, the parts are private."""
    (world.public / "cd.jigdo").write_text(jigdo)
    (world.public / "cd.template").write_bytes(release.template)
    for path, content in release.tree().items():
        file = world.private / path.lstrip("/")
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)


def _hostile(release: Release) -> str:
    """A .jigdo whose parts are all to be fetched from home, each in another way."""
    ways = [f"http://{home}/tree/{{}}" for home in _HOMES]
    ways += [f"http://{_PUBLIC}/away/{{}}", "Far:{}", "Rebound:{}", "file:/etc/{}"]
    lines = release.jigdo().decode().splitlines()
    numbered = iter(zip(release.parts, ways, strict=True))
    for at, line in enumerate(lines):
        if "=A:" in line:
            part, way = next(numbered)
            lines[at] = f"{line.partition('=')[0]}={way.format(part)}"
    lines += ["Far=Near:tree/", "Near=http://127.0.0.1:8080/", "Rebound=http://rebound.test/tree/"]
    return "\n".join([*lines, ""])


@pytest.fixture
def release() -> Release:
    """With a part for each way home."""
    return release_of(len(_HOMES) + 4, 3000)


def test_a_jigdo_from_a_public_server_does_not_lead_home(world: _World, release: Release) -> None:
    _lay_out(world, release, _hostile(release))

    # The name server tells the truth for the .jigdo and the template.
    ended = world.run(*_FETCH, "--json", "http://rebound.test/cd.jigdo")

    assert world.asked() == []
    assert ended.status == 1
    (image,) = ended.document["images"]
    missing = image["missing"]
    assert len(missing) == len(release.parts)
    said = json.dumps(missing)
    for home in (*_HOMES[:-1], "127.0.0.1:8080"):
        assert f"http://{home}/tree/" in said
    assert said.count("is not public") == len(release.parts) - 2  # but for file: and what is next
    assert f"{_OWN} is this machine's own" in said
    assert "file:/etc/" in said
    assert "--uri" in said
    assert "word" not in ended.stdout + ended.stderr
    assert not (world.work / "cd.iso").exists()


def test_people_are_told_once_a_server_what_was_not_asked_and_how_to_allow_it(
    world: _World, release: Release
) -> None:
    _lay_out(world, release, release.jigdo("A=http://127.0.0.1:8080/tree/").decode())

    ended = world.run(*_FETCH, "http://mirror.test/cd.jigdo")

    said = ended.stdout + ended.stderr
    assert world.asked() == []
    assert "http://127.0.0.1:8080 is not asked any more: 127.0.0.1 is not public" in said
    assert "--uri" in said


def test_the_jigdo_as_a_local_file_is_the_users_own(world: _World, release: Release) -> None:
    _lay_out(world, release, release.jigdo("A=http://127.0.0.1:8080/tree/").decode())
    shutil.copy(world.public / "cd.jigdo", world.work)
    shutil.copy(world.public / "cd.template", world.work)

    ended = world.run(*_FETCH, "cd.jigdo")

    assert ended.status == 0, ended.stderr
    assert_image(world.work, release)
    assert len(world.asked()) == len(release.parts)


def test_a_jigdo_of_the_local_network_may_name_its_neighbours(
    world: _World, release: Release
) -> None:
    _lay_out(world, release, release.jigdo("A=http://home.test/tree/").decode())

    ended = world.run(*_FETCH, "http://lan.test/cd.jigdo")

    assert ended.status == 0, ended.stderr
    assert_image(world.work, release)


def test_a_server_that_the_user_names_may_be_at_home(world: _World, release: Release) -> None:
    _lay_out(world, release, release.jigdo("A=http://mirror.test/nothing/").decode())
    own = "A=http://127.0.0.1:8080/tree/"

    ended = world.run(*_FETCH, "--uri", own, "http://mirror.test/cd.jigdo")

    assert ended.status == 0, ended.stderr
    assert_image(world.work, release)


@pytest.mark.parametrize(
    "template",
    [
        pytest.param("http://127.0.0.1:8080/cd.template", id="address"),
        pytest.param("//home.test/cd.template", id="name"),
        pytest.param("/away/cd.template", id="redirect"),
        pytest.param("file:///etc/passwd", id="file"),
    ],
)
def test_a_template_is_not_fetched_from_home(
    world: _World, release: Release, template: str
) -> None:
    _lay_out(world, release, release.jigdo("A=http://mirror.test/", template=template).decode())

    ended = world.run(*_FETCH, "http://mirror.test/cd.jigdo")

    assert world.asked() == []
    assert ended.status in {1, 2}
    assert not (world.work / "cd.template").exists()


def test_a_jigdo_does_not_redirect_home(world: _World) -> None:
    (world.private / "tree").mkdir()
    (world.private / "tree/cd.jigdo").write_text("[Jigdo]\nVersion=1\n")

    ended = world.run(*_FETCH, "http://mirror.test/away/cd.jigdo")

    assert world.asked() == []
    assert ended.status == 1
    assert "127.0.0.1 is not public" in ended.stderr
    assert "--uri" in ended.stderr


@pytest.mark.parametrize(
    ("host", "part_server"),
    [
        pytest.param("mirror.test", "127.0.0.1:8080", id="address"),
        pytest.param("rebound.test", "rebound.test", id="name that was public"),
    ],
)
def test_the_best_servers_are_not_looked_for_at_home(
    world: _World, release: Release, host: str, part_server: str
) -> None:
    _lay_out(world, release, release.jigdo(f"A=http://{part_server}/tree/").decode())

    ended = world.run(*_FETCH, "--best", "1", f"http://{host}/cd.jigdo")

    assert world.asked() == []
    assert ended.status == 1


def test_the_jigdo_lite_look_alike_does_not_go_home_either(world: _World, release: Release) -> None:
    _lay_out(world, release, _hostile(release))

    ended = world.run_jigdo_lite("--noask", "http://mirror.test/cd.jigdo")

    assert world.asked() == []
    assert ended.status == 1


def test_the_mirrors_of_a_settings_file_are_the_users_own(world: _World, release: Release) -> None:
    label = "Debian"
    jigdo = (
        release.jigdo("Debian=http://mirror.test/nothing/").decode().replace("=A:", f"={label}:")
    )
    _lay_out(world, release, jigdo)
    settings = "debianMirror='http://127.0.0.1:8080/tree/'\n"
    (world.work.parent / "home/.jigdo-lite").write_text(settings)

    ended = world.run_jigdo_lite("--noask", "http://mirror.test/cd.jigdo")

    assert ended.status == 0, ended.stdout + ended.stderr
    assert_image(world.work, release)


@pytest.mark.parametrize("command", ["build", "missing"])
def test_the_jigdo_of_a_public_mirror_does_not_lead_a_build_home(
    world: _World, release: Release, command: str
) -> None:
    folder, name = "testing/9.0beta3/iso/x86_64", "smeserver-9.0beta3-x86_64"
    (world.public / folder).mkdir(parents=True)
    _lay_out(world, release, "")
    lines = release.jigdo(name=name).decode().replace("=A:", "=http://127.0.0.1:8080/tree/")
    (world.public / folder / f"{name}.jigdo").write_text(lines)
    (world.public / folder / f"{name}.template").write_bytes(release.template)
    (world.work / "sme.yaml").write_text(
        "version: 9.0beta3\narch: x86_64\nmirror: http://mirror.test/testing/9.0beta3/\n"
        "workdir: work\nimage: smeserver-{version}-{arch}.iso\n"
        "servers: {SMEmirror: {beta: 'http://mirror.test/', final: 'http://mirror.test/'}}\n"
    )

    ended = world.run("build", "sme.yaml")
    if command == "missing":
        ended = world.run("missing", "sme.yaml")

    said = ended.stdout + ended.stderr
    assert world.asked() == []
    assert ended.status == 1, said
    assert "127.0.0.1 is not public" in said


def test_a_listing_does_not_lead_home(world: _World) -> None:
    (world.public / "folder").mkdir()

    ended = world.run("releases", "http://mirror.test/away/")

    assert world.asked() == []
    assert ended.status != 0
    assert "is not public" in ended.stderr


def test_a_release_that_is_compared_does_not_lead_home(world: _World, release: Release) -> None:
    _lay_out(world, release, release.jigdo(template="http://home.test/cd.template").decode())

    ended = world.run("compare", "http://mirror.test/cd.jigdo", "http://mirror.test/cd.jigdo")

    assert world.asked() == []
    assert "not asked" in ended.stdout + ended.stderr
