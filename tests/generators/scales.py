"""Small problems with two parameters, every quantity over sixteen decades."""

import numpy as np

import emmd

KINDS = ("symmoline", "symmologe", "free", "shared", "known", "bernoulli", "categorical", "poisson", "gamma")


def draw(kind, seed):
    """Return a problem of 4 to 8 rows and two parameters, near one another or far apart."""
    rng = np.random.default_rng([seed, *kind.encode()])
    n, d = int(rng.integers(4, 9)), int(rng.integers(1, 3))
    X = rng.standard_normal((n, d)) * 10.0 ** rng.uniform(-8, 8, d)
    slope = 10.0 ** rng.uniform(-3, 2)
    make = _symmetric if kind.startswith("sym") else _experts
    model, X, y, draw_theta = make(rng, kind, X, 10.0 ** rng.uniform(-8, 8), slope)
    weights = rng.uniform(0.1, 1, n) if rng.random() < 0.5 else None
    u, v = draw_theta(), draw_theta()
    if rng.random() < 0.5:
        v = u + 1e-3 * (v - u)
    return emmd.Problem(model, X, y, weights), u, v


def _symmetric(rng, kind, X, size, slope):
    n, d = X.shape
    scale = np.tile(np.sqrt((X**2).mean(axis=0) * d), 2)
    if kind == "symmologe":
        return emmd.SymMoLogE(d), X, rng.choice([-1.0, 1.0], n), lambda: _normal(rng, 2 * d, slope / scale)
    y = size * rng.standard_normal(n) * max(1.0, slope)
    units = np.repeat([size, 1.0], d)
    return emmd.SymMoLinE(d, sigma=size), X, y, lambda: _normal(rng, 2 * d, units * slope / scale)


def _normal(rng, shape, scale):
    return scale * rng.standard_normal(shape)


def _experts(rng, kind, X, size, slope):
    n = len(X)
    X = np.column_stack([X, np.ones(n)])
    scale = np.sqrt((X**2).mean(axis=0) * X.shape[1])
    level = {"poisson": rng.uniform(0, 8), "gamma": rng.uniform(-8, 8)}.get(kind, 0.0) * np.log(10)
    log_shape = rng.uniform(-2, 8) * np.log(10)
    options = {
        "free": {"family": "gaussian"},
        "shared": {"family": "gaussian", "variance": "shared"},
        "known": {"family": "gaussian", "variance": size**2},
        "categorical": {"family": "categorical", "n_classes": 3},
    }.get(kind, {"family": kind})
    model = emmd.MixtureOfExperts(X.shape[1], 2, **options)
    logs = kind in ("poisson", "gamma")
    slope = min(slope, 3.0) if logs else slope
    spread = rng.choice([1.0, 1e-3, 1e-6]) * min(slope, 1.0)

    def draw_theta():
        coef = _normal(rng, model.shapes["coef"], slope / scale)
        if logs:
            coef[..., -1] = level + spread * rng.standard_normal(coef[..., -1].shape)
        dispersion = rng.standard_normal(model.shapes["dispersion"])
        if model.family.name == "gaussian":
            coef, dispersion = coef * size, dispersion + 2.0 * np.log(size)
        gate = _normal(rng, model.shapes["gate"], slope / scale)
        return model.pack(coef, gate, dispersion + (log_shape if kind == "gamma" else 0.0))

    return model, X, _target(rng, kind, n, size, level, log_shape), draw_theta


def _target(rng, kind, n, size, level, log_shape):
    if kind == "bernoulli":
        return (rng.random(n) < 0.5).astype(float)
    if kind == "categorical":
        return np.append(2.0, rng.integers(3, size=n - 1))
    if kind == "poisson":
        return rng.poisson(np.exp(level), n).astype(float)
    if kind == "gamma":
        return np.exp(level + rng.standard_normal(n) * min(np.exp(-log_shape / 2), 3.0))
    return size * rng.standard_normal(n)
