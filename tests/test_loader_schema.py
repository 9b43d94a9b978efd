"""The JSON Schema that editors use and the loader come to the same verdict."""

from __future__ import annotations

import json
import re
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING

import jsonschema
import pytest
import yaml

from release_builder.descriptor.model import Fetch, Sync
from release_builder.descriptor.publishing import Compose, Publish
from release_builder.descriptor.refreshing import Notify, Retain
from release_builder.files import resource
from release_builder.loader import InvalidDescriptorError, load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

SCHEMA = json.loads(resource("data/descriptor.schema.json").read_text("utf-8"))
MD5 = "a509d21d476f66b9d27135599b3e6936"
SHA256 = "ab" * 32
PRINT = "0123456789ABCDEF0123456789abcdef01234567"
SPACED = "0123 4567 89AB CDEF 0123  4567 89AB CDEF 0123 4567"
THREE = {"version": "9.0beta3", "arch": "x86_64", "mirror": "rsync://host/module/"}

GOOD = [
    *[{"version": text} for text in ("9", "8.0", "8.10", "10.1", "'10.1'", "7.1.3", "9.0rc1")],
    *[{"arch": text} for text in ("i386", "[i386]", "[i386, x86_64]")],
    *[
        {"mirror": text}
        for text in (
            "rsync://host:8730/module/path",
            "rsync://me@host/module",
            "rsync://[::1]/module",
            "host::module/path/",
            "http://host",
            "https://host:8443/path/",
            "file:///srv/sme%209",
            "/srv/sme 9",
            "../mirror",
            "./a:b",
        )
    ],
    *[{"product": text} for text in ("smeserver", "centos")],
    *[{"workdir": text} for text in ("'{product}/{version}'", "/srv/sme", "~/sme", "a b")],
    *[{"image": text} for text in ("a.iso", "'{product}-{major}-{arch}.iso'")],
    *[{"tree": text} for text in ("os", "'os/{arch}/'", "./os/", "a..b/")],
    *[{"jigdo": text} for text in ("iso", "[iso, 'smeos/{arch}']")],
    {"servers": "{A: {beta: 'http://h/{version}/', final: 'ftp://h:21/'}}"},
    {
        "servers": "{A: {beta: 'http://h/', final: 'http://h/'}, b-2: {beta: 'http://h/', final: 'http://h/'}}"
    },
    {"digests": f"{{md5: {MD5}, sha256: {SHA256}, size: 1}}"},
    {"digests": "{}"},
    {"digests": f"{{x86_64: {{md5: {MD5.upper()}}}}}"},
    {"digests": "../MD5SUMS"},
    {"sync": "{}"},
    {"sync": "{delete: no, partial: on, delay_updates: false, max_delete: 0, timeout: 86400}"},
    *[{"sync": f"{{bwlimit: {text}}}"} for text in ("500", "1.5", "500k", "'2m'", "0")],
    {"sync": "{include: [], exclude: []}"},
    {"sync": "{include: 'extras/{arch}/', exclude: ['*.drpm', 'a b']}"},
    {"fetch": "{}"},
    {"fetch": "{connections: 256, retries: 0, timeout: 86400, deadline: 31536000}"},
    {"fetch": "{ca_bundle: ../ca.pem, connections: 1, retries: 100}"},
    *[{"fetch": f"{{limit_rate: {text}}}"} for text in ("1", "1.5", "500k", "'2M'", "0.5g")],
    *[
        {"fetch": f"{{mirrors: {text}}}"}
        for text in (
            "http://host",
            "https://host:8443/path",
            "'http://[::1]/sme/'",
            "['http://a/{version}/', 'https://{product}.org/{arch}/{major}']",
        )
    ],
    *[{"keys": text} for text in ("RPM-GPG-KEY", "/etc/a b", "[../a, 'keys/{x}']")],
    {"trust": "{}"},
    *[{"trust": f"{{older: {text}}}"} for text in ("refuse", "warn", "'warn'")],
    *[{"trust": f"{{sums: {text}}}"} for text in ("RPM-GPG-KEY", "[../a, 'keys/{x}']")],
    {"trust": "{packages: [a b], sums: c, max_age: 90d, older: warn}"},
    *[{"trust": f"{{sums: a, max_age: {text}}}"} for text in ("36h", "1d", "'12w'", "99999d")],
    *[
        {"trust": f"{{packages: a, fingerprints: {text}}}"}
        for text in (PRINT, f"[{PRINT}, {PRINT.lower()}, {SHA256}]", f"'0x{PRINT}'", SPACED)
    ],
    {"compose": "{}"},
    {"compose": "{boot: ./a/b.bin, catalog: '{major}.cat', efi: efi.img}"},
    *[{"compose": f"{{medium: {text}}}"} for text in ("cd", "dvd", "dvd-dl", "'any'")],
    *[{"compose": f"{{exclude: {text}}}"} for text in ("[]", "'*.img'", "[a b, '{arch}*', -a]")],
    *[
        {"compose": f"{{volume_id: {text}}}"}
        for text in ("SME", "a b", "'{product}{version}{major}{arch}'", "x" * 32, "'a|~!{arch}'")
    ],
    *[{"retain": text} for text in ("{}", "{images: 0, days: 1}", "{images: 1000, days: 36500}")],
    *[{"retain": f"{{free: {text}}}"} for text in ("0", "1", "1.5", "500k", "'2M'", "0.5g")],
    *[{"notify": text} for text in ("{}", "{when: always}", "{when: 'change'}", "{mail: root}")],
    {"notify": "{command: '/bin/told --quiet', mail: admin@host.example.org}"},
    {"notify": "{ping: 'https://host:8443/a/b?c=d'}"},
    {"publish": "{root: public}"},
    *[
        {"publish": f"{{root: {text}}}"}
        for text in (
            "/srv/www",
            "/",
            "~/public",
            "a b/c",
            "./a:b",
            "/srv/a:b",
            "a..b",
            "host:/srv/www",
            "me@host.example.org:/",
            "_me-2.x@10.0.0.1:/a+b/@c=d",
        )
    ],
    *[
        {"publish": f"{{root: r, {text}}}"}
        for text in (
            "url: http://host",
            "url: 'https://host:8443/{product}'",
            "mirrors: []",
            "mirrors: http://host/a",
            "mirrors: ['http://a/', 'https://b/{major}/']",
            "folder: {beta: 'a/{version}', final: './b//c/'}",
            "link: {beta: a.b, final: '{major}'}",
            "obsolete: 'old/{version}'",
            "obsolete: '{version}/x'",
            "title: SME Server",
            f"title: {'é' * 200}",
            "key: 0123456789ABCDEF",
            "key: Build <build@host>",
            "keep: 0",
            "keep: 1000",
            "sums: gnu",
            "sums: 'bsd'",
            "preflight: urls",
            "preflight: rebuild",
            "preflight: off",
            "preflight: 'off'",
            "links: no",
            "ssh: ssh -p 2222",
            "ssh: '\"/opt/my ssh\" -v'",
        )
    ],
]
BAD = [
    *[{"retain": text} for text in ("{images: -1}", "{images: 1001}", "{days: 0}", "{keep: 1}")],
    *[{"retain": f"{{free: {text}}}"} for text in ("-1", "1t", "' '", "1.2345k")],
    *[{"notify": text} for text in ("{when: never}", "{mail: a b}", "{mail: -x}", "{to: me}")],
    *[{"notify": f"{{ping: {text}}}"} for text in ("host", "ftp://h/", "'http://h/a b'")],
    *[
        {"version": text}
        for text in (
            "9.0bta3",
            "9.0-beta3",
            "9.0 beta3",
            "v9.0",
            "-1",
            "9.0.1.2",
            "[9]",
            "true",
            "",
        )
    ],
    *[{"arch": text} for text in ("x86-64", "X86_64", "386", "[]", "{}", "[[i386]]", "")],
    *[
        {"mirror": text}
        for text in (
            "ftp://host/path/",
            "ssh://host/path/",
            "me@host:/path",
            "host:path",
            "rsync://host",
            "rsync://host/",
            "rsync://host/./",
            "'host::'",
            "rsync:///module/",
            "rsync://-o/module/",
            "rsync://me:secret@host/module/",
            "me:secret@host::module/",
            "http://me@host/",
            "rsync://host/a/../b/",
            "rsync://host/a*/",
            "http://host/a?b",
            "http://host/a b/",
            "file://host/path/",
            "'-e'",
            "''",
            "[a]",
            "",
        )
    ],
    *[{"product": text} for text in ("smeservr", "''", "1")],
    *[{"workdir": text} for text in ("../x", "a/../b", "'{x}'", "'a{'", "")],
    *[
        {"image": text}
        for text in ("a.img", "a/b.iso", "../a.iso", ".iso", "'-a.iso'", "'a*.iso'", "'{x}.iso'")
    ],
    *[
        {"tree": text}
        for text in ("../os", "a/../os", "/os", "~/os", "'.'", "'./'", "'a*'", "a b", "'{x}'", "")
    ],
    *[{"jigdo": text} for text in ("[]", "[iso, ../iso]", "{a: b}")],
    *[
        {"servers": text}
        for text in (
            "{}",
            "[a]",
            "{A: 'http://h/'}",
            "{A: {beta: 'http://h/'}}",
            "{A: {beta: 'http://h', final: 'http://h/'}}",
            "{A: {beta: 'http://h/a', final: 'http://h/'}}",
            "{A: {beta: 'rsync://h/m/', final: 'http://h/'}}",
            "{A: {beta: 'http://h/', final: 'http://h/', rc: 'http://h/'}}",
            "{A: {beta: 'http://h/{x}/', final: 'http://h/'}}",
            "{'a b': {beta: 'http://h/', final: 'http://h/'}}",
        )
    ],
    *[
        {"digests": text}
        for text in (
            "{md5: x}",
            f"{{md5: {SHA256}}}",
            f"{{sha1: {MD5}}}",
            "{size: 0}",
            "{size: '1'}",
            "{size: 1.5}",
            "{x86_64: {md5: x}}",
            "[a]",
            "",
        )
    ],
    *[
        {"sync": text}
        for text in (
            "fast",
            "{max_delte: 1}",
            "{max_delete: -1}",
            "{max_delete: many}",
            "{timeout: 0}",
            "{timeout: '9'}",
            "{delete: 'no'}",
            "{delete: 1}",
            "{bwlimit: fast}",
            "{bwlimit: -1}",
            "{include: ../x}",
            "{exclude: [[a]]}",
            "{exclude: '{x}'}",
            "",
        )
    ],
    *[
        {"fetch": text}
        for text in (
            "fast",
            "",
            "{retry: 1}",
            "{connections: 0}",
            "{connections: 257}",
            "{connections: '4'}",
            "{retries: -1}",
            "{retries: 101}",
            "{timeout: 0}",
            "{timeout: 1.5}",
            "{deadline: 0}",
            "{deadline: 1h}",
            "{ca_bundle: ''}",
        )
    ],
    *[
        {"fetch": f"{{limit_rate: {text}}}"}
        for text in ("fast", "0", "0.5", "'0'", "0k", "0.0k", "-1", "2mb", "[1]")
    ],
    *[
        {"fetch": f"{{mirrors: {text}}}"}
        for text in (
            "[]",
            "{a: b}",
            "rsync://host/module/",
            "/srv/sme",
            "ftp://host/",
            "host/path/",
            "http://me@host/",
            "http://host/a/../b/",
            "'http://host/?a'",
            "'http://host/{x}/'",
            "'http://host/a b/'",
            "['http://host/', 'file:///srv/']",
        )
    ],
    *[{"keys": text} for text in ("[]", "''", "", "{a: b}", "[[a]]", "[a, '']", "k" * 4097)],
    *[
        {"trust": text}
        for text in (
            "",
            "a",
            "[a]",
            "{sum: a}",
            "{sums: ''}",
            "{sums: {a: b}}",
            "{sums: []}",
            "{packages: []}",
            "{packages: [[a]]}",
            "{older: no}",
            "{older: Refuse}",
            "{older: [warn]}",
        )
    ],
    *[
        {"trust": f"{{sums: a, max_age: {text}}}"}
        for text in ("90", "0d", "-1d", "1.5d", "90 d", "1y", "90D", "[1d]", "123456d", "''")
    ],
    *[
        {"trust": f"{{sums: a, fingerprints: {text}}}"}
        for text in (
            "[]",
            "x",
            f"'{PRINT[:16]}'",
            PRINT[1:],
            PRINT + "0",
            f"[{PRINT}, '']",
            "{a: b}",
        )
    ],
    *[
        {"compose": text}
        for text in (
            "",
            "iso",
            "[boot]",
            "{label: SME}",
            "{boot: /a}",
            "{boot: a*}",
            "{catalog: ../a}",
            "{catalog: ''}",
            "{efi: 'a b'}",
            "{efi: [a]}",
            "{medium: dvd9}",
            "{medium: DVD}",
            "{medium: [cd]}",
            "{medium: 1}",
            "{exclude: '{x}'}",
            "{exclude: [[a]]}",
            "{exclude: '- a'}",
            "{exclude: ['!']}",
        )
    ],
    *[
        {"compose": f"{{volume_id: {text}}}"}
        for text in (
            "''",
            "x" * 33,
            f"'{'x' * 32}{{arch}}'",
            "é",
            "' a'",
            "'a '",
            '"a\\tb"',
            "'{x}'",
            "'a{'",
            "[a]",
        )
    ],
    *[
        {"publish": text}
        for text in ("", "public", "[root]", "{}", "{url: http://host/}", "{root: a, roots: b}")
    ],
    *[
        {"publish": f"{{root: {text}}}"}
        for text in (
            "''",
            "[a]",
            "..",
            "../a",
            "a/../b",
            "/a/..",
            "'/srv/{version}'",
            "'a}'",
            "'host:'",
            "host:a",
            "host:~/a",
            "host:/a b",
            "host:/a/../b",
            "host:/..",
            "'-host:/a'",
            "'host:/a;b'",
            "'ho st:/a'",
            "me:secret@host:/a",
            "'@host:/a'",
            "'[::1]:/a'",
            "host::module",
            "ssh://host/a",
            "file:///a",
            "/srv/a://b",
            "r" * 4097,
        )
    ],
    *[
        {"publish": f"{{root: r, {text}}}"}
        for text in (
            "url: ftp://host/",
            "url: [http://host/]",
            "url: 'http://host/{x}/'",
            "url: http://me@host/",
            "mirrors: rsync://host/module/",
            "mirrors: {a: b}",
            "mirrors: [/srv]",
            "folder: a",
            "folder: {}",
            "folder: {beta: a}",
            "folder: {beta: a, final: /b}",
            "folder: {beta: a, final: b/../c}",
            "folder: {beta: .a, final: b}",
            "folder: {beta: a/.b, final: b}",
            "folder: {beta: a, final: b, rc: c}",
            "folder: {beta: a, final: [b]}",
            "link: {beta: '{x}', final: b}",
            "link: {beta: a b, final: b}",
            "link: {beta: ., final: b}",
            "link: {beta: ~/a, final: b}",
            "obsolete: ../a",
            "obsolete: .a/b",
            "obsolete: 'a*'",
            "obsolete: ''",
            "obsolete: 'a#b'",
            "obsolete: a%20b",
            "title: ''",
            "title: [a]",
            f"title: {'x' * 201}",
            "key: ''",
            "key: -a",
            f"key: {'k' * 4097}",
            "keep: -1",
            "keep: 1001",
            "keep: '2'",
            "keep: 1.5",
            "keep: all",
            "sums: md5",
            "sums: GNU",
            "sums: [gnu, bsd]",
            "preflight: full",
            "preflight: on",
            "preflight: URLS",
            "links: 'no'",
            "links: 1",
            "ssh: ''",
            "ssh: ' '",
            "ssh: -p 2222",
            "ssh: [ssh]",
            f"ssh: {'s' * 4097}",
        )
    ],
    {"serverz": "1"},
    {"track": "testing/9"},
]
ONLY_THE_LOADER_KNOWS = [
    pytest.param("keys: a\ntrust: {sums: a}\n", id="keys twice"),
    pytest.param(f"trust: {{fingerprints: {PRINT}}}\n", id="fingerprints of no file"),
    pytest.param("trust: {packages: a, max_age: 9d}\n", id="age of no signature"),
    pytest.param("tree: a\ntree: b\n", id="duplicate key"),
    pytest.param("sync: {timeout: 1, timeout: 2}\n", id="duplicate key below"),
    pytest.param("tree: &a os\njigdo: *a\n", id="alias"),
    pytest.param("sync: {timeout: 0x10}\n", id="hexadecimal"),
    pytest.param("sync: {timeout: 1_0}\n", id="underscore"),
    pytest.param("sync: {timeout: 010}\n", id="octal"),
    pytest.param("fetch: {retries: 0x10}\n", id="hexadecimal below fetch"),
    pytest.param("workdir: ~no.such.user/x\n", id="home of nobody"),
    pytest.param("product: ./no/such.yaml\n", id="profile that is not there"),
    pytest.param("compose: {boot: a, boot: b}\n", id="duplicate key below compose"),
    pytest.param("publish: {root: ~no.such.user/x}\n", id="root at the home of nobody"),
    pytest.param('publish: {root: "a\\tb"}\n', id="root with a control character"),
    pytest.param('publish: {root: a, title: "a\\nb"}\n', id="title on two lines"),
    pytest.param('publish: {root: a, key: "a\\e[2J"}\n', id="key with a control character"),
    pytest.param('publish: {root: a, ssh: "ssh\\0"}\n', id="command with a NUL"),
    pytest.param('publish: {root: a, ssh: "ssh -i \'a"}\n', id="command with an open quote"),
    pytest.param("publish: {root: a, preflight: no}\n", id="no, which is not off"),
    pytest.param("publish: {root: a, keep: 0x10}\n", id="hexadecimal below publish"),
    pytest.param(f"digests: {{i386: {{md5: {MD5}}}}}\n", id="digest of another arch"),
]
TRACKS_RIGHT = ["testing/9", "testing/9.1", "9", "8.10", "'9'", "./testing//9/", "9.0.1"]
TRACKS_WRONG = [
    *("testing/9.0beta3", "testing/{major}", "testing", "9/testing", "/testing/9", "../9", "~/9"),
    *(".testing/9", "a b/9", "a*/9", "-1", "9.0.1.2", "''", "", "[9]", "{a: 9}", "true"),
    *("'v#sting/9'", "'%2e%2e/9'", "a'b/9", 'a"b/9', "a|b/9", "a`b/9", "a^b/9", "a<b/9", "a>b/9"),
]


