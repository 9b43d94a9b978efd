"""Make the image of the installer tree: bootable, hybrid, with its own MD5 in it."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from release_builder import process
from release_builder.epoch import source_date_epoch
from release_builder.errors import (
    DescriptorError,
    SurroundingsError,
    WrongBytesError,
    printable,
)
from release_builder.files import free_space, open_regular
from release_builder.media import treeinfo
from release_builder.media.bootable import read_bootable
from release_builder.media.image import Image as OpenImage
from release_builder.report import Finding, Outcome, Severity, StepResult
from release_builder.steps import xorriso
from release_builder.steps.compose_tree import installer_tree, read_tree
from release_builder.steps.image_file import finish, measure, move_aside

if TYPE_CHECKING:
    from pathlib import Path

    from release_builder.media.bootable import Bootable
    from release_builder.steps import Context
    from release_builder.steps.compose_tree import TreeFiles

_ALGORITHMS: Final = ("md5", "sha256")
_ANACONDA: Final = "/usr/lib/anaconda-runtime/"  # where Enterprise Linux 5 has implantisomd5
_HYBRID_MARK: Final = b"\xfb\xc0\x78\x70"  # at offset 64 of a loader that a stick can start


@dataclass(slots=True)
class _Made:
    """What was done to the image, and what a user should know of that."""

    hybrid: bool
    done: list[str] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)

    def leave_out(self, what: str, why: str, hint: str = "") -> None:
        self.warnings.append(Finding(Severity.WARNING, f"{what} is left out: {why}", hint))


def run(context: Context) -> StepResult:
    """Compose the image, always anew; where one with the same bytes is there already, that stays.

    Raises:
        IncompleteError: There is no tree yet.
        DescriptorError: There is none, it would have the image in it, or the image does not fit
            on its medium.
        WrongBytesError: A boot file is missing, or what came out is not as it should be.
        SurroundingsError: A program is missing or fails, or there is no room.
    """
    plan, release = context.plan, context.plan.release
    tree = read_tree(installer_tree(plan), release.compose.exclude)
    path = plan.workdir.image / release.image
    partial = path.with_name(f"{path.name}.partial")
    _make_room(tree, partial)
    with ExitStack() as stack:
        stack.callback(partial.unlink, missing_ok=True)
        image = _image(context, tree, partial)
        made = _Made(hybrid=image.hybrid is not None)
        found = _compose(context, tree, image, made)
        measured = measure(partial, _ALGORITHMS, context.cache, full=True, monitor=context.monitor)
        unchanged = _is_same(context, path, measured.digests["sha256"].value)
        if not unchanged:
            _give_name(context, partial, path)
            status = path.stat()
            for digest in measured.digests.values():
                context.cache.put(status, digest)
    ways = [*found.platforms, *(["USB stick"] if found.hybrid else [])]
    return StepResult(
        "compose",
        Outcome.UNCHANGED if unchanged else Outcome.DONE,
        f"'{found.volume_id}', {measured.size:,} bytes; starts by {', '.join(ways)}"
        + "".join(f"; {each}" for each in made.done),
        counts={"files": len(tree.files), "bytes": measured.size},
        findings=tuple(made.warnings),
        facts={
            "image": str(path),
            "volume_id": found.volume_id,
            "boots": ", ".join(ways),
            **{each: digest.hex for each, digest in sorted(measured.digests.items())},
        },
    )


def _make_room(tree: TreeFiles, partial: Path) -> None:
    if partial.parent.resolve().is_relative_to(tree.root.resolve()):
        raise DescriptorError(
            f"the image would lie in the tree that it is made of: {printable(str(partial.parent))}",
            hint="name another `workdir:`",
        )
    partial.parent.mkdir(parents=True, exist_ok=True)
    partial.unlink(missing_ok=True)
    need, free = tree.image_size(), free_space(partial.parent)
    if need > free:
        raise SurroundingsError(
            f"{printable(str(partial.parent))}: the image needs about {need:,} bytes,"
            f" {free:,} bytes are free",
            hint="free some room, or name another folder with --workdir",
        )


def _image(context: Context, tree: TreeFiles, out: Path) -> xorriso.Image:
    compose = context.plan.release.compose
    if compose.boot not in tree.files:
        raise WrongBytesError(
            f"the boot file {printable(compose.boot)} is not in {printable(str(tree.root))}",
            hint="bring it into the tree, or name another: `boot:` below `compose:`",
        )
    return xorriso.Image(
        tree=tree.root.absolute(),
        out=out.absolute(),
        left_out=tuple(tree.left_out),
        compose=compose,
        uefi=compose.efi in tree.files,
        hybrid=xorriso.hybrid_sector() if _may_be_hybrid(tree, compose.boot) else None,
        epoch=_epoch(tree),
    )


def _epoch(tree: TreeFiles) -> int:
    """When the image was made, as it says itself: in seconds since 1970.

    Raises:
        DescriptorError: SOURCE_DATE_EPOCH is no time.
        WrongBytesError: It is not set, and ``.discinfo`` is broken.
        OSError: It is not set, and there is no ``.discinfo``.
    """
    if (given := source_date_epoch(os.environ)) is not None:
        return given
    return treeinfo.parse_discinfo(tree.read(".discinfo", treeinfo.MOST_BYTES)).timestamp


def _may_be_hybrid(tree: TreeFiles, boot: str) -> bool:
    with open_regular(tree.root / boot) as stream:
        return stream.read(68)[64:] == _HYBRID_MARK


def _compose(context: Context, tree: TreeFiles, image: xorriso.Image, made: _Made) -> Bootable:
    """Make the image, in the order that keeps true what is written into it."""
    xorriso.make(image, tree.image_size(), context.monitor)
    if image.hybrid is None:
        _make_hybrid(context, tree, image, made)
    _inspected(image, made)  # implantisomd5 never ends where there is no volume descriptor
    _implant_md5(context, image, made)
    size, medium = image.out.stat().st_size, image.compose.medium
    if medium.size is not None and size > medium.size:
        raise DescriptorError(
            f"the image has {size:,} bytes, more than a {medium} holds: {medium.size:,}",
            hint="keep something out with `exclude:`, or name a larger `medium:` below `compose:`",
        )
    return _inspected(image, made)


def _make_hybrid(context: Context, tree: TreeFiles, image: xorriso.Image, made: _Made) -> None:
    if not _may_be_hybrid(tree, image.compose.boot):
        made.leave_out("starting from a USB stick", f"{image.compose.boot} cannot do that")
        return
    try:
        process.find("isohybrid")
    except SurroundingsError as error:
        made.leave_out("starting from a USB stick", error.what, error.hint)
        return
    xorriso.call(xorriso.isohybrid_argv(image), context.monitor, image.epoch)
    made.hybrid = True
    if image.uefi:
        made.warnings.append(
            Finding(
                Severity.WARNING,
                "isohybrid put random numbers into the image: composed again, it has other bytes",
                hint=f"isohdpfx.bin does without: {process.installation_hint('isolinux')}",
            )
        )


def _implant_md5(context: Context, image: xorriso.Image, made: _Made) -> None:
    """Write the image's MD5 into it, for the media check of the installer."""
    implanter = _find("implantisomd5")
    if implanter is None:
        hint = process.installation_hint("isomd5sum")
        made.leave_out("the implanted MD5", "the program implantisomd5 is not installed", hint)
        return
    xorriso.call([implanter, str(image.out)], context.monitor, image.epoch)
    if checker := _find("checkisomd5"):
        # Some versions of implantisomd5 fail without saying so.
        told = xorriso.call([checker, "--md5sumonly", str(image.out)], context.monitor, image.epoch)
        if "Fragment sums:" not in told.stdout:
            raise SurroundingsError("implantisomd5 said nothing was wrong, and implanted no MD5")
    made.done.append("MD5 implanted")


