"""Kernels of K generalised linear experts with a softmax or a constant gate: a whole EM map in one call.

The first pass makes the E-step at theta and, at the start of the M-step, what Newton's method needs of all
experts and of the gate. The passes after it make Newton's method of all experts at once, with Hessians only
where these pay (see `emmd.kernels.solvers.newton_steps`); the gate's follow.
"""

import math
from functools import cache

import numpy as np

from emmd.kernels.compile.jit import allocating, deciding, in_shares, inlined, kernel, named_after, scalar
from emmd.kernels.em.mixture_image import EMPTY, write_gate
from emmd.kernels.linear.gram import block_gram
from emmd.kernels.linear.predictors import block_moment_all, block_predict_all
from emmd.kernels.maths.softmax import WORK_ROWS, block_log_softmax, block_logits
from emmd.kernels.maths.vectors import larger
from emmd.kernels.rows.blocks import BLOCK, PER_CHUNK, block_rows, end_block, rows_of_block
from emmd.kernels.rows.prefetch import fetched, following, with_rows
from emmd.kernels.rows.reduce import add_up, in_turn
from emmd.kernels.solvers import newton_steps
from emmd.kernels.solvers.logistic import shared_solve_logistics, solve_logistics
from emmd.kernels.solvers.multinomial import (
    assemble_hessian,
    block_gate_sums,
    gate_slopes,
    shared_solve_softmax,
    softmax_cost,
    solve_softmax,
)

MASS, SQUARES, CURVATURE = range(3)
"""Sums of each expert beside loss, gradient and Hessian: mass, squares of t, curvatures in the predictors."""

SCALARS = 3
HEAD = 1
"""Sums before those of the experts: the negative log-likelihood."""


@scalar
def _hessian_width(m, d):
    """Return how many sums make up the Hessian's blocks of m linear predictors."""
    return m * (m + 1) // 2 * (d * (d + 1) // 2)


@scalar
def _sums_width(K, m, d, d_gate):
    """Return how many sums come before those of the gate, and how many there are."""
    before = HEAD + K * (SCALARS + 1 + m * d + _hessian_width(m, d))
    return before, before + (K - 1) * d_gate + (K - 1) * K // 2 * (d_gate * (d_gate + 1) // 2)


@inlined
def _log_joint(log_p, precision, constant, m, joint):
    """Turn losses into log joint densities, but for the rows' base."""
    for i in range(m):
        joint[i] = log_p[i] + constant - precision * joint[i]


@inlined
def _loss(c, base, evidence, m):
    total = 0.0
    for i in range(m):
        total -= c[i] * (evidence[i] + base[i])
    return total


@inlined
def _weigh(c, t, posterior, p, m, r, weight, slope, sums):
    """Write responsibilities, ``c r`` and ``c (p - r)``; add mass and weighted squares of t."""
    mass = squares = 0.0
    for i in range(m):
        share = c[i] * posterior[i]
        r[i] = posterior[i]
        weight[i] = share
        slope[i] = c[i] * (p[i] - posterior[i])
        mass += share
        squares += share * t[i] * t[i]
    sums[MASS] += mass
    sums[SQUARES] += squares


@inlined
def _weights(c, r, m, weight):
    for i in range(m):
        weight[i] = c[i] * r[i]


def _expert_kernel(loss):
    """Return the kernel that adds ``[loss, gradient, Hessian's blocks]`` of one expert and one block."""
    slopes, curvature = loss.slopes, loss.curvature

    @kernel
    @named_after(loss.slopes)
    def add_expert(X, t, u, weight, m, work, sums, with_hessian, upcoming):
        d, n_linear = X.shape[0], u.shape[0]
        D, width = n_linear * d, d * (d + 1) // 2
        out, scratch = work[:n_linear], work[n_linear:]
        sums[0] += slopes(t, u, weight, m, scratch, out)
        block_moment_all(X, out, m, sums[1 : 1 + D])
        spread, place = 0.0, 1 + D
        if with_hessian:
            for j in range(n_linear):
                for k in range(j, n_linear):
                    added = curvature(u, weight, j, k, m, scratch[0])
                    spread += added if j == k else 0.0
                    block_gram(X, scratch[0], m, sums[place : place + width], upcoming)
                    place += width
        return spread

    return add_expert


