"""Where a path of a fixed-point map leads next: a start for inner iterations, which it shortens."""

import math

import numpy as np

from emmd.kernels.compile.jit import allocating, deciding
from emmd.kernels.maths.vectors import dot, larger, smaller

MEMORY = 7
"""How many displacements are remembered: those of six modes and one to know the modes by."""

_DEPENDENT = 1e-8
# Newton's method from where the path stands needs no second pass over the data when it moves less than this:
# see `emmd.kernels.solvers.newton_steps`, a few times the square of the move is then less than its target
_SHORT = 3e-8
# what is left may be extrapolated wrong; with less of it, further modes would follow the path's rounding
_FOLLOWED = 1e-9
_LONGEST = 2.0


@allocating
def extrapolate(weights, theta, displacements, out):
    """Write where a path leads; return whether it is worth while.

    Near its limit a fixed-point map is linear. A path that m of its eigenvalues dominate satisfies
    ``displacements[0] = sum_k a_k displacements[k]``, k = 1 to m, and goes on by
    ``sum_k a_k displacements[k - 1]``. The shares a are found by least squares, mode by mode as long as there
    is anything left to explain. A displacement of more than twice the last one is not believed: the path then
    goes on as it would with one mode, by the last one at most.

    Parameters
    ----------
    weights : ndarray of shape (p,)
        The change of a predictor per unit of each parameter.
    theta : ndarray of shape (p,)
        Where the path stands.
    displacements : ndarray of shape (m + 1, p)
        Of theta, the last one first.
    out : ndarray of shape (p,)

    Returns
    -------
    bool
        False, with `out` not written, where a path begins or ends, or moves so little that nothing is gained.
    """
    p, count = theta.shape[0], displacements.shape[0]
    if count < 2:
        return False
    moves, triangle, shares = np.empty((count, p)), np.empty((count, count)), np.empty(count)
    _weigh(weights, displacements[0], moves[0])
    longest = _LONGEST * math.sqrt(dot(moves[0], moves[0]))
    # by the negation NaN is where a path ends
    if not longest > _LONGEST * _SHORT:
        return False
    order = _explain(weights, displacements, moves, triangle, shares)
    if order == 0:
        return False
    single = smaller(larger(shares[0] / triangle[0, 0], 0.0), 1.0)
    for k in range(order - 1, -1, -1):
        for i in range(k + 1, order):
            shares[k] -= triangle[k, i] * shares[i]
        shares[k] /= triangle[k, k]
    following = moves[0]
    for j in range(p):
        following[j] = 0.0
        for k in range(order):
            following[j] += shares[k] * displacements[k, j]
    _weigh(weights, following, moves[1])
    believed = math.sqrt(dot(moves[1], moves[1])) <= longest
    for j in range(p):
        out[j] = theta[j] + (following[j] if believed else single * displacements[0, j])
    return True


@deciding
def _explain(weights, displacements, moves, triangle, shares):
    """Explain the first of the weighted displacements by the others; return how many of them it takes.

    Modified Gram-Schmidt: of `moves`, the first becomes what is left, the others an orthonormal basis; the
    shares belong to that basis, which the triangular factor makes up the displacements from.
    """
    rest = moves[0]
    most = smaller(displacements.shape[0] - 1, weights.shape[0])
    for k in range(most):
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
    return most


@deciding
def _weigh(weights, displacement, out):
    for j in range(weights.shape[0]):
        out[j] = weights[j] * displacement[j]


@deciding
def _subtract(share, x, y):
    for j in range(x.shape[0]):
        y[j] -= share * x[j]
