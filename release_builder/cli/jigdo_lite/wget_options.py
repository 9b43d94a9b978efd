"""What wgetOpts of ~/.jigdo-lite means for us, who call no wget.

Source: wget's manual page.
"""

from __future__ import annotations

import contextlib
import re
import shlex
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.transport.http import HttpOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_LONG: Final = {
    "-e": "--execute",
    "-t": "--tries",
    "-T": "--timeout",
}
_WITH_VALUE: Final = (*_LONG.values(), "--limit-rate", "--ca-certificate")
_PROXY: Final = re.compile(r"(https?_proxy|no_proxy)[ \t]*=[ \t]*(\S+)", re.IGNORECASE)
_NUMBER: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
_RATE: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)([kmgKMG]?)")
_UNITS: Final = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}  # bytes
# How wget talks, and what we do in any case.
_NEEDLESS: Final = re.compile(
    r"-n?v|-q|-c|-4|--(?:no-verbose|verbose|quiet|continue|passive-ftp|(?:dot-style|progress)=.*)"
)


@dataclass(frozen=True, slots=True)
class WgetOptions:
    """What was understood.

    Attributes:
        http: How servers are asked.
        proxies: Variables of the environment that name proxies.
        ignored: The options that mean nothing here, without their values.
    """

    http: HttpOptions = field(default_factory=HttpOptions)
    proxies: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


def read_wget_options(text: str) -> WgetOptions:
    """Take from wget's options what applies to any program that fetches."""
    http, proxies, ignored = HttpOptions(), {}, []
    for name, value, word in _options(text):
        if name == "--execute" and (proxy := _PROXY.fullmatch(value)):
            proxies[proxy[1].lower()] = proxy[2]
        elif name in _SET and (changed := _SET[name](http, value)):
            http = changed
        elif word.startswith("-") and not _NEEDLESS.fullmatch(word):
            ignored.append(re.split("[= ]", word)[0])  # its value may be a password
    return WgetOptions(http, proxies, tuple(ignored))


def _options(text: str) -> Iterator[tuple[str, str, str]]:
    """Long name, value, and both as they stand there, of each option."""
    try:
        words = iter(shlex.split(text))
    except ValueError:  # a quote without end
        words = iter(text.split())
    for word in words:
        if word.startswith("--"):
            name, equals, value = word.partition("=")
        else:
            name, value = _LONG.get(word[:2], word), word[2:]
            equals = value
        if name in _WITH_VALUE and not equals:
            value = next(words, "")
            yield name, value, f"{word} {value}"
        else:
            yield name, value, word


def _tries(http: HttpOptions, value: str) -> HttpOptions | None:
    # 0 is for ever: that is no plan.
    if not re.fullmatch("[0-9]{1,3}", value) or not int(value):
        return None
    return replace(http, retries=int(value) - 1)


def _timeout(http: HttpOptions, value: str) -> HttpOptions | None:
    if not _NUMBER.fullmatch(value) or not float(value):
        return None
    return replace(http, timeout=float(value))


def _limit_rate(http: HttpOptions, value: str) -> HttpOptions | None:
    found = _RATE.fullmatch(value)
    rate = int(float(found[1]) * _UNITS[found[2].lower()]) if found else 0
    return replace(http, limit_rate=rate) if rate else None


def _ca_certificate(http: HttpOptions, value: str) -> HttpOptions | None:
    if not value or "\0" in value:
        return None
    path = Path(value)
    with contextlib.suppress(RuntimeError):  # ~nobody, say: the file is not found then
        path = path.expanduser()
    return replace(http, ca_bundle=path)


_SET: Final[Mapping[str, Callable[[HttpOptions, str], HttpOptions | None]]] = {
    "--tries": _tries,
    "--timeout": _timeout,
    "--limit-rate": _limit_rate,
    "--ca-certificate": _ca_certificate,
}
