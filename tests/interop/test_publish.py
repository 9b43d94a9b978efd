"""``publish``: what becomes public, and that nothing does that a stranger could not rebuild."""

from __future__ import annotations

import fcntl
import filecmp
import hashlib
import json
import os
import shutil
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from builders import run
from gpg_home import GpgHome
from offering import Offer, issue
from program import release_builder
from publishing import Publisher, jigdo_lite, publisher

from release_builder.api.releases import carry_out, plans
from release_builder.monitor import Monitor
from release_builder.plan import Options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_builder.demo.release import Release

pytestmark = pytest.mark.interop

NAME = "smeserver-9.0beta3-x86_64"
FOLDER = "testing/9.0beta3"


@pytest.fixture
def manager(workdir: Path) -> Iterator[Publisher]:
    with publisher(workdir) as made:
        yield made


@pytest.fixture(scope="module")
def gpg() -> Iterator[GpgHome]:
    with GpgHome() as home:
        yield home


def test_what_is_published_is_rebuilt_by_jigdo_lite_and_by_us(
    manager: Publisher, small_release: Release, workdir: Path
) -> None:
    descriptor = manager.prepare(small_release)

    ended = manager("publish", "--json", descriptor)

    url = f"{manager.web.url}{FOLDER}/iso/x86_64/{NAME}.jigdo"
    fetched = manager("jigdo", "fetch", "--noask", "-o", workdir / "ours", url)
    assert ended.status == 0, ended.stderr
    assert ended.messages() == ""
    assert fetched.status == 0, fetched.stderr
    theirs = jigdo_lite(url, workdir / "theirs")
    for image in (theirs, workdir / "ours" / f"{NAME}.iso"):
        assert filecmp.cmp(image, small_release.image, shallow=False)


def test_sums_links_and_pages_are_there(manager: Publisher, small_release: Release) -> None:
    descriptor = manager.prepare(small_release)

    manager("publish", descriptor)

    release = manager.root / FOLDER
    iso = release / "iso" / "x86_64"
    assert (manager.root / "testing" / "9").readlink() == Path("9.0beta3")
    for program, sums in (("md5sum", "md5sum.txt"), ("sha256sum", "sha256sum.txt")):
        checked = subprocess.run(
            [program, "-c", "--strict", sums], cwd=iso, check=True, capture_output=True, text=True
        )
        assert checked.stdout.splitlines() == [
            f"{NAME}.iso: OK",
            f"{NAME}.jigdo: OK",
            f"{NAME}.template: OK",
        ]
    manifest = json.loads((iso / f"{NAME}.manifest.json").read_text())
    assert manifest["version"] == "9.0beta3"
    assert len(manifest["inputs"]) > 10
    assert NAME in (release / "index.html").read_text()
    assert "9.0beta3" in (manager.root / "index.html").read_text()
    listed = json.loads((manager.root / "index.json").read_text())["releases"]
    assert [each["folder"] for each in listed] == [f"{FOLDER}/"]
    assert (iso / f"{NAME}.svg").read_text().startswith(("<svg", "<?xml"))


def test_aria2c_takes_the_metalink(
    manager: Publisher, small_release: Release, workdir: Path
) -> None:
    manager("publish", manager.prepare(small_release))
    (workdir / "aria").mkdir()

    metalink = manager.root / FOLDER / "iso" / "x86_64" / f"{NAME}.iso.meta4"
    run("aria2c", "--quiet", "--no-conf", "-d", str(workdir / "aria"), "-M", str(metalink))

    assert filecmp.cmp(workdir / "aria" / f"{NAME}.iso", small_release.image, shallow=False)


def test_a_second_publish_of_the_same_does_nothing(
    manager: Publisher, small_release: Release
) -> None:
    descriptor = manager.prepare(small_release)
    manager("publish", descriptor)
    before = (manager.root / FOLDER).readlink()

    again = manager("publish", "--json", descriptor)

    assert again.status == 0
    assert again.outcomes() == {"publish": "unchanged"}
    assert (manager.root / FOLDER).readlink() == before


