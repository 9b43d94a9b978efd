"""The installer tree that an image is composed of: where it is, and what of it goes in."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.descriptor.mirror import Kind
from release_builder.errors import DescriptorError, IncompleteError, printable
from release_builder.files import open_regular, read_bounded
from release_builder.report import Finding, Severity
from release_builder.transport.rsync import HELD_BACK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_builder.plan import Plan

_SECTOR: Final = 2048  # bytes, of which a file takes whole ones
_FRAME: Final = 3 << 19  # bytes: system area, tables, padding, up to a whole MiB where hybrid
_RECORDS: Final = 512  # bytes that a file takes in the folders of both kinds of names


@dataclass(frozen=True, slots=True)
class TreeFiles:
    """What of a tree goes into the image.

    Attributes:
        root: The tree.
        files: By path below the tree, in order; links to files are among them, and have the
            status of what they lead to.
        links: Those of ``files`` that are links.
        left_out: Files and folders that stay out, by path below the tree.
        findings: What no image can hold: links that lead elsewhere, devices.
    """

    root: Path
    files: dict[str, os.stat_result] = field(default_factory=dict)
    links: set[str] = field(default_factory=set)
    left_out: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def image_size(self) -> int:
        """Bytes of the image that is made of it, about; hard links lie in it once."""
        own = {
            (status.st_dev, status.st_ino): status.st_size
            for path, status in self.files.items()
            if path not in self.links
        }
        content = sum(-(-size // _SECTOR) * _SECTOR for size in own.values())
        return _FRAME + content + len(self.files) * _RECORDS

    def read(self, path: str, limit: int) -> bytes:
        """The bytes of the small file at ``path``.

        Raises:
            WrongBytesError: It has more than ``limit`` bytes.
            OSError: It is not there, or cannot be read.
        """
        with open_regular(self.root / path) as stream:
            return read_bounded(stream, limit, printable(path))


def installer_tree(plan: Plan) -> Path:
    """Where the tree is that the image of ``plan`` is composed of.

    It is the mirror's own where that is a local folder, else our copy of it.

    Raises:
        IncompleteError: There is no copy yet.
        DescriptorError: The mirror has no such folder.
    """
    release = plan.release
    local = release.mirror.local_path
    tree = (local or plan.workdir.tree) / release.tree
    if tree.is_dir():
        return tree
    if release.mirror.kind is Kind.LOCAL:
        raise DescriptorError(
            f"there is no installer tree at {printable(str(tree))}",
            hint="correct `mirror:` or `tree:` in the descriptor",
        )
    raise IncompleteError(
        f"there is no installer tree at {printable(str(tree))} yet",
        hint="fetch it: release-builder sync; or name a local folder as `mirror:`",
    )


def read_tree(root: Path, exclude: Sequence[str] = ()) -> TreeFiles:
    """List what of the tree at ``root`` goes into an image.

    Args:
        root: The tree.
        exclude: Patterns of what stays out: of names, or, where there is a slash in them, of paths
            below the tree; what is in a folder that stays out does so too.

    Raises:
        OSError: A folder cannot be read.
    """
    tree = TreeFiles(root)
    # What a sync that was cut off has fetched is no part of the tree.
    _read_folder(tree, root, root.resolve(), (HELD_BACK, *exclude))
    return tree


def _read_folder(tree: TreeFiles, folder: Path, root: Path, exclude: Sequence[str]) -> None:
    with os.scandir(folder) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    for entry in listed:
        path = Path(entry.path)
        name = str(path.relative_to(tree.root))
        if any(_matches(name, pattern) for pattern in exclude):
            tree.left_out.append(name)
        elif entry.is_symlink():
            _read_link(tree, path, name, root)
        elif entry.is_dir():
            _read_folder(tree, path, root, exclude)
        elif entry.is_file():
            tree.files[name] = entry.stat()
        else:
            tree.findings.append(
                _wrong(f"{printable(name)} is neither file, folder nor link", name)
            )


def _matches(path: str, pattern: str) -> bool:
    """As a shell's pattern: no wildcard stands for a slash."""
    if "/" not in pattern:
        return fnmatchcase(path.rpartition("/")[2], pattern)
    names, patterns = path.split("/"), pattern.strip("/").split("/")
    return len(names) == len(patterns) and all(map(fnmatchcase, names, patterns))


def _read_link(tree: TreeFiles, path: Path, name: str, root: Path) -> None:
    """On the image, a link leads as it is written: from where it lies."""
    target = path.readlink()
    leads = f"{printable(name)} is a link to {printable(str(target))}"
    try:
        real = path.resolve(strict=True)
        status = real.stat()
    except (OSError, RuntimeError):  # the latter: a circle of links, before Python 3.13
        tree.findings.append(_wrong(f"{leads}, which is not there", name))
        return
    written = os.path.normpath(Path(name).parent / target)
    if target.is_absolute() or written.startswith("..") or not real.is_relative_to(root):
        tree.findings.append(_wrong(f"{leads}, out of the tree", name))
    elif stat.S_ISREG(status.st_mode):
        tree.files[name] = status
        tree.links.add(name)


def _wrong(message: str, name: str) -> Finding:
    return Finding(
        Severity.WRONG,
        message,
        hint="remove it, or keep it out with `exclude:` below `compose:`",
        path=printable(name),
    )
