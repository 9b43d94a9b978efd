"""The interpreter of the packages: what the finished ones are, and when a build is refused."""

from __future__ import annotations

import json
import shutil
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from release_builder import process
from release_builder.errors import (
    SurroundingsError,
    WrongBytesError,
)
from rpm.interpreter import SELFTEST, checks, licences, sources
from rpm.interpreter.work import ARCHES

if TYPE_CHECKING:
    from collections.abc import Mapping


pytestmark = pytest.mark.interop

each_arch = pytest.mark.parametrize("arch", list(ARCHES))


def python(folder: Path, script: str, env: Mapping[str, str] | None = None) -> process.Outcome:
    return process.run([str(folder / "bin" / "python3"), "-ISB", "-c", script], env=env)


@each_arch
def test_the_program_needs_no_loader_and_no_library(
    interpreters: dict[str, Path], arch: str
) -> None:
    program = interpreters[arch] / "bin" / "python3"

    shown = process.run(["readelf", "--wide", "--file-header", "--program-headers", str(program)])

    kinds = {words[0] for line in shown.stdout.splitlines() if (words := line.split())}
    assert "LOAD" in kinds
    assert not kinds & {"INTERP", "DYNAMIC"}
    assert {"x86_64": "X86-64", "i386": "Intel 80386"}[arch] in shown.stdout


@each_arch
def test_the_self_test_passes(interpreters: dict[str, Path], arch: str, tmp_path: Path) -> None:
    checks.certificates(tmp_path)
    program = interpreters[arch] / "bin" / "python3"

    outcome = process.run([str(program), "-ISB", str(SELFTEST), str(tmp_path)])

    assert outcome.stdout.splitlines()[-1] == "all passed", outcome
    assert (outcome.status, outcome.stderr) == (0, "")


def test_the_self_test_asks_nothing_that_a_usual_python_lacks(tmp_path: Path) -> None:
    checks.certificates(tmp_path)

    outcome = process.run([sys.executable, "-ISB", str(SELFTEST), str(tmp_path)])

    assert outcome.stdout.splitlines()[-1] == "all passed", outcome


def test_the_self_test_names_the_step_that_failed(tmp_path: Path) -> None:
    outcome = process.run([sys.executable, "-ISB", str(SELFTEST), str(tmp_path)])

    assert outcome.stdout.splitlines()[-1] == "failed: https"
    assert outcome.status == 1


@each_arch
def test_digests_are_made_by_openssl(interpreters: dict[str, Path], arch: str) -> None:
    script = "import hashlib; print(type(hashlib.md5()), type(hashlib.sha256()))"

    outcome = python(interpreters[arch], script)

    assert outcome.stdout == "<class '_hashlib.HASH'> <class '_hashlib.HASH'>\n"


@each_arch
def test_it_finds_its_own_files_wherever_it_is_put(
    interpreters: dict[str, Path], arch: str, tmp_path: Path
) -> None:
    there = tmp_path / "another folder"
    shutil.copytree(interpreters[arch], there)

    outcome = python(there, "import json, sys; print(json.dumps(sys.path), json.__file__)", {})

    own = [f"{there}/lib/python311.zip", f"{there}/lib/python3.11"]
    listed = [*own, f"{there}/lib/python3.11/lib-dynload"]
    assert outcome.stdout == f"{json.dumps(listed)} {own[0]}/json/__init__.pyc\n"
    assert (outcome.status, outcome.stderr) == (0, "")


@each_arch
def test_file_names_are_utf8_without_any_locale(interpreters: dict[str, Path], arch: str) -> None:
    outcome = python(interpreters[arch], "import os; print(ascii(os.fsdecode(b'\\xc3\\xa4')))", {})

    assert outcome.stdout == "'\\xe4'\n"


@each_arch
def test_no_file_names_the_place_where_it_was_built(
    interpreters: dict[str, Path], arch: str
) -> None:
    place = interpreters[arch]

    naming = [
        path.name
        for path in place.rglob("*")
        if path.is_file()
        and any(
            word in path.read_bytes() for word in (bytes(place.parent), b"/work-" + arch.encode())
        )
    ]

    assert naming == []


