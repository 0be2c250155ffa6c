"""What wrappers that accelerate a fixed-point map F share: their base, their safeguard, their secants.

The loss at a point is a by-product of evaluating F there (the E-step's normalisation), so a safeguard by the
loss is free when the trial is accepted: the step that F takes from it is kept for the next iteration. A
refused trial costs one evaluation, and it is counted.
"""

from dataclasses import dataclass

import numpy as np

from emmd.core.checks import describe, positive_number
from emmd.core.loop.solve import make_algorithm

_DEPENDENT = 1e-8


def base_map(base):
    """Return the algorithm called `base`, which must be a map of theta alone.

    Raises
    ------
    ValueError, TypeError
        For an unknown name or an algorithm that is itself accelerated.
    """
    algorithm = make_algorithm(base, "base")
    if not algorithm.fixed_point:
        raise ValueError(f"base must be a plain fixed-point algorithm, got {describe(algorithm)}")
    return algorithm


def first_bound(step_max):
    """Return the first bound of an extrapolation's length, at least 1, as a float."""
    bound = positive_number("step_max", step_max)
    if bound < 1.0:
        raise ValueError(f"step_max must be at least 1, got {describe(step_max)}")
    return bound


def guarded_step(problem, base, trial, bound):
    """Return the base's step from `trial`, or None when the trial must be refused.

    It is refused where it is not finite or leaves the model's domain, where the base fails (whatever the
    status: the plain iteration does not go there), and where the loss exceeds `bound` by more than rounding.
    """
    if not (np.isfinite(trial).all() and problem.model.in_domain(trial)):
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        step = base.step(problem, trial, None)
    if step.failure is not None or not np.isfinite(step.theta).all():
        return None
    return None if base.exceeds(problem, trial, step.loss, bound) else step


@dataclass(frozen=True)
class Secants:
    """Differences along a path of a map F, and what they say of its Jacobian.

    Attributes
    ----------
    points, images : ndarray of shape (p, m)
        Differences of successive points and of their images, scaled.
    """

    points: np.ndarray
    images: np.ndarray

    @classmethod
    def of(cls, history, scale):
        """Return the secants of a list of at least two pairs (theta, F(theta)), in units of 1 / scale."""
        points, images = (np.array(column) * scale for column in zip(*history))
        return cls(np.diff(points, axis=0).T, np.diff(images, axis=0).T)

    def projected_jacobian(self):
        """Return an orthonormal basis of the points' differences, (p, r), and F' restricted to it, (r, r).

        Differences that are dependent to 1e-8 are left out. The eigenvalues of the restriction are
        Ritz values: estimates of the eigenvalues of F'.
        """
        length = np.linalg.norm(self.points, axis=0)
        length = np.where(length > 0, length, 1.0)
        left, size, right = np.linalg.svd(self.points / length, full_matrices=False)
        kept = size > _DEPENDENT * size[0]
        basis = left[:, kept]
        return basis, basis.T @ ((self.images / length) @ (right[kept].T / size[kept]))
