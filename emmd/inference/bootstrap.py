"""Refits to resampled data: what the estimates would have been on other samples."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri

from emmd.core.checks import NotFiniteError, known_name
from emmd.core.problem import Problem
from emmd.core.status import Status
from emmd.estimators.parameters import named_parameters
from emmd.estimators.starts.run import Start, fit_from_starts
from emmd.inference.order import without_prior
from emmd.inference.terms import estimated, labelled, values

KINDS = ("nonparametric", "parametric")
"""Rows drawn from the rows, or targets drawn from the fitted mixture."""

INTERVALS = ("percentile", "basic", "normal")

_MOST = {"nonparametric": 2.0**53, "parametric": 1e8}
"""Observations: counts beyond are no whole numbers, and targets are drawn one by one."""

_FAILED = (Status.VARIANCE_COLLAPSE, Status.EMPTY_EXPERT)


@dataclass(frozen=True)
class BootstrapResult:
    """Estimates from resampled data.

    Attributes
    ----------
    estimate : pandas.Series
        Of the fit itself, by part and term.
    estimates : pandas.DataFrame
        A row for each refit, under the number of its resample; refits that failed are not among them.
    n_resamples : int
    failed : dict of str to int
        How many refits ended with an expert lost or collapsed, by status.
    kind : "nonparametric" or "parametric"
    seed : int
        Resample i depends on the seed and i alone.
    """

    estimate: Any
    estimates: Any
    n_resamples: int
    failed: dict
    kind: str
    seed: int

    @property
    def covariance(self) -> Any:
        """The covariance of the estimates, a pandas.DataFrame."""
        return self.estimates.cov()

    def intervals(self, level: float = 0.95, method: str = "percentile") -> Any:
        """Return a table with the columns ``estimate``, ``standard error``, ``lower`` and ``upper``.

        Parameters
        ----------
        level : float
        method : "percentile", "basic" or "normal"
            Quantiles of the refits; the same mirrored at the estimate; estimate +- z standard errors.
        """
        from pandas import DataFrame

        known_name("method", method, INTERVALS)
        tails = [0.5 - 0.5 * level, 0.5 + 0.5 * level]
        lower, upper = (self.estimates.quantile(tail) for tail in tails)
        deviations = self.estimates.std()
        if method == "basic":
            lower, upper = 2.0 * self.estimate - upper, 2.0 * self.estimate - lower
        elif method == "normal":
            half = ndtri(tails[1]) * deviations
            lower, upper = self.estimate - half, self.estimate + half
        columns = {"estimate": self.estimate, "standard error": deviations, "lower": lower, "upper": upper}
        return DataFrame(columns)

    def to_frame(self) -> Any:
        """Return the percentile intervals at 95 %, a pandas.DataFrame."""
        return self.intervals()

    def __repr__(self) -> str:
        lost = f", {sum(self.failed.values())} failed" if self.failed else ""
        return f"{self.kind} bootstrap, {self.n_resamples} resamples{lost}\n{self.to_frame()}"

    def _repr_html_(self) -> str:
        return self.to_frame().to_html()


def resampled(problem: Problem, total: float, kind: str, theta: np.ndarray, rng: Any) -> Problem:
    """Return the problem of one resample.

    Parameters
    ----------
    problem : Problem
    total : float
        Sum of the weights: the number of observations.
    kind : "nonparametric" or "parametric"
    theta : ndarray of shape (p,)
        From which targets are drawn.
    rng : numpy.random.Generator
    """
    counts = np.round(total * problem.weights).astype(int)
    # who is drawn together: a row alone, or a group
    units = getattr(problem.data, "groups", np.arange(len(counts)))
    if kind == "parametric":
        return _redrawn(problem, counts, units, theta, rng)
    per_unit = counts[np.unique(units, return_index=True)[1]]
    drawn = rng.multinomial(per_unit.sum(), per_unit / per_unit.sum())[units]
    rows = drawn > 0
    return Problem(problem.model, problem.X[rows], problem.y[rows], drawn[rows])


def _redrawn(problem, counts, units, theta, rng):
    """Return the problem of targets drawn from theta; a row or group of weight 2 is drawn twice."""
    model = without_prior(problem)[0]
    copies = np.repeat(np.arange(len(counts)), counts)
    number = np.arange(len(copies)) - np.repeat(np.cumsum(counts) - counts, counts)
    # first all rows once, then those that are drawn again
    order = np.argsort(number, kind="stable")
    copies, number = copies[order], number[order]
    X = problem.X[copies]
    if hasattr(model, "group_column"):
        X[:, model.group_column] = units[copies] + number * (units.max() + 1)
    return Problem(problem.model, X, model.sample_y(theta, X, rng))


def require_counts(problem: Problem, total: float, kind: str) -> None:
    """Raise a ValueError unless the sample weights are numbers of observations that can be drawn."""
    if total > _MOST[kind]:
        raise ValueError(
            f"sample_weight must add up to at most {_MOST[kind]:g} observations for a {kind} bootstrap, "
            f"got {total:g}"
        )
    counts = total * problem.weights
    off = np.abs(counts - np.maximum(np.round(counts), 1.0))
    if off.max() > 1e-6:
        raise ValueError(
            "sample_weight must hold whole numbers for a bootstrap, which draws observations, got "
            f"{counts[off.argmax()]:g}"
        )


def bootstrap(
    estimator: Any,
    problem: Problem,
    total: float,
    n_resamples: int,
    kind: str,
    seed: int,
    n_jobs: int | None,
    callback: Callable | None,
    resume: BootstrapResult | None,
) -> BootstrapResult:
    """Return what `InferenceMethods.bootstrap` describes."""
    from joblib import Parallel, delayed
    from pandas import DataFrame, Series, concat

    require_counts(problem, total, kind)
    model, units, theta = estimator._model, estimator._units, estimator._theta
    first = 0 if resume is None else resume.n_resamples
    refit = _refit(estimator, problem, total, kind, seed)
    done: list[int] = []

    def numbered(index):
        found = refit(index)
        done.append(index)
        if callback is not None:
            callback(first + len(done), n_resamples)
        return found

    # kernels release the GIL, and threads share the data
    runs = Parallel(n_jobs, prefer="threads")(delayed(numbered)(k) for k in range(first, n_resamples))
    rows = estimated(estimator)
    kept = {first + k: point for k, (point, _) in enumerate(runs) if point is not None}
    table = [values(named_parameters(model, units, point), rows) for point in kept.values()]
    index = labelled(rows)
    estimates = DataFrame(np.reshape(table, (len(kept), len(rows))), index=list(kept), columns=index)
    failed = Counter(status for point, status in runs if point is None)
    if resume is not None:
        estimates, failed = concat([resume.estimates, estimates]), failed + Counter(resume.failed)
    here = Series(values(named_parameters(model, units, theta), rows), index=index)
    return BootstrapResult(here, estimates, max(first, n_resamples), dict(failed), kind, seed)


def _refit(estimator, problem, total, kind, seed):
    """Return ``index -> (theta, status)``: the refit to one resample, theta None where it failed."""
    theta, covariance = estimator._theta, estimator._covariance
    # a parameter that is not estimated well does not say which expert is which
    sizes = 1.0 / estimator._model.parameter_scale(without_prior(problem)[1])
    scale = sizes if covariance is None else np.sqrt(np.diag(covariance))
    options = {"method": estimator.method, "tol": estimator.tol, "max_iter": estimator.max_iter}

    def refit(index):
        try:
            drawn = resampled(problem, total, kind, theta, np.random.default_rng([seed, index]))
            run = fit_from_starts(drawn, [Start("fit", theta)], **options).runs[0]
        except NotFiniteError:
            return None, "not_finite"
        if run.status in _FAILED:
            return None, Status(run.status).name.lower()
        return estimator._model.nearest_equivalent(run.x, theta, scale), "done"

    return refit
