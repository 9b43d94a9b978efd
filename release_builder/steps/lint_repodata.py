"""Whether the metadata of an installer tree speak of just the packages that are there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from release_builder.errors import ReleaseBuilderError, WrongBytesError, printable
from release_builder.files import open_regular, safe_join
from release_builder.media.repodata import (
    UnknownCompressionError,
    read_primary,
    read_repomd,
)
from release_builder.report import Finding, Severity, finding_of
from release_builder.steps.image_file import measure
from release_builder.steps.lint_findings import shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_builder.jigdo.sources import DigestCache
    from release_builder.media.repodata import Listed
    from release_builder.steps.compose_tree import TreeFiles

_REPOMD: Final = "repodata/repomd.xml"
_HINT: Final = "write the metadata anew: createrepo_c --update, with the same --groupfile"


@dataclass(slots=True)
class Metadata:
    """What the metadata of a tree list, and what is wrong with them.

    Attributes:
        packages: By path below the tree.
        complete: Whether all metadata could be read.
        findings: In order.
    """

    packages: dict[str, Listed] = field(default_factory=dict)
    complete: bool = True
    findings: list[Finding] = field(default_factory=list)


def read_metadata(tree: TreeFiles, cache: DigestCache) -> Metadata:
    """Read all metadata of ``tree``; those of Enterprise Linux 8 and later has several."""
    result = Metadata()
    found = [path for path in tree.files if f"/{path}".endswith(f"/{_REPOMD}")]
    if not found:
        result.complete = False
        result.findings.append(_wrong(f"{_REPOMD} is not in the tree", _REPOMD))
    for path in found:
        try:
            _read_repository(tree, path.removesuffix(_REPOMD), cache, result)
        except (ReleaseBuilderError, OSError) as error:
            result.complete = False
            result.findings.append(finding_of(error))
    if result.complete:
        result.findings += _check_files(tree, result)
    return result


def is_package(path: str) -> bool:
    """Whether this is the path of an RPM."""
    return path.endswith(".rpm")


def _read_repository(tree: TreeFiles, folder: str, cache: DigestCache, result: Metadata) -> None:
    """Add what the repository in ``folder``, which ends in a slash or is empty, lists."""
    repomd = printable(f"{folder}{_REPOMD}")
    try:
        with open_regular(tree.root / folder / _REPOMD) as stream:
            listed = read_repomd(stream)
    except WrongBytesError as error:
        raise WrongBytesError(f"{printable(folder)}repodata/{error.what}", hint=_HINT) from error
    primaries = [each for each in listed if each.kind == "primary"]
    if not primaries:
        result.complete = False
        result.findings.append(_wrong(f"{repomd} names no primary.xml", repomd))
    for each in listed:
        wrong = list(_check_metadata(tree, folder, each, cache))
        result.findings += wrong
        if each in primaries:
            if wrong:
                result.complete = False
            else:
                _read_primary(tree, folder, each, result)


def _check_metadata(
    tree: TreeFiles, folder: str, listed: Listed, cache: DigestCache
) -> Iterator[Finding]:
    path = folder + listed.path
    if path not in tree.files:
        yield _wrong(f"{printable(path)}, which repomd.xml lists, is not in the tree", path)
        return
    algorithm = listed.digest.algorithm
    measured = measure(tree.root / path, (algorithm,), cache).digests[algorithm]
    if measured != listed.digest:
        yield _wrong(
            f"{printable(path)}: found {measured}, expected {listed.digest}, as repomd.xml says",
            path,
        )


def _read_primary(tree: TreeFiles, folder: str, primary: Listed, result: Metadata) -> None:
    path = folder + primary.path
    with open_regular(tree.root / path) as stream:
        try:
            for each in read_primary(stream, path):
                result.packages[_real(tree, folder + each.path)] = each
        except UnknownCompressionError as error:
            result.complete = False
            result.findings.append(
                Finding(
                    Severity.WARNING,
                    f"{error.what}: its packages are not compared with those that are there",
                    path=printable(path),
                )
            )


def _real(tree: TreeFiles, path: str) -> str:
    """The path of the file itself, where a link, or one to its folder, stands at ``path``."""
    if path in tree.files and path not in tree.links:
        return path
    real = safe_join(tree.root, path).resolve()
    return str(real.relative_to(tree.root.resolve()))


def _check_files(tree: TreeFiles, result: Metadata) -> Iterator[Finding]:
    there = [path for path in tree.files if is_package(path)]
    unlisted = [
        _wrong(f"{printable(path)} is not in the metadata", path)
        for path in there
        if _real(tree, path) not in result.packages
    ]
    lost = [
        _wrong(f"{printable(path)} is in the metadata, and not in the tree", path)
        for path in result.packages
        if path not in tree.files
    ]
    sizes = [
        _wrong(
            f"{printable(path)} has {tree.files[path].st_size:,} bytes, the metadata say"
            f" {listed.size:,}",
            path,
        )
        for path, listed in result.packages.items()
        if path in tree.files and listed.size not in {None, tree.files[path].st_size}
    ]
    yield from shorten(unlisted, "packages are not in the metadata")
    yield from shorten(lost, "packages of the metadata are not in the tree")
    yield from shorten(sizes, "packages have other sizes than the metadata say")


def _wrong(message: str, path: str) -> Finding:
    return Finding(Severity.WRONG, message, _HINT, path=printable(path))
