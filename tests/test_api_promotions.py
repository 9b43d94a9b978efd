"""From a beta's descriptor to the final's: what it will say, and what is refused before."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest
from public_tree import in_child

from release_builder.api.promotions import promoting
from release_builder.errors import DescriptorError
from release_builder.loader import InvalidDescriptorError, load
from release_builder.plan import COMPOSE
from release_builder.report import (
    Finding,
    Outcome,
    ReleaseReport,
    Report,
    Severity,
    StepResult,
)

if TYPE_CHECKING:
    from pathlib import Path

ONLY_THE_BETA = ["sme-8.1rc1.yaml"]
PUBLISH = "publish: {root: public}\n"
BETA = f"version: 8.1rc1\narch: i386\nmirror: rsync://host/releases/testing/8.1rc1/\n{PUBLISH}"
DIGESTS = f"digests: {{md5: {'ab' * 16}}}\n"
FINAL = f"version: 8.1\narch: i386\nmirror: rsync://host/releases/8.1/\n{PUBLISH}"


def write(folder: Path, text: str = BETA, name: str = "sme-8.1rc1.yaml") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def promoted(folder: Path, text: str = BETA, to: str = "8.1", mirror: str | None = None) -> str:
    """What the final's descriptor says, which loads to just what is promoted."""
    made = promoting(write(folder, text), to, mirror=mirror)
    made.path.write_bytes(made.text)
    assert load(made.path).releases() == tuple(plan.release for plan in made.plans)
    return made.text.decode()


def test_version_and_mirror_are_the_finals_and_all_else_stays(workdir: Path) -> None:
    assert promoted(workdir) == FINAL


def test_the_plans_know_the_beta_and_the_final(workdir: Path) -> None:
    path = write(workdir, BETA.replace("arch: i386", "arch: [i386, x86_64]"))

    made = promoting(path, "8.1", same_image=True, obsolete=True, dry_run=True)

    assert made.path == workdir / "sme-8.1.yaml"
    assert [plan.release.arch for plan in made.plans] == ["i386", "x86_64"]
    for plan, beta in zip(made.plans, load(path).releases(), strict=True):
        promotion = plan.options.promotion
        assert promotion is not None
        assert promotion.beta == beta
        assert (promotion.same_image, promotion.obsolete, promotion.dry_run) == (True, True, True)
        assert plan.steps == ("promote",)
        assert plan.release.version.text == "8.1"
        assert plan.release.descriptor == made.path
        assert plan.release.image == f"smeserver-8.1-{beta.arch}.iso"
        assert plan.release.publish
        assert str(plan.release.publish.root) == str(workdir / "public")


def test_an_image_that_is_made_anew_is_composed_and_published(workdir: Path) -> None:
    (plan,) = promoting(write(workdir), "8.1", compose=True).plans

    assert plan.steps == (*COMPOSE, "publish")
    assert plan.options.promotion is None


@pytest.mark.parametrize(
    ("line", "new"),
    [
        pytest.param("version: 8.1rc1  # the last one", "version: 8.1  # the last one", id="#"),
        pytest.param("version: 8.1rc1 # 8.1rc1", "version: 8.1 # 8.1rc1", id="comment names it"),
        pytest.param("version: '8.1rc1'", "version: '8.1'", id="single quotes"),
        pytest.param('version: "8.1rc1"', 'version: "8.1"', id="double quotes"),
        pytest.param('version: "\\x38.1rc1"', 'version: "8.1"', id="escaped"),
        pytest.param('"version":   8.1rc1', '"version":   8.1', id="quoted key"),
        pytest.param("version:\n  8.1rc1", "version:\n  8.1", id="on the next line"),
        pytest.param("version: |-\n  8.1rc1", "version: 8.1", id="block of text"),
    ],
)
def test_the_version_is_replaced_however_it_is_written(workdir: Path, line: str, new: str) -> None:
    text = promoted(workdir, BETA.replace("version: 8.1rc1", line))

    assert text == FINAL.replace("version: 8.1", new)


