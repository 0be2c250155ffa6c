"""The API reference: every public name, by folder and kind, as the package lists them."""

import inspect
from importlib import import_module

import emmd
from emmd import gallery, theory
from generated.text import save


def public_names():
    """Return the public names by module."""
    return {
        "emmd": [name for name in emmd.__all__ if not name.startswith("_")],
        "emmd.theory": list(theory.__all__),
        "emmd.gallery": list(gallery.__all__),
    }


def write(source, checked):
    """Write ``api/index.rst``; autosummary makes a page for each name."""
    parts = [
        _title("API reference", "="),
        "Every public name. All arrays are float64, losses are averages.\n",
    ]
    for module, names in public_names().items():
        parts.append(_title(module, "-"))
        kinds: dict = {}
        for name in names:
            kinds.setdefault(_kind(getattr(import_module(module), name)), []).append(name)
        for kind in sorted(kinds):
            parts.append(_title(kind, "~"))
            listed = "\n".join(f"   {module}.{name}" for name in sorted(kinds[kind]))
            parts.append(f".. autosummary::\n   :toctree: names\n   :nosignatures:\n\n{listed}\n")
    save(source / "api" / "index.rst", "\n".join(parts))


def _kind(value):
    if inspect.isclass(value):
        return "Classes"
    return "Functions" if callable(value) else "Values"


def _title(text, line):
    return f"{text}\n{line * len(text)}\n"
