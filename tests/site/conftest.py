"""The built site, where there is one: `make docs` builds it."""

from pathlib import Path

import pytest

SITE = Path(__file__).parents[2] / "build" / "docs" / "html"


@pytest.fixture(scope="session")
def site():
    """The folder of the built site."""
    if not (SITE / "index.html").exists():
        pytest.skip("the site is not built: make docs")
    return SITE


@pytest.fixture(scope="session")
def pages(site):
    """Its pages."""
    found = sorted(path for path in site.rglob("*.html") if "_static" not in path.parts)
    assert len(found) > 100
    return found
