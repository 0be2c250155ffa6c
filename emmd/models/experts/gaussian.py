"""Gaussian experts: variance free per expert, shared, or known."""

import math

import numpy as np

from emmd.core.checks import positive_number
from emmd.core.family import Family, Pass
from emmd.core.least_squares import weighted_least_squares
from emmd.core.newton import NewtonResult
from emmd.kernels import mixture_gaussian
from emmd.kernels.mixture_gaussian import HEAD, e_step_rows, solve_experts, sums_width
from emmd.kernels.reduce import sum_rows, takes_turns
from emmd.kernels.softmax_regression import assemble_hessian

_LOG_2PI = float(np.log(2.0 * np.pi))
_DIGITS_KEPT = 1e-2
"""Below this share a fit by steps would lose two digits; it is then made anew."""

_CONSTANT = 1e-14
"""A target whose spread is this share of its size is constant but for rounding."""


def _squares_around(rows, centre):
    return rows.weights @ (rows.statistics[:, 0] - centre) ** 2


_KERNELS = {
    (True, True): mixture_gaussian.em_step_two,
    (True, False): mixture_gaussian.shared_em_step_two,
    (False, True): mixture_gaussian.em_step,
    (False, False): mixture_gaussian.shared_em_step,
}
"""The EM map, for two experts or more, for one thread or more."""


