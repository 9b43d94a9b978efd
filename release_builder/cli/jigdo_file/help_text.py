"""What -h, -H and -v print."""

from __future__ import annotations

from typing import Final

from release_builder import __version__
from release_builder.cli.jigdo_file.options import COMMANDS

_OPTIONS: Final = """
Options:
  -i, --image=FILE       the image
  -j, --jigdo=FILE       the .jigdo file
  -t, --template=FILE    the template, or for list-template an unfinished image
                         (One of the three is enough: CD.iso, CD.jigdo,
                         CD.template. - is stdin or stdout.)
  -T, --files-from=FILE  read names of files and folders from FILE, one a line,
                         up to an empty line; - is stdin
  -f, --force            replace outputs that are there already
  -r, --report=HOW       default, noprogress, quiet (problems only), or grep
                         ("offset file" on stdout for each match)
  -C, --checksum-algorithm=md5|sha256
                         what make-template writes; md5 unless given, which
                         every jigdo can read
  --label=LABEL=PATH     what [Parts] calls a folder given as PATH//
  --uri=LABEL=URL        where the files of a label can be had
  -0 ... -9              compression of the template, from fast to small; -9
                         unless given
  -c, --cache=FILE       keep digests of files in FILE
  --no-cache             keep none; without either, all commands share a cache
  -h, --help             the commands and the options that are often used
  -H, --help-all         all options
  -v, --version          the version
"""
_MORE: Final = """
Options of make-template:
  --match=HOW            how files are looked for in the image: extents (where
                         its folders say), content (anywhere; slower), both, or
                         auto: by content only if no folders can be read
  --min-length=BYTES     the shortest file that becomes a part: 1k unless given,
                         at least 256
  --[no-]greedy-matching take a match even where a larger file has begun; not
                         done unless asked for
  --merge=FILE           build upon this .jigdo file; - is stdin
  --gzip, --bzip2        how the template is compressed; gzip unless given
  --[no-]image-section, --[no-]servers-section
                         whether [Image] and [Servers] are written; they are
  --match-exec=COMMAND   run a shell's COMMAND for each match; it finds LABEL,
                         LABELPATH, MATCHPATH, LEAF, MD5SUM, SHA256SUM and FILE
                         in its environment, and has to succeed

More options:
  --[no-]hex             list-template, md5sum, sha256sum: hexadecimal digests
  --json                 list-template: one JSON document
  --cache-expiry=TIME    forget what was not used for so long; 30d unless given.
                         In seconds or as 36h, 30d, 4w, 6m, 1y; off forgets
                         nothing
  --no-force             undo --force
  --[no-]debug           say more
  --readbuffer=BYTES, --checksum-block-size=BYTES, --md5-block-size=BYTES,
  --[no-]scan-whole-file, --[no-]check-files
                         accepted for jigdo-file's sake, without effect: each
                         part, and the image, is digested in any case

BYTES may end in k, M or G. Long options may be abbreviated.
"""
_STATUSES: Final = """
Exit statuses:
  0    done; an image was checked whole
  1    make-image: more files are needed
  2    wrong bytes: an image or a part has another digest
  3    could not be done: usage, a damaged template, permissions, a full disk
  130  interrupted
"""


def version(program: str) -> str:
    """The line that -v prints; scripts take its third word for the version."""
    return f"{program.replace(' ', '-')} version {__version__}\n"


def usage(program: str, *, everything: bool) -> str:
    """What -h or -H prints."""
    rows = ((f"{name}, {each.short}", each.summary) for name, each in COMMANDS.items())
    commands = "".join(f"  {names:<22}  {summary}\n" for names, summary in rows)
    return (
        f"Usage: {program} COMMAND [OPTIONS] [FILES...]\n\nCommands:\n{commands}{_OPTIONS}"
        f"{_MORE + _STATUSES if everything else ''}"
        f"\nExample:\n  {program} make-template --image=cd.iso --label Base=tree \\\n"
        f"      --uri Base=http://mirror.example/tree/ tree//\n"
    )
