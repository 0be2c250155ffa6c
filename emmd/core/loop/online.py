"""Online and mini-batch EM: statistics are averaged over batches, and an M-step follows each."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import OptimizeResult

from emmd.core.checks import DomainError, NotFiniteError, describe, flag, instance, real_array, real_number
from emmd.core.loop.algorithm import inner_failure
from emmd.core.protocols.model import Model
from emmd.rows.second_moment import SingularDesignError

_POWER = re.compile(r"1/k|k\^-(\d*\.?\d+)")

_PER_PARAMETER = 10
"""Rows for which those of small batches wait: the usual rule of thumb for regressions."""


@dataclass
class OnlineTrace:
    """The path of online EM; entry t belongs to the t-th batch.

    Attributes
    ----------
    loss : ndarray of shape (T,)
        Average loss of the batch at the parameter before its step.
    step_size : ndarray of shape (T,)
    theta : ndarray of shape (T + 1, p)
        Iterates, the start first.
    held : int
        Batches after which theta stayed since the M-step had no solution: the statistics changed, or, with
        covariates, the rows waited for more.
    """

    loss: np.ndarray
    step_size: np.ndarray
    theta: np.ndarray
    held: int


def online_em(
    model: Model,
    batches: Iterable,
    theta0: ArrayLike,
    step_size: float | str | Callable[[int], float] = "k^-0.6",
    average: bool = False,
) -> OptimizeResult:
    """Fit a model to a stream of batches: s' = (1 - gamma_k) s + gamma_k s_B(theta), then the M-step for s'.

    Parameters
    ----------
    model : Model
    batches : iterable
        Each a y with rows along its first axis, or a pair ``(X, y)``; what lies in it may be as large as
        memory allows, and is looked at once.
    theta0 : array_like of shape (p,)
    step_size : float, str or callable
        gamma in (0, 1]; ``"1/k"``; ``"k^-a"``; or a function of k = 1, 2, ..., the number of the step.
    average : bool
        Return the mean of the iterates after each batch, which for ``"k^-a"`` with 1/2 < a < 1 is as precise
        as maximum likelihood.

    Returns
    -------
    scipy.optimize.OptimizeResult
        ``x``, ``nit`` (batches) and ``trace``, an `OnlineTrace`.

    Raises
    ------
    ValueError, TypeError
        For bad arguments, no batch, a batch where the model is not finite, or rows that all together do not
        determine an M-step.

    Notes
    -----
    Without covariates A does not depend on the row, and for a linear model set every step is a stochastic
    mirror step, grad A(theta') = grad A(theta) - gamma g_B. With covariates (rows whose X differ) statistics
    of different rows cannot be averaged: each step then starts from the means under theta, row by row, and
    projects with the batch's own mirror map (claim O1). Few rows do not determine that: those of a batch
    with fewer rows than parameters, or without an M-step, wait until there are ten for each parameter, and
    are one batch then. So rows may come one by one.

    References
    ----------
    Cappe and Moulines, "On-line expectation-maximization algorithm for latent data models", JRSS B 71, 2009.
    """
    instance("model", model, Model, "an emmd model")
    theta = real_array("theta0", theta0, 1, (model.n_params,))
    if not model.in_domain(theta):
        raise DomainError(f"theta0 must lie in the domain of model {model.name}, got {theta}")
    gamma, average = _schedule(step_size), flag("average", average)
    if not np.iterable(batches):
        raise TypeError(f"batches must be iterable, got {describe(batches)}")
    stream, thetas, rows = _Stream(model, theta), [theta], []
    with np.errstate(all="ignore"):
        for batch in batches:
            size = gamma(stream.steps + 1)
            rows.append((stream.step(batch, size), size))
            thetas.append(stream.theta)
    if not rows:
        raise ValueError("batches must hold at least one batch, got none")
    stream.require_a_step()
    path = np.array(thetas)
    losses, sizes = (np.array(column) for column in zip(*rows))
    trace = OnlineTrace(losses, sizes, path, stream.held)
    return OptimizeResult(x=path[1:].mean(axis=0) if average else path[-1], nit=len(rows), trace=trace)


def _schedule(step_size):
    """Return the function k -> gamma_k, whose values are checked."""
    if isinstance(step_size, str):
        found = _POWER.fullmatch(step_size)
        if not found:
            raise ValueError(f"step_size must be a number, '1/k', 'k^-a' or a function, got {step_size!r}")
        power = float(found[1] or 1.0)
        return lambda k: float(k) ** -power
    function = step_size if callable(step_size) else lambda k: step_size

    def checked(k):
        value = real_number("step_size", function(k))
        if not 0.0 < value <= 1.0:
            raise ValueError(f"step_size must lie in (0, 1], got {value} at batch {k}")
        return value

    return checked


class _Stream:
    """The state of a run: theta, the statistics where they can be averaged, and the rows that wait.

    Attributes
    ----------
    steps, held : int
        Steps that changed theta or the statistics, and batches after which theta stayed.
    """

    def __init__(self, model, theta):
        self.model, self.theta, self.steps, self.held = model, theta, 0, 0
        self._first = self._statistics = self._row = self._failed = None
        self._alike, self._seen, self._waiting, self._due = True, 0, [], 0

    def step(self, batch, gamma):
        """Take one step, or let the rows wait; return the batch's loss at the old parameter."""
        rows = self._rows(batch)
        found = self._evaluate(*rows)
        self._compare(*rows)
        self._waiting.append(rows)
        solved = self._enough(rows[0]) and self._move(found, gamma)
        self.held += not solved
        return found[0]

    def _move(self, found, gamma):
        """Take the step of all rows that wait; return whether it has a solution."""
        _, data, mean, posterior = (
            found if len(self._waiting) == 1 else self._evaluate(*_joined(self._waiting))
        )
        if self._alike:
            target = self._averaged(gamma, mean, data.weights @ posterior)
        else:
            target = (1.0 - gamma) * mean + gamma * posterior
        solved = self._project(data, target)
        # rows that never have a solution are asked for it ever more rarely
        self._due = 0 if solved else 2 * self._rows_waiting()
        if solved or self._alike:
            self.steps, self._waiting = self.steps + 1, []
        return solved

    def _enough(self, X):
        """Return whether as many rows wait as a step should have."""
        if self._alike:
            # the first row with covariates may be like the others or not
            return X is None or self._seen > 1
        rows, least = self._rows_waiting(), self.model.n_params
        if rows < least:
            # barely as many rows as parameters fit them exactly, and far off
            self._due = _PER_PARAMETER * least
        return rows >= self._due

    def _rows_waiting(self):
        return sum(n for *_, n in self._waiting)

    def require_a_step(self):
        """Raise where rows with covariates have waited for each other in vain."""
        if self.steps:
            return
        wanted = f"{_PER_PARAMETER * self.model.n_params} where they are small"
        raise ValueError(
            f"batches must hold rows that determine an M-step with covariates from theta0, {wanted}, "
            f"got {self._rows_waiting()} rows" + (f": {self._failed}" if self._failed else "")
        )

    def _evaluate(self, X, y, n):
        """Return the loss, the data, and the means of the statistics before and after y is seen."""
        weights = np.full(n, 1.0 / n)
        if self._first is None:
            self._first = data = self.model.prepare(X, y, weights)
        else:
            data = self.model.prepare_more(self._first, X, y, weights)
        e_step = self.model.e_step(data, self.theta)
        posterior = self.model.statistics(data, e_step.responsibilities)
        if not (np.isfinite(e_step.loss) and np.isfinite(posterior).all()):
            why = self.model.explain(data, self.theta) or "the loss or a statistic is not"
            raise NotFiniteError(
                f"batches must have finite losses and statistics on the way from theta0: {why}"
            )
        eta = self.model.natural_parameters(data, self.model.predictor_rows(data, self.theta))
        return e_step.loss, data, self.model.mean_statistics(eta), posterior

    def _compare(self, X, y, n):
        """Find out whether all rows seen so far have the same covariates."""
        self._seen += n
        if self._row is None and isinstance(X, np.ndarray):
            self._row = X[:1].copy()
        self._alike = self._alike and (X is None or (self._row is not None and bool((self._row == X).all())))

    def _averaged(self, gamma, mean, posterior):
        """Move the statistics of the one row that stands for all, and return them for every row."""
        before = mean[:1] if self._statistics is None else self._statistics
        self._statistics = (1.0 - gamma) * before + gamma * posterior
        return np.broadcast_to(self._statistics, mean.shape)

    def _project(self, data, target):
        """Move theta to the M-step for these statistics; return whether there is one."""
        try:
            found = self.model.project(data, target, self.theta)
        except SingularDesignError as error:
            self._failed = str(error)
            return False
        failure = inner_failure(found)
        if failure is not None or not np.isfinite(found.theta).all():
            self._failed = failure.message if failure else "the M-step is not finite"
            return False
        self.theta = np.array(found.theta)
        return True

    def _rows(self, batch):
        if isinstance(batch, tuple) and len(batch) == 2:
            return self.model.check_rows(*batch)
        return self._without_covariates(batch)

    def _without_covariates(self, y):
        try:
            return self.model.check_rows(None, y)
        except TypeError as error:
            # a model that takes no covariates says what is wrong with y
            if not str(error).startswith("X must"):
                raise
            raise TypeError(
                f"batches must hold pairs (X, y) for model {self.model.name}, got {describe(y)}"
            ) from error


def _joined(batches):
    """Return one batch of the rows of several."""
    X, y, n = zip(*batches)
    return _concatenated(X), _concatenated(y), sum(n)


def _concatenated(trees):
    first = trees[0]
    if first is None:
        return None
    if isinstance(first, dict):
        return {key: _concatenated([each[key] for each in trees]) for key in first}
    if isinstance(first, tuple):
        return tuple(_concatenated(each) for each in zip(*trees))
    return np.concatenate(trees)
