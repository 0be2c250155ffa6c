"""The EM map of a mixture of experts: one weighted fit per expert and one for the gate."""

from typing import Any

import numpy as np

from emmd.core.model import MStep
from emmd.core.ridge import gate_form
from emmd.core.softmax_gate import fit_gate, fit_gate_from
from emmd.core.status import Status

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
    unpack: Any
    penalty: Any
    posterior: Any

    @property
    def fit_options(self):
        """Further arguments of the family's fits; none without a ridge, which families need not know."""
        return {} if self.ridge is None or self.ridge.expert is None else {"ridge": self.ridge.expert}

    def m_step(self, data, responsibilities, start):
        """Minimise the expected complete loss exactly: one weighted fit per expert, one for the gate."""
        return self._fit_parts(data, responsibilities.T, start)

    def em_sums(self, data, theta):
        """Run the E-step; return what it adds up and the responsibilities, shape (K, n).

        The negative log-likelihood is the first sum; there are more where the family's kernel finds those
        of the M-step in the same pass.
        """
        if self.ridge is None and not self.fixed:
            constant = self.gate == "constant"
            found = self.family.pass_over(data.designs, data.y, self.unpack(theta), constant)
            if found is not None:
                return found
        loss, r = self.posterior(data, theta)
        return np.array([loss]), r

    def em_step(self, data, theta, displacements=()):
        """Evaluate the EM map; all but the gate's fit in one pass where the family has a kernel."""
        sums, r = data.em_sums(self, theta)
        loss = float(sums[0]) + self.penalty(theta)
        if len(sums) == 1:
            return loss, self._fit_parts(data, r, theta)
        found = self.family.after_pass(data.designs, self.unpack(theta), self.gate == "constant", sums)

        def fit(k, coef):
            return found.fits[k] or self.family.fit(data.rows(k, r), coef)

        def fit_gate(start):
            return fit_gate_from(data.rows("gate", r), start, found.gate_sums)

        return loss, self._fit_parts(data, r, theta, fit, fit_gate=fit_gate, masses=found.masses)

    def _fit_parts(self, data, r, start, fit=None, total=1.0, fit_gate=None, masses=None):
        """Fit every free part to r, shape (K, n), with sum `total` in each row; `masses` are its row sums."""
        if fit is None:

            def fit(k, coef):
                return self.family.fit(data.rows(k, r), coef, **self.fit_options)

        theta, named = start.copy(), self.unpack(start)
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
            theta[self.index["gate"]], *gate = self._fit_gate(data, r, masses, named["gate"], total, fit_gate)
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
