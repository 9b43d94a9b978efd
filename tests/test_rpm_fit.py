"""Which Enterprise Linux can install an RPM, by what its headers say."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from rpm_builder import ABOUT, header, rpm

from release_builder.api.doctors import fit_packages
from release_builder.errors import DescriptorError, Status
from release_builder.media.image import MediaError
from release_builder.media.rpm_fit import misfits
from release_builder.media.rpm_fit_systems import SYSTEMS, system
from release_builder.media.rpm_fit_traits import read_traits
from release_builder.media.rpm_signature import SignatureKind, kind_of
from release_builder.monitor import Monitor
from release_builder.report import Severity
from release_builder.state.digest_cache import no_cache
from release_builder.steps.compose_tree import read_tree
from release_builder.steps.lint_packages import check_packages

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rpm_builder import Value

    from release_builder.media.rpm_fit import Misfit

SHA256, SHA1, RSA, DSA, EDDSA = 8, 2, 1, 17, 22
PLAIN: Mapping[int, Value] = {
    **ABOUT,
    1049: ["rpmlib(CompressedFileNames)", "rpmlib(PayloadFilesHavePrefix)", "rsync"],
    1050: ["3.0.4-1", "4.0-1", ""],
    1125: "gzip",
}


def needing(feature: str, version: str) -> Mapping[int, Value]:
    return {**PLAIN, 1049: [f"rpmlib({feature})"], 1050: [version]}


def signature(version: int, key: int, digest: int) -> bytes:
    """An OpenPGP packet that says so and proves nothing."""
    head = bytes((3, 5, 0, *bytes(12))) if version == 3 else bytes((version, 0))
    body = head + bytes((key, digest)) + bytes(20)
    return b"\x88" + bytes([len(body)]) + body


def found(data: bytes, name: str) -> tuple[Misfit, ...]:
    return misfits(read_traits(io.BytesIO(data), "tiny.rpm"), SYSTEMS[name])


def refusing(data: bytes) -> list[str]:
    """The releases that would not install it."""
    return [name for name in SYSTEMS if any(each.refused for each in found(data, name))]


def signed(packet: bytes, tag: int = 268) -> bytes:
    return rpm({**PLAIN, 5092: ["0" * 64], 5093: 8}, {tag: packet, 269: "0" * 40})


def test_a_plain_package_fits_everywhere() -> None:
    data = rpm(PLAIN)

    everywhere = [found(data, name) for name in SYSTEMS]

    assert everywhere == [()] * 5


@pytest.mark.parametrize(
    ("about", "by"),
    [
        pytest.param({**PLAIN, 5011: SHA256}, "el5", id="SHA-256 digests of files"),
        pytest.param({**PLAIN, 1125: "bzip2"}, "", id="bzip2"),
        pytest.param({**PLAIN, 1125: "lzma"}, "el5", id="lzma"),
        pytest.param({**PLAIN, 1125: "xz"}, "el5", id="xz"),
        pytest.param({**PLAIN, 1125: "zstd"}, "el5 el6 el7", id="zstd"),
        pytest.param({**PLAIN, 1125: "lz5"}, "el5 el6 el7 el8 el9", id="an unknown compressor"),
        pytest.param({**PLAIN, 5011: 12}, "el5 el6 el7 el8 el9", id="SHA3 digests of files"),
        pytest.param({**PLAIN, 1001: "1.0~beta1"}, "el5 el6", id="tilde in the version"),
        pytest.param({**PLAIN, 1002: "1~rc1"}, "el5 el6", id="tilde in the release"),
        pytest.param({**PLAIN, 1055: ["2~rc1"]}, "el5 el6", id="tilde in a dependency"),
        pytest.param({**PLAIN, 1001: "1.0^git5"}, "el5 el6 el7", id="caret"),
        pytest.param({**PLAIN, 1049: ["(a or b)"]}, "el5 el6 el7", id="rich dependency"),
        pytest.param({**PLAIN, 5008: 1}, "el5 el6 el7", id="large files"),
        pytest.param({**PLAIN, 5009: 1}, "el5", id="a size of 64 bits"),
        pytest.param({**PLAIN, 5114: 6}, "el5 el6 el7", id="format 6"),
        pytest.param({**PLAIN, 1022: "ia64"}, "el6 el7 el8 el9", id="ia64"),
        pytest.param({**PLAIN, 1022: "x86_64_v2"}, "el5 el6 el7 el8 el9", id="x86_64_v2"),
        pytest.param({**PLAIN, 1022: "noarch"}, "", id="noarch"),
        pytest.param({**PLAIN, 1022: "i686"}, "", id="i686"),
        pytest.param(needing("FileCaps", "4.6.1-1"), "el5", id="capabilities"),
        pytest.param(needing("ScriptletExpansion", "4.9.0-1"), "el5 el6", id="expanded scriptlets"),
        pytest.param(
            needing("DynamicBuildRequires", "4.15.0-1"), "el5 el6 el7 el8", id="made needs"
        ),
        pytest.param(needing("Unheard", "9-1"), "el5 el6 el7 el8 el9", id="an unknown need"),
        pytest.param(
            needing("BuiltinLuaScripts", "4.2.1-1"),
            "el5 el6 el7 el8 el9",
            id="an older feature than there is",
        ),
    ],
)
def test_what_a_header_says_decides_who_installs_it(about: Mapping[int, Value], by: str) -> None:
    assert refusing(rpm(about)) == by.split()


@pytest.mark.parametrize(
    ("packet", "by"),
    [
        pytest.param(signature(3, RSA, SHA1), "el9", id="V3 RSA SHA1"),
        pytest.param(signature(3, DSA, SHA1), "el9", id="V3 DSA SHA1"),
        pytest.param(signature(3, RSA, SHA256), "", id="V3 RSA SHA256"),
        pytest.param(signature(4, RSA, SHA256), "el5", id="V4 RSA SHA256"),
        pytest.param(signature(4, RSA, SHA1), "el5 el9", id="V4 RSA SHA1"),
        pytest.param(signature(4, EDDSA, SHA256), "el5 el6 el7 el8 el9", id="V4 EdDSA"),
        pytest.param(signature(6, RSA, SHA256), "el5 el6 el7 el8 el9", id="V6"),
    ],
)
def test_a_signature_decides_who_installs_it(packet: bytes, by: str) -> None:
    assert refusing(signed(packet)) == by.split()


@pytest.mark.parametrize("tag", [267, 268, 1002, 1005])
def test_every_signature_counts(tag: int) -> None:
    data = signed(signature(4, RSA, SHA1), tag)

    (misfit,) = found(data, "el9")

    assert str(misfit) == "its signature is V4 RSA/SHA1: el9 refuses that digest"


def test_a_misfit_says_what_why_and_what_to_do() -> None:
    data = rpm({**PLAIN, 1125: "zstd"})

    (misfit,) = found(data, "el7")

    assert misfit.what == "its payload is packed by zstd"
    assert misfit.why == "rpm 4.11.3 of el7 unpacks bzip2, gzip, lzma, xz only"
    assert "_binary_payload w9.gzdio" in misfit.hint


def test_a_source_package_is_told_the_macro_of_its_own() -> None:
    about = {tag: value for tag, value in PLAIN.items() if tag != 1044}

    (misfit,) = found(rpm({**about, 5011: SHA256}), "el5")

    assert "_source_filedigest_algorithm 1" in misfit.hint


def test_a_need_that_has_a_check_of_its_own_is_told_once() -> None:
    about = {
        **needing("PayloadIsZstd", "5.4.18-1"),
        1125: "zstd",
    }

    (misfit,) = found(rpm(about), "el7")

    assert "zstd" in misfit.what


def test_what_is_passed_over_is_told_and_does_not_keep_it_out() -> None:
    data = rpm({**PLAIN, 5046: ["nicer-with-this"]})

    (misfit,) = found(data, "el7")

    assert not misfit.refused
    assert "weak dependencies" in misfit.what
    assert found(data, "el8") == ()


def test_a_signature_that_only_rpm_6_reads_counts_as_none() -> None:
    data = rpm({**PLAIN, 5092: ["0"], 5093: 8}, {278: ["base64"], 273: "0" * 64})

    (misfit,) = found(data, "el9")

    assert not misfit.refused
    assert "rpm 6" in misfit.what


def test_a_package_without_digests_is_refused_by_those_who_check() -> None:
    data = rpm(PLAIN, {1000: 1})

    assert refusing(data) == ["el8", "el9"]


@pytest.mark.parametrize(
    ("length", "by"),
    [
        pytest.param((16 << 20) - 1, "", id="as large as may be"),
        pytest.param(16 << 20, "el5 el6 el7", id="one byte more"),
    ],
)
def test_a_large_header_is_too_much_for_old_ones(length: int, by: str) -> None:
    about = {**PLAIN, 5092: ["0"], 5093: 8}
    data = rpm({**about, 9999: bytes(length - len(values_of(about)))}, {269: "0" * 40})

    assert refusing(data) == by.split()


def values_of(about: Mapping[int, Value]) -> bytes:
    """The data of its header."""
    return header(about)[16 + 16 * len(about) :]


@pytest.mark.parametrize(
    ("signature_header", "by"),
    [
        pytest.param({999: bytes(8000)}, "", id="room for signatures"),
        pytest.param({274: bytes(9000)}, "el5 el6 el7 el8", id="9,000 bytes"),
        pytest.param({300 + n: 1 for n in range(33)}, "el5 el6 el7 el8 el9", id="33 entries"),
    ],
)
def test_a_large_signature_header_is_refused(
    signature_header: Mapping[int, Value], by: str
) -> None:
    data = rpm({**PLAIN, 5092: ["0"], 5093: 8}, {269: "0" * 40, **signature_header})

    assert refusing(data) == by.split()


def test_what_is_no_rpm_is_refused() -> None:
    with pytest.raises(MediaError, match=r"tiny\.rpm: no RPM"):
        read_traits(io.BytesIO(b"nothing of that kind"), "tiny.rpm")


@pytest.mark.parametrize("lacking", [1, 800])
def test_a_package_that_is_cut_short_does_not_fit(tmp_path: Path, lacking: int) -> None:
    path = tmp_path / "tiny.rpm"
    path.write_bytes(rpm(PLAIN)[:-lacking])

    (fitting,) = fit_packages([path], "el6")

    assert fitting.problem is not None
    assert fitting.problem.what.endswith(
        f"tiny.rpm: it is cut short: {lacking} bytes are not there"
    )
    assert fitting.problem.hint == "fetch it again, or build it again"
    assert fitting.exit_status is Status.WRONG


def test_a_package_that_is_not_there_is_told_to_be_named_rightly(tmp_path: Path) -> None:
    (fitting,) = fit_packages([tmp_path / "gone.rpm"], "el6")

    assert fitting.problem is not None
    assert fitting.problem.what == f"there is no {tmp_path}/gone.rpm"
    assert fitting.problem.hint == "name another file"


def test_a_broken_signature_is_no_rpm() -> None:
    with pytest.raises(MediaError, match="its signature is broken"):
        read_traits(io.BytesIO(signed(b"\x88\x01\x04")), "tiny.rpm")


@pytest.mark.parametrize("version", [3, 4, 6])
def test_the_kind_of_a_signature_is_read(version: int) -> None:
    kind = kind_of(signature(version, RSA, SHA256))

    assert kind == SignatureKind(version, RSA, SHA256)
    assert str(kind) == f"V{version} RSA/SHA256"


@pytest.mark.parametrize("length", [1, 3, 4, 10])
def test_a_signature_that_is_cut_short_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="broken"):
        kind_of(signature(3, RSA, SHA256)[:length])


def test_an_unknown_release_is_refused_with_the_known_ones() -> None:
    with pytest.raises(DescriptorError, match="el5, el6, el7, el8, el9"):
        system("el4")


def test_lint_warns_of_what_the_releases_own_rpm_refuses(tmp_path: Path) -> None:
    for name, about in (("a", PLAIN), ("b", {**PLAIN, 1125: "zstd"}), ("c", {**PLAIN, 1125: "xz"})):
        (tmp_path / f"{name}.rpm").write_bytes(rpm(about))
    tree = read_tree(tmp_path, ())

    unknown = check_packages(tree, {}, "x86_64", no_cache(), Monitor())
    known = check_packages(tree, {}, "x86_64", no_cache(), Monitor(), el=SYSTEMS["el7"])

    (finding,) = (each for each in known.findings if each not in unknown.findings)
    assert finding.severity is Severity.WARNING
    assert finding.message.startswith("1 package is unfit for el7, its payload is packed by zstd")
    assert finding.message.endswith(": b.rpm")
    assert "_binary_payload w9.gzdio" in finding.hint
