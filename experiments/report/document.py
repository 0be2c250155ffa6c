"""What all reports are made of: one HTML file, nothing from a network, no script."""

import base64
from html import escape
from io import BytesIO

import matplotlib as mpl

from emmd.experiments.console.text import visible
from emmd.experiments.figures.style import any_letters, settle
from emmd.experiments.report.tables import heading, shown

_STYLE = """
:root { color-scheme: light dark; --text: #1a1a1a; --back: #fff; --quiet: #555; --line: #d5d5d5;
  --box: #f5f5f5; --link: #0072B2; --bad: #B22400; --good: #00694B; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e4e4; --back: #16181b; --quiet: #aaa;
  --line: #3c3f44; --box: #23262a; --link: #56B4E9; --bad: #FF8A70; --good: #4FD6A8; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back); }
body { max-width: 62rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.3rem; border-top: 1px solid var(--line); padding-top: 1.2rem; }
h3 { font-size: 1.05rem; margin-bottom: .2rem; }
figure { margin: 0 0 1rem; } figure img { max-width: 100%; background: #fff; border-radius: 4px; }
figcaption { color: var(--quiet); font-size: .9rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .82rem; }
th, td { padding: .15rem .6rem; text-align: right; border-bottom: 1px solid var(--line); }
th, td { white-space: nowrap; }
th.text, td.text { text-align: left; white-space: normal; min-width: 9rem; }
td.text:first-child { white-space: nowrap; }
pre { background: var(--box); padding: .8rem; overflow-x: auto; font-size: .8rem; }
summary { cursor: pointer; color: var(--link); }
.bad { color: var(--bad); font-weight: 600; } .good { color: var(--good); }
"""


def document(title, body, machines):
    """Return a whole page.

    Parameters
    ----------
    title : str
    body : str
        HTML.
    machines : list of dict
        As `emmd.experiments.snr.run.machine.machine_facts` makes them.

    Returns
    -------
    str
    """
    title = escape(visible(title))
    listed = "".join(f"<li>{escape(_machine(facts))}</li>" for facts in machines)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{_STYLE}</style></head>\n<body><h1>{title}</h1>\n{body}\n"
        f"<h2>Machines</h2><ul>{listed}</ul></body></html>\n"
    )


def _machine(facts):
    versions = ", ".join(f"{key} {facts[key]}" for key in ("python", "numpy", "scipy", "numba"))
    return f"{facts['processor']}, {facts['cores']} cores, {facts['system']}; {versions}"


def figure(drawn, name, title, caption):
    """Return a matplotlib figure as an inlined SVG; the same figure gives the same text.

    Parameters
    ----------
    drawn : matplotlib.figure.Figure
    name : str
        The salt of the identifiers inside.
    title, caption : str
    """
    buffer = BytesIO()
    settle(drawn)
    # a fixed salt and no date: the same numbers give the same page
    with mpl.rc_context({"svg.hashsalt": name}), any_letters():
        drawn.savefig(buffer, format="svg", metadata={"Date": None})
    data = base64.b64encode(buffer.getvalue()).decode()
    return (
        f'<figure><img alt="{escape(title)}" src="data:image/svg+xml;base64,{data}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def folded(title, body):
    """Return HTML that opens under a title."""
    return f"<details><summary>{escape(title)}</summary>{body}</details>"


def html_table(table, classes=None):
    """Return a data frame as an HTML table with four significant digits.

    Parameters
    ----------
    table : DataFrame
    classes : callable, optional
        Takes a cell and returns its class, or "".
    """
    text = {
        name for name in table.columns if table[name].dtype.kind in "OTU" or str(table[name].dtype) == "str"
    }
    head = "".join(f"{_tag('th', name, text)}{escape(heading(name))}</th>" for name in table.columns)
    rows = []
    for row in table.itertuples(index=False, name=None):
        cells = zip(table.columns, row)
        rows.append("".join(_cell(name, cell, text, classes) for name, cell in cells))
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(name, cell, text, classes):
    shade = classes(cell) if classes is not None else ""
    words = f'<span class="{shade}">{escape(shown(cell))}</span>' if shade else escape(shown(cell))
    return f"{_tag('td', name, text)}{words}</td>"


def _tag(tag, name, text):
    return f'<{tag} class="text">' if name in text else f"<{tag}>"
