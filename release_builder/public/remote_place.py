"""A root folder on a machine that ssh reaches: GNU coreutils and flock there, rsync on both."""

from __future__ import annotations

import contextlib
import posixpath
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder import files
from release_builder.errors import ReleaseBuilderError, WrongBytesError, printable, surroundings
from release_builder.locks import open_locked
from release_builder.public.layout import LOCK
from release_builder.public.links import leads_out, no_file
from release_builder.public.place import SMALL, Entry, Kind
from release_builder.public.ssh import INSIDE
from release_builder.public.trees import make_folders

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from release_builder.public.ssh import Host

_LAST: Final = ("*.jigdo", "*.template", "*[sS][uU][mM]*", "*.asc", "*.iso")
# Before coreutils 8.24 sync knows neither -f nor names: then all is brought to disk.
_SYNC_ALL: Final = "sync -f . 2>/dev/null || sync\n"
_SYNC: Final = '\nsync -- "$(dirname -- "./$1")" "$(dirname -- "./$2")" 2>/dev/null || sync\n'
# A name that is absent leaves the pattern behind, which names nothing.
_LISTINGS: Final = r"""
root=$(pwd)
while [ $# -gt 0 ]; do
    if cd -- "$1" 2>/dev/null; then
        for name in * .[!.]* ..?*; do
            if [ -L "$name" ]; then kind=l target=$(readlink -- "$name")
            elif [ -d "$name" ]; then kind=d target=
            elif [ -e "$name" ]; then kind=f target=
            else continue
            fi
            changed=$(stat -c %Y -- "$name")
            printf '%s\0' "$#" "$kind" "$changed" "$name" "$target"
        done
        cd -- "$root"
    fi
    shift
done
"""
_CLONE: Final = """
source=$1 name=$2; shift 2
rm -rf -- "./$name"
if [ -n "$source" ] && [ -d "./$source" ]; then
    cp -alT -- "./$source" "./$name" 2>/dev/null || {
        rm -rf -- "./$name"; cp -aT -- "./$source" "./$name"; }
else mkdir -p -- "./$name"
fi
for each do rm -rf -- "./$name/$each"; done
"""
_SETTLE: Final = 'touch -d "@$3" -- "./$1"\n[ "$1" = "$2" ] || mv -T -- "./$1" "./$2"' + _SYNC
_RENAME: Final = 'mkdir -p -- "./$3"\nmv -T -- "./$1" "./$2"' + _SYNC
# --exchange came with coreutils 9.5. The end of the connection must not stop the three in between.
_EXCHANGE: Final = (
    """
mv --exchange -T -- "./$1" "./$2" 2>/dev/null || {
    trap '' HUP INT TERM PIPE
    mv -T -- "./$2" "./$3"
    mv -T -- "./$1" "./$2" || { mv -T -- "./$3" "./$2"; exit 1; }
    mv -T -- "./$3" "./$1"; }
"""
    + _SYNC
)
_LINK: Final = """
rm -f -- "./$3"
ln -s -- "$2" "./$3"
mkdir -p -- "./$4"
[ "$3" = "$1" ] || mv -T -- "./$3" "./$1"
sync -- "./$4" 2>/dev/null || sync
"""
# What comes before the content says what it is.
_READ: Final = (
    INSIDE
    + """
inside "./$1" || { printf l; exit; }
[ -e "./$1" ] || exit 0
[ -f "./$1" ] || { printf n; exit; }
printf f
head -c "$2" -- "./$1"
"""
)