@pytest.mark.parametrize(
    ("mirror", "new"),
    [
        pytest.param("rsync://h/m/testing/8.1rc1", "rsync://h/m/8.1", id="without a slash"),
        pytest.param("h::m/testing/8.1rc1/", "h::m/8.1/", id="two colons"),
        pytest.param("http://h:8/testing/8.1rc1/", "http://h:8/8.1/", id="web"),
        pytest.param("https://h/a/testing/8.1rc1/b/", "https://h/a/8.1/b/", id="in the middle"),
        pytest.param("file:///srv/testing/8.1rc1", "file:///srv/8.1", id="file"),
        pytest.param("/srv/my sme/testing/8.1rc1", '"/srv/my sme/8.1"', id="folder with a blank"),
        pytest.param("testing/8.1rc1", "8.1", id="relative folder"),
        pytest.param("'testing/8.1rc1'", "'8.1'", id="single quotes"),
        pytest.param('"testing/8.1rc1/"', '"8.1/"', id="double quotes"),
        pytest.param("testing/8.1rc1/  # testing/8.1rc1", "8.1/  # testing/8.1rc1", id="comment"),
        pytest.param("mytesting/8.1rc1", "mytesting/8.1rc1", id="longer before"),
        pytest.param("testing/8.1rc10", "testing/8.1rc10", id="longer behind"),
        pytest.param("testing/8.1rc1+new", "testing/8.1rc1+new", id="another name"),
        pytest.param("stage  # all of it", "stage  # all of it", id="another folder"),
    ],
)
def test_the_mirror_is_where_the_final_lies_by_the_same_way(
    workdir: Path, mirror: str, new: str
) -> None:
    text = promoted(workdir, BETA.replace("rsync://host/releases/testing/8.1rc1/", mirror))

    assert text == FINAL.replace("rsync://host/releases/8.1/", new)


@pytest.mark.parametrize(
    ("mirror", "written"),
    [
        pytest.param("http://h/8.1/", "http://h/8.1/", id="web"),
        pytest.param("h::m/8.1", "h::m/8.1", id="two colons"),
        pytest.param("new", "new", id="folder"),
        pytest.param("./a #1: b", '"./a #1: b"', id="folder that YAML would split"),
        pytest.param("null", '"null"', id="folder called null"),
        pytest.param("ü", '"ü"', id="folder that is not ASCII"),
    ],
)
def test_a_given_mirror_is_written_so_that_it_is_read_again(
    workdir: Path, monkeypatch: pytest.MonkeyPatch, mirror: str, written: str
) -> None:
    monkeypatch.chdir(workdir)

    assert f"\nmirror: {written}\n" in promoted(workdir, mirror=mirror)


def test_a_given_folder_is_relative_to_the_current_one(
    workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workdir / "configs").mkdir()
    monkeypatch.chdir(workdir)

    text = promoted(workdir / "configs", mirror="new")

    assert f"\nmirror: {workdir / 'new'}\n" in text


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_lines_keep_their_ends(workdir: Path, end: str) -> None:
    assert promoted(workdir, BETA.replace("\n", end)) == FINAL.replace("\n", end)


def test_a_descriptor_that_starts_with_a_bom_is_read(workdir: Path) -> None:
    assert promoted(workdir, f"\ufeff# Ünïcode\n{BETA}") == f"# Ünïcode\n{FINAL}"


def test_a_descriptor_of_one_line_is_read(workdir: Path) -> None:
    text = promoted(
        workdir,
        "{mirror: 'testing/8.1rc1', arch: [i386, x86_64], version: 8.1rc1, publish: {root: p}}",
    )

    assert text == "{mirror: '8.1', arch: [i386, x86_64], version: 8.1, publish: {root: p}}"


