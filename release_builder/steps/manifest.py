"""Where all of a published image came from."""

from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING, Final

from release_builder.jigdo.template_writer import GENERATOR

if TYPE_CHECKING:
    from release_builder.plan import Plan
    from release_builder.steps.content import Content
    from release_builder.steps.file_names import FileNames
    from release_builder.steps.record import Record

_SCHEMA: Final = 1


def write_manifest(plan: Plan, content: Content, names: FileNames, record: Record) -> bytes:
    """The text of a manifest: where all of an image came from, what an auditor asks first.

    Args:
        plan: Of the release on one arch.
        content: What it consists of.
        names: What its files are called.
        record: What becomes public.
    """
    release = plan.release
    files = record.files[names.folder]
    document = {
        "schema": _SCHEMA,
        "generator": GENERATOR,
        "product": release.product,
        "version": release.version.text,
        "arch": release.arch,
        "stage": plan.stage.value,
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
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    return text.encode("utf-8", "surrogateescape")
