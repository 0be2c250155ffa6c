"""Newton's method that asks for what it needs: gradients always, Hessians only where they pay.

The method minimises a smooth convex function and evaluates nothing itself. `advance` takes an evaluation, the
first with a Hessian, and returns what is wanted next, at the point ``vectors[TRIAL]``: `DONE`, `GRADIENT` or
`HESSIAN` (gradient and Hessian). So one compiled loop serves small data, and the same
steps serve sums that come from several threads, processes or machines.

A Hessian costs as many passes over the data as its Gram matrix costs more than a gradient. A Cholesky factor
is therefore kept while it still contracts, corrected by the BFGS formula for what the gradients since tell
about the curvature: after a step of length s (in predictors) Newton's error is about s^2 / 4, a stale factor
contracts by the rate seen or better, and a Hessian at the next point is asked for when it saves more passes
than it costs. Nothing of this changes the answer: the method ends where the gradient is rounding. It does not
measure that once more when the contraction seen says so with two digits to spare: the last pass of every
solution would only confirm it.

Steps are accepted by slopes along the step, not by values: for a convex function a step whose end still
points downhill has decreased it, and slopes keep their digits next to the minimum, where values lose half.
"""

import math

import numpy as np

from emmd.kernels.compile.jit import allocating, deciding
from emmd.kernels.linear.gram import packed
from emmd.kernels.maths.cholesky import cholesky, cholesky_solve
from emmd.kernels.maths.vectors import dot, larger, smaller

DONE, GRADIENT, HESSIAN = 0, 1, 2

# how many steps since the last Hessian correct its factor
_MEMORY = 8

# rows of `vectors`; the last two are the first of _MEMORY rows each, scaled steps and changes of the gradient
POINT, SLOPES, STEP, TRIAL, _STEPS, _CHANGES = 0, 1, 2, 3, 4, 4 + _MEMORY

VECTORS = 4 + 2 * _MEMORY
"""Rows of `vectors` that belong to one function."""

# entries of `state`; the last is the first of _MEMORY shares of the pairs
RESIDUAL, CURVATURE, ITERATIONS, _ENTROPY, _COST, _CREST = range(6)
_DESCENT, _LENGTH, _RATE, _FRESH, _PHASE, _PAIRS = range(6, 12)
_SHARES = 12

_FIRST, _STEPPING, _REFRESHING, _RESTARTED = 0.0, 1.0, 2.0, 3.0

TARGET = 1e-14
"""The scaled gradient at which the method stops: measured before the last step, or foreseen after it."""

ACCEPTED = 1e-13
"""The scaled gradient above which the result counts as not solved."""

_MOST = 100
# a stale factor that contracts by less than this is given up
_STALE = 0.3
_SMALL = 1e-8
# the next contraction may be weaker than the last one by this
_WEAKER = 100.0
# a step is halved until the slope along it has shrunk to this share; 1/2 would be a bisection already
_SLOPE_LEFT = 0.5


@allocating
def workspace(r, d, cost, entropy, crest):
    """Return ``(states, vectors, factors)`` for r functions of d variables.

    Parameters
    ----------
    r, d : int
    cost : float
        Of a Hessian, in units of a gradient.
    entropy : float
        The largest of a label, log K for K classes: the loss at 0.
    crest : float
        The largest absolute value of a feature, in units of the feature's root mean square.

    Notes
    -----
    The vectors of function k begin with row ``k * VECTORS``, its Hessian and the Hessian's root with row
    ``2 d k`` of the factors. Starts are to be written to its row `TRIAL`. Where a start w is sure of its
    predictions, and wrong, the Hessian is nearly 0 and would send the first step anywhere; such a start is
    replaced by 0. Its slope along the ray from 0 says when:
    ``f(w) - f(0) = w' grad f(w) - (log K - E H(p(w)))``, where H is the entropy of the predictions. Above
    log K the slope says that w is worse than 0, and where all predictions are sure, H = 0, it is just then
    that w is worse.
    """
    states = np.zeros((r, np.int64(_SHARES + _MEMORY)))
    for k in range(r):
        states[k, _COST] = cost
        states[k, _ENTROPY] = entropy
        states[k, _CREST] = crest
    return states, np.zeros((r * VECTORS, d)), np.zeros((r * 2 * d, d))


