"""Any latent-variable model: three functions of the user's, and the whole laboratory runs on it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from emmd.core.checks import (
    MANY,
    describe,
    function_or_none,
    instance,
    known_name,
    numbers_array,
    positive_integer,
    random_generator,
    real_array,
    require_finite,
)
from emmd.core.protocols.definition import Definition
from emmd.core.protocols.model import Model
from emmd.core.protocols.steps import EStep, MStep
from emmd.models.latent.derivatives import batched, derivatives_of, in_double
from emmd.models.latent.expansion import Expansion
from emmd.models.latent.gauge import Identified, flat_space, identified, null_space
from emmd.models.latent.rows import LatentData, One, checked_rows, row_of
from emmd.models.latent.steps import closed_m_step
from emmd.models.latent.sums import pulled_back, quadratic
from emmd.models.latent.trial import not_finite, try_derivatives, try_values

_DRAWS = 1000
_SUPPORTS = "counts", "positive", "real"
_KEPT = 512
"""Steps of EM: a Jacobian by differences takes four for each parameter."""

_ENTRIES = 2**22
"""Of second derivatives that are held at once."""


class LatentModel(Model):
    """A latent-variable model of complete-data exponential form, from the functions that define it.

    For one row with covariates x and observation y the complete data follow ``h exp(<S, eta> - A(eta))``,
    eta = eta(theta, x); A is the log of the total mass, A_y the log of the mass that is compatible with what
    was observed. Everything else (loss, E-step, M-step, informations, mirror map, divergences) is derived by
    differentiation.

    Parameters
    ----------
    n_params : int
    natural_parameters : callable
        ``(theta, x) -> eta`` of shape (D,).
    log_partition : callable
        ``eta -> A(eta)``, a number.
    log_numerator : callable
        ``(eta, y) -> A_y(eta)``, a number; with the base measure, ``A_y - A`` is the log density of y.
    in_domain : callable, optional
        ``theta -> bool``; everywhere by default.
    random_point : callable, optional
        ``rng -> theta`` in the domain; standard normal by default.
    m_step : callable, optional
        ``(statistics (n, D), X, weights (n,)) -> theta``, a closed form for the M-step.
    e_step : callable, optional
        ``(theta, x, y) -> E[S | x, y]`` of shape (D,), one's own E-step for one row.
    equivalents : callable, optional
        ``theta -> (g, p)``, all parameters with the same likelihood, theta first.
    sample_y : callable, optional
        ``(theta, X, rng) -> y`` for all rows; X is their number where there are no covariates.
    support : array_like or str, optional
        What y of a row can be: all its values, stacked along the first axis, where they are finitely many;
        ``"counts"``; ``"positive"`` or ``"real"`` numbers, of which y may hold one or two. Then claim E0
        adds up or integrates exp(A_y).
    name : str

    Notes
    -----
    Functions written with ``jax.numpy`` (extra ``jax``) are differentiated automatically; functions written
    with NumPy that accept complex numbers work too, by complex steps. Rows may be arrays of any shape, and
    tuples or dicts of arrays whose first axis counts rows; X may be absent.

    References
    ----------
    Kunstner, Kumar, Schmidt, "Homeomorphic-invariance of EM", AISTATS 2021.
    """

    n_features = 0

    def __init__(
        self,
        n_params: int,
        natural_parameters: Callable,
        log_partition: Callable,
        log_numerator: Callable,
        in_domain: Callable | None = None,
        random_point: Callable | None = None,
        m_step: Callable | None = None,
        e_step: Callable | None = None,
        equivalents: Callable | None = None,
        sample_y: Callable | None = None,
        support: Any = None,
        name: str = "latent",
    ) -> None:
        self.n_params = positive_integer("n_params", n_params, maximum=MANY)
        names = ("natural_parameters", "log_partition", "log_numerator")
        self._functions = (natural_parameters, log_partition, log_numerator)
        for argument, value in zip(names, self._functions):
            if not callable(value):
                raise TypeError(f"{argument} must be a function, got {describe(value)}")
        self._e_step = function_or_none("e_step", e_step)
        # these are called as they are: JAX must not take its single precision in them
        self._in_domain = in_double(function_or_none("in_domain", in_domain))
        self._random_point = in_double(function_or_none("random_point", random_point))
        self._m_step = in_double(function_or_none("m_step", m_step))
        self._equivalents = in_double(function_or_none("equivalents", equivalents))
        self._sample_y = in_double(function_or_none("sample_y", sample_y))
        self.support = _checked_support(support)
        self.name = instance("name", name, str, "text")
        self._derivatives: Any = None

    # data

    def check_rows(self, X: Any, y: Any) -> tuple[Any, Any, int]:
        """Return trees of finite arrays and the number of their rows."""
        (X, of_x), (y, of_y) = checked_rows("X", X), checked_rows("y", y)
        lengths = of_x | of_y
        if not of_y:
            raise ValueError("y must be an array, or a tuple or dict of arrays, got None")
        if len(lengths) > 1:
            raise ValueError(f"X and y must have as many rows in every array, got {sorted(lengths)}")
        return X, y, lengths.pop()

    def prepare(self, X: Any, y: Any, weights: np.ndarray) -> LatentData:
        """Return the data, once the three functions have been tried on them."""
        data = LatentData(X, y, weights)
        theta = self.random_point(data, np.random.default_rng(0))
        try_values(self, data, theta)
        if self._derivatives is None:
            self._derivatives = derivatives_of(self._functions, theta, row_of(X, 0), row_of(y, 0))
        try_derivatives(self, data, theta)
        return data

    def prepare_more(self, data: Any, X: Any, y: Any, weights: np.ndarray) -> LatentData:
        """Return further rows: what the functions are and which directions change nothing is known."""
        return LatentData(X, y, weights, {"identified": self._identified(data)})

    def in_domain(self, theta: np.ndarray) -> bool:
        """Return whether theta is a parameter of the model."""
        return bool(np.isfinite(theta).all()) and (self._in_domain is None or bool(self._in_domain(theta)))

    def random_point(self, data: Any, rng: Any) -> np.ndarray:
        """Return a random parameter in the domain, shape (p,)."""
        for _ in range(_DRAWS):
            if self._random_point is None:
                theta = rng.standard_normal(self.n_params)
            else:
                theta = real_array("random_point's value", self._random_point(rng), 1, (self.n_params,))
            if self.in_domain(theta):
                return theta
        given = "random_point" if self._random_point else "random_point must be given beside in_domain: it"
        raise ValueError(
            f"{given} must return points of the domain, got none in {_DRAWS} draws, {theta} last"
        )

    def equivalents(self, theta: np.ndarray) -> np.ndarray:
        """Return what `equivalents` says, theta alone by default."""
        if self._equivalents is None:
            return super().equivalents(theta)
        return real_array("equivalents' value", self._equivalents(theta), 2, (None, self.n_params))

    def sample_y(self, theta: np.ndarray, X: Any, seed: Any) -> Any:
        """Draw y for every row of X, or as many as X is an integer."""
        if self._sample_y is None:
            return super().sample_y(theta, X, seed)
        return self._sample_y(theta, X, random_generator("seed", seed))

    def sample(self, theta: np.ndarray, n: int, seed: Any) -> tuple:
        """Draw ``(X, y, z)`` of a model without covariates: X and z are None."""
        return None, self.sample_y(theta, positive_integer("n", n), seed), None

    def has_own(self, what: str) -> bool:
        """Return whether the user gave a step of EM, which is derived otherwise."""
        own = {"e_step": self._e_step, "m_step": self._m_step, "sample_y": self._sample_y}
        return own.get(what) is not None

    def explain(self, data: Any, theta: np.ndarray) -> str:
        """Return which of the three functions is not finite at theta, and where, or ""."""
        with np.errstate(all="ignore"):
            return not_finite(self, data, theta)

    # the definition and its derivatives

    def definition(self, data: Any) -> Definition:
        """Return the definition with the user's functions differentiated as they allow."""
        return _Derived(self, data) if self._derivatives.automatic else Definition(self, data)

    def natural_parameters(self, data: Any, rows: np.ndarray) -> np.ndarray:
        """Return eta of every row's own theta, shape (n, D)."""
        return self._derivatives.eta(rows, data.X)

    def log_partition(self, eta: np.ndarray) -> np.ndarray:
        """Return A, shape (n,)."""
        return self._derivatives.partition(eta)

    def log_numerator(self, data: Any, eta: np.ndarray) -> np.ndarray:
        """Return A_y, shape (n,)."""
        return self._derivatives.numerator(eta, data.y)

    def natural_jacobian(self, data: Any, rows: np.ndarray) -> np.ndarray:
        """Return d eta / d theta, shape (n, D, p)."""
        return self._derivatives.jacobian(rows, data.X)

    def natural_curvature(self, data: Any, rows: np.ndarray, slopes: np.ndarray) -> np.ndarray:
        """Return the Hessians of <slopes, eta>, shape (n, p, p)."""
        return self._derivatives.curvature(rows, data.X, slopes)

    def mean_statistics(self, eta: np.ndarray) -> np.ndarray:
        """Return grad A, shape (n, D)."""
        return self._derivatives.mean(eta)

    def covariance(self, eta: np.ndarray) -> np.ndarray:
        """Return hess A, shape (n, D, D)."""
        return self._derivatives.covariance(eta)

    def posterior_statistics(self, data: Any, eta: np.ndarray) -> np.ndarray:
        """Return grad A_y, shape (n, D)."""
        return self._derivatives.posterior(eta, data.y)

    def posterior_covariance(self, data: Any, eta: np.ndarray) -> np.ndarray:
        """Return hess A_y, shape (n, D, D)."""
        return self._derivatives.posterior_covariance(eta, data.y)

    # without covariates eta, A and J are the same for every row: averages of statistics do

    def _averaged(self, data, statistics=None):
        """Return the data and statistics that a projection needs: one row where rows differ in y only."""
        if data.X is not None:
            return data, statistics
        mean = None if statistics is None else (data.weights @ statistics)[None]
        return data.once("averaged", lambda: self._one_row(data)), mean

    def _one_row(self, data):
        return LatentData(None, None, np.ones(1), {"identified": self._identified(data)})

    def _at(self, data, theta):
        """Return the `Expansion` at theta; the last one is kept for whoever asks next."""
        data = self._averaged(data)[0]
        found = data.kept.get("expansion")
        if found is None or not np.array_equal(found.theta, theta):
            found = data.kept["expansion"] = Expansion(self._derivatives, data, np.array(theta))
        return found

    def _eta(self, data, theta):
        eta = self._at(data, theta).eta
        return eta if data.X is not None else np.broadcast_to(eta[0], (len(data.weights), eta.shape[1]))

    def project(self, data: Any, statistics: np.ndarray, start: np.ndarray, total: float = 1.0) -> MStep:
        """Minimise E[total A(eta(x; theta)) - <S, eta(x; theta)>]."""
        data, statistics = self._averaged(data, statistics)
        return super().project(data, statistics, start, total)

    def projection_gradient(self, data: Any, statistics: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Return the gradient of E[A(eta(x; theta)) - <S, eta(x; theta)>], shape (p,)."""
        return self.projection(data, statistics, theta)[1]

    def projection_hessian(self, data: Any, statistics: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Return its Hessian, shape (p, p)."""
        at, (_, statistics) = self._at(data, theta), self._averaged(data, statistics)
        return at.information + at.bend(at.mean - statistics)

    def projection(self, data: Any, statistics: np.ndarray, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Return E[A(eta(x; theta)) - <S, eta(x; theta)>] and its gradient, from one pass."""
        data, statistics = self._averaged(data, statistics)
        return self._derivatives.complete(theta, data.X, statistics, data.weights)

    def projection_value(self, data: Any, statistics: np.ndarray, theta: np.ndarray) -> float:
        """Return E[A(eta(x; theta)) - <S, eta(x; theta)>]."""
        data, statistics = self._averaged(data, statistics)
        return super().projection_value(data, statistics, theta)

    def expected_information(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return E[J' hess A J], shape (p, p)."""
        return self._at(data, theta).information

    def gradient_scale(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return the sizes of the terms of each gradient entry, shape (p,)."""
        return self._at(data, theta).sizes()

    def divergence(self, data: Any, u: np.ndarray, v: np.ndarray) -> float:
        """Return D_A(u, v)."""
        return super().divergence(self._averaged(data)[0], u, v)

    def mirror_map(self, data: Any, theta: np.ndarray) -> float:
        """Return A(theta)."""
        at = self._at(data, theta)
        return float(at.data.weights @ at.partition)

    def mirror_gradient(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return grad A(theta), shape (p,)."""
        at = self._at(data, theta)
        return pulled_back(at.data.weights, at.mean, at.jacobian)

    # the loss and the informations

    def loss_and_gradient(self, data: Any, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the marginal loss and its gradient."""
        loss, posterior = self._loss_and_posterior(data, theta)
        return loss, self.projection_gradient(data, posterior, theta)

    def _loss_and_posterior(self, data, theta):
        numerator, posterior = self._derivatives.both(self._eta(data, theta), data.y)
        return float(data.weights @ (self._at(data, theta).partition - numerator)), posterior

    def complete_hessian(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return I_com, shape (p, p)."""
        return self.projection_hessian(data, self.posterior_statistics(data, self._eta(data, theta)), theta)

    def missing_hessian(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return I_mis, shape (p, p), added up over chunks of rows: second derivatives are large."""
        eta = self._eta(data, theta)
        size = max(1, _ENTRIES // eta.shape[1] ** 2)
        return sum(
            self._missing_of(data, theta, eta[begin : begin + size], slice(begin, begin + size))
            for begin in range(0, len(eta), size)
        )

    def _missing_of(self, data, theta, eta, chosen):
        chunk = LatentData(row_of(data.X, chosen), row_of(data.y, chosen), data.weights[chosen])
        curvature, jacobian = self.posterior_covariance(chunk, eta), self._at(data, theta).jacobian
        if data.X is None:
            return quadratic(np.ones(1), np.tensordot(chunk.weights, curvature, 1)[None], jacobian)
        return quadratic(chunk.weights, curvature, jacobian[chosen])

    def informations(self, data: Any, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return I_com and I_mis."""
        return self.complete_hessian(data, theta), self.missing_hessian(data, theta)

    # EM, with the user's own steps where given

    def e_step(self, data: Any, theta: np.ndarray) -> EStep:
        """Return the loss and E[S | x, y] for every row, by the user's E-step where there is one."""
        if self._e_step is None:
            return EStep(*self._loss_and_posterior(data, theta))
        found = batched(self._e_step, len(data.weights), One(theta, 1), data.X, data.y)
        wanted = self._eta(data, theta).shape
        if found.shape != wanted:
            raise ValueError(
                f"e_step must return an array of shape {wanted[1:]} for a row, got shape {found.shape[1:]}"
            )
        require_finite("theta", "values of e_step", found)
        return EStep(self.loss(data, theta), found)

    def m_step(self, data: Any, responsibilities: np.ndarray, start: np.ndarray) -> MStep:
        """Return the M-step, by the user's closed form where there is one."""
        if self._m_step is None:
            return self.project(data, responsibilities, start)
        return closed_m_step(self, data, self._m_step, responsibilities)

    def em_step(self, data: Any, theta: np.ndarray, start: np.ndarray | None = None) -> tuple[float, MStep]:
        """Evaluate the EM map; the last steps are kept, for accelerations and claims come back to a point."""
        if start is not None:
            return super().em_step(data, theta, start)
        steps, key = data.once("steps", dict), np.asarray(theta).tobytes()
        if key not in steps:
            while len(steps) >= _KEPT:
                steps.pop(next(iter(steps)), None)
            steps[key] = super().em_step(data, theta)
        loss, found = steps[key]
        return loss, replace(found, theta=found.theta.copy())

    # sizes and directions

    def _identified(self, data) -> Identified:
        return data.once("identified", lambda: identified(self, data))

    def parameter_scale(self, data: Any) -> np.ndarray:
        """Return the root of each parameter's complete information at random points, shape (p,)."""
        return self._identified(data).scale

    def null_directions(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return orthonormal directions in which the complete-data model does not change, (p, g)."""
        count = self._identified(data).null
        return (
            null_space(self.expected_information(data, theta), count)
            if count
            else super().null_directions(data, theta)
        )

    def gauge_directions(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return orthonormal directions in which the loss does not change, (p, g)."""
        known = self._identified(data)
        if known.flat == known.null:
            return self.null_directions(data, theta)
        return flat_space(self.scores(data, theta), known.flat)

    def scores(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return the gradient of every row's loss, shape (n, p)."""
        return self.definition(data).row_slopes(self.predictor_rows(data, theta))

    def relative_size(self, data: Any, displacement: np.ndarray, theta: np.ndarray) -> float:
        """Return the largest change of a parameter, in units of its scale, relative to 1 plus its size."""
        scale = self.parameter_scale(data)
        return float((scale * np.abs(displacement) / (1.0 + scale * np.abs(theta))).max())


def _checked_support(support):
    if isinstance(support, str):
        return known_name("support", support, _SUPPORTS)
    return None if support is None else numbers_array("support", support)


class _Derived(Definition):
    """The definition of a model whose functions take real numbers only: derivatives are automatic."""

    def posterior(self, theta):
        """Return grad A_y(eta)."""
        return self.model.posterior_statistics(self.data, self.eta(theta))

    def mean(self, eta):
        """Return grad A(eta)."""
        return self.model.mean_statistics(eta)

    def slope(self, eta):
        """Return grad l(eta)."""
        return self.mean(eta) - self.model.posterior_statistics(self.data, eta)

    def mean_and_slope(self, eta):
        mean = self.mean(eta)
        return mean, mean - self.model.posterior_statistics(self.data, eta)

    def row_slopes(self, rows):
        """Return the derivatives of -log p(y | x) in every row's own theta."""
        slope = self.slope(self.model.natural_parameters(self.data, rows))
        return np.einsum("nd,ndp->np", slope, self.model.natural_jacobian(self.data, rows))

    def pull_back(self, theta, vectors):
        """Return E[J' vectors]."""
        jacobian = self.model.natural_jacobian(self.data, self.model.predictor_rows(self.data, theta))
        if self.data.X is None:
            return (self.data.weights @ vectors) @ jacobian[0]
        return np.einsum("n,nd,ndp->p", self.data.weights, vectors, jacobian)
