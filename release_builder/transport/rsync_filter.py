"""Which paths rsync's include and exclude rules let pass, decided without rsync.

Source: rsync(1), "FILTER RULES", "PATTERN MATCHING RULES".
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_WILD: Final = re.compile(rb"[*?\[]")
# ``[]...]`` and ``[!]...]`` have the bracket itself as their first member.
_TOKEN: Final = re.compile(
    rb"(?P<any>\*\*+)|(?P<star>\*)|(?P<one>\?)|\\(?P<plain>.)"
    rb"|\[(?P<no>[!^]?)(?P<members>\]?(?:\[:[a-z]+:\]|\\.|[^\]\\])*)\]|(?P<rest>.)",
    re.DOTALL,
)
_MEMBER: Final = re.compile(
    rb"\[:(?P<named>[a-z]+):\]|(?:\\?(?P<first>(?s:.))-\\?(?P<last>[^\]]))|\\?(?P<alone>(?s:.))"
)
_ANY_OF_IT: Final = {"any": rb".*", "star": rb"[^/]*", "one": rb"[^/]"}
_NOTHING: Final = rb"(?!)"
_CLASSES: Final = {
    b"alnum": rb"0-9A-Za-z",
    b"alpha": rb"A-Za-z",
    b"blank": rb"\t ",
    b"cntrl": rb"\x00-\x1f\x7f",
    b"digit": rb"0-9",
    b"graph": rb"!-~",
    b"lower": rb"a-z",
    b"print": rb" -~",
    b"punct": rb"!-/:-@\[-`{-~",
    b"space": rb"\t-\r ",
    b"upper": rb"A-Z",
    b"xdigit": rb"0-9A-Fa-f",
}


@dataclass(frozen=True, slots=True)
class _Rule:
    """One rule; rsync compares bytes, so ``?`` is one byte of UTF-8's several.

    Attributes:
        includes: It lets pass what matches.
        folders_only: It says nothing of anything else.
        of_paths: It looks at the whole path, not at the last name alone.
        rooted: The path has a slash before it, so that ``**/x`` also means ``x``.
        with_content: ``a/***`` means the folder ``a`` too.
        pattern: Matches as a whole.
    """

    includes: bool
    folders_only: bool
    of_paths: bool
    rooted: bool
    with_content: bool
    pattern: re.Pattern[bytes]

    def matches(self, path: bytes, *, is_folder: bool) -> bool:
        if self.folders_only and not is_folder:
            return False
        subject = path if self.of_paths else path.rpartition(b"/")[2]
        subject = b"/" + subject if self.rooted else subject
        if self.with_content and is_folder:
            subject += b"/"
        return self.pattern.fullmatch(subject) is not None


class Selection:
    """What a list of rules leaves.

    Args:
        options: ``--include=PATTERN`` and ``--exclude=PATTERN`` as rsync takes them; the first
            that matches counts, and what none matches passes.
    """

    def __init__(self, options: Iterable[str]) -> None:
        self._rules = tuple(_rule(option) for option in options)

    def admits(self, path: str, *, is_folder: bool) -> bool:
        """Whether ``path``, relative to the root, passes; so must the folders above it."""
        name = os.fsencode(path)
        for rule in self._rules:
            if rule.matches(name, is_folder=is_folder):
                return rule.includes
        return True


def _rule(option: str) -> _Rule:
    kind, _, text = option.partition("=")
    pattern = os.fsencode(text)
    folders_only = len(pattern) > 1 and pattern.endswith(b"/")
    pattern = pattern[:-1] if folders_only else pattern
    wild = _WILD.search(pattern) is not None
    deep = wild and b"**" in pattern
    of_paths = deep or b"/" in pattern
    rooted = deep and pattern.startswith(b"**")
    anywhere = of_paths and not rooted and not pattern.startswith(b"/")
    plain = pattern.removeprefix(b"/")
    body = _wild(plain) if wild else re.escape(plain)
    return _Rule(
        includes=kind == "--include",
        folders_only=folders_only,
        of_paths=of_paths,
        rooted=rooted,
        with_content=wild and pattern.endswith(b"***"),
        pattern=re.compile((rb"(?:.*/)?" if anywhere else b"") + body, re.DOTALL),
    )


def _wild(pattern: bytes) -> bytes:
    return b"".join(_translated(token) for token in _TOKEN.finditer(pattern))


def _translated(token: re.Match[bytes]) -> bytes:
    kind = token.lastgroup or ""
    if kind in _ANY_OF_IT:
        return _ANY_OF_IT[kind]
    if kind == "members":
        inverse = b"^" if token["no"] else b""
        members = b"".join(_member(each) for each in _MEMBER.finditer(token["members"]))
        return rb"(?!/)[" + inverse + members + rb"]" if members else _NOTHING
    if token[0] in {b"[", b"\\"}:  # a class without an end, an escape of nothing
        return _NOTHING
    return re.escape(token[kind])


def _member(member: re.Match[bytes]) -> bytes:
    if name := member["named"]:
        return _CLASSES.get(name, b"")
    if first := member["first"]:
        # rsync takes the begin of a range that runs backwards for all of it.
        last: bytes = max(first, member["last"])
        return re.escape(first) + b"-" + re.escape(last)
    return re.escape(member["alone"])
