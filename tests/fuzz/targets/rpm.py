"""Damaged RPMs: what they say, whether they are whole, and where they fit."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from fuzz.choices import Choices
from fuzz.decency import check_error, check_line
from rpm_builder import ABOUT, LEAD, header, rpm, signature_packet

from release_builder.media import MediaError
from release_builder.media.rpm import check_payload, read_package
from release_builder.media.rpm_fit import misfits
from release_builder.media.rpm_fit_systems import SYSTEMS
from release_builder.media.rpm_fit_traits import read_traits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rpm_builder import Value

_NEEDS: Mapping[int, Value] = {
    1049: ["rpmlib(PayloadIsXz)", "bash"],
    1050: ["5.2-1", ""],
    5011: 8,
    1125: "xz",
}
_CHANGES: Mapping[int, Value] = {
    1080: [1, 2],
    1081: ["A <a@b> 1-1", "B"],
    1082: ["- x [SME: 1]", "- y"],
}
_PACKAGES = (
    rpm(),
    rpm({**ABOUT, **_NEEDS, **_CHANGES}, {267: signature_packet(), 1000: 5, 1004: bytes(16)}),
    rpm({**ABOUT, **_CHANGES}, {1002: signature_packet(version=3)}),
    LEAD + header({}) + header({}),
)


def seeds() -> Iterator[bytes]:
    """Each package, whole and with its beginning changed."""
    for which in range(len(_PACKAGES)):
        yield bytes([which])
        for at in (96, 104, 112, 150):
            yield bytes([which, 0, at, 4, 255, 255, 255, 255, 0])


def one_input(content: bytes) -> None:
    """What can be shown and compared, or a MediaError that names the file."""
    choices = Choices(content)
    package = choices.damaged(choices.pick(_PACKAGES), longest=16)
    try:
        read = read_package(io.BytesIO(package), "a.rpm", changes=True)
        assert read.size == len(package)
        assert read.name
        assert read.evr == read.evr
        assert not read.evr < read.evr
    except MediaError as error:
        check_error(error, package, "a.rpm: no RPM: ")
    try:
        check_payload(io.BytesIO(package), "a.rpm")
    except MediaError as error:
        check_error(error, package, "a.rpm: ")
    try:
        traits = read_traits(io.BytesIO(package), "a.rpm")
    except MediaError as error:
        check_error(error, package, "a.rpm: no RPM: ")
        return
    for system in SYSTEMS.values():
        for misfit in misfits(traits, system):
            check_line(f"{misfit} {misfit.hint}")
