"""The HTML page of a sweep."""

import json
from html import escape

from emmd.experiments.report.document import document, figure, folded, html_table
from emmd.experiments.snr.report.cells import reached


def page(sections, facts):
    """Return the report as one HTML document, under the experiments' own titles.

    Parameters
    ----------
    sections : list of Section
    facts : list of str
        JSON texts, one per machine.

    Returns
    -------
    str
    """
    title = "; ".join(_title(section) for section in sections)
    body = "\n".join(_section(section, alone=len(sections) == 1) for section in sections)
    return document(title, body, [json.loads(text) for text in facts])


def _title(section):
    return section.experiment.title or section.experiment.name


def _section(section, alone):
    parts = [] if alone else [f"<h2>{escape(_title(section))}</h2>"]
    parts.append(_counts(section))
    if len(section.verdicts):
        parts.append("<h3>Verdicts</h3>" + html_table(section.verdicts))
    for kind, drawn, table in section.figures:
        parts.append(f"<h3>{escape(kind.title)}</h3>{figure(drawn, kind.name, kind.title, kind.caption)}")
        parts.append(folded("Numbers", html_table(table)))
    for title, reason in section.missing.items():
        parts.append(f'<h3>{escape(title)}</h3><p class="bad">Not drawn: {escape(reason)}.</p>')
    parts.append(folded("Config", f"<pre>{escape(section.config)}</pre>"))
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
