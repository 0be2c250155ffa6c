"""Population problems: ordinary weighted problems, against spectra, slow oracles and finer rules."""

import numpy as np
import pytest
from numpy.polynomial.hermite_e import hermegauss
from scipy.special import expit

import emmd
from emmd import theory
from emmd.theory.population.landscape.problem import population_problem


def parameter(snr_expert, snr_gate, cosine):
    return np.array([snr_expert, 0.0, snr_gate * cosine, snr_gate * np.sqrt(1 - cosine**2)])


CASES = [
    ("symmoline", (0.3, 0.3, 0.0), 1e-7),
    ("symmoline", (0.6, 3.0, 0.8), 1e-7),
    ("symmologe", (0.5, 0.5, 0.0), 1e-8),
    ("symmologe", (10.0, 4.0, 0.8), 1e-8),
    ("symmologe", (20.0, 20.0, -0.9), 1e-8),
]


@pytest.mark.parametrize(("model", "point", "tol"), CASES)
@pytest.mark.parametrize("d", [2, 4])
def test_spectrum_and_fixed_point_at_the_true_parameter(model, point, tol, d):
    problem = population_problem(model, parameter(*point), d=d, tol=tol)
    found = theory.missing_information(problem, problem.theta_star).eigenvalues
    np.testing.assert_allclose(found, theory.population(model, *point).eigenvalues(d), rtol=0, atol=tol)
    np.testing.assert_allclose(problem.em_step(problem.theta_star), problem.theta_star, rtol=0, atol=tol)


@pytest.mark.parametrize("point", [(0.01, 0.3, 0.2), (1.0, 1.0, 0.5), (10.0, 0.5, -0.3), (100.0, 1.0, 0.9)])
def test_default_accuracy_is_1e_8_at_any_snr(point):
    problem = population_problem("symmoline", parameter(*point), radius=0.3)
    found = theory.missing_information(problem, problem.theta_star).eigenvalues
    truth = theory.population("symmoline", *point).eigenvalues(2)
    np.testing.assert_allclose(found, truth, rtol=0, atol=1e-8)
    assert problem.n_rows < 1_000_000


def test_one_feature():
    problem = population_problem("symmoline", [1.5, -0.5])
    found = theory.missing_information(problem, problem.theta_star).eigenvalues
    truth = theory.population("symmoline", 1.5, 0.5, -1.0).eigenvalues(1)
    np.testing.assert_allclose(found, truth, rtol=0, atol=1e-8)


# Away from theta*: the definition, by tensor rules.


def linear_oracle(theta_star, theta, step=0.1):
    """Loss and gradient of SymMoLinE at theta by the trapezoidal rule in all three coordinates."""
    grid = np.arange(-7.0, 7.0 + step, step)
    u, v = np.meshgrid(grid, grid)
    X = np.stack([u.ravel(), v.ravel()], axis=1)
    chance = np.exp(-(X**2).sum(axis=1) / 2) / (2 * np.pi) * step**2
    X, chance = X[chance > 1e-13], chance[chance > 1e-13]
    y, dy = np.arange(-11.0, 11.0, step), step

    def joints(parameter):
        a, b = X @ parameter[:2], X @ parameter[2:]
        normal = [np.exp(-((y - s * a[:, None]) ** 2) / 2) / np.sqrt(2 * np.pi) for s in (1, -1)]
        return expit(b)[:, None] * normal[0], expit(-b)[:, None] * normal[1], a, b

    truth = sum(joints(theta_star)[:2]) * chance[:, None] * dy
    first, second, a, b = joints(theta)
    p = first / (first + second)
    loss = -(truth * np.log(first + second)).sum()
    slope_a = (truth * (a[:, None] - (2 * p - 1) * y)).sum(axis=1)
    slope_b = (truth * (expit(b)[:, None] - p)).sum(axis=1)
    return loss, np.concatenate([slope_a @ X, slope_b @ X])


