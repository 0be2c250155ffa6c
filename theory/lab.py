"""A laboratory: one problem and one start, with what several claims need, computed once."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from emmd.core.checks import require_finite, seed_integer
from emmd.core.loop.algorithm import Algorithm, Step, inner_failure
from emmd.core.loop.solve import make_algorithm
from emmd.core.numerics.derivatives import underflow
from emmd.core.numerics.rounding import EPS
from emmd.core.problem import Problem, required_problem
from emmd.core.protocols.gate import NEVER
from emmd.core.protocols.model import Model
from emmd.core.protocols.steps import MStep
from emmd.core.status import Status
from emmd.fits.pencil import reduced
from emmd.models.conjugate_prior import ConjugatePrior
from emmd.theory.certificates.certificate import Certificate
from emmd.theory.certificates.certify import certify
from emmd.theory.models.known import natural_rounding, posterior_rounding, tempered
from emmd.theory.numeric.bounds.curvature import Curvature
from emmd.theory.numeric.bounds.rounding import (
    divergence_rounding,
    gradient_rounding,
    linear_term_rounding,
    loss_rounding,
    natural_loss_rounding,
    pulled_back_rounding,
)
from emmd.theory.numeric.bounds.truncated import TruncatedCurvature, hides_truncated_gaussian
from emmd.theory.numeric.derivatives.formula import formula
from emmd.theory.numeric.rates.contraction import Contraction, contraction
from emmd.theory.numeric.rates.information import MissingInformation, missing_information
from emmd.theory.numeric.rates.reference import Reference, reference_optimum

_REACH = 1e8
"""Natural parameters of this size leave half their digits to what they are added to."""

_HALVINGS = 20

_REGION_STEPS = 12

_CLOSE = 0.9
"""Share of the optimum's own 1 - lambda_max with which one bound for a whole region is good enough."""

STOP_DECREASE = 1e-10
"""Paths end when a step gains less than this part of the first loss: below it rounding decides."""


@dataclass(frozen=True)
class Path:
    """Iterates of one algorithm with their losses.

    Attributes
    ----------
    theta : ndarray of shape (T + 1, p)
    loss : ndarray of shape (T + 1,)
        Measured by the marginal likelihood, not by the algorithm.
    failure : str
        Why the path ended early, or "".
    """

    theta: np.ndarray
    loss: np.ndarray
    failure: str = ""


@dataclass(frozen=True)
class Region:
    """A path that ends at the reference optimum, and a relative constant that serves all its segments to it.

    Attributes
    ----------
    path : Path
    alpha : float
        A bound: 1 - lambda_max(M) is nowhere smaller on the segments from the iterates to the optimum.
    converges : bool
        Whether the path approaches the reference optimum.
    """

    path: Path
    alpha: float
    converges: bool


