"""Whether an RPM can be read and installed by the rpm of an Enterprise Linux."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from release_builder.errors import printable
from release_builder.media.rpm_version import compare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_builder.media.rpm_fit_systems import EnterpriseLinux
    from release_builder.media.rpm_fit_traits import Traits
    from release_builder.media.rpm_signature import SignatureKind

_MD5: Final = 1
_SIGNATURE_ENTRIES: Final = 32
_COMPRESSORS: Final = {  # by what rpm must provide
    "bzip2": "PayloadIsBzip2",
    "lzma": "PayloadIsLzma",
    "xz": "PayloadIsXz",
    "zstd": "PayloadIsZstd",
}
_DIGESTS: Final = {1: "MD5", 2: "SHA1", 8: "SHA-256", 9: "SHA-384", 10: "SHA-512", 11: "SHA-224"}
_WHAT: Final = {
    "TildeInVersions": "there is a ~ in a version",
    "CaretInVersions": "there is a ^ in a version",
    "RichDependencies": "it has a dependency in parentheses",
    "LargeFiles": "it has a file of 4 GiB or more, or is written as if",
    "FileCaps": "its files have capabilities",
    "ScriptletExpansion": "macros or queries stand in its scriptlets (-e, -q)",
    "DynamicBuildRequires": "its build dependencies are made while it is built",
    "ShortCircuited": "it was built with --short-circuit",
}
_HINTS: Final = {
    "TildeInVersions": "write 1.0~beta2 as version 1.0, release 0.1.beta2",
    "CaretInVersions": "write 1.0^git5 as version 1.0, release 2.git5",
    "RichDependencies": "write plain Requires: lines; what is in parentheses cannot be said there",
    "LargeFiles": "pack smaller files: split those of 4 GiB and more",
    "FileCaps": "set them by setcap in %post, in the place of %caps",
    "ScriptletExpansion": "leave -e and -q out of %pre, %post and the like",
    "DynamicBuildRequires": "write BuildRequires: lines in the place of %generate_buildrequires",
    "ShortCircuited": "build it again, without --short-circuit",
}
_SIGN: Final = "sign it again with an RSA key: rpmsign --addsign --define '_gpg_digest_algo sha256'"
_SIGN_V3: Final = (
    "sign it again, RSA key of at most 2048 bits, by a GnuPG 1 that is told --force-v3-sigs"
    " --digest-algo sha1: GnuPG 2 makes no V3 signatures"
)
_FORMAT: Final = "rpmbuild --define '_rpmformat 4'"


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why an RPM does not fit.

    Attributes:
        what: What of the package.
        why: What the rpm in question makes of it.
        hint: What to do.
        refused: Whether rpm refuses the package; else it installs it, and something is lost.
    """

    what: str
    why: str
    hint: str
    refused: bool = True

    def __str__(self) -> str:
        return f"{self.what}: {self.why}"


def misfits(package: Traits, system: EnterpriseLinux) -> tuple[Misfit, ...]:
    """All that keeps ``package`` from being read and installed by the rpm of ``system``.

    What the package needs of other packages, and whether its programs run there, is not judged.
    """
    return (
        *_format(package, system),
        *_arch(package, system),
        *_compressor(package, system),
        *_features(package, system),
        *_limits(package, system),
        *_digests(package, system),
        *(_signature(each, system) for each in package.signatures if not _reads(each, system)),
        *_lost(package, system),
    )


def _rpm(system: EnterpriseLinux) -> str:
    return f"rpm {system.rpm} of {system.name}"


def _format(package: Traits, system: EnterpriseLinux) -> Iterator[Misfit]:
    if package.format > 4 and not system.takes_v6:
        yield Misfit("it is of format 6", f"{_rpm(system)} reads formats 3 and 4", _FORMAT)


def _arch(package: Traits, system: EnterpriseLinux) -> Iterator[Misfit]:
    if package.arch not in system.arches | {"src"}:
        yield Misfit(
            f"it is for {printable(package.arch) or 'no architecture'}",
            f"there is no {system.name} for that",
            "rpmbuild --target i386 or x86_64, or BuildArch: noarch",
        )


def _kind(package: Traits) -> str:
    return "source" if package.arch == "src" else "binary"


def _compressor(package: Traits, system: EnterpriseLinux) -> Iterator[Misfit]:
    known = sorted({"gzip", *(name for name in _COMPRESSORS if _has(system, name))})
    if package.compressor not in known:
        yield Misfit(
            f"its payload is packed by {printable(package.compressor)}",
            f"{_rpm(system)} unpacks {', '.join(known)} only",
            f"rpmbuild --define '_{_kind(package)}_payload w9.gzdio'",
        )


def _has(system: EnterpriseLinux, compressor: str) -> bool:
    return _COMPRESSORS[compressor] in system.features


