"""I_com of Gaussian experts: from the sums of one pass, against the sums of what every row adds."""

import numpy as np
import pytest

import emmd

ROWS = 900
EPS = np.finfo(float).eps


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


def _off(problem, theta):
    """Return how far both ways are apart, relative to the diagonal, and the last expert's mass.

    An entry is at most the root of the product of its diagonal entries, by Cauchy and Schwarz, and so are the
    sums of the moduli of its terms: rounding is at most their number times eps of that.
    """
    found, (expected, _) = problem.complete_hessian(theta), problem.model.informations(problem.data, theta)
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
    assert off <= 4 * ROWS * EPS / mass


def test_an_expert_of_little_mass_keeps_its_digits():
    """What the others leave of the total would have lost them."""
    problem, theta = _problem(2, 20.0)
    off, mass = _off(problem, theta)
    assert 1e-10 < mass < 1e-6
    assert off <= 4 * ROWS * EPS


@pytest.mark.parametrize("place", [[0], [0, 4]], ids=["one", "both"])
def test_sums_that_overflow_tell_nothing(place):
    """What the rows add one by one says so; where one expert alone is out of range the other has all mass."""
    problem, theta = _problem(2)
    theta[place] = 1e308
    with pytest.raises(RuntimeWarning, match=r"overflow|invalid"):
        problem.complete_hessian(theta)


def test_a_pass_is_what_tells(monkeypatch):
    problem, theta = _problem(3)
    monkeypatch.setattr(type(problem.model), "_complete", None)
    assert np.isfinite(problem.complete_hessian(theta)).all()
