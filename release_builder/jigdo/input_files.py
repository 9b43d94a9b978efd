"""The files that jigdo's commands are given: arguments, lists of names, and what folders hold.

Source: the manual page of jigdo-file, and what jigdo-file 0.8 does.
"""

from __future__ import annotations

import itertools
import os
import stat
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

from release_builder.errors import WrongBytesError, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence

_LONGEST_NAME: Final = 64 << 10  # bytes; Linux opens none of more than 4096
_LETTERS: Final = string.ascii_uppercase


@dataclass(frozen=True, slots=True)
class Root:
    """What an argument has before the ``//`` that cuts its name.

    Attributes:
        path: As typed, with the first slash of the last ``//``. Without ``//`` in the argument it
            is ``/`` for an absolute name, else empty.
        label: The label that the user gave it; empty when pick_labels must find one.
    """

    path: str
    label: str


@dataclass(frozen=True, slots=True)
class InputFile:
    """A regular file that may be a part.

    Attributes:
        root: Shared by all files of an argument.
        name: What follows the ``//``; never empty, and below the root unless it has ``..``.
        size: In bytes, at least 1.
    """

    root: Root
    name: str
    size: int

    @property
    def path(self) -> str:
        """Where to open it."""
        return self.root.path + self.name

    def location(self, labels: Mapping[Root, str]) -> str:
        """What [Parts] says of it, ``label:name``; ``labels`` are those that pick_labels found."""
        return f"{labels[self.root]}:{self.name}"


@dataclass(frozen=True, slots=True)
class InputFiles:
    """What the arguments lead to.

    Attributes:
        files: Each file once, though links or several arguments lead to it.
        roots: Those of all arguments, in their order, each once.
        problems: What cannot be read: a line for stderr each, as jigdo-file prints it.
        unread: Those of ``problems`` that are about folders: nobody knows what is in them.
    """

    files: tuple[InputFile, ...]
    roots: tuple[Root, ...]
    problems: tuple[str, ...]
    unread: tuple[str, ...] = ()


def read_input_files(arguments: Iterable[str], labels: Sequence[tuple[str, str]]) -> InputFiles:
    """Find the files that the arguments name, with all that is in the folders among them.

    Symbolic links count, but a file that one leads to goes by the name that leads to it directly,
    if there is one. Of hard links the first is taken. Empty files, devices and FIFOs are passed
    over. The order is that of the arguments, and of the names' bytes inside a folder.

    Args:
        arguments: Names of files and folders; see Root for what ``//`` means.
        labels: ``(label, path)`` of each --label: the label for arguments that begin with
            ``path//``, spelt the same. Of two labels for one path the first counts.

    Cost: one stat a file; its contents are not read.
    """
    label_of = _label_of(labels)
    roots: dict[str, Root] = {}
    reader = _Reader()
    for argument in arguments:
        path, name = _cut(argument)
        if path not in roots:
            roots[path] = Root(path, label_of.get(path, ""))
        reader.take(roots[path], name)
    reader.follow_links()
    return InputFiles(
        tuple(reader.files), tuple(roots.values()), tuple(reader.problems), tuple(reader.unread)
    )


def read_files_from(stream: BinaryIO) -> Iterator[str]:
    """The names in a list of them, one a line; an empty line or the end of ``stream`` ends it.

    Nothing behind the empty line is taken from ``stream``: an image may follow.

    Raises:
        WrongBytesError: A line is longer than any name.
    """
    while name := stream.readline(_LONGEST_NAME).removesuffix(b"\n"):
        if len(name) == _LONGEST_NAME:
            raise WrongBytesError(
                f"the list of files has a name of {_LONGEST_NAME:,} bytes or more",
                hint="write one name a line, and an empty line behind the last",
            )
        yield os.fsdecode(name)


