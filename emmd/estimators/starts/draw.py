"""Several starts for a mixture of experts.

A start is a set of responsibilities that depend on each row's values alone, so
that a row of weight 2 starts like the same row twice, and the order of the rows
does not matter; the M-step turns them into parameters.
"""

import warnings
from functools import cache

import numpy as np
from scipy.special import ndtri
from threadpoolctl import ThreadpoolController

from emmd.core.checks import positive_integer
from emmd.core.loop.solve import minimize
from emmd.core.problem import Problem
from emmd.core.status import Status
from emmd.estimators.starts.run import Start
from emmd.models.mixture.model import MixtureOfExperts

KINDS = ("kmeans", "responsibilities", "parameters")
"""The kinds of starts, taken in turn."""

_SHARE = 0.9
_FEW_AT_LEAST, _FEW_AT_MOST = 1e-5, 1e-2
_LEAST_SHARE, _TRIES = 0.25, 8
_ROUGH, _ROUNDS = 1e-3, 100
_CONSTANT = 1e-9
_DEPENDENT = 1e-10
"""Shares of a column's largest entry and of the features' largest variance that count as nothing."""


def draw_starts(problem, n_starts, seed):
    """Draw starts of all kinds in turn.

    Parameters
    ----------
    problem : Problem
        Of a `MixtureOfExperts`; features of about unit size.
    n_starts : int
    seed : int
        Start i depends on ``(seed, i)`` only: more starts leave the first ones as they were.

    Returns
    -------
    list of Start
    """
    n_starts = positive_integer("n_starts", n_starts)
    pooled = pooled_fit(problem)
    rows, working = _rows(problem, pooled), _working(problem)
    starts = []
    for index in range(n_starts):
        kind = KINDS[index % len(KINDS)]
        rng = np.random.default_rng([seed, index])
        responsibilities = _softened(working, _DRAW[kind](problem, rows, pooled, rng))
        starts.append(start_from(problem, kind, responsibilities, pooled))
    return starts


def redrawn(problem, theta, rng):
    """Return a neighbour of theta: one expert is drawn anew, in one of three ways.

    By the rows it takes, by its parameters, or through a few rows.

    Where the experts compete for the rows, all but one of them are often in their best places already.

    Parameters
    ----------
    problem : Problem
        Of a `MixtureOfExperts`; features of about unit size.
    theta : ndarray of shape (p,)
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of shape (p,)
    """
    pooled = pooled_fit(problem)
    rows, expert = _rows(problem, pooled), int(rng.integers(problem.model.n_experts))
    draw = _NEIGHBOURS[int(rng.integers(len(_NEIGHBOURS)))]
    return start_from(problem, "redrawn", draw(problem, theta, expert, rows, pooled, rng), theta).theta


def _with_other_rows(problem, theta, expert, rows, pooled, rng):
    rest = np.maximum(problem.model.posterior(problem.data, theta)[1].T, np.finfo(float).tiny)
    rest[:, expert] = 0.0
    taken = _at_random(problem, rows, pooled, rng)[:, expert]
    responsibilities = rest * ((1.0 - taken) / rest.sum(axis=1))[:, None]
    responsibilities[:, expert] = taken
    return responsibilities


def _with_other_predictors(problem, theta, expert, rows, pooled, rng):
    parts, logits = problem.model.predictors(problem.data.designs, theta)
    parts[expert] = _drawn_parts(problem, rows, pooled, rng)[0][expert]
    return _posterior(problem, parts, logits, rows, pooled, rng)


def _through_a_few_rows(problem, theta, expert, rows, pooled, rng):
    """Fit one expert to as few rows as determine it, such that it takes more; then one E-step for all.

    An expert that many rows follow closely, between others that do not, is hardly met in another way.
    """
    for _ in range(_TRIES):
        parts, logits = problem.model.predictors(problem.data.designs, theta)
        parts[expert] = _fitted_to_a_few(problem, rows, pooled, rng)
        responsibilities = _posterior(problem, parts, logits, rows, pooled, rng)
        if problem.weights @ responsibilities[:, expert] > _LEAST_SHARE / problem.model.n_experts:
            break
    return responsibilities


