"""Scripts that drive jigdo-file, unchanged, with our own program in its place."""

from __future__ import annotations

import filecmp
import gzip
import os
import shutil
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from builders import Pair, jigdo_file_pair, make_image, make_tree, our_pair, run
from interop import image_zoo

from release_builder import __version__, process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from release_builder.process import Outcome

pytestmark = pytest.mark.interop

OURS, THEIRS = "release-builder-jigdo-file", "jigdo-file"
# More parts than jigdo-lite fetches in one go; no name that it would have to quote in a URL.
SIZES: Final = {f"Packages/p{number}-1.0.rpm": 1024 + 100 * number for number in range(40)}


@dataclass(slots=True)
class Server:
    """A web server on the loopback interface.

    Attributes:
        url: Of the folder that it serves.
        asked: What it was asked for, in order.
    """

    url: str = ""
    asked: list[str] = field(default_factory=list)


@contextmanager
def http_server(folder: Path) -> Iterator[Server]:
    """Serve ``folder`` for as long as the block lasts."""
    seen = Server()

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *connection: object) -> None:
            super().__init__(*connection, directory=str(folder))  # type: ignore[arg-type]

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            seen.asked.append(self.path)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        seen.url = f"http://127.0.0.1:{server.server_port}/"
        try:
            yield seen
        finally:
            server.shutdown()
            thread.join()


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a user sits: a folder with a pair, and a tree elsewhere."""

    tree: Path
    image: Path
    pair: Pair
    here: Path

    @property
    def built(self) -> Path:
        return self.here / "i.iso"

    def assert_built(self, outcome: Outcome) -> None:
        assert outcome.status == 0, outcome.stdout[-2000:] + outcome.stderr[-2000:]
        assert filecmp.cmp(self.built, self.image, shallow=False)
        assert not list(self.here.glob("*.tmp*"))


@pytest.fixture
def here(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = workdir / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(params=["md5", "sha256"])
def desk(here: Path, workdir: Path, request: pytest.FixtureRequest) -> Desk:
    """With a pair of ours, whose server is the tree's own folder."""
    tree = make_tree(workdir / "tree", SIZES)
    image = make_image(tree, workdir / "i.iso")
    pair, _ = our_pair(image, tree, here, algorithm=request.param, url=f"file:{tree}/")
    return Desk(tree, image, pair, here)


def program(name: str) -> Path:
    """Where a program called jigdo-file or jigdo-lite comes from."""
    beside_python = Path(sys.executable).with_name(name)
    return beside_python if beside_python.exists() else Path(process.find(name))


def jigdo_lite(here: Path, *arguments: str, jigdo_file: str = OURS) -> Outcome:
    """Run a copy of jigdo-lite, which first looks for jigdo-file beside itself."""
    folder = here.parent / jigdo_file
    if not folder.exists():
        folder.mkdir()
        shutil.copy(program("jigdo-lite"), folder)
        (folder / "jigdo-file").symlink_to(program(jigdo_file))
    env = process.environment({"PATH": f"{folder}:{os.environ['PATH']}"})
    # It repeats for ever what it cannot fetch.
    return process.run(["timeout", "60", str(folder / "jigdo-lite"), *arguments], env=env)


def test_jigdo_lite_takes_our_program_for_jigdo_file(here: Path) -> None:
    outcome = jigdo_lite(here, "--version")

    assert outcome.stdout.splitlines()[-1].startswith(f"jigdo-lite/{__version__} (")


def test_scanning_a_tree_builds_the_image(desk: Desk) -> None:
    outcome = jigdo_lite(desk.here, "--noask", "--scan", str(desk.tree), "i.jigdo")

    desk.assert_built(outcome)


def test_a_second_run_finds_the_image_there(desk: Desk) -> None:
    """With jigdo-file it is "code 3"."""
    jigdo_lite(desk.here, "--noask", "--scan", str(desk.tree), "i.jigdo")
    before = desk.built.stat()

    scanning = jigdo_lite(desk.here, "--noask", "--scan", str(desk.tree), "i.jigdo")
    merging = jigdo_lite(desk.here, "--noask", "i.jigdo")

    desk.assert_built(scanning)
    desk.assert_built(merging)
    assert desk.built.stat() == before


