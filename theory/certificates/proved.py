"""What a certificate proves of claims: predicted numbers with a proof behind them, next to observed ones."""

import numpy as np

from emmd.theory.certificates.certificate import provable
from emmd.theory.claim import Comparison

_DIRECTIONS = 20


def certified_start(lab):
    """A certificate exists: EM from the start is proved to converge."""
    if not provable(lab.model):
        return (
            f"no proof is known for a {type(lab.model).__name__}: certificates are for two symmetric experts"
        )
    found = lab.certificate
    return "" if found.certified else f"no certificate: {found.reason}"


def closed_form(lab):
    """Return whether L = A - B with B = E log cosh(s'theta), which is convex: then D_L <= D_A everywhere."""
    return provable(lab.model) and lab.formula == lab.model.name


def certified_rate(lab):
    """Yield the enclosure of the rate next to the spectral radius of EM's own map."""
    if certified_start(lab):
        return
    lower, upper = lab.certificate.rate
    seen = lab.contraction("em")
    budget = seen.error + 1e-12 + (upper - lower)
    where = {"lower": lower, "upper": upper}
    yield Comparison(0.5 * (lower + upper), seen.value, budget, max(upper, 1e-3), where, part="rate")


def certified_constant(lab):
    """Yield 1 - lambda_max at the optimum, enclosed, next to the one from the kernels' informations."""
    if certified_start(lab):
        return
    lower, upper = lab.certificate.rate
    budget = 1e-9 + (upper - lower)
    sides = 1.0 - 0.5 * (lower + upper), 1.0 - lab.information.rate
    yield Comparison(*sides, budget, max(1.0 - lower, 0.05), {"lower": lower, "upper": upper})


def points_of_basin(lab, share=1.0):
    """Return points on a sphere around theta*: both ends of the modes, and random ones.

    Parameters
    ----------
    lab : Lab
    share : float
        Of the radius of the ball in which the basin's inequality is proved.
    """
    radius, vectors = share * lab.certificate.basin_radius, lab.information.vectors
    draws = lab.rng("basin").standard_normal((_DIRECTIONS, len(vectors)))
    modes = np.concatenate([np.eye(len(vectors)), -np.eye(len(vectors)), draws])
    modes = modes / np.linalg.norm(modes, axis=1, keepdims=True)
    # a margin for the rounding of the frame
    return lab.reference.theta + (1.0 - 1e-9) * radius * modes @ vectors.T


def certified_region(lab):
    """Yield D_L(theta*, theta) / D_A(theta*, theta) on the ball, which is proved to be at least 1 - rho."""
    if certified_start(lab):
        return
    alpha = 1.0 - lab.certificate.basin_rate
    for theta in points_of_basin(lab):
        ratio, error = region_ratio(lab, theta)
        where = {"theta": theta, "radius": lab.certificate.basin_radius}
        yield Comparison(alpha, 1.0 - ratio, error, 1.0, where, part="the certified ball")


def region_ratio(lab, theta):
    """Return D_B(theta*, theta) / D_A(theta*, theta), D_B the posterior's, and its rounding error."""
    target, problem = lab.reference.theta, lab.problem
    divergence = problem.divergence(target, theta)
    rounding = lab.posterior_error(target, theta) + lab.divergence_error(target, theta)
    return problem.posterior_divergence(target, theta) / divergence, rounding / divergence


def certified_contraction(lab):
    """Yield the steps of the path inside the basin: D_A(theta*, .) falls at least by the proved factor."""
    if certified_start(lab):
        return
    found, target = lab.certificate, lab.reference.theta
    # D_A is |z|^2 / 2 to second order: so far out most points are still in the basin
    share = 0.9 * (2.0 * found.basin_level) ** 0.5 / found.basin_radius
    for theta in points_of_basin(lab, share):
        before = lab.problem.divergence(target, theta)
        if before > found.basin_level:
            continue
        after = lab.problem.divergence(target, lab.problem.em_step(theta))
        budget = 1e-11 * before + 3.0 * lab.optimum_error * before**0.5 + lab.optimum_error**2
        where = {"theta": theta, "rho": found.basin_rate}
        yield Comparison(found.basin_rate * before, after, budget, before, where, part="D_A")


def beside_proof(measure):
    """Return a function of the lab that yields what `measure` does, without the proof's own verdict."""
    return lambda lab: (each for each in measure(lab) if each.part != "proof")
