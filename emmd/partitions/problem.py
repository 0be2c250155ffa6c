"""Problems whose rows lie in partitions, here or on the workers of a Dask cluster: only sums travel."""

from collections.abc import Sequence
from functools import reduce
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike

from emmd.core.checks import describe, instance
from emmd.core.problem import Problem, require_rows
from emmd.core.protocols.model import Model
from emmd.core.protocols.steps import MStep
from emmd.fits.logistic import fit_from_sums, logistic_sums
from emmd.partitions.runners import Here, OnCluster, PosteriorElsewhere
from emmd.rows.second_moment import SecondMoment
from emmd.rows.weighted_rows import RowSums


class RowsElsewhereError(AttributeError, TypeError):
    """What was asked for needs the rows, which stay with their partitions."""


def _no_rows(name) -> NoReturn:
    raise RowsElsewhereError(f"{name!r} needs the rows, which stay with their partitions; only sums are here")


class _DesignElsewhere(SecondMoment):
    def __getattr__(self, name):
        _no_rows(name)


class _RowsElsewhere(RowSums):
    def __init__(self, data, design, part, posterior):
        self.design = design
        self._data, self._fit = data, (part, posterior)

    def add_up(self, sums, *arguments):
        return self._data.each("add_up_rows", *self._fit, sums, *arguments)

    def __getattr__(self, name):
        _no_rows(name)


def _logistic_sums(data, labels, points, wanted):
    return logistic_sums(data.design, labels, points, wanted)


class PartitionedData:
    """What models see of rows that lie elsewhere: moments of the features, and sums.

    Attributes
    ----------
    n_rows : int
    design, designs, ...
        What the model's `gather` adds.
    """

    def __init__(self, runner, partitions, model):
        self._runner, self._partitions = runner, partitions
        masses, rows = zip(*runner.call(partitions, "facts"))
        self._shares, self.n_rows = np.array(masses) / np.sum(masses), sum(rows)
        require_rows(model, self.n_rows)
        model.gather(self, lambda moment, largest: _DesignElsewhere(moment, largest, self.n_rows))

    def _weighted(self, results):
        if isinstance(results[0], tuple):
            return tuple(self._weighted(parts) for parts in zip(*results))
        # in the order of the partitions, whichever worker was first
        return reduce(np.add, [share * result for share, result in zip(self._shares, results)])

    def each(self, method, *arguments):
        """Return the weighted total of what a method of every partition returns."""
        return self._weighted(self._runner.call(self._partitions, method, *arguments))

    def add_up(self, sums, *arguments):
        """Return the weighted total of ``sums(data, *arguments)`` over the partitions."""
        return self.each("add_up", sums, *arguments)

    def largest(self, values, *arguments):
        """Return the largest of ``values(data, *arguments)`` over the partitions, entry by entry."""
        return np.maximum.reduce(self._runner.call(self._partitions, "add_up", values, *arguments))

    def e_step_pass(self, model, theta, *start):
        """Return the total of the E-step's sums, and what stands for the posterior that they leave behind."""
        return self.each("e_step_pass", theta, *start), PosteriorElsewhere(theta)

    def posterior(self, model, theta):
        """Return the negative log-likelihood, the first of the E-step's sums, and the same."""
        sums, posterior = self.e_step_pass(model, theta)
        return sums[0], posterior

    def rows(self, part=None, r=None):
        """Return the sums that a fit asks for, see `MixtureData.rows`."""
        design = self.designs["gate" if part == "gate" else "expert"]
        return _RowsElsewhere(self, design, part, r)

    def fit_logistics(self, labels, starts, sums):
        """Minimise the logistic losses of all rows, see `emmd.fits.logistic.fit_logistics`."""

        def evaluate(points, wanted):
            # copies: the runner may read them after they have changed here
            return self.add_up(_logistic_sums, labels, points.copy(), wanted.copy())

        return fit_from_sums(evaluate, self.design, starts, sums)

    def __getattr__(self, name):
        """Say why rows cannot be had."""
        _no_rows(name)