def test_signatures_are_true_and_a_flipped_bit_is_refused_with_the_signer_named(
    manager: Publisher, small_release: Release, workdir: Path, gpg: GpgHome
) -> None:
    key = gpg.make_key("Koozali Build")
    public_key = gpg.export(key, workdir / "RPM-GPG-KEY-koozali")
    descriptor = manager.prepare(small_release, more=f"  key: {key}\n")
    descriptor.write_text(f"keys: {public_key.name}\n" + descriptor.read_text())
    reader = workdir / "reader.yaml"
    reader.write_text(
        f"version: 9.0beta3\narch: x86_64\nworkdir: reader\ntrust: {{sums: {public_key.name}}}\n"
        f"mirror: {manager.root / FOLDER}\n"
    )

    ended = manager("publish", "--json", descriptor, GNUPGHOME=str(gpg.path))
    built = manager("build", "--json", reader)

    iso = manager.root / FOLDER / "iso" / "x86_64"
    assert ended.status == 0, ended.stderr
    for sums in ("sha256sum.txt", "md5sum.txt"):
        gpg.gpg("--verify", iso / f"{sums}.asc")
        gpg.gpg("--verify", iso / f"{sums}.sig", iso / sums)
    assert built.status == 0, built.messages()
    copy = workdir / "reader" / "tree" / "iso" / "x86_64" / "sha256sum.txt"
    content = bytearray(copy.read_bytes())
    content[0] ^= 1
    copy.unlink()
    copy.write_bytes(content)
    verified = manager("verify", reader)
    assert verified.status == 2
    assert "Koozali Build" in verified.stderr


def test_a_part_that_is_not_public_keeps_all_as_it_was(
    manager: Publisher, small_release: Release
) -> None:
    descriptor = manager.prepare(small_release)
    lost = next((manager.folder / "stage-9.0beta3").rglob("Packages/*.rpm"))
    lost.unlink()

    ended = manager("publish", descriptor)

    assert ended.status == 2
    assert f"{manager.web.url}{FOLDER}/smeos/x86_64/Packages/{lost.name}" in ended.stderr
    assert "404" in ended.stderr
    assert not os.path.lexists(manager.root / FOLDER)
    assert not (manager.root / "index.html").exists()


def test_the_preflight_may_rebuild_the_image(manager: Publisher, small_release: Release) -> None:
    descriptor = manager.prepare(small_release, more="  preflight: rebuild\n")
    wrong = next((manager.folder / "stage-9.0beta3").rglob("Packages/*.rpm"))
    content = bytearray(wrong.read_bytes())
    content[100] ^= 1
    wrong.write_bytes(content)

    ended = manager("publish", descriptor)

    assert ended.status == 2
    assert wrong.name in ended.stderr
    assert not os.path.lexists(manager.root / FOLDER)


def test_an_image_that_is_not_the_pairs_is_never_public(
    manager: Publisher, small_release: Release
) -> None:
    descriptor = manager.prepare(small_release)
    image = manager.folder / "work-9.0beta3" / "image" / f"{NAME}.iso"
    content = bytearray(image.read_bytes())
    content[40_000] ^= 1
    image.write_bytes(content)

    ended = manager("publish", descriptor)

    assert ended.status == 2
    assert "the template" in ended.stderr
    assert not os.path.lexists(manager.root / FOLDER)


def test_going_back_makes_the_older_generation_public(
    manager: Publisher, small_release: Release
) -> None:
    descriptor = manager.prepare(small_release)
    manager("publish", descriptor)
    first = (manager.root / FOLDER).readlink()
    descriptor.write_text(descriptor.read_text().replace("publish:", "publish:\n  sums: bsd"))
    jigdo = manager.folder / "work-9.0beta3" / "pair" / f"{NAME}.jigdo"
    jigdo.write_text(jigdo.read_text().replace("ShortInfo=", "ShortInfo=New "))
    manager("publish", descriptor)
    second = (manager.root / FOLDER).readlink()

    back = manager("publish", "--rollback", descriptor)
    no_further = manager("publish", "--rollback", descriptor)

    assert first != second
    assert back.status == 0, back.stderr
    assert (manager.root / FOLDER).readlink() == first
    assert no_further.status == 2
    assert "no older generation" in no_further.stderr


