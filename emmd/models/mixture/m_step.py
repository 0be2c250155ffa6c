"""The EM map of a mixture of experts: one weighted fit per expert and one for the gate."""

import math
from functools import cached_property
from typing import Any

import numpy as np

from emmd.core.protocols.steps import MStep
from emmd.core.status import Status
from emmd.fits.multinomial import fit_multinomial_from
from emmd.kernels.em.mixture_image import EMPTY
from emmd.kernels.solvers.newton_steps import ACCEPTED
from emmd.models.mixture.data import MixtureData
from emmd.models.mixture.fused.registry import fused_pass
from emmd.models.mixture.ridge import gate_form

_COLLAPSED = np.log(1e-12)


def _masses(data, r):
    return r @ data.weights


class MixtureMStep:
    """Exact M-steps, from rows that are here or from sums over rows that are elsewhere."""

    n_experts: int
    family: Any
    gate: Any
    ridge: Any
    fixed: dict
    index: dict
    spans: dict
    shapes: dict
    n_params: int
    named: Any
    penalty: Any
    offset_column: Any
    posterior: Any
    same_region: Any
    project: Any
    statistics: Any
    e_step: Any

    @property
    def fit_options(self) -> dict:
        """Further arguments of the family's fits; none without a ridge, which families need not know."""
        return {} if self.ridge is None or self.ridge.expert is None else {"ridge": self.ridge.expert}

    def m_step(self, data: Any, responsibilities: np.ndarray, start: np.ndarray) -> MStep:
        """Minimise the expected complete loss exactly: one weighted fit per expert, one for the gate."""
        if self.family.hidden:
            return self.project(data, self.statistics(data, responsibilities), start)
        return self._fit_parts(data, responsibilities.T, start, start)

    @cached_property
    def fused(self) -> Any:
        """Fused kernels for the family and the gate, or None: they know no penalty, offset or fixed part."""
        # one expert needs no E-step: a step is one weighted fit
        plain = self.ridge is None and not self.fixed and self.offset_column is None
        if not plain or self.n_experts == 1:
            return None
        return fused_pass(self.family, self.gate, self.n_experts)

    def e_step_pass(self, data: Any, theta: np.ndarray, start: np.ndarray | None = None) -> tuple:
        """Run the E-step; return what it adds up and the responsibilities, shape (K, n).

        The negative log-likelihood is the first sum; there are more where a fused kernel finds those of the
        M-step in the same pass, the gate's at `start`, if given.
        """
        if self.fused is not None and self.fused.gathers:
            return self.fused.e_step_pass(data, theta, start)
        loss, r = self.posterior(data, theta)
        return np.array([loss]), r

    def em_step(self, data: Any, theta: np.ndarray, start: np.ndarray | None = None) -> tuple[float, MStep]:
        """Evaluate the EM map: by a fused kernel, where that determines it, else by a fit for each part."""
        if self.family.hidden:
            e_step = self.e_step(data, theta)
            return e_step.loss, self.m_step(data, e_step.responsibilities, theta if start is None else start)
        here = isinstance(data, MixtureData)
        if start is None or not self.same_region(data, theta, start):
            start = theta
        if self.fused is not None and (here or self.fused.gathers):
            evaluate = self.fused.em_step if here else self._fused_step_elsewhere
            sums, image, residual, curvature, iterations = evaluate(data, theta, start, self._floor(data))
            # NaN is not solved
            if residual <= ACCEPTED:
                return float(sums[0]), MStep(image, residual, True, curvature, int(iterations))
        (loss, *_), r = self.e_step_pass(data, theta) if here else data.e_step_pass(self, theta)
        return float(loss) + self.penalty(theta), self._fit_parts(data, r, theta, start)

    def _fused_step_elsewhere(self, data, theta, start, floor):
        """Return what `FusedGaussian.em_step` does, from sums over rows that are elsewhere."""
        sums, r = data.e_step_pass(self, theta, start)
        found = self.fused.m_step(data.designs, theta, floor, sums)
        if not self.gate.sees_features or not found.residual <= ACCEPTED:
            return sums, found.image, found.residual, found.curvature, 1
        gate = fit_multinomial_from(data.rows("gate", r), self.named(start)["gate"], found.gate_sums)
        found.image[self.spans["gate"]] = gate.x
        # the gate's first: what has been found is a number, and Python's maximum keeps a NaN that is first
        residual, curvature = max(gate.residual, found.residual), min(found.curvature, gate.curvature)
        return sums, found.image, residual, curvature, gate.iterations

    def _fit_parts(self, data, r, theta, start, fit=None, total=1.0):
        """Fit every free part to r, shape (K, n), with sum `total` in each row; begin at `start`.

        Where a part is empty, theta is what is left.
        """
        if fit is None:

            def fit(k, coef):
                return self.family.fit(data.rows(k, r), coef, **self.fit_options)

        image, named, masses = start.copy(), self.named(start), data.add_up(_masses, r)
        if masses.min() < EMPTY:
            # an expert that fits rows exactly takes them from the others: the cause is named, not the effect
            collapsed = "dispersion" in named and self._collapsed(data, named["dispersion"])
            failure = Status.VARIANCE_COLLAPSE if collapsed else Status.EMPTY_EXPERT
            return MStep(theta.copy(), np.inf, False, 0.0, failure=failure)
        residuals, curvatures, iterations, collapse = [0.0], [np.inf], 1, None
        if "coef" in self.index:
            coefs, dispersions, inner, pivots = zip(*(fit(k, coef) for k, coef in enumerate(named["coef"])))
            image[self.index["coef"]] = coefs
            collapse = self._set_dispersion(data, image, dispersions, masses)
            residuals += inner
            curvatures += pivots
        if "gate" in self.index and self.index["gate"].size:
            gate = self._gate_m_step(data, r, named["gate"], total)
            image[self.spans["gate"]], iterations = gate.x, gate.iterations
            residuals.append(gate.residual)
            curvatures.append(gate.curvature)
        # NumPy's maximum is NaN where any is, Python's may pass it over
        residual = float(np.max(residuals))
        solved = bool(residual <= ACCEPTED and np.isfinite(image).all())
        return MStep(image, residual, solved, min(curvatures), iterations, collapse)

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
        return self.gate.fit(data.rows("gate", r if total == 1.0 else r / total), start, form)
