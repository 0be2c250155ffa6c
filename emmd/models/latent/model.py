"""Any latent-variable model: three functions of the user's, and the whole laboratory runs on it."""

from collections.abc import Callable
from typing import Any

import numpy as np

from emmd.core.checks import (
    MANY,
    describe,
    function_or_none,
    instance,
    positive_integer,
    random_generator,
    real_array,
    require_finite,
)
from emmd.core.definition import Definition
from emmd.core.model import EStep, Model, MStep
from emmd.models.latent.derivatives import derivatives_of
from emmd.models.latent.rows import LatentData, checked_rows, row_of


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
        ``(theta, X, rng) -> y`` for all rows.
    support : array_like, optional
        All values that y of a row can take, where they are finitely many.
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
        self._in_domain = function_or_none("in_domain", in_domain)
        self._random_point = function_or_none("random_point", random_point)
        self._m_step, self._e_step = function_or_none("m_step", m_step), function_or_none("e_step", e_step)
        self._equivalents = function_or_none("equivalents", equivalents)
        self._sample_y = function_or_none("sample_y", sample_y)
        self.support = support
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
        """Return the data, once the three functions have been tried on the first row."""
        data = LatentData(X, y, weights)
        theta = self.random_point(np.random.default_rng(0))
        if self._derivatives is None:
            self._derivatives = derivatives_of(self._functions, theta, row_of(X, 0), row_of(y, 0))
        self._try(data, theta)
        return data

    def _try(self, data, theta):
        """Raise where a function does not return what it should."""
        x, y = row_of(data.X, 0), row_of(data.y, 0)
        natural, partition, numerator = self._functions
        eta = np.asarray(natural(theta, x))
        if eta.ndim != 1:
            raise ValueError(f"natural_parameters must return an array of shape (D,), got shape {eta.shape}")
        for name, value in (("log_partition", partition(eta)), ("log_numerator", numerator(eta, y))):
            if np.shape(value) != ():
                raise ValueError(f"{name} must return a number, got shape {np.shape(value)}")
        found = self.predictor_rows(data, theta)
        etas = self.natural_parameters(data, found)
        for name, values in (
            ("natural_parameters", etas),
            ("log_partition", self.log_partition(etas)),
            ("log_numerator", self.log_numerator(data, etas)),
        ):
            if not np.isfinite(values).all():
                row = int(np.argmin(np.isfinite(values.reshape(len(values), -1)).all(axis=1)))
                raise ValueError(
                    f"{name} must be finite in the domain, got {values[row]} in row {row} at theta {theta}"
                )

    def in_domain(self, theta: np.ndarray) -> bool:
        """Return whether theta is a parameter of the model."""
        return self._in_domain is None or bool(self._in_domain(theta))

    def random_point(self, rng: Any) -> np.ndarray:
        """Return a random parameter in the domain, shape (p,)."""
        if self._random_point is None:
            return rng.standard_normal(self.n_params)
        return real_array("random_point's value", self._random_point(rng), 1, (self.n_params,))

    def equivalents(self, theta: np.ndarray) -> np.ndarray:
        """Return what `equivalents` says, theta alone by default."""
        if self._equivalents is None:
            return super().equivalents(theta)
        return real_array("equivalents' value", self._equivalents(theta), 2, (None, self.n_params))

    def sample_y(self, theta: np.ndarray, X: Any, seed: Any) -> Any:
        """Draw y for every row."""
        if self._sample_y is None:
            return super().sample_y(theta, X, seed)
        return self._sample_y(theta, X, random_generator("seed", seed))

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

    # EM, with the user's own steps where given

    def e_step(self, data: Any, theta: np.ndarray) -> EStep:
        """Return the loss and E[S | x, y] for every row, by the user's E-step where there is one."""
        if self._e_step is None:
            return super().e_step(data, theta)
        rows = range(len(data.weights))
        found = np.array(
            [self._e_step(theta, row_of(data.X, i), row_of(data.y, i)) for i in rows], dtype=float
        )
        require_finite("theta", "e_step's value", found)
        return EStep(self.loss(data, theta), found)

    def m_step(self, data: Any, responsibilities: np.ndarray, start: np.ndarray) -> MStep:
        """Return the M-step, by the user's closed form where there is one."""
        if self._m_step is None:
            return super().m_step(data, responsibilities, start)
        theta = np.asarray(self._m_step(responsibilities, data.X, data.weights), dtype=float)
        if theta.shape != (self.n_params,):
            raise ValueError(
                f"m_step must return an array of shape ({self.n_params},), got shape {theta.shape}"
            )
        # a closed form is exact by its own account: claim E3 is what checks it
        return MStep(theta, 0.0, bool(np.isfinite(theta).all()), 1.0)


class _Derived(Definition):
    """The definition of a model whose functions take real numbers only: derivatives are automatic."""

    def mean(self, eta):
        """Return grad A(eta)."""
        return self.model.mean_statistics(eta)

    def slope(self, eta):
        """Return grad l(eta)."""
        return self.mean(eta) - self.model.posterior_statistics(self.data, eta)

    def row_slopes(self, rows):
        """Return the derivatives of -log p(y | x) in every row's own theta."""
        slope = self.slope(self.model.natural_parameters(self.data, rows))
        return np.einsum("nd,ndp->np", slope, self.model.natural_jacobian(self.data, rows))

    def pull_back(self, theta, vectors):
        """Return E[J' vectors]."""
        jacobian = self.model.natural_jacobian(self.data, self.model.predictor_rows(self.data, theta))
        return np.einsum("n,nd,ndp->p", self.data.weights, vectors, jacobian)
