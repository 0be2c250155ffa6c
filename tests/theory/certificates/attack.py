"""Attempts to break a certificate with the kernels' floats, which it knows nothing of."""

import numpy as np

from emmd import theory


def level_points(problem, certificate, count, seed):
    """Return points with D_A(optimum, .) just below the certified level, most of them near a mode of M."""
    rng = np.random.default_rng(seed)
    vectors = theory.missing_information(problem, certificate.optimum).vectors
    draws = rng.standard_normal((count, len(vectors)))
    draws[np.arange(count), rng.integers(0, len(vectors), count)] *= rng.choice([1.0, 10.0, 100.0], count)
    return [_on_level(problem, certificate, vectors @ draw) for draw in draws]


def _on_level(problem, certificate, direction):
    low, high = 0.0, 1.0
    optimum, level = certificate.optimum, certificate.basin_level * (1.0 - 1e-9)
    while problem.divergence(optimum, optimum + high * direction) < level:
        high *= 2.0
    for _ in range(40):
        middle = 0.5 * (low + high)
        inside = problem.divergence(optimum, optimum + middle * direction) < level
        low, high = (middle, high) if inside else (low, middle)
    return optimum + low * direction


def worst_contraction(problem, certificate, points):
    """Return the largest D_A(optimum, theta+) / D_A(optimum, theta) and the largest D_A(optimum, theta+)."""
    before = np.array([problem.divergence(certificate.optimum, theta) for theta in points])
    after = np.array([problem.divergence(certificate.optimum, problem.em_step(theta)) for theta in points])
    return float((after / before).max()), float(after.max())


def broken(problem, certificate, count=100, seed=0):
    """Return a sentence about the first statement of a certificate that is false, or ""."""
    rate = theory.missing_information(problem, certificate.optimum).rate
    if not certificate.rate[0] - 1e-9 <= rate <= certificate.rate[1] + 1e-9:
        return f"the rate {rate} lies outside {certificate.rate}"
    points = level_points(problem, certificate, count, seed)
    factor, farthest = worst_contraction(problem, certificate, points)
    if factor > certificate.basin_rate or farthest > certificate.basin_level:
        return f"a step contracts by {factor}, {certificate.basin_rate} certified"
    theta = certificate.start
    for _ in range(certificate.steps):
        theta = problem.em_step(theta)
    reached = problem.divergence(certificate.optimum, theta)
    if reached > certificate.basin_level * (1.0 + 1e-9):
        return f"after {certificate.steps} steps D_A is {reached}, above {certificate.basin_level}"
    return _another_point(problem, certificate, count, seed)


def _another_point(problem, certificate, count, seed):
    """Look for a second stationary point within the radius: the slope towards the first must be positive."""
    rng = np.random.default_rng([seed, 1])
    steps = rng.standard_normal((count, len(certificate.optimum)))
    steps *= (certificate.radius * rng.random((count, 1))) / np.linalg.norm(steps, axis=1, keepdims=True)
    at_optimum = problem.gradient(certificate.optimum)
    for step in steps:
        gradient = problem.gradient(certificate.optimum + step)
        if (gradient - at_optimum) @ step <= 0.0:
            return "the gradient does not grow within the radius of uniqueness"
    return ""
