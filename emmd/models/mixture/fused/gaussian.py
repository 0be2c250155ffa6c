"""Gaussian experts with a softmax or a constant gate: E-step and M-step's sums in one pass over the data."""

import math
from dataclasses import dataclass, field

import numpy as np

from emmd.kernels.em import gaussian_mixture
from emmd.kernels.em.gaussian_mixture import HEAD, e_step_rows, solve_experts, sums_width
from emmd.kernels.em.mixture_image import REPORT, write_constant_gate, write_experts
from emmd.kernels.rows.reduce import shares, sum_rows
from emmd.kernels.solvers.multinomial import assemble_hessian
from emmd.models.mixture.fused.gaussian_information import information_of_sums

_KERNELS = {
    (True, True): gaussian_mixture.em_step_two,
    (True, False): gaussian_mixture.shared_em_step_two,
    (False, True): gaussian_mixture.em_step,
    (False, False): gaussian_mixture.shared_em_step,
}
"""The EM map, for two experts or more, for small data or large."""


@dataclass(frozen=True)
class Pass:
    """What the sums of one pass over the data at one parameter say.

    Attributes
    ----------
    image : ndarray of shape (p,)
        The parameters after the experts' M-steps; a constant gate's too.
    residual : float
        The largest of those M-steps; infinite where the sums do not determine them, for want of digits, of
        rows or of a variance.
    curvature : float
        See `MStep`.
    gate_sums : ndarray
        Gradient and packed Hessian of the gate's loss; empty for a constant gate.
    """

    image: np.ndarray
    residual: float
    curvature: float
    gate_sums: np.ndarray = field(default_factory=lambda: np.empty(0))


class FusedGaussian:
    """The passes of a Gaussian mixture.

    Parameters
    ----------
    family : Gaussian
    gate : Softmax or Constant
    n_experts : int
    """

    gathers = True
    """Sums of one pass over rows elsewhere determine the experts' M-steps."""

    def __init__(self, family, gate, n_experts):
        self.constant_gate, self.n_experts = not gate.sees_features, n_experts
        self.known_log = 0.0 if family.known is None else math.log(family.known)

    def em_step(self, data, theta, start, floor):
        """Evaluate the EM map in one call of a kernel.

        Parameters
        ----------
        data : MixtureData
        theta, start : ndarray of shape (p,)
            See `Model.em_step`.
        floor : float
            A log variance that counts as zero.

        Returns
        -------
        sums : ndarray
            See `e_step_pass`.
        image : ndarray of shape (p,)
        residual, curvature, iterations : float
            See `MStep`; the residual is infinite where this does not determine the M-step.
        """
        expert, gate, n = data.designs["expert"], data.designs["gate"], len(data.y)
        edges, workspace, image = shares(n), expert.workspace, np.empty_like(theta)
        moments = expert.second_moment, expert.scale, gate.scale, gate.crest
        kernel = _KERNELS[self.n_experts == 2, len(edges) == 2]
        r = workspace.take((self.n_experts, n))
        features = self._features(data.designs)
        _, width = sums_width(self.n_experts, *(XB.shape[1] for XB in features))
        partials = np.zeros((edges[-1], width))
        rows = edges, partials, *features, data.y, expert.weights
        solved = kernel(*rows, moments, theta, start, (self.known_log, floor), r, image)
        workspace.leave(r)
        return partials[0], image, *solved

    def e_step_pass(self, data, theta, start=None):
        """Run the E-step; return what it adds up, the loss first, and the responsibilities, shape (K, n).

        The gate's sums are those at `start`, shape (p,), if given.
        """
        expert, r = data.designs["expert"], np.empty((self.n_experts, len(data.y)))
        coef, log_variance, W, offset = self._parts(data.designs, theta)
        begin = W if start is None else self._parts(data.designs, start)[2]
        _, width = sums_width(self.n_experts, coef.shape[1], W.shape[1])
        features = *self._features(data.designs), data.y, expert.weights
        return sum_rows(
            e_step_rows, expert.n_rows, width, *features, coef, log_variance, W, offset, begin, r
        ), r

    def m_step(self, designs, theta, floor, sums):
        """Return the `Pass` of the sums of `e_step_pass` at theta, with designs that know moments alone."""
        expert, K = designs["expert"], self.n_experts
        coef, _, W, _ = self._parts(designs, theta)
        fitted, report, image = np.empty_like(coef), np.empty((K, REPORT)), np.empty_like(theta)
        solve_experts(sums[HEAD:], expert.second_moment, expert.scale, coef, fitted, report)
        of_gate = (K - 1) * (1 if self.constant_gate else W.shape[1])
        residual, curvature = write_experts(fitted, report, floor, image[:-of_gate])
        if self.constant_gate:
            write_constant_gate(report, image[-of_gate:])
            return Pass(image, residual, min(curvature, 1.0))
        before, _ = sums_width(K, expert.n_features, W.shape[1])
        return Pass(image, residual, curvature, assemble_hessian(sums[before:], *W.shape))

    def information(self, designs, theta, sums):
        """Return I_com at theta from the sums of `e_step_pass`, all taken there; None where they lose digits.

        It has blocks [[X'RX, X'Re], [., e'Re / 2]] / variance for the experts, and the gate's.
        """
        parts = self._parts(designs, theta)
        return information_of_sums(sums, designs["expert"].second_moment, parts, len(theta))

    def _features(self, designs):
        """Return the features of experts and gate as the kernels take them; a constant gate has none."""
        XB = designs["expert"].XB
        return XB, XB[:, :0].copy() if self.constant_gate else designs["gate"].XB

    def _parts(self, designs, theta):
        """Return what `parts_of` does, which small problems have not compiled by itself."""
        K, d, d_gate = self.n_experts, designs["expert"].n_features, designs["gate"].n_features
        spread, gate = theta[K * d :], theta[-(K - 1) * (1 if self.constant_gate else d_gate) :]
        spread = spread[: len(spread) - len(gate)]
        log_variance = np.empty(K)
        log_variance[:] = spread if len(spread) else self.known_log
        coef = theta[: K * d].reshape(K, d)
        if self.constant_gate:
            return coef, log_variance, np.empty((K - 1, 0)), gate
        return coef, log_variance, gate.reshape(K - 1, d_gate), np.zeros(K - 1)
