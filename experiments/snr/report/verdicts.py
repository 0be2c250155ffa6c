"""What the stored numbers say about the claims: checked where all claims are, by `theory.checker`."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd

from emmd.theory.checker import check, claims
from emmd.theory.claim import Comparison, Kind, Sabotage

_RATES = {"em": "L1", "mirror_descent": "L2", "gradient_descent": "L3", "gradient_em": "L5"}
_BOUNDS = {"symmoline": "S4", "symmologe": "S6"}
_ROUNDING = 1e-9


def verdicts(runs):
    """Return the verdict of each claim that a store's runs can decide.

    Parameters
    ----------
    runs : DataFrame
        From `emmd.load_runs`.

    Returns
    -------
    DataFrame
        Columns claim, statement, about, compared, verdict, slack, sabotage and its verdict; empty when
        nothing was measured. A claim whose sabotage is not refuted is ``not discriminating``.
    """
    return pd.DataFrame([*_rates(runs), *_bounds(runs)])


def _rates(runs):
    if not {"predicted_rate", "contraction"} <= set(runs):
        return
    seen = runs.dropna(subset=["predicted_rate", "contraction", "contraction_error"])
    seen = seen.drop_duplicates(["experiment", "predicted_rate", "contraction", "algorithm"])
    for algorithm, group in seen.groupby("algorithm"):
        label = next((_RATES[name] for name in _RATES if _is(algorithm, name)), None)
        if label is None:
            continue
        values = group[["predicted_rate", "contraction", "contraction_error"]].astype(float)
        rows = [Comparison(p, o, error + _ROUNDING, 1.0) for p, o, error in values.itertuples(index=False)]
        false = [Comparison(c.predicted**2, c.observed, c.budget, c.scale) for c in rows]
        yield _row(label, algorithm, Kind.RATE, rows, "the rate is that of the loss, its square", false)


def _is(label, method):
    return label.partition(" (")[0] == " ".join("EM" if word == "em" else word for word in method.split("_"))


def _bounds(runs):
    if not {"population_rate", "snr_bound"} <= set(runs):
        return
    seen = runs.dropna(subset=["population_rate", "snr_bound"])
    for model, group in seen.drop_duplicates(["population_rate", "snr_bound"]).groupby("model"):
        values = group[["snr_bound", "population_rate", "population_rate_error"]].astype(float)
        rows = [
            Comparison(b, rate, error + _ROUNDING, 1.0, trivial=1.0)
            for b, rate, error in values.itertuples(index=False)
        ]
        false = [
            Comparison(np.square(c.predicted), c.observed, c.budget, c.scale) for c in rows if c.predicted < 1
        ]
        yield _row(_BOUNDS[model], model, Kind.UPPER_BOUND, rows, "the square of the bound", false)


def _row(label, about, kind, comparisons, sabotage, false):
    known = next(claim for claim in claims().values() if claim.label == label)
    claim = replace(
        known,
        kind=kind,
        measure=lambda stored, sabotaged=False: false if sabotaged else comparisons,
        sabotages=(Sabotage(sabotage, {"sabotaged": True}),),
        assumptions=(),
        proof="",
    )
    record = check(claim, _Stored(about))
    return {
        "claim": record.claim,
        "statement": record.statement,
        "about": about,
        "compared": record.compared,
        "verdict": str(record.verdict),
        "slack": record.slack,
        "sabotage": sabotage,
        "sabotage verdict": str(record.sabotages[0].verdict),
    }


class _Stored:
    """What `check` asks of a lab, where both sides lie in a store."""

    gauge = 0

    def __init__(self, about):
        self.model = SimpleNamespace(name=about)
