"""Directions of theta that change nothing, in the complete data or in the loss alone: found at random points.

A direction that leaves the complete-data model as it is is in the null space of the complete information. One
that leaves the loss as it is has no part in any row's score: a rotation of factors, which changes the factors
too, or more components than the data can tell apart.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import eigh

from emmd.models.latent.rows import LatentData, row_of

_POINTS = 3
_ROWS = 512
_NULL = 1e-9
"""Share of the largest eigenvalue, or singular value: those of a direction that changes nothing are
differences of derivatives that should be 0."""


@dataclass(frozen=True)
class Identified:
    """What random points say of all parameters.

    Attributes
    ----------
    scale : ndarray of shape (p,)
        Median of the root of each parameter's expected complete information; 1 where there is none.
    null, flat : int
        Number of directions along which the complete-data model does not change, and of those along which the
        loss does not, wherever theta is. Data that are fitted with certainty make an information singular
        too, but at their optimum only.
    """

    scale: np.ndarray
    null: int
    flat: int


def identified(model: Any, data: Any) -> Identified:
    """Return the `Identified` of a `LatentModel` on data; a few hundred rows tell.

    Parameters
    ----------
    model : LatentModel
    data : LatentData

    Raises
    ------
    ValueError
        Where no direction changes the model.
    """
    rng, points = np.random.default_rng(1), []
    chosen = slice(None, None, max(1, len(data.weights) // _ROWS))
    weights = data.weights[chosen]
    # what is looked for is not asked for on the way
    kept = {"identified": None}
    few = LatentData(row_of(data.X, chosen), row_of(data.y, chosen), weights / weights.sum(), kept)
    for _ in range(_POINTS):
        with np.errstate(all="ignore"):
            theta = model.random_point(few, rng)
            points.append((model.expected_information(few, theta), model.scores(few, theta)))
    usable = [each for each in points if all(np.isfinite(part).all() for part in each)]
    if not usable:
        return Identified(np.ones(model.n_params), 0, 0)
    scale = np.median([np.sqrt(np.maximum(np.diag(each), 0.0)) for each, _ in usable], axis=0)
    null = min(_nulls(each) for each, _ in usable)
    if null == model.n_params and not any(scores.any() for _, scores in usable):
        raise ValueError(
            f"natural_parameters must change the model with theta, none of its {null} directions does"
        )
    # fewer rows than parameters could not tell anything of the loss
    enough = len(weights) >= 2 * model.n_params
    flat = min(_flats(scores) for _, scores in usable) if enough else null
    return Identified(np.where(scale > 0.0, scale, 1.0), null, max(null, flat))


def null_space(information: np.ndarray, count: int) -> np.ndarray:
    """Return an orthonormal basis of the null space of an information matrix, shape (p, count)."""
    scaled, unit = _scaled(information)
    return np.linalg.qr(eigh(scaled)[1][:, :count] / unit[:, None])[0]


def flat_space(scores: np.ndarray, count: int) -> np.ndarray:
    """Return an orthonormal basis of the directions that no score has a part in, shape (p, count)."""
    unit = _sizes(scores)
    right = np.linalg.svd(scores / unit, full_matrices=True)[2]
    return np.linalg.qr(right[-count:].T / unit[:, None])[0]


def _scaled(information):
    size = np.sqrt(np.maximum(np.diag(information), 0.0))
    unit = np.where(size > 0.0, size, 1.0)
    return information / np.outer(unit, unit), unit


def _nulls(information):
    values = np.linalg.eigvalsh(_scaled(information)[0])
    return int((values <= _NULL * values[-1]).sum())


def _sizes(scores):
    size = np.sqrt(np.mean(scores**2, axis=0))
    return np.where(size > 0.0, size, 1.0)


def _flats(scores):
    values = np.linalg.svd(scores / _sizes(scores), compute_uv=False)
    return int((values <= _NULL * values[0]).sum())
