"""What wget's options mean for a program that calls no wget."""

from __future__ import annotations

from pathlib import Path

import pytest

from release_builder.cli.jigdo_lite.settings import Settings
from release_builder.cli.jigdo_lite.wget_options import WgetOptions, read_wget_options
from release_builder.transport.http import HttpOptions

PROXY = "http://proxy.example:3128/"


def test_jigdo_lites_own_are_understood() -> None:
    assert read_wget_options(Settings().wget_options) == WgetOptions(HttpOptions(timeout=30.0))


@pytest.mark.parametrize(
    ("text", "http"),
    [
        pytest.param("--tries=3", HttpOptions(retries=2), id="tries"),
        pytest.param("-t3", HttpOptions(retries=2), id="t"),
        pytest.param("-t 3", HttpOptions(retries=2), id="t apart"),
        pytest.param("--tries 1", HttpOptions(retries=0), id="tries apart"),
        pytest.param("--timeout=7.5", HttpOptions(timeout=7.5), id="timeout"),
        pytest.param("-T 9", HttpOptions(timeout=9.0), id="T"),
        pytest.param("--limit-rate=800", HttpOptions(limit_rate=800), id="rate"),
        pytest.param("--limit-rate=20k", HttpOptions(limit_rate=20 << 10), id="rate in k"),
        pytest.param("--limit-rate 2.5M", HttpOptions(limit_rate=5 << 19), id="rate in M"),
        pytest.param("--ca-certificate=/x", HttpOptions(ca_bundle=Path("/x")), id="ca"),
        pytest.param("-t3 --tries=5", HttpOptions(retries=4), id="the last counts"),
    ],
)
def test_an_option_for_any_program_is_kept(text: str, http: HttpOptions) -> None:
    assert read_wget_options(text) == WgetOptions(http)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"-e http_proxy={PROXY}", id="e"),
        pytest.param(f"-ehttp_proxy={PROXY}", id="e together"),
        pytest.param(f"--execute=http_proxy={PROXY}", id="execute"),
        pytest.param(f"-e 'http_proxy = {PROXY}'", id="blanks"),
        pytest.param(f"-e HTTP_PROXY={PROXY}", id="capitals"),
    ],
)
def test_a_proxy_is_a_variable(text: str) -> None:
    assert read_wget_options(text) == WgetOptions(proxies={"http_proxy": PROXY})


@pytest.mark.parametrize(
    ("text", "ignored"),
    [
        pytest.param("--no-check-certificate", ("--no-check-certificate",), id="unknown"),
        pytest.param("-U me -nv --password secret", ("-U", "--password"), id="unknown with value"),
        pytest.param("--tries=inf", ("--tries",), id="for ever"),
        pytest.param("--tries=0", ("--tries",), id="for ever as 0"),
        pytest.param("-t", ("-t",), id="no value"),
        pytest.param("--timeout=0", ("--timeout",), id="no timeout"),
        pytest.param("--timeout=nan", ("--timeout",), id="no number"),
        pytest.param("--limit-rate=0", ("--limit-rate",), id="no rate"),
        pytest.param("--limit-rate fast", ("--limit-rate",), id="rate of words"),
        pytest.param("-e robots=off", ("-e",), id="command"),
        pytest.param("--ca-certificate=", ("--ca-certificate",), id="no name"),
        pytest.param("--user='me", ("--user",), id="quote without end"),
    ],
)
def test_the_rest_is_named(text: str, ignored: tuple[str, ...]) -> None:
    assert read_wget_options(text) == WgetOptions(ignored=ignored)
