"""The look-alikes, whose options click does not know: read from what their ``--help`` prints."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from release_builder.cli import puavo as puavo_program
from release_builder.cli.jigdo_file import help_text as jigdo_file_text
from release_builder.cli.jigdo_file.options import COMMANDS, Report
from release_builder.cli.jigdo_lite import help_text as jigdo_lite_text
from release_builder.manual.definitions import PATH, WORD, Command, Option

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

JIGDO_FILE: Final = "release-builder-jigdo-file"
JIGDO_LITE: Final = "release-builder-jigdo-lite"
PUAVO: Final = ("puavo-img-repo", "puavo-update-repository")
_LIKE_JIGDO_FILE: Final = (
    "Has jigdo-file's commands, options, output and exit statuses, and its files: either program "
    "goes on with what the other has left."
)
_TEXT: Final = re.compile(r"\S {2,}(\S)")
_NAME: Final = re.compile(r"(--?(?:\[no-\])?[A-Za-z0-9][A-Za-z0-9-]*)(?:[= ]([A-Za-z][\w|.=]*))?")
_VALUES: Final = {  # those that the text names in a sentence only
    "--report": "|".join(report.value for report in Report),
    "--match": "auto|extents|content|both",
}
_PATHS: Final = frozenset({"FILE", "PATH"})


def jigdo_file() -> Command:
    """``release-builder-jigdo-file`` with its commands."""
    sections = _sections(jigdo_file_text.usage(JIGDO_FILE, everything=True))
    options = _option_lists(sections)
    commands = tuple(
        Command(
            words=(JIGDO_FILE, name),
            usage="[OPTIONS] [FILES...]",
            summary=each.summary.rstrip("."),
            options=options,
            arguments=PATH,
            short=each.short,
            same_as=JIGDO_FILE,
        )
        for name, each in COMMANDS.items()
    )
    return Command(
        words=(JIGDO_FILE,),
        usage="COMMAND [OPTIONS] [FILES...]",
        summary="Make pairs and images from files at hand, as jigdo-file does",
        about=(_LIKE_JIGDO_FILE, *_about(sections)),
        examples=sections["Example"],
        options=options,
        statuses=two_columns(sections["Exit statuses"]),
        arguments=PATH,
        commands=commands,
    )


def jigdo_lite() -> Command:
    """``release-builder-jigdo-lite``."""
    sections = _sections(jigdo_lite_text.usage(JIGDO_LITE))
    (statuses,) = (lines for title, lines in sections.items() if title.startswith("Exit statuses"))
    return Command(
        words=(JIGDO_LITE,),
        usage="[OPTIONS] [FILES or URLS...]",
        summary="Get the images that .jigdo files describe, as jigdo-lite does",
        about=_about(sections),
        examples=sections["Example"],
        options=_option_lists(sections),
        statuses=two_columns(statuses),
        arguments=PATH,
    )


def puavo(name: str) -> Command:
    """One of the programs of Puavo's image servers."""
    sections = _sections(puavo_program.usage(name))
    return Command(
        words=(name,),
        usage="[OPTIONS] IMAGE_DIR [MIRROR_DIR]",
        summary="Make the image repository of a folder of images",
        about=_about(sections),
        examples=sections["Example"],
        options=_option_lists(sections),
        statuses=two_columns(sections["Exit statuses"]),
        arguments=PATH,
    )


def two_columns(lines: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The terms of a list, and what stands beside and below each.

    The second column begins where the first row has it; a term that would run into it has its
    text on the next line, and one that ends with a comma goes on there.
    """
    rows: list[tuple[str, str]] = []
    column = 0
    for line in lines:
        if not column and (found := _TEXT.search(line)):
            column = found.start(1)
        parted = len(line) > column and line[column - 1] == " "
        term, text = (line[:column], line[column:]) if parted else (line, "")
        term, text = term.strip(), text.strip()
        if not term or (rows and rows[-1][0].endswith(",")):
            before, said = rows.pop()
            term, text = f"{before} {term}".strip(), f"{said} {text}".strip()
        rows.append((term, text))
    return tuple(rows)


def _sections(text: str) -> dict[str, tuple[str, ...]]:
    """The lines below each title; what stands below none, below the empty one."""
    sections: dict[str, list[str]] = {"": []}
    title = ""
    for line in text.splitlines()[1:]:  # without the usage
        if line.endswith(":") and not line.startswith(" "):
            title = line.rstrip(":")
            sections[title] = []
        elif line.startswith(" "):
            sections[title].append(line)
        else:
            title = ""
            sections[""].append(line)
    return {name: tuple(lines) for name, lines in sections.items()}


def _about(sections: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    paragraphs = re.split(r"\n{2,}", "\n".join(sections[""]).strip())
    return tuple(" ".join(paragraph.split()) for paragraph in paragraphs if paragraph)


def _option_lists(
    sections: dict[str, tuple[str, ...]],
) -> tuple[tuple[str, tuple[Option, ...]], ...]:
    titles = [title for title in sections if "ptions" in title]
    return tuple(
        ("" if number == 0 else title, _options(two_columns(sections[title])))
        for number, title in enumerate(titles)
    )


def _options(rows: Sequence[tuple[str, str]]) -> tuple[Option, ...]:
    return tuple(_option(term, about) for term, about in rows)


def _option(term: str, about: str) -> Option:
    found = [(_spelt_out(name), value.strip(",")) for name, value in _NAME.findall(term)]
    names = tuple(each for spelt, _ in found for each in spelt)
    valued = tuple(each for spelt, value in found if value for each in spelt)
    value = next((value for _, value in found if value), "")
    if sum(name.startswith("--") for name in names) == 1 and value:  # -i, --image=FILE
        valued = names
    kind = PATH if value in _PATHS else value if "|" in value else WORD
    kind = next((_VALUES[name] for name in names if name in _VALUES), kind)
    return Option(names, term, value, valued, kind, about, again="given again" in about.lower())


def _spelt_out(name: str) -> tuple[str, ...]:
    """Both spellings of a switch such as ``--[no-]hex``."""
    if "[no-]" not in name:
        return (name,)
    return (name.replace("[no-]", ""), name.replace("[no-]", "no-"))
