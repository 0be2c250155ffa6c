"""K experts from an exponential family, and a gate."""

from typing import Any

import numpy as np

from emmd.core.checks import (
    MANY,
    NotFiniteError,
    describe,
    in_memory,
    positive_integer,
    random_generator,
    real_array,
    require_finite,
)
from emmd.core.protocols.family import family_object
from emmd.core.protocols.gate import gate_object
from emmd.core.protocols.model import Model
from emmd.core.protocols.steps import EStep
from emmd.fits.pencil import solve_positive
from emmd.kernels.linear.quadratic import relative_change_of_parts
from emmd.models.mixture.data import MixtureData
from emmd.models.mixture.fused.trial import check_scalar_loss
from emmd.models.mixture.layout import MixtureLayout
from emmd.models.mixture.m_step import MixtureMStep
from emmd.models.mixture.natural import MixtureNatural
from emmd.models.mixture.projection import MixtureProjection
from emmd.models.mixture.ridge import Ridge, ridge_weights
from emmd.models.mixture.terms import MixtureTerms
from emmd.rows.design import Design
from emmd.rows.information_bound import bounded_solve
from emmd.rows.predictors import free, pull_back, pull_back_second
from emmd.rows.weighted_rows import Rows

_LONG = 300


def _second_moment(data, name):
    return data.designs[name].second_moment


def _largest(data, name):
    return data.designs[name].largest


