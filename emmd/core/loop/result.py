"""What a run returns: scipy's OptimizeResult with a trace."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

from emmd.core.status import Status


class Result(OptimizeResult):
    """What `emmd.minimize` returns: scipy's result, printed in a line, and its trace as a table."""

    def __repr__(self) -> str:
        status = Status(self.status).name.lower()
        return f"{self.algorithm.name}: {status} after {self.nit} iterations, loss {self.fun:.12g}"

    def to_frame(self) -> Any:
        """Return the trace, a pandas.DataFrame with a row per iterate."""
        from pandas import DataFrame, Index

        names = ("loss", "displacement", "evaluations", "seconds")
        columns = {name: getattr(self.trace, name) for name in names}
        return DataFrame(columns, index=Index(range(self.nit + 1), name="iteration"))

    def _repr_html_(self) -> str:
        return f"<p>{self!r}</p>{self.to_frame().to_html(max_rows=10)}"


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
