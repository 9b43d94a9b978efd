"""What a demo release is made from: the same recipe gives the same bytes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recipe:
    """The ingredients of a demo release; the defaults are the demo's own.

    Attributes:
        version: A pre-release's version.
        arch: What its packages run on; they are data, so any host makes any.
        packages: How many RPMs.
        largest: Bytes in the largest of them. The whole tree takes about fourteen times that
            with 36 packages, ten times with 8.
        epoch: When all of it was made, in seconds since 1970.
    """

    version: str = "9.0beta3"
    arch: str = "x86_64"
    packages: int = 36
    largest: int = 1 << 20
    epoch: int = 1_391_212_800  # 2014-02-01

    @property
    def major(self) -> str:
        """The product's major version."""
        return self.version.partition(".")[0]

    @property
    def dist(self) -> str:
        """The end of each package's release: SME 9 stands on Enterprise Linux 6, 10 on 7."""
        return f".el{int(self.major) - 3}.sme"

    @property
    def name(self) -> str:
        """The image's name without its extension."""
        return f"smeserver-{self.version}-{self.arch}"
