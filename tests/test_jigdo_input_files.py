"""Which files the arguments lead to, and what they are called in a .jigdo file."""

from __future__ import annotations

import io
import os
import resource
from itertools import islice
from pathlib import Path

import pytest

from release_builder.errors import WrongBytesError
from release_builder.jigdo.input_files import (
    InputFile,
    InputFiles,
    Root,
    pick_labels,
    read_files_from,
    read_input_files,
    unused_labels,
    unused_uris,
)


@pytest.fixture(autouse=True)
def tree(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A few files; the tests run beside it."""
    monkeypatch.chdir(workdir)
    for name in ("a", "b/c", "b/d/e"):
        path = workdir / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return workdir / "tree"


def names(inputs: InputFiles) -> list[str]:
    return [file.name for file in inputs.files]


@pytest.mark.parametrize(
    ("argument", "root", "found"),
    [
        pytest.param("tree//", "tree/", ["a", "b/c", "b/d/e"], id="a folder cut at its end"),
        pytest.param("tree//b", "tree/", ["b/c", "b/d/e"], id="a folder below the cut"),
        pytest.param("tree//b/", "tree/", ["b/c", "b/d/e"], id="with a slash at its end"),
        pytest.param("tree//b//d", "tree//b/", ["d/e"], id="the last // counts"),
        pytest.param("tree///a", "tree//", ["a"], id="three slashes"),
        pytest.param("./tree//a", "./tree/", ["a"], id="a file"),
        pytest.param("tree", "", ["tree/a", "tree/b/c", "tree/b/d/e"], id="no cut"),
        pytest.param("tree/b/", "", ["tree/b/c", "tree/b/d/e"], id="no cut and a slash"),
        pytest.param("./tree/b", "", ["./tree/b/c", "./tree/b/d/e"], id="a dot stays"),
        pytest.param("tree/../tree/a", "", ["tree/../tree/a"], id="two dots stay"),
    ],
)
def test_an_argument_is_cut_at_its_double_slash(argument: str, root: str, found: list[str]) -> None:
    inputs = read_input_files([argument], [])

    assert inputs.roots == (Root(root, ""),)
    assert names(inputs) == found
    assert all(Path(file.path).stat().st_size == file.size for file in inputs.files)
    assert inputs.problems == ()


@pytest.mark.parametrize(
    ("before", "root"),
    [
        pytest.param("", "/", id="one slash"),
        pytest.param("/", "/", id="a cut behind nothing"),
        pytest.param("//", "//", id="a cut behind a slash"),
    ],
)
def test_an_absolute_name_without_cut_is_below_the_slash(
    tree: Path, before: str, root: str
) -> None:
    inputs = read_input_files([f"{before}{tree}/a"], [])

    assert inputs.files == (InputFile(Root(root, ""), f"{tree}/a"[1:], 1),)
    assert Path(inputs.files[0].path).read_text() == "a"


def test_the_order_is_that_of_the_arguments_then_of_the_bytes_of_names(tree: Path) -> None:
    for name in ("Z", "é", "\udcff", "\U0001d11e", "b.x"):
        (tree / name).write_text(name, errors="surrogateescape")

    inputs = read_input_files(["tree//b", "tree//"], [])

    assert names(inputs) == ["b/c", "b/d/e", "Z", "a", "b.x", "é", "\U0001d11e", "\udcff"]


def test_only_regular_files_with_something_in_them_count(tree: Path) -> None:
    (tree / "empty").touch()
    os.mkfifo(tree / "fifo")

    inputs = read_input_files(["tree//", "tree//fifo", "/dev/null"], [])

    assert names(inputs) == ["a", "b/c", "b/d/e"]
    assert [file.size for file in inputs.files] == [1, 3, 5]
    assert inputs.problems == ()


def test_a_file_goes_by_a_link_only_when_nothing_leads_to_it_directly(
    tree: Path, workdir: Path
) -> None:
    (workdir / "outside").mkdir()
    (workdir / "outside" / "f").write_text("f")
    (workdir / "elsewhere").write_text("elsewhere")
    (tree / "0").symlink_to("a")
    (tree / "1").symlink_to("../outside")
    (tree / "2").symlink_to("../elsewhere")
    (tree / "3").hardlink_to(tree / "a")

    both = read_input_files(["tree//", "outside//"], [])
    alone = read_input_files(["tree//"], [])
    links = read_input_files(["tree//0", "tree//a"], [])

    assert [file.path for file in both.files] == [
        *("tree/3", "tree/b/c", "tree/b/d/e"),
        *("outside/f", "tree/2"),
    ]
    assert names(alone) == ["3", "b/c", "b/d/e", "1/f", "2"]
    assert names(links) == ["0"]


def test_loops_of_links_end(tree: Path) -> None:
    (tree / "b" / "up").symlink_to("..")
    (tree / "here").symlink_to(".")

    inputs = read_input_files(["tree//"], [])

    assert names(inputs) == ["a", "b/c", "b/d/e"]
    assert inputs.problems == ()


@pytest.mark.parametrize(
    ("argument", "problem"),
    [
        pytest.param("no", "Skipping object `no' (No such file or directory)", id="missing"),
        pytest.param("", "Skipping object `' (No such file or directory)", id="empty"),
        pytest.param("no//x", "Skipping object `no//x' (No such file or directory)", id="cut"),
        pytest.param("/no/x", "Skipping object `/no/x' (No such file or directory)", id="absolute"),
        pytest.param("tree/a/", "Skipping object `tree/a/' (Not a directory)", id="no folder"),
        pytest.param("a\0b", r"Skipping object `a\x00b' (embedded null byte)", id="NUL"),
        pytest.param(
            "no\udcff\n", r"Skipping object `no\xff\x0a' (No such file or directory)", id="bytes"
        ),
    ],
)
def test_what_cannot_be_read_is_a_problem_and_the_rest_is_read(argument: str, problem: str) -> None:
    inputs = read_input_files([argument, "tree//a"], [])

    assert names(inputs) == ["a"]
    assert inputs.problems == (problem,)


def test_links_that_lead_nowhere_are_problems(tree: Path) -> None:
    (tree / "broken").symlink_to("nowhere")
    (tree / "self").symlink_to("self")

    inputs = read_input_files(["tree//"], [])

    assert names(inputs) == ["a", "b/c", "b/d/e"]
    assert inputs.problems == (
        "Skipping object `tree//broken' (No such file or directory)",
        "Skipping object `tree//self' (Too many levels of symbolic links)",
    )


def test_a_folder_that_cannot_be_read_is_a_problem() -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))  # stops root as well
    try:
        inputs = read_input_files(["tree//a", "tree//b"], [])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)

    assert names(inputs) == ["a"]
    assert inputs.problems == ("Error reading from directory `tree//b' (Too many open files)",)


@pytest.mark.parametrize(
    ("content", "found", "rest"),
    [
        pytest.param(b"a\nb//\n", ["a", "b//"], b"", id="ends with the stream"),
        pytest.param(b"a\nb", ["a", "b"], b"", id="last line without end"),
        pytest.param(b"a\n\nCD001", ["a"], b"CD001", id="ends at an empty line"),
        pytest.param(b"\na\n", [], b"a\n", id="begins with an empty line"),
        pytest.param(b"", [], b"", id="empty"),
        pytest.param(b" a \n-\n# b\n", [" a ", "-", "# b"], b"", id="nothing is special"),
        pytest.param(b"a\r\n\r\n", ["a\r", "\r"], b"", id="CR is a part of names"),
        pytest.param(b"\xff\xc3\xa9\n", ["\udcffé"], b"", id="not UTF-8"),
    ],
)
def test_a_list_of_files_has_a_name_a_line(content: bytes, found: list[str], rest: bytes) -> None:
    stream = io.BytesIO(content)

    read = list(read_files_from(stream))

    assert read == found
    assert stream.read() == rest


def test_an_image_in_the_place_of_a_list_of_files_is_refused() -> None:
    image = io.BytesIO(b"a\n" + bytes(1 << 20))

    with pytest.raises(WrongBytesError, match="a name of 65,536 bytes or more"):
        list(read_files_from(image))

    assert image.tell() == 2 + (64 << 10)


@pytest.mark.parametrize(
    ("argument", "path", "used"),
    [
        pytest.param("tree//", "tree", True, id="without slash"),
        pytest.param("tree//", "tree/", True, id="with slash"),
        pytest.param("tree//b", "tree", True, id="below"),
        pytest.param("tree//", "tree//", False, id="with both slashes"),
        pytest.param("tree//", "./tree", False, id="spelt otherwise"),
        pytest.param("./tree//", "tree", False, id="argument spelt otherwise"),
        pytest.param("tree", "tree", False, id="no cut"),
        pytest.param("tree//b//", "tree", False, id="cut further down"),
        pytest.param("tree", "", True, id="all relative names"),
        pytest.param("/dev/null", "/", True, id="all absolute names"),
        pytest.param("tree", "/", False, id="all absolute names, but it is relative"),
        pytest.param("tree", ".", False, id="the folder we are in"),
    ],
)
def test_a_label_names_arguments_that_begin_with_its_path(
    argument: str, path: str, used: bool
) -> None:
    labels = [("Other", "elsewhere"), ("Base", path)]

    inputs = read_input_files([argument], labels)

    assert inputs.roots[0].label == ("Base" if used else "")
    assert any("Base is not used" in each for each in unused_labels(inputs, labels)) != used


def test_one_label_may_name_several_roots_and_the_first_of_two_labels_counts() -> None:
    labels = [("X", "tree/b"), ("Y", "tree/b/"), ("X", "tree/b/d")]

    inputs = read_input_files(["tree/b//", "tree/b/d//"], labels)

    assert inputs.roots == (Root("tree/b/", "X"), Root("tree/b/d/", "X"))
    assert unused_labels(inputs, labels) == (
        "the label Y is not used: tree/b// has the label X already",
    )


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        pytest.param(
            "{tree}",
            "the label Base is not used: --label Base={tree} is for arguments that begin with "
            "{tree}//; write {tree}// to name the whole folder",
            id="no cut",
        ),
        pytest.param(
            "{tree}//",
            "the label Base is not used: --label Base={tree} is for arguments that begin with "
            "{tree}//; write {tree}// to name the whole folder",
            id="slashes in the wrong place",
        ),
    ],
)
def test_a_label_that_is_not_used_comes_with_the_way_to_use_it(
    tree: Path, path: str, sentence: str
) -> None:
    labels = [("Base", path.format(tree=tree))]

    (unused,) = unused_labels(read_input_files([str(tree)], labels), labels)
    right = read_input_files([f"{tree}//"], [("Base", str(tree))])

    assert unused == sentence.format(tree=tree)
    assert right.roots == (Root(f"{tree}/", "Base"),)


@pytest.mark.parametrize(
    ("path", "argument", "why"),
    [
        pytest.param(
            "tree//", "tree//", "Base=tree// has too many slashes; write --label Base=tree", id="//"
        ),
        pytest.param(
            "//", "{tree}", "Base=// has too many slashes; write --label Base=/", id="two"
        ),
        pytest.param("/", "{tree}//", "Base=/ is for absolute names without //", id="absolute"),
        pytest.param("", "tree//", "Base= is for relative names without //", id="relative"),
    ],
)
def test_a_label_with_wrong_slashes_is_told_what_to_write(
    tree: Path, path: str, argument: str, why: str
) -> None:
    labels = [("Base", path)]

    unused = unused_labels(read_input_files([argument.format(tree=tree)], labels), labels)

    assert unused == (f"the label Base is not used: --label {why}",)


@pytest.mark.parametrize(
    ("uris", "sentences"),
    [
        pytest.param([("Base", "http://h/")], (), id="used"),
        pytest.param([("Base", "http://h/")] * 2, (), id="twice the same"),
        pytest.param(
            [("Bas", "http://h/")],
            (
                "--uri Bas=http://h/ is not used: no argument has the label Bas;"
                " give it with --label Bas=FOLDER",
            ),
            id="another label",
        ),
        pytest.param(
            [("Base", "http://h/"), ("Base", "http://g/")],
            ("--uri Base=http://g/ is not used: Base has the URL http://h/ already",),
            id="two URLs",
        ),
    ],
)
def test_a_uri_that_is_not_used_is_told(
    uris: list[tuple[str, str]], sentences: tuple[str, ...]
) -> None:
    inputs = read_input_files(["tree/b//", "tree/a"], [("Base", "tree/b")])

    assert unused_uris(inputs, uris) == sentences


def test_labels_are_letters_in_the_order_of_the_image() -> None:
    roots = [Root(f"{number}/", "") for number in range(704)]

    labels = pick_labels([*roots, roots[0]])

    assert list(labels) == roots
    assert list(islice(labels.values(), 28)) == [*"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "AA", "BA"]
    assert list(islice(labels.values(), 676, None))[-3:] == ["ZZ", "AAA", "BAA"]


def test_labels_that_mean_something_else_are_not_picked() -> None:
    roots = [Root("own/", "B"), Root("1/", ""), Root("2/", "")]

    labels = pick_labels(roots, taken={"A", "D"})

    assert list(labels.values()) == ["B", "C", "E"]


def test_a_file_is_called_by_the_label_of_its_root() -> None:
    (file,) = read_input_files(["tree//b/c"], []).files

    assert file.location(pick_labels([file.root])) == "A:b/c"
    assert file.location({file.root: "Base"}) == "Base:b/c"