@pytest.mark.parametrize("theta", [[0.1, 0.8, 0.9, -0.4], [-0.5, 0.2, 0.0, 0.3]])
def test_linear_loss_and_gradient_away_from_the_true_parameter(theta):
    truth = parameter(0.5, 0.7, 0.3)
    problem = population_problem("symmoline", truth, tol=1e-8)
    assert problem.contains(theta)
    loss, gradient = linear_oracle(truth, np.array(theta))
    assert problem.loss(theta) == pytest.approx(loss, rel=0, abs=3e-8)
    np.testing.assert_allclose(problem.gradient(theta), gradient, rtol=0, atol=3e-8)


def high_snr_oracle(snr_expert, w_star, theta):
    """Loss and gradient at theta = (beta, w), beta* = (snr_expert, 0): Cartesian coordinates, both experts.

    x'beta* = sinh(t) resolves what happens within the noise; everything else is far from turning.
    """
    t = np.arange(-np.arcsinh(6.5 * snr_expert), np.arcsinh(6.5 * snr_expert), 0.03)
    o, e = np.arange(-6.0, 6.1, 0.15), np.arange(-6.0, 6.1, 0.15)
    loss, gradient = 0.0, np.zeros(4)
    for row in t:
        x = np.array([np.full(o.size, np.sinh(row) / snr_expert), o])
        chance = np.exp(-(x**2).sum(axis=0) / 2) / (2 * np.pi) * np.cosh(row) / snr_expert * 0.03 * 0.15
        noise = np.exp(-(e**2) / 2) / np.sqrt(2 * np.pi) * 0.15
        a, b, b_star = (v[:, None] for v in (theta[:2] @ x, theta[2:] @ x, w_star @ x))
        for z in (1.0, -1.0):
            y = z * np.sinh(row) + e
            mass = chance[:, None] * noise * expit(z * b_star)
            score = b + 2 * a * y
            joint = np.logaddexp(0, -b) + (y - a) ** 2 / 2  # -log of expert +1, without log sqrt(2 pi)
            loss += (mass * (joint - np.logaddexp(0, -score) + np.log(2 * np.pi) / 2)).sum()
            tau, p = 2 * expit(score) - 1, expit(score)
            slopes = [(mass * (a - tau * y)).sum(axis=1), (mass * (expit(b) - p)).sum(axis=1)]
            gradient += np.concatenate([x @ slope for slope in slopes])
    return loss, gradient


@pytest.mark.parametrize("snr", [30.0, 100.0])
def test_high_snr_away_from_the_true_parameter(snr):
    truth = np.array([snr, 0.0, 0.5, 0.8])
    problem = population_problem("symmoline", truth, tol=1e-7, radius=0.5)
    theta = np.array([snr - 0.3, -0.4, 0.6, 0.4])
    assert problem.contains(theta)
    loss, gradient = high_snr_oracle(snr, truth[2:], theta)
    assert problem.loss(theta) == pytest.approx(loss, rel=0, abs=1e-7)
    np.testing.assert_allclose(problem.gradient(theta), gradient, rtol=0, atol=1e-7)


def logistic_oracle(theta_star, theta, n):
    """Loss and expert gradient of SymMoLogE at theta by Gauss-Hermite in the plane, y summed out."""
    nodes, weights = hermegauss(n)
    u, v = np.meshgrid(nodes, nodes)
    X = np.stack([u.ravel(), v.ravel()], axis=1)
    chance = np.outer(weights, weights).ravel() / (2 * np.pi)

    def likelihood(parameter, y):
        a, b = X @ parameter[:2], X @ parameter[2:]
        return expit(b) * expit(y * a) + expit(-b) * expit(-y * a)

    return -sum((chance * likelihood(theta_star, y)) @ np.log(likelihood(theta, y)) for y in (1, -1))


@pytest.mark.parametrize("theta", [[0.1, 1.8, 1.9, -0.4], [-1.5, 0.2, 0.0, 0.3]])
def test_logistic_loss_away_from_the_true_parameter(theta):
    truth = parameter(1.0, 0.7, 0.3)
    problem = population_problem("symmologe", truth)
    assert problem.contains(theta)
    assert problem.loss(theta) == pytest.approx(logistic_oracle(truth, np.array(theta), 150), abs=1e-8)


