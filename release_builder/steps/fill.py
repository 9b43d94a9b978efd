"""Lay out all files of a release, as they will be public."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from release_builder.descriptor.publishing import SumsStyle
from release_builder.errors import WrongBytesError, printable
from release_builder.jigdo.template_writer import GENERATOR
from release_builder.pages.metalink import Metalink, metalink
from release_builder.pages.release_page import PublishedImage, ReleasePage, release_page
from release_builder.steps.content import SUMS, changed_parts
from release_builder.steps.draw_map import draw_map
from release_builder.steps.file_names import FileNames
from release_builder.steps.image_file import measure
from release_builder.steps.manifest import write_manifest
from release_builder.steps.record import NAME as RECORD
from release_builder.steps.record import Record, RecordedFile, write_record
from release_builder.transport.rsync import HELD_BACK
from release_builder.trust.gpg_sign import export_public_key, sign_clear, sign_detached
from release_builder.trust.sums_file import sums_text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Literal

    from release_builder.descriptor.publication import Publication
    from release_builder.digests import Digest
    from release_builder.plan import Plan
    from release_builder.public.staged import Staged
    from release_builder.steps import Context
    from release_builder.steps.content import Content

PAGE: Final = "index.html"
KEY: Final = "signing-key.asc"
_SUMS_FILES: Final = {"sha256": "sha256sum.txt", "md5": "md5sum.txt"}
_SIGN: Final = {".asc": sign_clear, ".sig": sign_detached}  # the former holds what it signs


def record_of(
    context: Context,
    publication: Publication,
    contents: Sequence[tuple[Plan, Content]],
    page: ReleasePage,
    before: Record | None,
) -> Record:
    """What will be public: ``contents``, and what is public of the same version besides.

    Args:
        context: Its cache knows digests.
        publication: Where it becomes public.
        contents: By the plan of each arch.
        page: What the release's page tells, but for the images.
        before: What is public now; None for nothing.
    """
    same = before if before and before.page.version == page.version else Record(page, {})
    record = replace(same.told_as(page), count=before.count + 1 if before else 1)
    for plan, content in contents:
        names = FileNames.of(plan.release)
        files = _files(context, content, names)
        image = _image(publication, content, names, plan.release.arch)
        record = record.with_image(image, files)
    return record


def fill(  # noqa: PLR0913, PLR0917 (all that the files tell)
    context: Context,
    publication: Publication,
    staged: Staged,
    contents: Sequence[tuple[Plan, Content]],
    record: Record,
    before: Path | None,
) -> None:
    """Put the files of a release in place, and make its sums and pages.

    Args:
        context: Its monitor hears how far it is.
        publication: Where it becomes public.
        staged: Where the files go.
        contents: By the plan of each arch.
        record: What will be public.
        before: What is public now, where that is on this machine.

    Raises:
        WrongBytesError: A staged file is not what its sum says.
        ReleaseBuilderError: A file cannot be written or signed.
    """
    for plan, content in contents:
        if content.tree:
            _add_tree(context, staged, content.tree, plan.release.tree)
    ours = {FileNames.of(plan.release).image for plan, _ in contents}
    _keep_others(staged, record, ours, before)
    for plan, content in contents:
        _add_image(staged, content, FileNames.of(plan.release))
        _write_beside(plan, publication, staged, content, record)
    for folder in record.files:
        _write_sums(publication, staged, folder, record)
    staged.remove(KEY)
    if publication.key:
        staged.write(KEY, export_public_key(publication.key))
    staged.write(RECORD, write_record(record))
    staged.write(PAGE, release_page(record.page).encode("utf-8", "surrogateescape"))
    for plan, content in contents:
        _check_parts(replace(context, plan=plan), staged, content)
    _check(context, staged, record, here=before is not None)


def _add_tree(context: Context, staged: Staged, tree: Path, name: str) -> None:
    context.monitor.begin("stage the tree")
    try:
        staged.add_tree(tree, name, context.monitor.advance, skip=[HELD_BACK])
    finally:
        context.monitor.end()


def _keep_others(
    staged: Staged, record: Record, ours: Collection[str], before: Path | None
) -> None:
    """Bring back the files of other images that went with a tree that is new."""
    if before is None:
        return
    for image in (each for each in record.page.images if each.name not in ours):
        for name in _files_of(image):
            source, place = before / image.folder / name, image.folder + name
            if source.is_file() and not (staged.root / place).exists():
                staged.add(source, place)


def _files_of(image: PublishedImage) -> tuple[str, ...]:
    """The names of all files of one image, without the sums, which are of all in its folder."""
    names = (image.name, image.jigdo, image.template, image.manifest, image.metalink, image.map_svg)
    return tuple(filter(None, names))


def _add_image(staged: Staged, content: Content, names: FileNames) -> None:
    staged.add(content.image, names.folder + names.image)
    staged.add(content.template, names.folder + names.template)
    staged.write(names.folder + names.jigdo, content.jigdo)


def _check_parts(context: Context, staged: Staged, content: Content) -> None:
    """See that the tree as it is staged has the image's parts."""
    tree = staged.root / context.plan.release.tree
    for name in changed_parts(context, tree, content) if content.tree else ():
        raise WrongBytesError(
            f"{printable(name)} changed while it was published",
            hint="nothing was published; run it again when nobody else writes there",
        )


