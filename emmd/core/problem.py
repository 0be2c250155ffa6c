"""A problem: a model and weighted data, with everything that theory and algorithms ask of them."""

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from emmd.core.checks import (
    DomainError,
    NotFiniteError,
    instance,
    normalised_weights,
    probabilities,
    real_array,
    require_finite,
)
from emmd.core.numerics.affine import is_affine
from emmd.core.protocols.definition import Definition
from emmd.core.protocols.model import Model
from emmd.core.protocols.steps import MStep
from emmd.fits.saddle_free import complement


def prepared(model, X, y, sample_weight):
    """Return what the model makes of checked features, target and weights, and the target."""
    X, y, n_rows = model.check_rows(X, y)
    weights = normalised_weights(sample_weight, n_rows)
    return model.prepare(X, y, weights), y, n_rows


def require_rows(model, n_rows):
    """Raise a ValueError when there are fewer rows than experts to share them."""
    if n_rows < model.least_rows:
        raise ValueError(f"X must have at least as many rows as experts ({model.least_rows}), got {n_rows}")


def required_problem(problem):
    """Return `problem` if it is a `Problem`, or raise a TypeError."""
    return instance("problem", problem, Problem, "an emmd.Problem")


class Problem:
    """The average negative log-likelihood of a model on weighted data, and its EM geometry.

    Parameters
    ----------
    model : Model
    X : array_like of shape (n, d)
        Features, finite real numbers. An intercept is a column of ones. Of a `LatentModel`: arrays of any
        shape with rows along the first axis, tuples or dicts of such, or None.
    y : array_like of shape (n,)
        Target; labels -1 and +1 for `SymMoLogE`. Of a `LatentModel`: as X, but not None.
    sample_weight : array_like of shape (n,), optional
        Positive weights; only their ratios matter. Uniform by default.

    Attributes
    ----------
    y : ndarray of shape (n,)
        The target as given.
    n_rows, n_params : int

    Raises
    ------
    ValueError, TypeError
        For wrong shapes, NaN, infinity, text, complex or empty data, labels or
        weights that do not fit; the message names the argument.

    NotFiniteError, DomainError
        From a method whose answer overflows at what it is given, and from one that is given a parameter
        outside the model's domain: ValueErrors, and ArithmeticErrors too.

    Notes
    -----
    Every average is E[.] = sum_i c_i (.)_i with sum c_i = 1, so a population
    problem given by quadrature nodes and weights is a problem like any other.
    Sums run over fixed chunks of rows: same bits at any thread count.
    """

    def __init__(self, model: Model, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> None:
        self.model = instance("model", model, Model, "an emmd model, e.g. emmd.SymMoLinE(3)")
        self.data, self.y, self.n_rows = prepared(model, X, y, sample_weight)
        require_rows(model, self.n_rows)
        self.n_params = model.n_params

    def __repr__(self):
        return f"Problem({self.model.name}, n={self.n_rows}, p={self.n_params})"

    def _check(self, theta, name="theta"):
        theta = real_array(name, theta, 1, (self.n_params,))
        if not self.model.in_domain(theta):
            raise DomainError(f"{name} must lie in the domain of model {self.model.name}, got {theta}")
        return theta

    def _evaluate(self, method, *, responsibilities=None, **points):
        """Return what a method of the model says at checked points; it must be finite."""
        points = {name: self._check(value, name) for name, value in points.items()}
        r = () if responsibilities is None else (responsibilities,)
        with np.errstate(all="ignore"):
            result = getattr(self.model, method)(self.data, *r, *points.values())
        parts = result if isinstance(result, tuple) else (result,)
        try:
            require_finite(" and ".join(points), method.replace("_", " "), *parts)
        except NotFiniteError as error:
            says = (self.model.explain(self.data, theta) for theta in points.values())
            why = next(filter(None, says), "")
            raise (NotFiniteError(f"{error}: {why}") if why else error) from None
        return result

    def _responsibilities(self, value):
        columns = self.model.responsibility_columns
        if columns is None:
            return real_array("responsibilities", value, 2, (self.n_rows, None))
        return probabilities("responsibilities", value, (self.n_rows, *columns))

    @property
    def X(self) -> np.ndarray:
        """Features, shape (n, d)."""
        return self.data.X

    @property
    def weights(self) -> np.ndarray:
        """Weights c_i with sum 1, shape (n,)."""
        return self.data.weights

    @cached_property
    def definition(self) -> Definition:
        """The model's three functions on these data: the `Definition` that everything is checked against."""
        return self.model.definition(self.data)

    @cached_property
    def linear_model_set(self) -> bool:
        """Whether eta(x; theta) is affine in theta: then EM needs no projection."""
        return is_affine(self.model, self.data)

    def require_mirror_map(self) -> None:
        """Raise a ValueError where the model set is curved, so that no mirror map lives in theta."""
        if not self.linear_model_set:
            raise ValueError(
                f"model {self.model.name} has a curved model set, so it has no mirror map in theta; "
                "use method 'projected_mirror_descent'"
            )

    def loss(self, theta: ArrayLike) -> float:
        """Return the marginal loss L(theta) = -E log p(y | x; theta), constants included."""
        return self._evaluate("loss", theta=theta)

    def penalty(self, theta: ArrayLike) -> float:
        """Return the ridge penalty, a part of the loss, or 0."""
        with np.errstate(all="ignore"):
            penalty = float(self.model.penalty(self._check(theta)))
        require_finite("theta", "penalty", penalty)
        return penalty

    def gradient(self, theta: ArrayLike) -> np.ndarray:
        """Return grad L(theta), shape (p,)."""
        return self._evaluate("gradient", theta=theta)

    def hessian(self, theta: ArrayLike) -> np.ndarray:
        """Return hess L(theta), shape (p, p)."""
        return self._evaluate("hessian", theta=theta)

    def complete_hessian(self, theta: ArrayLike) -> np.ndarray:
        """Return I_com(theta), the Hessian of the mirror map, shape (p, p)."""
        return self._evaluate("complete_hessian", theta=theta)

    def missing_hessian(self, theta: ArrayLike) -> np.ndarray:
        """Return I_mis(theta) = E[Cov(S | x, y; theta)], shape (p, p)."""
        return self._evaluate("missing_hessian", theta=theta)

    def informations(self, theta: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Return I_com(theta) and I_mis(theta) from one evaluation."""
        return self._evaluate("informations", theta=theta)

    def responsibilities(self, theta: ArrayLike) -> np.ndarray:
        """Return the posterior probabilities of the experts at theta."""
        with np.errstate(all="ignore"):
            r = self.model.e_step(self.data, self._check(theta)).responsibilities
        require_finite("theta", "responsibilities", r)
        return r

    def m_step(self, responsibilities: ArrayLike, start: ArrayLike) -> MStep:
        """Return the exact M-step for given responsibilities, with its residual.

        Parameters
        ----------
        responsibilities : array_like of shape (n,), or (n, K) for K experts
            Probabilities; the rows of K must sum to 1.
        start : array_like of shape (p,)
            Where Newton's method starts.

        Returns
        -------
        MStep
            Its numbers are finite where it is `solved`.
        """
        r, start = self._responsibilities(responsibilities), self._check(start, "start")
        with np.errstate(all="ignore"):
            return self.model.m_step(self.data, r, start)

    @np.errstate(all="ignore")
    def em_step(self, theta: ArrayLike) -> np.ndarray:
        """Return one EM map evaluation, E-step then exact M-step, shape (p,).

        Raises
        ------
        SingularDesignError
            When columns of X are linearly dependent.
        ArithmeticError
            When the M-step cannot be solved to 1e-13.
        """
        _, m_step = self.model.em_step(self.data, self._check(theta))
        if not m_step.solved:
            raise ArithmeticError(
                f"the M-step from theta could not be solved to 1e-13, its residual is {m_step.residual:.1e}"
            )
        require_finite("theta", "EM step", m_step.theta)
        return m_step.theta

    def surrogate(self, responsibilities: ArrayLike, theta: ArrayLike) -> float:
        """Return Q(theta), the expected complete negative log-likelihood for given responsibilities."""
        r = self._responsibilities(responsibilities)
        return self._evaluate("surrogate", responsibilities=r, theta=theta)

    def expected_information(self, theta: ArrayLike) -> np.ndarray:
        """Return E[J' hess A J] at theta; it is I_com where the model set is linear."""
        return self._evaluate("expected_information", theta=theta)

    def mirror_map(self, theta: ArrayLike) -> float:
        """Return A(theta); a ValueError where the model set is curved, as for the next two."""
        self.require_mirror_map()
        return self._evaluate("mirror_map", theta=theta)

    def mirror_gradient(self, theta: ArrayLike) -> np.ndarray:
        """Return grad A(theta), shape (p,)."""
        self.require_mirror_map()
        return self._evaluate("mirror_gradient", theta=theta)

    def mirror_inverse(self, dual: ArrayLike, start: ArrayLike) -> MStep:
        """Solve grad A(theta) = dual from `start`; return an `MStep`, finite where it is `solved`."""
        self.require_mirror_map()
        dual = real_array("dual", dual, 1, (self.n_params,))
        start = self._check(start, "start")
        with np.errstate(all="ignore"):
            return self.model.mirror_inverse(self.data, dual, start)

    def divergence(self, u: ArrayLike, v: ArrayLike) -> float:
        """Return the Bregman divergence D_A(u, v) = E KL( p_v(y,z|x) || p_u(y,z|x) )."""
        return self._evaluate("divergence", u=u, v=v)

    def posterior_divergence(self, u: ArrayLike, v: ArrayLike) -> float:
        """Return E KL( p_v(z|x,y) || p_u(z|x,y) )."""
        return self._evaluate("posterior_divergence", u=u, v=v)

    def quotient(self, theta: ArrayLike, metric: np.ndarray | None = None) -> np.ndarray:
        """Return an orthonormal basis of what is orthogonal to the gauge directions at theta, (p, p - g).

        Along gauge directions, such as a rotation of factors, the loss does not change: spectra and distances
        are those of the quotient. Without any the basis is the identity.

        Parameters
        ----------
        theta : array_like of shape (p,)
        metric : ndarray of shape (p, p), optional
            In which directions are orthogonal, such as I_com, for which EM's map is symmetric; gauge
            directions on which it vanishes are orthogonal in the Euclidean sense.
        """
        with np.errstate(all="ignore"):
            flat = self.model.gauge_directions(self.data, self._check(theta))
        if metric is not None and flat.shape[1]:
            flat = self.model.regular(self.data, theta, metric) @ flat
        return complement(flat)

    def distance(self, theta: ArrayLike, reference: ArrayLike) -> float:
        """Return the Euclidean parameter error modulo the model's symmetries.

        Parameters
        ----------
        theta, reference : array_like of shape (p,)

        Returns
        -------
        float
            ``min_g ||g theta - reference||`` over the symmetry group, without what lies along gauge
            directions at the reference.
        """
        theta, reference = self._check(theta), self._check(reference, "reference")
        flat = self.model.gauge_directions(self.data, reference)
        with np.errstate(over="ignore", invalid="ignore"):
            if flat.shape[1]:
                gaps = self.model.equivalents(theta) - reference
                gaps = gaps - (gaps @ flat) @ flat.T
            else:
                gaps = self.model.nearest_equivalent(theta, reference) - reference
            distance = float(np.linalg.norm(gaps, axis=-1).min())
        require_finite("theta and reference", "distance", distance)
        return distance