@deciding
def advance(state, vectors, factor, sums, scale, with_hessian):
    """Take gradient and, if `with_hessian`, packed Hessian at ``vectors[TRIAL]``; return what is wanted.

    Parameters
    ----------
    state, vectors, factor
        Those of one function from `workspace`.
    sums : ndarray of shape (d + d (d + 1) / 2,) or (d,)
    scale : ndarray of shape (d,)
        Typical size of each gradient entry (the root mean square of each feature).
    with_hessian : bool
    """
    phase = state[_PHASE]
    # the negation lets NaN through
    if phase == _FIRST and not dot(sums[: scale.shape[0]], vectors[TRIAL]) <= state[_ENTROPY]:
        state[_PHASE] = _RESTARTED
        for j in range(vectors.shape[1]):
            vectors[TRIAL, j] = 0.0
        return HESSIAN
    state[ITERATIONS] += 1.0
    residual = _scaled_maximum(sums, scale)
    if phase == _STEPPING:
        if _too_long(state, vectors, sums, residual):
            return _shorter(state, vectors)
        if not residual < state[RESIDUAL] and state[RESIDUAL] <= ACCEPTED:
            return DONE
        state[_RATE] = residual / state[RESIDUAL]
        _remember(state, vectors, sums, scale)
    _arrive(state, vectors, sums, residual)
    state[_FRESH] = 1.0 if with_hessian else 0.0
    if with_hessian:
        state[CURVATURE] = _refactor(factor, sums, scale)
        state[_PAIRS] = 0.0
    return _continue(state, vectors, factor, scale)


@deciding
def advance_all(states, vectors, factors, sums, first, scale, wanted, points):
    """Let every function that waits for it take its evaluation; return whether anything is wanted now.

    Parameters
    ----------
    states, vectors, factors
        From `workspace`, of r functions.
    sums : ndarray of shape (r, first + d + d (d + 1) / 2) or (r, first + d)
        What was evaluated, from column `first` on, see `advance`; of others, anything.
    first : int
    scale : ndarray of shape (d,)
    wanted : ndarray of int, shape (r,)
        What the sums hold of each function; overwritten with what is wanted of each now.
    points : ndarray of shape (r, d)
        Overwritten with where that is.
    """
    d, anything = scale.shape[0], False
    for k in range(wanted.shape[0]):
        own, factor = vectors[k * VECTORS : (k + 1) * VECTORS], factors[2 * d * k : 2 * d * (k + 1)]
        if wanted[k] != DONE:
            with_hessian = wanted[k] == HESSIAN
            wanted[k] = advance(states[k], own, factor, sums[k, first:], scale, with_hessian)
        for j in range(d):
            points[k, j] = own[TRIAL, j]
        anything = anything or wanted[k] != DONE
    return anything


@deciding
def _scaled_maximum(gradient, scale):
    """Return the largest entry of a gradient in units of its scale."""
    largest = 0.0
    for j in range(scale.shape[0]):
        largest = larger(largest, abs(gradient[j]) / scale[j])
    return largest


@deciding
def _too_long(state, vectors, gradient, residual):
    if not residual < math.inf:
        return True
    slope = 0.0
    for j in range(vectors.shape[1]):
        slope += gradient[j] * vectors[STEP, j]
    # below the accepted residual slopes are rounding
    return slope > _SLOPE_LEFT * state[_DESCENT] and state[RESIDUAL] > ACCEPTED


@deciding
def _shorter(state, vectors):
    state[_LENGTH] *= 0.5
    if state[ITERATIONS] >= _MOST:
        return DONE
    for j in range(vectors.shape[1]):
        vectors[TRIAL, j] = vectors[POINT, j] + state[_LENGTH] * vectors[STEP, j]
    return GRADIENT


@deciding
def _remember(state, vectors, gradient, scale):
    """Keep the accepted step and the change of the gradient along it, in scaled coordinates."""
    pairs = int(state[_PAIRS])
    if pairs == _MEMORY:
        for k in range(pairs - 1):
            for j in range(vectors.shape[1]):
                vectors[_STEPS + k, j] = vectors[_STEPS + k + 1, j]
                vectors[_CHANGES + k, j] = vectors[_CHANGES + k + 1, j]
        pairs -= 1
    step, change = vectors[_STEPS + pairs], vectors[_CHANGES + pairs]
    for j in range(scale.shape[0]):
        step[j] = state[_LENGTH] * vectors[STEP, j] * scale[j]
        change[j] = (gradient[j] - vectors[SLOPES, j]) / scale[j]
    # a function of positive curvature: anything else is rounding
    if dot(step, change) > _SMALL * math.sqrt(dot(step, step) * dot(change, change)):
        pairs += 1
    state[_PAIRS] = pairs


@deciding
def _solve_corrected(state, vectors, factor, x):
    """Replace x by the product of the BFGS inverse Hessian with x: Nocedal's two loops around the factor."""
    pairs = int(state[_PAIRS])
    shares = state[_SHARES:]
    for k in range(pairs - 1, -1, -1):
        step, change = vectors[_STEPS + k], vectors[_CHANGES + k]
        shares[k] = dot(step, x) / dot(step, change)
        for j in range(x.shape[0]):
            x[j] -= shares[k] * change[j]
    cholesky_solve(factor[x.shape[0] :], x)
    for k in range(pairs):
        step, change = vectors[_STEPS + k], vectors[_CHANGES + k]
        share = shares[k] - dot(change, x) / dot(step, change)
        for j in range(x.shape[0]):
            x[j] += share * step[j]


