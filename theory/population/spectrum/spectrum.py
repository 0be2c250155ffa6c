"""Spectrum of the missing information of population EM at the true parameter."""

from dataclasses import dataclass

import numpy as np

from emmd.core.checks import in_memory, known_name, number_between, positive_integer
from emmd.core.discover import discover
from emmd.theory.population.landscape.frame import LARGEST_SNR
from emmd.theory.population.spectrum.information import PopulationModel

__all__ = ["PopulationSpectrum", "population"]

# The answer comes from the finer rule, the error from its distance to the coarser one. The coarser rule was
# never seen to err by more than 3e4 e^-42 = 2e-14: its steps already follow the SNRs and the angle, so
# there is nothing left to refine from case to case.
_COARSE, _FINE = 42.0, 50.0
# An entry is a sum of terms of either sign, in modulus at most 5 times the complete information (the worst
# are the gate's, int x^2 sech x dx / int x^2 sech^2 x dx = 4.7), each good to about 6 units of rounding; the
# norm of a 4 x 4 matrix is at most 4 times its largest entry.
_ROUNDING = 128 * np.finfo(np.float64).eps


@dataclass(frozen=True, eq=False)
class PopulationSpectrum:
    """Eigenvalues of M = I_com^(-1) I_mis for x ~ N(0, I_d).

    Attributes
    ----------
    model : str
    snr_expert, snr_gate, cosine : float
    plane_eigenvalues : ndarray of shape (4,) or (2,)
        Ascending; of the parameters in the span of beta* and w*. Two where the span is a line: cosine = +-1,
        or an SNR of zero.
    orthogonal_eigenvalues : ndarray of shape (2,)
        Ascending; the same pair for each direction across the span.
    error : float
        Bound on the absolute error of every eigenvalue.
    n_nodes : int
        Quadrature nodes of the finer rule.
    """

    model: str
    snr_expert: float
    snr_gate: float
    cosine: float
    plane_eigenvalues: np.ndarray
    orthogonal_eigenvalues: np.ndarray
    error: float
    n_nodes: int

    def eigenvalues(self, d):
        """All eigenvalues in d dimensions.

        Parameters
        ----------
        d : int
            At least the dimension of the span of beta* and w*.

        Returns
        -------
        ndarray of shape (2d,)
            Ascending, with multiplicity.

        Raises
        ------
        TypeError
            If `d` is not an integer.
        ValueError
            If `d` is smaller than the span; d = 1 needs cosine = +-1 (or an SNR of zero).
        """
        across = self._directions_across(d)
        with in_memory("d", d):
            orthogonal = np.tile(self.orthogonal_eigenvalues, across)
            return np.sort(np.concatenate([self.plane_eigenvalues, orthogonal]))

    def _directions_across(self, d):
        d = positive_integer("d", d)
        span = self.plane_eigenvalues.size // 2
        if d < span:
            raise ValueError(
                f"d must be at least 2 unless cosine is 1 or -1, got d={d} with cosine={self.cosine}"
            )
        return d - span

    def rate(self, d):
        """Local rate of population EM in d dimensions, lambda_max(M); for `d` see `eigenvalues`.

        Parameters
        ----------
        d : int

        Returns
        -------
        float
        """
        inside, across = self.plane_eigenvalues[-1], self.orthogonal_eigenvalues[-1]
        return float(max(inside, across) if self._directions_across(d) else inside)


def population(model: str, snr_expert: float, snr_gate: float, cosine: float) -> PopulationSpectrum:
    """Spectrum of population EM's missing-information matrix at the true parameter.

    Parameters
    ----------
    model : str
        ``"symmoline"`` or ``"symmologe"``.
    snr_expert : float
        ||Sigma^(1/2) beta*|| / sigma (no sigma for symmologe), in [0, 1e30].
    snr_gate : float
        ||Sigma^(1/2) w*||, in [0, 1e30].
    cosine : float
        Of the angle between Sigma^(1/2) beta* and Sigma^(1/2) w*, in [-1, 1]. Irrelevant when an SNR is zero.

    Returns
    -------
    PopulationSpectrum
        Its `error` stays below 1e-13 at all arguments.

    Raises
    ------
    TypeError
        If a number is not a real number.
    ValueError
        If a number is outside its range, or the model is unknown.

    Notes
    -----
    M = I_com^(-1) I_mis = I - I_com^(-1) I_obs has its eigenvalues in [0, 1]. Eigenvalue 1 (no signal:
    sublinear EM) is attained where an SNR that is needed is zero, and for symmologe at beta* = +-w*.

    Examples
    --------
    >>> round(population("symmoline", 4.0, 1.0, 0.5).rate(10), 6)
    0.21898
    """
    models = population_models()
    model = known_name("model", model, models)
    snr_expert = number_between("snr_expert", snr_expert, 0.0, LARGEST_SNR)
    snr_gate = number_between("snr_gate", snr_gate, 0.0, LARGEST_SNR)
    cosine = number_between("cosine", cosine, -1.0, 1.0)
    angle = cosine if min(snr_expert, snr_gate) > 0 else 1.0
    coarse, fine = (models[model].information(snr_expert, snr_gate, angle, nats) for nats in (_COARSE, _FINE))
    return PopulationSpectrum(
        model,
        snr_expert,
        snr_gate,
        cosine,
        plane_eigenvalues=_eigenvalues(fine.line if abs(angle) == 1 else fine.plane),
        orthogonal_eigenvalues=_eigenvalues(fine.orthogonal),
        error=_distance(coarse, fine) + float(_ROUNDING),
        n_nodes=fine.n_nodes,
    )


def population_models():
    """Return the models with a population spectrum by name."""
    return discover("emmd.theory.population", PopulationModel).plugins


def _eigenvalues(matrix):
    # They lie in [0, 1] by I_com = I_mis + I_obs, so clipping only ever removes error.
    return np.clip(np.linalg.eigvalsh(matrix), 0.0, 1.0)


def _distance(coarse, fine):
    """Bound on how far any eigenvalue moved between two rules, by Weyl's inequality."""
    plane = np.linalg.norm(fine.plane - coarse.plane)
    return float(max(plane, np.linalg.norm(fine.orthogonal - coarse.orthogonal)))
