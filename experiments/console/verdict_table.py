"""The table of claims: one row per claim and model, deciding problem first."""

from rich import box
from rich.table import Table
from rich.text import Text

from emmd.experiments.console.consoles import literal
from emmd.theory.verdict import Verdict

_ORDER = (
    Verdict.VIOLATED,
    Verdict.NOT_DISCRIMINATING,
    Verdict.INCONCLUSIVE,
    Verdict.VACUOUS,
    Verdict.HOLDS,
    Verdict.CERTIFIED,
    Verdict.NOT_APPLICABLE,
)
_STYLE = {
    Verdict.HOLDS: "green",
    Verdict.CERTIFIED: "bold green",
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


def verdict_table(records, every=False, of="built-in models"):
    """Return a rich table of records.

    Parameters
    ----------
    records : list of Record
    every : bool
        One row per record; otherwise one row per claim and model, showing the
        record nearest to failing and in how many problems the verdict is the same.
    of : str
        Which models the records are about.

    Notes
    -----
    ``slack`` is what is left of the error budget (identity, rate) or of the
    bound; ``resolution`` is the smallest error of the prediction, relative to its
    scale, that the check refutes, the coarsest of the row's problems; ``refuted``
    counts sabotages over all problems of the row, without those that say the same
    as the claim there. ``independent`` is shown where it is "no" for some claim: there both sides come from
    one function, and a wrong function would not show.
    """
    shown = (
        "every claim on every problem" if every else "per claim and model: the problem with the least slack"
    )
    title = f"{of}, {shown}"
    table = Table(title=title, title_style="bold", header_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("claim", "model", "problem"):
        table.add_column(name, no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for name in ("predicted", "observed", "slack", "resolution"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("refuted", justify="right", no_wrap=True)
    table.add_column("proof", no_wrap=True)
    derived = any(not record.independent for record in records)
    if derived:
        table.add_column("independent", no_wrap=True)
    for group in [[record] for record in records] if every else grouped(records):
        _add(table, group, derived)
    return table


def grouped(records):
    """Return the records by claim and model, in each group the one nearest to failing first."""
    groups: dict = {}
    for record in records:
        groups.setdefault((record.claim, record.model), []).append(record)
    return [sorted(groups[key], key=severity) for key in sorted(groups)]


def _add(table, group, derived):
    worst = group[0]
    verdict = f"{worst.verdict}"
    if len(group) > 1 and worst.verdict is not Verdict.NOT_APPLICABLE:
        same = sum(record.verdict is worst.verdict for record in group)
        verdict += f" {same}/{len(group)}"
    table.add_row(
        literal(worst.claim, 80),
        literal(worst.model, 40),
        literal(worst.problem, 80),
        Text(verdict, _STYLE[worst.verdict]),
        *(number(value) for value in (worst.predicted, worst.observed)),
        number(worst.slack, 2),
        number(max((r.resolution for r in group if r.resolution is not None), default=None), 2),
        refuted(group),
        "proved" if worst.proof == "proved" else worst.proof or "-",
        *(["yes" if worst.independent else "no"] if derived else []),
    )


def refuted(group):
    """Return how many sabotages were refuted, of those that are false there, as text."""
    fell, same, every = count_sabotages(group)
    return f"{fell}/{every - same}" if every else "-"


def summary(records):
    """Return the verdicts of all records as one sentence."""
    counts: dict = {}
    for record in records:
        counts[str(record.verdict)] = counts.get(str(record.verdict), 0) + 1
    fell, same, every = count_sabotages(records)
    beside = f", {same} not distinguishable here" if same else ""
    listed = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
    return f"{len(records)} checks: {listed}; {fell} of {every - same} sabotages refuted{beside}"


def count_sabotages(records):
    """Return how many sabotages were refuted, how many say what their claims say, and how many there are."""
    every = [sabotage.verdict for record in records for sabotage in record.sabotages]
    return every.count(Verdict.VIOLATED), every.count(Verdict.NOT_DISTINGUISHABLE), len(every)
