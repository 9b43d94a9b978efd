"""A mirror that the real rsync program reads: a daemon's module or a local folder."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from release_builder import process
from release_builder.errors import IncompleteError, SurroundingsError, printable
from release_builder.monitor import Monitor
from release_builder.transport.rsync_output import (
    OUT_FORMAT,
    VANISHED,
    OutputReader,
    check_kept,
    failure,
)
from release_builder.transport.silence import Guard

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from release_builder.transport import Pull, Transfer

_CONNECT_TIMEOUT: Final = 30  # seconds
_LIST_TIMEOUT: Final = 60
_PATIENCE: Final = 1.25  # of the timeout: rsync's own counts first, and says more
_ALL: Final = 2**31 - 1
# Where rsync keeps what --delay-updates holds back: ours must not be deleted as something that
# the mirror lacks, and a mirror's own is not part of a release.
HELD_BACK: Final = ".~tmp~"
# A mirror may neither make a program here run as our user, nor a place where anybody writes.
MODES: Final = "--chmod=ug-s,o-t,o-w"
_PASSED_ON: Final = ("RSYNC_PROXY", "RSYNC_PASSWORD")


class RsyncMirror:
    """The tree at ``source``, as rsync names it, with a slash at the end.

    Args:
        source: ``rsync://host/module/path/`` or the absolute path of a folder.
        keep_open: Descriptors that rsync inherits, so that a lock is held as long as it writes.
    """

    def __init__(self, source: str, keep_open: Sequence[int] = ()) -> None:
        self.source = source
        self._keep_open = tuple(keep_open)

    @cached_property
    def version(self) -> tuple[int, int]:
        """The rsync program's version, such as (3, 1)."""
        said = process.run(["rsync", "--version"]).stdout
        found = re.search(r"version v?(\d+)\.(\d+)", said)
        if not found:
            raise SurroundingsError("rsync --version does not say a version", hint=said[:200])
        return int(found[1]), int(found[2])

    def names(self) -> tuple[str, ...]:
        """See Transport."""
        argv = ["rsync", "--list-only", f"--timeout={_LIST_TIMEOUT}", *self._reach(), self.source]
        outcome = process.run(argv, env=self._environment(), keep_open=self._keep_open)
        if outcome.status:
            raise failure(outcome.status, outcome.stderr, self.source)
        # -rw-r--r--      1,234 2013/10/15 16:41:30 name
        entries = (line.split(None, 4) for line in outcome.stdout.splitlines() if line[:1] in "d-l")
        return tuple(
            printable(entry[4]) + ("/" if entry[0].startswith("d") else "")
            for entry in entries
            if len(entry) == 5 and entry[4] != "."
        )

    def preview(self, pull: Pull, monitor: Monitor) -> Transfer:
        """See Transport."""
        counting = replace(pull, max_delete=_ALL)
        argv = [*self._argv(counting), "--dry-run"]
        return self._run(argv, counting, OutputReader(Monitor()), monitor)

    def pull(self, pull: Pull, monitor: Monitor) -> Transfer:
        """See Transport."""
        pull.into.mkdir(parents=True, exist_ok=True)
        progress = ["--info=progress2"] if self.version >= (3, 1) else []
        transfer = self._run([*self._argv(pull), *progress], pull, OutputReader(monitor), monitor)
        for moved in transfer.fetched:
            # A name that rsync had to write in another way cannot be looked for.
            if "\\#" not in moved.path and not os.path.lexists(pull.into / moved.path):
                raise SurroundingsError(
                    f"rsync {self.source}: says that {printable(moved.path)} came, and all went"
                    " well, but it is not there",
                    hint="see how many files may be open (ulimit -n), and run it again",
                )
        return transfer

    def _run(
        self, argv: Sequence[str], pull: Pull, reader: OutputReader, monitor: Monitor
    ) -> Transfer:
        guard = Guard(pull.timeout * _PATIENCE)

        def listen(piece: bytes) -> None:
            guard.hear(piece)
            reader.feed(piece)

        outcome = process.run(
            [*argv, self.source, f"{pull.into}/"],
            stdin=b"".join(os.fsencode(rule) + b"\0" for rule in exact_rules(pull.only)),
            on_output=listen,
            on_start=monitor.detail,
            env=self._environment(),
            keep_open=self._keep_open,
            watch=guard.watch,
        )
        if guard.has_ended_it and outcome.status:
            raise IncompleteError(
                f"rsync {self.source}: the mirror fell silent for {pull.timeout} seconds",
                hint="run again later",
            )
        if outcome.status not in {0, VANISHED}:
            raise failure(outcome.status, outcome.stderr, self.source)
        check_kept(outcome.stderr, self.source)
        return reader.transfer(vanished=outcome.status == VANISHED)

    def _environment(self) -> dict[str, str]:
        return process.environment(pass_on=_PASSED_ON)

    def _reach(self) -> Iterator[str]:
        if self.source.startswith("rsync:") and self.version >= (3, 0):
            yield f"--contimeout={_CONNECT_TIMEOUT}"

    def _argv(self, pull: Pull) -> list[str]:
        # Thousands of names do not fit into a command line. --files-from would read more simply,
        # but rsync 3.5.0 finds nothing with it when the URL goes below the module's root.
        exact = ["--from0", "--include-from=-", "--exclude=*"]
        selection = exact if pull.only else filters(pull)
        return ["rsync", *pull_options(pull), *self._reach(), *selection]


