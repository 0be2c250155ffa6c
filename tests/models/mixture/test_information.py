"""I_com of Gaussian experts: from the sums of a pass of EM, against the sums of what every row adds."""

import numpy as np
import pytest

import emmd
from emmd.core.loop.solve import em_displacement

ROWS = 900
BUDGET = (ROWS + 100) * np.finfo(float).eps
"""Of a sum of rows by two ways, in units of the sum of its terms' moduli: by Cauchy and Schwarz at most the
root of the product of two diagonal entries. Either way adds half of eps for every addition, and a hundred
times that for what a term is off: mostly the size of the log joint, 40 where a row counts, in its exponent.
"""


def _problem(K, odds=None, **options):
    rng = np.random.default_rng(K)
    model = emmd.MixtureOfExperts(4, K, **options)
    theta = rng.standard_normal(model.n_params)
    if odds is not None:
        # of the first expert against the last, at the origin
        theta[-1] = odds
    X = np.column_stack([rng.standard_normal((ROWS, 3)) * [3.0, 1.0, 0.1], np.ones(ROWS)])
    y = model.sample_y(theta, X, K)
    return emmd.Problem(model, X, y, rng.uniform(0.5, 1.0, ROWS)), theta + 0.2


def _of_pass(problem, theta):
    return problem.model.em_information(problem.data, theta)


def _off(problem, theta):
    """Return how far both ways are apart, relative to the diagonal, and the last expert's mass."""
    found, expected = _of_pass(problem, theta), problem.complete_hessian(theta)
    size = np.sqrt(expected.diagonal())
    mass = problem.data.weights @ problem.responsibilities(theta)[:, -1]
    return np.abs((found - expected) / np.outer(size, size)).max(), mass


@pytest.mark.parametrize("variance", ["free", "shared", 0.5])
@pytest.mark.parametrize("gate", ["softmax", "constant"])
@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize(
    "columns", [{}, {"expert_columns": [0, 3], "gate_columns": [1, 2, 3]}], ids=["all", "own"]
)
def test_sums_of_a_pass_are_those_of_rows(K, gate, variance, columns):
    if gate == "constant":
        columns = {name: own for name, own in columns.items() if name == "expert_columns"}
    problem, theta = _problem(K, gate=gate, variance=variance, **columns)
    off, mass = _off(problem, theta)
    # the last Gram matrix is the total less the others, of which its mass is what is left
    assert off <= BUDGET / mass


def test_an_expert_of_little_mass_keeps_its_digits():
    """What the others leave of the total would have lost them."""
    problem, theta = _problem(2, 20.0)
    off, mass = _off(problem, theta)
    assert 1e-10 < mass < 1e-6
    assert off <= BUDGET


def test_sums_that_overflow_tell_nothing():
    """What the rows add one by one says so; the other expert has all mass."""
    problem, theta = _problem(2)
    theta[0] = 1e308
    with pytest.raises(RuntimeWarning, match="overflow"):
        _of_pass(problem, theta)


def test_what_confirms_a_run_takes_a_pass_and_what_predicts_rates_does_not(monkeypatch):
    """Observed rates are those of the kernels that passes are made of."""
    problem, theta = _problem(3)
    gradient = problem.gradient(theta)
    with monkeypatch.context() as patch:
        patch.setattr(type(problem.model), "_complete", None)
        assert np.isfinite(em_displacement(problem, theta, gradient))
    monkeypatch.setattr(type(problem.model), "e_step_pass", None)
    assert np.isfinite(problem.complete_hessian(theta)).all()
