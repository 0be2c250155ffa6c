"""The likelihood of a mixture of experts once more, in the user's units: NumPy and scipy, nothing of emmd."""

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, logsumexp
from scipy.stats import gamma, norm, poisson


def log_density(family, y, u, rho):
    """Return log p(y) for a predictor u and a log variance or log shape rho."""
    if family == "gaussian":
        return norm.logpdf(y, u, np.exp(0.5 * rho))
    if family == "gamma":
        return gamma.logpdf(y, np.exp(rho), scale=np.exp(u - rho))
    return poisson.logpmf(y, np.exp(u))


def split(flat, K, d):
    """Return coefficients with intercepts (K, d + 1), dispersions (K,) and the gate (K, d + 1)."""
    coef, rho, gate = np.split(flat, [K * (d + 1), K * (d + 2)])
    return coef.reshape(K, d + 1), rho, np.vstack([gate.reshape(K - 1, d + 1), np.zeros(d + 1)])


def loglik(flat, family, X, y, K):
    """Return the total log-likelihood."""
    Z = np.column_stack([X, np.ones(len(X))])
    coef, rho, gate = split(flat, K, X.shape[1])
    experts = np.array([log_density(family, y, Z @ coef[k], rho[k]) for k in range(K)])
    return logsumexp(log_softmax(Z @ gate.T, axis=1).T + experts, axis=0).sum()


def flat_parameters(fit):
    """Return a fitted estimator's parameters in the order of `split`; unused dispersions are 0."""
    coef = np.column_stack([fit.coef_, fit.intercept_])
    gate = np.column_stack([fit.gate_coef_, fit.gate_intercept_])[:-1]
    rho = np.zeros(len(coef)) if fit.dispersion_ is None else np.log(fit.dispersion_)
    return np.concatenate([coef.ravel(), rho, gate.ravel()])


def flat_errors(fit):
    """Return the standard errors likewise, of rho by the delta method."""
    errors = fit.standard_errors_
    coef = np.column_stack([errors["coef"], errors["intercept"]])
    gate = np.column_stack([errors["gate_coef"], errors["gate_intercept"]])[:-1]
    rho = np.zeros(len(coef)) if fit.dispersion_ is None else errors["dispersion"] / fit.dispersion_
    return np.concatenate([coef.ravel(), rho, gate.ravel()])


def best_maximum(family, X, y, K, starts, seed):
    """Return the largest log-likelihood that BFGS finds with bounded dispersions."""
    rng = np.random.default_rng(seed)
    d = X.shape[1]
    size = K * (d + 2) + (K - 1) * (d + 1)
    bounds = [(-60.0, 60.0)] * size
    for k in range(K):
        bounds[K * (d + 1) + k] = (-6.0, 8.0)
    found = []
    for _ in range(starts):
        run = minimize(
            lambda flat: -loglik(flat, family, X, y, K),
            rng.standard_normal(size),
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": 2000, "maxfun": 10**6, "ftol": 1e-14, "gtol": 1e-8},
        )
        found.append(-run.fun)
    return max(found)
