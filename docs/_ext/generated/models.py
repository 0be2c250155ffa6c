"""The gallery of models: what each is, the law EM follows there, its verdicts, its paths and its file."""

import inspect
from importlib import import_module

from emmd import Family, Gate, gallery
from emmd.core.protocols.family import found_families
from emmd.core.protocols.gate import found_gates
from generated.claims import WIDE, records_table
from generated.text import first_sentence, plain, save_all, save_figure, table

_HEAD = """# Models

Every claim runs on any latent-variable model. `emmd.SymMoLinE`, `emmd.SymMoLogE` and `emmd.MixtureOfExperts`
have kernels of their own; those below are one short file each, to copy: three functions, data and a start.
`emmd.gallery.load(name)` returns the problem and the start, `emmd verify --model NAME` runs all claims.
"""

_FAMILIES = """
## Families of experts, and gates

`emmd.MixtureOfExperts(d, K, family=..., gate=...)` and the estimators take these by name, and a subclass of
`emmd.Family` or `emmd.Gate`.
"""


def write(source, checked):
    """Write one page for each model of the gallery, and their index."""
    folder = source / "models"
    pages, rows = {}, []
    for name, (problem, records, paths) in checked.models().items():
        module = import_module(gallery._files()[name])
        says = plain((module.__doc__ or "").strip())
        rate = next((r.predicted for r in records if r.claim == "L1-em-rate"), None)
        rows.append([f"[{name}]({name}.md)", says.partition("\n\n")[0].replace("\n", " "), _rate(rate)])
        figure = ""
        if paths is not None:
            save_figure(paths, folder / "figures" / f"{name}.svg")
            figure = f"![Path of EM on {name}](figures/{name}.svg)\n"
        code = inspect.getsource(module)
        pages[f"{name}.md"] = (
            f"{WIDE}# {name}\n\n{says}\n\n`{problem}`\n\n"
            f"## Verdicts in this build\n\n{records_table(records, ['claim'])}\n"
            f"{figure}\n## The file\n\n````python\n{code}````\n"
        )
    toc = "\n".join(["```{toctree}", ":hidden:", "", *gallery.names(), "```", ""])
    index = "\n".join([_HEAD, toc, table(["model", "what it is", "EM's rate here"], rows), _families()])
    save_all(folder, {**pages, "index.md": index})


def _rate(value):
    return "-" if value is None else f"{value:.4f}"


def _families():
    rows = []
    for base, found in ((Family, found_families().plugins), (Gate, found_gates().plugins)):
        rows += [[f"`{name}`", base.__name__.lower(), plain(_about(kind))] for name, kind in found.items()]
    return _FAMILIES + "\n" + table(["name", "kind", "what it is"], rows)


def _about(kind):
    return first_sentence(kind.__doc__ or inspect.getmodule(kind).__doc__)
