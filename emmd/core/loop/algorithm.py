"""What an algorithm is: one map from theta to theta; the loop belongs to `solve`."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from emmd.core.numerics.rounding import exceeds
from emmd.core.problem import Problem
from emmd.core.status import Status


@dataclass(slots=True)
class Step:
    """One step of an algorithm.

    Attributes
    ----------
    theta : ndarray of shape (p,)
        The next iterate.
    loss : float
        Marginal loss at the iterate the step started from.
    displacement : ndarray of shape (p,)
        What a unit EM step would move, or a lower bound for it; the loop stops when it is small.
    memory : object
        Handed to the next step.
    evaluations : int
        Evaluations of the algorithm's map (EM maps, gradients) that the step cost.
    failure : Status or None
        Why the step could not be taken.
    residual : float
        What an inner solver left, relative to a gradient's terms.
    """

    theta: np.ndarray
    loss: float
    displacement: np.ndarray
    memory: object = None
    evaluations: int = 1
    failure: Status | None = None
    residual: float = 0.0


@dataclass(frozen=True)
class Algorithm(ABC):
    """A fixed-point map on parameters, as data: options are dataclass fields.

    Attributes
    ----------
    name : str
        What `minimize` calls it (class attribute).
    fixed_point : bool
        Whether it is a map of theta, so that wrappers can accelerate it; wrappers are not (class attribute).
    remedy : str
        A sentence on what to do about steps that are too long (class attribute).
    """

    name = ""
    fixed_point = True
    remedy = "Rescale features and target, start closer to an optimum, or add a ridge penalty."

    def _settle(self, **options):
        """Replace options by what their checks made of them: dataclasses that are frozen need a way round."""
        for name, value in options.items():
            object.__setattr__(self, name, value)

    @property
    def monotone(self) -> bool:
        """Whether theory says that the loss never increases."""
        return False

    def message(self, status: Status) -> str:
        """Return how a run of this algorithm ended and what to do about it: options that it has."""
        too_long = status in (Status.LOSS_INCREASED, Status.INNER_FAILED)
        return f"{status.message} {self.remedy}" if too_long else status.message

    @abstractmethod
    def step(self, problem: Problem, theta: np.ndarray, memory: Any) -> Step:
        """Take one step from `theta`; `memory` is None at first. Return a `Step`."""

    def image(self, problem: Problem, theta: np.ndarray) -> Step:
        """Return a first step whose `displacement` nobody reads: an algorithm may leave it undefined there.

        Who differentiates the map wants `theta` alone.
        """
        return self.step(problem, theta, None)

    def exceeds(self, problem: Problem, theta: np.ndarray, loss: float, bound: float) -> bool:
        """Return whether the loss of a step from theta is above a bound by more than rounding."""
        return exceeds(problem, theta, loss, bound)

    def linear_factors(
        self, complete_hessian: np.ndarray, hessian: np.ndarray, expected: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the eigenvalues of the map's Jacobian at a stationary point.

        Parameters
        ----------
        complete_hessian, hessian : ndarray of shape (p, p)
            I_com and hess L at that point.
        expected : ndarray of shape (p, p), optional
            E[J' hess A J], which differs from I_com on a curved model set; I_com by default.

        Raises
        ------
        ValueError
            When the algorithm has no constant linearisation.
        """
        raise ValueError(
            f"method {self.name!r} has no constant linear law at an optimum, so no predicted rate"
        )


def inner_failure(inner):
    """Return the `Status` of a failed inner solve, or None.

    Parameters
    ----------
    inner : MStep
    """
    if inner.failure is not None:
        return inner.failure
    if inner.curvature < NO_CURVATURE and inner.residual <= _NEARLY_SOLVED:
        return Status.DIVERGING
    return None if inner.solved else Status.INNER_FAILED


NO_CURVATURE = 1e-13
"""An inner Hessian this small relative to the features means that every row is fitted with certainty."""

_NEARLY_SOLVED = 1e-6
