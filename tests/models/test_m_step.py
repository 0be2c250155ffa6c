"""The M-step is exact, or says that it is not."""

import numpy as np
import pytest

import emmd
from emmd.core.loop.algorithm import inner_failure
from emmd.rows.second_moment import SingularDesignError
from tests.generators.cases import NAMES, both, model

ACCEPTED = 1e-13
"""The scaled gradient that counts as zero."""

ROUNDING = 2e-15
"""What two ways of summing 1500 terms of total size at most 1 may differ by."""

COLUMNS = {"plain": (1.0, 1.0, 1.0), "ill scaled": (1e6, 1.0, 1e-6)}


def _labels(kind, X, rng):
    """Return soft labels that no linear predictor separates."""
    coin = rng.uniform(size=len(X))
    probability = 1.0 / (1.0 + np.exp(-X[:, 0]))
    if kind == "soft":
        return coin
    if kind == "hard":
        return np.where(coin < probability, 1.0, 0.0)
    # a saturated gate: nearly all labels follow the sign of a predictor
    return np.where(coin < 0.01, 1.0 - (X[:, 0] > 0), 1.0 * (X[:, 0] > 0))


def _setting(name, labels, columns):
    rng = np.random.default_rng([len(labels), len(columns)])
    X = rng.standard_normal((1500, 3))
    p = _labels(labels, X, rng)
    scale = np.array(COLUMNS[columns])
    y = model(name, 3).sample_y(np.array([1.0, -0.5, 0.3, 0.0, 0.0, 0.0]), X, 1)
    return *both(name, X * scale, y, rng.uniform(0.5, 2.0, 1500)), p, np.tile(scale, 2)


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("labels", ["soft", "hard", "saturated"])
@pytest.mark.parametrize("distance", [0.0, 1.0, 1e2, 1e4])
def test_residual(name, labels, columns, distance):
    problem, naive, p, scale = _setting(name, labels, columns)
    start = distance * np.array([1.0, -1.0, 0.5, -0.7, 1.0, 1.0]) / scale
    step = problem.m_step(p, start)
    assert step.solved
    assert step.residual <= ACCEPTED
    assert step.curvature > 1e-4
    # the gradient again, from the expected log joint; a column's entries scale like its root mean square
    size = np.tile(np.sqrt(naive.c @ naive.X**2), 2)
    assert np.abs(naive.surrogate(step.theta, p)[1] / size).max() <= ACCEPTED + ROUNDING


@pytest.mark.parametrize("distance", [1.0, 1e2, 1e4])
def test_the_start_does_not_matter(name, distance):
    problem, _, p, _ = _setting(name, "soft", "plain")
    near = problem.m_step(p, np.zeros(6)).theta
    far = problem.m_step(p, distance * np.array([1.0, -1.0, 0.5, -0.7, 1.0, 1.0])).theta
    # curvatures above 0.1 turn two residuals below 1e-13 into a distance
    np.testing.assert_allclose(far, near, rtol=0, atol=2 * ACCEPTED / 0.1)


def test_em_step_from_a_saturated_start(name):
    # no gate fits the posterior of the start, so the EM map is finite and moderate however large the start
    problem, naive, _, _ = _setting(name, "soft", "plain")
    theta = 1e3 * np.array([1.0, -1.0, 0.5, 0.9, -1.0, -1.3])
    image = problem.em_step(theta)
    slope = naive.surrogate(image, naive.responsibilities(theta))[1]
    assert np.abs(slope).max() <= 10 * ACCEPTED


def _separations():
    rng = np.random.default_rng(3)
    X = rng.standard_normal((200, 2))
    side = X[:, 0] > 0
    heavy = X * np.exp(3.0 * rng.standard_normal((200, 1)))
    boundary = X.copy()
    boundary[:20, 0] = 0.0
    return {
        "one feature": (X[:, :1], side),
        "two features": (X, X @ [1.0, 2.0] > 0),
        "heavy tails": (heavy, heavy @ [1.0, 2.0] > 0),
        "both labels on the boundary": (boundary, np.where(boundary[:, 0] == 0, X[:, 1] > 0.1, side)),
        "a single label": (np.column_stack([X, np.ones(200)]), np.ones(200)),
        "one odd row": (np.column_stack([X, np.arange(200) == 7]), np.where(np.arange(200) == 7, 1, 0.5)),
        "a wide margin": (1e3 * X, side),
        "ill scaled": (X * [1e6, 1e-6], side),
        "a single row": (np.ones((1, 1)), np.ones(1)),
    }


