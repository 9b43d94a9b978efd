"""Two releases to be compared: a few small RPMs each, as a tree and as a pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builders import noise
from fetching import Release
from rpm_builder import rpm

from release_builder.comparison.packages import PackageFile
from release_builder.digests import Digest
from release_builder.media.rpm import Change
from release_builder.media.rpm_version import Evr

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rpm_builder import Value

DAY = 86_400
FIRST = 1_391_212_800  # a Saturday at noon, less 12 hours
ENTRIES = (
    Change(FIRST + 3 * DAY, "A. Dev <a@sme.example> 1.0-3.sme", "- Fix the mail queue [SME: 8123]"),
    Change(FIRST + 2 * DAY, "A. Dev <a@sme.example> 1.0-2.sme", "- Open <port> & log [SME:7001]"),
    Change(FIRST, "A. Dev <a@sme.example> 1.0-1.sme", "- First [SME: 1]"),
)


def rpm_of(
    name: str,
    evr: str = "1.0-1.el6.sme",
    arch: str = "noarch",
    *,
    epoch: int = 0,
    entries: Sequence[Change] = (),
    size: int = 2000,
    seed: object = 0,
) -> bytes:
    """An RPM with ``size`` bytes of payload."""
    version, _, release = evr.partition("-")
    about: dict[int, Value] = {
        1000: name,
        1001: version,
        1002: release,
        1006: FIRST,
        1022: arch,
        1044: f"{name}-{evr}.src.rpm",
    }
    if epoch:
        about[1003] = epoch
    if entries:
        about[1080] = [entry.time for entry in entries]
        about[1081] = [entry.author for entry in entries]
        about[1082] = [entry.text for entry in entries]
    return rpm(about, payload=noise(size, (name, seed)))


def package(
    name: str,
    evr: str = "1.0-1",
    arch: str = "x86_64",
    *,
    epoch: int = 0,
    content: str = "",
    size: int | None = 5000,
    header: bool = True,
    built: int = 0,
    changes: tuple[Change, ...] = (),
) -> PackageFile:
    """A package as an inventory has it; other ``content`` is another digest."""
    version, _, release = evr.partition("-")
    digest = Digest("md5", noise(16, (name, evr, content)))
    path = f"Packages/{name}-{evr}.{arch}.rpm"
    return PackageFile(
        path, name, Evr(epoch, version, release), arch, size, digest, header, built, changes
    )


def _release(packages: Mapping[str, bytes], boot: bytes) -> Release:
    parts = {f"Packages/{name}.rpm": content for name, content in packages.items()}
    return Release({**parts, "images/boot.img": boot})


OLD = _release(
    {
        "gone-1.0-1.el6.sme.noarch": rpm_of("gone"),
        "kept-1.0-1.el6.sme.noarch": rpm_of("kept"),
        "mail-1.0-1.el6.sme.noarch": rpm_of("mail", entries=ENTRIES[2:]),
        "signed-1.0-1.el6.sme.noarch": rpm_of("signed"),
        "slow-1.10-1.el6.sme.x86_64": rpm_of("slow", "1.10-1.el6.sme", "x86_64"),
    },
    noise(4000, "boot"),
)
NEW = _release(
    {
        "come-1.0-1.el6.sme.noarch": rpm_of("come"),
        "kept-1.0-1.el6.sme.noarch": rpm_of("kept"),
        "mail-1.0-3.el6.sme.noarch": rpm_of("mail", "1.0-3.el6.sme", entries=ENTRIES, size=5000),
        "signed-1.0-1.el6.sme.noarch": rpm_of("signed", seed=1),
        "slow-1.9-1.el6.sme.x86_64": rpm_of("slow", "1.9-1.el6.sme", "x86_64"),
    },
    noise(4000, "other boot"),
)
CHANGES = {
    "come": "added",
    "gone": "removed",
    "mail": "updated",
    "signed": "rebuilt",
    "slow": "downgraded",
}


def lay_out_tree(folder: Path, release: Release) -> Path:
    """Write the packages and files of ``release`` as an installer tree; ``folder`` itself."""
    for path, content in release.parts.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    (folder / ".treeinfo").write_text("[general]\n")
    return folder


def lay_out_release(folder: Path, release: Release, arch: str = "x86_64") -> Path:
    """Write a published release: tree and pair; ``folder`` itself."""
    lay_out_tree(folder / "smeos" / arch, release)
    pair = folder / "iso" / arch
    pair.mkdir(parents=True)
    (pair / f"cd-{arch}.jigdo").write_bytes(release.jigdo("A=http://a.example/", name="cd"))
    (pair / "cd.template").write_bytes(release.template)
    return folder


def bytes_to_fetch(old: Release, new: Release) -> int:
    """Of the parts that only ``new`` has."""
    had = set(old.parts.values())
    return sum(len(content) for content in new.parts.values() if content not in had)
