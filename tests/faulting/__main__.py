"""Put faults into the installed command, by the thousand.

usage, from tests/: python -m faulting [--points 3000] [--seed 7] [--only build] [--jobs 2]
                    python -m faulting --replay build:pwrite:17:enospc
                    python -m faulting --trace build
"""

from __future__ import annotations

import argparse
import random
import sys
import time

from faulting.campaign import Tally, campaign, staged
from faulting.faults import Point
from faulting.worlds import all_worlds


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m faulting", description=__doc__.split("\n")[0])
    parser.add_argument("--points", type=int, default=3000, help="how many; default: 3000")
    parser.add_argument("--seed", type=int, help="default: another one each time")
    parser.add_argument("--only", action="append", choices=all_worlds(), help="this world")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time; default: 2")
    parser.add_argument("--replay", action="append", metavar="POINT", help="try this one alone")
    parser.add_argument("--trace", choices=all_worlds(), help="print the calls of a world")
    options = parser.parse_args()
    if options.trace:
        return _trace(options.trace)
    tally = Tally()
    if options.replay:
        for point in map(Point.parse, options.replay):
            with staged(all_worlds()[point.world]) as ready:
                verdict = ready.tryout(point)
            _say(f"{verdict}\n{'not met' if not verdict.injected else ''}")
            tally.add(verdict)
        return bool(tally.failures)
    seed = random.randrange(1 << 16) if options.seed is None else options.seed
    _say(f"seed {seed}")
    begun = time.monotonic()
    worlds = options.only or list(all_worlds())
    try:
        for came in campaign(worlds, options.points, seed, options.jobs):
            known = len(tally.failures)
            tally.add(came)
            for failure in tally.failures[known:]:
                _say(failure)
    except KeyboardInterrupt:
        _say("stopped; so far:")
    _say(f"\n{tally.table()}\n")
    _say(f"seed {seed}, {len(tally.failures)} failed, {time.monotonic() - begun:.0f} s")
    return bool(tally.failures)


def _trace(world: str) -> int:
    with staged(all_worlds()[world]) as ready:
        for call in ready.trace():
            _say(f"{world}:{call.kind}:{call.number}  {call.program} {call.path}")
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
