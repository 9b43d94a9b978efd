"""Packages of the real rpmbuild, as each Enterprise Linux would take them."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from gpg_home import BIRTH, GpgHome
from jsonschema import Draft202012Validator

from release_builder import process
from release_builder.api.doctors import fit_packages
from release_builder.cli.doctor import doctor
from release_builder.files import resource
from release_builder.media.rpm_fit_systems import SYSTEMS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.interop

SPEC = """\
Name: tiny
Version: {version}
Release: 1
Summary: Tiny
License: GPL
BuildArch: noarch
{more}
%description
Nothing.
%install
mkdir -p %{{buildroot}}/etc
echo something > %{{buildroot}}/etc/tiny
%files
/etc/tiny
"""
# What the facts of old rpms ask for: each macro by itself.
EL5 = ("_binary_payload w9.gzdio", "_binary_filedigest_algorithm 1", "_build_id_links none")
GZIP = ("_binary_payload w9.gzdio", "_binary_filedigest_algorithm 8")


def built(
    folder: Path, *macros: str, version: str = "1.0", more: str = "", source: bool = False
) -> Path:
    """A package made with these macros."""
    spec = folder / "tiny.spec"
    spec.write_text(SPEC.format(version=version, more=more))
    argv = ["rpmbuild", "-bs" if source else "-bb", "--quiet", "--nodeps", "--target", "noarch"]
    for macro in (f"_topdir {folder}", f"_dbpath {folder}/db", *macros):
        argv += ["--define", macro]
    outcome = process.run([*argv, str(spec)])
    assert outcome.status == 0, outcome.stderr
    (made,) = folder.rglob("*.rpm")
    return made


def refusing(package: Path) -> list[str]:
    """The releases that would not install it."""
    return [name for name in SYSTEMS if not fit_packages([package], name)[0].fits]


def test_a_package_made_for_el5_fits_everywhere(tmp_path: Path) -> None:
    assert refusing(built(tmp_path, *EL5)) == []


@pytest.mark.parametrize(
    ("macros", "by"),
    [
        pytest.param(GZIP, "el5", id="SHA-256 digests"),
        pytest.param((*EL5[1:], "_binary_payload w6.xzdio"), "el5", id="xz"),
        pytest.param((*EL5[1:], "_binary_payload w9.bzdio"), "", id="bzip2"),
        pytest.param((*GZIP[1:], "_binary_payload w19.zstdio"), "el5 el6 el7", id="zstd"),
    ],
)
def test_macros_decide_who_installs_it(tmp_path: Path, macros: tuple[str, ...], by: str) -> None:
    assert refusing(built(tmp_path, *macros)) == by.split()


def test_a_plain_build_of_here_is_not_for_el5(tmp_path: Path) -> None:
    assert "el5" in refusing(built(tmp_path))


@pytest.mark.parametrize(
    ("version", "more", "by"),
    [
        pytest.param("1.0~beta1", "", "el5 el6", id="tilde"),
        pytest.param("1.0^git5", "", "el5 el6 el7", id="caret"),
        pytest.param("1.0", "Requires: (a or b)", "el5 el6 el7", id="rich dependency"),
        pytest.param("1.0", "Requires: a >= 2~rc1", "el5 el6", id="tilde in a dependency"),
        pytest.param("1.0", "Recommends: a", "", id="weak dependency"),
    ],
)
def test_what_a_spec_says_decides_who_installs_it(
    tmp_path: Path, version: str, more: str, by: str
) -> None:
    assert refusing(built(tmp_path, *EL5, version=version, more=more)) == by.split()


def test_a_source_package_has_macros_of_its_own(tmp_path: Path) -> None:
    macros = ("_source_payload w9.gzdio", "_source_filedigest_algorithm 8")

    package = built(tmp_path, *macros, source=True)

    (fitting,) = fit_packages([package], "el5")
    assert any("_source_filedigest_algorithm 1" in each.hint for each in fitting.misfits)


@pytest.fixture(scope="module")
def home() -> Iterator[GpgHome]:
    with GpgHome() as opened:
        yield opened


def signed(home: GpgHome, kind: str, digest: str, package: Path) -> None:
    """Sign as current systems do, by GnuPG 2."""
    key = home.make_key(f"{kind} {digest} <{kind}@example.org>", kind)
    outcome = process.run(
        [
            *("rpmsign", "--addsign", "--define", f"_gpg_name {key}"),
            *("--define", f"__gpg {process.find('gpg')}"),
            *("--define", f"_gpg_digest_algo {digest}"),
            *("--define", f"_gpg_sign_cmd_extra_args --faked-system-time={BIRTH + 60}"),
            str(package),
        ],
        env=process.environment({"GNUPGHOME": str(home.path)}),
    )
    assert outcome.status == 0, outcome.stderr


@pytest.mark.parametrize(
    ("kind", "digest", "by"),
    [
        pytest.param("rsa2048", "sha256", "el5", id="RSA SHA256"),
        pytest.param("rsa2048", "sha1", "el5 el9", id="RSA SHA1"),
        pytest.param("ed25519", "sha256", "el5 el6 el7 el8 el9", id="EdDSA"),
    ],
)
def test_signatures_of_gnupg_2_decide_who_takes_it(
    tmp_path: Path, home: GpgHome, kind: str, digest: str, by: str
) -> None:
    package = built(tmp_path, *EL5)

    signed(home, kind, digest, package)

    assert refusing(package) == by.split()


def test_signatures_of_gnupg_1_are_for_el5(tmp_path: Path, home: GpgHome) -> None:
    key = home.make_key("Old <old@example.org>")
    old = tmp_path / "gnupg1"
    old.mkdir(0o700)
    secret = home.gpg("--armor", "--export-secret-keys", key)
    one = ["gpg1", "--homedir", str(old), "--batch", "--no-tty"]
    subprocess.run([*one, "--import"], input=secret, check=True, capture_output=True)
    package = built(tmp_path, *EL5)

    outcome = process.run(
        [
            *("rpmsign", "--addsign", "--rpmv3", "--define", f"_gpg_name {key}"),
            *("--define", f"__gpg {process.find('gpg1')}", "--define", f"_gpg_path {old}"),
            *(
                "--define",
                "__gpg_sign_cmd %{__gpg} gpg1 --batch --no-verbose --no-armor"
                f" --homedir {old} --force-v3-sigs --digest-algo sha1 -u %{{_gpg_name}} -sbo"
                " %{__signature_filename} %{__plaintext_filename}",
            ),
            str(package),
        ],
    )

    assert outcome.status == 0, outcome.stderr
    assert refusing(package) == ["el9"]


def test_the_command_tells_and_judges(tmp_path: Path) -> None:
    package = built(tmp_path, *GZIP)

    fits = CliRunner().invoke(
        doctor, ["--rpm", str(package), "--for", "el6"], standalone_mode=False
    )
    fails = CliRunner().invoke(
        doctor, ["--rpm", str(package), "--for", "el5"], standalone_mode=False
    )

    assert (fits.return_value, fits.stdout) == (0, "tiny-1.0-1.noarch.rpm: fits el6\n")
    assert fails.return_value == 2
    assert "does not fit el5: the digests of its files are SHA-256" in fails.stderr
    assert "_binary_filedigest_algorithm 1" in fails.stderr


def test_json_is_as_its_schema_has_it(tmp_path: Path) -> None:
    package = built(tmp_path, *GZIP)
    missing = tmp_path / "none.rpm"
    no_rpm = tmp_path / "text.rpm"
    no_rpm.write_text("no package")
    arguments = ["--json", "--for", "el5", "--rpm", str(package), str(missing), str(no_rpm)]

    ended = CliRunner().invoke(doctor, arguments, standalone_mode=False)

    document = json.loads(ended.stdout)
    Draft202012Validator(json.loads(resource("data/doctor.schema.json").read_text())).validate(
        document
    )
    assert document["exit_status"] == ended.return_value == 2
    assert [each["fits"] for each in document["packages"]] == [False] * 3
    assert "no RPM" in document["packages"][2]["problem"]
