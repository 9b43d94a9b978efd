"""The files and the variables of the environment that the manual tells of."""

from __future__ import annotations

from typing import Final

from release_builder.manual.click_commands import PROGRAM
from release_builder.manual.help_texts import JIGDO_FILE, JIGDO_LITE, PUAVO

_MAIN: Final = (PROGRAM,)
_WEB: Final = (PROGRAM, JIGDO_LITE)
_ALL: Final = (PROGRAM, JIGDO_FILE, JIGDO_LITE)

# name, programs that it is for, what it is
FILES: Final = (
    (
        "/etc/release-builder/releases.d/",
        _MAIN,
        "Descriptors of the releases that are refreshed by schedule, one a file that ends in .yaml.",
    ),
    (
        "/var/lib/release-builder/",
        _ALL,
        "What root's runs know: digests of files that have not changed, and the history of runs. "
        "Other users have it in ~/.local/state/release-builder/.",
    ),
    ("/var/log/release-builder/", _MAIN, "The logs of scheduled refreshes."),
    (
        "WORKDIR/tree/, WORKDIR/pair/, WORKDIR/image/, WORKDIR/aside/",
        _MAIN,
        "A copy of the mirror's files; the .jigdo as it is to be published, and its template; the "
        "images; what was in the way. WORKDIR is PRODUCT-ARCH/ below the descriptor's folder (of "
        "NAME.yaml below /etc: below /var/lib/release-builder/images/NAME/) unless --workdir or "
        "the descriptor says otherwise.",
    ),
    (
        "MIRROR_DIR/CKSUMS, MIRROR_DIR/meta/, MIRROR_DIR/rdiffs/",
        PUAVO,
        "What clients read: digests of all files, what each series has, how to get from one image "
        "to another.",
    ),
    (
        "DIR/config/images/DISTRIBUTION.json, DIR/defaults.mk",
        PUAVO,
        "Below the tree of puavo-os: which images each series has, and where they are.",
    ),
    ("~/.jigdo-lite", (JIGDO_LITE,), "Settings, the last answers among them. Read as data."),
    ("~/.netrc", _WEB, "Names and passwords for web servers that ask for them."),
)
VARIABLES: Final = (
    ("RELEASE_BUILDER_STATE", _ALL, "The folder to use in the place of /var/lib/release-builder/."),
    (
        "XDG_STATE_HOME",
        _ALL,
        "The folder that a user's state lies in, in the place of ~/.local/state.",
    ),
    ("TMPDIR", (*_ALL, *PUAVO), "Where what is needed for a moment is kept, in the place of /tmp."),
    (
        "SOURCE_DATE_EPOCH",
        _MAIN,
        "The time that what is made shall carry in the place of now, in seconds since 1970.",
    ),
    (
        "http_proxy, https_proxy, all_proxy, no_proxy",
        _WEB,
        "The proxies for web servers, and the hosts that are asked without one. They may be written "
        "in capitals (NO_PROXY), but for http_proxy.",
    ),
    ("RSYNC_PROXY, RSYNC_PASSWORD", _MAIN, "As rsync(1) has them."),
    ("NETRC", _WEB, "The file to read in the place of ~/.netrc."),
    (
        "SSL_CERT_FILE",
        _WEB,
        "A file of certificates to trust in the place of the usual ones; --ca-bundle counts more.",
    ),
    (
        "GNUPGHOME, GPG_TTY",
        _MAIN,
        "The folder of the keys that sums files are signed with, and where gpg asks for a "
        "passphrase.",
    ),
    ("SSH_AUTH_SOCK", _MAIN, "The agent that ssh uses to publish on another machine."),
    ("TZ", _MAIN, "The time zone of dates that are shown."),
    ("NO_COLOR", _MAIN, "Set to anything, it means --no-color; so does TERM=dumb."),
)
