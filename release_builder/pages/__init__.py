"""Texts that are written from templates: web pages, descriptors, files for other programs."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, FunctionLoader, StrictUndefined, select_autoescape

from release_builder.files import resource


def render(name: str, **values: object) -> str:
    """The template ``name``, relative to ``templates/``, filled in with ``values``.

    Raises:
        jinja2.UndefinedError: The template uses a value that is not given.
    """
    return _environment().get_template(name).render(**values)


@cache
def _environment() -> Environment:
    return Environment(
        loader=FunctionLoader(_template),
        undefined=StrictUndefined,
        autoescape=select_autoescape(("html", "html.j2", "svg.j2"), default=False),
        keep_trailing_newline=True,
    )


def _template(name: str) -> str | None:
    file = resource(f"templates/{name}")
    return file.read_text(encoding="utf-8") if file.is_file() else None
