"""From a beta's descriptor to the final's."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from io import BufferedWriter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.descriptor.mirror import Mirror
from release_builder.descriptor.refusal import RefusedError
from release_builder.descriptor.version import Stage, Version
from release_builder.errors import DescriptorError, Status, printable, surroundings
from release_builder.files import replacing
from release_builder.loader import InvalidDescriptorError, load
from release_builder.loader.source import compose as compose_yaml
from release_builder.locks import open_locked
from release_builder.plan import COMPOSE, Options, Plan, Promotion
from release_builder.plan.workdir import workdir_of
from release_builder.report import Outcome

if TYPE_CHECKING:
    from release_builder.descriptor.model import Descriptor
    from release_builder.descriptor.release import Release
    from release_builder.report import Report

_PUBLIC: Final = frozenset({Outcome.DONE, Outcome.UNCHANGED})
_QUOTES: Final = ("'", '"')
# What means itself in YAML without quotes, wherever it stands.
_PLAIN: Final = re.compile(r"(?!(?:null|Null|NULL)$)[A-Za-z0-9./][A-Za-z0-9./_:@%+=-]*(?<!:)")


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
        ends = [step.outcome for release in report.releases for step in release.steps[-1:]]
        if report.exit_status is Status.DONE and _PUBLIC.issuperset(ends):
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
        DescriptorError: ``to`` is no version that the beta may become; or the final's descriptor
            would be wrong, or there is another one already.
        SurroundingsError: A file cannot be read, or the final's descriptor not be written.
    """
    beta = load(descriptor)
    of_betas = beta.releases()
    version = _version(beta, to)
    path = _path(descriptor, beta.version, version)
    renewed = replace(beta, version=version)
    folders = _folders(of_betas[0], renewed.releases()[0])
    if compose:
        _check_digests(beta)
    text = _text(descriptor, version, folders, mirror and _from_here(mirror, path))
    _check_free(path, text)
    steps = (*COMPOSE, "publish") if compose else ("promote",)
    releases = _loaded(text, path).releases()
    plans = []
    for of_beta, release in zip(of_betas, releases, strict=True):
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
            hint=f"did you mean --to {beta.version.text.partition(beta.version.phase.name.lower())[0]}?",
        )
    return version


def _path(descriptor: Path, beta: Version, final: Version) -> Path:
    name = re.sub(rf"(?<![0-9.]){re.escape(beta.text)}(?![0-9])", final.text, descriptor.name)
    if name == descriptor.name:
        name = f"{descriptor.stem}-{final.text}{descriptor.suffix}"
    return descriptor.with_name(name)


def _folders(beta: Release, final: Release) -> tuple[str, str]:
    """Where the beta lies below the public root, and where the final will."""
    if not beta.publish or not final.publish:
        raise DescriptorError(
            f"{beta.descriptor} does not say where releases are published",
            hint="add `publish:` with `root:`, the folder that all of them lie below",
        )
    folders = beta.publish.folder_at(Stage.BETA), final.publish.folder_at(Stage.FINAL)
    for key, name in (("image", final.image), ("publish.folder.final", folders[1])):
        if beta.version.text in name:
            raise DescriptorError(
                f"{beta.descriptor}: {key} would be {printable(name)} for the final too",
                hint=f"write {{version}} in the place of {beta.version}",
            )
    return folders


def _check_digests(beta: Descriptor) -> None:
    if beta.digests and not isinstance(beta.digests, Path):
        raise DescriptorError(
            f"{beta.path}: `digests` are those of the beta's image, and the final's is made anew",
            hint="remove them",
        )


def _from_here(mirror: str, path: Path) -> str:
    """``mirror``, which is relative to the current folder, as the descriptor ``path`` names it."""
    try:
        given = Mirror.parse(mirror, Path.cwd())
        written = Mirror.parse(mirror, path.absolute().parent)
    except RefusedError as error:
        raise DescriptorError(f"--mirror: {error.what}", hint=error.hint) from error
    return mirror if given == written else str(given.local_path)


def _moved(mirror: str, folders: tuple[str, str]) -> str:
    old, new = folders
    return re.sub(rf"(?<![\w.-]){re.escape(old)}(?=/|$)", new, mirror)


def _text(descriptor: Path, final: Version, folders: tuple[str, str], mirror: str | None) -> bytes:
    """The descriptor's own text, comments and all, with the final's version and mirror."""
    text = descriptor.read_bytes().decode("utf-8-sig")
    nodes = {key.value: node for key, node in compose_yaml(descriptor).value}
    new = {
        "version": final.text,
        "mirror": mirror or _moved(nodes["mirror"].value, folders),
    }
    last_first = sorted(new, key=lambda key: nodes[key].start_mark.index, reverse=True)
    for key in last_first:
        node, value = nodes[key], new[key]
        if value != node.value:
            begin, end = node.start_mark.index, node.end_mark.index
            old = text[begin:end]
            line_end = old[len(old.rstrip()) :]  # a block of text ends behind its line
            text = text[:begin] + _scalar(value, node.style) + line_end + text[end:]
    return text.encode()


def _scalar(text: str, style: str | None) -> str:
    """``text`` in YAML, quoted as what it replaces was, or where it must be."""
    if style == "'" and "'" not in text:
        return f"'{text}'"
    if style not in _QUOTES and _PLAIN.fullmatch(text):
        return text
    return json.dumps(text, ensure_ascii=False)


def _loaded(text: bytes, path: Path) -> Descriptor:
    """What ``text`` says once it stands at ``path``."""
    beside = path.with_name(f".{path.name}.new")  # as replacing has it, which removes it too
    try:
        with open_locked(beside) as file, BufferedWriter(file) as out:
            try:
                file.truncate(0)
                out.write(text)
                out.flush()
                return replace(load(beside), path=path)
            finally:
                beside.unlink()
    except InvalidDescriptorError as error:
        first = error.complaints[0]
        raise DescriptorError(
            f"{path} would be wrong: {printable(f'{first.key}: {first.what}')}",
            hint="name the final's mirror: --mirror URL",
        ) from error
    except OSError as error:
        raise surroundings(error) from error


def _check_free(path: Path, text: bytes) -> None:
    if path.exists() and path.read_bytes() != text:
        raise DescriptorError(
            f"{path} is there already, and says something else",
            hint="move it away: it is to be the final's descriptor",
        )
