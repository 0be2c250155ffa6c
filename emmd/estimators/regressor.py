"""Mixture of regression experts with scikit-learn's interface."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted

from emmd.core.checks import ORDINARY, describe, known_name, positive_number, real_array
from emmd.core.loop.algorithm import Algorithm
from emmd.core.protocols.family import Family, found_families
from emmd.estimators.base import MixtureOfExpertsBase
from emmd.estimators.evaluate import expert_predictors
from emmd.estimators.progress import with_callbacks
from emmd.estimators.units import with_target_units
from emmd.estimators.validated import group_numbers, naming, positive_rows, scored, validated
from emmd.inference.methods import DistributionMethods
from emmd.models.experts.gaussian import REPRESENTABLE

_FAMILIES = ("gamma", "gaussian", "negative_binomial", "poisson", "student_t", "zero_inflated_poisson")
_SCALED = ("gaussian", "student_t")
"""Families that a linear map of y leaves: y is standardised inside."""

_NOT_NEGATIVE = ("gamma", "negative_binomial", "poisson", "zero_inflated_poisson")


class MixtureOfExpertsRegressor(DistributionMethods, RegressorMixin, MixtureOfExpertsBase):
    """Softmax-gated mixture of regression experts, fitted by EM with exact M-steps.

    P(z = k | x) is a softmax of linear functions of x; given z = k, y follows a
    generalised linear model. Features (and a Gaussian target) are standardised
    inside; everything reported is in the user's units.

    Parameters
    ----------
    n_experts : int
        K, at least 1.
    family : str or Family
        Of y given x and the expert: "gaussian", "student_t" (which outliers do not pull), "gamma", or
        "poisson", "negative_binomial" and "zero_inflated_poisson" for counts. Positive targets and counts
        have a log link.
    variance : "free", "shared" or float
        Gaussian only: a variance per expert, one for all, or a known value.
    df : float or None
        Student t only: its degrees of freedom, the fewer, the less an outlier counts; None estimates them, a
        number per expert.
    exposure : int or str, optional
        Column of X that holds exposures (time, area), for families with a log link: the mean of y is the
        exposure times e^u. Experts and gate do not see the column unless they are asked to.
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
        matter), or all of the experts' (``coef``, ``intercept``, ``dispersion`` where there is one). They
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
    coef_, intercept_ : ndarray of shape (K, d) and (K,), or (K, m, d) and (K, m) for m targets
        Where columns are linearly dependent, as dummies of all categories are, the coefficients of least norm
        on the standardised columns, of all with the same predictions; `column_messages_` names the columns.
    gate_coef_, gate_intercept_ : ndarray of shape (K, d) and (K,)
        0 for the last expert: only differences matter.
    dispersion_ : ndarray of shape (K,) or (1,), or None
        Variances (Gaussian), covariances of shape (K, m, m) (of m targets), squared scales (Student t),
        shapes (Gamma), sizes (negative binomial) or odds of counting (zero-inflated Poisson).
    df_ : ndarray of shape (K,)
        Degrees of freedom, where they are estimated.
    loglik_ : float
        Total log-likelihood, without penalties; sample weights count observations.
    trace_ : ndarray of shape (n_iterations,)
        Log-likelihood after each iteration, less the penalties. It jumps where Newton's method, or the
        search for better optima, has moved the run.
    n_iter_, converged_, status_, message_, column_messages_
        How the kept fit ended.
    starts_ : list of dict
        ``kind, loglik, n_iter, status`` of every start; `best_start_` is the index of the kept one.
    em_rate_ : float or None
        EM's local contraction factor at the fit.
    standard_errors_ : dict or None
        ``coef, intercept, gate_coef, gate_intercept, dispersion``, from the observed
        information; None when that is not positive definite, see `standard_errors_message_`.
    n_features_in_, feature_names_in_

    Examples
    --------
    >>> import numpy as np, emmd
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((400, 1))
    >>> slope = np.where(rng.random(400) < 0.5, 1.0, -1.0)
    >>> y = slope * X[:, 0] + 0.1 * rng.standard_normal(400)
    >>> fit = emmd.MixtureOfExpertsRegressor(random_state=0).fit(X, y)
    >>> bool(fit.converged_), np.sort(fit.coef_[:, 0]).round(1).tolist()
    (True, [-1.0, 1.0])
    """

    def __init__(
        self,
        n_experts: int = 2,
        *,
        family: str | Family = "gaussian",
        variance: str | float = "free",
        df: float | None = 4.0,
        exposure: int | str | None = None,
        gate: str = "softmax",
        expert_ridge: ArrayLike = 0.0,
        gate_ridge: ArrayLike = 0.0,
        prior_strength: float = 0.0,
        fit_intercept: bool = True,
        expert_features: Sequence[int] | None = None,
        gate_features: Sequence[int] | None = None,
        fixed: dict | None = None,
        n_init: int = 6,
        keep: str = "best",
        method: str | Algorithm = "em",
        tol: float = 1e-8,
        max_iter: int = 5000,
        warm_start: bool = False,
        n_jobs: int | None = None,
        random_state: Any = None,
        callback: Callable | None = None,
        verbose: bool = False,
    ) -> None:
        super().__init__(
            n_experts,
            gate=gate,
            expert_ridge=expert_ridge,
            gate_ridge=gate_ridge,
            prior_strength=prior_strength,
            fit_intercept=fit_intercept,
            expert_features=expert_features,
            gate_features=gate_features,
            fixed=fixed,
            n_init=n_init,
            keep=keep,
            method=method,
            tol=tol,
            max_iter=max_iter,
            warm_start=warm_start,
            n_jobs=n_jobs,
            random_state=random_state,
            callback=callback,
            verbose=verbose,
        )
        self.family = family
        self.variance = variance
        self.df = df
        self.exposure = exposure

    def __sklearn_tags__(self):
        """Return scikit-learn's tags: some targets cannot be negative."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = (
            self._gaussian and isinstance(self.variance, str) and self.variance == "free"
        )
        tags.target_tags.positive_only = isinstance(self.family, str) and self.family in _NOT_NEGATIVE
        return tags

    @with_callbacks
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> "MixtureOfExpertsRegressor":
        """Fit the mixture.

        Parameters
        ----------
        X : array_like of shape (n, d)
        y : array_like of shape (n,), or (n, m)
            Several columns for Gaussian experts only: m targets, with a full covariance in every expert.
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
            When the kept start did not lead to a proper optimum; `status_` names the reason.
        UserWarning
            When columns are constant or linearly dependent.
        """
        names = getattr(y, "columns", None)
        X, y = validated(self, X, y, y_numeric=True, least=self._least_rows())
        self._name_targets(names, np.shape(y))
        numbers = group_numbers(groups, X)
        return self._fit(*positive_rows(X, self._encode(y), sample_weight, numbers))

    def _name_targets(self, names, shape):
        """Keep the names of several targets: those of their table, else y0, y1, ..."""
        self.__dict__.pop("target_names_", None)
        if len(shape) == 2:
            given = [f"y{j}" for j in range(shape[1])] if names is None else [str(name) for name in names]
            self.target_names_ = np.array(given)

    @property
    def _gaussian(self):
        return isinstance(self.family, str) and self.family == "gaussian"

    def _make_family(self, units):
        student = isinstance(self.family, str) and self.family == "student_t"
        if not student and (self.df is None or positive_number("df", self.df) != 4.0):
            raise ValueError(f"df is an option of family 'student_t' only, got {describe(self.df)}")
        if self._gaussian and np.ndim(units.y_scale):
            return "multivariate_gaussian", {"n_targets": len(units.y_scale)}
        if self._gaussian:
            known = self.variance
            if not isinstance(known, str):
                known = positive_number("variance", known, *REPRESENTABLE) / units.y_scale**2
                if not ORDINARY[0] <= known <= ORDINARY[1]:
                    raise ValueError(
                        f"variance must be {ORDINARY[0]:g} to {ORDINARY[1]:g} times that of y "
                        f"({units.y_scale**2:.3g}), got {self.variance!r}"
                    )
            return "gaussian", {"variance": known}
        if not isinstance(self.variance, str) or self.variance != "free":
            raise ValueError(
                f"variance is an option of family 'gaussian' only, got {describe(self.variance)}"
            )
        if isinstance(self.family, Family):
            return self.family, {}
        if student:
            return ("student_t_df", {}) if self.df is None else ("student_t", {"df": self.df})
        if isinstance(self.family, str) and self.family in ("bernoulli", "categorical"):
            raise ValueError(
                f"family must be one of {', '.join(_FAMILIES)}, got {self.family!r}: that is what "
                "MixtureOfExpertsClassifier fits"
            )
        return known_name("family", self.family, [*_FAMILIES, *found_families().outside]), {}

    def _target_units(self, units, y, weights):
        scaled = isinstance(self.family, str) and self.family in _SCALED
        return with_target_units(units, y, weights) if scaled else units

    def _encode(self, y):
        with naming("y"):
            numbers = y.astype(np.float64) if y.dtype.kind == "O" else y
        if numbers.dtype.kind not in "fiub":
            raise TypeError(
                f"y must hold numbers for family {self.family!r}, got {describe(y.tolist()[0])}; "
                "MixtureOfExpertsClassifier takes labels"
            )
        # an object such as None has become NaN
        return real_array("y", numbers.astype(np.float64), None)

    def _predictor_labels(self):
        """Return what each of an expert's linear predictors is the mean of."""
        return self.target_names_.tolist()

    def _checked_rows(self, X, y):
        """Return standardised features and targets."""
        check_is_fitted(self)
        X, y = validated(self, X, y, reset=False)
        return self._units.features(X), self._units.target(self._encode(y))

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Return E[y | x].

        Parameters
        ----------
        X : array_like of shape (n, d)

        Returns
        -------
        ndarray of shape (n,), or (n, m)
        """
        return self._at(X, "predictions", self._mean)

    def _mean(self, Z):
        means = self._expert_means(Z)
        gate = self._gate(Z).T.reshape(means.shape[:2] + (1,) * (means.ndim - 2))
        gate = np.broadcast_to(gate, means.shape)
        # far away an expert whose probability is 0 may have a mean beyond the largest number
        return np.multiply(gate, means, where=gate > 0, out=np.zeros_like(gate)).sum(axis=1)

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the coefficient of determination of `predict`, as scikit-learn's regressors do."""
        return scored(super().score, self, X, y, sample_weight, y_numeric=True)

    def predict_experts(self, X: ArrayLike) -> np.ndarray:
        """Return E[y | x, z = k], shape (n, K), or (n, K, m) for m targets."""
        return self._at(X, "predictions", self._expert_means)

    def _expert_means(self, Z):
        parts = expert_predictors(self._model, self._theta, Z)
        means = np.stack([self._model.family.prediction(part) for part in parts], axis=1)
        return self._units.y_scale * means + self._units.y_centre

    def sample(self, X: ArrayLike, random_state: Any = None) -> np.ndarray:
        """Draw y given X.

        Parameters
        ----------
        X : array_like of shape (n, d)
        random_state : int, RandomState or None

        Returns
        -------
        ndarray of shape (n,), or (n, m)
        """
        return self._units.y_scale * self._draw(X, random_state) + self._units.y_centre
