"""L6: on a linear map Anderson's method with k differences is k steps of GMRES on I - M, then one map.

Predicted by scipy's GMRES on the matrix from the Hessians; observed by running the algorithm.
"""

from functools import partial
from typing import Any

import numpy as np
from scipy.sparse.linalg import gmres

from emmd.core.loop.acceleration import Secants
from emmd.core.loop.solve import make_algorithm
from emmd.theory.assumptions import regular_design, something_hidden, strict_minimum
from emmd.theory.claim import Claim, Kind, Sabotage, componentwise
from emmd.theory.numeric.derivatives.jacobian import AlgorithmMap
from emmd.theory.numeric.rates.linear_start import (
    loss_rises,
    moves,
    odd_part,
    response_error,
    slow_start,
    start_length,
    steps_off_the_gauge,
)

_STEP_MAX = 1e6
_STEPS = 3
_LOST = 1e-3


def several_modes(lab):
    """There is more than one eigenvalue: a single secant already leads to the optimum of one."""
    return (
        "" if len(lab.information.eigenvalues) > 1 else "there is one eigenvalue, and GMRES ends after a step"
    )


def measure(lab, behind=0, mapped=True):
    """Compare the points after one, two and three steps with M times the iterates of GMRES."""
    length = start_length(lab)
    for weight in (0.5, 1.0):
        c = slow_start(lab, weight)
        path = _predicted(lab, c)
        for k in range(1, len(path)):
            run = partial(_observed, lab, c, k, length, path[k][1])
            seen, error = lab.once(("anderson", weight, k), run)
            e = path[max(k - behind, 1)][0]
            predicted = lab.information.eigenvalues * e if mapped else e
            size = np.full(len(c), np.abs(c).max())
            yield from componentwise(predicted, seen, error, size, f"{k} steps", steps=k)


def _observed(lab, c, steps, length, magnified):
    algorithm: Any = make_algorithm("anderson", step_max=_STEP_MAX)

    em = AlgorithmMap(lab.problem, algorithm.base)

    def advance(theta):
        start, memory = theta, None
        for k in range(steps):
            step = algorithm.step(lab.problem, theta, memory)
            if step.failure is not None:
                return np.full_like(theta, np.nan)
            refused = k > 0 and np.array_equal(step.theta, em(theta))
            if refused and moves(lab, theta, step.theta, start):
                # a refused trial is a step of EM: the law is not about that
                return np.full_like(theta, np.nan)
            theta, memory = step.theta, step.memory
        return theta

    return odd_part(lab, advance, c, length, magnified)


def _predicted(lab, c):
    """Return pairs (error of GMRES' iterate, how far it magnifies errors), entry k for Anderson's k-th step.

    The list ends before the first step that a safeguard of the algorithm would change, or whose secants
    magnify rounding beyond all digits.
    """
    values = lab.information.eigenvalues
    to_scaled = lab.scale[:, None] * lab.information.vectors
    errors, path = [c], [(c, 1.0)]
    for k in range(1, min(_STEPS, len(c) - 1) + 1):
        e, magnified = c, 1.0
        if k > 1:
            secants = Secants.of([(to_scaled @ e, to_scaled @ (values * e)) for e in errors], 1.0)
            if (np.linalg.eigvals(secants.projected_jacobian()[1]).real >= 1.0).any():
                break
            e, magnified = _gmres(to_scaled, values, c, k - 1), _condition(secants)
            if magnified * response_error(lab) > _LOST * start_length(lab):
                break
        if loss_rises(lab, errors[-1], values * e):
            break
        errors.append(values * e)
        path.append((e, magnified))
    return path


def _gmres(to_scaled, values, c, steps):
    """Return the error c + z, z from GMRES for (I - M) z = -(I - M) c in scaled coordinates."""
    square = to_scaled.shape[0] == to_scaled.shape[1]
    back = np.linalg.inv(to_scaled) if square else np.linalg.pinv(to_scaled)
    matrix = (to_scaled * (1.0 - values)) @ back
    found = gmres(matrix, -matrix @ (to_scaled @ c), rtol=0.0, restart=steps, maxiter=1)[0]
    return c + back @ found


def _condition(secants):
    change = secants.images - secants.points
    singular = np.linalg.svd(change / np.linalg.norm(change, axis=0), compute_uv=False)
    shortest = np.linalg.norm(change, axis=0).min()
    return float((1.0 + 1.0 / shortest) * singular[0] / singular[-1])


CLAIM = Claim(
    id="L6-anderson-gmres",
    statement="Step k + 1 of Anderson's method is EM's map after k steps of GMRES on I - M.",
    latex=r"\theta_{k+1} - \theta^* = M e_k, \quad"
    r" e_k = \arg\min \{\|(I - M) e\| : e \in e_0 + K_k(I - M, (I - M) e_0)\}",
    source="Walker, Ni 2011",
    kind=Kind.RATE,
    measure=measure,
    sabotages=(
        Sabotage("GMRES one step behind", {"behind": 1}),
        Sabotage("GMRES' iterate without the map", {"mapped": False}),
    ),
    assumptions=(regular_design, strict_minimum, something_hidden, several_modes, steps_off_the_gauge),
    resolution=0.05,
)
