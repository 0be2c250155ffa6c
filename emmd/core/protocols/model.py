"""What a model is: the protocol through which problems, algorithms and claims see it."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from emmd.core.checks import real_array
from emmd.core.numerics.derivatives import gradient_at, row_gradient, row_hessian
from emmd.core.numerics.inner_problem import minimise_for
from emmd.core.numerics.sizes import gradient_sizes, loss_sizes
from emmd.core.protocols.definition import Definition
from emmd.core.protocols.steps import EStep, MStep
from emmd.fits.pencil import solve_positive

_MODERATE = 0.3
"""Of a random point's predictors: far off a bent function may be straight, as log(1 + e^u) is."""


@dataclass(frozen=True)
class Sample:
    """A weighted sample, as `Model.prepare` returns it unless a model needs more.

    Attributes
    ----------
    X : ndarray of shape (n, d)
    y : ndarray of shape (n,)
    weights : ndarray of shape (n,)
        With sum 1.
    """

    X: np.ndarray
    y: np.ndarray
    weights: np.ndarray
    kept: dict = field(default_factory=dict, repr=False, compare=False)

    def add_up(self, sums, *arguments):
        """Return ``sums(data, *arguments)``, a sum over all rows."""
        return sums(self, *arguments)


class Model(ABC):
    """A conditional latent-variable model p(y, z | x; theta) whose EM is mirror descent.

    The complete data (y, z) of a row follow an exponential family ``h exp(<S, eta> - A(eta))`` with
    eta = eta(x; theta). Three methods define a model: `natural_parameters`, `log_partition` and
    `log_numerator`. Every other method has a default that is derived from these; a model overrides what it
    can do in closed form or by a kernel, and the derivation is what that is checked against.

    Parameters act on a row through its *predictors*, which are affine in theta: linear predictors x'beta
    where a model has them, theta itself by default.

    ``theta`` is one flat float64 vector of length `n_params`; ``data`` is what `prepare` returned. Averages
    are weighted, losses are minimised. A model with `takes_partitions` reaches rows by ``data.add_up`` alone
    where a sum is all it needs, and has a method ``gather(data, elsewhere)`` that adds to
    `emmd.partitions.problem.PartitionedData` what else it reads.

    Attributes
    ----------
    name : str
    n_features, n_params : int
    n_targets : int
        Length of one row's y; 1 stands for a number.
    responsibility_columns : tuple of int or None
        Shape of one row of `EStep.responsibilities` where these are probabilities: ``(K,)``, or ``()`` for
        those of one of two experts. None where they are posterior means of statistics.
    support : array_like, str or None
        What y of a row can be, for claim E0: all its values, or ``"counts"``, ``"positive"``, ``"real"``;
        None where that is not known.
    """

    name: str
    n_features: int
    n_params: int
    n_targets = 1
    responsibility_columns: tuple | None = None
    support: Any = None
    takes_partitions = False

    # the definition

    @abstractmethod
    def natural_parameters(self, data: Any, rows: np.ndarray) -> np.ndarray:
        """Return eta(x; theta), shape (n, D), for real or complex predictors of shape (n, B)."""

    @abstractmethod
    def log_partition(self, eta: np.ndarray) -> np.ndarray:
        """Return A(eta), the log of the total mass, shape (n,), for real or complex eta of shape (n, D)."""

    @abstractmethod
    def log_numerator(self, data: Any, eta: np.ndarray) -> np.ndarray:
        """Return A_y(eta) = log p(y | x; eta) + A(eta), shape (n,), for real or complex eta."""

    def predictor_rows(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return the predictors of every row, affine in theta, shape (n, B); theta itself by default."""
        return np.broadcast_to(theta, (len(data.weights), len(theta)))

    def pull_back(self, data: Any, slopes: np.ndarray) -> np.ndarray:
        """Return the gradient in theta for weighted derivatives in the predictors of shape (n, B)."""
        return slopes.sum(axis=0)

    def pull_back_second(self, data: Any, curvatures: np.ndarray) -> np.ndarray:
        """Return the Hessian in theta for weighted second derivatives in the predictors, (n, B, B)."""
        return curvatures.sum(axis=0)

    def check_rows(self, X: Any, y: Any) -> tuple[Any, Any, int]:
        """Return features (n, d), target (n,) or (n, n_targets), finite and float64, and n; or raise."""
        X = real_array("X", X, 2, (None, self.n_features))
        y = real_array("y", y, 1) if self.n_targets == 1 else real_array("y", y, 2, (None, self.n_targets))
        if len(y) != len(X):
            wanted = (len(X), *y.shape[1:])
            raise ValueError(f"y must have shape {wanted}, one entry for each row of X, got {y.shape}")
        return X, y, len(X)

    def prepare(self, X: np.ndarray, y: np.ndarray, weights: np.ndarray) -> Any:
        """Check the target and return the data object that the other methods take."""
        return Sample(X, y, weights)

    def prepare_more(self, data: Any, X: Any, y: Any, weights: np.ndarray) -> Any:
        """Return the data object of further rows of the kind that `data` was prepared from."""
        return self.prepare(X, y, weights)

    @property
    def least_rows(self) -> int:
        """Number of rows that a problem must have."""
        return 1

    def penalty(self, theta: np.ndarray) -> Any:
        """Return what the loss adds to the negative log-likelihood, for real or complex theta: 0."""
        return 0.0

    def penalty_gradient(self, theta: np.ndarray) -> np.ndarray:
        """Return the gradient of `penalty`, shape (p,)."""
        if type(self).penalty is Model.penalty:
            return np.zeros(self.n_params)
        return gradient_at(self.penalty, theta)

    def penalty_hessian(self, theta: np.ndarray) -> np.ndarray:
        """Return the Hessian of `penalty`, shape (p, p)."""
        if type(self).penalty is Model.penalty:
            return np.zeros((self.n_params, self.n_params))
        return row_hessian(
            lambda points: np.array([self.penalty_gradient(each) for each in points]), theta[None]
        )[0]

    def equivalents(self, theta: np.ndarray) -> np.ndarray:
        """Return all parameters with the same likelihood as `theta`, shape (g, p), `theta` first."""
        return np.asarray(theta)[None]

    def nearest_equivalent(
        self, theta: np.ndarray, reference: np.ndarray, scale: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the one of `equivalents` that lies next to `reference`, in units of `scale` (1 by default).

        This resolves label switching.
        """
        copies = self.equivalents(theta)
        with np.errstate(over="ignore"):
            apart = (copies - reference) / (1.0 if scale is None else scale)
            return copies[np.linalg.norm(apart, axis=1).argmin()]

    def sample_y(self, theta: np.ndarray, X: np.ndarray, seed: Any) -> np.ndarray:
        """Draw y given X; shape (n,)."""
        raise ValueError(f"model must have a sampler, got {self.name}, which has no method sample_y")

    def sample(self, theta: np.ndarray, n: int, seed: Any) -> tuple:
        """Draw ``(X, y, z)`` with x ~ N(0, I)."""
        raise ValueError(f"model must have a sampler, got {self.name}, which has no method sample")

    def definition(self, data: Any) -> Definition:
        """Return the three functions on data, with derivatives that share no code with any other method."""
        return Definition(self, data)

    # derivatives of the definition, row by row

    def natural_jacobian(self, data: Any, rows: np.ndarray) -> np.ndarray:
        """Return d eta / d predictors, shape (n, D, B)."""
        return row_gradient(lambda points: self.natural_parameters(data, points), rows)

    def natural_curvature(self, data: Any, rows: np.ndarray, slopes: np.ndarray) -> np.ndarray:
        """Return the Hessian of <slopes, eta> in the predictors, shape (n, B, B), for slopes of (n, D)."""

        def gradient(points):
            return np.einsum("nd,ndb->nb", slopes, self.natural_jacobian(data, points))

        return row_hessian(gradient, rows)

    def mean_statistics(self, eta: np.ndarray) -> np.ndarray:
        """Return grad A(eta) = E[S | x], shape (n, D)."""
        return row_gradient(self.log_partition, eta)

    def covariance(self, eta: np.ndarray) -> np.ndarray:
        """Return hess A(eta) = Cov(S | x), shape (n, D, D)."""
        return row_hessian(self.mean_statistics, eta)

    def posterior_statistics(self, data: Any, eta: np.ndarray) -> np.ndarray:
        """Return grad A_y(eta) = E[S | x, y], shape (n, D)."""
        return row_gradient(lambda points: self.log_numerator(data, points), eta)

    def posterior_covariance(self, data: Any, eta: np.ndarray) -> np.ndarray:
        """Return hess A_y(eta) = Cov(S | x, y), shape (n, D, D)."""
        return row_hessian(lambda points: self.posterior_statistics(data, points), eta)

    def statistics(self, data: Any, responsibilities: np.ndarray) -> np.ndarray:
        """Return the posterior means E[S | x, y], shape (n, D), that an E-step's answer stands for."""
        return responsibilities

    def has_own(self, what: str) -> bool:
        """Return whether a method is the model's own code, and not derived from its definition."""
        return getattr(type(self), what) is not getattr(Model, what)

    def in_domain(self, theta: np.ndarray) -> bool:
        """Return whether theta is a parameter of the model: everywhere by default."""
        return True

    def random_point(self, data: Any, rng: np.random.Generator) -> np.ndarray:
        """Return a random parameter in the domain, shape (p,): its predictors are of moderate size."""
        unit = self.parameter_scale(data) * np.sqrt(self.parameter_width())
        return _MODERATE * rng.standard_normal(self.n_params) / unit

    def explain(self, data: Any, theta: np.ndarray) -> str:
        """Return why the model is not finite at theta, or "" where it does not know."""
        return ""

    def same_region(self, data: Any, u: np.ndarray, v: np.ndarray) -> bool:
        """Return whether A and eta are one smooth function at both parameters, as they are by default.

        A sparse gate selects experts: where the selection changes, the loss jumps, and no identity of EM
        holds between the two.
        """
        return True

    # the marginal loss

    def loss(self, data: Any, theta: np.ndarray) -> float:
        """Return the average negative marginal log-likelihood, E[A - A_y], and the penalty."""
        eta = self._eta(data, theta)
        return float(
            data.weights @ (self.log_partition(eta) - self.log_numerator(data, eta)) + self.penalty(theta)
        )

    def gradient(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return the gradient of the marginal loss, shape (p,)."""
        return self.loss_and_gradient(data, theta)[1]

    def loss_and_gradient(self, data: Any, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the marginal loss and its gradient, E[J'(grad A - grad A_y)]."""
        posterior = self.posterior_statistics(data, self._eta(data, theta))
        return self.loss(data, theta), self._pulled(data, theta, posterior)

    def complete_hessian(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return I_com, the Hessian at theta of the expected complete loss there, shape (p, p)."""
        return self.informations(data, theta)[0]

    def missing_hessian(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return I_mis = E[J' Cov(S | x, y) J], shape (p, p)."""
        return self.informations(data, theta)[1]

    def informations(self, data: Any, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return I_com and I_mis."""
        eta = self._eta(data, theta)
        complete = self._second(data, theta, self.covariance(eta), self.posterior_statistics(data, eta))
        return complete + self.penalty_hessian(theta), self._second(
            data, theta, self.posterior_covariance(data, eta)
        )

    def hessian(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return the Hessian of the marginal loss, I_com - I_mis (Louis 1982), shape (p, p)."""
        complete, missing = self.informations(data, theta)
        return complete - missing

    def expected_information(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return E[J' hess A J]: I_com on a linear model set, its expectation on a curved one."""
        return self._second(data, theta, self.covariance(self._eta(data, theta)))

    # EM

    def e_step(self, data: Any, theta: np.ndarray) -> EStep:
        """Return the `EStep` at theta."""
        return EStep(self.loss(data, theta), self.posterior_statistics(data, self._eta(data, theta)))

    def m_step(self, data: Any, responsibilities: np.ndarray, start: np.ndarray) -> MStep:
        """Return the `MStep` for given responsibilities, warm-started at `start`."""
        return self.project(data, self.statistics(data, responsibilities), start)

    def em_step(self, data: Any, theta: np.ndarray, start: np.ndarray | None = None) -> tuple[float, MStep]:
        """Evaluate the EM map: the E-step at theta, then the exact M-step.

        Parameters
        ----------
        data : object
        theta : ndarray of shape (p,)
        start : ndarray of shape (p,), optional
            Where the iterations of the M-step begin; theta by default. They end at the same place.

        Returns
        -------
        loss : float
            Average negative log-likelihood at theta.
        m_step : MStep
        """
        e_step = self.e_step(data, theta)
        return e_step.loss, self.m_step(data, e_step.responsibilities, theta if start is None else start)

    def surrogate(self, data: Any, responsibilities: np.ndarray, theta: np.ndarray) -> float:
        """Return Q(theta), up to a constant: E[A(eta) - <E[S | x, y], eta>] and the penalty."""
        value = self.projection_value(data, self.statistics(data, responsibilities), theta)
        return float(value + self.penalty(theta))

    def surrogate_gradient(self, data: Any, responsibilities: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Return grad Q at theta for given responsibilities, shape (p,)."""
        return self._pulled(data, theta, self.statistics(data, responsibilities))

    # the geometry

    def project(self, data: Any, statistics: np.ndarray, start: np.ndarray, total: float = 1.0) -> MStep:
        """Minimise E[total A(eta(x; theta)) - <S, eta(x; theta)>] and the penalty, S of shape (n, D)."""
        mean = statistics / total

        def evaluate(theta):
            value, slope = self.projection(data, mean, theta)
            return value + self.penalty(theta) / total, slope + self.penalty_gradient(theta) / total

        def second(theta):
            return self.projection_hessian(data, mean, theta) + self.penalty_hessian(theta) / total

        eta = self._eta(data, start)
        terms = np.abs(self.log_partition(eta)) + np.einsum("nd,nd->n", np.abs(mean), np.abs(eta))
        return self._minimised(data, evaluate, second, start, float(data.weights @ terms))

    def projection(self, data: Any, statistics: np.ndarray, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Return E[A(eta(x; theta)) - <S, eta(x; theta)>], without penalty, and its gradient, shape (p,)."""
        value = self.projection_value(data, statistics, theta)
        return value, self.projection_gradient(data, statistics, theta)

    def projection_value(self, data: Any, statistics: np.ndarray, theta: np.ndarray) -> float:
        """Return E[A(eta(x; theta)) - <S, eta(x; theta)>], without penalty."""
        eta = self._eta(data, theta)
        rows = self.log_partition(eta) - np.einsum("nd,nd->n", statistics, eta)
        return float(data.weights @ rows)

    def projection_gradient(self, data: Any, statistics: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Return the gradient of E[A(eta(x; theta)) - <S, eta(x; theta)>], without penalty, shape (p,)."""
        rows = self.predictor_rows(data, theta)
        rest = self.mean_statistics(self.natural_parameters(data, rows)) - statistics
        return self._pull_back_natural(data, rows, rest)

    def projection_hessian(self, data: Any, statistics: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Return the Hessian of E[A(eta(x; theta)) - <S, eta(x; theta)>], without penalty, shape (p, p)."""
        return self._second(data, theta, self.covariance(self._eta(data, theta)), statistics)

    def mirror_map(self, data: Any, theta: np.ndarray) -> float:
        """Return A(theta) = E[A(eta(x; theta))], a mirror map where eta is affine in theta."""
        return float(data.weights @ self.log_partition(self._eta(data, theta)))

    def mirror_gradient(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return grad A(theta), shape (p,)."""
        rows = self.predictor_rows(data, theta)
        return self._pull_back_natural(data, rows, self.mean_statistics(self.natural_parameters(data, rows)))

    def mirror_inverse(self, data: Any, dual: np.ndarray, start: np.ndarray) -> MStep:
        """Solve grad A(theta) = dual; return an `MStep`."""

        def evaluate(theta):
            return self.mirror_map(data, theta) - dual @ theta, self.mirror_gradient(data, theta) - dual

        def second(theta):
            return self.expected_information(data, theta)

        terms = abs(self.mirror_map(data, start)) + np.abs(dual) @ np.abs(start)
        return self._minimised(data, evaluate, second, start, float(terms))

    def divergence(self, data: Any, u: np.ndarray, v: np.ndarray) -> float:
        """Return the Bregman divergence D_A(u, v) = E KL( p_v(y,z|x) || p_u(y,z|x) )."""
        eta_v = self._eta(data, v)
        return self._bregman(data, self.log_partition, self._eta(data, u), eta_v, self.mean_statistics(eta_v))

    def posterior_divergence(self, data: Any, u: np.ndarray, v: np.ndarray) -> float:
        """Return E KL( p_v(z|x,y) || p_u(z|x,y) ), the Bregman divergence of A_y."""
        eta_v = self._eta(data, v)

        def function(eta):
            return self.log_numerator(data, eta)

        return self._bregman(
            data, function, self._eta(data, u), eta_v, self.posterior_statistics(data, eta_v)
        )

    def changes_with_features(self) -> str:
        """Return why x -> Bx changes the problem, or "" when `transform_features` makes up for it."""
        return "the model does not say what a linear map of the features does to its parameters"

    def transform_features(self, theta: np.ndarray, B: np.ndarray) -> np.ndarray:
        """Return the parameter that means the same after x -> Bx."""
        raise ArithmeticError(f"features cannot be mixed: {self.changes_with_features()}")

    # sizes, and what the loop asks

    def loss_terms(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return the moduli of the terms that are added up to each row's loss, shape (n,)."""
        return loss_sizes(self, data, theta)

    def dependent_columns(self, data: Any) -> list[int]:
        """Return the indices of columns of X that are linearly dependent; empty for a regular design."""
        return []

    def relative_size(self, data: Any, displacement: np.ndarray, theta: np.ndarray) -> float:
        """Return the root mean square change of the predictors, relative to 1 plus their size."""
        here = self.predictor_rows(data, theta)
        change = self.predictor_rows(data, theta + displacement) - here
        change_size, size = (np.sqrt(data.weights @ rows**2) for rows in (change, here))
        return float((change_size / (1.0 + size)).max())

    def precondition(self, data: Any, gradient: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Return H^{-1} gradient, H = I_com(theta) or an upper bound: at most the EM displacement."""
        complete = self.regular(data, theta, self.complete_hessian(data, theta))
        return solve_positive(complete, gradient)

    def em_information(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return I_com as EM has it: for sizes of displacements, not for predictions of what EM does."""
        return self.regular(data, theta, self.complete_hessian(data, theta))

    def regular(self, data: Any, theta: np.ndarray, matrix: np.ndarray) -> np.ndarray:
        """Return a matrix that vanishes along null directions with a curvature there."""
        flat = self.null_directions(data, theta)
        return matrix + np.abs(matrix).max() * (flat @ flat.T) if flat.shape[1] else matrix

    def parameter_scale(self, data: Any) -> np.ndarray:
        """Return the change of a predictor per unit of each parameter, shape (p,)."""
        return np.ones(self.n_params)

    def parameter_width(self) -> np.ndarray:
        """Return how many parameters share each parameter's predictor, shape (p,)."""
        return np.ones(self.n_params)

    def gradient_scale(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return the sizes of the terms of each gradient entry: residuals are relative to them; (p,)."""
        return gradient_sizes(self, data, theta) + np.abs(self.penalty_hessian(theta)) @ np.abs(theta)

    def null_directions(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return orthonormal directions in which the complete-data model does not change, (p, g).

        They are the null space of the complete information, wherever theta is; there are none by default.
        """
        return np.zeros((self.n_params, 0))

    def gauge_directions(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return orthonormal directions in which the loss does not change, wherever theta is, (p, g).

        `null_directions` are among them. Others may change the complete data alone, as a rotation of factors
        does: there EM has a step, and the eigenvalue 1.
        """
        return self.null_directions(data, theta)

    # how all of this is derived

    def _eta(self, data, theta):
        return self.natural_parameters(data, self.predictor_rows(data, theta))

    def _pull_back_natural(self, data, rows, slopes):
        """Return E[J' slopes] for derivatives in eta of shape (n, D)."""
        in_predictors = np.einsum("nd,ndb->nb", slopes, self.natural_jacobian(data, rows))
        return self.pull_back(data, data.weights[:, None] * in_predictors)

    def _pulled(self, data, theta, statistics):
        return self.projection_gradient(data, statistics, theta) + self.penalty_gradient(theta)

    def _second(self, data, theta, curvature, statistics=None):
        """Return E[J' curvature J], and what the bend of eta adds for given mean statistics."""
        rows = self.predictor_rows(data, theta)
        jacobian = self.natural_jacobian(data, rows)
        second = np.einsum("ndb,nde,nec->nbc", jacobian, curvature, jacobian)
        if statistics is not None:
            rest = self.mean_statistics(self.natural_parameters(data, rows)) - statistics
            second = second + self.natural_curvature(data, rows, rest)
        return self.pull_back_second(data, data.weights[:, None, None] * second)

    def _minimised(self, data, evaluate, second, start, terms):
        return MStep.of(minimise_for(self, data, evaluate, second, start, terms))

    @staticmethod
    def _bregman(data, function, u, v, slope):
        rows = function(u) - function(v) - np.einsum("nd,nd->n", slope, u - v)
        return float(data.weights @ rows)
