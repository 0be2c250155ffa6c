"""Scores of runs on real data: at equal iterations, at equal seconds, at the end, and over seeds."""

import numpy as np

from emmd.experiments.snr.report.cells import algorithms_of

SCORES = {
    "train_loss": "training loss (nats per image)",
    "test_loss": "test cross-entropy (nats per image)",
    "test_accuracy": "test accuracy",
    "gate_auc": "AUC of the gate",
    "gate_agreement": "agreement of the gate",
}
"""Columns that traces of images have, with the labels of their axes."""

BEST = "least training loss"
"""What tables call the choice that a user makes among several starts."""

REFERENCES = {"one": "one expert", "upright": "one expert, inversion undone"}
"""Fits without a path: the prefix of their columns in the runs, and what they are called."""


def budget(runs, column):
    """Return the most iterations or seconds that every run has used or did not need.

    Parameters
    ----------
    runs : DataFrame
    column : str
        ``iterations`` or ``seconds``.
    """
    cut = runs.loc[runs["status"] == "iteration_limit", column]
    return float(cut.min() if len(cut) else runs[column].max())


def scores_within(path, x, limit):
    """Return the scores of the last kept iterate of a path whose `x` is within a limit."""
    within = path[path[x] <= limit]
    return within.iloc[-1][[name for name in SCORES if name in path]].astype(float)


def compared(runs, traces):
    """Yield (what is compared, algorithm, its scores, one row per run and indexed by it) for one cell."""
    import pandas as pd

    by_run = dict(list(traces[traces["run"].isin(runs.index)].groupby("run", observed=True)))
    limits = {"iteration": budget(runs, "iterations"), "seconds": budget(runs, "seconds")}
    names = {"iteration": f"{limits['iteration']:.0f} iterations", "seconds": f"{limits['seconds']:.3g} s"}
    for x, limit in {**limits, "end": np.inf}.items():
        for algorithm in algorithms_of(runs):
            chosen = runs.index[runs["algorithm"] == algorithm]
            column = "iteration" if x == "end" else x
            rows = {run: scores_within(by_run[run], column, limit) for run in chosen if run in by_run}
            if rows:
                yield names.get(x, x), algorithm, pd.DataFrame.from_dict(rows, orient="index")


def by_start(runs, scores):
    """Yield (start, its scores, one row per sample): each start, then the best of every sample.

    Parameters
    ----------
    runs : DataFrame
    scores : DataFrame
        One row per run of one algorithm, indexed by it.
    """
    labels = start_labels(runs.loc[scores.index])
    for label in sorted(labels.unique()):
        yield label, scores[labels == label]
    if labels.nunique() > 1:
        samples = runs.loc[scores.index, "repetition"]
        yield BEST, scores.loc[scores.groupby(samples)["train_loss"].idxmin()]


def start_labels(runs):
    """Return what tables call the start of each run: its kind of `emmd.estimators.starts`, or its number."""
    from emmd.estimators.starts.draw import KINDS

    numbers = runs["start_index"].astype(int)
    named = [KINDS[number % len(KINDS)] for number in numbers]
    labels = numbers.astype(str)
    if numbers.max() < len(KINDS):
        labels = labels.where(runs["start_kind"] != "data", named)
    return labels


def best_runs(runs):
    """Return for every algorithm and sample the run whose start led to the least training loss."""
    return runs.loc[runs.groupby(["algorithm", "repetition"])["train_loss"].idxmin()]


def references(runs):
    """Yield (name, scores of the fits without a path, one row per sample)."""
    samples = runs.drop_duplicates("repetition")
    for prefix, name in REFERENCES.items():
        columns = {f"{prefix}_{score}": score for score in SCORES if f"{prefix}_{score}" in runs}
        if columns:
            yield name, samples[list(columns)].rename(columns=columns).astype(float)


def mean_and_deviation(scores):
    """Return the mean and the standard deviation over rows of every score, as one flat dict."""
    flat = {}
    for name in scores:
        flat[name] = float(scores[name].mean())
        flat[f"{name}_sd"] = float(scores[name].std(ddof=1)) if len(scores) > 1 else float("nan")
    return flat
