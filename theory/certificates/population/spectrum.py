"""The rate of population EM at the true parameter, enclosed by balls."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from emmd.core.checks import known_name, number_between, positive_integer, require_finite
from emmd.theory.certificates.balls import (
    NotProved,
    above,
    ball,
    below,
    congruent,
    exact_matrix,
    precision,
    require_balls,
    root,
)
from emmd.theory.certificates.parts.guesses import natural_frame
from emmd.theory.certificates.parts.rate import prove_rate, rayleigh
from emmd.theory.certificates.population import linear, logistic

_MODELS = {"symmoline": linear.information, "symmologe": logistic.information}

LARGEST_SNR = 100.0
"""Beyond it the rules would need more nodes than anyone waits for."""

_NATS = 44.0
"""Accuracy of the integrals: e^-44 = 8e-20, which is 1e-14 of the complete information at SNR 100."""


@dataclass(frozen=True)
class PopulationCertificate:
    """An enclosure of lambda_max(M(theta*)) for x ~ N(0, I_d).

    Attributes
    ----------
    model : str
    snr_expert, snr_gate, cosine : float
        The point, exactly.
    d : int or None
        None for every d of at least 3: the spectrum is then the same up to multiplicity.
    rate : tuple of float
        Lower and upper end.
    """

    model: str
    snr_expert: float
    snr_gate: float
    cosine: float
    d: int | None
    rate: tuple


def certify_population(
    model: str, snr_expert: float, snr_gate: float, cosine: float, d: int | None = None
) -> PopulationCertificate:
    """Enclose the rate of population EM in ball arithmetic.

    Parameters
    ----------
    model : str
        ``"symmoline"`` or ``"symmologe"``.
    snr_expert, snr_gate : float
        In [0, 100].
    cosine : float
        In [-1, 1].
    d : int, optional
        Number of features; every d of at least 3 by default.

    Returns
    -------
    PopulationCertificate

    Raises
    ------
    ValueError, TypeError
        For bad input, and without python-flint.

    Notes
    -----
    The rules, their strips, their tails and every constant are derived in `trapezoid`, `logistic` and
    `linear` of `emmd.theory.certificates.population`.
    """
    require_balls()
    known_name("model", model, _MODELS)
    point = (
        number_between("snr_expert", snr_expert, 0.0, LARGEST_SNR),
        number_between("snr_gate", snr_gate, 0.0, LARGEST_SNR),
        number_between("cosine", cosine, -1.0, 1.0),
    )
    span = 1 if abs(point[2]) == 1.0 or min(point[:2]) == 0.0 else 2
    d = None if d is None else positive_integer("d", d)
    if d is not None and d < span:
        raise ValueError(f"d must be at least {span} with cosine={cosine}, got {d}")
    with precision():
        parts = blocks(model, *point[:2], direction_of(point[2]), d, _NATS)
        ends = [enclose(*each) for each in parts]
    lower, upper = (max(end[k] for end in ends) for k in (0, 1))
    require_finite("snr_expert, snr_gate and cosine", "rate's enclosure", lower, upper)
    return PopulationCertificate(model, *point, d, (lower, upper))


def blocks(
    model: str, snr_expert: float, snr_gate: float, direction: tuple, d: int | None, nats: float
) -> list:
    """Return the pairs (I_com, I_mis) that decide lambda_max in d dimensions.

    The direction is that of the gate from the expert: balls of its cosine and sine.
    """
    # without a signal on one side the angle means nothing, and the plane is a line
    c, s = direction if min(snr_expert, snr_gate) > 0.0 else direction_of(1.0)
    plane, across = _MODELS[model](snr_expert, snr_gate, c, s, nats)
    line = s.is_zero()
    span = 1 if line else 2
    parts: list[Any] = [tuple(_every_second(each) for each in plane) if line else plane]
    return parts + [across] * (d is None or d > span)


def direction_of(cosine: float) -> tuple:
    """Return the balls of an exact cosine and its sine."""
    c = ball(cosine)
    return c, root((1 - c) * (1 + c))


def _every_second(square):
    rows = square.tolist()
    return type(square)([row[::2] for row in rows[::2]])


def middles(square: Any) -> np.ndarray:
    """Return the midpoints of a matrix of balls as floats."""
    return np.array([[float(each.mid()) for each in row] for row in square.tolist()])


def enclose(complete: Any, missing: Any) -> tuple[float, float]:
    """Return floats around lambda_max(complete^-1 missing); it is at most 1, for I_com - I_mis >= 0."""
    frame, _ = natural_frame(middles(complete), middles(missing))
    P = exact_matrix(frame)
    complete, missing = congruent(complete, P), congruent(missing, P)
    quotient = rayleigh(complete, missing)
    lower, width = math.nextafter(below(quotient), -math.inf), 2.0**-50
    while width < 1.0:
        upper = above(quotient) + width
        if upper >= 1.0:
            return lower, 1.0
        try:
            prove_rate(complete, missing, lower, upper)
        except NotProved:
            width *= 2.0
            continue
        return lower, upper
    return lower, 1.0