class PartitionedProblem(Problem):
    """A problem on rows in several partitions: the same EM, of which only sufficient statistics travel.

    Losses, gradients, informations, EM and the methods built on them (``em``, ``squarem``, ``anderson``,
    ``over_relaxation``, ``gradient_descent``; for `MixtureOfExperts` also ``gradient_em`` and
    ``generalized_em``) work as on one machine, and agree with it to rounding. What needs rows
    (responsibilities, divergences) does not.

    Parameters
    ----------
    model : SymMoLinE, SymMoLogE or MixtureOfExperts
        A `Family` of one's own needs nothing more, unless it writes `fit`: then with sums alone.
    parts : sequence of tuple
        ``(X, y)`` or ``(X, y, sample_weight)`` of each partition; with a client also futures of such
        arrays. Weights count across partitions; either all have some or none.
    client : dask.distributed.Client, optional
        Keep the partitions on its workers; without one they are used in this process.

    Raises
    ------
    TypeError, ValueError
        As `Problem` does, naming the partition; for another model, or weights for some partitions only.
    RowsElsewhereError
        From what needs rows: an AttributeError, and a TypeError too.

    See Also
    --------
    from_dask : Partitions from the chunks of Dask arrays.
    """

    def __init__(self, model: Model, parts: Sequence, client: Any = None) -> None:
        known = "emmd.SymMoLinE, emmd.SymMoLogE or emmd.MixtureOfExperts"
        if not instance("model", model, Model, known).takes_partitions:
            raise TypeError(f"model must be {known}, got {describe(model)}")
        if not (client is None or (hasattr(client, "submit") and hasattr(client, "gather"))):
            raise TypeError(f"client must be a dask.distributed.Client or None, got {describe(client)}")
        parts = _checked(parts)
        runner = Here() if client is None else OnCluster(client)
        partitions = [runner.place(number, model, part) for number, part in enumerate(parts)]
        self.model, self.n_params = model, model.n_params
        self.data = PartitionedData(runner, partitions, model)
        self.n_rows = self.data.n_rows

    def responsibilities(self, theta: ArrayLike) -> np.ndarray:
        """Raise: they stay with their rows."""
        _no_rows("responsibilities")

    def m_step(self, responsibilities: ArrayLike, start: ArrayLike) -> MStep:
        """Raise: responsibilities stay with their rows."""
        _no_rows("responsibilities")

    def surrogate(self, responsibilities: ArrayLike, theta: ArrayLike) -> float:
        """Raise: responsibilities stay with their rows."""
        _no_rows("responsibilities")

    @classmethod
    def from_dask(
        cls,
        model: Model,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        client: Any = None,
    ) -> "PartitionedProblem":
        """Make partitions of the row chunks of Dask arrays; rows go from where they are read to workers.

        Parameters
        ----------
        model : SymMoLinE, SymMoLogE or MixtureOfExperts
        X : dask.array.Array of shape (n, d)
        y, sample_weight : dask.array.Array of shape (n,)
        client : dask.distributed.Client, optional
            The current client by default.
        """
        from distributed import get_client

        for name, value in (("X", X), ("y", y), ("sample_weight", sample_weight)):
            if not (hasattr(value, "rechunk") or (name == "sample_weight" and value is None)):
                raise TypeError(f"{name} must be a dask.array.Array, got {describe(value)}")
        client = get_client() if client is None else client
        X = X.rechunk({1: -1})
        columns = [array.rechunk({0: X.chunks[0]}) for array in (y, sample_weight) if array is not None]
        blocks = [X.to_delayed().ravel(), *(column.to_delayed().ravel() for column in columns)]
        return cls(model, [tuple(client.compute(list(part))) for part in zip(*blocks)], client)


def _checked(parts):
    if not (np.iterable(parts) and not isinstance(parts, str | bytes | dict)):
        raise TypeError(f"parts must be a sequence of (X, y) or (X, y, sample_weight), got {describe(parts)}")
    parts = [instance("every entry of parts", part, tuple | list, "a tuple of arrays") for part in parts]
    lengths = {len(part) for part in parts}
    if lengths not in ({2}, {3}):
        raise ValueError(
            f"parts must hold (X, y) for every partition, or (X, y, sample_weight) for every one, "
            f"got {len(parts)} partitions with {sorted(lengths)} arrays"
        )
    return parts
