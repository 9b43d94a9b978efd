"""From nodes of YAML to dataclasses, along the type hints.

Own code and not cattrs: what makes it long is that every complaint needs the place of its node and
that scalars are read as they stand in the file. With cattrs each of these would be a hook of ours
all the same, and the places would have to be dug out of its exception groups.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Final,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

import yaml

from release_builder.descriptor.mirror import Mirror
from release_builder.descriptor.refusal import RefusedError, suggestion
from release_builder.descriptor.target import Target
from release_builder.loader.complaint import Complaint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any  # the YAML door: what a hint is, only its dataclass knows

MAX_LENGTH: Final = 4096  # characters of a value: longer than any path
_NULL: Final = "tag:yaml.org,2002:null"
_BOOL: Final = "tag:yaml.org,2002:bool"
_T = TypeVar("_T")
_WHOLE: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,18})")


class Structurer:
    """Builds the dataclasses of one file and collects what is wrong in it.

    Attributes:
        complaints: What was wrong so far.
        nodes: The node of each key that was read, by its full name.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.complaints: list[Complaint] = []
        self.nodes: dict[str, yaml.Node] = {}

    def complain(self, node: yaml.Node, key: str, what: str, hint: str) -> None:
        """Say what is wrong with ``node``, the value of ``key``, or a part of it."""
        mark = node.start_mark
        self.complaints.append(
            Complaint(self._file, mark.line + 1, mark.column + 1, key, what, hint)
        )

    def build(
        self, cls: type[_T], node: yaml.Node, given: Mapping[str, object], key: str = ""
    ) -> _T | None:
        """The ``cls`` that the mapping ``node`` spells; None after a complaint.

        Args:
            cls: A dataclass; its fields are the keys.
            node: Where the values stand.
            given: Fields that are no keys, with their values.
            key: Full name of the key that ``node`` is the value of.
        """
        before = len(self.complaints)
        hints = get_type_hints(cls, include_extras=True)
        keys = {each.name: each for each in _fields_of(cls) if each.name not in given}
        values = dict(given)
        for label, value in self._entries(node, key):
            name, full = label.value, _join(key, label.value)
            if name in keys:
                values[name] = self._value(hints[name], value, full)
            else:
                self.complain(label, full, "there is no such key", suggestion(name, keys))
        for each in keys.values():
            if each.name not in values and _is_required(each):
                hint = f"add such as `{each.name}: {each.metadata['example']}`"
                self.complain(node, _join(key, each.name), "is missing", hint)
        return cls(**values) if len(self.complaints) == before else None

    def _entries(self, node: yaml.Node, key: str) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
        """The keys and values of a mapping, each key once."""
        if not isinstance(node, yaml.MappingNode):
            raise RefusedError("this must have keys of its own", "write `key: value` lines below")
        seen: dict[str, yaml.Node] = {}
        for name, value in node.value:
            if not isinstance(name, yaml.ScalarNode):
                self.complain(name, key, "this key is no plain word", "write `key: value`")
            elif first := seen.get(name.value):
                mark = first.start_mark
                what = f"is here again, first at {mark.line + 1}:{mark.column + 1}"
                self.complain(name, _join(key, name.value), what, "keep one of them")
            else:
                seen[name.value] = name
                yield name, value

    def _value(self, hint: Any, node: yaml.Node, key: str) -> object:  # noqa: ANN401 (see above)
        """The value for a field; None after a complaint."""
        self.nodes.setdefault(key, node)
        try:
            return self._convert(hint, node, key)
        except RefusedError as refused:
            self.complain(node, key, refused.what, refused.hint)
            return None

    def _convert(self, hint: Any, node: yaml.Node, key: str) -> object:  # noqa: ANN401 (see above)
        hint = _choose(hint, node)
        if get_origin(hint) is Annotated:
            base, check = get_args(hint)
            return check(self._unchecked(base, node, key))
        if hint in {Mirror, Target}:
            return hint.parse(text_of(node), self._file.absolute().parent)
        if is_dataclass(hint):
            return self.build(cast("type[object]", hint), node, {}, key)
        return self._unchecked(hint, node, key)

    def _unchecked(self, hint: Any, node: yaml.Node, key: str) -> object:  # noqa: ANN401 (see above)
        """A list, a mapping or a scalar; what has a check is text unless the hint is one of these."""
        if get_origin(hint) is tuple:
            return self._several(get_args(hint)[0], node, key)
        if get_origin(hint) is Mapping:
            return self._mapping(get_args(hint), node, key)
        if hint is int:
            return _whole(node)
        if hint is bool:
            return _truth(node)
        if hint is Path:
            return self._file.absolute().parent / text_of(node)
        return text_of(node)

    def _several(self, hint: Any, node: yaml.Node, key: str) -> tuple[object, ...]:  # noqa: ANN401 (see above)
        """A list; a single value stands for a list of one."""
        if isinstance(node, yaml.SequenceNode):
            return tuple(self._value(hint, each, key) for each in node.value)
        return (self._convert(hint, node, key),)

    def _mapping(self, hints: tuple[Any, Any], node: yaml.Node, key: str) -> dict[object, object]:
        name, hint = hints
        return {
            self._value(name, label, _join(key, label.value)): self._value(
                hint, value, _join(key, label.value)
            )
            for label, value in self._entries(node, key)
        }