class MixtureOfExperts(MixtureLayout, MixtureMStep, MixtureNatural, MixtureProjection, MixtureTerms, Model):
    """Mixture of K regression experts with a gate.

    P(z = k | x) = softmax_k(x'w_k) with w_K = 0, or what another gate makes of the logits; y | x, z = k has
    density h(y) exp(<T(y), nu_k> - a(nu_k)), nu_k a function of x'B_k and, for some families, of a dispersion
    parameter.

    Parameters
    ----------
    n_features : int
        d; an intercept is a column of ones in X.
    n_experts : int
        K, at least 1.
    family : str or Family
        ``gaussian`` (option ``variance``: "free", "shared" or a number), ``bernoulli``,
        ``categorical`` (option ``n_classes``), ``poisson``, ``gamma``, or a `Family` object.
    gate : str or Gate
        ``softmax``, ``constant`` for mixing weights that do not depend on x, ``top-k`` for two experts in
        each row, ``top-1`` for one and so on, or a `Gate` object.
    expert_columns, gate_columns : sequence of int, optional
        Columns of X that experts and gate see; all by default.
    expert_ridge, gate_ridge : float or array_like of shape (d,)
        Ridge penalties, part of the loss (see `emmd.core.ridge.Ridge`); a number penalises every
        column, an intercept too: give 0 for its column.
    fixed : dict, optional
        Named parameters, as `pack` takes them, that stay at known values: ``{"gate": ...}``, or
        ``{"coef": ..., "dispersion": ...}`` for the experts. They have no place in theta.
    offset_column : int, optional
        Column of X that is added to every expert's linear predictor, with coefficient 1: the log of an
        exposure, for a family with a log link. By default neither experts nor gate see it otherwise.
    **options
        Of the family.

    Attributes
    ----------
    n_params : int
        theta holds the coefficients of expert 1, ..., K (each n_linear x d),
        then the dispersions, then the gate's w_1, ..., w_{K-1}; without what is fixed.
    ridge : Ridge or None
    """

    name = "moe"
    takes_partitions = True

    def __init__(
        self,
        n_features: int,
        n_experts: int,
        family: Any = "gaussian",
        gate: Any = "softmax",
        expert_columns: Any = None,
        gate_columns: Any = None,
        expert_ridge: Any = 0.0,
        gate_ridge: Any = 0.0,
        fixed: dict | None = None,
        offset_column: int | None = None,
        **options: Any,
    ) -> None:
        self.n_features = positive_integer("n_features", n_features, maximum=MANY)
        self.n_experts = positive_integer("n_experts", n_experts, maximum=MANY)
        self.responsibility_columns = (self.n_experts,)
        self.family = family_object(family, **options)
        self.n_targets = self.family.n_targets
        if self.family.hidden:
            # the E-step answers with mean statistics, not with responsibilities alone
            self.responsibility_columns = None
        if self.family.hidden or self.n_targets > 1:
            self.takes_partitions = False
        self.gate = gate_object(gate)
        self.offset_column = self._offset_column(offset_column)
        self.columns = {
            "expert": self._columns("expert_columns", expert_columns),
            "gate": self._columns("gate_columns", gate_columns) if self.gate.sees_features else None,
        }
        self._lay_out(fixed)
        self.ridge = self._make_ridge(expert_ridge, gate_ridge)

    def _offset_column(self, column):
        if column is None:
            return None
        if not self.family.log_link:
            raise ValueError(
                f"offset_column must be None for family {self.family.name}, it has no log link, "
                f"got {describe(column)}"
            )
        self.takes_partitions = False
        return positive_integer("offset_column", column, minimum=0, maximum=self.n_features - 1)

    def _offset(self, X):
        """Return what the experts' predictors begin with, shape (n,), or None."""
        return None if self.offset_column is None else np.ascontiguousarray(X[:, self.offset_column])

    def _make_ridge(self, expert_ridge, gate_ridge):
        values = {"expert": expert_ridge, "gate": gate_ridge}
        weights = {
            part: ridge_weights(f"{part}_ridge", value, self.n_features, self.columns[part] or [])
            for part, value in values.items()
        }
        for part, name in (("expert", "coef"), ("gate", "gate")):
            given = np.any(np.asarray(values[part]) > 0)
            if given and (name in self.fixed or self.columns[part] is None):
                raise ValueError(
                    f"{part}_ridge must be 0 when there is nothing to penalise, got {values[part]}"
                )
        if weights["expert"] is None and weights["gate"] is None:
            return None
        return Ridge(weights["expert"], weights["gate"], self.index, self.family)

    # data

    def prepare(self, X: Any, y: Any, weights: np.ndarray) -> Any:
        """Check the target and return `MixtureData`."""
        y = self.family.check_target(y)
        with np.errstate(all="ignore"):
            terms = self.family.statistics(y), self.family.log_base(y)
        require_finite("y", f"statistics of family {self.family.name}", *terms)
        if self.fused is not None:
            check_scalar_loss(self.family, y)
        offsets = {"expert": self._offset(X), "gate": None}
        designs = self._designs(lambda name: Design(X[:, self.columns[name]], weights, offsets[name]))
        sizes = self.family.unit(Rows(designs["expert"], terms[0], weights))
        return MixtureData(X, designs, y, self.family, sizes, self._unit(designs, sizes))

    @property
    def least_rows(self) -> int:
        """As many as there are experts."""
        return self.n_experts

    def gather(self, data: Any, elsewhere: Any) -> None:
        """Add what is known of rows that lie elsewhere: moments of the features, and units."""

        def design(name):
            return elsewhere(data.add_up(_second_moment, name), data.largest(_largest, name))

        data.designs = self._designs(design)
        data.sizes = self.family.unit(data.rows())
        data.unit = self._unit(data.designs, data.sizes)

    def _designs(self, make):
        """Return the designs by their names; experts and gate share one where they see the same."""
        expert, gate = make("expert"), self.columns["gate"]
        same = gate is None or (gate == self.columns["expert"] and self.offset_column is None)
        return {"expert": expert, "constant": None, "gate": expert if same else make("gate")}

    def _unit(self, designs, sizes):
        unit = np.ones(self.n_params)
        for position, block in free(self.blocks):
            design = designs[block.features]
            within = position % self.family.n_predictors
            size = sizes[within] if position < self.n_experts * self.family.n_predictors else 1.0
            unit[block.entries] = (1.0 if design is None else design.scale) / size
        return unit

    def sample(self, theta: np.ndarray, n: int, seed: Any) -> tuple:
        """Draw ``(X, y, z)`` with x ~ N(0, I); z in 0, ..., K - 1."""
        n = positive_integer("n", n)
        rng = random_generator("seed", seed)
        with in_memory("n", n):
            X = rng.standard_normal((n, self.n_features))
        y, z = self._draw(real_array("theta", theta, 1, (self.n_params,)), X, rng)
        return X, y, z

    def sample_y(self, theta: np.ndarray, X: Any, seed: Any) -> np.ndarray:
        """Draw y given X, shape (n,)."""
        X = real_array("X", X, 2, (None, self.n_features))
        theta = real_array("theta", theta, 1, (self.n_params,))
        return self._draw(theta, X, random_generator("seed", seed))[0]

    def _draw(self, theta, X, rng):
        designs = self._bare_designs(X)
        with np.errstate(all="ignore"):
            xi, logits = self.predictors(designs, theta)
            require_finite("theta (and X)", "predictors", *xi, logits)
            cumulative = np.cumsum(np.exp(self.gate.log_probabilities(logits)), axis=0)
            z = self._chosen(X, cumulative, rng)
            draws = np.array([self._draw_expert(part, rng) for part in xi])
        y = draws[z, np.arange(len(X))]
        require_finite("theta (and X)", "targets", y)
        return y, z

    def _chosen(self, X, cumulative, rng):
        return (rng.random(len(X)) > cumulative[:-1]).sum(axis=0)

    def _draw_expert(self, xi, rng):
        try:
            return self.family.sample(self.family.natural(xi), rng)
        except ValueError as error:
            # NumPy refuses a mean that no integer reaches, in words of its own
            raise NotFiniteError(f"theta (and X) must give targets to draw, got: {error}") from error

    def _bare_designs(self, X):
        weights = np.full(len(X), 1.0 / len(X))
        gate = self.columns["gate"] if self.columns["gate"] is not None else self.columns["expert"]
        return {
            "expert": Design(X[:, self.columns["expert"]], weights, self._offset(X)),
            "gate": Design(X[:, gate], weights),
            "constant": None,
        }

    # the log joint and its derivatives in the predictors

    def predictors(self, designs: dict, theta: np.ndarray) -> tuple:
        """Return the experts' predictors, a list of K arrays (n, q), and the gate's logits, (K - 1, n)."""
        rows = np.empty((len(self.blocks), designs["expert"].n_rows))
        for row, block in zip(rows, self.blocks):
            design, coefficients = designs[block.features], block.coefficients(theta)
            if design is None:
                row[:] = coefficients[0]
            else:
                design.predict(coefficients, row)
        q, K = self.family.n_predictors, self.n_experts
        xi = [rows[k * q : (k + 1) * q].T.copy() for k in range(K)]
        return xi, rows[K * q :]

    def log_joint(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return log p(y, z = k | x), shape (K, n)."""
        return self._log_joint_at(data, *self.predictors(data.designs, theta))

    def _log_joint_at(self, data, xi, logits):
        return self.gate.log_probabilities(logits) + np.array(
            [self.family.log_density(data.y, part) for part in xi]
        )

    def posterior(self, data: Any, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the average negative log-likelihood and the responsibilities, shape (K, n)."""
        return self.posterior_at(data, *self.predictors(data.designs, theta))

    def posterior_at(self, data: Any, xi: list[np.ndarray], logits: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the same for given predictors of the experts and logits of the gate."""
        joint = self._log_joint_at(data, xi, logits)
        largest = joint.max(axis=0)
        weight = np.exp(joint - largest)
        total = weight.sum(axis=0)
        loss = -float(np.sum(data.gate_weights * (largest + np.log(total))))
        return loss, weight / total

    def e_step(self, data: Any, theta: np.ndarray) -> EStep:
        """Return the loss and the responsibilities, shape (n, K).

        Where a family hides something, `statistics` take the place of the responsibilities.
        """
        loss, r = data.posterior(self, theta)
        loss = float(loss) + self.penalty(theta)
        return EStep(loss, self._mean_statistics(data, theta, r) if self.family.hidden else r.T)

    def loss(self, data: Any, theta: np.ndarray) -> float:
        """Return the average negative marginal log-likelihood."""
        return float(data.add_up(self._loss_of_rows, theta)) + self.penalty(theta)

    def _loss_of_rows(self, data, theta):
        return self.posterior(data, theta)[0]

    def gradient(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return the gradient of the marginal loss, shape (p,)."""
        return self.loss_and_gradient(data, theta)[1]

    def loss_and_gradient(self, data: Any, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the marginal loss and its gradient."""
        loss, gradient = data.add_up(self._loss_and_gradient_of_rows, theta)
        return float(loss) + self.penalty(theta), self._with_ridge(gradient, theta)

    def _loss_and_gradient_of_rows(self, data, theta):
        xi, logits = self.predictors(data.designs, theta)
        loss, r = self.posterior_at(data, xi, logits)
        return loss, self._gradient_at(data, r, xi, logits)

    def surrogate_gradient(self, data: Any, responsibilities: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Return the gradient of the expected complete loss at theta, shape (p,)."""
        if self.family.hidden:
            return super().surrogate_gradient(data, responsibilities, theta)
        return self._with_ridge(data.add_up(self._gradient_of_rows, responsibilities, theta), theta)

    def _gradient_of_rows(self, data, responsibilities, theta):
        return self._gradient_at(data, responsibilities.T, *self.predictors(data.designs, theta))

    def _gradient_at(self, data, r, xi, logits):
        scores = [self.family.score(data.y, part).T for part in xi]
        return self._pull_back_scores(data, r, scores, logits)

    def _pull_back_scores(self, data, r, scores, logits):
        """Return minus the gradient of the mean log joint, for the experts' scores, K arrays (q, n)."""
        experts = [data.weights * (r[k] * score) for k, part in enumerate(scores) for score in part]
        slopes = -np.array([*experts, *(data.gate_weights * self.gate.score(r, logits))])
        return pull_back(data.designs, self.blocks, slopes, self.n_params)

    def pull_back_second(self, data: Any, curvatures: np.ndarray) -> np.ndarray:
        """Return the Hessian in theta for weighted second derivatives in the predictors, shape (n, B, B)."""
        return pull_back_second(data.designs, self.blocks, lambda a, b: curvatures[:, a, b], self.n_params)

    def _with_ridge(self, gradient, theta):
        return gradient if self.ridge is None else gradient + self.ridge.gradient(theta)

    def penalty(self, theta: np.ndarray) -> Any:
        """Return the ridge penalty, a part of the loss, for real or complex theta."""
        return 0.0 if self.ridge is None else self.ridge.value(theta)

    def penalty_gradient(self, theta: np.ndarray) -> np.ndarray:
        """Return the ridge's gradient, shape (p,)."""
        return np.zeros(self.n_params) if self.ridge is None else self.ridge.gradient(theta)

    def penalty_hessian(self, theta: np.ndarray) -> np.ndarray:
        """Return the ridge's Hessian, shape (p, p)."""
        p = self.n_params
        return np.zeros((p, p)) if self.ridge is None else self.ridge.hessian(theta)

    def complete_hessian(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return I_com, the Hessian of the expected complete loss Q(. | theta) at theta."""
        return data.add_up(self._complete_of_rows, theta) + self.penalty_hessian(theta)

    def em_information(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return I_com from the sums of a pass of EM where a kernel finds them, else from the rows.

        Predictions take `complete_hessian`, which shares no code with the runs that they are compared with.
        """
        if self.fused is None or not self.fused.gathers:
            complete = data.add_up(self._complete, theta, data.posterior(self, theta)[1])
            return self.regular(data, theta, complete + self.penalty_hessian(theta))
        if isinstance(data, MixtureData):
            # the kernel of a run's steps is compiled already, and the gate's M-step, which it adds, is short
            sums, *_ = self.fused.em_step(data, theta, theta, self._floor(data))
        else:
            sums, _ = data.e_step_pass(self, theta)
        found = self.fused.information(data.designs, theta, sums)
        return self.complete_hessian(data, theta) if found is None else found

    def missing_hessian(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return I_mis, the posterior covariance of the complete score."""
        return data.add_up(self._missing_of_rows, theta)

    def informations(self, data: Any, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return I_com and I_mis."""
        complete, missing = data.add_up(self._informations_of_rows, theta)
        return complete + self.penalty_hessian(theta), missing

    def _complete_of_rows(self, data, theta):
        return self._complete(data, theta, self.posterior(data, theta)[1])

    def _missing_of_rows(self, data, theta):
        return self._missing(data, theta, self.posterior(data, theta)[1])

    def _informations_of_rows(self, data, theta):
        r = self.posterior(data, theta)[1]
        return self._complete(data, theta, r), self._missing(data, theta, r)

    def _complete(self, data, theta, r):
        xi, logits = self.predictors(data.designs, theta)
        curvatures = [self.family.curvature(data.y, part) for part in xi]
        return self._pull_back_curvatures(data, r, curvatures, logits)

    def _pull_back_curvatures(self, data, r, curvatures, logits):
        """Return minus the Hessian of the mean log joint, for the experts' curvatures, K arrays (n, q, q)."""
        q, K, of_gate = self.family.n_predictors, self.n_experts, self.gate.curvature(r, logits)

        def entry(a, b):
            if a >= K * q:
                return data.gate_weights * of_gate[:, a - K * q, b - K * q]
            (k, i), (h, j) = divmod(a, q), divmod(b, q)
            return data.weights * r[k] * curvatures[k][:, i, j] if h == k and b < K * q else None

        return pull_back_second(data.designs, self.blocks, entry, self.n_params)

    def _missing(self, data, theta, r):
        """Return the posterior covariance of the complete scores of all predictors, pulled back.

        The score of an expert's predictor is s 1[z = k], that of a logit what the log weight of z does.
        """
        xi, logits = self.predictors(data.designs, theta)
        scores = [{k: score} for k, part in enumerate(xi) for score in self.family.score(data.y, part).T]
        scores += self.gate.indicators(logits)
        means = [sum(r[k] * score for k, score in part.items()) for part in scores]
        q, hidden = self.family.n_predictors, [self.family.missing(data.y, part) for part in xi]

        def entry(a, b):
            both = sum(r[k] * scores[a][k] * scores[b][k] for k in scores[a].keys() & scores[b].keys())
            (k, i), (h, j) = divmod(a, q), divmod(b, q)
            if h == k and b < len(xi) * q and hidden[k] is not None:
                both = both + r[k] * hidden[k][:, i, j]
            return data.weights * (both - means[a] * means[b])

        return pull_back_second(data.designs, self.blocks, entry, self.n_params)

    def same_region(self, data: Any, u: np.ndarray, v: np.ndarray) -> bool:
        """Return whether the gate selects the same experts for every row at both parameters."""
        if not self.gate.sparse:
            return True
        return bool(
            np.array_equal(*(self.gate.selection(self.predictors(data.designs, t)[1]) for t in (u, v)))
        )

    # what the loop asks

    def surrogate(self, data: Any, responsibilities: np.ndarray, theta: np.ndarray) -> float:
        """Return -E[sum_k r_k log p(y, z = k | x)], plus the ridge penalty."""
        if self.family.hidden:
            return super().surrogate(data, responsibilities, theta)
        return self.penalty(theta) - float(data.add_up(self._complete_of_rows_log, responsibilities, theta))

    def _complete_of_rows_log(self, data, responsibilities, theta):
        return data.gate_weights @ (responsibilities * self.log_joint(data, theta).T).sum(axis=1)

    def dependent_columns(self, data: Any) -> list[int]:
        """Return the indices of columns of X that are linearly dependent for the experts or the gate."""
        found = set()
        for name, part in (("expert", "coef"), ("gate", "gate")):
            if self.columns[name] is not None and part in self.index:
                ridge = None if self.ridge is None else getattr(self.ridge, name)
                found |= {self.columns[name][j] for j in data.designs[name].dependent_under(ridge)}
        return sorted(found)

    def expected_information(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return E[J' hess A J], the complete information with y averaged under the model."""
        return data.add_up(self._expected_of_rows, theta)

    def _expected_of_rows(self, data, theta):
        xi, logits = self.predictors(data.designs, theta)
        curvatures = [self.family.expected_curvature(part) for part in xi]
        p = np.exp(self.gate.log_probabilities(logits))
        return self._pull_back_curvatures(data, p, curvatures, logits)

    def relative_size(self, data: Any, displacement: np.ndarray, theta: np.ndarray) -> float:
        """Return the largest relative change of a predictor, over all predictors; NaN of any NaN."""
        designs = data.designs
        # predictors count in units of what matters to the family
        units = data.sizes[: self.family.n_linear]
        moments = designs["expert"].second_moment, designs["gate"].second_moment
        return relative_change_of_parts(*moments, units, *self.ends, displacement, theta)

    def precondition(self, data: Any, gradient: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Return I_com(theta)^{-1} gradient, with I_com damped where it is not positive definite.

        Where theta is long and the family bounds the information, the bound takes the place of I_com:
        a gradient step should not pay for a p x p matrix.
        """
        if self.n_params >= _LONG and self.family.variance_bound is not None:
            return bounded_solve(self, data, gradient)
        return solve_positive(self.regular(data, theta, self.complete_hessian(data, theta)), gradient)

    def score_size(self, data: Any) -> float:
        """Return the family's."""
        return self.family.score_size(data.rows())

    @property
    def support(self) -> Any:
        """What y can be: the family's."""
        return self.family.support

    def gradient_scale(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return the sizes of a gradient's terms: features times scores, whatever theta is."""
        return self.parameter_scale(data) * self.score_size(data)

    def parameter_scale(self, data: Any) -> np.ndarray:
        """Return the change of a predictor, in units that matter, per unit of each parameter."""
        return data.unit
