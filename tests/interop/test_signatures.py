"""Signatures of the real gpg: made, checked, and asked for by verify."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from gpg_home import BIRTH, GpgHome
from program import release_builder

from release_builder.digests import Digest
from release_builder.errors import DescriptorError, SurroundingsError
from release_builder.trust.expected import expectations_from_sums
from release_builder.trust.gpg import (
    ChangedError,
    Keyring,
    SignatureError,
    Signer,
    check_secret_key,
    sign_clear,
    sign_detached,
)
from release_builder.trust.gpg_sign import export_public_key
from release_builder.trust.rpm_keys import key_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from builders import Mirror

pytestmark = pytest.mark.interop

DAY = 86_400
MD5 = Digest("md5", bytes(range(16)))
TEXT = f"{MD5.hex}  x.iso\n- dashed\nFrom here\n".encode()
NAME = "Koozali Bäu: 8 <build@example.org>"


@dataclass(frozen=True, slots=True)
class Keys:
    """A home with keys of all sorts; ``ours`` and ``edwards`` are good."""

    home: GpgHome
    ours: str
    edwards: str
    expired: str
    revoked: str
    locked: str


@pytest.fixture(scope="module")
def keys() -> Iterator[Keys]:
    with GpgHome() as home:
        made = Keys(
            home,
            home.make_key(NAME),
            home.make_key("Edward <edward@example.org>", "ed25519"),
            home.make_key("Old <old@example.org>", "ed25519", "1d"),
            home.make_key("Lost <lost@example.org>", "ed25519"),
            home.make_key("Shy <shy@example.org>", "ed25519", passphrase="secret"),
        )
        yield made


@pytest.fixture(scope="module")
def public(keys: Keys, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file of each public key."""
    folder = tmp_path_factory.mktemp("public")
    for name in ("ours", "edwards", "expired", "revoked", "locked"):
        keys.home.export(getattr(keys, name), folder / f"{name}.asc")
    return folder


