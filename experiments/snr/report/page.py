"""The HTML page: everything in one file, nothing from a network."""

import base64
import json
from html import escape
from io import BytesIO

import matplotlib as mpl

from emmd.experiments.console.text import visible
from emmd.experiments.figures.style import settle
from emmd.experiments.snr.report.cells import reached
from emmd.experiments.snr.report.tables import heading, shown

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; }
body { max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.3rem; border-top: 1px solid #ccc; padding-top: 1.2rem; }
h3 { font-size: 1.05rem; margin-bottom: .2rem; }
figure { margin: 0 0 1rem; } figure img { max-width: 100%; } figcaption { color: #444; font-size: .9rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .82rem; }
th, td { padding: .15rem .6rem; text-align: right; border-bottom: 1px solid #e4e4e4; white-space: nowrap; }
th.text, td.text { text-align: left; white-space: normal; }
pre { background: #f5f5f5; padding: .8rem; overflow-x: auto; font-size: .8rem; }
summary { cursor: pointer; color: #0072B2; } .bad { color: #B22400; font-weight: 600; }
"""


def page(name, sections, facts):
    """Return the report as one HTML document.

    Parameters
    ----------
    name : str
        Of the store.
    sections : list of Section
    facts : list of str
        JSON texts, one per machine.

    Returns
    -------
    str
        Figures are inlined as SVG; there are no scripts and no links to elsewhere.
    """
    title = escape(f"emmd: {visible(name)}")
    body = "\n".join(_section(section) for section in sections)
    machines = "".join(f"<li>{escape(_machine(json.loads(text)))}</li>" for text in facts)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{_STYLE}</style></head>\n<body><h1>{title}</h1>\n{body}\n"
        f"<h2>Machines</h2><ul>{machines}</ul></body></html>\n"
    )


def _machine(facts):
    versions = ", ".join(f"{key} {facts[key]}" for key in ("python", "numpy", "scipy", "numba"))
    return f"{facts['processor']}, {facts['cores']} cores, {facts['system']}; {versions}"


def _section(section):
    parts = [f"<h2>{escape(section.experiment.title or section.experiment.name)}</h2>"]
    parts.append(_counts(section))
    if len(section.verdicts):
        parts.append("<h3>Verdicts</h3>" + html_table(section.verdicts))
    for figure, drawn, table in section.figures:
        parts.append(f"<h3>{escape(figure.title)}</h3>{_figure(figure, drawn)}")
        parts.append(f"<details><summary>Numbers</summary>{html_table(table)}</details>")
    for title, reason in section.missing.items():
        parts.append(f'<h3>{escape(title)}</h3><p class="bad">Not drawn: {escape(reason)}.</p>')
    parts.append(f"<details><summary>Config</summary><pre>{escape(section.config)}</pre></details>")
    return "\n".join(parts)


def _counts(section):
    runs = section.runs
    if runs.empty:
        return f"<p>0 of {section.planned} runs ended.</p>"
    statuses = ", ".join(
        f"{count} {status.replace('_', ' ')}" for status, count in runs["status"].value_counts().items()
    )
    found = f"; {int(reached(runs).sum())} reached the optimum next to theta*" if "error" in runs else ""
    versions = ", ".join(sorted(runs["version"].unique()))
    text = f"{len(runs)} of {section.planned} runs ended: {statuses}{found}. Code version {versions}."
    return f"<p>{escape(text)}</p>{_failures(runs[runs['status'] == 'error'])}"


def _failures(failed):
    reasons = failed["reason"].value_counts().items()
    lines = "".join(f'<li class="bad">{count} x {escape(reason)}</li>' for reason, count in reasons)
    return f"<p>Failed runs:</p><ul>{lines}</ul>" if lines else ""


def _figure(figure, drawn):
    buffer = BytesIO()
    settle(drawn)
    # a fixed salt and no date: the same store gives the same page
    with mpl.rc_context({"svg.hashsalt": figure.name}):
        drawn.savefig(buffer, format="svg", metadata={"Date": None})
    data = base64.b64encode(buffer.getvalue()).decode()
    return (
        f'<figure><img alt="{escape(figure.title)}" src="data:image/svg+xml;base64,{data}">'
        f"<figcaption>{escape(figure.caption)}</figcaption></figure>"
    )


def html_table(table):
    """Return a data frame as an HTML table with four significant digits."""
    text = {
        name for name in table.columns if table[name].dtype.kind in "OTU" or str(table[name].dtype) == "str"
    }
    head = "".join(f"{_tag('th', name, text)}{escape(heading(name))}</th>" for name in table.columns)
    rows = []
    for row in table.itertuples(index=False, name=None):
        cells = zip(table.columns, row)
        rows.append("".join(f"{_tag('td', name, text)}{escape(shown(cell))}</td>" for name, cell in cells))
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _tag(tag, name, text):
    return f'<{tag} class="text">' if name in text else f"<{tag}>"
