"""The index of releases, for people and for programs."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import jsonschema
import pytest
from page_samples import EVIL, INDEX, RELEASE, listed

from release_builder.files import resource
from release_builder.pages.index_page import IndexPage, ListedRelease, index_json, index_page
from release_builder.pages.release_page import release_page

SCHEMA = json.loads(resource("data/releases-index.schema.json").read_text())
NOTHING = IndexPage(title="SME Server", releases=())


def versions(index: IndexPage) -> list[str]:
    return [release["version"] for release in json.loads(index_json(index))["releases"]]


def test_finals_and_betas_are_apart_and_the_newest_is_first() -> None:
    text = index_page(INDEX)

    assert re.findall(r"Final releases|Betas|SME Server [89][^<]*(?=</a>)", text) == [
        *("Final releases", "SME Server 8.1", "SME Server 8.0"),
        *("Betas", "SME Server 9.0beta3", "SME Server 9.0beta2"),
    ]


def test_programs_are_told_the_same_order_as_people() -> None:
    assert versions(INDEX) == ["8.1", "8.0", "9.0beta3", "9.0beta2"]


def test_releases_of_one_moment_stay_as_they_came() -> None:
    releases = (listed("8.1", "8.1", 2), listed("8.0", "8.0", 2))

    assert versions(replace(INDEX, releases=releases)) == ["8.1", "8.0"]
    assert versions(replace(INDEX, releases=releases[::-1])) == ["8.0", "8.1"]


def test_a_release_leads_to_its_page() -> None:
    assert '<a href="testing/9.0beta3/index.html">SME Server 9.0beta3</a>' in index_page(INDEX)


def test_only_the_newest_are_called_so() -> None:
    text = index_page(INDEX)

    assert re.findall(r'([0-9.a-z]+)</a> <span class="badge \w+">newest', text) == [
        "8.1",
        "9.0beta3",
    ]


@pytest.mark.parametrize(
    "index",
    [
        pytest.param(INDEX, id="some"),
        pytest.param(NOTHING, id="none"),
        pytest.param(replace(INDEX, title=EVIL), id="odd title"),
    ],
)
def test_the_document_is_what_its_schema_promises(index: IndexPage) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(index_json(index)))


def test_a_release_is_told_in_full() -> None:
    release = ListedRelease(
        version="8.1",
        stage="final",
        folder="8.1",
        published=INDEX.releases[1].published,
        arches=("x86_64", "i386"),
        size=1_455_923_200,
        is_newest=True,
    )

    document = json.loads(index_json(replace(INDEX, releases=(release,))))

    assert document == {
        "schema": 1,
        "title": "SME Server",
        "releases": [
            {
                "version": "8.1",
                "stage": "final",
                "folder": "8.1/",
                "published": "2014-02-11T09:30:00Z",
                "arches": ["x86_64", "i386"],
                "size": 1_455_923_200,
                "newest": True,
            }
        ],
    }


def test_an_index_without_releases_says_so() -> None:
    text = index_page(NOTHING)

    assert "There is none yet." in text
    assert "There is none at the moment." in text


@pytest.mark.parametrize(
    "text", [index_page(INDEX), release_page(RELEASE)], ids=["index", "release"]
)
def test_a_page_tells_what_made_it(text: str) -> None:
    assert text.count('<meta name="generator" content="release-builder">') == 1


def test_titles_are_escaped() -> None:
    assert "<script>alert" not in index_page(replace(INDEX, title=EVIL))
