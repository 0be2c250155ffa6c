"""What a model is: the protocol through which problems, algorithms and claims see it."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from emmd.core.status import Status
from emmd.kernels.solvers.extrapolate import NO_PATH


@dataclass(frozen=True)
class EStep:
    """The E-step at one parameter.

    Attributes
    ----------
    loss : float
        Average negative log-likelihood, a by-product of the normalisation.
    responsibilities : ndarray
        Posterior probabilities of the latent experts, one row (or entry) per sample.
    """

    loss: float
    responsibilities: np.ndarray


@dataclass(slots=True)
class MStep:
    """The M-step, or an inverse mirror step: where it ended and how exactly it was solved.

    Attributes
    ----------
    theta : ndarray of shape (p,)
    residual : float
        Largest scaled gradient entry of the inner problem at `theta`.
    solved : bool
        Whether the residual is at most 1e-13.
    curvature : float
        Smallest squared pivot of the scaled inner Hessian; about 0 when the
        minimiser runs to infinity.
    iterations : int
        Inner evaluations.
    failure : Status or None
        A degenerate fit that the model has recognised.
    """

    theta: np.ndarray
    residual: float
    solved: bool
    curvature: float
    iterations: int = 1
    failure: Status | None = None


class Model(ABC):
    """A conditional latent-variable model p(y, z | x; theta) whose EM is mirror descent.

    ``theta`` is one flat float64 vector of length `n_params`. ``data`` is what
    `prepare` returned. All averages are weighted, all losses are minimised. A model with
    `takes_partitions` reaches rows by ``data.add_up`` alone where a sum is all it needs, and has a method
    ``gather(data, elsewhere)`` that adds to `emmd.core.partitions.PartitionedData` what else it reads. With
    `exact_divergence` D_A has a relative error of rounding, however close its two points.
    """

    name: str
    n_features: int
    n_params: int
    responsibility_columns: tuple = ()
    linear_model_set = True
    takes_partitions = False
    exact_divergence = False

    @abstractmethod
    def prepare(self, X: np.ndarray, y: np.ndarray, weights: np.ndarray) -> Any:
        """Check the target and return the data object that the other methods take."""

    @property
    def least_rows(self) -> int:
        """Number of rows that a problem must have."""
        return 1

    @abstractmethod
    def sample_y(self, theta: ArrayLike, X: ArrayLike, seed: Any) -> np.ndarray:
        """Draw y given X; shape (n,)."""

    @abstractmethod
    def sample(self, theta: ArrayLike, n: int, seed: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Draw ``(X, y, z)`` with x ~ N(0, I)."""

    @abstractmethod
    def equivalents(self, theta: ArrayLike) -> np.ndarray:
        """Return all parameters with the same likelihood as `theta`, shape (g, p), `theta` first."""

    @abstractmethod
    def loss(self, data: Any, theta: np.ndarray) -> float:
        """Return the average negative marginal log-likelihood."""

    @abstractmethod
    def gradient(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return the gradient of the marginal loss, shape (p,)."""

    @abstractmethod
    def complete_hessian(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return I_com, the complete-data information, shape (p, p)."""

    def em_information(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return I_com as EM has it: for sizes of displacements, not for predictions of what EM does."""
        return self.complete_hessian(data, theta)

    @abstractmethod
    def missing_hessian(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return I_mis = E[Cov(S | x, y; theta)], shape (p, p)."""

    def informations(self, data: Any, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return I_com and I_mis."""
        return self.complete_hessian(data, theta), self.missing_hessian(data, theta)

    def penalty(self, theta: np.ndarray) -> Any:
        """Return what the loss adds to the negative log-likelihood, for real or complex theta: 0."""
        return 0.0

    def penalty_hessian(self, theta: np.ndarray) -> np.ndarray:
        """Return the Hessian of `penalty`, shape (p, p)."""
        return np.zeros((self.n_params, self.n_params))

    def hessian(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return the Hessian of the marginal loss, I_com - I_mis (Louis 1982), shape (p, p)."""
        complete, missing = self.informations(data, theta)
        return complete - missing

    @abstractmethod
    def e_step(self, data: Any, theta: np.ndarray) -> EStep:
        """Return the `EStep` at theta."""

    @abstractmethod
    def m_step(self, data: Any, responsibilities: np.ndarray, start: np.ndarray) -> MStep:
        """Return the `MStep` for given responsibilities, warm-started at `start`."""

    def em_step(
        self, data: Any, theta: np.ndarray, displacements: np.ndarray = NO_PATH
    ) -> tuple[float, MStep]:
        """Evaluate the EM map: the E-step at theta, then the exact M-step warm-started there.

        Parameters
        ----------
        data : object
        theta : ndarray of shape (p,)
        displacements : ndarray of shape (m, p)
            How a path has come to theta, the last first, C-contiguous: a model may warm-start where it leads.

        Returns
        -------
        loss : float
            Average negative log-likelihood at theta.
        m_step : MStep
        """
        e_step = self.e_step(data, theta)
        return e_step.loss, self.m_step(data, e_step.responsibilities, theta)

    @abstractmethod
    def mirror_map(self, data: Any, theta: np.ndarray) -> float:
        """Return A(theta)."""

    @abstractmethod
    def mirror_gradient(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return grad A(theta), shape (p,)."""

    @abstractmethod
    def mirror_inverse(self, data: Any, dual: np.ndarray, start: np.ndarray) -> MStep:
        """Solve grad A(theta) = dual; return an `MStep`."""

    @abstractmethod
    def divergence(self, data: Any, u: np.ndarray, v: np.ndarray) -> float:
        """Return the Bregman divergence D_A(u, v) = E KL( p_v(y,z|x) || p_u(y,z|x) )."""

    @abstractmethod
    def posterior_divergence(self, data: Any, u: np.ndarray, v: np.ndarray) -> float:
        """Return E KL( p_v(z|x,y) || p_u(z|x,y) )."""

    @abstractmethod
    def loss_and_gradient(self, data: Any, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the marginal loss and its gradient from one evaluation."""

    @abstractmethod
    def surrogate_gradient(self, data: Any, responsibilities: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Return grad Q at theta for given responsibilities, Q the expected complete loss; shape (p,)."""

    @abstractmethod
    def surrogate(self, data: Any, responsibilities: np.ndarray, theta: np.ndarray) -> float:
        """Return the expected complete negative log-likelihood Q(theta), from the log joint."""

    @abstractmethod
    def posterior_statistics(self, data: Any, responsibilities: np.ndarray) -> np.ndarray:
        """Return E[S | x, y] for every row, shape (n, D)."""

    @abstractmethod
    def mean_statistics(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return grad A(eta(x; theta)) = E[S | x] for every row, shape (n, D)."""

    @abstractmethod
    def project(self, data: Any, statistics: np.ndarray, start: np.ndarray, total: float = 1.0) -> MStep:
        """Minimise E[total A(eta(x; theta)) - <S, eta(x; theta)>], S of shape (n, D); return an `MStep`."""

    @abstractmethod
    def projection_gradient(self, data: Any, statistics: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Return the gradient of E[A(eta(x; theta)) - <S, eta(x; theta)>], shape (p,)."""

    @abstractmethod
    def projection_hessian(self, data: Any, statistics: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Return the Hessian of E[A(eta(x; theta)) - <S, eta(x; theta)>], shape (p, p)."""

    def changes_with_features(self) -> str:
        """Return why x -> Bx changes the problem, or "" when `transform_features` makes up for it."""
        return ""

    @abstractmethod
    def transform_features(self, theta: ArrayLike, B: ArrayLike) -> np.ndarray:
        """Return the parameter that means the same after x -> Bx."""

    @abstractmethod
    def dependent_columns(self, data: Any) -> list[int]:
        """Return the indices of columns of X that are linearly dependent; empty for a regular design."""

    @abstractmethod
    def relative_size(self, data: Any, displacement: np.ndarray, theta: np.ndarray) -> float:
        """Return the root mean square change of the predictors, relative to 1 plus their size."""

    @abstractmethod
    def precondition(self, data: Any, gradient: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Return H^{-1} gradient, H = I_com(theta) or an upper bound: at most the EM displacement."""

    @abstractmethod
    def parameter_scale(self, data: Any) -> np.ndarray:
        """Return the change of a predictor per unit of each parameter, shape (p,)."""

    def score_size(self, data: Any) -> float:
        """Return the size of the score's terms to which an `MStep`'s residual is relative."""
        return 1.0

    @abstractmethod
    def parameter_width(self) -> np.ndarray:
        """Return how many parameters share each parameter's predictor, shape (p,)."""

    @abstractmethod
    def tempered_responsibilities(self, data: Any, theta: np.ndarray, evidence: float) -> np.ndarray:
        """Return posterior probabilities with the likelihood raised to the power `evidence`.

        1 is the E-step; deterministic annealing uses less, and so does a sabotage.
        """

    def expected_information(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return E[J' hess A J]: I_com on a linear model set, its expectation on a curved one."""
        return self.complete_hessian(data, theta)

    @abstractmethod
    def rounding_rows(self, data: Any, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return bounds of rounding errors in units of the machine precision, before any sum.

        Returns
        -------
        loss : ndarray of shape (n,)
            Of each row's loss.
        terms : ndarray of shape (n, B)
            Moduli of the terms of its derivative in each predictor.
        carried : ndarray of shape (n, B)
            What rounding errors of predictors and log joints do to that derivative.
        """

    @abstractmethod
    def natural_rounding(self, data: Any, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return bounds of rounding errors in eta and in grad l(eta), in the same units, both (n, D)."""

    @abstractmethod
    def absolute_pull_back(self, data: Any, slopes: np.ndarray) -> np.ndarray:
        """Return `pull_back_rows` with the moduli of the features: it pulls back error bounds."""

    @abstractmethod
    def predictor_rows(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return the predictors through which theta acts, shape (n, B)."""

    @abstractmethod
    def pull_back_rows(self, data: Any, slopes: np.ndarray) -> np.ndarray:
        """Return the gradient in theta for weighted derivatives in the predictors, shape (n, B)."""

    @abstractmethod
    def natural_parameters(self, rows: Any) -> np.ndarray:
        """Return eta of the exponential family of (y, z), shape (n, D), for real or complex rows."""

    @abstractmethod
    def natural_log_partition(self, eta: np.ndarray) -> np.ndarray:
        """Return A(eta), shape (n,), for real or complex eta."""

    @abstractmethod
    def natural_log_numerator(self, data: Any, eta: np.ndarray) -> np.ndarray:
        """Return A_y(eta) = log p(y | x; eta) + A(eta), shape (n,), for real or complex eta."""
