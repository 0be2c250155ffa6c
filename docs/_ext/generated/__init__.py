"""Pages that are made from the package while the site is built: claims, models, and the API reference."""

import re
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


_BAR = re.compile(r"(``.*?``)|\|")
"""A literal, or a bar: |x| is an absolute value, and no substitution."""


def _escape_bars(app, what, name, obj, options, lines):
    lines[:] = [_BAR.sub(lambda found: found[1] or r"\|", line) for line in lines]


def _skip_requests(app, what, name, obj, skip, options):
    """Leave out what scikit-learn adds to every estimator."""
    return True if name.endswith("_request") or name == "get_metadata_routing" else None


def setup(app):
    """Write the pages before Sphinx looks for its sources."""
    app.connect("autodoc-process-docstring", _escape_bars)
    app.connect("autodoc-skip-member", _skip_requests)
    app.connect("config-inited", lambda app, config: _write(app), priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True, "env_version": 1}
