"""K = 5: the rate that Hessians predict is the rate of the map and of the path, for every family."""

import numpy as np
import pytest

import emmd
from emmd import theory

K = 5
CENTRES = np.arange(K) - 2.0


def on_a_line(family, n, slope, shift, log_dispersion=None, **options):
    """Experts side by side on an interval, jumping where the gate hands over."""
    model = emmd.MixtureOfExperts(2, K, family, **options)
    signs = (-1.0) ** np.arange(K)
    coef = np.column_stack([signs * slope, signs * slope * (0.7 - CENTRES) + shift])
    gate = np.column_stack([2.0 * CENTRES, -(CENTRES**2)])
    dispersion = None if log_dispersion is None else np.full(model.shapes["dispersion"], log_dispersion)
    rng = np.random.default_rng(K)
    X = np.column_stack([rng.uniform(-2.8, 2.8, n), np.ones(n)])
    return model, model.pack(coef, gate, dispersion), X


def on_a_circle(family, n, **options):
    """The gate sees one feature, the experts two others: their slopes point in five directions."""
    model = emmd.MixtureOfExperts(4, K, family, gate_columns=[0, 3], expert_columns=[1, 2, 3], **options)
    angle = 2.0 * np.pi * np.arange(K) / K + 0.3
    one = 4.0 * np.column_stack([np.cos(angle), np.sin(angle), 0.0 * angle])
    rows = [np.roll(one, j, axis=0) + 0.5 * (j > 0) for j in range(model.family.n_linear)]
    gate = np.column_stack([2.5 * CENTRES, -1.25 * CENTRES**2])
    rng = np.random.default_rng(K)
    X = np.column_stack([rng.uniform(-2.8, 2.8, n), rng.standard_normal((n, 2)), np.ones(n)])
    return model, model.pack(np.stack(rows, axis=1), gate), X


CASES = {
    "gaussian": lambda: on_a_line("gaussian", 2000, 2.0, 0.0, -2.0),
    "shared": lambda: on_a_line("gaussian", 2000, 2.0, 0.0, -2.0, variance="shared"),
    "known": lambda: on_a_line("gaussian", 2000, 2.0, 0.0, variance=0.135),
    "poisson": lambda: on_a_line("poisson", 2500, 0.8, 1.5),
    "gamma": lambda: on_a_line("gamma", 2000, 0.8, 0.5, 2.0),
    "bernoulli": lambda: on_a_circle("bernoulli", 4000),
    "categorical": lambda: on_a_circle("categorical", 2000, n_classes=3),
}


@pytest.mark.parametrize("name", CASES)
def test_predicted_is_observed(name):
    model, truth, X = CASES[name]()
    problem = emmd.Problem(model, X, model.sample_y(truth, X, [K, 77]))
    reference = theory.reference_optimum(problem, truth)
    assert reference.strict, reference.reason
    predicted = theory.predicted_rate(problem, reference.theta)
    assert 0.3 < predicted < 0.99
    seen = theory.contraction(problem, reference.theta)
    assert seen.value == pytest.approx(predicted, rel=1e-6)
    # the path alone, with the uncertainty that it states: eigenvalues of five experts come in clusters
    unit = model.parameter_scale(problem.data)
    start = reference.theta + 1e-3 * np.random.default_rng(1).standard_normal(len(truth)) / unit
    path = theory.observed_rate(emmd.minimize(problem, start, tol=1e-13, max_iter=120, record=True))
    assert abs(path.value - predicted) <= path.error
    assert path.value == pytest.approx(predicted, rel=1e-2)
