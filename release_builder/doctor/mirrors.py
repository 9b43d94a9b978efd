"""The servers that a release is fetched from: whether they answer, and why https does not work."""

from __future__ import annotations

import contextlib
import shutil
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from urllib3 import PoolManager, Timeout

from release_builder.descriptor.mirror import Kind
from release_builder.doctor.checkup import Check, Mark
from release_builder.doctor.clock import check_against
from release_builder.doctor.tls import Cause, diagnose
from release_builder.doctor.tls_words import FAULT_OF, advice, said
from release_builder.errors import ReleaseBuilderError, Status, printable
from release_builder.transport.http.answers import TROUBLES, failure
from release_builder.transport.http.proxies import Proxies
from release_builder.transport.http.tls import trusting
from release_builder.transport.http.urls import parse
from release_builder.transport.rsync import RsyncMirror

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from release_builder.descriptor.release import Release
    from release_builder.doctor.system import System
    from release_builder.transport.http.urls import Address

_TOPIC: Final = "servers"
_NEEDED_BY: Final = ("build", "refresh")
_TIMEOUT: Final = 10.0  # seconds
_ELSEWHERE: Final = "look at the network, or name another with --mirror"


def check_mirror(release: Release) -> Iterator[Check]:
    """Ask the mirror of ``release``, unless it is on the web."""
    mirror = release.mirror
    name = printable(mirror.url)
    if mirror.local_path is not None:
        if mirror.local_path.is_dir():
            yield Check(_TOPIC, name, Mark.OK, "is there")
        else:
            mend = "mount it, or correct `mirror:`"
            yield Check(_TOPIC, name, Mark.MISSING, "there is no such folder", mend, _NEEDED_BY)
    elif mirror.kind is Kind.RSYNC and not shutil.which("rsync"):
        yield Check(_TOPIC, name, Mark.NOTE, "not asked, since rsync is not installed")
    elif mirror.kind is Kind.RSYNC:
        try:
            count = len(RsyncMirror(mirror.source).names())
        except ReleaseBuilderError as error:
            says = error.what.removeprefix(f"rsync {mirror.source}: ")
            mend = f"{error.hint}; {_ELSEWHERE}" if error.hint else _ELSEWHERE
            yield Check(_TOPIC, name, Mark.MISSING, says, mend, _NEEDED_BY, error.status)
        else:
            yield Check(_TOPIC, name, Mark.OK, f"answers; {count:,} names in that folder")


def web_urls(release: Release) -> dict[str, bool]:
    """By URL of a web server that the parts of ``release`` may come from: whether it is needed."""
    wanted = release.mirror.url if release.mirror.kind is Kind.HTTP else ""
    servers = release.server_urls(release.version.stage).values()
    urls = filter(None, (wanted, *release.fetch.mirrors, *servers))
    return {url: url == wanted for url in urls if url.startswith(("http://", "https://"))}


class WebServers:
    """Asks web servers, each once.

    Args:
        environ: Names proxies and certificates.
        ca_bundle: Certificates to trust in the place of the usual ones.
        system: Whose commands mend things.
        now: What this machine's clock says.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        ca_bundle: Path | None,
        system: System,
        now: datetime,
    ) -> None:
        self._proxies = Proxies(environ)
        self._trusting = trusting(ca_bundle, environ)
        self._own_bundle = str(ca_bundle or environ.get("SSL_CERT_FILE", ""))
        self._system = system
        self._now = now

    def check(self, url: str, *, needed: bool) -> Iterator[Check]:
        """Ask the server of ``url``.

        Args:
            url: http or https.
            needed: Whether nothing is built without it.
        """
        address = parse(url)
        name = f"{address.scheme}://{printable(address.host)}:{address.port}"
        if proxy := self._proxies.on_the_way_to(address):
            mend = "release-builder mirrors probe asks through it"
            yield Check(_TOPIC, name, Mark.NOTE, f"is asked through {proxy}", mend)
        elif address.scheme == "https":
            yield from self._secure(address, name, needed=needed)
        else:
            yield from self._plain(address, name, "http", needed=needed)

    def _secure(self, address: Address, name: str, *, needed: bool) -> Iterator[Check]:
        found = diagnose(
            address.host, address.port, self._trusting, now=self._now, timeout=_TIMEOUT
        )
        if found.cause is Cause.NONE:
            note = "; needs SNI, which very old wget lack" if found.needs_sni else ""
            yield from self._plain(address, name, f"{found.protocol}{note}", needed=needed)
            return
        mark = Mark.MISSING if needed else Mark.WARNING
        mend = advice(found, self._system, self._own_bundle)
        fault = FAULT_OF.get(found.cause, Status.WRONG)
        yield Check(_TOPIC, name, mark, said(found), mend, _needing(needed=needed), fault)

    def _plain(self, address: Address, name: str, how: str, *, needed: bool) -> Iterator[Check]:
        try:
            with PoolManager(ssl_context=self._trusting) as pool:
                answer = pool.request(
                    "HEAD",
                    address.url,
                    timeout=Timeout(_TIMEOUT),
                    retries=False,
                    redirect=False,
                )
        except TROUBLES as error:
            mark = Mark.MISSING if needed else Mark.WARNING
            says = f"does not answer: {failure(error).detail}"
            by = _needing(needed=needed)
            yield Check(_TOPIC, name, mark, says, _ELSEWHERE, by, Status.INCOMPLETE)
            return
        yield Check(_TOPIC, name, Mark.OK, f"answers by {how}")
        with contextlib.suppress(ValueError):
            theirs = parsedate_to_datetime(answer.headers.get("Date", "")).astimezone()
            yield from check_against(address.host, theirs, self._now, self._system)


def _needing(*, needed: bool) -> tuple[str, ...]:
    return _NEEDED_BY if needed else ()


def all_web_urls(releases: Sequence[Release]) -> dict[str, bool]:
    """The URLs of several releases, one a server, the needed ones first."""
    servers: dict[tuple[str, str, int], tuple[str, bool]] = {}
    for url, needed in (pair for release in releases for pair in web_urls(release).items()):
        server = parse(url).server
        known = servers.get(server)
        if known is None or (needed and not known[1]):
            servers[server] = (url, needed)
    return dict(sorted(servers.values(), key=lambda pair: not pair[1]))