class RemotePlace:
    """The root folder of ``host``; see Place.

    Args:
        host: What reaches it.
        scratch: A folder on this machine, made where missing; ``staged`` in it is filled.
    """

    def __init__(self, host: Host, scratch: Path) -> None:
        self._host = host
        self._scratch = scratch / "staged"

    @contextlib.contextmanager
    def lock(self, store: str) -> Iterator[None]:
        """See Place."""
        folder = self._scratch / store
        with contextlib.ExitStack() as held:
            try:
                make_folders(folder)
                # An rsync of ours that outlives us goes on to write: it keeps this one.
                ours = held.enter_context(open_locked(folder / LOCK))
            except OSError as error:
                raise surroundings(error) from error
            held.enter_context(self._host.holding(store, folder / "lock.log", ours.fileno()))
            yield

    def listings(self, folders: Sequence[str]) -> tuple[dict[str, Entry], ...]:
        """See Place."""
        found: tuple[dict[str, Entry], ...] = tuple({} for _ in folders)
        fields = self._host.script(_LISTINGS, *(f"./{each}" for each in folders)).split("\0")
        for left, kind, changed, name, target in zip(*[iter(fields)] * 5, strict=False):
            found[-int(left)][name] = Entry(Kind(kind), target, int(changed))
        return found

    def local(self, name: str) -> None:
        """See Place."""

    def stage(self, source: str | None, name: str, without: Sequence[str]) -> Path:  # noqa: ARG002 (there it is cloned, with upload)
        """See Place."""
        path = self._scratch / name
        try:
            shutil.rmtree(path, ignore_errors=True)
            make_folders(path)
        except OSError as error:
            raise surroundings(error) from error
        return path

    def upload(self, source: str | None, name: str, without: Sequence[str]) -> None:
        """See Place."""
        plain = [each.rstrip("/") for each in without]
        linked = [f"--link-dest={posixpath.relpath(source, name)}"] if source else []
        here = f"{self._scratch / name}/"
        try:
            self._host.script(_CLONE, source or "", name, *plain)
            # Who mirrors the tree as it is finds no pair, and no sums, of files that are not there.
            held_back = [f"--exclude={pattern}" for pattern in _LAST]
            self._host.send(here, f"{name}/", *linked, *held_back)
            self._host.send(here, f"{name}/", *linked)
            self._host.script(_SYNC_ALL)
        except BaseException:
            with contextlib.suppress(ReleaseBuilderError):
                self.discard(name)
            raise

    def discard(self, name: str) -> None:
        """See Place."""
        shutil.rmtree(self._scratch / name, ignore_errors=True)
        self.remove(name)

    def settle(self, name: str, final: str, seconds: int) -> None:
        """See Place."""
        self._host.script(_SETTLE, name, final, str(seconds))
        shutil.rmtree(self._scratch / name, ignore_errors=True)

    def rename(self, name: str, final: str) -> None:
        """See Place."""
        self._host.script(_RENAME, name, final, posixpath.dirname(final))

    def exchange(self, first: str, second: str, spare: str) -> None:
        """See Place."""
        self._host.script(_EXCHANGE, first, second, spare)

    def link(self, name: str, target: str, beside: str) -> None:
        """See Place."""
        self._host.script(_LINK, name, target, beside, posixpath.dirname(name))

    def remove(self, name: str) -> None:
        """See Place."""
        self._host.script('rm -rf -- "./$1"', name)

    def read(self, name: str) -> bytes | None:
        """See Place."""
        said = self._host.script(_READ, files.check_relative(name), str(SMALL + 1))
        if not said:
            return None
        if said[0] != "f":
            raise (leads_out if said[0] == "l" else no_file)(name, str(self._host))
        content = said.encode("utf-8", "surrogateescape")[1:]
        if len(content) > SMALL:
            raise WrongBytesError(
                f"{printable(name)} is larger than {SMALL:,} bytes: that cannot be right"
            )
        return content

    def replace(self, name: str, content: bytes) -> None:
        """See Place."""
        files.check_relative(name)
        try:
            with tempfile.TemporaryDirectory(prefix="release-builder.") as folder:
                path = Path(folder, "content")
                path.write_bytes(content)
                path.chmod(0o644)
                if posixpath.dirname(name):
                    self._host.script('mkdir -p -- "./$1"', posixpath.dirname(name))
                self._host.send(str(path), name)
        except OSError as error:
            raise surroundings(error) from error
        self._host.script(_SYNC_ALL)
