"""MAP estimation with a conjugate prior: a model whose rows also carry pseudo-observations."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from emmd.core.checks import describe, instance, positive_number, real_array, require_finite
from emmd.core.protocols.model import Model
from emmd.core.protocols.steps import EStep, MStep
from emmd.models.mixture.ridge import LARGEST_PENALTY


@dataclass(frozen=True)
class PriorData:
    """What the model prepared, and the prior's mean statistics at the same features.

    Attributes
    ----------
    data : object
        Of the model without prior.
    mean : ndarray of shape (n, D)
        grad A(eta(x; centre)) = E[S | x] under the prior's centre.
    eta : ndarray of shape (n, D)
        eta(x; centre).
    """

    data: Any
    mean: np.ndarray
    eta: np.ndarray

    def add_up(self, sums: Any, *arguments):
        """Return ``sums(data, *arguments)``, a sum over all rows with what the prior adds to them."""
        return sums(self, *arguments)

    def __getattr__(self, name):
        """Return what the model's own data hold: X, y, weights, design."""
        return _passed_on(self, "data", name)


def _passed_on(wrapper, inner, name):
    if name.startswith("_") or name == inner:
        raise AttributeError(f"{type(wrapper).__name__!r} object has no attribute {name!r}")
    return getattr(getattr(wrapper, inner), name)


