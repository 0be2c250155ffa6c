"""Mixture of logistic-regression experts with scikit-learn's interface."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets

from emmd.estimators.base import MixtureOfExpertsBase
from emmd.estimators.evaluate import expert_predictors
from emmd.estimators.progress import with_callbacks
from emmd.estimators.validated import group_numbers, naming, positive_rows, scored, validated


class MixtureOfExpertsClassifier(ClassifierMixin, MixtureOfExpertsBase):
    """Softmax-gated mixture of logistic-regression experts, fitted by EM with exact M-steps.

    P(z = k | x) is a softmax of linear functions of x; given z = k, y follows a
    logistic regression (two classes) or a multinomial one (more). Features are
    standardised inside; everything reported is in the user's units.

    Parameters
    ----------
    n_experts : int
        K, at least 1.
    gate : "softmax" or "constant"
        Whether mixing weights depend on x.
    expert_ridge, gate_ridge : float
        Ridge penalties added to the average negative log-likelihood, on standardised features and
        without the intercepts; see `emmd.core.ridge.Ridge`.
    prior_strength : float
        Pseudo-observations per observation, shared evenly among the experts, that follow one
        distribution of y fitted to all rows, whatever x (`emmd.ConjugatePrior`); 0 for none.
    fit_intercept : bool
    expert_features, gate_features : list of int or str, optional
        The columns that experts and gate use, by number or by name; all by default.
    fixed : dict, optional
        Parameters held at known values, by the names of the attributes without the underscore and in
        the user's units: all of the gate's (``gate_coef`` and ``gate_intercept``, whose differences
        matter), or all of the experts' (``coef``, ``intercept``). They
        have standard error 0 and do not count in `aic` and `bic`.
    n_init : int
        Number of starts. From the best of several, better optima near it are looked for: one expert is drawn
        anew, twice for each further start at least, and more where they end at different optima.
    keep : "best" or "converged"
        Which of them is kept: the one with the highest likelihood (less the penalties), whatever its status
        unless that likelihood is unbounded, or the best of those that converged, where any did.
    method : str
        ``em``, or an accelerated method of `emmd.minimize` such as ``squarem`` or ``anderson``. After 50
        iterations, and where it fails, Newton's method on the likelihood takes a run on, and the method
        goes on from there.
    tol : float
        As in `emmd.minimize`: the relative size of an EM step at which a run has converged.
    max_iter : int
    warm_start : bool
        Go on from the previous fit instead of new starts.
    n_jobs : int, optional
        Threads for the starts.
    random_state : int, RandomState or None
    callback : callable, optional
        Called as ``callback(start, iteration, loglik)`` before each step of each start, with the
        log-likelihood (less the penalties) that `trace_` records. What it returns is ignored; an
        exception that it raises ends the fit. With ``n_jobs`` other than 1 the calls come from several
        threads, one for each start under way.
    verbose : bool or int
        Print lines while the fit runs: how every start ended and, every tenth iteration (every
        iteration from 2 on), where it is. Starts that run side by side report in turn.

    Attributes
    ----------
    classes_ : ndarray of shape (C,)
        The labels of rows with positive weight.
    coef_, intercept_ : ndarray
        Of the logit of ``classes_[1]``, shapes (K, d) and (K,), for two classes; for more, of the
        logits of all classes but the last against the last, shapes (K, C - 1, d) and (K, C - 1).
        Of linearly dependent columns as in `MixtureOfExpertsRegressor`.
    gate_coef_, gate_intercept_ : ndarray of shape (K, d) and (K,)
        0 for the last expert: only differences matter.
    loglik_, trace_, n_iter_, converged_, status_, message_, starts_, best_start_, em_rate_
    standard_errors_, standard_errors_message_, n_features_in_, feature_names_in_
        As in `MixtureOfExpertsRegressor`.
    """

    classes_: np.ndarray

    @with_callbacks
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> "MixtureOfExpertsClassifier":
        """Fit the mixture.

        Parameters
        ----------
        X : array_like of shape (n, d)
        y : array_like of shape (n,)
            Labels, numbers or text, at least two different ones.
        sample_weight : array_like of shape (n,), optional
            Non-negative; weight 2 counts as the same row twice, rows of weight 0 are left out.
        groups : array_like of shape (n,), optional
            Labels of rows that share their expert, such as repeated measures of one subject. The gate
            must see what is the same in all of them (`gate_features`, or ``gate="constant"``).

        Returns
        -------
        self

        Warns
        -----
        ConvergenceWarning
            When the kept start did not lead to a proper optimum, e.g. because an expert separates the
            classes; `status_` names the reason.
        UserWarning
            When columns are constant or linearly dependent.
        """
        X, y = validated(self, X, y, least=self._least_rows())
        with naming("y"):
            check_classification_targets(y)
            np.unique(y)
        X, y, weights, *numbers = positive_rows(X, y, sample_weight, group_numbers(groups, X))
        classes = np.unique(y)
        if len(classes) < 2:
            raise ValueError(
                f"y must hold at least 2 classes in rows of positive weight, got 1: {classes.tolist()[0]!r}"
            )
        if self.warm_start is True and not np.array_equal(getattr(self, "classes_", classes), classes):
            raise ValueError(f"a warm start must keep the classes {self.classes_}, got {classes}")
        self.classes_ = classes
        return self._fit(X, self._encode(y), weights, *numbers)

    def _make_family(self, units):
        if len(self.classes_) == 2:
            return "bernoulli", {}
        return "categorical", {"n_classes": len(self.classes_)}

    def _predictor_labels(self):
        """Return what each of an expert's linear predictors is the logit of."""
        return [f"class {label}" for label in self.classes_[:-1]]

    def _encode(self, y):
        with naming("y"):
            unseen = np.setdiff1d(y, self.classes_)
        if len(unseen):
            raise ValueError(f"y must hold classes seen in fit ({self.classes_}), got {unseen.tolist()[0]!r}")
        return np.searchsorted(self.classes_, y).astype(np.float64)

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Return P(y = c | x).

        Parameters
        ----------
        X : array_like of shape (n, d)

        Returns
        -------
        ndarray of shape (n, C)
            In the order of ``classes_``.
        """
        return self._at(X, "probabilities", self._mixture_proba)

    def _mixture_proba(self, Z):
        proba = np.einsum("kn,knc->nc", self._gate(Z), self._expert_proba(Z))
        return proba / proba.sum(axis=1, keepdims=True)

    def predict_experts(self, X: ArrayLike) -> np.ndarray:
        """Return P(y = c | x, z = k), shape (n, K, C)."""
        return self._at(X, "probabilities", self._expert_proba).transpose(1, 0, 2)

    def _expert_proba(self, Z):
        return np.array([self._class_proba(part) for part in expert_predictors(self._model, self._theta, Z)])

    def _class_proba(self, predictors):
        if len(self.classes_) == 2:
            one = self._model.family.prediction(predictors)
            return np.column_stack([1.0 - one, one])
        rest = np.exp(-self._model.family.log_partition(predictors))
        return np.column_stack([self._model.family.mean(predictors), rest])

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Return the most probable class of every row, shape (n,)."""
        proba = self.predict_proba(X)
        return self.classes_[proba.argmax(axis=1)]

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the share of rows whose class `predict` tells, as scikit-learn's classifiers do."""
        return scored(super().score, self, X, y, sample_weight)

    def sample(self, X: ArrayLike, random_state: Any = None) -> np.ndarray:
        """Draw labels given X.

        Parameters
        ----------
        X : array_like of shape (n, d)
        random_state : int, RandomState or None

        Returns
        -------
        ndarray of shape (n,)
        """
        return self.classes_[self._draw(X, random_state).astype(int)]