def _check(context: Context, staged: Staged, record: Record, *, here: bool) -> None:
    """See that each file is what its sum will say; those of other arches may be on the host only."""
    for folder, inside in record.files.items():
        for name, file in inside.items():
            path = staged.root / folder / name
            if not here and not path.exists():
                continue
            found = measure(path, SUMS, context.cache)
            if (found.size, _ordered(found.digests)) != (file.size, file.digests):
                raise WrongBytesError(
                    f"{printable(folder + name)} is not what its sum says: it changed meanwhile",
                    hint="nothing was published; run it again when nobody else writes there",
                )


def _files(context: Context, content: Content, names: FileNames) -> dict[str, RecordedFile]:
    """What sums are told of."""
    template = measure(content.template, SUMS, context.cache)
    return {
        names.image: RecordedFile(content.size, _ordered(content.digests)),
        names.jigdo: RecordedFile(len(content.jigdo), _ordered(content.jigdo_digests)),
        names.template: RecordedFile(template.size, _ordered(template.digests)),
    }


def _ordered(digests: Mapping[str, Digest]) -> tuple[Digest, ...]:
    return tuple(digests[algorithm] for algorithm in SUMS)


def _image(
    publication: Publication, content: Content, names: FileNames, arch: str
) -> PublishedImage:
    return PublishedImage(
        arch=arch,
        name=names.image,
        folder=names.folder,
        size=content.size,
        digests=_ordered(content.digests),
        jigdo=names.jigdo,
        template=names.template,
        template_size=content.template.stat().st_size,
        parts=len(content.parts),
        manifest=names.manifest,
        metalink=names.metalink if publication.url else "",
        map_svg=names.picture,
        sums=tuple(_SUMS_FILES.values()),
        signatures=tuple(
            name + suffix for name in _SUMS_FILES.values() for suffix in _SIGN if publication.key
        ),
    )


def _write_beside(
    plan: Plan, publication: Publication, staged: Staged, content: Content, record: Record
) -> None:
    """The manifest, the metalink and the picture."""
    names = FileNames.of(plan.release)
    staged.write(names.folder + names.manifest, write_manifest(plan, content, names, record))
    staged.remove(names.folder + names.metalink)
    if publication.url:
        roots = dict.fromkeys((publication.url, *publication.mirrors))
        place = quote(f"{publication.folder_at(plan.stage)}/{names.folder}{names.image}")
        file = Metalink(
            name=names.image,
            size=content.size,
            digests=_ordered(content.digests),
            urls=tuple(root + place for root in roots),
            published=record.page.published,
            generator=GENERATOR,
        )
        staged.write(names.folder + names.metalink, metalink(file).encode())
    with tempfile.TemporaryDirectory(prefix="release-builder-map.") as scratch:
        jigdo, picture = Path(scratch, names.jigdo), Path(scratch, names.picture)
        jigdo.write_bytes(content.jigdo)
        draw_map(content.image, content.template, jigdo, picture, name=names.image)
        staged.write(names.folder + names.picture, picture.read_bytes())


def _write_sums(publication: Publication, staged: Staged, folder: str, record: Record) -> None:
    """The sums of all images in the folder and of their pairs, signed where there is a key."""
    style: Literal["gnu", "bsd"] = "bsd" if publication.sums is SumsStyle.BSD else "gnu"
    for algorithm, name in _SUMS_FILES.items():
        entries = [
            (each, file.size, digest)
            for each, file in sorted(record.files[folder].items())
            for digest in file.digests
            if digest.algorithm == algorithm
        ]
        staged.write(folder + name, sums_text(entries, style))
        for suffix in _SIGN:
            staged.remove(f"{folder}{name}{suffix}")
    if publication.key:
        with tempfile.TemporaryDirectory(prefix="release-builder-sums.") as scratch:
            for name in _SUMS_FILES.values():
                for suffix, sign in _SIGN.items():
                    made = Path(scratch, f"{name}{suffix}")
                    sign(staged.root / folder / name, made, publication.key)
                    staged.write(folder + made.name, made.read_bytes())