def unused_labels(inputs: InputFiles, labels: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """A sentence for each --label that names nothing, saying how to write the argument it meant.

    jigdo-file is silent about them, and then writes names and servers that nobody wanted.

    Args:
        inputs: What read_input_files found, with the same ``labels``.
        labels: ``(label, path)`` of each --label.
    """
    sentences = []
    used, label_of = {root.path for root in inputs.roots}, _label_of(labels)
    for label, typed in labels:
        path, name, bare = _with_slash(typed), printable(label), printable(typed.rstrip("/"))
        if label_of[path] != label:
            first = printable(label_of[path])
            sentences.append(
                f"the label {name} is not used: {bare}// has the label {first} already"
            )
        elif path not in used:
            sentences.append(
                f"the label {name} is not used: {_why_unused(name, typed, bare, used)}"
            )
    return tuple(sentences)


def _why_unused(label: str, typed: str, bare: str, used: Container[str]) -> str:
    """Why no argument has the label, and how to write it; ``bare`` is ``typed`` without slashes."""
    option = f"--label {label}={printable(typed)}"
    if typed.endswith("//") and f"{typed.rstrip('/')}/" in used:
        return f"{option} has too many slashes; write --label {label}={bare or '/'}"
    if not bare:
        return f"{option} is for {'absolute' if typed else 'relative'} names without //"
    return (
        f"--label {label}={bare} is for arguments that begin with {bare}//; write {bare}// to name"
        " the whole folder"
    )


def unused_uris(inputs: InputFiles, uris: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """A sentence for each --uri that no file will be had from; jigdo-file is silent about them.

    Args:
        inputs: What read_input_files found.
        uris: ``(label, URL)`` of each --uri.
    """
    used = {root.label for root in inputs.roots if root.label}
    first: dict[str, str] = {}
    sentences = []
    for label, url in uris:
        name, known = printable(label), first.setdefault(label, url)
        if label not in used:
            sentences.append(
                f"--uri {name}={printable(url)} is not used: no argument has the label {name};"
                f" give it with --label {name}=FOLDER"
            )
        elif known != url:
            sentences.append(
                f"--uri {name}={printable(url)} is not used: {name} has the URL"
                f" {printable(known)} already"
            )
    return tuple(sentences)


def pick_labels(roots: Iterable[Root], taken: Container[str] = ()) -> dict[Root, str]:
    """The label of each root: the user's own, else ``A``, ``B``, … ``Z``, ``AA``, ``BA`` and on.

    Args:
        roots: Those of the files that the image has, in the order in which it has them: so the
            labels come out as jigdo-file's. Any of them may come again.
        taken: Labels that mean something else already: those of a file to merge.

    Returns:
        The labels, in the order in which ``roots`` came first.
    """
    distinct = dict.fromkeys(roots)
    own = {root.label for root in distinct}
    free = (label for label in _all_labels() if label not in own and label not in taken)
    return {root: root.label or next(free) for root in distinct}


def _all_labels() -> Iterator[str]:
    for length in itertools.count(1):
        for letters in itertools.product(_LETTERS, repeat=length):
            yield "".join(reversed(letters))


def _label_of(labels: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The label of each root's path."""
    return {_with_slash(path): label for label, path in reversed(labels)}


def _with_slash(path: str) -> str:
    return path if not path or path.endswith("/") else f"{path}/"


def _cut(argument: str) -> tuple[str, str]:
    """The path of the argument's root, and the name below it."""
    before, cut, name = argument.rpartition("//")
    if cut:
        return f"{before}/", name
    return ("/", argument[1:]) if argument.startswith("/") else ("", argument)


class _Reader:
    """Collects files; each file and folder counts once, so no loop of links can catch it."""

    def __init__(self) -> None:
        self.files: list[InputFile] = []
        self.problems: list[str] = []
        self.unread: list[str] = []
        self._links: list[tuple[Root, str]] = []
        self._seen: set[tuple[int, int]] = set()  # device, inode

    def take(self, root: Root, name: str) -> None:
        """Collect what ``name`` leads to, except for links in folders: follow_links does those."""
        pending = self._visit(root, name, os.stat)
        while pending:
            pending += self._visit(root, pending.pop(), os.lstat)

    def follow_links(self) -> None:
        """Collect what only links lead to."""
        for root, name in self._links:  # grows on the way
            self.take(root, name)

    def _visit(
        self, root: Root, name: str, status_of: Callable[[str], os.stat_result]
    ) -> list[str]:
        """The names of what is in ``name``, the last first; none when it is no folder."""
        path = root.path + name
        try:
            status = status_of(path)
        except (OSError, ValueError) as error:
            self._note("Skipping object", root, name, error)
            return []
        if stat.S_ISLNK(status.st_mode):
            self._links.append((root, name))
            return []
        identity = status.st_dev, status.st_ino
        if identity in self._seen:
            return []
        self._seen.add(identity)
        if stat.S_ISREG(status.st_mode) and status.st_size:
            self.files.append(InputFile(root, name, status.st_size))
        if not stat.S_ISDIR(status.st_mode):
            return []
        try:
            with os.scandir(path) as entries:
                leaves = [entry.name for entry in entries]
        except OSError as error:
            self._note("Error reading from directory", root, name, error)
            self.unread.append(self.problems[-1])
            return []
        return [_with_slash(name) + leaf for leaf in sorted(leaves, key=os.fsencode, reverse=True)]

    def _note(self, what: str, root: Root, name: str, error: OSError | ValueError) -> None:
        # As typed: only an argument without // has one of these roots.
        path = root.path + name if root.path in {"", "/"} else f"{root.path}/{name}"
        why = error.strerror if isinstance(error, OSError) else str(error)
        self.problems.append(f"{what} `{printable(path)}' ({why})")