def test_another_file_in_the_images_place_stays(desk: Desk) -> None:
    desk.built.write_bytes(b"something dear")

    outcome = jigdo_lite(desk.here, "--noask", "--scan", str(desk.tree), "i.jigdo")

    assert outcome.status == 1
    assert "jigdo-file failed with code 3 - aborting." in outcome.stdout
    assert desk.built.read_bytes() == b"something dear"


def test_the_image_is_built_again_from_a_tree_that_the_cache_knows(desk: Desk) -> None:
    """jigdo-file's cache tells wrong digests the second time."""
    jigdo_lite(desk.here, "--noask", "--scan", str(desk.tree), "i.jigdo")
    desk.built.unlink()

    outcome = jigdo_lite(desk.here, "--noask", "--scan", str(desk.tree), "i.jigdo")

    desk.assert_built(outcome)
    assert (desk.here / "jigdo-file-cache.db").stat().st_size > 0


def test_a_cache_that_jigdo_file_left_is_no_trouble(desk: Desk) -> None:
    run("jigdo-file", "scan", "--cache=jigdo-file-cache.db", "--report=quiet", str(desk.tree))

    outcome = jigdo_lite(desk.here, "--noask", "--scan", str(desk.tree), "i.jigdo")

    desk.assert_built(outcome)


def test_parts_with_file_urls_need_no_scan(desk: Desk) -> None:
    outcome = jigdo_lite(desk.here, "--noask", "i.jigdo")

    desk.assert_built(outcome)


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_parts_of_any_name_are_found_by_their_file_urls(
    here: Path, workdir: Path, algorithm: str
) -> None:
    exhibit = image_zoo.odd_names(workdir)
    pair, _ = our_pair(
        exhibit.image, exhibit.tree, here, algorithm=algorithm, url=f"file:{exhibit.tree}/"
    )

    outcome = jigdo_lite(here, "--noask", "i.jigdo")

    Desk(exhibit.tree, exhibit.image, pair, here).assert_built(outcome)


@pytest.mark.parametrize("jigdo_file", [OURS, THEIRS])
def test_an_image_of_two_words_is_built(here: Path, workdir: Path, jigdo_file: str) -> None:
    """jigdo-lite knows no quotes: it drops them from the names that we had to quote."""
    tree = make_tree(workdir / "tree", SIZES)
    image = make_image(tree, workdir / "server 9.0 #1.iso")
    our_pair(image, tree, here, url=f"file:{tree}/")

    outcome = jigdo_lite(here, "--noask", "--scan", str(tree), "*.jigdo", jigdo_file=jigdo_file)

    assert outcome.status == 0, outcome.stdout
    assert filecmp.cmp(here / image.name, image, shallow=False)


def test_an_image_that_jigdo_file_began_is_gone_on_with(desk: Desk) -> None:
    some = sorted(str(path) for path in desk.tree.rglob("*.rpm"))[:20]
    begun = process.run(["jigdo-file", "make-image", "--no-cache", "--image=i.iso", *some])

    outcome = jigdo_lite(desk.here, "--noask", "--scan", str(desk.tree), "i.jigdo")

    assert begun.status == 1
    desk.assert_built(outcome)


@pytest.mark.parametrize("jigdo_file", [OURS, THEIRS])
@pytest.mark.parametrize("packed", [pytest.param(False, id="plain"), pytest.param(True, id="gz")])
@pytest.mark.parametrize(
    "make_pair",
    [
        pytest.param(lambda *args, **options: our_pair(*args, **options)[0], id="our pair"),
        pytest.param(jigdo_file_pair, id="pair of jigdo-file"),
    ],
)
@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_all_is_fetched_from_a_web_server(
    here: Path,
    workdir: Path,
    *,
    jigdo_file: str,
    make_pair: Callable[..., Pair],
    algorithm: str,
    packed: bool,
) -> None:
    tree = make_tree(workdir / "served/tree", SIZES)
    image = make_image(tree, workdir / "i.iso")
    with http_server(workdir / "served") as server:
        pair = make_pair(
            image, tree, workdir / "served/pair", algorithm=algorithm, url=f"{server.url}tree/"
        )
        if packed:
            pair.jigdo.write_bytes(gzip.compress(pair.jigdo.read_bytes()))

        outcome = jigdo_lite(here, "--noask", f"{server.url}pair/i.jigdo", jigdo_file=jigdo_file)

    Desk(tree, image, pair, here).assert_built(outcome)
    assert sorted(server.asked) == sorted(
        ["/pair/i.jigdo", "/pair/i.template", *(f"/tree/{name}" for name in SIZES)]
    )


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_only_what_a_scan_did_not_find_is_fetched(
    here: Path, workdir: Path, algorithm: str
) -> None:
    tree = make_tree(workdir / "served/tree", SIZES)
    image = make_image(tree, workdir / "i.iso")
    (workdir / "some").mkdir()
    for name in list(SIZES)[:33]:
        shutil.copy(tree / name, workdir / "some")
    with http_server(workdir / "served") as server:
        pair, _ = our_pair(image, tree, here, algorithm=algorithm, url=f"{server.url}tree/")

        outcome = jigdo_lite(here, "--noask", "--scan", str(workdir / "some"), "i.jigdo")

    Desk(tree, image, pair, here).assert_built(outcome)
    assert sorted(server.asked) == sorted(f"/tree/{name}" for name in list(SIZES)[33:])


