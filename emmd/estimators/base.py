"""What both estimators share: the fit from several starts, the gate and the likelihood."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from emmd.core.algorithm import Algorithm
from emmd.core.checks import (
    MANY,
    NotFiniteError,
    flag,
    function_or_none,
    known_name,
    not_negative,
    positive_integer,
    real_array,
    require_finite,
)
from emmd.core.family import family_object
from emmd.core.gate import gate_object
from emmd.core.problem import Problem
from emmd.core.solve import make_algorithm
from emmd.core.status import Status
from emmd.estimators.evaluate import log_gate, log_joint
from emmd.estimators.inference import covariance, em_rate
from emmd.estimators.known import chosen_columns, fixed_parameters, parameter_shapes
from emmd.estimators.parameters import named_deviations, named_parameters, standardised
from emmd.estimators.progress import Progress
from emmd.estimators.starts.draw import draw_starts, pooled_fit, redrawn, start_from
from emmd.estimators.starts.run import KEEP, Start, fit_from_starts
from emmd.estimators.units import Units, feature_units
from emmd.estimators.validated import drawn_seed, validated
from emmd.models.conjugate_prior import ConjugatePrior
from emmd.models.mixture.model import MixtureOfExperts
from emmd.models.mixture.ridge import LARGEST_PENALTY

_SCALES = ("variance", "expert_ridge", "gate_ridge", "prior_strength")


class MixtureOfExpertsBase(BaseEstimator):
    """Base of `MixtureOfExpertsRegressor` and `MixtureOfExpertsClassifier`; not for use on its own."""

    _units: Units
    _model: MixtureOfExperts
    _theta: np.ndarray
    _before: tuple | None

    def __init__(
        self,
        n_experts: int = 2,
        *,
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
        self.n_experts = n_experts
        self.gate = gate
        self.expert_ridge = expert_ridge
        self.gate_ridge = gate_ridge
        self.prior_strength = prior_strength
        self.fit_intercept = fit_intercept
        self.expert_features = expert_features
        self.gate_features = gate_features
        self.fixed = fixed
        self.n_init = n_init
        self.keep = keep
        self.method = method
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.callback = callback
        self.verbose = verbose

    # what the two estimators fill in

    def _make_family(self, units):
        """Return the family of the standardised problem: a name or an object, and its options."""
        raise NotImplementedError

    def _encode(self, y):
        """Return y as the family wants it, in the user's units."""
        raise NotImplementedError

    def _target_units(self, units, y, weights):
        return units

    # fitting

    def _fit(self, X, y, weights):
        """Fit to rows of positive weight; `y` is a float64 target in the user's units."""
        n_experts = self._least_rows()
        gate_object(self.gate)
        if len(X) < n_experts:
            raise ValueError(
                f"X must have at least as many rows of positive weight as experts ({n_experts}), got {len(X)}"
            )
        total = weights.sum()
        ridges = {"expert": self.expert_ridge, "gate": self.gate_ridge}
        penalised = [part for part, ridge in ridges.items() if not_negative(f"{part}_ridge", ridge)]
        expert, gate = self._columns(X.shape[1])
        names = getattr(self, "feature_names_in_", None)
        intercept = flag("fit_intercept", self.fit_intercept)
        units = feature_units(X, weights / total, intercept, expert, gate, penalised, names)
        self._adopt(self._target_units(units, y, weights / total))
        problem = Problem(self._model, self._units.features(X), self._units.target(y), weights)
        try:
            starts, neighbour = self._starts(problem, X, y)
            problem = self._with_prior(problem)
            started = self._run(problem, starts, neighbour, total)
        except NotFiniteError as error:
            names = ", ".join(["X", "y", *(name for name in _SCALES if hasattr(self, name))])
            raise ValueError(f"{names} must give a finite likelihood at every start: {error}") from error
        self._theta = started.runs[started.best].x
        self._report(problem, started, total)
        self._infer(problem, total)
        return self

    def _least_rows(self):
        """Return the number of rows that scikit-learn must ask for."""
        return positive_integer("n_experts", self.n_experts, minimum=2, maximum=MANY)

    def _columns(self, n_features):
        """Return the columns of X that experts and gate are to use."""
        names = getattr(self, "feature_names_in_", None)
        expert = chosen_columns("expert_features", self.expert_features, n_features, names)
        if gate_object(self.gate).sees_features:
            return expert, chosen_columns("gate_features", self.gate_features, n_features, names)
        if self.gate_features is not None:
            raise ValueError(f"gate_features must be None for gate={self.gate!r}, got {self.gate_features!r}")
        return expert, []

    def _with_prior(self, problem):
        """Return the problem with pseudo-observations that do not depend on x, if any are asked for."""
        strength = not_negative("prior_strength", self.prior_strength, LARGEST_PENALTY)
        if strength == 0.0:
            return problem
        model = ConjugatePrior(problem.model, strength, self._prior_centre(problem))
        return Problem(model, problem.X, problem.y, problem.weights)

    def _prior_centre(self, problem):
        """Return K equal experts without slopes, fitted to all rows, and equal mixing weights."""
        model = problem.model
        named = {name: np.zeros(shape) for name, shape in model.shapes.items() if name in model.index}
        if self._units.intercept and "coef" in named:
            alone = MixtureOfExperts(1, model.n_experts, model.family, "constant")
            ones = Problem(alone, np.ones((problem.n_rows, 1)), problem.y, problem.weights)
            fitted = alone.unpack(pooled_fit(ones))
            named["coef"][..., -1:], named["dispersion"] = fitted["coef"], fitted["dispersion"]
        return model.pack(**named)

    def _adopt(self, units):
        """Take units, and make the model of the standardised features that goes with them."""
        previous = (self._units, self._model, self._theta) if hasattr(self, "_theta") else None
        self._before = previous if flag("warm_start", self.warm_start) else None
        self._units = units
        self._model = self._make_model(units)

    def _make_model(self, units):
        family, options = self._make_family(units)
        family = family_object(family, **options)
        K, constant = self.n_experts, not gate_object(self.gate).sees_features
        width = units.width + units.intercept
        parts = {"expert_columns": units.columns("expert")}
        if not constant:
            parts["gate_columns"] = units.columns("gate")
        for part in ("expert_ridge", "gate_ridge"):
            # an intercept is not penalised
            parts[part] = np.full(width, not_negative(part, getattr(self, part), LARGEST_PENALTY))
            parts[part][units.width :] = 0.0
        shapes = parameter_shapes(family, K, units, constant)
        parts["fixed"] = fixed_parameters(self.fixed, units, shapes, constant)
        return MixtureOfExperts(width, K, family, gate=self.gate, **parts)

    def _restore(self, units, theta):
        """Become fitted with parameters that were fitted before."""
        self._units, self._model = units, self._make_model(units)
        self._theta = real_array("theta", theta, 1, (self._model.n_params,))

    def _starts(self, problem, X, y):
        """Return the starts, and what draws points from which better optima may be reached."""
        before = self.__dict__.pop("_before")
        if before is None:
            n_init = positive_integer("n_init", self.n_init, maximum=MANY)
            seed = drawn_seed(self.random_state)

            def neighbour(theta, attempt):
                return redrawn(problem, theta, np.random.default_rng([seed, n_init, attempt]))

            return draw_starts(problem, n_init, seed), neighbour
        units, model, theta = before
        if model.n_experts != self.n_experts or units.n_features != X.shape[1]:
            raise ValueError(
                f"a warm start must keep n_experts={model.n_experts} and {units.n_features} features, "
                f"got n_experts={self.n_experts} and {X.shape[1]} features"
            )
        return [self._warm_start(problem, units, model, theta, X, y)], None

    def _warm_start(self, problem, units, model, theta, X, y):
        """Return the previous parameters as a start, or what the M-step makes of their responsibilities."""
        same = type(model.family) is type(self._model.family) and model.shapes == self._model.shapes
        if same and not (model.fixed or self._model.fixed):
            named = named_parameters(model, units, theta)
            warm = standardised(self._units, named, not model.gate.sees_features)
            return Start("warm", self._model.pack(**warm))
        joint = log_joint(model, theta, units.features(X), units.target(y))
        return start_from(problem, "warm", np.exp(joint - logsumexp(joint, axis=0)).T)

    def _run(self, problem, starts, neighbour, total):
        callback = function_or_none("callback", self.callback)
        progress = Progress(starts, self._verbosity())

        def watch(start, iteration, loss):
            loglik = self._loglik(loss, total)
            progress.step(start, iteration, loglik)
            if callback is not None:
                callback(start, iteration, loglik)

        def ended(start, run):
            progress.end(start, run, self._loglik(run.fun - self._penalty(problem, run.x), total))

        return fit_from_starts(
            problem,
            starts,
            neighbour,
            n_jobs=self._jobs(starts),
            callback=watch if callback is not None or self.verbose else None,
            ended=ended if self.verbose else None,
            keep=known_name("keep", self.keep, KEEP),
            method=self.method,
            tol=self.tol,
            max_iter=positive_integer("max_iter", self.max_iter),
        )

    def _verbosity(self):
        return (
            self.verbose if isinstance(self.verbose, bool) else positive_integer("verbose", self.verbose, 0)
        )

    def _jobs(self, starts):
        """Return the number of threads: no more than there are starts."""
        if self.n_jobs is None:
            return None
        n_jobs = positive_integer("n_jobs", self.n_jobs, minimum=-MANY)
        if n_jobs == 0:
            raise ValueError("n_jobs must be None or not 0, got 0")
        return min(n_jobs, len(starts))

    def _loglik(self, loss, total):
        """Return the total log-likelihood in the user's units."""
        return total * (-loss - np.log(self._units.y_scale))

    def _penalty(self, problem, theta):
        """Return what the loss holds beside the likelihood."""
        prior = 0.0
        if problem.model is not self._model:
            prior = problem.loss(theta) - self._model.loss(problem.data.data, theta)
        return problem.penalty(theta) + prior

    def _report(self, problem, started, total):
        run = started.runs[started.best]
        self.starts_ = [
            {
                "kind": start.kind,
                "loglik": float(self._loglik(one.fun - self._penalty(problem, one.x), total)),
                "n_iter": one.nit + 1,
                "status": Status(one.status).name.lower(),
            }
            for start, one in zip(started.starts, started.runs)
        ]
        self.best_start_ = started.best
        self.status_ = Status(run.status)
        if self.status_.success and len(self._units.dropped):
            self.status_ = Status.SINGULAR_DESIGN
        self.converged_ = self.status_.success
        # the M-step that turned the start's responsibilities into parameters counts
        self.n_iter_ = run.nit + 1
        self.trace_ = self._loglik(run.trace.loss, total)
        self.loglik_ = self.starts_[started.best]["loglik"]
        self.n_observations_ = float(total)
        self._say()
        self._set_parameters()

    def _say(self):
        if self.verbose:
            print(f"kept start {self.best_start_}: log-likelihood {self.loglik_:.6f}")
        if not self.converged_:
            warnings.warn(self.message_, ConvergenceWarning, stacklevel=5)

    @property
    def message_(self) -> str:
        """How the kept fit ended and what to do about it."""
        if self.status_ is Status.SINGULAR_DESIGN and len(self._units.dropped):
            return (
                f"Columns {self._labels(self._units.dropped)} of X are constant or linear combinations of "
                "earlier columns: they were left out, their coefficients are 0."
            )
        return make_algorithm(self.method).message(self.status_) + self._alternative()

    def _labels(self, columns):
        """Return the columns' names, or their numbers where X had none."""
        names = getattr(self, "feature_names_in_", None)
        return columns.tolist() if names is None else [str(names[j]) for j in columns]

    def _alternative(self):
        """Return a sentence on the best start that converged, where the kept one has a higher likelihood."""
        if self.status_.success:
            return ""
        converged = [k for k, start in enumerate(self.starts_) if start["status"] == "converged"]
        if not converged:
            return ""
        index = max(converged, key=lambda k: self.starts_[k]["loglik"])
        loglik = self.starts_[index]["loglik"]
        return (
            f" The log-likelihood is {self.loglik_:.6f}; that of start {index}, which converged, is "
            f"{loglik:.6f}, and keep='converged' keeps it."
        )

    def _set_parameters(self):
        for name, value in named_parameters(self._model, self._units, self._theta).items():
            setattr(self, f"{name}_", value)

    def _infer(self, problem, total):
        """Set EM's local rate and the standard errors, or None with the reason."""
        self.em_rate_ = self.standard_errors_ = None
        self.standard_errors_message_ = "The fit is not at a stationary point."
        if self.status_ not in (Status.CONVERGED, Status.SINGULAR_DESIGN):
            return
        complete, missing = problem.informations(self._theta)
        self.em_rate_ = em_rate(complete, missing)
        spread = covariance(complete - missing, total)
        if spread is None:
            self.standard_errors_message_ = (
                "The observed information is not positive definite at the fit (a saddle point or a flat "
                "likelihood), so there are no standard errors. Use fewer experts or other starts."
            )
            warnings.warn(self.standard_errors_message_, ConvergenceWarning, stacklevel=4)
            return
        self.standard_errors_ = named_deviations(self._model, self._units, self._theta, spread)
        penalised = problem.model.ridge is not None or problem.model is not self._model
        self.standard_errors_message_ = (
            f"From the inverse of the observed information{' of the penalised loss' if penalised else ''}."
        )

    # at new rows

    def _features(self, X):
        check_is_fitted(self)
        return self._units.features(validated(self, X, reset=False))

    def gate_proba(self, X: ArrayLike) -> np.ndarray:
        """Return P(z = k | x), the gate's probabilities.

        Parameters
        ----------
        X : array_like of shape (n, d)

        Returns
        -------
        ndarray of shape (n, K)
        """
        return self._at(X, "gate probabilities", self._gate).T

    def _gate(self, Z):
        return np.exp(log_gate(self._model, self._theta, Z))

    def _at(self, X, what, compute):
        """Return what is computed of standardised features; it must be finite."""
        with np.errstate(all="ignore"):
            value = compute(self._features(X))
        require_finite("X", what, value)
        return value

    def _log_joint(self, X, y):
        check_is_fitted(self)
        X, y = validated(self, X, y, reset=False)
        y = self._model.family.check_target(self._units.target(self._encode(y)))
        with np.errstate(all="ignore"):
            joint = log_joint(self._model, self._theta, self._units.features(X), y)
            # an expert may have no share in a row, all together must
            require_finite("X and y", "log densities", logsumexp(joint, axis=0))
        return joint

    def responsibilities(self, X: ArrayLike, y: ArrayLike) -> np.ndarray:
        """Return P(z = k | x, y), the posterior probabilities of the experts.

        Parameters
        ----------
        X : array_like of shape (n, d)
        y : array_like of shape (n,)

        Returns
        -------
        ndarray of shape (n, K)
        """
        joint = self._log_joint(X, y)
        return np.exp(joint - logsumexp(joint, axis=0)).T

    def log_density(self, X: ArrayLike, y: ArrayLike) -> np.ndarray:
        """Return log p(y | x) of every row, shape (n,)."""
        return logsumexp(self._log_joint(X, y), axis=0) - np.log(self._units.y_scale)

    def _draw(self, X, random_state):
        return self._model.sample_y(self._theta, self._features(X), drawn_seed(random_state))

    def _criterion(self, X, y, penalty):
        if (X is None) != (y is None):
            raise ValueError("X and y must be given together, or neither for the data of fit")
        check_is_fitted(self)
        if X is None:
            return -2.0 * self.loglik_ + penalty(self.n_observations_) * self._model.n_params
        loglik = self.log_density(X, y)
        return float(-2.0 * loglik.sum() + penalty(len(loglik)) * self._model.n_params)

    def aic(self, X: ArrayLike | None = None, y: ArrayLike | None = None) -> float:
        """Return Akaike's criterion, -2 log-likelihood + 2 p; lower is better.

        Parameters
        ----------
        X, y : array_like, optional
            The data of `fit` by default.
        """
        return self._criterion(X, y, lambda n: 2.0)

    def bic(self, X: ArrayLike | None = None, y: ArrayLike | None = None) -> float:
        """Return the Bayesian criterion, -2 log-likelihood + p log n; lower is better.

        Parameters
        ----------
        X, y : array_like, optional
            The data of `fit` by default; n is then the sum of its sample weights.
        """
        return self._criterion(X, y, np.log)