def pull_options(pull: Pull) -> list[str]:
    """Options of rsync for ``pull``, without what it reads and writes."""
    options = [
        "-aHS",
        # The ids of a mirror's users mean nothing here, and devices have no place in a release.
        "--no-owner",
        "--no-group",
        "--no-devices",
        "--no-specials",
        MODES,
        "--stats",
        f"--out-format={OUT_FORMAT}",
        f"--timeout={pull.timeout}",
    ]
    if pull.partial:
        options.append("--partial")
    if pull.delay_updates:
        options.append("--delay-updates")
    if pull.only:
        options.append("--checksum")
    if pull.bwlimit:
        options.append(f"--bwlimit={pull.bwlimit}")
    if pull.delete:
        options += ["--delete-after", f"--max-delete={pull.max_delete}"]
    return options


def filters(pull: Pull) -> list[str]:
    """The filter rules that leave just what ``pull`` wants; for rsync the first match counts."""
    folders = [entry for entry in pull.wanted if entry.endswith("/")]
    patterns = [entry for entry in pull.wanted if not entry.endswith("/")]
    rules = [f"--exclude={pattern}" for pattern in (HELD_BACK, *pull.excluded)]
    rules += [f"--include={each}" for pattern in patterns for each in _way_to(pattern)]
    rules += [f"--exclude={pattern}" for pattern in pull.unwanted]
    for folder in folders:
        rules += [f"--include={each}" for each in _way_to(folder)]
        rules.append(f"--include=/{folder}**")
    return [*dict.fromkeys(rules), "--exclude=*"]


def exact_rules(paths: Iterable[str]) -> list[str]:
    """The include rules that let just the files ``paths`` pass, given an exclusion of all else."""
    return list(dict.fromkeys(rule for path in paths for rule in _way_to(f"/{_literal(path)}")))


def _literal(path: str) -> str:
    r"""``path`` as a pattern that means just itself; rsync reads ``\`` so only beside wildcards."""
    return re.sub(r"([*?\[\\])", r"\\\1", path) if re.search(r"[*?\[]", path) else path


def _way_to(entry: str) -> list[str]:
    """``/a/``, ``/a/b/``, ``/a/b/c`` for ``a/b/c``: what lies in excluded folders is never seen."""
    if "/" not in entry:  # a plain name counts in every folder
        return [entry]
    names = entry.strip("/").split("/")
    parents = [f"/{'/'.join(names[:depth])}/" for depth in range(1, len(names))]
    return [*parents, f"/{entry.lstrip('/')}"]
