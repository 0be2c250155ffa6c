"""Models with two symmetric experts: a sample enters by the scalars (a, b, y) only.

theta = (beta, w); a = x'beta / sigma, b = x'w. The mirror map is a sum of two
potentials, so the model set is linear and EM needs no Bregman projection. Inside
this module parameters are in working units, beta / sigma.
"""

import math
from abc import abstractmethod
from functools import cached_property
from types import ModuleType
from typing import Any

import numpy as np

from emmd.core.checks import MANY, in_memory, positive_integer, random_generator, real_array, require_finite
from emmd.core.features import coefficients_after
from emmd.core.protocols.model import Model
from emmd.core.protocols.steps import EStep, MStep
from emmd.kernels.linear.quadratic import relative_change_of_parts
from emmd.kernels.maths.bernoulli import divergence_rows
from emmd.kernels.rows.reduce import shares, sum_rows
from emmd.kernels.solvers.newton_steps import ACCEPTED
from emmd.models.symmetric.data import SymmetricData
from emmd.rows.design import Design, unpack_symmetric


def _second_moment(data):
    return data.design.second_moment


def _largest(data):
    return data.design.largest


class SymmetricModel(Model):
    """Base of the symmetric models; a subclass names its kernels, its potentials and its target.

    Attributes
    ----------
    kernels : module
        With the chunk kernels ``e_step_rows``, ``marginal_sums`` and ``information_sums``, the number of the
        first one's sums ``sums_width``, and the EM map, ``em_step`` for small data and ``shared_em_step``.
    regressions : int
        Number of logistic regressions in the M-step.
    potentials : tuple
        Potentials of the expert's predictor a and of the gate's predictor b.
    evidence : float
        The posterior logit is ``b + evidence * a * y``.
    sigma : float
        Unit of the target.
    has_density : bool
        Whether y is continuous, so that log sigma enters the loss.
    """

    kernels: ModuleType
    regressions: int
    potentials: tuple
    evidence: float
    sigma = 1.0
    has_density = False
    responsibility_columns = ()
    takes_partitions = True

    def __init__(self, n_features: int) -> None:
        self.n_features = positive_integer("n_features", n_features, maximum=MANY)
        self.n_params = 2 * self.n_features

    def check_theta(self, theta: np.ndarray, name: str = "theta") -> np.ndarray:
        """Return `theta` as a finite float64 vector of length 2d, or raise."""
        return real_array(name, theta, 1, (self.n_params,))

    def check_target(self, y: Any) -> None:
        """Raise unless every entry of y is a possible target."""

    def expert_targets(self, y: Any, responsibilities: np.ndarray) -> np.ndarray:
        """Return the posterior mean of the expert's sufficient statistic, row by row."""
        raise NotImplementedError

    def prepare(self, X: Any, y: Any, weights: np.ndarray) -> Any:
        """Check the target and return `SymmetricData`."""
        self.check_target(y)
        design = Design(X, weights)
        return SymmetricData(design, y / self.sigma, self._parameter_scale(design))

    def gather(self, data: Any, elsewhere: Any) -> None:
        """Add what is known of rows that lie elsewhere: moments of the features."""
        data.design = elsewhere(data.add_up(_second_moment), data.largest(_largest))
        data.parameter_scale = self._parameter_scale(data.design)

    def _parameter_scale(self, design):
        return self.unit * np.tile(design.scale, 2)

    @cached_property
    def unit(self) -> np.ndarray:
        """Working units per unit of theta, shape (2d,)."""
        return np.repeat([1.0 / self.sigma, 1.0], self.n_features)

    @cached_property
    def _sigmas(self):
        return np.full(1, self.sigma)

    def split(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return ``(beta / sigma, w)``."""
        working = theta * self.unit
        return working[: self.n_features], working[self.n_features :]

    def join(self, expert: np.ndarray, gate: Any) -> np.ndarray:
        """Return theta for working parameters ``(beta / sigma, w)``."""
        return np.concatenate([expert, gate]) / self.unit

    def sample(self, theta: np.ndarray, n: int, seed: Any) -> tuple:
        """Draw n samples with x ~ N(0, I).

        Returns
        -------
        X : ndarray of shape (n, d)
        y : ndarray of shape (n,)
        z : ndarray of shape (n,)
            Latent expert, +1 or -1.
        """
        theta = self.check_theta(theta)
        n = positive_integer("n", n)
        rng = random_generator("seed", seed)
        with in_memory("n", n):
            X = rng.standard_normal((n, self.n_features))
        y, z = self._draw(theta, X, rng)
        return X, y, z

    def sample_y(self, theta: np.ndarray, X: Any, seed: Any) -> np.ndarray:
        """Draw y given X, shape (n,)."""
        X = real_array("X", X, 2, (None, self.n_features))
        return self._draw(self.check_theta(theta), X, random_generator("seed", seed))[0]

    def _draw(self, theta, X, rng):
        beta, w = theta[: self.n_features], theta[self.n_features :]
        with np.errstate(over="ignore", invalid="ignore"):
            logits, mean = X @ w, X @ beta
        require_finite("theta (and X)", "predictors", logits, mean)
        # a standard logistic variate below the logit: no exp, hence no overflow
        z = np.where(rng.logistic(size=len(X)) < logits, 1.0, -1.0)
        return self.draw_target(z * mean, rng), z

    def log_joint(self, a: Any, b: Any, y: Any, z: Any) -> np.ndarray:
        """Return log p(y, z | x) in working units, for real or complex a and b."""
        raise NotImplementedError

    def draw_target(self, mean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw y for the predictor ``z x'beta`` of the active expert."""
        raise NotImplementedError

    def predictors(self, data: Any, theta: np.ndarray) -> tuple:
        """Return (a, b), each of shape (n,)."""
        expert, gate = self.split(theta)
        return data.design.predict(expert), data.design.predict(gate)

    def marginal_sums(self, data: Any, working: np.ndarray, width: int) -> np.ndarray:
        """Return the marginal loss in working units and, for width 1 + 2d, its gradient."""
        return data.add_up(self._sums, "marginal_sums", working, width, 4)

    def information_sums(self, data: Any, working: np.ndarray, matrices: int) -> list:
        """Return packed Gram matrices: complete aa and bb and, for 5 matrices, missing aa, ab and bb."""
        d = self.n_features
        return data.add_up(self._sums, "information_sums", working, matrices * (d * (d + 1) // 2), 7)

    def _sums(self, data, name, working, width, rows):
        design, d = data.design, self.n_features
        arguments = design.XB, data.y, design.weights, working[:d], working[d:], np.empty((rows, len(data.y)))
        return sum_rows(getattr(self.kernels, name), design.n_rows, width, *arguments)

    def loss(self, data: Any, theta: np.ndarray) -> float:
        """Return the average negative marginal log-likelihood, constants included."""
        return self._with_density(self.marginal_sums(data, self.unit * theta, 1)[0])

    def gradient(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return the gradient of the marginal loss, shape (2d,)."""
        return self.loss_and_gradient(data, theta)[1]

    def loss_and_gradient(self, data: Any, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the marginal loss and its gradient."""
        sums = self.marginal_sums(data, self.unit * theta, 1 + self.n_params)
        return self._with_density(sums[0]), self.unit * sums[1:]

    def _with_density(self, working_loss):
        return float(working_loss) + self.shift()

    def _matrices(self, data, theta, matrices):
        sums = self.information_sums(data, self.unit * theta, matrices)
        return [unpack_symmetric(packed, self.n_features) for packed in np.split(sums, matrices)]

    def _assemble(self, aa, ab, bb):
        d = self.n_features
        whole = np.empty((2 * d, 2 * d))
        whole[:d, :d], whole[d:, d:] = aa, bb
        whole[:d, d:] = whole[d:, :d] = ab
        return whole * np.outer(self.unit, self.unit)

    def informations(self, data: Any, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return I_com and I_mis from one evaluation."""
        aa, bb, *missing = self._matrices(data, theta, 5)
        return self._assemble(aa, 0.0, bb), self._assemble(*missing)

    def complete_hessian(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return I_com = hess A(theta), shape (2d, 2d)."""
        aa, bb = self._matrices(data, theta, 2)
        return self._assemble(aa, 0.0, bb)

    def em_information(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return I_com from the sums of an EM step where all rows are here, else from the rows."""
        if not isinstance(data, SymmetricData) or data.design.dependent_columns:
            return self.complete_hessian(data, theta)
        sums = self._em_step_here(data, theta, theta)[0]
        aa, bb = self.information_from_sums(data.design, sums)
        return self._assemble(aa, 0.0, bb)

    def expected_information(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return I_com: the model set is linear."""
        return self.complete_hessian(data, theta)

    def missing_hessian(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return I_mis(theta) = E[Cov(S | x, y; theta)], shape (2d, 2d)."""
        return self.informations(data, theta)[1]

    def e_step(self, data: Any, theta: np.ndarray) -> EStep:
        """Return the loss and the responsibilities P(z=1 | x, y), shape (n,)."""
        working = self.unit * theta
        labels = np.empty((self.regressions, data.design.n_rows))
        sums = self.run_e_step(data, working, working, labels, 1)
        return EStep(self._with_density(sums[0]), labels[-1])

    def e_step_pass(self, data: Any, working: np.ndarray, start: np.ndarray | None = None) -> tuple:
        """Run the E-step; return what it adds up for the M-step, and the labels (r, n) of its regressions.

        Derivatives are those at `start`, if given, else at `working`, both of shape (2d,) in working units.
        """
        labels = np.empty((self.regressions, data.design.n_rows))
        width = self.kernels.sums_width(self.n_features)
        return self.run_e_step(data, working, working if start is None else start, labels, width), labels

    def run_e_step(
        self, data: Any, working: np.ndarray, start: np.ndarray, labels: Any, width: int
    ) -> np.ndarray:
        """Run the E-step's kernel: write the labels, return its sums, shape (width,)."""
        design = data.design
        arguments = design.XB, data.y, design.weights, working, start, labels
        return sum_rows(self.kernels.e_step_rows, design.n_rows, width, *arguments)

    def em_step(self, data: Any, theta: np.ndarray, start: np.ndarray | None = None) -> tuple[float, MStep]:
        """Evaluate the EM map: in one compiled call where all rows are here, else by sums over them."""
        data.design.require_independent_columns()
        start = theta if start is None else start
        evaluate = self._em_step_here if isinstance(data, SymmetricData) else self._em_step_elsewhere
        sums, image, residual, curvature, iterations = evaluate(data, theta, start)
        m_step = MStep(image, residual, residual <= ACCEPTED, curvature, int(iterations))
        if m_step.solved or not isinstance(data, SymmetricData):
            return self._with_density(sums[0]), m_step
        return super().em_step(data, theta)

    def _em_step_here(self, data, theta, start):
        """Return the E-step's sums, image, residual, curvature and iterations of the M-step."""
        design, edges, image = data.design, shares(data.design.n_rows), np.empty(self.n_params)
        partials = np.zeros((edges[-1], self.kernels.sums_width(self.n_features)))
        labels = design.workspace.take((self.regressions, design.n_rows))
        features = design.XB, data.y, design.weights, design.scale, design.crest
        step = self.kernels.em_step if len(edges) == 2 else self.kernels.shared_em_step
        known = self.known_moments(design)
        solved = step(edges, partials, *features, *known, self.unit, theta, start, labels, image)
        design.workspace.leave(labels)
        return partials[0], image, *solved

    def _em_step_elsewhere(self, data, theta, start):
        """Return the same from sums over rows that are elsewhere."""
        working = self.unit * theta
        start = working if start is theta else self.unit * start
        sums, labels = data.e_step_pass(self, working, start)

        def solve(starts, found):
            return data.fit_logistics(labels, starts, found)

        image, *solved = self.m_step_from_sums(data.design, start, sums, solve)
        return sums, image / self.unit, *solved

    def known_moments(self, design: Any) -> tuple:
        """Return what the EM kernel takes after the features' scale and crest factor."""
        return ()

    @abstractmethod
    def information_from_sums(self, design: Any, sums: np.ndarray) -> tuple:
        """Return the Hessians of the expert's and of the gate's potential for the sums of `e_step_pass`."""

    @abstractmethod
    def m_step_from_sums(self, design: Any, start: np.ndarray, sums: np.ndarray, solve: Any) -> tuple:
        """Return image, residual, curvature and iterations for the sums of `e_step_pass`.

        Parameters
        ----------
        design : SecondMoment
        start : ndarray of shape (2d,)
            Where the derivatives were taken.
        sums : ndarray
        solve : callable
            ``(starts, sums) -> list of NewtonResult``, see `emmd.fits.logistic.fit_logistics`.
        """

    def m_step(self, data: Any, responsibilities: np.ndarray, start: np.ndarray) -> MStep:
        """Minimise the expected complete loss for given responsibilities, exactly.

        Raises
        ------
        SingularDesignError
            When columns of X are linearly dependent.
        """
        data.design.require_independent_columns()
        targets = (self.expert_targets(data.y, responsibilities), responsibilities)
        return self._each_potential("m_step", data, targets, start)

    def project(self, data: Any, statistics: np.ndarray, start: np.ndarray, total: float = 1.0) -> MStep:
        """Minimise E[total A(eta) - <S, eta>] for statistics S of shape (n, 2)."""
        data.design.require_independent_columns()
        return self._each_potential("m_step", data, np.ascontiguousarray(statistics.T) / total, start)

    def mean_statistics(self, eta: np.ndarray) -> np.ndarray:
        """Return E[S | x] for every row, shape (n, 2)."""
        return np.column_stack([potential.mean(part) for potential, part in zip(self.potentials, eta.T)])

    def projection_gradient(self, data: Any, statistics: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Return grad A - E[<S, eta>]', shape (2d,)."""
        return self.mirror_gradient(data, theta) - self.pull_back(data, data.weights[:, None] * statistics)

    def projection_hessian(self, data: Any, statistics: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Return hess A, shape (2d, 2d)."""
        return self.complete_hessian(data, theta)

    def predictor_rows(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return the predictors (a, b) as columns, shape (n, 2)."""
        return np.column_stack(self.predictors(data, theta))

    def pull_back(self, data: Any, slopes: np.ndarray) -> np.ndarray:
        """Return the gradient in theta for derivatives in (a, b), shape (n, 2)."""
        return self.unit * np.concatenate([data.design.moment(np.ascontiguousarray(row)) for row in slopes.T])

    def pull_back_second(self, data: Any, curvatures: np.ndarray) -> np.ndarray:
        """Return the Hessian in theta for second derivatives in (a, b), shape (n, 2, 2)."""
        parts = [
            data.design.gram(np.ascontiguousarray(curvatures[:, i, j])) for i, j in ((0, 0), (0, 1), (1, 1))
        ]
        return self._assemble(*parts)

    def natural_parameters(self, data: Any, rows: np.ndarray) -> np.ndarray:
        """Return eta = (a, b): the predictors themselves."""
        return rows

    def log_partition(self, eta: np.ndarray) -> np.ndarray:
        """Return A(eta), the sum of the two potentials, shape (n,)."""
        return sum(potential.phi(column) for potential, column in zip(self.potentials, eta.T))

    def log_numerator(self, data: Any, eta: np.ndarray) -> np.ndarray:
        """Return A_y(eta) = log p(y | x; eta) + A(eta), shape (n,), from the log joint."""
        plus, minus = (self.log_joint(eta[:, 0], eta[:, 1], data.y, z) for z in (1, -1))
        larger = np.where(plus.real >= minus.real, plus, minus)
        log_p = larger + np.log(np.exp(plus - larger) + np.exp(minus - larger))
        return log_p - self.shift() + self.log_partition(eta)

    def shift(self) -> float:
        """Return log sigma when y has a density, so that losses are in the units of y."""
        return math.log(self.sigma) if self.has_density else 0.0

    def expected_statistics(self, data: Any, responsibilities: np.ndarray) -> np.ndarray:
        """Return (E[E[S_1|x,y] x] / sigma, E[p x]), shape (2d,)."""
        design = data.design
        expert = design.moment(design.weights * self.expert_targets(data.y, responsibilities))
        return self.unit * np.concatenate([expert, design.moment(design.weights * responsibilities)])

    def surrogate_gradient(self, data: Any, responsibilities: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Return grad Q = grad A - E[S | x, y], shape (2d,)."""
        return self.mirror_gradient(data, theta) - self.expected_statistics(data, responsibilities)

    def surrogate(self, data: Any, responsibilities: np.ndarray, theta: np.ndarray) -> float:
        """Return -E[p log p(y, 1 | x) + (1 - p) log p(y, -1 | x)], in the units of y."""
        a, b = self.predictors(data, theta)
        plus, minus = (self.log_joint(a, b, data.y, z) for z in (1.0, -1.0))
        mean = responsibilities * plus + (1.0 - responsibilities) * minus
        return self._with_density(-data.weights @ mean)

    def statistics(self, data: Any, responsibilities: np.ndarray) -> np.ndarray:
        """Return (E[S_1 | x, y], p) for every row, shape (n, 2)."""
        return np.column_stack([self.expert_targets(data.y, responsibilities), responsibilities])

    def changes_with_features(self) -> str:
        """Return "": `transform_features` makes up for every linear map."""
        return ""

    def transform_features(self, theta: np.ndarray, B: np.ndarray) -> np.ndarray:
        """Return (B^-T beta, B^-T w)."""
        return np.concatenate(coefficients_after(B, *np.split(self.check_theta(theta), 2)))

    def dependent_columns(self, data: Any) -> list[int]:
        """Return the indices of columns of X that are linearly dependent."""
        return data.design.dependent_columns

    def parameter_width(self) -> np.ndarray:
        """Return d for every parameter, shape (2d,)."""
        return np.full(self.n_params, self.n_features)

    def loss_terms(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return the terms of each row's loss: a few units of 1, |b| and (|a| + |y|)^2 or |a|; shape (n,)."""
        a, b = self.predictor_sizes(data, theta)
        return 1.0 + b + ((a + np.abs(data.y)) ** 2 if self.has_density else a)

    def predictor_sizes(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return |x|'|beta| / sigma and |x|'|w| for every row, shape (2, n)."""
        return np.array([np.abs(data.X) @ np.abs(part) for part in self.split(theta)])

    def relative_size(self, data: Any, displacement: np.ndarray, theta: np.ndarray) -> float:
        """Return the larger of the two predictors' relative root mean square changes."""
        moment, d = data.design.second_moment, self.n_features
        return relative_change_of_parts(moment, moment, self._sigmas, d, d, displacement, theta)

    def precondition(self, data: Any, gradient: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Return the gradient over the potentials' largest curvature times E[xx']."""
        pairs = zip(self.potentials, np.split(gradient / self.unit, 2))
        return self.join(*(data.design.solve(part) / potential.max_curvature for potential, part in pairs))

    def score_size(self, data: Any) -> float:
        """Return the size of the score's terms, no less than what `m_step` divides by."""
        return 1.0

    def gradient_scale(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return the sizes of a gradient's terms: features times scores, whatever theta is."""
        return self.parameter_scale(data) * self.score_size(data)

    def parameter_scale(self, data: Any) -> np.ndarray:
        """Return the root mean square of each feature, in working units, shape (2d,)."""
        return data.parameter_scale

    def mirror_inverse(self, data: Any, dual: np.ndarray, start: np.ndarray) -> MStep:
        """Solve grad A(theta) = dual."""
        data.design.require_independent_columns()
        d = self.n_features
        working = dual / self.unit
        return self._each_potential("inverse_gradient", data, (working[:d], working[d:]), start)

    def _each_potential(self, what, data, rhs, start):
        parts = [
            getattr(potential, what)(data.design, side, guess)
            for potential, side, guess in zip(self.potentials, rhs, self.split(start))
        ]
        return MStep(
            theta=self.join(parts[0].x, parts[1].x),
            residual=max(part.residual for part in parts),
            solved=all(part.solved for part in parts),
            curvature=min(part.curvature for part in parts),
            iterations=max(part.iterations for part in parts),
        )

    def mirror_map(self, data: Any, theta: np.ndarray) -> float:
        """Return A(theta), the sum of the two potentials."""
        pairs = zip(self.potentials, self.split(theta))
        return float(sum(potential.value(data.design, part) for potential, part in pairs))

    def mirror_gradient(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return grad A(theta), shape (2d,)."""
        pairs = zip(self.potentials, self.split(theta))
        return self.unit * np.concatenate(
            [potential.gradient(data.design, part) for potential, part in pairs]
        )

    def divergence(self, data: Any, u: np.ndarray, v: np.ndarray) -> float:
        """Return D_A(u, v) = E KL( p_v(y,z|x) || p_u(y,z|x) )."""
        triples = zip(self.potentials, self.split(u), self.split(v))
        return float(sum(potential.divergence(data.design, a, b) for potential, a, b in triples))

    def posterior_logits(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return the log odds of z=1 given (x, y), shape (n,)."""
        a, b = self.predictors(data, theta)
        return b + self.evidence * a * data.y

    def posterior_divergence(self, data: Any, u: np.ndarray, v: np.ndarray) -> float:
        """Return E KL( p_v(z|x,y) || p_u(z|x,y) )."""
        logits = self.posterior_logits(data, u), self.posterior_logits(data, v)
        return float(sum_rows(divergence_rows, len(data.y), 1, *logits, data.design.weights)[0])
