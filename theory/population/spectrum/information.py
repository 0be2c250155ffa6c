"""What a model tells about a population problem: its missing information, in units of the complete one."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from emmd.theory.population.spectrum.quadrature import half_line, normal_density, reach, sech, spacing

__all__ = ["Information", "PopulationModel", "logistic_information", "whiten"]


@dataclass(frozen=True, eq=False)
class Information:
    """I_com^(-1/2) I_mis I_com^(-1/2) at the true parameter, in its two invariant blocks.

    Attributes
    ----------
    plane : ndarray of shape (4, 4)
        Parameters in the plane of the two directions: one block of parameters after the other, each along its
        own frame (first the direction that becomes the common line at cosine = +-1, then the one across).
    orthogonal : ndarray of shape (2, 2)
        Parameters in any one direction across the plane.
    n_nodes : int
        Quadrature nodes used.
    """

    plane: np.ndarray
    orthogonal: np.ndarray
    n_nodes: int

    @property
    def line(self):
        """Part of `plane` along the common line, shape (2, 2); a block of its own at cosine = +-1."""
        return self.plane[::2, ::2]


@dataclass(frozen=True)
class PopulationModel:
    """A model of population EM; one per file, found by being there.

    Attributes
    ----------
    name : str
    information : callable
        ``(snr_expert, snr_gate, cosine, nats) -> Information``, with errors of about e^-nats.
    """

    name: str
    information: Callable[[float, float, float, float], Information]


def whiten(missing, complete):
    """Return C^(-1/2) `missing` C^(-1/2) for the diagonal matrix C = diag(`complete`).

    Its eigenvalues are those of the pencil (missing, C), and entries of very different size lose no digits.
    """
    scale = 1 / np.sqrt(np.asarray(complete))
    return np.asarray(missing) * np.outer(scale, scale)


def logistic_information(snr, nats):
    """Complete information of a logistic regression with x ~ N(0, I) and coefficient norm `snr`.

    Parameters
    ----------
    snr : float
    nats : float
        Accuracy.

    Returns
    -------
    along, across : float
        E[t^2 sech^2(snr t/2)] / 4 along the coefficient and E[sech^2(snr t/2)] / 4 across it, t ~ N(0, 1).
    """
    t, weights = half_line(spacing(snr, nats), reach(snr, nats))
    weights = weights * normal_density(t) * sech(snr * t / 2) ** 2 / 4
    return float((weights * t * t).sum()), float(weights.sum())
