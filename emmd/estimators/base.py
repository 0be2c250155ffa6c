"""What both estimators share: the fit from several starts, the gate and the likelihood."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

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
from emmd.core.loop.algorithm import Algorithm
from emmd.core.loop.solve import make_algorithm
from emmd.core.protocols.gate import gate_object
from emmd.core.status import Status
from emmd.estimators.building.model import ModelBuilder
from emmd.estimators.evaluate import log_gate, log_joint
from emmd.estimators.inference import covariance, em_rate
from emmd.estimators.known import fixed_parts
from emmd.estimators.parameters import named_deviations, named_parameters, standardised
from emmd.estimators.progress import CallbackSupportMixin, Progress, Tasks
from emmd.estimators.starts.draw import draw_starts, redrawn, start_from
from emmd.estimators.starts.run import KEEP, SAME_OPTIMUM, Start, fit_from_starts
from emmd.estimators.units import Units, feature_units
from emmd.estimators.validated import drawn_seed, group_numbers, positive_rows, validated
from emmd.inference.criteria import CriteriaMethods, entropy
from emmd.inference.methods import InferenceMethods
from emmd.inference.order import canonical_order, without_prior
from emmd.models.conjugate_prior import ConjugatePrior
from emmd.models.mixture.model import MixtureOfExperts

_FEW_ROWS = 2.0
"""Observations per parameter of an expert with which it follows rows that no others follow."""

_SCALES = ("variance", "expert_ridge", "gate_ridge", "prior_strength")


class MixtureOfExpertsBase(
    CriteriaMethods, InferenceMethods, ModelBuilder, CallbackSupportMixin, BaseEstimator
):
    """Base of `MixtureOfExpertsRegressor` and `MixtureOfExpertsClassifier`; not for use on its own."""

    _units: Units
    _model: MixtureOfExperts
    _theta: np.ndarray
    _covariance: np.ndarray | None
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

    def _fit(self, X, y, weights, groups=None):
        """Fit to rows of positive weight; `y` is a float64 target in the user's units.

        `groups` are numbers of the rows' groups, or None where every row has an expert of its own.
        """
        n_experts = self._least_rows()
        gate_object(self.gate)
        if len(X) < n_experts:
            raise ValueError(
                f"X must have at least as many rows of positive weight as experts ({n_experts}), got {len(X)}"
            )
        total = weights.sum()
        ridges = {"expert": self.expert_ridge, "gate": self.gate_ridge}
        as_they_are = [part for part, ridge in ridges.items() if not_negative(f"{part}_ridge", ridge)]
        as_they_are += fixed_parts(self.fixed)
        exposure = self._exposure(X.shape[1])
        expert, gate = self._columns(X.shape[1], exposure)
        names = getattr(self, "feature_names_in_", None)
        intercept = flag("fit_intercept", self.fit_intercept)
        units = feature_units(X, weights / total, intercept, expert, gate, as_they_are, names)
        units = replace(units, exposure=exposure)
        self._adopt(self._target_units(units, y, weights / total))
        self._grouped = groups is not None
        problem = self._problem_of(self._units.features(X), self._units.target(y), weights, groups)
        try:
            starts, neighbour = self._starts(problem, X, y)
            problem = self._with_prior(problem)
            started = self._run(problem, starts, neighbour, total)
        except NotFiniteError as error:
            names = ", ".join(["X", "y", *(name for name in _SCALES if hasattr(self, name))])
            raise ValueError(f"{names} must give a finite likelihood at every start: {error}") from error
        self._theta = started.runs[started.best].x
        if neighbour is not None and self.fixed is None:
            # a warm start keeps the experts where they were, and what is fixed numbers them
            order = canonical_order(problem, self._theta)
            self._theta = self._model.permuted(self._theta, order)
        self.entropy_ = float(total) * self._entropy(problem)
        self._report(problem, started, total)
        self._infer(problem, total)
        return self

    def _entropy(self, problem):
        model, data = without_prior(problem)
        return entropy(data.gate_weights, model.posterior(data, self._theta)[1].T)

    def _least_rows(self):
        """Return the number of rows that scikit-learn must ask for."""
        return positive_integer("n_experts", self.n_experts, maximum=MANY)

    def _adopt(self, units):
        """Take units, and make the model of the standardised features that goes with them."""
        previous = (self._units, self._model, self._theta) if hasattr(self, "_theta") else None
        self._before = previous if flag("warm_start", self.warm_start) else None
        self._units = units
        self._model = self._make_model(units)

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
            if self.n_experts == 1:
                # all starts are the same one, and no expert has a neighbour
                return draw_starts(problem, 1, seed), None

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
            warm = standardised(model.family, self._units, named, not model.gate.sees_features)
            return Start("warm", self._model.pack(**warm))
        joint = log_joint(model, theta, units.features(X), units.target(y))
        return start_from(problem, "warm", np.exp(joint - logsumexp(joint, axis=0)).T)

    def _run(self, problem, starts, neighbour, total):
        def ended_at(run):
            return self._loglik(run.fun - self._penalty(problem, run.x), total)

        callback = function_or_none("callback", self.callback)
        tasks = Tasks(self, len(starts))
        progress = Progress(starts, self._verbosity(), tasks, ended_at)

        def watch(start, iteration, loss):
            loglik = self._loglik(loss, total)
            progress.step(start, iteration, loglik)
            if callback is not None:
                callback(start, iteration, loglik)

        started = fit_from_starts(
            problem,
            starts,
            neighbour,
            _FEW_ROWS * (len(self._model.columns["expert"]) + 1) / total,
            n_jobs=self._jobs(starts),
            callback=watch if callback is not None or self.verbose else None,
            monitor=progress,
            keep=known_name("keep", self.keep, KEEP),
            method=self.method,
            tol=self.tol,
            max_iter=positive_integer("max_iter", self.max_iter),
        )
        tasks.close()
        return started

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
        return total * (-loss - self._units.log_size)

    def _penalty(self, problem, theta):
        """Return what the loss holds beside the likelihood."""
        prior = 0.0
        if isinstance(problem.model, ConjugatePrior):
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
            return
        for sentence in self.column_messages_:
            warnings.warn(sentence, UserWarning, stacklevel=5)

    @property
    def starts_at_best_(self) -> int:
        """How many of the starts ended at the optimum that is kept: few of many ask for more starts."""
        near = SAME_OPTIMUM * (1.0 + abs(self.loglik_))
        return sum(abs(start["loglik"] - self.loglik_) <= near for start in self.starts_)

    @property
    def message_(self) -> str:
        """How the kept fit ended and what to do about it."""
        return self._message(self._names())

    @property
    def column_messages_(self) -> list[str]:
        """Sentences on the columns whose coefficients the data do not tell, by name or by number."""
        return self._column_messages(self._names())

    def _names(self):
        return getattr(self, "feature_names_in_", range(self.n_features_in_))

    def _message(self, names):
        ended = make_algorithm(self.method).message(self.status_) + self._alternative()
        return " ".join([ended, *self._column_messages(names)])

    def _column_messages(self, names):
        dependent = np.union1d(*(self._units.dependent(part)[0] for part in ("expert", "gate")))
        said = []
        if len(dependent):
            said.append(
                f"Columns {[names[int(j)] for j in dependent]} of X are linearly dependent: of all "
                "coefficients with the same predictions, those of least norm on the standardised columns are "
                "reported."
            )
        if len(self._units.dropped):
            constant = [names[j] for j in self._units.dropped]
            said.append(f"Columns {constant} of X are constant: their coefficients are 0.")
        return said

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
        self.__dict__.pop("df_", None)
        for name, value in named_parameters(self._model, self._units, self._theta).items():
            setattr(self, f"{name}_", value)

    def _infer(self, problem, total):
        """Set EM's local rate and the standard errors, or None with the reason."""
        self.em_rate_ = self.standard_errors_ = self._covariance = None
        self.standard_errors_message_ = "The fit is not at a stationary point."
        if self.status_ is not Status.CONVERGED:
            return
        try:
            complete, missing = problem.informations(self._theta)
        except NotFiniteError:
            self._refuse_errors("not finite at the fit (weights or numbers beyond the range of sums)")
            return
        self.em_rate_ = em_rate(complete, missing)
        spread = self._covariance = covariance(complete - missing, total)
        if spread is None:
            self._refuse_errors(
                "not positive definite at the fit (a saddle point or a flat likelihood)",
                " Use fewer experts or other starts.",
            )
            return
        self.standard_errors_ = named_deviations(self._model, self._units, self._theta, spread)
        penalised = problem.model.ridge is not None or isinstance(problem.model, ConjugatePrior)
        self.standard_errors_message_ = (
            f"From the inverse of the observed information{' of the penalised loss' if penalised else ''}."
        )

    def _refuse_errors(self, why, advice=""):
        sentence = f"The observed information is {why}, so there are no standard errors.{advice}"
        self.standard_errors_message_ = sentence
        warnings.warn(sentence, ConvergenceWarning, stacklevel=5)

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

    def _problem(self, X, y, sample_weight=None, groups=None):
        """Return the problem of the standardised features that checked data pose, and their total weight."""
        check_is_fitted(self)
        if self._grouped != (groups is not None):
            wanted = "labels, as in fit" if self._grouped else "None, as in fit"
            raise ValueError(f"groups must be {wanted}: rows of a group depend on each other")
        X, y = validated(self, X, y, reset=False)
        X, y, weights, *numbers = positive_rows(X, y, sample_weight, group_numbers(groups, X))
        Z, y = self._units.features(X), self._units.target(self._encode(y))
        problem = self._problem_of(Z, y, weights, *numbers or [None])
        return self._with_prior(problem), float(weights.sum())

    def _log_joint(self, X, y):
        check_is_fitted(self)
        X, y = validated(self, X, y, reset=False)
        y = self._model.family.check_target(self._units.target(self._encode(y)))
        with np.errstate(all="ignore"):
            joint = log_joint(self._model, self._theta, self._units.features(X), y)
            # an expert may have no share in a row, all together must
            require_finite("X and y", "log densities", logsumexp(joint, axis=0))
        return joint

    def responsibilities(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> np.ndarray:
        """Return P(z = k | x, y), the posterior probabilities of the experts.

        Parameters
        ----------
        X : array_like of shape (n, d)
        y : array_like of shape (n,)
        groups : array_like of shape (n,), optional
            Labels of rows that share their expert: all of them count for each.

        Returns
        -------
        ndarray of shape (n, K)
        """
        joint = self._log_joint(X, y)
        numbers = group_numbers(groups, joint.T)
        if numbers is not None:
            gate = log_gate(self._model, self._theta, self._features(X))
            sums = np.array([np.bincount(numbers, rows) for rows in joint - gate])
            joint = gate + sums[:, numbers]
        return np.exp(joint - logsumexp(joint, axis=0)).T

    def log_density(self, X: ArrayLike, y: ArrayLike) -> np.ndarray:
        """Return log p(y | x) of every row, shape (n,)."""
        return logsumexp(self._log_joint(X, y), axis=0) - self._units.log_size

    def _draw(self, X, random_state):
        return self._model.sample_y(self._theta, self._features(X), drawn_seed(random_state))
