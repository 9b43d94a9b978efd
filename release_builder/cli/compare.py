"""``compare``: what changed between two releases."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from release_builder import api
from release_builder.cli.options import OFFLINE, SECONDS, with_output
from release_builder.cli.show import print_document
from release_builder.cli.show_comparison import comparison_document, show_comparison
from release_builder.errors import Status

if TYPE_CHECKING:
    from release_builder.cli.options import Output


@click.command()
@click.argument("old")
@click.argument("new")
@click.option("--html", metavar="FILE", type=click.Path(path_type=Path), help="Write a web page.")
@click.option("-f", "--force", is_flag=True, help="Replace the file of --html if it is there.")
@click.option(
    "--arch",
    metavar="ARCH",
    help="Of releases of several architectures, look at this one only.",
)
@click.option(
    "--bug-url",
    metavar="URL",
    default=api.BUG_URL,
    show_default=True,
    help="Where the page links bugs to; {bug} is the number.",
)
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=SECONDS,
    default=30.0,
    show_default=True,
    help="Give up a connection that is silent for so long.",
)
@click.option(
    "--ca-bundle",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Trust these certificates in the place of the usual ones.",
)
@click.option("--mirror", metavar="URL", help="No difference here: name the URL of a release.")
@OFFLINE
@with_output
def compare(  # noqa: PLR0913 (one argument an option)
    *,
    old: str,
    new: str,
    html: Path | None,
    force: bool,
    arch: str | None,
    bug_url: str,
    timeout: float,
    ca_bundle: Path | None,
    mirror: str | None,
    offline: bool,
    output: Output,
) -> int:
    """Tell what changed between two releases: packages, changelogs, and what must be fetched.

    OLD and NEW are each an installer tree, an ISO file, a .jigdo (path or URL), the folder or URL
    of a published release, or a descriptor whose release was built. With -v the changelogs are
    shown. The exit status is 0 when the two could be compared, whatever changed.

    \b
    Example:
      release-builder compare sme-9.0beta3.iso http://mirror.example/testing/9.0beta4/
    """
    del mirror
    if html:
        api.check_page(html, bug_url, force=force)
    options = api.CompareOptions(
        arch=arch, offline=offline, http=api.HttpOptions(timeout=timeout, ca_bundle=ca_bundle)
    )
    with api.open_cache(api.state_folder(os.environ)) as cache:
        comparison = api.compare_releases(old, new, options, cache=cache, monitor=output.monitor())
    if html:
        api.write_comparison(comparison, html, bug_url=bug_url, force=force)
    if output.json:
        print_document("compare", Status.DONE, comparison_document(comparison, html))
    else:
        show_comparison(comparison, html, output)
    return Status.DONE
