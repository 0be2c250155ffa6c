"""Problems whose rows lie in several pieces, here or on the workers of a Dask cluster: only sums travel."""

from functools import reduce

import numpy as np

from emmd.core.checks import describe
from emmd.core.logistic_fit import fit_from_sums, logistic_sums
from emmd.core.problem import Problem
from emmd.core.second_moment import SecondMoment
from emmd.core.symmetric import SymmetricModel


class _Piece:
    """One partition where it lies: its data, and the soft labels of its last E-step."""

    def __init__(self, number, model, X, y, sample_weight=None):
        try:
            self.data = Problem(model, X, y, sample_weight).data
        except (ValueError, TypeError) as error:
            raise type(error)(f"partition {number}: {error}") from None
        self.model = model
        self.mass = float(len(self.data.y) if sample_weight is None else np.sum(sample_weight))
        self.labels = (b"", np.empty((0, 0)))

    def facts(self):
        """Return mass, number of rows and second moment."""
        return self.mass, self.data.design.n_rows, self.data.design.second_moment

    def add_up(self, sums, *arguments):
        """Return a sum over the rows."""
        return sums(self.data, *arguments)

    def em_sums(self, working):
        """Run the E-step; keep the soft labels, return the sums."""
        sums, labels = self.model.em_sums(self.data, working)
        self.labels = (working.tobytes(), labels)
        return sums

    def logistic_sums(self, working, points, wanted):
        """Return the sums of the logistic regressions on the soft labels of the E-step at `working`."""
        # read once: another thread's E-step may replace them; a new worker has none
        at, labels = self.labels
        if at != working.tobytes():
            labels = self.model.em_sums(self.data, working)[1]
        return logistic_sums(self.data.design, labels, points, wanted)


def _call(piece, method, arguments):
    return getattr(piece, method)(*arguments)


class _Here:
    """Runs pieces in this process, one after the other."""

    def place(self, number, model, part):
        return _Piece(number, model, *part)

    def call(self, pieces, method, *arguments):
        return [_call(piece, method, arguments) for piece in pieces]


class _OnCluster:
    """Runs pieces where Dask keeps them."""

    def __init__(self, client):
        self.client = client

    def place(self, number, model, part):
        return self.client.submit(_Piece, number, model, *part, pure=False)

    def call(self, pieces, method, *arguments):
        calls = [self.client.submit(_call, piece, method, arguments, pure=False) for piece in pieces]
        return self.client.gather(calls)


def _no_rows(name):
    raise AttributeError(f"{name!r} needs the rows, which stay with their partitions; only sums are here")


class _DesignElsewhere(SecondMoment):
    def __getattr__(self, name):
        _no_rows(name)


class PartitionedData:
    """What models see of rows that lie elsewhere: the second moment, and sums.

    Attributes
    ----------
    design : SecondMoment
    """

    at_once = False

    def __init__(self, runner, pieces):
        self._runner, self._pieces = runner, pieces
        masses, rows, moments = zip(*runner.call(pieces, "facts"))
        self._shares = np.array(masses) / np.sum(masses)
        self.design = _DesignElsewhere(self._weighted(moments), sum(rows))

    def _weighted(self, results):
        # in the order of the partitions, whichever worker was first
        return reduce(np.add, [share * result for share, result in zip(self._shares, results)])

    def add_up(self, sums, *arguments):
        """Return the weighted total of ``sums(data, *arguments)`` over the partitions."""
        return self._weighted(self._runner.call(self._pieces, "add_up", sums, *arguments))

    def em_pass(self, model, working):
        """Return the total of the E-step's sums, and what solves its logistic regressions."""
        sums = self._weighted(self._runner.call(self._pieces, "em_sums", working))

        def evaluate(points, wanted):
            # a copy: the runner may read it after it has changed here
            arguments = working, points, wanted.copy()
            return self._weighted(self._runner.call(self._pieces, "logistic_sums", *arguments))

        def solve(starts, values, found):
            return fit_from_sums(evaluate, self.design, starts, values, found)

        return sums, solve

    def __getattr__(self, name):
        """Say why rows cannot be had."""
        _no_rows(name)


class PartitionedProblem(Problem):
    """A problem on rows in several pieces: the same EM, of which only sufficient statistics travel.

    Losses, gradients, informations, EM and the methods built on them (``em``, ``squarem``, ``anderson``,
    ``gradient_descent``, ...) work as on one machine, and agree with it to rounding. What needs rows
    (responsibilities, divergences) does not.

    Parameters
    ----------
    model : SymMoLinE or SymMoLogE
    parts : sequence of tuple
        ``(X, y)`` or ``(X, y, sample_weight)`` of each partition; with a client also futures of such
        arrays. Weights count across partitions; either all have some or none.
    client : dask.distributed.Client, optional
        Keep the partitions on its workers; without one they are used in this process.

    See Also
    --------
    from_dask : Partitions from the chunks of Dask arrays.
    """

    def __init__(self, model, parts, client=None):
        if not isinstance(model, SymmetricModel):
            raise TypeError(f"model must be emmd.SymMoLinE or emmd.SymMoLogE, got {describe(model)}")
        parts = _checked(parts)
        runner = _Here() if client is None else _OnCluster(client)
        pieces = [runner.place(number, model, part) for number, part in enumerate(parts)]
        self.model, self.n_params = model, model.n_params
        self.data = PartitionedData(runner, pieces)
        self.n_rows = self.data.design.n_rows

    @classmethod
    def from_dask(cls, model, X, y, sample_weight=None, client=None):
        """Make partitions of the row chunks of Dask arrays; rows go from where they are read to workers.

        Parameters
        ----------
        model : SymMoLinE or SymMoLogE
        X : dask.array.Array of shape (n, d)
        y, sample_weight : dask.array.Array of shape (n,)
        client : dask.distributed.Client, optional
            The current client by default.
        """
        from distributed import get_client

        client = get_client() if client is None else client
        X = X.rechunk({1: -1})
        columns = [array.rechunk({0: X.chunks[0]}) for array in (y, sample_weight) if array is not None]
        blocks = [X.to_delayed().ravel(), *(column.to_delayed().ravel() for column in columns)]
        return cls(model, [tuple(client.compute(list(part))) for part in zip(*blocks)], client)


def _checked(parts):
    parts = [tuple(part) for part in parts]
    lengths = {len(part) for part in parts}
    if lengths not in ({2}, {3}):
        raise ValueError(
            f"parts must hold (X, y) for every partition, or (X, y, sample_weight) for every one, "
            f"got {len(parts)} partitions with {sorted(lengths)} arrays"
        )
    return parts
