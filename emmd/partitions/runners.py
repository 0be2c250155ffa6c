"""Partitions of a problem's rows where they lie, and what runs them: this process or a cluster's workers."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from emmd.core.checks import require_finite
from emmd.core.problem import prepared


@dataclass(frozen=True)
class PosteriorElsewhere:
    """What stands for posteriors that stay with their rows: the parameter of their E-step.

    Attributes
    ----------
    theta : ndarray
        As `Partition.e_step_pass` takes it.
    transposed : bool
    """

    theta: np.ndarray
    transposed: bool = False

    @property
    def T(self):
        """What stands for the transpose."""
        return replace(self, transposed=not self.transposed)


class Partition:
    """The data of one partition, the posterior of its last E-step, and the rows of the last fit to it."""

    def __init__(self, number, model, X, y, sample_weight=None):
        try:
            self.data, _, _ = prepared(model, X, y, sample_weight)
        except (ValueError, TypeError) as error:
            raise type(error)(f"parts, partition {number}: {error}") from None
        self.model = model
        with np.errstate(over="ignore"):
            self.mass = float(len(self.data.y) if sample_weight is None else np.sum(sample_weight))
        require_finite(f"parts, partition {number}: sample_weight", "sum", self.mass)
        self._last: tuple[bytes, Any] = b"", None
        self._rows: tuple[Any, Any] = None, None

    def facts(self):
        """Return mass and number of rows."""
        return self.mass, len(self.data.y)

    def add_up(self, sums, *arguments):
        """Return a sum over the rows; posteriors among the arguments are those of this partition."""
        return sums(self.data, *(self._own(argument) for argument in arguments))

    def add_up_rows(self, part, posterior, sums, *arguments):
        """Return a sum over what the fit of a part to a posterior sees."""
        key = part, None if posterior is None else posterior.theta.tobytes()
        known, rows = self._rows
        if known != key:
            rows = self.data.rows(part, self._own(posterior))
            self._rows = key, rows
        return sums(rows, *arguments)

    def e_step_pass(self, theta, *start):
        """Run the E-step; keep the posterior, return the sums."""
        sums, posterior = self.model.e_step_pass(self.data, theta, *start)
        self._last = theta.tobytes(), posterior
        return sums

    def _own(self, argument):
        if not isinstance(argument, PosteriorElsewhere):
            return argument
        # read once: another thread's E-step may replace it; a new worker has none
        at, posterior = self._last
        if at != argument.theta.tobytes():
            posterior = self.model.e_step_pass(self.data, argument.theta)[1]
        return posterior.T if argument.transposed else posterior


def _call(partition, method, arguments, rules):
    # an overflow is refused, reported or raised there as it would be here
    with np.errstate(**rules):
        return getattr(partition, method)(*arguments)


class Here:
    """Runs partitions in this process, one after the other."""

    def place(self, number, model, part):
        """Return a partition."""
        return Partition(number, model, *part)

    def call(self, partitions, method, *arguments):
        """Return the results of a method of all partitions, in their order."""
        return [getattr(partition, method)(*arguments) for partition in partitions]


class OnCluster:
    """Runs partitions where Dask keeps them.

    Parameters
    ----------
    client : dask.distributed.Client
    """

    def __init__(self, client):
        self.client = client

    def place(self, number, model, part):
        """Return the future of a partition."""
        return self.client.submit(Partition, number, model, *part, pure=False)

    def call(self, partitions, method, *arguments):
        """Return the results of a method of all partitions, in their order."""
        # a list: Dask may take a tuple that begins with a function for a task
        rest = method, list(arguments), np.geterr()
        calls = [self.client.submit(_call, partition, *rest, pure=False) for partition in partitions]
        return self.client.gather(calls)
