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

_POWER = re.compile(r"1/k|k\^-(\d*\.?\d+)")


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
        Batches after which the M-step had no solution, and theta stayed while the statistics moved.
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
        gamma in (0, 1]; ``"1/k"``; ``"k^-a"``; or a function of k = 1, 2, ...
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
        For bad arguments, no batch, or a batch where the model is not finite.

    Notes
    -----
    Without covariates A does not depend on the row, and for a linear model set every step is a stochastic
    mirror step, grad A(theta') = grad A(theta) - gamma g_B. With covariates (rows whose X differ) statistics
    of different rows cannot be averaged: each step then starts from the means under theta, row by row, and
    projects with the batch's own mirror map (claim O1).

    References
    ----------
    Cappe and Moulines, "On-line expectation-maximization algorithm for latent data models", JRSS B 71, 2009.
    """
    instance("model", model, Model, "an emmd model")
    theta = real_array("theta0", theta0, 1, (model.n_params,))
    if not model.in_domain(theta):
        raise DomainError(f"theta0 must lie in the domain of model {model.name}, got {theta}")
    gamma, average = _schedule(step_size), flag("average", average)
    if not isinstance(batches, Iterable):
        raise TypeError(f"batches must be iterable, got {describe(batches)}")
    stream, thetas, rows = _Stream(model, theta), [theta], []
    with np.errstate(all="ignore"):
        for k, batch in enumerate(batches, 1):
            size = gamma(k)
            rows.append((stream.step(batch, size), size))
            thetas.append(stream.theta)
    if not rows:
        raise ValueError("batches must hold at least one batch, got none")
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
    """The state of a run: theta, and the statistics where they can be averaged."""

    def __init__(self, model, theta):
        self.model, self.theta, self.held = model, theta, 0
        self._first = self._statistics = None

    def step(self, batch, gamma):
        """Take one step and return the batch's loss at the old parameter."""
        data, alike = self._data(batch)
        e_step = self.model.e_step(data, self.theta)
        posterior = self.model.statistics(data, e_step.responsibilities)
        if not (np.isfinite(e_step.loss) and np.isfinite(posterior).all()):
            why = self.model.explain(data, self.theta) or "the loss or a statistic is not"
            raise NotFiniteError(f"batches must have finite losses and statistics: {why}")
        eta = self.model.natural_parameters(data, self.model.predictor_rows(data, self.theta))
        mean = self.model.mean_statistics(eta)
        if alike:
            if self._statistics is None:
                self._statistics = mean[:1]
            # one row stands for all, with the average of their statistics
            averages = data.weights @ posterior
            self._statistics = (1.0 - gamma) * self._statistics + gamma * averages
            target = np.broadcast_to(self._statistics, mean.shape)
        else:
            target = (1.0 - gamma) * mean + gamma * posterior
        found = self.model.project(data, target, self.theta)
        if inner_failure(found) is None and np.isfinite(found.theta).all():
            self.theta = np.array(found.theta)
        else:
            self.held += 1
        return e_step.loss

    def _data(self, batch):
        if isinstance(batch, tuple) and len(batch) == 2:
            X, y, n = self.model.check_rows(*batch)
        else:
            X, y, n = self._without_covariates(batch)
        weights = np.full(n, 1.0 / n)
        if self._first is None:
            self._first = self.model.prepare(X, y, weights)
            return self._first, _alike(X)
        return self.model.prepare_more(self._first, X, y, weights), _alike(X)

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


def _alike(X):
    """Return whether all rows have the same covariates."""
    return X is None or (isinstance(X, np.ndarray) and bool((X[:1] == X).all()))
