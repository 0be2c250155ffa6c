"""What sparse gates cost: EM's rate along its path and the scores on test rows, gate by gate."""

from emmd.experiments.snr.report.cells import cell_groups

DENSE = "softmax"
_ORDER = ("family", "snr_gate")
_SAMPLE = ["repetition", "start_index"]
_MEANS = ("path_rate", "rises", "iterations", "train_loss", "test_loss", "excess", "test_accuracy")
_SPREAD = ("path_rate", "excess", "test_accuracy")


def gate_table(runs, traces):
    """Return one row per cell: means over samples and starts.

    Parameters
    ----------
    runs : DataFrame
        Of EM, with ``gate`` and the measure ``path_rate``; ``test_accuracy`` where targets are classes.
    traces : DataFrame
        Not looked at.

    Returns
    -------
    DataFrame
        ``excess`` is the test loss above that of the softmax gate on the same sample from the same start, in
        nats per row; ``_sd`` columns are standard deviations.

    Raises
    ------
    ValueError
        When no run has a softmax gate to compare with.
    """
    import pandas as pd

    if DENSE not in set(runs["gate"]):
        raise ValueError(f"no run has the gate {DENSE!r} to compare with")
    runs = runs.assign(place=[_place(run) for _, run in runs.iterrows()])
    dense = runs[runs["gate"] == DENSE].set_index(["place", *_SAMPLE])["test_loss"]
    runs = runs.join(dense.rename("dense_loss"), on=["place", *_SAMPLE])
    runs["excess"] = runs["test_loss"] - runs["dense_loss"]
    table = pd.DataFrame([_row(cell, group) for cell, group in cell_groups(runs)])
    return table.sort_values([key for key in _ORDER if key in table], kind="stable", ignore_index=True)


def _place(run):
    """Return the problem in words, its gate left out."""
    data = run.get("data")
    if isinstance(data, str):
        return data
    return rf"{run['family']}, $\mathrm{{SNR}}_g$ = {run['snr_gate']:g}"


def _row(cell, group):
    named = [name for name in _MEANS if name in group]
    row = {"problem": group["place"].iloc[0], **cell, "runs": len(group)}
    row |= {"converged": int((group["status"] == "converged").sum())}
    row |= {name: float(group[name].astype(float).mean()) for name in named}
    return row | {f"{name}_sd": float(group[name].astype(float).std()) for name in _SPREAD if name in named}
