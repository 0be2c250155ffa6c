"""Generalised linear experts with a softmax or a constant gate: whole EM steps in one call of a kernel."""

import numpy as np

from emmd.kernels.em.glm_mixture import em_step_of
from emmd.kernels.rows.reduce import shares


class FusedGLM:
    """The passes of a mixture whose family has a `Family.row_loss`.

    Parameters
    ----------
    family : Family
    gate : Softmax or Constant
    n_experts : int
    """

    gathers = False
    """Newton's method of the experts needs the rows more than once."""

    def __init__(self, family, gate, n_experts):
        self.family, self.gate, self.n_experts = family, gate, n_experts
        self.constant_gate = not gate.sees_features
        self._loss, self._grows = family.row_loss, float(family.score_grows)
        self._ones, self._zeros = np.ones(n_experts), np.zeros(n_experts)

    def __reduce__(self):
        # kernels are made where they are called
        return FusedGLM, (self.family, self.gate, self.n_experts)

    def em_step(self, data, theta, start, floor):
        """Evaluate the EM map in one call of a kernel; see `FusedGaussian.em_step`."""
        expert, gate, K = data.designs["expert"], data.designs["gate"], self.n_experts
        edges, workspace, image = shares(len(data.y)), expert.workspace, np.empty_like(theta)
        losses, r = np.empty(K), workspace.take((K, len(data.y)))
        coef, dispersion, W, offset = self._parts(data.designs, theta)
        begin, _, begin_gate, _ = self._parts(data.designs, start)
        features = expert.XB, expert.XB[:, :0].copy() if self.constant_gate else gate.XB
        moments = expert.scale, gate.scale, gate.crest
        known = self._loss.entropy, expert.crest, self._grows
        experts = coef, begin, *self._strengths(dispersion)
        kernel = em_step_of(self._loss, K == 2, len(edges) == 2)
        rows = edges, *features, data.kernel_rows, moments, known, experts
        at = (W, offset, begin_gate), start is not theta
        sums, residual, curvature, iterations = kernel(*rows, *at, r, image, losses)
        workspace.leave(r)
        if dispersion is not None and residual < np.inf:
            values = np.array([self.family.fitted_dispersion(float(loss)) for loss in losses])
            if self.family.dispersion_collapsed(values, floor):
                residual = np.inf
            image[coef.size : coef.size + K] = values
        return sums, image, residual, curvature, iterations

    def _strengths(self, dispersion):
        """Return what multiplies each expert's loss, and what it leaves out, both of shape (K,)."""
        if dispersion is None:
            return self._ones, self._zeros
        with np.errstate(over="ignore", invalid="ignore"):
            return self.family.precision(dispersion), self.family.log_constant(dispersion)

    def _parts(self, designs, theta):
        """Return coefficients (K n_linear, d), dispersions or None, the gate's weights and offsets."""
        K, d, d_gate = self.n_experts, designs["expert"].n_features, designs["gate"].n_features
        size = K * self.family.n_linear * d
        coef, free = theta[:size].reshape(-1, d), self.family.dispersion == "free"
        dispersion, gate = (theta[size : size + K], theta[size + K :]) if free else (None, theta[size:])
        if self.constant_gate:
            return coef, dispersion, np.empty((K - 1, 0)), gate
        return coef, dispersion, gate.reshape(K - 1, d_gate), np.zeros(K - 1)
