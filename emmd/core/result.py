"""What a run returns: scipy's OptimizeResult with a trace."""

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Trace:
    """The path of a run; entry t belongs to the iterate after t steps.

    Attributes
    ----------
    loss : ndarray of shape (nit + 1,)
    displacement : ndarray of shape (nit + 1,)
        Relative size of the EM displacement, the quantity compared with tol;
        NaN-free, the last entry is measured at the returned point.
    evaluations : ndarray of int, shape (nit + 1,)
        Map evaluations spent to reach the iterate.
    seconds : ndarray of shape (nit + 1,)
        Wall-clock time at which the iterate was left.
    theta : ndarray of shape (nit + 1, p) or None
        The iterates, when recorded.
    """

    loss: np.ndarray
    displacement: np.ndarray
    evaluations: np.ndarray
    seconds: np.ndarray
    theta: np.ndarray | None


@dataclass
class Recorder:
    """Collects a trace while the loop runs.

    Attributes
    ----------
    record_theta : bool
    rows, thetas : list
    last_theta : ndarray of shape (p,) or None
        The last iterate added.
    """

    record_theta: bool
    rows: list = field(default_factory=list)
    thetas: list = field(default_factory=list)
    last_theta: np.ndarray | None = None

    def add(self, theta, loss, displacement, evaluations, seconds):
        """Append one iterate."""
        self.rows.append((loss, displacement, evaluations, seconds))
        self.last_theta = theta
        if self.record_theta:
            self.thetas.append(theta)

    def trace(self):
        """Return the `Trace` so far."""
        loss, displacement, evaluations, seconds = (np.array(column) for column in zip(*self.rows))
        theta = np.array(self.thetas) if self.record_theta else None
        return Trace(loss, displacement, evaluations.astype(int), seconds, theta)
