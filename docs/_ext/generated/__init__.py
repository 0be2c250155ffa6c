"""Pages that are made from the package while the site is built: claims, models, and the API reference."""

from pathlib import Path

from sphinx.util import logging

from generated import api, claims, models
from generated.checked import Checked

_LOG = logging.getLogger(__name__)


def _write(app):
    source = Path(app.srcdir)
    checked = Checked(Path(app.outdir).parent / "checked")
    for pages in (claims, models, api):
        _LOG.info("writing %s", pages.__name__)
        pages.write(source, checked)


def setup(app):
    """Write the pages before Sphinx looks for its sources."""
    app.connect("config-inited", lambda app, config: _write(app), priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
