"""What theory knows of mixtures of experts: rounding errors row by row, tempered posteriors."""

import numpy as np

from emmd.core.numerics.derivatives import row_gradient, row_hessian
from emmd.core.numerics.rounding import EPS, depth
from emmd.models.mixture.natural import log_sum_exp
from emmd.models.mixture.terms import UNITS
from emmd.rows.predictors import free

_KNOWN = 0.1


def slope_rounding(model, data, theta):
    """Bound the rounding errors of each row's slopes, see `emmd.theory.models.known.slope_rounding`.

    A log joint is within a few units of its terms and of what the roundings of its predictors, |x|'|theta|
    each, do through its score; its error reaches a slope through the responsibilities.
    """
    at, blocks = _At(model, data, theta), range(len(model.blocks))
    terms = np.stack([_slope_size(model, at, a) for a in blocks], axis=1)
    carried = np.stack([_carried(model, at, a) for a in blocks], axis=1)
    return terms, carried


def _slope_size(model, at, a):
    """Return the moduli of the terms that are added up to the slope in predictor a."""
    k, j = divmod(a, model.family.n_predictors)
    if k < model.n_experts:
        return at.r[k] * at.score_terms[k][:, j]
    row = a - model.n_experts * model.family.n_predictors
    return at.r[row] + at.p[row]


def _carried(model, at, a):
    """Return what errors of responsibilities and of its own predictors do to the slope in predictor a."""
    q = model.family.n_predictors
    k, j = divmod(a, q)
    if k < model.n_experts:
        own = np.abs(model.family.curvature(at.y, at.xi[k])[:, j, :]).T
        noise = UNITS * at.r[k] * (own * at.sizes[k * q : (k + 1) * q]).sum(axis=0)
        return at.relative(at.log_r, at.joint, k) * np.abs(at.scores[k][j]) + noise
    k = a - model.n_experts * q
    logits = np.concatenate([at.sizes[model.n_experts * q :], np.zeros_like(at.r[:1])])
    return at.relative(at.log_r, at.joint, k) + at.relative(at.log_p, UNITS * (1.0 + logits), k)


def natural_rounding(model, data, theta):
    """Bound the rounding errors of eta, and of grad l(eta) with what eta's own errors carry, both (n, D)."""
    at, family = _At(model, data, theta), model.family
    q, K = family.n_predictors, model.n_experts
    natural, levels, slopes, gate_slopes = [], [], [], []
    logits = [*at.sizes[K * q :], np.zeros_like(at.r[0])]
    # the evidence is added up from <T, nu> and a(nu), which may cancel where the density itself does not
    joint = at.joint + UNITS * np.array([_evidence_terms(family, data.y, xi) for xi in at.xi])
    for k, xi in enumerate(at.xi):
        nu, (statistics, mean) = family.natural(xi), family.statistic_terms(data.y, xi)
        jacobian = np.abs(family.natural_jacobian(xi))
        noise = np.einsum("nsq,qn->ns", jacobian, at.sizes[k * q : (k + 1) * q])
        natural.append(UNITS * (np.abs(nu) + noise))
        partition = np.abs(family.log_partition(nu)) + (mean * noise).sum(axis=1)
        levels.append(UNITS * (np.abs(logits[k]) + partition))
        both = [
            at.relative(logs, joint, k) + UNITS * each[k]
            for logs, each in ((at.log_r, at.r), (at.log_p, at.p))
        ]
        curved = np.einsum("nst,nt->ns", np.abs(family.variance(nu)), natural[-1])
        slopes.append(both[0][:, None] * statistics + both[1][:, None] * mean + at.p[k][:, None] * curved)
        if family.hidden:
            spread = np.abs(_posterior_variance(family, data.y, nu))
            slopes[-1] += at.r[k][:, None] * np.einsum("nst,nt->ns", spread, natural[-1])
        gate_slopes.append(both[0] + both[1])
    return np.column_stack([*natural, *levels]), np.column_stack([*slopes, *gate_slopes])


def _evidence_terms(family, y, xi):
    """Return the sizes of the terms of log p(y; nu), with what the roundings of nu's own terms do to it."""
    jacobian, sizes = np.abs(family.natural_jacobian(xi)), sum(family.statistic_terms(y, xi))
    of_nu = np.abs(family.natural(xi)) + np.einsum("nsq,nq->ns", jacobian, np.abs(xi))
    return family.natural_terms(y, xi) + (sizes * of_nu).sum(axis=1)


def _posterior_variance(family, y, nu):
    """Return Cov(T | y) where something is hidden, shape (n, S, S)."""

    def means(points):
        return row_gradient(lambda complex_points: family.log_numerator(y, complex_points), points)

    return row_hessian(means, nu)


