"""Criteria that choose among mixtures: the likelihood against the number of parameters and the entropy."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import xlogy
from sklearn.utils.validation import check_is_fitted


def entropy(weights: np.ndarray, responsibilities: np.ndarray) -> float:
    """Return ``-sum_i c_i sum_k r_ik log r_ik`` for weights c, shape (n,), and responsibilities, (n, K)."""
    return float(weights @ -xlogy(responsibilities, responsibilities).sum(axis=1))


class CriteriaMethods:
    """What both estimators say about their fit in one number; lower is better."""

    loglik_: float
    entropy_: float
    n_observations_: float
    _model: Any
    log_density: Any
    responsibilities: Any

    @property
    def n_params_(self) -> int:
        """The number of parameters that are fitted."""
        return self._model.n_params

    def _criterion(self, X, y, penalty, of_entropy=0.0):
        if (X is None) != (y is None):
            raise ValueError("X and y must be given together, or neither for the data of fit")
        check_is_fitted(self)
        if X is None:
            loglik, n, spread = self.loglik_, self.n_observations_, self.entropy_
        else:
            loglik, n = self.log_density(X, y).sum(), len(np.asarray(y))
            spread = entropy(np.ones(n), self.responsibilities(X, y)) if of_entropy else 0.0
        return float(-2.0 * loglik + penalty(n) * self._model.n_params + of_entropy * spread)

    def aic(self, X: ArrayLike | None = None, y: ArrayLike | None = None) -> float:
        """Return Akaike's criterion, -2 log-likelihood + 2 p.

        Parameters
        ----------
        X, y : array_like, optional
            The data of `fit` by default.
        """
        return self._criterion(X, y, lambda n: 2.0)

    def bic(self, X: ArrayLike | None = None, y: ArrayLike | None = None) -> float:
        """Return the Bayesian criterion, -2 log-likelihood + p log n (Schwarz 1978).

        Parameters
        ----------
        X, y : array_like, optional
            The data of `fit` by default; n is then the sum of its sample weights.
        """
        return self._criterion(X, y, np.log)

    def adjusted_bic(self, X: ArrayLike | None = None, y: ArrayLike | None = None) -> float:
        """Return the sample-size adjusted criterion, -2 log-likelihood + p log((n + 2) / 24) (Sclove 1987).

        Parameters
        ----------
        X, y : array_like, optional
            As for `bic`.
        """
        return self._criterion(X, y, lambda n: np.log((n + 2.0) / 24.0))

    def icl(self, X: ArrayLike | None = None, y: ArrayLike | None = None) -> float:
        """Return the integrated complete likelihood, BIC + 2 entropy (Biernacki, Celeux and Govaert 2000).

        Parameters
        ----------
        X, y : array_like, optional
            As for `bic`.
        """
        return self._criterion(X, y, np.log, 2.0)
