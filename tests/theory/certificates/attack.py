"""Attempts to break a certificate with floats, those of the kernels among them, which it knows nothing of.

``python -m tests.theory.certificates.attack PROBLEMS POINTS`` searches the balls of many random problems.
"""

import sys

import numpy as np

import emmd
from emmd import theory
from emmd.data.snr import snr_parameters

KINDS = {"symmoline": emmd.SymMoLinE, "symmologe": emmd.SymMoLogE}
_ROUNDS = 6
_CHUNK = 500


def sampled(kind, snr_expert=2.5, snr_gate=2.0, cosine=0.2, n=400, d=3, seed=0, weights=None, sigma=1.0):
    """Return a problem drawn from the model, and half of the truth as a start."""
    model = KINDS[kind](d, **({"sigma": sigma} if kind == "symmoline" else {}))
    truth = snr_parameters(d, snr_expert, snr_gate, cosine, sigma)
    X, y, _ = model.sample(truth, n, seed)
    return emmd.Problem(model, X, y, weights), truth / 2


def worst_ratio(problem, certificate, count, seed=0, stretch=1.0):
    """Return the largest D_B / D_A(optimum, .) found on the certified ball, stretched: it is at most rho.

    A fifth of the points are drawn at random, half of these near modes of M; the others around the worst.
    """
    rng, radius = np.random.default_rng([seed, 2]), stretch * certificate.basin_radius * (1.0 - 1e-9)
    vectors = theory.missing_information(problem, certificate.optimum).vectors
    size, share = len(vectors), count // (_ROUNDS - 1)
    z = rng.standard_normal((share, size))
    z[np.arange(share), rng.integers(0, size, share)] *= rng.choice([1.0, 1.0, 10.0, 100.0], share)
    z *= radius * rng.random((share, 1)) ** (1.0 / size) / np.linalg.norm(z, axis=1, keepdims=True)
    z[: share // 2] *= radius / np.linalg.norm(z[: share // 2], axis=1, keepdims=True)
    worst = -np.inf
    for k in range(_ROUNDS - 1):
        ratios = _ratios(problem, certificate.optimum, z @ vectors.T)
        worst, best = max(worst, float(ratios.max())), z[np.argsort(ratios)[-10:]]
        z = best[rng.integers(0, len(best), share)] + rng.standard_normal((share, size)) * radius * 3.0**-k
        z *= np.minimum(1.0, radius / np.linalg.norm(z, axis=1, keepdims=True))
    return worst


def _ratios(problem, optimum, steps):
    """Return D_B / D_A(optimum, optimum + step) of many steps, from the formulas alone."""
    X, y, c, d = problem.X, problem.y, problem.weights, problem.model.n_features
    linear, sigma, found = problem.model.name == "symmoline", float(problem.model.sigma), []
    for start in range(0, len(steps), _CHUNK):
        moves = steps[start : start + _CHUNK]
        a, b = X @ optimum[:d], X @ optimum[d:]
        da, db = moves[:, :d] @ X.T, moves[:, d:] @ X.T
        seen = y / sigma**2 if linear else y / 2
        below = _divergence(b / 2, db / 2)
        below = below + ((da / sigma) ** 2 / 2 if linear else _divergence(a / 2, da / 2))
        found.append(_divergence(b / 2 + seen * a, db / 2 + seen * da) @ c / (below @ c))
    return np.concatenate(found)


def _divergence(u, t):
    """Return D_G(u, u + t), G = log cosh, by its series where t is small."""
    v, f = u + t, np.cosh(np.clip(u, -300, 300)) ** -2.0
    exact = np.logaddexp(u, -u) - np.logaddexp(v, -v) + t * np.tanh(v)
    bend = -2.0 * f * np.tanh(u)
    series = t**2 * (f / 2 + bend * t / 3 + f * (4.0 - 6.0 * f) * t**2 / 8)
    return np.where(np.abs(t) < 3e-3, series, exact)


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
    for t in range(1, 4):
        theta, bound = problem.em_step(theta), certificate.basin_level * certificate.basin_rate**t
        gap = problem.loss(theta) - problem.loss(certificate.optimum)
        if max(problem.divergence(certificate.optimum, theta), gap - 1e-13) > bound * (1.0 + 1e-9):
            return f"{t} steps after the entry D_A or the loss is above {bound}"
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


def main(problems, points):
    """Search the balls of random problems, and print what was found."""
    for seed in range(problems):
        rng = np.random.default_rng(seed)
        kind = list(KINDS)[seed % 2]
        snrs, cosine = rng.uniform(1.0, 4.0, 2), rng.uniform(-1.0, 1.0)
        problem, start = sampled(kind, *snrs, cosine, n=int(rng.integers(100, 1000)), d=4, seed=seed)
        found = theory.certify(problem, start)
        if not found.certified:
            print(seed, kind, found.reason, flush=True)
            continue
        ratio = worst_ratio(problem, found, points, seed)
        farther = worst_ratio(problem, found, points // 10, seed, 4.0)
        says = "BROKEN" if ratio > found.basin_rate else broken(problem, found, 100, seed) or "stands"
        print(seed, kind, says, f"{ratio:.6f} <= {found.basin_rate:.6f}; 4 r: {farther:.6f}", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
