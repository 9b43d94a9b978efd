from __future__ import annotations

from pathlib import Path

import pytest

from release_builder.errors import DescriptorError, SurroundingsError, WrongBytesError
from release_builder.trust.rpm_keyring import KEYS_LIMIT, KeyId, KnownKey, rpmkeys_argv
from release_builder.trust.rpm_keys import Verdict, judge, key_ids, verify_packages

PACKAGE = Path("tiny.rpm")
OURS = KnownKey(KeyId("60a60874771b249f", "Ours", Path("ours.asc")), "")
EXPIRED = KnownKey(KeyId("af0cfbd4bfd25277", "Old", Path("old.asc")), "expired")
REVOKED = KnownKey(KeyId("2201306734383f8e", "Lost", Path("lost.asc")), "revoked")
KNOWN = (OURS, EXPIRED, REVOKED)
SHORT = "    Header V4 RSA/SHA256 Signature, key ID 771b249f: OK"
LONG = "    Header V4 EdDSA/SHA512 Signature, key ID 60a60874771b249f: OK"
FINGERPRINT = (
    "    Header OpenPGP V4 RSA/SHA512 signature, key fingerprint:"
    " 6d2befd49c7737ba03992f1f60a60874771b249f: OK"
)
OLD = "    Header V3 RSA/SHA256 Signature, key ID bfd25277: OK"
LOST = "    V4 DSA/SHA1 Signature, key ID 34383f8e: OK"
STRANGE = "    Header V3 RSA/SHA256 Signature, key ID c105b9de: NOKEY"
FORGED = "    Header V4 RSA/SHA256 Signature, key ID 771b249f: BAD"
ALIKE = "    Header V4 RSA/SHA256 Signature, key ID 771b249f: NOKEY"
DIGEST = "    MD5 digest: OK"
NO_DSA = "    DSA signature: NOTFOUND"
CHANGED = "    MD5 digest: BAD (Expected 00 != 11)"


@pytest.mark.parametrize(
    ("report", "verdict", "key_id"),
    [
        pytest.param([SHORT, DIGEST], Verdict.GOOD, "60a60874771b249f", id="8 digits"),
        pytest.param([LONG, DIGEST], Verdict.GOOD, "60a60874771b249f", id="16 digits"),
        pytest.param([FINGERPRINT], Verdict.GOOD, "60a60874771b249f", id="fingerprint"),
        pytest.param([DIGEST], Verdict.UNSIGNED, None, id="unsigned"),
        pytest.param([DIGEST, NO_DSA], Verdict.UNSIGNED, None, id="no signature found"),
        pytest.param([STRANGE, DIGEST], Verdict.UNKNOWN_KEY, "c105b9de", id="unknown"),
        pytest.param([SHORT, STRANGE], Verdict.UNKNOWN_KEY, "c105b9de", id="unknown too"),
        pytest.param([ALIKE, DIGEST], Verdict.UNKNOWN_KEY, "771b249f", id="alike"),
        pytest.param([OLD, DIGEST], Verdict.EXPIRED, "af0cfbd4bfd25277", id="expired"),
        pytest.param([SHORT, OLD], Verdict.EXPIRED, "af0cfbd4bfd25277", id="expired too"),
        pytest.param([LOST, DIGEST], Verdict.BAD, "2201306734383f8e", id="revoked"),
        pytest.param([FORGED, DIGEST], Verdict.BAD, "60a60874771b249f", id="forged"),
        pytest.param([SHORT, CHANGED], Verdict.BAD, "60a60874771b249f", id="changed"),
        pytest.param([CHANGED], Verdict.BAD, None, id="changed, unsigned"),
        pytest.param([], Verdict.BAD, None, id="no package"),
    ],
)
def test_the_worst_of_a_report_counts(
    report: list[str], verdict: Verdict, key_id: str | None
) -> None:
    checked = judge(PACKAGE, report, KNOWN)

    assert (checked.verdict, checked.key_id) == (verdict, key_id)


@pytest.mark.parametrize(
    ("report", "complaints", "signer", "detail"),
    [
        pytest.param([SHORT], "", "Ours", "", id="good"),
        pytest.param([STRANGE], "", "", "", id="unknown"),
        pytest.param([SHORT, CHANGED], "", "Ours", "MD5 digest: BAD", id="changed"),
        pytest.param([OLD], "", "Old", "the key is expired", id="expired"),
        pytest.param([LOST], "", "Lost", "the key is revoked", id="revoked"),
        pytest.param([], "open failed", "", "open failed", id="complaint"),
        pytest.param([], "", "", "rpmkeys finds no package in it", id="nothing"),
    ],
)
def test_who_signed_and_what_is_wrong_is_told(
    report: list[str], complaints: str, signer: str, detail: str
) -> None:
    checked = judge(PACKAGE, report, KNOWN, complaints)

    assert (checked.signer, checked.detail) == (signer, detail)


def test_without_keys_no_signature_is_good() -> None:
    checked = judge(PACKAGE, [SHORT, DIGEST], ())

    assert checked.verdict is Verdict.UNKNOWN_KEY


def test_rpmkeys_gets_a_database_of_its_own() -> None:
    argv = rpmkeys_argv(Path("/tmp/x"), ("--checksig", "0.rpm"))

    assert argv == ["rpmkeys", "--dbpath=/tmp/x/db", "--checksig", "0.rpm"]


def test_without_rpmkeys_the_surroundings_are_at_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(SurroundingsError, match="program rpmkeys is not installed"):
        verify_packages([PACKAGE], [])


def test_a_missing_file_of_keys_is_the_descriptors_fault() -> None:
    with pytest.raises(DescriptorError, match=r"missing\.asc: No such file"):
        key_ids([Path("missing.asc")])


def test_a_huge_file_of_keys_is_refused(workdir: Path) -> None:
    file = workdir / "huge.asc"
    with file.open("wb") as stream:
        stream.truncate(KEYS_LIMIT + 1)

    with pytest.raises(WrongBytesError, match=r"huge\.asc is larger"):
        key_ids([file])
