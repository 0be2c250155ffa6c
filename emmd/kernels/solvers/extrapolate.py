"""Where a path of EM leads next: the start of the inner iterations, which it shortens and does not change."""

import math

import numpy as np

from emmd.kernels.compile.jit import allocating, deciding
from emmd.kernels.maths.dot import dot

MEMORY = 7
"""How many displacements are remembered: those of six modes and one to tell the modes by."""

_DEPENDENT = 1e-8
NO_PATH = np.empty((0, 0))
"""The displacements of a path that begins."""

# Newton's method from where the path stands needs no second look at the data when it moves less than this:
# see `emmd.kernels.solvers.newton`, a few times the square of the move is then less than its target
_SHORT = 3e-8
# what is left may be foretold wrong; with less of it, further modes would follow the path's rounding
_FOLLOWED = 1e-9
_LONGEST = 2.0


@deciding
def remember(displacement, past, displacements):
    """Write `displacement`, shape (p,), and what goes before it, as much of it as there is room for.

    Parameters
    ----------
    past, displacements : ndarray of shape (m, p)
        The last ones first.
    """
    for j in range(displacements.shape[1]):
        displacements[0, j] = displacement[j]
    for k in range(1, displacements.shape[0]):
        for j in range(displacements.shape[1]):
            displacements[k, j] = past[k - 1, j]


@allocating
def foretell(unit, scale, working, displacements, out):
    """Write where a path leads, in working units; return whether it is worth while.

    Near its limit a fixed-point map is linear. A path that m of its eigenvalues dominate satisfies
    ``displacements[0] = sum_k a_k displacements[k]``, k = 1 to m, and goes on by
    ``sum_k a_k displacements[k - 1]``. The shares a are found by least squares, mode by mode as long as there
    is anything left to explain. A displacement of more than twice the last one is not believed: the path then
    goes on as it would with one mode, by the last one at most.

    Parameters
    ----------
    unit : ndarray of shape (p,)
        Working units per unit of theta.
    scale : ndarray of shape (d,)
        Root mean squares of the features; d divides p.
    working : ndarray of shape (p,)
        Where the path stands, in working units.
    displacements : ndarray of shape (m + 1, p)
        Of theta, the last one first.
    out : ndarray of shape (p,)

    Returns
    -------
    bool
        False, with `out` not written, where a path begins or ends, or moves so little that nothing is gained.
    """
    p = working.shape[0]
    if displacements.shape[0] < 2:
        return False
    weights, moves = np.empty(p), np.empty((displacements.shape[0], p))
    j = 0
    while j < p:
        for i in range(scale.shape[0]):
            weights[j] = unit[j] * scale[i]
            j += 1
    _weigh(weights, displacements[0], moves[0])
    length = 0.0
    for j in range(p):
        length += abs(moves[0, j])
    # by the negation NaN is where a path ends
    if not length > _SHORT:
        return False
    longest = _LONGEST * math.sqrt(dot(moves[0], moves[0]))
    triangle = np.empty((displacements.shape[0], displacements.shape[0]))
    shares = np.empty(displacements.shape[0])
    order = _explain(weights, displacements, moves, triangle, shares)
    if order == 0:
        return False
    single = min(max(shares[0] / triangle[0, 0], 0.0), 1.0)
    for k in range(order - 1, -1, -1):
        for i in range(k + 1, order):
            shares[k] -= triangle[k, i] * shares[i]
        shares[k] /= triangle[k, k]
    following = moves[0]
    for j in range(p):
        following[j] = 0.0
    for k in range(order):
        _subtract(-shares[k], displacements[k], following)
    size = 0.0
    for j in range(p):
        size += (weights[j] * following[j]) ** 2
    believed = math.sqrt(size) <= longest
    for j in range(p):
        out[j] = working[j] + unit[j] * (following[j] if believed else single * displacements[0, j])
    return True


@allocating
def begin(unit, scale, theta, displacements, working, start):
    """Write theta in working units and where its M-step begins; return whether that is somewhere else.

    Parameters
    ----------
    unit, scale, displacements
        See `foretell`.
    theta, working, start : ndarray of shape (p,)
    """
    for j in range(theta.shape[0]):
        working[j] = unit[j] * theta[j]
    if foretell(unit, scale, working, displacements, start):
        return True
    for j in range(theta.shape[0]):
        start[j] = working[j]
    return False


@deciding
def _explain(weights, displacements, moves, triangle, shares):
    """Explain the first of the weighted displacements by the others; return how many of them it takes.

    Modified Gram-Schmidt: of `moves`, the first becomes what is left, the others an orthonormal basis; the
    shares belong to that basis, which the triangular factor makes up the displacements from.
    """
    rest = moves[0]
    for k in range(min(displacements.shape[0] - 1, weights.shape[0])):
        move = moves[k + 1]
        _weigh(weights, displacements[k + 1], move)
        whole = math.sqrt(dot(move, move))
        for i in range(k):
            triangle[i, k] = dot(moves[i + 1], move)
            _subtract(triangle[i, k], moves[i + 1], move)
        pivot = math.sqrt(dot(move, move))
        if not pivot > _DEPENDENT * whole:
            return k
        triangle[k, k] = pivot
        for j in range(move.shape[0]):
            move[j] /= pivot
        shares[k] = dot(move, rest)
        _subtract(shares[k], move, rest)
        if dot(rest, rest) <= _FOLLOWED * _FOLLOWED:
            return k + 1
    return min(displacements.shape[0] - 1, weights.shape[0])


@deciding
def _weigh(weights, displacement, out):
    for j in range(weights.shape[0]):
        out[j] = weights[j] * displacement[j]


@deciding
def _subtract(share, x, y):
    for j in range(x.shape[0]):
        y[j] -= share * x[j]