def text_of(changes: dict[str, str]) -> str:
    return "".join(f"{key}: {value}\n" for key, value in {**THREE, **changes}.items())


def is_right_for_the_schema(text: str) -> bool:
    return jsonschema.Draft202012Validator(SCHEMA).is_valid(yaml.safe_load(text))


def is_right_for_the_loader(folder: Path, text: str) -> bool:
    path = folder / "sme.yaml"
    path.write_text(text, encoding="utf-8")
    try:
        load(path)
    except InvalidDescriptorError:
        return False
    return True


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("changes", GOOD, ids=lambda changes: str(changes)[:60])
def test_what_is_right_is_right_for_both(workdir: Path, changes: dict[str, str]) -> None:
    text = text_of(changes)

    assert is_right_for_the_loader(workdir, text)
    assert is_right_for_the_schema(text)


@pytest.mark.parametrize("changes", BAD, ids=lambda changes: str(changes)[:60])
def test_what_is_wrong_is_wrong_for_both(workdir: Path, changes: dict[str, str]) -> None:
    text = text_of(changes)

    assert not is_right_for_the_loader(workdir, text)
    assert not is_right_for_the_schema(text)


@pytest.mark.parametrize("missing", THREE)
def test_each_of_the_three_keys_is_missed_by_both(workdir: Path, missing: str) -> None:
    text = "".join(f"{key}: {value}\n" for key, value in THREE.items() if key != missing)

    assert not is_right_for_the_loader(workdir, text)
    assert not is_right_for_the_schema(text)


