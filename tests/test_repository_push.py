"""Where a repository is pushed to."""

from __future__ import annotations

import pytest

from release_builder.api.repository_push import Target, parse_target
from release_builder.errors import DescriptorError


@pytest.mark.parametrize(
    ("text", "target"),
    [
        pytest.param("www:/srv/images", Target("www", "/srv/images"), id="host"),
        pytest.param("me@www:/srv/a b", Target("me@www", "/srv/a b"), id="user, blank"),
        pytest.param("/srv/images", Target("", "/srv/images"), id="path"),
        pytest.param("./www:/srv", Target("", "./www:/srv"), id="path with a colon"),
        pytest.param("images", Target("", "images"), id="name"),
    ],
)
def test_a_target_is_a_host_and_path_or_a_path(text: str, target: Target) -> None:
    assert parse_target(text) == target


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("www::module", id="daemon"),
        pytest.param("rsync://www/module", id="daemon's URL"),
        pytest.param("www:images", id="relative"),
        pytest.param("-oProxyCommand=x:/srv", id="option"),
    ],
)
def test_what_ssh_does_not_reach_is_refused(text: str) -> None:
    with pytest.raises(DescriptorError, match="is no place"):
        parse_target(text)
