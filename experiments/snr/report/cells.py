"""Groups of runs that tables and figures speak of."""

CELL = ("model", "n", "d", "snr_expert", "snr_gate", "cosine")
OF_EXPERTS = ("n_experts", "family", "gate", "n_classes")
REAL_CELL = ("data", "n", "side", "ridge", "n_experts")
REACHED = 1e-3
"""A run reached the optimum next to theta* when it ends within this Euclidean distance of it."""

NAMES = {
    "symmoline": "SymMoLinE (linear experts)",
    "symmologe": "SymMoLogE (logistic experts)",
    "moe": "K experts",
}


def cell_groups(runs):
    """Yield (cell as a dict, its runs), in the order of the cells' values."""
    keys = [key for key in dict.fromkeys([*CELL, *OF_EXPERTS, *REAL_CELL]) if key in runs]
    for values, group in runs.groupby(keys, sort=True, dropna=False):
        yield dict(zip(keys, values)), group


def algorithms_of(runs):
    """Return the labels of the algorithms: EM first, the rest by name."""
    return sorted(runs["algorithm"].unique(), key=lambda label: (label != "EM", label))


def describe_cell(cell):
    """Return a cell as one line of text with its symbols."""
    symbols = {
        "n": "n",
        "d": "d",
        "snr_expert": r"$\mathrm{SNR}_e$",
        "snr_gate": r"$\mathrm{SNR}_g$",
        "cosine": "cosine",
    }
    values = ", ".join(f"{symbol} = {cell[key]:g}" for key, symbol in symbols.items() if key in cell)
    return f"{NAMES.get(cell.get('model'), cell.get('model'))}\n{values}"


def reached(runs):
    """Return which runs ended at the optimum next to theta*, as booleans."""
    return runs["optimum_strict"].eq(True) & (runs["error"] <= REACHED)


def interval(values):
    """Return the median and the 10th and 90th percentiles, ignoring missing values."""
    low, middle, high = values.astype(float).quantile([0.1, 0.5, 0.9])
    return middle, low, high