def _working(problem):
    """Return the problem of Gaussian experts that starts those of a family, or None, see `Family`."""
    model = problem.model
    target = model.family.working_target(problem.y)
    if target is None or model.fixed or model.ridge is not None:
        return None
    if model.offset_column is not None:
        target = target - problem.X[:, model.offset_column]
    columns = {f"{part}_columns": model.columns[part] for part in ("expert", "gate")}
    gaussian = MixtureOfExperts(
        model.n_features, model.n_experts, variance="shared", gate=model.gate, **columns
    )
    return Problem(gaussian, problem.X, target, problem.weights)


def _softened(working, responsibilities):
    """Return what EM on the working problem makes of responsibilities, unless it degenerates."""
    if working is None:
        return responsibilities
    start = working.m_step(responsibilities, np.zeros(working.n_params)).theta
    run = minimize(working, start, tol=_ROUGH, max_iter=_ROUNDS)
    if run.status not in (Status.CONVERGED, Status.ITERATION_LIMIT, Status.DIVERGING):
        return responsibilities
    return working.responsibilities(run.x)


def pooled_fit(problem):
    """Return the parameter of K equal experts, each fitted to all rows, under equal mixing weights."""
    K = problem.model.n_experts
    return problem.m_step(np.full((problem.n_rows, K), 1.0 / K), np.zeros(problem.n_params)).theta


def start_from(problem, kind, responsibilities, fallback=None):
    """Return the start that the M-step makes of responsibilities of shape (n, K)."""
    fallback = np.zeros(problem.n_params) if fallback is None else fallback
    theta = problem.m_step(responsibilities, fallback).theta
    with np.errstate(over="ignore", invalid="ignore"):
        proper = np.isfinite(theta).all() and np.isfinite(problem.loss(theta))
    return Start(kind, theta if proper else fallback)


def _rows(problem, pooled):
    """Return what tells rows apart, standardised: the features and the residuals of one pooled expert.

    Neither the basis of the features nor their order matters.
    """
    model, weights = problem.model, problem.weights
    predictors = model.predictors(problem.data.designs, pooled)[0][0]
    residuals = model.family.score(problem.y, predictors)[:, : model.family.n_linear]
    residuals = _standardised(residuals, weights)
    seen = sorted({*model.columns["expert"], *(model.columns["gate"] or [])})
    features = _canonical(problem.X[:, seen], weights, (residuals**2).sum(axis=1))
    rows = np.column_stack([features, residuals])
    return rows if rows.shape[1] else np.zeros((len(rows), 1))


def _standardised(columns, weights):
    """Return the columns that vary with mean 0 and variance 1."""
    columns = columns - weights @ columns
    # squares of what is at most 1 do not overflow
    columns = columns / np.maximum(np.abs(columns).max(axis=0), np.finfo(float).tiny)
    spread = np.sqrt(np.einsum("n,nj,nj->j", weights, columns, columns))
    varies = spread > _CONSTANT
    return columns[:, varies] / spread[varies]


def _canonical(X, weights, tilt):
    """Return uncorrelated combinations of the features that any other basis of their span would give too.

    They have variance 1 and are the principal axes under the weights times `tilt`, skewed to the right.
    """
    white = _standardised(X, weights)
    for _ in range(2):
        # the second pass mends what the first one lost among columns that are nearly dependent
        values, axes = np.linalg.eigh(white.T @ (weights[:, None] * white))
        kept = values > _DEPENDENT * max(1.0, values.max(initial=0.0))
        white = white @ (axes[:, kept] / np.sqrt(values[kept]))
    turned = white @ np.linalg.eigh(white.T @ ((weights * tilt)[:, None] * white))[1]
    return turned * np.where(weights @ turned**3 < 0, -1.0, 1.0)


