"""E3: the M-step is the Bregman projection of the dual step onto the model set."""

import numpy as np

from emmd.core.loop.algorithm import inner_failure
from emmd.core.loop.solve import make_algorithm
from emmd.fits.newton import RESIDUAL_ACCEPTED
from emmd.theory.assumptions import regular_design, step_in_region
from emmd.theory.claim import Claim, Comparison, Kind, Sabotage, componentwise
from emmd.theory.numeric.bounds.rounding import inner_rounding, pulled_back_rounding


def measure(lab, step_size=1.0):
    """Compare EM's next iterate with that of a generic solver, and the gradient left there with 0.

    A closed form of the user's is claimed to be exact: a residual of its own excuses nothing.
    """
    algorithm = make_algorithm("projected_mirror_descent", step_size=step_size)
    for label, theta in (lab.probes[0], lab.probes[1]):
        m_step = lab.em_step(theta)
        if inner_failure(m_step) is not None and not m_step.closed_form:
            continue
        inexact = m_step.residual if m_step.solved else RESIDUAL_ACCEPTED
        left = inner_rounding(lab.problem, inexact, m_step.theta) + 2.0 * (
            lab.gradient_error(theta) + lab.gradient_error(m_step.theta)
        )
        left = left + _cancelled(lab, theta, m_step.theta)
        step = algorithm.step(lab.problem, theta, None)
        if step.failure is None:
            yield from _distance(lab, label, theta, m_step.theta, step.theta, left)
        yield from _gradient(lab, label, theta, m_step.theta, left, step_size)


def _cancelled(lab, theta, reached):
    """Bound the rounding of statistics and their means, pulled back: they cancel, no residual shows it."""
    sizes = np.abs(lab.problem.definition.posterior(theta)) + np.abs(lab.mean_statistics(reached))
    errors = sum(lab.natural_rounding(point)[1] for point in (theta, reached))
    return 2.0 * pulled_back_rounding(lab.problem, reached, sizes, errors)


def _distance(lab, label, theta, reached, projected, left):
    complete, budget = _metric(lab, theta, projected, 2e-9 * lab.scale + left)
    if budget is None:
        return
    where = {"point": label, "theta": theta, "theta+": reached, "projection": projected}
    if lab.model.null_directions(lab.problem.data, reached).shape[1]:
        # two points that differ along an orbit are the same: divergences say so
        found, scale = (_root_divergence(lab, point, reached) for point in (projected, theta))
        budget += (2.0 * lab.loss_error(projected, reached)) ** 0.5
    else:
        found, scale = (_norm(complete, point - reached) for point in (projected, theta))
    yield Comparison(0.0, found, budget, scale, where, part="projection")


def _root_divergence(lab, point, reached):
    return max(2.0 * lab.problem.divergence(point, reached), 0.0) ** 0.5


def _gradient(lab, label, theta, reached, left, step_size):
    """The gradient of Q at the M-step, of the projection of a longer or shorter dual step for sabotage.

    It is far sharper than the generic solver, and is there where that fails.
    """
    dual = lab.problem.definition.posterior(theta) + (1.0 - step_size) * lab.natural_gradient(theta)[1]
    slope = lab.model.projection_gradient(lab.problem.data, dual, reached)
    slope = slope + lab.model.penalty_gradient(reached)
    unit = inner_rounding(lab.problem, 1.0, reached)
    where = {"point": label, "theta": theta, "theta+": reached, "of": "gradient of Q"}
    yield from componentwise(np.zeros(len(theta)), slope, left, unit, "gradient", **where)


def _metric(lab, theta, target, residual):
    """Return hess Q(. | theta) at the M-step and what a gradient error means in that metric."""
    r = lab.responsibilities(theta)
    shifts = 1e-5 / lab.scale
    slopes = [
        lab.model.surrogate_gradient(lab.problem.data, r, target + h * e)
        - lab.model.surrogate_gradient(lab.problem.data, r, target - h * e)
        for h, e in zip(shifts, np.eye(len(theta)))
    ]
    hessian = np.array(slopes) / (2.0 * shifts[:, None])
    hessian = 0.5 * (hessian + hessian.T)
    outer = np.outer(lab.scale, lab.scale)
    try:
        inverse = np.linalg.inv(lab.model.regular(lab.problem.data, target, hessian) / outer)
    except np.linalg.LinAlgError:
        # without a metric distances say nothing, and the gradient decides alone
        return hessian, None
    if not (np.diag(inverse) > 0).all():
        return hessian, None
    # || H^-1 g ||_H <= sum_j |g_j| sqrt((H^-1)_jj), doubled for the differences in H
    return hessian, float(2.0 * (residual / lab.scale) @ np.sqrt(np.diag(inverse)))


def _norm(metric, vector):
    return float(np.sqrt(max(vector @ metric @ vector, 0.0)))


CLAIM = Claim(
    id="E3-bregman-projection",
    statement="The M-step is the Bregman projection of the dual step: argmin E[D_A(eta(x; theta), eta~(x))].",
    latex=r"\theta^+ = \arg\min_\theta E[D_A(\eta(x; \theta), \tilde\eta(x))]",
    source="Fruytier, Mokhtari, Sanghavi 2025; exact form derived",
    kind=Kind.IDENTITY,
    measure=measure,
    compares=("m_step",),
    sabotages=(
        Sabotage("mirror step 1.1", {"step_size": 1.1}),
        Sabotage("mirror step 0.9", {"step_size": 0.9}),
    ),
    assumptions=(regular_design, step_in_region),
)
