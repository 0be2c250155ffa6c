"""What is said about a fit while it runs: lines, and scikit-learn's callbacks where it has them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from emmd.core.status import Status

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stands for scikit-learn's, which this version does not have."""

    def with_callbacks(method):
        """Return the method as it is: there are no callbacks."""
        return method


_EVERY = 10


class Tasks:
    """A fit and its starts as tasks of scikit-learn's callbacks, such as its progress bar.

    Parameters
    ----------
    estimator : estimator
    n_starts : int
    """

    def __init__(self, estimator: Any, n_starts: int) -> None:
        begin = getattr(estimator, "_init_callback_context", None)
        self.estimator = estimator
        self.open: dict[int, Any] = {}
        self.fit = None if begin is None else begin(max_subtasks=n_starts, sequential_subtasks=False)
        if self.fit is not None:
            self.fit.call_on_fit_task_begin(estimator=estimator)

    def begin(self, start: int) -> None:
        """Report that a start begins."""
        if self.fit is not None:
            task = self.open[start] = self.fit.subcontext(task_name="start", task_id=start)
            task.call_on_fit_task_begin(estimator=self.estimator)

    def end(self, start: int) -> None:
        """Report that a start has ended, once."""
        if start in self.open:
            self.open.pop(start).call_on_fit_task_end(estimator=self.estimator)

    def close(self) -> None:
        """Report that the fit has ended."""
        if self.fit is not None:
            self.fit.call_on_fit_task_end(estimator=self.estimator)


@dataclass
class Progress:
    """Prints how every start gets on; whole lines, so that starts side by side do not mix.

    Attributes
    ----------
    starts : list of Start
    verbose : bool or int
        0 prints nothing, 1 every tenth iteration and the end of each start, 2 every iteration.
    tasks : Tasks
    loglik : callable
        ``loglik(run)`` is the log-likelihood that a run ended with, without penalties.
    """

    starts: list
    verbose: Any
    tasks: Tasks
    loglik: Callable
    last: dict = field(default_factory=dict)

    def begin(self, start):
        """Report that a start begins."""
        self.tasks.begin(start)

    def step(self, start, iteration, loglik):
        """Report where a start is before a step."""
        if self.verbose and iteration % (_EVERY if self.verbose < 2 else 1) == 0:
            change = f", change {loglik - self.last[start]:.3g}" if start in self.last else ""
            self.last[start] = loglik
            self._line(start, f"iteration {iteration}, log-likelihood {loglik:.6f}{change}")

    def end(self, start, run):
        """Report how a start ended."""
        self.tasks.end(start)
        if self.verbose:
            status, loglik = Status(run.status).name.lower(), self.loglik(run)
            self._line(start, f"{status} after {run.nit + 1} iterations, log-likelihood {loglik:.6f}")

    def _line(self, start, text):
        print(f"start {start} ({self.starts[start].kind}): {text}\n", end="", flush=True)
