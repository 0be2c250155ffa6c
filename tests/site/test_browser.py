"""Every page in a headless browser, at two widths: nothing overflows, search is offline, dark is legible."""

import pytest

from tests.browser import CHROMIUM, FLAGS

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine to open the site with"),
]

OVERFLOWS = "document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"
BROKEN = "[...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
UNREADABLE = """() => {
  const channel = c => { c /= 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
  const light = rgb => 0.2126 * channel(rgb[0]) + 0.7152 * channel(rgb[1]) + 0.0722 * channel(rgb[2]);
  const parse = text => (text.match(/[0-9.]+/g) || []).map(Number);
  const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length == 3 || c[3] > 0.9) return c; } return [255, 255, 255]; };
  const bad = [];
  for (const e of document.querySelectorAll('.bd-article *')) {
    if (![...e.childNodes].some(n => n.nodeType == 3 && n.textContent.trim()) || !e.offsetParent) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 3) bad.push(e.textContent.trim().slice(0, 40));
  }
  return bad;
}"""


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def tab(browser):
    """A tab that collects what goes wrong."""
    context = browser.new_context()
    page = context.new_page()
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("requestfailed", lambda request: page.errors.append(request.url))
    yield page
    context.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_overflows_or_misses_a_picture(tab, pages, width):
    tab.set_viewport_size({"width": width, "height": 900})
    wide, broken = [], []
    for path in pages:
        tab.goto(path.as_uri())
        wide += [path.name] if tab.evaluate(OVERFLOWS) else []
        broken += tab.evaluate(BROKEN)
    assert (wide, broken, tab.errors) == ([], [], [])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_stand_out_from_what_is_behind_them(tab, pages, theme):
    tab.emulate_media(color_scheme=theme)
    seen = {}
    for path in pages:
        tab.goto(path.as_uri())
        tab.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
        if found := tab.evaluate(UNREADABLE):
            seen[path.name] = found[:3]
    assert seen == {}


def test_search_works_offline(tab, site):
    tab.goto(f"{(site / 'search.html').as_uri()}?q=missing+information")
    tab.wait_for_selector("ul.search li a", timeout=20_000)
    assert tab.locator("ul.search li a").count() > 3


def test_formulas_are_drawn_by_the_browser(tab, site):
    tab.goto((site / "claims" / "E4-em-is-mirror-descent.html").as_uri())
    height = tab.evaluate("document.querySelector('.formula math').getBoundingClientRect().height")
    assert 10 < height < 80
    assert tab.evaluate("[...document.scripts].every(s => !s.src || s.src.startsWith('file:'))")
