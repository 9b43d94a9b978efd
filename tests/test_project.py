"""The promises that the project makes about itself."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import click
import pytest
import yaml

from release_builder.cli.commands import cli

_ROOT = Path(__file__).parent.parent
_PACKAGE = _ROOT / "release_builder"
_BIN = Path(sys.executable).parent


def modules() -> list[Path]:
    return sorted(_PACKAGE.rglob("*.py"))


def commands() -> dict[str, click.Command]:
    context = click.Context(cli)
    found = {name: cli.get_command(context, name) for name in cli.list_commands(context)}
    return {name: command for name, command in found.items() if command is not None}


@pytest.mark.slow
@pytest.mark.parametrize(
    "argv",
    [
        pytest.param(["ruff", "check", "."], id="lint"),
        pytest.param(["ruff", "format", "--check", "."], id="format"),
        pytest.param(["mypy"], id="types"),
        pytest.param(["lint-imports"], id="layers"),
    ],
)
def test_the_checkers_have_nothing_to_say(argv: list[str]) -> None:
    checked = subprocess.run(
        [_BIN / argv[0], *argv[1:]], cwd=_ROOT, capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_no_module_is_long() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in modules()}

    assert not {path: length for path, length in lengths.items() if length > 300}


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_has_help_with_an_example(name: str) -> None:
    command = commands()[name]
    context = click.Context(command, info_name=f"release-builder {name}")

    help_text = command.get_help(context)

    assert f"Example:\n    release-builder {name}" in help_text
    if isinstance(command, click.Group):  # its commands keep another program's options
        return
    for option in ("--json", "--mirror", "--offline", "--no-color", "-q", "-v", "--help"):
        assert option in help_text, option


def test_every_command_is_used_by_a_test() -> None:
    tests = "".join(path.read_text() for path in (_ROOT / "tests").rglob("test_*.py"))

    assert not [name for name in commands() if f'"{name}"' not in tests]


def test_the_commands_of_the_readme_parse() -> None:
    """What the README shows can be typed; only the files need not be there."""
    readme = (_ROOT / "README.md").read_text()
    shown = re.findall(r"^(?:\$ )?release-builder ([a-z]+)((?: [^\s#│]+)*)", readme, re.MULTILINE)

    assert len(shown) > 5
    for name, rest in shown:
        assert name in commands(), name
        if "*" not in rest and "--help" not in rest:
            commands()[name].make_context(name, _real_paths(rest.split()))


def _real_paths(arguments: list[str]) -> list[str]:
    """--scan wants a path that exists."""
    return [str(_ROOT) if argument.startswith("/") else argument for argument in arguments]


def test_the_map_of_the_readme_names_every_package() -> None:
    readme = (_ROOT / "README.md").read_text()
    folders = {path.parent.name for path in _PACKAGE.rglob("__init__.py")} - {"release_builder"}
    top = {path.stem for path in _PACKAGE.glob("*.py")} - {"__init__", "__main__"}

    assert not [name for name in folders | top if not re.search(rf"\b{name}\b", readme)]


@pytest.mark.slow
def test_the_wheel_has_all_that_the_program_needs(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", tmp_path, _ROOT],
        # The one test that asks the package registry, for what builds the wheel.
        env={name: value for name, value in os.environ.items() if "proxy" not in name},
        check=True,
        capture_output=True,
    )

    (wheel,) = tmp_path.glob("*.whl")
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    ours = [path.relative_to(_ROOT) for path in _PACKAGE.rglob("*") if path.is_file()]
    pages = [path.relative_to(_ROOT) for path in (_ROOT / "templates").rglob("*") if path.is_file()]
    wanted = {str(path) for path in ours if "__pycache__" not in path.parts}
    wanted |= {str(Path("release_builder", path)) for path in pages}
    assert inside == wanted


def test_ci_does_what_the_readme_says() -> None:
    script = (_ROOT / ".ci/run").read_text()
    lines = [line for line in script.splitlines() if line and not line.startswith(("#", "set "))]

    assert lines[-1].split()[-2:] == ["make", "test"]


def test_every_config_is_a_descriptor() -> None:
    for path in (_ROOT / "configs").glob("*.yaml"):
        assert {"version", "arch", "mirror"} <= set(yaml.safe_load(path.read_text()))


def test_each_promise_of_the_threat_model_is_held_by_tests_that_are_there() -> None:
    rows = re.findall(r"^\| .*\| (.*) \|$", _promises(), re.MULTILINE)[1:]

    assert len(rows) > 15
    for row in rows:
        shown = re.findall(r"`([a-z_/0-9]+)(?:::(\w+))?`", row)
        assert shown, f"nothing holds it: {row}"
        for name, test in shown:
            folder, _, file = name.rpartition("/")
            text = (_ROOT / "tests" / folder / f"test_{file}.py").read_text()
            assert not test or f"def test_{test}(" in text, f"{name}::{test}: no such test"


def _promises() -> str:
    text = (_ROOT / "SECURITY.md").read_text()
    return text.partition("## What is promised")[2].partition("## What is not promised")[0]
