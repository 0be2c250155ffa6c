"""EM's rate in each cell of a sweep: predicted, observed, on the population, and bounded."""

from emmd.experiments.snr.report.cells import CELL, OF_EXPERTS, cell_groups, interval

_OPTIONAL = ("population_rate", "snr_bound")
"""Measures that an experiment may leave out."""


def rate_table(runs, traces):
    """Return one row per cell: medians over the samples, with the 10th and 90th percentile.

    Parameters
    ----------
    runs : DataFrame
        With the measures ``predicted_rate``, ``contraction``, ``observed_rate``; with ``population_rate`` and
        ``snr_bound`` where they were taken.
    traces : DataFrame
        Not looked at.

    Returns
    -------
    DataFrame
        Of the runs of EM that ended at a strict optimum.

    Raises
    ------
    ValueError
        When there is none.
    """
    import pandas as pd

    runs = runs[(runs["algorithm"] == "EM") & runs["optimum_strict"].eq(True)]
    rows = []
    for cell, group in cell_groups(runs):
        samples = group.drop_duplicates("repetition")
        middle, low, high = interval(samples["predicted_rate"])
        rows.append(
            {
                **cell,
                "samples": len(samples),
                "rate": middle,
                "rate_10": low,
                "rate_90": high,
                "observed": interval(samples["contraction"])[0],
                "observed_on_path": interval(samples["observed_rate"])[0],
                **{name: samples[name].iloc[0] for name in _OPTIONAL if name in samples},
            }
        )
    if not rows:
        raise ValueError("no sample has a strict optimum reached by EM")
    keys = [key for key in (*CELL, *OF_EXPERTS) if key in rows[0]]
    return pd.DataFrame(rows).sort_values(keys).reset_index(drop=True)
