"""What a repository is to be made of, as the command line and a tree of puavo-os say."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from release_builder.errors import DescriptorError, printable
from release_builder.files import replacing
from release_builder.repository.configuration import (
    Compat,
    Configuration,
    Scan,
    scan_images,
)
from release_builder.repository.configuration_files import (
    read_configurations,
    write_configurations,
)
from release_builder.repository.defaults_mk import format_defaults, parse_defaults
from release_builder.repository.selection import Policy

if TYPE_CHECKING:
    from pathlib import Path

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_NAME: Final = r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?"
_HOST: Final = re.compile(
    rf"(?:{_NAME}|\[[0-9A-Fa-f:.]+\])(?::[0-9]{{1,5}})?(?P<path>/[^\s?#\"<>\\]*)?"
)
_CONFIGURATIONS: Final = "config/images"
_DEFAULTS: Final = "defaults.mk"
_MOST_DEFAULTS: Final = 1 << 20  # characters


@dataclass(frozen=True, slots=True)
class WorkOptions:
    """How much of which machines the work may take.

    Attributes:
        jobs: Tasks at a time; None: one a core.
        memory: Bytes of all tasks together; None: half of this machine's.
        scheduler: The Dask scheduler's URL; None: this machine alone.
        split_deltas: Whether a delta may be made in pieces: other bytes than rdiff's.
    """

    jobs: int | None = None
    memory: int | None = None
    scheduler: str | None = None
    split_deltas: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateOptions:
    """What ``images update`` is asked for.

    Attributes:
        image_dir: Where the images lie.
        mirror: The repository; None: what the tree of puavo-os says, else ``mirror`` in
            ``image_dir``.
        repository: Where clients find it: a host or a URL; None: what that tree says.
        fallback: The same, if neither says.
        puavo_os: A tree of puavo-os, whose configuration is kept; None: nothing is written but
            below the repository.
        keep_config: Whether that configuration is read, and not written.
        compat: Which generator the repository is like.
        generations: Whether the repository is to be a link that is switched.
        work: How it is done.
        policy: Which deltas are worth it.
        sign: The secret key that signs meta and CKSUMS.
        list_in: The public root whose index page lists the repository.
        full: Whether all is read again, and what earlier runs have noted counts for nothing.
    """

    image_dir: Path
    mirror: Path | None = None
    repository: str | None = None
    fallback: str | None = None
    puavo_os: Path | None = None
    keep_config: bool = False
    compat: Compat = Compat.SEED
    generations: bool = False
    work: WorkOptions = field(default_factory=WorkOptions)
    policy: Policy = field(default_factory=Policy)
    sign: str | None = None
    list_in: Path | None = None
    full: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for a run.

    Attributes:
        mirror: The repository.
        base_url: What clients find it at, without a slash at the end.
        configurations: Of each distribution.
        ignored: Files that look like images but have no name of one.
        no_files: What has the name of an image and is no file.
    """

    mirror: Path
    base_url: str
    configurations: tuple[Configuration, ...]
    ignored: tuple[str, ...] = ()
    no_files: tuple[str, ...] = ()


def settle(options: UpdateOptions) -> Settings:
    """Find out what holds: arguments first, then ``defaults.mk``, then what is usual.

    Raises:
        DescriptorError: The base URL is missing or none, there is no folder of images, no image or
            no configuration, or one cannot be meant.
        OSError: A folder cannot be read.
    """
    if not options.image_dir.exists():
        raise DescriptorError(
            f"there is no folder {printable(str(options.image_dir))}",
            hint="name the one that the images lie in",
        )
    if options.keep_config and options.puavo_os is None:
        raise DescriptorError(
            "--no-config takes the configuration of puavo-os as it is: of which?",
            hint="name its tree with --puavo-os",
        )
    known = _defaults(options.puavo_os) if options.puavo_os is not None else {}
    told = options.repository or known.get("images_urlbase") or options.fallback
    if not told:
        raise DescriptorError(
            "clients must be told where they find the repository", hint="name it: -r HOST"
        )
    base_url = parse_repository(told)
    if options.keep_config and options.puavo_os is not None:
        configurations = read_configurations(options.puavo_os / _CONFIGURATIONS)
        scan = Scan(configurations, ())
    else:
        scan = scan_images(options.image_dir)
        configurations = scan.configurations
        if not configurations:
            raise DescriptorError(
                f"{printable(str(options.image_dir))} has no image",
                hint="they are named OSNAME-os-CLASS-DIST-YYYY-MM-DD-HHMMSS-ARCH.img",
            )
    mirror = _mirror(options, known)
    return Settings(mirror, base_url, configurations, scan.ignored, scan.no_files)


def parse_repository(text: str) -> str:
    """The base URL that a host, such as ``images.example.org``, or a URL means.

    Raises:
        DescriptorError: It is neither, or has a user.
    """
    found = _SCHEME.match(text)
    scheme, rest = (found[0], text[found.end() :]) if found else ("", text)
    if "@" in rest.partition("/")[0]:
        raise DescriptorError(
            "-r: a user or password does not belong into an address that all clients are told",
            hint="leave it out",
        )
    parts = _HOST.fullmatch(rest)
    if (
        scheme.lower() not in {"", "http://", "https://"}
        or parts is None
        or {".", ".."} & set(unquote(parts["path"] or "").split("/"))
    ):
        # What stands before an @ may be a password.
        shown = scheme + re.sub(r".*@", "…@", rest, flags=re.S)
        raise DescriptorError(
            f"-r: '{printable(shown)}' is no web server",
            hint="write a host, such as images.example.org, or a URL that begins with https://",
        )
    return f"{scheme or 'https://'}{rest}".rstrip("/")


def keep_configuration(options: UpdateOptions, settings: Settings) -> None:
    """Write the configuration as puavo-os' own wrapper does, so that its programs find it.

    Raises:
        DescriptorError: Its form cannot tell it.
        OSError: A file cannot be written.
    """
    if options.puavo_os is None:
        return
    if not options.keep_config:
        folder = options.puavo_os / _CONFIGURATIONS
        write_configurations(folder, settings.configurations, options.compat)
    text = format_defaults(
        {
            "image_dir": str(options.image_dir),
            "images_urlbase": settings.base_url,
            "mirror_dir": str(settings.mirror),
            # One file for all distributions: the last one stays, as with the wrapper.
            "debootstrap_suite": settings.configurations[-1].dist,
        }
    )
    with replacing(options.puavo_os / _DEFAULTS) as out:
        out.write(text.encode())


def _mirror(options: UpdateOptions, known: dict[str, str]) -> Path:
    if options.mirror is not None:
        return options.mirror
    mirror, image_dir = known.get("mirror_dir"), known.get("image_dir")
    # What an earlier run wrote for another folder of images must not be overwritten by this one.
    if mirror and image_dir == str(options.image_dir):
        return type(options.image_dir)(mirror)
    return options.image_dir / "mirror"


def _defaults(puavo_os: Path) -> dict[str, str]:
    if not puavo_os.is_dir():
        raise DescriptorError(
            f"there is no tree of puavo-os at {printable(str(puavo_os))}",
            hint="without --puavo-os none is needed",
        )
    try:
        with (puavo_os / _DEFAULTS).open(encoding="utf-8", errors="surrogateescape") as stream:
            text = stream.read(_MOST_DEFAULTS)
    except FileNotFoundError:
        return {}
    return parse_defaults(text, str(puavo_os / _DEFAULTS))
