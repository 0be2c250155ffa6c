"""R2: the local constant of relative strong convexity is 1 - lambda_max(M)."""

import numpy as np

from emmd.fits.pencil import pencil
from emmd.theory.assumptions import linear_model_set, regular_design, strict_minimum
from emmd.theory.certificates.proved import certified_constant
from emmd.theory.claim import Claim, Comparison, Kind, Sabotage
from emmd.theory.numeric.derivatives.jacobian import directional_derivatives
from emmd.theory.numeric.rates.contraction import natural_basis
from emmd.theory.numeric.rates.information import missing_information
from emmd.theory.numeric.rates.settle import settle

_LENGTH = 0.05
_DISPLACEMENT = 1e-4


def measure(lab, missing_over="complete", times=1.0):
    """Predict from the missing information; observe the smallest D_L / D_A from losses alone."""
    for name, theta in _points(lab):
        information = missing_information(lab.problem, theta)
        yield _compare(lab, name, theta, times * _predicted(information, missing_over))


def _points(lab):
    target = lab.reference.theta
    step = lab.random_points("strong convexity", 1, 0.3)[0]
    return (
        ("optimum", target),
        ("halfway", target + 0.1 * (lab.theta0 - target)),
        ("random", lab.inside(target, step)),
    )


def _predicted(information, missing_over):
    if missing_over == "complete":
        return 1.0 - information.rate
    values = 1.0 - information.eigenvalues
    return 1.0 - float((information.eigenvalues / values).max())


def _compare(lab, name, theta, predicted):
    direction, missed = lab.once(("softest", name), lambda: _softest(lab.problem, theta))
    found = lab.once(
        ("softest ratio", name),
        lambda: settle(
            lambda h: _ratio(lab, theta, h * direction)[0],
            _LENGTH,
            lambda h: _ratio(lab, theta, h * direction)[1],
        ),
    )
    return Comparison(
        predicted=predicted,
        observed=float(found.value[0]),
        budget=float(found.error[0]) + missed,
        scale=max(abs(predicted), 0.05),
        where={"point": name, "theta": theta, "direction": direction},
        part=name,
    )


def _softest(problem, theta):
    """Return the direction of the least D_L / D_A near theta, by gradient differences, and what it misses.

    With errors e of hess L and f of hess A in the metric of hess A, the ratio along the direction found is
    above the least one by at most 2 (e + |ratio| f) / (1 - f).
    """
    basis, _ = natural_basis(problem, theta)
    (loss, e), (mirror, f) = (
        _differences(gradient, theta, basis) for gradient in (problem.gradient, problem.mirror_gradient)
    )
    if not f < 1.0:
        return basis[:, 0], np.inf
    values, vectors = pencil(loss, mirror)
    return basis @ vectors[:, 0], 2.0 * (e + abs(float(values[0])) * f) / (1.0 - f)


def _differences(gradient, theta, basis):
    """Return a Hessian in a basis by differences, and a bound of its error: what twice the step changes."""
    fine, coarse = (
        _symmetric(basis.T @ directional_derivatives(gradient, theta, basis, factor * _DISPLACEMENT))
        for factor in (1.0, 2.0)
    )
    return fine, float(np.linalg.norm(coarse - fine, 2))


def _symmetric(matrix):
    return 0.5 * (matrix + matrix.T)


def _ratio(lab, theta, shift):
    """Return the mean of D_L / D_A over both signs of a shift, and its rounding error."""
    problem = lab.problem
    gaps = divergences = error = 0.0
    for u in (theta + shift, theta - shift):
        gaps += problem.loss(u) - problem.loss(theta)
        divergences += problem.divergence(u, theta)
        error += lab.loss_error(u, theta)
    # the linear terms of the two signs cancel
    return gaps / divergences, error / divergences


CLAIM = Claim(
    id="R2-relative-strong-convexity",
    statement="The largest alpha with D_L >= alpha D_A near a point is 1 - lambda_max(M).",
    latex=r"D_L \ge \alpha D_A \iff \lambda_{\max}(M) \le 1 - \alpha",
    source="Fruytier, Mokhtari, Sanghavi 2025; Louis 1982",
    kind=Kind.IDENTITY,
    measure=measure,
    sabotages=(
        Sabotage("M = I_obs^-1 I_mis", {"missing_over": "observed"}),
        Sabotage("a tenth more", {"times": 1.1}, truth=1.0),
    ),
    assumptions=(regular_design, linear_model_set, strict_minimum),
    certified=certified_constant,
    resolution=0.05,
)
