"""From a beta's descriptor to the final's."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from release_builder.descriptor.mirror import Mirror
from release_builder.descriptor.refusal import RefusedError
from release_builder.descriptor.version import Stage, Version
from release_builder.errors import DescriptorError, Status
from release_builder.files import replacing
from release_builder.loader import load
from release_builder.plan import COMPOSE, Options, Plan, Promotion
from release_builder.plan.workdir import workdir_of

if TYPE_CHECKING:
    from pathlib import Path

    from release_builder.descriptor.model import Descriptor
    from release_builder.descriptor.release import Release
    from release_builder.report import Report


@dataclass(frozen=True, slots=True)
class Promoting:
    """What is to be done for it.

    Attributes:
        plans: One an arch.
        path: Where the final's descriptor will stand.
        text: What it will say.
    """

    plans: tuple[Plan, ...]
    path: Path
    text: bytes

    def finish(self, report: Report) -> None:
        """Write the final's descriptor, if ``report`` says that the final is public.

        Raises:
            OSError: It cannot be written.
        """
        if report.exit_status is Status.DONE:
            with replacing(self.path) as out:
                out.write(self.text)


def promoting(  # noqa: PLR0913 (each may be chosen apart from the others)
    descriptor: Path,
    to: str,
    workdir: Path | None = None,
    *,
    same_image: bool = False,
    compose: bool = False,
    obsolete: bool = False,
    dry_run: bool = False,
    mirror: str | None = None,
    offline: bool = False,
) -> Promoting:
    """The plans that make the beta of ``descriptor`` the final ``to``.

    Args:
        descriptor: The beta's.
        to: The final's version.
        workdir: In the place of the descriptor's.
        same_image: Whether the very bytes of the beta's image are the final's, whatever they
            call themselves.
        compose: Whether the final's image is made anew, from its own tree.
        obsolete: Whether the beta moves away then.
        dry_run: Only tell what would be done.
        mirror: Where the final's own tree is; by default where the beta's was, with the final's
            folder in the place of the beta's.
        offline: Ask no server.

    Raises:
        InvalidDescriptorError: The descriptor is wrong.
        DescriptorError: ``to`` is no version that the beta may become; or the final has another
            descriptor already.
    """
    beta = load(descriptor)
    version = _version(beta, to)
    path = _path(descriptor, beta.version, version)
    final = replace(beta, version=version, path=path)
    folders = _folders(beta.releases()[0], final.releases()[0])
    text = _text(descriptor.read_bytes().decode("utf-8"), beta, version, folders, mirror)
    final = replace(final, mirror=_mirror(beta, folders, mirror))
    _check_free(path, text)
    steps = (*COMPOSE, "publish") if compose else ("promote",)
    releases = final.releases()
    plans = []
    for of_beta, release in zip(beta.releases(), releases, strict=True):
        promotion = Promotion(
            beta=of_beta, same_image=same_image, obsolete=obsolete, dry_run=dry_run
        )
        options = Options(workdir, offline, promotion=None if compose else promotion)
        plans.append(Plan(release, workdir_of(release, releases, workdir), steps, options))
    return Promoting(tuple(plans), path, text)


def _version(beta: Descriptor, to: str) -> Version:
    try:
        version = Version.parse(to)
    except RefusedError as error:
        raise DescriptorError(f"--to: {error.what}", hint=error.hint) from error
    if version.stage is not Stage.FINAL:
        raise DescriptorError(f"--to {to} is no final", hint="publish another beta by itself")
    if beta.version.stage is Stage.FINAL:
        raise DescriptorError(
            f"{beta.path}: {beta.version} is a final already", hint="name a beta's descriptor"
        )
    if version.numbers != beta.version.numbers:
        raise DescriptorError(
            f"{beta.version} does not become {to}",
            hint=f"did you mean --to {beta.version.text.removesuffix(_phase(beta.version))}?",
        )
    return version


def _phase(version: Version) -> str:
    return f"{version.phase.name.lower()}{version.count}"


def _path(descriptor: Path, beta: Version, final: Version) -> Path:
    name = descriptor.name
    if beta.text in name:
        return descriptor.with_name(name.replace(beta.text, final.text))
    return descriptor.with_name(f"{descriptor.stem}-{final.text}{descriptor.suffix}")


def _folders(beta: Release, final: Release) -> tuple[str, str]:
    """Where the beta lies below the public root, and where the final will."""
    if not beta.publish or not final.publish:
        raise DescriptorError(
            f"{beta.descriptor} does not say where releases are published",
            hint="add `publish:` with `root:`, the folder that all of them lie below",
        )
    return beta.publish.folder_at(Stage.BETA), final.publish.folder_at(Stage.FINAL)


def _mirror(beta: Descriptor, folders: tuple[str, str], given: str | None) -> Mirror:
    folder = beta.path.absolute().parent
    if given is not None:
        return Mirror.parse(given, folder)
    return Mirror.parse(_moved(beta.mirror.url, folders), folder)


def _moved(mirror: str, folders: tuple[str, str]) -> str:
    old, new = folders
    return re.sub(rf"(?<![\w.-]){re.escape(old)}(?=/|$)", new, mirror)


def _text(
    source: str, beta: Descriptor, version: Version, folders: tuple[str, str], mirror: str | None
) -> bytes:
    """The descriptor's own text, comments and all, with the final's version and mirror."""
    lines = []
    for line in source.splitlines(keepends=True):
        key = line.partition(":")[0].strip()
        if key == "version" and line[:1] == "v":
            line = line.replace(beta.version.text, version.text, 1)  # noqa: PLW2901 (the new line)
        elif key == "mirror" and line[:1] == "m":
            line = f"mirror: {mirror}\n" if mirror else _moved(line, folders)  # noqa: PLW2901
        lines.append(line)
    return "".join(lines).encode()


def _check_free(path: Path, text: bytes) -> None:
    if path.exists() and path.read_bytes() != text:
        raise DescriptorError(
            f"{path} is there already, and says something else",
            hint="move it away: it is to be the final's descriptor",
        )
