"""The page of `emmd verify --out`: verdicts, counter-examples with what reproduces them, and figures."""

from html import escape

import numpy as np
import pandas as pd

from emmd.experiments.console.text import visible
from emmd.experiments.console.verdict_table import grouped, refuted, summary
from emmd.experiments.report.document import document, figure, folded, html_table
from emmd.experiments.snr.run.machine import machine_facts
from emmd.experiments.snr.run.version import code_version
from emmd.theory.verdict import Verdict

_BAD = {str(verdict) for verdict in (Verdict.VIOLATED, Verdict.NOT_DISCRIMINATING)}
_GOOD = {str(verdict) for verdict in (Verdict.HOLDS, Verdict.CERTIFIED)}
_EVERYTHING = 5000
"""Digits of a counter-example's arrays are all written, of longer ones the ends."""


def verify_page(cases, records, figures, request):
    """Return the page as one HTML document.

    Parameters
    ----------
    cases : list of Case
    records : list of Record
    figures : iterable of Drawn
    request : emmd.experiments.commands.verify.Request
        What was run.

    Returns
    -------
    str
    """
    parts = [
        f"<p>{escape(summary(records))}. Code version {escape(code_version())}.</p>",
        f"<pre>{escape(visible(request.words()))}</pre>",
        *(_explained(record, request) for record in records if _wants_words(record)),
        "<h2>Verdicts</h2><p>Per claim and model: the problem with the least slack.</p>",
        html_table(_table(grouped(records)), _shade),
        folded("Every claim on every problem", html_table(_table([[each] for each in records]), _shade)),
        folded("Problems", _problems(cases)),
        folded("Why claims do not apply", _reasons(records)),
        "<h2>Figures</h2>",
        *(f"<h3>{escape(each.title)}</h3>{_figure(each)}" for each in figures),
    ]
    return document(request.title, "\n".join(parts), [machine_facts()])


def _wants_words(record):
    return record.failed or record.verdict is Verdict.INCONCLUSIVE


def _explained(record, request):
    lines = [f"{visible(name)} = {_exact(value)}" for name, value in record.where.items()]
    said = f"{record.claim} on {visible(record.model)} {visible(record.problem)}: {record.verdict}"
    return (
        f'<h2 class="{_shade(str(record.verdict))}">{escape(said)}</h2>'
        f"<p>{escape(record.statement)}</p><p>{escape(visible(record.reason))}</p>"
        f"<pre>{escape(chr(10).join(lines))}</pre>"
        f"<p>Reproduce:</p><pre>{escape(visible(request.command(record.claim, record.model)))}</pre>"
    )


def _exact(value):
    if isinstance(value, np.ndarray):
        return np.array2string(value, precision=17, threshold=_EVERYTHING)
    return visible(value)


def _shade(cell):
    word = str(cell).partition(" /")[0]
    return "bad" if word in _BAD else "good" if word in _GOOD else ""


def _table(groups):
    rows = []
    for group in groups:
        worst = group[0]
        resolutions = [each.resolution for each in group if each.resolution is not None]
        rows.append(
            {
                "claim": worst.claim,
                "model": visible(worst.model, 40),
                "problem": visible(worst.problem, 80),
                "verdict": str(worst.verdict),
                "predicted": _number(worst.predicted),
                "observed": _number(worst.observed),
                "slack": _number(worst.slack),
                "resolution": _number(max(resolutions, default=None)),
                "refuted": refuted(group),
                "proof": worst.proof or "-",
                "independent": "yes" if worst.independent else "no",
            }
        )
    return pd.DataFrame(rows)


def _number(value):
    return np.nan if value is None else float(value)


def _problems(cases):
    lines = [f"{visible(case.model)} {visible(case.name)}: {visible(case.note)}" for case in cases]
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def _reasons(records):
    reasons: dict = {}
    for record in records:
        if record.verdict is Verdict.NOT_APPLICABLE:
            reasons.setdefault(record.reason, set()).add(record.claim)
    lines = [f"{visible(reason)}: {', '.join(sorted(ids))}" for reason, ids in reasons.items()]
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def _figure(drawn):
    return figure(drawn.figure, drawn.name, drawn.title, drawn.caption)
