"""The built site, read as text: no broken link or image, nothing from elsewhere, every formula converted."""

from html.parser import HTMLParser
from urllib.parse import unquote, urldefrag

import pytest

from emmd import gallery, theory

LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}
"""What a browser fetches by itself."""


class Page(HTMLParser):
    """Links, what is fetched, anchors and the text of a page."""

    def __init__(self, path):
        super().__init__()
        self.links, self.fetched, self.anchors, self.pictures, self.formulas = [], [], set(), [], 0
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.anchors |= {values[key] for key in ("id", "name") if values.get(key)}
        if tag == "a" and values.get("href"):
            self.links.append(values["href"])
        if values.get(LOADED.get(tag)) and values.get("rel") not in ("search", "canonical"):
            self.fetched.append(values[LOADED[tag]])
        if tag == "img":
            self.pictures.append(values)
        self.formulas += tag == "math"


@pytest.fixture(scope="module")
def read(pages):
    return {path: Page(path) for path in pages}


def elsewhere(link):
    return link.startswith(("http:", "https:", "//", "mailto:"))


def target(path, link):
    """Return the file and the anchor that a link leads to."""
    place, anchor = urldefrag(link)
    place = unquote(place.partition("?")[0])
    return ((path.parent / place).resolve() if place else path), anchor


def test_every_link_leads_somewhere(read):
    broken = []
    for path, page in read.items():
        for link in page.links:
            if elsewhere(link):
                continue
            file, anchor = target(path, link)
            file = file / "index.html" if file.is_dir() else file
            known = read[file].anchors if file in read else None
            if not file.exists() or (anchor and known is not None and unquote(anchor) not in known):
                broken.append((path.name, link))
    assert broken == []


def test_nothing_comes_from_elsewhere_and_all_of_it_is_there(read):
    for path, page in read.items():
        for link in page.fetched:
            assert link.startswith("data:") or not elsewhere(link), (path, link)
            assert link.startswith("data:") or target(path, link)[0].exists(), (path, link)


def test_every_picture_has_words(read):
    for path, page in read.items():
        for picture in page.pictures:
            assert "alt" in picture, (path, picture.get("src"))


def test_every_claim_model_and_public_name_has_a_page(site, read):
    names = {path.relative_to(site).as_posix() for path in read}
    assert {f"claims/{name}.html" for name in theory.claims()} <= names
    assert {f"models/{name}.html" for name in gallery.names()} <= names
    assert {f"api/names/emmd.theory.{name}.html" for name in theory.__all__} <= names
    for name in theory.claims():
        assert read[site / "claims" / f"{name}.html"].formulas > 0


def test_every_tutorial_is_a_notebook_too(site, read):
    for page in (site / "tutorials").glob("plot_*.html"):
        downloads = [link for link in read[page].links if link.endswith(".ipynb")]
        assert downloads
        assert all(target(page, link)[0].exists() for link in downloads)
