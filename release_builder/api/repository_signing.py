"""Detached signatures beside meta and CKSUMS, for whoever wants to check more than https."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from release_builder.digests import hasher
from release_builder.files import replacing
from release_builder.repository.contents import CKSUMS, META
from release_builder.trust.gpg_sign import sign_detached

if TYPE_CHECKING:
    from pathlib import Path

    from release_builder.repository.mirror import Mirror

SUFFIX: Final = ".asc"

_RECORD: Final = "signatures.json"


def sign_served(mirror: Mirror, key: str) -> int:
    """Sign each meta file and CKSUMS of ``mirror``, unless that was done; of others, none stays.

    Args:
        mirror: The repository; whoever calls it holds its lock.
        key: What gpg finds the secret key by.

    Returns:
        How many signatures are new.

    Raises:
        ReleaseBuilderError: As ``check_secret_key``.
        OSError: A file cannot be read or written.
    """
    root = mirror.path.resolve()
    record = _read(mirror)
    made = 0
    for path in served_texts(root):
        signature = path.with_name(f"{path.name}{SUFFIX}")
        if record.get(signature.name) != _state(path, signature, key):
            sign_detached(path, signature, key)
            made += 1
        record[signature.name] = _state(path, signature, key)
    with replacing(mirror.work / _RECORD) as out:
        out.write(json.dumps(record, indent=1).encode())
    return made


def drop_stale(mirror: Mirror) -> None:
    """Remove signatures of what has other bytes since; whoever calls it holds the lock.

    Raises:
        OSError: A file cannot be read or removed.
    """
    root = mirror.path.resolve()
    record = _read(mirror)
    texts = {f"{path.name}{SUFFIX}": path for path in served_texts(root)}
    for signature in (*root.glob(f"*{SUFFIX}"), *root.glob(f"{META}/*{SUFFIX}")):
        path, told = texts.get(signature.name), record.get(signature.name)
        if told and (path is None or told != _state(path, signature, told[0])):
            signature.unlink()


def served_texts(root: Path) -> list[Path]:
    """What is signed: meta files, and CKSUMS."""
    metas = [path for path in sorted((root / META).glob("*.json")) if path.name[0] != "."]
    return [path for path in (*metas, root / CKSUMS) if path.is_file()]


def _state(path: Path, signature: Path, key: str) -> list[str]:
    """By whom what was signed how; empty digests where it was not."""
    return [key, *(_digest(each) if each.exists() else "" for each in (path, signature))]


def _digest(path: Path) -> str:
    found = hasher("sha256")
    found.update(path.read_bytes())
    return found.digest().hex()


def _read(mirror: Mirror) -> dict[str, list[str]]:
    # A record that is damaged costs new signatures.
    try:
        said = json.loads((mirror.work / _RECORD).read_bytes())
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}
