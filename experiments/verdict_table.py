"""The table of claims: one row per claim and model, deciding problem first."""

from rich import box
from rich.table import Table

from theory.verdict import Verdict

_ORDER = (
    Verdict.VIOLATED,
    Verdict.NOT_DISCRIMINATING,
    Verdict.INCONCLUSIVE,
    Verdict.VACUOUS,
    Verdict.HOLDS,
    Verdict.NOT_APPLICABLE,
)
_STYLE = {
    Verdict.HOLDS: "green",
    Verdict.VIOLATED: "bold red",
    Verdict.NOT_DISCRIMINATING: "bold red",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.VACUOUS: "yellow",
    Verdict.NOT_APPLICABLE: "dim",
}


def severity(record):
    """Return a sort key: the worst verdict first, then the smallest relative slack."""
    slack = record.slack if record.slack is not None else 0.0
    return _ORDER.index(record.verdict), slack / record.error_budget if record.error_budget else slack


def number(value, digits=4):
    """Return a number with a few digits, or a dash."""
    return "-" if value is None else f"{value:.{digits}g}"


def verdict_table(records, every=False):
    """Return a rich table of records.

    Parameters
    ----------
    records : list of Record
    every : bool
        One row per record; otherwise one row per claim and model, showing the
        record nearest to failing and in how many problems the verdict is the same.

    Notes
    -----
    ``slack`` is what is left of the error budget (identity, rate) or of the
    bound; ``refuted`` counts sabotages, over all problems of the row.
    """
    title = (
        "every claim on every problem" if every else "per claim and model: the problem with the least slack"
    )
    table = Table(title=title, title_style="bold", header_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("claim", "model", "problem"):
        table.add_column(name, no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for name in ("predicted", "observed", "slack", "budget"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("refuted", justify="right", no_wrap=True)
    table.add_column("proof", no_wrap=True)
    for group in _groups(records, every):
        _add(table, group)
    return table


def _groups(records, every):
    if every:
        return [[record] for record in records]
    groups: dict = {}
    for record in records:
        groups.setdefault((record.claim, record.model), []).append(record)
    return [sorted(groups[key], key=severity) for key in sorted(groups)]


def _add(table, group):
    worst = group[0]
    verdict = f"{worst.verdict}"
    if len(group) > 1 and worst.verdict is not Verdict.NOT_APPLICABLE:
        same = sum(record.verdict is worst.verdict for record in group)
        verdict += f" {same}/{len(group)}"
    table.add_row(
        worst.claim,
        worst.model,
        worst.problem,
        f"[{_STYLE[worst.verdict]}]{verdict}[/]",
        *(number(value) for value in (worst.predicted, worst.observed)),
        *(number(value, 2) for value in (worst.slack, worst.error_budget)),
        _sabotages(group),
        "proved" if worst.proof == "proved" else worst.proof or "-",
    )


def _sabotages(group):
    every = [sabotage for record in group for sabotage in record.sabotages]
    refuted = sum(sabotage.verdict is Verdict.VIOLATED for sabotage in every)
    return f"{refuted}/{len(every)}" if every else "-"