def _e_step_kernel(loss, add_expert):
    values = loss.values

    @kernel
    @named_after(loss.slopes)
    def add_blocks(first, last, partials, XB, GB, rows, experts, gate, apart, r, work):
        t, base, c = rows
        coef, begin, precision, constant = experts
        W, offset, start = gate
        K, d, d_gate = len(precision), XB.shape[1], GB.shape[1]
        n, n_linear = t.shape[0], coef.shape[0] // K
        own_width = SCALARS + 1 + n_linear * d + _hessian_width(n_linear, d)
        rows_fetched, gate_rows = with_rows(fetched(XB), True), with_rows(fetched(GB), True)
        grams = (fetched(XB) - rows_fetched) // K
        u, joint, posterior = work[: K * n_linear], work[K * n_linear :][:K], work[K * n_linear + K :][:K]
        rest = work[K * n_linear + 2 * K :]
        log_p, p, slopes, own_work = rest[:K], rest[K : 2 * K], rest[2 * K : 3 * K], rest[3 * K :]
        weight, scratch = own_work[0], own_work[1:]
        for block in range(first * PER_CHUNK, end_block(last, XB)):
            sums = partials[block // PER_CHUNK]
            lo, after = block * BLOCK, following(block, XB)
            m = rows_of_block(lo, n)
            weights = c[lo:]
            block_logits(GB[block], W, offset, m, log_p)
            block_log_softmax(log_p, p, m, scratch, GB[after, :gate_rows])
            block_predict_all(XB[block], coef, m, u)
            for k in range(K):
                values(t[lo:], u[k * n_linear : (k + 1) * n_linear], m, scratch, joint[k])
                _log_joint(log_p[k], precision[k], constant[k], m, joint[k])
            block_log_softmax(joint, posterior, m, scratch, XB[after, :rows_fetched])
            sums[0] += _loss(weights, base[lo:], scratch[0], m)
            if apart:
                block_predict_all(XB[block], begin, m, u)
            for k in range(K):
                own = sums[HEAD + k * own_width : HEAD + (k + 1) * own_width]
                _weigh(weights, t[lo:], posterior[k], p[k], m, r[k, lo:], weight, slopes[k], own)
                first_fetched = rows_fetched + grams * k
                meanwhile = XB[after, first_fetched : first_fetched + grams]
                of_expert = u[k * n_linear : (k + 1) * n_linear]
                own[CURVATURE] += add_expert(
                    XB[block], t[lo:], of_expert, weight, m, scratch, own[SCALARS:], True, meanwhile
                )
            if apart:
                block_logits(GB[block], start, offset, m, log_p)
                block_log_softmax(log_p, p, m, scratch, GB[after, :0])
                for k in range(K - 1):
                    gate_slopes(weights, p[k], r[k, lo:], m, slopes[k])
            of_gate = HEAD + K * own_width
            middle = of_gate + (K - 1) * d_gate
            gradient, blocks = sums[of_gate:middle], sums[middle:]
            meanwhile = GB[after, gate_rows : fetched(GB)]
            block_gate_sums(GB[block], p, slopes, weights, m, gradient, blocks, scratch[0], meanwhile)

    @allocating
    @named_after(loss.slopes)
    def e_step_rows(
        first,
        last,
        partials,
        XB,
        GB,
        t,
        base,
        c,
        coef,
        begin,
        precision,
        constant,
        W,
        offset,
        start,
        apart,
        r,
    ):
        K, n_linear = r.shape[0], coef.shape[0] // r.shape[0]
        rows, experts, gate = (t, base, c), (coef, begin, precision, constant), (W, offset, start)
        work = block_rows(K * n_linear + 5 * K + 1 + n_linear + WORK_ROWS)
        add_blocks(first, last, partials, XB, GB, rows, experts, gate, apart, r, work)

    return e_step_rows


def _newton_kernel(loss, add_expert):
    @kernel
    @named_after(loss.slopes)
    def add_blocks(first, last, partials, XB, t, c, r, points, wanted, work):
        K, n = len(wanted), t.shape[0]
        n_linear, width = points.shape[0] // K, partials.shape[1] // K
        u, weight, scratch = work[:n_linear], work[n_linear], work[n_linear + 1 :]
        for block in range(first * PER_CHUNK, end_block(last, XB)):
            lo = block * BLOCK
            m = rows_of_block(lo, n)
            upcoming = XB[following(block, XB), : fetched(XB)]
            for k in range(K):
                if wanted[k] == newton_steps.DONE:
                    continue
                own = partials[block // PER_CHUNK, k * width : (k + 1) * width]
                block_predict_all(XB[block], points[k * n_linear : (k + 1) * n_linear], m, u)
                _weights(c[lo:], r[k, lo:], m, weight)
                add_expert(
                    XB[block], t[lo:], u, weight, m, scratch, own, wanted[k] == newton_steps.HESSIAN, upcoming
                )
                # the features come once
                upcoming = upcoming[:0]

    @allocating
    @named_after(loss.slopes)
    def newton_rows(first, last, partials, XB, t, c, r, points, wanted):
        n_linear = points.shape[0] // wanted.shape[0]
        work = block_rows(2 * n_linear + 1 + WORK_ROWS)
        add_blocks(first, last, partials, XB, t, c, r, points, wanted, work)

    return newton_rows


@allocating
def _assembled(sums, mass, n_linear, d, with_hessian, out):
    """Write ``[loss, gradient, packed Hessian]`` per unit of mass."""
    D = n_linear * d
    out[0] = sums[0] / mass
    if with_hessian and n_linear > 1:
        whole = assemble_hessian(sums[1:], n_linear, d)
        for j in range(whole.shape[0]):
            out[1 + j] = whole[j] / mass
    else:
        for j in range(D + D * (D + 1) // 2 if with_hessian else D):
            out[1 + j] = sums[1 + j] / mass


@deciding
def _hessian_wanted(wanted):
    found = False
    for k in range(wanted.shape[0]):
        found = found or wanted[k] == newton_steps.HESSIAN
    return found


@allocating
def _begun(sums, begin, known, scales, found):
    """Return the `newton_steps.workspace` of the experts, with what the first pass says at their starts."""
    entropy, crest, grows = known
    K, D = scales.shape
    n_linear = begin.shape[0] // K
    d = D // n_linear
    own_width = SCALARS + 1 + D + _hessian_width(n_linear, d)
    states, vectors, factors = newton_steps.workspace(K, D, softmax_cost(n_linear, d), entropy, crest)
    for k in range(K):
        own = sums[HEAD + k * own_width : HEAD + (k + 1) * own_width]
        # an empty expert is told by its mass; nothing is divided by it
        mass = own[MASS] if own[MASS] > 0.0 else 1.0
        size = larger(1.0, math.sqrt(grows * own[SQUARES] / mass))
        states[k, newton_steps.CREST] = crest / size
        states[k, newton_steps.STEEPNESS] = own[CURVATURE] / (mass * n_linear)
        for j in range(D):
            scales[k, j] *= size
            vectors[k * newton_steps.VECTORS + newton_steps.TRIAL, j] = begin[k * n_linear + j // d, j % d]
        _assembled(own[SCALARS:], mass, n_linear, d, True, found[k])
    return states, vectors, factors


@deciding
def _lightest(sums, K, own_width):
    least = math.inf
    for k in range(K):
        mass = sums[HEAD + k * own_width + MASS]
        least = mass if mass < least else least
    return least


def _solver(newton_rows):
    @allocating
    @named_after(newton_rows)
    def solve_experts(edges, XB, t, c, r, sums, begin, scale, known, image, losses):
        """Fit all experts; write coefficients and mean losses; return the largest residual and curvature."""
        K, d = r.shape[0], XB.shape[1]
        n_linear = begin.shape[0] // K
        D, blocks = n_linear * d, _hessian_width(n_linear, d)
        own_width = SCALARS + 1 + D + blocks
        found, scales = np.zeros((K, 1 + D + D * (D + 1) // 2)), np.empty((K, D))
        for k in range(K):
            for j in range(D):
                scales[k, j] = scale[j % d]
        states, vectors, factors = _begun(sums, begin, known, scales, found)
        wanted, points = np.full(K, newton_steps.HESSIAN), np.empty((K, D))
        while newton_steps.advance_each(states, vectors, factors, found, np.int64(1), scales, wanted, points):
            with_hessian = _hessian_wanted(wanted)
            width = 1 + D + (blocks if with_hessian else 0)
            partials = np.zeros((edges[-1], K * width))
            newton_rows(edges, partials, XB, t, c, r, points.reshape(K * n_linear, d), wanted)
            add_up(partials)
            fresh = partials[0]
            for k in range(K):
                if wanted[k] != newton_steps.DONE:
                    mass, hessian = sums[HEAD + k * own_width + MASS], wanted[k] == newton_steps.HESSIAN
                    _assembled(fresh[k * width :], mass, n_linear, d, hessian, found[k])
        residual, curvature = 0.0, math.inf
        for k in range(K):
            own = vectors[k * newton_steps.VECTORS : (k + 1) * newton_steps.VECTORS]
            losses[k] = found[k, 0]
            for j in range(D):
                image[k * D + j] = own[newton_steps.POINT, j]
                # half of the slope along Newton's last step, which is not evaluated
                losses[k] += 0.5 * found[k, 1 + j] * (own[newton_steps.POINT, j] - points[k, j])
            residual = larger(residual, states[k, newton_steps.RESIDUAL])
            curvature = min(curvature, states[k, newton_steps.CURVATURE])
        return residual, curvature

    return solve_experts


@deciding
def _write_odds(sums, K, own_width, out):
    last = sums[HEAD + (K - 1) * own_width + MASS]
    for k in range(K - 1):
        out[k] = math.log(sums[HEAD + k * own_width + MASS] / last)


def _em_step_of(loss, e_step, solve_experts, solve_gate):
    @allocating
    @named_after(loss.slopes, e_step, solve_gate)
    def em_step(edges, XB, GB, rows, moments, known, experts, gate, apart, r, image, losses):
        scale, gate_scale, gate_crest = moments
        t, base, c = rows
        begin = experts[1]
        W, offset, begin_gate = gate
        K, d, d_gate = r.shape[0], XB.shape[1], GB.shape[1]
        n_linear = begin.shape[0] // K
        own_width = SCALARS + 1 + n_linear * d + _hessian_width(n_linear, d)
        before, width = _sums_width(K, n_linear, d, d_gate)
        partials = np.zeros((edges[-1], width))
        e_step(edges, partials, XB, GB, t, base, c, *experts, W, offset, begin_gate, apart, r)
        add_up(partials)
        sums = partials[0]
        # the negation lets NaN through
        if not _lightest(sums, K, own_width) >= EMPTY:
            return sums, math.inf, 0.0, 1.0
        residual, curvature = solve_experts(edges, XB, t, c, r, sums, begin, scale, known, image, losses)
        after = image.shape[0] - (K - 1) * max(d_gate, 1)
        if d_gate == 0:
            _write_odds(sums, K, own_width, image[after:])
            return sums, residual, min(curvature, 1.0), 1.0
        at_first = assemble_hessian(sums[before:], K - 1, d_gate)
        states, vectors = solve_gate(
            edges, GB, r[: K - 1], c, gate_scale, gate_crest, begin_gate.reshape(-1), at_first
        )
        residual, curvature, iterations = write_gate(states[0], vectors, residual, curvature, image[after:])
        return sums, residual, curvature, iterations

    return em_step


@cache
def em_step_of(loss, two, alone):
    """Return the kernel of the EM map of a family's mixtures.

    Parameters
    ----------
    loss : RowLoss
    two : bool
        Whether there are two experts.
    alone : bool
        Whether one thread does all rows.

    Returns
    -------
    kernel
        ``(edges, XB, GB, (t, base, c), moments, known, (coef, begin, precision, constant), (W, offset,
        start), apart, r, image, losses) -> sums, residual, curvature, iterations``: the E-step is taken at
        `coef` of shape (K n_linear, d) and W, the M-steps begin at `begin` and `start`, which are others
        where `apart` is set. Moments are the scale of the experts' features, scale and crest factor of
        the gate's. Known are `RowLoss.entropy`, the crest factor of the experts' features, and 1 where the
        terms of the score grow with t, else 0. Responsibilities are written to r, coefficients and gate to
        the ends of `image`, and the experts' mean losses to `losses`. The residual is infinite where an
        expert is empty.
    """
    add_expert = _expert_kernel(loss)
    e_step, newton = _e_step_kernel(loss, add_expert), _newton_kernel(loss, add_expert)
    run = in_turn if alone else in_shares
    if two:
        gate = solve_logistics if alone else shared_solve_logistics
    else:
        gate = solve_softmax if alone else shared_solve_softmax
    e_step, newton = run(e_step), run(newton)
    return _em_step_of(loss, e_step, _solver(newton), gate)