def divergence_rounding(problem, u, v, divergence):
    """Bound the rounding error of E sum_k p_k(v) (log p_k(v) - log p_k(u) + KL_k) from its own terms.

    They are weighted by the gate at v, those of a loss by the responsibilities: where u and v are far apart,
    or y is far from both, neither bounds the other.
    """
    at_u, at_v = (_At(problem.model, problem.data, theta) for theta in (u, v))
    family = problem.model.family
    q, K = family.n_predictors, problem.model.n_experts
    gate = [UNITS * (1.0 + np.abs(at.log_p)) + at.sizes[K * q :].sum(axis=0) for at in (at_u, at_v)]
    inner, errors = np.empty_like(at_v.p), sum(gate)
    for k, (xi_u, xi_v) in enumerate(zip(at_u.xi, at_v.xi)):
        inner[k] = family.divergence(xi_u, xi_v)
        errors[k] += UNITS * family.divergence_terms(xi_u, xi_v)
        for slope, at in zip(_divergence_slopes(family, xi_u, xi_v), (at_u, at_v)):
            errors[k] += (np.abs(slope).T * at.sizes[k * q : (k + 1) * q]).sum(axis=0)
    each = np.abs(at_v.log_p - at_u.log_p + inner)
    return _bound(problem, at_v.p * each, at_v.p * (errors + gate[1] * each))


def _divergence_slopes(family, xi_u, xi_v):
    """Return the derivatives of KL( p_v || p_u ) in the predictors of u and of v, both of shape (n, q)."""
    u, v = family.natural(xi_u), family.natural(xi_v)
    in_v = np.einsum("nst,nt->ns", family.variance(v), v - u)
    slopes = (xi_u, family.mean(u) - family.mean(v)), (xi_v, in_v)
    return [np.einsum("nsq,ns->nq", family.natural_jacobian(xi), slope) for xi, slope in slopes]


def posterior_rounding(problem, u, v):
    """Bound the rounding error of E sum_k r_k(v) (log r_k(v) - log r_k(u)) in the same way."""
    if problem.model.family.hidden:
        return None
    at_u, at_v = (_At(problem.model, problem.data, theta) for theta in (u, v))
    errors = [at.joint + (at.r * at.joint).sum(axis=0) for at in (at_u, at_v)]
    log_u, log_v = (at.log_r - log_sum_exp(at.log_r) for at in (at_u, at_v))
    each = np.abs(log_v - log_u)
    return _bound(problem, at_v.r * each, at_v.r * (errors[0] + errors[1] * (1.0 + each)))


def _bound(problem, terms, errors):
    """Return the bound of a weighted mean of terms, shape (K, n), that err by so many roundings each."""
    return float(EPS * (problem.weights @ (depth(problem) * terms + errors).sum(axis=0)))


def absolute_pull_back(model, data, slopes):
    """Return the pull-back with the moduli of the features, shape (p,)."""
    bound = np.zeros(model.n_params)
    for a, block in free(model.blocks):
        design, slope = data.designs[block.features], slopes[:, a]
        np.add.at(bound, block.entries, slope.sum() if design is None else np.abs(design.X.T) @ slope)
    return bound


def tempered(model, data, theta, evidence):
    """Return softmax over k of log P(z=k|x) + evidence * log p(y|x,z=k), shape (n, K)."""
    xi, logits = model.predictors(data.designs, theta)
    likelihood = np.array([model.family.log_density(data.y, part) for part in xi])
    joint = model.gate.log_probabilities(logits) + evidence * likelihood
    return np.exp(joint - log_sum_exp(joint)).T


class _At:
    """What the bounds at one parameter share.

    Attributes
    ----------
    xi : list of ndarray of shape (n, q)
    r, p : ndarray of shape (K, n)
        Responsibilities and the gate's probabilities.
    sizes : ndarray of shape (blocks, n)
        |x|'|theta| of every predictor.
    joint : ndarray of shape (K, n)
        Bounds of the errors of the log joints.
    log_p, log_r : ndarray of shape (K, n)
        Logs of the gate's probabilities, and log joints.
    scores, score_terms : list of ndarray
        The experts' scores, (q, n), and the moduli of the terms they are differences of, (n, q).
    """

    def __init__(self, model, data, theta):
        self.y, family = data.y, model.family
        self.xi, logits = model.predictors(data.designs, theta)
        self.r = model.posterior(data, theta)[1]
        self.scores = [family.score(data.y, part).T for part in self.xi]
        self.score_terms = [family.score_terms(data.y, part) for part in self.xi]
        self.sizes, self.joint = model.predictor_sizes(data, theta), model.joint_terms(data, theta)
        likelihood = np.array([family.log_density(data.y, part) for part in self.xi])
        self.log_p = model.gate.log_probabilities(logits)
        self.p = np.exp(self.log_p)
        self.log_r = self.log_p + likelihood

    @staticmethod
    def relative(logs, errors, k):
        """Return what errors of all log weights do to the k-th of the probabilities they are made into.

        Parameters
        ----------
        logs, errors : ndarray of shape (K, n)
            Log weights, and the bounds of their errors in units of the machine precision.
        k : int
        """
        weights = np.exp(logs - logs.max(axis=0))
        p = weights / weights.sum(axis=0)
        others = (p * errors).sum(axis=0) - p[k] * errors[k]
        small = 2.0 * p[k] * (errors[k] * (1.0 - p[k]) + others)
        # a log weight that is not known to a tenth, and may be the largest, says nothing of any probability
        first = np.take_along_axis(errors, logs.argmax(axis=0)[None], axis=0)
        doubt = EPS * (errors + first)
        unknown = ((doubt > _KNOWN) & (logs.max(axis=0) - logs <= 4.0 * doubt)).any(axis=0)
        return np.where(unknown, 1.0 / EPS, small)
