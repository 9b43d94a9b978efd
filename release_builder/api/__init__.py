"""The Python interface: a function for each command, and the formats.

Names are loaded when they are first used: who makes a template need not load YAML.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from release_builder.api.comparisons import (
        BUG_URL,
        CompareOptions,
        check_page,
        compare_releases,
        write_comparison,
    )
    from release_builder.api.doctors import Fitting, examine_machine, fit_packages
    from release_builder.api.fetched_image import FetchedImage, FetchOptions
    from release_builder.api.fetches import fetch_image
    from release_builder.api.histories import recorded_runs, remember, standings
    from release_builder.api.images import MadeImage, make_image, write_image
    from release_builder.api.mirrors import ProbedMirror, ProbeOptions, best, probe_mirrors
    from release_builder.api.missing import Wanting, missing_parts
    from release_builder.api.promotions import Promoting, promoting
    from release_builder.api.refreshed import Refreshed, refresh_words
    from release_builder.api.refreshes import RefreshOptions, descriptors_in, refresh
    from release_builder.api.releases import (
        carry_out,
        complaints,
        init,
        plans,
        previews,
        schema,
    )
    from release_builder.api.repositories import (
        clean_repository,
        push_repository,
        serve_repository,
        verify_repository,
    )
    from release_builder.api.repository_options import UpdateOptions, WorkOptions
    from release_builder.api.repository_update import update_repository
    from release_builder.api.schedules import Scheduled, install_schedule, remove_schedule, schedule
    from release_builder.api.tracking import Available, Start, available, init_from
    from release_builder.jigdo.compose import compose_jigdo
    from release_builder.jigdo.entries import format_description, parse_description
    from release_builder.jigdo.form import Form
    from release_builder.jigdo.input_files import read_input_files
    from release_builder.jigdo.location import parse_jigdo
    from release_builder.jigdo.template import read_template
    from release_builder.repository.configuration import Compat
    from release_builder.repository.selection import Policy
    from release_builder.state.digest_cache import (
        DigestCache,
        open_cache,
        open_cache_file,
        state_folder,
    )
    from release_builder.steps.draw_map import draw_map
    from release_builder.steps.make_pair import make_template
    from release_builder.steps.pair_options import MadePair, Match, PairOptions
    from release_builder.transport.http import HttpOptions

__all__ = [
    "BUG_URL",
    "Available",
    "CompareOptions",
    "Compat",
    "DigestCache",
    "FetchOptions",
    "FetchedImage",
    "Fitting",
    "Form",
    "HttpOptions",
    "MadeImage",
    "MadePair",
    "Match",
    "PairOptions",
    "Policy",
    "ProbeOptions",
    "ProbedMirror",
    "Promoting",
    "RefreshOptions",
    "Refreshed",
    "Scheduled",
    "Start",
    "UpdateOptions",
    "Wanting",
    "WorkOptions",
    "available",
    "best",
    "carry_out",
    "check_page",
    "clean_repository",
    "compare_releases",
    "complaints",
    "compose_jigdo",
    "descriptors_in",
    "draw_map",
    "examine_machine",
    "fetch_image",
    "fit_packages",
    "format_description",
    "init",
    "init_from",
    "install_schedule",
    "make_image",
    "make_template",
    "missing_parts",
    "open_cache",
    "open_cache_file",
    "parse_description",
    "parse_jigdo",
    "plans",
    "previews",
    "probe_mirrors",
    "promoting",
    "push_repository",
    "read_input_files",
    "read_template",
    "recorded_runs",
    "refresh",
    "refresh_words",
    "remember",
    "remove_schedule",
    "schedule",
    "schema",
    "serve_repository",
    "standings",
    "state_folder",
    "update_repository",
    "verify_repository",
    "write_comparison",
    "write_image",
]

_MODULES: Final = {
    "api.repositories": (
        "clean_repository",
        "push_repository",
        "serve_repository",
        "verify_repository",
    ),
    "api.repository_options": ("UpdateOptions", "WorkOptions"),
    "api.repository_update": ("update_repository",),
    "repository.configuration": ("Compat",),
    "repository.selection": ("Policy",),
    "api.doctors": ("Fitting", "examine_machine", "fit_packages"),
    "api.histories": ("recorded_runs", "remember", "standings"),
    "api.schedules": ("Scheduled", "install_schedule", "remove_schedule", "schedule"),
    "api.tracking": ("Available", "Start", "available", "init_from"),
    "api.comparisons": (
        "BUG_URL",
        "CompareOptions",
        "check_page",
        "compare_releases",
        "write_comparison",
    ),
    "api.fetched_image": ("FetchOptions", "FetchedImage"),
    "api.fetches": ("fetch_image",),
    "api.images": ("MadeImage", "make_image", "write_image"),
    "steps.draw_map": ("draw_map",),
    "api.mirrors": ("ProbeOptions", "ProbedMirror", "best", "probe_mirrors"),
    "api.missing": ("Wanting", "missing_parts"),
    "steps.make_pair": ("make_template",),
    "steps.pair_options": ("MadePair", "Match", "PairOptions"),
    "api.promotions": ("Promoting", "promoting"),
    "api.refreshes": ("RefreshOptions", "descriptors_in", "refresh"),
    "api.refreshed": ("Refreshed", "refresh_words"),
    "api.releases": ("carry_out", "complaints", "init", "plans", "previews", "schema"),
    "jigdo.compose": ("compose_jigdo",),
    "jigdo.entries": ("format_description", "parse_description"),
    "jigdo.input_files": ("read_input_files",),
    "jigdo.location": ("parse_jigdo",),
    "jigdo.form": ("Form",),
    "jigdo.template": ("read_template",),
    "state.digest_cache": ("DigestCache", "open_cache", "open_cache_file", "state_folder"),
    "transport.http": ("HttpOptions",),
}
_MODULE_OF: Final = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"release_builder.api has no {name}")
    return getattr(importlib.import_module(f"release_builder.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return __all__