def _by_kmeans(problem, rows, pooled, rng):
    """Cluster the rows, columns randomly stretched, from centres on a random line at normal quantiles."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    K = problem.model.n_experts
    rows = rows * np.exp(rng.standard_normal(rows.shape[1]))
    line = rng.standard_normal(rows.shape[1])
    line /= np.linalg.norm(line)
    spread = np.sqrt(problem.weights @ (rows @ line) ** 2)
    centres = np.outer(ndtri((np.arange(K) + 0.5) / K) * spread, line)
    with warnings.catch_warnings(), _libraries().limit(limits=1, user_api="openmp"):
        # fewer distinct rows than experts: the fit's own status says so
        warnings.simplefilter("ignore", ConvergenceWarning)
        clusters = KMeans(K, init=centres, n_init=1, max_iter=50)
        labels = clusters.fit(rows, sample_weight=problem.weights * len(rows)).labels_
    # clusters are separable by construction: hard labels would send the gate to infinity
    return _SHARE * (labels[:, None] == np.arange(K)) + (1.0 - _SHARE) / K


@cache
def _libraries():
    """Return the control of the threads that scikit-learn's k-means takes from OpenMP; it is loaded by then.

    One thread adds in one order, and a forked child has no other: GNU OpenMP would wait for the parent's.
    """
    return ThreadpoolController()


def _at_random(problem, rows, pooled, rng):
    """Draw responsibilities as a smooth random function of the row, by random Fourier features."""
    K = problem.model.n_experts
    directions = rng.standard_normal((rows.shape[1], K)) * (2.0 / np.sqrt(rows.shape[1]))
    return _softmax(3.0 * np.cos(rows @ directions + rng.uniform(0.0, 2.0 * np.pi, K)))


def _by_parameters(problem, rows, pooled, rng):
    """Draw every expert's and the gate's predictors around the pooled fit, then take one E-step."""
    parts, logits, known = _drawn_parts(problem, rows, pooled, rng)
    K = problem.model.n_experts
    logits = logits + (known @ rng.standard_normal((known.shape[1], K - 1))).T
    return _posterior(problem, parts, logits, rows, pooled, rng)


def _drawn_parts(problem, rows, pooled, rng):
    """Return experts' predictors drawn around the pooled fit, the fit's logits and the rows' own columns."""
    model, sizes = problem.model, problem.data.sizes
    K, m = model.n_experts, model.family.n_linear
    known = np.column_stack([rows, np.ones(len(rows))]) / np.sqrt(rows.shape[1] + 1)
    parts, logits = model.predictors(problem.data.designs, pooled)
    noise = known @ rng.standard_normal((K, known.shape[1], m)) * sizes[:m]
    for part, more in zip(parts, noise):
        part[:, :m] += more
    return parts, logits, known


def _fitted_to_a_few(problem, rows, pooled, rng):
    """Return the predictors, shape (n, q), of an expert fitted to as few rows as it has coefficients.

    All others together count as a small share of a row: they say how large its dispersion is.
    """
    model, data = problem.model, problem.data
    shares = np.full(len(rows), _FEW_AT_LEAST * (_FEW_AT_MOST / _FEW_AT_LEAST) ** rng.random())
    for _ in model.columns["expert"]:
        shares[_drawn_row(rows, problem.weights, rng)] = 1.0
    with np.errstate(all="ignore"):
        coefs, dispersion, *_ = model.family.fit(data.rows(0, shares[None]), model.named(pooled)["coef"][0])
    part = np.column_stack([data.designs["expert"].predict(coef) for coef in coefs])
    if dispersion is None:
        return part
    return np.column_stack([part, np.tile(np.atleast_1d(dispersion), (len(rows), 1))])


def _drawn_row(rows, weights, rng):
    """Draw a row by its weight: the one at a random quantile in a random direction."""
    order = np.argsort(rows @ rng.standard_normal(rows.shape[1]), kind="stable")
    below = np.cumsum(weights[order])
    return order[np.searchsorted(below, below[-1] * rng.random())]


def _posterior(problem, parts, logits, rows, pooled, rng):
    """Return the responsibilities of given predictors; random ones where those overflow."""
    with np.errstate(over="ignore", invalid="ignore"):
        drawn = problem.model.posterior_at(problem.data, parts, logits)[1].T
    return drawn if np.isfinite(drawn).all() else _at_random(problem, rows, pooled, rng)


def _softmax(logits):
    weight = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weight / weight.sum(axis=1, keepdims=True)


_DRAW = {"kmeans": _by_kmeans, "responsibilities": _at_random, "parameters": _by_parameters}
_NEIGHBOURS = _with_other_rows, _with_other_predictors, *(4 * (_through_a_few_rows,))
