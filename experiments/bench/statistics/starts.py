"""How many seeds find the best optimum: ``python -m emmd.experiments.bench.statistics.starts FILE COL K``."""

import argparse
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

import emmd
from emmd.estimators.starts.run import SAME_OPTIMUM
from emmd.experiments.files.table import read_table


def main() -> None:
    """Fit from many seeds; print the best log-likelihood and how many seeds reach it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("target")
    parser.add_argument("experts", type=int)
    parser.add_argument("--family", default="gaussian")
    parser.add_argument("--gate", default="softmax")
    parser.add_argument("--starts", type=int, default=30)
    parser.add_argument("--seeds", type=int, default=100)
    options = parser.parse_args()
    table = read_table(options.file, options.target)
    model = emmd.MixtureOfExpertsRegressor(
        options.experts, family=options.family, gate=options.gate, n_init=options.starts
    )
    found, statuses = [], []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for seed in range(options.seeds):
            fit = model.set_params(random_state=seed).fit(table.X, table.y)
            found.append(fit.loglik_)
            statuses.append(fit.status_.name.lower())
    best = max(found)
    reached = np.array(found) >= best - SAME_OPTIMUM * (1.0 + abs(best))
    print(f"best log-likelihood {best:.6f} ({statuses[int(np.argmax(found))]})")
    print(f"{reached.sum()} of {options.seeds} seeds reach it from {options.starts} starts")


if __name__ == "__main__":
    main()
