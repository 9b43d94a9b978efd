"""Whether an installer tree can start a computer: what it boots, and what its menus name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from release_builder.descriptor.patterns import LONGEST_VOLUME_ID
from release_builder.errors import ReleaseBuilderError, printable
from release_builder.media import boot_config, treeinfo
from release_builder.report import Finding, Severity, finding_of
from release_builder.steps.image_file import measure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_builder.descriptor.publishing import Compose
    from release_builder.jigdo.sources import DigestCache
    from release_builder.steps.compose_tree import TreeFiles

_ISOLINUX: Final = "isolinux.bin"
_MODULE: Final = "ldlinux.c32"  # isolinux cannot do without it from version 5 on
_VERSION: Final = re.compile(rb"ISOLINUX (\d{1,3})\.")
_MOST_LOADER: Final = 16 << 20  # bytes
_MENUS: Final = (".cfg", ".conf")
_MENU_FOLDERS: Final = frozenset({"isolinux", "syslinux", "efi", "boot"})
_FETCH: Final = "bring the file into the tree, or correct what names it"


def check_boot(tree: TreeFiles, compose: Compose) -> Iterator[Finding]:
    """What keeps the image of ``tree`` from starting."""
    if len(compose.volume_id) > LONGEST_VOLUME_ID:
        yield Finding(
            Severity.WRONG,
            f"the volume id '{compose.volume_id}' has {len(compose.volume_id)} characters,"
            f" more than {LONGEST_VOLUME_ID}",
            hint="write a shorter one: `volume_id:` below `compose:`, and in the boot menus",
        )
    if compose.boot not in tree.files:
        yield _missing(compose.boot, "the boot file")
    elif compose.boot.rpartition("/")[2] == _ISOLINUX:
        yield from _guarded(_check_isolinux(tree, compose.boot))
    for path in tree.files:
        if _is_menu(path, compose):
            yield from _guarded(_check_menu(tree, path, compose.volume_id))


def check_treeinfo(tree: TreeFiles, arch: str, cache: DigestCache) -> Iterator[Finding]:
    """What is wrong with ``.treeinfo`` and ``.discinfo``, or with what the former says."""
    yield from _guarded(_check_discinfo(tree, arch))
    yield from _guarded(_check_treeinfo(tree, arch, cache))


def _guarded(findings: Iterator[Finding]) -> Iterator[Finding]:
    """One file that cannot be read does not keep us from looking at the others."""
    try:
        yield from findings
    except (ReleaseBuilderError, OSError) as error:
        yield finding_of(error)


def _check_isolinux(tree: TreeFiles, boot: str) -> Iterator[Finding]:
    """To isolinux, names are those of ISO 9660, which have one case."""
    folder = boot.removesuffix(_ISOLINUX)
    there = {path.lower() for path in tree.files}
    version = _VERSION.search(tree.read(boot, _MOST_LOADER))
    if version and int(version[1]) >= 5 and folder + _MODULE not in there:
        yield _missing(folder + _MODULE, f"the module that {boot} needs")
    menu = f"{folder}isolinux.cfg"
    if menu not in tree.files:
        yield _missing(menu, "the boot menu")
        return
    for named in boot_config.find_loaded(tree.read(menu, boot_config.MOST_BYTES)):
        path = named.text.lstrip("/") if named.text.startswith("/") else folder + named.text
        # The manual lets endings such as .c32 be left out.
        if not any(each in there for each in (path.lower(), f"{path.lower()}.c32")):
            yield _missing(path, f"{menu}, line {named.line}, loads it:")


def _is_menu(path: str, compose: Compose) -> bool:
    folders = {each.lower() for each in path.split("/")[:1]}
    beside_loader = path.rpartition("/")[0] == compose.boot.rpartition("/")[0]
    return path.lower().endswith(_MENUS) and (beside_loader or bool(folders & _MENU_FOLDERS))


def _check_menu(tree: TreeFiles, path: str, volume_id: str) -> Iterator[Finding]:
    for named in boot_config.find_labels(tree.read(path, boot_config.MOST_BYTES)):
        if named.text != volume_id:
            label = printable(named.text)
            yield Finding(
                Severity.WRONG,
                f"{printable(path)}, line {named.line}: it starts from the volume '{label}',"
                f" and the volume id is '{volume_id}'",
                hint=f"write `volume_id: {label}` below `compose:`, or correct the boot menu",
                path=printable(path),
            )


def _check_discinfo(tree: TreeFiles, arch: str) -> Iterator[Finding]:
    if ".discinfo" not in tree.files:
        yield _missing(".discinfo", "what tells the installer its medium")
        return
    found = treeinfo.parse_discinfo(tree.read(".discinfo", treeinfo.MOST_BYTES))
    if found.arch != arch:
        yield _other_arch(".discinfo", found.arch, arch)


def _check_treeinfo(tree: TreeFiles, arch: str, cache: DigestCache) -> Iterator[Finding]:
    if ".treeinfo" not in tree.files:
        yield _missing(".treeinfo", "what tells the boot images")
        return
    found = treeinfo.parse_treeinfo(tree.read(".treeinfo", treeinfo.MOST_BYTES))
    if found.arch and found.arch != arch:
        yield _other_arch(".treeinfo", found.arch, arch)
    for path in dict.fromkeys((*found.images, *found.digests)):
        if path not in tree.files:
            yield _missing(path, ".treeinfo names it:")
            continue
        if expected := found.digests.get(path):
            algorithm = expected.algorithm
            measured = measure(tree.root / path, (algorithm,), cache).digests[algorithm]
            if measured != expected:
                yield Finding(
                    Severity.WRONG,
                    f"{printable(path)}: found {measured}, expected {expected},"
                    " as [checksums] of .treeinfo says",
                    hint="fetch the file again, or write .treeinfo anew",
                    path=printable(path),
                )


def _other_arch(path: str, found: str, arch: str) -> Finding:
    return Finding(
        Severity.WRONG,
        f"{path}: the tree is for '{printable(found)}', the release for {arch}",
        hint="correct `arch:` or `tree:` in the descriptor",
        path=path,
    )


def _missing(path: str, what: str) -> Finding:
    what = what if what.endswith(":") else f"{what},"
    return Finding(
        Severity.WRONG,
        f"{what} {printable(path)} is not in the tree",
        hint=_FETCH,
        path=printable(path),
    )