def following(track: str, more: str = "") -> str:
    return f"track: {track}\narch: x86_64\nmirror: rsync://host/module/\n{more}"


@pytest.mark.parametrize("track", TRACKS_RIGHT)
def test_what_may_be_followed_is_right_for_both(workdir: Path, track: str) -> None:
    assert is_right_for_the_loader(workdir, following(track))
    assert is_right_for_the_schema(following(track))


@pytest.mark.parametrize("track", TRACKS_WRONG)
def test_what_cannot_be_followed_is_wrong_for_both(workdir: Path, track: str) -> None:
    assert not is_right_for_the_loader(workdir, following(track))
    assert not is_right_for_the_schema(following(track))


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        pytest.param(
            "version: 9.0\n",
            "1:8: track: stands in the place of `version`; keep one of them",
            id="version too",
        ),
        pytest.param(
            f"digests: {{md5: {MD5}}}\n",
            "4:10: digests: are of one image; `track` follows many;",
            id="digest of one image",
        ),
        pytest.param(
            f"digests: {{x86_64: {{md5: {MD5}}}}}\n",
            "4:10: digests: are of one image; `track` follows many;",
            id="digests by arch",
        ),
    ],
)
def test_what_does_not_go_with_track_is_wrong_for_both(
    workdir: Path, more: str, complaint: str
) -> None:
    text = following("testing/9", more)

    assert not is_right_for_the_loader(workdir, text)
    assert not is_right_for_the_schema(text)
    with pytest.raises(InvalidDescriptorError, match=re.escape(complaint)):
        load(workdir / "sme.yaml")