def test_what_one_server_lacks_comes_from_the_next(here: Path, workdir: Path) -> None:
    tree = make_tree(workdir / "served/tree", SIZES)
    image = make_image(tree, workdir / "i.iso")
    for name in list(SIZES)[:20]:
        (workdir / "served/old" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(tree / name, workdir / "served/old" / name)
    with http_server(workdir / "served") as server:
        pair, _ = our_pair(image, tree, here, url=f"{server.url}tree/")
        first = f"[Servers]\nMirror={server.url}old/\n"
        pair.jigdo.write_text(pair.jigdo.read_text().replace("[Servers]\n", first))

        outcome = jigdo_lite(here, "--noask", "i.jigdo")

    Desk(tree, image, pair, here).assert_built(outcome)
    taken = [path for path in server.asked if path.startswith("/tree/")]
    assert sorted(taken) == sorted(f"/tree/{name}" for name in list(SIZES)[20:])


def test_several_images_come_from_the_mirror_that_the_user_chose(here: Path, workdir: Path) -> None:
    """jigdo-lite gives its URL in quotes, which no shell takes away."""
    tree = make_tree(workdir / "served/debian", SIZES)
    images = [make_image(tree / "Packages", workdir / "a.iso"), make_image(tree, workdir / "b.iso")]
    for image in images:
        pair, _ = our_pair(image, tree, here)
        pair.jigdo.write_text(pair.jigdo.read_text().replace("Mirror", "Debian"))
    with http_server(workdir / "served") as server:
        url = f"{server.url}debian/"
        settings = Path.home() / ".jigdo-lite"
        settings.write_text(f"debianMirror='{url}'\nnonusMirror='{url}'\n")

        first = jigdo_lite(here, "--noask", "a.jigdo")
        both = jigdo_lite(here, "--noask", "{a,b}.jigdo")

    assert (first.status, both.status) == (0, 0)
    for image in images:
        assert filecmp.cmp(here / image.name, image, shallow=False)
    assert "Aaargh" not in first.stdout + both.stdout


@dataclass(frozen=True, slots=True)
class Call:
    """A way to call make-template that is in use somewhere.

    Attributes:
        arguments: With the places of the outputs and of the working folder left open.
        jigdo: Where the .jigdo file then is.
        merge: What it must hold before, if anything.
        stdin: What the program is given to read: a file's content.
    """

    arguments: str
    jigdo: str = "i.jigdo"
    merge: bytes | None = None
    stdin: str = ""


CALLS = [
    pytest.param(
        Call(
            "make-template --force --image={cwd}/{out}/i.iso --jigdo={cwd}/{out}/i.iso.jigdo"
            " --template={cwd}/{out}/i.iso.template --no-servers-section --report=noprogress"
            " {cwd}/t//",
            jigdo="i.iso.jigdo",
        ),
        id="a compose tool",
    ),
    pytest.param(
        Call(
            "make-template --force --image={cwd}/{out}/i.iso --jigdo={cwd}/{out}/i.iso.jigdo"
            " --template={cwd}/{out}/i.iso.template --cache={cwd}/{out}/cache"
            " --report=noprogress {cwd}/t// --label=Base={cwd}/t --uri=Base=http://m.example/t/"
            " {cwd}/u// --label=More={cwd}/u --uri=More=http://m.example/u/",
            jigdo="i.iso.jigdo",
        ),
        id="a compose tool with labels",
    ),
    pytest.param(
        Call(
            "make-template --image={out}/i.iso --template={out}/i.template --jigdo={out}/i.jigdo"
            " --no-servers-section --report=noprogress --force --label=Base={cwd}/t {cwd}/t//"
        ),
        id="a label and no servers",
    ),
    pytest.param(
        Call(
            "make-template --image={out}/i.iso t// u// --label Base-x86_64=t"
            " --uri Base-x86_64=http://m.example/list?redirect=1&path=pub/os/"
            " --label More-x86_64=u --uri More-x86_64=http://m.example/u/"
        ),
        id="URLs with a query",
    ),
    pytest.param(
        Call(
            "make-template --image={out}/i.iso {cwd}/t/ {cwd}/u/ --label Base={cwd}/t"
            " --label More={cwd}/u --jigdo={out}/all.jigdo --template={out}/i.iso.template"
            " --no-servers-section --force --merge={out}/all.jigdo",
            jigdo="all.jigdo",
            merge=b"",
        ),
        id="an empty file to merge, labels in vain",
    ),
    pytest.param(
        Call(
            "make-template --image {out}/i.iso --jigdo {out}/i.jigdo --template {out}/i.template"
            " --report=noprogress --merge={out}/i.jigdo --label BASE=t --no-servers-section"
            " --files-from=- --force u//",
            merge=b"# JigsawDownload\n[Image]\nFilename=i.iso\nTemplate=http://m.example/i.template"
            b"\nTemplate-MD5Sum=\n[Servers]\nBASE=http://m.example/t/\n\n[Parts]\n",
            stdin="t//Packages/p1-1.0.rpm\nt//Packages/p2-1.0.rpm\n\nt//none\n",
        ),
        id="a list of files, a text to merge",
    ),
    pytest.param(
        Call("make-template -i {out}/i.iso -t {out}/i.template -j {out}/i.jigdo t"),
        id="short options",
    ),
    pytest.param(
        Call(
            "make-template --force -j {out}/no.jigdo -j {out}/i.jigdo -i {out}/i.iso"
            " -c {out}/cache.db --label Debian=t --uri Debian=http://m.example/ --servers-section"
            " t//"
        ),
        id="an option twice",
    ),
    pytest.param(
        Call("mt --no-cache -C sha256 -9 --bzip2 --min-length=2k --image {out}/i.iso t// u//"),
        id="abbreviated, format 2",
    ),
]


@pytest.mark.parametrize("call", CALLS)
def test_who_makes_pairs_by_jigdo_file_makes_the_same_by_ours(here: Path, call: Call) -> None:
    make_tree(here / "t", SIZES)
    make_tree(here / "u", {"more/a.rpm": 3000, "more/b.rpm": 50_000})
    image = make_image(here, here.parent / "i.iso")

    theirs, ours = (make_by(each, call, image) for each in (THEIRS, OURS))

    assert sums_aside(ours) == sums_aside(theirs)
    (template,) = (here / OURS).glob("*.template")
    run(
        *("jigdo-file", "make-image", "--no-cache", "--report=quiet", "--image=new"),
        *(f"--template={template}", "t//", "u//"),
    )
    assert filecmp.cmp("new", image, shallow=False)


def make_by(name: str, call: Call, image: Path) -> list[str]:
    """The lines of the .jigdo file that a program makes in a folder of its own."""
    out = Path(name)
    out.mkdir()
    (out / "i.iso").hardlink_to(image)
    if call.merge is not None:
        (out / call.jigdo).write_bytes(call.merge)
    arguments = call.arguments.format(cwd=Path.cwd(), out=out).split()
    outcome = process.run([str(program(name)), *arguments], stdin=call.stdin.encode())
    assert outcome.status == 0, outcome.stderr
    return (out / call.jigdo).read_text().splitlines()


def sums_aside(lines: Sequence[str]) -> list[str]:
    """What must be the same whoever wrote it."""
    ours_to_choose = ("#", "Generator=", "Template-MD5Sum=", "Template-SHA256Sum=")
    return [line for line in lines if line and not line.startswith(ours_to_choose)]