@each_arch
def test_the_standard_library_depends_on_no_clock(interpreters: dict[str, Path], arch: str) -> None:
    with zipfile.ZipFile(interpreters[arch] / "lib" / "python311.zip") as archive:
        members = archive.infolist()
        flags = {archive.read(member)[4:8] for member in members}

    assert {member.compress_type for member in members} == {zipfile.ZIP_STORED}
    assert len({member.date_time for member in members}) == 1
    assert flags == {b"\x01\0\0\0"}  # found by digest, and that unchecked
    tops = {member.filename.partition("/")[0] for member in members}
    assert {"asyncio", "ssl.pyc", "sqlite3", "zoneinfo"} <= tops
    assert not tops & {"test", "idlelib", "tkinter", "ensurepip", "lib2to3", "distutils", "ctypes"}


@each_arch
def test_it_says_what_it_is_made_from(interpreters: dict[str, Path], arch: str) -> None:
    made_from = json.loads((interpreters[arch] / "sources.json").read_text("utf-8"))

    versions = {source["name"]: source["version"] for source in made_from["sources"]}
    assert tuple(versions) == sources.NAMES
    assert versions["python3.11"].startswith("3.11.2-6+deb12u")
    script = "import ssl, sqlite3, zlib; print(ssl.OPENSSL_VERSION, sqlite3.sqlite_version)"
    said = python(interpreters[arch], script).stdout.split()
    assert said[1] == versions["openssl"].partition("-")[0]
    assert said[-1] == versions["sqlite3"].partition("-")[0]


@each_arch
def test_each_component_has_its_licence(interpreters: dict[str, Path], arch: str) -> None:
    folder = interpreters[arch] / "licences"

    texts = {path.name: path.read_text("utf-8") for path in folder.iterdir()}

    assert sorted(texts) == sorted(licences.NAMES)
    assert "PYTHON SOFTWARE FOUNDATION LICENSE" in texts["cpython.txt"]
    assert "Apache License" in texts["openssl.txt"]
    assert "musl" in texts["musl.txt"]
    assert all(len(text) > 200 for text in texts.values())


@pytest.fixture
def result(tmp_path: Path) -> Path:
    """A folder as that of an interpreter, for a program that is none."""
    folder = tmp_path / "result"
    (folder / "bin").mkdir(parents=True)
    return folder


def check(
    result: Path, tmp_path: Path, *, builder: str = "/nowhere", selftest: Path = SELFTEST
) -> None:
    checks.check(result, "x86_64", Path(builder), selftest, tmp_path)


def test_a_program_that_needs_a_loader_is_refused(result: Path, tmp_path: Path) -> None:
    shutil.copy(process.find("env"), result / "bin" / "python3")

    with pytest.raises(WrongBytesError, match="not static: it has PT_DYNAMIC, PT_INTERP"):
        check(result, tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"#!/bin/sh\n", id="script"),
        pytest.param(b"\x7fELF\x02\x01", id="cut"),
        pytest.param(b"\x7fELF\x07" + bytes(99), id="class"),
    ],
)
def test_what_is_no_program_is_refused(result: Path, tmp_path: Path, content: bytes) -> None:
    (result / "bin" / "python3").write_bytes(content)

    with pytest.raises(WrongBytesError, match="not an ELF file"):
        check(result, tmp_path)


def test_a_program_for_another_processor_is_refused(
    interpreters: dict[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(WrongBytesError, match="not made for x86_64"):
        check(interpreters["i386"], tmp_path)


def test_a_result_that_names_its_builder_is_refused(
    interpreters: dict[str, Path], tmp_path: Path
) -> None:
    # The folder that it is meant for stands in the program; as the builder's it would be wrong.
    with pytest.raises(WrongBytesError, match="bin/python3 names the folder"):
        check(interpreters["x86_64"], tmp_path, builder="/usr/lib/release-builder")


def test_a_failed_self_test_is_told_with_its_words(
    interpreters: dict[str, Path], tmp_path: Path
) -> None:
    script = tmp_path / "selftest.py"
    script.write_text("print('failed: https'); raise SystemExit(1)\n")

    with pytest.raises(
        SurroundingsError, match=r"fails its self-test \(status 1\):\nfailed: https"
    ):
        check(interpreters["x86_64"], tmp_path, selftest=script)
