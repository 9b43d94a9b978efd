"""Two names that change places in one go: renameat2(2), Linux 3.15 and later."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_AT_FDCWD: Final = -100
_RENAME_EXCHANGE: Final = 2
# EINVAL is what a file system says that cannot do it, such as NFS.
_UNABLE: Final = {errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP}


def exchange(first: Path, second: Path) -> bool:
    """Let ``first`` and ``second`` change places, whatever they are.

    Returns:
        False if this system cannot do it; nothing has changed then.

    Raises:
        OSError: It may not be done.
    """
    try:
        import ctypes  # noqa: PLC0415 (an interpreter that is linked statically has none)

        call = ctypes.CDLL(None, use_errno=True).renameat2
    except (ImportError, AttributeError):  # the latter: glibc before 2.28
        return False
    if call(_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in _UNABLE:
        return False
    raise OSError(code, os.strerror(code), str(second))
