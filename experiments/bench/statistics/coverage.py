"""How often 95 % intervals hold the truth: ``python -m emmd.experiments.bench.statistics.coverage``."""

import argparse
from functools import partial

import numpy as np

import emmd

TRUTH = np.array([2.0, 1.0, 0.25, -1.0, 0.0, 0.25, 1.0, 0.5])
"""Slope, intercept and variance of both experts, slope and intercept of the gate, as `summary` lists them."""


def sample(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw from two lines with noise of variance 1/4, chosen by a softmax gate."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 1))
    first = rng.random(n) < 1.0 / (1.0 + np.exp(-0.5 - X[:, 0]))
    return X, np.where(first, 1.0 + 2.0 * X[:, 0], -X[:, 0]) + 0.5 * rng.standard_normal(n)


def covered(n: int, robust: bool, seed: int) -> np.ndarray:
    """Return which intervals of one fit hold the truth, bool of shape (8,)."""
    X, y = sample(n, seed)
    fit = emmd.MixtureOfExpertsRegressor(n_init=2, random_state=0).fit(X, y)
    table = fit.summary(covariance=fit.robust_covariance(X, y) if robust else None).iloc[:-1]
    return ((table["lower"] < TRUTH) & (table["upper"] > TRUTH)).to_numpy()


def main() -> None:
    """Fit many samples and print the share of intervals that hold the truth, by parameter."""
    from joblib import Parallel, delayed

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fits", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--robust", action="store_true", help="sandwich errors")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    one = partial(covered, options.rows, options.robust)
    found = np.array(Parallel(options.jobs)(delayed(one)(seed) for seed in range(options.fits)))
    names = (
        emmd.MixtureOfExpertsRegressor(n_init=2, random_state=0).fit(*sample(options.rows, 0)).summary().index
    )
    for name, share in zip(names, found.mean(axis=0)):
        print(f"{' '.join(name):24} {100 * share:6.2f} %")
    print(f"{'all':24} {100 * found.mean():6.2f} %  of {found.size} intervals")


if __name__ == "__main__":
    main()