def test_what_looks_like_the_keys_elsewhere_stays(workdir: Path) -> None:
    more = "# version: 8.1rc1\nworkdir: b/{version}\nfetch:\n  mirrors: http://h/testing/8.1rc1/\n"

    made = promoting(write(workdir, BETA + more), "8.1")

    assert made.text.decode() == FINAL + more
    assert made.plans[0].release.workdir == workdir / "b" / "8.1"


def test_the_mirror_is_read_again_at_a_folder_of_ones_own(workdir: Path) -> None:
    publish = "publish: {root: p, folder: {beta: 'b/{version}', final: 'f/{version}'}}\n"

    text = promoted(workdir, BETA.replace(PUBLISH, publish).replace("testing/8.1rc1", "b/8.1rc1"))

    assert "\nmirror: rsync://host/releases/f/8.1/\n" in text


@pytest.mark.parametrize(
    ("name", "new"),
    [
        pytest.param("sme-8.1rc1.yaml", "sme-8.1.yaml", id="version"),
        pytest.param("8.1rc1", "8.1", id="version alone"),
        pytest.param("sme.yaml", "sme-8.1.yaml", id="none"),
        pytest.param("sme-8.1rc10.yaml", "sme-8.1rc10-8.1.yaml", id="a longer one"),
        pytest.param("sme-8.1rc1-i386.yml", "sme-8.1-i386.yml", id="in the middle"),
    ],
)
def test_the_finals_descriptor_is_called_after_the_betas(
    workdir: Path, name: str, new: str
) -> None:
    assert promoting(write(workdir, name=name), "8.1").path == workdir / new