@pytest.mark.parametrize("kind", _separations())
def test_separable_labels_are_not_a_silent_success(kind):
    X, p = _separations()[kind]
    problem = emmd.Problem(model("symmoline", X.shape[1]), X, np.ones(len(X)))
    step = problem.m_step(p, np.zeros(2 * X.shape[1]))
    assert np.isfinite(step.theta).all()
    assert step.curvature < 1e-13
    assert inner_failure(step) is emmd.Status.DIVERGING


def test_nearly_separable_labels_are_solved():
    """Labels one in a thousand away from certainty have a finite fit, and it is found."""
    X, side = _separations()["two features"]
    p = np.where(side, 0.999, 0.001)
    problem = emmd.Problem(model("symmoline", 2), X, np.ones(200))
    step = problem.m_step(p, np.zeros(4))
    assert inner_failure(step) is None
    assert step.residual <= ACCEPTED


# --- dependent columns ----------------------------------------------------------------------------------


def _dependent(kind):
    X = np.random.default_rng(8).standard_normal((120, 3))
    if kind == "repeated":
        X[:, 2] = X[:, 0]
    elif kind == "combination":
        X[:, 2] = 1e4 * X[:, 0] - 3.0 * X[:, 1]
    elif kind == "repeated but for 1e-7":
        X[:, 2] = X[:, 0] + 1e-7 * X[:, 2]
    elif kind == "zero":
        X[:, 1] = 0.0
    elif kind == "fewer rows than columns":
        X = X[:2]
    return X


@pytest.fixture(
    params=["repeated", "repeated but for 1e-7", "combination", "zero", "fewer rows than columns"]
)
def dependent(request, name):
    X = _dependent(request.param)
    return both(name, X, np.where(np.arange(len(X)) % 3, 1.0, -1.0))[0]


@pytest.mark.parametrize(
    "method", ["em", "mirror_descent", "gradient_em", "gradient_descent", "squarem", "anderson"]
)
def test_minimize_says_that_the_design_is_singular(dependent, method):
    result = emmd.minimize(dependent, np.full(6, 0.5), method=method)
    assert result.status == emmd.Status.SINGULAR_DESIGN
    assert not result.success
    assert result.nit == 0
    np.testing.assert_array_equal(result.x, np.full(6, 0.5))
    assert np.isfinite([result.fun, *result.jac, *result.trace.displacement]).all()


def test_em_step_raises_on_a_singular_design(dependent):
    with pytest.raises(ValueError, match=r"X .*linearly independent.*columns \[") as error:
        dependent.em_step(np.full(6, 0.5))
    assert error.type is SingularDesignError


def test_strongly_correlated_columns_are_still_regular(name):
    X = _dependent("plain")
    X[:, 2] = X[:, 0] + 1e-3 * X[:, 2]
    problem, naive = both(name, X, np.where(np.arange(120) % 3, 1.0, -1.0))
    p = np.random.default_rng(1).uniform(size=120)
    step = problem.m_step(p, np.zeros(6))
    assert step.solved
    assert np.abs(naive.surrogate(step.theta, p)[1]).max() <= 2 * ACCEPTED
    assert emmd.minimize(problem, 0.1 * np.ones(6), max_iter=1).status != emmd.Status.SINGULAR_DESIGN


# --- scale of the columns -------------------------------------------------------------------------------


def test_the_path_does_not_depend_on_the_scale_of_the_columns(name):
    scale = np.array([1e6, 1e-6, 1e3])
    rng = np.random.default_rng(2)
    X = rng.standard_normal((600, 3))
    truth = np.array([1.5, -1.0, 1.0, -1.0, -1.5, 1.0])
    y = model(name, 3).sample_y(truth, X, 4)
    runs = []
    for factor in (np.ones(3), scale):
        problem, _ = both(name, X * factor, y)
        runs.append(emmd.minimize(problem, 0.9 * truth / np.tile(factor, 2), max_iter=20_000))
    plain, scaled = runs
    assert plain.status == scaled.status == emmd.Status.CONVERGED
    assert abs(plain.nit - scaled.nit) <= 1
    steps = min(plain.nit, scaled.nit)
    # an M-step is exact to 1e-13 and later steps contract what is left of it
    np.testing.assert_allclose(scaled.trace.loss[:steps], plain.trace.loss[:steps], rtol=1e-12)