def test_a_sums_file_goes_with_track(workdir: Path) -> None:
    text = following("testing/9", "digests: ../MD5SUMS\n")

    assert is_right_for_the_loader(workdir, text)
    assert is_right_for_the_schema(text)


def test_a_folder_that_has_no_releases_is_not_followed(workdir: Path) -> None:
    assert not is_right_for_the_loader(workdir, following("tsting/9"))

    with pytest.raises(InvalidDescriptorError, match="did you mean testing/9"):
        load(workdir / "sme.yaml")


@pytest.mark.parametrize("lines", ONLY_THE_LOADER_KNOWS)
def test_what_a_schema_cannot_know_is_known_to_the_loader(workdir: Path, lines: str) -> None:
    text = text_of({}) + lines

    assert is_right_for_the_schema(text)
    assert not is_right_for_the_loader(workdir, text)


def keys_of(schema: dict[str, Any], above: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for group in ("properties", "$defs"):
        for name, key in schema.get(group, {}).items():
            yield f"{above}{name}", key
            yield from keys_of(key, f"{above}{name}.")


def test_every_key_has_a_description_for_editors() -> None:
    keys = dict(keys_of(SCHEMA))

    assert {"publish.preflight", "compose.medium", "places.final", "sync.delete"} <= keys.keys()
    assert [name for name, key in keys.items() if not key.get("description")] == []


@pytest.mark.parametrize(
    "cls", [Sync, Fetch, Compose, Publish, Retain, Notify], ids=lambda cls: cls.__name__
)
def test_the_defaults_that_editors_show_are_those_that_hold(cls: type[Any]) -> None:
    top = SCHEMA["properties"][cls.__name__.lower()]["properties"]

    shown = {name: key["default"] for name, key in top.items() if "default" in key}

    held = {each.name: each.default for each in fields(cls)}
    assert shown == {name: held[name] for name in shown}
    told = {name for name, default in held.items() if default not in (None, (), MISSING)}
    assert told == shown.keys()
