"""``images``: the image repository of schools, made, checked, cleaned, uploaded and looked at."""

from __future__ import annotations

import contextlib
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from release_builder.api.repositories import (
    clean_repository,
    push_repository,
    serve_repository,
    verify_repository,
)
from release_builder.api.repository_options import UpdateOptions, WorkOptions
from release_builder.api.repository_update import update_repository
from release_builder.cli.durations import DURATION
from release_builder.cli.options import with_output
from release_builder.cli.show import print_document, show_report
from release_builder.cli.sizes import SIZE
from release_builder.errors import Status
from release_builder.repository.configuration import Compat
from release_builder.repository.selection import Policy

if TYPE_CHECKING:
    from release_builder.cli.options import Output

_FOLDER = click.Path(path_type=Path, file_okay=False)
_MIRROR_DIR = click.argument("mirror", metavar="MIRROR_DIR", type=_FOLDER)
_JOBS = click.option(
    "--jobs", metavar="N", type=click.IntRange(1, 1024), help="So many at a time; default: cores."
)
_MEMORY = click.option(
    "--memory",
    metavar="SIZE",
    type=SIZE,
    help="What all deltas together may take, such as 4G; default: half of this machine's.",
)


@click.group()
def images() -> None:
    """Maintain an image repository: CKSUMS, meta and rdiffs for a folder of images.

    \b
    Example:
      release-builder images update -r images.example.org puavo-os-images mirror
      release-builder images verify mirror
      release-builder images push mirror www.example.org:/srv/images
    """


@images.command()
@click.argument("image_dir", metavar="IMAGE_DIR", type=_FOLDER)
@click.argument("mirror", metavar="[MIRROR_DIR]", required=False, type=_FOLDER)
@click.option(
    "-r",
    "--repository",
    metavar="HOST",
    help="Where clients find the repository: a host, which means https://HOST, or a URL.",
)
@click.option(
    "-p",
    "--puavo-os",
    metavar="DIR",
    type=_FOLDER,
    help="Keep config/images/*.json and defaults.mk of this tree, as puavo-os does.",
)
@click.option(
    "-n",
    "--no-config",
    "--no-files",
    "keep_config",
    is_flag=True,
    help="Take config/images/*.json as they are.",
)
@click.option(
    "--compat",
    type=click.Choice([str(each) for each in Compat]),
    default=str(Compat.SEED),
    show_default=True,
    help="Which puavo-os to be like: block size of rdiffs, form of the configuration.",
)
@click.option("--generations", is_flag=True, help="Make MIRROR_DIR a link that is switched.")
@_MEMORY
@_JOBS
@click.option(
    "--split-deltas",
    is_flag=True,
    help="Make a delta on all cores: any client can apply it, but its bytes are not rdiff's.",
)
@click.option(
    "--scheduler", metavar="URL", help="Do the work on a Dask cluster, such as tcp://host:8786."
)
@click.option(
    "--targets",
    metavar="N",
    type=click.IntRange(0),
    default=3,
    show_default=True,
    help="Rdiffs lead to the last N images of a series.",
)
@click.option(
    "--sources", metavar="N", type=click.IntRange(0), help="... from the last N; default: from all."
)
@click.option("--no-downgrades", is_flag=True, help="No rdiffs from newer to older images.")
@click.option(
    "--largest-share",
    metavar="PERCENT",
    type=click.IntRange(1, 100),
    help="Leave out rdiffs that are larger than this share of the image.",
)
@click.option("--sign", metavar="KEY", help="Sign meta and CKSUMS with this secret key of gpg.")
@click.option(
    "--list-in",
    metavar="ROOT",
    type=_FOLDER,
    help="List it, with a chart of its sizes, in the index page of this public root above it.",
)
@click.option("--full", is_flag=True, help="Read and prove all again, whatever earlier runs noted.")
@with_output
def update(  # noqa: PLR0913 (one argument an option)
    *,
    image_dir: Path,
    mirror: Path | None,
    repository: str | None,
    puavo_os: Path | None,
    keep_config: bool,
    compat: str,
    generations: bool,
    memory: int | None,
    jobs: int | None,
    split_deltas: bool,
    scheduler: str | None,
    targets: int,
    sources: int | None,
    no_downgrades: bool,
    largest_share: int | None,
    sign: str | None,
    list_in: Path | None,
    full: bool,
    output: Output,
) -> int:
    """Make the repository MIRROR_DIR (default: IMAGE_DIR/mirror) of the images in IMAGE_DIR.

    What is there is not made again; what is published was proven, and is always whole.

    \b
    Example:
      release-builder images update -r images.example.org puavo-os-images mirror
      release-builder images update --full puavo-os-images mirror
    """
    options = UpdateOptions(
        image_dir=image_dir,
        mirror=mirror,
        repository=repository,
        puavo_os=puavo_os,
        keep_config=keep_config,
        compat=Compat(compat),
        generations=generations,
        work=WorkOptions(jobs, memory, scheduler, split_deltas=split_deltas),
        policy=Policy(
            targets,
            sources,
            downgrades=not no_downgrades,
            largest_share=largest_share,
        ),
        sign=sign,
        list_in=list_in,
        full=full,
    )
    return show_report(update_repository(options, output.monitor()), output)


@images.command()
@_MIRROR_DIR
@_JOBS
@with_output
def verify(*, mirror: Path, jobs: int | None, output: Output) -> int:
    """Check all that MIRROR_DIR says of itself: sizes, digests, and each rdiff by patching.

    \b
    Example:
      release-builder images verify mirror
    """
    return show_report(verify_repository(mirror, output.monitor(), jobs=jobs), output)


@images.command()
@_MIRROR_DIR
@click.option(
    "--grace",
    metavar="TIME",
    type=DURATION,
    default="7d",
    show_default=True,
    help="Keep what went out of use later than that: clients may still be fetching it.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@with_output
def clean(*, mirror: Path, grace: float, dry_run: bool, output: Output) -> int:
    """Remove what no meta file of MIRROR_DIR names any more: rdiffs, images, work files.

    \b
    Example:
      release-builder images clean --grace 72h mirror
    """
    report = clean_repository(mirror, output.monitor(), grace=grace, dry_run=dry_run)
    return show_report(report, output)


@images.command()
@_MIRROR_DIR
@click.argument("target", metavar="HOST:/PATH")
@click.option(
    "--ssh", metavar="COMMAND", default="ssh", show_default=True, help="What reaches HOST."
)
@click.option("--full", is_flag=True, help="Compare all files by content, not by size and time.")
@with_output
def push(*, mirror: Path, target: str, ssh: str, full: bool, output: Output) -> int:
    """Bring MIRROR_DIR to where it is served: by rsync over ssh, or to a local path.

    First what is named, then what names it, then what goes away. Work files stay here.

    \b
    Example:
      release-builder images push mirror www.example.org:/srv/images
    """
    report = push_repository(mirror, target, output.monitor(), ssh=ssh, full=full)
    return show_report(report, output)


@images.command()
@_MIRROR_DIR
@with_output
def serve(*, mirror: Path, output: Output) -> int:
    """Show MIRROR_DIR to programs of this machine, by http, until Ctrl-C.

    \b
    Example:
      release-builder images serve mirror
    """
    with contextlib.suppress(KeyboardInterrupt), serve_repository(mirror) as url:
        if output.json:
            print_document("serve", Status.DONE, {"url": url})
        else:
            click.echo(f"{url}/CKSUMS")
        sys.stdout.flush()
        threading.Event().wait()
    return Status.DONE