def _features(package: Traits, system: EnterpriseLinux) -> Iterator[Misfit]:
    """What it needs of rpm itself, though the package may not say so."""
    needed = {
        name: version
        for name, version in package.needs.items()
        if name not in _COMPRESSORS.values() or name in system.features
    }
    versions = "".join((*package.evr, *package.versions))
    for feature, is_there in (
        ("TildeInVersions", "~" in versions),
        ("CaretInVersions", "^" in versions),
        ("RichDependencies", any(each.startswith("(") for each in package.dependencies)),
        ("LargeFiles", package.large_files),
        ("FileDigests", package.file_digest != _MD5),
    ):
        if is_there:
            needed.setdefault(feature, "")
    for feature, version in sorted(needed.items()):
        provided = system.features.get(feature)
        if provided is None or (version and compare(provided, version) > 0):
            yield _lacking(package, system, feature, version)


def _lacking(package: Traits, system: EnterpriseLinux, feature: str, version: str) -> Misfit:
    what = _WHAT.get(feature) or f"it needs {printable(f'rpmlib({feature})')}"
    hint = _HINTS.get(feature) or "build it on an older system, or without what asks for that"
    if feature == "FileDigests":
        algorithm = _DIGESTS.get(package.file_digest, str(package.file_digest))
        what = f"the digests of its files are {algorithm}"
        if package.file_digest == _MD5:
            what = "it asks for an rpm that knows other digests than MD5"
        hint = f"rpmbuild --define '_{_kind(package)}_filedigest_algorithm 1' (MD5)"
    provided = system.features.get(feature)
    asked = printable(f"rpmlib({feature})" + (f" <= {version}" if version else ""))
    has = f"has {provided}" if provided else "lacks it"
    return Misfit(what, f"that needs {asked}, {_rpm(system)} {has}", hint)


def _limits(package: Traits, system: EnterpriseLinux) -> Iterator[Misfit]:
    if package.header.data > system.header_bytes:
        yield Misfit(
            f"its header has {package.header.data:,} bytes",
            f"{_rpm(system)} reads {system.header_bytes:,} at most",
            "put its files into several packages, or shorten the changelog",
        )
    signature = package.signature_header
    if signature.entries > _SIGNATURE_ENTRIES or signature.data > system.signature_bytes:
        yield Misfit(
            f"its signature header has {signature.entries:,} entries, {signature.data:,} bytes",
            f"{_rpm(system)} reads {_SIGNATURE_ENTRIES} and {system.signature_bytes:,} at most",
            "leave the signatures of its files out: rpmsign --delsign, then --addsign alone",
        )
    # Later ones know the tags; what they cannot install are the large files themselves.
    if package.long_sizes and not package.large_files and "FileDigests" not in system.features:
        yield Misfit(
            "it has more than 4 GiB, unpacked or packed",
            f"{_rpm(system)} knows sizes of 32 bits only",
            "put its files into several packages",
        )


def _digests(package: Traits, system: EnterpriseLinux) -> Iterator[Misfit]:
    other = package.file_digest not in system.file_digests
    if other and "FileDigests" in system.features:
        yield Misfit(
            f"the digests of its files are of algorithm {package.file_digest}",
            f"{_rpm(system)} cannot compute them",
            f"rpmbuild --define '_{_kind(package)}_filedigest_algorithm 8' (SHA-256)",
        )
    if system.wants_digests and not package.has_digests:
        yield Misfit(
            "its header or its payload carries no digest",
            f"{_rpm(system)} refuses what it cannot check",
            "build it with rpmbuild, which writes them",
        )


def _reads(kind: SignatureKind, system: EnterpriseLinux) -> bool:
    return (
        kind.version in system.signature_versions
        and kind.key in system.keys
        and kind.digest in system.signature_digests
    )


def _signature(kind: SignatureKind, system: EnterpriseLinux) -> Misfit:
    if kind.version not in system.signature_versions:
        read = " and ".join(f"V{each}" for each in sorted(system.signature_versions))
        why = f"{_rpm(system)} reads {read}"
    elif kind.key not in system.keys:
        why = f"{_rpm(system)} verifies RSA" + (" and DSA" if len(system.keys) > 1 else " alone")
    else:
        why = f"{system.name} refuses that digest"
    hint = _SIGN_V3 if system.signature_versions == {3} else _SIGN
    return Misfit(f"its signature is {kind}", why, hint)


def _lost(package: Traits, system: EnterpriseLinux) -> Iterator[Misfit]:
    if package.weak and not system.weak:
        yield Misfit(
            "it has weak dependencies or file triggers",
            f"{_rpm(system)} passes over them",
            "Requires: what it cannot do without; triggers: write %post",
            refused=False,
        )
    if package.only_rpm6:
        yield Misfit(
            "its signature is for rpm 6",
            f"to {_rpm(system)} it is not signed",
            f"sign it for older ones too: {_FORMAT}, then rpmsign --addsign --rpmv4",
            refused=False,
        )