def text_of(node: yaml.Node) -> str:
    """A scalar as it stands in the file, so that 8.10 is not 8.1.

    Raises:
        RefusedError: It is a list, a mapping, empty, too long or has control characters.
    """
    if not isinstance(node, yaml.ScalarNode):
        raise RefusedError(
            "this must be a single value", "write one; in quotes if it starts with {"
        )
    if node.tag == _NULL or not node.value:
        raise RefusedError("has no value", "write one, or remove the line")
    if len(node.value) > MAX_LENGTH:
        raise RefusedError(f"is longer than {MAX_LENGTH:,} characters", "write less")
    if not node.value.isprintable():
        raise RefusedError(f"'{node.value}' has control characters", "write it on one line")
    return cast("str", node.value)


def _fields_of(cls: type) -> tuple[Field[object], ...]:
    return fields(cls)


def _is_required(each: Field[object]) -> bool:
    return each.default is MISSING and each.default_factory is MISSING


def _join(above: str, name: str) -> str:
    return f"{above}.{name}" if above else name


def _choose(hint: Any, node: yaml.Node) -> Any:  # noqa: ANN401 (see above)
    """The member of a union that ``node`` has the shape of."""
    if get_origin(hint) not in {Union, UnionType}:
        return hint
    members = [each for each in get_args(hint) if each is not NoneType]
    if len(members) == 1:
        return members[0]
    # Of a dataclass, a mapping of dataclasses and a path (digests): a mapping of mappings is the
    # second.
    if not isinstance(node, yaml.MappingNode):
        return Path
    nested = node.value and all(isinstance(value, yaml.MappingNode) for _, value in node.value)
    return next(each for each in members if (get_origin(each) is Mapping) == bool(nested))


def _whole(node: yaml.Node) -> int:
    text = text_of(node)
    plain = isinstance(node, yaml.ScalarNode) and node.style is None
    if plain and _WHOLE.fullmatch(text):
        return int(text)
    digits = re.sub(r"[,._' ]", "", text).lstrip("0")
    meant = digits if _WHOLE.fullmatch(digits) else "digits only"
    raise RefusedError(f"'{text}' is not a whole number", f"write {meant}, without quotes")


def _truth(node: yaml.Node) -> bool:
    text = text_of(node)
    if node.tag != _BOOL:
        raise RefusedError(f"'{text}' is neither true nor false", "write true or false, unquoted")
    return text.lower() in {"true", "yes", "on"}
