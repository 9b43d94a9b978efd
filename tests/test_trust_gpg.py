from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from release_builder.errors import DescriptorError, SurroundingsError
from release_builder.trust.gpg import Keyring, Signer, check_secret_key, sign_clear
from release_builder.trust.gpg_keys import Key, parse_keys, told_apart
from release_builder.trust.gpg_sign import export_public_key, time_options
from release_builder.trust.gpg_status import Verdict, Verified, read_status

if TYPE_CHECKING:
    from pathlib import Path

ONE, TWO = "A" * 24 + "0123456789ABCDEF", "B" * 40
LISTING = f"""\
tru::1:1795272249:0:3:1:5
pub:u:2048:1:{ONE[-16:]}:1577836800:1609459200::u:::scSC:::+:::23::0:
fpr:::::::::{ONE}:
uid:u::::1577836800::C0FFEE::Koozali Build\\x3a 8 <build@example.org>::::::::::0:
uid:u::::1577836800::C0FFEE::Another name::::::::::0:
sub:u:2048:1:{TWO[-16:]}:1600000000::::::s:::+:::23:
fpr:::::::::{TWO}:
sec:e:255:22:{TWO[-16:]}:1577836800:1577923200:::::sc:::+::ed25519:::0:
fpr:::::::::{TWO}:
"""
KEY = Key(Signer(ONE, "a"), (ONE,), "u", created=1_500_000_000, expires=None, signs=True)


def test_keys_are_read_as_gpg_lists_them() -> None:
    keys = parse_keys(LISTING)

    assert keys == (
        Key(
            Signer(ONE, "Koozali Build: 8 <build@example.org>"),
            (ONE, TWO),
            "u",
            created=1600000000,
            expires=1609459200,
            signs=True,
        ),
        Key(
            Signer(TWO, "a key without name"),
            (TWO,),
            "e",
            created=1577836800,
            expires=1577923200,
            signs=False,
            signs_until=1577923200,
        ),
    )


def test_a_signer_is_told_by_name_and_the_end_of_the_fingerprint() -> None:
    words = str(Signer(ONE, "Koozali \x1b[2J<build@example.org>"))

    assert words == "Koozali \\x1b[2J<build@example.org> (key 0123456789ABCDEF)"


@pytest.mark.parametrize(
    ("expires", "words"),
    [
        pytest.param(1577923200, "expired on 2020-01-02", id="the key"),
        pytest.param(None, "expired", id="a subkey of it"),
    ],
)
def test_a_key_tells_when_it_expired(expires: int | None, words: str) -> None:
    key = Key(Signer(ONE, "a"), (ONE,), "e", created=0, expires=expires, signs=False)

    assert key.expired == words


@pytest.mark.parametrize(
    ("other", "told"),
    [
        pytest.param(1577923300, ("2020-01-02 00:00 UTC", "2020-01-02 00:01 UTC"), id="same day"),
        pytest.param(1577836800, ("2020-01-02", "2020-01-01"), id="another day"),
    ],
)
def test_times_of_one_day_are_told_apart(other: int, told: tuple[str, str]) -> None:
    assert told_apart(1577923200, other) == told


GOOD = f"[GNUPG:] GOODSIG {ONE[-16:]} A B <a@b>\n[GNUPG:] VALIDSIG {TWO} 2020-01-01 1 0 {ONE}\n"
NEW = "[GNUPG:] NEWSIG\n"
UNKNOWN = f"{NEW}[GNUPG:] ERRSIG 77 1 8 00 1 9 F\n[GNUPG:] NO_PUBKEY 77\n"


