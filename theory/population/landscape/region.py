"""The region of parameters that a population problem resolves, in whitened coordinates."""

import math

import numpy as np

from emmd.core.checks import numbers_array, positive_number
from emmd.theory.population.landscape.frame import LARGEST_SNR
from emmd.theory.population.landscape.polar import Bounds

__all__ = ["inside", "region_bounds"]

# Half the width of the default cone at the distance of beta*, in units of the noise.
_ACROSS = 2.0
_ROUNDING = 1e-12


def region_bounds(model, frame, region=None, radius=None, starts=None):
    """Turn a user's region into bounds of norms and of the angle to the line of beta*.

    Parameters
    ----------
    model : SymmetricModel
    frame : Frame
    region, radius, starts
        At most one of them; see `population_problem`.

    Returns
    -------
    Bounds

    Raises
    ------
    ValueError
        If more than one is given, for a wrong shape or sign, if theta* is outside or starts leave the plane.
    """
    given = [n for n, v in (("region", region), ("radius", radius), ("starts", starts)) if v is not None]
    if len(given) > 1:
        raise ValueError(f"region, radius and starts exclude each other, got {' and '.join(given)}")
    true = float(np.linalg.norm(frame.expert)), float(np.linalg.norm(frame.gate))
    if radius is not None:
        expert, gate, angle = _ball(_numbers("radius", radius, 2), true)
    elif region is not None:
        expert, gate, angle = _numbers("region", region, 3)
    else:
        expert, gate, angle = _default(model, true)
    if starts is not None:
        expert, gate, angle = _covering(model, frame, starts, (expert, gate, angle))
    if expert < true[0] or gate < true[1]:
        raise ValueError(
            "region must contain theta*, whose norms (of theta_star whitened by covariance) are "
            f"{true[0]:.6g} and {true[1]:.6g}, "
            f"got {expert:.6g} and {gate:.6g}"
        )
    if angle > math.pi / 2 * (1 + _ROUNDING):
        raise ValueError(f"region must have an angle of at most pi/2, got {angle:.6g}")
    if not model.has_density:
        return Bounds(expert, gate, *true, gaussian=False)
    least = 0.0 if radius is None else max(0.0, 2 * true[0] - expert)
    return Bounds(expert, gate, *true, gaussian=True, angle=angle, least=least)


def inside(bounds, expert, gate):
    """Return whether whitened parameters in the plane, shape (k,) each, lie in the region."""
    norms = np.linalg.norm(expert), np.linalg.norm(gate)
    slack = 1 + _ROUNDING
    if norms[0] > bounds.expert * slack or norms[1] > bounds.gate * slack or norms[0] * slack < bounds.least:
        return False
    return bool(np.linalg.norm(expert[1:]) <= norms[0] * (math.sin(bounds.angle) + _ROUNDING))


def _default(model, true):
    if model.has_density:
        return math.hypot(1.0, true[0]), 1.5 + 1.5 * true[1], _cone(_ACROSS, true[0])
    # the swap of beta and w is a symmetry, so the region has it too
    size = 1.5 + 1.5 * max(true)
    return size, size, math.pi / 2


def _ball(radius, true):
    return true[0] + radius[0], true[1] + radius[1], _cone(radius[0], true[0])


def _cone(across, distance):
    """Angle under which a ball of radius `across` is seen from a `distance`."""
    return math.asin(across / distance) if across < distance else math.pi / 2


def _numbers(name, value, most):
    """Return bounds for beta and w, one for both or one each, and perhaps an angle, pi/2 by default."""
    given = numbers_array(name, value).ravel()
    if given.size > most:
        wanted = "one bound or two" + (", or two and an angle" if most == 3 else "")
        raise ValueError(f"{name} must be {wanted}, got {given.size} numbers")
    values = [positive_number(name, float(v), 1.0 / LARGEST_SNR, LARGEST_SNR) for v in given]
    pair = values[:2] if len(values) > 1 else values * 2
    return [*pair, *(values[2:] or [math.pi / 2])][:most]


def _covering(model, frame, starts, least):
    expert, gate, angle = least
    for start in starts:
        along, across_gate, left = frame.project(*model.split(start))
        if left > _ROUNDING * (1.0 + np.linalg.norm(start)):
            raise ValueError(
                "starts must lie in one plane with beta* and w* (whitened), where averages are accurate"
            )
        norm = float(np.linalg.norm(along))
        expert, gate = max(expert, norm), max(gate, float(np.linalg.norm(across_gate)))
        if norm > 0:
            sine = float(np.linalg.norm(along[1:])) / norm
            angle = max(angle, math.asin(min(sine, 1.0)))
    return expert, gate, angle