@pytest.mark.parametrize("snr", [3.0, 30.0])
def test_stated_error_covers_a_finer_rule_in_a_ball_at_high_snr(snr):
    truth = parameter(snr, 0.8, 0.4)
    coarse = population_problem("symmoline", truth, radius=0.6, tol=1e-4)
    fine = population_problem("symmoline", truth, radius=0.6, tol=1e-7)
    # four times what is measured at the probes
    assert coarse.error <= 4e-4
    rng = np.random.default_rng(0)
    for _ in range(6):
        theta = truth + np.concatenate([0.6 * unit(rng), 0.6 * unit(rng)])
        assert coarse.contains(theta)
        assert coarse.contains(-theta)
        for name in ("loss", "gradient", "hessian"):
            gap = np.abs(np.subtract(getattr(coarse, name)(theta), getattr(fine, name)(theta))).max()
            assert gap <= coarse.error


@pytest.mark.parametrize("truth", [[0.0, 0.0, 0.5, 0.3], [1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
def test_a_vanishing_signal_has_a_problem_too(truth):
    problem = population_problem("symmoline", truth, tol=1e-3)
    # as for every problem: Hessians err by a few tol where w is opposed, and four times that is stated
    assert problem.error <= 20 * problem.tol
    np.testing.assert_allclose(problem.gradient(np.array(truth)), 0.0, rtol=0, atol=problem.error)


def test_a_ball_leaves_small_experts_out():
    problem = population_problem("symmoline", parameter(3.0, 0.8, 0.4), radius=0.6, tol=1e-2)
    assert problem.contains(0.81 * problem.theta_star)
    assert problem.contains(-0.81 * problem.theta_star)
    assert not problem.contains(0.79 * problem.theta_star)


@pytest.mark.parametrize(("snr", "gate"), [(2.0, 1.0), (1.0, 10.0)])
def test_stated_error_covers_parameters_with_opposed_gate(snr, gate):
    # there the posterior turns at targets far from zero: the rule in the radius has to resolve it
    truth = parameter(snr, gate, 0.5)
    coarse, fine = (population_problem("symmoline", truth, tol=tol) for tol in (1e-4, 1e-6))
    assert coarse.error <= 20 * coarse.tol
    for radius in (2.0, 3.0, 4.5):
        opposed = np.array([1.0, 0.3]) * coarse.region[1] / (2 * snr * radius)
        opposed *= min(1.0, coarse.region[0] / np.linalg.norm(opposed))
        theta = np.concatenate([opposed, -coarse.region[1] * opposed / np.linalg.norm(opposed)])
        assert coarse.contains(theta)
        for name in ("loss", "gradient", "hessian"):
            gap = np.abs(np.subtract(getattr(coarse, name)(theta), getattr(fine, name)(theta))).max()
            assert gap <= coarse.error


def test_stated_error_covers_gates_opposed_at_random():
    # a problem whose worst parameters lie between the systematic probes
    truth = np.array([1.93, 0.0, -0.9, 2.86])
    coarse, fine = (population_problem("symmoline", truth, tol=tol) for tol in (1e-4, 1e-6))
    rng, gaps = np.random.default_rng(4), []
    for _ in range(40):
        direction = unit(rng)
        theta = np.concatenate(
            [rng.uniform(0.2, 2.1) * direction, -coarse.region[1] * rng.uniform() * direction]
        )
        assert coarse.contains(theta)
        gaps.append(np.abs(coarse.hessian(theta) - fine.hessian(theta)).max())
    # the systematic probes alone stated 3e-5
    assert 3e-5 < max(gaps) <= coarse.error


@pytest.mark.parametrize(("model", "tol"), [("symmoline", 1e-4), ("symmologe", 1e-5)])
def test_stated_error_covers_what_a_much_finer_rule_finds(model, tol):
    truth = parameter(0.8, 0.6, 0.4)
    coarse = population_problem(model, truth, region=(1.5, 1.5), tol=tol)
    fine = population_problem(model, truth, region=(1.5, 1.5), tol=1e-4 * tol)
    assert coarse.error <= 20 * tol
    rng = np.random.default_rng(0)
    for _ in range(10):
        theta = np.concatenate([rng.uniform(0.5, 1.5) * unit(rng), rng.uniform(0.5, 1.5) * unit(rng)])
        assert coarse.contains(theta)
        for name in ("loss", "gradient", "hessian"):
            gap = np.abs(np.subtract(getattr(coarse, name)(theta), getattr(fine, name)(theta))).max()
            assert gap <= coarse.error


def unit(rng):
    vector = rng.standard_normal(2)
    return vector / np.linalg.norm(vector)


def test_orthogonal_block_is_the_population_average_in_the_plane():
    truth, theta = parameter(3.0, 1.0, 0.5), [1.0, 2.0, -1.0, 0.5]
    plane = population_problem("symmologe", truth)
    space = population_problem("symmologe", truth, d=4)
    lifted = np.array([1.0, 2.0, 0.0, 0.0, -1.0, 0.5, 0.0, 0.0])
    inside = [0, 1, 4, 5]
    np.testing.assert_allclose(space.em_step(lifted)[inside], plane.em_step(theta), rtol=0, atol=1e-13)
    np.testing.assert_allclose(space.em_step(lifted)[[2, 3, 6, 7]], 0.0, rtol=0, atol=1e-13)
    hessian = space.hessian(lifted)
    np.testing.assert_allclose(hessian[np.ix_(inside, inside)], plane.hessian(theta), rtol=0, atol=1e-13)
    assert hessian[2, 2] == pytest.approx(hessian[3, 3], rel=0, abs=1e-13)
    assert hessian[2, 3] == pytest.approx(0.0, abs=1e-13)
    # E[h] over the plane, from rows: the weights of a problem with one more, constant, feature
    X = np.column_stack([plane.X, np.ones(plane.n_rows)])
    constant = emmd.Problem(emmd.SymMoLogE(3), X, plane.data.y, plane.weights)
    expected = constant.hessian([1.0, 2.0, 0.0, -1.0, 0.5, 0.0])
    assert hessian[2, 2] == pytest.approx(expected[2, 2], rel=0, abs=1e-13)
    assert hessian[2, 6] == pytest.approx(expected[2, 5], rel=0, abs=1e-13)


def test_law_of_the_features_is_exact():
    problem = population_problem("symmoline", parameter(0.7, 0.7, 0.2), d=3, tol=1e-7)
    np.testing.assert_allclose(problem.weights @ problem.X, 0.0, atol=1e-12)
    np.testing.assert_allclose(problem.data.design.second_moment, np.eye(3), rtol=0, atol=1e-7)
    assert problem.weights @ problem.data.y**2 == pytest.approx(1 + 0.7**2, rel=0, abs=1e-6)
    assert (problem.weights > 0).all()


def test_covariance_and_sigma_by_whitening():
    covariance = np.array([[2.0, 0.5, 0.1], [0.5, 1.0, 0.2], [0.1, 0.2, 0.7]])
    beta, w, sigma = np.array([0.3, -0.2, 0.2]), np.array([0.2, 0.6, -0.5]), 0.8
    problem = population_problem(
        "symmoline", np.concatenate([beta, w]), covariance=covariance, sigma=sigma, tol=1e-6
    )
    root = np.linalg.cholesky(covariance)
    expert, gate = root.T @ beta / sigma, root.T @ w
    sizes = np.linalg.norm(expert), np.linalg.norm(gate)
    truth = theory.population("symmoline", *sizes, expert @ gate / np.prod(sizes)).eigenvalues(3)
    found = theory.missing_information(problem, problem.theta_star).eigenvalues
    np.testing.assert_allclose(found, truth, rtol=0, atol=1e-6)
    np.testing.assert_allclose(problem.em_step(problem.theta_star), problem.theta_star, atol=1e-6)


@pytest.mark.parametrize("model", ["symmoline", "symmologe"])
def test_em_converges_to_the_true_parameter_at_the_predicted_rate(model):
    truth = parameter(1.0, 0.8, 0.4) if model == "symmoline" else parameter(8.0, 4.0, 0.3)
    problem = population_problem(model, truth, tol=1e-5)
    run = emmd.minimize(problem, 0.6 * truth + 0.2, tol=1e-11, record=True)
    assert run.success
    assert problem.distance(run.x, truth) <= 1e-4
    seen = theory.contraction(problem, run.x, "em")
    spectrum = (1.0, 0.8, 0.4) if model == "symmoline" else (8.0, 4.0, 0.3)
    assert seen.value == pytest.approx(theory.population(model, *spectrum).rate(2), abs=1e-4)


def test_claims_of_the_sample_world_run_unchanged():
    problem = population_problem("symmologe", parameter(3.0, 2.0, 0.2), d=3, tol=1e-3)
    records = theory.verify(problem, [2.0, 1.0, 0.0, 0.1, 1.0, 0.0], ["C1", "C4", "E4", "L1", "R2"])
    assert {record.verdict for record in records} == {theory.Verdict.HOLDS}


def test_region_is_known():
    problem = population_problem("symmoline", parameter(0.5, 0.5, 0.0), region=(0.8, 1.0), d=3, tol=1e-3)
    assert problem.region == (0.8, 1.0)
    assert problem.contains(problem.theta_star)
    assert not problem.contains([0.81, 0, 0, 0, 0, 0])
    assert not problem.contains([0, 0, 0, 1.01, 0, 0])
    assert not problem.contains([0.1, 0, 1e-3, 0, 0, 0])


def test_region_is_a_cone_that_covers_its_starts():
    truth = parameter(6.0, 0.5, 0.0)
    start = np.array([4.0, 3.0, 0.0, 0.0])
    narrow, wide = (population_problem("symmoline", truth, starts=s, tol=1e-2) for s in (None, start))
    assert narrow.angle == pytest.approx(np.arcsin(2 / 6))
    assert wide.angle == pytest.approx(np.arctan2(3, 4))
    assert wide.contains(start)
    assert wide.contains(-start)
    assert not narrow.contains(start)
    assert narrow.contains(narrow.theta_star)
    assert wide.region == narrow.region


def test_starts_choose_the_plane_of_parallel_parameters():
    truth, start = np.array([2.0, 0, 0, 1.0, 0, 0]), np.array([1.0, 0, 0.5, 0, 0, 0])
    problem = population_problem("symmoline", truth, starts=start, tol=1e-3)
    assert problem.contains(start)
    assert not problem.contains([1.0, 0.5, 0, 0, 0, 0])


BAD = [
    ({"theta_star": [1, 0, 0]}, "theta_star must hold beta\\* and w\\*"),
    ({"theta_star": [np.nan, 0]}, "theta_star must be finite"),
    ({"region": 0.5}, "region must contain theta\\*"),
    ({"region": -1.0}, "region must be positive"),
    ({"region": (1, 2, 3)}, "region must have an angle of at most pi/2, got 3"),
    ({"region": (1, 2, 1, 1)}, "region must be one bound or two, or two and an angle, got 4 numbers"),
    ({"radius": (1, 2, 3)}, "radius must be one bound or two, got 3 numbers"),
    ({"radius": 0.0}, "radius must be positive"),
    ({"radius": 1.0, "region": 2.0}, "region, radius and starts exclude each other, got region and radius"),
    ({"starts": [1.0, 2.0, 3.0]}, "starts must have shape"),
    ({"starts": [1.0, 0, 0, 0, 0, np.nan], "d": 3}, "starts must be finite"),
    ({"starts": [1.0, 0, 0.1, 0, 0, 0], "d": 3}, "starts must lie in one plane"),
    ({"region": 60.0}, "region leaves the domain"),
    ({"d": 1}, "d must be at least 2"),
    ({"tol": 1e-20}, "tol must be between"),
    ({"covariance": [[1, 2], [2, 1]]}, "covariance must be positive definite"),
    ({"covariance": [[1, 2], [0, 1]]}, "covariance must be symmetric"),
    ({"model": "moe"}, "model must be one of symmoline, symmologe|model must be one of symmologe, symmoline"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_bad_input(change, message):
    arguments = {"model": "symmoline", "theta_star": [1.0, 0.0, 0.0, 1.0]} | change
    with pytest.raises(ValueError, match=message):
        population_problem(**arguments)


def test_wrong_model_type():
    with pytest.raises(TypeError, match="model must be a symmetric model"):
        population_problem(3, [1.0, 1.0])
