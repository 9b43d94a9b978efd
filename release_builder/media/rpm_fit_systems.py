"""What the rpm of each Enterprise Linux reads and installs.

Source: rpm's own code at the versions named (its rpmlib() table, the limits of its headers, its
OpenPGP), and what Red Hat says of the crypto policy of release 9.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from release_builder.errors import DescriptorError, printable

if TYPE_CHECKING:
    from collections.abc import Mapping

_I386: Final = frozenset({"i386", "i486", "i586", "i686", "athlon"})
_INTEL: Final = _I386 | {"x86_64", "noarch"}
_MD5, _SHA1, _LATER = 1, 2, frozenset({8, 9, 10})  # digest algorithms of OpenPGP
RSA: Final = 1
DSA: Final = 17


@dataclass(frozen=True, slots=True)
class EnterpriseLinux:
    """A release of Enterprise Linux, as its rpm shows it.

    Attributes:
        name: Such as ``el7``.
        rpm: Version of its rpm.
        arches: What packages may be for.
        features: By the name of a need rpmlib(NAME), the version that its rpm provides.
        file_digests: Algorithms of file digests that it computes.
        header_bytes: Data of a header at most.
        signature_bytes: Data of a signature header at most.
        signature_versions: Of OpenPGP packets.
        keys: Algorithms of keys whose signatures it verifies.
        signature_digests: Algorithms of digests below signatures.
        wants_digests: Whether it refuses what carries no digest of its payload.
        takes_v6: Whether it reads packages of format 6.
        weak: Whether it knows weak dependencies and file triggers.
    """

    name: str
    rpm: str
    arches: frozenset[str]
    features: Mapping[str, str]
    file_digests: frozenset[int]
    header_bytes: int
    signature_bytes: int
    signature_versions: frozenset[int]
    keys: frozenset[int]
    signature_digests: frozenset[int]
    wants_digests: bool = False
    takes_v6: bool = False
    weak: bool = False

    def __str__(self) -> str:
        return self.name


_EL5: Final = EnterpriseLinux(
    name="el5",
    rpm="4.4.2.3",
    arches=_INTEL | {"ia64", "ppc", "ppc64", "s390", "s390x"},
    features={
        "VersionedDependencies": "3.0.3-1",
        "CompressedFileNames": "3.0.4-1",
        "PayloadIsBzip2": "3.0.5-1",
        "PayloadFilesHavePrefix": "4.0-1",
        "ExplicitPackageProvide": "4.0-1",
        "HeaderLoadSortsTags": "4.0.1-1",
        "ScriptletInterpreterArgs": "4.0.3-1",
        "PartialHardlinkSets": "4.0.4-1",
        "ConcurrentAccess": "4.1-1",
        "BuiltinLuaScripts": "4.2.2-1",
    },
    file_digests=frozenset({_MD5}),
    header_bytes=(16 << 20) - 1,
    signature_bytes=8192,
    signature_versions=frozenset({3}),
    keys=frozenset({RSA, DSA}),
    signature_digests=_LATER | {_MD5, _SHA1},
)
_EL6: Final = replace(
    _EL5,
    name="el6",
    rpm="4.8.0",
    arches=_INTEL | {"ppc", "ppc64", "s390", "s390x"},
    features={
        **_EL5.features,
        "PayloadIsLzma": "4.4.2-1",
        "PayloadIsXz": "5.2-1",
        "FileDigests": "4.6.0-1",
        "FileCaps": "4.6.1-1",
    },
    file_digests=_LATER | {_MD5, _SHA1},
    signature_versions=frozenset({3, 4}),
)
_EL7: Final = replace(
    _EL6,
    name="el7",
    rpm="4.11.3",
    arches=_INTEL | {"aarch64", "ppc", "ppc64", "ppc64le", "s390", "s390x"},
    features={
        **_EL6.features,
        "ScriptletExpansion": "4.9.0-1",
        "TildeInVersions": "4.10.0-1",
    },
)
_EL8: Final = replace(
    _EL7,
    name="el8",
    rpm="4.14.3",
    arches=_INTEL | {"aarch64", "ppc64le", "s390x"},
    features={
        **_EL7.features,
        "LargeFiles": "4.12.0-1",
        "RichDependencies": "4.12.0-1",
        "CaretInVersions": "4.15.0-1",
        "PayloadIsZstd": "5.4.18-1",
    },
    header_bytes=(256 << 20) - 1,
    wants_digests=True,
    takes_v6=True,
    weak=True,
)
_EL9: Final = replace(
    _EL8,
    name="el9",
    rpm="4.16.1.3",
    features={**_EL8.features, "DynamicBuildRequires": "4.15.0-1"},
    signature_bytes=64 << 20,
    keys=frozenset({RSA}),  # by its crypto policy, DEFAULT, which allows no SHA1 either
    signature_digests=_LATER,
)
SYSTEMS: Final = {each.name: each for each in (_EL5, _EL6, _EL7, _EL8, _EL9)}


def system(name: str) -> EnterpriseLinux:
    """The release that ``name`` means, such as ``el7``.

    Raises:
        DescriptorError: There is none, or nothing is known of it.
    """
    if name not in SYSTEMS:
        raise DescriptorError(
            f"'{printable(name)}' is no Enterprise Linux that is known",
            hint=f"write one of {', '.join(SYSTEMS)}",
        )
    return SYSTEMS[name]
