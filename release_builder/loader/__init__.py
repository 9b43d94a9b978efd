"""From a YAML file to a Descriptor, with a complaint for everything that is wrong in it."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import yaml

from release_builder.descriptor.mirror import Mirror
from release_builder.descriptor.model import Descriptor, Expected, Profile
from release_builder.descriptor.patterns import arch_hint, is_arch
from release_builder.descriptor.refusal import RefusedError, suggestion
from release_builder.descriptor.release import trust_of
from release_builder.descriptor.track import Reached, Track
from release_builder.descriptor.version import Stage, Version
from release_builder.errors import DescriptorError
from release_builder.files import resource
from release_builder.loader.complaint import Complaint, InvalidDescriptorError
from release_builder.loader.source import compose, parse
from release_builder.loader.structure import Structurer, text_of
from release_builder.pages import render

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.resources.abc import Traversable

__all__ = [
    "Complaint",
    "InvalidDescriptorError",
    "find_profile",
    "load",
    "load_profile",
    "new_descriptor",
    "products",
]

_DEFAULT_PRODUCT: Final = "smeserver"


def load(path: Path, mirror: str | None = None) -> Descriptor:
    """The descriptor that the file ``path`` has.

    Args:
        path: A YAML file.
        mirror: Stands in the place of the file's mirror; a relative path is relative to the
            current folder.

    Raises:
        InvalidDescriptorError: Something in it, or in the profile that it names, is wrong.
        DescriptorError: There is no such file, or ``mirror`` is wrong.
        SurroundingsError: It cannot be read.
    """
    given: dict[str, object] = {"path": path}
    root = compose(path)
    if mirror is not None:
        given["mirror"] = _parse_mirror(mirror)
        root = _without(root, "mirror")
    structurer = Structurer(path)
    given |= _followed(root, structurer)
    profile = given["profile"] = _profile_of(root, path, structurer)
    descriptor = structurer.build(Descriptor, root, given)
    if profile is not None:
        _check_arches(profile, structurer)
    if descriptor is not None:
        _check_together(descriptor, structurer)
    if descriptor is None or structurer.complaints:
        raise InvalidDescriptorError(structurer.complaints)
    return descriptor


def load_profile(path: Path) -> Profile:
    """The profile that the file ``path`` has.

    Raises:
        InvalidDescriptorError: Something in it is wrong.
        DescriptorError: There is no such file.
        SurroundingsError: It cannot be read.
    """
    return _profile(compose(path), path)


def new_descriptor(
    product: str,
    mirror: str | None = None,
    *,
    named: Version | Track | None = None,
    arches: Sequence[str] = (),
) -> str:
    """The text of a descriptor that is to be filled in, with every key explained.

    Args:
        product: Name of a profile, or path of a profile's file.
        mirror: In the place of the profile's example.
        named: The version, or what is followed in its place; None: the profile's example.
        arches: In the place of the profile's example.

    Raises:
        DescriptorError: There is no such profile, or it is wrong; ``mirror`` is none.
        SurroundingsError: It cannot be read.
    """
    profile = find_profile(product)
    if mirror is not None:
        profile = replace(profile, example=replace(profile.example, mirror=_parse_mirror(mirror)))
    version = named if isinstance(named, Version) else profile.example.version
    folder = posixpath.dirname(profile.folder.of(version.stage))
    return render(
        "descriptor.yaml.j2",
        product=product,
        profile=profile,
        known=list(products()),
        version=version,
        track=named if isinstance(named, Track) else None,
        track_example=posixpath.join(folder, str(version.major)),
        arches=arches or [profile.example.arch],
    )


def find_profile(product: str) -> Profile:
    """The profile called ``product``, or in the file of that path.

    Raises:
        InvalidDescriptorError: Something in it is wrong.
        DescriptorError: There is no such profile.
        SurroundingsError: It cannot be read.
    """
    try:
        return _profile_named(product, Path())
    except RefusedError as refused:
        raise DescriptorError(f"--product: {refused.what}", hint=refused.hint) from refused


def products() -> dict[str, Traversable]:
    """By name, the profiles that come with the program."""
    files = {file.name: file for file in resource("data/profiles").iterdir()}
    return {name.removesuffix(".yaml"): files[name] for name in sorted(files)}


def _parse_mirror(text: str) -> Mirror:
    try:
        return Mirror.parse(text, Path.cwd())
    except RefusedError as refused:
        raise DescriptorError(f"--mirror: {refused.what}", hint=refused.hint) from refused


def _without(root: yaml.MappingNode, key: str) -> yaml.MappingNode:
    entries = [entry for entry in root.value if entry[0].value != key]
    return yaml.MappingNode(root.tag, entries, root.start_mark, root.end_mark)


def _followed(root: yaml.MappingNode, structurer: Structurer) -> dict[str, Version]:
    """What stands for `version` where `track` does so in the file; nothing where it does not."""
    keys = ((name, value) for name, value in root.value if isinstance(name, yaml.ScalarNode))
    named = {name.value: value for name, value in keys}
    if "track" not in named:
        return {}
    if "version" in named:
        hint = "keep one of them"
        structurer.complain(named["track"], "track", "stands in the place of `version`", hint)
        return {}
    try:
        return {"version": Track.parse(text_of(named["track"])).begin}
    except RefusedError:
        return {"version": Version.parse("0")}  # building the descriptor complains


def _profile_of(root: yaml.MappingNode, path: Path, structurer: Structurer) -> Profile | None:
    """The profile that the key ``product`` names; None after a complaint."""
    node = next((value for name, value in root.value if name.value == "product"), None)
    try:
        product = text_of(node) if node else _DEFAULT_PRODUCT
    except RefusedError:
        return None  # building the descriptor complains
    try:
        return _profile_named(product, path.parent)
    except InvalidDescriptorError as invalid:
        structurer.complaints.extend(invalid.complaints)
    except RefusedError as refused:
        structurer.complain(node or root, "product", refused.what, refused.hint)
    except DescriptorError as error:
        hint = "write the path of a profile, relative to this file's folder"
        structurer.complain(node or root, "product", error.what, hint)
    return None


def _profile_named(product: str, folder: Path) -> Profile:
    if found := products().get(product):
        path = Path(str(found))
        return _profile(parse(found.read_bytes(), path), path)
    if "/" in product or product.endswith((".yaml", ".yml")):
        return load_profile(folder / product)
    hint = suggestion(product, [*products(), "a path such as ./my.yaml"])
    raise RefusedError(f"there is no product '{product}'", hint)


def _profile(root: yaml.MappingNode, path: Path) -> Profile:
    structurer = Structurer(path)
    profile = structurer.build(Profile, root, {})
    if profile is None:
        raise InvalidDescriptorError(structurer.complaints)
    return profile


def _check_arches(profile: Profile, structurer: Structurer) -> None:
    """Complain of arches that the product does not have."""
    node = structurer.nodes.get("arch")
    nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
    scalars = [each for each in nodes if isinstance(each, yaml.ScalarNode)]
    seen: set[str] = set()
    for each in scalars:
        if each.value in seen:
            structurer.complain(each, "arch", f"'{each.value}' is here again", "keep one of them")
        elif is_arch(each.value) and each.value not in profile.arches:
            what = f"{profile.name} has no '{each.value}'"
            structurer.complain(each, "arch", what, arch_hint(each.value, profile.arches))
        seen.add(each.value)


def _check_together(descriptor: Descriptor, structurer: Structurer) -> None:
    """Complain of keys that are right each, but not together."""
    if structurer.complaints:
        return
    nodes, arches, digests = structurer.nodes, descriptor.arch, descriptor.digests
    if isinstance(digests, Mapping):
        for arch in digests.keys() - set(arches):
            key = f"digests.{arch}"
            what = "is not among the arches"
            structurer.complain(nodes[key], key, what, suggestion(arch, arches))
    if isinstance(digests, Expected) and len(arches) > 1:
        hint = f"write them by arch: {{{arches[0]}: {{md5: …}}, …}}"
        structurer.complain(nodes["digests"], "digests", "these are of one image", hint)
    _check_trust(descriptor, structurer)
    if descriptor.track:
        descriptor = _check_track(descriptor, descriptor.track, structurer)
    releases = descriptor.releases()
    if len({(release.workdir, release.image) for release in releases}) < len(releases):
        node = nodes.get("image") or nodes["arch"]
        structurer.complain(node, "image", "is the same for several arches", "put {arch} into it")


def _check_trust(descriptor: Descriptor, structurer: Structurer) -> None:
    """Complain of words of trust that would pin nothing."""
    nodes, trust = structurer.nodes, trust_of(descriptor)
    if descriptor.keys and (descriptor.trust.sums or descriptor.trust.packages):
        what = "is short for `trust.sums` and `trust.packages`, which are here too"
        structurer.complain(nodes["keys"], "keys", what, "keep one of them")
    if descriptor.trust.fingerprints and not trust.files:
        key, hint = "trust.fingerprints", "name the files of these keys: `sums:`, `packages:`"
        structurer.complain(nodes[key], key, "pins nothing: no file of keys is named", hint)
    if descriptor.trust.max_age and not trust.sums:
        key, hint = "trust.max_age", "name the files of the keys below `trust.sums`"
        structurer.complain(nodes[key], key, "is of signatures, and none is asked for", hint)


def _check_track(descriptor: Descriptor, track: Track, structurer: Structurer) -> Descriptor:
    """Complain of what cannot be followed.

    Returns:
        The descriptor as it would be with some version.
    """
    places = descriptor.profile.folder
    folders = [posixpath.dirname(places.of(stage)) for stage in Stage]
    if track.folder not in folders:
        likely = [posixpath.join(folder, track.begin.text) for folder in dict.fromkeys(folders)]
        what = f"{descriptor.profile.name} has no releases in {track.folder or 'the root'}"
        hint = suggestion(track.text, likely)
        structurer.complain(structurer.nodes["track"], "track", what, hint)
    if isinstance(descriptor.digests, Expected | Mapping):
        hint = "remove them, or name a file of sums"
        node = structurer.nodes["digests"]
        structurer.complain(node, "digests", "are of one image; `track` follows many", hint)
    return descriptor.reaching(Reached(track.begin.text, descriptor.mirror.url, track.text, ""))