@pytest.fixture
def users(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> Keys:
    """The keys are those of the user who runs us."""
    monkeypatch.setenv("GNUPGHOME", str(keys.home.path))
    return keys


@pytest.fixture
def text(workdir: Path) -> Path:
    path = workdir / "SUMS"
    path.write_bytes(TEXT)
    return path


def signed_clear(keys: Keys, key: str, at: int | None = None, more: str = "--no-tty") -> bytes:
    return keys.home.gpg(f"--local-user={key}", more, "--clear-sign", at=at, stdin=TEXT)


# Making


@pytest.mark.parametrize("name", ["ours", "edwards"])
def test_what_we_sign_is_verified_by_us_and_by_gpg(
    users: Keys, public: Path, text: Path, name: str
) -> None:
    key = getattr(users, name)

    sign_clear(text, text.with_suffix(".asc"), key)
    sign_detached(text, text.with_suffix(".sig"), key)

    with Keyring([public / f"{name}.asc"]) as keyring:
        signed, signature = keyring.verify_clear(text.with_suffix(".asc").read_bytes(), "SUMS.asc")
        assert (signed, signature.signer) == (TEXT, keyring.signers[0])
        assert keyring.verify_detached(text, text.with_suffix(".sig")).signer == signature.signer
    assert signature.signer.fingerprint == key
    users.home.gpg("--verify", text.with_suffix(".asc"))
    said = users.home.gpg("--status-fd=1", "--verify", text.with_suffix(".sig"), text).decode()
    valid = next(line.split() for line in said.splitlines() if " VALIDSIG " in line)
    assert valid[9] == "8"  # SHA-256, RFC 9580, section 9.5
    assert text.with_suffix(".sig").read_text().startswith("-----BEGIN PGP SIGNATURE-----\n")


@pytest.mark.parametrize("name", ["ours", "edwards"])
@pytest.mark.parametrize(
    "epoch",
    [pytest.param(BIRTH + DAY, id="later"), pytest.param(1, id="before the key was made")],
)
def test_the_same_input_gives_the_same_bytes(
    users: Keys, text: Path, monkeypatch: pytest.MonkeyPatch, name: str, epoch: int
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(epoch))
    outs = [text.with_name(f"{way}{number}") for way in ("clear", "apart") for number in (1, 2)]

    for out in outs:
        sign = sign_clear if out.name.startswith("clear") else sign_detached
        sign(text, out, getattr(users, name))

    assert outs[0].read_bytes() == outs[1].read_bytes()
    assert outs[2].read_bytes() == outs[3].read_bytes()
    packets = users.home.gpg("--list-packets", outs[2]).decode()
    assert f"created {max(epoch, BIRTH)}," in packets


@pytest.mark.parametrize("name", ["ours", "edwards", "locked"])
def test_the_public_key_that_we_export_verifies_what_we_sign(
    keys: Keys, users: Keys, text: Path, name: str
) -> None:
    key = getattr(users, name)

    exported = export_public_key(key)

    assert b"PRIVATE KEY" not in exported
    packets = keys.home.gpg("--list-packets", stdin=exported)
    assert b":public key packet:" in packets
    assert b"secret" not in packets
    text.with_suffix(".key").write_bytes(exported)
    with Keyring([text.with_suffix(".key")]) as keyring:
        assert [each.fingerprint for each in keyring.signers] == [key]
        if name != "locked":
            sign_detached(text, text.with_suffix(".sig"), key)
            assert keyring.verify_detached(text, text.with_suffix(".sig")).signer.fingerprint == key


def test_an_exported_key_bears_no_word_of_others(keys: Keys, users: Keys) -> None:
    before = export_public_key(users.edwards)
    keys.home.gpg(f"--local-user={users.ours}", "--quick-sign-key", users.edwards)
    assert keys.home.gpg("--armor", "--export", users.edwards) != before

    after = export_public_key(users.edwards)

    assert after == before


def test_a_public_key_without_a_secret_one_is_not_exported(users: Keys) -> None:
    with pytest.raises(SurroundingsError, match="no secret key 'nobody'"):
        export_public_key("nobody")


def test_a_file_whose_name_is_odd_is_signed(users: Keys, workdir: Path) -> None:
    data = workdir / os.fsdecode(b"-\xff \n.iso")
    data.write_bytes(b"image")
    name = Path(data.name)  # relative, it looks like an option
    os.chdir(workdir)

    sign_detached(name, workdir / "sig", users.ours)

    with Keyring([users.home.export(users.ours, workdir / "ours.asc")]) as keyring:
        assert keyring.verify_detached(name, workdir / "sig").signer.fingerprint == users.ours


@pytest.mark.parametrize("name", ["Koozali Bäu", "build@example.org", NAME])
def test_a_key_is_found_by_a_part_of_its_name(users: Keys, name: str) -> None:
    assert check_secret_key(name) == Signer(users.ours, NAME)


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        pytest.param("nobody", SurroundingsError, "no secret key 'nobody'", id="none"),
        pytest.param("--version", SurroundingsError, "no secret key '--version'", id="option"),
        pytest.param("old@", DescriptorError, r"Old <old@.*\) expired on 2020-01-02", id="expired"),
        pytest.param("example.org", DescriptorError, r"4 secret keys.*Edward", id="ambiguous"),
        pytest.param("shy@", SurroundingsError, "Shy.*needs a passphrase", id="passphrase"),
    ],
)
def test_a_key_that_cannot_sign_is_told_beforehand(
    users: Keys, text: Path, name: str, error: type[Exception], words: str
) -> None:
    for use in (check_secret_key, lambda key: sign_clear(text, text.with_name("out"), key)):
        with pytest.raises(error, match=words):
            use(name)
    assert not text.with_name("out").exists()