@pytest.mark.parametrize(
    ("pattern", "content"),
    [
        pytest.param("iso/x86_64/*.iso", b"", id="empty image"),
        pytest.param("iso/x86_64/*.template", None, id="lost template"),
        pytest.param("iso/x86_64/*.jigdo", b"[Jigdo]\n", id="changed jigdo"),
        pytest.param("smeos/x86_64/Packages/*.rpm", b"x", id="changed part"),
        pytest.param("smeos/x86_64/Packages/*.rpm", None, id="lost part"),
        pytest.param("release.json", None, id="lost record"),
    ],
)
def test_nobody_goes_back_to_a_damaged_generation(
    manager: Publisher, small_release: Release, pattern: str, content: bytes | None
) -> None:
    descriptor = manager.prepare(small_release)
    manager("publish", descriptor)
    first = (manager.root / FOLDER).resolve()
    jigdo = manager.folder / "work-9.0beta3" / "pair" / f"{NAME}.jigdo"
    jigdo.write_text(jigdo.read_text().replace("ShortInfo=", "ShortInfo=New "))
    manager("publish", descriptor)
    second = (manager.root / FOLDER).resolve()
    damaged = next(first.glob(pattern))
    damaged.unlink()
    if content is not None:
        damaged.write_bytes(content)

    back = manager("publish", "--rollback", descriptor)

    assert second != first
    assert back.status == 2, back.stderr
    assert damaged.name in back.stderr
    assert (manager.root / FOLDER).resolve() == second


def test_the_page_says_what_changed_since_the_release_before(
    manager: Publisher, small_release: Release
) -> None:
    manager("publish", manager.prepare(small_release))
    descriptor = manager.prepare(small_release, "9.0beta4")
    gone = next((manager.folder / "stage-9.0beta4").rglob("Packages/*.rpm"))
    gone.unlink()
    manager("pair", descriptor)

    ended = manager("publish", "--json", descriptor)

    page = (manager.root / "testing" / "9.0beta4" / "index.html").read_text()
    record = json.loads((manager.root / "testing" / "9.0beta4" / "release.json").read_text())
    assert ended.status == 0, ended.stderr
    assert ended.messages() == ""
    assert record["previous"] == "9.0beta3"
    (change,) = record["changes"]
    assert (change["kind"], gone.name.startswith(change["name"])) == ("removed", True)
    assert change["name"] in page
    assert (manager.root / "testing" / "9").readlink() == Path("9.0beta4")


def test_without_publish_in_the_descriptor_it_says_what_to_add(workdir: Path) -> None:
    descriptor = workdir / "sme9.yaml"
    descriptor.write_text("version: 9.0beta3\narch: x86_64\nmirror: stage\n")

    ended = release_builder("publish", descriptor, cwd=workdir)

    assert ended.status == 2
    assert "add `publish:` with `root:`" in ended.stderr


def test_a_key_that_nobody_has_is_told_before_any_work(
    manager: Publisher, small_release: Release, gpg: GpgHome
) -> None:
    descriptor = manager.prepare(small_release, more="  key: nobody@example.org\n")

    ended = manager("publish", descriptor, GNUPGHOME=str(gpg.path))

    assert ended.status == 3
    assert "nobody@example.org" in ended.stderr
    assert not os.path.lexists(manager.root / FOLDER)


def test_an_expired_key_is_told_before_any_work(
    manager: Publisher, small_release: Release, gpg: GpgHome
) -> None:
    key = gpg.make_key("Old Build", expires="1d")
    descriptor = manager.prepare(small_release, more=f"  key: {key}\n")

    ended = manager("publish", descriptor, GNUPGHOME=str(gpg.path))

    assert ended.status == 2
    assert "expired" in ended.stderr
    assert not os.path.lexists(manager.root / FOLDER)


