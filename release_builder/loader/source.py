"""From a file to the nodes of its YAML, with a guard before everything that could hurt."""

from __future__ import annotations

import codecs
import errno
from typing import TYPE_CHECKING, Final, cast

import yaml
from yaml.reader import ReaderError

from release_builder.descriptor.refusal import nearest
from release_builder.errors import DescriptorError, WrongBytesError, surroundings
from release_builder.files import open_regular, read_bounded
from release_builder.loader.complaint import Complaint, InvalidDescriptorError

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES: Final = 1 << 20
MAX_DEPTH: Final = 16
MAX_NODES: Final = 10_000
_NO_SUCH_FILE: Final = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP}


def compose(path: Path) -> yaml.MappingNode:
    """The mapping that the YAML file ``path`` is.

    Raises:
        DescriptorError: There is no such file.
        InvalidDescriptorError: It is not UTF-8, not YAML, not one mapping, has anchors, aliases
            or tags, or exceeds one of the limits above.
        SurroundingsError: It cannot be read.
    """
    return parse(_read(path), path)


def parse(data: bytes, path: Path) -> yaml.MappingNode:
    """The mapping that ``data``, the YAML file ``path``, is.

    Raises:
        InvalidDescriptorError: As for ``compose``.
    """
    text = _decode(data.removeprefix(codecs.BOM_UTF8), path)
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
    except ReaderError as error:
        line, column = _place(text[: error.position])
        what = f"the character U+{error.character:04X} is not allowed"
        raise _invalid(path, line, column, what, "remove it") from error
    except yaml.MarkedYAMLError as error:
        at_end = error.problem and "unexpected end of stream" in error.problem
        mark = (error.context_mark if at_end else None) or error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        what, hint = _explained(error)
        raise _invalid(path, line, column, what, hint) from error
    if root is None:
        raise _invalid(path, 1, 1, "the file has no keys", "write version, arch and mirror")
    if not isinstance(root, yaml.MappingNode):
        line, column = root.start_mark.line + 1, root.start_mark.column + 1
        raise _invalid(path, line, column, "this is no mapping", "write lines such as `key: value`")
    return root


class _Loader(yaml.SafeLoader):
    """Composes nodes; refuses what could blow them up before it goes down into it."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self._nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]  # PyYAML's stubs
        if isinstance(event, yaml.NodeEvent) and event.anchor:
            raise _refused(event, "anchors (&) and aliases (*) are not allowed", "write it out")
        if tag := getattr(event, "tag", None):
            raise _refused(event, f"the tag {tag} is not allowed", "remove it")
        self._depth += 1
        self._nodes += 1
        if self._depth > MAX_DEPTH:
            raise _refused(event, "this is nested too deeply", "no key goes deeper than three")
        if self._nodes > MAX_NODES:
            raise _refused(event, f"there are more than {MAX_NODES:,} values", "remove some")
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _refused(event: yaml.Event, what: str, hint: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(
        problem=what, problem_mark=cast("yaml.Mark | None", event.start_mark), note=hint
    )


def _read(path: Path) -> bytes:
    try:
        with open_regular(path) as stream:
            return read_bounded(stream, MAX_BYTES, "the file")
    except WrongBytesError as error:
        hint = "a descriptor is a few lines: name another file"
        raise _invalid(path, 1, 1, error.what, hint) from error
    except OSError as error:
        if error.errno in _NO_SUCH_FILE:
            raise DescriptorError(f"there is no file {path}", hint=_similar(path)) from error
        if not error.errno:
            raise DescriptorError(f"{path} is not a file", hint="name a descriptor") from error
        raise surroundings(error) from error


def _decode(data: bytes, path: Path) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line, column = _place(data[: error.start].decode())
        what = f"the byte \\x{data[error.start]:02x} is not UTF-8"
        raise _invalid(path, line, column, what, "save the file as UTF-8") from error


def _similar(path: Path) -> str:
    folder = path.parent
    try:
        names = [one.name for one in folder.iterdir() if one.suffix in {".yaml", ".yml"}]
    except OSError:
        return f"there is no folder {folder} either"
    found = nearest(path.name, names)
    return f"did you mean {folder / found}?" if found else "write one with: release-builder init"


def _explained(error: yaml.MarkedYAMLError) -> tuple[str, str]:
    """What is wrong, and what to write instead."""
    what = error.problem or error.context or "this is not YAML"
    if error.note:
        return what, error.note
    if "another document" in what:
        return "a second document starts here", "write one descriptor a file"
    if r"'\t'" in what:
        return what, "indent with blanks"
    if "'{'" in what or "'}'" in what:
        return what, "put texts with {…} into quotes"
    return what, "check the colons, quotes, brackets and the indentation up to here"


def _place(before: str) -> tuple[int, int]:
    """Line and column of what comes after ``before``."""
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _invalid(path: Path, line: int, column: int, what: str, hint: str) -> InvalidDescriptorError:
    return InvalidDescriptorError([Complaint(path, line, column, "", what, hint)])
