"""From parameters, a covariance and a noise level to the three numbers that a spectrum depends on."""

import numpy as np
from numpy.typing import ArrayLike

from emmd.models.symmetric.model import SymmetricModel
from emmd.theory.population.landscape.frame import frame_of
from emmd.theory.population.landscape.problem import model_and_truth

__all__ = ["snr_coordinates"]


def snr_coordinates(
    model: str | SymmetricModel,
    theta_star: ArrayLike,
    covariance: ArrayLike | None = None,
    sigma: float = 1.0,
) -> tuple[float, float, float]:
    """Whiten a true parameter: the SNRs and the cosine that `population` takes.

    Parameters
    ----------
    model : str or SymMoLinE or SymMoLogE
        A name takes `sigma` from the arguments.
    theta_star : array_like of shape (2d,)
        True parameter (beta*, w*).
    covariance : array_like of shape (d, d), optional
        Sigma of the features, x ~ N(0, Sigma); the identity by default.
    sigma : float
        Noise of symmoline, when `model` is a name.

    Returns
    -------
    snr_expert, snr_gate, cosine : float
        ||Sigma^(1/2) beta*|| / sigma, ||Sigma^(1/2) w*|| and the cosine of their angle; 1 without a signal.

    Raises
    ------
    TypeError, ValueError
        As `population_problem`.

    Notes
    -----
    The cosine is rounded like any number. Where beta* and w* are nearly parallel and both SNRs are 1e3, its
    last bit moves eigenvalues by up to 1e-10; the error of `population` is that for the cosine it was given.

    Examples
    --------
    >>> coordinates = snr_coordinates("symmoline", [1.0, 0.0, 0.0, 3.0], [[4.0, 0.0], [0.0, 1.0]], sigma=0.5)
    >>> coordinates
    (4.0, 3.0, 0.0)
    """
    model, theta_star = model_and_truth(model, theta_star, None, sigma)
    frame = frame_of(model, theta_star, covariance)
    snr_expert, snr_gate = float(np.linalg.norm(frame.expert)), float(np.linalg.norm(frame.gate))
    if min(snr_expert, snr_gate) == 0:
        return snr_expert, snr_gate, 1.0
    # the plane's first axis lies along beta*
    return snr_expert, snr_gate, float(np.clip(frame.gate[0] / snr_gate, -1.0, 1.0))
