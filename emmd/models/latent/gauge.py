"""Which directions of theta change nothing: the null space of the complete information at random points."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import eigh

from emmd.models.latent.rows import LatentData, row_of

_POINTS = 3
_ROWS = 256
_NULL = 1e-9
"""Share of the largest eigenvalue: the informations of a direction that changes nothing are differences of
second derivatives that should be 0."""


@dataclass(frozen=True)
class Identified:
    """What random points say of all parameters.

    Attributes
    ----------
    scale : ndarray of shape (p,)
        Median of the root of each parameter's expected complete information; 1 where there is none.
    flat : int
        Number of directions along which nothing changes, wherever theta is. Data that are fitted with
        certainty make an information singular too, but at their optimum only.
    """

    scale: np.ndarray
    flat: int

    def directions(self, information: np.ndarray) -> np.ndarray:
        """Return an orthonormal basis of the flat directions, given E[J' hess A J], shape (p, g)."""
        if self.flat == 0:
            return np.zeros((len(information), 0))
        scaled, unit = _scaled(information)
        return np.linalg.qr(eigh(scaled)[1][:, : self.flat] / unit[:, None])[0]


def identified(model: Any, data: Any) -> Identified:
    """Return the `Identified` of a `LatentModel` on data; a few hundred rows tell.

    Parameters
    ----------
    model : LatentModel
    data : LatentData
    """
    rng = np.random.default_rng(1)
    chosen = slice(None, None, max(1, len(data.weights) // _ROWS))
    weights = data.weights[chosen]
    few = LatentData(row_of(data.X, chosen), row_of(data.y, chosen), weights / weights.sum())
    informations = []
    for _ in range(_POINTS):
        with np.errstate(all="ignore"):
            informations.append(model.expected_information(few, model.random_point(few, rng)))
    usable = [each for each in informations if np.isfinite(each).all()] or [np.eye(model.n_params)]
    scale = np.median([np.sqrt(np.maximum(np.diag(each), 0.0)) for each in usable], axis=0)
    scale = np.where(np.isfinite(scale) & (scale > 0.0), scale, 1.0)
    return Identified(scale, min(_nulls(each) for each in usable))


def _scaled(information):
    size = np.sqrt(np.maximum(np.diag(information), 0.0))
    unit = np.where(size > 0.0, size, 1.0)
    return information / np.outer(unit, unit), unit


def _nulls(information):
    values = np.linalg.eigvalsh(_scaled(information)[0])
    return int((values <= _NULL * values[-1]).sum())