@pytest.mark.parametrize(
    ("output", "status", "verified"),
    [
        pytest.param(GOOD, 0, Verified(Verdict.GOOD, ONE, 1), id="good"),
        pytest.param(
            GOOD.replace("2020-01-01 1 ", "2020-01-01 20200102T030405 "),
            0,
            Verified(Verdict.GOOD, ONE, 1_577_934_245),
            id="time in words",
        ),
        pytest.param(
            GOOD.replace("2020-01-01 1 ", "2020-01-01 9 ") + GOOD,
            0,
            Verified(Verdict.GOOD, ONE, 1),
            id="the older of two",
        ),
        pytest.param(GOOD, 2, Verified(Verdict.NONE, ""), id="good, but gpg is not content"),
        pytest.param("", 0, Verified(Verdict.NONE, ""), id="nothing said"),
        pytest.param(
            GOOD.partition("\n")[0], 0, Verified(Verdict.NONE, ""), id="good, but not valid"
        ),
        pytest.param(
            GOOD.partition("\n")[2], 0, Verified(Verdict.NONE, ""), id="valid, but not good"
        ),
        pytest.param(
            GOOD.replace("[GNUPG:] ", "gpg: [GNUPG:] "), 0, Verified(Verdict.NONE, ""), id="forged"
        ),
        pytest.param(
            GOOD.replace("\n", "\u2028", 1), 0, Verified(Verdict.NONE, ""), id="forged by a name"
        ),
        pytest.param(
            GOOD.replace("] G", "]  G"), 0, Verified(Verdict.NONE, ""), id="none of gpg's lines"
        ),
        pytest.param(
            f"{GOOD}[GNUPG:] BADSIG 77 X\n", 1, Verified(Verdict.CHANGED, "77"), id="one of two bad"
        ),
        pytest.param(
            GOOD.replace("GOODSIG", "EXPKEYSIG"),
            0,
            Verified(Verdict.EXPIRED_KEY, ONE[-16:]),
            id="expired key, with which gpg is content",
        ),
        pytest.param(
            GOOD.replace("GOODSIG", "REVKEYSIG"),
            0,
            Verified(Verdict.REVOKED_KEY, ONE[-16:]),
            id="revoked key",
        ),
        pytest.param(
            GOOD.replace("GOODSIG", "EXPSIG"),
            0,
            Verified(Verdict.EXPIRED, ONE[-16:]),
            id="expired signature",
        ),
        pytest.param(
            "[GNUPG:] ERRSIG 77 1 8 00 1 9 F\n[GNUPG:] NO_PUBKEY 77\n",
            2,
            Verified(Verdict.UNKNOWN_KEY, "77"),
            id="unknown key",
        ),
        *(
            pytest.param(said, 2, Verified(Verdict.GOOD, ONE, 1, ("77",)), id=f"unknown {where}")
            for where, said in (("first", UNKNOWN + NEW + GOOD), ("last", NEW + GOOD + UNKNOWN))
        ),
        pytest.param(
            f"{NEW}{GOOD}{UNKNOWN}[GNUPG:] ERROR proc_pkt.plaintext 89_BAD_DATA\n",
            2,
            Verified(Verdict.UNKNOWN_KEY, "77"),
            id="of two texts, one is by an unknown key",
        ),
        pytest.param(
            f"{NEW}{GOOD}{UNKNOWN}{NEW}[GNUPG:] BADSIG 88 X\n",
            1,
            Verified(Verdict.CHANGED, "88"),
            id="good, unknown and bad",
        ),
        pytest.param(
            f"{NEW}{UNKNOWN}", 2, Verified(Verdict.UNKNOWN_KEY, "77"), id="unknown ones alone"
        ),
        pytest.param(
            "[GNUPG:] ERRSIG 77 1 8 00 1 4 F\n",
            2,
            Verified(Verdict.UNUSABLE, "77"),
            id="unknown algorithm",
        ),
    ],
)
def test_what_gpg_says_becomes_one_verdict(output: str, status: int, verified: Verified) -> None:
    assert read_status(output, status) == verified


@pytest.mark.parametrize(
    ("epoch", "options"),
    [
        pytest.param(None, (), id="now"),
        pytest.param("1600000000", ("--faked-system-time=1600000000!",), id="told"),
        pytest.param("1", ("--faked-system-time=1500000000!",), id="before there was the key"),
    ],
)
def test_signatures_have_the_time_that_is_told(
    monkeypatch: pytest.MonkeyPatch, epoch: str | None, options: tuple[str, ...]
) -> None:
    if epoch:
        monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)

    assert time_options(KEY) == options


@pytest.mark.parametrize("epoch", ["yesterday", "99999999999999999"])
def test_a_time_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, epoch: str) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)

    with pytest.raises(DescriptorError, match="SOURCE_DATE_EPOCH"):
        time_options(KEY)


def test_a_file_of_keys_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DescriptorError, match=r"none\.asc: No such file"):
        Keyring([tmp_path / "none.asc"]).__enter__()


def test_a_file_of_keys_that_never_ends_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")

    with pytest.raises(DescriptorError, match="not a regular file"):
        Keyring([tmp_path / "fifo"]).__enter__()


def test_without_gpg_the_hint_is_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "key.asc").touch()

    for use in (
        lambda: check_secret_key("a"),
        lambda: export_public_key("a"),
        Keyring([tmp_path / "key.asc"]).__enter__,
    ):
        with pytest.raises(SurroundingsError, match="gpg is not installed") as raised:
            use()
        assert "install" in raised.value.hint


def test_a_text_that_is_not_there_is_told_before_gpg_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(FileNotFoundError):
        sign_clear(tmp_path / "SUMS", tmp_path / "SUMS.asc", "a")
