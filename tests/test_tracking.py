"""What a descriptor follows: asked at each run, remembered for --offline, told once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from upstream_tree import link, put

from release_builder.api.tracking import available, init_from, settled, told
from release_builder.cli.descriptors import init
from release_builder.descriptor.refusal import RefusedError
from release_builder.descriptor.track import Track
from release_builder.descriptor.version import Version
from release_builder.errors import DescriptorError, IncompleteError
from release_builder.loader import load
from release_builder.report import Outcome, ReleaseReport, StepResult
from release_builder.state.digest_cache import state_folder
from release_builder.state.history import open_history

if TYPE_CHECKING:
    from release_builder.descriptor.release import Release


@pytest.fixture
def root(workdir: Path) -> Path:
    """A mirror with 9.0beta3, to which testing/9 leads."""
    put(workdir / "mirror", "testing/9.0beta3")
    put(workdir / "mirror", "testing/9.0beta3", arch="i386")
    link(workdir / "mirror", "testing/9", "9.0beta3")
    return workdir / "mirror"


@pytest.fixture
def descriptor(root: Path, workdir: Path) -> Path:
    """A descriptor that follows testing/9 there."""
    path = workdir / "sme.yaml"
    path.write_text(f"track: testing/9\narch: [i386, x86_64]\nmirror: {root}\n")
    return path


def releases(descriptor: Path, *, offline: bool = False) -> tuple[Release, ...]:
    return settled(load(descriptor), offline=offline).releases()


def report_of(release: Release, arch: str = "") -> ReleaseReport:
    return ReleaseReport(
        descriptor=str(release.descriptor),
        product=release.product,
        version=release.version.text,
        arch=arch or release.arch,
        workdir="",
        steps=(StepResult("sync", Outcome.DONE),),
    )


def run(descriptor: Path, *, offline: bool = False) -> tuple[ReleaseReport, ...]:
    """A run that does nothing but tell where the track led."""
    found = releases(descriptor, offline=offline)
    with open_history(state_folder(os.environ)) as history:
        return told(map(report_of, found), found, history)


def messages(reports: tuple[ReleaseReport, ...], *, news: bool) -> list[str]:
    return [
        finding.message
        for report in reports
        for step in report.steps
        for finding in step.findings
        if finding.news == news
    ]


@pytest.mark.parametrize(
    ("text", "folder", "begin"),
    [("testing/9", "testing", "9"), ("9", "", "9"), ("./a//b/9.1/", "a/b", "9.1")],
)
def test_a_track_is_a_folder_and_the_begin_of_a_version(text: str, folder: str, begin: str) -> None:
    track = Track.parse(text)

    assert (track.folder, track.begin.text) == (folder, begin)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("testing/9.0beta3", "write `version: 9.0beta3`, or testing/9"),
        ("testing/{major}", "write such as testing/9"),
        ("testing/nine", "write such as testing/9"),
        ("../9", "stays below the root"),
    ],
)
def test_what_is_no_track_is_refused(text: str, hint: str) -> None:
    with pytest.raises(RefusedError) as refused:
        Track.parse(text)

    assert hint in refused.value.hint


@pytest.mark.parametrize(
    ("track", "taken", "not_taken"),
    [
        ("9", ["9", "9.0beta3", "9.9.9"], ["10.0", "8.9"]),
        ("9.1", ["9.1", "9.1rc1", "9.1.1"], ["9.0", "9.10", "9"]),
        ("9.0", ["9", "9.0beta3"], ["9.1"]),
    ],
)
def test_a_track_takes_the_versions_that_begin_so(
    track: str, taken: list[str], not_taken: list[str]
) -> None:
    found = [each for each in taken + not_taken if Track.parse(track).takes(Version.parse(each))]

    assert found == taken


def test_each_arch_has_the_version_and_the_folder_that_the_track_leads_to(
    root: Path, descriptor: Path
) -> None:
    found = releases(descriptor)

    assert [(each.version.text, each.arch) for each in found] == [
        ("9.0beta3", "i386"),
        ("9.0beta3", "x86_64"),
    ]
    assert {each.mirror.local_path for each in found} == {root / "testing/9.0beta3"}


def test_a_descriptor_that_nobody_asked_a_mirror_for_has_no_releases(descriptor: Path) -> None:
    with pytest.raises(DescriptorError, match="`track:` names no version"):
        load(descriptor).releases()


def test_a_descriptor_with_a_version_is_left_alone(workdir: Path) -> None:
    path = workdir / "fixed.yaml"
    path.write_text("version: 9.0beta3\narch: x86_64\nmirror: rsync://127.0.0.1:1/none/\n")
    loaded = load(path)

    with open_history(state_folder(os.environ)) as history:
        reports = [report_of(loaded.releases()[0])]
        assert told(reports, loaded.releases(), history) == tuple(reports)
    assert settled(loaded) is loaded


def test_what_was_built_last_counts_offline(root: Path, descriptor: Path) -> None:
    run(descriptor)
    put(root, "9.0")
    root.rename(root.with_name("away"))

    found = releases(descriptor, offline=True)

    assert {each.version.text for each in found} == {"9.0beta3"}
    assert {each.mirror.url for each in found} == {f"{root.as_uri()}/testing/9.0beta3/"}


def test_nothing_that_was_built_before_cannot_be_followed_offline(descriptor: Path) -> None:
    releases(descriptor)  # asking alone does not count: plan leaves nothing behind

    with pytest.raises(IncompleteError, match="nothing of testing/9 was built before"):
        releases(descriptor, offline=True)


def test_what_was_noted_badly_is_nothing(descriptor: Path) -> None:
    with open_history(state_folder(os.environ)) as history:
        history.note(f"track {descriptor} testing/9", '{"version": "x"}')

    with pytest.raises(IncompleteError, match="nothing of testing/9 was built before"):
        releases(descriptor, offline=True)


def test_a_beta_that_followed_is_told_once(root: Path, descriptor: Path) -> None:
    first = run(descriptor)
    put(root, "testing/9.0beta4")
    put(root, "testing/9.0beta4", arch="i386")
    link(root, "testing/9", "9.0beta4")

    second, third = run(descriptor), run(descriptor)

    said = "9.0beta4 followed 9.0beta3 (testing/9 leads to it)"
    assert [messages(each, news=True) for each in (first, second, third)] == [[], [said], []]
    assert second[0].steps[0].summary == "9.0beta4: testing/9 leads to it"


def test_that_the_beta_became_the_final_is_told_once(root: Path, descriptor: Path) -> None:
    run(descriptor)
    (root / "testing/9").unlink()
    (root / "testing/9.0beta3").rename(root / "9.0")

    second, third = run(descriptor), run(descriptor)

    assert messages(second, news=True) == ["9.0beta3 became the final: 9.0 (it is final)"]
    assert messages(third, news=True) == []


def test_what_is_not_complete_is_told_each_time(root: Path, descriptor: Path) -> None:
    put(root, "testing/9.0beta4")
    link(root, "testing/9", "9.0beta4")

    for reports in (run(descriptor), run(descriptor)):
        lacking = "9.0beta4 is not complete (i386: all of it)"
        assert messages(reports, news=False) == [lacking, lacking]


def test_arches_that_become_public_together_have_one_step(descriptor: Path) -> None:
    found = releases(descriptor)

    with open_history(state_folder(os.environ)) as history:
        (report,) = told([report_of(found[0], "i386, x86_64")], found, history)

    assert [step.step for step in report.steps] == ["track", "sync"]


# What a URL leads to.


def keys_of(path: Path) -> dict[str, str]:
    lines = path.read_text("utf-8").split("\n")
    rows = (line.partition("    #")[0].partition(": ") for line in lines if line[:1].isalpha())
    return {key: value for key, _, value in rows}


@pytest.mark.parametrize(
    ("below", "named"),
    [
        pytest.param("testing/9.0beta3/", {"version": "9.0beta3"}, id="a beta"),
        pytest.param("testing/9.0beta3/iso/x86_64/", {"version": "9.0beta3"}, id="in a beta"),
        pytest.param("8.0", {"version": "8.0"}, id="a final"),
        pytest.param("testing/9/", {"track": "testing/9"}, id="a link to a beta"),
        pytest.param("8/", {"track": "8"}, id="a link to a final"),
        pytest.param("", {"track": "testing/9"}, id="the root"),
        pytest.param("testing", {"track": "testing/9"}, id="the folder of betas"),
    ],
)
def test_init_fills_in_what_a_url_leads_to(
    root: Path, workdir: Path, below: str, named: dict[str, str]
) -> None:
    put(root, "8.0")
    link(root, "8", "8.0")
    path = workdir / "new.yaml"

    init_from(f"{root.as_uri()}/{below}", path)

    final = "8" in "".join(named.values())
    arches = "x86_64" if final else "[i386, x86_64]"
    version = named.get("version", "")
    place = f"{'' if final else 'testing/'}{version}/" if version else ""
    assert keys_of(path) == {**named, "arch": arches, "mirror": f"{root.as_uri()}/{place}"}
    assert settled(load(path)).releases()


@pytest.mark.parametrize(
    ("given", "written"),
    [
        pytest.param(["{root}", "new.yaml"], "new.yaml", id="an absolute path and a file"),
        pytest.param(["mirror/testing", "new.yaml"], "new.yaml", id="a relative one"),
        pytest.param(["mirror"], "release.yaml", id="a folder alone"),
    ],
)
def test_init_takes_a_folder_for_a_mirror(
    root: Path, workdir: Path, monkeypatch: pytest.MonkeyPatch, given: list[str], written: str
) -> None:
    monkeypatch.chdir(root.parent)

    ended = CliRunner().invoke(init, [each.format(root=root) for each in given])

    assert ended.exit_code == 0, ended.output
    assert settled(load(Path(written))).releases()


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(["gone", "new.yaml"], id="a folder that is not there"),
        pytest.param(["new.yaml", "."], id="the wrong way round"),
        pytest.param([".", "."], id="two folders"),
        pytest.param([".", "new.yaml", "more.yaml"], id="two files"),
    ],
)
def test_init_refuses_what_is_no_mirror_and_file(
    workdir: Path, monkeypatch: pytest.MonkeyPatch, given: list[str]
) -> None:
    monkeypatch.chdir(workdir)

    ended = CliRunner().invoke(init, given)

    assert ended.exit_code != 0
    assert "at most one URL or folder" in ended.output
    assert not list(workdir.iterdir())


def test_init_guesses_the_product(workdir: Path) -> None:
    place = workdir / "CentOS/5.11/isos/i386"
    place.mkdir(parents=True)
    (place / "CentOS-5.11-i386-bin-DVD.jigdo").touch()

    init_from(f"{workdir.as_uri()}/CentOS/5.11/", workdir / "new.yaml")

    keys = keys_of(workdir / "new.yaml")
    assert (keys["product"], keys["version"], keys["arch"]) == ("centos", "5.11", "i386")


def test_init_asks_nobody_offline(workdir: Path) -> None:
    url = "rsync://127.0.0.1:1/smeserver/releases/testing/9.0beta3/"

    init_from(url, workdir / "new.yaml", offline=True)

    assert keys_of(workdir / "new.yaml") == {
        "version": "9.0beta3",
        "arch": "x86_64",
        "mirror": url,
    }


def test_init_cannot_guess_a_version_offline(workdir: Path) -> None:
    with pytest.raises(DescriptorError, match="does not tell a version"):
        init_from("rsync://127.0.0.1:1/sme/testing/9/", workdir / "new.yaml", offline=True)


def test_init_never_writes_over_a_file(root: Path, descriptor: Path) -> None:
    before = descriptor.read_bytes()

    with pytest.raises(DescriptorError, match="is there already"):
        init_from(root.as_uri(), descriptor)

    assert descriptor.read_bytes() == before


def test_a_folder_without_releases_is_refused(workdir: Path) -> None:
    with pytest.raises(DescriptorError, match="nothing like a release of centos or smeserver"):
        init_from(workdir.as_uri(), workdir / "new.yaml")
    with pytest.raises(DescriptorError, match=r"of centos\n"):
        available(str(workdir), "centos")

    assert not (workdir / "new.yaml").exists()


def test_a_place_in_a_mirror_is_as_good_as_its_root(root: Path) -> None:
    of_root = available(str(root))

    assert of_root.root == f"{root.as_uri()}/"
    assert available(f"{root}/testing") == available(f"{root}/testing/9.0beta3/") == of_root


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(DescriptorError, match="'ftp://' is not supported"):
        available("ftp://host/sme/")