def test_a_key_that_readers_do_not_trust_does_not_sign(
    manager: Publisher, small_release: Release, workdir: Path, gpg: GpgHome
) -> None:
    trusted, other = gpg.make_key("Trusted Build"), gpg.make_key("Other Build")
    public_key = gpg.export(trusted, workdir / "RPM-GPG-KEY-koozali")
    descriptor = manager.prepare(small_release, more=f"  key: {other}\n")
    descriptor.write_text(f"keys: {public_key.name}\n" + descriptor.read_text())

    ended = manager("publish", descriptor, GNUPGHOME=str(gpg.path))

    assert ended.status == 2
    assert "Other Build" in ended.stderr
    assert not os.path.lexists(manager.root / FOLDER)


def test_a_second_publish_at_the_same_time_is_told_so(
    manager: Publisher, small_release: Release
) -> None:
    descriptor = manager.prepare(small_release)
    manager("publish", descriptor)
    before = (manager.root / FOLDER).readlink()
    jigdo = manager.folder / "work-9.0beta3" / "pair" / f"{NAME}.jigdo"
    jigdo.write_text(jigdo.read_text().replace("ShortInfo=", "ShortInfo=New "))
    lock = manager.root / "testing" / ".9.0beta3" / ".lock"

    with lock.open("rb+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        ended = manager("publish", descriptor)

    assert ended.status == 75
    assert (manager.root / FOLDER).readlink() == before


def test_a_host_that_is_gone_is_a_reason_to_try_again(
    manager: Publisher, small_release: Release
) -> None:
    descriptor = manager.prepare(small_release)
    there = "root: 127.0.0.1:/srv/releases\n  ssh: ssh -F none -p 1"
    descriptor.write_text(descriptor.read_text().replace("root: public", there))

    ended = manager("publish", descriptor)

    assert ended.status == 1
    assert "127.0.0.1" in ended.stderr


def test_a_web_server_that_is_gone_is_a_reason_to_try_again(
    workdir: Path, small_release: Release
) -> None:
    with publisher(workdir) as manager:
        descriptor = manager.prepare(small_release)

    ended = manager("publish", descriptor)

    assert ended.status == 1
    assert manager.web.url in ended.stderr
    assert not os.path.lexists(manager.root / FOLDER)


def test_readers_find_sums_that_are_true_while_it_is_published_again_and_again(
    manager: Publisher, small_release: Release
) -> None:
    descriptor = manager.prepare(small_release, more="  preflight: off\n")
    manager("publish", descriptor)
    jigdo = manager.folder / "work-9.0beta3" / "pair" / f"{NAME}.jigdo"
    original, iso = jigdo.read_text(), manager.root / FOLDER / "iso" / "x86_64"
    wrong: list[str] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            before = (iso / "sha256sum.txt").read_bytes()
            content = (iso / f"{NAME}.jigdo").read_bytes()
            if before == (iso / "sha256sum.txt").read_bytes():
                digest = hashlib.sha256(content).hexdigest()
                if f"{digest}  {NAME}.jigdo" not in before.decode():
                    wrong.append(digest)

    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(read)
        try:
            for number in range(5):
                jigdo.write_text(original.replace("ShortInfo=", f"ShortInfo={number} "))
                assert manager("publish", descriptor).status == 0
        finally:
            stop.set()
        reader.result()

    assert wrong == []


def test_a_pair_of_another_stage_is_not_public(manager: Publisher, small_release: Release) -> None:
    descriptor = manager.prepare(small_release)

    ended = manager("publish", "--stage", "final", descriptor)

    assert ended.status == 2
    assert "release-builder pair" in ended.stderr
    assert not list(manager.root.iterdir())


def test_the_secret_part_of_a_key_is_never_public(
    manager: Publisher, small_release: Release, gpg: GpgHome
) -> None:
    key = gpg.make_key("Careless Build")
    descriptor = manager.prepare(small_release, more=f"  key: {key}\n")

    ended = manager("publish", descriptor, GNUPGHOME=str(gpg.path))

    public_key = manager.root / FOLDER / "signing-key.asc"
    assert ended.status == 0, ended.stderr
    assert public_key.read_bytes().startswith(b"-----BEGIN PGP PUBLIC KEY BLOCK-----")
    assert not any(
        b"PRIVATE KEY" in path.read_bytes()
        for path in manager.root.rglob("*.asc")
        if path.is_file()
    )


def test_what_is_written_here_later_does_not_change_what_is_public(
    manager: Publisher, small_release: Release
) -> None:
    manager("publish", manager.prepare(small_release))
    tree = manager.folder / "stage-9.0beta3" / "smeos" / "x86_64"
    image = manager.folder / "work-9.0beta3" / "image" / f"{NAME}.iso"

    for path in (tree / ".treeinfo", image):
        with path.open("ab") as out:
            out.write(b"more")

    assert (manager.root / FOLDER / "smeos" / "x86_64" / ".treeinfo").read_bytes()[-4:] != b"more"
    iso = manager.root / FOLDER / "iso" / "x86_64"
    subprocess.run(["sha256sum", "-c", "--quiet", "sha256sum.txt"], cwd=iso, check=True)


def test_a_pair_that_lies_in_the_tree_is_ours_and_not_the_trees(
    manager: Publisher, small_release: Release
) -> None:
    descriptor = manager.prepare(small_release)
    tree = manager.folder / "stage-9.0beta3" / "smeos" / "x86_64"
    (tree / f"{NAME}.jigdo").write_text("an old one")
    descriptor.write_text("jigdo: 'smeos/{arch}/'\n" + descriptor.read_text())

    ended = manager("publish", descriptor)

    assert ended.status == 0, ended.stderr
    folder = manager.root / FOLDER / "smeos" / "x86_64"
    subprocess.run(["sha256sum", "-c", "--quiet", "sha256sum.txt"], cwd=folder, check=True)


def test_a_damaged_public_file_is_mended_by_publishing_again(
    manager: Publisher, small_release: Release
) -> None:
    descriptor = manager.prepare(small_release)
    manager("publish", descriptor)
    damaged = manager.root / FOLDER / "iso" / "x86_64" / f"{NAME}.iso"
    lost = next((manager.root / FOLDER / "smeos").rglob("Packages/*.rpm"))
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    mended = manager("publish", "--json", descriptor)
    again = damaged.read_bytes()
    lost.unlink()

    manager("publish", descriptor)

    assert f"{FOLDER}/iso/x86_64/{NAME}.iso had been damaged" in mended.messages()
    assert "no older generation" in manager("publish", "--rollback", descriptor).stderr
    assert again == small_release.image.read_bytes()
    assert lost.is_file()


def test_a_file_that_is_new_in_the_tree_makes_no_damage_of_what_was_public(
    manager: Publisher, small_release: Release
) -> None:
    descriptor = manager.prepare(small_release)
    manager("publish", descriptor)
    first = (manager.root / FOLDER).readlink()
    new = manager.folder / "stage-9.0beta3" / "smeos" / "x86_64" / "NOTES"
    new.write_text("new")

    ended = manager("publish", "--json", descriptor)
    back = manager("publish", "--rollback", descriptor)

    assert ended.messages() == ""
    assert ended.outcomes() == {"publish": "done"}
    assert back.status == 0, back.stderr
    assert (manager.root / FOLDER).readlink() == first


def test_what_was_cut_off_after_the_flip_is_finished(
    manager: Publisher, small_release: Release
) -> None:
    descriptor = manager.prepare(small_release)
    manager("publish", descriptor)
    (manager.root / "testing" / "9").unlink()
    (manager.root / "index.json").unlink()

    ended = manager("publish", "--json", descriptor)

    assert ended.outcomes() == {"publish": "unchanged"}
    assert (manager.root / "testing" / "9").readlink() == Path("9.0beta3")
    assert "9.0beta3" in (manager.root / "index.json").read_text()


def test_signed_does_not_become_unsigned_unasked(
    manager: Publisher, small_release: Release, gpg: GpgHome
) -> None:
    key = f"  key: {gpg.make_key('First Build')}\n"
    descriptor = manager.prepare(small_release, more=key)
    manager("publish", descriptor, GNUPGHOME=str(gpg.path))
    descriptor.write_text(descriptor.read_text().replace(key, ""))

    ended = manager("publish", descriptor)

    assert ended.status == 2
    assert "First Build" in ended.stderr


def test_two_arches_become_public_together_or_not_at_all(
    manager: Publisher, small_release: Release
) -> None:
    descriptor = manager.prepare(small_release)
    text = descriptor.read_text()
    shutil.copytree(
        manager.folder / "stage-9.0beta3" / "smeos" / "x86_64",
        manager.folder / "stage-9.0beta3" / "smeos" / "i386",
    )
    for arch in ("i386", "x86_64"):
        image = manager.folder / f"work-{arch}" / "image" / f"smeserver-9.0beta3-{arch}.iso"
        image.parent.mkdir(parents=True)
        shutil.copyfile(small_release.image, image)
    descriptor.write_text(
        text.replace("arch: x86_64", "arch: [i386, x86_64]").replace(
            "workdir: work-9.0beta3", "workdir: work-{arch}"
        )
    )
    assert manager("pair", descriptor).status == 0
    lost = next((manager.folder / "stage-9.0beta3" / "smeos" / "x86_64").rglob("*.rpm"))
    content = lost.read_bytes()
    lost.unlink()

    refused = manager("publish", descriptor)
    nothing = not (manager.root / FOLDER).exists()
    lost.write_bytes(content)
    ended = manager("publish", "--json", descriptor)

    record = json.loads((manager.root / FOLDER / "release.json").read_text())
    assert (refused.status, nothing) == (2, True)
    assert ended.status == 0, ended.stderr
    assert [image["arch"] for image in record["images"]] == ["i386", "x86_64"]
    assert len(list((manager.root / "testing" / ".9.0beta3").glob("2*"))) == 1


def test_a_smaller_image_is_published_beside(manager: Publisher, small_release: Release) -> None:
    manager("publish", manager.prepare(small_release))
    small = manager.folder / "netinstall.yaml"
    name = "smeserver-9.0beta3-x86_64-netinstall"
    text = (manager.folder / "sme-9.0beta3.yaml").read_text()
    small.write_text(f"image: {name}.iso\n" + text.replace("work-9.0beta3", "net"))
    (manager.folder / "net" / "image").mkdir(parents=True)
    shutil.copyfile(small_release.image, manager.folder / "net" / "image" / f"{name}.iso")
    manager("pair", small)

    ended = manager("publish", small)

    iso = manager.root / FOLDER / "iso" / "x86_64"
    assert ended.status == 0, ended.stderr
    checked = run("sh", "-c", f"cd {iso} && sha256sum -c sha256sum.txt")
    assert checked.count(": OK") == 6
    page = (manager.root / FOLDER / "index.html").read_text()
    assert f"{NAME}.iso" in page
    assert f"{name}.iso" in page


def test_servers_follow_the_url_of_the_root(manager: Publisher, small_release: Release) -> None:
    descriptor = manager.prepare(small_release)
    text = descriptor.read_text()
    descriptor.write_text(text[: text.index("servers:")])
    manager("pair", descriptor)

    ended = manager("publish", descriptor)

    jigdo = (manager.root / FOLDER / "iso" / "x86_64" / f"{NAME}.jigdo").read_text()
    assert ended.status == 0, ended.stderr
    assert f"SMEmirror={manager.web.url}{FOLDER}/smeos/x86_64/\n" in jigdo


def test_a_part_that_changed_since_the_pair_was_made_is_not_public(
    manager: Publisher, small_release: Release
) -> None:
    descriptor = manager.prepare(small_release)
    part = next((manager.folder / "stage-9.0beta3").rglob("Packages/*.rpm"))
    part.write_bytes(part.read_bytes()[:-1] + b"x")

    ended = manager("publish", descriptor)

    assert ended.status == 2
    assert f"{part.name} changed since the pair was made" in ended.stderr
    assert not (manager.root / FOLDER).exists()


def test_a_part_that_changes_while_it_is_staged_is_not_public(
    manager: Publisher, small_release: Release
) -> None:
    descriptor = manager.prepare(small_release)
    part = next((manager.folder / "stage-9.0beta3").rglob("Packages/*.rpm"))

    class Meanwhile(Monitor):
        def begin(self, what: str, total: int | None = None) -> None:
            if what == "stage the tree":
                part.write_bytes(part.read_bytes()[:-1] + b"x")

    planned = plans([descriptor], Options(), ["publish"])
    report = carry_out("publish", planned, Meanwhile())

    (step,) = report.releases[0].steps
    assert report.exit_status == 2
    assert f"{part.name} changed while it was published" in step.findings[0].message
    assert not (manager.root / FOLDER).exists()


def test_a_damaged_part_is_mended_by_publishing_again(
    manager: Publisher, small_release: Release
) -> None:
    descriptor = manager.prepare(small_release)
    manager("publish", descriptor)
    part = next((manager.root / FOLDER / "smeos").rglob("Packages/*.rpm"))
    content = part.read_bytes()
    part.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))

    ended = manager("publish", "--json", descriptor)

    assert ended.outcomes() == {"publish": "done"}
    assert next((manager.root / FOLDER / "smeos").rglob(part.name)).read_bytes() == content


