"""Search for single EM steps that gain less than the divergence in the reversed orientation.

D_A(theta_1, theta_0) <= L_0 - L_1 is false in general, but not near an optimum.
A counter-example needs one row on the gate's boundary, all others far from it,
and evidence that makes that row certain: its gate probability goes from 1/2 to
almost 1, its posterior hardly moves, and KL(1/2 || q) exceeds KL(q || 1/2).
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize as scipy_minimize

from emmd.models.symmetric.model import SymmetricModel
from emmd.theory.numeric.bounds.rounding import inner_rounding, loss_rounding


@dataclass(frozen=True)
class EMStepGain:
    """One exact EM step and what it gained.

    Attributes
    ----------
    before, after : ndarray of shape (p,)
    gain : float
        L_0 - L_1.
    forward, backward : float
        D_A(theta_0, theta_1) and D_A(theta_1, theta_0).
    budget : float
        Bound of the rounding and residual error of the comparison.
    """

    before: np.ndarray
    after: np.ndarray
    gain: float
    forward: float
    backward: float
    budget: float

    @property
    def excess(self):
        """By how much the reversed divergence exceeds the gain, in units of the budget."""
        return (self.backward - self.gain) / self.budget


def em_step_gain(problem, theta):
    """Return the `EMStepGain` at theta, or None when the M-step cannot be solved there."""
    m_step = problem.m_step(problem.responsibilities(theta), theta)
    if not m_step.solved:
        return None
    after = m_step.theta
    residual = inner_rounding(problem, m_step.residual, after) @ np.abs(after - theta)
    return EMStepGain(
        before=theta,
        after=after,
        gain=problem.loss(theta) - problem.loss(after),
        forward=problem.divergence(theta, after),
        backward=problem.divergence(after, theta),
        budget=float(2.0 * (loss_rounding(problem, theta) + loss_rounding(problem, after)) + residual),
    )


def reversed_gain_search(lab, enough=10.0):
    """Search for the EM step whose reversed divergence exceeds its gain most clearly.

    Parameters
    ----------
    lab : Lab
    enough : float
        The search ends at an excess of this many budgets.

    Returns
    -------
    list of EMStepGain
        The best steps seen, best first; all of them must satisfy the true orientation.
    """
    seen = []
    for theta in _candidates(lab):
        step = em_step_gain(lab.problem, theta)
        if step is not None and step.budget > 0:
            seen.append(step)
            if step.excess > enough:
                break
    seen.sort(key=lambda step: -step.excess)
    if seen and seen[0].excess <= enough:
        seen = [_climb(lab, seen[0]), *seen]
    return seen[:5]


def _candidates(lab):
    if not isinstance(lab.model, SymmetricModel):
        for size in (0.3, 3.0, 30.0):
            for step in lab.random_points(f"reversed orientation {size}", 20, size):
                yield lab.inside(lab.centre, step)
        return
    yield from _one_row_on_the_boundary(lab)
    yield from _saturated_block(lab)


def _one_row_on_the_boundary(lab):
    """Yield points where one row with strong evidence lies on the gate's boundary and no other is near it."""
    d, y = lab.model.n_features, lab.problem.data.y
    scale = lab.problem.data.design.scale
    features = lab.problem.X / scale
    rng = lab.rng("reversed orientation")
    strongest = np.argsort(-np.abs(y) * np.linalg.norm(features, axis=1))[:8]
    for row in strongest:
        x = features[row]
        normal = rng.standard_normal(d)
        normal -= x * (normal @ x) / (x @ x)
        next_nearest = np.partition(np.abs(features @ normal), 1)[1] if len(y) > 1 else 1.0
        gate = normal * 60.0 / max(next_nearest, 1e-9)
        for evidence in (6.0, 12.0):
            expert = evidence / lab.model.evidence * x / (x @ x) / y[row]
            yield lab.model.join(expert / scale, gate / scale)


def _saturated_block(lab):
    """Yield points with one block almost at rest and the other certain of nearly every row."""
    d = lab.model.n_features
    scale = lab.problem.data.design.scale
    rng = lab.rng("saturated block")
    for _ in range(60):
        small = 10.0 ** rng.uniform(-2, 1) * rng.standard_normal(d) / scale
        large = 10.0 ** rng.uniform(1, 3) * rng.standard_normal(d) / scale
        yield lab.model.join(small, large)
        yield lab.model.join(large, small)


def _climb(lab, best):
    """Improve the best step by Nelder and Mead's method on the excess."""
    scale = np.maximum(np.abs(best.before), 1e-12)

    def objective(u):
        if not lab.model.in_domain(u * scale):
            return 0.0
        step = em_step_gain(lab.problem, u * scale)
        return 0.0 if step is None else -step.excess

    start = best.before / scale
    found = scipy_minimize(objective, start, method="Nelder-Mead", options={"maxfev": 400})
    step = em_step_gain(lab.problem, found.x * scale)
    return best if step is None or step.excess < best.excess else step