class Lab:
    """Everything that claims about one problem share.

    Parameters
    ----------
    problem : emmd.Problem
    theta0 : array_like of shape (p,)
    seed : int
        Seeds every random probe; the probes of a claim do not depend on which other claims run.
    """

    def __init__(self, problem: Problem, theta0: ArrayLike, seed: Any = 0) -> None:
        self.problem = required_problem(problem)
        self.theta0 = problem._check(theta0, "theta0")
        self._done: dict = {}
        with np.errstate(all="ignore"):
            start = *self.model.loss_and_gradient(problem.data, self.theta0), self.gradient_error(self.theta0)
            why = self.model.explain(problem.data, self.theta0)
        # what overflows at the start would pass for a counter-example
        of = "loss, gradient and error budget"
        require_finite("theta0", f"{of} ({why})" if why else of, *start)
        self.seed = seed_integer("seed", seed)

    @property
    def model(self) -> Model:
        """The problem's model."""
        return self.problem.model

    @property
    def linear_model_set(self) -> bool:
        """Whether eta is affine in theta, as evaluated."""
        return self.problem.linear_model_set

    @cached_property
    def formula(self) -> str | None:
        """Name of the symbolic model whose density makes up the loss, or None."""
        return formula(self)

    @cached_property
    def certificate(self) -> Certificate:
        """A proof in ball arithmetic for the problem and the start, or why there is none."""
        return certify(self.problem, self.theta0)

    @cached_property
    def curvature(self) -> Curvature | TruncatedCurvature:
        """The rows' bounds of the missing information; an ArithmeticError where none is known."""
        if self.formula is None and hides_truncated_gaussian(self):
            return TruncatedCurvature(self.problem)
        if not isinstance(self.model, ConjugatePrior):
            return Curvature(self.problem, self.formula)
        bare = Lab(
            Problem(self.model.model, self.problem.X, self.problem.y, self.problem.weights), self.theta0
        )
        return Curvature(bare.problem, bare.formula, self.model.strength)

    def rng(self, purpose: str) -> np.random.Generator:
        """Return a generator that depends on the seed and a purpose only."""
        return np.random.default_rng([self.seed, *purpose.encode()])

    @cached_property
    def scale(self) -> np.ndarray:
        """Change of a predictor per unit of each parameter, shape (p,)."""
        return self.model.parameter_scale(self.problem.data)

    @cached_property
    def reference(self) -> Reference:
        """The optimum that EM reaches from theta0."""
        return reference_optimum(self.problem, self.theta0)

    @cached_property
    def information(self) -> MissingInformation:
        """Missing information at the reference optimum."""
        return missing_information(self.problem, self.reference.theta)

    @cached_property
    def optimum_error(self) -> float:
        """A bound of the distance of the reference from the exact optimum, in the metric of I_com."""
        slopes = np.abs(self.problem.gradient(self.reference.theta)) + self.gradient_error(
            self.reference.theta
        )
        left = slopes @ np.sqrt((self.information.vectors**2).sum(axis=1))
        return float(left / max(1.0 - self.information.rate, 1e-300))

    @cached_property
    def hessian(self) -> np.ndarray:
        """Hess L at the reference optimum, from I_com - I_mis, without the gauge directions, (q, q)."""
        whole = self.information.complete - self.information.missing
        return reduced(self.problem.quotient(self.reference.theta), whole)[0]

    def reduced(self, *matrices: np.ndarray) -> list[np.ndarray]:
        """Return symmetric matrices at the reference optimum without the gauge directions, (q, q) each."""
        return reduced(self.information.basis, *matrices)

    @cached_property
    def gauge(self) -> int:
        """Number of directions in which parameters move and nothing else does."""
        return self.model.gauge_directions(self.problem.data, self.theta0).shape[1]

    def random_points(self, purpose: str, count: int, size: float) -> np.ndarray:
        """Return points whose linear predictors have root mean square about `size`, shape (count, p)."""
        draws = self.rng(purpose).standard_normal((count, len(self.scale)))
        return size * draws / (self.scale * np.sqrt(self.model.parameter_width()))

    @cached_property
    def centre(self) -> np.ndarray:
        """The parameter of equal experts fitted to all rows, or the start: there the data are in reach."""
        columns = self.model.responsibility_columns
        if columns is None:
            return self.theta0
        equal = np.full((self.problem.n_rows, *columns), 1.0 / (columns[0] if columns else 2))
        pooled = self.problem.m_step(equal, np.zeros(self.problem.n_params))
        failed = inner_failure(pooled) is not None or not np.isfinite(pooled.theta).all()
        centre = np.zeros(self.problem.n_params) if failed else pooled.theta
        return centre if self.in_region(centre) else self.theta0

    def in_region(self, theta: np.ndarray) -> bool:
        """Return whether the model is one smooth function here and at the start: identities hold there."""
        return self.model.same_region(self.problem.data, self.theta0, theta)

    @cached_property
    def probes(self) -> list[tuple[str, np.ndarray]]:
        """Labelled points for identities that hold everywhere: the start, near and far random points."""
        near, far = (
            [self._in_reach(step) for step in self.random_points(name, 2, size)]
            for name, size in (("near", 0.7), ("far", 3.0))
        )
        named = [("start", self.theta0), ("near 1", near[0]), ("near 2", near[1])]
        return [*named, ("far 1", far[0]), ("far 2", far[1])]

    def _in_reach(self, step):
        """Return the centre plus a step, halved until the natural parameters leave digits for all experts."""
        most = max(_REACH, 10.0 * self._largest_natural(self.centre))

        def reached(theta):
            return self.in_region(theta) and self._largest_natural(theta) <= most

        return self.inside(self.centre, step, reached)

    def inside(
        self, base: np.ndarray, step: np.ndarray, accepted: Callable[[np.ndarray], bool] = lambda theta: True
    ) -> np.ndarray:
        """Return a base plus a step, halved until that lies in the domain and is accepted."""
        for _ in range(_HALVINGS):
            if self.model.in_domain(base + step) and accepted(base + step):
                return base + step
            step = 0.5 * step
        return base

    def _largest_natural(self, theta):
        with np.errstate(over="ignore", invalid="ignore"):
            sizes = np.abs(self.problem.definition.eta(theta))
        # those of experts that a gate leaves out are none
        return sizes.max(where=~(sizes > 0.5 * NEVER), initial=0.0)

    def responsibilities(self, theta: np.ndarray, evidence: float = 1.0) -> np.ndarray:
        """Return responsibilities, from the E-step or with a false share of the evidence for sabotage."""
        if evidence == 1.0:
            return self._at("responsibilities", type(self.problem).responsibilities, theta)
        return self._at(("tempered", evidence), lambda problem, point: self._tempered(point, evidence), theta)

    def _tempered(self, theta, evidence):
        found = tempered(self.model, self.problem.data, theta, evidence)
        require_finite("theta", "tempered responsibilities", found)
        return found

    def em_step(self, theta: np.ndarray, evidence: float = 1.0) -> MStep:
        """Return the `MStep` that follows an E-step at theta: what `emmd.minimize` runs, unless sabotaged."""
        if evidence == 1.0:
            found = self.model.em_step(self.problem.data, theta)[1]
        else:
            found = self.problem.m_step(self.responsibilities(theta, evidence), theta)
        if found.failure is None and not self.model.same_region(self.problem.data, theta, found.theta):
            # identities hold within a region
            return replace(found, solved=False, failure=Status.INNER_FAILED)
        return found

    def step_gain(self, before: np.ndarray, after: np.ndarray) -> float:
        """Return D_A(theta_t, theta_{t+1}), or the gain of Q where the model set is curved."""
        if self.linear_model_set:
            return self.problem.divergence(before, after)
        return self.surrogate_gain(before, after)

    def surrogate_gain(self, before: np.ndarray, after: np.ndarray) -> float:
        """Return Q(theta_t | theta_t) - Q(theta_{t+1} | theta_t), cached."""

        def gain():
            r = self.responsibilities(before)
            return self.problem.surrogate(r, before) - self.problem.surrogate(r, after)

        return self.once(("surrogate gain", before.tobytes(), after.tobytes()), gain)

    def linear_term(self, u: np.ndarray, v: np.ndarray) -> tuple[float, float]:
        """Return E[<grad l(eta_v), eta_u - eta_v>] and a bound of its rounding error.

        Where eta is theta's predictors that is <grad L(v), u - v>.
        """
        if self.linear_model_set:
            return self.problem.gradient(v) @ (u - v), float(np.abs(u - v) @ self.gradient_error(v))
        (eta_v, slope), (eta_u, _) = (self.natural_gradient(theta) for theta in (v, u))
        errors = self.natural_rounding(u)[0] + self.natural_rounding(v)[0], self.natural_rounding(v)[1]
        value = self.problem.weights @ (slope * (eta_u - eta_v)).sum(axis=1)
        return float(value), linear_term_rounding(self.problem, slope, eta_u - eta_v, *errors)

    def loss_error(self, *thetas: np.ndarray) -> float:
        """Return the sum of the bounds of the rounding errors of the losses at parameters."""
        return sum(self._at("loss error", loss_rounding, theta) for theta in thetas)

    def divergence_error(self, u: np.ndarray, v: np.ndarray) -> float:
        """Return a bound of the rounding error of D_A(u, v), cached."""
        return self._at("divergence error", _divergence_error, u, v)

    def posterior_error(self, u: np.ndarray, v: np.ndarray) -> float:
        """Return a bound of the rounding error of the posterior divergence of u and v, cached."""
        bound = self._at("posterior error", posterior_rounding, u, v)
        return self._terms_error(u, v) if bound is None else bound

    def step_gain_error(self, before: np.ndarray, after: np.ndarray) -> float:
        """Return a bound of the rounding error of `step_gain`."""
        if self.linear_model_set:
            return self.divergence_error(before, after)
        return self.surrogate_gain_error(before, after)

    def surrogate_gain_error(self, before: np.ndarray, after: np.ndarray) -> float:
        """Return a bound of the rounding error of `surrogate_gain`: the terms of two losses at either end."""
        return 2.0 * self._terms_error(before, after)

    def _terms_error(self, *thetas):
        """Return a bound of the rounding error of what Q and posterior divergences are added up from.

        Without responsibilities these are natural parameters, which may cancel where densities do not.
        """
        if self.model.responsibility_columns is None:
            return self.natural_loss_error(*thetas)
        return self.loss_error(*thetas)

    def natural_loss_error(self, *thetas: np.ndarray) -> float:
        """Return the sum of the bounds of the rounding errors of losses from natural parameters."""
        return sum(self._at("natural loss error", self._natural_loss_error, theta) for theta in thetas)

    def _natural_loss_error(self, problem, theta):
        (eta, slope), mean = self.natural_gradient(theta), self.mean_statistics(theta)
        return natural_loss_rounding(problem, theta, eta, np.abs(mean) + np.abs(mean - slope))

    def gradient_error(self, theta: np.ndarray) -> np.ndarray:
        """Return a bound of the rounding error of each entry of a gradient at theta, shape (p,)."""
        return self._at("gradient error", gradient_rounding, theta)

    def natural_gradient(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return eta(x; theta) and grad l(eta) for every row, both of shape (n, D), cached."""

        return self._of_definition(theta)[::2]

    def mean_statistics(self, theta: np.ndarray) -> np.ndarray:
        """Return grad A(eta(x; theta)) for every row by complex steps, shape (n, D), cached."""
        return self._of_definition(theta)[1]

    def _of_definition(self, theta):
        def found(problem, point):
            eta = problem.definition.eta(point)
            return eta, *problem.definition.mean_and_slope(eta)

        return self._at("definition", found, theta)

    def density_gradient(self, theta: np.ndarray) -> np.ndarray:
        """Return grad L(theta) by complex steps of the density, shape (p,), cached."""
        return self._at("density gradient", lambda p, point: p.definition.gradient(point), theta)

    def natural_rounding(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return bounds of the rounding errors of eta and of grad l(eta), both of shape (n, D), cached."""

        def found(problem, point):
            of_eta, of_slope = natural_rounding(problem.model, problem.data, point)
            return of_eta, of_slope + underflow(self.natural_gradient(point)[0]) / EPS

        return self._at("natural rounding", found, theta)

    def complex_step_error(self, theta: np.ndarray) -> np.ndarray:
        """Return a bound of the rounding error of the gradient from natural parameters, shape (p,)."""
        if not self.model.has_own("loss_and_gradient"):
            # both gradients are made of the same terms
            return 2.0 * self.gradient_error(theta)
        _, of_slope = self.natural_rounding(theta)
        _, slope = self.natural_gradient(theta)
        return 2.0 * pulled_back_rounding(self.problem, theta, slope, of_slope)

    def _at(self, what, compute, *thetas):
        """Return ``compute(problem, *thetas)``, kept for the claims and sabotages that ask again."""
        key = what, *(theta.tobytes() for theta in thetas)
        return self.once(key, lambda: compute(self.problem, *thetas))

    def path(
        self,
        start: np.ndarray,
        method: str = "em",
        steps: int = 100,
        stop: float = STOP_DECREASE,
        **options: Any,
    ) -> Path:
        """Return the `Path` of an algorithm from a start, cached.

        Parameters
        ----------
        start : ndarray of shape (p,)
        method : str
        steps : int
        stop : float
            The path ends when a step changes the loss by less than `stop` times
            the first change.
        **options
            Fields of the algorithm.
        """
        key = ("path", start.tobytes(), method, steps, stop, *sorted(options.items()))
        return self.once(key, lambda: self._walk(start, make_algorithm(method, **options), steps, stop))

    def once(self, key: Any, compute: Callable[[], Any]) -> Any:
        """Return ``compute()``, computed at the first call with this key."""
        if key not in self._done:
            self._done[key] = compute()
        return self._done[key]

    def contraction(self, method: str | Algorithm, **options: Any) -> Contraction:
        """Return the measured `Contraction` of an algorithm at the reference optimum, cached."""
        key = ("contraction", method, *sorted(options.items()))
        return self.once(key, lambda: contraction(self.problem, self.reference.theta, method, **options))

    def regions(self) -> list[tuple[str, Region]]:
        """Return labelled `Region` objects: starts from next to the optimum to next to the saddle at 0."""
        return self.once("regions", lambda: [(name, self._region(start)) for name, start in self._starts()])

    def _starts(self):
        target, mode = self.reference.theta, self.information.vectors[:, -1]
        yield from (
            (f"{r} of the way to theta0", target + r * (self.theta0 - target)) for r in (1.0, 0.3, 0.05)
        )
        yield from ((f"{s} along the slowest mode", self.inside(target, s * mode)) for s in (0.5, -0.5, 0.05))
        yield from ((f"{r} theta*", self.inside(target, (r - 1.0) * target)) for r in (0.3, 1e-3))

    def _region(self, start):
        path, target = self.path(start, steps=_REGION_STEPS), self.reference.theta
        upper = self.curvature.hull([*path.theta, target])
        if upper > 1.0 - _CLOSE * (1.0 - self.information.rate):
            upper = max(self.curvature.segment(theta, target, 0.05, 24).upper for theta in path.theta)
        distances = [self.problem.divergence(target, theta) for theta in (path.theta[0], path.theta[-1])]
        return Region(path, 1.0 - upper, distances[1] < distances[0])

    def _walk(self, theta, algorithm, steps, stop):
        thetas, losses, memory, failure = [theta], [self.problem.loss(theta)], None, ""
        for _ in range(steps):
            step: Step = algorithm.step(self.problem, theta, memory)
            if step.failure is not None or not np.isfinite(step.theta).all():
                failure = step.failure.message if step.failure is not None else "the iterate is not finite"
                break
            if not self.model.same_region(self.problem.data, theta, step.theta):
                failure = "the step leaves the region in which the model is one smooth function"
                break
            theta, memory = step.theta, step.memory
            thetas.append(theta)
            losses.append(self.problem.loss(theta))
            if abs(losses[-2] - losses[-1]) <= stop * abs(losses[0] - losses[1]):
                break
        return Path(np.array(thetas), np.array(losses), failure)


def _divergence_error(problem, u, v):
    return divergence_rounding(problem, u, v, problem.divergence(u, v))
