"""What a fitted estimator says about how sure its parameters are, and about the distribution of y."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from emmd.core.checks import MANY, describe, function_or_none, known_name, number_between, positive_integer
from emmd.estimators.inference import covariance
from emmd.estimators.validated import drawn_seed, group_numbers


class InferenceMethods:
    """Covariances, intervals and resamples of both estimators; the work is done by the files beside."""

    _model: Any
    _units: Any
    _theta: np.ndarray
    _covariance: np.ndarray | None
    _problem: Any
    _grouped: bool
    standard_errors_message_: str

    @property
    def covariance_(self) -> Any:
        """Covariance of the estimated parameters by part and term (pandas.DataFrame); None where unknown.

        From the inverse of the observed information, as `standard_errors_`, whose message says why it is
        None. Parameters that are fixed, left out, or of the reference gate are not in it. Where columns are
        linearly dependent it is singular, and what the data tell, such as differences between dummies, has
        its variance all the same.
        """
        from emmd.inference.covariance import named_covariance

        check_is_fitted(self)
        return None if self._covariance is None else named_covariance(self, self._covariance)

    def summary(self, level: float = 0.95, covariance: Any = None) -> Any:
        """Return a table of all parameters.

        Parameters
        ----------
        level : float
            Of the intervals.
        covariance : pandas.DataFrame, optional
            Another covariance of the estimated parameters, such as `robust_covariance` or that of a
            bootstrap; `covariance_` by default.

        Returns
        -------
        pandas.DataFrame
            A row per parameter, by part and term, with the columns ``estimate, standard error, z, p, lower,
            upper, remark``. Wald intervals; those of variances and the like are made on the scale of their
            logarithms, and have no z. Cells are NaN where there is nothing to say: in the row of the
            reference gate, which the remark names, and for standard errors of what is not estimated.
            Where columns are linearly dependent, the remark says so of each coefficient that depends on it:
            of all with the same predictions, those of least norm on the standardised columns are reported,
            and their standard errors are those of that choice. Differences between dummies do not depend on
            it.
        """
        from emmd.inference.summary import summary_table

        check_is_fitted(self)
        level = _level("level", level)
        return summary_table(self, level, self.covariance_ if covariance is None else covariance)

    def robust_covariance(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Any:
        """Return the sandwich covariance, which holds where the likelihood is not quite the right one.

        Parameters
        ----------
        X, y, sample_weight
            The data of `fit`.
        groups : array_like of shape (n,), optional
            Labels of the rows of positive weight that may depend on each other, e.g. of one subject.

        Returns
        -------
        pandas.DataFrame
            As `covariance_`.

        References
        ----------
        White, "Maximum likelihood estimation of misspecified models", Econometrica 50, 1982.
        """
        from emmd.inference.covariance import named_covariance, sandwich

        check_is_fitted(self)
        if self._grouped:
            raise ValueError("the fit must be one without groups: its rows do not add up a gradient each")
        problem, total = self._problem(X, y, sample_weight)
        bread = self._known_covariance()
        codes = group_numbers(groups, problem.y)
        return named_covariance(self, sandwich(problem, self._theta, total, bread, codes))

    def _known_covariance(self):
        if self._covariance is None:
            raise ValueError(f"the fit must have standard errors, got none: {self.standard_errors_message_}")
        return self._covariance

    def _spread_on(self, problem, total):
        """Return the covariance on the data that are given, whose units those of a profile must be."""
        complete, missing = problem.informations(self._theta)
        spread = covariance(complete - missing, total)
        if spread is None:
            raise ValueError(
                "X, y and sample_weight must be those of fit, got data on which the fit is no strict optimum"
            )
        return spread

    def profile_interval(
        self,
        X: ArrayLike,
        y: ArrayLike,
        parameter: tuple[str, str],
        level: float = 0.95,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> tuple[float, float]:
        """Return the values of one parameter that a likelihood-ratio test at ``1 - level`` does not refuse.

        Parameters
        ----------
        X, y, sample_weight, groups
            The data of `fit`.
        parameter : tuple of str
            Part and term, as in the index of `summary`: ``("expert 1", "x0")``.
        level : float

        Returns
        -------
        lower, upper : float
            Infinite, with a warning, where the likelihood does not fall far enough.
        """
        from emmd.inference.covariance import parameter_jacobian
        from emmd.inference.profile import Profile, profile_interval
        from emmd.inference.terms import estimated, values

        level = _level("level", level)
        problem, total = self._problem(X, y, sample_weight, groups)
        self._known_covariance()
        named = tuple(parameter) if isinstance(parameter, tuple | list) else ()
        chosen = [row for row in estimated(self) if (row.part, row.term) == named]
        if not chosen:
            raise ValueError(
                "parameter must be part and term of an estimated parameter, as in the index of covariance_, "
                f"got {describe(parameter)}"
            )
        if chosen[0].attribute == "dispersion" and self._model.family.n_targets > 1:
            raise ValueError(
                f"parameter must be no covariance, which is a curved function of the others, got {parameter}"
            )
        [slope] = values(parameter_jacobian(self._model, self._units, self._theta), chosen[:1])
        estimate = float(getattr(self, f"{chosen[0].attribute}_")[chosen[0].where])
        positive = chosen[0].positive
        slope = slope / estimate if positive else slope
        profile = Profile(problem, self._theta, total, self._spread_on(problem, total), slope)
        lower, upper = (end * profile.deviation for end in profile_interval(profile, level))
        if positive:
            return estimate * float(np.exp(lower)), estimate * float(np.exp(upper))
        return estimate + lower, estimate + upper

    def bootstrap(
        self,
        X: ArrayLike,
        y: ArrayLike,
        n_resamples: int = 500,
        *,
        kind: str = "nonparametric",
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        random_state: Any = None,
        n_jobs: int | None = None,
        callback: Callable | None = None,
        resume: Any = None,
    ) -> Any:
        """Refit to resampled data, each time from the fit, and put the experts back in its order.

        Parameters
        ----------
        X, y, sample_weight, groups
            The data of `fit`.
        n_resamples : int
        kind : "nonparametric" or "parametric"
            Whether rows (whole groups, where there are any) are drawn, or targets from the fitted mixture.
        random_state : int, RandomState, Generator or None
            Resample i depends on the seed and i alone, whatever `n_jobs` is.
        n_jobs : int, optional
            Threads.
        callback : callable, optional
            Called as ``callback(done, n_resamples)`` after each refit, from the thread that made it.
        resume : BootstrapResult, optional
            An earlier result: only the resamples that it lacks are made, and its seed and kind are kept.

        Returns
        -------
        BootstrapResult
            With ``.intervals(level)``, ``.covariance`` and all estimates.
        """
        from emmd.inference.bootstrap import KINDS, BootstrapResult, bootstrap

        n_resamples = positive_integer("n_resamples", n_resamples, minimum=2)
        kind = known_name("kind", kind, KINDS)
        if resume is not None and not isinstance(resume, BootstrapResult):
            raise TypeError(f"resume must be an earlier result of bootstrap, got {describe(resume)}")
        seed = drawn_seed(random_state) if resume is None else resume.seed
        kind = kind if resume is None else resume.kind
        if n_jobs is not None:
            n_jobs = positive_integer("n_jobs", n_jobs, minimum=-MANY, maximum=MANY)
        problem, total = self._problem(X, y, sample_weight, groups)
        callback = function_or_none("callback", callback)
        return bootstrap(self, problem, total, n_resamples, kind, seed, n_jobs, callback, resume)


class DistributionMethods:
    """Quantiles, intervals and residuals of a regressor, from the mixture's own distribution function."""

    _model: Any
    _units: Any
    _theta: np.ndarray
    _at: Any
    _problem: Any
    _checked_rows: Any

    def predict_quantile(self, X: ArrayLike, q: ArrayLike) -> np.ndarray:
        """Return quantiles of y given x: the least y with P(Y <= y | x) >= q.

        Parameters
        ----------
        X : array_like of shape (n, d)
        q : float or array_like of shape (m,)
            Levels between 0 and 1.

        Returns
        -------
        ndarray of shape (n,), or (n, m) for several levels
        """
        from emmd.inference.distribution import quantile

        self._require_one_target()
        levels = [_level("q", level) for level in np.atleast_1d(np.asarray(q, dtype=object)).tolist()]
        if not levels:
            raise ValueError(f"q must hold at least one level, got {describe(q)}")

        def compute(Z):
            found = [quantile(self._model, self._theta, Z, level) for level in levels]
            return self._units.y_scale * np.column_stack(found) + self._units.y_centre

        found = self._at(X, "quantiles", compute)
        return found[:, 0] if np.ndim(q) == 0 else found

    def predict_interval(self, X: ArrayLike, level: float = 0.95) -> np.ndarray:
        """Return the central interval that holds y given x with probability `level`, shape (n, 2)."""
        level = _level("level", level)
        return self.predict_quantile(X, [0.5 - 0.5 * level, 0.5 + 0.5 * level])

    def predict_cdf(self, X: ArrayLike, y: ArrayLike) -> np.ndarray:
        """Return P(Y <= y | x) for each row, shape (n,).

        Parameters
        ----------
        X : array_like of shape (n, d)
        y : array_like of shape (n,)
            Any numbers.
        """
        from emmd.inference.distribution import cdf

        self._require_one_target()
        Z, target = self._checked_rows(X, y)
        with np.errstate(all="ignore"):
            return cdf(self._model, self._theta, Z, target)

    def quantile_residuals(self, X: ArrayLike, y: ArrayLike, random_state: Any = None) -> np.ndarray:
        """Return residuals that are standard normal where the mixture is right, shape (n,).

        Parameters
        ----------
        X : array_like of shape (n, d)
        y : array_like of shape (n,)
        random_state : int, RandomState, Generator or None
            For counts: they are drawn between P(Y < y) and P(Y <= y).

        References
        ----------
        Dunn and Smyth, "Randomized quantile residuals", J. Comp. Graph. Stat. 5, 1996.
        """
        from emmd.inference.distribution import quantile_residuals

        self._require_one_target()
        Z, target = self._checked_rows(X, y)
        target = self._model.family.check_target(target)
        rng = np.random.default_rng(drawn_seed(random_state))
        with np.errstate(all="ignore"):
            return quantile_residuals(self._model, self._theta, Z, target, rng)

    def _require_one_target(self):
        check_is_fitted(self)
        m = self._model.family.n_targets
        if m > 1:
            raise ValueError(f"y must be one target for a distribution function, got a fit to {m} targets")


def _level(name, value):
    level = number_between(name, value, 0.0, 1.0)
    if level in (0.0, 1.0):
        raise ValueError(f"{name} must lie between 0 and 1, got {value!r}")
    return level
