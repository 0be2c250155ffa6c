"""Online EM: whole data with step 1 are EM, steps follow the recursion written out, and means are precise."""

import numpy as np
import pytest
from scipy.special import expit, logit

import emmd

LEVELS = np.array([-1.0, 1.0])
RNG = np.random.default_rng(0)
TRUTH = 0.7
MIXED = np.where(RNG.random(4000) < TRUTH, 1.0, -1.0) + RNG.standard_normal(4000)


def mixing(**options):
    """The weight of two known unit normals at +1 and -1; theta is its log odds."""
    return emmd.LatentModel(
        1,
        lambda theta, x: 1.0 * theta,
        lambda eta: np.log1p(np.exp(eta[0])),
        lambda eta, y: np.log(np.exp(eta[0] - 0.5 * (y - 1.0) ** 2) + np.exp(-0.5 * (y + 1.0) ** 2)),
        **options,
    )


@pytest.fixture(scope="module")
def model():
    return mixing()


def test_whole_data_with_step_1_is_em(model):
    problem = emmd.Problem(model, None, MIXED[:200])
    run = emmd.online_em(model, [MIXED[:200]] * 3, [0.1], step_size=1.0)
    path = [np.array([0.1])]
    for _ in range(3):
        path.append(problem.em_step(path[-1]))
    np.testing.assert_allclose(run.trace.theta, path, rtol=1e-10)
    assert run.trace.loss[1] == pytest.approx(problem.loss(path[1]), rel=1e-12)


def test_with_covariates_too():
    model = emmd.SymMoLinE(2)
    X, y, _ = model.sample([1.0, 0.5, 0.3, -0.2], 200, 0)
    run = emmd.online_em(model, [(X, y)], [0.5, 0.5, 0.1, 0.1], step_size=1.0)
    np.testing.assert_allclose(run.x, emmd.Problem(model, X, y).em_step([0.5, 0.5, 0.1, 0.1]), rtol=1e-9)


def _stream(rows):
    """Return a symmetric model's truth and its rows, one batch each."""
    model, truth = emmd.SymMoLinE(2), np.array([1.0, 0.5, 0.3, -0.2])
    X, y, _ = model.sample(truth, rows, 0)
    return model, truth, [(X[i : i + 1], y[i : i + 1]) for i in range(rows)]


def test_rows_with_covariates_may_come_one_by_one():
    model, truth, rows = _stream(4000)
    run = emmd.online_em(model, rows, [0.8, 0.8, 0.1, 0.1], average=True)
    # ten rows for each of four parameters make one batch; step sizes count those
    X, y = (np.concatenate(part[:40]) for part in zip(*rows))
    first = emmd.online_em(model, [(X, y)], [0.8, 0.8, 0.1, 0.1])
    assert run.trace.held == 4000 - 100
    assert (run.trace.theta[39] == run.trace.theta[0]).all()
    np.testing.assert_allclose(run.trace.theta[40], first.x, rtol=1e-12)
    assert run.trace.step_size[-1] == 100**-0.6
    # five standard errors of a parameter that 4000 rows leave
    assert np.abs(run.x - truth).max() < 0.25


def test_a_column_of_ones_is_no_covariate():
    model = emmd.MixtureOfExperts(1, 2, family="gaussian")
    start = model.pack(coef=[[[0.8]], [[-0.8]]], dispersion=[0.5, 0.5], gate=[[0.0]])
    ones = [(np.ones((1, 1)), MIXED[i : i + 1]) for i in range(12)]
    run = emmd.online_em(model, ones, start)
    pair = (np.ones((2, 1)), MIXED[:2])
    paired = emmd.online_em(model, [pair, *ones[2:]], start)
    np.testing.assert_array_equal(run.trace.theta[2:], paired.trace.theta[1:])
    assert run.trace.held == 1


def test_rows_that_never_determine_an_m_step_are_refused_in_the_end():
    model, _, rows = _stream(200)
    twice = [(X[:, [0, 0]], y) for X, y in rows]
    says = "batches must hold rows that determine an M-step .* got 200 rows: X must have linearly independent"
    with pytest.raises(ValueError, match=says):
        emmd.online_em(model, twice, [0.8, 0.8, 0.1, 0.1])
    with pytest.raises(ValueError, match=r"40 where they are small, got 30 rows$"):
        emmd.online_em(model, rows[:30], [0.8, 0.8, 0.1, 0.1])