@deciding
def _arrive(state, vectors, gradient, residual):
    state[RESIDUAL] = residual
    for j in range(vectors.shape[1]):
        vectors[POINT, j] = vectors[TRIAL, j]
        vectors[SLOPES, j] = gradient[j]


@deciding
def _refactor(factor, sums, scale):
    d = scale.shape[0]
    hessian = factor[:d]
    for j in range(d):
        for k in range(j, d):
            hessian[k, j] = sums[d + packed(d, j, k)] / (scale[j] * scale[k])
    return cholesky(hessian, factor[d:])


@deciding
def _continue(state, vectors, factor, scale):
    """Stop, ask for a Hessian where a stale factor no longer contracts, or step."""
    if state[ITERATIONS] >= _MOST or not state[RESIDUAL] < math.inf:
        return DONE
    solved = state[RESIDUAL] <= TARGET
    stale = state[_FRESH] == 0.0
    # a small curvature tells of a minimiser at infinity: it must be that of the point returned
    doubtful = state[CURVATURE] < _SMALL if solved else state[_RATE] > _STALE or state[_LENGTH] < 1.0
    if stale and doubtful:
        state[_PHASE] = _REFRESHING
        return HESSIAN
    _step(state, vectors, factor, scale)
    left, rate = _foreseen(state), _contraction(state)
    return _settle(state, vectors, left, rate, rate * state[RESIDUAL])


@deciding
def _settle(state, vectors, left, rate, expected):
    """Stop at the end of the step where no more is `left` than may be; else ask for an evaluation there."""
    if state[RESIDUAL] > TARGET and not left <= TARGET:
        return _wanted(state, rate, expected)
    # the last gradient still points to the minimum, and its step is free: without it a warm start that is
    # solved already would never move, however flat the function
    if state[CURVATURE] >= _SMALL:
        state[RESIDUAL] = smaller(left, state[RESIDUAL])
        for j in range(vectors.shape[1]):
            vectors[POINT, j] = vectors[TRIAL, j]
    return DONE


@deciding
def _foreseen(state):
    """Return what the scaled gradient will be at most after the step, as far as the last ones tell.

    After a Hessian H it is known. The third derivative of a softplus is at most its second, so that what a
    step s leaves of a gradient entry is at most ``E[softplus''(b) (x's)^2 |x_j|] / 2``, or ``s'Hs / 2`` times
    the largest x_j; for a softmax a third cumulant takes the place of the third derivative. It is so up to a
    share of x's / 3. Where the bound decides, x's is small: s'Hs is nearly nothing, and no curvature is.
    """
    if not state[CURVATURE] >= _SMALL:
        return math.inf
    if state[_FRESH] == 0.0:
        return _WEAKER * state[_RATE] * state[RESIDUAL]
    return 0.5 * state[_CREST] * (state[_DESCENT] if state[_DESCENT] > 0.0 else 0.0)


@deciding
def _step(state, vectors, factor, scale):
    d = vectors.shape[1]
    for j in range(d):
        vectors[STEP, j] = -vectors[SLOPES, j] / scale[j]
    _solve_corrected(state, vectors, factor, vectors[STEP])
    descent = 0.0
    for j in range(d):
        vectors[STEP, j] /= scale[j]
        vectors[TRIAL, j] = vectors[POINT, j] + vectors[STEP, j]
        descent -= vectors[STEP, j] * vectors[SLOPES, j]
    state[_DESCENT] = descent
    state[_LENGTH] = 1.0
    state[_PHASE] = _STEPPING


@deciding
def _length(state):
    """Return the root mean square change of the predictors by the step, at least."""
    # the decrement is at most a quarter of the mean square
    return 2.0 * math.sqrt(state[_DESCENT] if state[_DESCENT] > 0.0 else 0.0)


@deciding
def _contraction(state):
    """Return what share of the scaled gradient the step is expected to leave."""
    return 0.25 * _length(state) if state[_FRESH] == 1.0 else state[_RATE]


@deciding
def _wanted(state, rate, expected):
    """Return HESSIAN when the passes it will save at the next point are more than it costs.

    Parameters
    ----------
    rate : float
        What share of the gradient a step by the old Hessian leaves there.
    expected : float
        The scaled gradient there.
    """
    if expected <= TARGET:
        return GRADIENT
    fresh = 0.25 * _length(state) * expected / state[RESIDUAL]
    saved = _passes(rate, expected) - _passes(fresh, expected)
    return HESSIAN if saved > state[_COST] else GRADIENT


@deciding
def _passes(rate, residual):
    """Return the number of contractions by `rate` from `residual` to where the last one is foreseen."""
    rate = smaller(larger(rate, 1e-16), 0.9)
    return math.ceil(math.log(TARGET / _WEAKER / residual) / math.log(rate))
