"""The bootstrap likelihood-ratio test of K experts against K + 1 (McLachlan 1987)."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone

from emmd.core.checks import MANY, function_or_none, instance, positive_integer
from emmd.estimators.base import MixtureOfExpertsBase
from emmd.estimators.regressor import MixtureOfExpertsRegressor
from emmd.estimators.validated import drawn_seed


@dataclass(frozen=True)
class RatioTest:
    """A bootstrap likelihood-ratio test.

    Attributes
    ----------
    n_experts : int
        K, under the null hypothesis; K + 1 under the alternative.
    statistic : float
        Twice the difference of the log-likelihoods.
    p_value : float
        (1 + number of samples that reach the statistic) / (1 + number of samples).
    samples : ndarray of shape (n_resamples,)
        The statistic in targets drawn from the mixture of K experts.
    """

    n_experts: int
    statistic: float
    p_value: float
    samples: np.ndarray

    def to_frame(self) -> Any:
        """Return one row: ``n_experts, statistic, p_value, n_resamples``."""
        from pandas import DataFrame

        names = ("n_experts", "statistic", "p_value")
        row = {name: getattr(self, name) for name in names}
        return DataFrame([{**row, "n_resamples": len(self.samples)}])

    def __repr__(self) -> str:
        K = self.n_experts
        return (
            f"{K} against {K + 1} experts: likelihood ratio {self.statistic:.6g}, p = {self.p_value:.4g} "
            f"({len(self.samples)} resamples)"
        )

    def _repr_html_(self) -> str:
        return self.to_frame().to_html(index=False)


def likelihood_ratio_test(
    X: ArrayLike,
    y: ArrayLike,
    n_experts: int,
    *,
    estimator: Any = None,
    n_resamples: int = 99,
    random_state: Any = None,
    callback: Callable | None = None,
    **options: Any,
) -> RatioTest:
    """Test K experts against K + 1: chi-square does not hold, so the statistic's law is simulated.

    Parameters
    ----------
    X : array_like of shape (n, d)
    y : array_like of shape (n,)
    n_experts : int
        K.
    estimator : estimator, optional
        What is fitted, a `MixtureOfExpertsRegressor` by default; it stays as it is.
    n_resamples : int
        Each costs a fit of both mixtures, from all starts.
    random_state : int, RandomState, Generator or None
        Sample i depends on the seed and i alone.
    callback : callable, optional
        Called as ``callback(done, n_resamples)``.
    **options
        Parameters of the estimator.

    Returns
    -------
    RatioTest

    References
    ----------
    McLachlan, "On bootstrapping the likelihood ratio test statistic for the number of components in a normal
    mixture", Applied Statistics 36, 1987.
    """
    K = positive_integer("n_experts", n_experts, maximum=MANY)
    n_resamples = positive_integer("n_resamples", n_resamples)
    callback, seed = function_or_none("callback", callback), drawn_seed(random_state)
    model = MixtureOfExpertsRegressor() if estimator is None else estimator
    model = clone(instance("estimator", model, MixtureOfExpertsBase, "an estimator of emmd"))
    model.set_params(**options)
    null, statistic = _statistic(model, K, X, y, seed)
    samples = np.empty(n_resamples)
    for k in range(n_resamples):
        drawn = null.sample(X, np.random.default_rng([seed, k]))
        with warnings.catch_warnings():
            # a larger mixture often has an expert too many, which is what is measured; columns are the same
            warnings.simplefilter("ignore", UserWarning)
            samples[k] = _statistic(model, K, X, drawn, seed)[1]
        if callback is not None:
            callback(k + 1, n_resamples)
    # likelihoods that agree but for rounding are equal
    reached = int((samples >= statistic - 1e-9 * (1.0 + abs(statistic))).sum())
    return RatioTest(K, statistic, (1 + reached) / (1 + n_resamples), samples)


def _statistic(model, K, X, y, seed):
    """Return the fit of K experts, and twice what one more adds to its log-likelihood."""
    small, large = (
        clone(model).set_params(n_experts=size, random_state=seed).fit(X, y) for size in (K, K + 1)
    )
    # K + 1 experts can do what K do; where no start found that, the ratio is 0
    return small, max(0.0, 2.0 * (large.loglik_ - small.loglik_))
