"""The EM map of a mixture of experts: one weighted fit per expert and one for the gate."""

from functools import cached_property
from typing import Any

import numpy as np

from emmd.core.model import MStep
from emmd.core.ridge import gate_form
from emmd.core.softmax_gate import fit_gate, fit_gate_from
from emmd.core.status import Status
from emmd.kernels.foretell import foretell

_EMPTY = 1e-10
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
    def fit_options(self):
        """Further arguments of the family's fits; none without a ridge, which families need not know."""
        return {} if self.ridge is None or self.ridge.expert is None else {"ridge": self.ridge.expert}

    def m_step(self, data, responsibilities, start):
        """Minimise the expected complete loss exactly: one weighted fit per expert, one for the gate."""
        return self._fit_parts(data, responsibilities.T, start)

    @property
    def _one_pass(self):
        """Whether a family's kernel may evaluate the EM map: it knows of no penalty and nothing fixed."""
        return self.ridge is None and not self.fixed

    def em_sums(self, data, theta, start=None):
        """Run the E-step; return what it adds up and the responsibilities, shape (K, n).

        The negative log-likelihood is the first sum; there are more where the family's kernel finds those
        of the M-step in the same pass, the gate's at `start`, if given.
        """
        if self._one_pass:
            constant = self.gate == "constant"
            found = self.family.pass_over(data.designs, data.y, self.named(theta), constant, start)
            if found is not None:
                return found
        loss, r = self.posterior(data, theta)
        return np.array([loss]), r

    def em_step(self, data, theta, displacements=()):
        """Evaluate the EM map; where the family has a kernel, in one call or one pass and the gate's."""
        named, start = self.named(theta), self._foretold(data, theta, displacements)
        edges = data.compiled_shares() if self._one_pass else None
        at_once = None
        if edges is not None:
            r = data.spare.take((self.n_experts, len(data.y)))
            constant = self.gate == "constant"
            at_once = self.family.em_at_once(data.designs, data.y, named, constant, start, edges, r)
        if at_once is None:
            loss, m_step = self._em_step_in_passes(data, theta, named, start)
        else:
            loss, found = at_once
            m_step = self._after_pass(data, r, theta, start, found)
        if edges is not None:
            data.spare.leave(r)
        return float(loss) + self.penalty(theta), m_step

    def _em_step_in_passes(self, data, theta, named, start):
        sums, r = data.em_sums(self, theta, start)
        if len(sums) == 1:
            return sums[0], self._fit_parts(data, r, theta, gate_start=start)
        found = self.family.after_pass(data.designs, named, self.gate == "constant", sums)
        return sums[0], self._after_pass(data, r, theta, start, found)

    def _after_pass(self, data, r, theta, gate_start, found):
        """Return the M-step for what a pass has found, with fits of what it has not solved."""

        def fit(k, coef):
            return found.fits[k] or self.family.fit(data.rows(k, r), coef)

        def fit_this_gate(start):
            if found.gate is None:
                return fit_gate_from(data.rows("gate", r), start, found.gate_sums)
            return found.gate if found.gate.solved else fit_gate(data.rows("gate", r), start)

        return self._fit_parts(data, r, theta, fit, 1.0, fit_this_gate, found.masses, gate_start)

    def _foretold(self, data, theta, displacements):
        """Return where the gate's M-step begins, shape (K - 1, d_gate); None where the path stands."""
        if len(displacements) < 2 or self.gate == "constant" or "gate" in self.fixed:
            return None
        start = np.empty_like(theta)
        if not foretell(self._ones, data.unit, theta, np.ascontiguousarray(displacements), start):
            return None
        return start[self.spans["gate"]].reshape(self.shapes["gate"])

    @cached_property
    def _ones(self):
        return np.ones(self.n_params)

    def _fit_parts(self, data, r, start, fit=None, total=1.0, fit_gate=None, masses=None, gate_start=None):
        """Fit every free part to r, shape (K, n), with sum `total` in each row; `masses` are its row sums."""
        if fit is None:

            def fit(k, coef):
                return self.family.fit(data.rows(k, r), coef, **self.fit_options)

        theta, named = start.copy(), self.named(start)
        if masses is None:
            masses = data.add_up(_masses, r)
        if masses.min() < _EMPTY:
            # an expert that fits rows exactly takes them from the others: the cause is named, not the effect
            collapsed = "dispersion" in named and self._collapsed(data, named["dispersion"])
            failure = Status.VARIANCE_COLLAPSE if collapsed else Status.EMPTY_EXPERT
            return MStep(start, np.inf, False, 0.0, failure=failure)
        residuals, curvatures, collapse = [0.0], [np.inf], None
        if "coef" in self.index:
            coefs, dispersions, inner, pivots = zip(*(fit(k, coef) for k, coef in enumerate(named["coef"])))
            theta[self.index["coef"]] = coefs
            collapse = self._set_dispersion(data, theta, dispersions, masses)
            residuals += inner
            curvatures += pivots
        if "gate" in self.index:
            begin = named["gate"] if gate_start is None else gate_start
            theta[self.index["gate"]], *gate = self._fit_gate(data, r, masses, begin, total, fit_gate)
            residuals.append(gate[0])
            curvatures.append(gate[1])
        residual = max(residuals)
        return MStep(theta, residual, bool(residual <= 1e-13), min(curvatures), failure=collapse)

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

    def _collapsed(self, data, dispersion):
        floor = _COLLAPSED + 2.0 * np.log(data.sizes[0])
        return self.family.dispersion_collapsed(dispersion, floor)

    def _fit_gate(self, data, r, masses, start, total, known_start):
        if self.gate == "constant":
            return np.log(masses[:-1] / masses[-1])[:, None], 0.0, 1.0
        solved = self._gate_m_step(data, r, start, total) if known_start is None else known_start(start)
        return solved.x.reshape(start.shape), solved.residual, solved.curvature

    def _gate_m_step(self, data, r, start, total):
        form = None
        if self.ridge is not None and self.ridge.gate is not None:
            form = gate_form(self.ridge.gate / total, self.n_experts)
        return fit_gate(data.rows("gate", r if total == 1.0 else r / total), start, form)
