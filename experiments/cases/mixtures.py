"""Synthetic problems with K unsymmetric experts, one per family."""

from dataclasses import dataclass, field

import numpy as np

import emmd
from emmd.experiments.cases.case import Case


@dataclass(frozen=True)
class Truth:
    """A mixture with well separated experts; features are x ~ N(0, 1) and an intercept.

    Attributes
    ----------
    family : str
    n : int
        Rows.
    coef, gate, dispersion : list
        As `MixtureOfExperts.pack` takes them.
    options : dict
        Of the family.
    """

    family: str
    n: int
    coef: list
    gate: list
    dispersion: list | None = None
    options: dict = field(default_factory=dict)


TRUTHS = (
    Truth("gaussian", 300, [[2.0, 0.0], [-2.0, 1.0]], [[1.5, 0.3]], [-1.4, -0.7]),
    Truth("poisson", 400, [[0.8, 1.8], [-0.8, 0.4]], [[1.5, 0.0]]),
    Truth("gamma", 400, [[0.8, 1.8], [-0.8, 0.0]], [[1.5, 0.0]], [1.5, 2.0]),
    Truth("bernoulli", 5000, [[4.0, 1.0], [-4.0, 1.0]], [[2.0, 1.0]]),
    Truth(
        "categorical",
        2000,
        [[[4.0, 1.0], [1.0, -1.0]], [[-4.0, 0.0], [-1.0, 2.0]]],
        [[2.0, 0.5]],
        options={"n_classes": 3},
    ),
    Truth(
        "gaussian",
        400,
        [[2.0, 0.0], [-2.0, 1.0], [0.0, -3.0]],
        [[1.5, 0.3], [-1.5, 0.0]],
        [-1.8],
        options={"variance": "shared"},
    ),
    Truth("student_t", 400, [[2.0, 0.0], [-2.0, 1.0]], [[1.5, 0.3]], [-1.4, -0.7]),
    Truth("student_t_df", 1000, [[2.0, 0.0], [-2.0, 1.0]], [[1.5, 0.3]], [[-1.4, 1.0], [-0.7, 1.4]]),
    Truth("negative_binomial", 1000, [[0.8, 1.8], [-0.8, 0.4]], [[1.5, 0.0]], [1.5, 1.0]),
    Truth("zero_inflated_poisson", 1000, [[0.8, 1.8], [-0.8, 0.8]], [[1.5, 0.0]], [1.5, 1.0]),
    Truth(
        "multivariate_gaussian",
        400,
        [[[2.0, 0.0], [1.0, 1.0]], [[-2.0, 1.0], [1.0, -1.0]]],
        [[1.5, 0.3]],
        [[-1.4, -0.7, 0.4], [-0.7, -1.4, -0.6]],
        options={"n_targets": 2},
    ),
)

QUICK = TRUTHS[:2]
"""What `emmd verify` runs beside the symmetric models; ``--model moe`` runs all."""


def mixture_cases(seed, every):
    """Yield the `Case` objects of K experts."""
    for truth in TRUTHS if every else QUICK:
        yield _case(truth, seed)


def _case(truth, seed):
    K = len(truth.coef)
    model = emmd.MixtureOfExperts(2, K, family=truth.family, **truth.options)
    theta = model.pack(truth.coef, truth.gate, truth.dispersion)
    rng = np.random.default_rng([seed, *truth.family.encode(), K])
    X = np.column_stack([rng.standard_normal(truth.n), np.ones(truth.n)])
    problem = emmd.Problem(model, X, model.sample_y(theta, X, [seed, K]))
    unit = model.parameter_scale(problem.data)
    theta0 = theta + 0.1 * rng.standard_normal(len(theta)) / unit
    detail = ", ".join(f"{key} = {value}" for key, value in truth.options.items())
    note = f"n = {truth.n}, K = {K}, d = 2 with intercept, seed = {seed}{', ' if detail else ''}{detail}"
    return Case(f"{truth.family} K={K}", problem, theta0, note)
