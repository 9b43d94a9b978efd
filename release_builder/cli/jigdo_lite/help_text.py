"""What -h and -v print."""

from __future__ import annotations

from release_builder import __version__


def version() -> str:
    """The line that -v prints; scripts take the number after the slash."""
    return f"jigdo-lite/{__version__} (release-builder)\n"


def usage(program: str) -> str:
    """What -h prints."""
    return f"""Usage: {program} [OPTIONS] [FILES or URLS...]

Builds each image that a .jigdo file describes, in this folder: first from the
files that are here, then from the web. The same command goes on where a run
was stopped. Lists in braces need no shell: 'cd-{{1,2}}.jigdo'.

Options, before the files:
      --scan PATH  look for parts here: a folder, a file, an image; do not ask.
                   May be given again.
      --noask      ask nothing: every question gets its default
  -h, --help       this text
  -v, --version    the version

Settings are kept in ~/.jigdo-lite: read as data, never run.

Exit statuses, the worst of all images:
  0    the images are there, and right
  1    parts are missing: run it again later
  2    wrong: usage, a broken .jigdo or template, bytes that do not verify
  3    could not be done: permissions, a full disk
  75   another run makes the same image
  130  interrupted

Example:
  {program} --noask --scan ../../smeos/x86_64/ *.jigdo
"""