@pytest.mark.parametrize(
    ("step_size", "gamma"),
    [
        (0.3, lambda k: 0.3),
        ("1/k", lambda k: 1 / k),
        ("k^-0.6", lambda k: k**-0.6),
        (lambda k: 1 / (k + 1),) * 2,
    ],
)
def test_the_recursion_is_that_written_out(model, step_size, gamma):
    batches = np.split(MIXED[:120], 12)
    run = emmd.online_em(model, batches, [0.2], step_size=step_size)
    s = expit(0.2)
    for k, batch in enumerate(batches, 1):
        s = (1.0 - gamma(k)) * s + gamma(k) * expit(logit(s) + 2.0 * batch).mean()
        assert run.trace.theta[k, 0] == pytest.approx(logit(s), rel=1e-9)
        assert run.trace.step_size[k - 1] == gamma(k)
    assert run.nit == 12
    assert run.trace.held == 0


def test_averaged_iterates_are_as_precise_as_maximum_likelihood(model):
    run = emmd.online_em(model, np.split(MIXED, 200), [0.0], average=True)
    np.testing.assert_array_equal(run.x, run.trace.theta[1:].mean(axis=0))
    problem = emmd.Problem(model, None, MIXED)
    best = emmd.minimize(problem, [0.5]).x
    deviation = 1.0 / np.sqrt(len(MIXED) * problem.hessian(best)[0, 0])
    assert abs(run.x - best)[0] < 1.0 * deviation


def test_a_batch_without_an_m_step_is_held():
    # of a row so far off it is certain where it comes from: with step 1 no log odds of the domain say that
    model = mixing(in_domain=lambda theta: theta[0] < 5.0)
    run = emmd.online_em(model, [[9.0], MIXED[:50]], [0.2], step_size=1.0)
    assert run.trace.held == 1
    assert run.trace.theta[1] == 0.2
    assert run.trace.theta[2] == pytest.approx(logit(expit(0.2 + 2.0 * MIXED[:50]).mean()), rel=1e-9)


@pytest.mark.parametrize(
    ("arguments", "options", "kind", "says"),
    [
        (([], [0.0]), {}, ValueError, "batches must hold at least one batch"),
        ((3, [0.0]), {}, TypeError, "batches must be iterable, got 3"),
        (([MIXED[:5]], [0.0, 1.0]), {}, ValueError, r"theta0 must have shape \(1,\)"),
        (
            ([MIXED[:5]], [0.0]),
            {"step_size": 1.5},
            ValueError,
            r"step_size must lie in \(0, 1\], got 1.5 at batch 1",
        ),
        (([MIXED[:5]], [0.0]), {"step_size": "k^2"}, ValueError, "step_size must be a number, '1/k', 'k"),
        (([MIXED[:5]], [0.0]), {"average": 1}, TypeError, "average must be"),
        (([MIXED[:5], [np.nan]], [0.0]), {}, ValueError, "y must be finite"),
        (([MIXED[:5], [800.0]], [0.0]), {}, ValueError, "batches must have finite .* log_numerator .* row 0"),
    ],
)
def test_bad_arguments_are_named(model, arguments, options, kind, says):
    with pytest.raises(kind, match=says):
        emmd.online_em(model, *arguments, **options)


def test_a_start_outside_the_domain_is_refused():
    with pytest.raises(ValueError, match="theta0 must lie in the domain of model latent"):
        emmd.online_em(mixing(in_domain=lambda theta: theta[0] < 5.0), [MIXED[:5]], [6.0])


@pytest.mark.parametrize("batch", [[[[1.0]], [0.5]], "ab", None, (1, 2, 3)])
def test_a_batch_that_is_no_pair_is_named_where_the_model_has_covariates(batch):
    with pytest.raises(TypeError, match=r"batches must hold pairs \(X, y\) for model symmoline, got"):
        emmd.online_em(emmd.SymMoLinE(1), [batch], [0.5, 0.0])
