"""Lines about a fit while it runs."""

from dataclasses import dataclass, field
from typing import Any

from emmd.core.status import Status

_EVERY = 10


@dataclass
class Progress:
    """Prints how every start gets on; whole lines, so that starts side by side do not mix.

    Attributes
    ----------
    starts : list of Start
    verbose : bool or int
        0 prints nothing, 1 every tenth iteration and the end of each start, 2 every iteration.
    """

    starts: list
    verbose: Any
    last: dict = field(default_factory=dict)

    def step(self, start, iteration, loglik):
        """Report where a start is before a step."""
        if self.verbose and iteration % (_EVERY if self.verbose < 2 else 1) == 0:
            change = f", change {loglik - self.last[start]:.3g}" if start in self.last else ""
            self.last[start] = loglik
            self._line(start, f"iteration {iteration}, log-likelihood {loglik:.6f}{change}")

    def end(self, start, run, loglik):
        """Report how a start ended."""
        status = Status(run.status).name.lower()
        self._line(start, f"{status} after {run.nit + 1} iterations, log-likelihood {loglik:.6f}")

    def _line(self, start, text):
        print(f"start {start} ({self.starts[start].kind}): {text}\n", end="", flush=True)
