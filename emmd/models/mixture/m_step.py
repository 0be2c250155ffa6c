"""The EM map of a mixture of experts: one weighted fit per expert and one for the gate."""

import math
from typing import Any

import numpy as np

from emmd.core.model import MStep
from emmd.core.status import Status
from emmd.kernels.em.mixture_image import EMPTY
from emmd.kernels.solvers.extrapolate import NO_PATH, foretell
from emmd.kernels.solvers.newton import ACCEPTED
from emmd.models.gates.softmax import fit_gate, fit_gate_from
from emmd.models.mixture.ridge import gate_form

_COLLAPSED = np.log(1e-12)


def _masses(data, r):
    return r @ data.weights


class MixtureMStep:
    """Exact M-steps, from rows that are here or from sums over rows that are elsewhere."""

    n_experts: int
    family: Any
    gate: str
    ridge: Any
    fixed: dict
    index: dict
    spans: dict
    shapes: dict
    n_params: int
    named: Any
    penalty: Any
    posterior: Any

    @property
    def fit_options(self) -> dict:
        """Further arguments of the family's fits; none without a ridge, which families need not know."""
        return {} if self.ridge is None or self.ridge.expert is None else {"ridge": self.ridge.expert}

    def m_step(self, data: Any, responsibilities: np.ndarray, start: np.ndarray) -> MStep:
        """Minimise the expected complete loss exactly: one weighted fit per expert, one for the gate."""
        return self._fit_parts(data, responsibilities.T, start)

    @property
    def _one_pass(self):
        """Whether a family's kernel may evaluate the EM map: it knows of no penalty and nothing fixed."""
        return self.ridge is None and not self.fixed

    @property
    def _constant_gate(self):
        return self.gate == "constant"

    def em_sums(self, data: Any, theta: np.ndarray, start: np.ndarray | None = None) -> tuple:
        """Run the E-step; return what it adds up and the responsibilities, shape (K, n).

        The negative log-likelihood is the first sum; there are more where the family's kernel finds those
        of the M-step in the same pass, the gate's at `start`, if given.
        """
        if self._one_pass:
            found = self.family.pass_over(data, theta, self.n_experts, self._constant_gate, start)
            if found is not None:
                return found
        loss, r = self.posterior(data, theta)
        return np.array([loss]), r

    def em_step(
        self, data: Any, theta: np.ndarray, displacements: np.ndarray = NO_PATH
    ) -> tuple[float, MStep]:
        """Evaluate the EM map; where the family has a kernel, in one call or one pass and the gate's."""
        edges = data.compiled_shares() if self._one_pass else None
        found = None if edges is None else self._em_step_at_once(data, theta, displacements, edges)
        loss, m_step = found or self._em_step_in_passes(data, theta, displacements)
        return float(loss) + self.penalty(theta), m_step

    def _em_step_at_once(self, data, theta, displacements, edges):
        """Return None where the family's kernel does not tell the M-step, or there is none."""
        r = data.spare.take((self.n_experts, len(data.y)))
        path = theta, displacements
        found = self.family.em_at_once(data, *path, self._constant_gate, self._floor(data), edges, r)
        data.spare.leave(r)
        if found is None:
            return None
        loss, image, residual, curvature, iterations = found
        # by the negation NaN is not solved
        if not residual <= ACCEPTED:
            return None
        return loss, MStep(image, residual, True, curvature, int(iterations))

    def _em_step_in_passes(self, data, theta, displacements):
        start = self._foretold(data, theta, displacements)
        sums, r = data.em_sums(self, theta, start)
        m_step = None if len(sums) == 1 else self._after_pass(data, r, theta, start, sums)
        return sums[0], m_step or self._fit_parts(data, r, theta, gate_start=start)

    def _after_pass(self, data, r, theta, gate_start, sums):
        """Return the M-step that the sums of a pass tell; None where they do not."""
        where = self.n_experts, self._constant_gate, self._floor(data)
        found = self.family.after_pass(data.designs, theta, *where, sums)
        if not found.residual <= ACCEPTED:
            return None
        if self._constant_gate:
            return MStep(found.image, found.residual, True, found.curvature)
        start = self.named(theta)["gate"] if gate_start is None else gate_start
        gate = fit_gate_from(data.rows("gate", r), start, found.gate_sums)
        found.image[self.spans["gate"]] = gate.x
        # the gate's first: what has been found is a number, and Python's maximum keeps a NaN that is first
        residual, curvature = max(gate.residual, found.residual), min(found.curvature, gate.curvature)
        return MStep(found.image, residual, bool(residual <= ACCEPTED), curvature, gate.iterations)

    def _foretold(self, data, theta, displacements):
        """Return where the gate's M-step begins, shape (K - 1, d_gate); None where the path stands."""
        if self._constant_gate or "gate" in self.fixed:
            return None
        start = np.empty_like(theta)
        if not foretell(np.ones(self.n_params), data.unit, theta, displacements, start):
            return None
        return start[self.spans["gate"]].reshape(self.shapes["gate"])

    def _fit_parts(self, data, r, start, fit=None, total=1.0, gate_start=None):
        """Fit every free part to r, shape (K, n), with sum `total` in each row."""
        if fit is None:

            def fit(k, coef):
                return self.family.fit(data.rows(k, r), coef, **self.fit_options)

        theta, named, masses = start.copy(), self.named(start), data.add_up(_masses, r)
        if masses.min() < EMPTY:
            # an expert that fits rows exactly takes them from the others: the cause is named, not the effect
            collapsed = "dispersion" in named and self._collapsed(data, named["dispersion"])
            failure = Status.VARIANCE_COLLAPSE if collapsed else Status.EMPTY_EXPERT
            return MStep(start, np.inf, False, 0.0, failure=failure)
        residuals, curvatures, iterations, collapse = [0.0], [np.inf], 1, None
        if "coef" in self.index:
            coefs, dispersions, inner, pivots = zip(*(fit(k, coef) for k, coef in enumerate(named["coef"])))
            theta[self.index["coef"]] = coefs
            collapse = self._set_dispersion(data, theta, dispersions, masses)
            residuals += inner
            curvatures += pivots
        if "gate" in self.index and self._constant_gate:
            theta[self.index["gate"]] = np.log(masses[:-1] / masses[-1])[:, None]
        elif "gate" in self.index:
            gate = self._gate_m_step(data, r, named["gate"] if gate_start is None else gate_start, total)
            theta[self.spans["gate"]], iterations = gate.x, gate.iterations
            residuals.append(gate.residual)
            curvatures.append(gate.curvature)
        # NumPy's maximum is NaN where any is, Python's may pass it over
        residual = float(np.max(residuals))
        solved = bool(residual <= ACCEPTED and np.isfinite(theta).all())
        return MStep(theta, residual, solved, min(curvatures), iterations, collapse)

    def _set_dispersion(self, data, theta, values, masses):
        if self.family.dispersion == "none":
            return None
        if self.family.dispersion == "shared":
            # the log of the mean of e^value: every expert's mean square counts by its mass
            with np.errstate(divide="ignore"):
                values = [float(np.log(masses @ np.exp(values) / masses.sum()))]
        if self._collapsed(data, np.array(values)):
            return Status.VARIANCE_COLLAPSE
        theta[self.index["dispersion"]] = values
        return None

    def _floor(self, data):
        """Return a log variance that counts as zero."""
        return _COLLAPSED + 2.0 * math.log(data.sizes[0])

    def _collapsed(self, data, dispersion):
        return self.family.dispersion_collapsed(dispersion, self._floor(data))

    def _gate_m_step(self, data, r, start, total):
        form = None
        if self.ridge is not None and self.ridge.gate is not None:
            form = gate_form(self.ridge.gate / total, self.n_experts)
        return fit_gate(data.rows("gate", r if total == 1.0 else r / total), start, form)