def test_a_terminal_that_is_none_is_not_asked(users: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPG_TTY", "not a tty")  # what tty(1) prints in cron

    with pytest.raises(SurroundingsError, match="needs a passphrase"):
        check_secret_key(users.locked)


def test_a_passphrase_that_the_agent_knows_is_not_asked(users: Keys) -> None:
    users.home.gpg(f"--local-user={users.locked}", "--passphrase=secret", "--sign", stdin=b"")
    try:
        assert check_secret_key(users.locked).fingerprint == users.locked
    finally:
        users.home.forget_passphrases()


# Checking


@pytest.mark.parametrize("suffix", [".asc", ".sig"])
def test_a_flipped_bit_is_refused_and_the_signer_named(
    users: Keys, public: Path, text: Path, suffix: str
) -> None:
    signature = text.with_name(f"SUMS{suffix}")
    (sign_clear if suffix == ".asc" else sign_detached)(text, signature, users.ours)
    victim = signature if suffix == ".asc" else text
    content = victim.read_bytes()
    victim.write_bytes(content.replace(MD5.hex.encode(), b"1" + MD5.hex.encode()[1:]))

    with Keyring([public / "edwards.asc", public / "ours.asc"]) as keyring:
        verify: Callable[[], object] = {
            ".asc": lambda: keyring.verify_clear(signature.read_bytes(), str(victim)),
            ".sig": lambda: keyring.verify_detached(text, signature),
        }[suffix]
        with pytest.raises(ChangedError) as raised:
            verify()

    assert raised.value.what == (
        f"{victim} was changed after {NAME} (key {users.ours[-16:]}) signed it"
    )


@pytest.mark.parametrize(
    ("sign", "words"),
    [
        pytest.param(
            lambda keys: signed_clear(keys, keys.edwards), "unknown key [0-9A-F]{16}", id="unknown"
        ),
        pytest.param(
            lambda keys: signed_clear(keys, keys.expired, BIRTH + 60),
            r"Old <old@example\.org> \(key .{16}\), but that key expired on 2020-01-02",
            id="expired key",
        ),
        pytest.param(
            lambda keys: signed_clear(keys, keys.ours, BIRTH + 60, "--default-sig-expire=1d"),
            r"Koozali .*, but the signature has expired",
            id="expired signature",
        ),
        pytest.param(
            lambda keys: signed_clear(keys, keys.ours) + signed_clear(keys, keys.edwards),
            "no signature that gpg can check",
            id="two texts",
        ),
        pytest.param(lambda keys: signed_clear(keys, keys.ours)[:250], "no signature", id="cut"),
        pytest.param(lambda _: TEXT, "S.asc holds no signature", id="unsigned"),
        pytest.param(lambda _: b"", "S.asc holds no signature", id="empty"),
    ],
)
def test_a_signature_that_proves_nothing_is_refused(
    keys: Keys, public: Path, sign: Callable[[Keys], bytes], words: str
) -> None:
    content = sign(keys)

    with (
        Keyring([public / "ours.asc", public / "expired.asc"]) as keyring,
        pytest.raises(SignatureError, match=words) as raised,
    ):
        keyring.verify_clear(content, "S.asc")

    assert raised.value.hint


@pytest.mark.parametrize("order", [("ours", "edwards"), ("edwards", "ours")])
def test_one_key_that_is_trusted_is_enough_as_publishers_change_keys(
    keys: Keys, public: Path, order: tuple[str, str]
) -> None:
    users = [f"--local-user={getattr(keys, name)}" for name in order]
    content = keys.home.gpg(*users, "--clear-sign", stdin=TEXT)

    with Keyring([public / "ours.asc"]) as keyring:
        signed, signature = keyring.verify_clear(content, "SUMS.asc")
        with pytest.raises(ChangedError):
            keyring.verify_clear(content.replace(b"From", b"form"), "SUMS.asc")

    assert (signed, signature.signer.fingerprint) == (TEXT, keys.ours)
    assert signature.unknown == (keys.edwards[-16:],)


def test_what_a_revoked_key_signed_is_refused(keys: Keys, workdir: Path) -> None:
    content = signed_clear(keys, keys.revoked)
    with GpgHome() as other:  # the module's key goes on
        other.gpg("--import", stdin=keys.home.gpg("--export", keys.revoked))
        certificate = keys.home.path / "openpgp-revocs.d" / f"{keys.revoked}.rev"
        other.gpg("--import", stdin=certificate.read_bytes().replace(b":-----", b"-----"))
        revoked = other.export(keys.revoked, workdir / "revoked.asc")

    with (
        Keyring([revoked]) as keyring,
        pytest.raises(SignatureError, match=r"Lost .* that key is revoked"),
    ):
        keyring.verify_clear(content, "SUMS.asc")


def test_only_what_is_signed_is_the_text(keys: Keys, public: Path) -> None:
    content = b"before\n" + signed_clear(keys, keys.ours) + b"after\n"

    with Keyring([public / "ours.asc"]) as keyring:
        signed, _ = keyring.verify_clear(content, "SUMS.asc")

    assert signed == TEXT


@pytest.mark.parametrize("way", ["--sign", "--clear-sign"])
def test_a_text_that_signs_itself_is_no_signature_of_another(
    keys: Keys, public: Path, text: Path, way: str
) -> None:
    signature = text.with_suffix(".sig")
    signature.write_bytes(keys.home.gpg(f"--local-user={keys.ours}", way, stdin=TEXT))
    text.write_bytes(b"something else")

    with (
        Keyring([public / "ours.asc"]) as keyring,
        pytest.raises(SignatureError, match=r"SUMS\.sig holds no signature"),
    ):
        keyring.verify_detached(text, signature)


@pytest.mark.parametrize("content", [b"", b"<html>", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n"])
def test_a_file_without_key_is_told(workdir: Path, content: bytes) -> None:
    (workdir / "key.asc").write_bytes(content)

    with pytest.raises(DescriptorError, match=r"key\.asc holds no public key"):
        Keyring([workdir / "key.asc"]).__enter__()


@pytest.mark.parametrize(
    "folder",
    [pytest.param("t", id="short"), pytest.param("t" * 120, id="too long for an agent's socket")],
)
def test_nothing_is_left_behind_nor_taken_from_the_user(
    users: Keys, public: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    place = users.home.path / "tmp" / folder
    place.mkdir(parents=True)
    monkeypatch.setattr("tempfile.tempdir", str(place))
    with Keyring([public / "ours.asc"]) as keyring:
        signers = keyring.signers
        with pytest.raises(SignatureError, match="unknown key"):
            keyring.verify_clear(signed_clear(users, users.edwards), "SUMS.asc")

    assert signers == (Signer(users.ours, NAME),)
    assert not list(place.iterdir())
    assert not [line for line in command_lines() if str(place).encode() in line]


@pytest.mark.parametrize("form", ["--armor", "--no-armor"])
@pytest.mark.parametrize(
    "keyring", [lambda file: Keyring([file]).__enter__(), lambda file: key_ids([file])]
)
def test_a_secret_key_is_not_trusted_but_sent_back(
    users: Keys, workdir: Path, form: str, keyring: Callable[[Path], object]
) -> None:
    secret = workdir / "secret.asc"
    secret.write_bytes(users.home.gpg(form, "--export-secret-keys", users.ours))

    with pytest.raises(DescriptorError, match=r"secret\.asc holds a secret key") as raised:
        keyring(secret)

    assert "revoke" in raised.value.hint


def command_lines() -> Iterator[bytes]:
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield process.read_bytes()
        except OSError:  # it has ended meanwhile
            continue


# What sums files say


def lay_clear(keys: Keys, folder: Path) -> None:
    (folder / "md5sum.txt.asc").write_bytes(b"\n" + signed_clear(keys, keys.ours))


def lay_copies(keys: Keys, folder: Path) -> None:
    (folder / "md5sum.txt").write_bytes(TEXT.replace(b"\n", b"\r\n"))
    lay_clear(keys, folder)


def lay_detached(keys: Keys, folder: Path, suffix: str = ".gpg", key: str = "") -> None:
    (folder / "md5sum.txt").write_bytes(TEXT)
    armour = "--armor" if suffix == ".asc" else "--no-armor"
    signature = keys.home.gpg(
        f"--local-user={key or keys.ours}", armour, "--detach-sign", stdin=TEXT
    )
    (folder / f"md5sum.txt{suffix}").write_bytes(signature)


@pytest.mark.parametrize(
    ("lay", "places"),
    [
        pytest.param(lay_clear, {"md5sum.txt.asc:5"}, id="clear-signed"),
        pytest.param(lay_copies, {"md5sum.txt.asc:5", "md5sum.txt:1"}, id="with a signed copy"),
        *(
            pytest.param(
                lambda keys, folder, suffix=suffix: lay_detached(keys, folder, suffix),
                {"md5sum.txt:1"},
                id=suffix,
            )
            for suffix in (".asc", ".sig", ".gpg")
        ),
    ],
)
def test_what_is_rightly_signed_counts_and_names_its_signer(
    keys: Keys,
    public: Path,
    workdir: Path,
    lay: Callable[[Keys, Path], None],
    places: set[str],
) -> None:
    lay(keys, workdir)
    paths = [path for path in sorted(workdir.iterdir()) if path.suffix in {".txt", ".asc"}]

    with Keyring([public / "ours.asc"]) as keyring:
        said = expectations_from_sums(paths, "x.iso", keyring)

    assert (said.problems, said.refused) == ((), ())
    assert {each.source for each in said.expectations} == {f"{workdir}/{each}" for each in places}
    for each in said.expectations:
        assert each.signature
        assert (each.digest, each.signature.signer) == (MD5, Signer(keys.ours, NAME))
        assert 0 <= time.time() - each.signature.made < 3600


def lay_two_apart(keys: Keys, folder: Path) -> None:
    lay_detached(keys, folder, ".sig", keys.edwards)
    lay_detached(keys, folder, ".gpg")


def test_an_unknown_key_beside_a_trusted_one_is_told(
    keys: Keys, public: Path, workdir: Path
) -> None:
    lay_two_apart(keys, workdir)

    with Keyring([public / "ours.asc"]) as keyring:
        said = expectations_from_sums([workdir / "md5sum.txt"], "x.iso", keyring)

    (found,) = said.expectations
    assert found.signature
    assert found.signature.unknown == (keys.edwards[-16:],)


def lay_unsigned(_: Keys, folder: Path) -> None:
    (folder / "md5sum.txt").write_bytes(TEXT)


def lay_strange(keys: Keys, folder: Path) -> None:
    lay_detached(keys, folder, key=keys.edwards)


def lay_changed(keys: Keys, folder: Path) -> None:
    """It no longer speaks of the image, nor is it a sums file any more."""
    lay_detached(keys, folder)
    (folder / "md5sum.txt").write_bytes(b"x")


def lay_other_copy(keys: Keys, folder: Path) -> None:
    lay_copies(keys, folder)
    (folder / "md5sum.txt").write_bytes(TEXT.replace(b"x.iso", b"y.iso"))


def lay_one_right(keys: Keys, folder: Path) -> None:
    lay_detached(keys, folder)
    shutil.copy(folder / "md5sum.txt.gpg", folder / "md5sum.txt.sig")
    (folder / "md5sum.txt.gpg").write_bytes(b"no signature")


def lay_beneath(keys: Keys, folder: Path) -> None:
    """What is signed speaks of another; the unsigned lines around it do not count."""
    other = TEXT.replace(b"x.iso", b"y.iso")
    signed = keys.home.gpg(f"--local-user={keys.ours}", "--clear-sign", stdin=other)
    (folder / "md5sum.txt").write_bytes(TEXT + signed + TEXT)


@pytest.mark.parametrize(
    ("lay", "words"),
    [
        pytest.param(lay_unsigned, "md5sum.txt is not signed", id="unsigned"),
        pytest.param(lay_strange, "md5sum.txt is signed by the unknown key", id="strange key"),
        pytest.param(lay_changed, "md5sum.txt was changed after Koozali", id="changed"),
        pytest.param(lay_other_copy, "md5sum.txt is not what Koozali", id="unlike its copy"),
        pytest.param(lay_one_right, "md5sum.txt.gpg holds no signature", id="one of two right"),
        pytest.param(lay_beneath, "", id="beneath what is signed"),
    ],
)
def test_what_is_not_rightly_signed_does_not_count(
    keys: Keys, public: Path, workdir: Path, lay: Callable[[Keys, Path], None], words: str
) -> None:
    lay(keys, workdir)

    with Keyring([public / "ours.asc"]) as keyring:
        said = expectations_from_sums([workdir / "md5sum.txt"], "x.iso", keyring)

    assert (said.expectations, said.problems) == ((), ())
    assert [error.what.startswith(f"{workdir}/{words}") for error in said.refused] == [True] * bool(
        words
    )


def test_of_files_that_speak_of_others_no_signature_is_asked(
    keys: Keys, public: Path, workdir: Path
) -> None:
    lay_unsigned(keys, workdir)

    with Keyring([public / "ours.asc"]) as keyring:
        said = expectations_from_sums([workdir / "md5sum.txt"], "y.iso", keyring)

    assert (said.expectations, said.problems, said.refused) == ((), (), ())


# verify


def test_verify_asks_for_the_signature(
    mirror: Mirror, users: Keys, public: Path, workdir: Path
) -> None:
    """One build; then its sums file in all states."""
    descriptor = workdir / "sme9.yaml"
    plain = f"{mirror.descriptor}workdir: .\n"
    pinned = f"{plain}keys: [{public / 'ours.asc'}]\n"
    sums = workdir / "tree" / "iso" / "x86_64" / "md5sum.txt"
    signature = sums.with_name("md5sum.txt.sig")
    descriptor.write_text(plain)
    release_builder("build", descriptor, cwd=workdir)
    descriptor.write_text(pinned)

    unsigned = release_builder("verify", "--json", descriptor, cwd=workdir)
    sign_detached(sums, signature, users.edwards)
    strange = release_builder("verify", "--json", descriptor, cwd=workdir)
    sign_detached(sums, signature, users.ours)
    signed = release_builder("verify", "--json", descriptor, cwd=workdir)
    told = release_builder("verify", descriptor, cwd=workdir)
    nobody = {**os.environ, "PATH": str(workdir)}
    without_gpg = release_builder("verify", "--json", descriptor, cwd=workdir, env=nobody)
    content = sums.read_bytes()
    sums.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    changed = release_builder("verify", "--json", descriptor, cwd=workdir)
    sums.unlink()
    silent = release_builder("verify", "--json", descriptor, cwd=workdir)

    signer = f"{NAME} (key {users.ours[-16:]})"
    assert unsigned.status == 2
    assert f"{sums} is not signed" in unsigned.messages()
    assert strange.status == 2
    assert f"{sums} is signed by the unknown key {users.edwards[-16:]}" in strange.messages()
    assert signed.status == 0, signed.messages()
    assert signed.document["releases"][0]["steps"][0]["facts"]["signer"] == signer
    assert f"signed by {signer}" in told.stdout
    assert without_gpg.status == 3
    assert "gpg is not installed" in without_gpg.messages()
    assert changed.status == 2
    assert f"{sums} was changed after {signer} signed it" in changed.messages()
    assert silent.status == 2
    assert "no signed sums file speaks of" in silent.messages()


def test_the_sums_file_of_the_descriptor_must_be_signed_too(
    mirror: Mirror, public: Path, workdir: Path
) -> None:
    descriptor = workdir / "sme9.yaml"
    descriptor.write_text(f"{mirror.descriptor}workdir: .\n")
    release_builder("build", descriptor, cwd=workdir)
    (workdir / "own.txt").write_text(f"{MD5.hex}  {mirror.release.image.name}\n")
    (workdir / "tree" / "iso" / "x86_64" / "md5sum.txt").unlink()
    with descriptor.open("a") as out:
        out.write(f"digests: own.txt\nkeys: [{public / 'ours.asc'}]\n")

    verified = release_builder("verify", "--json", descriptor, cwd=workdir)

    assert verified.status == 2
    assert (
        verified.messages()
        == f"{workdir / 'own.txt'} is not signed, and `trust.sums` asks for that"
    )
