from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from builders import noise
from fetching import Release, fetch, fetched

from release_builder.digests import Digest
from release_builder.trust.assurance import (
    DESCRIPTOR,
    Level,
    assurance,
    assurance_of_template,
    last_signed,
)
from release_builder.trust.expected import Expectation
from release_builder.trust.gpg_keys import Signature, Signer

if TYPE_CHECKING:
    from pathlib import Path

MD5, SHA256 = Digest("md5", bytes(16)), Digest("sha256", bytes(32))
SIGNED = Signature(Signer("A" * 40, "Build"), 1_577_934_245)
TEMPLATE = Expectation("the template", MD5, 5)


@pytest.mark.parametrize(
    ("said", "level", "words"),
    [
        pytest.param((), Level.INTEGRITY, "integrity only: MD5 shows", id="template alone"),
        pytest.param(
            (Expectation("SHA256SUMS:1", SHA256, None),),
            Level.DIGEST,
            "not signed: MD5 and SHA-256 show that",
            id="sums",
        ),
        pytest.param(
            (Expectation(DESCRIPTOR, MD5, None),), Level.INTEGRITY, "integrity only", id="own MD5"
        ),
        pytest.param(
            (Expectation(DESCRIPTOR, SHA256, None), Expectation("SHA256SUMS:1", SHA256, None)),
            Level.PINNED,
            "pinned by the descriptor, by MD5 and SHA-256",
            id="own SHA-256",
        ),
        pytest.param(
            (Expectation("md5sum.txt:1", MD5, None, SIGNED),),
            Level.SIGNED,
            "signed by Build (key AAAAAAAAAAAAAAAA) on 2020-01-02, but MD5 alone",
            id="signed MD5",
        ),
        pytest.param(
            (
                Expectation("SHA256SUMS:1", SHA256, None),
                Expectation("md5sum.txt:1", MD5, None, SIGNED),
            ),
            Level.SIGNED,
            "on 2020-01-02, but MD5 alone",
            id="SHA-256 that nobody signed",
        ),
        pytest.param(
            (Expectation("SHA256SUMS:1", SHA256, None, SIGNED),),
            Level.SIGNED,
            "signed by Build (key AAAAAAAAAAAAAAAA) on 2020-01-02",
            id="signed SHA-256",
        ),
    ],
)
def test_what_a_word_is_worth(said: tuple[Expectation, ...], level: Level, words: str) -> None:
    found = assurance((TEMPLATE, *said))

    assert found.level is level
    assert words in str(found)
    assert str(found).endswith("alone") is words.endswith("alone")


def test_what_the_descriptor_says_did_not_come_with_the_image() -> None:
    found = assurance((TEMPLATE, Expectation(DESCRIPTOR, SHA256, None)))

    assert (found.algorithms, found.told) == (("md5", "sha256"), ("md5",))


@pytest.mark.parametrize(
    ("algorithm", "level"), [("md5", Level.INTEGRITY), ("sha256", Level.DIGEST)]
)
def test_of_a_template_its_digest_decides(algorithm: str, level: Level) -> None:
    assert assurance_of_template(algorithm).level is level


@pytest.mark.parametrize(
    ("now", "last"),
    [
        pytest.param(SIGNED.made, SIGNED.made, id="now"),
        pytest.param(SIGNED.made - 7200, SIGNED.made, id="clocks differ"),
        pytest.param(SIGNED.made - 7201, None, id="yet to come"),
    ],
)
def test_a_signature_of_the_future_does_not_count(now: float, last: int | None) -> None:
    assert last_signed([SIGNED], now) == last


@pytest.mark.parametrize(
    ("algorithm", "level", "words"),
    [
        ("md5", "integrity", "(integrity only: MD5 shows accidents, not forgeries)"),
        ("sha256", "digest", "(not signed: SHA-256 shows that it is what the mirror means"),
    ],
)
def test_a_fetched_image_is_told_with_what_its_digest_is_worth(
    workdir: Path, algorithm: str, level: str, words: str
) -> None:
    release = Release({"a.rpm": noise(3000)}, algorithm=algorithm)
    jigdo = release.lay_out(workdir)
    scan = ("--scan", workdir / "tree", "--offline")

    told = fetch(*scan, jigdo, cwd=workdir)
    again = fetched(*scan, jigdo, cwd=workdir)

    assert words in told.stdout
    assert (again["assurance"], again["status"]) == (level, 0)
