"""Pairs made and taken apart by jigdo-file and by its look-alike, and how that grows."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from bench.measure import Task, measure, print_table
from bench.release import make_image, same
from release_builder.jigdo.match_content import rate

if TYPE_CHECKING:
    from collections.abc import Sequence

_THEIRS = ("jigdo-file",)
_OURS = (str(Path(sys.executable).with_name("release-builder-jigdo-file")),)


def compare(root: Path, megabytes: int, runs: int) -> None:
    """make-template and make-image by both, beside one reading of the image."""
    tree, image = make_image(root, megabytes)
    make = [_make_template(program, name, root, tree, image) for program, name in _BOTH]
    print_table(f"make-template: {megabytes:,} MB", [_md5sum(image), *make], runs)
    theirs, ours = (_make_image(program, name, root, tree) for program, name in _BOTH)
    # One more image in memory would be more than some machines keep there.
    measure([ours], runs=1)
    rebuild = [_md5sum(root / "ours.iso"), theirs, ours]
    print_table(f"make-image: {megabytes:,} MB", rebuild, runs)
    for _, name in _BOTH:
        same(root / f"{name}.iso", image)
        (root / f"{name}.iso").unlink()


def grow(root: Path, sizes: Sequence[tuple[int, int | None]], runs: int) -> None:
    """Ours alone for larger images and for more files."""
    for megabytes, files in sizes:
        tree, image = make_image(root, megabytes, files)
        tasks = [
            _md5sum(image),
            _make_template(_OURS, "ours", root, tree, image),
            _make_image(_OURS, "ours", root, tree),
        ]
        count = files or sum(1 for path in tree.rglob("*") if path.is_file())
        print_table(f"{megabytes:,} MB in {count:,} files", tasks, runs)
        same(root / "ours.iso", image)
        (root / "ours.iso").unlink()


def show_content_rates() -> None:
    """How fast files are looked for by content."""
    print("\nmake-template --match=content, MB of the image a second")
    for name, numpy in (("with numpy", True), ("without numpy", False)):
        with suppress(ImportError):
            print(f"{name:<44}{rate(numpy=numpy) / 1e6:>9.1f}")


_BOTH = ((_THEIRS, "theirs"), (_OURS, "ours"))


def _md5sum(image: Path) -> Task:
    return Task("md5sum IMAGE", ["md5sum", str(image)], image.parent, inputs=[image])


def _make_template(program: Sequence[str], name: str, root: Path, tree: Path, image: Path) -> Task:
    pair = [f"--jigdo={root / name}.jigdo", f"--template={root / name}.template"]
    argv = [*program, "make-template", "--no-cache", "--force", "--report=quiet"]
    label = f"{'jigdo-file' if name == 'theirs' else 'release-builder-jigdo-file'} make-template"
    return Task(label, [*argv, f"--image={image}", *pair, f"{tree}//"], root, inputs=[image, tree])


def _make_image(program: Sequence[str], name: str, root: Path, tree: Path) -> Task:
    image = root / f"{name}.iso"

    def forget() -> None:
        for path in (image, image.with_suffix(".iso.tmp")):
            path.unlink(missing_ok=True)

    argv = [*program, "make-image", "--no-cache", "--report=quiet", f"--image={image}"]
    label = f"{'jigdo-file' if name == 'theirs' else 'release-builder-jigdo-file'} make-image"
    return Task(
        label, [*argv, f"--template={root / name}.template", str(tree)], root, forget, inputs=[tree]
    )
