"""Where what is in a package lies, on the machine that it is installed on."""

from __future__ import annotations

from typing import Final

HOME: Final = "/usr/lib/release-builder"
PYTHON: Final = f"{HOME}/bin/python3"
APPLICATION: Final = f"{HOME}/app.zip"
CERTIFICATES: Final = f"{HOME}/cacert.pem"
LICENCES: Final = f"{HOME}/licences"
PROGRAMS: Final = "/usr/bin"
MANUAL: Final = "/usr/share/man/man1"
SAMPLES: Final = "/etc/release-builder/releases.d"
UNITS: Final = "/usr/lib/systemd/system"
ZSH: Final = "/usr/share/zsh/site-functions"
BASH: Final = "/usr/share/bash-completion/completions"
BASH_UP_TO_EL6: Final = "/etc/bash_completion.d"
EMPTY: Final = ("/var/lib/release-builder", "/var/log/release-builder")