class ConjugatePrior(Model):
    """A model whose loss also holds ``strength * E KL(p_centre(y,z|x) || p_theta(y,z|x))``.

    That is ``nu A(theta) - <m, theta>`` up to a constant (a negative log conjugate density) with
    nu = strength and m = nu grad A(centre): each row carries nu pseudo-observations (y, z) that
    follow the centre. EM on it is mirror descent with unit step and the mirror map (1 + nu) A, or
    with A and the step 1 / (1 + nu).

    Parameters
    ----------
    model : Model
    strength : float
        nu > 0, pseudo-observations per observation.
    centre : array_like of shape (p,)
        Parameter of `model`.
    """

    def __init__(self, model: Model, strength: float, centre: ArrayLike) -> None:
        expected = "an emmd model without prior"
        self.model = instance("model", model, Model, expected)
        if isinstance(model, ConjugatePrior):
            raise TypeError(f"model must be {expected}, got {describe(model)}")
        self.strength = positive_number("strength", strength, largest=LARGEST_PENALTY)
        self.centre = real_array("centre", centre, 1, (model.n_params,))
        self.name = model.name
        self.n_features, self.n_params = model.n_features, model.n_params
        self.responsibility_columns = model.responsibility_columns

    def __getattr__(self, name):
        """Return what the model alone has: its family, its layout of theta."""
        return _passed_on(self, "model", name)

    def check_rows(self, X: Any, y: Any) -> tuple[Any, Any, int]:
        """Return what the model makes of features and target."""
        return self.model.check_rows(X, y)

    def prepare(self, X: Any, y: Any, weights: np.ndarray) -> Any:
        """Return `PriorData`."""
        data = self.model.prepare(X, y, weights)
        with np.errstate(all="ignore"):
            eta = self.model.natural_parameters(data, self.model.predictor_rows(data, self.centre))
            mean = self.model.mean_statistics(eta)
        require_finite("centre (and X)", "natural parameters and means", eta, mean)
        return PriorData(data, mean, eta)

    @property
    def least_rows(self) -> int:
        """Number of rows that the model must have."""
        return self.model.least_rows

    def equivalents(self, theta: np.ndarray) -> np.ndarray:
        """Return theta under those symmetries of the model that keep the centre, shape (g, p)."""
        keep = (self.model.equivalents(self.centre) == self.centre).all(axis=1)
        return self.model.equivalents(theta)[keep]

    # the definition: A and A_y with the pseudo-observations

    def natural_parameters(self, data: Any, rows: np.ndarray) -> np.ndarray:
        """Return eta, shape (n, D)."""
        return self.model.natural_parameters(data.data, rows)

    def log_partition(self, eta: np.ndarray) -> np.ndarray:
        """Return (1 + nu) A(eta), shape (n,)."""
        return (1.0 + self.strength) * self.model.log_partition(eta)

    def log_numerator(self, data: Any, eta: np.ndarray) -> np.ndarray:
        """Return A_y(eta) + nu (A(eta_centre) + <grad A(eta_centre), eta - eta_centre>), shape (n,)."""
        tangent = self.model.log_partition(data.eta) + ((eta - data.eta) * data.mean).sum(axis=1)
        return self.model.log_numerator(data.data, eta) + self.strength * tangent

    def mean_statistics(self, eta: np.ndarray) -> np.ndarray:
        """Return (1 + nu) E[S | x] for every row, shape (n, D)."""
        return (1.0 + self.strength) * self.model.mean_statistics(eta)

    def statistics(self, data: Any, responsibilities: np.ndarray) -> np.ndarray:
        """Return E[S | x, y] + nu E[S | x; centre] for every row, shape (n, D)."""
        return self.model.statistics(data.data, responsibilities) + self.strength * data.mean

    # the loss and its derivatives: the model's, plus nu times the divergence from the centre

    def _prior(self, data, theta):
        return self.strength * self.model.divergence(data.data, theta, self.centre)

    def loss(self, data: Any, theta: np.ndarray) -> float:
        """Return the average negative log-likelihood plus the prior's divergence."""
        return self.model.loss(data.data, theta) + self._prior(data, theta)

    def loss_and_gradient(self, data: Any, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Return it and its gradient, shape (p,)."""
        loss, gradient = self.model.loss_and_gradient(data.data, theta)
        own = self.strength * self.model.projection_gradient(data.data, data.mean, theta)
        return loss + self._prior(data, theta), gradient + own

    def informations(self, data: Any, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return I_com and I_mis: pseudo-observations are complete."""
        complete, missing = self.model.informations(data.data, theta)
        return complete + self.strength * self.model.projection_hessian(data.data, data.mean, theta), missing

    def expected_information(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return (1 + nu) E[J' hess A J]."""
        return (1.0 + self.strength) * self.model.expected_information(data.data, theta)

    def e_step(self, data: Any, theta: np.ndarray) -> EStep:
        """Return the loss and the model's responsibilities."""
        e_step = self.model.e_step(data.data, theta)
        return EStep(e_step.loss + self._prior(data, theta), e_step.responsibilities)

    def surrogate(self, data: Any, responsibilities: np.ndarray, theta: np.ndarray) -> float:
        """Return Q plus the prior's divergence."""
        return self.model.surrogate(data.data, responsibilities, theta) + self._prior(data, theta)

    # the geometry: the mirror map is (1 + nu) A

    def project(self, data: Any, statistics: np.ndarray, start: np.ndarray, total: float = 1.0) -> MStep:
        """Minimise E[total (1 + nu) A(eta) - <S, eta>]."""
        return self.model.project(data.data, statistics, start, total * (1.0 + self.strength))

    def projection_gradient(self, data: Any, statistics: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Return the gradient of E[(1 + nu) A(eta) - <S, eta>], shape (p,)."""
        total = 1.0 + self.strength
        return total * self.model.projection_gradient(data.data, statistics / total, theta)

    def projection_hessian(self, data: Any, statistics: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Return its Hessian, shape (p, p)."""
        total = 1.0 + self.strength
        return total * self.model.projection_hessian(data.data, statistics / total, theta)

    def mirror_map(self, data: Any, theta: np.ndarray) -> float:
        """Return (1 + nu) A(theta)."""
        return (1.0 + self.strength) * self.model.mirror_map(data.data, theta)

    def mirror_gradient(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return (1 + nu) grad A(theta), shape (p,)."""
        return (1.0 + self.strength) * self.model.mirror_gradient(data.data, theta)

    def mirror_inverse(self, data: Any, dual: np.ndarray, start: np.ndarray) -> MStep:
        """Solve (1 + nu) grad A(theta) = dual."""
        return self.model.mirror_inverse(data.data, dual / (1.0 + self.strength), start)

    def divergence(self, data: Any, u: np.ndarray, v: np.ndarray) -> float:
        """Return (1 + nu) D_A(u, v)."""
        return (1.0 + self.strength) * self.model.divergence(data.data, u, v)

    def posterior_divergence(self, data: Any, u: np.ndarray, v: np.ndarray) -> float:
        """Return E KL( p_v(z|x,y) || p_u(z|x,y) )."""
        return self.model.posterior_divergence(data.data, u, v)

    def loss_terms(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return the moduli of the terms of each row's loss, those of the prior's divergence among them."""
        eta = self.model.natural_parameters(data.data, self.model.predictor_rows(data.data, theta))
        sizes = np.abs(self.model.mean_statistics(eta)) + np.abs(data.mean)
        maps = sum(np.abs(self.model.log_partition(point)) for point in (eta, data.eta))
        own = 8.0 * (1.0 + maps + (sizes * (np.abs(eta) + np.abs(data.eta))).sum(axis=1))
        return self.model.loss_terms(data.data, theta) + self.strength * own

    # what does not depend on the prior

    def predictor_rows(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return the predictors, shape (n, B)."""
        return self.model.predictor_rows(data.data, theta)

    def pull_back(self, data: Any, slopes: np.ndarray) -> np.ndarray:
        """Return the gradient in theta for derivatives in the predictors."""
        return self.model.pull_back(data.data, slopes)

    def pull_back_second(self, data: Any, curvatures: np.ndarray) -> np.ndarray:
        """Return the Hessian in theta for second derivatives in the predictors."""
        return self.model.pull_back_second(data.data, curvatures)

    def same_region(self, data: Any, u: np.ndarray, v: np.ndarray) -> bool:
        """Return the model's."""
        return self.model.same_region(data.data, u, v)

    def penalty(self, theta: np.ndarray) -> Any:
        """Return the model's ridge penalty; the prior counts by rows."""
        return self.model.penalty(theta)

    def penalty_gradient(self, theta: np.ndarray) -> np.ndarray:
        """Return its gradient."""
        return self.model.penalty_gradient(theta)

    def penalty_hessian(self, theta: np.ndarray) -> np.ndarray:
        """Return its Hessian."""
        return self.model.penalty_hessian(theta)

    def sample(self, theta: np.ndarray, n: int, seed: Any) -> tuple:
        """Draw from the model."""
        return self.model.sample(theta, n, seed)

    def sample_y(self, theta: np.ndarray, X: Any, seed: Any) -> np.ndarray:
        """Draw y given X from the model."""
        return self.model.sample_y(theta, X, seed)

    def transform_features(self, theta: np.ndarray, B: np.ndarray) -> np.ndarray:
        """Return the model's; the centre stays where it is."""
        return self.model.transform_features(theta, B)

    def changes_with_features(self) -> str:
        """Say that x -> Bx changes the problem: the centre is a parameter of these features."""
        return self.model.changes_with_features() or "the prior is centred at a parameter of these features"

    def dependent_columns(self, data: Any) -> list[int]:
        """Return the indices of dependent columns."""
        return self.model.dependent_columns(data.data)

    def relative_size(self, data: Any, displacement: np.ndarray, theta: np.ndarray) -> float:
        """Return the relative change of the predictors."""
        return self.model.relative_size(data.data, displacement, theta)

    def parameter_scale(self, data: Any) -> np.ndarray:
        """Return the change of a predictor per unit of each parameter, shape (p,)."""
        return self.model.parameter_scale(data.data)

    def gradient_scale(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return the sizes of the terms that an M-step's residual is relative to."""
        return self.model.gradient_scale(data.data, theta)

    def null_directions(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return the model's: pseudo-observations are complete, so nothing else leaves the loss as it is."""
        return self.model.null_directions(data.data, theta)

    def has_own(self, what: str) -> bool:
        """Return the model's."""
        return self.model.has_own(what)

    def random_point(self, data: Any, rng: np.random.Generator) -> np.ndarray:
        """Return a random parameter in the model's domain."""
        return self.model.random_point(data.data, rng)

    def explain(self, data: Any, theta: np.ndarray) -> str:
        """Return the model's."""
        return self.model.explain(data.data, theta)

    def in_domain(self, theta: np.ndarray) -> bool:
        """Return whether theta is a parameter of the model."""
        return self.model.in_domain(theta)

    def parameter_width(self) -> np.ndarray:
        """Return how many parameters share each parameter's predictor, shape (p,)."""
        return self.model.parameter_width()
