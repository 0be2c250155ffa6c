"""K experts chosen by BIC, and what they gain on rows held out."""

import numpy as np

_PROPER = ("converged", "iteration_limit")
BIC = "chosen by BIC"


def gains(runs):
    """Return one row per data set, split and number of experts.

    Parameters
    ----------
    runs : DataFrame
        With `n_experts`, ``train_loss``, ``test_loss``, ``bic`` and the measure ``one_expert``.

    Returns
    -------
    DataFrame
        The start with the least training loss among proper fits; ``gain``, the held-out log-likelihood
        per row above one expert's; ``chosen``, the K in 1, 2, ... with the least BIC of the split.

    Raises
    ------
    ValueError
        When no fit is proper.
    """
    proper = runs[runs["status"].isin(_PROPER)]
    if proper.empty:
        raise ValueError("no fit ended at a proper optimum")
    split = ["data", "repetition"]
    best = proper.loc[proper.groupby([*split, "n_experts"])["train_loss"].idxmin()].copy()
    best["gain"] = best["one_test_loss"] - best["test_loss"]
    least = best.loc[best.groupby(split)["bic"].idxmin()].set_index(split)
    least["chosen"] = np.where(least["bic"] < least["one_bic"], least["n_experts"], 1)
    return best.join(least["chosen"], on=split)


def summary(runs):
    """Return one row per data set and number of experts, the choice of BIC among them."""
    import pandas as pd

    table = gains(runs)
    rows = []
    for data, group in table.groupby("data", sort=True):
        for experts, fits in group.groupby("n_experts"):
            rows.append({"data": data, "experts": f"K = {experts}", **_row(fits, fits["n_experts"])})
        rows.append({"data": data, "experts": BIC, **_row(_selected(group), _selected(group)["chosen"])})
    return pd.DataFrame(rows)


def _selected(group):
    """Return each split's choice; where that is one expert it gains nothing."""
    import pandas as pd

    picked = group[group["n_experts"] == group["chosen"]]
    one = group[group["chosen"] == 1].drop_duplicates("repetition").copy()
    for name in ("test_loss", "train_loss", "bic", "test_accuracy"):
        if name in one:
            one[name] = one[f"one_{name}"]
    return pd.concat([picked, one.assign(gain=0.0)]).sort_values("repetition")


def _row(fits, experts):
    row = {
        "splits": len(fits),
        "mean K": float(experts.mean()),
        "test rows": int(fits["n_test"].iloc[0]),
        "gain": float(fits["gain"].mean()),
        "gain_se": corrected_error(fits["gain"], fits["n_test"].iloc[0] / fits["n_train"].iloc[0]),
        "splits gained": int((fits["gain"] > 0).sum()),
        "test_loss": float(fits["test_loss"].mean()),
        "one_test_loss": float(fits["one_test_loss"].mean()),
    }
    for name in ("test_accuracy", "one_test_accuracy"):
        row[name] = float(fits[name].mean()) if name in fits else float("nan")
    return row


def corrected_error(values, ratio):
    """Return the standard error of a mean over J random splits, which share rows.

    Parameters
    ----------
    values : Series
    ratio : float
        Test rows per training row.

    Returns
    -------
    float
        ``sqrt((1/J + ratio) s^2)`` (Nadeau and Bengio 2003); NaN for one split.
    """
    return float(np.sqrt((1.0 / len(values) + ratio) * values.var(ddof=1)))
