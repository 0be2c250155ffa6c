"""Sphinx reads this: what the site is made of. `make docs` builds it without a network."""

import os
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

_NEEDED = ("jax", "flint", "pydata_sphinx_theme", "sphinx_gallery", "numpydoc", "myst_parser", "latex2mathml")
_MISSING = [name for name in _NEEDED if find_spec(name) is None]
if _MISSING:
    raise SystemExit(f"the site needs {', '.join(_MISSING)}: pip install 'emmd[docs]'")

from sphinx_gallery.sorting import FileNameSortKey  # noqa: E402

import emmd  # noqa: E402

project, author, copyright = "emmd", "The emmd authors", "the emmd authors"
version = release = emmd.__version__

extensions = [
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
    "generated",
    "mathml",
]
html_theme = "pydata_sphinx_theme"
html_title = f"emmd {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_show_sphinx = html_show_sourcelink = html_copy_source = False
html_theme_options = {
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
_ALONE = "architecture changelog citing contributing glossary index maintaining performance"
html_sidebars = {name: [] for name in _ALONE.split()}

default_role = "py:obj"
myst_enable_extensions = ["dollarmath", "deflist", "colon_fence"]
myst_heading_anchors = 3
suppress_warnings = ["config.cache"]  # the functions below are no part of what a page depends on

autosummary_generate = True
numpydoc_show_class_members = False
templates_path = ["_templates"]
autodoc_typehints = "none"  # numpydoc's sections say them

sphinx_gallery_conf = {
    "examples_dirs": str(HERE.parent / "examples" / "tutorials"),
    "gallery_dirs": "tutorials",
    "filename_pattern": r"\.py$",
    "within_subsection_order": FileNameSortKey,
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 3600,
    "remove_config_comments": True,
    "plot_gallery": "True",
    "write_computation_times": False,
    "default_thumb_file": str(HERE / "convergence.png"),
}
warnings.filterwarnings("ignore", "FigureCanvasAgg is non-interactive", UserWarning)