class Gaussian(Family):
    """y | x ~ N(x'beta, e^rho): T = (y, y^2), nu = (u, -1/2) e^{-rho}, u = x'beta.

    a(nu) = -nu_1^2 / (4 nu_2) - log(-2 nu_2) / 2, h = (2 pi)^{-1/2}.

    Parameters
    ----------
    variance : "free", "shared" or float
        One variance per expert, one for all, or a known value.
    """

    name = "gaussian"
    n_statistics = 2

    def __init__(self, variance="free"):
        if variance in ("free", "shared"):
            self.dispersion = variance
            self.precision_slope = -1.0
            self.known = None
        elif isinstance(variance, str):
            raise ValueError(f"variance must be 'free', 'shared' or a positive number, got {variance!r}")
        else:
            self.known = positive_number("variance", variance)

    def check_target(self, y):
        """Accept all real targets."""
        return y

    def statistics(self, y):
        """Return (y, y^2)."""
        return np.column_stack([y, y * y])

    def log_base(self, y):
        """Return -log(2 pi) / 2."""
        return np.full(len(y), -0.5 * _LOG_2PI)

    def log_partition(self, nu):
        """Return -nu_1^2 / (4 nu_2) - log(-2 nu_2) / 2."""
        return -(nu[:, 0] ** 2) / (4.0 * nu[:, 1]) - 0.5 * np.log(-2.0 * nu[:, 1])

    def mean(self, nu):
        """Return (E y, E y^2)."""
        mean, variance = self._moments(nu)
        return np.column_stack([mean, variance + mean**2])

    def variance(self, nu):
        """Return Cov(y, y^2)."""
        mean, variance = self._moments(nu)
        cross = 2.0 * mean * variance
        fourth = 2.0 * variance**2 + 4.0 * mean**2 * variance
        return np.stack([np.stack([variance, cross], -1), np.stack([cross, fourth], -1)], -2)

    @staticmethod
    def _moments(nu):
        variance = -0.5 / nu[:, 1]
        return nu[:, 0] * variance, variance

    def _precision(self, xi):
        return np.exp(-xi[:, 1]) if self.known is None else np.full(len(xi), 1.0 / self.known)

    def natural(self, xi):
        """Return (u, -1/2) e^{-rho}."""
        precision = self._precision(xi)
        return np.column_stack([xi[:, 0] * precision, -0.5 * precision])

    def natural_jacobian(self, xi):
        """Return d nu / d (u, rho)."""
        precision = self._precision(xi)
        zero = np.zeros_like(precision)
        by_u = np.stack([precision, zero], -1)
        if self.known is not None:
            return by_u[:, :, None]
        by_rho = np.stack([-xi[:, 0] * precision, 0.5 * precision], -1)
        return np.stack([by_u, by_rho], -1)

    def natural_curvature(self, xi):
        """Return the second derivatives of nu in (u, rho)."""
        if self.known is not None:
            return None
        precision = self._precision(xi)
        second = np.zeros((len(xi), 2, 2, 2))
        second[:, 0, 0, 1] = second[:, 0, 1, 0] = -precision
        second[:, 0, 1, 1] = xi[:, 0] * precision
        second[:, 1, 1, 1] = -0.5 * precision
        return second

    def log_density(self, y, xi):
        """Return -((y - u)^2 e^{-rho} + rho + log 2 pi) / 2: the statistics' form cancels digits."""
        rho = xi[:, 1] if self.known is None else np.log(self.known)
        return -0.5 * ((y - xi[:, 0]) ** 2 * self._precision(xi) + rho + _LOG_2PI)

    def score(self, y, xi):
        """Return (r, (r^2 e^{-rho'} - 1) / 2) with r the residual in natural units."""
        precision = self._precision(xi)
        rest = y - xi[:, 0]
        by_u = rest * precision
        if self.known is not None:
            return by_u[:, None]
        return np.column_stack([by_u, 0.5 * (rest * by_u - 1.0)])

    def curvature(self, y, xi):
        """Return [[1, r], [r, r^2 / 2]] e^{-rho} with r = y - u."""
        precision = self._precision(xi)
        if self.known is not None:
            return precision[:, None, None]
        slope = (y - xi[:, 0]) * precision
        half = 0.5 * (y - xi[:, 0]) * slope
        return np.stack([np.stack([precision, slope], -1), np.stack([slope, half], -1)], -2)

    def sample(self, nu, rng):
        """Draw from N(mean, variance)."""
        mean, variance = self._moments(nu)
        return mean + np.sqrt(variance) * rng.standard_normal(len(nu))

    def unit(self, rows):
        """Return the standard deviation of y for u, and 1 for the log variance."""
        mean, square = rows.mean
        spread = np.sqrt(rows.add_up(_squares_around, mean) / rows.mass)
        # around a mean that is rounded a constant target has a spread too
        varies = spread > _CONSTANT * np.sqrt(square)
        return np.array([spread if varies else 1.0, 1.0])[: self.n_predictors]

    def prediction(self, xi):
        """Return u."""
        return xi[:, 0]

    def score_size(self, rows):
        """Return 1: residuals are relative to y already."""
        return 1.0

    def precision(self, dispersion):
        """Return 1 / variance."""
        return np.exp(-dispersion) if self.known is None else np.full(1, 1.0 / self.known)

    def fit(self, rows, start, ridge=None):
        """Weighted least squares; the dispersion is the log of the weighted mean square residual."""
        coefficients, square, residual, curvature = weighted_least_squares(rows, ridge)
        if self.known is not None:
            return coefficients[None], None, residual, curvature
        pull = 0.0 if ridge is None else ridge @ coefficients**2 / rows.mass
        # an exact fit has log variance -inf, which the model names as a collapse
        with np.errstate(divide="ignore"):
            return coefficients[None], float(np.log(square + pull)), residual, curvature

    def _at(self, designs, named, constant_gate, start):
        """Return the features and the parameters of experts and gate, as the kernels take them."""
        expert, gate = designs["expert"], designs["gate"]
        coef, K = np.ascontiguousarray(named["coef"][:, 0]), len(named["coef"])
        experts = coef, np.full(K, self._log_variance(named["dispersion"]))
        if constant_gate:
            W = np.zeros((K - 1, 0))
            return (expert.XB, expert.XB[:, :0].copy()), experts, (W, named["gate"][:, 0].copy(), W, False)
        W = named["gate"]
        begins = (W, False) if start is None else (start, True)
        return (expert.XB, gate.XB), experts, (W, np.zeros(K - 1), *begins)

    def em_at_once(self, designs, y, named, constant_gate, start, edges, r):
        """Evaluate the EM map by the kernel of Gaussian experts."""
        expert = designs["expert"]
        features, experts, gate = self._at(designs, named, constant_gate, start)
        solution, report = (np.empty_like(experts[0]), np.empty_like(gate[0])), np.empty((len(r), 5))
        moments = expert.second_moment, expert.scale, designs["gate"].scale, designs["gate"].crest
        kernel = _KERNELS[len(r) == 2, takes_turns(edges, len(y))]
        data = *features, y, expert.kernel_weights
        loss, residual, curvature, iterations = kernel(
            edges, *data, experts, gate, moments, r, solution, report
        )
        solved = NewtonResult(solution[1].ravel(), residual, int(iterations), curvature)
        return loss, Pass(report[:, 4], self._fits(solution[0], report), np.zeros(0), solved)

    def pass_over(self, designs, y, named, constant_gate, start):
        """Evaluate E-step and the M-step's sums by the kernel of Gaussian experts."""
        expert, r = designs["expert"], np.empty((len(named["coef"]), len(y)))
        features, experts, gate = self._at(designs, named, constant_gate, start)
        K, d = experts[0].shape
        _, width = sums_width(K, d, gate[0].shape[1])
        arguments = *features, y, expert.kernel_weights, *experts, *gate, r
        return sum_rows(e_step_rows, expert.n_rows, width, *arguments), r

    def after_pass(self, designs, named, constant_gate, sums):
        """Fit the experts by the steps that the sums give."""
        expert, d_gate = designs["expert"], 0 if constant_gate else designs["gate"].n_features
        coef = np.ascontiguousarray(named["coef"][:, 0])
        fitted, report = np.empty_like(coef), np.empty((len(coef), 5))
        solve_experts(sums[HEAD:], expert.second_moment, expert.scale, coef, fitted, report)
        before, _ = sums_width(len(coef), expert.n_features, d_gate)
        gate_sums = assemble_hessian(sums[before:], len(coef) - 1, d_gate)
        return Pass(report[:, 4], self._fits(fitted, report), gate_sums)

    def _log_variance(self, dispersion):
        return dispersion if self.known is None else np.log(self.known)

    def _fits(self, fitted, report):
        return [
            (row[None], None if self.known else math.log(square), residual, pivot)
            if kept > _DIGITS_KEPT and square > 0
            else None
            for row, (square, residual, pivot, kept, _) in zip(fitted, report.tolist())
        ]