def test_a_run_that_was_killed_leaves_nothing_that_the_next_does_not_take_away(
    workdir: Path,
) -> None:
    path = write(workdir)

    def killed() -> None:
        # The beta is read, then a file beside it is made, written and read: there it ends.
        opened = 0

        def watch(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal opened
            if event == "open" and ".sme-8.1.yaml" in str(arguments[0]):
                opened += 1
                if opened == 2:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(watch)
        promoting(path, "8.1")

    status = os.waitstatus_to_exitcode(os.waitpid(in_child(killed), 0)[1])
    left = len(list(workdir.iterdir()))

    promoting(path, "8.1")

    assert (status, left) == (-signal.SIGKILL, 2)
    assert sorted(each.name for each in workdir.iterdir()) == ONLY_THE_BETA


def test_nothing_is_left_in_the_folder_until_the_final_is_public(workdir: Path) -> None:
    promoting(write(workdir), "8.1")

    assert [path.name for path in workdir.iterdir()] == ONLY_THE_BETA


def report(outcome: Outcome, *findings: Finding) -> Report:
    """Of a run whose one step ended so."""
    step = StepResult("promote", outcome, findings=findings)
    return Report("promote", (ReleaseReport("sme.yaml", "sme", "8.1", "i386", "work", (step,)),))


@pytest.mark.parametrize(
    ("ended", "written"),
    [
        pytest.param(report(Outcome.DONE), True, id="done"),
        pytest.param(
            report(Outcome.DONE, Finding(Severity.WARNING, "old")), True, id="with a warning"
        ),
        pytest.param(report(Outcome.UNCHANGED), True, id="public already"),
        pytest.param(report(Outcome.FAILED, Finding(Severity.WRONG, "bad")), False, id="failed"),
        pytest.param(
            report(Outcome.DONE, Finding(Severity.INCOMPLETE, "not all")), False, id="incomplete"
        ),
        pytest.param(report(Outcome.SKIPPED), False, id="skipped"),
    ],
)
def test_the_descriptor_is_written_once_the_final_is_public(
    workdir: Path, ended: Report, written: bool
) -> None:
    made = promoting(write(workdir), "8.1")

    made.finish(ended)

    assert made.path.exists() is written
    if written:
        assert made.path.read_text() == FINAL
        assert promoting(workdir / "sme-8.1rc1.yaml", "8.1") == made


@pytest.mark.parametrize(
    ("change", "to", "what", "hint"),
    [
        pytest.param(("", ""), "8.2", "8.1rc1 does not become 8.2", "mean --to 8.1?", id="another"),
        pytest.param(("8.1rc1", "8.1rc01"), "8.2", "rc01", "mean --to 8.1?", id="zero"),
        pytest.param(("", ""), "8.1rc2", "is no final", "", id="beta"),
        pytest.param(("", ""), "8.1-final", "--to: '8.1-final' is not", "mean 8.1?", id="sloppy"),
        pytest.param(("8.1rc1", "8.1"), "8.1", "is a final already", "", id="from a final"),
        pytest.param((PUBLISH, ""), "8.1", "where releases are published", "root", id="nowhere"),
        pytest.param(
            (PUBLISH, f"{PUBLISH}image: sme-8.1rc1.iso\n"),
            "8.1",
            "image would be sme-8.1rc1.iso for the final too",
            "write {version} in the place of 8.1rc1",
            id="image",
        ),
        pytest.param(
            (PUBLISH, "publish: {root: p, folder: {beta: '{version}', final: a/8.1rc1}}\n"),
            "8.1",
            "publish.folder.final would be a/8.1rc1",
            "write {version}",
            id="folder",
        ),
        pytest.param(
            ("host/releases/testing", "testing"),
            "8.1",
            "sme-8.1.yaml would be wrong: mirror: 'rsync://8.1/' names no module",
            "--mirror",
            id="mirror that is none then",
        ),
    ],
)
def test_what_cannot_become_a_final_is_refused(
    workdir: Path, change: tuple[str, str], to: str, what: str, hint: str
) -> None:
    path = write(workdir, BETA.replace(*change, 1) if change[0] else BETA)

    with pytest.raises(DescriptorError) as caught:
        promoting(path, to)

    assert what in caught.value.what
    assert hint in caught.value.hint
    assert [path.name for path in workdir.iterdir()] == ONLY_THE_BETA


@pytest.mark.parametrize("mirror", ["ftp://h/", "rsync://me:secret@h/m/", "-e", "a\nb"])
def test_a_wrong_mirror_is_refused(workdir: Path, mirror: str) -> None:
    with pytest.raises(DescriptorError, match="--mirror: ") as caught:
        promoting(write(workdir), "8.1", mirror=mirror)

    assert caught.value.hint
    assert "secret" not in str(caught.value)


def test_a_wrong_descriptor_is_refused_with_its_place(workdir: Path) -> None:
    path = write(workdir, BETA + "serverz: 1\n")

    with pytest.raises(InvalidDescriptorError, match=r"sme-8\.1rc1\.yaml:5:1"):
        promoting(path, "8.1")


def test_digests_of_the_betas_image_are_those_of_the_same_image(workdir: Path) -> None:
    (plan,) = promoting(write(workdir, BETA + DIGESTS), "8.1", same_image=True).plans

    assert [digest.hex for digest in plan.release.digests] == ["ab" * 16]


def test_digests_of_the_betas_image_are_not_those_of_one_that_is_made_anew(
    workdir: Path,
) -> None:
    with pytest.raises(DescriptorError, match="`digests` are those of the beta's image"):
        promoting(write(workdir, BETA + DIGESTS), "8.1", compose=True)


def test_another_final_descriptor_is_in_the_way(workdir: Path) -> None:
    write(workdir, "something else\n", "sme-8.1.yaml")

    with pytest.raises(DescriptorError, match="is there already"):
        promoting(write(workdir), "8.1")


def test_the_same_final_descriptor_is_not_in_the_way(workdir: Path) -> None:
    write(workdir, FINAL, "sme-8.1.yaml")

    assert promoting(write(workdir), "8.1").text.decode() == FINAL
