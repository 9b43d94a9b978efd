"""``build`` and its four steps as commands of their own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from release_builder import api
from release_builder.cli.options import (
    DESCRIPTORS,
    MIRROR,
    OFFLINE,
    SCHEDULER,
    STAGE,
    WORKDIR,
    with_output,
)
from release_builder.cli.show import show_report
from release_builder.descriptor.version import Stage
from release_builder.plan import BUILD, COMPOSE, Options

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from release_builder.cli.options import Output

_SCAN = click.option(
    "--scan",
    multiple=True,
    metavar="PATH",
    type=click.Path(path_type=Path, exists=True),
    help="Look for parts here too: a folder or a file; may be given again.",
)
_FULL = click.option(
    "--full", is_flag=True, help="Read every byte again, whatever was known from before."
)


_BASE = click.option(
    "--base",
    metavar="OLD.jigdo",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Parts that this older release has keep its servers; the others are laid out for upload.",
)


def _command(
    name: str, steps: Sequence[str], help_text: str, *own: Callable[..., object]
) -> click.Command:
    """A command that carries out ``steps`` for every descriptor it is given."""

    def carry_out(  # noqa: PLR0913 (one argument an option)
        *,
        descriptors: Sequence[Path],
        mirror: str | None,
        output: Output,
        workdir: Path | None,
        offline: bool,
        stage: str | None = None,
        scan: tuple[Path, ...] = (),
        full: bool = False,
        base: Path | None = None,
        scheduler: str | None = None,
    ) -> int:
        chosen = Stage(stage) if stage else None
        options = Options(workdir, offline, chosen, scan, full, base)
        planned = api.plans(descriptors, options, steps, mirror)
        return show_report(api.carry_out(name, planned, output.monitor(), scheduler), output)

    decorated = with_output(carry_out)
    for option in reversed((DESCRIPTORS, WORKDIR, *own, MIRROR, OFFLINE)):
        decorated = option(decorated)
    return click.command(name, help=help_text)(decorated)


build = _command(
    "build",
    BUILD,
    """Mirror, rewrite, assemble and verify the releases of the descriptors.

    Stopped anywhere, the same command goes on from there; what is done is not done again.

    \b
    Example:
      release-builder build sme9.yaml
    """,
    STAGE,
    _SCAN,
    _FULL,
    SCHEDULER,
)

sync = _command(
    "sync",
    ["sync"],
    """Make the tree in the workdir like the mirror's.

    Only what the release needs is fetched; a guard stops it when the mirror has lost its files.

    \b
    Example:
      release-builder sync --mirror rsync://mirror.example/smeserver/releases/9/ sme9.yaml
    """,
)

rewrite = _command(
    "rewrite",
    ["rewrite"],
    """Write the pair, with [Servers] pointing to where the tree is on http.

    The mirrored .jigdo stays as it came; the edited copy is in WORKDIR/pair/.

    \b
    Example:
      release-builder rewrite --stage final sme9.yaml
    """,
    STAGE,
)

assemble = _command(
    "assemble",
    ["assemble"],
    """Rebuild the image from the files that are here.

    Parts come from the tree, from --scan, from old images, then from the servers; --offline leaves
    those out.

    \b
    Example:
      release-builder assemble --scan /mnt/dvd sme9.yaml
    """,
    _SCAN,
    _FULL,
)

verify = _command(
    "verify",
    ["verify"],
    """Hold image and tree against all who say what they should be.

    They are the template, the descriptor's digests, and sums files; the exit status is 2 if
    anything differs.

    \b
    Example:
      release-builder verify --full sme9.yaml
    """,
    _FULL,
)

compose = _command(
    "compose",
    COMPOSE,
    """Make a bootable image from an installer tree, and the image's pair.

    The tree is looked through first: nothing is made from one that would not install. `mirror:`
    is the folder that it lies in.

    \b
    Example:
      release-builder compose sme9.yaml
    """,
    STAGE,
    _FULL,
)

pair = _command(
    "pair",
    ["pair"],
    """Make the pair of an image that is there, from the tree that its files came from.

    \b
    Example:
      release-builder pair sme9.yaml
      release-builder pair --base smeserver-9.0beta2-x86_64.jigdo sme9.yaml
    """,
    STAGE,
    _BASE,
    SCHEDULER,
)
