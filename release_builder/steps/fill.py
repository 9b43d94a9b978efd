"""Lay out all files of a release, as they will be public."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from release_builder.descriptor.publishing import SumsStyle
from release_builder.jigdo.template_writer import GENERATOR
from release_builder.pages.metalink import Metalink, metalink
from release_builder.pages.release_page import PublishedImage, ReleasePage, release_page
from release_builder.steps.content import SUMS
from release_builder.steps.draw_map import draw_map
from release_builder.steps.image_file import measure
from release_builder.steps.record import NAME as RECORD
from release_builder.steps.record import Record, RecordedFile, write_record
from release_builder.trust.gpg_sign import sign_clear, sign_detached
from release_builder.trust.sums_file import sums_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    from release_builder.descriptor.publication import Publication
    from release_builder.descriptor.release import Release
    from release_builder.digests import Digest
    from release_builder.public.staged import Staged
    from release_builder.steps import Context
    from release_builder.steps.content import Content

PAGE: Final = "index.html"
_SCHEMA: Final = 1
_SUMS_FILES: Final = {"sha256": "sha256sum.txt", "md5": "md5sum.txt"}
_SIGN: Final = {".asc": sign_clear, ".sig": sign_detached}  # the former holds what it signs


def fill(  # noqa: PLR0913, PLR0917 (all that the files tell)
    context: Context,
    publication: Publication,
    staged: Staged,
    content: Content,
    page: ReleasePage,
    before: Record | None,
) -> Record:
    """Put the files of one arch into the staged release, and make its sums and pages anew.

    Args:
        context: Of the release.
        publication: Where it becomes public.
        staged: Where the files go; has those of other arches.
        content: The files.
        page: What to tell on the release's page, but for the images.
        before: What is public now; None for nothing.

    Returns:
        What is public once the staged release is.

    Raises:
        ReleaseBuilderError: A file cannot be written or signed.
    """
    release = context.plan.release
    names = FileNames.of(release)
    staged.add(content.image, names.folder + names.image)
    staged.add(content.template, names.folder + names.template)
    staged.write(names.folder + names.jigdo, content.jigdo)
    files = _files(context, content, names)
    record = (before or Record(page, {})).with_image(
        _image(publication, content, names, release.arch), page, files
    )
    _write_beside(context, publication, staged, content, names, record)
    _write_sums(publication, staged, names.folder, record)
    for key in release.keys:
        staged.add(key, key.name)
    if content.tree:
        _add_tree(context, staged, content.tree)
    staged.write(RECORD, write_record(record))
    staged.write(PAGE, release_page(record.page).encode("utf-8", "surrogateescape"))
    return record


@dataclass(frozen=True, slots=True, kw_only=True)
class FileNames:
    """What the files of an image are called, all in ``folder`` below the release's."""

    folder: str
    image: str
    jigdo: str
    template: str
    manifest: str
    metalink: str
    picture: str

    @classmethod
    def of(cls, release: Release) -> FileNames:
        """The names of a release's files."""
        stem = release.image.removesuffix(".iso")
        return cls(
            folder=release.jigdo[0],
            image=release.image,
            jigdo=f"{stem}.jigdo",
            template=f"{stem}.template",
            manifest=f"{stem}.manifest.json",
            metalink=f"{release.image}.meta4",
            picture=f"{stem}.svg",
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


def _write_beside(  # noqa: PLR0913, PLR0917 (all that the files tell)
    context: Context,
    publication: Publication,
    staged: Staged,
    content: Content,
    names: FileNames,
    record: Record,
) -> None:
    """The manifest, the metalink and the picture."""
    manifest = _manifest(context, content, names, record)
    text = json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
    staged.write(names.folder + names.manifest, text.encode("utf-8", "surrogateescape"))
    if publication.url:
        roots = dict.fromkeys((publication.url, *publication.mirrors))
        place = quote(f"{publication.folder_at(context.plan.stage)}/{names.folder}{names.image}")
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


def _manifest(
    context: Context, content: Content, names: FileNames, record: Record
) -> dict[str, object]:
    """Where all of the image came from: what an auditor asks first."""
    release = context.plan.release
    files = record.files[names.folder]
    return {
        "schema": _SCHEMA,
        "generator": GENERATOR,
        "product": release.product,
        "version": release.version.text,
        "arch": release.arch,
        "stage": context.plan.stage.value,
        "mirror": release.mirror.url,
        "published": record.page.published.astimezone(UTC).isoformat(),
        "signer": record.page.signer,
        "outputs": {
            name: {"size": files[name].size} | {d.algorithm: d.hex for d in files[name].digests}
            for name in (names.image, names.jigdo, names.template)
        },
        "inputs": [
            {
                "size": part.length,
                part.digest.algorithm: part.digest.hex,
                "places": list(content.locations.get(part.digest, ())),
            }
            for part in content.parts
        ],
    }


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
    if publication.key:
        with tempfile.TemporaryDirectory(prefix="release-builder-sums.") as scratch:
            for name in _SUMS_FILES.values():
                for suffix, sign in _SIGN.items():
                    made = Path(scratch, f"{name}{suffix}")
                    sign(staged.root / folder / name, made, publication.key)
                    staged.write(folder + made.name, made.read_bytes())


def _add_tree(context: Context, staged: Staged, tree: Path) -> None:
    context.monitor.begin("stage the tree")
    try:
        staged.add_tree(tree, context.plan.release.tree, context.monitor.advance)
    finally:
        context.monitor.end()
