"""Points outside the declared domain are never tried; what is not finite inside is told, function and row."""

import numpy as np
import pytest

import emmd
from emmd import theory
from tests.models.latent.censored import ROWS, SHARE

METHODS = {
    "em": {},
    "mirror_descent": {"step_size": 0.8},
    "gradient_descent": {"step_size": "backtracking"},
    "gradient_em": {"step_size": 0.02, "inner_steps": 3},
    "generalized_em": {},
    "squarem": {},
    "anderson": {},
    "over_relaxation": {"relaxation": 2.0},
    "projected_mirror_descent": {},
}


def by_rate(least, **options):
    """Censored times with theta the rate itself, which is positive; `least` keeps the smallest one tried."""

    def natural_parameters(theta, x):
        least[0] = min(least[0], theta[0].real)
        return -theta

    def log_numerator(eta, y):
        return eta[0] * y[0] - (1.0 - y[1]) * np.log(-eta[0])

    options = {
        "in_domain": lambda theta: theta[0] > 0.0,
        "random_point": lambda rng: rng.exponential(1.0, 1),
        **options,
    }
    return emmd.LatentModel(1, natural_parameters, lambda eta: -np.log(-eta[0]), log_numerator, **options)


@pytest.mark.parametrize("method", METHODS)
def test_no_method_leaves_the_domain(method):
    least = [np.inf]
    problem = emmd.Problem(by_rate(least), None, ROWS)
    run = emmd.minimize(problem, [0.02], method, **METHODS[method])
    assert least[0] > 0.0
    assert run.x[0] > 0.0
    assert run.success
    assert run.x[0] == pytest.approx(ROWS[:, 1].sum() / ROWS[:, 0].sum(), rel=1e-7)


def test_a_step_out_of_the_domain_ends_the_run_inside():
    least = [np.inf]
    run = emmd.minimize(emmd.Problem(by_rate(least), None, ROWS), [2.0], "gradient_descent", step_size=10.0)
    assert run.status == emmd.Status.LOSS_INCREASED
    assert "domain" in run.message
    assert least[0] > 0.0
    assert run.x[0] > 0.0


def test_no_claim_leaves_the_domain():
    least = [np.inf]
    problem = emmd.Problem(by_rate(least), None, ROWS)
    assert problem.linear_model_set
    records = theory.verify(problem, [0.05])
    assert least[0] > 0.0
    verdicts = {record.claim: record.verdict for record in records}
    assert not {"violated", "not discriminating"} & set(verdicts.values()), verdicts
    for claim in (
        "E1-fisher-identity",
        "E4-em-is-mirror-descent",
        "C1-exact-decrease",
        "R1-exact-identity",
        "L1-em-rate",
    ):
        assert verdicts[claim] == "holds"
    optimum = emmd.minimize(problem, [0.05]).x
    assert theory.predicted_rate(problem, optimum) == pytest.approx(SHARE, rel=1e-9)


@pytest.mark.parametrize("call", ["loss", "gradient", "em_step", "informations", "responsibilities"])
def test_a_parameter_outside_is_refused(call):
    problem = emmd.Problem(by_rate([np.inf]), None, ROWS)
    with pytest.raises(ValueError, match="theta must lie in the domain of model latent"):
        getattr(problem, call)([-0.1])
    with pytest.raises(ValueError, match="theta0 must lie in the domain"):
        emmd.minimize(problem, [-0.1])
    with pytest.raises(ValueError, match="theta0 must lie in the domain"):
        theory.verify(problem, [-0.1])


def test_a_domain_that_random_points_miss_wants_random_point():
    with pytest.raises(ValueError, match="random_point must be given beside in_domain"):
        emmd.Problem(
            by_rate([np.inf], in_domain=lambda theta: theta[0] > 50.0, random_point=None), None, ROWS
        )


def holed(**options):
    """Unit Gaussians, not finite for the third row where the mean is above 1."""
    return emmd.LatentModel(
        1,
        lambda theta, x: 1.0 * theta,
        lambda eta: 0.5 * eta[0] ** 2,
        lambda eta, y: eta[0] * y if y != 3.0 or eta[0].real < 1.0 else np.nan,
        random_point=lambda rng: np.zeros(1),
        **options,
    )


def test_what_is_not_finite_is_named_with_its_row():
    problem = emmd.Problem(holed(), None, np.array([0.5, 1.0, 3.0, 0.0]))
    says = "log_numerator must be finite in the domain, got nan in row 2"
    with pytest.raises(ValueError, match=says):
        problem.loss([1.5])
    with pytest.raises(ValueError, match=says):
        theory.verify(problem, [1.5], ["E1"])
    with pytest.raises(ValueError, match=says):
        emmd.minimize(problem, [1.5])
    # inside the optimum lies beyond: no verdict, and the reason
    [record] = theory.verify(problem, [0.0], ["L1"])
    assert record.verdict in ("inconclusive", "not applicable")
    with pytest.raises(ValueError, match="got nan in row 0"):
        emmd.Problem(holed(), None, np.array([3.0, 1.0])).loss([1.5])
