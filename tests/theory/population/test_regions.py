"""Balls around theta* and basins of attraction, against direct evaluation and known symmetries."""

import numpy as np
import pytest

import emmd
from emmd import theory
from emmd.experiments.figures.population.monotone import counter_example


@pytest.fixture(scope="module")
def problem():
    truth = [1.2, 0.0, 0.4, 0.7]
    return theory.population_problem("symmoline", truth, region=(2.6, 2.0), tol=1e-2)


def test_ball_constants_bound_what_random_points_show(problem):
    radii = [0.2, 0.5]
    balls = theory.ball_constants(problem, radii, samples=12)
    assert balls.at_truth == pytest.approx(
        1 - theory.population("symmoline", 1.2, 0.65**0.5, 0.4 / 0.65**0.5).rate(2), abs=1e-3
    )
    assert balls.at_truth > balls.alpha[0] > balls.alpha[1]
    rng = np.random.default_rng(7)
    for radius, alpha, worst in zip(radii, balls.alpha, balls.theta):
        assert np.linalg.norm(worst - problem.theta_star) == pytest.approx(radius)
        assert 1 - theory.missing_information(problem, worst).rate == pytest.approx(alpha)
        for _ in range(20):
            step = rng.standard_normal(4)
            theta = problem.theta_star + radius * step / np.linalg.norm(step)
            assert 1 - theory.missing_information(problem, theta).rate >= alpha


def test_balls_must_fit_into_the_region(problem):
    with pytest.raises(ValueError, match="radius must keep the balls inside"):
        theory.ball_constants(problem, [5.0])
    with pytest.raises(ValueError, match="radius must be positive"):
        theory.ball_constants(problem, [-1.0, 1.0])


def test_basins_agree_with_em_run_to_the_end_and_have_the_symmetry(problem):
    u, v = [-1.2, 0.0, 0.6], [-0.8, 0.0, 0.8]
    basin = theory.basin_map(problem, u, v)
    assert basin.copy[1, 1] == -1  # the saddle at 0
    turned = np.array([0.0, 1.2, -0.7, 0.4])
    for i, along in enumerate(u):
        for j, across in enumerate(v):
            if basin.copy[i, j] < 0:
                continue
            start = along * problem.theta_star + across * turned
            run = emmd.minimize(problem, start, tol=1e-9)
            assert np.linalg.norm(run.x - basin.copies[basin.copy[i, j]]) < 1e-2
    mirrored = theory.basin_map(problem, [1.2], [0.8])
    assert mirrored.iterations[0, 0] == basin.iterations[0, 0]
    assert {mirrored.copy[0, 0], basin.copy[0, 0]} == {0, 1}


def test_basins_know_when_steps_run_out_and_when_starts_are_outside(problem):
    assert theory.basin_map(problem, [0.1], [0.5], max_iter=1).copy[0, 0] == -2
    with pytest.raises(ValueError, match="inside the problem's region"):
        theory.basin_map(problem, [9.0], [0.0])
    with pytest.raises(ValueError, match="two features or more"):
        theory.basin_map(theory.population_problem("symmoline", [1.0, 0.5], tol=1e-2), [1.0], [0.0])


def test_monotone_in_the_expert_snr_and_not_in_the_gate_snr():
    expert, gate = np.geomspace(0.1, 10, 8), np.geomspace(1.0, 100.0, 8)
    grid = theory.population_grid("symmoline", expert[:, None], gate, 0.0, 3)
    assert counter_example(grid, 0) is None
    i, j = counter_example(grid, 1)
    before, after = (theory.population("symmoline", expert[i], gate[k], 0.0) for k in (j, j + 1))
    assert after.rate(3) < before.rate(3) - before.error - after.error
