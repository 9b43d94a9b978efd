"""An older .jigdo as the base of a new one: its parts keep their servers."""

from __future__ import annotations

import gzip

import pytest

from release_builder.digests import Digest
from release_builder.jigdo.compose import ImageText, compose_jigdo
from release_builder.jigdo.location import parse_jigdo
from release_builder.jigdo.syntax import JigdoError
from release_builder.steps.base_pair import as_base

OLD, NEW = (Digest("md5", bytes([number]) * 16) for number in (1, 2))
LONG = Digest("sha256", bytes([3]) * 32)
IMAGE = ImageText("n.iso", "n.template", NEW)


def jigdo(servers: str, *parts: str) -> bytes:
    lines = ["[Jigdo]", "Version=1.2", "[Image]", "Filename=o.iso", "Template=o.template"]
    return "\n".join([*lines, "[Servers]", servers, "[Parts]", *parts, ""]).encode()


def base(content: bytes, *taken: str) -> list[str]:
    return as_base(content, "old.jigdo", set(taken)).decode("utf-8", "surrogateescape").splitlines()


def test_servers_and_parts_stay_as_they_are() -> None:
    content = jigdo("A=http://a/", f"{OLD.jigdo}=A:x", f"{LONG.jigdo}=http://b/y")

    assert base(content, "SMEmirror") == [
        *("[Servers]", "A=http://a/"),
        *("[Parts]", f"{OLD.jigdo}=A:x", f"{LONG.jigdo}=http://b/y"),
    ]


def test_the_new_label_is_another_than_the_old_one_of_its_name() -> None:
    content = jigdo("A=http://a/ --try-last\nB=A:b/", f"{OLD.jigdo}=A:x", f"{OLD.jigdo}=B:x")

    assert base(content, "A") == [
        *("[Servers]", "Base-A=http://a/ --try-last", "B=Base-A:b/"),
        *("[Parts]", f"{OLD.jigdo}=Base-A:x", f"{OLD.jigdo}=B:x"),
    ]


@pytest.mark.parametrize(
    ("servers", "taken", "label"),
    [
        pytest.param("A=http://a/\nBase-A=http://b/", ("A",), "Base-Base-A", id="by the old one"),
        pytest.param("A=http://a/", ("A", "Base-A"), "Base-Base-A", id="by the new one"),
    ],
)
def test_a_base_label_that_is_taken_is_not_taken_again(
    servers: str, taken: tuple[str, ...], label: str
) -> None:
    lines = base(jigdo(servers, f"{OLD.jigdo}=A:x"), *taken)

    assert f"{label}=http://a/" in lines
    assert f"{OLD.jigdo}={label}:x" in lines


def test_a_url_has_no_label() -> None:
    content = jigdo("A=http://a/", f"{OLD.jigdo}=http://h/x")

    assert f"{OLD.jigdo}=http://h/x" in base(content, "http")


def test_a_label_without_a_server_does_not_become_the_new_one() -> None:
    assert f"{OLD.jigdo}=Base-A:x" in base(jigdo("B=http://b/", f"{OLD.jigdo}=A:x"), "A")


def test_names_keep_their_bytes_and_quotes() -> None:
    content = jigdo("A='file:/a b/'").replace(b"[Parts]", b"[Parts]\n%s='A:x \xff'")
    content = content.replace(b"%s", OLD.jigdo.encode())

    assert base(content, "A") == [
        *("[Servers]", "Base-A='file:/a b/'"),
        *("[Parts]", f"{OLD.jigdo}='Base-A:x \udcff'"),
    ]


def test_a_packed_jigdo_is_a_base_too() -> None:
    content = jigdo("A=http://a/", f"{OLD.jigdo}=A:x")

    assert base(gzip.compress(content), "A") == base(content, "A")


def test_a_new_jigdo_keeps_known_parts_where_they_are() -> None:
    merge = as_base(jigdo("A=http://old/", f"{OLD.jigdo}=A:x"), "old.jigdo", {"A"})

    text = compose_jigdo(
        generator="test/1",
        version="1.2",
        merge=merge,
        image=IMAGE,
        servers={"A": ["http://new/"]},
        parts=[(OLD, "A:moved/x"), (NEW, "A:y")],
    )

    made = parse_jigdo(text, "new.jigdo")
    assert [made.urls(place) for place in made.parts[OLD]] == [("http://old/x",)]
    assert [made.urls(place) for place in made.parts[NEW]] == [("http://new/y",)]
    assert made.image.filename == "n.iso"


def test_what_is_no_jigdo_is_refused_by_its_name() -> None:
    with pytest.raises(JigdoError, match=r"old\.jigdo"):
        base(b"[Servers]\nA=x\n", "A")