def test_a_wrong_url_of_the_root_is_noticed(manager: Publisher, small_release: Release) -> None:
    descriptor = manager.prepare(small_release)
    url = manager.web.url
    descriptor.write_text(descriptor.read_text().replace(f"  url: {url}", f"  url: {url}nope/"))

    ended = manager("publish", descriptor)

    assert ended.status == 2
    assert "nope" in ended.stderr
    assert not (manager.root / FOLDER).exists()


def test_what_was_replaced_and_forgotten_is_not_taken_away(
    manager: Publisher, small_release: Release
) -> None:
    descriptor = manager.prepare(small_release)
    manager("publish", descriptor)
    jigdo = manager.folder / "work-9.0beta3" / "pair" / f"{NAME}.jigdo"
    jigdo.write_text(jigdo.read_text().replace("ShortInfo=", "ShortInfo=New "))
    manager("publish", "--keep", "0", descriptor)

    ended = manager("publish", "--rollback", descriptor)

    assert ended.status == 2
    assert "no older generation" in ended.stderr
    assert (manager.root / FOLDER / "index.html").is_file()


def test_an_image_that_nobody_vouches_for_any_longer_is_not_published(
    workdir: Path, gpg: GpgHome
) -> None:
    key = gpg.make_key("Vouching Build")
    gpg.export(key, workdir / "key.asc")
    publish = "publish: {root: public, preflight: 'off', links: false}\n"
    offer = Offer(workdir, more=publish)
    offer.offer(issue(1))
    built = offer.run()
    trusting = f"{publish}trust: {{sums: key.asc}}\n"

    verified = offer.run("verify", more=trusting)
    published = offer.run("publish", more=trusting)

    assert (built.status, verified.status, published.status) == (0, 2, 2), built.messages()
    assert "md5sum.txt is not signed" in published.messages()
    assert not list(workdir.glob("public/testing/*"))
    assert offer.run("publish").status == 0


def test_a_release_that_was_composed_here_is_verified(
    manager: Publisher, small_release: Release
) -> None:
    descriptor = manager.prepare(small_release)
    right = manager("verify", "--json", descriptor)
    part = next((manager.folder / "stage-9.0beta3").rglob("Packages/*.rpm"))
    part.write_bytes(part.read_bytes()[:-1] + b"x")

    wrong = manager("verify", descriptor)

    assert right.status == 0, right.messages()
    assert right.counts("verify")["parts_right"] > 10
    assert right.counts("verify")["parts_absent"] == 0
    assert wrong.status == 2
    assert part.name in wrong.stderr
