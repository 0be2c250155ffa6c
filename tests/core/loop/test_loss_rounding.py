"""A rounding error is no increase of the loss, and an increase is no rounding error."""

import numpy as np
import pytest

import emmd
from emmd.core.numerics.rounding import exceeds, loss_rounding
from tests.generators.fitting import KINDS, draw

LARGE = [k for k in range(70) if KINDS[k % len(KINDS)] in ("poisson", "gamma")][:6]


def posed(seed):
    drawn = draw(seed)
    model = emmd.MixtureOfExperts(drawn.Z.shape[1], len(drawn.coef), family=drawn.kind)
    dispersion = drawn.rho if len(drawn.rho) else None
    return emmd.Problem(model, drawn.Z, drawn.y), model.pack(drawn.coef, drawn.gate, dispersion)


@pytest.mark.parametrize("method", ["em", "squarem", "generalized_em"])
@pytest.mark.parametrize("seed", LARGE)
def test_large_terms_do_not_end_a_run(seed, method):
    problem, truth = posed(seed)
    run = emmd.minimize(problem, truth, method=method, tol=1e-300, max_iter=60)
    # seed 19 has an expert whom hardly a row belongs to
    assert run.status == (emmd.Status.EMPTY_EXPERT if seed == 19 else emmd.Status.ITERATION_LIMIT), (
        run.message
    )


@pytest.mark.parametrize("seed", LARGE)
def test_the_bound_covers_rounding_and_little_more(seed):
    problem, truth = posed(seed)
    rng = np.random.default_rng(seed)
    bound = loss_rounding(problem, truth)
    nudged = [problem.loss(truth * (1.0 + 1e-16 * rng.standard_normal(len(truth)))) for _ in range(20)]
    assert np.ptp(nudged) <= 2.0 * bound
    loss = problem.loss(truth)
    assert not exceeds(problem, truth, loss + bound, loss)
    assert exceeds(problem, truth, loss + 3.0 * bound, loss)
    assert exceeds(problem, truth, np.nan, loss)
    # the bound counts worst cases of every term; a million times is something else
    assert bound <= 1e6 * max(np.ptp(nudged), np.spacing(abs(loss)))


def test_an_increase_is_named_with_options_that_the_method_has():
    increased = emmd.Status.LOSS_INCREASED
    algorithms = emmd.core.loop.solve.algorithms()
    for name, kind in algorithms.items():
        told = kind().message(increased)
        assert ("step_size" in told) == hasattr(kind(), "step_size"), name
        assert kind().message(emmd.Status.CONVERGED) == emmd.Status.CONVERGED.message


def test_partitions_and_priors_have_the_same_bound():
    problem, truth = posed(LARGE[0])
    half = problem.n_rows // 2
    parts = [(problem.X[:half], problem.y[:half]), (problem.X[half:], problem.y[half:])]
    elsewhere = emmd.PartitionedProblem(problem.model, parts)
    assert loss_rounding(elsewhere, truth) == pytest.approx(loss_rounding(problem, truth), rel=1e-9)
    prior = emmd.Problem(emmd.ConjugatePrior(problem.model, 0.5, truth), problem.X, problem.y)
    assert loss_rounding(prior, truth) > loss_rounding(problem, truth)
