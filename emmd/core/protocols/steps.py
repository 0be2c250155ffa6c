"""What the two steps of EM return."""

from dataclasses import dataclass

import numpy as np

from emmd.core.status import Status
from emmd.fits.newton import NewtonResult


@dataclass(frozen=True)
class EStep:
    """The E-step at one parameter.

    Attributes
    ----------
    loss : float
        Average negative log-likelihood, a by-product of the normalisation.
    responsibilities : ndarray
        What an M-step has to know of the posterior, one row (or entry) per sample: a mixture's
        responsibilities, and for other models the posterior means E[S | x, y] of the statistics.
    """

    loss: float
    responsibilities: np.ndarray


@dataclass(slots=True)
class MStep:
    """The M-step, or an inverse mirror step: where it ended and how exactly it was solved.

    Attributes
    ----------
    theta : ndarray of shape (p,)
    residual : float
        Largest scaled gradient entry of the inner problem at `theta`.
    solved : bool
        Whether the residual is at most 1e-13.
    curvature : float
        Smallest squared pivot of the scaled inner Hessian; about 0 when the
        minimiser runs to infinity.
    iterations : int
        Inner evaluations.
    failure : Status or None
        A degenerate fit that the model has recognised.
    closed_form : bool
        Whether a formula of the user's gave theta: then it is claimed to be exact, and `residual` says
        whether it is.
    """

    theta: np.ndarray
    residual: float
    solved: bool
    curvature: float
    iterations: int = 1
    failure: Status | None = None
    closed_form: bool = False

    @classmethod
    def of(cls, found: NewtonResult) -> "MStep":
        """Return the step that an inner minimisation found."""
        return cls(found.x, found.residual, found.solved, found.curvature, found.iterations)