def _find(program: str) -> str | None:
    for name in (program, _ANACONDA + program):
        try:
            return process.find(name)
        except SurroundingsError:
            continue
    return None


def _inspected(image: xorriso.Image, made: _Made) -> Bootable:
    """How the image starts, if that is as it should be."""
    with image.out.open("rb") as stream:
        found = read_bootable(OpenImage(stream))
    platforms = ("BIOS", "UEFI") if image.uefi else ("BIOS",)
    wanted = (image.compose.volume_id, platforms, made.hybrid)
    if (found.volume_id, found.platforms, found.hybrid) != wanted:
        raise WrongBytesError(
            f"the image came out as '{printable(found.volume_id)}', starting by"
            f" {', '.join(found.platforms) or 'nothing'}"
            f"{' and from a USB stick' if found.hybrid else ''};"
            f" it should be '{image.compose.volume_id}', {', '.join(platforms)}"
            f"{' and a USB stick' if made.hybrid else ''}",
            hint="this is a fault of xorriso or of release-builder: please report it",
        )
    return found


def _is_same(context: Context, path: Path, sha256: bytes) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    there = measure(path, ("sha256",), context.cache, monitor=context.monitor)
    return there.digests["sha256"].value == sha256


def _give_name(context: Context, partial: Path, path: Path) -> None:
    if os.path.lexists(path) and (path.is_symlink() or not path.is_file()):
        move_aside(path, context.plan.workdir.aside)
    finish(partial, path)
